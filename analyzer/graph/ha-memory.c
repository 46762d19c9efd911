// SPDX-License-Identifier: MIT
#include "ha-memory.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "graph/ha-graph-builder.h"
#include "graph/ha-mem.h"
#include "text/ha-size.h"

#define IN_FILES "give --index, which keeps most of it on disk"
#define MARGIN   ((guint64)20 << 20) /* libraries, buffers, the answer */

static char *
read_file(const char *root, const char *path)
{
    g_autofree char *name = g_build_filename(root, path, NULL);
    char *text = NULL;
    return g_file_get_contents(name, &text, NULL, NULL) ? text : NULL;
}

/* The number behind a word at the start of a line, in units of unit bytes. FALSE: not there. */
static gboolean
number_after(const char *text, const char *word, guint64 unit, guint64 *out)
{
    gsize n = strlen(word);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, word, n) != 0)
            continue;
        char *end;
        guint64 value = g_ascii_strtoull(line + n, &end, 10);
        if (end == line + n)
            return FALSE;
        *out = value > G_MAXUINT64 / unit ? G_MAXUINT64 : value * unit;
        return TRUE;
    }
    return FALSE;
}

static gboolean
number_in(const char *root, const char *folder, const char *file, guint64 *out)
{
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autofree char *text = read_file(root, path);
    return text != NULL && number_after(text, "", 1, out); /* "max" is no number */
}

static void
lower(HaMemory *m, guint64 limit, guint64 used, const char *who, const char *remedy)
{
    guint64 left = limit > used ? limit - used : 0;
    if (left < m->bytes)
        *m = (HaMemory){left, who, remedy};
}

/* One control group: what it may take, less what it has and cannot give back. */
static void
look_at_group(const char *root, const char *folder, gboolean second, HaMemory *m)
{
    guint64 limit, used, cache = 0;
    if (!number_in(root, folder, second ? "memory.max" : "memory.limit_in_bytes", &limit) ||
        !number_in(root, folder, second ? "memory.current" : "memory.usage_in_bytes", &used))
        return;
    g_autofree char *path = g_build_filename(folder, "memory.stat", NULL);
    g_autofree char *stat = read_file(root, path);
    if (stat != NULL)
        (void)number_after(stat, second ? "inactive_file " : "total_inactive_file ", 1, &cache);
    lower(m, limit, used > cache ? used - cache : 0, "in this control group", "raise its limit, or " IN_FILES);
}

/* The group that a line of /proc/self/cgroup names, and those above it. */
static void
look_at_groups(const char *root, const char *mount, const char *group, gboolean second, HaMemory *m)
{
    g_autofree char *path = g_strdup(group);
    for (;;) {
        g_autofree char *folder = g_build_filename(mount, path, NULL);
        look_at_group(root, folder, second, m);
        char *slash = strrchr(path, '/');
        if (slash == NULL || path[1] == 0)
            return;
        slash[slash == path ? 1 : 0] = 0;
    }
}

HaMemory
ha_memory_available_in(const char *root)
{
    static const char remedy[] = "use a machine with more, close other programs, or " IN_FILES;
    HaMemory m = {G_MAXUINT64, "on this machine", remedy};
    g_autofree char *meminfo = read_file(root, "proc/meminfo");
    guint64 bytes, swap = 0;
    if (meminfo != NULL && number_after(meminfo, "MemAvailable:", 1024, &bytes)) {
        (void)number_after(meminfo, "SwapFree:", 1024, &swap);
        lower(&m, bytes + swap, 0, "on this machine", remedy);
    }
    g_autofree char *groups = read_file(root, "proc/self/cgroup");
    g_auto(GStrv) lines = groups != NULL ? g_strsplit(groups, "\n", -1) : NULL;
    for (guint i = 0; lines != NULL && lines[i] != NULL; i++) {
        char *controllers = strchr(lines[i], ':'), *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (group == NULL || group[1] != '/')
            continue;
        *group++ = 0;
        if (controllers[1] == 0)
            look_at_groups(root, "sys/fs/cgroup", group, TRUE, &m);
        g_auto(GStrv) names = g_strsplit(controllers + 1, ",", -1);
        if (g_strv_contains((const char *const *)names, "memory"))
            look_at_groups(root, "sys/fs/cgroup/memory", group, FALSE, &m);
    }
    return m;
}

HaMemory
ha_memory_available(void)
{
    HaMemory m = ha_memory_available_in("/");
    struct rlimit limit;
    guint64 pages = 0;
    g_autofree char *statm = read_file("/", "proc/self/statm");
    if (statm != NULL && getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        number_after(statm, "", (guint64)sysconf(_SC_PAGESIZE), &pages))
        lower(&m, limit.rlim_cur, pages, "under ulimit -v", "raise that limit"); /* files in memory count, too */
    return m;
}

guint64
ha_memory_needed(guint64 objects, guint64 refs, guint64 dump_bytes)
{
    /* columns, their new order, an index of addresses; contents; and references, of which ids take the place of packed ones as they go */
    return MARGIN + 28 * objects + dump_bytes + refs / 2;
}

guint64
ha_memory_needed_by_index(guint64 objects, guint64 refs)
{
    return 4 * refs + 30 * objects;
}

guint64
ha_memory_taken(guint64 objects, guint64 dump_bytes)
{
    return 12 * objects + dump_bytes; /* the rest of a row is narrower in columns */
}

gboolean
ha_memory_ask(guint64 bytes, const char *what, GError **error)
{
    if (bytes < HA_MEMORY_WORTH / 4 || ha_mem_in_folder())
        return TRUE;
    HaMemory memory = ha_memory_available();
    if (bytes <= memory.bytes)
        return TRUE;
    g_autofree char *needed = ha_size_text(bytes), *left = ha_size_text(memory.bytes);
    g_set_error(error, HA_GRAPH_ERROR, HA_GRAPH_ERROR_NO_MEMORY,
                "not enough memory %s: that takes %s more, and there are %s %s: %s", what, needed, left, memory.who,
                memory.remedy);
    return FALSE;
}

void
ha_memory_fail(GError **error, const char *what)
{
    HaMemory memory = ha_memory_available();
    g_set_error(error, HA_GRAPH_ERROR, HA_GRAPH_ERROR_NO_MEMORY, "not enough memory %s %s: %s", what, memory.who,
                memory.remedy);
}

static HaMemory tightest;
static void (*before_exit)(void);

/* Nothing here may take memory. */
static void
out_of_memory(const char *domain, GLogLevelFlags level, const char *message, gpointer unused)
{
    const char *texts[] = {"heapanalyze: not enough memory ", tightest.who, ": ", tightest.remedy, "\n"};

    (void)unused;
    if (message == NULL || strstr(message, "allocate") == NULL) {
        g_log_default_handler(domain, level, message, NULL);
        return; /* to GLib, which aborts */
    }
    before_exit();
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        if (write(STDERR_FILENO, texts[i], strlen(texts[i])) < 0)
            break;
    _exit(1);
}

void
ha_memory_watch(void (*last)(void))
{
    tightest = ha_memory_available();
    before_exit = last;
    g_log_set_handler("GLib", (GLogLevelFlags)(G_LOG_LEVEL_ERROR | G_LOG_FLAG_FATAL | G_LOG_FLAG_RECURSION),
                      out_of_memory, NULL);
    g_debug("memory is watched"); /* GLib's log gets what it needs before there is none */
}
