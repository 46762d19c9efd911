// SPDX-License-Identifier: MIT
/*
 * Work in C whose answers are known, for answers.py: each function does some rounds of it and returns how many answers were wrong. Most keep the GIL, so that it is
 * their thread that is stopped and led elsewhere: in the middle of vector code, in a system call, in a signal handler on a stack of its own.
 */
#include <errno.h>
#include <fenv.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

extern long registers_vector_rounds(long rounds);

EXPORT long answers_sums(long rounds);
EXPORT long answers_kernels(long rounds);
EXPORT long answers_calls(long round);
EXPORT char answers_last[200]; /* what was wrong with the last wrong call */

enum { N = 4096, STACK_SIZE = 256 << 10, ODD_ERRNO = 77 };

/* Sums that stay in registers for long, of all three kinds of them, rounded upwards; the control words are looked at as well. */
static void
sum_all(double results[3])
{
    volatile double tenth = 0.1;
    double plain = 0, scaled = 1;
    long double wide = 0;

    for (int i = 1; i < N; i++) {
        plain += tenth * i;
        scaled = scaled * 1.0000001 + tenth;
        wide += (long double)tenth / i;
    }
    results[0] = plain;
    results[1] = scaled;
    results[2] = (double)wide;
}

EXPORT long
answers_sums(long rounds)
{
    static double expected[3];
    static int known;
    double got[3];
    long wrong = 0;
    int mode = fegetround();

    fesetround(FE_UPWARD);
    if (!known) {
        sum_all(expected);
        known = 1;
    }
    for (long i = 0; i < rounds; i++) {
        sum_all(got);
        wrong += memcmp(got, expected, sizeof got) != 0;
        wrong += fegetround() != FE_UPWARD;
    }
    fesetround(mode);
    return wrong;
}

typedef float Lanes __attribute__((vector_size(64)));
enum { LANES = sizeof(Lanes) / sizeof(float), VECTORS = N / LANES };

static Lanes a[VECTORS], b[VECTORS], expected[VECTORS];
static float expected_dot;

/* As libraries for arrays do it: with the widest instructions that there are. */
__attribute__((always_inline)) static inline void
kernel(Lanes *c, float *dot)
{
    Lanes sum = {0};

    for (int i = 0; i < VECTORS; i++) {
        c[i] = a[i] * 3 + b[i] / (a[i] + 1);
        sum += a[i] * b[i];
    }
    *dot = 0;
    for (int i = 0; i < LANES; i++)
        *dot += sum[i];
}

__attribute__((target("avx512f"))) static void
kernel512(Lanes *c, float *dot)
{
    kernel(c, dot);
}

__attribute__((target("avx2"))) static void
kernel256(Lanes *c, float *dot)
{
    kernel(c, dot);
}

static void
kernel128(Lanes *c, float *dot)
{
    kernel(c, dot);
}

EXPORT long
answers_kernels(long rounds)
{
    void (*run)(Lanes *, float *) = __builtin_cpu_supports("avx512f") ? kernel512
                                    : __builtin_cpu_supports("avx2")  ? kernel256
                                                                      : kernel128;
    static int known;
    Lanes c[VECTORS];
    float dot;
    long wrong = 0;

    if (!known) {
        for (int i = 0; i < N; i++) {
            a[i / LANES][i % LANES] = (float)(i % 97) / 7;
            b[i / LANES][i % LANES] = (float)(i % 89) / 3;
        }
        run(expected, &expected_dot);
        known = 1;
    }
    for (long i = 0; i < rounds; i++) {
        memset(c, 0, sizeof c);
        run(c, &dot);
        wrong += memcmp(c, expected, sizeof c) != 0 || memcmp(&dot, &expected_dot, sizeof dot) != 0;
    }
    return wrong;
}

/* One thread's. */
static __thread struct {
    int begun, ends[2], poll_fd;
    timer_t interrupts, restarts;
    stack_t stack;
    volatile long interrupted, restarted, wrong; /* by the handlers */
} me;

