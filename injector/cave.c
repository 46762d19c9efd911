// SPDX-License-Identifier: MIT
#include "cave.h"
#include <stdio.h>
#include <string.h>
#include "error.h"
#include "procfs.h"

/* Lower is better: what stays mapped as long as the process lives. */
static guint
rank(const InjTarget *t, const InjModule *m)
{
    const char *name = strrchr(m->path, '/') + 1;

    if (g_str_has_prefix(name, "libc.so") || g_str_has_prefix(name, "libc-2"))
        return 0;
    if (m == t->python.module)
        return 1;
    if (strcmp(m->path, t->exe) == 0)
        return 2;
    if (g_str_has_prefix(name, "ld-"))
        return 3;
    return 4;
}

static gboolean
all_zero(const InjTarget *t, guint64 addr, gsize n)
{
    g_autofree char *bytes = g_malloc(n);

    if (!inj_target_read(t, addr, bytes, n))
        return FALSE;
    for (gsize i = 0; i < n; i++) {
        if (bytes[i] != 0)
            return FALSE;
    }
    return TRUE;
}

static gboolean
find_in_module(InjTarget *t, InjModule *m, gsize size, InjCave *out)
{
    InjElf *elf = inj_module_elf(t, m);
    gsize n;

    if (elf == NULL)
        return FALSE;
    const InjElfSegment *s = inj_elf_segments(elf, &n);
    for (gsize i = 0; i < n; i++) {
        if (!s[i].exec || s[i].filesz == 0 || s[i].filesz != s[i].memsz)
            continue;
        guint64 end = m->bias + s[i].vaddr + s[i].filesz;
        const InjMapping *map = inj_maps_find(t->maps, end - 1);
        guint64 start = (end + 63) & ~63ull;
        if (map == NULL || !map->exec || map->write || map->shared || map->inode == 0 || start >= map->end ||
            map->end - start < size || !all_zero(t, start, map->end - start))
            continue;
        *out = (InjCave){.addr = start, .size = map->end - start};
        return TRUE;
    }
    return FALSE;
}

gboolean
inj_cave_find(InjTarget *t, gsize size, InjCave *out, GError **error)
{
    for (guint r = 0; r <= 4; r++) {
        for (guint i = 0; i < t->modules->len; i++) {
            InjModule *m = g_ptr_array_index(t->modules, i);
            if (rank(t, m) == r && find_in_module(t, m, size, out))
                return TRUE;
        }
    }
    g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                "process %d has no %" G_GSIZE_FORMAT
                " unused bytes in any of its executable pages, where the fork could be started from",
                (int)t->pid, size);
    return FALSE;
}

enum { RAN_NS = 10 * 1000 * 1000 };

struct InjCaveWatch {
    GHashTable *ran;  /* owned; tid → guint64 *: processor time at the beginning, ns */
    GHashTable *left; /* owned; set of tids known to be outside */
    gboolean closed;
};

/* Processor time of a thread in ns. FALSE when it is gone. */
static gboolean
time_of(const InjTarget *t, pid_t tid, guint64 *ns)
{
    g_autofree char *name = g_strdup_printf("task/%d/schedstat", (int)tid);
    g_autofree char *text = inj_target_proc(t, name, NULL);

    if (text != NULL && g_ascii_isdigit(*text)) {
        *ns = g_ascii_strtoull(text, NULL, 10);
        return TRUE;
    }
    g_autofree char *stat_name = g_strdup_printf("task/%d/stat", (int)tid);
    g_autofree char *stat = inj_target_proc(t, stat_name, NULL);
    const char *p = stat != NULL ? strrchr(stat, ')') : NULL;
    unsigned long user, system;
    if (p == NULL || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        return FALSE;
    *ns = (guint64)(user + system) * (1000000000ull / 100);
    return TRUE;
}

InjCaveWatch *
inj_cave_watch_new(const InjTarget *t)
{
    InjCaveWatch *w = g_new0(InjCaveWatch, 1);
    g_autoptr(GArray) threads = inj_target_threads(t);

    w->ran = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    w->left = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < threads->len; i++) {
        pid_t tid = g_array_index(threads, pid_t, i);
        guint64 ns;
        if (time_of(t, tid, &ns))
            g_hash_table_insert(w->ran, GINT_TO_POINTER(tid), g_memdup2(&ns, sizeof ns));
    }
    return w;
}

void
inj_cave_watch_free(InjCaveWatch *w)
{
    if (w == NULL)
        return;
    g_hash_table_unref(w->ran);
    g_hash_table_unref(w->left);
    g_free(w);
}

void
inj_cave_watch_closed(InjCaveWatch *w)
{
    w->closed = TRUE;
}

/* Where a thread that does not run stands: last two fields of its syscall file. FALSE: it runs, or nobody can tell. */
static gboolean
standing_at(const InjTarget *t, pid_t tid, guint64 *pc)
{
    g_autofree char *name = g_strdup_printf("task/%d/syscall", (int)tid);
    g_autofree char *text = inj_target_proc(t, name, NULL);

    if (text == NULL)
        return FALSE;
    g_strchomp(text);
    const char *last = strrchr(text, ' ');
    if (last == NULL || !g_str_has_prefix(last + 1, "0x"))
        return FALSE;
    *pc = g_ascii_strtoull(last + 1, NULL, 16);
    return TRUE;
}

static gboolean
thread_left(InjCaveWatch *w, const InjTarget *t, pid_t tid, const InjCave *cave)
{
    guint64 pc, now;

    if (standing_at(t, tid, &pc))
        return pc < cave->addr || pc >= cave->addr + cave->size;
    if (!time_of(t, tid, &now))
        return TRUE; /* gone */
    const guint64 *then = g_hash_table_lookup(w->ran, GINT_TO_POINTER(tid));
    if (then == NULL && w->closed)
        return TRUE;
    return now - (then != NULL ? *then : 0) >= RAN_NS;
}

gboolean
inj_cave_watch_left(InjCaveWatch *w, const InjTarget *t, const InjCave *cave)
{
    g_autoptr(GArray) threads = inj_target_threads(t);
    gboolean all = TRUE;

    for (guint i = 0; i < threads->len; i++) {
        pid_t tid = g_array_index(threads, pid_t, i);
        if (g_hash_table_contains(w->left, GINT_TO_POINTER(tid)))
            continue;
        if (thread_left(w, t, tid, cave))
            g_hash_table_add(w->left, GINT_TO_POINTER(tid));
        else
            all = FALSE;
    }
    return all;
}
