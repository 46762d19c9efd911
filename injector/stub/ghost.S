// SPDX-License-Identifier: MIT
/*
 * The ghost stub: GDB sets $rip to hd_entry in one thread of the target, everything else happens by itself, GDB or not.
 *
 *   target's thread: save, block all signals, clone the ghost, clone the reaper, tell GDB by a signal to itself, let signals in
 *                    again, restore, go on where it was
 *   ghost:           a copy-on-write child that nobody waits for: closes files, maps room for the walker, waits for its orders
 *   reaper:          a thread without stack that waits for the ghost, so that no zombie stays
 *
 * Position independent, stands in read-only pages: the driver patches the data words before it is written to the target, and
 * GDB writes hd_rip … hd_restart while the target stands still. Touches general registers only. Uses no more than 512 bytes of stack.
 */
#include <asm/unistd_64.h>

#define CLONE_GHOST  0x00800000            /* CLONE_UNTRACED, exit signal 0 */
#define CLONE_REAPER 0x00850f00            /* VM FS FILES SIGHAND THREAD SYSVSEM UNTRACED */
#define WALL         0x40000000
#define SIG_SETMASK  2
#define PR_SET_NAME  15
#define PR_SET_PTRACER 0x59616d61

/* Frame on the target's stack, from %rsp: this, then 14 registers, flags, rcx, then GAP bytes up to where the thread was. */
#define MASK_OLD 0
#define MASK_NEW 8
#define TIME     16 /* struct timespec */
#define ACTION   32 /* struct kernel sigaction: handler, flags, restorer, mask */
#define FRAME    64
#define RAX      (FRAME + 13 * 8)
#define GAP      256 /* red zone and more */
#define MARK     64  /* in the gap, from its lower end: hd_stamp while the thread is inside */

#define SA_RESTART 0x10000000
#define EINTR      4

    .macro small value, register /* shorter than mov; where the stack is our own */
    push \value
    pop \register
    .endm

    .text
hd_start:
    nop /* the kernel's restart of an interrupted system call may step back by two */
    nop
hd_entry:
    lea -GAP(%rsp), %rsp
    push %rcx
    pushfq
    push %rax
    push %rbx
    push %rdx
    push %rsi
    push %rdi
    push %rbp
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    cld
    sub $FRAME, %rsp
    mov hd_stamp(%rip), %rax
    mov %rax, FRAME + 16 * 8 + MARK(%rsp)

    movq $-1, MASK_NEW(%rsp)
    lea MASK_NEW(%rsp), %rsi
    lea MASK_OLD(%rsp), %rdx
    lea 1f(%rip), %rbx
    jmp sigmask
1:
    xor %r14d, %r14d /* becomes the time of the fork, ns */
    xor %r13d, %r13d
    lea 1f(%rip), %rbx
    jmp clock
1:
    sub %rax, %r14
    mov $CLONE_GHOST, %edi
    lea 1f(%rip), %rbx
    jmp clone
1:
    mov %rax, %r12 /* ghost, as the target's pid namespace numbers it, or -errno */
    test %rax, %rax
    jz ghost
    lea 1f(%rip), %rbx
    jmp clock
1:
    add %rax, %r14
    test %r12, %r12
    js done
    mov $CLONE_REAPER, %edi
    lea 1f(%rip), %rbx
    jmp clone
1:
    mov %rax, %r13 /* reaper, or -errno */
    test %rax, %rax
    jz reaper
    jns done
    mov $__NR_kill, %eax /* no reaper: no ghost */
    mov %r12, %rdi
    mov $9, %esi
    syscall
    lea done(%rip), %rbx
    jmp reap

done:
    mov hd_unblock(%rip), %rax /* everything blocked but our own signal */
    mov %rax, MASK_NEW(%rsp)
    lea MASK_NEW(%rsp), %rsi
    xor %edx, %edx
    lea 1f(%rip), %rbx
    jmp sigmask
