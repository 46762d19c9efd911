// SPDX-License-Identifier: MIT
/* The live entry's pure parts: which threads may be entered, the region's image, the stub, the script, the result. */
#include <glib.h>
#include <string.h>
#include "entry-image.h"
#include "entry-private.h"
#include "entry-script.h"
#include "entry-sleep.h"
#include "entry-bytes.h"
#include "ep-stub-layout.h"

static void
test_sleep_lines(void)
{
    static const struct {
        const char *line;
        InjSleepKind kind;
        int number;
    } cases[] = {
        {"running\n", INJ_SLEEP_RUNNING, -1},
        {"-1 0x7ffc6a 0x7f01\n", INJ_SLEEP_NO, -1},
        {"", INJ_SLEEP_NO, -1},
        {"232", INJ_SLEEP_NO, 232},
        {"232 0x3 0x7ffe 0x10 0xffffffff 0x0 0x8 0x7ffd 0x7f00\n", INJ_SLEEP_KNOWN, 232},  /* epoll_wait */
        {"230 0x1 0x1 0x7ffe 0x0 0x0 0x0 0x7ffd 0x7f00\n", INJ_SLEEP_KNOWN, 230},          /* clock_nanosleep */
        {"0 0x0 0x55d0 0x2000 0x0 0x0 0x0 0x7ffd 0x7f00\n", INJ_SLEEP_KNOWN, 0},           /* read */
        {"202 0x55d0 0x189 0x0 0x0 0x0 0xffffffff 0x7ffd 0x7f00\n", INJ_SLEEP_KNOWN, 202}, /* sem_wait */
        {"202 0x55d0 0x80 0xffffffff 0x0 0x0 0x0 0x7ffd 0x7f00\n", INJ_SLEEP_KNOWN, 202},  /* FUTEX_WAIT */
        {"202 0x55d0 0x80 0x2 0x0 0x0 0x0 0x7ffd 0x7f00\n", INJ_SLEEP_NO, 202},            /* a lock of libc */
        {"219 0x55d0 0x80 0x2 0x0 0x0 0x0 0x7ffd 0x7f00\n", INJ_SLEEP_KNOWN, 219},   /* an interrupted wait goes on */
        {"202 0x55d0 0x1 0x1 0x0 0x0 0x0 0x7ffd 0x7f00\n", INJ_SLEEP_NO, 202},       /* FUTEX_WAKE */
        {"9 0x0 0x1000 0x3 0x22 0xffffffff 0x0 0x7ffd 0x7f00\n", INJ_SLEEP_NO, 9},   /* mmap: in malloc */
        {"74 0x3 0x1000 0x3 0x22 0xffffffff 0x0 0x7ffd 0x7f00\n", INJ_SLEEP_NO, 74}, /* fsync */
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        int number = 77;

        g_test_message("%s", cases[i].line);
        g_assert_cmpint(inj_sleep_parse(cases[i].line, &number), ==, cases[i].kind);
        g_assert_cmpint(number, ==, cases[i].number);
    }
}

static void
test_sleep_status(void)
{
    pid_t tid = 0;

    g_assert_true(inj_sleep_parse_status("Name:\tx\nNSpid:\t100\t7\nSigBlk:\t0000000000010001\nSigIgn:\t00\n", &tid));
    g_assert_cmpint(tid, ==, 7);
    g_assert_false(inj_sleep_parse_status("Name:\tx\nSigBlk:\t0000000000010001\n", &tid));
    g_assert_false(inj_sleep_parse_status("Name:\tx\nNSpid:\t\nSigBlk:\t0000000000010001\n", &tid));
}

static GArray *
maps_of(const char *text)
{
    g_autoptr(GError) error = NULL;
    GArray *maps = inj_maps_parse(text, &error);

    g_assert_no_error(error);
    return maps;
}

static void
test_place(void)
{
    g_autoptr(GArray) maps = maps_of("00400000-00500000 r-xp 00000000 08:01 1 /usr/bin/python3\n"
                                     "7f0000000000-7f0000100000 r-xp 00000000 08:01 2 /lib/libc.so\n"
                                     "7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0 [stack]\n"
                                     "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n");
    g_autoptr(GArray) full = maps_of("00400000-00500000 r-xp 00000000 08:01 1 /usr/bin/python3\n"
                                     "00510000-00600000 r-xp 00000000 08:01 2 /lib/libc.so\n");

    for (guint32 jitter = 0; jitter < 100000; jitter += 997) {
        guint64 at = inj_entry_place(maps, 0x40000, jitter);

        g_assert_cmpuint(at % 4096, ==, 0);
        g_assert_cmpuint(at, >, 0x500000 + ((guint64)1 << 40)); /* far from where the heap grows to */
        g_assert_cmpuint(at, <, 0x7f0000000000 - ((guint64)1 << 40));
    }
    g_assert_cmpuint(inj_entry_place(full, 0x40000, 5), ==, 0);
}

