// SPDX-License-Identifier: MIT
#include "render/ha-layout-private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_SECONDS 20
#define DEFAULT_MEMORY  (G_GUINT64_CONSTANT(2) << 30)

G_DEFINE_QUARK(ha - layout - error - quark, ha_layout_error)

const char *
ha_layout_format_name(HaLayoutFormat format)
{
    switch (format) {
    case HA_LAYOUT_SVG:
        return "svg";
    case HA_LAYOUT_PNG:
        return "png";
    case HA_LAYOUT_PDF:
        return "pdf";
    }
    g_assert_not_reached();
}

static gboolean
system_error(GError **error, const char *what)
{
    int saved = errno;

    g_set_error(error, HA_LAYOUT_ERROR, HA_LAYOUT_ERROR_FAILED, "cannot draw: %s: %s", what, g_strerror(saved));
    return FALSE;
}

/* Files in memory instead of pipes: nothing can block, and the child's output has a hard limit. */
static int
memory_file(const char *name, const char *data, gsize n)
{
    int fd = memfd_create(name, MFD_CLOEXEC);

    for (gsize done = 0; fd >= 0 && done < n;) {
        ssize_t w = pwrite(fd, data + done, n - done, (off_t)done);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0) {
            int saved = errno;
            close(fd);
            errno = saved;
            return -1;
        }
        done += (gsize)w;
    }
    return fd;
}

static GBytes *
read_memory_file(int fd, gsize most)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || st.st_size < 0)
        return NULL;
    gsize n = MIN((gsize)st.st_size, most);
    char *data = g_malloc(n + 1);
    gsize done = 0;
    while (done < n) {
        ssize_t r = pread(fd, data + done, n - done, (off_t)done);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            break;
        done += (gsize)r;
    }
    data[done] = 0;
    return g_bytes_new_take(data, done);
}

/* in, out, err and alive become 0, 1, 2 and 3 of the child. */
static gboolean
start(HaLayoutFormat format, const HaLayoutLimits *limits, const int fds[4], pid_t *pid, GError **error)
{
    const char *program = limits->program ? limits->program : "/proc/self/exe";
    g_autofree char *seconds = g_strdup_printf("%u", limits->seconds);
    g_autofree char *memory = g_strdup_printf("%" G_GUINT64_FORMAT, limits->memory);
    char *argv[] = {(char *)"heapanalyze",
                    (char *)HA_LAYOUT_CHILD_ARGUMENT,
                    (char *)ha_layout_format_name(format),
                    seconds,
                    memory,
                    NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, pipe_signal;
    int rc;

    sigemptyset(&none);
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &pipe_signal);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    /* fds are all above 3 (see lift()), so no dup2 overwrites one that is still needed. */
    for (int i = 0; i < 4; i++)
        posix_spawn_file_actions_adddup2(&actions, fds[i], i);
    rc = posix_spawn(pid, program, &actions, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0) {
        errno = rc;
        return system_error(error, "cannot start the layout process");
    }
    return TRUE;
}

/* Moves a descriptor above 3; consumes fd. */
static int
lift(int fd)
{
    if (fd < 0 || fd > 3)
        return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 4);
    int saved = errno;
    close(fd);
    errno = saved;
    return high;
}

/* The child has the write end; it reads as ended when the child is gone. */
static gboolean
wait_for_end(int alive, guint seconds)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;

    for (;;) {
        gint64 left = (deadline - g_get_monotonic_time() + 999) / 1000;
        struct pollfd p = {.fd = alive, .events = POLLIN};

        if (left <= 0)
            return FALSE;
        int n = poll(&p, 1, (int)MIN(left, G_MAXINT));
        if (n > 0)
            return TRUE;
        if (n < 0 && errno != EINTR)
            return FALSE;
    }
}

static gboolean
judge(int status, gboolean ended, const HaLayoutLimits *limits, GBytes *errors, GError **error)
{
    const char *text = errors ? g_bytes_get_data(errors, NULL) : NULL;
    g_autofree char *line = text ? g_strstrip(g_strndup(text, strcspn(text, "\n"))) : g_strdup("");
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    int signum = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    if (code == HA_LAYOUT_EXIT_OK)
        return TRUE;
    if (!ended || signum == SIGXCPU)
        g_set_error(error, HA_LAYOUT_ERROR, HA_LAYOUT_ERROR_TIMEOUT, "the layout took more than %u seconds",
                    limits->seconds);
    else if (code == HA_LAYOUT_EXIT_MEMORY || signum == SIGXFSZ)
        g_set_error(error, HA_LAYOUT_ERROR, HA_LAYOUT_ERROR_MEMORY, "the layout needs too much memory");
    else if (code == HA_LAYOUT_EXIT_PLUGIN)
        g_set_error(error, HA_LAYOUT_ERROR, HA_LAYOUT_ERROR_PLUGIN, "%s", line);
    else if (signum)
        g_set_error(error, HA_LAYOUT_ERROR, HA_LAYOUT_ERROR_FAILED, "the layout process died (%s)%s%s",
                    g_strsignal(signum), *line ? ": " : "", line);
    else
        g_set_error(error, HA_LAYOUT_ERROR, HA_LAYOUT_ERROR_FAILED, "the layout failed%s%s", *line ? ": " : "", line);
    return FALSE;
}

gboolean
ha_layout_render(const char *dot, gsize n, HaLayoutFormat format, const HaLayoutLimits *limits, GBytes **out,
                 GError **error)
{
    HaLayoutLimits l = limits ? *limits : (HaLayoutLimits){0};
    int alive[2] = {-1, -1};
    int fds[4] = {-1, -1, -1, -1};
    int status = 0;
    pid_t pid;
    gboolean ok = FALSE;
    g_autoptr(GBytes) errors = NULL;

    if (!l.seconds)
        l.seconds = DEFAULT_SECONDS;
    if (!l.memory)
        l.memory = DEFAULT_MEMORY;

    if (pipe2(alive, O_CLOEXEC) != 0)
        return system_error(error, "no pipe");
    alive[0] = lift(alive[0]);
    fds[0] = lift(memory_file("dot", dot, n));
    fds[1] = lift(memory_file("picture", NULL, 0));
    fds[2] = lift(memory_file("messages", NULL, 0));
    fds[3] = lift(alive[1]);
    if (alive[0] < 0 || fds[0] < 0 || fds[1] < 0 || fds[2] < 0 || fds[3] < 0) {
        system_error(error, "no file in memory");
        goto out;
    }
    if (!start(format, &l, fds, &pid, error))
        goto out;
    close(fds[3]);
    fds[3] = -1;

    gboolean ended = wait_for_end(alive[0], 3 * l.seconds); /* the machine may be busy with other things */
    /* Even where it seems to have ended: its status is fixed by then, and one that only closed the pipe must not be waited for. */
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    errors = read_memory_file(fds[2], 4096);
    if (!judge(status, ended, &l, errors, error))
        goto out;
    GBytes *picture = read_memory_file(fds[1], HA_LAYOUT_OUTPUT_MAX);
    if (!picture || g_bytes_get_size(picture) == 0) {
        g_clear_pointer(&picture, g_bytes_unref);
        g_set_error(error, HA_LAYOUT_ERROR, HA_LAYOUT_ERROR_FAILED, "the layout gave an empty picture");
        goto out;
    }
    *out = picture;
    ok = TRUE;
out:
    for (int i = 0; i < 4; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    if (alive[0] >= 0)
        close(alive[0]);
    return ok;
}
