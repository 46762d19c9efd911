// SPDX-License-Identifier: MIT
#pragma once
/*
 * System calls of the blob, made directly: errno and the application's wrappers of libc are none of its business. They return -errno.
 */
#include <stddef.h>
#include <stdint.h>

enum {
    EP_SYS_write = 1,
    EP_SYS_open = 2,
    EP_SYS_close = 3,
    EP_SYS_access = 21,
    EP_SYS_nanosleep = 35,
    EP_SYS_rename = 82,
    EP_SYS_sigaltstack = 131,
    EP_SYS_prctl = 157,
    EP_SYS_clock_gettime = 228,
};

static inline long
ep_syscall(long number, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
}

/* The kernel's stack_t. */
struct ep_stack {
    uint64_t base;
    uint32_t flags;
    uint64_t size;
};

struct ep_timespec {
    int64_t sec, nsec;
};
