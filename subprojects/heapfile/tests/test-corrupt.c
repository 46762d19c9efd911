// SPDX-License-Identifier: MIT
/* Files that are cut, damaged, foreign, or written by a program that errs: each gets its message, none a crash. */
#include "dump-text.h"
#include "sample.h"
#include <string.h>

static void
add_header(GByteArray *file, const struct hf_file_header *changes)
{
    struct hf_file_header h = *changes;
    memcpy(h.magic, HF_MAGIC, sizeof h.magic);
    h.checksum = hf_xxh64(&h, offsetof(struct hf_file_header, checksum), 0);
    g_byte_array_append(file, (const guint8 *)&h, sizeof h);
}

static const struct hf_file_header good_header = {
    .version_major = HF_VERSION_MAJOR,
    .version_minor = HF_VERSION_MINOR,
    .pointer_size = 8,
    .byte_order = HF_LITTLE_ENDIAN,
    .header_size = sizeof(struct hf_file_header),
};

static void
add_chunk(GByteArray *file, uint32_t kind, uint32_t rows, const void *payload, size_t n)
{
    struct hf_chunk_header h = {.kind = kind, .rows = rows, .length = n};
    h.checksum = hf_xxh64(payload, n, kind | (uint64_t)rows << 32);
    g_byte_array_append(file, (const guint8 *)&h, sizeof h);
    g_byte_array_append(file, payload, (guint)n);
}

/* A number of less than 2^14, as two bytes at most. */
static void
add_uv(GByteArray *row, unsigned v)
{
    uint8_t bytes[2] = {(uint8_t)(v < 0x80 ? v : (v & 0x7f) | 0x80), (uint8_t)(v >> 7)};
    g_byte_array_append(row, bytes, v < 0x80 ? 1 : 2);
}

static void
add_end(GByteArray *file, unsigned objects, unsigned refs, unsigned types, unsigned names, unsigned layouts)
{
    g_autoptr(GByteArray) row = g_byte_array_new();
    const unsigned values[] = {objects, refs, types, names, layouts, file->len, HF_END_COMPLETE, 0};
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        add_uv(row, values[i]);
    add_chunk(file, HF_CHUNK_END, 1, row->data, row->len);
}

/* Tables that rows may refer to: 2 names, 1 type of common size 9, layouts 1 (INDEX), 2 (ITEMS), 3 (two MEMBERs). */
static void
add_tables(GByteArray *file)
{
    add_chunk(file, HF_CHUNK_NAMES, 2, "\1a\1b", 4);
    add_chunk(file, HF_CHUNK_TYPES, 1, "\0\0\0\0\0\0\011\1t", 9);
    add_chunk(file, HF_CHUNK_LAYOUTS, 3, "\1\1\0\1\2\0\1\3\2", 9);
}

static void
expect(const GByteArray *file, enum hf_status status, const char *message)
{
    g_autofree char *error = NULL;
    enum hf_status got = sample_text(file->data, file->len, NULL, &error);
    g_assert_cmpstr(error, ==, message);
    g_assert_cmpint(got, ==, status);
}

#define CHUNK(kind, rows, payload, message)                                                                            \
    {                                                                                                                  \
        HF_CHUNK_##kind, rows, payload, sizeof payload - 1, message                                                    \
    }
#define NINE "\xff\xff\xff\xff\xff\xff\xff\xff\xff"

