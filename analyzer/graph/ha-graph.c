// SPDX-License-Identifier: MIT
#include "ha-graph.h"

#include <string.h>
#include <sys/mman.h>

#include "ha-graph-builder.h"
#include "ha-graph-private.h"
#include "ha-memory.h"

GQuark
ha_graph_error_quark(void)
{
    return g_quark_from_static_string("ha-graph-error");
}

HaGraph *
ha_graph_ref(HaGraph *g)
{
    g_atomic_ref_count_inc(&g->ref_count);
    return g;
}

static gboolean
is_mapped(const HaGraph *g, const void *p)
{
    return g->mapping != NULL && (guintptr)p - (guintptr)g->mapping < g->mapping_bytes;
}

static void
clear_vec(const HaGraph *g, HaVec *v)
{
    if (is_mapped(g, v->data))
        v->data = NULL;
    ha_vec_clear(v);
}

void
ha_graph_unref(HaGraph *g)
{
    if (g == NULL || !g_atomic_ref_count_dec(&g->ref_count))
        return;
    gpointer arrays[] = {g->flags,         g->offset32,  g->offset64,   g->refs, g->back_offset32,
                         g->back_offset64, g->back_refs, g->root_order, g->weak, g->back_weak};
    for (guint i = 0; i < G_N_ELEMENTS(arrays); i++)
        if (!is_mapped(g, arrays[i]))
            ha_mem_free(arrays[i]);
    if (!is_mapped(g, g->index.slots))
        ha_page_index_clear(&g->index);
    HaVec *vecs[] = {&g->arena, &g->names,   &g->types,  &g->layouts, &g->runs,      &g->layout_names, &g->holes,
                     &g->roots, &g->threads, &g->frames, &g->skipped, &g->addrs.low, &g->addrs.steps};
    for (guint i = 0; i < G_N_ELEMENTS(vecs); i++)
        clear_vec(g, vecs[i]);
    for (guint c = 0; c < HA_COLUMNS; c++) {
        clear_vec(g, &g->columns[c].items);
        clear_vec(g, &g->columns[c].wide);
    }
    g_hash_table_unref(g->meta);
    g_hash_table_unref(g->counters);
    g_string_chunk_free(g->chunk);
    if (g->mapping != NULL && !g->mapping_borrowed)
        (void)munmap(g->mapping, g->mapping_bytes);
    g_free(g->reason);
    g_free(g);
}

HaSource
ha_graph_source(const HaGraph *g)
{
    return g->source;
}

gboolean
ha_graph_is_foreign(const HaGraph *g)
{
    return g->source != HA_SOURCE_HEAPDUMP_GDB;
}

gboolean
ha_graph_tells_items(const HaGraph *g)
{
    return g->source == HA_SOURCE_HEAPDUMP_GDB || g->source == HA_SOURCE_PYHEAP;
}

gboolean
ha_graph_complete(const HaGraph *g)
{
    return g->complete;
}

const char *
ha_graph_incomplete_reason(const HaGraph *g)
{
    return g->reason;
}

guint32
ha_graph_n_objects(const HaGraph *g)
{
    return g->n;
}

guint64
ha_graph_n_refs(const HaGraph *g)
{
    return g->n_refs;
}

HaId
ha_graph_lookup(const HaGraph *g, guint64 addr)
{
    return ha_page_index_lookup(&g->index, addr);
}

guint64
ha_graph_addr(const HaGraph *g, HaId id)
{
    g_assert(id < g->n);
    return ha_addrs_get(&g->addrs, id);
}

guint64
ha_graph_size(const HaGraph *g, HaId id)
{
    g_assert(id < g->n);
    return ha_graph_value(g, HA_SIZE, id);
}

guint64
ha_graph_real_size(const HaGraph *g, HaId id)
{
    guint64 size = ha_graph_size(g, id);
    return g->columns[HA_EXTRA].items.n > 0 ? size + ha_unzigzag(ha_graph_value(g, HA_EXTRA, id)) : size;
}

gboolean
ha_graph_refcount(const HaGraph *g, HaId id, guint64 *out)
{
    g_assert(id < g->n);
    guint64 count = ha_graph_value(g, HA_REFCOUNT, id);
    if (count == HA_COLUMN_NONE)
        return FALSE;
    *out = count;
    return TRUE;
}

