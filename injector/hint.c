// SPDX-License-Identifier: MIT
#include "hint.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "error.h"
#include "procfs.h"

enum { NAMED_MAX = 5, EXITING = 4 /* the kernel's PF_EXITING: on its way, its memory may be gone */ };

static const ino_t INITIAL_PID_NAMESPACE = 0xEFFFFFFC; /* the kernel's PROC_PID_INIT_INO */

typedef struct {
    pid_t pid, parent;
    pid_t inner; /* in a pid namespace below ours; 0: it is in ours */
} Process;

static gboolean
read_process(pid_t pid, Process *out)
{
    g_autofree char *name = g_strdup_printf("/proc/%d/status", (int)pid);
    g_autofree char *status = inj_proc_read(AT_FDCWD, name, NULL);
    const char *p = status != NULL ? strstr(status, "\nNSpid:") : NULL;
    guint64 parent;

    if (status == NULL || !inj_status_field(status, "PPid", 10, &parent))
        return FALSE;
    *out = (Process){.pid = pid, .parent = (pid_t)parent};
    if (p != NULL) {
        g_autofree char *line = g_strndup(p + 1, strcspn(p + 1, "\n"));
        const char *first = strchr(line, '\t'), *last = strrchr(line, '\t');
        if (last != first)
            out->inner = atoi(last + 1);
    }
    return TRUE;
}

static GArray *
all_processes(void)
{
    g_autoptr(GArray) pids = inj_proc_numbers(AT_FDCWD, "/proc");
    GArray *all = g_array_sized_new(FALSE, FALSE, sizeof(Process), pids->len);

    for (guint i = 0; i < pids->len; i++) {
        Process p;
        if (read_process(g_array_index(pids, pid_t, i), &p))
            g_array_append_val(all, p);
    }
    return all;
}

static gboolean
looks_like_python(pid_t pid)
{
    g_autofree char *exe_name = g_strdup_printf("/proc/%d/exe", (int)pid);
    g_autofree char *exe = inj_proc_link(AT_FDCWD, exe_name);
    const char *base = exe != NULL ? strrchr(exe, '/') : NULL;

    if (base != NULL && g_str_has_prefix(base, "/python"))
        return TRUE;
    if (exe == NULL) { /* not ours to see */
        g_autofree char *name = g_strdup_printf("/proc/%d/comm", (int)pid);
        g_autofree char *comm = inj_proc_read(AT_FDCWD, name, NULL);
        return comm != NULL && g_str_has_prefix(comm, "python");
    }
    g_autofree char *maps_name = g_strdup_printf("/proc/%d/maps", (int)pid);
    g_autofree char *maps = inj_proc_read(AT_FDCWD, maps_name, NULL);
    return maps != NULL && (strstr(maps, "/libpython") != NULL || strstr(maps, "/python3") != NULL);
}

static void
name_process(GString *s, pid_t pid)
{
    g_autofree char *name = g_strdup_printf("/proc/%d/comm", (int)pid);
    g_autofree char *comm = inj_proc_read(AT_FDCWD, name, NULL);

    g_string_append_printf(s, "%s%d (%s)", s->len > 0 ? ", " : "", (int)pid, comm != NULL ? g_strchomp(comm) : "?");
}

/* Processes with that number in a namespace of their own, Pythons if there are any among them; NULL when there is none. */
static char *
inside(const GArray *all, pid_t pid, gboolean python_only)
{
    g_autoptr(GString) pythons = g_string_new(NULL), others = g_string_new(NULL);
    guint n = 0;

    for (guint i = 0; i < all->len && n < NAMED_MAX; i++) {
        const Process *p = &g_array_index(all, Process, i);
        if (p->inner != pid)
            continue;
        name_process(looks_like_python(p->pid) ? pythons : others, p->pid);
        n += pythons->len > 0;
    }
    if (pythons->len > 0)
        return g_strdup(pythons->str);
    return !python_only && others->len > 0 ? g_strdup(others->str) : NULL;
}

/* The first Python among the children and theirs; 0. */
static pid_t
python_below(const GArray *all, pid_t pid)
{
    g_autoptr(GArray) queue = g_array_new(FALSE, FALSE, sizeof(pid_t));

    g_array_append_val(queue, pid);
    for (guint at = 0; at < queue->len && at < 64; at++) {
        for (guint i = 0; i < all->len; i++) {
            const Process *p = &g_array_index(all, Process, i);
            if (p->parent != g_array_index(queue, pid_t, at))
                continue;
            if (looks_like_python(p->pid))
                return p->pid;
            g_array_append_val(queue, p->pid);
        }
    }
    return 0;
}

static gboolean
in_container(void)
{
    struct stat st;

    return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino != INITIAL_PID_NAMESPACE;
}

void
inj_hint_no_process(pid_t pid, GError **error)
{
    g_autoptr(GArray) all = all_processes();
    g_autofree char *inner = inside(all, pid, FALSE);

    if (all->len == 0)
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "no process can be seen in /proc: mount it (mount -t proc proc /proc)");
    else if (kill(pid, 0) == 0 || errno == EPERM)
        g_set_error(error, INJ_ERROR, INJ_ERROR_PERMISSION,
                    "process %d is there, but /proc hides it from us (hidepid): run with sudo", (int)pid);
    else if (inner != NULL)
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "no process %d here; inside a container %d is what this machine calls %s: give that number",
                    (int)pid, (int)pid, inner);
    else if (in_container())
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "no process %d in this container: give the number that it has in here (see ps, pgrep -a python), "
                    "or run this outside",
                    (int)pid);
    else
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "no process %d: it has ended, or is not visible from here (see ps, pgrep -a python)", (int)pid);
}

void
inj_hint_not_python(pid_t pid, GError *error)
{
    if (looks_like_python(pid))
        return;
    g_autoptr(GArray) all = all_processes();
    g_autofree char *inner = inside(all, pid, TRUE), *old = error->message;

    if (inner != NULL)
        error->message =
            g_strdup_printf("%s; inside a container %d is what this machine calls %s", old, (int)pid, inner);
    else {
        g_autoptr(GString) child = g_string_new(NULL);
        pid_t below = error->code == INJ_ERROR_NOT_PYTHON ? python_below(all, pid) : 0;
        if (below != 0)
            name_process(child, below);
        error->message =
            below != 0 ? g_strdup_printf("%s; its child process %s looks like one", old, child->str) : g_strdup(old);
    }
}

gboolean
inj_hint_ended(pid_t pid, GError *error)
{
    g_autofree char *name = g_strdup_printf("/proc/%d/stat", (int)pid),
                    *tasks_name = g_strdup_printf("/proc/%d/task", (int)pid);
    g_autofree char *text = inj_proc_read(AT_FDCWD, name, NULL);
    InjStat st;

    if (text != NULL && inj_stat_parse(text, &st) && st.state != 'X') {
        g_autoptr(GArray) threads = inj_proc_numbers(AT_FDCWD, tasks_name);
        if (threads->len > 1 || (st.state != 'Z' && !(st.flags & EXITING)))
            return FALSE;
    }
    if (text == NULL && (kill(pid, 0) == 0 || errno == EPERM)) /* only hidden from us */
        return FALSE;
    g_free(error->message);
    error->message = g_strdup_printf("process %d ended while we looked at it", (int)pid);
    error->code = INJ_ERROR_FAILED;
    return TRUE;
}