/* One chunk behind the tables; payload bytes start at byte 150. */
static const struct {
    uint32_t kind, rows;
    const char *payload;
    size_t n;
    const char *message; /* behind "KIND chunk at byte 126, " */
} bad_chunks[] = {
    CHUNK(META, 1, "", "row 1, byte 150: the row is cut"),
    CHUNK(META, 1, "\1", "row 1, byte 151: text of 1 bytes, 0 are left"),
    CHUNK(META, 1, "\200\200\4a", "row 1, byte 153: text of 65536 bytes, more than 65535"),
    CHUNK(META, 1, "\1k", "row 1, byte 152: the row is cut"),
    CHUNK(META, 1, "\1k\1", "row 1, byte 153: the row is cut"),
    CHUNK(META, 1, "\1k\1\200", "row 1, byte 153: the row is cut"),
    CHUNK(META, 1, "\1k\1" NINE "\2", "row 1, byte 153: number of more than 64 bits"),
    CHUNK(META, 1, "\1k\1" NINE NINE, "row 1, byte 153: number of more than 64 bits"),
    CHUNK(META, 1, "\1k\5\1", "row 1, byte 153: unknown type of value 5"),
    CHUNK(META, 1, "\1k\0\1", "row 1, byte 153: unknown type of value 0"),
    CHUNK(META, 1, "\1k\4\2", "row 1, byte 154: truth value 2"),
    CHUNK(META, 1, "\1k\1\7x", "row 1, byte 154: 1 bytes behind the last row"),
    CHUNK(META, 0, "\1k\1\7", "row 0, byte 150: 4 bytes behind the last row"),
    CHUNK(META, 2, "\1k\1\7", "row 2, byte 154: the row is cut"),
    CHUNK(META, 0xffffffff, "\1k\1\7", "row 2, byte 154: the row is cut"),
    CHUNK(NAMES, 2, "\1a\2b", "row 2, byte 153: text of 2 bytes, 1 are left"),
    CHUNK(NAMES, 1, NINE "\1", "row 1, byte 160: text of 18446744073709551615 bytes, more than 65535"),
    CHUNK(TYPES, 1, "\1\200\1\0\0\0\0\0\0", "row 1, byte 153: unknown type flags 0x80"),
    CHUNK(TYPES, 1, NINE "\1\0\0\0\0\0\0\0", "row 1, byte 160: address of more than 64 bits"),
    CHUNK(TYPES, 1, "\1\0\0\0\0\0\0", "row 1, byte 157: the row is cut"),
    CHUNK(LAYOUTS, 1, "\0", "row 1, byte 151: layout without runs"),
    CHUNK(LAYOUTS, 1, "\2\0\0", "row 1, byte 151: 2 runs in 2 bytes"),
    CHUNK(LAYOUTS, 1, "\1\5\0", "row 1, byte 152: unknown kind of run 5"),
    CHUNK(LAYOUTS, 1, "\1\100\0", "row 1, byte 152: unknown run flags 0x4"),
    CHUNK(LAYOUTS, 1, "\1\2\3", "row 1, byte 153: ITEMS run of 3 references, which is odd"),
    CHUNK(LAYOUTS, 1, "\2\2\0\1\0", "row 1, byte 155: a second run takes all that are left"),
    CHUNK(LAYOUTS, 1, "\1\4\0", "row 1, byte 153: NAMED run without names"),
    CHUNK(LAYOUTS, 1, "\1\4\2\1", "row 1, byte 153: 2 names in 1 bytes"),
    CHUNK(LAYOUTS, 1, "\1\4\2\1\3", "row 1, byte 155: name 3 is not defined"),
    CHUNK(LAYOUTS, 1, "\1\1" NINE "\1", "row 1, byte 162: run of 18446744073709551615 references"),
    CHUNK(LAYOUTS, 1, "\2\1\377\377\377\377\377\377\77\1\1", "row 1, byte 161: layout of 281474976710656 references"),
    CHUNK(OBJECTS, 1, "\200\200\1\0\1", "row 1, byte 153: unknown object flags 0x4000"),
    CHUNK(OBJECTS, 1, NINE "\1", "row 1, byte 160: unknown object flags 0xffffffffffffc000"),
    CHUNK(OBJECTS, 1, "\0\2\0", "row 1, byte 153: type 0 is not defined"),
    CHUNK(OBJECTS, 1, "\0\2\2", "row 1, byte 153: type 2 is not defined"),
    CHUNK(OBJECTS, 1, "\0\1\1", "row 1, byte 152: address of more than 64 bits"),
    CHUNK(OBJECTS, 1, "\0\200\200\200\200\200\200\200\200\100\1", "row 1, byte 160: address of more than 64 bits"),
    CHUNK(OBJECTS, 1, "\204\1\2\1\5", "row 1, byte 155: reference count of an immortal object"),
    CHUNK(OBJECTS, 1, "\10\2\1\201\200\100x", "row 1, byte 156: text of 1048577 bytes, more than 1048576"),
    CHUNK(OBJECTS, 1, "\10\2\1\5x", "row 1, byte 154: text of 5 bytes, 1 are left"),
    CHUNK(OBJECTS, 1, "\20\2\1\4\0", "row 1, byte 154: layout 4 is not defined"),
    CHUNK(OBJECTS, 1, "\20\2\1\1\3\2\2", "row 1, byte 155: 3 references in 2 bytes"),
    CHUNK(OBJECTS, 1, "\20\2\1\1\1\3", "row 1, byte 156: address of more than 64 bits"),
    CHUNK(OBJECTS, 1, "\20\2\1\1\12\5\2\2\2\2\2\2\2\2\2", "row 1, byte 158: address of more than 64 bits"),
    CHUNK(OBJECTS, 1, "\20\2\1\2\3\2\2\2", "row 1, byte 158: ITEMS of 3 references, which is odd"),
    CHUNK(OBJECTS, 1, "\20\2\1\3\3\2\2\2", "row 1, byte 158: 3 references do not fit layout 3"),
    CHUNK(OBJECTS, 1, "\20\2\1\3\1\2", "row 1, byte 156: 1 references do not fit layout 3"),
    CHUNK(OBJECTS, 1, "\40", "row 1, byte 151: a part that continues no object"),
    CHUNK(OBJECTS, 2, "\0\2\1\40", "row 2, byte 154: a part that continues no object"),
    CHUNK(OBJECTS, 2, "\100\2\1\0\2\1", "row 2, byte 154: object 0x8 lacks its last part"),
    CHUNK(OBJECTS, 2, "\100\2\1\41", "row 2, byte 154: flags 0x1 in a part that continues an object"),
    CHUNK(OBJECTS, 2, "\120\2\1\1\1\2\60\2\1\2", "row 2, byte 160: layout 2 in a part of an object of layout 1"),
    CHUNK(OBJECTS, 2, "\120\2\1\2\1\2\60\2\2\2\2", "row 2, byte 161: ITEMS of 3 references, which is odd"),
    CHUNK(OBJECTS, 2, "\120\2\1\3\2\2\2\60\3\1\2", "row 2, byte 161: 3 references do not fit layout 3"),
    CHUNK(ROOTS, 1, "\0\2\0\0", "row 1, byte 151: unknown kind of root 0"),
    CHUNK(ROOTS, 1, "\5\2\0\0", "row 1, byte 151: unknown kind of root 5"),
    CHUNK(ROOTS, 1, "\6\2\0\0", "row 1, byte 151: unknown kind of root 6"),
    CHUNK(ROOTS, 1, "\1\2\3\0", "row 1, byte 153: name 3 is not defined"),
    CHUNK(ROOTS, 1, "\1\2\0\2", "row 1, byte 154: truth value 2"),
    CHUNK(THREADS, 1, "\0", "row 1, byte 151: unknown tag 0"),
    CHUNK(THREADS, 1, "\3", "row 1, byte 151: unknown tag 3"),
    CHUNK(THREADS, 1, "\1\0\0\0\4\0", "row 1, byte 155: unknown thread flags 0x4"),
    CHUNK(THREADS, 1, "\2\0\0\0\0\0\0\0\0", "row 1, byte 151: a frame before any thread"),
    CHUNK(THREADS, 2, "\1\0\0\0\0\0\2\0\0\0\0\2", "row 2, byte 162: unknown frame flags 0x2"),
    CHUNK(THREADS, 2, "\1\0\0\0\0\0\2\0\0\0\200\200\200\200\20\0\0\0\0", "row 2, byte 165: line 4294967296"),
    CHUNK(THREADS, 2, "\1\0\0\0\0\0\2\0\0\0\0\0\0\0\2\0\0\0", "row 2, byte 165: 2 references in 3 bytes"),
    CHUNK(THREADS, 2, "\1\0\0\0\0\0\2\0\0\0\0\0\0\0\1\3\2", "row 2, byte 166: name 3 is not defined"),
    CHUNK(STATS, 1, "\3\0", "row 1, byte 151: unknown tag 3"),
    CHUNK(STATS, 1, "\1\1k", "row 1, byte 153: the row is cut"),
    CHUNK(STATS, 1, "\2\1\2k", "row 1, byte 153: text of 2 bytes, 1 are left"),
    CHUNK(END, 1, "\0\0\1\2\3\176\2\0", "row 1, byte 157: unknown status 2"),
    CHUNK(END, 1, "\0\0\1\2\3\177\0\0", "row 1, byte 158: END says 127 bytes, the file has 126"),
    CHUNK(END, 1, "\1\0\1\2\3\176\0\0", "row 1, byte 158: END says 1 objects, the file has 0"),
    CHUNK(END, 1, "\0\1\1\2\3\176\0\0", "row 1, byte 158: END says 1 references, the file has 0"),
    CHUNK(END, 1, "\0\0\0\2\3\176\0\0", "row 1, byte 158: END says 0 types, the file has 1"),
    CHUNK(END, 1, "\0\0\1\3\3\176\0\0", "row 1, byte 158: END says 3 names, the file has 2"),
    CHUNK(END, 1, "\0\0\1\2\4\176\0\0", "row 1, byte 158: END says 4 layouts, the file has 3"),
    CHUNK(END, 0, "", "row 0, byte 150: 0 rows instead of one"),
    CHUNK(END, 2, "\0\0\1\2\3\176\0\0\0\0\1\2\3\176\0\0", "row 2, byte 166: 2 rows instead of one"),
};

