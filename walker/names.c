// SPDX-License-Identifier: MIT
/*
 * Names and layouts go into the dump once. Both are found again by a 64-bit hash of what they say; two different ones with the same
 * hash are not expected in the life of this program (a million of them: one chance in 37 million).
 */
#include "wk-names.h"
#include "wk-objects.h"

#define NAME_BYTES 400u
#define STR_CACHE  4096u

struct wk_table {
    struct wk_entry {
        uint64_t hash; /* 0: free */
        uint32_t id;
    } * entry;
    uint64_t size, n; /* size is a power of two */
};

struct wk_names {
    struct wk_table names, layouts;
    struct wk_text text;
    struct wk_cached_str {
        wk_addr str;
        uint32_t kind, id;
    } * strs;
    uint32_t fixed[HF_RUN_KIND_COUNT]; /* layouts of one open run */
    uint32_t *name_list;               /* names of the layout at hand */
    uint64_t name_list_size;
    struct hf_run *run_list;
    uint64_t run_list_size;
};

static void
table_init(struct wk *w, struct wk_table *t, uint64_t size)
{
    t->entry = wk_map(w, size * sizeof *t->entry);
    t->size = size;
    t->n = 0;
}

/* The entry of a hash, or a free one for it. */
static struct wk_entry *
table_find(struct wk *w, struct wk_table *t, uint64_t hash)
{
    if (t->n * 2 > t->size) {
        struct wk_table old = *t;
        table_init(w, t, old.size * 4); /* the old one stays mapped until the end: a quarter of the new */
        for (uint64_t i = 0; i < old.size; i++)
            if (old.entry[i].hash != 0)
                *table_find(w, t, old.entry[i].hash) = old.entry[i];
        t->n = old.n;
    }
    uint64_t i = hash & (t->size - 1);
    while (t->entry[i].hash != 0 && t->entry[i].hash != hash)
        i = (i + 1) & (t->size - 1);
    return &t->entry[i];
}

void
wk_names_init(struct wk *w)
{
    struct wk_names *n = wk_alloc(w, sizeof *n);

    w->names = n;
    table_init(w, &n->names, 4096);
    table_init(w, &n->layouts, 4096);
    n->strs = wk_map(w, STR_CACHE * sizeof *n->strs);
    wk_text_init(w, &n->text, NAME_BYTES + 64);
    for (uint8_t kind = HF_RUN_INDEX; kind <= HF_RUN_MEMBER; kind++) {
        struct hf_run run = {.kind = kind};
        n->fixed[kind] = hf_write_layout(&w->out, &run, 1);
    }
    wk_growing_init(w, &w->refs.addr_memory, 1ull << 36);
    wk_growing_init(w, &w->refs.tags_memory, 1ull << 30);
    w->refs.addr = (uint64_t *)(void *)w->refs.addr_memory.start;
    w->refs.tags = (uint32_t *)(void *)w->refs.tags_memory.start;
}

static uint32_t
intern(struct wk *w, const struct wk_text *text)
{
    uint64_t hash = hf_xxh64(text->bytes, text->len, 0) | 1;
    struct wk_entry *e = table_find(w, &w->names->names, hash);

    if (e->hash == 0) {
        uint32_t id = hf_write_name(&w->out, text->bytes, text->len);
        *e = (struct wk_entry){hash, id};
        w->names->names.n++;
    }
    return e->id;
}

uint32_t
wk_name(struct wk *w, const char *text)
{
    struct wk_text *t = &w->names->text;

    wk_text_reset(t);
    wk_text_cstr(t, text);
    return intern(w, t);
}

static const char *
opening(enum wk_name_kind kind)
{
    switch (kind) {
    case WK_NAME_ATTR:
        return ".";
    case WK_NAME_KEY:
        return "['";
    case WK_NAME_HIDDEN_KEY:
        return "<key '";
    case WK_NAME_LOCAL:
        return "<local ";
    case WK_NAME_CELL:
        return "<cell ";
    case WK_NAME_FREE:
        return "<free ";
    case WK_NAME_STACK:
        return "<stack ";
    case WK_NAME_CONST:
        return "<const ";
    case WK_NAME_MRO:
        return "<mro ";
    case WK_NAME_BASE:
        return "<base ";
    case WK_NAME_INDEX:
        return "[";
    case WK_NAME_DEFAULT:
        return "<default ";
    case WK_NAME_VAR:
        return "<context var ";
    case WK_NAME_PLAIN:
    default:
        return "";
    }
}