static InjEntryJob
sample_job(GBytes *collect, GBytes *runner, GBytes *payload, const guint64 *symbols)
{
    return (InjEntryJob){.collect = collect,
                         .runner = runner,
                         .payload = payload,
                         .payload_name = "/home/p.py",
                         .symbols = symbols,
                         .stage = "/tmp/stage"};
}

static void
test_image(void)
{
    g_autoptr(GBytes) payload = g_bytes_new_static("pay\0load", 8);
    g_autoptr(GBytes) collect = g_bytes_new_static("collect()\n", 10);
    g_autoptr(GBytes) runner = g_bytes_new_static("run()\n", 6);
    guint64 symbols[EP_SYM_COUNT];
    InjEntryJob job;
    InjEntryImage image;
    g_autoptr(GError) error = NULL;
    struct ep_args args;
    const char *bytes;
    gsize n;

    for (guint i = 0; i < EP_SYM_COUNT; i++)
        symbols[i] = 0x1000 + i;
    job = sample_job(collect, runner, payload, symbols);
    g_assert_true(inj_entry_image_make(&job, 0x700000000000, &image, &error));
    g_assert_no_error(error);
    bytes = g_bytes_get_data(image.bytes, &n);
    g_assert_cmpuint(image.size, ==, inj_entry_image_size(&job));
    g_assert_cmpuint(n, <=, image.size - EP_STACK - EP_XSAVE_MAX);
    g_assert_cmpmem(bytes, ep_blob_size, ep_blob, ep_blob_size);
    g_assert_cmpuint(image.code_size % 4096, ==, 0);
    g_assert_cmpuint(image.args, ==, image.base + image.code_size); /* what is written to is not executable */

    memcpy(&args, bytes + (image.args - image.base), sizeof args);
    g_assert_cmpuint(args.magic, ==, EP_MAGIC);
    g_assert_cmpuint(args.base, ==, image.base);
    g_assert_cmpuint(args.region_size, ==, image.size);
    g_assert_cmpuint(args.xsave_offset % 64, ==, 0);
    g_assert_cmpuint(args.xsave_offset, >=, n);
    g_assert_cmpuint(args.symbols[EP_SYM_MUNMAP], ==, 0x1000 + EP_SYM_MUNMAP);
    g_assert_cmpstr(bytes + args.collect.offset, ==, "collect()\n");
    g_assert_cmpstr(bytes + args.runner.offset, ==, "run()\n");
    g_assert_cmpmem(bytes + args.payload.offset, args.payload.size, "pay\0load", 8);
    g_assert_cmpstr(args.output_path, ==, "/tmp/stage/output");
    g_assert_cmpstr(args.payload_name, ==, "/home/p.py");
    g_assert_cmpuint(args.walker, ==, 0);
    g_assert_cmpuint(args.state, ==, EP_STATE_IMAGE);
    inj_entry_image_clear(&image);
}

static void
test_image_walker(void)
{
    g_autoptr(GBytes) walker = g_bytes_new_static("walker code", 11);
    struct wk_args walker_args = {.magic = WK_ABI_MAGIC}, copy;
    guint64 symbols[EP_SYM_COUNT] = {0};
    InjEntryJob job = {.walker = walker, .walker_args = &walker_args, .symbols = symbols, .stage = "/tmp/stage"};
    InjEntryImage image;
    g_autoptr(GError) error = NULL;
    struct ep_args args;
    const char *bytes;

    g_assert_true(inj_entry_image_make(&job, 0x700000000000, &image, &error));
    bytes = g_bytes_get_data(image.bytes, NULL);
    memcpy(&args, bytes + (image.args - image.base), sizeof args);
    g_assert_cmpuint(args.walker % 4096, ==, 0);
    g_assert_cmpuint(args.walker, <, image.base + image.code_size);
    g_assert_cmpmem(bytes + (args.walker - image.base), 11, "walker code", 11);
    g_assert_cmpuint(args.walker_args, >, image.args);
    memcpy(&copy, bytes + (args.walker_args - image.base), sizeof copy);
    g_assert_cmpuint(copy.magic, ==, WK_ABI_MAGIC);
    g_assert_cmpuint(copy.blob_base, ==, args.walker);
    inj_entry_image_clear(&image);
}

static void
test_image_long_path(void)
{
    g_autofree char *stage = g_strnfill(EP_PATH_MAX, 'x');
    guint64 symbols[EP_SYM_COUNT] = {0};
    InjEntryJob job = {.symbols = symbols, .stage = stage};
    InjEntryImage image;
    g_autoptr(GError) error = NULL;

    g_assert_false(inj_entry_image_make(&job, 0x700000000000, &image, &error));
    g_assert_error(error, INJ_ERROR, INJ_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "--stage-dir"));
}

static guint64
word(const char *stub, gsize offset)
{
    guint64 value;

    memcpy(&value, stub + ep_stub_size - EP_PARAM_PATH + offset, sizeof value);
    return value;
}

