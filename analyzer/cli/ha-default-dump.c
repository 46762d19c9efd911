// SPDX-License-Identifier: MIT
#include "ha-default-dump.h"

#include <sys/stat.h>

#include "cli/ha-command.h"

static gboolean
is_dump_name(const char *name)
{
    return name[0] != '.' && (g_str_has_suffix(name, ".heap") || g_str_has_suffix(name, ".heap.zst") ||
                              g_str_has_suffix(name, ".heap.gz"));
}

static gboolean
is_same_file(const struct stat *facts, const char *const *paths)
{
    for (; *paths != NULL; paths++) {
        struct stat other;
        if (stat(*paths, &other) == 0 && other.st_dev == facts->st_dev && other.st_ino == facts->st_ino)
            return TRUE;
    }
    return FALSE;
}

/* Later one wins; of two at the same moment the one whose name sorts last, since the driver's names carry the time. */
static gboolean
is_newer(const struct stat *a, const char *a_name, const struct stat *b, const char *b_name)
{
    if (a->st_mtim.tv_sec != b->st_mtim.tv_sec)
        return a->st_mtim.tv_sec > b->st_mtim.tv_sec;
    if (a->st_mtim.tv_nsec != b->st_mtim.tv_nsec)
        return a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
    return g_strcmp0(a_name, b_name) > 0;
}

char *
ha_default_dump(const char *folder, const char *const *except, GError **error)
{
    const char *named = g_getenv("HEAPDUMP");
    if (named != NULL && *named != 0) {
        ha_note("reading '%s' ($HEAPDUMP)", named);
        return g_strdup(named);
    }
    g_autofree char *best = NULL;
    struct stat best_facts = {0};
    GDir *dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        struct stat facts;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (!is_dump_name(name) || stat(path, &facts) != 0 || !S_ISREG(facts.st_mode) || is_same_file(&facts, except))
            continue;
        if (best == NULL || is_newer(&facts, name, &best_facts, best)) {
            g_free(best);
            best = g_strdup(name);
            best_facts = facts;
        }
    }
    if (dir != NULL)
        g_dir_close(dir);
    if (best == NULL) {
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE,
                    "no dump given, $HEAPDUMP not set, and no *.heap, *.heap.zst or *.heap.gz here: make one with "
                    "'heapdump-gdb PID'");
        return NULL;
    }
    ha_note("reading '%s', the newest dump here", best);
    return g_str_equal(folder, ".") ? g_steal_pointer(&best) : g_build_filename(folder, best, NULL);
}
