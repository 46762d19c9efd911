// SPDX-License-Identifier: MIT
#include "preflight.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "error.h"

enum { KERNEL_THREAD = 0x00200000 }; /* PF_KTHREAD */
enum { CAP_PTRACE = 19 };            /* CAP_SYS_PTRACE */
enum { HANGS_US = 500 * 1000, HANGS_POLL_US = 20 * 1000 };

/* The kernel's PROC_USER_INIT_INO, PROC_PID_INIT_INO. */
static const ino_t INITIAL_USER_NAMESPACE = 0xEFFFFFFD, INITIAL_PID_NAMESPACE = 0xEFFFFFFC;

static char *
comm_of(pid_t pid)
{
    g_autofree char *name = g_strdup_printf("/proc/%d/comm", (int)pid);
    char *comm = inj_proc_read(AT_FDCWD, name, NULL);

    return comm != NULL ? g_strchomp(comm) : g_strdup("?");
}

/* A link in /proc/self/ns that names another namespace than the one that the machine started with. */
static gboolean
is_inner_namespace(const char *name, ino_t initial)
{
    g_autofree char *file = g_build_filename("/proc/self/ns", name, NULL);
    struct stat st;

    return stat(file, &st) == 0 && st.st_ino != initial;
}

/* The AppArmor profile that confines a process: "docker-default (enforce)"; NULL none (other modules' labels look otherwise). */
static char *
profile_of(pid_t pid)
{
    g_autofree char *name = g_strdup_printf("/proc/%d/attr/current", (int)pid);
    char *label = inj_proc_read(AT_FDCWD, name, NULL);

    if (label != NULL && !g_str_has_suffix(g_strchomp(label), " (enforce)"))
        g_clear_pointer(&label, g_free);
    return label;
}

void
inj_preflight_look_at_rights(InjRights *r, pid_t target)
{
    g_autofree char *status = inj_proc_read(AT_FDCWD, "/proc/self/status", NULL);
    g_autofree char *yama = inj_proc_read(AT_FDCWD, "/proc/sys/kernel/yama/ptrace_scope", NULL);
    guint64 v;

    *r = (InjRights){.yama = yama != NULL ? atoi(yama) : 0,
                     .deny_ptrace = inj_selinux_deny_ptrace(),
                     .uid = geteuid(),
                     .container = is_inner_namespace("pid", INITIAL_PID_NAMESPACE) ||
                                  access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0,
                     .inner_user_namespace = is_inner_namespace("user", INITIAL_USER_NAMESPACE),
                     .profile = profile_of(getpid())};
    r->selinux = inj_selinux_ask(getpid(), target, "ptrace", &r->denial);
    if (status == NULL)
        return;
    r->capable = inj_status_field(status, "CapEff", 16, &v) && (v >> CAP_PTRACE & 1) != 0;
    r->no_new_privileges = inj_status_field(status, "NoNewPrivs", 10, &v) && v != 0;
    r->seccomp = inj_status_field(status, "Seccomp", 10, &v) && v != 0;
}

char *
inj_preflight_remedy(const InjRights *r)
{
    const char *sudo = r->uid != 0 && !r->no_new_privileges ? "run with sudo, or " : "";

    if (!r->container && r->no_new_privileges)
        return g_strdup("nothing that is started from here can gain privileges (no_new_privs, so sudo will not help): "
                        "run it from a login of root");
    if (!r->container)
        return g_strdup_printf("%sin a container add --cap-add=SYS_PTRACE", sudo);
    return g_strdup_printf("%s%srun it on the host as root, or start the container with --cap-add=SYS_PTRACE (docker, "
                           "podman), or in Kubernetes kubectl debug --profile=general --target=CONTAINER",
                           sudo, r->no_new_privileges ? "sudo does not help here (no_new_privs): " : "");
}

char *
inj_preflight_why(const InjRights *r, uid_t owner)
{
    g_autofree char *remedy = inj_preflight_remedy(r);

    if (r->yama >= 3)
        return g_strdup("kernel.yama.ptrace_scope is 3, which forbids it to everybody until the next boot");
    if (r->selinux == INJ_SELINUX_DENIES && r->deny_ptrace)
        return g_strdup_printf("%s (see ausearch -m avc): setsebool deny_ptrace 0", r->denial);
    if (r->selinux == INJ_SELINUX_DENIES)
        return g_strdup_printf("%s (see ausearch -m avc): run this from a domain that may (runcon), or allow it "
                               "(audit2allow), or start the container with --security-opt label=disable",
                               r->denial);
    if (r->capable && r->selinux == INJ_SELINUX_SILENT)
        return g_strdup("though we have CAP_SYS_PTRACE: SELinux may forbid it (see ausearch -m avc); for a container "
                        "--security-opt label=disable, else setsebool deny_ptrace 0");
    if (r->capable && r->profile != NULL)
        return g_strdup_printf(
            "though we have CAP_SYS_PTRACE: the AppArmor profile %s forbids it; run it on the host, or start the "
            "container with --security-opt apparmor=unconfined",
            r->profile);
    if (r->capable && r->inner_user_namespace)
        return g_strdup(
            "though we have CAP_SYS_PTRACE, which counts in our own user namespace only: run it on the host, "
            "outside of the container, as root");
    if (r->capable)
        return g_strdup(
            "though we have CAP_SYS_PTRACE: a security module forbids it, or seccomp, or a user namespace above "
            "ours; run it on the host, outside of the container, as root");
    if (owner != r->uid)
        return g_strdup_printf("it belongs to user %u and you are %u; %s", (unsigned)owner, (unsigned)r->uid, remedy);
    if (r->yama >= 1)
        return g_strdup_printf("kernel.yama.ptrace_scope is %d; %s%s", r->yama, remedy,
                               r->yama == 1 ? "; or let the program call prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY)"
                                            : "");
    return g_strdup_printf("it has privileges, is marked as not dumpable or lives in another user namespace%s; %s",
                           r->selinux == INJ_SELINUX_SILENT ? ", or SELinux forbids it (see ausearch -m avc)" : "",
                           remedy);
}

