// SPDX-License-Identifier: MIT
/*
 * Stub that one thread of the live target runs: maps the region, reads the image into it, lets the blob start a thread of our
 * own, and returns to what it was doing, all by itself: from the moment GDB has set $rip, GDB and the driver may die.
 *
 * It stands in the unused tail of an executable page, so it is position-independent, writes nothing of its own and takes its
 * parameters from the words at its end. It touches no vector register; the blob saves those before it calls into libc.
 *
 * The thread was stopped inside a blocking system call. GDB leaves $rax and $orig_rax alone, so that the kernel decides on the way
 * out what it would have decided at that point anyway: to repeat the call (it sets rax to the number of the call and takes 2,
 * the length of `syscall`, off rip: we are entered at the jump below), or to give EINTR to a caller whose signal handler ran
 * (entered at `entry`). No call ends early or late because of us.
 *
 * A handler that runs while we are here must end the call that we are about to repeat, or its news would wait for as long as the
 * call sleeps. Nothing in the kernel tells that one ran, but it leaves its frame behind: the last word that the kernel writes
 * of a frame lies within 68 bytes below the red zone, or below the top of the alternate stack. These places hold a copy of our
 * first bytes (GDB made two of them), rsp does not move, and if a copy is gone when all but the last registers are restored,
 * the call gives EINTR instead of being repeated. Calls with a time limit (restart_syscall) the kernel itself ends so.
 *
 *    rsp at the attach ─┬─ red zone, 128 bytes
 *                       ├─ EP_WITNESS bytes: a frame from before our first instruction
 *                       ├─ EP_MARK: the region's address while we are here, wherever a handler may take the thread meanwhile
 *                       ├─ unused, to 256
 *                       ├─ struct ep_frame
 *    rsp from then on  ─┼─ red zone, 128 bytes
 *                       └─ EP_WITNESS bytes: a frame from before the last instructions
 */
#include "ep-stub-layout.h"

    .macro  save register, offset
    mov     %\register, \offset(%rsp)
    .endm
    .macro  restore register, offset
    mov     \offset(%rsp), %\register
    .endm
    .macro  each what
    \what   r15, EP_FRAME_R15
    \what   r14, EP_FRAME_R15+8
    \what   r13, EP_FRAME_R15+16
    \what   r12, EP_FRAME_R15+24
    \what   r11, EP_FRAME_R15+32
    \what   r10, EP_FRAME_R15+40
    \what   r9, EP_FRAME_R15+48
    \what   r8, EP_FRAME_R15+56
    \what   rbp, EP_FRAME_R15+64
    \what   rdx, EP_FRAME_R15+72
    \what   rbx, EP_FRAME_R15+80
    .endm
    /* What the comparison needs, and the way out. */
    .macro  leave_to parameter
    movq    $0, EP_STACK_USED-EP_MARK(%rsp)
    restore rdi, EP_FRAME_RDI
    restore rsi, EP_FRAME_RSI
    restore rcx, EP_FRAME_RCX
    restore rax, EP_FRAME_RAX
    lea     EP_FRAME_FLAGS(%rsp), %rsp
    popfq
    lea     EP_STACK_USED-EP_FRAME_FLAGS-8(%rsp), %rsp
    jmp     *params+\parameter(%rip)
    .endm
    .macro  compare
    lea     stub(%rip), %rsi
    mov     $EP_WITNESS/8, %ecx
    repe cmpsq
    jne     interrupted
    .endm

    .text
    .globl ep_first
ep_first:
stub:
    jmp     repeat                      /* 2 bytes: the kernel's rip - 2 */
    .org    stub + 2
entry:
    lea     -EP_STACK_USED(%rsp), %rsp  /* lea and mov keep the flags */
    movq    $0, EP_FRAME_REPEAT(%rsp)
    jmp     begin
repeat:
    lea     -EP_STACK_USED(%rsp), %rsp
    movq    $1, EP_FRAME_REPEAT(%rsp)
