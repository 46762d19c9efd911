// SPDX-License-Identifier: MIT
#include "session.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "error.h"
#include "preflight.h"
#include "procfs.h"
#include "run.h"

enum {
    GDB_MAJOR_MIN = 12,
    OUTPUT_MAX = 8 << 20,
    ATTACHED_MAX_US = 10 * G_USEC_PER_SEC, /* nobody's target stands still for longer */
    POLL_MS = 50,
    FD_FIRST = 10, /* where GDB finds its files: script, then extra ones */
    FD_FREE = 50,
};

/* By "maintenance set per-command time". */
static const char COMMAND_ENDED[] = "Command execution time: ";

void
inj_session_result_clear(InjSessionResult *r)
{
    g_clear_pointer(&r->output, g_free);
}

/* Warms GDB up on a process of ours, so that everything that it does only once is done before the target is attached. */
static char *
whole_script(pid_t dummy, const char *script)
{
    return g_strdup_printf("printf \"HD gdb %%d\\n\", $_gdb_major\n"
                           "if $_gdb_major >= %d\n"
                           "attach %d\n"
                           "info registers rip\n"
                           "detach\n"
                           "printf \"HD warm 1\\n\"\n"
                           "else\n"
                           "quit\n"
                           "end\n"
                           "%s",
                           GDB_MAJOR_MIN, (int)dummy, script);
}

static const char *const OPTIONS[] = {
    "-nx",  "-batch",
    "-iex", "set pagination off",
    "-iex", "set confirm off",
    "-iex", "set width 0",
    "-iex", "set height 0",
    "-iex", "set auto-load off",
    "-iex", "set auto-solib-add off",
    "-iex", "set sysroot /nonexistent",
    "-iex", "set debuginfod enabled off",
    "-iex", "set print thread-events off",
    "-iex", "set print inferior-events off",
    "-iex", "set print symbol-loading off",
    "-iex", "set print frame-info short-location",
    "-iex", "set exec-file-mismatch off",
    "-iex", "set history save off",
    NULL,
};

char *
inj_session_describe(const char *gdb, const char *script)
{
    GString *s = g_string_new("#");

    g_string_append_printf(s, " %s", gdb);
    for (gsize i = 0; OPTIONS[i] != NULL; i++)
        g_string_append_printf(s, strchr(OPTIONS[i], ' ') != NULL ? " '%s'" : " %s", OPTIONS[i]);
    g_string_append_printf(s, " -x THIS\n%s", script);
    return g_string_free(s, FALSE);
}

static int
memory_file(const char *name, const void *bytes, gsize n)
{
    int fd = memfd_create(name, MFD_CLOEXEC);

    for (gsize done = 0; fd >= 0 && done < n;) {
        ssize_t w = write(fd, (const char *)bytes + done, n - done);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0) {
            close(fd);
            return -1;
        }
        done += (gsize)w;
    }
    return fd;
}

/* A process to practise on. */
static pid_t
start_dummy(void)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
        if (getppid() != parent)
            _exit(0);
        for (int i = 1; i < NSIG; i++)
            signal(i, SIG_DFL);
        for (;;)
            pause();
    }
    return pid;
}

static char **
clean_environment(void)
{
    static const char *const kept[] = {"PATH", "LD_LIBRARY_PATH", "TMPDIR"};
    char **env = g_environ_setenv(NULL, "LC_ALL", "C", TRUE);

    env = g_environ_setenv(env, "HOME", "/nonexistent", TRUE);
    env = g_environ_setenv(env, "TERM", "dumb", TRUE);
    for (gsize i = 0; i < G_N_ELEMENTS(kept); i++) {
        const char *v = g_getenv(kept[i]);
        if (v != NULL)
            env = g_environ_setenv(env, kept[i], v, TRUE);
    }
    return env;
}

/*
 * GDB stays deaf to every request to end: at a SIGTERM or SIGINT it sends the process that it is attached to a SIGINT, at a SIGHUP it leaves it stopped. What
 * it needs itself, and what cannot be blocked, is left.
 */
