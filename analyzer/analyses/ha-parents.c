// SPDX-License-Identifier: MIT
#include "ha-parents.h"

#include <string.h>

#include "graph/ha-graph-builder.h"
#include "graph/ha-mem.h"
#include "graph/ha-memory.h"
#include "text/ha-root-text.h"

#define FAR 255

struct HaParents {
    HaGraph *g;
    const HaLedger *ledger;
    const HaBits *live;
    guint8 *distance; /* owned */
    HaBits *expanded; /* owned */
    guint max_depth, max_breadth, max_lines;
};

static gboolean
is_weak(const HaGraph *g, HaId id, gsize i)
{
    return ha_graph_any_ref_flags(g, id) & HF_RUN_WEAK && ha_graph_ref_flags(g, id, i) & HF_RUN_WEAK;
}

/* Breadth first from all roots at once, level by level. */
static gboolean
measure(HaParents *p)
{
    const HaGraph *g = p->g;
    guint32 n = ha_graph_n_objects(g), head = 0, tail = 0;
    HaId *queue = ha_mem_new(n, sizeof *queue);
    if (queue == NULL)
        return FALSE;
    memset(p->distance, FAR, n);
    for (HaId id = 0; id < n; id++)
        if (ha_bits_get(p->live, id) && ha_is_root(g, p->ledger, id)) {
            p->distance[id] = 0;
            queue[tail++] = id;
        }
    while (head < tail) {
        HaId id = queue[head++];
        guint next = p->distance[id] + 1;
        if (next >= FAR)
            break;
        gsize n_refs;
        const HaId *refs = ha_graph_referents(g, id, &n_refs);
        for (gsize i = 0; i < n_refs; i++)
            if (p->distance[refs[i]] == FAR && !is_weak(g, id, i)) {
                p->distance[refs[i]] = next;
                queue[tail++] = refs[i];
            }
    }
    ha_mem_free(queue);
    return TRUE;
}

HaParents *
ha_parents_new(HaGraph *g, const HaLedger *ledger, const HaBits *live, guint max_depth, guint max_breadth,
               guint max_lines, GError **error)
{
    if (!ha_graph_need_referrers(g, error))
        return NULL;
    HaParents *p = g_new0(HaParents, 1);
    *p = (HaParents){.g = g,
                     .ledger = ledger,
                     .live = live,
                     .max_depth = max_depth,
                     .max_breadth = max_breadth,
                     .max_lines = max_lines};
    p->distance = ha_mem_new(ha_graph_n_objects(g), 1);
    p->expanded = ha_bits_new(ha_graph_n_objects(g), FALSE);
    if (p->distance == NULL || p->expanded == NULL || !measure(p)) {
        ha_parents_free(p);
        ha_memory_fail(error, "to find the parents");
        return NULL;
    }
    return p;
}

void
ha_parents_free(HaParents *p)
{
    if (p == NULL)
        return;
    ha_mem_free(p->distance);
    ha_bits_free(p->expanded);
    g_free(p);
}

guint8
ha_parents_distance(const HaParents *p, HaId id)
{
    return p->distance[id];
}

typedef struct {
    HaId id;
    guint8 distance;
} Candidate;