begin:
    save    rax, EP_FRAME_RAX
    save    rcx, EP_FRAME_RCX
    save    rdi, EP_FRAME_RDI
    save    rsi, EP_FRAME_RSI
    each    save
    pushfq
    popq    EP_FRAME_FLAGS(%rsp)        /* its address is computed after the pop */
    cld
    mov     %rsp, %rbp                  /* struct ep_frame */
    mov     params+EP_PARAM_REGION(%rip), %rax
    mov     %rax, EP_STACK_USED-EP_MARK(%rsp)
    movq    $0, EP_FRAME_ALTERNATE(%rsp)

    /* No handler of the application runs on our stack; our thread inherits the mask. Faults stay deliverable. */
    mov     $14, %eax                   /* rt_sigprocmask(SIG_SETMASK, mask, old, 8) */
    mov     $2, %edi
    lea     params+EP_PARAM_MASK(%rip), %rsi
    mov     %rsp, %rdx
    mov     $8, %r10d
    syscall

    mov     $9, %eax                    /* mmap(region, size, RW, PRIVATE|ANONYMOUS|FIXED_NOREPLACE, -1, 0) */
    mov     params+EP_PARAM_REGION(%rip), %rdi
    mov     params+EP_PARAM_REGION_SIZE(%rip), %rsi
    mov     $3, %edx
    mov     $0x100022, %r10d
    mov     $-1, %r8
    xor     %r9d, %r9d
    syscall
    cmp     $-4096, %rax
    ja      unblock
    mov     %rax, %rbx                  /* the region */
    cmp     params+EP_PARAM_REGION(%rip), %rax
    jne     drop                        /* a kernel before 4.17 took the address as a hint */

    mov     $2, %eax                    /* open(image, O_RDONLY|O_CLOEXEC|O_NOFOLLOW|O_NONBLOCK) */
    lea     params+EP_PARAM_PATH(%rip), %rdi
    mov     $0xa0800, %esi
    xor     %edx, %edx
    syscall
    test    %eax, %eax
    js      drop
    mov     %eax, %r12d
    xor     %eax, %eax                  /* read(fd, region, size): a plain file, signals blocked: whole or an error */
    mov     %r12d, %edi
    mov     %rbx, %rsi
    mov     params+EP_PARAM_IMAGE_SIZE(%rip), %rdx
    syscall
    xor     %r13d, %r13d                /* becomes 1: the code is there */
    cmp     params+EP_PARAM_IMAGE_SIZE(%rip), %rax
    jne     1f
    mov     $10, %eax                   /* mprotect(region, code, READ|EXEC): never writable and executable at once */
    mov     %rbx, %rdi
    mov     params+EP_PARAM_CODE_SIZE(%rip), %rsi
    mov     $5, %edx
    syscall
    test    %eax, %eax
    jz      2f
    mov     $9, %eax                    /* where nothing becomes executable that was writable: mmap(region, code, READ|EXEC, PRIVATE|FIXED, fd, 0) */
    mov     %rbx, %rdi
    mov     params+EP_PARAM_CODE_SIZE(%rip), %rsi
    mov     $5, %edx
    mov     $0x12, %r10d
    mov     %r12d, %r8d
    xor     %r9d, %r9d
    syscall
    cmp     %rax, %rbx
    jne     1f
2:  inc     %r13d
1:  mov     $3, %eax                    /* close(fd) */
    mov     %r12d, %edi
    syscall
    test    %r13d, %r13d
    jz      drop

    /* ep_enter(args, frame) on a stack of ours: the thread's own may be small. */
    mov     params+EP_PARAM_ARGS(%rip), %rdi
    mov     %rbp, %rsi
    mov     %rbx, %rsp
    add     params+EP_PARAM_REGION_SIZE(%rip), %rsp
    call    *%rbx
    mov     %rbp, %rsp
    test    %eax, %eax
    jnz     drop
    mov     params+EP_PARAM_LEFT(%rip), %rax
    movq    $0, (%rax)                  /* from here on our thread may unmap the region */
    jmp     unblock
drop:
    mov     $11, %eax                   /* munmap(region, size) */
    mov     %rbx, %rdi
    mov     params+EP_PARAM_REGION_SIZE(%rip), %rsi
    syscall

unblock:
    mov     EP_FRAME_ALTERNATE(%rsp), %rdi
    test    %rdi, %rdi
    jz      1f
    sub     $EP_WITNESS, %rdi
    lea     stub(%rip), %rsi
    mov     $EP_WITNESS/8, %ecx
    rep movsq
1:  mov     $14, %eax                   /* rt_sigprocmask(SIG_SETMASK, old, NULL, 8) */
    mov     $2, %edi
    mov     %rsp, %rsi
    xor     %edx, %edx
    mov     $8, %r10d
    syscall
    each    restore
    cmpl    $0, EP_FRAME_REPEAT(%rsp)
    je      plain
    mov     EP_FRAME_ALTERNATE(%rsp), %rdi
    test    %rdi, %rdi
    jz      2f
    sub     $EP_WITNESS, %rdi
    compare
2:  lea     EP_STACK_USED-EP_RED_ZONE-EP_WITNESS(%rsp), %rdi
    compare
    lea     -EP_RED_ZONE-EP_WITNESS(%rsp), %rdi
    compare
    leave_to EP_PARAM_RIP_AGAIN
interrupted:
    movq    $-4, EP_FRAME_RAX(%rsp)     /* EINTR */
plain:
    leave_to EP_PARAM_RIP

    .balign 8
params:
    .fill   EP_PARAM_PATH / 8, 8, 0

    .section .note.GNU-stack, "", @progbits
