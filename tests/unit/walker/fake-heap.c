// SPDX-License-Identifier: MIT
#include "fake-heap.h"

#include <heapfile/reader.h>
#include <sys/mman.h>
#include <unistd.h>

void
fake_poke(wk_addr object, gint offset, guint64 value)
{
    *(guint64 *)(uintptr_t)(object + (guint64)(gint64)offset) = value;
}

wk_addr
fake_alloc(struct fake *f, gsize size)
{
    gpointer block = g_aligned_alloc0(1, 16 + ((size + 15) & ~(gsize)15), 16);

    g_ptr_array_add(f->memory, block);
    return (wk_addr)(uintptr_t)block + 16;
}

wk_addr
fake_object(struct fake *f, wk_addr type, gsize size)
{
    wk_addr object = fake_alloc(f, size);

    fake_poke(object, WK_OB_REFCNT, 1);
    fake_poke(object, WK_OB_TYPE, type);
    return object;
}

enum { TUPLE_ITEMS = 24 }; /* of 3.11, which this heap is laid out as */

static wk_addr
tuple_of(struct fake *f, const wk_addr *items, gsize n)
{
    wk_addr tuple = fake_object(f, f->tuple, TUPLE_ITEMS + 8 * n);

    fake_poke(tuple, WK_OB_SIZE, n);
    for (gsize i = 0; i < n; i++)
        fake_poke(tuple, (gint)(TUPLE_ITEMS + 8 * i), items[i]);
    return tuple;
}

static void
nothing(void)
{
}

static void
fill_type(struct fake *f, wk_addr type, const char *name, guint basic, guint item, guint64 flags,
          fake_traverse traverse)
{
    fake_poke(type, WK_OB_TYPE, f->type);
    fake_poke(type, WK_TP_NAME, (guint64)(uintptr_t)name);
    fake_poke(type, WK_TP_BASICSIZE, basic);
    fake_poke(type, WK_TP_ITEMSIZE, item);
    fake_poke(type, WK_TP_DEALLOC, (guint64)(uintptr_t)nothing);
    fake_poke(type, WK_TP_FLAGS, flags | WK_TPF_READY | (traverse != NULL ? WK_TPF_HAVE_GC : 0));
    fake_poke(type, WK_TP_TRAVERSE, (guint64)(uintptr_t)traverse);
}

/* MROs want tuples, tuples want their type: last. */
static void
add_mro(struct fake *f, wk_addr type)
{
    wk_addr mro[] = {type, f->object};

    if (type != f->object)
        fake_poke(type, WK_TP_BASE, f->object);
    fake_poke(type, WK_TP_MRO, tuple_of(f, mro, type == f->object ? 1 : 2));
}

wk_addr
fake_type(struct fake *f, const char *name, guint basic, guint item, guint64 flags, fake_traverse traverse)
{
    wk_addr type = fake_object(f, f->type, 1200);

    fill_type(f, type, name, basic, item, flags, traverse);
    add_mro(f, type);
    return type;
}

/* Never called: their addresses tell the walker what an object is laid out as. */
#define PLACEHOLDER(name)                                                                                              \
    static int name(wk_addr object, int (*visit)(wk_addr, void *), void *arg)                                          \
    {                                                                                                                  \
        (void)object, (void)visit, (void)arg;                                                                          \
        g_assert_not_reached();                                                                                        \
        return 0;                                                                                                      \
    }
PLACEHOLDER(list_traverse)
PLACEHOLDER(tuple_traverse)
PLACEHOLDER(dict_traverse)
PLACEHOLDER(set_traverse)
PLACEHOLDER(type_traverse)

static void
base_types(struct fake *f)
{
    struct {
        wk_addr *type;
        enum wk_symbol symbol;
        const char *name;
        guint basic, item;
        guint64 flags;
        fake_traverse traverse;
    } base[] = {
        {&f->type, WK_SYM_TYPE_TYPE, "type", 880, 40, WK_TPF_TYPE, type_traverse},
        {&f->object, WK_SYM_TYPE_OBJECT, "object", 16, 0, 0, NULL},
        {&f->list, WK_SYM_TYPE_LIST, "list", 40, 0, WK_TPF_LIST, list_traverse},
        {&f->tuple, WK_SYM_TYPE_TUPLE, "tuple", 24, 8, WK_TPF_TUPLE, tuple_traverse},
        {&f->dict, WK_SYM_TYPE_DICT, "dict", 48, 0, WK_TPF_DICT, dict_traverse},
        {&f->str, WK_SYM_TYPE_UNICODE, "str", 80, 0, WK_TPF_UNICODE, NULL},
        {&f->int_, WK_SYM_TYPE_LONG, "int", 24, 4, WK_TPF_LONG, NULL},
        {&f->bytes, WK_SYM_TYPE_BYTES, "bytes", 33, 1, WK_TPF_BYTES, NULL},
        {&f->set, WK_SYM_TYPE_SET, "set", 200, 0, 0, set_traverse},
    };

    for (guint i = 0; i < G_N_ELEMENTS(base); i++)
        *base[i].type = fake_alloc(f, 1200);
    for (guint i = 0; i < G_N_ELEMENTS(base); i++) {
        fake_poke(*base[i].type, WK_OB_REFCNT, 1);
        fill_type(f, *base[i].type, base[i].name, base[i].basic, base[i].item, base[i].flags, base[i].traverse);
        f->args.symbols[base[i].symbol] = *base[i].type;
    }
    for (guint i = 0; i < G_N_ELEMENTS(base); i++)
        add_mro(f, *base[i].type);
}

