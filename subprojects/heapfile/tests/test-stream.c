// SPDX-License-Identifier: MIT
/* stream.h and compress.h: what one writes, the other reads; foreign compressed files; cut and damaged ones. */
#include <heapfile/compress.h>
#include <heapfile/stream.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

/* A file without a name that starts with these bytes; the caller's fd, at its start. */
static int
fd_of(const void *bytes, size_t n)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "heapfile-stream-XXXXXX", NULL);
    int fd = g_mkstemp(path);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(g_unlink(path), ==, 0);
    size_t done = 0;
    while (done < n) {
        ssize_t k = write(fd, (const char *)bytes + done, n - done);
        g_assert_cmpint(k, >, 0);
        done += (size_t)k;
    }
    g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
    return fd;
}

static GByteArray *
contents_of(int fd)
{
    GByteArray *a = g_byte_array_new();
    uint8_t part[65536];
    ssize_t k;
    g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
    while ((k = read(fd, part, sizeof part)) > 0)
        g_byte_array_append(a, part, (guint)k);
    g_assert_cmpint(k, ==, 0);
    return a;
}

/* Text that compresses, with some noise in it. */
static GByteArray *
plain_bytes(size_t n)
{
    GByteArray *a = g_byte_array_new();
    g_byte_array_set_size(a, (guint)n);
    uint32_t x = 12345;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        a->data[i] = (uint8_t)(i % 3 == 0 ? x >> 24 : i / 64);
    }
    return a;
}

static GByteArray *
compressed(enum hf_compression compression, const GByteArray *plain)
{
    int fd = fd_of("", 0);
    int keep = dup(fd);
    struct hf_compress *c = hf_compress_new(fd, compression, HF_LEVEL_DEFAULT);
    g_assert_nonnull(c);
    size_t at = 0;
    for (size_t step = 1; at < plain->len; step = step * 3 + 1) {
        size_t k = MIN(step, plain->len - at);
        g_assert_true(hf_compress_write(c, plain->data + at, k));
        at += k;
    }
    g_assert_true(hf_compress_finish(c));
    g_assert_cmpstr(hf_compress_error(c), ==, "");
    GByteArray *a = contents_of(keep);
    g_assert_cmpuint(hf_compress_bytes(c), ==, a->len);
    hf_compress_free(c);
    close(keep);
    return a;
}

/* Reads all of a stream in reads of n bytes. Returns what came; *error is the stream's own. */
static GByteArray *
read_all(struct hf_stream *s, size_t n, char **error)
{
    GByteArray *a = g_byte_array_new();
    g_autofree uint8_t *part = g_malloc(n);
    long k;
    while ((k = hf_stream_read(s, part, n)) > 0)
        g_byte_array_append(a, part, (guint)k);
    *error = g_strdup(hf_stream_error(s));
    if (k == 0)
        g_assert_cmpstr(*error, ==, "");
    else
        g_assert_cmpstr(*error, !=, "");
    g_assert_cmpint(hf_stream_read(s, part, n), ==, k);
    return a;
}

static void
expect(const void *file, size_t file_len, size_t step, enum hf_compression compression, const void *bytes, size_t n)
{
    struct hf_stream *s = hf_stream_new(fd_of(file, file_len));
    g_assert_cmpint(hf_stream_compression(s), ==, compression);
    g_autofree char *error = NULL;
    g_autoptr(GByteArray) got = read_all(s, step, &error);
    g_assert_cmpstr(error, ==, "");
    g_assert_cmpmem(got->data, got->len, bytes, n);
    g_assert_cmpuint(hf_stream_position(s), ==, file_len);
    hf_stream_free(s);
}

static const enum hf_compression all[] = {HF_PLAIN, HF_GZIP, HF_ZSTD};

static void
test_round_trip(void)
{
    static const size_t sizes[] = {0, 1, 3, 4, 5, 1000, 1u << 20, (1u << 20) + 1, 5000000};
    static const size_t steps[] = {1 << 10, 4096, 1 << 20, 3 << 20};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GByteArray) plain = plain_bytes(sizes[i]);
        for (size_t k = 0; k < G_N_ELEMENTS(all); k++) {
            g_autoptr(GByteArray) file = compressed(all[k], plain);
            for (size_t m = 0; m < G_N_ELEMENTS(steps); m++)
                expect(file->data, file->len, steps[m], all[k], plain->data, plain->len);
        }
    }
}

static void
test_concatenated(void)
{
    g_autoptr(GByteArray) plain = plain_bytes(3000000);
    g_autoptr(GByteArray) thrice = g_byte_array_new();
    for (int i = 0; i < 3; i++)
        g_byte_array_append(thrice, plain->data, plain->len);
    for (size_t k = 1; k < G_N_ELEMENTS(all); k++) {
        g_autoptr(GByteArray) file = compressed(all[k], plain);
        g_autoptr(GByteArray) nothing = g_byte_array_new();
        g_autoptr(GByteArray) empty = compressed(all[k], nothing);
        g_autoptr(GByteArray) files = g_byte_array_new();
        g_byte_array_append(files, empty->data, empty->len);
        for (int i = 0; i < 3; i++)
            g_byte_array_append(files, file->data, file->len);
        g_byte_array_append(files, empty->data, empty->len);
        expect(files->data, files->len, 4096, all[k], thrice->data, thrice->len);
    }
}