static const char *
closing(enum wk_name_kind kind)
{
    switch (kind) {
    case WK_NAME_PLAIN:
    case WK_NAME_ATTR:
        return "";
    case WK_NAME_KEY:
        return "']";
    case WK_NAME_HIDDEN_KEY:
        return "'>";
    case WK_NAME_INDEX:
        return "]";
    case WK_NAME_LOCAL:
    case WK_NAME_CELL:
    case WK_NAME_FREE:
    case WK_NAME_STACK:
    case WK_NAME_CONST:
    case WK_NAME_MRO:
    case WK_NAME_BASE:
    case WK_NAME_DEFAULT:
    case WK_NAME_VAR:
    default:
        return ">";
    }
}

uint32_t
wk_name_str(struct wk *w, enum wk_name_kind kind, wk_addr str)
{
    struct wk_text *t = &w->names->text;
    struct wk_cached_str *c = &w->names->strs[(str >> 4 ^ str >> 16 ^ (uint64_t)kind * 1021) & (STR_CACHE - 1)];

    if (c->str == str && c->kind == (uint32_t)kind && str != 0)
        return c->id;
    wk_text_reset(t);
    wk_text_cstr(t, opening(kind));
    bool hash =
        w->redact && (kind == WK_NAME_KEY || kind == WK_NAME_HIDDEN_KEY || kind == WK_NAME_ATTR) && !wk_is_open(w, str);
    uint64_t left_out = hash ? wk_text_data(w, t, str, NAME_BYTES) : wk_text_quoted(w, t, str, NAME_BYTES);
    if (left_out != 0)
        wk_text_cstr(t, "…");
    wk_text_cstr(t, closing(kind));
    uint32_t id = intern(w, t);
    *c = (struct wk_cached_str){str, (uint32_t)kind, id};
    return id;
}

uint32_t
wk_name_cstr(struct wk *w, enum wk_name_kind kind, const char *text)
{
    struct wk_text *t = &w->names->text;

    wk_text_reset(t);
    wk_text_cstr(t, opening(kind));
    wk_text_cstr(t, text);
    wk_text_cstr(t, closing(kind));
    return intern(w, t);
}

uint32_t
wk_name_number(struct wk *w, enum wk_name_kind kind, uint64_t number)
{
    struct wk_text *t = &w->names->text;

    wk_text_reset(t);
    wk_text_cstr(t, opening(kind));
    wk_text_uint(t, number);
    wk_text_cstr(t, closing(kind));
    return intern(w, t);
}

uint32_t
wk_layout_fixed(const struct wk *w, enum hf_run_kind open)
{
    return w->names->fixed[open];
}

static void
lists_room(struct wk *w, uint64_t n)
{
    struct wk_names *names = w->names;

    if (n <= names->name_list_size)
        return;
    n = n < 256 ? 256 : n * 2;
    names->name_list = wk_map(w, n * sizeof *names->name_list);
    names->run_list = wk_map(w, (n + 1) * sizeof *names->run_list);
    names->name_list_size = n;
}

uint32_t
wk_layout(struct wk *w, bool has_open, enum hf_run_kind open, const uint32_t *tags, uint64_t n)
{
    struct wk_names *names = w->names;
    uint64_t hash = hf_xxh64(tags, n * sizeof *tags, has_open ? (uint64_t)open + 1 : 0) | 1;

    if (n == 0 && ((unsigned)open & WK_OPEN_HIDDEN) == 0)
        return has_open ? names->fixed[open] : 0;
    struct wk_entry *e = table_find(w, &names->layouts, hash);
    if (e->hash != 0)
        return e->id;

    lists_room(w, n);
    uint64_t runs = 0;
    if (has_open)
        names->run_list[runs++] =
            (struct hf_run){.kind = (uint8_t)open, .flags = (unsigned)open & WK_OPEN_HIDDEN ? HF_RUN_HIDDEN : 0};
    for (uint64_t i = 0; i < n;) {
        uint64_t from = i;
        uint32_t flags = WK_TAG_FLAGS(tags[i]);
        bool named = WK_TAG_NAME(tags[i]) != 0;
        for (; i < n && WK_TAG_FLAGS(tags[i]) == flags && (WK_TAG_NAME(tags[i]) != 0) == named; i++)
            names->name_list[i] = WK_TAG_NAME(tags[i]);
        names->run_list[runs++] = (struct hf_run){.kind = named ? HF_RUN_NAMED : HF_RUN_UNNAMED,
                                                  .flags = (uint8_t)flags,
                                                  .count = i - from,
                                                  .names = names->name_list + from};
    }
    uint32_t id = hf_write_layout(&w->out, names->run_list, runs);
    *e = (struct wk_entry){hash, id};
    names->layouts.n++;
    return id;
}
