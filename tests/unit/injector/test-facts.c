// SPDX-License-Identifier: MIT
/* Small parsers: what /proc, GDB and the walker say. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include "error.h"
#include "memory.h"
#include "preflight.h"
#include "procfs.h"
#include "progress.h"
#include "result.h"
#include "session.h"
#include "wk-walk.h"

static void
test_stat(void)
{
    static const struct {
        const char *text;
        gboolean ok;
        char state;
        pid_t ppid;
        guint64 flags, start;
    } cases[] = {
        {"7 (python3) S 5 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 1234567 99 88", TRUE, 'S', 5, 4194560, 1234567},
        {"7 (a) S 1 (b) R 9) T 6 7 7 0 -1 2129984 1 2 3 4 5 6 7 8 20 0 1 0 42 99", TRUE, 'T', 6, 2129984, 42},
        {"7 () Z 1 7 7 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 0 0", TRUE, 'Z', 1, 4, 0},
        {"7 (python3) S 5 7", FALSE, 0, 0, 0, 0},
        {"", FALSE, 0, 0, 0, 0},
        {"7 (x", FALSE, 0, 0, 0, 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        InjStat st = {0};
        g_assert_cmpint(inj_stat_parse(cases[i].text, &st), ==, cases[i].ok);
        g_assert_cmpint(st.state, ==, cases[i].state);
        g_assert_cmpint(st.ppid, ==, cases[i].ppid);
        g_assert_cmpuint(st.flags, ==, cases[i].flags);
        g_assert_cmpuint(st.start_time, ==, cases[i].start);
    }
}

static void
test_status(void)
{
    static const char TEXT[] =
        "Name:\tTracerPid: 5\nTgid:\t12\nTracerPid:\t0\nSigCgt:\t0000000180004002\nVmRSS:\t   10240 kB\nOdd:\tx y\n";
    guint64 v = 99;

    g_assert_true(inj_status_field(TEXT, "Tgid", 10, &v));
    g_assert_cmpuint(v, ==, 12);
    g_assert_true(inj_status_field(TEXT, "TracerPid", 10, &v));
    g_assert_cmpuint(v, ==, 0);
    g_assert_true(inj_status_field(TEXT, "SigCgt", 16, &v));
    g_assert_cmphex(v, ==, 0x180004002);
    g_assert_true(inj_status_field(TEXT, "VmRSS", 10, &v));
    g_assert_cmpuint(v, ==, 10240);
    g_assert_false(inj_status_field(TEXT, "Odd", 10, &v));
    g_assert_false(inj_status_field(TEXT, "Tgi", 10, &v));
    g_assert_false(inj_status_field(TEXT, "Seccomp", 10, &v));
    g_assert_cmpuint(v, ==, 10240);
}

static void
put(const char *dir, const char *path, const char *text)
{
    g_autofree char *file = g_build_filename(dir, path, NULL), *parent = g_path_get_dirname(file);

    g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, text, -1, NULL));
}

static void
test_frozen(void)
{
    g_autofree char *dir = g_dir_make_tmp("heapdump-test-XXXXXX", NULL);
    static const struct {
        const char *cgroup;
        gboolean frozen;
    } cases[] = {
        {"0::/cold/inner\n", TRUE},
        {"0::/warm\n", FALSE},
        {"0::/nowhere\n", FALSE},
        {"5:freezer:/ice\n3:cpu,cpuacct:/ice\n0::/\n", TRUE},
        {"5:freezer:/water\n", FALSE},
        {"5:freezer:/slush\n", TRUE},
        {"3:cpu:/ice\n", FALSE},
        {"rubbish\n::\n", FALSE},
        {"", FALSE},
    };

    put(dir, "cold/inner/cgroup.events", "populated 1\nfrozen 1\n");
    put(dir, "warm/cgroup.events", "populated 1\nfrozen 0\n");
    put(dir, "freezer/ice/freezer.state", "FROZEN\n");
    put(dir, "freezer/water/freezer.state", "THAWED\n");
    put(dir, "freezer/slush/freezer.state", "FREEZING\n");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(inj_preflight_frozen(cases[i].cgroup, dir), ==, cases[i].frozen);
    static const char *const made[] = {"cold/inner/cgroup.events",
                                       "cold/inner",
                                       "cold",
                                       "warm/cgroup.events",
                                       "warm",
                                       "freezer/ice/freezer.state",
                                       "freezer/ice",
                                       "freezer/water/freezer.state",
                                       "freezer/water",
                                       "freezer/slush/freezer.state",
                                       "freezer/slush",
                                       "freezer",
                                       "."};
    for (gsize i = 0; i < G_N_ELEMENTS(made) - 1; i++) {
        g_autofree char *path = g_build_filename(dir, made[i], NULL);
        g_assert_cmpint(g_remove(path), ==, 0);
    }
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void
test_memory(void)
{
    static const char MEMINFO[] = "MemTotal:       1000000 kB\nMemAvailable:    500000 kB\n";
    g_autofree char *dir = g_dir_make_tmp("heapdump-test-XXXXXX", NULL);
    static const struct {
        const char *meminfo, *cgroup;
        guint64 available;
        const char *limit;
    } cases[] = {
        {NULL, NULL, G_MAXUINT64, NULL},
        {MEMINFO, NULL, 512000000, "this machine's memory"},
        {MEMINFO, "0::/wide\n", 512000000, "this machine's memory"},
        {MEMINFO, "0::/wide/tight\n", 430, "the memory limit of control group /wide/tight"},
        {MEMINFO, "0::/wide/tight/below\n", 430, "the memory limit of control group /wide/tight"},
        {MEMINFO, "0::/over\n", 0, "the memory limit of control group /over"},
        {MEMINFO, "9:cpu:/x\n5:memory:/old\n", 70, "the memory limit of control group /old"},
        {MEMINFO, "0::/nowhere\nrubbish", 512000000, "this machine's memory"},
    };
    static const char *const files[][2] = {
        {"wide/tight/memory.max", "1000\n"},
        {"wide/tight/memory.current", "800\n"},
        {"wide/tight/memory.stat", "anon 5\ninactive_file 200\nactive_file 60\nfile 9\n"},
        {"wide/memory.max", "max\n"},
        {"wide/memory.current", "5\n"},
        {"over/memory.max", "10\n"},
        {"over/memory.current", "50\n"},
        {"memory/old/memory.limit_in_bytes", "100\n"},
        {"memory/old/memory.usage_in_bytes", "30\n"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
        put(dir, files[i][0], files[i][1]);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        InjMemory m;
        inj_memory_look(&m, cases[i].meminfo, cases[i].cgroup, dir);
        g_assert_cmpuint(m.available, ==, cases[i].available);
        g_assert_cmpstr(m.limit, ==, cases[i].limit);
        inj_memory_clear(&m);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(dir, files[i][0], NULL);
        g_assert_cmpint(g_remove(path), ==, 0);
    }
    static const char *const folders[] = {"wide/tight", "wide", "over", "memory/old", "memory", ""};
    for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *path = g_build_filename(dir, folders[i], NULL);
        g_assert_cmpint(g_rmdir(path), ==, 0);
    }
    g_assert_cmpuint(inj_memory_needed(1200000000, FALSE), ==, 100000000 + (24 << 20));
    g_assert_cmpuint(inj_memory_needed(1200000000, TRUE), ==, 50000000 + (8 << 20));
    g_assert_cmpuint(inj_memory_promises_left("CommitLimit:  1000 kB\nCommitted_AS:   400 kB\n"), ==, 600 * 1024);
    g_assert_cmpuint(inj_memory_promises_left("CommitLimit:  1000 kB\nCommitted_AS:  4000 kB\n"), ==, 0);
    g_assert_cmpuint(inj_memory_promises_left(MEMINFO), ==, G_MAXUINT64);
    g_autoptr(GArray) maps = inj_maps_parse("1000-3000 r-xp 00000000 08:01 7 /a\n"
                                            "3000-6000 rw-p 00002000 08:01 7 /a\n"
                                            "7000-8000 rw-s 00000000 08:01 8 /b\n"
                                            "9000-b000 rw-p 00000000 00:00 0 [heap]\n",
                                            NULL);
    g_assert_cmpuint(inj_memory_promised(maps), ==, 0x5000);
}

static void
test_values(void)
{
    static const char TEXT[] = "HD gdb 13\nHD x 1\nnoise HD x 9\nHD forked 6386 -11 0x7f0000000000 99x\nHD x 2 3\nHD "
                               "big 18446744073709551615\nHD x";
    gint64 v = 5;

    g_assert_true(inj_session_value(TEXT, "gdb", 0, &v));
    g_assert_cmpint(v, ==, 13);
    g_assert_true(inj_session_value(TEXT, "x", 1, &v));
    g_assert_cmpint(v, ==, 3);
    g_assert_true(inj_session_value(TEXT, "forked", 1, &v));
    g_assert_cmpint(v, ==, -11);
    g_assert_true(inj_session_value(TEXT, "forked", 2, &v));
    g_assert_cmphex((guint64)v, ==, 0x7f0000000000);
    g_assert_true(inj_session_value(TEXT, "big", 0, &v));
    g_assert_cmphex((guint64)v, ==, G_MAXUINT64);
    g_assert_false(inj_session_value(TEXT, "x", 2, &v));
    g_assert_false(inj_session_value(TEXT, "fork", 0, &v));
    g_assert_false(inj_session_value("", "x", 0, &v));
}

static void
test_command_time(void)
{
    gint64 us = -7;

    g_assert_false(inj_session_command_time("nothing", &us));
    g_assert_false(inj_session_command_time("Command execution time: broken", &us));
    g_assert_cmpint(us, ==, -7);
    g_assert_true(inj_session_command_time("Command execution time: 0.000001 (cpu), 0.000002 (wall)\n"
                                           "Command execution time: 0.002701 (cpu), 0.003267 (wall)\n"
                                           "Command execution time: 0.000004 (cpu), 0.000005 (wall)\n",
                                           &us));
    g_assert_cmpint(us, ==, 3267);
}

static void
test_result(void)
{
    struct wk_result r = {.status = 77};
    static const char TEXT[] = "{\"status\": 11, \"stage\":3,\"errno\":12,\"address\":4096,\"objects\":5,\"refs\" : "
                               "6,\"bytes\":7,\"types\":8,"
                               "\"skipped\":9,\"wall_us\":10,\"cpu_us\":11,\"memory\":12,\"more\":{}}";

    g_assert_true(inj_result_parse(TEXT, sizeof TEXT - 1, &r));
    g_assert_cmpuint(r.status, ==, WK_ERR_INCONSISTENT);
    g_assert_cmpuint(r.stage, ==, 3);
    g_assert_cmpint(r.error, ==, 12);
    g_assert_cmpuint(r.address + r.objects + r.refs + r.bytes + r.types + r.skipped + r.wall_us + r.cpu_us + r.memory,
                     ==, 4096 + 68);
    g_assert_false(inj_result_parse("{}", 2, &r));
    g_assert_false(inj_result_parse("{\"status\":\"x\"}", 14, &r));
    g_assert_false(inj_result_parse("", 0, &r));
}

/* What the walker writes is what the driver reads. */
static void
test_result_written(void)
{
    g_autofree char *folder = g_dir_make_tmp(NULL, NULL), *path = g_build_filename(folder, "result", NULL),
                    *temporary = g_strconcat(path, ".tmp", NULL), *text = NULL;
    struct wk_result r;
    gsize n;
    g_autofree struct wk_args *args = g_new0(struct wk_args, 1);

    args->result = (struct wk_result){.status = WK_ERR_OPEN,
                                      .stage = 3,
                                      .error = 13,
                                      .address = 0xfffffffffffff000,
                                      .objects = 1,
                                      .refs = 2,
                                      .bytes = 3,
                                      .types = 4,
                                      .skipped = 5,
                                      .wall_us = 6,
                                      .cpu_us = 7,
                                      .memory = 8};
    g_strlcpy(args->result_path, path, sizeof args->result_path);
    g_strlcpy(args->result_temp_path, temporary, sizeof args->result_temp_path);
    g_assert_true(wk_output_result(args, NULL));
    g_assert_true(g_file_get_contents(path, &text, &n, NULL));
    g_assert_true(inj_result_parse(text, n, &r));
    g_assert_cmpuint(r.status, ==, WK_ERR_OPEN);
    g_assert_cmpuint(r.stage, ==, 3);
    g_assert_cmpint(r.error, ==, 13);
    g_assert_cmpuint(r.address, ==, 0xfffffffffffff000);
    g_assert_cmpuint(r.objects * 10 + r.refs, ==, 12);
    g_assert_cmpuint(r.bytes * 10 + r.types, ==, 34);
    g_assert_cmpuint(r.skipped * 10 + r.wall_us, ==, 56);
    g_assert_cmpuint(r.cpu_us * 10 + r.memory, ==, 78);
    g_unlink(path);
    g_rmdir(folder);
}

