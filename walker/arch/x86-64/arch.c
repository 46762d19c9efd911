// SPDX-License-Identifier: MIT
/*
 * x86-64: registers across a fault. Offsets into the signal frame are the kernel's struct ucontext and struct sigcontext.
 *
 * Where the process has a shadow stack (CET), what was left behind comes off that too, before anything returns: the kernel puts back the pointer
 * of the moment of the fault. Without one, rdsspq leaves its register as it is, on all processors.
 */
#include "../wk-arch.h"

__asm__(".text\n"
        ".globl wk_arch_save\n"
        ".hidden wk_arch_save\n"
        ".type wk_arch_save, @function\n"
        "wk_arch_save:\n"
        "    mov %rbx, 0(%rdi)\n"
        "    mov %rbp, 8(%rdi)\n"
        "    mov %r12, 16(%rdi)\n"
        "    mov %r13, 24(%rdi)\n"
        "    mov %r14, 32(%rdi)\n"
        "    mov %r15, 40(%rdi)\n"
        "    lea 8(%rsp), %rdx\n" /* as it is after the return */
        "    mov %rdx, 48(%rdi)\n"
        "    mov (%rsp), %rdx\n"
        "    mov %rdx, 56(%rdi)\n"
        "    xor %eax, %eax\n"
        "    rdsspq %rax\n" /* 0: no shadow stack */
        "    mov %rax, 64(%rdi)\n"
        "    xor %eax, %eax\n"
        "    ret\n"
        ".size wk_arch_save, . - wk_arch_save\n"
        ".globl wk_arch_restorer\n"
        ".hidden wk_arch_restorer\n"
        ".type wk_arch_restorer, @function\n"
        "wk_arch_restorer:\n"
        "    mov $15, %eax\n" /* rt_sigreturn */
        "    syscall\n"
        ".size wk_arch_restorer, . - wk_arch_restorer\n");

enum {
    CONTEXT_STACK = 16, /* uc_stack.ss_sp */
    CONTEXT_RDI = 104,
    CONTEXT_RSP = 160,
    CONTEXT_RIP = 168,
    CONTEXT_FLAGS = 176,
};

static void
set(void *context, unsigned offset, uint64_t value)
{
    *(uint64_t *)(void *)((char *)context + offset) = value;
}

void
wk_arch_resume(void *context, const struct wk_jump *jump)
{
    uint64_t flags = *(const uint64_t *)(const void *)((const char *)context + CONTEXT_FLAGS);

    set(context, CONTEXT_RSP, jump->rsp);
    set(context, CONTEXT_RDI, (uint64_t)(uintptr_t)jump);
    set(context, CONTEXT_RIP, (uint64_t)(uintptr_t)wk_arch_jump);
    set(context, CONTEXT_FLAGS, flags & ~(1ull << 10)); /* direction flag: clear, as the ABI wants it */
}

void *
wk_arch_alternate_stack(const void *context)
{
    return *(void *const *)(const void *)((const char *)context + CONTEXT_STACK);
}

__asm__(".text\n"
        ".globl wk_arch_jump\n"
        ".hidden wk_arch_jump\n"
        ".type wk_arch_jump, @function\n"
        "wk_arch_jump:\n"
        "    xor %eax, %eax\n"
        "    rdsspq %rax\n"
        "    test %rax, %rax\n"
        "    jz 2f\n"
        "    mov 64(%rdi), %rdx\n"
        "    add $8, %rdx\n" /* the return address of wk_arch_save, too */
        "    sub %rax, %rdx\n"
        "    shr $3, %rdx\n"
        "    mov $255, %ecx\n" /* incsspq looks at eight bits of it */
        "1:  cmp %rcx, %rdx\n"
        "    cmovb %rdx, %rcx\n"
        "    incsspq %rcx\n"
        "    sub %rcx, %rdx\n"
        "    ja 1b\n"
        "2:\n"
        "    mov 0(%rdi), %rbx\n"
        "    mov 8(%rdi), %rbp\n"
        "    mov 16(%rdi), %r12\n"
        "    mov 24(%rdi), %r13\n"
        "    mov 32(%rdi), %r14\n"
        "    mov 40(%rdi), %r15\n"
        "    mov 48(%rdi), %rsp\n"
        "    mov $1, %eax\n"
        "    jmp *56(%rdi)\n"
        ".size wk_arch_jump, . - wk_arch_jump\n");

struct cpuid {
    uint32_t a, b, c, d;
};

static struct cpuid
cpuid(uint32_t leaf)
{
    struct cpuid r;

    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(0));
    return r;
}

/* BMI2 came with pdep; AMD's needs hundreds of cycles for it before family 19h (Zen 3), and of others nothing is known. */
bool
wk_arch_deposit(void)
{
    struct cpuid vendor = cpuid(0);
    bool intel = vendor.b == 0x756e6547, amd = vendor.b == 0x68747541; /* Genu, Auth */

    if ((!intel && !amd) || vendor.a < 7 || (cpuid(7).b & 1u << 8) == 0)
        return false;
    uint32_t version = cpuid(1).a, family = (version >> 8 & 15) + (version >> 20 & 0xff);
    return intel || family >= 0x19;
}
