// SPDX-License-Identifier: MIT
#include "ghost.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "headless.h"
#include "memory.h"
#include "procfs.h"
#include "script.h"
#include "selinux.h"
#include "stub.h"

enum { PAGE = 4096, WAIT_MS = 30000, FILE_MAX = 256, APPEAR_US = 2 * G_USEC_PER_SEC };

/* The ghost's mapping: blob, arguments, stack. */
typedef struct {
    guint64 args_at, size;
} Layout;

static Layout
layout_of(gsize blob_size)
{
    guint64 code = (blob_size + PAGE - 1) & ~(guint64)(PAGE - 1);
    guint64 args = (sizeof(struct wk_args) + PAGE - 1) & ~(guint64)(PAGE - 1);

    return (Layout){.args_at = code, .size = code + args + INJ_WALK_STACK};
}

/*
 * A signal that the target does not catch and that does nothing by default: by it the stub tells GDB that the fork is done. If
 * GDB has died meanwhile, nothing happens.
 */
static int
choose_signal(const InjTarget *t)
{
    static const int harmless[] = {SIGURG, SIGWINCH, SIGCONT, SIGCHLD};

    for (gsize i = 0; i < G_N_ELEMENTS(harmless); i++) {
        guint64 bit = 1ull << (harmless[i] - 1);
        if (!((t->caught | t->pending) & bit))
            return harmless[i];
    }
    return 0;
}

/*
 * Where SELinux withholds execmem (a web server's workers), only what is a file's may be executed. The ghost then maps the interpreter's own file, which the
 * target executes anyway, once more for itself, and the walker is written over that: a private copy, which the kernel lets a debugger make. "": there is none.
 */
static const char *
executable_file(const InjTarget *t, guint64 size)
{
    const char *path = t->python.module->path;

    for (guint i = 0; i < t->maps->len && strlen(path) < FILE_MAX; i++) {
        const InjMapping *m = &g_array_index(t->maps, InjMapping, i);
        if (!m->deleted && strcmp(m->path, path) == 0 && m->offset + (m->end - m->start) >= size)
            return path;
    }
    return "";
}

static gboolean
find_cave(InjTarget *t, InjStubParams *p, InjCave *cave, GError **error)
{
    gsize size = inj_stub_table()->size + 1;

    if (*p->file == '\0' || !inj_cave_find(t, size + strlen(p->file), cave, NULL)) {
        p->file = "";
        if (!inj_cave_find(t, size, cave, error))
            return FALSE;
    }
    cave->size = size + strlen(p->file);
    return TRUE;
}

/* Everything that the fork needs to know; reads the target only. */
static gboolean
prepare(InjRun *run, const char *nonce, gsize blob_size, InjCave *cave, InjForkScript *s, GBytes **stub, GError **error)
{
    InjTarget *t = run->target;
    Layout l = layout_of(blob_size);
    guint64 addr, rseq = 0;

    inj_target_reload_status(t); /* handlers may have changed since */
    *s = (InjForkScript){
        .pid = t->pid,
        .signal = choose_signal(t),
        .stamp = g_ascii_strtoull(nonce, NULL, 16) | 1ull << 32,
        .runtime = t->python.runtime,
        .gil = inj_gil_facts(t->python.minor, t->python.free_threaded),
    };
    g_assert(s->gil != NULL);
    if (s->signal == 0) {
        g_set_error(
            error, INJ_ERROR, INJ_ERROR_FAILED,
            "process %d catches SIGURG, SIGWINCH, SIGCONT and SIGCHLD: no signal is left that would not disturb it",
            (int)t->pid);
        return FALSE;
    }
    if (inj_target_symbol(t, "__rseq_offset", &addr) && inj_target_read(t, addr, &rseq, sizeof rseq)) {
        s->has_rseq = TRUE;
        s->rseq_offset = rseq;
    }
    InjStubParams p = {
        .map_size = l.size,
        .code_size = l.args_at,
        .stamp = s->stamp,
        .wait_ms = WAIT_MS,
        .signal = s->signal,
        .nonce = nonce,
        .file = executable_file(t, l.args_at),
    };
    if (!find_cave(t, &p, cave, error))
        return FALSE;
    s->stub = cave->addr;
    *stub = inj_stub_build(&p);
    return TRUE;
}

