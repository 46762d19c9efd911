// SPDX-License-Identifier: MIT
/* Round trips: what the writer was given is what the reader hands out. */
#include "dump-text.h"
#include "sample.h"
#include <heapfile/put.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

/* Ends the dump and compares all rows with the lines; takes what s and lines own. */
static void
expect_rows(struct sample_writer *s, GString *lines)
{
    g_assert_true(hf_writer_finish(&s->w, HF_END_COMPLETE, "done"));
    g_autoptr(GByteArray) bytes = sample_take(s);
    g_autofree char *text = NULL;
    g_autofree char *error = NULL;
    enum hf_status status = sample_text(bytes->data, bytes->len, &text, &error);
    g_assert_cmpstr(error, ==, "");
    g_assert_cmpint(status, ==, HF_EOF);
    char *end = strstr(text, "\nend objects");
    if (g_str_has_prefix(text, "end objects"))
        text[0] = '\0';
    else
        end[1] = '\0';
    g_assert_cmpstr(text, ==, lines->str);
    g_string_free(lines, TRUE);
}

static void
begin(struct sample_writer *s)
{
    sample_begin(s);
    hf_write_header(&s->w, 8);
}

static void
test_zoo(void)
{
    g_autoptr(GByteArray) bytes = sample_zoo();
    g_autofree char *text = NULL;
    g_assert_cmpint(sample_text(bytes->data, bytes->len, &text, NULL), ==, HF_EOF);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "zoo.txt", NULL);
    g_autofree char *golden = NULL;
    g_assert_true(g_file_get_contents(path, &golden, NULL, NULL));
    g_assert_cmpstr(text, ==, golden);
}

/* Numbers around every power of two, alone and as differences. */
static void
test_numbers(void)
{
    struct sample_writer s;
    begin(&s);
    GString *lines = g_string_new(NULL);
    for (int bit = 0; bit < 64; bit++) {
        for (int d = -1; d <= 1; d++) {
            uint64_t v = (1ull << bit) + (uint64_t)d;
            const int64_t signs[] = {(int64_t)v, (int64_t)(0 - v)};
            hf_write_meta_uint(&s.w, "u", v);
            text_meta(lines, &(struct hf_meta_row){.key = "u", .key_len = 1, .type = HF_META_UINT, .uint_value = v});
            for (int i = 0; i < 2; i++) {
                hf_write_meta_int(&s.w, "i", signs[i]);
                text_meta(lines,
                          &(struct hf_meta_row){.key = "i", .key_len = 1, .type = HF_META_INT, .int_value = signs[i]});
            }
        }
    }
    for (int bit = 3; bit < 64; bit++) {
        for (int from = 3; from < 64; from++) {
            struct hf_root_row row = {.kind = HF_ROOT_RUNTIME, .addr = ((1ull << bit) - 1) & ~7ull};
            if (from % 2 == 0)
                row.addr = 1ull << from;
            hf_write_root(&s.w, row.kind, row.addr, 0, false);
            text_root(lines, &row);
        }
    }
    expect_rows(&s, lines);
}

static uint64_t
random_u64(GRand *rand)
{
    uint64_t v = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
    return v >> g_rand_int_range(rand, 0, 64);
}

/* Rows of random fields, mostly small numbers, of every combination of flags. */
static void
test_random(void)
{
    GRand *rand = g_rand_new_with_seed(20);
    struct sample_writer s;
    begin(&s);
    hf_write_type(&s.w, &(struct hf_type_row){.common_size = 77});
    GString *lines = g_string_new("type 1 0x0 flags 0x0 family 0 base 0x0 sizes 0 0 77 \n");
    uint8_t content[200];
    uint64_t refs[200];
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)g_rand_int(rand);
    for (int i = 0; i < 30000; i++) {
        struct hf_object_row row = {
            .addr = random_u64(rand) & ~7ull,
            .type = 1,
            .flags = g_rand_int(rand) & HF_OBJ_FLAGS_ALL & ~(HF_OBJ_MORE | HF_OBJ_CONT),
            .size = random_u64(rand),
            .refcount = random_u64(rand),
            .real_size = random_u64(rand),
            .whole_length = random_u64(rand),
            .content = content,
            .content_len = (size_t)g_rand_int_range(rand, 0, i % 2 ? 8 : 200),
            .refs = refs,
            .n_refs = (uint64_t)g_rand_int_range(rand, 0, i % 2 ? 4 : 200),
        };
        for (uint64_t k = 0; k < row.n_refs; k++)
            refs[k] = random_u64(rand) & ~7ull;
        hf_write_object(&s.w, &row);
        if (row.n_refs > 0)
            row.flags |= HF_OBJ_REFS;
        else
            row.flags &= ~(uint32_t)HF_OBJ_REFS;
        if (row.refcount == 1 || (row.flags & HF_OBJ_IMMORTAL))
            row.flags &= ~(uint32_t)HF_OBJ_REFCOUNT;
        if (!(row.flags & HF_OBJ_REFCOUNT))
            row.refcount = 1;
        if (!(row.flags & HF_OBJ_SIZE))
            row.size = 77;
        text_object(lines, &row);
    }
    g_rand_free(rand);
    expect_rows(&s, lines);
}

