// SPDX-License-Identifier: MIT
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Callee-saved registers of the System V ABI, stack pointer and return address, shadow stack's pointer. Order is known to the assembly. */
struct wk_jump {
    uint64_t rbx, rbp, r12, r13, r14, r15, rsp, rip, ssp;
};

#define WK_SA_RESTORER 0x04000000ul

enum {
    WK_NR_read = 0,
    WK_NR_write = 1,
    WK_NR_open = 2,
    WK_NR_close = 3,
    WK_NR_mmap = 9,
    WK_NR_mprotect = 10,
    WK_NR_munmap = 11,
    WK_NR_rt_sigaction = 13,
    WK_NR_rt_sigprocmask = 14,
    WK_NR_madvise = 28,
    WK_NR_setitimer = 38,
    WK_NR_getpid = 39,
    WK_NR_exit = 60,
    WK_NR_fcntl = 72,
    WK_NR_rename = 82,
    WK_NR_unlink = 87,
    WK_NR_getrlimit = 97,
    WK_NR_rt_sigpending = 127,
    WK_NR_rt_sigtimedwait = 128,
    WK_NR_sigaltstack = 131,
    WK_NR_setpriority = 141,
    WK_NR_prctl = 157,
    WK_NR_setrlimit = 160,
    WK_NR_clock_gettime = 228,
    WK_NR_exit_group = 231,
    WK_NR_ppoll = 271,
    WK_NR_process_vm_readv = 310,
    WK_NR_getrandom = 318,
    WK_NR_close_range = 436,
};

/* Returns the kernel's value: negative errno on failure. */
static inline long
wk_syscall6(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/*
 * Calls for the memory at an address, which may be anything; nothing at all would cost a search of the page tables each time. Not the compiler's
 * own: clang leaves it out where there are no vector registers, gcc drops calls of functions that do nothing else.
 */
static inline void
wk_arch_prefetch(uint64_t address)
{
    __asm__ volatile("prefetcht0 (%0)" : : "r"(address));
}

/* Eight bytes of the target, whatever the compiler thinks of what lies there. */
static inline uint64_t
wk_arch_load(uint64_t address)
{
    uint64_t value;

    __asm__ volatile("movq (%1), %0" : "=r"(value) : "r"(address));
    return value;
}

/* Sets bit number % 64 of a word; returns whether it was set. One instruction for what shifts and masks take seven. */
static inline bool
wk_arch_set_bit(uint64_t *word, uint64_t number)
{
    uint64_t value = *word;
    bool was;

    __asm__("btsq %2, %0" : "+r"(value), "=@ccc"(was) : "r"(number));
    *word = value;
    return was;
}
