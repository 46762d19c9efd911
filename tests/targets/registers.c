// SPDX-License-Identifier: MIT
/*
 * A library that a Python target loads: code that notices when a register, a flag or the outcome of an interrupted system call is not what
 * it would be without a dump. Everything is called on the main thread with the GIL held, so that it is this thread that is stopped.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT volatile int registers_stop;
EXPORT volatile long registers_rounds;

EXPORT void *registers_wait(void *unused); /* thread: sets registers_stop at the end of stdin */
EXPORT long registers_general(void);
EXPORT long registers_vector(void);
EXPORT long registers_general_rounds(long rounds);
EXPORT long registers_vector_rounds(long rounds); /* by any number of threads, and in signal handlers */
EXPORT void calls_run(const char *kind, int acknowledge);

EXPORT void *
registers_wait(void *unused)
{
    char byte;

    while (read(0, &byte, 1) > 0)
        ;
    registers_stop = 1;
    return unused;
}

/* All general registers but rsp, direction and carry flags, and the red zone hold known values for some thousand instructions. */
static long
general_round(void)
{
    long wrong;

    __asm__ volatile(
        "push %%rbp\n"
        "lea -256(%%rsp), %%rsp\n"
        "mov $0x1111, %%rbx\n mov $0x2222, %%rcx\n mov $0x3333, %%rdx\n mov $0x4444, %%rsi\n mov $0x5555, %%rdi\n"
        "mov $0x6666, %%rbp\n mov $0x7777, %%r8\n mov $0x8888, %%r9\n mov $0x9999, %%r10\n mov $0xaaaa, %%r11\n"
        "mov $0xbbbb, %%r12\n mov $0xcccc, %%r13\n mov $0xdddd, %%r14\n mov $0xeeee, %%r15\n"
        "movq $0x1234, -8(%%rsp)\n movq $0x4321, -128(%%rsp)\n"
        "mov $20000, %%eax\n"
        "stc\n"
        "1: dec %%eax\n" /* leaves carry alone */
        "jnz 1b\n"
        "setnc %%al\n"
        "movzbl %%al, %%eax\n"
        "cmp $0x1111, %%rbx\n jne 2f\n cmp $0x2222, %%rcx\n jne 2f\n cmp $0x3333, %%rdx\n jne 2f\n cmp $0x4444, "
        "%%rsi\n jne 2f\n"
        "cmp $0x5555, %%rdi\n jne 2f\n cmp $0x6666, %%rbp\n jne 2f\n cmp $0x7777, %%r8\n jne 2f\n cmp $0x8888, %%r9\n "
        "jne 2f\n"
        "cmp $0x9999, %%r10\n jne 2f\n cmp $0xaaaa, %%r11\n jne 2f\n cmp $0xbbbb, %%r12\n jne 2f\n cmp $0xcccc, "
        "%%r13\n jne 2f\n"
        "cmp $0xdddd, %%r14\n jne 2f\n cmp $0xeeee, %%r15\n jne 2f\n"
        "cmpq $0x1234, -8(%%rsp)\n jne 2f\n cmpq $0x4321, -128(%%rsp)\n jne 2f\n"
        "jmp 3f\n"
        "2: inc %%eax\n"
        "3: lea 256(%%rsp), %%rsp\n"
        "pop %%rbp\n"
        : "=a"(wrong)
        :
        : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory");
    return wrong;
}

EXPORT long
registers_general_rounds(long rounds)
{
    long wrong = 0;

    while (rounds-- > 0)
        wrong += general_round();
    return wrong;
}

EXPORT long
registers_general(void)
{
    long wrong = 0;

    for (; !registers_stop; registers_rounds++)
        wrong += general_round();
    return wrong;
}

#define EACH16(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define HIGH16(X) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)

/* Row 32 is for the mask registers. */
typedef struct {
    uint8_t rows[33][64] __attribute__((aligned(64)));
} Vectors;

static Vectors vectors;

__attribute__((constructor)) static void
choose_values(void)
{
    for (unsigned i = 0; i < 33; i++)
        for (unsigned j = 0; j < 64; j++)
            vectors.rows[i][j] = (uint8_t)(i * 71 + j * 13 + 5);
}

#define SPIN "mov $20000, %%eax\n1: dec %%eax\n jnz 1b\n"

#define EACH8(X)     X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define LOAD128(n)   "movdqa " #n "*64(%0), %%xmm" #n "\n"
#define STORE128(n)  "movdqa %%xmm" #n ", " #n "*64(%1)\n"
#define LOAD256(n)   "vmovdqa " #n "*64(%0), %%ymm" #n "\n"
#define STORE256(n)  "vmovdqa %%ymm" #n ", " #n "*64(%1)\n"
#define LOAD512(n)   "vmovdqa64 " #n "*64(%0), %%zmm" #n "\n"
#define STORE512(n)  "vmovdqa64 %%zmm" #n ", " #n "*64(%1)\n"
#define LOADMASK(n)  "kmovw 32*64+2*" #n "(%0), %%k" #n "\n"
#define STOREMASK(n) "kmovw %%k" #n ", 32*64+2*" #n "(%1)\n"

#define CLOBBER(n)     "xmm" #n,
#define CLOBBERMASK(n) "k" #n,

static void
round128(Vectors *seen)
{
    __asm__ volatile(EACH16(LOAD128) SPIN EACH16(STORE128)
                     :
                     : "r"(&vectors), "r"(seen)
                     : EACH16(CLOBBER) "rax", "cc", "memory");
}

__attribute__((target("avx2"))) static void
round256(Vectors *seen)
{
    __asm__ volatile(EACH16(LOAD256) SPIN EACH16(STORE256) "vzeroupper\n"
                     :
                     : "r"(&vectors), "r"(seen)
                     : EACH16(CLOBBER) "rax", "cc", "memory");
}

__attribute__((target("avx512f"))) static void
round512(Vectors *seen)
{
    __asm__ volatile(EACH16(LOAD512) HIGH16(LOAD512) EACH8(LOADMASK) SPIN EACH16(STORE512) HIGH16(STORE512)
                         EACH8(STOREMASK) "vzeroupper\n"
                     :
                     : "r"(&vectors), "r"(seen)
                     : EACH16(CLOBBER) HIGH16(CLOBBER) EACH8(CLOBBERMASK) "rax", "cc", "memory");
}

static long
vector_round(void)
{
    unsigned width = __builtin_cpu_supports("avx512f") ? 64 : __builtin_cpu_supports("avx2") ? 32 : 16;
    unsigned count = width == 64 ? 32 : 16;
    Vectors seen;
    long wrong = 0;

    memset(&seen, 0, sizeof seen);
    if (width == 64) {
        round512(&seen);
        wrong += memcmp(vectors.rows[32], seen.rows[32], 16) != 0;
    } else if (width == 32)
        round256(&seen);
    else
        round128(&seen);
    for (unsigned i = 0; i < count; i++)
        wrong += memcmp(vectors.rows[i], seen.rows[i], width) != 0;
    return wrong;
}

EXPORT long
registers_vector_rounds(long rounds)
{
    long wrong = 0;

    while (rounds-- > 0)
        wrong += vector_round();
    return wrong;
}

EXPORT long
registers_vector(void)
{
    long wrong = 0;

    for (; !registers_stop; registers_rounds++)
        wrong += vector_round();
    return wrong;
}

static volatile sig_atomic_t handled;
static volatile int acknowledge_fd, acknowledge_in_handler;

static void
acknowledge(char what)
{
    if (write(acknowledge_fd, &what, 1) != 1)
        _exit(3);
}

static void
on_signal(int number)
{
    (void)number;
    handled++;
    if (acknowledge_in_handler)
        acknowledge('h');
}

/*
 * Sleeps for ever in one kind of system call; SIGUSR2 has a handler. Writes 'e' for each EINTR after a handler, 's' for one without, 'x' for any other
 * return, 'h' in the handler where the call has to be restarted.
 */
EXPORT void
calls_run(const char *kind, int fd)
{
    struct sigaction act = {.sa_handler = on_signal};
    struct timespec hour = {3600, 0};
    int ends[2];
    char byte;

    acknowledge_fd = fd;
    acknowledge_in_handler = strcmp(kind, "restart") == 0;
    if (acknowledge_in_handler)
        act.sa_flags = SA_RESTART;
    if (sigaction(SIGUSR2, &act, NULL) != 0 || pipe(ends) != 0)
        _exit(4);
    acknowledge('r');
    for (;;) {
        int before = handled;
        long r;
        if (strcmp(kind, "pause") == 0)
            r = pause();
        else if (strcmp(kind, "nanosleep") == 0)
            r = clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL) == EINTR ? (errno = EINTR, -1) : 0;
        else if (strcmp(kind, "poll") == 0)
            r = poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, -1);
        else
            r = read(ends[0], &byte, 1);
        if (r == -1 && errno == EINTR)
            acknowledge(handled != before ? 'e' : 's');
        else
            acknowledge('x');
    }
}
