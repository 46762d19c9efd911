// SPDX-License-Identifier: MIT
/*
 * Preloaded, it lets any program run with a shadow stack (CET), on a C library too that knows nothing of them: main() is called by a function
 * that has one and never returns. Linux 6.6, x86_Thread_features in /proc/PID/status. 77: not on this machine.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARCH_SHSTK_ENABLE 0x5001
#define ARCH_SHSTK_SHSTK  1

typedef int Main(int, char **, char **);
typedef int Start(Main *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);

static Main *program;

/* What would return from here has no place on the new stack: the system call is inline, and exit() ends it. */
__attribute__((noreturn)) static int
run(int argc, char **argv, char **environment)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((long)SYS_arch_prctl), "D"((long)ARCH_SHSTK_ENABLE), "S"((long)ARCH_SHSTK_SHSTK)
                     : "rcx", "r11", "memory");
    if (result != 0)
        _exit(77);
    exit(program(argc, argv, environment));
}

Start __libc_start_main;

int
__libc_start_main(Main *main, int argc, char **argv, void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
                  void *stack_end)
{
    Start *next = (Start *)dlsym(RTLD_NEXT, "__libc_start_main");

    program = main;
    return next(run, argc, argv, init, fini, rtld_fini, stack_end);
}
