// SPDX-License-Identifier: MIT
#include "ha-duplicates.h"

#include <heapfile/writer.h>
#include <string.h>

#include "graph/ha-graph-builder.h"
#include "graph/ha-mem.h"
#include "graph/ha-memory.h"

typedef struct {
    const HaGraph *g;
    guint32 *
        canon; /* owned, one an object: 1 + the id of one that is equal, the same for all of them; 0: not looked at yet */
    guint32 *places; /* owned, open hash table of 1 + id, each of another value */
    guint64 mask;
    HaVec way; /* HaId: tuples whose items are being looked at */
} Finder;

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
settle_all(Finder *f)
{
    guint32 n = ha_graph_n_objects(f->g);
    guint64 known = 0, capacity = 1024;
    for (HaId id = 0; id < n; id++)
        known += is_known(f->g, id);
    while (capacity < 2 * known)
        capacity *= 2;
    f->canon = ha_mem_new0(n, sizeof *f->canon);
    f->places = ha_mem_new0(capacity, sizeof *f->places);
    f->mask = capacity - 1;
    if (f->canon == NULL || f->places == NULL)
        return FALSE;
    for (HaId id = 0; id < n; id++)
        if (!is_tuple(f->g, id) && is_known(f->g, id))
            settle(f, id);
    for (HaId id = 0; id < n; id++)
        if (is_tuple(f->g, id) && f->canon[id] == 0 && is_known(f->g, id) && !settle_tuple(f, id))
            return FALSE;
    ha_mem_free(f->places);
    f->places = NULL;
    return TRUE;
}

/* Largest of each group is taken off bytes in the end. */
typedef struct {
    HaDuplicates group;
    guint64 largest;
    guint kind;
} Group;

static gint
compare_groups(gconstpointer left, gconstpointer right)
{
    const HaDuplicates *a = left, *b = right;
    if (a->wasted != b->wasted)
        return a->wasted > b->wasted ? -1 : 1;
    return a->first < b->first ? -1 : a->first > b->first;
}

static gboolean
gather(const Finder *f, const HaBits *chosen, HaDuplicateTotal *totals, GArray *found)
{
    guint32 n = ha_graph_n_objects(f->g);
    guint kind;
    g_autoptr(HaBits) once = ha_bits_new(n, FALSE);
    g_autoptr(HaBits) twice = ha_bits_new(n, FALSE);
    guint32 *at = ha_mem_new0(n, sizeof *at); /* 1 + group */
    if (once == NULL || twice == NULL || at == NULL) {
        ha_mem_free(at);
        return FALSE;
    }
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
        ha_bits_set(ha_bits_get(once, same) ? twice : once, same);
    }
    g_autoptr(GArray) groups = g_array_new(FALSE, TRUE, sizeof(Group));
    for (HaId id = 0; id < n; id++) {
        HaId same = f->canon[id] - 1;
        if (f->canon[id] == 0 || !ha_bits_get(twice, same) || !ha_bits_get(chosen, id) || !is_kind(f->g, id, &kind))
            continue;
        if (at[same] == 0) {
            Group new = {.group.first = id, .kind = kind};
            g_array_append_val(groups, new);
            at[same] = groups->len;
        }
        Group *group = &g_array_index(groups, Group, at[same] - 1);
        guint64 size = ha_graph_size(f->g, id);
        group->group.count++;
        group->group.bytes += size;
        group->largest = MAX(group->largest, size);
    }
    ha_mem_free(at);
    for (guint i = 0; i < groups->len; i++) {
        Group *group = &g_array_index(groups, Group, i);
        group->group.wasted = group->group.bytes - group->largest;
        totals[group->kind].groups++;
        totals[group->kind].wasted += group->group.wasted;
        g_array_append_val(found, group->group);
    }
    g_array_sort(found, compare_groups);
    return TRUE;
}

GArray *
ha_duplicates_find(const HaGraph *g, const HaBits *chosen, HaDuplicateTotal totals[HA_DUPLICATE_KINDS], GError **error)
{
    Finder f = {.g = g, .way.item = sizeof(HaId)};
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(HaDuplicates));
    memset(totals, 0, HA_DUPLICATE_KINDS * sizeof *totals);
    if (!ha_memory_ask(4 * sizeof(guint32) * (guint64)ha_graph_n_objects(g), "to compare the objects", error))
        return NULL;
    gboolean ok = settle_all(&f) && gather(&f, chosen, totals, found);
    ha_mem_free(f.canon);
    ha_mem_free(f.places);
    ha_vec_clear(&f.way);
    if (ok)
        return g_steal_pointer(&found);
    g_set_error_literal(error, HA_GRAPH_ERROR, HA_GRAPH_ERROR_NO_MEMORY, "not enough memory to compare the objects");
    return NULL;
}
