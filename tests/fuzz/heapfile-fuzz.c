// SPDX-License-Identifier: MIT
/*
 * Fuzzes the reader of dumps: any bytes give a status and, unless all is well, a message; never a crash, never much memory.
 *
 * Checksums would stop nearly every input at the door, so each input is also read with its checksums made right. What
 * then reads well is written again by the writer, and that must read well too, with the same totals.
 *
 * Two programs of one source: with libFuzzer (clang, -fsanitize=fuzzer, HEAPFILE_LIBFUZZER), and one of its own that replays the files
 * given and then mutates samples, a set number of times by a set seed.
 */
#include "sample.h"
#include <fcntl.h>
#include <glib.h>
#include <heapfile/stream.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REWRITE_MAX 16384u /* longer inputs may hold layouts that the writer shortens */

static bool
copy_meta(void *user, const struct hf_meta_row *row)
{
    g_autofree char *key = g_strndup(row->key, row->key_len);
    if (row->type == HF_META_UINT)
        hf_write_meta_uint(user, key, row->uint_value);
    else if (row->type == HF_META_INT)
        hf_write_meta_int(user, key, row->int_value);
    else if (row->type == HF_META_BOOL)
        hf_write_meta_bool(user, key, row->uint_value != 0);
    else
        hf_write_meta_text(user, key, row->text, row->text_len);
    return true;
}

static bool
copy_name(void *user, uint32_t id, const char *text, size_t n)
{
    g_assert_cmpuint(hf_write_name(user, text, n), ==, id);
    return true;
}

static bool
copy_type(void *user, uint32_t id, const struct hf_type_row *row)
{
    g_assert_cmpuint(hf_write_type(user, row), ==, id);
    return true;
}

static bool
copy_layout(void *user, uint32_t id, const struct hf_run *runs, size_t n)
{
    g_assert_cmpuint(hf_write_layout(user, runs, n), ==, id);
    return true;
}

static bool
copy_role(void *user, uint64_t addr, uint32_t layout)
{
    hf_write_role(user, addr, layout);
    return true;
}

static bool
copy_object(void *user, const struct hf_object_row *row)
{
    g_assert_cmpuint(row->content_len, <=, HF_CONTENT_MAX);
    hf_write_object(user, row);
    return true;
}

static bool
copy_root(void *user, const struct hf_root_row *row)
{
    hf_write_root(user, row->kind, row->addr, row->name, row->counted);
    return true;
}

static bool
copy_thread(void *user, const struct hf_thread_row *row)
{
    hf_write_thread(user, row);
    return true;
}

static bool
copy_frame(void *user, const struct hf_frame_row *row)
{
    hf_write_frame(user, row);
    return true;
}

static bool
copy_counter(void *user, const char *key, size_t n, uint64_t value)
{
    g_autofree char *text = g_strndup(key, n);
    hf_write_counter(user, text, value);
    return true;
}

static bool
copy_skipped(void *user, uint64_t addr, const char *why, size_t n)
{
    g_autofree char *text = g_strndup(why, n);
    hf_write_skipped(user, addr, text);
    return true;
}

static const struct hf_handlers copy_handlers = {
    .meta = copy_meta,
    .name = copy_name,
    .type = copy_type,
    .layout = copy_layout,
    .role = copy_role,
    .object = copy_object,
    .root = copy_root,
    .thread = copy_thread,
    .frame = copy_frame,
    .counter = copy_counter,
    .skipped = copy_skipped,
};

static void
check_outcome(enum hf_status status, const struct hf_reader *r)
{
    g_assert_true(status == HF_EOF || status == HF_CUT || status == HF_CORRUPT || status == HF_FOREIGN ||
                  status == HF_IO);
    g_assert_true((status == HF_EOF) == (hf_reader_error(r)[0] == '\0'));
}

static bool
append(void *user, const void *bytes, size_t n)
{
    g_byte_array_append(user, bytes, (guint)n);
    return true;
}