static void
test_stub(void)
{
    InjEntryImage image = {.base = 0x700000000000, .size = 0x30000, .code_size = 0x1000, .args = 0x700000001000};
    g_autoptr(GBytes) contents = g_bytes_new_static("0123456789", 10);
    g_autoptr(GBytes) stub = NULL;
    const char *bytes;
    gsize n;

    image.bytes = contents;
    stub = inj_entry_stub_make(&image, "/tmp/stage/entry.img");
    bytes = g_bytes_get_data(stub, &n);
    /* The kernel's "two bytes back" is a jump over the ordinary entry. */
    g_assert_cmphex((guint8)bytes[EP_STUB_RESTART], ==, 0xeb);
    g_assert_cmpint(EP_STUB_ENTRY - EP_STUB_RESTART, ==, 2);
    g_assert_cmpuint(sizeof(guint64) * (EP_WITNESS / 8), ==, EP_WITNESS);
    g_assert_cmpuint(EP_STACK_USED % 16, ==, 0);
    g_assert_cmphex(word(bytes, EP_PARAM_REGION), ==, image.base);
    g_assert_cmphex(word(bytes, EP_PARAM_REGION_SIZE), ==, image.size);
    g_assert_cmphex(word(bytes, EP_PARAM_CODE_SIZE), ==, image.code_size);
    g_assert_cmphex(word(bytes, EP_PARAM_IMAGE_SIZE), ==, 10);
    g_assert_cmphex(word(bytes, EP_PARAM_ARGS), ==, image.args);
    g_assert_cmphex(word(bytes, EP_PARAM_LEFT), ==, image.args + G_STRUCT_OFFSET(struct ep_args, inside));
    g_assert_cmphex(word(bytes, EP_PARAM_MASK), ==, ~(guint64)0x400004f8 & ~(guint64)0);
    g_assert_cmpstr(bytes + ep_stub_size, ==, "/tmp/stage/entry.img");
    g_assert_cmpuint(inj_entry_stub_params(0x1000) - 0x1000 + EP_PARAM_PATH, ==, ep_stub_size);
}

static void
test_script(void)
{
    g_autoptr(GArray) sleepers = g_array_new(FALSE, FALSE, sizeof(InjSleeper));
    InjSleeper main_thread = {100, 7}, other = {103, 9};
    InjEntryScript s = {.pid = 100,
                        .cave = 0x4000,
                        .params = 0x4200,
                        .region = 0x700000000000,
                        .sleepers = sleepers,
                        .rounds = 2,
                        .code_start = 0x10000,
                        .code_end = 0x20000};
    g_autofree char *script = NULL;

    g_array_append_val(sleepers, main_thread);
    g_array_append_val(sleepers, other);
    script = inj_entry_script_make(&s);
    g_assert_nonnull(strstr(script, "\nhd_try 100 7 1\nhd_try 103 9 0\nhd_try 100 7 1\nhd_try 103 9 0\nmaint"));
    g_assert_nonnull(strstr(script, " || $orig_rax == 232 || "));
    g_assert_nonnull(strstr(script, "$rip >= 0x10000 && (unsigned long)$rip < 0x20000"));
    g_assert_nonnull(strstr(script, "set $rip = 0x4002\n"));
    g_assert_nonnull(strstr(script, "*(long *)0x4218 == 0x700000000000\n"));
    /* GDB's own calls destroy vector registers. */
    g_assert_false(g_regex_match_simple("^\\s*(call|print|p|jump) ", script, G_REGEX_MULTILINE, 0));
    g_assert_false(g_regex_match_simple("\\(\\(.*\\)\\(", script, 0, 0));
    g_assert_null(strchr(script, '@'));
}

static void
test_result(void)
{
    InjEntryResult r = {.status = 99};

    g_assert_true(inj_entry_result_parse(
        "{\"kind\":\"entry\",\"status\":2,\"errno\":11,\"gil_wait_us\":36,\"collect_us\":6740,\"run_us\":9751}\n", &r));
    g_assert_cmpuint(r.status, ==, EP_ERR_THREAD);
    g_assert_cmpuint(r.error, ==, 11);
    g_assert_cmpuint(r.gil_wait_us, ==, 36);
    g_assert_cmpuint(r.collect_us, ==, 6740);
    g_assert_cmpuint(r.run_us, ==, 9751);
    r.status = 99;
    g_assert_false(inj_entry_result_parse("{\"kind\":\"entry\",\"status\":2,\"errno\":11,\"gil_wait_us\":36", &r));
    g_assert_false(inj_entry_result_parse("", &r));
    g_assert_cmpuint(r.status, ==, 99);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/entry/sleep/lines", test_sleep_lines);
    g_test_add_func("/entry/sleep/status", test_sleep_status);
    g_test_add_func("/entry/place", test_place);
    g_test_add_func("/entry/image/payload", test_image);
    g_test_add_func("/entry/image/walker", test_image_walker);
    g_test_add_func("/entry/image/long-path", test_image_long_path);
    g_test_add_func("/entry/stub", test_stub);
    g_test_add_func("/entry/script", test_script);
    g_test_add_func("/entry/result", test_result);
    return g_test_run();
}
