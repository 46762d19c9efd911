// SPDX-License-Identifier: MIT
/* Promises of writer.h and reader.h besides the rows: order of chunks, refused bytes, stops, sources, passing dumps on. */
#include "dump-text.h"
#include "sample.h"
#include <string.h>

/* What kinds of chunks a dump has, in order, as "META NAME OBJS …". */
static char *
kinds_of(const GByteArray *file)
{
    GString *out = g_string_new(NULL);
    for (guint at = sizeof(struct hf_file_header); at < file->len;) {
        struct hf_chunk_header h;
        memcpy(&h, file->data + at, sizeof h);
        g_string_append_printf(out, "%s%.4s", out->len > 0 ? " " : "", (const char *)&h.kind);
        at += (guint)(sizeof h + h.length);
    }
    return g_string_free(out, FALSE);
}

static void
test_order(void)
{
    struct sample_writer s;
    sample_begin(&s);
    hf_write_header(&s.w, 8);
    hf_write_type(&s.w, &(struct hf_type_row){0});
    hf_write_object(&s.w, &(struct hf_object_row){.addr = 8, .type = 1});
    hf_write_counter(&s.w, "k", 1);
    hf_write_thread(&s.w, &(struct hf_thread_row){0});
    const uint32_t id = hf_write_name(&s.w, "n", 1);
    hf_write_root(&s.w, HF_ROOT_THREAD, 8, id, true);
    hf_write_layout(&s.w, &(struct hf_run){.kind = HF_RUN_NAMED, .count = 1, .names = &id}, 1);
    hf_write_meta_uint(&s.w, "k", 1);
    hf_writer_flush(&s.w);
    hf_writer_flush(&s.w);
    hf_writer_finish(&s.w, HF_END_COMPLETE, NULL);
    g_autoptr(GByteArray) file = sample_take(&s);
    g_autofree char *kinds = kinds_of(file);
    g_assert_cmpstr(kinds, ==, "META NAME TYPE LAYO ROOT THRD STAT OBJS END!");
}

/* Tables are out before the rows that use them, whichever buffer fills; the reader refuses ids it has not met. */
static void
test_order_when_full(void)
{
    struct sample_writer s;
    sample_begin(&s);
    hf_write_header(&s.w, 8);
    for (uint32_t i = 1; i <= 30000; i++) {
        g_autofree char *text = g_strdup_printf("name %u", i);
        const uint32_t names[] = {hf_write_name(&s.w, text, strlen(text)), i};
        hf_write_layout(&s.w, &(struct hf_run){.kind = HF_RUN_NAMED, .count = 2, .names = names}, 1);
        hf_write_type(&s.w, &(struct hf_type_row){.name = text, .name_len = strlen(text)});
        hf_write_object(&s.w, &(struct hf_object_row){.addr = 8 * i,
                                                      .type = i,
                                                      .layout = i,
                                                      .flags = HF_OBJ_CONTENT,
                                                      .content = text,
                                                      .content_len = strlen(text),
                                                      .refs = (const uint64_t[]){8 * i, 8},
                                                      .n_refs = 2});
        hf_write_root(&s.w, HF_ROOT_RUNTIME, 8 * i, i, false);
        hf_write_thread(&s.w, &(struct hf_thread_row){.ident = i, .name = text, .name_len = strlen(text)});
        hf_write_frame(&s.w, &(struct hf_frame_row){.names = names, .refs = (const uint64_t[]){8, 16}, .n = 2});
    }
    g_assert_true(hf_writer_finish(&s.w, HF_END_COMPLETE, ""));
    g_autoptr(GByteArray) file = sample_take(&s);
    g_autofree char *error = NULL;
    enum hf_status status = sample_text(file->data, file->len, NULL, &error);
    g_assert_cmpstr(error, ==, "");
    g_assert_cmpint(status, ==, HF_EOF);
}

struct limited {
    size_t left, calls_after;
};

static bool
take_limited(void *user, const void *bytes, size_t n)
{
    struct limited *l = user;
    (void)bytes;
    if (n > l->left) {
        l->calls_after++;
        l->left = 0;
        return false;
    }
    l->left -= n;
    return true;
}