static void
test_rows(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad_chunks); i++) {
        g_autoptr(GByteArray) file = g_byte_array_new();
        add_header(file, &good_header);
        add_tables(file);
        g_assert_cmpuint(file->len, ==, 126);
        add_chunk(file, bad_chunks[i].kind, bad_chunks[i].rows, bad_chunks[i].payload, bad_chunks[i].n);
        add_end(file, 0, 0, 1, 2, 3);
        const uint32_t k = bad_chunks[i].kind;
        g_autofree char *message = g_strdup_printf("%c%c%c%c chunk at byte 126, %s", k & 0xff, k >> 8 & 0xff,
                                                   k >> 16 & 0xff, k >> 24, bad_chunks[i].message);
        expect(file, HF_CORRUPT, message);
    }
}

/* What looks like the rows above and is well. */
static void
test_good_rows(void)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    add_header(file, &good_header);
    add_tables(file);
    /* parts of one object, unknown chunks between them; BROKEN ones need not fit their layout */
    add_chunk(file, HF_CHUNK_OBJECTS, 1, "\100\2\1", 3);
    add_chunk(file, HF_FOURCC('W', 'H', 'A', 'T'), 77, "\xff\xff\xff", 3);
    add_chunk(file, HF_CHUNK_OBJECTS, 2, "\160\3\1\2\60\3\1\2", 8);
    add_chunk(file, HF_FOURCC(0, 1, 0xff, '"'), 0, "", 0);
    add_chunk(file, HF_CHUNK_OBJECTS, 2, "\220\10\2\1\2\1\2\220\10\2\1\3\1\2", 14);
    add_chunk(file, HF_CHUNK_OBJECTS, 2, "\120\2\1\2\1\2\240\10", 8);
    add_chunk(file, HF_CHUNK_OBJECTS, 0, "", 0);
    /* a family that is not known, a number longer than it need be */
    add_chunk(file, HF_CHUNK_TYPES, 1, "\0\0\200\1\0\0\0\300\0\1t", 11);
    add_end(file, 4, 5, 2, 2, 3);
    g_autofree char *text = NULL;
    g_autofree char *error = NULL;
    enum hf_status status = sample_text(file->data, file->len, &text, &error);
    g_assert_cmpstr(error, ==, "");
    g_assert_cmpint(status, ==, HF_EOF);
    g_assert_nonnull(strstr(text, "type 2 0x0 flags 0x0 family 0 base 0x0 sizes 0 0 64 t\n"));
    g_assert_nonnull(strstr(text, "object 0x8 type 1 flags 0x30 size 0 count 0 layout 3 from 1 refs 0x8\n"));
}

