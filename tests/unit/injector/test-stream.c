// SPDX-License-Identifier: MIT
/* From a pipe to a file: what arrives, what is added, what stands under the name of the dump when it goes wrong. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <heapfile/stream.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "error.h"
#include "stream.h"

typedef struct {
    pid_t child;
    InjTarget *target;
    InjGuard *guard;
    char *dir;
    InjOptions options;
    InjRun run;
    InjOutput *output;
    int fifo[2]; /* reading end not blocking */
} Fixture;

static void
set_up(Fixture *f, gconstpointer name)
{
    f->child = fork();
    if (f->child == 0) {
        for (;;)
            pause();
    }
    f->target = inj_target_open(f->child, NULL);
    f->dir = g_dir_make_tmp("heapdump-test-XXXXXX", NULL);
    f->options = (InjOptions){.timeout = 20, .quiet = TRUE, .output = g_build_filename(f->dir, name, NULL)};
    f->options.compress = g_str_has_suffix(name, ".zst")  ? INJ_COMPRESS_ZSTD
                          : g_str_has_suffix(name, ".gz") ? INJ_COMPRESS_GZIP
                                                          : INJ_COMPRESS_NONE;
    f->output = inj_output_plan(&f->options, NULL);
    f->guard = inj_guard_new(f->target, NULL);
    f->run = (InjRun){.options = &f->options, .target = f->target, .guard = f->guard, .pause_us = 1234, .fork_us = 55};
    g_assert_true(inj_output_open(f->output, f->guard, NULL));
    g_assert_cmpint(pipe2(f->fifo, O_CLOEXEC), ==, 0);
    g_assert_cmpint(fcntl(f->fifo[0], F_SETFL, O_NONBLOCK), ==, 0);
}

static void
tear_down(Fixture *f, gconstpointer name)
{
    (void)name;
    inj_output_free(f->output);
    inj_guard_free(f->guard);
    g_remove(f->options.output);
    g_assert_cmpint(g_rmdir(f->dir), ==, 0); /* nothing else is left */
    kill(f->child, SIGKILL);
    waitpid(f->child, NULL, 0);
    inj_target_free(f->target);
    g_free(f->dir);
    inj_options_clear(&f->options);
    close(f->fifo[0]);
}

static bool
collect(void *user, const void *bytes, size_t n)
{
    g_byte_array_append(user, bytes, (guint)n);
    return true;
}

/* A dump of one type and some objects. */
static GByteArray *
make_dump(void)
{
    GByteArray *bytes = g_byte_array_new();
    g_autofree void *memory = g_malloc(HF_WRITER_MEMORY);
    struct hf_writer w;

    hf_writer_init(&w, memory, collect, bytes);
    hf_write_header(&w, 8);
    hf_write_meta_text(&w, HF_META_PYTHON, "3.11", 4);
    uint32_t type =
        hf_write_type(&w, &(struct hf_type_row){.addr = 0x1000, .common_size = 48, .name = "int", .name_len = 3});
    for (guint i = 0; i < 1000; i++) {
        const uint64_t ref = 0x2000;
        hf_write_object(&w, &(struct hf_object_row){.addr = 0x2000 + 64 * i,
                                                    .type = type,
                                                    .flags = HF_OBJ_REFCOUNT,
                                                    .refcount = 1,
                                                    .refs = &ref,
                                                    .n_refs = 1});
    }
    g_assert_true(hf_writer_finish(&w, HF_END_COMPLETE, ""));
    return bytes;
}

/* Writes from another process, since the pipe is short. */
static pid_t
feed(Fixture *f, const guint8 *bytes, gsize n)
{
    pid_t pid = fork();

    if (pid == 0) {
        while (n > 0) {
            ssize_t w = write(f->fifo[1], bytes, n);
            if (w <= 0)
                _exit(1);
            bytes += w;
            n -= (gsize)w;
        }
        _exit(0);
    }
    close(f->fifo[1]);
    return pid;
}

static gboolean
stream(Fixture *f, InjStreamTotals *totals, GError **error)
{
    const InjStream s = {.run = &f->run,
                         .output = f->output,
                         .fifo = f->fifo[0],
                         .writer = -1,
                         .time_us = 1700000000000000,
                         .mode = "fork"};

    return inj_stream_run(&s, totals, error);
}

static bool
note_meta(void *user, const struct hf_meta_row *row)
{
    char *value = row->type == HF_META_TEXT ? g_strndup(row->text, row->text_len)
                                            : g_strdup_printf("%" G_GUINT64_FORMAT, (guint64)row->uint_value);

    g_hash_table_insert(user, g_strndup(row->key, row->key_len), value);
    return true;
}