#define INTERRUPTS (SIGRTMIN + 3) /* its handler ends a call */
#define RESTARTS   (SIGRTMIN + 4) /* its handler lets the kernel begin the call again, and gives it something to read */

/* 1 if it is not so, and notes it. */
static long
wrong_unless(int is_so, const char *what, long round, long result)
{
    if (!is_so)
        snprintf(answers_last, sizeof answers_last, "%s, round %ld: result %ld, errno %d, handlers %ld and %ld", what,
                 round, result, errno, me.interrupted, me.restarted);
    return !is_so;
}

static void
on_signal(int number)
{
    int saved = errno;
    char here;

    if (&here < (char *)me.stack.ss_sp || &here >= (char *)me.stack.ss_sp + STACK_SIZE)
        me.wrong++;
    me.wrong += registers_vector_rounds(2);
    if (number == INTERRUPTS)
        me.interrupted++;
    else {
        me.restarted++;
        if (write(me.ends[1], "r", 1) != 1)
            me.wrong++;
    }
    errno = saved;
}

static int
timer_for(int number, timer_t *out)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number};

    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    return timer_create(CLOCK_MONOTONIC, &event, out);
}

static void
begin(void)
{
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};

    me.stack = (stack_t){.ss_size = STACK_SIZE, .ss_sp = malloc(STACK_SIZE)};
    me.poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (sigaltstack(&me.stack, NULL) != 0 || sigaction(INTERRUPTS, &act, NULL) != 0 || pipe(me.ends) != 0)
        abort();
    act.sa_flags |= SA_RESTART;
    if (sigaction(RESTARTS, &act, NULL) != 0 || timer_for(INTERRUPTS, &me.interrupts) != 0 ||
        timer_for(RESTARTS, &me.restarts) != 0)
        abort();
    me.begun = 1;
}

/* Once only, or again and again: a signal that comes before the call has begun does not end it. */
static void
set_timer(timer_t timer, long ns)
{
    struct itimerspec spec = {{0, ns}, {0, ns}};

    timer_settime(timer, 0, &spec, NULL);
}

static int64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static long
futex_wait(const struct timespec *timeout)
{
    uint32_t word = 5;

    return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 5, timeout, NULL, 0);
}

/* Calls that sleep for ever and that a handler ends: EINTR, and not without it. */
static long
ended_by_signals(long round)
{
    struct timespec hour = {3600, 0}, rest = {0, 0};
    struct pollfd p = {.fd = me.ends[0], .events = POLLIN};
    fd_set set;
    long before = me.interrupted, r, wrong = 0;
    char byte;

    FD_ZERO(&set);
    FD_SET(me.ends[0], &set);
    errno = ODD_ERRNO;
    set_timer(me.interrupts, 300000);
    switch (round % 6) {
    case 0:
        r = read(me.ends[0], &byte, 1);
        break;
    case 1:
        r = poll(&p, 1, -1);
        break;
    case 2:
        r = nanosleep(&hour, &rest);
        /* The kernel may be late by some 50 us, and says a little more than was asked for when it ends at once. */
        wrong += wrong_unless(rest.tv_sec > 3500 && rest.tv_sec <= 3600, "the rest of a sleep", round, rest.tv_sec);
        break;
    case 3:
        r = pause();
        break;
    case 4:
        r = select(me.ends[0] + 1, &set, NULL, NULL, NULL);
        break;
    default:
        r = futex_wait(NULL);
    }
    wrong += wrong_unless(r == -1 && errno == EINTR && me.interrupted > before, "ended by a signal", round, r);
    set_timer(me.interrupts, 0);
    return wrong;
}

/* A call that is begun again after each handler, until there is something to read. */
static long
begun_again(long round)
{
    long before = me.restarted, wrong = 0, n;
    char bytes[64];

    set_timer(me.restarts, 300000);
    n = read(me.ends[0], bytes, 1);
    wrong += wrong_unless(n == 1 && bytes[0] == 'r', "begun again", round, n);
    set_timer(me.restarts, 0);
    for (long left = me.restarted - before - n; left > 0; left -= n) {
        n = read(me.ends[0], bytes, left < (long)sizeof bytes ? (size_t)left : sizeof bytes);
        if (n <= 0)
            return wrong + wrong_unless(0, "the rest of what was written", round, n);
    }
    return wrong;
}