static void
test_unfinished_object(void)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    add_header(file, &good_header);
    add_tables(file);
    add_chunk(file, HF_CHUNK_OBJECTS, 1, "\100\2\1", 3);
    add_end(file, 1, 0, 1, 2, 3);
    expect(file, HF_CORRUPT, "END! chunk at byte 153, row 1, byte 186: object 0x8 lacks its last part");
}

static void
test_headers(void)
{
    static const struct {
        struct hf_file_header header;
        enum hf_status status;
        const char *message;
    } table[] = {
        {{.version_major = 0, .version_minor = 9, .pointer_size = 8, .byte_order = 1, .header_size = 32},
         HF_FOREIGN,
         "heap dump of format 0.9, this program reads 1.x to 2.x"},
        {{.version_major = 3, .version_minor = 3, .pointer_size = 8, .byte_order = 1, .header_size = 32},
         HF_FOREIGN,
         "heap dump of format 3.3, this program reads 1.x to 2.x"},
        {{.version_major = 1, .pointer_size = 8, .byte_order = 2, .header_size = 32},
         HF_FOREIGN,
         "heap dump of a machine of another byte order (2)"},
        {{.version_major = 1, .pointer_size = 16, .byte_order = 1, .header_size = 32},
         HF_FOREIGN,
         "heap dump of a machine with pointers of 16 bytes"},
        {{.version_major = 1, .pointer_size = 8, .byte_order = 1, .header_size = 31},
         HF_CORRUPT,
         "file header: size 31 is out of range"},
        {{.version_major = 1, .pointer_size = 8, .byte_order = 1, .header_size = 4097},
         HF_CORRUPT,
         "file header: size 4097 is out of range"},
        {{.version_major = 1, .pointer_size = 8, .byte_order = 1, .header_size = 4096},
         HF_CUT,
         "cut in the file header, after 72 bytes"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(GByteArray) file = g_byte_array_new();
        add_header(file, &table[i].header);
        g_byte_array_append(file, (const guint8 *)"forty bytes that follow the file header.", 40);
        expect(file, table[i].status, table[i].message);
    }
}

/* Later minor versions may have longer headers. */
static void
test_longer_header(void)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    struct hf_file_header header = good_header;
    header.version_minor = 7;
    header.header_size = 40;
    add_header(file, &header);
    g_byte_array_append(file, (const guint8 *)"surprise", 8);
    add_end(file, 0, 0, 0, 0, 0);
    expect(file, HF_EOF, "");
}

