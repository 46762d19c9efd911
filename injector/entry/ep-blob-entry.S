// SPDX-License-Identifier: MIT
/*
 * The blob's two doors: ep_enter, called by the stub, and ep_thread_entry, the start routine of our own thread.
 */
    .section .text.ep_first, "ax", @progbits
    .globl ep_first, ep_thread_entry
    .type ep_enter, @function
/*
 * int ep_enter(args, frame): the vector state of the interrupted thread, all that the CPU has of it, is saved
 * around what runs on that thread, because libc uses vector registers and GDB 13 cannot be trusted with them.
 */
ep_first:
ep_enter:
    push    %rbp
    mov     %rsp, %rbp
    push    %rbx
    push    %r12
    push    %r13
    push    %r13
    mov     %rdi, %r12
    mov     %rsi, %r13
    call    ep_check_xsave
    test    %eax, %eax
    jz      1f
    mov     8(%r12), %rbx               /* base */
    add     24(%r12), %rbx              /* + xsave_offset; the area is fresh, hence its header zero */
    mov     $-1, %eax
    mov     $-1, %edx
    xsave64 (%rbx)
    mov     %r12, %rdi
    mov     %r13, %rsi
    call    ep_start
    mov     %eax, %r12d
    mov     $-1, %eax
    mov     $-1, %edx
    xrstor64 (%rbx)
    mov     %r12d, %eax
    jmp     2f
1:  mov     %r12, %rdi
    call    ep_refuse_xsave
2:  lea     -32(%rbp), %rsp
    pop     %r13
    pop     %r13
    pop     %r12
    pop     %rbx
    pop     %rbp
    ret
    .size ep_enter, . - ep_enter

/*
 * void *ep_thread_entry(args): runs on an ordinary thread of libc. Its last act is a tail jump into libc's munmap: what called us
 * (libc's start routine) is where munmap returns to, with 0 as the thread's result, and nothing of ours is left to return through.
 */
    .text
    .type ep_thread_entry, @function
ep_thread_entry:
    push    %rdi
    call    ep_thread
    pop     %rdx
    mov     8(%rdx), %rdi               /* base */
    mov     16(%rdx), %rsi              /* region_size */
    jmp     *%rax                       /* munmap */
    .size ep_thread_entry, . - ep_thread_entry

    .section .note.GNU-stack, "", @progbits