/* A sink that refuses is not asked again, and the end says so. */
static void
test_refused(void)
{
    g_autofree void *memory = g_malloc(HF_WRITER_MEMORY);
    g_autofree uint64_t *refs = g_new0(uint64_t, 600000);
    for (size_t limit = 0; limit < 300; limit += 7) {
        struct hf_writer w;
        struct limited l = {.left = limit};
        hf_writer_init(&w, memory, take_limited, &l);
        hf_write_header(&w, 8);
        hf_write_meta_uint(&w, "k", 1);
        hf_write_type(&w, &(struct hf_type_row){0});
        for (int i = 0; i < 100; i++)
            hf_write_object(&w, &(struct hf_object_row){.addr = 8, .type = 1});
        hf_write_object(&w, &(struct hf_object_row){.addr = 8, .type = 1, .refs = refs, .n_refs = 600000});
        g_assert_false(hf_writer_finish(&w, HF_END_COMPLETE, ""));
        g_assert_cmpuint(l.calls_after, ==, 1);
        g_assert_cmpuint(w.bytes, <=, limit);
    }
}

/* Sources may give as little as they like. */
static void
test_short_reads(void)
{
    g_autoptr(GByteArray) file = sample_zoo();
    g_autofree char *expected = NULL;
    g_assert_cmpint(sample_text(file->data, file->len, &expected, NULL), ==, HF_EOF);
    for (size_t step = 1; step < 100; step += 3) {
        struct sample_source source = {.bytes = file->data, .n = file->len, .step = step};
        struct hf_reader *r = hf_reader_new(sample_read, &source);
        g_autoptr(GString) out = g_string_new(NULL);
        g_assert_cmpint(hf_read_all(r, &text_handlers, out), ==, HF_EOF);
        g_assert_cmpstr(out->str, ==, expected);
        g_assert_cmpuint(hf_reader_position(r), ==, file->len);
        hf_reader_free(r);
    }
}

static struct hf_reader *failing_reader;

static long
failing_read(void *user, void *bytes, size_t n)
{
    struct sample_source *s = user;
    if (s->at < s->n)
        return sample_read(s, bytes, n);
    if (failing_reader != NULL)
        hf_reader_set_error(failing_reader, "the cable is out");
    return -1;
}

static void
test_failing_source(void)
{
    g_autoptr(GByteArray) file = sample_zoo();
    for (guint n = 0; n <= file->len; n++) {
        struct sample_source source = {.bytes = file->data, .n = n};
        struct hf_reader *r = hf_reader_new(failing_read, &source);
        failing_reader = n % 2 ? r : NULL;
        g_assert_cmpint(hf_read_all(r, &(struct hf_handlers){0}, NULL), ==, HF_IO);
        g_assert_cmpstr(hf_reader_error(r), ==, n % 2 ? "the cable is out" : "reading failed");
        struct hf_chunk_header chunk;
        const uint8_t *payload;
        g_assert_cmpint(hf_read_chunk(r, &chunk, &payload), ==, HF_IO);
        hf_reader_free(r);
    }
}

static bool
count_to_three(void *user, const struct hf_object_row *row)
{
    (void)row;
    return ++*(int *)user < 3;
}

static void
test_stop(void)
{
    g_autoptr(GByteArray) file = sample_zoo();
    struct sample_source source = {.bytes = file->data, .n = file->len};
    struct hf_reader *r = hf_reader_new(sample_read, &source);
    int n = 0;
    g_assert_cmpint(hf_read_all(r, &(struct hf_handlers){.object = count_to_three}, &n), ==, HF_OK);
    g_assert_cmpint(n, ==, 3);
    g_assert_cmpstr(hf_reader_error(r), ==, "");
    hf_reader_free(r);
}

static void
test_no_handlers(void)
{
    g_autoptr(GByteArray) file = sample_large();
    struct sample_source source = {.bytes = file->data, .n = file->len};
    struct hf_reader *r = hf_reader_new(sample_read, &source);
    g_assert_cmpint(hf_read_all(r, &(struct hf_handlers){0}, NULL), ==, HF_EOF);
    struct hf_chunk_header chunk;
    const uint8_t *payload;
    g_assert_cmpint(hf_read_chunk(r, &chunk, &payload), ==, HF_EOF);
    hf_reader_free(r);
}