static void
test_foreign(void)
{
    static const struct {
        const char *bytes;
        enum hf_status status;
        const char *message;
    } table[] = {
        {"", HF_CUT, "empty: not one byte of a heap dump"},
        {"x", HF_FOREIGN, "not a heap dump"},
        {"\x89PNG\r\n\x1a\n and so on, a picture", HF_FOREIGN, "not a heap dump"},
        {"{\"t\": \"meta\"}\n", HF_FOREIGN, "not a heap dump"},
        {"\x89HPD\n\x1a\n with line ends of another kind", HF_FOREIGN,
         "a heap dump that was damaged on its way, as by a transfer in text mode"},
        {"\tHPD\r\n\x1a\n with seven bits", HF_FOREIGN,
         "a heap dump that was damaged on its way, as by a transfer in text mode"},
        {"\x89HPD\r", HF_CUT, "cut in the file header, after 5 bytes"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(GByteArray) file = g_byte_array_new();
        g_byte_array_append(file, (const guint8 *)table[i].bytes, (guint)strlen(table[i].bytes));
        expect(file, table[i].status, table[i].message);
    }
}

/* Framing: lengths, checksums, the end. Byte 32 is the first chunk's. */
static void
test_chunks(void)
{
    g_autoptr(GByteArray) file = sample_example();
    struct hf_chunk_header *chunk = (struct hf_chunk_header *)(void *)(file->data + 32);
    chunk->checksum ^= 1;
    expect(file, HF_CORRUPT, "META chunk at byte 32: checksum does not match");
    chunk->checksum ^= 1;
    chunk->rows++;
    expect(file, HF_CORRUPT, "META chunk at byte 32: checksum does not match");
    chunk->rows--;
    chunk->kind = 7;
    expect(file, HF_CORRUPT, "0x00000007 chunk at byte 32: checksum does not match");
    chunk->kind = HF_CHUNK_META;
    chunk->length += HF_CHUNK_MAX;
    expect(file, HF_CORRUPT, "META chunk at byte 32: length 4194322 is more than 4194304");
    chunk->length = UINT64_MAX;
    expect(file, HF_CORRUPT, "META chunk at byte 32: length 18446744073709551615 is more than 4194304");
    chunk->length = HF_CHUNK_MAX;
    g_autofree char *cut = g_strdup_printf("cut at byte %u, in the META chunk at byte 32", file->len);
    expect(file, HF_CUT, cut);
    chunk->length = 18;
    expect(file, HF_EOF, "");
    g_byte_array_append(file, (const guint8 *)"\n", 1);
    g_autofree char *behind = g_strdup_printf("bytes after the END chunk, at byte %u", file->len - 1);
    expect(file, HF_CORRUPT, behind);
}

static void
test_every_cut(void)
{
    g_autoptr(GByteArray) file = sample_zoo();
    while (file->len > 0) {
        g_byte_array_set_size(file, file->len - 1);
        /* a copy of just that size, so that sanitizers see reads behind it */
        g_autofree void *copy = g_memdup2(file->data, file->len);
        g_autofree char *error = NULL;
        g_assert_cmpint(sample_text(copy, file->len, NULL, &error), ==, HF_CUT);
        g_assert_cmpstr(error, !=, "");
    }
}

static void
test_every_flip(void)
{
    GByteArray *(*const samples[])(void) = {sample_example, sample_zoo};
    for (size_t i = 0; i < G_N_ELEMENTS(samples); i++) {
        g_autoptr(GByteArray) file = samples[i]();
        for (guint at = 0; at < file->len; at++) {
            for (unsigned bit = 0; bit < 9; bit++) {
                uint8_t flip = bit < 8 ? (uint8_t)(1u << bit) : 0xff;
                file->data[at] ^= flip;
                g_autofree char *error = NULL;
                enum hf_status status = sample_text(file->data, file->len, NULL, &error);
                g_assert_true(status == HF_CORRUPT || status == HF_CUT || status == HF_FOREIGN);
                g_assert_cmpstr(error, !=, "");
                file->data[at] ^= flip;
            }
        }
        expect(file, HF_EOF, "");
    }
}

/* The same without the checksums' help: whatever rows say, the reader stays inside them. */
static void
test_every_flip_of_rows(void)
{
    g_autoptr(GByteArray) file = sample_zoo();
    for (guint at = 32; at < file->len;) {
        struct hf_chunk_header *chunk = (struct hf_chunk_header *)(void *)g_memdup2(file->data + at, sizeof *chunk);
        uint8_t *payload = file->data + at + sizeof *chunk;
        for (guint k = 0; k < chunk->length; k++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                payload[k] ^= (uint8_t)(1u << bit);
                uint64_t checksum = hf_xxh64(payload, chunk->length, chunk->kind | (uint64_t)chunk->rows << 32);
                memcpy(file->data + at + offsetof(struct hf_chunk_header, checksum), &checksum, sizeof checksum);
                g_autofree char *error = NULL;
                enum hf_status status = sample_text(file->data, file->len, NULL, &error);
                g_assert_true(status == HF_CORRUPT || status == HF_EOF);
                g_assert_true((status == HF_EOF) == (error[0] == '\0'));
                payload[k] ^= (uint8_t)(1u << bit);
            }
        }
        memcpy(file->data + at, chunk, sizeof *chunk);
        at += (guint)(sizeof *chunk + chunk->length);
        g_free(chunk);
    }
    expect(file, HF_EOF, "");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/heapfile/corrupt/rows", test_rows);
    g_test_add_func("/heapfile/corrupt/good-rows", test_good_rows);
    g_test_add_func("/heapfile/corrupt/unfinished-object", test_unfinished_object);
    g_test_add_func("/heapfile/corrupt/headers", test_headers);
    g_test_add_func("/heapfile/corrupt/longer-header", test_longer_header);
    g_test_add_func("/heapfile/corrupt/foreign", test_foreign);
    g_test_add_func("/heapfile/corrupt/chunks", test_chunks);
    g_test_add_func("/heapfile/corrupt/every-cut", test_every_cut);
    g_test_add_func("/heapfile/corrupt/every-flip", test_every_flip);
    g_test_add_func("/heapfile/corrupt/every-flip-of-rows", test_every_flip_of_rows);
    return g_test_run();
}
