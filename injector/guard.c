// SPDX-License-Identifier: MIT
/*
 * The notes lie in memory shared with the guardian. Each is written before the thing that it speaks of is made and erased after that is undone, so
 * that a death at any moment finds either nothing to do or something that may be done twice.
 */
#include "guard.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "error.h"
#include "memory.h"
#include "procfs.h"
#include "progress.h"

typedef struct {
    pid_t gdb;
    pid_t ghost;
    _Atomic int has_cave;
    InjCave cave;
    guint64 mark_at, mark; /* 0: none */
    gboolean entered;
    _Atomic int memory_short; /* the ghost was ended; the rest says why */
    guint64 memory_left;
    char memory_limit[256];
    _Atomic int has_stage;
    int stage_dir;
    char stage[NAME_MAX + 1];
    _Atomic int has_output;
    int output_dir;
    char output[NAME_MAX + 1];
} Notes;

struct InjGuard {
    InjTarget *target; /* borrowed */
    Notes *notes;      /* owned; shared with the guardian */
    char nonce[9];
    pid_t guardian;
    int pipe; /* owned; writing end: its closing is our death */
};

enum { CLEAN_TIMEOUT_US = 20 * G_USEC_PER_SEC, POLL_US = 2000, CONTINUE_POLLS = 100, WATCH_MS = 50 };

const char *
inj_guard_nonce(const InjGuard *g)
{
    return g->nonce;
}

pid_t *
inj_guard_gdb_slot(InjGuard *g)
{
    return &g->notes->gdb;
}

void
inj_guard_set_cave(InjGuard *g, const InjCave *cave)
{
    g->notes->has_cave = 0;
    g->notes->mark_at = 0;
    g->notes->entered = FALSE;
    if (cave != NULL) {
        g->notes->cave = *cave;
        g->notes->has_cave = 1;
    }
}

void
inj_guard_set_mark(InjGuard *g, guint64 addr, guint64 value)
{
    g->notes->mark = value;
    g->notes->mark_at = addr;
}

void
inj_guard_set_entered(InjGuard *g)
{
    g->notes->entered = TRUE;
}

void
inj_guard_set_ghost(InjGuard *g, pid_t ghost)
{
    g->notes->ghost = ghost;
}

gboolean
inj_guard_memory_lasted(const InjGuard *g, GError **error)
{
    const Notes *n = g->notes;

    if (!n->memory_short)
        return TRUE;
    g_autofree char *left = inj_size_text(n->memory_left);
    g_clear_error(error);
    g_set_error(
        error, INJ_ERROR, INJ_ERROR_FAILED,
        "memory ran short during the walk: %s left %s, and process %d writes much meanwhile; the copy was ended. "
        "Raise it, or try when the process is less busy, or use --mode inline",
        n->memory_limit, left, (int)g->target->pid);
    return FALSE;
}

void
inj_guard_set_stage(InjGuard *g, int dir_fd, const char *name)
{
    g->notes->has_stage = 0;
    if (name != NULL) {
        g->notes->stage_dir = dir_fd;
        g_strlcpy(g->notes->stage, name, sizeof g->notes->stage);
        g->notes->has_stage = 1;
    }
}

void
inj_guard_set_output(InjGuard *g, int dir_fd, const char *name)
{
    g->notes->has_output = 0;
    if (name != NULL) {
        g->notes->output_dir = dir_fd;
        g_strlcpy(g->notes->output, name, sizeof g->notes->output);
        g->notes->has_output = 1;
    }
}

/* A stop signal that waits for a thread, or a thread that stands stopped: what a GDB leaves that was killed while it attached. */
static gboolean
stopped_or_about_to(const InjTarget *t)
{
    g_autoptr(GArray) threads = inj_target_threads(t);

    for (guint i = 0; i < threads->len; i++) {
        g_autofree char *name = g_strdup_printf("task/%d/status", (int)g_array_index(threads, pid_t, i));
        g_autofree char *status = inj_target_proc(t, name, NULL);
        guint64 pending = 0;
        if (status == NULL)
            continue;
        const char *state = strstr(status, "\nState:\t");
        if (state != NULL && state[8] == 'T')
            return TRUE;
        if (inj_status_field(status, "SigPnd", 16, &pending) && pending >> (SIGSTOP - 1) & 1)
            return TRUE;
    }
    return FALSE;
}

