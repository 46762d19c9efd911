// SPDX-License-Identifier: MIT
#include "wk-fault.h"
#include "wk-sys.h"

#define STACK_SIZE  (64u << 10)
#define STUCK_TICKS 4u
#define STUCK_AGAIN 2u /* there may be many such objects */
#define TICK_MS     1000u

struct wk_siginfo {
    int32_t number, error, code, pad;
    uint64_t address;
};

/* Runs on the alternate stack, whose lowest word says where our state is: there is no other way to know it without a global variable. */
static void
on_signal(int number, const struct wk_siginfo *info, void *context)
{
    struct wk_fault *f = *(struct wk_fault **)wk_arch_alternate_stack(context);
    struct wk *w = f->w;

    if (number == WK_SIGALRM) {
        if (f->writing) { /* has a limit of its own */
            f->stuck = 0;
            return;
        }
        f->stuck = w->progress == f->seen_progress ? f->stuck + 1 : 0;
        f->seen_progress = w->progress;
        if (f->stuck < (f->alarms == 0 ? STUCK_TICKS : STUCK_AGAIN))
            return;
        f->stuck = 0;
        f->alarms++;
    }
    f->signal = (uint32_t)number;
    f->address = number == WK_SIGALRM ? 0 : info->address;
    f->faults++;
    if (f->object_armed) {
        wk_arch_resume(context, &f->object);
    } else if (f->top_armed) {
        w->args->result.status = number == WK_SIGALRM ? WK_ERR_TIME : WK_ERR_FAULT;
        w->args->result.address = f->address;
        f->top_armed = false;
        wk_arch_resume(context, &f->top);
    } else {
        wk_sys_exit(WK_ERR_FAULT);
    }
}

void
wk_fault_init(struct wk *w)
{
    w->fault = wk_alloc(w, sizeof *w->fault);
    w->fault->w = w;
    w->fault->tick_ms = TICK_MS;
}

bool
wk_fault_install(struct wk *w)
{
    uint8_t *stack = wk_map(w, STACK_SIZE);
    struct wk_sigstack alternate = {stack, 0, STACK_SIZE};
    struct wk_sigaction action = {.flags =
                                      WK_SA_SIGINFO | WK_SA_ONSTACK | WK_SA_NODEFER | WK_SA_RESTART | WK_SA_RESTORER};
    static const uint8_t numbers[] = {WK_SIGSEGV, WK_SIGBUS, WK_SIGFPE, WK_SIGILL, WK_SIGABRT, WK_SIGALRM};
    int64_t seconds = w->fault->tick_ms / 1000, us = w->fault->tick_ms % 1000 * 1000;
    int64_t tick[4] = {seconds, us, seconds, us};

    action.handler = (uint64_t)(uintptr_t)on_signal;
    action.restorer = (uint64_t)(uintptr_t)wk_arch_restorer;
    __asm__("" : "+m"(action)); /* or clang copies a constant with both addresses in it, which would need relocation */
    *(struct wk_fault **)(void *)stack = w->fault;
    if (wk_syscall6(WK_NR_sigaltstack, (long)&alternate, 0, 0, 0, 0, 0) < 0)
        return false;
    for (unsigned i = 0; i < sizeof numbers; i++)
        if (wk_sys_sigaction(numbers[i], &action) < 0)
            return false;
    return wk_syscall6(WK_NR_setitimer, WK_ITIMER_REAL, (long)tick, 0, 0, 0, 0) >= 0;
}
