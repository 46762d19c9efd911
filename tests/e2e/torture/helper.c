// SPDX-License-Identifier: MIT
/*
 * What Python alone cannot do to itself: odd.py loads this through ctypes, with the GIL kept (PyDLL) or let go (CDLL). All loops check what they
 * compute and return the number of wrong results.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

long tt_malloc(long rounds);
long tt_vectors(long rounds);
int tt_threads(int n, long *counters);
long tt_calls(long rounds);
void tt_leave(void);
int tt_handle(int number);
long tt_handled(void);
long tt_handled_wrong(void);
long tt_rseq(int threads, long rounds);

/* Inside malloc nearly all of the time, in bins, in mmap and in realloc. */
long
tt_malloc(long rounds)
{
    enum { SLOTS = 64 };
    unsigned char *slot[SLOTS] = {0};
    size_t size[SLOTS] = {0};
    uint32_t random = 12345;
    long wrong = 0;

    for (long i = 0; i < rounds; i++) {
        random = random * 1664525u + 1013904223u;
        unsigned k = random >> 26;
        if (slot[k] != NULL)
            wrong += slot[k][0] != k || slot[k][size[k] - 1] != k;
        size_t n = 1 + (random >> 8 & (i % 500 == 0 ? 0xffff0u : 0x7ffu));
        if (random & 1) {
            free(slot[k]);
            slot[k] = malloc(n);
        } else
            slot[k] = realloc(slot[k], n);
        if (slot[k] == NULL)
            return wrong + 1;
        size[k] = n;
        slot[k][0] = slot[k][n - 1] = (unsigned char)k;
    }
    for (unsigned k = 0; k < SLOTS; k++)
        free(slot[k]);
    return wrong;
}

typedef float Lanes __attribute__((vector_size(64)));

/* As wide as the machine has it: the values live in registers for the whole inner loop. */
__attribute__((target_clones("avx512f", "avx2", "default"))) static float
lanes(long rounds)
{
    Lanes a, b, c, d;

    for (int i = 0; i < 16; i++) {
        a[i] = (float)i;
        b[i] = 1.5f;
        c[i] = (float)(16 - i);
        d[i] = 0.0f;
    }
    for (long i = 0; i < rounds; i++) {
        d += a * b - c;
        a = -a;
        c = -c;
        b = 3.0f - b;
        __asm__ volatile("" ::: "memory");
    }
    float sum = 0;
    for (int i = 0; i < 16; i++)
        sum = sum * 3 + d[i] + a[i] * b[i] + c[i];
    return sum;
}

long
tt_vectors(long rounds)
{
    static float expected;
    unsigned char from[4096], to[4096];
    long wrong = 0;

    if (expected == 0)
        expected = lanes(20000);
    for (long i = 0; i < rounds; i++) {
        wrong += lanes(20000) != expected;
        memset(from, (int)i, sizeof from);
        memcpy(to, from, sizeof to);
        wrong += memcmp(from, to, sizeof to) != 0;
    }
    return wrong;
}

static void *
forever(void *counters)
{
    volatile long *c = counters;

    while (c[0] >= 0) {
        c[1] += tt_vectors(5) + tt_malloc(500) + tt_calls(20);
        c[0]++;
    }
    return NULL;
}

/* n threads that Python knows nothing of; counters: rounds, wrong of each. */
int
tt_threads(int n, long *counters)
{
    tt_vectors(1);
    for (int i = 0; i < n; i++) {
        pthread_t t;
        if (pthread_create(&t, NULL, forever, counters + 2 * i) != 0)
            return -1;
        pthread_detach(t);
    }
    return 0;
}

/* System calls whose result is known. */
long
tt_calls(long rounds)
{
    long wrong = 0;
    int ends[2];
    char text[64];

    if (pipe(ends) != 0)
        return 1;
    for (long i = 0; i < rounds; i++) {
        memset(text, (int)('a' + i % 26), sizeof text);
        errno = 77;
        wrong += write(ends[1], text, sizeof text) != sizeof text;
        wrong += read(ends[0], text, sizeof text) != sizeof text || text[63] != 'a' + i % 26;
        wrong += syscall(SYS_getpid) != getpid() || errno != 77;
        wrong += write(-1, text, 1) != -1 || errno != EBADF;
    }
    close(ends[0]);
    close(ends[1]);
    return wrong;
}

/* The calling thread ends, the process does not. */
void
tt_leave(void)
{
    pthread_exit(NULL);
}

static volatile long handled, handled_wrong;

static void
on_signal(int number)
{
    int saved = errno;

    (void)number;
    handled_wrong += tt_vectors(3) + tt_calls(3);
    handled++;
    errno = saved;
}

/* A handler in C that stands on a stack of its own and takes most of the time. */
int
tt_handle(int number)
{
    stack_t stack = {.ss_size = 256 << 10, .ss_sp = malloc(256 << 10)};
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_RESTART};

    tt_vectors(1);
    return sigaltstack(&stack, NULL) == 0 ? sigaction(number, &act, NULL) : -1;
}

long
tt_handled(void)
{
    return handled;
}

long
tt_handled_wrong(void)
{
    return handled_wrong;
}

/*
 * Restartable sequences: threads on the same processor count up one counter without locks. Only a sequence that is begun anew whenever its thread was
 * interrupted keeps the sum right. It is made long, so that most stops hit it. Uses the area that the C library has registered.
 */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

static struct {
    long value;
    char pad[56];
} per_processor[1024];

static void *
count_up(void *rounds)
{
    char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
    long done = 0;

    for (long i = 0; i < (long)rounds; i++) {
        long aborted;
        __asm__ volatile(".pushsection .data.rel.ro, \"aw\"\n"
                         ".balign 32\n"
                         "3: .long 0, 0\n"
                         ".quad 1f, 2f - 1f, 4f\n"
                         ".popsection\n"
                         "lea 3b(%%rip), %%rax\n"
                         "mov %%rax, 8(%[area])\n"
                         "1:\n"
                         "mov 4(%[area]), %%eax\n"
                         "shl $6, %%rax\n"
                         "add %[table], %%rax\n"
                         "mov (%%rax), %%rdx\n"
                         "mov $2000, %%ecx\n"
                         "5: dec %%ecx\n"
                         "jnz 5b\n"
                         "inc %%rdx\n"
                         "mov %%rdx, (%%rax)\n" /* commits */
                         "2:\n"
                         "xor %%eax, %%eax\n"
                         "jmp 6f\n"
                         ".long 0x53053053\n" /* the C library's signature */
                         "4: mov $1, %%eax\n"
                         "6:\n"
                         : "=&a"(aborted)
                         : [area] "r"(area), [table] "r"(per_processor)
                         : "rcx", "rdx", "memory", "cc");
        done += !aborted;
    }
    return (void *)done;
}

/* -1: the C library has none. */
long
tt_rseq(int threads, long rounds)
{
    long added = 0, sum = 0;
    pthread_t t[16];

    if (&__rseq_size == NULL || __rseq_size == 0)
        return -1;
    memset(per_processor, 0, sizeof per_processor);
    for (int i = 0; i < threads; i++) {
        if (pthread_create(&t[i], NULL, count_up, (void *)rounds) != 0)
            return 1;
    }
    for (int i = 0; i < threads; i++) {
        void *done;
        pthread_join(t[i], &done);
        added += (long)done;
    }
    for (int i = 0; i < 1024; i++)
        sum += per_processor[i].value;
    return sum != added;
}
