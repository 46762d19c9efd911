// SPDX-License-Identifier: MIT
/* The second half of the builder: rows into address order, addresses into ids. */
#include <string.h>

#include "ha-graph-builder-private.h"
#include "ha-radix.h"

#define PREFETCH 24

/* Rows in the order of ids, without those whose address another row had before; NULL: as they are. */
typedef struct {
    guint32 *row; /* owned */
    guint32 n;
} Order;

static gboolean
find_order(HaGraphBuilder *b, Order *order)
{
    const guint64 *addr = b->rows[RAW_ADDR].data;
    gboolean sorted;
    order->n = b->n;
    if (!ha_radix_order(addr, b->n, &order->row, &sorted))
        return FALSE;
    if (sorted)
        return TRUE;
    guint32 kept = 0;
    for (guint32 i = 0; i < b->n; i++)
        if (kept == 0 || addr[order->row[i]] != addr[order->row[kept - 1]])
            order->row[kept++] = order->row[i];
    order->n = kept;
    return TRUE;
}

/* Moves one raw column into its final order; the raw one is gone afterwards. */
static gpointer
take_column(HaGraphBuilder *b, guint column, const Order *order)
{
    HaVec *raw = &b->rows[column];
    gpointer result;
    if (order->row == NULL) {
        raw->n = b->n;
        ha_vec_trim(raw);
        result = raw->data != NULL ? raw->data : ha_mem_new(1, raw->item);
        raw->data = NULL;
    } else {
        result = ha_mem_new(order->n, raw->item);
#define GATHER(type)                                                                                                   \
    for (guint32 i = 0; i < order->n; i++)                                                                             \
    ((type *)result)[i] = ((const type *)raw->data)[order->row[i]]
        if (result != NULL) {
            if (raw->item == sizeof(guint64))
                GATHER(guint64);
            else if (raw->item == sizeof(guint32))
                GATHER(guint32);
            else
                GATHER(guint16);
        }
#undef GATHER
    }
    ha_vec_clear(raw);
    return result;
}

static gboolean
add_hole(HaGraph *g, HaId id, guint64 position)
{
    if (!ha_vec_reserve(&g->holes, 1))
        return FALSE;
    HA_ITEM(g->holes, HaHole, g->holes.n++) = (HaHole){.id = id, .position = position};
    g->flags[id] |= HA_FLAG_HOLES;
    return TRUE;
}

/* References as ids. Where rows keep their order the ids overwrite the addresses that were read already. */
static gboolean
link_refs(HaGraphBuilder *b, const Order *order, guint64 *dangling)
{
    HaGraph *g = b->graph;
    const guint64 total = b->refs.n, *first = b->rows[RAW_FIRST].data;
    guint8 *raw = b->refs.data, *out = raw;
    gboolean in_place = order->row == NULL;
    if (total >= G_MAXUINT32 || b->wide_offsets)
        g->offset64 = ha_mem_new((gsize)g->n + 1, sizeof *g->offset64);
    else
        g->offset32 = ha_mem_new((gsize)g->n + 1, sizeof *g->offset32);
    if (g->offset32 == NULL && g->offset64 == NULL)
        return FALSE;
    if (!in_place && (out = ha_mem_new(total, sizeof(HaId))) == NULL)
        return FALSE;

    guint64 kept = 0;
    gboolean ok = TRUE;
    for (HaId id = 0; ok && id < g->n; id++) {
        guint32 row = in_place ? id : order->row[id];
        guint64 start = first[row], end = row + 1 < b->n ? first[row + 1] : total;
        if (g->offset32 != NULL)
            g->offset32[id] = kept;
        else
            g->offset64[id] = kept;
        for (guint64 e = start; ok && e < end; e++) {
            guint64 addr, ahead;
            if (e + PREFETCH < total) {
                memcpy(&ahead, raw + (e + PREFETCH) * sizeof ahead, sizeof ahead);
                ha_page_index_prefetch(&g->index, ahead);
            }
            memcpy(&addr, raw + e * sizeof addr, sizeof addr);
            HaId to = ha_page_index_lookup(&g->index, addr);
            if (G_UNLIKELY(to == HA_ID_NONE)) {
                *dangling += addr != 0;
                ok = add_hole(g, id, e - start);
            } else {
                memcpy(out + kept++ * sizeof to, &to, sizeof to);
            }
        }
    }
    if (g->offset32 != NULL)
        g->offset32[g->n] = kept;
    else
        g->offset64[g->n] = kept;
    g->n_refs = kept;
    if (in_place) {
        b->refs.data = NULL;
        HaVec ids = {.data = out, .n = kept, .capacity = b->refs.capacity * 2, .item = sizeof(HaId)};
        ha_vec_trim(&ids);
        out = ids.data;
    }
    ha_vec_clear(&b->refs);
    g->refs = (HaId *)(void *)out;
    if (g->refs == NULL)
        g->refs = ha_mem_new(1, sizeof *g->refs);
    return ok && g->refs != NULL;
}

/* Side tables were kept by row; a row that was dropped finds the id of the one that was kept, and must not disturb it. */
static void
renumber(HaGraph *g, const Order *order, const guint32 *id_of_row)
{
    if (order->row == NULL)
        return;
    GHashTable **wides[] = {&g->wide_size, &g->wide_refcount};
    for (guint t = 0; t < G_N_ELEMENTS(wides); t++) {
        GHashTable *old = *wides[t], *table = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        GHashTableIter iter;
        gpointer row, value;
        g_hash_table_iter_init(&iter, old);
        while (g_hash_table_iter_next(&iter, &row, &value)) {
            HaId id = id_of_row[GPOINTER_TO_UINT(row)];
            if (id == HA_ID_NONE)
                continue;
            g_hash_table_iter_steal(&iter);
            g_hash_table_insert(table, GUINT_TO_POINTER(id), value);
        }
        g_hash_table_unref(old);
        *wides[t] = table;
    }
}

