// SPDX-License-Identifier: MIT
#include "run.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "procfs.h"

enum { YOUNG_S = 1 };

static volatile sig_atomic_t interrupted;
static volatile sig_atomic_t sender; /* who sent it, by its pid; 0: the terminal, or nobody that we see */
static int wake[2] = {-1, -1};

int
inj_interrupted(void)
{
    return interrupted;
}

int
inj_interrupt_fd(void)
{
    return wake[0];
}

void
inj_interrupted_error(GError **error)
{
    g_autofree char *name = g_strdup_printf("/proc/%d/comm", (int)sender);
    g_autofree char *comm = sender > 0 ? inj_proc_read(AT_FDCWD, name, NULL) : NULL;

    if (sender > 0)
        g_set_error(error, INJ_ERROR, INJ_ERROR_INTERRUPTED, "interrupted by SIG%s of process %d%s%s%s",
                    sigabbrev_np(interrupted), (int)sender, comm != NULL ? " (" : "",
                    comm != NULL ? g_strchomp(comm) : "", comm != NULL ? ")" : "");
    else
        g_set_error(error, INJ_ERROR, INJ_ERROR_INTERRUPTED, "interrupted");
}

static void
on_signal(int number, siginfo_t *info, void *context)
{
    int saved = errno;

    (void)context;
    if (interrupted == 0)
        sender = info->si_code == SI_USER || info->si_code == SI_QUEUE ? info->si_pid : 0;
    interrupted = number;
    if (write(wake[1], "", 1) != 1)
        errno = saved; /* full: it is readable already */
    errno = saved;
}

gboolean
inj_interrupt_setup(void)
{
    static const int caught[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction act = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

    if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(caught); i++) {
        struct sigaction old;
        /* Started under nohup: stays deaf to it. */
        if (sigaction(caught[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(caught[i], &act, NULL);
    }
    signal(SIGPIPE, SIG_IGN); /* these two come back as errors of write() */
    signal(SIGXFSZ, SIG_IGN);
    return TRUE;
}

gboolean
inj_wait_readable(int fd, gint64 deadline_us, GError **error)
{
    for (;;) {
        struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = inj_interrupt_fd(), .events = POLLIN}};
        int ms = -1;
        if (deadline_us != 0) {
            gint64 left = deadline_us - g_get_monotonic_time();
            ms = left <= 0 ? 0 : (int)MIN((left + 999) / 1000, (gint64)G_MAXINT);
        }
        int n = poll(p, 2, ms);
        if (inj_interrupted()) {
            inj_interrupted_error(error);
            return FALSE;
        }
        if (n > 0 && p[0].revents != 0)
            return TRUE;
        if (n == 0 && deadline_us != 0 && g_get_monotonic_time() >= deadline_us) {
            g_set_error(error, INJ_ERROR, INJ_ERROR_TIMEOUT, "timed out");
            return FALSE;
        }
        if (n < 0 && errno != EINTR) {
            g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "cannot wait for data: %s", g_strerror(errno));
            return FALSE;
        }
    }
}

gboolean
inj_just_started(pid_t pid)
{
    g_autofree char *name = g_strdup_printf("/proc/%d/stat", (int)pid);
    g_autofree char *text = inj_proc_read(AT_FDCWD, name, NULL);
    guint64 ticks = (guint64)sysconf(_SC_CLK_TCK);
    struct timespec now;
    InjStat st;

    return text != NULL && inj_stat_parse(text, &st) && clock_gettime(CLOCK_BOOTTIME, &now) == 0 &&
           (guint64)now.tv_sec * ticks + (guint64)now.tv_nsec * ticks / 1000000000 < st.start_time + YOUNG_S * ticks;
}

static void say(const char *format, va_list ap) G_GNUC_PRINTF(1, 0);

static void
say(const char *format, va_list ap)
{
    g_autofree char *text = g_strdup_vprintf(format, ap);

    fprintf(stderr, "%s\n", text);
}

void
inj_note(const InjOptions *o, const char *format, ...)
{
    va_list ap;

    if (o->quiet)
        return;
    va_start(ap, format);
    say(format, ap);
    va_end(ap);
}

void
inj_debug(const InjOptions *o, const char *format, ...)
{
    va_list ap;

    if (!o->verbose)
        return;
    va_start(ap, format);
    say(format, ap);
    va_end(ap);
}
