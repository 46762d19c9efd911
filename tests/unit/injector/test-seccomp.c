// SPDX-License-Identifier: MIT
/* The interpreter of seccomp filters against the kernel's own, by programs at random; and trying out what cannot be read. */
#include <errno.h>
#include <glib.h>
#include <linux/audit.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "confine.h"
#include "seccomp.h"

enum { ROUNDS = 400, LENGTH_MAX = 60, KILLED = 256 };

static struct sock_filter
op(guint code, guint32 k)
{
    return (struct sock_filter){.code = (guint16)code, .k = k};
}

/* Anything that the kernel lets in; it ends with an error number below 128. */
static guint
make_program(GRand *r, struct sock_filter *p)
{
    static const guint alu[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_AND,
                                BPF_OR,  BPF_XOR, BPF_LSH, BPF_RSH, BPF_NEG};
    static const guint jumps[] = {BPF_JA, BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
    guint n = 0, length = (guint)g_rand_int_range(r, 25, LENGTH_MAX - 6);

    p[n++] = op(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    p[n] = op(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid);
    p[n++].jt = 1;
    p[n++] = op(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    for (guint i = 0; i < BPF_MEMWORDS; i++) /* none may be read before it is written */
        p[n++] = op(i % 2 ? BPF_ST : BPF_STX, i);
    while (n < length) {
        guint32 k = g_rand_boolean(r) ? g_rand_int(r) : (guint32)g_rand_int_range(r, 0, 9);
        guint what = alu[g_rand_int_range(r, 0, G_N_ELEMENTS(alu))];
        guint source = g_rand_boolean(r) ? BPF_X : BPF_K;
        switch (g_rand_int_range(r, 0, 8)) {
        case 0:
        case 1: /* not the address of the call, which differs */
            p[n++] = op(BPF_LD | BPF_W | BPF_ABS, 16 + 4 * (guint32)g_rand_int_range(r, 0, 12));
            break;
        case 2:
            p[n++] = op((g_rand_boolean(r) ? BPF_LD : BPF_LDX) | BPF_MEM, k % BPF_MEMWORDS);
            break;
        case 3:
            p[n++] = op((g_rand_boolean(r) ? BPF_LD : BPF_LDX) | (g_rand_boolean(r) ? BPF_IMM : BPF_LEN), k);
            break;
        case 4:
            p[n++] = op(g_rand_boolean(r) ? BPF_ST : BPF_STX, k % BPF_MEMWORDS);
            break;
        case 5:
            p[n++] = op(BPF_MISC | (g_rand_boolean(r) ? BPF_TAX : BPF_TXA), 0);
            break;
        case 6:
            if (what == BPF_LSH || what == BPF_RSH)
                k %= 32;
            if (what == BPF_DIV && k == 0)
                k = 3;
            p[n++] = op(what == BPF_NEG ? BPF_ALU | BPF_NEG : BPF_ALU | what | source, source == BPF_X ? 0 : k);
            break;
        default:
            what = jumps[g_rand_int_range(r, 0, G_N_ELEMENTS(jumps))];
            p[n] = op(BPF_JMP | what | (what == BPF_JA ? BPF_K : source), what == BPF_JA    ? k % (length - n)
                                                                          : source == BPF_X ? 0
                                                                                            : k);
            if (what != BPF_JA) {
                p[n].jt = (guint8)g_rand_int_range(r, 0, (gint32)(length - n));
                p[n].jf = (guint8)g_rand_int_range(r, 0, (gint32)(length - n));
            }
            n++;
        }
    }
    p[n++] = op(BPF_ALU | BPF_AND | BPF_K, 127);
    p[n++] = op(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO);
    p[n++] = op(BPF_RET | BPF_A, 0);
    return n;
}

static gboolean
confine(struct sock_filter *p, guint n)
{
    struct sock_fprog program = {.len = (unsigned short)n, .filter = p};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* What the kernel makes of it: the error number, KILLED, -1 it does not take it. */
static int
ask_kernel(struct sock_filter *p, guint n, const guint64 *a)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        if (!confine(p, n))
            _exit(255);
        errno = 0;
        syscall(SYS_getppid, a[0], a[1], a[2], a[3], a[4], a[5]);
        _exit(errno);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return !WIFEXITED(status) ? KILLED : WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}

static void
test_random(void)
{
    g_autoptr(GRand) r = g_rand_new_with_seed((guint32)g_test_rand_int());
    guint killed = 0, different = 0;

    for (guint i = 0; i < ROUNDS; i++) {
        struct sock_filter p[LENGTH_MAX];
        struct seccomp_data call = {.nr = SYS_getppid, .arch = AUDIT_ARCH_X86_64};
        guint n = make_program(r, p);
        for (guint a = 0; a < 6; a++)
            call.args[a] =
                g_rand_boolean(r) ? (guint64)g_rand_int(r) << 32 | g_rand_int(r) : (guint64)g_rand_int_range(r, 0, 5);
        int real = ask_kernel(p, n, (const guint64 *)call.args);
        guint32 ours = inj_seccomp_decide(p, n, &call);
        g_assert_cmpint(real, >=, 0);
        g_assert_cmpint(ours == SECCOMP_RET_KILL_THREAD ? KILLED : (int)(ours & SECCOMP_RET_DATA), ==, real);
        killed += real == KILLED;
        different += real > 0;
    }
    g_test_message("%u killed, %u with an error", killed, different);
    g_assert_cmpuint(different, >, ROUNDS / 4); /* they are not all the same */
}

static void
test_malformed(void)
{
    const struct seccomp_data call = {.nr = 1};
    const struct sock_filter no_end[] = {op(BPF_LD | BPF_IMM, 1)};
    const struct sock_filter far_load[] = {op(BPF_LD | BPF_W | BPF_ABS, 4096), op(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_filter far_jump[] = {op(BPF_JMP | BPF_JA, 0xffffffff), op(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_filter far_store[] = {op(BPF_ST, 16), op(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};

    g_assert_cmphex(inj_seccomp_decide(NULL, 0, &call), ==, SECCOMP_RET_KILL_THREAD);
    g_assert_cmphex(inj_seccomp_decide(no_end, 1, &call), ==, SECCOMP_RET_KILL_THREAD);
    g_assert_cmphex(inj_seccomp_decide(far_load, 2, &call), ==, SECCOMP_RET_KILL_THREAD);
    g_assert_cmphex(inj_seccomp_decide(far_jump, 2, &call), ==, SECCOMP_RET_KILL_THREAD);
    g_assert_cmphex(inj_seccomp_decide(far_store, 2, &call), ==, SECCOMP_RET_KILL_THREAD);
}

static void
add(GPtrArray *programs, guint32 number, guint32 action)
{
    struct sock_filter p[] = {op(BPF_LD | BPF_W | BPF_ABS, 0), op(BPF_JMP | BPF_JEQ | BPF_K, number),
                              op(BPF_RET | BPF_K, action), op(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    GArray *a = g_array_new(FALSE, FALSE, sizeof *p);

    p[1].jf = 1;
    g_array_append_vals(a, p, G_N_ELEMENTS(p));
    g_ptr_array_add(programs, a);
}

static void
test_judge(void)
{
    static const struct {
        guint32 number, action;
        const char *fork, *live;
    } cases[] = {
        {SYS_clone, SECCOMP_RET_KILL_PROCESS, "would kill it at clone()", "would kill it at clone()"},
        {SYS_clone, SECCOMP_RET_ERRNO | 1, "does not let it call clone()", NULL},
        {SYS_wait4, SECCOMP_RET_TRAP, "would kill it at wait4()", NULL},
        {SYS_close_range, SECCOMP_RET_ERRNO | 38, NULL, NULL},
        {SYS_close_range, SECCOMP_RET_KILL_THREAD, "would kill its copy at close_range()", NULL},
        {SYS_mmap, SECCOMP_RET_USER_NOTIF, "has another process decide about mmap()",
         "has another process decide about mmap()"},
        {SYS_munmap, SECCOMP_RET_TRACE, "does not let its copy call munmap()", "does not let it call munmap()"},
        {SYS_access, SECCOMP_RET_KILL_THREAD, NULL, "would kill it at access()"},
        {SYS_execve, SECCOMP_RET_KILL_PROCESS, NULL, NULL},
        {SYS_clone, SECCOMP_RET_LOG, NULL, NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) programs = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
        g_autofree char *fork_says = NULL, *live_says = NULL;
        g_assert_null(inj_confine_judge(programs, INJ_CONFINE_FORK));
        add(programs, SYS_socket, SECCOMP_RET_KILL_PROCESS);
        add(programs, cases[i].number, cases[i].action);
        add(programs, SYS_clone, SECCOMP_RET_LOG);
        fork_says = inj_confine_judge(programs, INJ_CONFINE_FORK);
        live_says = inj_confine_judge(programs, INJ_CONFINE_LIVE);
        g_assert_cmpstr(fork_says, ==, cases[i].fork);
        g_assert_cmpstr(live_says, ==, cases[i].live);
    }
}

/* Under a filter of our own, in a child: it must say the same as when the filter is read. */
static void
try_under(guint32 number, guint32 action, const char *expected)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct sock_filter p[] = {op(BPF_LD | BPF_W | BPF_ABS, 0), op(BPF_JMP | BPF_JEQ | BPF_K, number),
                                  op(BPF_RET | BPF_K, action), op(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
        p[1].jf = 1;
        if (number != 0 && !confine(p, G_N_ELEMENTS(p)))
            _exit(2);
        g_autofree char *says = inj_confine_try(INJ_CONFINE_FORK);
        _exit(g_strcmp0(says, expected) != 0);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

static void
test_try(void)
{
    try_under(0, 0, NULL);
    try_under(SYS_execve, SECCOMP_RET_KILL_PROCESS, NULL);
    try_under(SYS_ppoll, SECCOMP_RET_KILL_PROCESS, "would kill its copy at ppoll()");
    try_under(SYS_rt_sigpending, SECCOMP_RET_ERRNO | EPERM, "does not let it call rt_sigpending()");
    try_under(SYS_close_range, SECCOMP_RET_ERRNO | EPERM, NULL);
    try_under(SYS_tgkill, SECCOMP_RET_TRAP, "would kill it at tgkill()");
    g_assert_null(inj_confine_try(INJ_CONFINE_LIVE));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/seccomp/random", test_random);
    g_test_add_func("/seccomp/malformed", test_malformed);
    g_test_add_func("/seccomp/judge", test_judge);
    g_test_add_func("/seccomp/try", test_try);
    return g_test_run();
}