static int
compare_roots(gconstpointer left, gconstpointer right, gpointer user)
{
    const HaRoot *roots = user;
    guint32 a = *(const guint32 *)left, b = *(const guint32 *)right;
    if (roots[a].id != roots[b].id)
        return roots[a].id < roots[b].id ? -1 : 1;
    return a < b ? -1 : a > b;
}

static gboolean
link_roots(HaGraphBuilder *b, guint64 *dangling)
{
    HaGraph *g = b->graph;
    gsize n = g->roots.n, kept = 0, frame = 0;
    HaRoot *roots = g->roots.data;
    HaFrame *frames = g->frames.data;
    /* frames own stretches of the roots, in order */
    for (gsize i = 0; i <= n; i++) {
        for (; frame < g->frames.n && frames[frame].first_root == i; frame++)
            frames[frame].first_root = kept;
        if (i == n)
            break;
        HaRoot root = roots[i];
        root.id = ha_graph_lookup(g, HA_ITEM(b->root_addr, guint64, i));
        if (root.id != HA_ID_NONE) {
            roots[kept++] = root;
            continue;
        }
        (*dangling)++;
        if (root.frame != G_MAXUINT32)
            frames[root.frame].n_roots--;
    }
    g->roots.n = kept;
    g->root_order = ha_mem_new(kept, sizeof *g->root_order);
    if (g->root_order == NULL)
        return FALSE;
    for (gsize i = 0; i < kept; i++)
        g->root_order[i] = i;
    g_qsort_with_data(g->root_order, kept, sizeof *g->root_order, compare_roots, roots);
    for (gsize i = 0; i < g->frames.n; i++) {
        const guint64 *addrs = (const guint64 *)b->frame_addr.data + 3 * i;
        frames[i].frame = ha_graph_lookup(g, addrs[0]);
        frames[i].code = ha_graph_lookup(g, addrs[1]);
        frames[i].function = ha_graph_lookup(g, addrs[2]);
    }
    for (gsize i = 1; i < g->types.n; i++)
        HA_ITEM(g->types, HaType, i).id = ha_graph_lookup(g, HA_ITEM(g->types, HaType, i).addr);
    return TRUE;
}

static gboolean
finish(HaGraphBuilder *b)
{
    HaGraph *g = b->graph;
    Order order = {0};
    guint32 *id_of_row = NULL;
    guint64 dangling = 0, no_root = 0;
    gboolean ok = find_order(b, &order);
    if (!ok)
        return FALSE;
    g->n = order.n;
    ok = (g->addr = take_column(b, RAW_ADDR, &order)) != NULL && (g->size = take_column(b, RAW_SIZE, &order)) != NULL &&
         (g->refcount = take_column(b, RAW_REFCOUNT, &order)) != NULL &&
         (g->type = take_column(b, RAW_TYPE, &order)) != NULL &&
         (g->layout = take_column(b, RAW_LAYOUT, &order)) != NULL &&
         (g->content = take_column(b, RAW_CONTENT, &order)) != NULL &&
         (!b->any_extra || (g->extra = take_column(b, RAW_EXTRA, &order)) != NULL) &&
         (g->flags = take_column(b, RAW_FLAGS, &order)) != NULL && ha_page_index_init(&g->index, g->addr, g->n);
    ha_vec_clear(&b->rows[RAW_EXTRA]);
    if (ok && order.row != NULL && (g_hash_table_size(g->wide_size) > 0 || g_hash_table_size(g->wide_refcount) > 0)) {
        id_of_row = ha_mem_new(b->n, sizeof *id_of_row);
        ok = id_of_row != NULL;
        for (guint32 row = 0; ok && row < b->n; row++)
            id_of_row[row] = HA_ID_NONE;
        for (HaId id = 0; ok && id < order.n; id++)
            id_of_row[order.row[id]] = id;
        if (ok)
            renumber(g, &order, id_of_row);
    }
    ok = ok && link_refs(b, &order, &dangling) && link_roots(b, &no_root);
    ha_mem_free(id_of_row);
    ha_mem_free(order.row);
    if (!ok)
        return FALSE;

    ha_vec_trim(&g->arena);
    const struct {
        const char *key;
        guint64 value;
    } counters[] = {{HA_COUNTER_DUPLICATES, b->n - g->n},
                    {HA_COUNTER_DANGLING, dangling},
                    {HA_COUNTER_NO_ROOT, no_root},
                    {HA_COUNTER_NO_TYPE, b->without_type},
                    {HA_COUNTER_NO_CONTENT, b->contents_dropped}};
    for (guint i = 0; i < G_N_ELEMENTS(counters); i++)
        if (counters[i].value != 0)
            ha_graph_builder_counter(b, counters[i].key, -1, counters[i].value);
    return TRUE;
}

HaGraph *
ha_graph_builder_finish(HaGraphBuilder *b, GError **error)
{
    if (b->too_many) {
        g_set_error(error, HA_GRAPH_ERROR, HA_GRAPH_ERROR_TOO_MANY,
                    "the dump has more than %u objects, more than this program can number", HA_ID_NONE - 1);
        return NULL;
    }
    if (b->failed || !finish(b)) {
        g_set_error(error, HA_GRAPH_ERROR, HA_GRAPH_ERROR_NO_MEMORY,
                    "not enough memory for a dump of %u objects: use a machine with more, or close other programs",
                    b->n);
        return NULL;
    }
    return g_steal_pointer(&b->graph);
}
