// SPDX-License-Identifier: MIT
#pragma once
/* System calls that the walker makes, with the kernel's constants and structures; each returns the kernel's value (negative errno). */
#include <stddef.h>
#include <stdint.h>
#include "arch/wk-arch.h"

enum {
    WK_EPERM = 1,
    WK_EINTR = 4,
    WK_ENXIO = 6,
    WK_EAGAIN = 11,
    WK_ENOMEM = 12,
    WK_EPIPE = 32,
    WK_ETIMEDOUT = 110,
};

enum {
    WK_PROT_NONE = 0,
    WK_PROT_READ = 1,
    WK_PROT_WRITE = 2,
    WK_MAP_PRIVATE = 0x02,
    WK_MAP_ANONYMOUS = 0x20,
    WK_MAP_NORESERVE = 0x4000,
    WK_MADV_DONTNEED = 4,
    WK_O_WRONLY = 1,
    WK_O_CREAT = 0100,
    WK_O_EXCL = 0200,
    WK_O_TRUNC = 01000,
    WK_O_NONBLOCK = 04000,
    WK_O_NOFOLLOW = 0400000,
    WK_O_CLOEXEC = 02000000,
    WK_F_DUPFD_CLOEXEC = 1030,
    WK_F_SETPIPE_SZ = 1031,
    WK_CLOCK_REALTIME = 0,
    WK_CLOCK_MONOTONIC = 1,
    WK_CLOCK_PROCESS_CPUTIME = 2,
    WK_CLOCK_THREAD_CPUTIME = 3,
    WK_SIGILL = 4,
    WK_SIGABRT = 6,
    WK_SIGBUS = 7,
    WK_SIGFPE = 8,
    WK_SIGSEGV = 11,
    WK_SIGPIPE = 13,
    WK_SIGALRM = 14,
    WK_SIG_DFL = 0,
    WK_SIG_IGN = 1,
    WK_SA_SIGINFO = 0x4,
    WK_SA_ONSTACK = 0x08000000,
    WK_SA_RESTART = 0x10000000,
    WK_SA_NODEFER = 0x40000000,
    WK_SIG_BLOCK = 0,
    WK_SIG_SETMASK = 2,
    WK_POLLOUT = 4,
    WK_ITIMER_REAL = 0,
    WK_RLIMIT_CORE = 4,
    WK_RLIMIT_NOFILE = 7,
    WK_RLIMIT_AS = 9,
    WK_PR_SET_NAME = 15,
};

struct wk_sigaction {
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
};

struct wk_sigstack {
    void *sp;
    int32_t flags;
    uint64_t size;
};

struct wk_timespec {
    int64_t sec;
    int64_t nsec;
};

struct wk_pollfd {
    int32_t fd;
    int16_t events, revents;
};

struct wk_rlimit {
    uint64_t current;
    uint64_t maximum;
};

struct wk_iovec {
    void *base;
    uint64_t size;
};

static inline long
wk_sys_write(int fd, const void *bytes, size_t n)
{
    return wk_syscall6(WK_NR_write, fd, (long)bytes, (long)n, 0, 0, 0);
}

static inline long
wk_sys_open(const char *path, int flags, int mode)
{
    return wk_syscall6(WK_NR_open, (long)path, flags, mode, 0, 0, 0);
}

static inline long
wk_sys_close(int fd)
{
    return wk_syscall6(WK_NR_close, fd, 0, 0, 0, 0, 0);
}

static inline long
wk_sys_mmap(size_t size, int prot, int flags)
{
    return wk_syscall6(WK_NR_mmap, 0, (long)size, prot, flags, -1, 0);
}

static inline long
wk_sys_mprotect(void *start, size_t size, int prot)
{
    return wk_syscall6(WK_NR_mprotect, (long)start, (long)size, prot, 0, 0, 0);
}

static inline long
wk_sys_munmap(void *start, size_t size)
{
    return wk_syscall6(WK_NR_munmap, (long)start, (long)size, 0, 0, 0, 0);
}

static inline long
wk_sys_madvise(void *start, size_t size, int advice)
{
    return wk_syscall6(WK_NR_madvise, (long)start, (long)size, advice, 0, 0, 0);
}

static inline long
wk_sys_rename(const char *from, const char *to)
{
    return wk_syscall6(WK_NR_rename, (long)from, (long)to, 0, 0, 0, 0);
}

static inline long
wk_sys_unlink(const char *path)
{
    return wk_syscall6(WK_NR_unlink, (long)path, 0, 0, 0, 0, 0);
}

/*
 * Whether the page of an address can be read. The kernel is asked, by a call that does nothing: a set of signals to be read, and no word
 * what to do with it. Any filter that lets the walker run lets it pass.
 */
static inline bool
wk_sys_readable(uint64_t address)
{
    return wk_syscall6(WK_NR_rt_sigprocmask, -1, (long)(address & ~7ull), 0, sizeof(uint64_t), 0, 0) !=
           -14 /* EFAULT */;
}

static inline uint64_t
wk_sys_clock_ns(int clock)
{
    struct wk_timespec t = {0, 0};

    wk_syscall6(WK_NR_clock_gettime, clock, (long)&t, 0, 0, 0, 0);
    return (uint64_t)t.sec * 1000000000u + (uint64_t)t.nsec;
}

static inline long
wk_sys_sigaction(int number, const struct wk_sigaction *action)
{
    return wk_syscall6(WK_NR_rt_sigaction, number, (long)action, 0, sizeof action->mask, 0, 0);
}

_Noreturn static inline void
wk_sys_exit(int code)
{
    for (;;)
        wk_syscall6(WK_NR_exit_group, code, 0, 0, 0, 0, 0);
}
