// SPDX-License-Identifier: MIT
/*
 * Our own thread in the target: takes the GIL as any thread of an extension module does, works, gives it back, writes the small
 * result file and ends. It has all signals blocked (the stub's mask), so that it never takes a signal from a thread that waits for it.
 */
#include "ep-blob.h"
#include "ep-sys.h"

#define PR_SET_NAME       15
#define O_WRONLY_CREAT    (01 | 0100 | 01000 | 0400000 | 02000000) /* WRONLY CREAT TRUNC NOFOLLOW CLOEXEC */
#define CLOCK_MONOTONIC_  1
#define RESULT_TEXT_LIMIT 512

uint64_t
ep_now_us(void)
{
    struct ep_timespec t = {0};

    ep_syscall(EP_SYS_clock_gettime, CLOCK_MONOTONIC_, (long)&t, 0, 0);
    return (uint64_t)t.sec * 1000000u + (uint64_t)t.nsec / 1000u;
}

static char *
put_text(char *to, const char *text)
{
    while (*text)
        *to++ = *text++;
    return to;
}

static char *
put_member(char *to, const char *name, uint64_t value)
{
    char digits[20];
    int n = 0;

    to = put_text(to, ",\"");
    to = put_text(to, name);
    to = put_text(to, "\":");
    do
        digits[n++] = (char)('0' + value % 10);
    while (value /= 10);
    while (n)
        *to++ = digits[--n];
    return to;
}

void
ep_write_result(struct ep_args *args)
{
    char text[RESULT_TEXT_LIMIT], *end = put_text(text, "{\"kind\":\"entry\"");
    long fd, written;

    end = put_member(end, "status", args->status);
    end = put_member(end, "errno", (uint64_t)(args->error < 0 ? -args->error : args->error));
    end = put_member(end, "gil_wait_us", args->gil_wait_us);
    end = put_member(end, "collect_us", args->collect_us);
    end = put_member(end, "run_us", args->run_us);
    end = put_text(end, "}\n");

    fd = ep_syscall(EP_SYS_open, (long)args->result_temp_path, O_WRONLY_CREAT, 0600, 0);
    if (fd < 0)
        return; /* the folder went away, and with it whom to tell */
    written = ep_syscall(EP_SYS_write, fd, (long)text, end - text, 0);
    ep_syscall(EP_SYS_close, fd, 0, 0, 0);
    if (written == end - text)
        ep_syscall(EP_SYS_rename, (long)args->result_temp_path, (long)args->result_path, 0, 0);
}

static enum ep_status
work(struct ep_args *args)
{
    const char *base = (const char *)args->base;
    enum ep_status status = EP_OK;
    uint64_t start;

    if (args->collect.size) {
        start = ep_now_us();
        status = ep_run_script(args, base + args->collect.offset, 0);
        args->collect_us = ep_now_us() - start;
    }
    start = ep_now_us();
    if (status == EP_OK && args->runner.size)
        status = ep_run_script(args, base + args->runner.offset, 1);
    if (status == EP_OK && args->walker)
        ((void (*)(void *))args->walker)((void *)args->walker_args);
    args->run_us = ep_now_us() - start;
    return status;
}

static void
with_gil(struct ep_args *args)
{
    int (*ensure)(void) = (void *)args->symbols[EP_SYM_GILSTATE_ENSURE];
    void (*release)(int) = (void *)args->symbols[EP_SYM_GILSTATE_RELEASE];
    int (*is_initialized)(void) = (void *)args->symbols[EP_SYM_IS_INITIALIZED];
    uint64_t start = ep_now_us();
    int held;

    if (!is_initialized()) {
        args->status = EP_ERR_NOT_INITIALIZED;
        return;
    }
    args->state = EP_STATE_GIL;
    held = ensure();
    args->gil_wait_us = ep_now_us() - start;
    args->state = EP_STATE_RUNNING;
    if (__atomic_load_n(&args->cancel, __ATOMIC_ACQUIRE) || ep_syscall(EP_SYS_access, (long)args->image_path, 0, 0, 0))
        args->status = EP_ERR_CANCELLED;
    else
        args->status = work(args);
    release(held);
}

void *
ep_thread(struct ep_args *args)
{
    const struct ep_timespec tick = {0, 1000000};

    ep_syscall(EP_SYS_prctl, PR_SET_NAME, (long)"heapdump-gdb", 0, 0);
    with_gil(args);
    args->state = EP_STATE_WRITING;
    ep_write_result(args);
    /* The interrupted thread may have been kept off the CPU inside the stub, which still stands on the region's stack. */
    while (__atomic_load_n(&args->inside, __ATOMIC_ACQUIRE))
        ep_syscall(EP_SYS_nanosleep, (long)&tick, 0, 0, 0);
    return (void *)args->symbols[EP_SYM_MUNMAP];
}