/* Reads a dump and writes it again; the totals are w's. Memory stays for the next one: there will be many. */
static enum hf_status
rewrite(const uint8_t *data, size_t size, struct hf_writer *w, GByteArray *out)
{
    static void *memory;
    if (memory == NULL)
        memory = g_malloc(HF_WRITER_MEMORY);
    struct sample_source source = {.bytes = data, .n = size};
    struct hf_reader *r = hf_reader_new(sample_read, &source);
    hf_writer_init(w, memory, append, out);
    hf_write_header(w, 8);
    enum hf_status status = hf_read_all(r, &copy_handlers, w);
    check_outcome(status, r);
    bool ok = hf_writer_finish(w, HF_END_COMPLETE, "");
    g_assert_true(ok);
    hf_reader_free(r);
    return status;
}

/* Returns whether the input was a dump. */
static bool
read_and_rewrite(const uint8_t *data, size_t size)
{
    struct hf_writer w, w2;
    g_autoptr(GByteArray) again = g_byte_array_new();
    if (rewrite(data, size, &w, again) != HF_EOF)
        return false;
    g_autoptr(GByteArray) thrice = g_byte_array_new();
    g_assert_cmpint(rewrite(again->data, again->len, &w2, thrice), ==, HF_EOF);
    g_assert_cmpuint(w2.objects, ==, w.objects);
    g_assert_cmpuint(w2.refs, ==, w.refs);
    g_assert_cmpuint(w2.types, ==, w.types);
    g_assert_cmpuint(w2.names, ==, w.names);
    g_assert_cmpuint(w2.layouts, ==, w.layouts);
    g_assert_cmpmem(thrice->data, thrice->len, again->data, again->len);
    return true;
}

/* As from a file: gzip and zstd are recognised. */
static void
read_stream(const uint8_t *data, size_t size)
{
    int fd = memfd_create("heapfile-fuzz", MFD_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, data, size), ==, (ssize_t)size);
    g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
    struct hf_stream *s = hf_stream_new(fd);
    const uint8_t *first;
    size_t n = hf_stream_peek(s, &first, 8);
    struct hf_reader *r = hf_stream_reader(s);
    enum hf_status status = hf_read_all(r, &(struct hf_handlers){0}, NULL);
    check_outcome(status, r);
    g_assert_true(status != HF_EOF || n >= 8);
    hf_reader_free(r);
    hf_stream_free(s);
}

static void
fix_checksums(uint8_t *data, size_t size)
{
    struct hf_file_header file;
    if (size < sizeof file)
        return;
    memcpy(&file, data, sizeof file);
    memcpy(file.magic, HF_MAGIC, sizeof file.magic);
    file.checksum = hf_xxh64(&file, offsetof(struct hf_file_header, checksum), 0);
    memcpy(data, &file, sizeof file);
    for (size_t at = sizeof file; size - at > sizeof(struct hf_chunk_header);) {
        struct hf_chunk_header h;
        memcpy(&h, data + at, sizeof h);
        if (h.length > size - at - sizeof h)
            return;
        h.checksum = hf_xxh64(data + at + sizeof h, h.length, h.kind | (uint64_t)h.rows << 32);
        memcpy(data + at, &h, sizeof h);
        at += sizeof h + h.length;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4 || size % 8 == 0 || memcmp(data, HF_MAGIC, 2) != 0)
        read_stream(data, size); /* costs more than all the rest */
    if (size <= REWRITE_MAX) {
        g_autofree uint8_t *fixed = g_memdup2(data, size);
        if (fixed != NULL)
            fix_checksums(fixed, size);
        read_and_rewrite(fixed, size);
    }
    return 0;
}

#ifndef HEAPFILE_LIBFUZZER

#include <heapfile/compress.h>

static GByteArray *
compressed(const GByteArray *plain, enum hf_compression compression)
{
    int fd = memfd_create("heapfile-fuzz", MFD_CLOEXEC);
    int keep = dup(fd);
    struct hf_compress *c = hf_compress_new(fd, compression, HF_LEVEL_DEFAULT);
    g_assert_true(hf_compress_write(c, plain->data, plain->len) && hf_compress_finish(c));
    GByteArray *out = g_byte_array_new();
    g_byte_array_set_size(out, (guint)hf_compress_bytes(c));
    g_assert_cmpint(pread(keep, out->data, out->len, 0), ==, (ssize_t)out->len);
    hf_compress_free(c);
    close(keep);
    return out;
}