static void
block_signals(void)
{
    static const int needed[] = {SIGCHLD, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t blocked;

    sigfillset(&blocked);
    for (gsize i = 0; i < G_N_ELEMENTS(needed); i++)
        sigdelset(&blocked, needed[i]);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
}

/* In the child: no way back. */
static void G_GNUC_NORETURN
become_gdb(const InjSession *s, pid_t parent, char *const *argv, char *const *env, int out, const int *fds, guint n_fds,
           int failed)
{
    int high[1 + INJ_SESSION_FILES];

    if (s->guard != NULL)
        *inj_guard_gdb_slot(s->guard) = getpid();
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    block_signals();
    int null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    dup2(out, 1);
    dup2(out, 2);
    failed = fcntl(failed, F_DUPFD_CLOEXEC, FD_FREE); /* first out of the way of the numbers that they get */
    for (guint i = 0; i < n_fds; i++)
        high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FD_FREE);
    for (guint i = 0; i < n_fds; i++)
        dup2(high[i], FD_FIRST + (int)i);
    execvpe(argv[0], argv, env);
    int e = errno;
    if (write(failed, &e, sizeof e) != sizeof e)
        _exit(126);
    _exit(127);
}

static void
explain_start(const InjSession *s, int e, GError **error)
{
    if (e == ENOENT)
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "cannot find GDB (%s): install it (apt install gdb) or name it with --gdb PATH", s->gdb);
    else
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "cannot start GDB (%s): %s", s->gdb, g_strerror(e));
}

static void
kill_gdb(const InjSession *s, pid_t pid, InjSessionResult *r)
{
    inj_guard_kill_session(pid);
    TEMP_FAILURE_RETRY(waitpid(pid, &r->wait_status, 0));
    r->killed = TRUE;
    if (s->guard != NULL)
        *inj_guard_gdb_slot(s->guard) = 0;
    if (s->target != NULL)
        inj_guard_continue_target(s->target);
}

static gboolean
has_ended(pid_t pid)
{
    siginfo_t end = {0};

    return waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid == pid;
}

/* Reads what GDB says until it ends. FALSE: it has to be killed, error says why. */
static gboolean
follow(const InjSession *s, pid_t pid, int out, GString *text, GError **error)
{
    gint64 start = g_get_monotonic_time(), attached = 0;

    for (;;) {
        struct pollfd p[] = {{.fd = out, .events = POLLIN}, {.fd = inj_interrupt_fd(), .events = POLLIN}};
        char buf[4096];
        poll(p, 2, POLL_MS);
        gint64 now = g_get_monotonic_time();
        if (inj_interrupted()) {
            inj_interrupted_error(error);
            return FALSE;
        }
        if (p[0].revents != 0) {
            ssize_t n = TEMP_FAILURE_RETRY(read(out, buf, sizeof buf));
            if (n <= 0)
                return TRUE;
            if (text->len < OUTPUT_MAX)
                g_string_append_len(text, buf, n);
            /* It tries one thread after the other: each time anew. */
            if (memmem(buf, (gsize)n, COMMAND_ENDED, strlen(COMMAND_ENDED)) != NULL)
                attached = 0;
            if (s->verbose)
                fwrite(buf, 1, (gsize)n, stderr);
        } else if (has_ended(pid))
            return TRUE; /* what it forked may still have its output open */
        if (s->target == NULL)
            attached = 0;
        else if (inj_target_tracer(s->target) != pid)
            attached = 0;
        else if (attached == 0)
            attached = now;
        if ((s->timeout_us > 0 && now - start > s->timeout_us) || (attached != 0 && now - attached > ATTACHED_MAX_US)) {
            g_set_error(error, INJ_ERROR, INJ_ERROR_TIMEOUT,
                        attached != 0
                            ? "GDB was attached for %.1f s without getting on: it was killed and the target goes on"
                            : "GDB did not end within %.1f s: it was killed; is the machine overloaded, or the target "
                              "stuck in the "
                              "kernel (state D)?",
                        (double)(now - (attached != 0 ? attached : start)) / G_USEC_PER_SEC);
            return FALSE;
        }
    }
}

