// SPDX-License-Identifier: MIT
#include "sample.h"
#include "dump-text.h"
#include <string.h>

static bool
append(void *user, const void *bytes, size_t n)
{
    g_byte_array_append(user, bytes, (guint)n);
    return true;
}

void
sample_begin(struct sample_writer *s)
{
    s->bytes = g_byte_array_new();
    s->memory = g_malloc(HF_WRITER_MEMORY);
    memset(s->memory, 0xa5, 4096); /* whatever memory holds before, it must not matter */
    hf_writer_init(&s->w, s->memory, append, s->bytes);
}

GByteArray *
sample_take(struct sample_writer *s)
{
    g_free(s->memory);
    s->memory = NULL;
    return g_steal_pointer(&s->bytes);
}

long
sample_read(void *source, void *bytes, size_t n)
{
    struct sample_source *s = source;
    if (s->step != 0 && n > s->step)
        n = s->step;
    if (n > s->n - s->at)
        n = s->n - s->at;
    if (n == 0)
        return 0;
    memcpy(bytes, s->bytes + s->at, n);
    s->at += n;
    return (long)n;
}

enum hf_status
sample_text(const void *bytes, size_t n, char **text, char **error)
{
    struct sample_source source = {.bytes = bytes, .n = n};
    struct hf_reader *r = hf_reader_new(sample_read, &source);
    g_autoptr(GString) out = g_string_new(NULL);
    enum hf_status status = hf_read_all(r, &text_handlers, out);
    /* whoever unpacks references himself gets the same */
    struct hf_handlers leave_packed = text_handlers;
    leave_packed.leave_packed = true;
    struct sample_source again = {.bytes = bytes, .n = n};
    struct hf_reader *other = hf_reader_new(sample_read, &again);
    g_autoptr(GString) same = g_string_new(NULL);
    enum hf_status other_status = hf_read_all(other, &leave_packed, same);
    if (strstr(hf_reader_error(r), "OBJS") == NULL || strstr(hf_reader_error(r), "address of more") == NULL) {
        g_assert_cmpint(other_status, ==, status);
        g_assert_cmpstr(hf_reader_error(other), ==, hf_reader_error(r));
        g_assert_cmpstr(same->str, ==, out->str);
    }
    hf_reader_free(other);
    if (error != NULL)
        *error = g_strdup(hf_reader_error(r));
    if (text != NULL)
        *text = g_string_free(g_steal_pointer(&out), FALSE);
    hf_reader_free(r);
    return status;
}

static uint32_t
name(struct hf_writer *w, const char *text)
{
    return hf_write_name(w, text, strlen(text));
}

static uint32_t
type(struct hf_writer *w, uint64_t addr, enum hf_family family, const char *text, uint64_t basic, uint64_t common)
{
    return hf_write_type(w, &(struct hf_type_row){.addr = addr,
                                                  .base = 0x900000,
                                                  .basic_size = basic,
                                                  .common_size = common,
                                                  .flags = family == HF_FAMILY_STR   ? HF_TYPE_SIZED
                                                           : family == HF_FAMILY_INT ? HF_TYPE_NUMBERS
                                                                                     : HF_TYPE_GC,
                                                  .family = family,
                                                  .name = text,
                                                  .name_len = strlen(text)});
}