/*
 * A thread may also be on its way into the stop, which shows nowhere. SIGCONT takes all of that away, and does nothing to a process that goes on
 * anyway, unless it has a handler: then it is sent only when there is something to heal.
 */
void
inj_guard_continue_target(const InjTarget *t)
{
    gboolean handler = t->caught >> (SIGCONT - 1) & 1;

    for (guint i = 0; i < (handler ? CONTINUE_POLLS : 1) && inj_target_alive(t) && inj_target_tracer(t) == 0; i++) {
        if (i > 0)
            g_usleep(POLL_US);
        if (!handler || stopped_or_about_to(t)) {
            kill(t->pid, SIGCONT);
            return;
        }
    }
}

static gboolean
stat_of(pid_t pid, InjStat *st)
{
    g_autofree char *name = g_strdup_printf("/proc/%d/stat", (int)pid);
    g_autofree char *text = inj_proc_read(AT_FDCWD, name, NULL);

    return text != NULL && inj_stat_parse(text, st);
}

static char
state_of(pid_t pid)
{
    InjStat st;

    return stat_of(pid, &st) ? st.state : 0;
}

void
inj_guard_kill_session(pid_t gdb)
{
    g_autoptr(GArray) all = NULL;

    kill(gdb, SIGKILL);
    all = inj_proc_numbers(AT_FDCWD, "/proc");
    for (guint i = 0; i < all->len; i++) {
        pid_t pid = g_array_index(all, pid_t, i);
        InjStat st;
        if (pid != gdb && stat_of(pid, &st) && st.session == gdb)
            kill(pid, SIGKILL);
    }
}

static void
clean_gdb(InjGuard *g)
{
    pid_t gdb = g->notes->gdb;

    if (gdb == 0)
        return;
    inj_guard_kill_session(gdb);
    /* Our child, or the guardian's orphan: gone either way when only a zombie is left, and its tracees are free by then. */
    for (gint64 end = g_get_monotonic_time() + CLEAN_TIMEOUT_US; g_get_monotonic_time() < end;) {
        int status;
        char state;
        if (waitpid(gdb, &status, WNOHANG) == gdb || (state = state_of(gdb)) == 0 || state == 'Z' || state == 'X')
            break;
        g_usleep(POLL_US);
    }
    g->notes->gdb = 0;
    inj_guard_continue_target(g->target);
}

/* Its name ends in our nonce: a process or thread of this run. */
static gboolean
named_ours(const InjGuard *g, int dir_fd, const char *comm_file)
{
    g_autofree char *comm = inj_proc_read(dir_fd, comm_file, NULL);

    return comm != NULL && g_str_has_suffix(g_strchomp(comm), g->nonce);
}

/* Kills what is left of our copies. TRUE when none is left, no zombie either. */
static gboolean
no_ghosts(InjGuard *g)
{
    g_autoptr(GArray) children = inj_target_children(g->target);
    pid_t known = g->notes->ghost;
    gboolean none = TRUE;

    if (known != 0)
        g_array_append_val(children, known);
    for (guint i = 0; i < children->len; i++) {
        pid_t pid = g_array_index(children, pid_t, i);
        g_autofree char *comm = g_strdup_printf("/proc/%d/comm", (int)pid);
        if (!named_ours(g, AT_FDCWD, comm))
            continue;
        /* A ghost that outlived the target is for another parent to reap. */
        if (state_of(pid) != 'Z' || inj_target_alive(g->target))
            none = FALSE;
        kill(pid, SIGKILL);
    }
    if (none)
        g->notes->ghost = 0;
    return none;
}

