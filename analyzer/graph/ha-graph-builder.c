// SPDX-License-Identifier: MIT
#include "ha-graph-builder.h"

#include <string.h>

#include "ha-graph-builder-private.h"

#define SKIPPED_MAX 1000

HaGraphBuilder *
ha_graph_builder_new(HaSource source)
{
    HaGraphBuilder *b = g_new0(HaGraphBuilder, 1);
    HaGraph *g = b->graph = g_new0(HaGraph, 1);
    g_atomic_ref_count_init(&g->ref_count);
    g->source = source;
    g->complete = TRUE;
    g->chunk = g_string_chunk_new(1 << 16);
    g->meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g->counters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    ha_addrs_init(&g->addrs);
    for (guint c = 0; c < HA_COLUMNS; c++)
        ha_column_init(&g->columns[c], c == HA_TYPE || c == HA_LAYOUT || c == HA_CONTENT);
    g->arena.item = 1;
    g->names.item = sizeof(const char *);
    g->types.item = sizeof(HaType);
    g->layouts.item = sizeof(HaLayout);
    g->runs.item = sizeof(HaRun);
    g->layout_names.item = sizeof(guint32);
    g->holes.item = sizeof(HaHole);
    g->roots.item = sizeof(HaRoot);
    g->threads.item = sizeof(HaThread);
    g->frames.item = sizeof(HaFrame);
    g->skipped.item = sizeof(HaSkipped);
    b->flags.item = 1;
    ha_column_init(&b->n_refs_of, FALSE);
    b->refs.item = 1;
    b->marks.item = sizeof(guint64);
    b->root_addr.item = sizeof(guint64);
    b->roles.item = sizeof(HaRole);
    b->frame_addr.item = 3 * sizeof(guint64);

    b->failed |= !ha_vec_reserve(&g->names, 1) || !ha_vec_reserve(&g->types, 1) || !ha_vec_reserve(&g->layouts, 1) ||
                 !ha_vec_reserve(&g->arena, 4);
    if (b->failed)
        return b;
    HA_ITEM(g->names, const char *, g->names.n++) = NULL;
    HA_ITEM(g->types, HaType, g->types.n++) = (HaType){.name = "?", .id = HA_ID_NONE};
    HA_ITEM(g->layouts, HaLayout, g->layouts.n++) = (HaLayout){0};
    memset(g->arena.data, 0, 4);
    g->arena.n = 4; /* offset 0 means none */
    return b;
}

void
ha_graph_builder_free(HaGraphBuilder *b)
{
    if (b == NULL)
        return;
    ha_vec_clear(&b->flags);
    ha_column_clear(&b->n_refs_of);
    ha_vec_clear(&b->refs);
    ha_vec_clear(&b->marks);
    ha_vec_clear(&b->root_addr);
    ha_vec_clear(&b->roles);
    ha_vec_clear(&b->frame_addr);
    ha_graph_unref(b->graph);
    g_free(b);
}

void
ha_graph_builder_ask(HaGraphBuilder *b, HaMayGrow may_grow, gpointer user)
{
    b->may_grow = may_grow;
    b->may_grow_user = user;
}

void
ha_graph_builder_set_tables(HaGraphBuilder *b, GByteArray *tables)
{
    b->tables = tables;
}

GByteArray *
ha_graph_builder_tables(HaGraphBuilder *b)
{
    return b->tables;
}

void
ha_graph_builder_wide_offsets(HaGraphBuilder *b)
{
    b->wide_offsets = TRUE;
}

/* A C string of our own; NUL bytes inside become \x00. */
static const char *
keep_text(HaGraphBuilder *b, const char *text, gssize n)
{
    if (n < 0)
        return g_string_chunk_insert(b->graph->chunk, text);
    if (n == 0)
        return "";
    if (memchr(text, 0, n) == NULL)
        return g_string_chunk_insert_len(b->graph->chunk, text, n);
    g_autoptr(GString) escaped = g_string_new(NULL);
    for (gssize i = 0; i < n; i++) {
        if (text[i] == 0)
            g_string_append(escaped, "\\x00");
        else
            g_string_append_c(escaped, text[i]);
    }
    return g_string_chunk_insert_len(b->graph->chunk, escaped->str, escaped->len);
}

static gboolean
room(HaGraphBuilder *b, HaVec *v, gsize more)
{
    b->failed |= !ha_vec_reserve(v, more);
    return !b->failed;
}

guint32
ha_graph_builder_name(HaGraphBuilder *b, const char *text, gssize n)
{
    HaVec *names = &b->graph->names;
    if (room(b, names, 1))
        HA_ITEM(*names, const char *, names->n++) = keep_text(b, text, n);
    return names->n - 1;
}