/* By Yama and capabilities, or by SELinux. */
static gboolean
was_denied(const char *output)
{
    static const char *const words[] = {"Operation not permitted", "ptrace: Permission denied",
                                        "Permission denied (13)"};

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strstr(output, words[i]) != NULL)
            return TRUE;
    }
    return FALSE;
}

static gboolean
check_version(const InjSession *s, const char *output, GError **error)
{
    gint64 major;

    if (!inj_session_value(output, "gdb", 0, &major)) {
        g_autofree char *line = g_strndup(output, strcspn(output, "\n"));
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "%s does not behave like GDB%s%s", s->gdb, *line ? ": " : "",
                    line);
        return FALSE;
    }
    if (major < GDB_MAJOR_MIN) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "%s is GDB %d: version %d or newer is needed; name another with --gdb PATH", s->gdb, (int)major,
                    GDB_MAJOR_MIN);
        return FALSE;
    }
    if (!inj_session_value(output, "warm", 0, &major)) {
        if (was_denied(output) || strstr(output, "Could not attach") != NULL)
            inj_preflight_no_tracing(error);
        else
            g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                        "GDB (%s) failed on a process of its own; --verbose shows what it says", s->gdb);
        return FALSE;
    }
    return TRUE;
}

static gboolean
run_with(const InjSession *s, int *fds, guint n_fds, InjSessionResult *r, GError **error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_auto(GStrv) env = clean_environment();
    g_autofree char *file = g_strdup_printf("/proc/self/fd/%d", FD_FIRST);
    g_autoptr(GString) text = g_string_new(NULL);
    int out[2], failed[2], e = 0;
    pid_t parent = getpid();

    g_ptr_array_add(argv, (char *)s->gdb);
    for (gsize i = 0; OPTIONS[i] != NULL; i++)
        g_ptr_array_add(argv, (char *)OPTIONS[i]);
    g_ptr_array_add(argv, (char *)"-x");
    g_ptr_array_add(argv, file);
    g_ptr_array_add(argv, NULL);
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(failed, O_CLOEXEC) != 0) {
        explain_start(s, errno, error);
        return FALSE;
    }
    pid_t pid = fork();
    if (pid == 0)
        become_gdb(s, parent, (char *const *)argv->pdata, env, out[1], fds, n_fds, failed[1]);
    e = pid < 0 ? errno : 0;
    close(out[1]);
    close(failed[1]);
    if (pid > 0 && TEMP_FAILURE_RETRY(read(failed[0], &e, sizeof e)) != sizeof e)
        e = 0;
    close(failed[0]);
    gboolean ok = e == 0;
    if (!ok) {
        explain_start(s, e, error);
        if (pid > 0)
            TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0));
        if (s->guard != NULL)
            *inj_guard_gdb_slot(s->guard) = 0;
    } else if ((ok = follow(s, pid, out[0], text, error))) {
        siginfo_t end = {0};
        /* Its number is its own until it is reaped, and so is its session's. */
        TEMP_FAILURE_RETRY(waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT));
        if (end.si_code != CLD_EXITED)
            inj_guard_kill_session(pid);
        TEMP_FAILURE_RETRY(waitpid(pid, &r->wait_status, 0));
        if (s->guard != NULL)
            *inj_guard_gdb_slot(s->guard) = 0;
        if (s->target != NULL && (r->wait_status != 0 || strstr(text->str, "HD done 1") == NULL))
            inj_guard_continue_target(s->target); /* it may have let go of it while it stood */
        ok = !WIFSIGNALED(r->wait_status);
        if (!ok)
            g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "GDB (%s) was ended by signal %d (%s)%s", s->gdb,
                        WTERMSIG(r->wait_status), strsignal(WTERMSIG(r->wait_status)),
                        s->target != NULL ? "; the target goes on" : "");
    } else
        kill_gdb(s, pid, r);
    close(out[0]);
    r->output = g_string_free(g_steal_pointer(&text), FALSE);
    return ok && check_version(s, r->output, error);
}