static gboolean
no_reaper(InjGuard *g)
{
    g_autoptr(GArray) threads = inj_target_threads(g->target);

    for (guint i = 0; i < threads->len; i++) {
        g_autofree char *name = g_strdup_printf("task/%d/comm", (int)g_array_index(threads, pid_t, i));
        if (named_ours(g, g->target->proc_fd, name))
            return FALSE;
    }
    return TRUE;
}

/* The thread that went in has not come out: it may even be in a signal handler that returns to the cave. */
static gboolean
marked(const InjGuard *g)
{
    guint64 word;

    return g->notes->mark_at != 0 && inj_target_read(g->target, g->notes->mark_at, &word, sizeof word) &&
           word == g->notes->mark;
}

static gboolean
clean_cave(InjGuard *g)
{
    g_autoptr(InjCaveWatch) watch = NULL;
    const InjCave *cave = &g->notes->cave;
    gboolean left = FALSE;

    if (!g->notes->has_cave && g->notes->ghost == 0)
        return TRUE;
    watch = inj_cave_watch_new(g->target);
    if (g->notes->entered)
        inj_cave_watch_closed(watch);
    /* In this order: once no thread stands in the stub no new child or reaper can appear. */
    for (gint64 end = g_get_monotonic_time() + CLEAN_TIMEOUT_US; g_get_monotonic_time() < end;) {
        gboolean ghosts = no_ghosts(g);
        if (!inj_target_alive(g->target)) {
            if (ghosts)
                break;
        } else {
            left = !g->notes->has_cave || (!marked(g) && inj_cave_watch_left(watch, g->target, cave));
            if (left && no_ghosts(g) && no_reaper(g)) {
                if (g->notes->has_cave) {
                    g_autofree char *zero = g_malloc0(cave->size);
                    inj_target_write(g->target, cave->addr, zero, cave->size);
                }
                g->notes->has_cave = 0;
                return TRUE;
            }
        }
        g_usleep(POLL_US);
    }
    if (inj_target_alive(g->target))
        return FALSE;
    g->notes->has_cave = 0;
    return TRUE;
}

static void
remove_folder(int dir_fd, const char *name)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (dir != NULL) {
        for (struct dirent *d; (d = readdir(dir)) != NULL;) {
            if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
                unlinkat(dirfd(dir), d->d_name, 0);
        }
        closedir(dir);
    } else if (fd >= 0)
        close(fd);
    unlinkat(dir_fd, name, AT_REMOVEDIR);
}

static gboolean
exists(int dir_fd, const char *name)
{
    struct stat st;

    return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

gboolean
inj_guard_clean_target(InjGuard *g, GError **error)
{
    clean_gdb(g);
    if (clean_cave(g))
        return TRUE;
    g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                "%" G_GSIZE_FORMAT " bytes stay in an unused corner of process %d's code at 0x%" G_GINT64_MODIFIER
                "x: a thread may still stand there; they do nothing",
                g->notes->cave.size, (int)g->target->pid, g->notes->cave.addr);
    return FALSE;
}

gboolean
inj_guard_clean(InjGuard *g, GError **error)
{
    Notes *n = g->notes;
    gboolean ok = inj_guard_clean_target(g, error);

    if (n->has_stage) {
        remove_folder(n->stage_dir, n->stage);
        n->has_stage = exists(n->stage_dir, n->stage);
    }
    if (n->has_output) {
        unlinkat(n->output_dir, n->output, 0);
        n->has_output = 0;
    }
    if (ok && n->has_stage)
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "cannot remove the folder %s: %s", n->stage, g_strerror(errno));
    return ok && !n->has_stage;
}

static gboolean
traces_target(const InjGuard *g, pid_t gdb)
{
    g_autoptr(GArray) threads = inj_target_threads(g->target);

    for (guint i = 0; i < threads->len; i++) {
        g_autofree char *name = g_strdup_printf("task/%d/status", (int)g_array_index(threads, pid_t, i));
        g_autofree char *status = inj_target_proc(g->target, name, NULL);
        guint64 tracer;
        if (status != NULL && inj_status_field(status, "TracerPid", 10, &tracer) && (pid_t)tracer == gdb)
            return TRUE;
    }
    return FALSE;
}