guint32
ha_graph_flags(const HaGraph *g, HaId id)
{
    g_assert(id < g->n);
    return ha_flags_unpack(g->flags[id]);
}

const HaType *
ha_graph_type(const HaGraph *g, HaId id)
{
    g_assert(id < g->n);
    return &HA_ITEM(g->types, HaType, ha_graph_value(g, HA_TYPE, id));
}

guint32
ha_graph_type_index(const HaGraph *g, HaId id)
{
    g_assert(id < g->n);
    return ha_graph_value(g, HA_TYPE, id);
}

guint32
ha_graph_n_types(const HaGraph *g)
{
    return g->types.n;
}

const HaType *
ha_graph_nth_type(const HaGraph *g, guint32 i)
{
    g_assert(i < g->types.n);
    return &HA_ITEM(g->types, HaType, i);
}

/* Our own arena, written by the builder: no bounds to check. */
static guint64
arena_uv(const guint8 **at)
{
    guint64 value = 0;
    for (guint shift = 0;; shift += 7) {
        guint8 byte = *(*at)++;
        value |= (guint64)(byte & 127) << shift;
        if (byte < 128)
            return value;
    }
}

static const guint8 *
arena_entry(const HaGraph *g, HaId id)
{
    g_assert(id < g->n);
    gsize at = ha_graph_value(g, HA_CONTENT, id);
    return at == 0 ? NULL : (const guint8 *)g->arena.data + at * 4;
}

const char *
ha_graph_content(const HaGraph *g, HaId id, gsize *n)
{
    const guint8 *at = arena_entry(g, id);
    *n = 0;
    if (at == NULL)
        return NULL;
    *n = arena_uv(&at);
    if (g->flags[id] & HA_FLAG_CUT)
        (void)arena_uv(&at);
    return (const char *)at;
}

gboolean
ha_graph_content_whole(const HaGraph *g, HaId id, guint64 *out)
{
    const guint8 *at = arena_entry(g, id);
    if (at == NULL || !(g->flags[id] & HA_FLAG_CUT))
        return FALSE;
    (void)arena_uv(&at);
    *out = arena_uv(&at);
    return TRUE;
}

const HaId *
ha_graph_referents(const HaGraph *g, HaId id, gsize *n)
{
    g_assert(id < g->n);
    guint64 first = ha_graph_first_ref(g, id);
    *n = ha_graph_first_ref(g, (guint64)id + 1) - first;
    return g->refs + first;
}