static void
mutate(GRand *rand, GByteArray *a, const GByteArray *other)
{
    static const uint8_t interesting[] = {0, 1, 2, 0x10, 0x20, 0x40, 0x7f, 0x80, 0x81, 0xfe, 0xff};
    guint n = a->len;
    if (n == 0)
        return;
    guint at = (guint)g_rand_int_range(rand, 0, (gint32)n);
    guint k = (guint)g_rand_int_range(rand, 1, 1 + (gint32)MIN(32u, n - at));
    switch (g_rand_int_range(rand, 0, 8)) {
    case 0:
    case 1:
        a->data[at] ^= (uint8_t)(1u << g_rand_int_range(rand, 0, 8));
        break;
    case 2:
        a->data[at] = interesting[g_rand_int_range(rand, 0, G_N_ELEMENTS(interesting))];
        break;
    case 3:
        memset(a->data + at, interesting[g_rand_int_range(rand, 0, G_N_ELEMENTS(interesting))], k);
        break;
    case 4:
        g_byte_array_remove_range(a, at, k);
        break;
    case 5: { /* a piece twice */
        g_autofree uint8_t *tail = g_memdup2(a->data + at, n - at);
        g_byte_array_append(a, tail, k);
        memcpy(a->data + at + k, tail, n - at);
        break;
    }
    case 6: /* the tail of another one */
        g_byte_array_set_size(a, at);
        if (at < other->len)
            g_byte_array_append(a, other->data + at, other->len - at);
        break;
    default:
        a->data[at] = (uint8_t)(a->data[at] + g_rand_int_range(rand, -3, 4));
    }
}

/* A file of that input, kept while it runs: what crashes can be replayed. */
static void
run(const GByteArray *input, const char *keep)
{
    if (keep != NULL && !g_file_set_contents(keep, (const char *)input->data, input->len, NULL))
        fprintf(stderr, "cannot write %s\n", keep);
    LLVMFuzzerTestOneInput(input->data, input->len);
}

static int
replay(const char *path)
{
    g_autofree char *bytes = NULL;
    gsize n;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(path, &bytes, &n, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)bytes, n);
    return 0;
}

int
main(int argc, char **argv)
{
    gint runs = 3000, seed = 1;
    g_autofree char *keep = NULL;
    g_auto(GStrv) paths = NULL;
    const GOptionEntry options[] = {
        {"runs", 0, 0, G_OPTION_ARG_INT, &runs, "mutated inputs to read (3000)", "N"},
        {"seed", 0, 0, G_OPTION_ARG_INT, &seed, "of the mutations (1)", "N"},
        {"keep", 0, 0, G_OPTION_ARG_FILENAME, &keep, "write each input there before it is read", "FILE"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &paths, "inputs to read first", "FILE…"},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- fuzz the reader of heap dumps");
    g_option_context_add_main_entries(context, options, NULL);
    g_autoptr(GError) error = NULL;
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 2;
    }
    int failed = 0;
    for (char **path = paths; path != NULL && *path != NULL; path++)
        failed |= replay(*path);

    GByteArray *samples[4] = {sample_example(), sample_zoo()};
    for (int i = 0; i < 2; i++) {
        g_assert_true(read_and_rewrite(samples[i]->data, samples[i]->len));
        samples[i + 2] = compressed(samples[i], i == 0 ? HF_GZIP : HF_ZSTD);
    }
    GRand *rand = g_rand_new_with_seed((guint32)seed);
    int dumps = 0;
    for (int i = 0; i < runs; i++) {
        int which = g_rand_int_range(rand, 0, 10);
        const GByteArray *from = samples[which < 2 ? 0 : which < 8 ? 1 : which - 6];
        g_autoptr(GByteArray) input = g_byte_array_new();
        g_byte_array_append(input, from->data, from->len);
        for (int k = g_rand_int_range(rand, 1, 5); k > 0; k--)
            mutate(rand, input, samples[g_rand_int_range(rand, 0, 2)]);
        run(input, keep);
        if (which < 8) {
            fix_checksums(input->data, input->len);
            dumps += read_and_rewrite(input->data, input->len);
        }
    }
    g_rand_free(rand);
    for (int i = 0; i < 4; i++)
        g_byte_array_unref(samples[i]);
    printf("%d inputs, %d of them read well with their checksums made right\n", runs, dumps);
    return failed;
}

#endif
