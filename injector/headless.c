// SPDX-License-Identifier: MIT
#include "headless.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include "error.h"
#include "hold.h"
#include "preflight.h"
#include "stub.h"

enum {
    ROUNDS_MAX = 100,
    RUN_US = 5 * G_USEC_PER_SEC,
    RUN_POLL_US = 20,
    STOPS_MAX = 1000,
    /* What an interrupted system call leaves in rax, negative; the kernel's numbers, which user space never sees. */
    RESTART_SYS = 512,
    RESTART_NO_HANDLER = 514,
    RESTART_BLOCK = 516,
};

static void
release_all(GArray *held)
{
    for (guint i = 0; i < held->len; i++)
        inj_hold_release(&g_array_index(held, InjHold, i));
    g_array_set_size(held, 0);
}

static gboolean
is_held(const GArray *held, pid_t tid)
{
    for (guint i = 0; i < held->len; i++) {
        if (g_array_index(held, InjHold, i).tid == tid)
            return TRUE;
    }
    return FALSE;
}

/* All threads: until a look at the list finds none that is not held, for they may start others until then. */
static gboolean
hold_all(const InjTarget *t, GArray *held, GError **error)
{
    for (guint round = 0; round < ROUNDS_MAX; round++) {
        g_autoptr(GArray) threads = inj_target_threads(t);
        guint first = held->len;
        for (guint i = 0; i < threads->len; i++) {
            InjHold h;
            pid_t tid = g_array_index(threads, pid_t, i);
            if (is_held(held, tid))
                continue;
            if (inj_hold_begin(tid, &h))
                g_array_append_val(held, h);
            else if (errno != ESRCH) {
                inj_preflight_permission(t, "trace it", errno, error);
                return FALSE;
            }
        }
        if (first == held->len)
            return TRUE;
        for (guint i = first; i < held->len; i++) {
            if (!inj_hold_wait(&g_array_index(held, InjHold, i)) && errno == ETIMEDOUT) {
                g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                            "thread %d of process %d does not stop: it hangs in the kernel (state D); try again when "
                            "it no longer does",
                            (int)g_array_index(held, InjHold, i).tid, (int)t->pid);
                return FALSE;
            }
        }
    }
    g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "process %d starts threads faster than they can be stopped",
                (int)t->pid);
    return FALSE;
}

static guint64
word(const InjTarget *t, guint64 addr)
{
    guint64 v = 0;

    return inj_target_read(t, addr, &v, sizeof v) ? v : 0;
}

/* The thread state that holds the GIL; 0 none. */
static guint64
holder_of(const InjTarget *t, const InjForkScript *s)
{
    if (s->gil->main == 0)
        return word(t, s->runtime + s->gil->current);
    guint64 gil = word(t, word(t, s->runtime + s->gil->main) + s->gil->gil);
    guint32 locked = 0;
    return inj_target_read(t, gil + s->gil->locked, &locked, sizeof locked) && locked != 0
               ? word(t, gil + s->gil->holder)
               : 0;
}

/* The one whose pthread_self() it is, any that stands if that is 0; NULL none. */
static InjHold *
choose(GArray *held, guint64 ident, struct user_regs_struct *regs)
{
    for (guint i = 0; i < held->len; i++) {
        InjHold *h = &g_array_index(held, InjHold, i);
        if (h->tid != 0 && ptrace(PTRACE_GETREGS, h->tid, NULL, regs) == 0 && (ident == 0 || regs->fs_base == ident))
            return h;
    }
    return NULL;
}

/* What the stub needs to go back: the same decisions as in the script, with the same names. */
static gboolean
tell_stub(const InjTarget *t, const InjForkScript *s, const struct user_regs_struct *regs)
{
    const InjStubTable *table = inj_stub_table();
    gint64 number = (gint64)regs->orig_rax, result = (gint64)regs->rax;
    guint64 rax = regs->rax, rip = regs->rip, rax_eintr, rip_eintr = regs->rip, section;
    guint32 restart = 0;

    if (number >= 0) {
        if (-result >= RESTART_SYS && -result <= RESTART_NO_HANDLER) {
            rip -= 2;
            rax = (guint64)number;
            restart = -result == RESTART_SYS ? 2 : -result == RESTART_NO_HANDLER ? 1 : 0;
        } else if (-result == RESTART_BLOCK) {
            rip -= 2;
            rax = SYS_restart_syscall;
            restart = 1;
        }
    }
    rax_eintr = restart != 0 ? (guint64)-EINTR : regs->rax;
    if (s->has_rseq && regs->fs_base != 0 && (section = word(t, regs->fs_base + s->rseq_offset + 8)) != 0 &&
        rip - word(t, section + 8) < word(t, section + 16))
        rip = rip_eintr = word(t, section + 24);
    return inj_target_write(t, s->stub + table->rip, &rip, sizeof rip) &&
           inj_target_write(t, s->stub + table->rax, &rax, sizeof rax) &&
           inj_target_write(t, s->stub + table->rip_eintr, &rip_eintr, sizeof rip_eintr) &&
           inj_target_write(t, s->stub + table->rax_eintr, &rax_eintr, sizeof rax_eintr) &&
           inj_target_write(t, s->stub + table->restart, &restart, sizeof restart);
}

