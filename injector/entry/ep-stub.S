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
 */
#include "ep-stub-layout.h"

    .text
    .globl ep_stub_start, ep_stub_end, ep_stub_params
ep_stub_start:
    jmp     repeat                      /* 2 bytes: the kernel's rip - 2 */
    .org    ep_stub_start + 2
entry:
    lea     -256(%rsp), %rsp            /* red zone; lea keeps the flags */
    pushq   $0
    jmp     save
repeat:
    lea     -256(%rsp), %rsp
    pushq   $1
save:
    pushfq
    push    %rax
    push    %rbx
    push    %rcx
    push    %rdx
    push    %rsi
    push    %rdi
    push    %rbp
    push    %r8
    push    %r9
    push    %r10
    push    %r11
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    cld
    mov     %rsp, %rbp                  /* struct ep_frame */

    /* No handler of the application runs on our stack or is inherited by our thread; faults stay deliverable. */
    pushq   $0
    pushq   $0
    mov     $14, %eax                   /* rt_sigprocmask(SIG_SETMASK, mask, old, 8) */
    mov     $2, %edi
    lea     params+EP_PARAM_MASK(%rip), %rsi
    mov     %rsp, %rdx
    mov     $8, %r10d
    syscall
    mov     (%rsp), %r15                /* the old mask, for the blob */

    mov     $9, %eax                    /* mmap(region, size, RW, PRIVATE|ANONYMOUS|FIXED_NOREPLACE, -1, 0) */
    mov     params+EP_PARAM_REGION(%rip), %rdi
    mov     params+EP_PARAM_REGION_SIZE(%rip), %rsi
    mov     $3, %edx
    mov     $0x100022, %r10d
    mov     $-1, %r8
    xor     %r9d, %r9d
    syscall
    cmp     $-4096, %rax
    ja      leave
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
    mov     %rax, %r13
    mov     $3, %eax                    /* close(fd) */
    mov     %r12d, %edi
    syscall
    cmp     params+EP_PARAM_IMAGE_SIZE(%rip), %r13
    jne     drop
    mov     $10, %eax                   /* mprotect(region, code, READ|EXEC): never writable and executable at once */
    mov     %rbx, %rdi
    mov     params+EP_PARAM_CODE_SIZE(%rip), %rsi
    mov     $5, %edx
    syscall
    test    %eax, %eax
    jnz     drop

    /* ep_enter(args, frame, attach_rax, old mask) on a stack of ours: the thread's own may be small. */
    mov     %rsp, %r14
    mov     params+EP_PARAM_ARGS(%rip), %r12
    mov     %r12, %rdi
    mov     %rbp, %rsi
    mov     params+EP_PARAM_RAX(%rip), %rdx
    mov     %r15, %rcx
    mov     %rbx, %rsp
    add     params+EP_PARAM_REGION_SIZE(%rip), %rsp
    call    *%rbx
    mov     %r14, %rsp
    test    %eax, %eax
    jnz     drop
    mov     params+EP_PARAM_LEFT(%rip), %rax
    movl    $1, (%rax)                  /* from here on our thread may unmap the region */
    jmp     leave
drop:
    mov     $11, %eax                   /* munmap(region, size) */
    mov     %rbx, %rdi
    mov     params+EP_PARAM_REGION_SIZE(%rip), %rsi
    syscall
leave:
    mov     $14, %eax                   /* rt_sigprocmask(SIG_SETMASK, old, NULL, 8) */
    mov     $2, %edi
    mov     %rsp, %rsi
    xor     %edx, %edx
    mov     $8, %r10d
    syscall
    mov     %rbp, %rsp
    cmpl    $0, EP_FRAME_REPEAT(%rsp)
    jne     again

    .macro  restore
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %r11
    pop     %r10
    pop     %r9
    pop     %r8
    pop     %rbp
    pop     %rdi
    pop     %rsi
    pop     %rdx
    pop     %rcx
    pop     %rbx
    pop     %rax
    popfq
    lea     264(%rsp), %rsp
    .endm

    restore
    jmp     *params+EP_PARAM_RIP(%rip)
again:
    restore
    jmp     *params+EP_PARAM_RIP_AGAIN(%rip)

    .balign 8
ep_stub_params:
params:
    .fill   EP_PARAM_PATH / 8, 8, 0
ep_stub_end:

    .section .note.GNU-stack, "", @progbits
