// SPDX-License-Identifier: MIT
/*
 * Sleeps in a system call made directly, with known values in every register that it preserves, and looks whether they are still there. What a
 * debugger, or code led into this thread, fails to restore shows here at once.
 */
#include <stdint.h>
#include <string.h>

#define WIDTH 64

int keep_registers(int rounds);

static void
fill(unsigned char *bytes, int n, unsigned seed)
{
    for (int i = 0; i < n; i++)
        bytes[i] = (unsigned char)((unsigned)i * 31u + seed * 17u + 5u);
}

#define EACH16(X, R)                                                                                                   \
    X(R, 0)                                                                                                            \
    X(R, 1)                                                                                                            \
    X(R, 2)                                                                                                            \
    X(R, 3) X(R, 4) X(R, 5) X(R, 6) X(R, 7) X(R, 8) X(R, 9) X(R, 10) X(R, 11) X(R, 12) X(R, 13) X(R, 14) X(R, 15)
#define LOAD(R, N)   "vmovdqu 32*" #N "(%[in]), %%" #R #N "\n"
#define STORE(R, N)  "vmovdqu %%" #R #N ", 32*" #N "(%[out])\n"
#define LOADZ(R, N)  "vmovdqu64 64*" #N "(%[in]), %%" #R #N "\n"
#define STOREZ(R, N) "vmovdqu64 %%" #R #N ", 64*" #N "(%[out])\n"

/* A nanosleep of 2 ms in the middle; rbx, rbp, r12-r15 and the flags are looked at as well. */
#define SLEEP                                                                                                          \
    "mov %[time], %%rdi\n"                                                                                             \
    "xor %%esi, %%esi\n"                                                                                               \
    "mov $35, %%eax\n"                                                                                                 \
    "mov $0x1122334455667788, %%r12\n"                                                                                 \
    "mov $0x2233445566778899, %%r13\n"                                                                                 \
    "movq $0x33445566, -8(%%rsp)\n" /* red zone */                                                                     \
    "stc\n"                                                                                                            \
    "syscall\n"                                                                                                        \
    "setnc %b[flag]\n"                                                                                                 \
    "mov $0x1122334455667788, %%rdi\n"                                                                                 \
    "cmp %%rdi, %%r12\n"                                                                                               \
    "setne %%dil\n"                                                                                                    \
    "or %%dil, %b[flag]\n"                                                                                             \
    "mov $0x2233445566778899, %%rdi\n"                                                                                 \
    "cmp %%rdi, %%r13\n"                                                                                               \
    "setne %%dil\n"                                                                                                    \
    "or %%dil, %b[flag]\n"                                                                                             \
    "cmpq $0x33445566, -8(%%rsp)\n"                                                                                    \
    "setne %%dil\n"                                                                                                    \
    "or %%dil, %b[flag]\n"                                                                                             \
    "mov %%rax, %[result]\n"

static int
round_avx(const unsigned char *in, unsigned char *out, const int64_t *time, int64_t *result)
{
    unsigned flag = 0;

    __asm__ volatile(EACH16(LOAD, ymm) SLEEP EACH16(STORE, ymm) "vzeroupper\n"
                     : [result] "=m"(*result), [flag] "+&b"(flag)
                     : [in] "r"(in), [out] "r"(out), [time] "r"(time)
                     : "rax", "rcx", "r11", "rdi", "rsi", "r12", "r13", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3",
                       "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                       "xmm15");
    return (flag & 0xff) || memcmp(in, out, 16 * 32) != 0;
}

__attribute__((target("avx512f"))) static int
round_avx512(const unsigned char *in, unsigned char *out, const int64_t *time, int64_t *result)
{
    unsigned flag = 0;
    uint64_t mask = 0xa5c3;

    __asm__ volatile(
        "kmovw %k[mask], %%k3\n" EACH16(
            LOADZ,
            zmm) "add $1024, %[in]\n"
                 "vmovdqu64 (%[in]), %%zmm16\nvmovdqu64 64(%[in]), %%zmm19\nvmovdqu64 128(%[in]), %%zmm24\nvmovdqu64 "
                 "192(%[in]), %%zmm31\n" SLEEP EACH16(
                     STOREZ,
                     zmm) "add $1024, %[out]\n"
                          "vmovdqu64 %%zmm16, (%[out])\nvmovdqu64 %%zmm19, 64(%[out])\nvmovdqu64 %%zmm24, 128(%[out])\n"
                          "vmovdqu64 %%zmm31, 192(%[out])\nkmovw %%k3, %k[mask]\nvzeroupper\n"
        : [result] "=m"(*result), [flag] "+&b"(flag), [mask] "+&r"(mask), [in] "+&r"(in), [out] "+&r"(out)
        : [time] "r"(time)
        : "rax", "rcx", "r11", "rdi", "rsi", "r12", "r13", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
          "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16",
          "xmm19", "xmm24", "xmm31", "k3");
    return (flag & 0xff) || mask != 0xa5c3 || memcmp(in - 1024, out - 1024, 20 * WIDTH) != 0;
}

int
keep_registers(int rounds)
{
    static const int64_t time[2] = {0, 2000000};
    unsigned char in[20 * WIDTH], out[20 * WIDTH];
    uint16_t control, control_set = 0x0e7f; /* x87: round up, 64 bits, no exceptions */
    uint32_t mxcsr, mxcsr_set = 0x7fa0;     /* round towards zero, no exceptions, precision flag */
    int wrong = 0, wide = __builtin_cpu_supports("avx512f");

    for (int i = 0; i < rounds; i++) {
        int64_t result = -1;
        uint16_t control_now;
        uint32_t mxcsr_now;
        double x87_now;

        fill(in, sizeof in, (unsigned)i);
        memset(out, 0, sizeof out);
        __asm__ volatile("fnstcw %0; stmxcsr %1; fldcw %2; ldmxcsr %3; fldpi"
                         : "=m"(control), "=m"(mxcsr)
                         : "m"(control_set), "m"(mxcsr_set));
        wrong += wide ? round_avx512(in, out, time, &result) : round_avx(in, out, time, &result);
        __asm__ volatile("fstpl %0; fnstcw %1; stmxcsr %2; fldcw %3; ldmxcsr %4"
                         : "=m"(x87_now), "=m"(control_now), "=m"(mxcsr_now)
                         : "m"(control), "m"(mxcsr));
        wrong +=
            control_now != control_set || mxcsr_now != mxcsr_set || !(x87_now > 3.14159265 && x87_now < 3.14159266);
        wrong += result != 0; /* the sleep was repeated by the kernel, never cut short */
    }
    return wrong;
}
