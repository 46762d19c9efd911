// SPDX-License-Identifier: MIT
#include "poke.h"
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

enum { STOP_US = 2 * G_USEC_PER_SEC, POLL_US = 200 };

/* Waits until the thread stands. */
static gboolean
stopped(pid_t tid)
{
    int status;

    for (gint64 end = g_get_monotonic_time() + STOP_US; g_get_monotonic_time() < end; g_usleep(POLL_US)) {
        pid_t r = waitpid(tid, &status, __WALL | WNOHANG);
        if (r == tid)
            return WIFSTOPPED(status);
        if (r < 0 && errno != EINTR)
            return FALSE;
    }
    return FALSE;
}

static gboolean
poke_words(pid_t tid, guint64 addr, const guint8 *bytes, gsize n)
{
    while (n > 0) {
        guint64 at = addr & ~7ull;
        gsize skip = (gsize)(addr - at), k = MIN(8 - skip, n);
        long word = 0;
        if (k < 8) {
            errno = 0;
            word = ptrace(PTRACE_PEEKDATA, tid, (void *)(gsize)at, NULL);
            if (errno != 0)
                return FALSE;
        }
        memcpy((guint8 *)&word + skip, bytes, k);
        if (ptrace(PTRACE_POKEDATA, tid, (void *)(gsize)at, (void *)word) != 0)
            return FALSE;
        addr += k;
        bytes += k;
        n -= k;
    }
    return TRUE;
}

gboolean
inj_poke(const InjTarget *t, guint64 addr, const void *bytes, gsize n)
{
    g_autoptr(GArray) threads = inj_target_threads(t);

    for (guint i = 0; i < threads->len; i++) {
        pid_t tid = g_array_index(threads, pid_t, i);
        if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0)
            continue; /* ended, or a main thread that has */
        gboolean ok = ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == 0 && stopped(tid);
        ok = ok && poke_words(tid, addr, bytes, n);
        int saved = errno;
        ptrace(PTRACE_DETACH, tid, NULL, NULL);
        errno = saved;
        return ok;
    }
    return FALSE;
}
