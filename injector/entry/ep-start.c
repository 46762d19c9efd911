// SPDX-License-Identifier: MIT
/*
 * What runs on the interrupted thread: start a thread of ours, and look where its signal handlers run.
 *
 * pthread_create takes locks of libc (the allocator's for the thread's TLS, the one of the stack cache). The thread cannot be in
 * the middle of them: it was chosen because it slept in a system call that libc makes while it holds none of them; a wait
 * for such a lock itself is a plain FUTEX_WAIT, which the driver does not choose.
 */
#include "ep-blob.h"
#include "ep-stub-layout.h"
#include "ep-sys.h"

#define SS_DISABLE_FLAG 2
#define CREATE_DETACHED 1 /* PTHREAD_CREATE_DETACHED */

_Static_assert(__builtin_offsetof(struct ep_args, base) == 8, "ep-blob-entry.S");
_Static_assert(__builtin_offsetof(struct ep_args, region_size) == 16, "ep-blob-entry.S");
_Static_assert(__builtin_offsetof(struct ep_args, xsave_offset) == 24, "ep-blob-entry.S");
_Static_assert(__builtin_offsetof(struct ep_frame, rdi) == EP_FRAME_RDI, "ep-stub-layout.h");
_Static_assert(__builtin_offsetof(struct ep_frame, rax) == EP_FRAME_RAX, "ep-stub-layout.h");
_Static_assert(__builtin_offsetof(struct ep_frame, r15) == EP_FRAME_R15, "ep-stub-layout.h");
_Static_assert(__builtin_offsetof(struct ep_frame, flags) == EP_FRAME_FLAGS, "ep-stub-layout.h");
_Static_assert(__builtin_offsetof(struct ep_frame, alternate) == EP_FRAME_ALTERNATE, "ep-stub-layout.h");
_Static_assert(256 + sizeof(struct ep_frame) <= EP_STACK_USED, "ep-stub-layout.h");
_Static_assert(__builtin_offsetof(struct ep_frame, repeat) == EP_FRAME_REPEAT, "ep-stub-layout.h");

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

/* Where the frame of a handler with SA_ONSTACK would begin. */
static uint64_t
alternate_top(const struct ep_frame *frame)
{
    struct ep_stack stack = {0};

    if (ep_syscall(EP_SYS_sigaltstack, 0, (long)&stack, 0, 0) || (stack.flags & SS_DISABLE_FLAG))
        return 0;
    /* Asked from the region's stack. A thread that is on its alternate stack already gets no frame at its top. */
    if ((uint64_t)(uintptr_t)frame - stack.base < stack.size)
        return 0;
    return (stack.base + stack.size) & ~(uint64_t)7;
}

int
ep_start(struct ep_args *args, struct ep_frame *frame)
{
    int (*create)(void *, const void *, void *(*)(void *), void *) = (void *)args->symbols[EP_SYM_PTHREAD_CREATE];
    int *(*errno_location)(void) = (void *)args->symbols[EP_SYM_ERRNO_LOCATION];
    int (*attr_init)(void *) = (void *)args->symbols[EP_SYM_ATTR_INIT];
    int (*attr_stack)(void *, uint64_t) = (void *)args->symbols[EP_SYM_ATTR_STACK_SIZE];
    int (*attr_detach)(void *, int) = (void *)args->symbols[EP_SYM_ATTR_DETACH];
    int *location = errno_location(), saved = *location, error;

    args->state = EP_STATE_CREATED;
    error = attr_init(args->attributes);
    if (!error)
        error = attr_stack(args->attributes, EP_THREAD_STACK);
    if (!error)
        error = attr_detach(args->attributes, CREATE_DETACHED);
    if (!error)
        error = create(&args->thread, args->attributes, ep_thread_entry, args);
    *location = saved;
    if (error) {
        args->status = EP_ERR_THREAD;
        args->error = error;
        ep_write_result(args);
    }
    frame->alternate = alternate_top(frame);
    return error != 0;
}