static void
test_result_words(void)
{
    static const struct {
        guint32 status;
        int exit_code;
    } cases[] = {{WK_RUNNING, 1},    {WK_ERR_ABI, 1},  {WK_ERR_VERSION, 5},      {WK_ERR_SYMBOL, 5},
                 {WK_ERR_LAYOUT, 5}, {WK_ERR_OPEN, 1}, {WK_ERR_WRITE, 1},        {WK_ERR_MEMORY, 1},
                 {WK_ERR_FAULT, 1},  {WK_ERR_TIME, 3}, {WK_ERR_INCONSISTENT, 1}, {999, 1}};

    g_assert_true(inj_result_check(&(struct wk_result){.status = WK_OK}, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        const struct wk_result r = {.status = cases[i].status, .error = 13};
        g_assert_false(inj_result_check(&r, &error));
        g_assert_cmpint(inj_error_exit_code(error), ==, cases[i].exit_code);
        g_assert_nonnull(strstr(error->message, "Permission denied"));
    }
}

static void
test_progress(void)
{
    g_autofree char *bar = inj_progress_text(0.5, 1000, 2000000), *none = inj_progress_text(-1, 7, 10),
                    *full = inj_progress_text(7, 7, 10);

    g_assert_cmpstr(bar, ==, "[###############...............] 1000 objects, 2.0 MB");
    g_assert_cmpstr(none, ==, "7 objects, 10 bytes");
    g_assert_true(g_str_has_prefix(full, "[##############################] 7"));
}

int
main(int argc, char **argv)
{
    g_setenv("LC_ALL", "C", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/facts/stat", test_stat);
    g_test_add_func("/facts/status", test_status);
    g_test_add_func("/facts/frozen", test_frozen);
    g_test_add_func("/facts/memory", test_memory);
    g_test_add_func("/facts/values", test_values);
    g_test_add_func("/facts/command-time", test_command_time);
    g_test_add_func("/facts/result", test_result);
    g_test_add_func("/facts/result-written", test_result_written);
    g_test_add_func("/facts/result-words", test_result_words);
    g_test_add_func("/facts/progress", test_progress);
    return g_test_run();
}
