// SPDX-License-Identifier: MIT
/*
 * What runs on the interrupted thread: start a thread of ours, and settle whether the interrupted system call is repeated.
 *
 * pthread_create takes locks of libc (the allocator's for the thread's TLS, the one of the stack cache). The thread cannot be in
 * the middle of them: it was chosen because it slept in a system call that libc makes while it holds none of them; a wait
 * for such a lock itself is a plain FUTEX_WAIT, which the driver does not choose.
 */
#include "ep-blob.h"
#include "ep-sys.h"

#define ERESTARTSYS_RESULT    (-512)
#define ERESTARTNOHAND_RESULT (-514)
#define ERESTARTBLOCK_RESULT  (-516)
#define EINTR_RESULT          (-4)
#define SA_RESTART_FLAG       0x10000000u
#define HANDLER_IGNORE        1u /* SIG_DFL is 0: kills, or is ignored */

_Static_assert(__builtin_offsetof(struct ep_args, base) == 8, "ep-blob-entry.S");
_Static_assert(__builtin_offsetof(struct ep_args, region_size) == 16, "ep-blob-entry.S");
_Static_assert(__builtin_offsetof(struct ep_args, xsave_offset) == 24, "ep-blob-entry.S");
_Static_assert(__builtin_offsetof(struct ep_frame, rax) == 112, "ep-stub-layout.h");
_Static_assert(__builtin_offsetof(struct ep_frame, repeat) == 128, "ep-stub-layout.h");

static void
cpuid(uint32_t leaf, uint32_t out[4])
{
    __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(0));
}

int
ep_check_xsave(void)
{
    uint32_t r[4];

    cpuid(1, r);
    if (!(r[2] & (1u << 27))) /* OSXSAVE */
        return 0;
    cpuid(0xd, r);
    return r[1] <= EP_XSAVE_MAX; /* for the components that the system has switched on */
}

int
ep_refuse_xsave(struct ep_args *args)
{
    args->status = EP_ERR_XSAVE;
    ep_write_result(args);
    return 1;
}

/*
 * While the stub ran, signals were blocked; one that came in the meantime must interrupt the call that is about to be repeated, or its
 * handler's news would wait for as long as the call sleeps. What is left is the few instructions between the end of the stub's
 * mask and the call; calls with a time limit are safe there too, since the kernel forgets their restart when a handler has run.
 */
static int
handler_waits(int64_t attach_rax, uint64_t old_mask)
{
    uint64_t pending = 0;

    if (attach_rax != ERESTARTSYS_RESULT && attach_rax != ERESTARTNOHAND_RESULT && attach_rax != ERESTARTBLOCK_RESULT)
        return 0;
    ep_syscall(EP_SYS_rt_sigpending, (long)&pending, sizeof pending, 0, 0);
    pending &= ~old_mask;
    for (int number = 1; pending; number++, pending >>= 1) {
        struct ep_sigaction action = {0};

        if (!(pending & 1))
            continue;
        if (ep_syscall(EP_SYS_rt_sigaction, number, 0, (long)&action, sizeof action.mask))
            continue;
        if (action.handler <= HANDLER_IGNORE)
            continue;
        if (attach_rax != ERESTARTSYS_RESULT || !(action.flags & SA_RESTART_FLAG))
            return 1;
    }
    return 0;
}

int
ep_start(struct ep_args *args, struct ep_frame *frame, int64_t attach_rax, uint64_t old_mask)
{
    int (*create)(void *, const void *, void *(*)(void *), void *) = (void *)args->symbols[EP_SYM_PTHREAD_CREATE];
    int *(*errno_location)(void) = (void *)args->symbols[EP_SYM_ERRNO_LOCATION];
    int *location = errno_location(), saved = *location, error;

    args->state = EP_STATE_CREATED;
    error = create(&args->thread, 0, ep_thread_entry, args);
    *location = saved;
    if (error) {
        args->status = EP_ERR_THREAD;
        args->error = error;
        ep_write_result(args);
    }
    if (frame->repeat && handler_waits(attach_rax, old_mask)) {
        frame->repeat = 0;
        frame->rax = (uint64_t)(int64_t)EINTR_RESULT;
    }
    return error != 0;
}