GByteArray *
sample_example(void)
{
    struct sample_writer s;
    sample_begin(&s);
    struct hf_writer *w = &s.w;
    const uint64_t dict = 0x7f0000001000, list = 0x7f0000001040, key = 0x7f0000002000, one = 0x900100;
    hf_write_header(w, 8);
    hf_write_meta_uint(w, HF_META_PID, 4711);
    hf_write_meta_text(w, HF_META_MODE, "fork", 4);
    uint32_t registry = name(w, ".registry");
    uint32_t dict_type = type(w, 0x900200, HF_FAMILY_DICT, "builtins.dict", 48, 232);
    uint32_t list_type = type(w, 0x900400, HF_FAMILY_LIST, "builtins.list", 40, 72);
    uint32_t str_type = type(w, 0x900600, HF_FAMILY_STR, "builtins.str", 72, 49);
    uint32_t int_type = type(w, 0x900800, HF_FAMILY_INT, "builtins.int", 24, 28);
    uint32_t items = hf_write_layout(w, &(struct hf_run){.kind = HF_RUN_ITEMS}, 1);
    uint32_t index = hf_write_layout(w, &(struct hf_run){.kind = HF_RUN_INDEX}, 1);
    hf_write_root(w, HF_ROOT_INTERPRETER, dict, registry, true);
    hf_write_object(w, &(struct hf_object_row){.addr = dict,
                                               .type = dict_type,
                                               .flags = HF_OBJ_GC,
                                               .layout = items,
                                               .refs = (const uint64_t[]){key, list},
                                               .n_refs = 2});
    hf_write_object(w, &(struct hf_object_row){.addr = list,
                                               .type = list_type,
                                               .flags = HF_OBJ_GC | HF_OBJ_REFCOUNT,
                                               .refcount = 2,
                                               .layout = index,
                                               .refs = (const uint64_t[]){one, list},
                                               .n_refs = 2});
    hf_write_object(w, &(struct hf_object_row){
                           .addr = key, .type = str_type, .flags = HF_OBJ_CONTENT, .content = "key", .content_len = 3});
    hf_write_object(w, &(struct hf_object_row){.addr = one,
                                               .type = int_type,
                                               .flags = HF_OBJ_CONTENT | HF_OBJ_REFCOUNT,
                                               .refcount = 300,
                                               .content = "\1",
                                               .content_len = 1});
    hf_write_counter(w, "skipped.objects", 0);
    hf_writer_finish(w, HF_END_COMPLETE, "");
    return sample_take(&s);
}

static void
zoo_tables(struct hf_writer *w)
{
    hf_write_meta_uint(w, HF_META_TIME, UINT64_MAX);
    hf_write_meta_uint(w, "", 0);
    hf_write_meta_int(w, "least", INT64_MIN);
    hf_write_meta_int(w, "most", INT64_MAX);
    hf_write_meta_text(w, HF_META_EXE, "/usr/bin/python\xc3\xa9\n\\", 19);
    hf_write_meta_text(w, "empty", NULL, 0);
    hf_write_meta_bool(w, HF_META_REDACTED, true);
    hf_write_meta_bool(w, HF_META_COLLECTED, false);
    name(w, ".attr");
    name(w, "");
    hf_write_name(w, "\0['\xff']", 6);
    hf_write_type(w, &(struct hf_type_row){.addr = UINT64_MAX & ~7ull,
                                           .base = 8,
                                           .basic_size = UINT64_MAX,
                                           .item_size = 1ull << 63,
                                           .common_size = 0x80,
                                           .flags = HF_TYPE_FLAGS_ALL,
                                           .family = HF_FAMILY_COUNT - 1,
                                           .name = "m.Q",
                                           .name_len = 3});
    hf_write_type(w, &(struct hf_type_row){.common_size = UINT64_MAX});
    hf_write_type(w, &(struct hf_type_row){.flags = HF_TYPE_NUMBERS, .family = HF_FAMILY_INT});
    hf_write_type(w, &(struct hf_type_row){
                         .flags = HF_TYPE_NUMBERS | HF_TYPE_SIZED, .family = HF_FAMILY_FLOAT, .common_size = 24});
    hf_write_type(w, &(struct hf_type_row){.flags = HF_TYPE_SIZED, .family = HF_FAMILY_INT, .common_size = 40});
    const uint32_t names[] = {3, 0, 1};
    const struct hf_run runs[] = {
        {.kind = HF_RUN_NAMED, .count = 3, .names = names, .flags = HF_RUN_HIDDEN},
        {.kind = HF_RUN_UNNAMED, .count = 1, .flags = HF_RUN_WEAK},
        {.kind = HF_RUN_ITEMS},
        {.kind = HF_RUN_MEMBER, .count = 1, .flags = HF_RUN_FLAGS_ALL},
        {.kind = HF_RUN_INDEX, .count = 2},
        {.kind = HF_RUN_NAMED, .count = 1, .names = names},
    };
    hf_write_layout(w, runs, G_N_ELEMENTS(runs));
    hf_write_layout(w, &(struct hf_run){.kind = HF_RUN_MEMBER, .count = (1ull << 48) - 1}, 1);
    hf_write_layout(w, &(struct hf_run){.kind = HF_RUN_INDEX}, 1);
}