/* Calls with a time limit and nothing else to end them. Of the last two signal(7) says that any stop ends them: by a debugger too. */
static long
ended_by_time(long round)
{
    const long ns = 600000;
    const struct timespec little = {0, ns};
    struct epoll_event event;
    struct pollfd p = {.fd = me.ends[0], .events = POLLIN};
    int64_t start = now_ns();
    sigset_t none;
    long r = 0, early = 0;
    int is_so;

    sigemptyset(&none);
    errno = ODD_ERRNO;
    switch (round % 6) {
    case 0:
        r = nanosleep(&little, NULL);
        is_so = r == 0 && errno == ODD_ERRNO;
        break;
    case 1:
        r = ppoll(&p, 1, &little, NULL);
        is_so = r == 0 && errno == ODD_ERRNO;
        break;
    case 2:
        r = futex_wait(&little);
        is_so = r == -1 && errno == ETIMEDOUT;
        break;
    case 3:
        r = pselect(0, NULL, NULL, NULL, &little, NULL);
        is_so = r == 0 && errno == ODD_ERRNO;
        break;
    case 4:
        r = epoll_wait(me.poll_fd, &event, 1, 1);
        early = r == -1 && errno == EINTR;
        is_so = r == 0 || early;
        break;
    default:
        r = sigtimedwait(&none, NULL, &little);
        early = r == -1 && errno == EINTR;
        is_so = early || (r == -1 && errno == EAGAIN);
    }
    return wrong_unless(is_so, "ended by time", round, r) +
           wrong_unless(early || now_ns() - start >= ns, "time waited", round, (long)(now_ns() - start));
}

/* At once, and with their usual answers. */
static long
plain(long round)
{
    char text[64], back[64];
    long wrong = 0;

    for (int i = 0; i < 50; i++) {
        memset(text, (int)('a' + (round + i) % 26), sizeof text);
        errno = ODD_ERRNO;
        wrong += write(me.ends[1], text, sizeof text) != sizeof text;
        wrong += read(me.ends[0], back, sizeof back) != sizeof back || memcmp(text, back, sizeof back) != 0;
        wrong += syscall(SYS_getpid) != getpid() || errno != ODD_ERRNO;
        wrong += write(-1, text, 1) != -1 || errno != EBADF;
    }
    return wrong;
}

EXPORT long
answers_calls(long round)
{
    sigset_t old, mask, now;
    stack_t stack;
    long wrong = 0;

    if (!me.begun)
        begin();
    /* Another mask each time, with signals in it that the stub may choose for itself. */
    sigemptyset(&mask);
    for (int number = 1; number <= SIGRTMAX; number++) {
        /* SIGUSR1 is for the main thread alone: its handler would end a call. */
        if (number == SIGUSR1 || (number != INTERRUPTS && number != RESTARTS && (number * 7 + round) % 5 == 0))
            sigaddset(&mask, number);
    }
    pthread_sigmask(SIG_SETMASK, &mask, &old);
    pthread_sigmask(SIG_SETMASK, NULL, &mask); /* without those that cannot be blocked */
    wrong += ended_by_signals(round);
    wrong += begun_again(round);
    wrong += ended_by_time(round);
    wrong += wrong_unless(plain(round) == 0, "plain", round, 0);
    wrong += wrong_unless(registers_vector_rounds(20) == 0, "vector registers", round, 0);
    pthread_sigmask(SIG_SETMASK, &old, &now);
    wrong += wrong_unless(memcmp(&now, &mask, _NSIG / 8) == 0, "signal mask", round, 0);
    wrong += wrong_unless(sigaltstack(NULL, &stack) == 0 && stack.ss_sp == me.stack.ss_sp &&
                              stack.ss_size == me.stack.ss_size && stack.ss_flags == 0,
                          "alternate stack", round, 0);
    wrong += wrong_unless(me.wrong == 0, "in a handler", round, me.wrong);
    me.wrong = 0;
    return wrong;
}