/* zstd's frames that carry no data, as pzstd puts in front. */
static void
test_skippable_frame(void)
{
    g_autoptr(GByteArray) plain = plain_bytes(100);
    g_autoptr(GByteArray) file = compressed(HF_ZSTD, plain);
    static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'x', 'y', 'z'};
    g_autoptr(GByteArray) files = g_byte_array_new();
    g_byte_array_append(files, skippable, sizeof skippable);
    g_byte_array_append(files, file->data, file->len);
    g_byte_array_append(files, skippable, sizeof skippable);
    expect(files->data, files->len, 4096, HF_ZSTD, plain->data, plain->len);
}

static void
expect_error(const void *file, size_t n, const char *message)
{
    struct hf_stream *s = hf_stream_new(fd_of(file, n));
    g_autofree char *error = NULL;
    g_byte_array_unref(read_all(s, 4096, &error));
    g_assert_cmpstr(error, ==, message);
    hf_stream_free(s);
}

static void
test_cut(void)
{
    g_autoptr(GByteArray) plain = plain_bytes(200);
    static const char *messages[] = {"", "gzip: the file is cut", "zstd: the file is cut"};
    for (size_t k = 1; k < G_N_ELEMENTS(all); k++) {
        g_autoptr(GByteArray) file = compressed(all[k], plain);
        for (guint n = 4; n < file->len; n++)
            expect_error(file->data, n, messages[all[k]]);
    }
}

static void
test_damaged(void)
{
    g_autoptr(GByteArray) plain = plain_bytes(3000);
    g_autoptr(GByteArray) gz = compressed(HF_GZIP, plain);
    gz->data[gz->len - 5] ^= 1; /* of the CRC */
    expect_error(gz->data, gz->len, "gzip: incorrect data check");
    g_autoptr(GByteArray) zst = compressed(HF_ZSTD, plain);
    zst->data[zst->len - 1] ^= 1;
    expect_error(zst->data, zst->len, "zstd: Restored data doesn't match checksum");
    g_autoptr(GByteArray) tail = compressed(HF_GZIP, plain);
    g_byte_array_append(tail, (const guint8 *)"tail", 4);
    expect_error(tail->data, tail->len, "gzip: bytes behind the end that are no gzip");
    g_autoptr(GByteArray) tail2 = compressed(HF_ZSTD, plain);
    g_byte_array_append(tail2, (const guint8 *)"tail", 4);
    expect_error(tail2->data, tail2->len, "zstd: bytes behind the end that are no zstd");
}

/* A frame that wants a window of 2 GiB gets a refusal, not the memory. */
static void
test_huge_window(void)
{
    ZSTD_CCtx *cctx = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_windowLog, 31);
    ZSTD_CCtx_setParameter(cctx, ZSTD_c_contentSizeFlag, 0);
    uint8_t out[4096];
    ZSTD_inBuffer in = {.src = "abc", .size = 3};
    ZSTD_outBuffer o = {.dst = out, .size = sizeof out};
    size_t left = ZSTD_compressStream2(cctx, &o, &in, ZSTD_e_flush);
    g_assert_false(ZSTD_isError(left));
    left = ZSTD_compressStream2(cctx, &o, &in, ZSTD_e_end);
    g_assert_cmpuint(left, ==, 0);
    ZSTD_freeCCtx(cctx);
    expect_error(out, o.pos, "zstd: Frame requires too much memory for decoding");
}

static void
test_peek(void)
{
    for (size_t k = 0; k < G_N_ELEMENTS(all); k++) {
        g_autoptr(GByteArray) plain = plain_bytes(3000000);
        g_autoptr(GByteArray) file = compressed(all[k], plain);
        struct hf_stream *s = hf_stream_new(fd_of(file->data, file->len));
        const uint8_t *p;
        g_assert_cmpuint(hf_stream_peek(s, &p, 8), >=, 8);
        g_assert_cmpmem(p, 8, plain->data, 8);
        g_assert_cmpuint(hf_stream_peek(s, &p, HF_STREAM_PEEK_MAX), >=, HF_STREAM_PEEK_MAX);
        g_assert_cmpmem(p, HF_STREAM_PEEK_MAX, plain->data, HF_STREAM_PEEK_MAX);
        uint8_t first[10];
        g_assert_cmpint(hf_stream_read(s, first, sizeof first), ==, sizeof first);
        g_assert_cmpmem(first, 10, plain->data, 10);
        g_assert_cmpuint(hf_stream_peek(s, &p, 100), >=, 100);
        g_assert_cmpmem(p, 100, plain->data + 10, 100);
        g_autofree char *error = NULL;
        g_autoptr(GByteArray) rest = read_all(s, 70000, &error);
        g_assert_cmpmem(rest->data, rest->len, plain->data + 10, plain->len - 10);
        g_assert_cmpuint(hf_stream_peek(s, &p, 1), ==, 0);
        hf_stream_free(s);
    }
}

