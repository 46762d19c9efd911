// SPDX-License-Identifier: MIT
#include "preflight.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "error.h"

enum { KERNEL_THREAD = 0x00200000 }; /* PF_KTHREAD */
enum { CAP_PTRACE = 19 };            /* CAP_SYS_PTRACE */

static char *
comm_of(pid_t pid)
{
    g_autofree char *name = g_strdup_printf("/proc/%d/comm", (int)pid);
    char *comm = inj_proc_read(AT_FDCWD, name, NULL);

    return comm != NULL ? g_strchomp(comm) : g_strdup("?");
}

/* Processes whose number is pid in a pid namespace of their own: what people copy out of a container. */
static char *
inner_pids(pid_t pid)
{
    g_autoptr(GArray) all = inj_proc_numbers(AT_FDCWD, "/proc");
    GString *found = g_string_new(NULL);
    guint n = 0;

    for (guint i = 0; i < all->len && n < 5; i++) {
        pid_t outer = g_array_index(all, pid_t, i);
        g_autofree char *name = g_strdup_printf("/proc/%d/status", (int)outer);
        g_autofree char *status = inj_proc_read(AT_FDCWD, name, NULL);
        const char *p = status != NULL ? strstr(status, "\nNSpid:") : NULL;
        if (p == NULL)
            continue;
        g_autofree char *line = g_strndup(p + 1, strcspn(p + 1, "\n"));
        const char *last = strrchr(line, '\t'), *first = strchr(line, '\t');
        if (last == first || atoi(last + 1) != pid)
            continue;
        g_autofree char *comm = comm_of(outer);
        g_string_append_printf(found, "%s%d (%s)", n++ ? ", " : "", (int)outer, comm);
    }
    return g_string_free(found, FALSE);
}

void
inj_preflight_no_process(pid_t pid, GError **error)
{
    g_autofree char *inner = inner_pids(pid);

    if (*inner != '\0')
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "no process %d here; inside a container %d is what this machine calls %s: give that number",
                    (int)pid, (int)pid, inner);
    else
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "no process %d: it has ended, or is not visible from here (see ps, pgrep -a python)", (int)pid);
}

static gboolean
have_ptrace_capability(void)
{
    g_autofree char *status = inj_proc_read(AT_FDCWD, "/proc/self/status", NULL);
    guint64 caps;

    return status != NULL && inj_status_field(status, "CapEff", 16, &caps) && (caps >> CAP_PTRACE & 1);
}

static int
yama_scope(void)
{
    g_autofree char *text = inj_proc_read(AT_FDCWD, "/proc/sys/kernel/yama/ptrace_scope", NULL);

    return text != NULL ? atoi(text) : 0;
}

void
inj_preflight_permission(const InjTarget *t, const char *what, int errnum, GError **error)
{
    int scope = yama_scope();
    g_autofree char *why = NULL;

    if (errnum == ESRCH || errnum == ENOENT) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "process %d ended while we looked at it", (int)t->pid);
        return;
    }
    if (errnum != EPERM && errnum != EACCES) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "cannot %s (process %d): %s", what, (int)t->pid,
                    g_strerror(errnum));
        return;
    }
    if (scope == 3)
        why = g_strdup("kernel.yama.ptrace_scope is 3, which forbids it to everybody until the next boot");
    else if (have_ptrace_capability())
        why = g_strdup("though we have CAP_SYS_PTRACE: a security module (AppArmor, SELinux) or a user namespace above "
                       "ours forbids "
                       "it; run it on the host, outside of the container, as root");
    else if (t->uid != geteuid())
        why = g_strdup_printf(
            "it belongs to user %u and you are %u; run with sudo, or in a container add --cap-add=SYS_PTRACE",
            (unsigned)t->uid, (unsigned)geteuid());
    else if (scope >= 1)
        why = g_strdup_printf("kernel.yama.ptrace_scope is %d; run with sudo%s", scope,
                              scope == 1 ? ", or let the program call prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY)" : "");
    else
        why = g_strdup("it has privileges or is marked as not dumpable; run with sudo, or in a container add "
                       "--cap-add=SYS_PTRACE");
    g_set_error(error, INJ_ERROR, INJ_ERROR_PERMISSION, "not permitted to %s (process %d, %s): %s", what, (int)t->pid,
                t->comm, why);
}

static char *
cgroup_file(const char *sys, const char *controller, const char *path, const char *file)
{
    g_autofree char *name = g_build_filename(sys, controller, path, file, NULL);

    return inj_proc_read(AT_FDCWD, name, NULL);
}