gboolean
inj_session_run(const InjSession *s, const char *script, InjSessionResult *r, GError **error)
{
    pid_t dummy = start_dummy();
    g_autofree char *text = NULL;
    int fds[1 + INJ_SESSION_FILES];
    guint n = 0;
    gboolean ok = dummy > 0;

    *r = (InjSessionResult){0};
    text = whole_script(dummy, script);
    if (ok && (fds[0] = memory_file("script", text, strlen(text))) >= 0)
        n = 1;
    for (guint i = 0; n > 0 && i < INJ_SESSION_FILES && s->files[i] != NULL; i++) {
        gsize size;
        const void *bytes = g_bytes_get_data(s->files[i], &size);
        fds[n] = memory_file("file", bytes, size);
        if (fds[n] < 0) {
            ok = FALSE;
            break;
        }
        n++;
    }
    if (!ok || n == 0) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "cannot prepare the GDB script: %s", g_strerror(errno));
        ok = FALSE;
    } else
        ok = run_with(s, fds, n, r, error);
    for (guint i = 0; i < n; i++)
        close(fds[i]);
    if (dummy > 0) {
        kill(dummy, SIGKILL);
        TEMP_FAILURE_RETRY(waitpid(dummy, NULL, 0));
    }
    if (r->output == NULL)
        r->output = g_strdup("");
    return ok;
}

char *
inj_session_file(guint i)
{
    g_assert(i < INJ_SESSION_FILES);
    return g_strdup_printf("/proc/self/fd/%u", FD_FIRST + 1 + i);
}

/* The last line that begins with "HD name ". */
static const char *
find_line(const char *output, const char *name)
{
    g_autofree char *head = g_strdup_printf("HD %s ", name);
    const char *found = NULL;

    for (const char *p = output; p != NULL; p = strchr(p, '\n')) {
        if (*p == '\n')
            p++;
        if (g_str_has_prefix(p, head))
            found = p + strlen(head);
    }
    return found;
}

gboolean
inj_session_value(const char *output, const char *name, guint n, gint64 *out)
{
    const char *p = find_line(output, name);
    char *end;

    if (p == NULL)
        return FALSE;
    for (guint i = 0;; i++) {
        while (*p == ' ')
            p++;
        if (!g_ascii_isdigit(*p) && *p != '-')
            return FALSE;
        gint64 v = *p == '-' ? g_ascii_strtoll(p, &end, 0) : (gint64)g_ascii_strtoull(p, &end, 0);
        if (end == p)
            return FALSE;
        if (i == n) {
            *out = v;
            return TRUE;
        }
        p = end;
    }
}

gboolean
inj_session_command_time(const char *output, gint64 *us)
{
    const char *found = NULL, *p = output;
    gint64 longest = -1;

    while ((p = strstr(p, COMMAND_ENDED)) != NULL) {
        p += strlen(COMMAND_ENDED);
        found = strstr(p, "(cpu), ");
        if (found == NULL)
            break;
        double wall = g_ascii_strtod(found + strlen("(cpu), "), NULL);
        if (wall >= 0 && wall < 1e6)
            longest = MAX(longest, (gint64)(wall * 1e6 + 0.5));
    }
    if (longest < 0)
        return FALSE;
    *us = longest;
    return TRUE;
}

void
inj_session_explain(const InjTarget *t, const char *output, GError **error)
{
    static const char *const telling[] = {"ptrace: ", "Could not attach", "warning: process", "Cannot access memory",
                                          "Couldn't "};
    g_autofree char *line = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(telling) && line == NULL; i++) {
        const char *p = strstr(output, telling[i]);
        if (p == NULL)
            continue;
        while (p > output && p[-1] != '\n')
            p--;
        line = g_strndup(p, strcspn(p, "\n"));
    }
    if (!inj_target_alive(t))
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "process %d ended meanwhile", (int)t->pid);
    else if (was_denied(output))
        inj_preflight_permission(t, "trace it", EPERM, error);
    else
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "GDB did not get through with process %d%s%s; --verbose shows what it says", (int)t->pid,
                    line != NULL ? ": " : "", line != NULL ? line : "");
}