guint32
ha_graph_builder_type(HaGraphBuilder *b, const struct hf_type_row *row)
{
    HaVec *types = &b->graph->types;
    if (room(b, types, 1))
        HA_ITEM(*types, HaType, types->n++) = (HaType){.addr = row->addr,
                                                       .base = row->base,
                                                       .basic_size = row->basic_size,
                                                       .name = keep_text(b, row->name, row->name_len),
                                                       .flags = row->flags,
                                                       .family = row->family < HF_FAMILY_COUNT ? row->family : 0,
                                                       .id = HA_ID_NONE};
    return types->n - 1;
}

void
ha_graph_builder_type_name(HaGraphBuilder *b, guint32 type, const char *name, gssize n)
{
    if (type > 0 && type < b->graph->types.n)
        HA_ITEM(b->graph->types, HaType, type).name = keep_text(b, name, n);
}

guint32
ha_graph_builder_layout(HaGraphBuilder *b, const struct hf_run *runs, gsize n)
{
    HaGraph *g = b->graph;
    if (!room(b, &g->layouts, 1) || !room(b, &g->runs, n))
        return 0;
    HaLayout layout = {.first_run = g->runs.n, .n_runs = n, .open = n};
    for (gsize i = 0; i < n; i++) {
        HaRun run = {.kind = runs[i].kind,
                     .flags = runs[i].flags,
                     .count = runs[i].count,
                     .start = layout.fixed,
                     .first_name = g->layout_names.n};
        if (run.count == 0)
            layout.open = i;
        layout.fixed += run.count;
        if (run.kind == HF_RUN_NAMED) {
            if (!room(b, &g->layout_names, runs[i].count))
                return 0;
            for (guint64 k = 0; k < run.count; k++) {
                guint32 name = runs[i].names[k];
                HA_ITEM(g->layout_names, guint32, g->layout_names.n++) = name < g->names.n ? name : 0;
            }
        }
        layout.any_flags |= run.flags;
        HA_ITEM(g->runs, HaRun, g->runs.n++) = run;
    }
    HA_ITEM(g->layouts, HaLayout, g->layouts.n++) = layout;
    return g->layouts.n - 1;
}

void
ha_graph_builder_role(HaGraphBuilder *b, guint64 addr, guint32 layout)
{
    if (layout < b->graph->layouts.n && room(b, &b->roles, 1))
        HA_ITEM(b->roles, HaRole, b->roles.n++) = (HaRole){.addr = addr, .layout = layout};
}

static guint32
keep_content(HaGraphBuilder *b, const struct hf_object_row *row)
{
    HaVec *arena = &b->graph->arena;
    guint8 head[20];
    guint head_n = ha_put_uv(head, row->content_len);
    if (row->flags & HF_OBJ_CUT)
        head_n += ha_put_uv(head + head_n, row->whole_length);
    if (!room(b, arena, head_n + row->content_len + 3))
        return 0;
    if (arena->n / 4 >= G_MAXUINT32) {
        b->contents_dropped++;
        return 0;
    }
    guint32 offset = arena->n / 4;
    guint8 *at = (guint8 *)arena->data + arena->n;
    memcpy(at, head, head_n);
    if (row->content_len > 0)
        memcpy(at + head_n, row->content, row->content_len);
    gsize used = head_n + row->content_len, padded = (used + 3) & ~(gsize)3;
    memset(at + used, 0, padded - used);
    arena->n += padded;
    return offset;
}

/* What a caller has that is no reader: the same bytes that a file would have. */
static void
pack_refs(HaVec *to, const struct hf_object_row *row)
{
    guint64 before = row->flags & HF_OBJ_CONT ? 0 : row->addr >> 3;
    for (guint64 i = 0; i < row->n_refs; i++) {
        guint64 delta = (row->refs[i] >> 3) - before;
        before += delta;
        to->n += ha_put_uv(&HA_ITEM(*to, guint8, to->n), ha_zigzag(delta));
    }
}

/* References of a row, to those of the last object. */
static gboolean
add_refs(HaGraphBuilder *b, const struct hf_object_row *row)
{
    if (row->n_refs == 0)
        return TRUE;
    gsize last = b->n - 1;
    guint64 before = row->flags & HF_OBJ_CONT ? ha_column_get(&b->n_refs_of, last) : 0;
    if (!ha_column_set(&b->n_refs_of, last, before + row->n_refs))
        return FALSE;
    b->n_refs += row->n_refs;
    if (row->n_refs > G_MAXSSIZE / 20 ||
        !room(b, &b->refs, 10 + (row->packed != NULL ? row->packed_len : 10 * row->n_refs)))
        return FALSE;
    b->refs.n += ha_put_uv(&HA_ITEM(b->refs, guint8, b->refs.n), row->n_refs << 1 | !!(row->flags & HF_OBJ_CONT));
    if (row->packed != NULL) {
        memcpy(&HA_ITEM(b->refs, guint8, b->refs.n), row->packed, row->packed_len);
        b->refs.n += row->packed_len;
    } else {
        pack_refs(&b->refs, row);
    }
    return TRUE;
}