/* Lets it run through the stub up to its signal. TRUE: it stands there, with its results in regs. */
static gboolean
run_stub(InjHold *h, const InjForkScript *s, struct user_regs_struct *regs)
{
    guint64 entry = s->stub + inj_stub_table()->entry, stop = s->stub + inj_stub_table()->stop;
    gint64 end = g_get_monotonic_time() + RUN_US;
    guint stops = 0;

    if (ptrace(PTRACE_POKEUSER, h->tid, (void *)offsetof(struct user_regs_struct, rip), (void *)(gsize)entry) != 0 ||
        ptrace(PTRACE_CONT, h->tid, NULL, (void *)(gsize)h->signal) != 0)
        return FALSE;
    h->signal = 0;
    while (stops < STOPS_MAX && g_get_monotonic_time() < end) {
        int status;
        pid_t got = waitpid(h->tid, &status, __WALL | WNOHANG);
        if (got == 0) {
            g_usleep(RUN_POLL_US);
            continue;
        }
        if (got != h->tid || !WIFSTOPPED(status)) {
            h->tid = 0;
            return FALSE;
        }
        int signal = status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status);
        if (signal == s->signal && ptrace(PTRACE_GETREGS, h->tid, NULL, regs) == 0 && regs->rip == stop)
            return TRUE;
        ptrace(PTRACE_CONT, h->tid, NULL, (void *)(gsize)signal);
        stops++;
    }
    /* It runs: to detach from it it has to stand. The stub brings it back by itself. */
    inj_hold_wait(h);
    return FALSE;
}

static void
fork_held(InjTarget *t, const InjForkScript *s, GArray *held, GString *out)
{
    struct user_regs_struct regs;
    guint64 state;

    if (word(t, s->stub + inj_stub_table()->stamp) != s->stamp) {
        g_string_append(out, "HD moved 1\n");
        return;
    }
    state = holder_of(t, s);
    InjHold *h = choose(held, state != 0 ? word(t, state + s->gil->thread_id) : 0, &regs);
    if (h == NULL) {
        g_string_append(out, "HD handover 1\n");
        return;
    }
    g_string_append_printf(out, "HD thread %d %lld %lld 0x%llx 0x%llx\n", (int)h->tid, (long long)regs.orig_rax,
                           (long long)regs.rax, regs.rip, regs.rsp);
    if (tell_stub(t, s, &regs) && run_stub(h, s, &regs))
        g_string_append_printf(out, "HD forked %lld %lld %lld\n", (long long)regs.r12, (long long)regs.r13,
                               (long long)regs.r14);
}

typedef struct {
    InjRun *run;
    const InjForkScript *script;
    GString *output;
    GError *error;
} Fork;

static void
hold_and_fork(gpointer data)
{
    Fork *f = data;
    g_autoptr(GArray) held = g_array_new(FALSE, FALSE, sizeof(InjHold));
    gint64 start = g_get_monotonic_time();

    if (hold_all(f->run->target, held, &f->error))
        fork_held(f->run->target, f->script, held, f->output);
    release_all(held);
    f->run->pause_us = g_get_monotonic_time() - start;
}

gboolean
inj_headless_fork(InjRun *run, const InjForkScript *s, char **output, GError **error)
{
    Fork f = {.run = run, .script = s, .output = g_string_new(NULL)};

    inj_hold_apart(hold_and_fork, &f);
    *output = g_string_free(f.output, FALSE);
    if (run->options->verbose)
        inj_debug(run->options, "main thread gone, forked without GDB: %s", *output);
    if (f.error == NULL)
        return TRUE;
    g_propagate_error(error, f.error);
    return FALSE;
}