static void
zoo_objects(struct hf_writer *w)
{
    const uint64_t top = UINT64_MAX & ~7ull;
    const uint64_t refs[] = {top, 0, 8, top, 0x7f0000000000, 0x7f0000000008, 0x7f0000000000, 16, 24, 32};
    hf_write_object(w, &(struct hf_object_row){.addr = 0x1000, .type = 1});
    hf_write_object(w, &(struct hf_object_row){.addr = top, .type = 2, .flags = HF_OBJ_GC | HF_OBJ_IMMORTAL});
    hf_write_object(w,
                    &(struct hf_object_row){.addr = 8,
                                            .type = 1,
                                            .flags = HF_OBJ_FLAGS_ALL & ~(HF_OBJ_IMMORTAL | HF_OBJ_MORE | HF_OBJ_CONT),
                                            .size = UINT64_MAX,
                                            .refcount = UINT64_MAX,
                                            .real_size = UINT64_MAX,
                                            .whole_length = UINT64_MAX,
                                            .content = "\xff\0 \\",
                                            .content_len = 4,
                                            .layout = 1,
                                            .refs = refs,
                                            .n_refs = 10});
    hf_write_object(w, &(struct hf_object_row){.addr = 16,
                                               .type = 1,
                                               .flags = HF_OBJ_SIZE | HF_OBJ_REFCOUNT | HF_OBJ_REAL_SIZE |
                                                        HF_OBJ_CONTENT | HF_OBJ_CUT,
                                               .layout = 3,
                                               .refs = refs,
                                               .n_refs = 1});
    static const struct {
        uint32_t type, len;
        const char *bytes;
    } numbers[] = {
        {3, 0, NULL},
        {3, 1, ""},
        {3, 1, "\x80"},
        {3, 2, "\xff\x7f"},
        {3, 8, "\0\0\0\0\0\0\0\x80"},
        {3, 8, "\xff\xff\xff\xff\xff\xff\xff\x7f"},
        {3, 9, "123456789"},
        {4, 8, "\0\0\0\0\0\0\xf8\xbf"},
        {4, 8, "\x9a\x99\x99\x99\x99\x99\xb9\x3f"},
        {4, 8, "\1\0\0\0\0\0\xf0\xff"},
        {4, 0, NULL},
        {5, 2, "17"},
        {5, 0, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        hf_write_object(w, &(struct hf_object_row){.addr = 0x2000 + 16 * i,
                                                   .type = numbers[i].type,
                                                   .flags = numbers[i].bytes != NULL ? HF_OBJ_CONTENT : 0,
                                                   .content = numbers[i].bytes,
                                                   .content_len = numbers[i].len});
    /* Parts: of an object whose references come by and by, one that is never finished, one without any. */
    hf_write_object(w, &(struct hf_object_row){
                           .addr = 24, .type = 1, .flags = HF_OBJ_MORE, .layout = 1, .refs = refs, .n_refs = 5});
    hf_write_object(
        w, &(struct hf_object_row){.flags = HF_OBJ_CONT | HF_OBJ_MORE, .layout = 1, .refs = refs + 5, .n_refs = 4});
    hf_write_object(w, &(struct hf_object_row){.flags = HF_OBJ_CONT, .layout = 1, .refs = refs + 9, .n_refs = 1});
    hf_write_object(w, &(struct hf_object_row){
                           .addr = 32, .type = 1, .flags = HF_OBJ_MORE, .layout = 1, .refs = refs, .n_refs = 5});
    hf_write_object(w, &(struct hf_object_row){.addr = 40, .type = 1, .flags = HF_OBJ_MORE, .layout = 1});
    hf_write_object(w, &(struct hf_object_row){.flags = HF_OBJ_CONT});
}

GByteArray *
sample_zoo(void)
{
    struct sample_writer s;
    sample_begin(&s);
    struct hf_writer *w = &s.w;
    hf_write_header(w, 8);
    zoo_tables(w);
    hf_write_role(w, UINT64_MAX & ~7ull, 3);
    hf_write_role(w, 0, 1);
    hf_write_root(w, HF_ROOT_INTERPRETER, 0x1000, 1, true);
    hf_write_root(w, HF_ROOT_RUNTIME, UINT64_MAX & ~7ull, 0, false);
    hf_write_root(w, HF_ROOT_STATIC_TYPE, 8, 3, true);
    hf_write_thread(w, &(struct hf_thread_row){.ident = UINT64_MAX,
                                               .native_id = UINT64_MAX,
                                               .state_addr = UINT64_MAX,
                                               .flags = HF_THREAD_FLAGS_ALL,
                                               .name = "MainThread",
                                               .name_len = 10});
    const uint32_t names[] = {1, 0, 3};
    const uint64_t refs[] = {8, UINT64_MAX & ~7ull, 0};
    hf_write_frame(w, &(struct hf_frame_row){.frame = UINT64_MAX & ~7ull,
                                             .code = 8,
                                             .function = 16,
                                             .line = UINT32_MAX,
                                             .flags = HF_FRAME_FLAGS_ALL,
                                             .qualname = "f.<locals>.g",
                                             .qualname_len = 12,
                                             .file = "/x y.py",
                                             .file_len = 7,
                                             .names = names,
                                             .refs = refs,
                                             .n = 3});
    hf_write_frame(w, &(struct hf_frame_row){0});
    hf_write_thread(w, &(struct hf_thread_row){0});
    hf_write_counter(w, "", 0);
    hf_write_counter(w, "all", UINT64_MAX);
    hf_write_skipped(w, UINT64_MAX & ~7ull, "fault");
    hf_write_skipped(w, 0, NULL);
    zoo_objects(w);
    hf_writer_finish(w, HF_END_INCOMPLETE, "memory: limit reached");
    return sample_take(&s);
}

GByteArray *
sample_large(void)
{
    struct sample_writer s;
    sample_begin(&s);
    struct hf_writer *w = &s.w;
    hf_write_header(w, 8);
    hf_write_meta_uint(w, HF_META_PID, 1);
    type(w, 0x900000, HF_FAMILY_OTHER, "a.B", 16, 16);
    const uint32_t names[] = {1, 1, 1};
    name(w, ".x");
    const struct hf_run mixed[] = {{.kind = HF_RUN_NAMED, .count = 3, .names = names},
                                   {.kind = HF_RUN_ITEMS},
                                   {.kind = HF_RUN_NAMED, .count = 2, .names = names}};
    hf_write_layout(w, &(struct hf_run){.kind = HF_RUN_INDEX}, 1);
    hf_write_layout(w, mixed, 3);
    const size_t n_refs = 250001;
    g_autofree uint64_t *refs = g_new(uint64_t, n_refs);
    uint64_t random = 88172645463325252ull;
    for (size_t i = 0; i < n_refs; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        refs[i] = (random >> random % 60) & ~7ull;
    }
    g_autofree char *content = g_malloc(HF_CONTENT_MAX);
    memset(content, 'c', HF_CONTENT_MAX);
    for (uint32_t i = 0; i < 40000; i++) {
        uint32_t n = i % 1000 == 7 ? 3000 : (uint32_t)(refs[i] >> 3) % 6;
        size_t content_len = i % 5000 == 0 ? HF_CONTENT_MAX >> (i / 5000) : i % 50;
        if (i % 100 == 0)
            hf_write_name(w, content, i % 90);
        hf_write_object(w, &(struct hf_object_row){.addr = 0x100000 + 16 * i,
                                                   .type = 1,
                                                   .flags = i % 3 == 0 ? HF_OBJ_CONTENT | HF_OBJ_SIZE : HF_OBJ_REFCOUNT,
                                                   .size = i,
                                                   .refcount = i,
                                                   .content = content,
                                                   .content_len = content_len,
                                                   .layout = i % 2,
                                                   .refs = refs + i,
                                                   .n_refs = n});
        if (i % 20000 == 777)
            hf_write_object(w, &(struct hf_object_row){.addr = 0x8000000 + 16 * i,
                                                       .type = 1,
                                                       .flags = HF_OBJ_CONTENT,
                                                       .content = content,
                                                       .content_len = HF_CONTENT_MAX,
                                                       .layout = i < 20000 ? 1 : 2,
                                                       .refs = refs,
                                                       .n_refs = n_refs});
    }
    hf_writer_finish(w, HF_END_COMPLETE, "");
    return sample_take(&s);
}
