// SPDX-License-Identifier: MIT
#include "poke.h"
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include "hold.h"

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

typedef struct {
    const InjTarget *target;
    guint64 addr;
    const void *bytes;
    gsize n;
    gboolean ok;
    int failed; /* errno */
} Poke;

static void
poke(gpointer data)
{
    Poke *p = data;
    g_autoptr(GArray) threads = inj_target_threads(p->target);

    p->failed = ESRCH;
    for (guint i = 0; i < threads->len; i++) {
        pid_t tid = g_array_index(threads, pid_t, i);
        InjHold hold;
        if (!inj_hold_begin(tid, &hold))
            continue; /* ended, or a main thread that has */
        gboolean stands = inj_hold_wait(&hold);
        p->ok = stands && poke_words(tid, p->addr, p->bytes, p->n);
        p->failed = errno;
        inj_hold_release(&hold);
        if (stands)
            return;
    }
}

gboolean
inj_poke(const InjTarget *t, guint64 addr, const void *bytes, gsize n)
{
    Poke p = {.target = t, .addr = addr, .bytes = bytes, .n = n};

    inj_hold_apart(poke, &p);
    errno = p.failed;
    return p.ok;
}
