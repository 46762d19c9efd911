// SPDX-License-Identifier: MIT
/*
 * What has to hold of a thread before the stub may call pthread_create on it: it is a thread of libc with a sound TLS (the GDB script
 * checks that), and it holds none of the locks that pthread_create takes.
 */
#include "entry-sleep.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILE_LIMIT     8192 /* bytes of a file in /proc/PID/task/TID */
#define LOW_LEVEL_LOCK 2    /* value of a lock of libc that has waiters */

static gboolean
is_known_sleep(int number, guint64 op, guint64 value)
{
    switch (number) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
    case SYS_poll:
    case SYS_ppoll:
    case SYS_select:
    case SYS_pselect6:
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
    case SYS_pause:
    case SYS_read:
    case SYS_readv:
    case SYS_write:
    case SYS_writev:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_accept:
    case SYS_accept4:
    case SYS_connect:
    case SYS_wait4:
    case SYS_waitid:
        return TRUE;
    case SYS_futex: {
        guint64 command = op & FUTEX_CMD_MASK;

        /* Semaphores and condition variables. A mutex, libc's own included, waits with the value 2: its caller may be inside malloc. */
        return command == FUTEX_WAIT_BITSET || (command == FUTEX_WAIT && value != LOW_LEVEL_LOCK);
    }
    default:
        return FALSE;
    }
}

InjSleepKind
inj_sleep_parse(const char *line, int *number)
{
    guint64 args[3] = {0};
    const char *at;
    char *end;

    *number = -1;
    if (g_str_has_prefix(line, "running"))
        return INJ_SLEEP_RUNNING;
    if (!g_ascii_isdigit(*line))
        return INJ_SLEEP_NO; /* -1: stopped outside of any system call */
    *number = (int)strtol(line, &end, 10);
    for (guint i = 0; i < G_N_ELEMENTS(args); i++) {
        at = end;
        args[i] = g_ascii_strtoull(at, &end, 16);
        if (end == at)
            return INJ_SLEEP_NO;
    }
    return is_known_sleep(*number, args[1], args[2]) ? INJ_SLEEP_KNOWN : INJ_SLEEP_NO;
}

gboolean
inj_sleep_parse_status(const char *status, pid_t *inner_tid, guint64 *blocked)
{
    const char *ns = strstr(status, "\nNSpid:"), *mask = strstr(status, "\nSigBlk:");
    const char *end, *last;

    if (!ns || !mask)
        return FALSE;
    ns += strlen("\nNSpid:");
    end = strchrnul(ns, '\n');
    for (last = end; last > ns && g_ascii_isdigit(last[-1]);)
        last--;
    if (last == end)
        return FALSE;
    *inner_tid = (pid_t)g_ascii_strtoull(last, NULL, 10);
    *blocked = g_ascii_strtoull(mask + strlen("\nSigBlk:"), NULL, 16);
    return TRUE;
}

static gboolean
read_small(const InjTarget *t, pid_t tid, const char *name, char text[FILE_LIMIT])
{
    g_autofree char *path = g_strdup_printf("task/%d/%s", tid, name);
    int fd = openat(t->proc_fd, path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return FALSE;
    do
        n = read(fd, text, FILE_LIMIT - 1);
    while (n < 0 && errno == EINTR);
    close(fd);
    if (n <= 0)
        return FALSE;
    text[n] = '\0';
    return TRUE;
}

static void
consider(const InjTarget *t, pid_t tid, gboolean running, GArray *found)
{
    char text[FILE_LIMIT];
    InjSleeper s = {.tid = tid};
    guint64 blocked;
    InjSleepKind kind;

    if (!read_small(t, tid, "syscall", text))
        return;
    kind = inj_sleep_parse(text, &s.number);
    if (kind != (running ? INJ_SLEEP_RUNNING : INJ_SLEEP_KNOWN))
        return;
    if (!read_small(t, tid, "status", text) || !inj_sleep_parse_status(text, &s.inner_tid, &blocked))
        return;
    /* In a signal handler its own signal is blocked: it may have interrupted malloc. */
    if (running && blocked)
        return;
    g_array_append_val(found, s);
}

GArray *
inj_sleep_find(const InjTarget *t, gboolean running, guint max)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(InjSleeper));
    g_autoptr(GArray) threads = inj_target_threads(t);

    consider(t, t->pid, running, found);
    for (guint i = 0; i < threads->len && found->len < max; i++) {
        pid_t tid = g_array_index(threads, pid_t, i);

        if (tid != t->pid)
            consider(t, tid, running, found);
    }
    return found;
}
