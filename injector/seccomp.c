// SPDX-License-Identifier: MIT
#include "seccomp.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ptrace.h>
#include "hold.h"
#include "procfs.h"

enum { CAP_ADMIN = 21, PROGRAMS_MAX = 256 };

/* The subset of BPF that the kernel lets filters use (seccomp_check_filter): no packets, words only, jumps only forward. */
typedef struct {
    guint32 a, x, memory[BPF_MEMWORDS];
} Machine;

static gboolean
load(Machine *m, const struct sock_filter *i, const struct seccomp_data *call)
{
    gboolean to_x = BPF_CLASS(i->code) == BPF_LDX;
    guint32 value;

    switch (BPF_MODE(i->code)) {
    case BPF_ABS:
        if (to_x || i->k % 4 != 0 || i->k > sizeof *call - 4)
            return FALSE;
        memcpy(&value, (const char *)call + i->k, 4);
        break;
    case BPF_IMM:
        value = i->k;
        break;
    case BPF_MEM:
        if (i->k >= BPF_MEMWORDS)
            return FALSE;
        value = m->memory[i->k];
        break;
    case BPF_LEN:
        value = sizeof *call;
        break;
    default:
        return FALSE;
    }
    *(to_x ? &m->x : &m->a) = value;
    return TRUE;
}

static gboolean
calculate(Machine *m, const struct sock_filter *i)
{
    guint32 by = BPF_SRC(i->code) == BPF_X ? m->x : i->k;

    switch (BPF_OP(i->code)) {
    case BPF_ADD:
        m->a += by;
        return TRUE;
    case BPF_SUB:
        m->a -= by;
        return TRUE;
    case BPF_MUL:
        m->a *= by;
        return TRUE;
    case BPF_DIV:
        m->a = by != 0 ? m->a / by : 0;
        return by != 0; /* ends the program with 0, which is to kill */
    case BPF_AND:
        m->a &= by;
        return TRUE;
    case BPF_OR:
        m->a |= by;
        return TRUE;
    case BPF_XOR:
        m->a ^= by;
        return TRUE;
    case BPF_LSH:
        m->a = m->a << (by & 31);
        return TRUE;
    case BPF_RSH:
        m->a = m->a >> (by & 31);
        return TRUE;
    case BPF_NEG:
        m->a = -m->a;
        return TRUE;
    default:
        return FALSE;
    }
}

/* How far to jump beyond the next instruction; FALSE: no such jump. */
static gboolean
jump(const Machine *m, const struct sock_filter *i, guint32 *by)
{
    guint32 with = BPF_SRC(i->code) == BPF_X ? m->x : i->k;
    gboolean holds;

    switch (BPF_OP(i->code)) {
    case BPF_JA:
        *by = i->k;
        return TRUE;
    case BPF_JEQ:
        holds = m->a == with;
        break;
    case BPF_JGT:
        holds = m->a > with;
        break;
    case BPF_JGE:
        holds = m->a >= with;
        break;
    case BPF_JSET:
        holds = (m->a & with) != 0;
        break;
    default:
        return FALSE;
    }
    *by = holds ? i->jt : i->jf;
    return TRUE;
}

guint32
inj_seccomp_decide(const struct sock_filter *program, gsize n, const struct seccomp_data *call)
{
    Machine m = {0};

    for (gsize at = 0; at < n; at++) { /* only forward, so it ends */
        const struct sock_filter *i = &program[at];
        guint32 by = 0;
        gboolean valid;
        switch (BPF_CLASS(i->code)) {
        case BPF_LD:
        case BPF_LDX:
            valid = load(&m, i, call);
            break;
        case BPF_ST:
        case BPF_STX:
            valid = i->k < BPF_MEMWORDS;
            if (valid)
                m.memory[i->k] = BPF_CLASS(i->code) == BPF_ST ? m.a : m.x;
            break;
        case BPF_ALU:
            valid = calculate(&m, i);
            break;
        case BPF_JMP:
            valid = jump(&m, i, &by) && by < n - at;
            at += by;
            break;
        case BPF_RET:
            return BPF_RVAL(i->code) == BPF_A ? m.a : i->k;
        default: /* BPF_MISC */
            valid = TRUE;
            if (BPF_MISCOP(i->code) == BPF_TAX)
                m.x = m.a;
            else
                m.a = m.x;
            break;
        }
        if (!valid)
            break;
    }
    return SECCOMP_RET_KILL_THREAD;
}

guint32
inj_seccomp_decide_all(const GPtrArray *programs, const struct seccomp_data *call)
{
    guint32 least = SECCOMP_RET_ALLOW;

    for (guint i = 0; i < programs->len; i++) {
        const GArray *p = g_ptr_array_index(programs, i);
        guint32 action =
            inj_seccomp_decide(&g_array_index(p, struct sock_filter, 0), p->len, call) & SECCOMP_RET_ACTION_FULL;
        if ((gint32)action < (gint32)least) /* signed: KILL_PROCESS is the lowest */
            least = action;
    }
    return least;
}

gboolean
inj_seccomp_may_read(void)
{
    g_autofree char *status = inj_proc_read(AT_FDCWD, "/proc/self/status", NULL);
    guint64 caps, mode;

    return status != NULL && inj_status_field(status, "CapEff", 16, &caps) && (caps >> CAP_ADMIN & 1) &&
           (!inj_status_field(status, "Seccomp", 10, &mode) || mode == 0);
}

static GArray *
read_program(pid_t tid, guint index)
{
    long n = ptrace(PTRACE_SECCOMP_GET_FILTER, tid, (void *)(gsize)index, NULL);

    if (n < 0)
        return NULL;
    g_autoptr(GArray) program = g_array_sized_new(FALSE, TRUE, sizeof(struct sock_filter), (guint)MIN(n, BPF_MAXINSNS));
    g_array_set_size(program, (guint)MIN(n, BPF_MAXINSNS));
    if (n == 0 || n > BPF_MAXINSNS) {
        errno = EINVAL;
        return NULL;
    }
    if (ptrace(PTRACE_SECCOMP_GET_FILTER, tid, (void *)(gsize)index, program->data) < 0)
        return NULL;
    return g_steal_pointer(&program);
}

typedef struct {
    pid_t tid;
    GPtrArray *programs;
    int failed; /* errno */
} Reading;

static void
read_all(gpointer data)
{
    Reading *r = data;
    InjHold hold;

    if (!inj_hold_begin(r->tid, &hold)) {
        r->failed = errno;
        return;
    }
    if (!inj_hold_wait(&hold))
        r->failed = errno;
    while (r->failed == 0 && r->programs->len < PROGRAMS_MAX) {
        GArray *program = read_program(r->tid, r->programs->len);
        if (program != NULL)
            g_ptr_array_add(r->programs, program);
        else
            r->failed = errno;
    }
    inj_hold_release(&hold);
    if (r->failed == ENOENT) /* no more of them */
        r->failed = 0;
}

GPtrArray *
inj_seccomp_read(pid_t tid)
{
    g_autoptr(GPtrArray) programs = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    Reading r = {.tid = tid, .programs = programs};

    inj_hold_apart(read_all, &r);
    if (r.failed == 0)
        return g_steal_pointer(&programs);
    errno = r.failed;
    return NULL;
}
