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

gboolean
inj_sleep_is_known(int call)
{
    switch (call) {
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
    case SYS_rt_sigtimedwait:
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
    case SYS_restart_syscall: /* one with a time limit, interrupted before: nanosleep, poll, futex */
        return TRUE;
    default:
        return FALSE;
    }
}

/* Semaphores and condition variables. A mutex, libc's own included, waits with the value 2: its caller may be inside malloc. */
static gboolean
is_known_futex(guint64 op, guint64 value)
{
    guint64 command = op & FUTEX_CMD_MASK;

    return command == FUTEX_WAIT_BITSET || (command == FUTEX_WAIT && (guint32)value != LOW_LEVEL_LOCK);
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
    if (*number == SYS_futex)
        return is_known_futex(args[1], args[2]) ? INJ_SLEEP_KNOWN : INJ_SLEEP_NO;
    return inj_sleep_is_known(*number) ? INJ_SLEEP_KNOWN : INJ_SLEEP_NO;
}

gboolean
inj_sleep_parse_status(const char *status, pid_t *inner_tid)
{
    const char *ns = strstr(status, "\nNSpid:");
    const char *end, *last;

    if (!ns)
        return FALSE;
    ns += strlen("\nNSpid:");
    end = strchrnul(ns, '\n');
    for (last = end; last > ns && g_ascii_isdigit(last[-1]);)
        last--;
    if (last == end)
        return FALSE;
    *inner_tid = (pid_t)g_ascii_strtoull(last, NULL, 10);
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
consider(const InjTarget *t, pid_t tid, InjSleepKind wanted, GArray *found)
{
    char text[FILE_LIMIT];
    InjSleeper s = {.tid = tid};
    int number;

    if (!read_small(t, tid, "syscall", text) || inj_sleep_parse(text, &number) != wanted)
        return;
    if (!read_small(t, tid, "status", text) || !inj_sleep_parse_status(text, &s.inner_tid))
        return;
    g_array_append_val(found, s);
}

void
inj_sleep_find(const InjTarget *t, InjSleepKind wanted, guint max, GArray *found)
{
    g_autoptr(GArray) threads = inj_target_threads(t);

    consider(t, t->pid, wanted, found);
    for (guint i = 0; i < threads->len && found->len < max; i++) {
        pid_t tid = g_array_index(threads, pid_t, i);

        if (tid != t->pid)
            consider(t, tid, wanted, found);
    }
}