static gboolean
judge(InjRun *run, const char *output, GError **error)
{
    gint64 ghost, reaper, ns, any;

    if (inj_session_value(output, "forked", 0, &ghost) && inj_session_value(output, "forked", 1, &reaper) &&
        inj_session_value(output, "forked", 2, &ns)) {
        inj_guard_set_entered(run->guard);
        gint64 failed = ghost < 0 ? ghost : reaper < 0 ? reaper : 0;
        run->fork_us = ns / 1000;
        if (failed == 0)
            return TRUE;
        /* Where a limit on processes is reached no thread for an inline walk can be made either. */
        if (failed == -ENOMEM)
            g_set_error(error, INJ_ERROR, INJ_ERROR_FORK_REFUSED,
                        "the kernel refuses a copy of process %d: too little memory for its rules "
                        "(vm.overcommit_memory, memory limits)",
                        (int)run->target->pid);
        else
            g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "the kernel refuses a copy of process %d (%s)%s",
                        (int)run->target->pid, g_strerror((int)-failed),
                        failed == -EAGAIN
                            ? ": raise the limit on processes (ulimit -u of its user, pids.max of its control group)"
                            : "");
        if (failed == -EACCES)
            inj_selinux_explain(run->target->pid, "fork", error);
    } else if (inj_session_value(output, "moved", 0, &any))
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "process %d executes another program by now",
                    (int)run->target->pid);
    else if (inj_session_value(output, "handover", 0, &any))
        g_set_error(error, INJ_ERROR, INJ_ERROR_INCONSISTENT,
                    "the threads of process %d were just handing over the GIL", (int)run->target->pid);
    else
        inj_session_explain(run->target, output, error);
    return FALSE;
}

static pid_t
find_ghost(const InjTarget *t, const char *name)
{
    for (gint64 end = g_get_monotonic_time() + APPEAR_US; g_get_monotonic_time() < end; g_usleep(500)) {
        g_autoptr(GArray) children = inj_target_children(t);
        for (guint i = 0; i < children->len; i++) {
            pid_t pid = g_array_index(children, pid_t, i);
            g_autofree char *file = g_strdup_printf("/proc/%d/comm", (int)pid);
            g_autofree char *comm = inj_proc_read(AT_FDCWD, file, NULL);
            if (comm != NULL && strcmp(g_strchomp(comm), name) == 0)
                return pid;
        }
    }
    return 0;
}

/* It gives way to everybody, dies first when memory runs out, leaves no core file. All optional. */
static void
humble(const InjOptions *o, pid_t pid)
{
    g_autofree char *file = g_strdup_printf("/proc/%d/oom_score_adj", (int)pid);
    struct rlimit core = {1, 1}; /* 1 also keeps a core handler in user space away, 0 does not */
    int fd = open(file, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "1000", 4) != 4)
        inj_debug(o, "cannot set %s: %s", file, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    if (setpriority(PRIO_PROCESS, (id_t)pid, 10) != 0)
        inj_debug(o, "cannot set the ghost's priority: %s", g_strerror(errno));
    if (prlimit(pid, RLIMIT_CORE, &core, NULL) != 0)
        inj_debug(o, "cannot set the ghost's limits: %s", g_strerror(errno));
}

static gboolean
fork_session(InjRun *run, const InjForkScript *s, GError **error)
{
    gboolean headless = run->target->view != run->target->pid;
    g_autofree char *script = inj_script_fork(s);
    const InjSession session = {
        .gdb = run->options->gdb,
        .timeout_us = (gint64)(run->options->timeout * G_USEC_PER_SEC),
        .target = run->target,
        .guard = run->guard,
        .verbose = run->options->verbose,
    };
    InjSessionResult r = {0};
    gint64 us, sp;
    gboolean ok = headless ? inj_headless_fork(run, s, &r.output, error) : inj_session_run(&session, script, &r, error);

    if (!headless && inj_session_command_time(r.output, &us))
        run->pause_us = us;
    if (inj_session_value(r.output, "thread", 4, &sp))
        inj_guard_set_mark(run->guard, (guint64)sp - INJ_STUB_MARK, s->stamp);
    ok = ok && judge(run, r.output, error);
    inj_session_result_clear(&r);
    return ok;
}