static void
test_whole(Fixture *f, gconstpointer name)
{
    g_autoptr(GByteArray) dump = make_dump();
    g_autoptr(GHashTable) meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GError) error = NULL;
    pid_t feeder = feed(f, dump->data, dump->len);
    InjStreamTotals totals;
    struct stat st;

    (void)name;
    g_assert_true(stream(f, &totals, &error));
    g_assert_no_error(error);
    g_assert_cmpint(waitpid(feeder, NULL, 0), ==, feeder);
    g_assert_cmpint(stat(f->options.output, &st), ==, -1); /* not before all is there */
    g_assert_true(inj_output_commit(f->output, &error));
    g_assert_cmpint(stat(f->options.output, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    g_assert_cmpuint((guint64)st.st_size, ==, inj_output_bytes(f->output));
    g_assert_cmpuint(totals.objects, ==, 1000);
    g_assert_cmpuint(totals.refs, ==, 1000);
    g_assert_cmpuint(totals.types, ==, 1);
    /* A strict reader takes it: totals, bytes, checksums. */
    struct hf_stream *in = hf_stream_new(open(f->options.output, O_RDONLY));
    struct hf_reader *reader = hf_stream_reader(in);
    const struct hf_handlers handlers = {.meta = note_meta};
    if (hf_read_all(reader, &handlers, meta) != HF_EOF)
        g_error("%s", hf_reader_error(reader));
    g_assert_cmpuint(hf_reader_position(reader), ==, totals.bytes);
    g_assert_cmpstr(g_hash_table_lookup(meta, HF_META_PYTHON), ==, "3.11");
    g_assert_cmpstr(g_hash_table_lookup(meta, HF_META_MODE), ==, "fork");
    g_assert_cmpstr(g_hash_table_lookup(meta, HF_META_PAUSE), ==, "1234");
    g_assert_cmpstr(g_hash_table_lookup(meta, HF_META_FORK), ==, "55");
    g_assert_cmpstr(g_hash_table_lookup(meta, HF_META_TIME), ==, "1700000000000000");
    g_assert_cmpint(atoi(g_hash_table_lookup(meta, HF_META_PID)), ==, f->child);
    g_assert_cmpint(atoi(g_hash_table_lookup(meta, HF_META_INNER)), ==, f->target->inner_pid);
    g_assert_cmpuint(g_ascii_strtoull(g_hash_table_lookup(meta, HF_META_START), NULL, 10), ==, f->target->start_time);
    g_autofree char *boot = NULL;
    g_assert_true(g_file_get_contents("/proc/sys/kernel/random/boot_id", &boot, NULL, NULL));
    g_assert_cmpstr(g_hash_table_lookup(meta, HF_META_BOOT), ==, g_strchomp(boot));
    g_assert_true(g_str_has_prefix(g_hash_table_lookup(meta, HF_META_TOOL), "heapdump-gdb "));
    hf_reader_free(reader);
    hf_stream_free(in);
    inj_stream_totals_clear(&totals);
}

static void
test_cut(Fixture *f, gconstpointer name)
{
    g_autoptr(GByteArray) dump = make_dump();
    g_autoptr(GError) error = NULL;
    pid_t feeder = feed(f, dump->data, dump->len / 2);
    InjStreamTotals totals;

    (void)name;
    g_assert_false(stream(f, &totals, &error));
    g_assert_error(error, INJ_ERROR, INJ_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "ended early (cut at byte"));
    g_assert_cmpint(waitpid(feeder, NULL, 0), ==, feeder);
    /* Another try starts from nothing. */
    g_assert_true(inj_output_can_retry(f->output));
    g_assert_true(inj_output_open(f->output, f->guard, NULL));
}

static void
test_corrupt(Fixture *f, gconstpointer name)
{
    g_autoptr(GByteArray) dump = make_dump();
    g_autoptr(GError) error = NULL;
    InjStreamTotals totals;

    (void)name;
    dump->data[dump->len / 2] ^= 1;
    pid_t feeder = feed(f, dump->data, dump->len);
    g_assert_false(stream(f, &totals, &error));
    g_assert_nonnull(strstr(error->message, "checksum does not match"));
    close(f->fifo[0]);
    f->fifo[0] = -1;
    waitpid(feeder, NULL, 0);
}

static void
test_silent(Fixture *f, gconstpointer name)
{
    g_autoptr(GError) error = NULL;
    InjStreamTotals totals;

    (void)name;
    f->options.timeout = 0.05;
    g_assert_false(stream(f, &totals, &error));
    g_assert_error(error, INJ_ERROR, INJ_ERROR_TIMEOUT);
    close(f->fifo[1]);
}

static void
test_full(void)
{
    InjOptions o = {.output = (char *)"/dev/full"};
    g_autoptr(GError) error = NULL;
    g_autoptr(InjOutput) out = inj_output_plan(&o, &error);
    g_autofree char *much = g_malloc0(8 << 20);

    g_assert_no_error(error);
    g_assert_true(inj_output_open(out, NULL, NULL));
    if (inj_output_write(out, much, 8 << 20))
        g_assert_false(inj_output_commit(out, &error));
    else
        inj_output_error(out, &error);
    g_assert_nonnull(strstr(error->message, "/dev/full: No space left on device: make room"));
    g_assert_false(inj_output_can_retry(out));
}

static void
test_plan_refusals(void)
{
    static const struct {
        const char *output, *says;
    } cases[] = {{"/nonexistent/x", "/nonexistent/x: No such file or directory: name another place"},
                 {"/tmp", "cannot write /tmp: it is a folder"},
                 {"/proc/x", "/proc/x: "}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        InjOptions o = {.output = (char *)cases[i].output};
        g_autoptr(GError) error = NULL;
        g_autoptr(InjOutput) out = inj_output_plan(&o, &error);
        if (out != NULL && i == 2)
            continue; /* root may, until it tries */
        g_assert_null(out);
        g_assert_error(error, INJ_ERROR, INJ_ERROR_FAILED);
        g_assert_nonnull(strstr(error->message, cases[i].says));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(inj_interrupt_setup());
    static const char *const names[] = {"x.heap", "x.heap.zst", "x.heap.gz"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_strdup_printf("/stream/whole/%s", names[i]);
        g_test_add(path, Fixture, names[i], set_up, test_whole, tear_down);
    }
    g_test_add("/stream/cut", Fixture, "x.heap.zst", set_up, test_cut, tear_down);
    g_test_add("/stream/corrupt", Fixture, "x.heap", set_up, test_corrupt, tear_down);
    g_test_add("/stream/silent", Fixture, "x.heap", set_up, test_silent, tear_down);
    g_test_add_func("/stream/full", test_full);
    g_test_add_func("/stream/plan-refusals", test_plan_refusals);
    return g_test_run();
}
