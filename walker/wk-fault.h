// SPDX-License-Identifier: MIT
#pragma once
/*
 * Faults are caught at the object: in the ghost, SIGSEGV and its like go back to where wk_arch_save(&fault->object) was called, which then
 * returns 1, and the walk goes on with the next object. A timer does the same with an object that takes seconds, and ends the
 * process when nobody reads what it writes. Inline there are no handlers: signal actions are the target's.
 */
#include "wk-private.h"
#include "arch/wk-arch.h"

struct wk_fault {
    struct wk *w;
    struct wk_jump top;    /* end of the walk */
    struct wk_jump object; /* the object at hand is given up */
    bool top_armed;
    volatile bool object_armed;
    volatile uint32_t signal;  /* of the last fault */
    volatile uint64_t address; /* where it was */
    uint64_t faults;
    uint64_t seen_progress; /* at the last tick */
    uint32_t stuck;         /* ticks of the timer on one object */
    uint32_t alarms;        /* how often that was too many */
    uint32_t tick_ms;       /* tests shorten it */
    volatile bool writing;  /* inside a system call that waits for the reader */
};

void wk_fault_init(struct wk *w);    /* both modes: the place to give up to */
bool wk_fault_install(struct wk *w); /* ghost: handlers, alternate stack, timer */

/* To be called first where wk_arch_save() returned 1: frames that were left behind are no error (only a build with AddressSanitizer minds). */
static inline void
wk_resumed(void)
{
#if defined(__SANITIZE_ADDRESS__)
    void __asan_handle_no_return(void);
    __asan_handle_no_return();
#endif
}