gboolean
inj_ghost_fork(InjRun *run, gsize blob_size, InjGhost *out, GError **error)
{
    const char *nonce = inj_guard_nonce(run->guard);
    g_autofree char *name = inj_stub_ghost_name(nonce);
    g_autoptr(GBytes) stub = NULL;
    InjForkScript s;
    gsize n;

    *out = (InjGhost){.pidfd = -1};
    if (!inj_memory_check(run->target, FALSE, error) || !prepare(run, nonce, blob_size, &out->cave, &s, &stub, error))
        return FALSE;
    inj_guard_set_cave(run->guard, &out->cave);
    const void *bytes = g_bytes_get_data(stub, &n);
    if (!inj_target_write(run->target, out->cave.addr, bytes, n)) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_PERMISSION, "cannot write to the memory of process %d: %s",
                    (int)run->target->pid, g_strerror(errno));
        return FALSE;
    }
    gboolean ok = fork_session(run, &s, error);
    out->time_us = g_get_real_time();
    if (ok && (out->pid = find_ghost(run->target, name)) == 0) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    inj_target_alive(run->target)
                        ? "the copy of process %d is gone already: was it killed for lack of memory?"
                        : "process %d ended meanwhile",
                    (int)run->target->pid);
        ok = FALSE;
    }
    if (!ok) {
        inj_guard_clean_target(run->guard, NULL);
        return FALSE;
    }
    inj_guard_set_ghost(run->guard, out->pid);
    out->pidfd = (int)syscall(SYS_pidfd_open, out->pid, 0);
    humble(run->options, out->pid);
    inj_debug(run->options, "ghost %d, target stood still for %.1f ms, %.1f ms of that for the fork", (int)out->pid,
              (double)run->pause_us / 1000, (double)run->fork_us / 1000);
    return TRUE;
}

void
inj_ghost_clear(InjGhost *ghost)
{
    if (ghost->pidfd >= 0)
        close(ghost->pidfd);
    ghost->pidfd = -1;
    ghost->pid = 0;
}

static char *
run_script(pid_t pid, const InjCave *cave, gsize blob_size)
{
    Layout l = layout_of(blob_size);
    g_autofree char *blob = inj_session_file(0), *args = inj_session_file(1);

    return inj_script_run(&(InjRunScript){
        .pid = pid,
        .cave = cave->addr,
        .cave_end = cave->addr + cave->size,
        .blob = blob,
        .args = args,
        .args_at = l.args_at,
        .base_at = offsetof(struct wk_args, blob_base),
        .orders_at = l.size - INJ_STUB_ORDERS,
    });
}

gboolean
inj_ghost_start(InjRun *run, const InjGhost *ghost, const struct wk_args *args, GBytes *blob, GError **error)
{
    gsize size = g_bytes_get_size(blob);
    struct wk_args full = *args;
    g_autofree char *script = run_script(ghost->pid, &ghost->cave, size);
    g_autoptr(GBytes) args_bytes = NULL;
    InjSessionResult r = {0};
    gint64 base = 0, error_code = 0;

    full.mapping_size = layout_of(size).size;
    args_bytes = g_bytes_new(&full, sizeof full);
    const InjSession session = {
        .gdb = run->options->gdb,
        .timeout_us = (gint64)(run->options->timeout * G_USEC_PER_SEC),
        .files = {blob, args_bytes},
        .guard = run->guard,
        .verbose = run->options->verbose,
    };
    gboolean ok = inj_session_run(&session, script, &r, error);
    if (ok && !inj_session_value(r.output, "run", 0, &base)) {
        ok = FALSE;
        if (inj_session_value(r.output, "nomap", 0, &base) && inj_session_value(r.output, "nomap", 1, &error_code)) {
            g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "the copy of process %d could not map memory: %s",
                        (int)run->target->pid, g_strerror((int)-(base < 0 ? base : error_code)));
            inj_selinux_explain(run->target->pid, "execmem", error);
        } else
            g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                        "the copy of process %d was lost before the walk: was it killed for lack of memory? --verbose "
                        "shows what GDB says",
                        (int)run->target->pid);
    }
    inj_session_result_clear(&r);
    return ok;
}

char *
inj_ghost_scripts(InjRun *run, gsize blob_size, GError **error)
{
    g_autoptr(GBytes) stub = NULL;
    InjForkScript s;
    InjCave cave;

    if (run->target->view != run->target->pid) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "there is no script for process %d (%s): its main thread has ended, and GDB cannot attach to the "
                    "others as to one process; they are held without GDB when it is dumped",
                    (int)run->target->pid, run->target->comm);
        return NULL;
    }
    if (!prepare(run, "00000000", blob_size, &cave, &s, &stub, error))
        return NULL;
    g_autofree char *fork = inj_script_fork(&s), *go = run_script(0, &cave, blob_size);
    g_autofree char *first = inj_session_describe(run->options->gdb, fork);
    g_autofree char *second = inj_session_describe(run->options->gdb, go);
    return g_strdup_printf("%s\n%s", first, second);
}
