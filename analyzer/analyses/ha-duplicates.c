// SPDX-License-Identifier: MIT
#include "ha-duplicates.h"

#include <heapfile/writer.h>
#include <stdlib.h>
#include <string.h>

#include "graph/ha-graph-builder.h"
#include "graph/ha-mem.h"
#include "graph/ha-memory.h"

#define TO_COMPARE "to compare the objects"

typedef struct {
    const HaGraph *g;
    guint32 *
        canon; /* owned, one an object: 1 + the id of one that is equal, the same for all of them; 0: not looked at yet */
    guint32 *places; /* owned, open hash table of 1 + id, each of another value */
    guint64 mask;
    HaVec way; /* HaId: tuples whose items are being looked at */
} Finder;

static gboolean
no_memory(GError **error)
{
    ha_memory_fail(error, TO_COMPARE);
    return FALSE;
}

static gboolean
is_kind(const HaGraph *g, HaId id, guint *kind)
{
    const HaType *type = ha_graph_type(g, id);
    switch (type->family) {
    case HF_FAMILY_STR:
        *kind = HA_DUPLICATE_STR;
        return TRUE;
    case HF_FAMILY_BYTES:
        *kind = HA_DUPLICATE_BYTES;
        return strcmp(type->name, "builtins.bytearray") != 0; /* which change, each for itself */
    case HF_FAMILY_TUPLE:
        *kind = HA_DUPLICATE_TUPLE;
        return TRUE;
    default:
        return FALSE;
    }
}

static gboolean
is_tuple(const HaGraph *g, HaId id)
{
    return ha_graph_type(g, id)->family == HF_FAMILY_TUPLE;
}

/* Whether the dump has all that an object is equal by. */
static gboolean
is_known(const HaGraph *g, HaId id)
{
    gsize n;
    guint64 whole;
    const HaType *type = ha_graph_type(g, id);
    if (ha_graph_flags(g, id) & HF_OBJ_BROKEN)
        return FALSE;
    switch (type->family) {
    case HF_FAMILY_STR:
    case HF_FAMILY_BYTES:
    case HF_FAMILY_INT:
    case HF_FAMILY_FLOAT:
        return ha_graph_content(g, id, &n) != NULL && !ha_graph_content_whole(g, id, &whole);
    case HF_FAMILY_TUPLE:
        return !ha_graph_has_holes(g, id) && !(type->flags & HF_TYPE_OPAQUE);
    default:
        return FALSE;
    }
}

/* What stands for an item of a tuple: what it is equal to, or itself. */
static guint32
item_value(const Finder *f, HaId item)
{
    return f->canon[item] != 0 ? f->canon[item] : item + 1;
}

static guint64
hash_of(const Finder *f, HaId id)
{
    gsize n;
    guint64 hash = ha_graph_type_index(f->g, id);
    if (!is_tuple(f->g, id)) {
        const char *content = ha_graph_content(f->g, id, &n);
        return hf_xxh64(content, n, hash);
    }
    const HaId *items = ha_graph_referents(f->g, id, &n);
    for (gsize i = 0; i < n; i++) {
        guint32 value = item_value(f, items[i]);
        hash = hf_xxh64(&value, sizeof value, hash);
    }
    return hash;
}

static gboolean
is_equal(const Finder *f, HaId a, HaId b)
{
    gsize n, m;
    if (ha_graph_type_index(f->g, a) != ha_graph_type_index(f->g, b))
        return FALSE;
    if (!is_tuple(f->g, a)) {
        const char *x = ha_graph_content(f->g, a, &n), *y = ha_graph_content(f->g, b, &m);
        return n == m && memcmp(x, y, n) == 0;
    }
    const HaId *x = ha_graph_referents(f->g, a, &n), *y = ha_graph_referents(f->g, b, &m);
    for (gsize i = 0; n == m && i < n; i++)
        if (x[i] != y[i] && item_value(f, x[i]) != item_value(f, y[i]))
            return FALSE;
    return n == m;
}

/* Finds one that is equal among those before, or becomes the first of its kind. */
static void
settle(Finder *f, HaId id)
{
    for (guint64 at = hash_of(f, id);; at++) {
        guint32 *place = &f->places[at & f->mask];
        if (*place == 0)
            *place = id + 1;
        else if (!is_equal(f, *place - 1, id))
            continue;
        f->canon[id] = *place;
        return;
    }
}

/* A tuple after the tuples in it; one that holds itself stands for itself there. No more goes on the way than tuples have items. */
static gboolean
settle_tuple(Finder *f, HaId start)
{
    f->way.n = 0;
    if (!ha_vec_reserve(&f->way, 1))
        return FALSE;
    ((HaId *)f->way.data)[f->way.n++] = start;
    while (f->way.n > 0) {
        gsize n;
        HaId id = ((HaId *)f->way.data)[f->way.n - 1];
        if (f->canon[id] != 0) {
            f->way.n--;
            settle(f, id);
            continue;
        }
        f->canon[id] = id + 1;
        const HaId *items = ha_graph_referents(f->g, id, &n);
        if (!ha_vec_reserve(&f->way, n))
            return FALSE;
        HaId *way = f->way.data;
        for (gsize i = 0; i < n; i++)
            if (f->canon[items[i]] == 0 && is_tuple(f->g, items[i]) && is_known(f->g, items[i]))
                way[f->way.n++] = items[i];
    }
    return TRUE;
}