1:
    mov $__NR_getpid, %eax
    syscall
    mov %rax, %rbp
    mov $__NR_gettid, %eax
    syscall
    mov %rax, %rsi
    mov %rbp, %rdi
    mov hd_signal(%rip), %edx
    mov $__NR_tgkill, %eax
    syscall
hd_stop: /* GDB sees the thread here: r12 ghost, r13 reaper, r14 ns of the fork */

    /*
     * The thread was in a system call that the kernel restarts unless a handler runs. Handlers of signals that came meanwhile run here, where the
     * kernel does not know of that call: so it is decided here whether it goes on or returns EINTR. hd_restart 1: EINTR after any
     * handler; 2: after one without SA_RESTART; 0: nothing to decide.
     */
    xor %r15d, %r15d
    cmpl $0, hd_restart(%rip)
    je 3f
    cmpq $-EINTR, RAX(%rsp) /* the kernel ran a handler before we began, and decided itself */
    je 2f
    mov $__NR_rt_sigpending, %eax
    lea MASK_NEW(%rsp), %rdi
    mov $8, %esi
    syscall
    mov MASK_OLD(%rsp), %rbp
    not %rbp
    and MASK_NEW(%rsp), %rbp
1:
    bsf %rbp, %rdi
    jz 3f
    btr %rdi, %rbp
    inc %edi
    mov $__NR_rt_sigaction, %eax
    xor %esi, %esi
    lea ACTION(%rsp), %rdx
    mov $8, %r10d
    syscall
    cmpq $1, ACTION(%rsp) /* default or ignored */
    jbe 1b
    cmpl $1, hd_restart(%rip)
    je 2f
    testl $SA_RESTART, ACTION + 8(%rsp)
    jnz 1b
2:
    inc %r15d
3:
    lea MASK_OLD(%rsp), %rsi
    xor %edx, %edx
    lea 1f(%rip), %rbx
    jmp sigmask
1:
    mov %r15, %rcx
    add $FRAME, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rbp
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rbx
    pop %rax
    popfq /* from here nothing may change flags */
    jrcxz 1f
    pop %rcx
    mov hd_rax_eintr(%rip), %rax
    movq $0, MARK(%rsp)
    lea GAP(%rsp), %rsp
    jmp *hd_rip_eintr(%rip)
1:
    pop %rcx
    mov hd_rax(%rip), %rax
    movq $0, MARK(%rsp)
    lea GAP(%rsp), %rsp
    jmp *hd_rip(%rip)

/* Subroutines return through %rbx: no call, no return, nothing for a shadow stack to see. */
sigmask: /* rsi new, rdx old or 0 */
    mov $__NR_rt_sigprocmask, %eax
    mov $SIG_SETMASK, %edi
    mov $8, %r10d
    syscall
    jmp *%rbx
clock: /* rax = monotonic time, ns */
    mov $__NR_clock_gettime, %eax
    mov $1, %edi
    lea TIME(%rsp), %rsi
    syscall
    imul $1000000000, TIME(%rsp), %rax
    add TIME+8(%rsp), %rax
    jmp *%rbx
clone: /* edi flags */
    mov $__NR_clone, %eax
    xor %esi, %esi
    xor %edx, %edx
    xor %r10d, %r10d
    xor %r8d, %r8d
    syscall
    jmp *%rbx
reap: /* r12 */
    mov $__NR_wait4, %eax
    mov %r12, %rdi
    xor %esi, %esi
    mov $WALL, %edx
    xor %r10d, %r10d
    syscall
    cmp $-4, %rax /* EINTR */
    je reap
    jmp *%rbx

reaper:
    mov $__NR_prctl, %eax
    mov $PR_SET_NAME, %edi
    lea hd_reaper_name(%rip), %rsi
    syscall
    lea 1f(%rip), %rbx
    jmp reap
1:
    mov $__NR_exit, %eax
    xor %edi, %edi
    syscall
    jmp 1b