gboolean
inj_preflight_frozen(const char *cgroup, const char *sys)
{
    g_auto(GStrv) lines = g_strsplit(cgroup, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++) {
        g_auto(GStrv) f = g_strsplit(lines[i], ":", 3);
        if (g_strv_length(f) != 3)
            continue;
        if (f[1][0] == '\0') { /* version 2; beside version 1 it is mounted at unified */
            g_autofree char *text = cgroup_file(sys, "", f[2], "cgroup.events");
            if (text == NULL)
                text = cgroup_file(sys, "unified", f[2], "cgroup.events");
            if (text != NULL && strstr(text, "frozen 1") != NULL)
                return TRUE;
        } else if (strcmp(f[1], "freezer") == 0) {
            g_autofree char *text = cgroup_file(sys, "freezer", f[2], "freezer.state");
            if (text != NULL && !g_str_has_prefix(text, "THAWED"))
                return TRUE;
        }
    }
    return FALSE;
}

gboolean
inj_preflight_state(const InjTarget *t, const InjStat *st, GError **error)
{
    g_autofree char *status = inj_target_proc(t, "status", NULL);
    g_autofree char *cgroup = inj_target_proc(t, "cgroup", NULL);
    int pid = (int)t->pid;
    guint64 v;

    if (t->pid == getpid()) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_NOT_PYTHON, "process %d is this program itself", pid);
        return FALSE;
    }
    if (st->flags & KERNEL_THREAD) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_NOT_PYTHON, "process %d (%s) is a thread of the kernel, not a Python",
                    pid, t->comm);
        return FALSE;
    }
    if (status != NULL && inj_status_field(status, "Tgid", 10, &v) && (pid_t)v != t->pid) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "%d is a thread of process %d: give that number", pid, (int)v);
        return FALSE;
    }
    if (st->state == 'Z') {
        g_autoptr(GArray) threads = inj_target_threads(t);
        if (threads->len > 1) {
            g_set_error(
                error, INJ_ERROR, INJ_ERROR_FAILED,
                "the main thread of process %d (%s) has ended while others go on: GDB can not attach to such a process",
                pid, t->comm);
            return FALSE;
        }
    }
    if (st->state == 'Z' || st->state == 'X') {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "process %d (%s) is a zombie: it has ended and only waits for its parent %d to notice", pid,
                    t->comm, (int)st->ppid);
        return FALSE;
    }
    if (status != NULL && inj_status_field(status, "TracerPid", 10, &v) && v != 0) {
        g_autofree char *tracer = comm_of((pid_t)v);
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "process %d (%s) is being traced by process %d (%s): end that first, only one tracer is possible",
                    pid, t->comm, (int)v, tracer);
        return FALSE;
    }
    if (st->state == 'T' || st->state == 't') {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "process %d (%s) is stopped: let it go on first (kill -CONT %d, or fg in its shell)", pid, t->comm,
                    pid);
        return FALSE;
    }
    if (cgroup != NULL && inj_preflight_frozen(cgroup, "/sys/fs/cgroup")) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "process %d (%s) is frozen with its control group: thaw it first (docker unpause, podman unpause, "
                    "systemctl thaw)",
                    pid, t->comm);
        return FALSE;
    }
    if (t->seccomp == 1) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_PERMISSION,
                    "process %d (%s) runs under strict seccomp, which kills it at the first unusual system call: it "
                    "cannot be dumped",
                    pid, t->comm);
        return FALSE;
    }
    return TRUE;
}

gboolean
inj_preflight_architecture(const InjTarget *t, GError **error)
{
    Elf64_Ehdr header;
    guint64 base = 0;

    for (guint i = 0; i < t->modules->len && base == 0; i++) {
        const InjModule *m = g_ptr_array_index(t->modules, i);
        if (strcmp(m->path, t->exe) == 0)
            base = m->base;
    }
    if (base == 0 && t->modules->len > 0)
        base = ((const InjModule *)g_ptr_array_index(t->modules, 0))->base;
    if (base == 0 || !inj_target_read(t, base, &header, sizeof header) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_NOT_PYTHON,
                    "process %d (%s) runs no program file that we know: not a Python", (int)t->pid, t->comm);
        return FALSE;
    }
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_NOT_PYTHON,
                    "process %d (%s) is of another architecture (%s, ELF machine %u): only 64-bit x86 can be dumped",
                    (int)t->pid, t->comm, header.e_ident[EI_CLASS] == ELFCLASS64 ? "64 bits" : "32 bits",
                    header.e_machine);
        return FALSE;
    }
    return TRUE;
}
