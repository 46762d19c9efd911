// SPDX-License-Identifier: MIT
#include "hold.h"
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STOP_US = 2 * G_USEC_PER_SEC, POLL_US = 50 };

typedef struct {
    void (*work)(gpointer data);
    gpointer data;
    pid_t tid; /* of the thread that does it */
} Apart;

gboolean
inj_hold_begin(pid_t tid, InjHold *out)
{
    *out = (InjHold){0};
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0)
        return FALSE;
    out->tid = tid;
    return TRUE;
}

gboolean
inj_hold_wait(InjHold *h)
{
    gint64 end = g_get_monotonic_time() + STOP_US;
    int status;

    if (ptrace(PTRACE_INTERRUPT, h->tid, NULL, NULL) != 0)
        return FALSE;
    for (;;) {
        pid_t got = waitpid(h->tid, &status, __WALL | WNOHANG);
        if (got == h->tid && WIFSTOPPED(status)) {
            /* It was about to get a signal: that one must not be lost. */
            h->signal = status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status);
            return TRUE;
        }
        if (got == h->tid || (got < 0 && errno != EINTR)) {
            h->tid = 0;
            errno = ESRCH;
            return FALSE;
        }
        if (g_get_monotonic_time() >= end) {
            errno = ETIMEDOUT;
            return FALSE;
        }
        g_usleep(POLL_US);
    }
}

void
inj_hold_release(InjHold *h)
{
    if (h->tid != 0)
        ptrace(PTRACE_DETACH, h->tid, NULL, (void *)(gsize)h->signal);
    *h = (InjHold){0};
}

static gpointer
do_apart(gpointer data)
{
    Apart *a = data;

    a->tid = (pid_t)syscall(SYS_gettid);
    a->work(a->data);
    return NULL;
}

void
inj_hold_apart(void (*work)(gpointer data), gpointer data)
{
    Apart a = {.work = work, .data = data};
    GThread *thread = g_thread_try_new("hold", do_apart, &a, NULL);

    if (thread == NULL) { /* at the limit of threads */
        work(data);
        return;
    }
    g_thread_join(thread);
    /* The kernel lets go of what it traced after that, but before it is gone for good. */
    while (syscall(SYS_tgkill, getpid(), a.tid, 0) == 0)
        g_usleep(POLL_US);
}
