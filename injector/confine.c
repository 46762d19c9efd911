// SPDX-License-Identifier: MIT
/*
 * One table says which system calls are made, by whom, and whether one may be refused. It has to follow stub/ghost.S, entry/ep-stub.S, entry/ep-sys.h and
 * walker/wk-sys.h: tests/e2e/test-confined.py dumps targets that die at any call that is not in it.
 */
#include "confine.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "error.h"
#include "procfs.h"

/* Who makes the call. */
enum {
    STUB = 1,  /* the target's own thread and the reaper, when forking */
    GHOST = 2, /* the copy; its death harms nobody */
    LIVE = 4,  /* the target's thread and ours, without a fork */
};
/* How it may be tried out. */
enum { PLAIN, CLONE, THREAD, NEVER };

typedef struct {
    guint64 args[6]; /* representative; tried out they do nothing */
    const char *name;
    int number;
    guint who;
    gboolean needed; /* else an error is as good */
    int trial;
} Call;

#define CALL(name, who, needed, trial, ...)                                                                            \
    {                                                                                                                  \
        {__VA_ARGS__}, #name, SYS_##name, who, needed, trial                                                           \
    }
/* BAD: an address that is not there. */
enum { BAD = 8, EXEC = 5, WRITE = 3, PRIVATE = 2, ANONYMOUS = 0x22, ALL = STUB | GHOST | LIVE };

static const Call calls[] = {
    CALL(rt_sigprocmask, ALL, TRUE, PLAIN, 2, 0, 0, 8),
    CALL(clock_gettime, ALL, TRUE, PLAIN, 1, BAD),
    CALL(clone, STUB, TRUE, CLONE, CLONE_UNTRACED),
    CALL(clone, STUB, TRUE, THREAD, 0x850f00),
    CALL(getpid, STUB | GHOST | LIVE, TRUE, PLAIN, 0),
    CALL(gettid, STUB, TRUE, PLAIN, 0),
    CALL(tgkill, STUB, TRUE, PLAIN, 0, 0, SIGURG),
    CALL(rt_sigpending, ALL, TRUE, PLAIN, BAD, 8),
    CALL(rt_sigaction, ALL, TRUE, PLAIN, SIGUSR1, 0, BAD, 8),
    CALL(wait4, STUB, TRUE, PLAIN, G_MAXINT32, 0, 0x40000000),
    CALL(exit, STUB | LIVE, TRUE, NEVER, 0),
    CALL(kill, STUB, FALSE, PLAIN, G_MAXINT32, 9),
    CALL(prctl, GHOST, TRUE, PLAIN, PR_SET_NAME, BAD), /* it is found by its name */
    CALL(prctl, STUB | LIVE, FALSE, PLAIN, PR_SET_NAME, BAD),

    CALL(mmap, GHOST, FALSE, PLAIN, 0, 4096, EXEC, ANONYMOUS, -1ull, 0), /* else a file's memory is executed */
    CALL(mmap, GHOST, TRUE, PLAIN, 0, 4096, EXEC, PRIVATE, -1ull, 0),
    CALL(mmap, GHOST | LIVE, TRUE, PLAIN, 0, 4096, WRITE, ANONYMOUS, -1ull, 0),
    CALL(mprotect, GHOST | LIVE, TRUE, PLAIN, 0, 0, WRITE),
    CALL(mprotect, LIVE, FALSE, PLAIN, 0, 0, EXEC), /* one of these two is enough */
    CALL(mmap, LIVE, FALSE, PLAIN, 0, 4096, EXEC, 0x12, -1ull, 0),
    CALL(munmap, GHOST | LIVE, TRUE, PLAIN, 0, 0),
    CALL(madvise, GHOST | LIVE, FALSE, PLAIN, 0, 0, 4),
    CALL(nanosleep, GHOST | LIVE, TRUE, PLAIN, BAD, 0),
    CALL(open, GHOST | LIVE, TRUE, PLAIN, BAD, 02004001, 0),
    CALL(write, GHOST | LIVE, TRUE, PLAIN, -1ull, 0, 0),
    CALL(close, GHOST | LIVE, FALSE, PLAIN, -1ull),
    CALL(fcntl, GHOST | LIVE, TRUE, PLAIN, -1ull, 1030, 3),
    CALL(ppoll, GHOST | LIVE, TRUE, PLAIN, 0, 0, BAD, 0, 0),
    CALL(sigaltstack, GHOST | LIVE, TRUE, PLAIN, 0, 0),
    CALL(rename, GHOST | LIVE, TRUE, PLAIN, BAD, BAD),
    CALL(exit_group, GHOST, TRUE, NEVER, 0),
    CALL(setitimer, GHOST, FALSE, PLAIN, 0, 0, 0),
    CALL(close_range, GHOST, FALSE, PLAIN, 0xfffffffeu, 0xffffffffu, 0),
    CALL(getrandom, GHOST | LIVE, FALSE, PLAIN, BAD, 0, 0),
    CALL(getrlimit, GHOST, FALSE, PLAIN, RLIMIT_NOFILE, BAD),
    CALL(setrlimit, GHOST, FALSE, PLAIN, RLIMIT_CORE, BAD),
    CALL(setpriority, GHOST, FALSE, PLAIN, 99, 0, 0),
    CALL(unlink, GHOST | LIVE, FALSE, PLAIN, BAD),
    CALL(read, GHOST | LIVE, TRUE, PLAIN, -1ull, 0, 0),
    CALL(process_vm_readv, GHOST | LIVE, FALSE, PLAIN, G_MAXINT32, 0, 0, 0, 0, 0),

    CALL(access, LIVE, TRUE, PLAIN, BAD, 0),
    CALL(rt_sigtimedwait, LIVE, FALSE, PLAIN, BAD, 0, BAD, 8),
    /* pthread_create, and the end of its thread */
    CALL(clone3, LIVE, FALSE, NEVER, BAD, 88),
    CALL(clone, LIVE, FALSE, NEVER, 0x3d0f00),
    CALL(set_robust_list, LIVE, FALSE, PLAIN, BAD, 0),
    CALL(rseq, LIVE, FALSE, NEVER, BAD, 32, 0, 0x53053053),
    CALL(sched_getaffinity, LIVE, FALSE, PLAIN, 0, 0, BAD), /* 3.14+ asks pthread_getattr_np() for its stack */
    CALL(futex, LIVE, TRUE, PLAIN, 0, 129, 1),
};

