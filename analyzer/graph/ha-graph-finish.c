// SPDX-License-Identifier: MIT
/* The second half of the builder: rows into address order, addresses into ids. */
#include <string.h>
#include <sys/mman.h>

#include <heapfile/reader.h>

#include "ha-graph-builder-private.h"
#include "ha-memory.h"

#define BATCH         256u /* references between the look for their places and the places' use */
#define THREADS       4u
#define RELEASE_BYTES ((gsize)4 << 20)
#define HUGE_PAGE     ((guintptr)2 << 20) /* released as whole as it was taken */

/* Rows of the order of arrival → ids. */
typedef struct {
    guint32 *id; /* owned; HA_ID_NONE: another row had the address before. NULL: rows are in order */
    guint32 n;   /* rows */
} Ids;

static inline HaId
id_of(const Ids *ids, guint32 row)
{
    return ids->id != NULL ? ids->id[row] : row;
}

/* Gives back pages of an array that is read once, from the front. *from is where the part that is still needed began. */
static void
release(gpointer array, gsize *from, gsize to)
{
    if (to - *from < RELEASE_BYTES)
        return;
    guintptr start = ((guintptr)array + *from + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    guintptr end = ((guintptr)array + to) & ~(HUGE_PAGE - 1);
    if (end > start)
        (void)madvise((void *)start, end - start, MADV_DONTNEED);
    *from = MAX(*from, end - (guintptr)array);
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

/* Where the references of each object begin. */
static gboolean
place_refs(HaGraphBuilder *b, const Ids *ids)
{
    HaGraph *g = b->graph;
    gsize items = (gsize)g->n + 1;
    gboolean wide = b->n_refs >= G_MAXUINT32 || b->wide_offsets;
    if (wide)
        g->offset64 = ha_mem_new(items, sizeof *g->offset64);
    else
        g->offset32 = ha_mem_new(items, sizeof *g->offset32);
    if (g->offset32 == NULL && g->offset64 == NULL)
        return FALSE;
#define PLACE(at)                                                                                                      \
    do {                                                                                                               \
        at[0] = 0;                                                                                                     \
        for (guint32 row = 0; row < ids->n; row++)                                                                     \
            if (id_of(ids, row) != HA_ID_NONE)                                                                         \
                at[(gsize)id_of(ids, row) + 1] = ha_column_get(&b->n_refs_of, row);                                    \
        for (gsize i = 1; i < items; i++)                                                                              \
            at[i] += at[i - 1];                                                                                        \
    } while (0)
    if (wide)
        PLACE(g->offset64);
    else
        PLACE(g->offset32);
#undef PLACE
    g->n_refs = ha_graph_first_ref(g, g->n);
    return TRUE;
}

/* A stretch of the rows, linked by a thread of its own. */
typedef struct {
    HaGraphBuilder *b; /* borrowed */
    const Ids *ids;
    guint32 first, end; /* rows */
    gsize at, at_end;   /* bytes of b->refs */
    guint64 missing;    /* places without an object */
    guint64 dangling;   /* those among them that are not empty */
    guint64 addr[BATCH], to[BATCH];
    HaId id[BATCH];
    guint n;
} Linking;

static void
flush(Linking *l)
{
    HaGraph *g = l->b->graph;
    ha_page_index_lookup_many(&g->index, l->addr, l->id, l->n);
    for (guint i = 0; i < l->n; i++) {
        if (G_UNLIKELY(l->id[i] == HA_ID_NONE)) {
            l->missing++;
            l->dangling += l->addr[i] != 0;
        }
        g->refs[l->to[i]] = l->id[i];
    }
    l->n = 0;
}

static gpointer
link_rows(gpointer user)
{
    Linking *l = user;
    HaGraph *g = l->b->graph;
    const guint8 *bytes = l->b->refs.data;
    gsize released = l->at;
    for (guint32 row = l->first; row < l->end; row++) {
        HaId id = id_of(l->ids, row);
        guint64 left = ha_column_get(&l->b->n_refs_of, row);
        guint64 to = id != HA_ID_NONE && left > 0 ? ha_graph_first_ref(g, id) : 0;
        while (left > 0) {
            guint64 head, base;
            l->at += hf_unpack_uv(bytes + l->at, l->at_end - l->at, &head);
            guint64 part = head >> 1;
            left -= part;
            if (id == HA_ID_NONE) {
                for (; part > 0; part--)
                    l->at += hf_unpack_uv(bytes + l->at, l->at_end - l->at, &head);
                continue;
            }
            base = head & 1 ? 0 : ha_addrs_get(&g->addrs, id);
            while (part > 0) {
                if (l->n == BATCH)
                    flush(l);
                guint take = MIN(part, BATCH - l->n);
                guint64 *addr = l->addr + l->n;
                l->at += hf_unpack_refs(bytes + l->at, l->at_end - l->at, base, addr, take);
                base = addr[take - 1];
                part -= take;
                for (guint i = 0; i < take; i++)
                    l->to[l->n++] = to++;
            }
        }
        if (row % 65536 == 0)
            release(l->b->refs.data, &released, l->at);
    }
    flush(l);
    return NULL;
}

/* Takes out what leads nowhere, and notes where it stood. */
static gboolean
close_holes(HaGraph *g)
{
    guint64 kept = 0, start = 0;
    for (HaId id = 0; id < g->n; id++) {
        guint64 end = ha_graph_first_ref(g, (guint64)id + 1);
        if (g->offset32 != NULL)
            g->offset32[id] = kept;
        else
            g->offset64[id] = kept;
        for (guint64 e = start; e < end; e++) {
            if (g->refs[e] != HA_ID_NONE)
                g->refs[kept++] = g->refs[e];
            else if (!add_hole(g, id, e - start))
                return FALSE;
        }
        start = end;
    }
    if (g->offset32 != NULL)
        g->offset32[g->n] = kept;
    else
        g->offset64[g->n] = kept;
    g->n_refs = kept;
    return TRUE;
}

static gboolean
link_refs(HaGraphBuilder *b, const Ids *ids, guint64 *dangling)
{
    guint64 missing = 0;
    HaGraph *g = b->graph;
    if (!place_refs(b, ids) || (g->refs = ha_mem_new(MAX(g->n_refs, 1), sizeof *g->refs)) == NULL)
        return FALSE;
    guint n_threads = b->n < 2 * HA_ROWS_PER_MARK ? 1 : MIN(g_get_num_processors(), THREADS);
    g_autofree Linking *linking = g_new0(Linking, n_threads);
    GThread *threads[THREADS] = {0};
    guint32 per_thread = b->n / n_threads / HA_ROWS_PER_MARK * HA_ROWS_PER_MARK;
    for (guint t = 0; t < n_threads; t++) {
        guint32 first = t * per_thread, end = t + 1 < n_threads ? first + per_thread : b->n;
        linking[t].b = b;
        linking[t].ids = ids;
        linking[t].first = first;
        linking[t].end = end;
        linking[t].at = b->n > 0 ? HA_ITEM(b->marks, guint64, first / HA_ROWS_PER_MARK) : 0;
        linking[t].at_end = b->refs.n;
        if (t > 0)
            threads[t] = g_thread_try_new("link", link_rows, &linking[t], NULL);
    }
    for (guint t = 0; t < n_threads; t++) {
        if (threads[t] != NULL)
            g_thread_join(threads[t]);
        else
            link_rows(&linking[t]);
        missing += linking[t].missing;
        *dangling += linking[t].dangling;
    }
    ha_vec_clear(&b->refs);
    ha_column_clear(&b->n_refs_of);
    return missing == 0 || close_holes(g);
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

gboolean
ha_graph_sort_roots(HaGraph *g)
{
    ha_mem_free(g->root_order);
    g->root_order = ha_mem_new(g->roots.n, sizeof *g->root_order);
    if (g->root_order == NULL)
        return FALSE;
    for (gsize i = 0; i < g->roots.n; i++)
        g->root_order[i] = i;
    g_qsort_with_data(g->root_order, (gint)g->roots.n, sizeof *g->root_order, compare_roots, g->roots.data);
    return TRUE;
}

gboolean
ha_graph_builder_link_roots(HaGraphBuilder *b, guint64 *dangling)
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
    if (!ha_graph_sort_roots(g))
        return FALSE;
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

/* A bit for each reference that holds nothing. */
static gboolean
mark_weak(HaGraph *g)
{
    for (HaId id = 0; id < g->n; id++) {
        if (!(ha_graph_any_ref_flags(g, id) & HF_RUN_WEAK))
            continue;
        guint64 first = ha_graph_first_ref(g, id), end = ha_graph_first_ref(g, (guint64)id + 1);
        for (guint64 e = first; e < end; e++) {
            if (!(ha_graph_ref_flags(g, id, e - first) & HF_RUN_WEAK))
                continue;
            if (g->weak == NULL && (g->weak = ha_mem_new0(g->n_refs / 64 + 1, sizeof *g->weak)) == NULL)
                return FALSE;
            g->weak[e / 64] |= G_GUINT64_CONSTANT(1) << e % 64;
        }
    }
    return TRUE;
}

/* Everything that is kept by row, by id. */
static gboolean
sort_columns(HaGraphBuilder *b, const Ids *ids)
{
    HaGraph *g = b->graph;
    HaVec spare = {.item = 1};
    gboolean ok = ha_addrs_permute(&g->addrs, ids->id, g->n, &spare);
    for (guint c = 0; ok && c < HA_COLUMNS; c++)
        ok = (c == HA_EXTRA && g->columns[c].items.n == 0) || ha_column_permute(&g->columns[c], ids->id, g->n, &spare);
    ok = ok && ha_permute(&b->flags, ids->id, g->n, &spare);
    ha_vec_clear(&spare);
    g->flags = b->flags.data;
    b->flags = (HaVec){.item = 1};
    ha_page_index_use(&g->index, &g->addrs);
    return ok;
}

/* Layouts that other objects know better; only those that fit. */
static gboolean
take_roles(HaGraphBuilder *b)
{
    HaGraph *g = b->graph;
    for (gsize i = 0; i < b->roles.n; i++) {
        const HaRole *role = &HA_ITEM(b->roles, HaRole, i);
        HaId id = ha_graph_lookup(g, role->addr);
        if (id == HA_ID_NONE || g->flags[id] & HA_FLAG_HOLES)
            continue;
        const HaLayout *layout = &HA_ITEM(g->layouts, HaLayout, role->layout);
        guint64 n = 0;
        gboolean open = FALSE;
        for (guint32 r = 0; r < layout->n_runs; r++) {
            guint64 count = HA_ITEM(g->runs, HaRun, layout->first_run + r).count;
            open |= count == 0;
            n += count;
        }
        if (!open && n == ha_graph_first_ref(g, (guint64)id + 1) - ha_graph_first_ref(g, id) &&
            !ha_column_set(&g->columns[HA_LAYOUT], id, role->layout))
            return FALSE;
    }
    ha_vec_clear(&b->roles);
    return TRUE;
}

static gboolean
finish(HaGraphBuilder *b)
{
    HaGraph *g = b->graph;
    Ids ids = {.n = b->n};
    guint64 dangling = 0, no_root = 0;
    if (!ha_page_index_rank(&g->index, &g->addrs, &ids.id))
        return FALSE;
    g->n = g->index.n;
    gboolean ok = sort_columns(b, &ids) && link_refs(b, &ids, &dangling) && mark_weak(g);
    ha_mem_free(ids.id);
    if (!ok || !ha_graph_builder_link_roots(b, &no_root) || !take_roles(b) ||
        (ha_graph_is_foreign(g) && !ha_graph_builder_settle(b)))
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
        g_autofree char *what = g_strdup_printf("for a dump of %u objects", b->n);
        ha_memory_fail(error, what);
        return NULL;
    }
    return g_steal_pointer(&b->graph);
}