/* What the driver does: passes chunks on without a look at the rows, adds META, ends with its own END. */
static bool
keep_end(void *user, const struct hf_end_row *row)
{
    *(struct hf_end_row *)user = *row;
    return true;
}

static void
test_pass_on(void)
{
    g_autoptr(GByteArray) file = sample_zoo();
    struct sample_source source = {.bytes = file->data, .n = file->len};
    struct hf_reader *r = hf_reader_new(sample_read, &source);
    struct sample_writer s;
    sample_begin(&s);
    struct hf_file_header header;
    struct hf_chunk_header chunk;
    const uint8_t *payload;
    struct hf_end_row end = {0};
    g_assert_cmpint(hf_read_header(r, &header), ==, HF_OK);
    hf_write_header(&s.w, header.pointer_size);
    hf_write_meta_uint(&s.w, HF_META_PID, 4711);
    while (hf_read_chunk(r, &chunk, &payload) == HF_OK) {
        if (chunk.kind != HF_CHUNK_END)
            hf_write_chunk(&s.w, &chunk, payload);
        else
            g_assert_cmpint(hf_decode_chunk(r, &chunk, payload, &(struct hf_handlers){.end = keep_end}, &end), ==,
                            HF_OK);
    }
    hf_write_meta_uint(&s.w, HF_META_PAUSE, 9);
    s.w.objects = end.objects;
    s.w.refs = end.refs;
    s.w.types = (uint32_t)end.types;
    s.w.names = (uint32_t)end.names;
    s.w.layouts = (uint32_t)end.layouts;
    g_assert_true(hf_writer_finish(&s.w, end.status, "as before"));
    hf_reader_free(r);
    g_autoptr(GByteArray) copy = sample_take(&s);
    g_autofree char *kinds = kinds_of(copy);
    g_assert_cmpstr(kinds, ==, "META META NAME TYPE LAYO ROLE ROOT THRD STAT OBJS META END!");
    g_autofree char *text = NULL;
    g_autofree char *error = NULL;
    sample_text(copy->data, copy->len, &text, &error);
    g_assert_cmpstr(error, ==, "");
    g_assert_true(g_str_has_prefix(text, "meta pid uint 4711\nmeta time.us uint"));
    g_assert_nonnull(strstr(text, "\nmeta pause.us uint 9\nend objects 20 refs 26 types 5 names 3 layouts 3 bytes "));
}

/* Chunks stay near HF_CHUNK_TARGET, so that readers need no more memory than that, but for single long rows. */
static void
test_chunk_sizes(void)
{
    g_autoptr(GByteArray) file = sample_large();
    size_t n_objects = 0, n_small = 0;
    for (guint at = sizeof(struct hf_file_header); at < file->len;) {
        struct hf_chunk_header h;
        memcpy(&h, file->data + at, sizeof h);
        g_assert_cmpuint(h.length, <=, HF_CHUNK_TARGET + HF_CONTENT_MAX + (1u << 20));
        n_objects += h.kind == HF_CHUNK_OBJECTS;
        n_small += h.kind == HF_CHUNK_OBJECTS && h.length < HF_CHUNK_TARGET;
        at += (guint)(sizeof h + h.length);
    }
    g_assert_cmpuint(n_objects, >, 10);
    g_assert_cmpuint(n_small, <=, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/heapfile/api/order", test_order);
    g_test_add_func("/heapfile/api/order-when-full", test_order_when_full);
    g_test_add_func("/heapfile/api/refused", test_refused);
    g_test_add_func("/heapfile/api/short-reads", test_short_reads);
    g_test_add_func("/heapfile/api/failing-source", test_failing_source);
    g_test_add_func("/heapfile/api/stop", test_stop);
    g_test_add_func("/heapfile/api/no-handlers", test_no_handlers);
    g_test_add_func("/heapfile/api/pass-on", test_pass_on);
    g_test_add_func("/heapfile/api/chunk-sizes", test_chunk_sizes);
    return g_test_run();
}