/* The bytes do not depend on the instruction that made them. */
static void
test_deposit(void)
{
#ifdef __x86_64__
    if (!__builtin_cpu_supports("bmi2"))
        return;
    for (unsigned i = 0; i < 100000; i++) {
        uint8_t with[8], without[8];
        uint64_t v = (uint64_t)g_test_rand_int() << 32 | (uint32_t)g_test_rand_int();
        v = v >> 8 >> i % 56;
        gsize n = (gsize)(hf_put_spread(without, v, false) - without);
        g_assert_cmpmem(with, (gsize)(hf_put_spread(with, v, true) - with), without, n);
        g_assert_true((without[n - 1] & 0x80) == 0 && n == (v == 0 ? 1u : (70u - (unsigned)__builtin_clzll(v)) / 7));
    }
#endif
}

static void
test_no_rows(void)
{
    struct sample_writer s;
    begin(&s);
    expect_rows(&s, g_string_new(NULL));
}

/* Longest texts stay whole, longer ones are cut before a character. */
static void
test_long_texts(void)
{
    struct sample_writer s;
    begin(&s);
    GString *lines = g_string_new(NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    while (text->len < HF_NAME_MAX - 2)
        g_string_append_c(text, 'x');
    g_string_append(text, "\xe2\x82\xac"); /* ends one byte beyond */
    g_autofree char *key = g_strndup(text->str, HF_NAME_MAX);
    key[HF_NAME_MAX - 2] = key[HF_NAME_MAX - 1] = 'y';
    for (int i = 0; i < 12; i++) {
        hf_write_name(&s.w, text->str, HF_NAME_MAX - 2);
        hf_write_name(&s.w, text->str, text->len);
        hf_write_name(&s.w, key, HF_NAME_MAX);
        text_name(lines, 3 * i + 1, text->str, HF_NAME_MAX - 2);
        text_name(lines, 3 * i + 2, text->str, HF_NAME_MAX - 2);
        text_name(lines, 3 * i + 3, key, HF_NAME_MAX);
        hf_writer_flush(&s.w);
    }
    for (int i = 0; i < 8; i++) {
        const struct hf_type_row row = {.name = key, .name_len = HF_NAME_MAX};
        hf_write_type(&s.w, &row);
        text_type(lines, (uint32_t)i + 1, &row);
    }
    hf_writer_flush(&s.w);
    for (int i = 0; i < 4; i++) {
        hf_write_meta_text(&s.w, key, key, HF_NAME_MAX);
        hf_writer_flush(&s.w);
        text_meta(lines,
                  &(struct hf_meta_row){
                      .key = key, .key_len = HF_NAME_MAX, .type = HF_META_TEXT, .text = key, .text_len = HF_NAME_MAX});
        const struct hf_thread_row thread = {.name = key, .name_len = HF_NAME_MAX};
        hf_write_thread(&s.w, &thread);
        hf_writer_flush(&s.w);
        text_thread(lines, &thread);
        hf_write_skipped(&s.w, 8, key);
        text_skipped(lines, 8, key, HF_NAME_MAX);
        hf_write_counter(&s.w, key, 1);
        text_counter(lines, key, HF_NAME_MAX, 1);
        hf_writer_flush(&s.w);
    }
    expect_rows(&s, lines);
}

static void
test_long_content(void)
{
    struct sample_writer s;
    begin(&s);
    hf_write_type(&s.w, &(struct hf_type_row){0});
    GString *lines = g_string_new("type 1 0x0 flags 0x0 family 0 base 0x0 sizes 0 0 0 \n");
    g_autofree char *content = g_strnfill(HF_CONTENT_MAX + 1, 'c');
    struct hf_object_row row = {
        .addr = 8, .type = 1, .flags = HF_OBJ_CONTENT, .content = content, .content_len = HF_CONTENT_MAX};
    for (int i = 0; i < 3; i++)
        hf_write_object(&s.w, &row);
    row.refcount = 1;
    for (int i = 0; i < 3; i++)
        text_object(lines, &row);
    row.content_len++;
    hf_write_object(&s.w, &row);
    row.flags |= HF_OBJ_CUT;
    row.whole_length = 2 * HF_CONTENT_MAX;
    hf_write_object(&s.w, &row);
    row.content_len--;
    row.whole_length = HF_CONTENT_MAX + 1;
    text_object(lines, &row);
    row.whole_length = 2 * HF_CONTENT_MAX;
    text_object(lines, &row);
    expect_rows(&s, lines);
}

static void
test_long_layouts(void)
{
    struct sample_writer s;
    begin(&s);
    GString *lines = g_string_new("name 1 n\n");
    hf_write_name(&s.w, "n", 1);
    g_autofree uint32_t *names = g_new(uint32_t, 70000);
    g_autofree struct hf_run *runs = g_new0(struct hf_run, 70000);
    for (uint32_t i = 0; i < 70000; i++) {
        names[i] = 1;
        runs[i] = (struct hf_run){.kind = HF_RUN_NAMED, .flags = HF_RUN_WEAK, .count = 1 + i % 3, .names = names};
    }
    const struct hf_run longest = {.kind = HF_RUN_NAMED, .count = 50000, .names = names};
    const struct hf_run too_long[] = {{.kind = HF_RUN_NAMED, .count = 70000, .names = names, .flags = HF_RUN_HIDDEN},
                                      {.kind = HF_RUN_NAMED, .count = 2, .names = names}};
    g_assert_cmpuint(hf_write_layout(&s.w, &longest, 1), ==, 1);
    text_layout(lines, 1, &longest, 1);
    g_assert_cmpuint(hf_write_layout(&s.w, too_long, 2), ==, 2);
    g_string_append(lines, "layout 2 0:2:70000 4:0:2:1,1\n");
    hf_write_layout(&s.w, runs, 20000);
    text_layout(lines, 3, runs, 20000);
    hf_write_layout(&s.w, runs, 70000);
    g_string_append(lines, "layout 4 0:0:0\n");
    expect_rows(&s, lines);
}

/* More locals than a chunk takes become roots. */
static void
test_long_frame(void)
{
    struct sample_writer s;
    begin(&s);
    enum { N = 60000 };
    g_autofree uint32_t *names = g_new0(uint32_t, N);
    g_autofree uint64_t *refs = g_new(uint64_t, N);
    for (uint64_t i = 0; i < N; i++)
        refs[i] = 8 * (i + 1);
    g_autofree char *text = g_strnfill(HF_NAME_MAX, 'q');
    hf_write_thread(&s.w, &(struct hf_thread_row){.ident = 1});
    hf_write_frame(&s.w, &(struct hf_frame_row){.flags = HF_FRAME_OWNED,
                                                .names = names,
                                                .refs = refs,
                                                .n = N,
                                                .qualname = text,
                                                .qualname_len = HF_NAME_MAX,
                                                .file = text,
                                                .file_len = HF_NAME_MAX});
    g_assert_true(hf_writer_finish(&s.w, HF_END_COMPLETE, ""));
    g_autoptr(GByteArray) bytes = sample_take(&s);
    g_autofree char *out = NULL;
    g_assert_cmpint(sample_text(bytes->data, bytes->len, &out, NULL), ==, HF_EOF);
    g_auto(GStrv) lines = g_strsplit(out, "\n", -1);
    uint64_t n_roots = 0, n_locals = 0, seen = 0;
    for (char **line = lines; *line != NULL; line++) {
        n_roots += g_str_has_prefix(*line, "root 2 ") && g_str_has_suffix(*line, "name 0 counted 1");
        if (g_str_has_prefix(*line, "frame "))
            for (const char *p = *line; (p = strstr(p, " 0=0x")) != NULL; p++)
                n_locals++;
        for (const char *p = *line; (p = strstr(p, g_str_has_prefix(*line, "root") ? " 0x" : "=0x")) != NULL; p++)
            seen += g_ascii_strtoull(p + 1, NULL, 0) / 8;
    }
    g_assert_cmpuint(n_locals, >, 10000);
    g_assert_cmpuint(n_roots + n_locals, ==, N);
    g_assert_cmpuint(seen, ==, (uint64_t)N * (N + 1) / 2);
}

/* References of one object, put together from its parts. */
struct whole {
    uint64_t addr, n, parts;
    uint32_t flags, type, layout;
    uint64_t (*expected)(uint64_t i);
};

static bool
add_part(void *user, const struct hf_object_row *row)
{
    struct whole *whole = user;
    g_assert_cmphex(row->addr, ==, 0x7f0000000010);
    g_assert_cmpuint(row->type, ==, 1);
    g_assert_cmpuint(row->layout, ==, 2);
    g_assert_cmpuint(row->first_ref, ==, whole->n);
    g_assert_true(!(row->flags & HF_OBJ_CONT) == (whole->parts == 0));
    for (uint64_t i = 0; i < row->n_refs; i++) {
        if (row->refs[i] != whole->expected(whole->n + i))
            g_assert_cmphex(row->refs[i], ==, whole->expected(whole->n + i));
    }
    whole->n += row->n_refs;
    whole->parts++;
    whole->flags |= row->flags;
    if (!(row->flags & HF_OBJ_MORE))
        whole->flags &= ~(uint32_t)HF_OBJ_MORE;
    return true;
}

static uint64_t
near_and_far(uint64_t i)
{
    return i % 3 == 0 ? 0x7f0000000010 + i * 16 : (i * 0x9e3779b97f4a7c15ull >> 16) & ~7ull;
}

/* The layout is NAMED × 3, ITEMS to all that are left, NAMED × 2: n must be odd. */
static void
split_object(uint64_t n, size_t step, uint64_t least_parts)
{
    struct sample_writer s;
    begin(&s);
    const uint32_t names[] = {1, 0, 1};
    const struct hf_run runs[] = {{.kind = HF_RUN_NAMED, .count = 3, .names = names},
                                  {.kind = HF_RUN_ITEMS},
                                  {.kind = HF_RUN_NAMED, .count = 2, .names = names}};
    hf_write_name(&s.w, ".a", 2);
    hf_write_type(&s.w, &(struct hf_type_row){0});
    hf_write_layout(&s.w, runs, 1);
    hf_write_layout(&s.w, runs, 3);
    g_autofree uint64_t *refs = g_new(uint64_t, n);
    for (uint64_t i = 0; i < n; i++)
        refs[i] = near_and_far(i);
    struct hf_object_row row = {
        .addr = 0x7f0000000010, .type = 1, .layout = 2, .flags = HF_OBJ_GC, .refs = refs, .n_refs = n};
    if (step == 0) {
        hf_write_object(&s.w, &row);
    } else {
        for (uint64_t at = 0; at < n; at += step) {
            uint64_t k = MIN(step, n - at);
            row = (struct hf_object_row){.addr = at == 0 ? row.addr : 0,
                                         .type = at == 0 ? 1 : 0,
                                         .layout = 2,
                                         .flags = (at == 0 ? HF_OBJ_GC : HF_OBJ_CONT) | (at + k < n ? HF_OBJ_MORE : 0),
                                         .refs = refs + at,
                                         .n_refs = k};
            hf_write_object(&s.w, &row);
        }
    }
    g_assert_cmpuint(s.w.objects, ==, 1);
    g_assert_cmpuint(s.w.refs, ==, n);
    g_assert_true(hf_writer_finish(&s.w, HF_END_COMPLETE, ""));
    g_autoptr(GByteArray) bytes = sample_take(&s);
    struct sample_source source = {.bytes = bytes->data, .n = bytes->len};
    struct hf_reader *r = hf_reader_new(sample_read, &source);
    struct whole whole = {.expected = near_and_far};
    enum hf_status status = hf_read_all(r, &(struct hf_handlers){.object = add_part}, &whole);
    g_assert_cmpstr(hf_reader_error(r), ==, "");
    g_assert_cmpint(status, ==, HF_EOF);
    g_assert_cmpuint(whole.n, ==, n);
    g_assert_cmpuint(whole.parts, >=, least_parts);
    g_assert_cmphex(whole.flags & (HF_OBJ_MORE | HF_OBJ_BROKEN | HF_OBJ_GC), ==, HF_OBJ_GC);
    hf_reader_free(r);
}

static void
test_split(void)
{
    split_object(5, 0, 1);
    split_object(32767, 0, 1);
    split_object(32769, 0, 1);
    split_object(180001, 0, 1);
    split_object(250001, 0, 2);
    split_object(10000001, 0, 40);
}

static void
test_parts(void)
{
    split_object(5, 5, 1);
    split_object(7, 1, 7);
    split_object(101, 2, 51);
    split_object(100001, 33333, 4);
    split_object(600001, 300001, 4);
}

/* Totals of an object that was begun and not ended, by another one and by the end. */
static void
test_unfinished_parts(void)
{
    struct sample_writer s;
    begin(&s);
    hf_write_type(&s.w, &(struct hf_type_row){0});
    hf_write_layout(&s.w, &(struct hf_run){.kind = HF_RUN_ITEMS}, 1);
    const uint64_t refs[] = {8, 16, 24};
    const struct hf_object_row row = {
        .addr = 8, .type = 1, .layout = 1, .flags = HF_OBJ_MORE, .refs = refs, .n_refs = 3};
    hf_write_object(&s.w, &(struct hf_object_row){.flags = HF_OBJ_CONT, .refs = refs, .n_refs = 3}); /* of nothing */
    hf_write_object(&s.w, &row);
    hf_write_object(&s.w, &row);
    g_assert_cmpuint(s.w.objects, ==, 2);
    g_assert_cmpuint(s.w.refs, ==, 6);
    expect_rows(&s, g_string_new("type 1 0x0 flags 0x0 family 0 base 0x0 sizes 0 0 0 \n"
                                 "layout 1 2:0:0\n"
                                 "object 0x8 type 1 flags 0x50 size 0 count 1 layout 1 from 0 refs 0x8 0x10 0x18\n"
                                 "object 0x8 type 1 flags 0x420 size 0 count 0\n"
                                 "object 0x8 type 1 flags 0x50 size 0 count 1 layout 1 from 0 refs 0x8 0x10 0x18\n"
                                 "object 0x8 type 1 flags 0x420 size 0 count 0\n"));
}

/* The target's memory may vanish under the writer: the row that was being written is as if it had not been. */
static sigjmp_buf after_fault;

static void
on_fault(int signo)
{
    (void)signo;
    siglongjmp(after_fault, 1);
}

static void
test_fault(void)
{
    struct sigaction action = {.sa_handler = on_fault}, before;
    sigaction(SIGSEGV, &action, &before);
    struct sample_writer s;
    begin(&s);
    hf_write_type(&s.w, &(struct hf_type_row){0});
    uint8_t *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(page != MAP_FAILED);
    g_assert_cmpint(mprotect(page + 4096, 4096, PROT_NONE), ==, 0);
    static const size_t readable[] = {0, 1, 8, 64, 4096};
    GString *lines = g_string_new("type 1 0x0 flags 0x0 family 0 base 0x0 sizes 0 0 0 \n");
    for (size_t i = 0; i < G_N_ELEMENTS(readable); i++) {
        const uint8_t *p = page + 4096 - readable[i];
        volatile int faults = 0;
        if (sigsetjmp(after_fault, 1) == 0)
            hf_write_object(
                &s.w,
                &(struct hf_object_row){
                    .addr = 0x5000, .type = 1, .flags = HF_OBJ_CONTENT, .content = p, .content_len = readable[i] + 1});
        else
            faults++;
        if (sigsetjmp(after_fault, 1) == 0)
            hf_write_object(&s.w, &(struct hf_object_row){
                                      .addr = 0x6000,
                                      .type = 1,
                                      .refs = (const uint64_t *)(const void *)(page + 4096 - readable[i] / 8 * 8),
                                      .n_refs = readable[i] / 8 + 1});
        else
            faults++;
        if (sigsetjmp(after_fault, 1) == 0)
            hf_write_name(&s.w, p, readable[i] + 1);
        else
            faults++;
        g_assert_cmpint(faults, ==, 3);
        const struct hf_object_row good = {.addr = 0x7000 + 8 * i,
                                           .type = 1,
                                           .refcount = 1,
                                           .flags = HF_OBJ_CONTENT,
                                           .content = p,
                                           .content_len = readable[i]};
        hf_write_object(&s.w, &good);
        text_object(lines, &good);
    }
    sigaction(SIGSEGV, &before, NULL);
    munmap(page, 8192);
    g_assert_cmpuint(s.w.objects, ==, G_N_ELEMENTS(readable));
    expect_rows(&s, lines);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/heapfile/rows/zoo", test_zoo);
    g_test_add_func("/heapfile/rows/numbers", test_numbers);
    g_test_add_func("/heapfile/rows/random", test_random);
    g_test_add_func("/heapfile/rows/deposit", test_deposit);
    g_test_add_func("/heapfile/rows/none", test_no_rows);
    g_test_add_func("/heapfile/rows/long-texts", test_long_texts);
    g_test_add_func("/heapfile/rows/long-content", test_long_content);
    g_test_add_func("/heapfile/rows/long-layouts", test_long_layouts);
    g_test_add_func("/heapfile/rows/long-frame", test_long_frame);
    g_test_add_func("/heapfile/rows/split", test_split);
    g_test_add_func("/heapfile/rows/parts", test_parts);
    g_test_add_func("/heapfile/rows/unfinished-parts", test_unfinished_parts);
    g_test_add_func("/heapfile/rows/fault", test_fault);
    return g_test_run();
}