static gboolean
is_made(const Call *c, InjConfineWork work)
{
    return (c->who & (work == INJ_CONFINE_FORK ? STUB | GHOST : LIVE)) != 0;
}

/* Of calls that only the copy makes. */
static const char *
victim(const Call *c, InjConfineWork work)
{
    return work == INJ_CONFINE_FORK && !(c->who & STUB) ? "its copy" : "it";
}

char *
inj_confine_judge(const GPtrArray *programs, InjConfineWork work)
{
    for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
        const Call *c = &calls[i];
        struct seccomp_data data = {.nr = c->number, .arch = AUDIT_ARCH_X86_64, .instruction_pointer = 0x7f0000000000};
        if (!is_made(c, work))
            continue;
        memcpy(data.args, c->args, sizeof data.args);
        guint32 action = inj_seccomp_decide_all(programs, &data);
        if (action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG)
            continue;
        if (action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRACE) { /* nobody traces it: ENOSYS */
            if (c->needed)
                return g_strdup_printf("does not let %s call %s()", victim(c, work), c->name);
        } else if (action == SECCOMP_RET_USER_NOTIF) {
            return g_strdup_printf("has another process decide about %s()", c->name);
        } else
            return g_strdup_printf("would kill %s at %s()", victim(c, work), c->name);
    }
    return NULL;
}

/* -errno. The child of a thread-like clone shares this stack, and so touches none: it ends at once. */
static long
bare_clone(guint64 flags)
{
    long result;

    __asm__ volatile("xor %%r10d, %%r10d\n"
                     "xor %%r8d, %%r8d\n"
                     "syscall\n"
                     "test %%rax, %%rax\n"
                     "jnz 1f\n"
                     "mov %[exit], %%eax\n"
                     "xor %%edi, %%edi\n"
                     "syscall\n"
                     "1:\n"
                     : "=a"(result)
                     : "a"(SYS_clone), "D"(flags), "S"(0), "d"(0), [exit] "i"(SYS_exit)
                     : "rcx", "r8", "r10", "r11", "memory");
    return result;
}

static long
try_call(const Call *c)
{
    if (c->trial == THREAD)
        return bare_clone(c->args[0]);
    if (c->trial == CLONE) {
        long pid = bare_clone(c->args[0]);
        if (pid > 0)
            waitpid((pid_t)pid, NULL, __WALL);
        return pid;
    }
    long r = syscall(c->number, c->args[0], c->args[1], c->args[2], c->args[3], c->args[4], c->args[5]);
    return r < 0 ? -errno : r;
}

