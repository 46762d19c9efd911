// SPDX-License-Identifier: MIT
/* What limits of the machine and of control groups say, from made-up files. */
#include <glib/gstdio.h>

#include "graph/ha-memory.h"

#define MIB ((guint64)1 << 20)

typedef struct {
    const char *path, *text;
} File;

static void
check(const File *files, guint64 expected, const char *who)
{
    g_autofree char *root = g_dir_make_tmp("ha-memory-XXXXXX", NULL);
    for (const File *f = files; f->path != NULL; f++) {
        g_autofree char *path = g_build_filename(root, f->path, NULL);
        g_autofree char *folder = g_path_get_dirname(path);
        g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
        g_assert_true(g_file_set_contents(path, f->text, -1, NULL));
    }
    HaMemory m = ha_memory_available_in(root);
    g_assert_cmpuint(m.bytes, ==, expected);
    g_assert_cmpstr(m.who, ==, who);
    g_autofree char *remove = g_strdup_printf("rm -rf '%s'", root);
    g_assert_true(g_spawn_command_line_sync(remove, NULL, NULL, NULL, NULL));
}

static void
test_machine(void)
{
    check((File[]){{"proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:    2048 kB\nSwapFree: 1024 kB\n"}, {0}}, 3 * MIB,
          "on this machine");
    check((File[]){{0}}, G_MAXUINT64, "on this machine");
    check((File[]){{"proc/meminfo", "MemAvailable: none\n"}, {0}}, G_MAXUINT64, "on this machine");
}

/* The narrowest of all groups above counts, and cache that can be given back does not. */
static void
test_groups(void)
{
    check((File[]){{"proc/meminfo", "MemAvailable: 99999999 kB\n"},
                   {"proc/self/cgroup", "0::/user/inner\n"},
                   {"sys/fs/cgroup/user/inner/memory.max", "max\n"},
                   {"sys/fs/cgroup/user/inner/memory.current", "1048576\n"},
                   {"sys/fs/cgroup/user/memory.max", "10485760\n"},
                   {"sys/fs/cgroup/user/memory.current", "8388608\n"},
                   {"sys/fs/cgroup/user/memory.stat", "anon 5\ninactive_file 1048576\n"},
                   {0}},
          3 * MIB, "in this control group");
    check((File[]){{"proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/box\n"},
                   {"sys/fs/cgroup/memory/box/memory.limit_in_bytes", "4194304\n"},
                   {"sys/fs/cgroup/memory/box/memory.usage_in_bytes", "5242880\n"},
                   {0}},
          0, "in this control group");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/memory/machine", test_machine);
    g_test_add_func("/memory/groups", test_groups);
    return g_test_run();
}