struct fake *
fake_new(void)
{
    struct fake *f = g_new0(struct fake, 1);
    gpointer state = mmap(NULL, WK_STATE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct wk *w = state;

    g_assert_true(state != MAP_FAILED);
    f->w = w;
    f->fd = memfd_create("dump", MFD_CLOEXEC);
    f->memory = g_ptr_array_new_with_free_func(g_aligned_free);
    base_types(f);
    g_snprintf(f->args.data_path, sizeof f->args.data_path, "/proc/self/fd/%d", f->fd);
    w->args = &f->args;
    w->memory.regions[0] = (struct wk_region){state, WK_STATE_SIZE};
    w->memory.n_regions = 1;
    w->version = 0x030b;
    w->version_hex = 0x030b07f0;
    w->content_limit = 64;
    g_assert_true(wk_facts_find(w->version, w->version_hex, WK_BUILD_RELEASE, &w->facts));
    wk_memory_init(w);
    wk_fault_init(w);
    g_assert_true(wk_output_open(w));
    wk_visited_init(w);
    wk_names_init(w);
    wk_refs_init(w);
    wk_refs_prepare_init(w);
    wk_gc_init(w);
    wk_walk_init(w);
    wk_text_init(w, &w->text, 256);
    wk_types_init(w);
    wk_contents_init(w);
    return f;
}

void
fake_free(struct fake *f)
{
    close(f->w->data_fd);
    wk_unmap_all(f->w);
    g_ptr_array_unref(f->memory);
    close(f->fd);
    g_free(f);
}

wk_addr
fake_str(struct fake *f, const char *ascii)
{
    gsize n = strlen(ascii);
    wk_addr str = fake_object(f, f->str, 48 + n + 1);

    fake_poke(str, 16, n);
    fake_poke(str, 32, 1 << 2 | 1 << 5 | 1 << 6 | 1 << 7); /* one byte a character, compact, ASCII, ready */
    memcpy((gpointer)(uintptr_t)(str + 48), ascii, n + 1);
    return str;
}

wk_addr
fake_list(struct fake *f, const wk_addr *items, gsize n)
{
    wk_addr list = fake_object(f, f->list, 40), array = fake_alloc(f, 8 * n);

    for (gsize i = 0; i < n; i++)
        fake_poke(array, (gint)(8 * i), items[i]);
    fake_poke(list, WK_OB_SIZE, n);
    fake_poke(list, WK_LIST_ITEMS, array);
    fake_poke(list, WK_LIST_ALLOCATED, n);
    return list;
}

/* At most five pairs; a key of 0 leaves a hole, as a deletion does. */
wk_addr
fake_dict(struct fake *f, const wk_addr *keys_and_values, gsize n)
{
    wk_addr dict = fake_object(f, f->dict, 48), keys = fake_alloc(f, 32 + 8 + 24 * 5);

    g_assert_cmpuint(n, <=, 5);
    fake_poke(dict, WK_DICT_USED, n);
    fake_poke(dict, WK_DICT_KEYS, keys);
    fake_poke(keys, 0, 1);          /* dk_refcnt */
    fake_poke(keys, 8, 3 | 3 << 8); /* eight slots of one byte, general kind */
    fake_poke(keys, 16, 5 - n);     /* usable */
    fake_poke(keys, 24, n);         /* entries */
    for (gsize i = 0; i < n; i++) {
        fake_poke(keys, (gint)(40 + 24 * i + 8), keys_and_values[2 * i]);
        fake_poke(keys, (gint)(40 + 24 * i + 16), keys_and_values[2 * i + 1]);
    }
    return dict;
}

static long
from_file(void *user, void *bytes, size_t n)
{
    return read(*(int *)user, bytes, n);
}

struct text {
    GString *out;
    GPtrArray *types;   /* owned texts */
    GPtrArray *names;   /* owned texts */
    GPtrArray *layouts; /* owned texts */
    struct fake *fake;
};

static bool
on_type(void *user, uint32_t id, const struct hf_type_row *row)
{
    struct text *t = user;

    g_assert_cmpuint(id, ==, t->types->len + 1);
    g_ptr_array_add(t->types, g_strndup(row->name, row->name_len));
    return true;
}

static bool
on_name(void *user, uint32_t id, const char *text, size_t n)
{
    struct text *t = user;

    g_assert_cmpuint(id, ==, t->names->len + 1);
    g_ptr_array_add(t->names, g_strndup(text, n));
    return true;
}

static bool
on_layout(void *user, uint32_t id, const struct hf_run *runs, size_t n)
{
    static const char *const kinds[] = {"unnamed", "index", "items", "member", ""};
    struct text *t = user;
    GString *s = g_string_new(NULL);

    g_assert_cmpuint(id, ==, t->layouts->len + 1);
    for (size_t i = 0; i < n; i++) {
        g_string_append(s, kinds[runs[i].kind]);
        for (uint64_t k = 0; runs[i].kind == HF_RUN_NAMED && k < runs[i].count; k++)
            g_string_append_printf(s, "%s%s", k == 0 ? "" : " ", (char *)t->names->pdata[runs[i].names[k] - 1]);
        g_string_append_printf(s, "%s%s%s", runs[i].flags & HF_RUN_WEAK ? "~" : "",
                               runs[i].flags & HF_RUN_HIDDEN ? "?" : "", i + 1 < n ? " " : "");
    }
    g_ptr_array_add(t->layouts, g_string_free(s, FALSE));
    return true;
}

static bool
on_object(void *user, const struct hf_object_row *row)
{
    struct text *t = user;

    g_string_append_printf(t->out, "%s%s size %" G_GUINT64_FORMAT "%s%s", row->flags & HF_OBJ_CONT ? "+" : "",
                           (char *)t->types->pdata[row->type - 1], row->size, row->flags & HF_OBJ_GC ? " gc" : "",
                           row->flags & HF_OBJ_BROKEN ? " broken" : "");
    if (row->flags & HF_OBJ_CONTENT)
        g_string_append_printf(t->out, " '%.*s'", (int)row->content_len, (const char *)row->content);
    if (row->n_refs != 0)
        g_string_append_printf(t->out, " %" G_GUINT64_FORMAT " refs: %s", row->n_refs,
                               row->layout != 0 ? (char *)t->layouts->pdata[row->layout - 1] : "unnamed");
    g_string_append_c(t->out, '\n');
    return true;
}

static bool
on_skipped(void *user, uint64_t addr, const char *why, size_t n)
{
    struct text *t = user;

    (void)addr;
    g_string_append_printf(t->out, "skipped: %.*s\n", (int)n, why);
    return true;
}

static bool
on_end(void *user, const struct hf_end_row *row)
{
    struct text *t = user;

    if (row->status != HF_END_COMPLETE)
        g_string_append_printf(t->out, "incomplete: %.*s\n", (int)row->reason_len, row->reason);
    return true;
}

static char *
dump_text(struct fake *f)
{
    struct text t = {g_string_new(NULL), g_ptr_array_new_with_free_func(g_free), g_ptr_array_new_with_free_func(g_free),
                     g_ptr_array_new_with_free_func(g_free), f};
    struct hf_handlers handlers = {.type = on_type,
                                   .name = on_name,
                                   .layout = on_layout,
                                   .object = on_object,
                                   .skipped = on_skipped,
                                   .end = on_end};
    struct hf_reader *reader = hf_reader_new(from_file, &f->fd);

    lseek(f->fd, 0, SEEK_SET);
    enum hf_status status = hf_read_all(reader, &handlers, &t);
    g_assert_cmpstr(hf_reader_error(reader), ==, "");
    g_assert_cmpint(status, ==, HF_EOF);
    hf_reader_free(reader);
    g_ptr_array_unref(t.types);
    g_ptr_array_unref(t.names);
    g_ptr_array_unref(t.layouts);
    return g_string_free(t.out, FALSE);
}

char *
fake_walk(struct fake *f)
{
    struct wk *w = f->w;
    const char *volatile reason = NULL;

    if (wk_arch_save(&w->fault->top) == 0) {
        w->fault->top_armed = true;
        wk_walk(w);
    } else {
        reason = wk_status_text(w->args->result.status);
    }
    w->fault->top_armed = w->fault->object_armed = false;
    wk_output_finish(w, reason);
    return dump_text(f);
}