gboolean
ha_graph_need_referrers(HaGraph *g, GError **error)
{
    if (g->back_refs != NULL)
        return TRUE;
    gboolean narrow = g->offset32 != NULL;
    gsize items = (gsize)g->n + 2;
    if (!ha_memory_ask(g->n_refs * sizeof *g->refs + items * (narrow ? sizeof(guint32) : sizeof(guint64)),
                       "for the reverse references", error))
        return FALSE;
    guint32 *at32 = narrow ? ha_mem_new0(items, sizeof *at32) : NULL;
    guint64 *at64 = narrow ? NULL : ha_mem_new0(items, sizeof *at64);
    HaId *back = ha_mem_new(g->n_refs, sizeof *back);
    guint64 *back_weak = g->weak != NULL ? ha_mem_new0(g->n_refs / 64 + 1, sizeof *back_weak) : NULL;
    if ((at32 == NULL && at64 == NULL) || back == NULL || (g->weak != NULL && back_weak == NULL)) {
        ha_mem_free(back_weak);
        ha_mem_free(at32);
        ha_mem_free(at64);
        ha_mem_free(back);
        ha_memory_fail(error, "for the reverse references");
        return FALSE;
    }
    /* counting sort; counts stand two places up so that the ends, as they move, become the next one's starts */
#define COUNT_AND_PLACE(at)                                                                                            \
    do {                                                                                                               \
        for (guint64 e = 0; e < g->n_refs; e++)                                                                        \
            at[(gsize)g->refs[e] + 2]++;                                                                               \
        for (gsize i = 2; i < items; i++)                                                                              \
            at[i] += at[i - 1];                                                                                        \
        for (HaId from = 0; from < g->n; from++) {                                                                     \
            guint64 end = ha_graph_first_ref(g, (guint64)from + 1);                                                    \
            for (guint64 e = ha_graph_first_ref(g, from); e < end; e++) {                                              \
                if (e + 24 < g->n_refs)                                                                                \
                    __builtin_prefetch(&at[(gsize)g->refs[e + 24] + 1]);                                               \
                if (back_weak != NULL && g->weak[e / 64] >> e % 64 & 1) {                                              \
                    guint64 to = at[(gsize)g->refs[e] + 1];                                                            \
                    back_weak[to / 64] |= G_GUINT64_CONSTANT(1) << to % 64;                                            \
                }                                                                                                      \
                back[at[(gsize)g->refs[e] + 1]++] = from;                                                              \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)
    if (narrow)
        COUNT_AND_PLACE(at32);
    else
        COUNT_AND_PLACE(at64);
#undef COUNT_AND_PLACE
    g->back_offset32 = at32;
    g->back_offset64 = at64;
    g->back_refs = back;
    g->back_weak = back_weak;
    return TRUE;
}

const HaId *
ha_graph_referrers(HaGraph *g, HaId id, gsize *n)
{
    g_assert(id < g->n);
    g_autoptr(GError) error = NULL;
    if (!ha_graph_need_referrers(g, &error))
        g_error("%s", error->message);
    guint64 first, end;
    if (g->back_offset32 != NULL) {
        first = g->back_offset32[id];
        end = g->back_offset32[(gsize)id + 1];
    } else {
        first = g->back_offset64[id];
        end = g->back_offset64[(gsize)id + 1];
    }
    *n = end - first;
    return g->back_refs + first;
}

HaRefsView
ha_graph_view_referents(const HaGraph *g)
{
    return (HaRefsView){g->offset32, g->offset64, g->refs};
}

HaRefsView
ha_graph_view_referrers(const HaGraph *g)
{
    g_assert(g->back_refs != NULL);
    return (HaRefsView){g->back_offset32, g->back_offset64, g->back_refs};
}

HaWeakView
ha_graph_weak_referents(const HaGraph *g, HaId id)
{
    gboolean some = g->weak != NULL && ha_graph_any_ref_flags(g, id) & HF_RUN_WEAK;
    return (HaWeakView){.bits = some ? g->weak : NULL, .first = ha_graph_first_ref(g, id)};
}

HaWeakView
ha_graph_weak_referrers(const HaGraph *g, HaId id)
{
    g_assert(id < g->n && g->back_refs != NULL);
    return (HaWeakView){.bits = g->back_weak,
                        .first = g->back_offset32 != NULL ? g->back_offset32[id] : g->back_offset64[id]};
}

HaWeakView
ha_graph_weak_all(const HaGraph *g)
{
    return (HaWeakView){.bits = g->weak};
}

HaWeakView
ha_graph_weak_all_back(const HaGraph *g)
{
    return (HaWeakView){.bits = g->back_weak};
}

const HaRoot *
ha_graph_roots(const HaGraph *g, gsize *n)
{
    *n = g->roots.n;
    return g->roots.data;
}

const guint32 *
ha_graph_roots_of(const HaGraph *g, HaId id, gsize *n)
{
    const HaRoot *roots = g->roots.data;
    gsize low = 0, high = g->roots.n;
    while (low < high) {
        gsize middle = low + (high - low) / 2;
        if (roots[g->root_order[middle]].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    gsize end = low;
    while (end < g->roots.n && roots[g->root_order[end]].id == id)
        end++;
    *n = end - low;
    return g->root_order + low;
}

const HaThread *
ha_graph_threads(const HaGraph *g, gsize *n)
{
    *n = g->threads.n;
    return g->threads.data;
}

const HaFrame *
ha_graph_frames(const HaGraph *g, gsize *n)
{
    *n = g->frames.n;
    return g->frames.data;
}

const HaSkipped *
ha_graph_skipped(const HaGraph *g, gsize *n)
{
    *n = g->skipped.n;
    return g->skipped.data;
}

const char *
ha_graph_meta(const HaGraph *g, const char *key)
{
    return g_hash_table_lookup(g->meta, key);
}

GHashTable *
ha_graph_meta_table(const HaGraph *g)
{
    return g->meta;
}

GHashTable *
ha_graph_counter_table(const HaGraph *g)
{
    return g->counters;
}