/* From the first row on that has one. */
static gboolean
add_extra(HaGraphBuilder *b, guint64 extra)
{
    HaColumn *c = &b->graph->columns[HA_EXTRA];
    if (extra == 0 && c->items.n == 0)
        return TRUE;
    if (!ha_column_reserve(c, b->n - c->items.n))
        return FALSE;
    while (c->items.n + 1 < b->n)
        ha_column_put(c, 0);
    return ha_column_put(c, extra);
}

static guint64
usual_size(const HaGraphBuilder *b, guint64 size)
{
    if (b->real_step == 0 || size > G_MAXUINT64 - b->real_add - b->real_step)
        return size;
    return MAX(b->real_least, (size + b->real_add + b->real_step - 1) / b->real_step * b->real_step);
}

/* Room in all columns, half as much again. */
static gboolean
grow(HaGraphBuilder *b)
{
    HaGraph *g = b->graph;
    gsize more = b->n / 2 + 1024;
    b->failed |= !ha_vec_reserve(&b->flags, more) || !ha_column_reserve(&b->n_refs_of, more) ||
                 !ha_vec_reserve(&g->addrs.low, more);
    for (guint c = 0; c < HA_COLUMNS; c++)
        b->failed |= c != HA_EXTRA && !ha_column_reserve(&g->columns[c], more);
    return !b->failed;
}

gboolean
ha_graph_builder_object(HaGraphBuilder *b, const struct hf_object_row *row)
{
    HaGraph *g = b->graph;
    if (row->flags & HF_OBJ_CONT) {
        if (b->n == 0)
            return TRUE;
        HA_ITEM(b->flags, guint8, b->n - 1) |= ha_flags_pack(row->flags & HF_OBJ_BROKEN);
        return add_refs(b, row); /* references belong to the last row */
    }
    if (b->n == HA_ID_NONE - 1) {
        b->too_many = TRUE;
        return FALSE;
    }
    if (b->n == b->flags.capacity) {
        if (b->may_grow != NULL && !b->may_grow(b->may_grow_user, b->n, b->n_refs)) {
            b->failed = TRUE;
            return FALSE;
        }
        if (!grow(b))
            return FALSE;
    }
    guint32 i = b->n;
    if (i % HA_ROWS_PER_MARK == 0) {
        if (!room(b, &b->marks, 1))
            return FALSE;
        HA_ITEM(b->marks, guint64, b->marks.n++) = b->refs.n;
    }
    guint64 refcount = row->flags & HF_OBJ_REFCOUNT                                          ? row->refcount
                       : row->flags & HF_OBJ_IMMORTAL || g->source != HA_SOURCE_HEAPDUMP_GDB ? HA_COLUMN_NONE
                                                                                             : 1;
    guint64 real = row->flags & HF_OBJ_REAL_SIZE ? row->real_size : usual_size(b, row->size);
    /* less, where what getsizeof counts lies in the block of another object: 3.13's dict over the values in an instance */
    guint64 extra = ha_zigzag(real - row->size);
    guint32 type = row->type < g->types.n ? row->type : 0;
    b->without_type += type == 0;
    HA_ITEM(b->flags, guint8, b->flags.n++) = ha_flags_pack(row->flags);
    b->n++;
    HaColumn *c = g->columns;
    b->failed |= !ha_addrs_put(&g->addrs, row->addr) || !ha_column_put(&b->n_refs_of, 0) ||
                 !ha_column_put(&c[HA_TYPE], type) ||
                 !ha_column_put(&c[HA_LAYOUT], row->layout < g->layouts.n ? row->layout : 0) ||
                 !ha_column_put(&c[HA_SIZE], row->size) || !ha_column_put(&c[HA_REFCOUNT], refcount) ||
                 !ha_column_put(&c[HA_CONTENT], row->flags & HF_OBJ_CONTENT ? keep_content(b, row) : 0) ||
                 !add_extra(b, extra) || !add_refs(b, row);
    return !b->failed;
}

static void
add_root(HaGraphBuilder *b, guint64 addr, HaRoot root)
{
    HaVec *roots = &b->graph->roots;
    if (!room(b, roots, 1) || !room(b, &b->root_addr, 1))
        return;
    HA_ITEM(*roots, HaRoot, roots->n++) = root;
    HA_ITEM(b->root_addr, guint64, b->root_addr.n++) = addr;
}