/* Bytes come in drops, as from a pipe. */
static gpointer
drip(gpointer data)
{
    const GByteArray *file = ((gpointer *)data)[0];
    int fd = GPOINTER_TO_INT(((gpointer *)data)[1]);
    for (guint at = 0; at < file->len; at += 7)
        g_assert_cmpint(write(fd, file->data + at, MIN(7u, file->len - at)), >, 0);
    close(fd);
    return NULL;
}

static void
test_pipe(void)
{
    for (size_t k = 0; k < G_N_ELEMENTS(all); k++) {
        g_autoptr(GByteArray) plain = plain_bytes(20000);
        g_autoptr(GByteArray) file = compressed(all[k], plain);
        int fds[2];
        g_assert_cmpint(pipe(fds), ==, 0);
        g_assert_cmpint(fcntl(fds[0], F_SETFL, O_NONBLOCK), ==, 0);
        gpointer data[2] = {file, GINT_TO_POINTER(fds[1])};
        GThread *thread = g_thread_new("drip", drip, data);
        struct hf_stream *s = hf_stream_new(fds[0]);
        g_autofree char *error = NULL;
        g_autoptr(GByteArray) got = read_all(s, 4096, &error);
        g_assert_cmpmem(got->data, got->len, plain->data, plain->len);
        hf_stream_free(s);
        g_thread_join(thread);
    }
}

static void
test_unreadable(void)
{
    struct hf_stream *s = hf_stream_new(open("/", O_RDONLY | O_DIRECTORY));
    g_autofree char *error = NULL;
    g_byte_array_unref(read_all(s, 4096, &error));
    g_assert_cmpstr(error, ==, "reading failed: Is a directory");
    hf_stream_free(s);

    s = hf_stream_new(open("/", O_RDONLY | O_DIRECTORY));
    struct hf_reader *r = hf_stream_reader(s);
    struct hf_file_header header;
    g_assert_cmpint(hf_read_header(r, &header), ==, HF_IO);
    g_assert_cmpstr(hf_reader_error(r), ==, "reading failed: Is a directory");
    hf_reader_free(r);
    hf_stream_free(s);
}

static void
test_full_disk(void)
{
    /* what fits the buffers is refused at the end only */
    static const size_t sizes[] = {10, 4000000};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GByteArray) plain = plain_bytes(sizes[i]);
        for (size_t k = 0; k < G_N_ELEMENTS(all); k++) {
            int fd = open("/dev/full", O_WRONLY);
            g_assert_cmpint(fd, >=, 0);
            struct hf_compress *c = hf_compress_new(fd, all[k], HF_LEVEL_DEFAULT);
            hf_compress_write(c, plain->data, plain->len);
            g_assert_false(hf_compress_finish(c));
            g_assert_cmpstr(hf_compress_error(c), ==, "writing failed: No space left on device");
            g_assert_cmpint(hf_compress_errno(c), ==, ENOSPC);
            g_assert_false(hf_compress_write(c, plain->data, plain->len));
            hf_compress_free(c);
        }
    }
}

static void
test_names(void)
{
    g_assert_cmpint(hf_compression_of_name("a.heap.zst"), ==, HF_ZSTD);
    g_assert_cmpint(hf_compression_of_name("a.heap.gz"), ==, HF_GZIP);
    g_assert_cmpint(hf_compression_of_name("a.heap"), ==, HF_PLAIN);
    g_assert_cmpint(hf_compression_of_name(".zst"), ==, HF_ZSTD);
    g_assert_cmpint(hf_compression_of_name("zst"), ==, HF_PLAIN);
    g_assert_cmpint(hf_compression_of_name("-"), ==, HF_PLAIN);
    g_assert_cmpint(hf_compression_of_name(""), ==, HF_PLAIN);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/heapfile/stream/round-trip", test_round_trip);
    g_test_add_func("/heapfile/stream/concatenated", test_concatenated);
    g_test_add_func("/heapfile/stream/skippable-frame", test_skippable_frame);
    g_test_add_func("/heapfile/stream/cut", test_cut);
    g_test_add_func("/heapfile/stream/damaged", test_damaged);
    g_test_add_func("/heapfile/stream/huge-window", test_huge_window);
    g_test_add_func("/heapfile/stream/peek", test_peek);
    g_test_add_func("/heapfile/stream/pipe", test_pipe);
    g_test_add_func("/heapfile/stream/unreadable", test_unreadable);
    g_test_add_func("/heapfile/stream/full-disk", test_full_disk);
    g_test_add_func("/heapfile/stream/names", test_names);
    return g_test_run();
}
