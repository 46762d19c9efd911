// SPDX-License-Identifier: MIT
#include "ha-dominator-tree.h"

#include <string.h>

#include "graph/ha-graph-builder.h"
#include "graph/ha-mem.h"
#include "graph/ha-memory.h"

struct HaDominatorTree {
    const HaDominators *dominators; /* borrowed */
    guint32 n;                      /* objects; n is also the place of the top */
    guint32 *first;                 /* owned, n + 3: where the children of an object begin in child */
    HaId *child;                    /* owned */
};

typedef struct {
    HaDominatorTree *t;
    const HaBits *chosen;
    GArray *way;    /* guint32: chosen ones above, the top first */
    guint32 *above; /* owned by the caller; nearest chosen one above each chosen object */
} Walk;

static void
enter(HaId id, gpointer user)
{
    Walk *w = user;

    if (!ha_bits_get(w->chosen, id))
        return;
    w->above[id] = g_array_index(w->way, guint32, w->way->len - 1);
    g_array_append_val(w->way, id);
}

static void
leave(HaId id, gpointer user)
{
    Walk *w = user;

    if (ha_bits_get(w->chosen, id))
        g_array_set_size(w->way, w->way->len - 1);
}

/* Counting sort by what is above: first[place + 1] runs from the beginning of a place to its end. */
static void
sort(HaDominatorTree *t, const guint32 *above)
{
    for (guint32 i = 0; i < t->n; i++)
        if (above[i] != G_MAXUINT32)
            t->first[(gsize)above[i] + 2]++;
    for (gsize i = 1; i < (gsize)t->n + 3; i++)
        t->first[i] += t->first[i - 1];
    for (guint32 i = 0; i < t->n; i++)
        if (above[i] != G_MAXUINT32)
            t->child[t->first[(gsize)above[i] + 1]++] = i;
}

HaDominatorTree *
ha_dominator_tree_new(const HaGraph *g, const HaDominators *dominators, const HaBits *chosen, GError **error)
{
    g_autoptr(HaDominatorTree) t = g_new0(HaDominatorTree, 1);
    guint32 top = ha_graph_n_objects(g);
    guint64 one = sizeof *t->first + sizeof *t->child + 3 * sizeof(guint32); /* those above, and two of the walk */

    if (!ha_memory_ask(one * top, "for the dominator tree", error))
        return NULL;

    t->dominators = dominators;
    t->n = top;
    t->first = ha_mem_new0((gsize)t->n + 3, sizeof *t->first);
    t->child = ha_mem_new((gsize)t->n + 1, sizeof *t->child);
    guint32 *above = ha_mem_new((gsize)t->n + 1, sizeof(guint32));
    if (!t->first || !t->child || !above) {
        ha_mem_free(above);
        ha_memory_fail(error, "for the dominator tree");
        return NULL;
    }
    memset(above, 0xff, ((gsize)t->n + 1) * sizeof *above);
    g_autoptr(GArray) way = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_array_append_val(way, top);
    Walk w = {t, chosen, way, above};
    gboolean ok = ha_dominators_walk(dominators, enter, leave, &w, error);
    if (ok)
        sort(t, above);
    ha_mem_free(above);
    return ok ? g_steal_pointer(&t) : NULL;
}

void
ha_dominator_tree_free(HaDominatorTree *t)
{
    if (!t)
        return;
    ha_mem_free(t->first);
    ha_mem_free(t->child);
    g_free(t);
}

static gint
compare(gconstpointer a, gconstpointer b, gpointer dominators)
{
    HaId i = *(const HaId *)a, k = *(const HaId *)b;
    guint64 x = ha_dominators_retained(dominators, i), y = ha_dominators_retained(dominators, k);

    if (x != y)
        return x > y ? -1 : 1;
    return i < k ? -1 : i > k;
}

GArray *
ha_dominator_tree_children(const HaDominatorTree *t, HaId id)
{
    gsize place = id == HA_ID_NONE ? t->n : id;
    guint32 begin = t->first[place], end = t->first[place + 1];
    GArray *children = g_array_sized_new(FALSE, FALSE, sizeof(HaId), end - begin);

    g_array_append_vals(children, t->child + begin, end - begin);
    g_array_sort_with_data(children, compare, (gpointer)t->dominators);
    return children;
}