void
ha_graph_builder_root(HaGraphBuilder *b, guint8 kind, guint64 addr, const char *name, gboolean counted)
{
    const char *kept = name != NULL ? g_string_chunk_insert_const(b->graph->chunk, name) : NULL;
    add_root(b, addr, (HaRoot){.kind = kind, .name = kept, .frame = G_MAXUINT32, .counted = counted});
}

static const char *
name_text(const HaGraph *g, guint32 name)
{
    return name < g->names.n ? HA_ITEM(g->names, const char *, name) : NULL;
}

void
ha_graph_builder_root_id(HaGraphBuilder *b, guint8 kind, guint64 addr, guint32 name, gboolean counted)
{
    add_root(b, addr,
             (HaRoot){.kind = kind, .name = name_text(b->graph, name), .frame = G_MAXUINT32, .counted = counted});
}

void
ha_graph_builder_thread(HaGraphBuilder *b, const struct hf_thread_row *row)
{
    HaGraph *g = b->graph;
    if (!room(b, &g->threads, 1))
        return;
    HA_ITEM(g->threads, HaThread, g->threads.n++) = (HaThread){.ident = row->ident,
                                                               .native_id = row->native_id,
                                                               .state_addr = row->state_addr,
                                                               .flags = row->flags,
                                                               .name = keep_text(b, row->name, row->name_len),
                                                               .first_frame = g->frames.n};
}

void
ha_graph_builder_frame(HaGraphBuilder *b, const struct hf_frame_row *row)
{
    HaGraph *g = b->graph;
    if (g->threads.n == 0 || !room(b, &g->frames, 1) || !room(b, &b->frame_addr, 1))
        return;
    guint32 index = g->frames.n++;
    HA_ITEM(g->threads, HaThread, g->threads.n - 1).n_frames++;
    HA_ITEM(g->frames, HaFrame, index) = (HaFrame){.thread = g->threads.n - 1,
                                                   .line = row->line,
                                                   .flags = row->flags,
                                                   .qualname = keep_text(b, row->qualname, row->qualname_len),
                                                   .file = keep_text(b, row->file, row->file_len),
                                                   .first_root = g->roots.n,
                                                   .n_roots = row->n};
    guint64 *addrs = (guint64 *)b->frame_addr.data + 3 * b->frame_addr.n++;
    addrs[0] = row->frame;
    addrs[1] = row->code;
    addrs[2] = row->function;
    for (gsize i = 0; i < row->n; i++)
        add_root(b, row->refs[i],
                 (HaRoot){.kind = HF_ROOT_FRAME,
                          .name = name_text(g, row->names[i]),
                          .frame = index,
                          .counted = (row->flags & HF_FRAME_OWNED) != 0});
}

void
ha_graph_builder_meta(HaGraphBuilder *b, const char *key, gssize key_len, const char *value, gssize value_len)
{
    const struct {
        const char *key;
        guint64 *value;
    } real[] = {
        {HF_META_REAL_STEP, &b->real_step}, {HF_META_REAL_ADD, &b->real_add}, {HF_META_REAL_LEAST, &b->real_least}};
    gsize n = key_len < 0 ? strlen(key) : (gsize)key_len;
    for (guint i = 0; i < G_N_ELEMENTS(real); i++)
        if (n == strlen(real[i].key) && memcmp(key, real[i].key, n) == 0) {
            guint64 number = g_ascii_strtoull(value, NULL, 10);
            *real[i].value = number <= 4096 ? number : 0; /* more than any allocator's */
        }
    g_hash_table_replace(b->graph->meta, key_len < 0 ? g_strdup(key) : g_strndup(key, key_len),
                         value_len < 0 ? g_strdup(value) : g_strndup(value, value_len));
}

void
ha_graph_builder_counter(HaGraphBuilder *b, const char *key, gssize n, guint64 value)
{
    guint64 *kept = g_new(guint64, 1);
    *kept = value;
    g_hash_table_replace(b->graph->counters, n < 0 ? g_strdup(key) : g_strndup(key, n), kept);
}

void
ha_graph_builder_skipped(HaGraphBuilder *b, guint64 addr, const char *why, gssize n)
{
    HaVec *skipped = &b->graph->skipped;
    if (skipped->n < SKIPPED_MAX && room(b, skipped, 1))
        HA_ITEM(*skipped, HaSkipped, skipped->n++) = (HaSkipped){.addr = addr, .why = keep_text(b, why, n)};
}

void
ha_graph_builder_incomplete(HaGraphBuilder *b, const char *reason, gssize n)
{
    b->graph->complete = FALSE;
    g_free(b->graph->reason);
    b->graph->reason = n < 0 ? g_strdup(reason) : n > 0 ? g_strndup(reason, n) : NULL;
}