void
inj_preflight_permission(const InjTarget *t, const char *what, int errnum, GError **error)
{
    if (errnum == ESRCH || errnum == ENOENT) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "process %d ended while we looked at it", (int)t->pid);
        return;
    }
    if (errnum != EPERM && errnum != EACCES) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "cannot %s (process %d): %s", what, (int)t->pid,
                    g_strerror(errnum));
        return;
    }
    InjRights rights;
    inj_preflight_look_at_rights(&rights, t->pid);
    g_autofree char *why = inj_preflight_why(&rights, t->uid);
    inj_preflight_rights_clear(&rights);
    g_set_error(error, INJ_ERROR, INJ_ERROR_PERMISSION, "not permitted to %s (process %d, %s): %s", what, (int)t->pid,
                t->comm, why);
}

void
inj_preflight_rights_clear(InjRights *r)
{
    g_clear_pointer(&r->profile, g_free);
    g_clear_pointer(&r->denial, g_free);
}

void
inj_preflight_no_tracing(GError **error)
{
    InjRights rights;

    inj_preflight_look_at_rights(&rights, getpid());
    g_autofree char *remedy = inj_preflight_remedy(&rights);
    if (rights.yama >= 3)
        g_set_error(error, INJ_ERROR, INJ_ERROR_PERMISSION,
                    "GDB may trace nothing here: kernel.yama.ptrace_scope is 3, which forbids it to everybody until "
                    "the next boot");
    else if (rights.selinux == INJ_SELINUX_DENIES) {
        g_autofree char *why = inj_preflight_why(&rights, rights.uid);
        g_set_error(error, INJ_ERROR, INJ_ERROR_PERMISSION,
                    "GDB may trace nothing here, not even a process of its own: %s", why);
    } else
        g_set_error(error, INJ_ERROR, INJ_ERROR_PERMISSION,
                    "GDB may trace nothing here, not even a process of its own%s: %s",
                    rights.seccomp     ? " (a seccomp profile that forbids ptrace? --security-opt seccomp=unconfined)"
                    : rights.yama == 2 ? " (kernel.yama.ptrace_scope is 2)"
                                       : "",
                    remedy);
    inj_preflight_rights_clear(&rights);
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

/* Of any thread: one is enough to keep GDB out. */
static pid_t
tracer_of(const InjTarget *t)
{
    g_autoptr(GArray) threads = inj_target_threads(t);

    for (guint i = 0; i < threads->len; i++) {
        g_autofree char *name = g_strdup_printf("task/%d/status", (int)g_array_index(threads, pid_t, i));
        g_autofree char *status = inj_target_proc(t, name, NULL);
        guint64 v;
        if (status != NULL && inj_status_field(status, "TracerPid", 10, &v) && v != 0)
            return (pid_t)v;
    }
    return 0;
}

/* How often a thread was put to sleep, if it is in the kernel's uninterruptible one; 0. */
static guint64
uninterruptible(const InjTarget *t, pid_t tid)
{
    g_autofree char *name = g_strdup_printf("task/%d/status", (int)tid);
    g_autofree char *status = inj_target_proc(t, name, NULL);
    const char *state = status != NULL ? strstr(status, "\nState:\t") : NULL;
    guint64 n;

    return state != NULL && state[8] == 'D' && inj_status_field(status, "voluntary_ctxt_switches", 10, &n) ? n + 1 : 0;
}

/*
 * A thread that hangs in the kernel: on a dead network file system, in vfork. GDB would wait for it while all others stand still. Most are there for a moment
 * only, so one that was asleep for all of the time is meant. 0: none.
 */
static pid_t
hanging(const InjTarget *t)
{
    g_autoptr(GArray) threads = inj_target_threads(t);

    for (guint i = 0; i < threads->len; i++) {
        pid_t tid = g_array_index(threads, pid_t, i);
        guint64 first = uninterruptible(t, tid);
        gint64 end = g_get_monotonic_time() + HANGS_US;
        gboolean same = first != 0;
        while (same && g_get_monotonic_time() < end) {
            g_usleep(HANGS_POLL_US);
            same = uninterruptible(t, tid) == first;
        }
        if (same)
            return tid;
    }
    return 0;
}

gboolean
inj_preflight_state(const InjTarget *t, const InjStat *st, GError **error)
{
    g_autofree char *status = inj_target_proc(t, "status", NULL);
    g_autofree char *cgroup = inj_target_proc(t, "cgroup", NULL);
    int pid = (int)t->pid;
    pid_t tid;
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
    if (st->state == 'Z' || st->state == 'X') {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "process %d (%s) is a zombie: it has ended and only waits for its parent %d to notice", pid,
                    t->comm, (int)st->ppid);
        return FALSE;
    }
    if ((v = (guint64)tracer_of(t)) != 0) {
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
    if ((tid = hanging(t)) != 0) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "thread %d of process %d (%s) hangs in the kernel (state D), on a file system that does not answer "
                    "or in vfork: "
                    "it cannot be stopped; try again when it is through",
                    (int)tid, pid, t->comm);
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