static gboolean
settle_all(Finder *f, GError **error)
{
    guint32 n = ha_graph_n_objects(f->g);
    guint64 known = 0, capacity = 1024;
    for (HaId id = 0; id < n; id++)
        known += is_known(f->g, id);
    while (capacity < 2 * known)
        capacity *= 2;
    /* beside canon the table, or afterwards what gather() has: a number and two bits of each object */
    guint64 one = sizeof *f->canon, gather = one * n + n / 4;
    if (!ha_memory_ask(one * n + MAX(capacity * sizeof *f->places, gather), TO_COMPARE, error))
        return FALSE;
    f->canon = ha_mem_new0(n, sizeof *f->canon);
    f->places = ha_mem_new0(capacity, sizeof *f->places);
    f->mask = capacity - 1;
    if (f->canon == NULL || f->places == NULL)
        return no_memory(error);
    for (HaId id = 0; id < n; id++)
        if (!is_tuple(f->g, id) && is_known(f->g, id))
            settle(f, id);
    for (HaId id = 0; id < n; id++)
        if (is_tuple(f->g, id) && f->canon[id] == 0 && is_known(f->g, id) && !settle_tuple(f, id))
            return no_memory(error);
    ha_mem_free(f->places);
    f->places = NULL;
    return TRUE;
}

static int
compare_groups(const void *left, const void *right)
{
    const HaDuplicates *a = left, *b = right;
    if (a->wasted != b->wasted)
        return a->wasted > b->wasted ? -1 : 1;
    return a->first < b->first ? -1 : a->first > b->first;
}

typedef struct {
    HaBits *once, *twice; /* by canon; owned */
    guint32 *at;          /* 1 + group, by canon; owned */
} Gathering;

/* Fills totals as far as they need no groups. Returns how many groups there are. */
static guint64
count_groups(const Finder *f, const HaBits *chosen, Gathering *w, HaDuplicateTotal *totals)
{
    guint32 n = ha_graph_n_objects(f->g);
    guint64 groups = 0;
    guint kind;

    for (HaId id = 0; id < n; id++) {
        if (!ha_bits_get(chosen, id) || !is_kind(f->g, id, &kind))
            continue;
        guint64 size = ha_graph_size(f->g, id);
        totals[kind].count++;
        totals[kind].bytes += size;
        if (f->canon[id] == 0) {
            totals[kind].unknown++;
            totals[kind].unknown_bytes += size;
            continue;
        }
        HaId same = f->canon[id] - 1;
        if (!ha_bits_get(w->once, same)) {
            ha_bits_set(w->once, same);
        } else if (!ha_bits_get(w->twice, same)) {
            ha_bits_set(w->twice, same);
            groups++;
        }
    }
    return groups;
}

static gboolean
gather(const Finder *f, const HaBits *chosen, Gathering *w, HaDuplicateTotal *totals, HaVec *found, GError **error)
{
    guint32 n = ha_graph_n_objects(f->g);
    guint kind;

    w->once = ha_bits_new(n, FALSE);
    w->twice = ha_bits_new(n, FALSE);
    w->at = ha_mem_new0(n, sizeof *w->at);
    if (w->once == NULL || w->twice == NULL || w->at == NULL)
        return no_memory(error);
    guint64 n_groups = count_groups(f, chosen, w, totals);
    if (!ha_memory_ask(n_groups * sizeof(HaDuplicates), TO_COMPARE, error))
        return FALSE;
    if (!ha_vec_reserve(found, n_groups))
        return no_memory(error);
    HaDuplicates *groups = found->data;
    for (HaId id = 0; id < n; id++) {
        HaId same = f->canon[id] - 1;
        if (f->canon[id] == 0 || !ha_bits_get(w->twice, same) || !ha_bits_get(chosen, id) || !is_kind(f->g, id, &kind))
            continue;
        if (w->at[same] == 0) {
            groups[found->n] = (HaDuplicates){.first = id};
            w->at[same] = ++found->n;
        }
        HaDuplicates *group = &groups[w->at[same] - 1];
        guint64 size = ha_graph_size(f->g, id);
        group->count++;
        group->bytes += size;
        group->wasted = MAX(group->wasted, size); /* the largest, until all are known */
    }
    for (gsize i = 0; i < found->n; i++) {
        groups[i].wasted = groups[i].bytes - groups[i].wasted;
        (void)is_kind(f->g, groups[i].first, &kind);
        totals[kind].groups++;
        totals[kind].wasted += groups[i].wasted;
    }
    if (found->n > 1)
        qsort(groups, found->n, sizeof *groups, compare_groups);
    return TRUE;
}

gboolean
ha_duplicates_find(const HaGraph *g, const HaBits *chosen, HaDuplicateTotal totals[HA_DUPLICATE_KINDS], HaVec *found,
                   GError **error)
{
    Finder f = {.g = g, .way.item = sizeof(HaId)};
    Gathering w = {0};
    HaVec groups = {.item = sizeof(HaDuplicates)};

    memset(totals, 0, HA_DUPLICATE_KINDS * sizeof *totals);
    gboolean ok = settle_all(&f, error) && gather(&f, chosen, &w, totals, &groups, error);
    ha_mem_free(f.canon);
    ha_mem_free(f.places);
    ha_vec_clear(&f.way);
    ha_bits_free(w.once);
    ha_bits_free(w.twice);
    ha_mem_free(w.at);
    if (ok)
        *found = groups;
    else
        ha_vec_clear(&groups);
    return ok;
}