ghost:
    mov $__NR_prctl, %eax
    mov $PR_SET_NAME, %edi
    lea hd_ghost_name(%rip), %rsi
    syscall
    mov $__NR_prctl, %eax /* whoever may trace the target may trace its ghost, under Yama too */
    mov $PR_SET_PTRACER, %edi
    mov $-1, %rsi
    syscall
    mov $__NR_close_range, %eax /* the first three too: one may be a socket that listens */
    xor %edi, %edi
    mov $-1, %esi
    xor %edx, %edx
    syscall
    test %rax, %rax
    jz 2f
    mov $65536, %r15d /* older kernels */
1:
    mov $__NR_close, %eax
    mov %r15d, %edi
    syscall
    dec %r15d
    jns 1b
2:
    small $__NR_mmap, %rax
    xor %edi, %edi
    mov hd_map_size(%rip), %rsi
    small $3, %rdx    /* read, write */
    small $0x22, %r10 /* private, anonymous */
    or $-1, %r8
    xor %r9d, %r9d
    syscall
    mov %rax, %r12 /* room for the walker, or -errno */
    test %rax, %rax
    js 1f
    small $0x32, %r10 /* private, anonymous, fixed */
2:
    small $__NR_mmap, %rax /* its part for code, never writable: hardened systems let nothing become executable later, and GDB writes to it anyway */
    mov %r12, %rdi
    mov hd_code_size(%rip), %rsi
    small $5, %rdx /* read, execute */
    syscall
    mov %rax, %r13 /* or -errno */
    test %rax, %rax
    jns 1f
    test $0x20, %r10b
    jz 1f
    small $__NR_open, %rax /* where only what is a file's may be executed: ghost.c knows one */
    lea hd_path(%rip), %rdi
    xor %esi, %esi
    xor %edx, %edx
    syscall
    test %rax, %rax
    js 1f
    mov %rax, %r8
    small $0x12, %r10 /* private, fixed */
    jmp 2b
1:
    mov hd_wait(%rip), %r15d /* gives up after so many ms */
    pushq $1000000
    pushq $0
1:
    mov $__NR_nanosleep, %eax
    mov %rsp, %rdi
    xor %esi, %esi
    syscall
    test %r12, %r12
    js 3f
    mov %r12, %rbp
    add hd_map_size(%rip), %rbp
    mov -64(%rbp), %rax /* orders: entry, argument */
    test %rax, %rax
    jnz 2f
3:
    dec %r15d
    jnz 1b
    mov $__NR_exit_group, %eax
    mov $1, %edi
    syscall
2:
    mov -56(%rbp), %rdi
    lea -136(%rbp), %rsp /* as after a call: 16-aligned but for the return address */
    jmp *%rax

    .balign 8
hd_rip: /* by GDB: where the thread goes on, and with what in rax; the same if its call is to return EINTR */
    .quad 0
hd_rax:
    .quad 0
hd_rip_eintr:
    .quad 0
hd_rax_eintr:
    .quad 0
hd_restart:
    .long 0, 0
hd_stamp: /* by the driver, as all below: tells this stub from any other bytes */
    .quad 0
hd_map_size:
    .quad 0
hd_code_size:
    .quad 0
hd_unblock: /* mask without the signal */
    .quad -1
hd_signal:
    .long 0
hd_wait:
    .long 0
hd_ghost_name:
    .fill 16, 1, 0
hd_reaper_name:
    .fill 16, 1, 0
hd_end:
hd_path: /* by the driver, as long as it is */

/* For the driver, not written to the target: struct InjStubTable of stub.h. */
    .balign 4
    .long hd_end - hd_start, hd_entry - hd_start, hd_stop - hd_start
    .long hd_rip - hd_start, hd_rax - hd_start, hd_rip_eintr - hd_start, hd_rax_eintr - hd_start, hd_restart - hd_start
    .long hd_stamp - hd_start
    .long hd_map_size - hd_start, hd_code_size - hd_start, hd_unblock - hd_start, hd_signal - hd_start, hd_wait - hd_start
    .long hd_ghost_name - hd_start, hd_reaper_name - hd_start

    .section .note.GNU-stack, "", @progbits