static gint
compare_candidates(gconstpointer left, gconstpointer right)
{
    const Candidate *a = left, *b = right;
    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* The first strong reference from parent to child; *count: how many there are. FALSE: all are weak. */
static gboolean
find_edge(const HaGraph *g, HaId parent, HaId child, gsize *first, gsize *count)
{
    gsize n;
    const HaId *refs = ha_graph_referents(g, parent, &n);
    *count = 0;
    for (gsize i = 0; i < n; i++)
        if (refs[i] == child && !is_weak(g, parent, i) && (*count)++ == 0)
            *first = i;
    return *count > 0;
}

/* The parents of child that are nearest to a root, best first; *total: how many there are at all. */
static GArray *
best_parents(HaParents *p, HaId child, guint breadth, gsize *total)
{
    GArray *best = g_array_new(FALSE, FALSE, sizeof(Candidate));
    gsize n;
    const HaId *from = ha_graph_referrers(p->g, child, &n);
    *total = 0;
    for (gsize i = 0; i < n; i++) {
        if ((i > 0 && from[i] == from[i - 1]) || !ha_bits_get(p->live, from[i]))
            continue;
        gsize first, count;
        if (ha_graph_any_ref_flags(p->g, from[i]) & HF_RUN_WEAK && !find_edge(p->g, from[i], child, &first, &count))
            continue;
        (*total)++;
        Candidate candidate = {.id = from[i], .distance = p->distance[from[i]]};
        if (best->len == breadth &&
            (best->len == 0 || compare_candidates(&candidate, &g_array_index(best, Candidate, best->len - 1)) >= 0))
            continue;
        guint at = best->len;
        while (at > 0 && compare_candidates(&candidate, &g_array_index(best, Candidate, at - 1)) < 0)
            at--;
        g_array_insert_val(best, at, candidate);
        if (best->len > breadth)
            g_array_set_size(best, breadth);
    }
    return best;
}

typedef struct {
    HaId child;
    GArray *parents; /* owned, Candidate */
    guint next;
    gsize total;
} Level;

static void
level_clear(gpointer data)
{
    g_array_unref(((Level *)data)->parents);
}

static void
descend(HaParents *p, GArray *levels, HaId child)
{
    Level level = {.child = child};
    guint breadth = levels->len < 32 ? p->max_breadth >> levels->len : 0;
    level.parents = best_parents(p, child, p->max_breadth > 0 ? MAX(breadth, 1) : 0, &level.total);
    g_array_append_val(levels, level);
    ha_bits_set(p->expanded, child);
}

static gboolean
is_on_way(const GArray *levels, HaId id)
{
    for (guint i = 0; i < levels->len; i++)
        if (g_array_index(levels, Level, i).child == id)
            return TRUE;
    return FALSE;
}

static gboolean
has_parents(HaParents *p, HaId id)
{
    gsize n;
    const HaId *from = ha_graph_referrers(p->g, id, &n);
    for (gsize i = 0; i < n; i++) {
        gsize first, count;
        if (ha_bits_get(p->live, from[i]) && find_edge(p->g, from[i], id, &first, &count))
            return TRUE;
    }
    return FALSE;
}

GArray *
ha_parents_of(HaParents *p, HaId id)
{
    GArray *lines = g_array_new(FALSE, FALSE, sizeof(HaParent));
    if (p->max_depth == 0)
        return lines;
    if (ha_bits_get(p->expanded, id) && has_parents(p, id)) {
        HaParent repeated = {.kind = HA_PARENT_REPEATED, .depth = 1, .id = HA_ID_NONE, .child = id};
        g_array_append_val(lines, repeated);
        return lines;
    }
    g_autoptr(GArray) levels = g_array_new(FALSE, FALSE, sizeof(Level));
    g_array_set_clear_func(levels, level_clear);
    descend(p, levels, id);
    while (levels->len > 0) {
        Level *level = &g_array_index(levels, Level, levels->len - 1);
        guint depth = levels->len;
        gboolean full = lines->len >= p->max_lines;
        if (level->next == level->parents->len || full) {
            gboolean said = level->next == 1 && level->parents->len == 1; /* with the only parent */
            if (level->total > level->next && !said) {
                HaParent more = {.kind = HA_PARENT_MORE,
                                 .depth = depth,
                                 .id = HA_ID_NONE,
                                 .child = level->child,
                                 .count = level->total - level->next};
                g_array_append_val(lines, more);
            }
            g_array_set_size(levels, levels->len - 1);
            continue;
        }
        HaParent line = {.depth = depth, .child = level->child};
        line.id = g_array_index(level->parents, Candidate, level->next++).id;
        find_edge(p->g, line.id, line.child, &line.first_ref, &line.count);
        line.others = level->parents->len == 1 ? level->total - 1 : 0;
        gsize n_roots;
        ha_graph_roots_of(p->g, line.id, &n_roots);
        if (is_on_way(levels, line.id))
            line.kind = HA_PARENT_CYCLE;
        else if (n_roots > 0 || ha_graph_flags(p->g, line.id) & HF_OBJ_IMMORTAL)
            line.kind = HA_PARENT_ROOT;
        else if (ha_bits_get(p->expanded, line.id) && has_parents(p, line.id))
            line.kind = HA_PARENT_REPEATED;
        g_array_append_val(lines, line);
        if (line.kind != HA_PARENT_PLAIN)
            continue;
        if (depth < p->max_depth) {
            descend(p, levels, line.id);
        } else if (has_parents(p, line.id)) {
            HaParent end = {.kind = HA_PARENT_DEPTH, .depth = depth + 1, .id = HA_ID_NONE, .child = line.id};
            g_array_append_val(lines, end);
        }
    }
    return lines;
}
