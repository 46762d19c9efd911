// SPDX-License-Identifier: MIT
#pragma once
/*
 * Single threads of the target, held still by our own ptrace for a moment, where GDB would be too much or cannot: they do not notice, and a signal that was on
 * its way to one is passed on. If we die the kernel lets them go on. All calls from one and the same thread of ours, best one of inj_hold_apart.
 */
#include <glib.h>
#include <sys/types.h>

typedef struct {
    pid_t tid;  /* 0: nothing is held */
    int signal; /* to be delivered when it goes on; 0 none */
} InjHold;

/* Begins to hold a thread; FALSE with errno: ESRCH it has ended. */
gboolean inj_hold_begin(pid_t tid, InjHold *out);
/* Waits until it stands. FALSE with errno: ETIMEDOUT; it is to be released all the same. */
gboolean inj_hold_wait(InjHold *h);
/* Lets it go on; but one that does not stand, since it hangs in the kernel, stays ours until the thread of ours ends that holds it. */
void inj_hold_release(InjHold *h);

/*
 * Does work, which holds and releases threads, on a thread of its own: when this returns nothing is held, and nobody else finds a thread of the target
 * traced or stopped by us, whatever it hangs in.
 */
void inj_hold_apart(void (*work)(gpointer data), gpointer data);