/* In a child: the number of the call in hand goes ahead of it, negative when it failed as calls fail that are forbidden. */
static void G_GNUC_NORETURN
try_all(InjConfineWork work, int out)
{
    struct rlimit none = {0, 0};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGSYS, SIG_DFL);
    for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
        const Call *c = &calls[i];
        gint32 word = (gint32)i + 1;
        if (!is_made(c, work) || c->trial == NEVER)
            continue;
        if (write(out, &word, sizeof word) != sizeof word)
            _exit(1);
        long r = try_call(c);
        if (c->needed && (r == -EPERM || r == -EACCES || r == -ENOSYS)) {
            word = -word;
            if (write(out, &word, sizeof word) != sizeof word)
                _exit(1);
            _exit(0);
        }
    }
    _exit(0);
}

char *
inj_confine_try(InjConfineWork work)
{
    gint32 word = 0, last = 0;
    int ends[2], status = 0;

    if (pipe(ends) != 0)
        return g_strdup("could not be tried out");
    pid_t pid = fork();
    if (pid == 0)
        try_all(work, ends[1]);
    close(ends[1]);
    while (pid > 0 && TEMP_FAILURE_RETRY(read(ends[0], &word, sizeof word)) == sizeof word)
        last = word;
    close(ends[0]);
    if (pid < 0 || TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) != pid || last == 0)
        return g_strdup("could not be tried out");
    const Call *c = &calls[ABS(last) - 1];
    if (last < 0)
        return g_strdup_printf("does not let %s call %s()", victim(c, work), c->name);
    if (!WIFEXITED(status))
        return g_strdup_printf("would kill %s at %s()", victim(c, work), c->name);
    return NULL;
}

/* What status says of a thread's seccomp: mode in the low byte, the number of its filters (0 unknown) above. */
static guint64
confinement(const InjTarget *t, const char *name)
{
    g_autofree char *status = inj_target_proc(t, name, NULL);
    guint64 mode = 0, n = 0;

    if (status == NULL || !inj_status_field(status, "Seccomp", 10, &mode))
        return 0;
    inj_status_field(status, "Seccomp_filters", 10, &n);
    return n << 8 | mode;
}

static gboolean
refuse(const InjTarget *t, const char *why, GError **error)
{
    g_set_error(error, INJ_ERROR, INJ_ERROR_PERMISSION,
                "process %d (%s) runs under a seccomp filter that %s: it cannot be dumped; start it with a filter that "
                "allows that",
                (int)t->pid, t->comm, why);
    return FALSE;
}

static gboolean
refuse_unknown(const InjTarget *t, GError **error)
{
    g_set_error(error, INJ_ERROR, INJ_ERROR_PERMISSION,
                "process %d (%s) runs under a seccomp filter that may not be read from here, and that might kill it: "
                "run this on the host as root",
                (int)t->pid, t->comm);
    return FALSE;
}

/* One thread, as representative of all with the same confinement. */
static gboolean
check_thread(const InjTarget *t, pid_t tid, guint64 kind, InjConfineWork work, GError **error)
{
    g_autofree char *why = NULL;

    if ((kind & 255) == SECCOMP_MODE_STRICT)
        return refuse(t, "is the strict one, which kills at the first unusual system call", error);
    if (inj_seccomp_may_read()) {
        g_autoptr(GPtrArray) programs = inj_seccomp_read(tid);
        if (programs != NULL) {
            why = inj_confine_judge(programs, work);
            return why == NULL || refuse(t, why, error);
        }
        if (errno == ESRCH) /* the thread has ended */
            return TRUE;
    }
    /* Inside its container we stand under the container's filter as it does; what it has added itself shows in the number. */
    g_autofree char *ours = inj_proc_read(AT_FDCWD, "/proc/self/status", NULL);
    guint64 n;
    if (ours == NULL || kind >> 8 == 0 || !inj_status_field(ours, "Seccomp_filters", 10, &n) || n != kind >> 8)
        return refuse_unknown(t, error);
    why = inj_confine_try(work);
    return why == NULL || refuse(t, why, error);
}

gboolean
inj_confine_check(const InjTarget *t, InjConfineWork work, GError **error)
{
    g_autoptr(GArray) threads = inj_target_threads(t);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);

    for (guint i = 0; i < threads->len; i++) {
        pid_t tid = g_array_index(threads, pid_t, i);
        g_autofree char *name = g_strdup_printf("task/%d/status", (int)tid);
        guint64 kind = confinement(t, name);
        if ((kind & 255) == 0 || g_hash_table_contains(seen, &kind))
            continue;
        if (!check_thread(t, tid, kind, work, error))
            return FALSE;
        g_hash_table_add(seen, g_memdup2(&kind, sizeof kind));
    }
    return TRUE;
}
