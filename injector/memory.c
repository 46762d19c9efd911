// SPDX-License-Identifier: MIT
#include "memory.h"
#include <fcntl.h>
#include <string.h>
#include "error.h"
#include "procfs.h"
#include "progress.h"

enum { BASE = 24 << 20, SHARE = 12 };          /* bytes; a twelfth of what is resident */
enum { LIVE_BASE = 8 << 20, LIVE_SHARE = 24 }; /* no pages are copied there */
enum { KEPT_SHARE = 4 };                       /* a quarter of what was asked for at first */
enum { STRICT = 2 };                           /* of vm.overcommit_memory */

void
inj_memory_clear(InjMemory *m)
{
    g_clear_pointer(&m->limit, g_free);
}

static void
take(InjMemory *m, guint64 available, const char *limit)
{
    if (available >= m->available)
        return;
    m->available = available;
    g_free(m->limit);
    m->limit = g_strdup(limit);
}

/* A number in a file; FALSE when there is none ("max"). */
static gboolean
number_in(const char *dir, const char *file, guint64 *out)
{
    g_autofree char *name = g_build_filename(dir, file, NULL);
    g_autofree char *text = inj_proc_read(AT_FDCWD, name, NULL);

    if (text == NULL || !g_ascii_isdigit(*text))
        return FALSE;
    *out = g_ascii_strtoull(text, NULL, 10);
    return TRUE;
}

/* "key 123" in a memory.stat file; 0 when it is not there. */
static guint64
stat_in(const char *dir, const char *key)
{
    g_autofree char *name = g_build_filename(dir, "memory.stat", NULL);
    g_autofree char *text = inj_proc_read(AT_FDCWD, name, NULL);
    gsize n = strlen(key);

    for (const char *p = text; p != NULL && *p; p = strchr(p, '\n')) {
        if (*p == '\n')
            p++;
        if (strncmp(p, key, n) == 0 && p[n] == ' ')
            return g_ascii_strtoull(p + n + 1, NULL, 10);
    }
    return 0;
}

/*
 * The group and all above it: each may have a limit. What the kernel would take back from files counts as free, of those in
 * use lately the half, as in MemAvailable.
 */
static void
look_at_group(InjMemory *m, const char *root, const char *path, const char *max_file, const char *now_file)
{
    g_autofree char *group = g_strdup(path);

    for (;;) {
        g_autofree char *dir = g_build_filename(root, group, NULL);
        guint64 max, now;
        if (number_in(dir, max_file, &max) && number_in(dir, now_file, &now)) {
            guint64 back = stat_in(dir, "inactive_file") + stat_in(dir, "active_file") / 2;
            guint64 used = now - MIN(now, back);
            g_autofree char *limit = g_strdup_printf("the memory limit of control group %s", *group ? group : "/");
            take(m, max - MIN(max, used), limit);
        }
        char *slash = strrchr(group, '/');
        if (slash == NULL)
            return;
        *slash = '\0';
    }
}

void
inj_memory_look(InjMemory *m, const char *meminfo, const char *cgroup, const char *sys)
{
    g_auto(GStrv) lines = g_strsplit(cgroup != NULL ? cgroup : "", "\n", -1);
    guint64 kb;

    *m = (InjMemory){.available = G_MAXUINT64};
    if (meminfo != NULL && inj_status_field(meminfo, "MemAvailable", 10, &kb))
        take(m, kb * 1024, "this machine's memory");
    for (guint i = 0; lines[i] != NULL; i++) {
        g_auto(GStrv) f = g_strsplit(lines[i], ":", 3);
        if (g_strv_length(f) != 3)
            continue;
        if (f[1][0] == '\0')
            look_at_group(m, sys, f[2], "memory.max", "memory.current");
        else if (strcmp(f[1], "memory") == 0) {
            g_autofree char *root = g_build_filename(sys, "memory", NULL);
            look_at_group(m, root, f[2], "memory.limit_in_bytes", "memory.usage_in_bytes");
        }
    }
}

guint64
inj_memory_needed(guint64 rss, gboolean live)
{
    return live ? LIVE_BASE + rss / LIVE_SHARE : BASE + rss / SHARE;
}

guint64
inj_memory_promises_left(const char *meminfo)
{
    guint64 limit, given;

    if (!inj_status_field(meminfo, "CommitLimit", 10, &limit) || !inj_status_field(meminfo, "Committed_AS", 10, &given))
        return G_MAXUINT64;
    return (limit - MIN(limit, given)) * 1024;
}

guint64
inj_memory_promised(const GArray *maps)
{
    guint64 sum = 0;

    for (guint i = 0; i < maps->len; i++) {
        const InjMapping *m = &g_array_index(maps, InjMapping, i);
        if (m->write && !m->shared)
            sum += m->end - m->start;
    }
    return sum;
}

/* Under strict accounting a fork needs room for all that the copy might ever write. */
static gboolean
check_promises(const InjTarget *t, const char *meminfo, GError **error)
{
    g_autofree char *strict = inj_proc_read(AT_FDCWD, "/proc/sys/vm/overcommit_memory", NULL);
    guint64 left = meminfo != NULL ? inj_memory_promises_left(meminfo) : G_MAXUINT64;
    guint64 needed = inj_memory_promised(t->maps);

    if (strict == NULL || *strict - '0' != STRICT || left >= needed)
        return TRUE;
    g_autofree char *left_text = inj_size_text(left), *needed_text = inj_size_text(needed);
    g_set_error(
        error, INJ_ERROR, INJ_ERROR_FORK_REFUSED,
        "the kernel would refuse a copy of process %d: vm.overcommit_memory is 2, a copy has to be promised %s, "
        "and %s are left (raise vm.overcommit_ratio or add swap)",
        (int)t->pid, needed_text, left_text);
    return FALSE;
}

gboolean
inj_memory_check(const InjTarget *t, gboolean live, GError **error)
{
    g_autofree char *meminfo = inj_proc_read(AT_FDCWD, "/proc/meminfo", NULL);
    g_autofree char *cgroup = inj_target_proc(t, "cgroup", NULL);
    guint64 needed = inj_memory_needed(t->rss, live);
    InjMemory m;

    inj_memory_look(&m, meminfo, cgroup, "/sys/fs/cgroup");
    gboolean ok = m.available >= needed;
    if (!ok) {
        g_autofree char *free_text = inj_size_text(m.available), *needed_text = inj_size_text(needed),
                        *rss = inj_size_text(t->rss);
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "too little memory for %s process %d (%s resident): %s leaves %s, %s may be needed; raise "
                    "it%s",
                    live ? "work inside" : "a copy of", (int)t->pid, rss, m.limit, free_text, needed_text,
                    live ? "" : ", or use --mode inline, which needs less");
    }
    inj_memory_clear(&m);
    return ok && (live || check_promises(t, meminfo, error));
}

gboolean
inj_memory_short(const InjTarget *t, InjMemory *m)
{
    g_autofree char *meminfo = inj_proc_read(AT_FDCWD, "/proc/meminfo", NULL);
    g_autofree char *cgroup = inj_target_proc(t, "cgroup", NULL);

    inj_memory_look(m, meminfo, cgroup, "/sys/fs/cgroup");
    return m->available < inj_memory_needed(t->rss, FALSE) / KEPT_SHARE;
}