/*
 * While the driver lives: a GDB that somebody stopped would keep the target standing, and the driver may be stopped with it. The driver sees GDB's
 * end, and does the rest.
 */
static void
watch_tracers(const InjGuard *g)
{
    pid_t gdb = g->notes->gdb, driver = getppid();

    /* Where it leads a thread into the stub by itself. */
    if (state_of(driver) == 'T' && traces_target(g, driver))
        kill(driver, SIGCONT);
    if (gdb != 0 && state_of(gdb) == 'T' && traces_target(g, gdb)) {
        inj_guard_kill_session(gdb);
        while (traces_target(g, gdb))
            g_usleep(POLL_US);
        inj_guard_continue_target(g->target);
    }
}

/* The driver may stand in a write: this is where somebody looks. */
static void
watch_memory(InjGuard *g)
{
    InjMemory m;

    if (g->notes->ghost == 0 || g->notes->memory_short)
        return;
    if (inj_memory_short(g->target, &m)) {
        g->notes->memory_left = m.available;
        g_strlcpy(g->notes->memory_limit, m.limit, sizeof g->notes->memory_limit);
        g->notes->memory_short = 1;
        no_ghosts(g);
    }
    inj_memory_clear(&m);
}

static void G_GNUC_NORETURN
guardian_main(InjGuard *g, int pipe_fd)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU};
    struct pollfd p = {.fd = pipe_fd, .events = POLLIN};
    int null = open("/dev/null", O_RDWR);
    char byte;

    setsid();
    for (gsize i = 0; i < G_N_ELEMENTS(ignored); i++)
        signal(ignored[i], SIG_IGN);
    prctl(PR_SET_NAME, "heapdump-guard");
    for (int fd = 0; fd < 3 && null >= 0; fd++)
        dup2(null, fd);
    while (poll(&p, 1, WATCH_MS) <= 0) {
        watch_tracers(g);
        watch_memory(g);
    }
    if (TEMP_FAILURE_RETRY(read(pipe_fd, &byte, 1)) == 1)
        _exit(0); /* all was undone */
    inj_guard_clean(g, NULL);
    _exit(0);
}

static void
make_nonce(char nonce[9])
{
    guint32 bits;

    if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
        bits = (guint32)(g_get_monotonic_time() ^ (gint64)getpid() << 20);
    g_snprintf(nonce, 9, "%08x", bits);
}

InjGuard *
inj_guard_new(InjTarget *t, GError **error)
{
    InjGuard *g = g_new0(InjGuard, 1);
    int ends[2];

    g->target = t;
    make_nonce(g->nonce);
    g->notes = mmap(NULL, sizeof *g->notes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (g->notes == MAP_FAILED || pipe2(ends, O_CLOEXEC) != 0) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "cannot start the guardian process: %s", g_strerror(errno));
        if (g->notes != MAP_FAILED)
            munmap(g->notes, sizeof *g->notes);
        g_free(g);
        return NULL;
    }
    g->guardian = fork();
    if (g->guardian == 0) {
        close(ends[1]);
        guardian_main(g, ends[0]);
    }
    close(ends[0]);
    g->pipe = ends[1];
    if (g->guardian < 0) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "cannot start the guardian process: %s", g_strerror(errno));
        close(g->pipe);
        munmap(g->notes, sizeof *g->notes);
        g_free(g);
        return NULL;
    }
    return g;
}

void
inj_guard_free(InjGuard *g)
{
    if (g == NULL)
        return;
    inj_guard_clean(g, NULL);
    if (TEMP_FAILURE_RETRY(write(g->pipe, "q", 1)) == 1)
        TEMP_FAILURE_RETRY(waitpid(g->guardian, NULL, 0));
    close(g->pipe);
    munmap(g->notes, sizeof *g->notes);
    g_free(g);
}
