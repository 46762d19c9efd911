// SPDX-License-Identifier: MIT
#include "ha-assert-values.h"

#include <string.h>

#include "analyses/ha-duplicates.h"
#include "analyses/ha-group-retained.h"
#include "analyses/ha-same.h"
#include "cli/ha-option-private.h"
#include "graph/ha-memory.h"

#define SHOWN  3
#define EFFORT 5000000 /* references looked at in search of further paths */

struct HaAssertValues {
    HaContext *c;               /* borrowed */
    HaAssertType *now, *before; /* owned; one an index of a type; NULL: not asked for yet, or no such dump */
    HaDominators *dominators;
    HaGarbageTotals garbage; /* unreached NULL: not asked for yet */
    gboolean has_duplicates;
    HaVec duplicates;
};

HaAssertValues *
ha_assert_values_new(HaContext *c)
{
    HaAssertValues *v = g_new0(HaAssertValues, 1);
    v->c = c;
    return v;
}

void
ha_assert_values_free(HaAssertValues *v)
{
    if (v == NULL)
        return;
    g_free(v->now);
    g_free(v->before);
    ha_dominators_free(v->dominators);
    ha_garbage_totals_clear(&v->garbage);
    if (v->has_duplicates)
        ha_vec_clear(&v->duplicates);
    g_free(v);
}

static HaAssertType *
add_up(const HaGraph *g, const HaBits *chosen)
{
    HaAssertType *types = g_new0(HaAssertType, ha_graph_n_types(g));
    for (guint32 i = 0; i < ha_graph_n_types(g); i++)
        types[i].name = ha_graph_nth_type(g, i)->name;
    for (HaId id = 0; id < ha_graph_n_objects(g); id++)
        if (ha_bits_get(chosen, id)) {
            HaAssertType *type = &types[ha_graph_type_index(g, id)];
            type->count++;
            type->size += ha_graph_size(g, id);
        }
    return types;
}

static void
need_types(HaAssertValues *v)
{
    if (v->now == NULL)
        v->now = add_up(v->c->graph, v->c->chosen);
    if (v->before == NULL && v->c->previous != NULL)
        v->before = add_up(v->c->previous, v->c->previous_live);
}

static HaTypeSet *
types_of(const HaGraph *g, const HaAssertExpression *e)
{
    return ha_type_set_new(g, e->type, e->is_glob ? HA_MATCH_GLOB : HA_MATCH_FULL);
}

static gint64
bounded(guint64 value)
{
    return (gint64)MIN(value, (guint64)G_MAXINT64);
}

/* Of a set of types, or of all. */
static gint64
sum(const HaAssertType *types, guint32 n, const HaTypeSet *set, gboolean bytes)
{
    guint64 total = 0;
    for (guint32 i = 0; i < n; i++)
        if (set == NULL || ha_type_set_has(set, i)) {
            guint64 more = bytes ? types[i].size : types[i].count;
            total = more > G_MAXUINT64 - total ? G_MAXUINT64 : total + more;
        }
    return bounded(total);
}

static gboolean
retained(HaAssertValues *v, const HaTypeSet *set, gint64 *out, GError **error)
{
    const HaContext *c = v->c;
    guint64 bytes = 0;
    if (v->dominators == NULL && (v->dominators = ha_dominators_new(c->graph, c->ledger, c->live, error)) == NULL)
        return FALSE;
    g_autofree guint *group_of = g_new(guint, ha_graph_n_types(c->graph));
    for (guint32 i = 0; i < ha_graph_n_types(c->graph); i++)
        group_of[i] = ha_type_set_has(set, i) ? 0 : HA_GROUP_NONE;
    if (!ha_group_retained(c->graph, v->dominators, c->chosen, group_of, 1, &bytes, error))
        return FALSE;
    *out = bounded(bytes);
    return TRUE;
}

static gboolean
need_duplicates(HaAssertValues *v, GError **error)
{
    HaDuplicateTotal totals[HA_DUPLICATE_KINDS];
    if (!ha_graph_tells_items(v->c->graph)) {
        g_set_error(error, HA_ERROR, HA_ERROR_FAILED,
                    "'%s' does not tell what is a duplicate: dump-heap writes no more than the beginning of contents",
                    v->c->dump_name);
        return FALSE;
    }
    if (!v->has_duplicates)
        v->has_duplicates = ha_duplicates_find(v->c->graph, v->c->chosen, totals, &v->duplicates, error);
    return v->has_duplicates;
}

static gint64
sum_duplicates(const HaAssertValues *v, const HaTypeSet *set, gboolean bytes)
{
    guint64 total = 0;
    for (gsize i = 0; i < v->duplicates.n; i++) {
        const HaDuplicates *group = (const HaDuplicates *)v->duplicates.data + i;
        if (ha_type_set_has(set, ha_graph_type_index(v->c->graph, group->first)))
            total += bytes ? group->wasted : group->count - 1;
    }
    return bounded(total);
}

static gboolean
need_garbage(HaAssertValues *v, GError **error)
{
    const HaContext *c = v->c;
    if (ha_graph_is_foreign(c->graph)) {
        g_set_error(error, HA_ERROR, HA_ERROR_FAILED, "'%s' does not tell what is garbage: it has no reference counts",
                    c->dump_name);
        return FALSE;
    }
    return v->garbage.unreached != NULL ||
           ha_garbage_totals(c->graph, c->ledger, ha_options_flag(c->options, "garbage") ? NULL : c->live, TRUE,
                             &v->garbage, error);
}

gboolean
ha_assert_value(HaAssertValues *v, const HaAssertExpression *e, HaAssertValue *out, GError **error)
{
    const HaGraph *g = v->c->graph, *previous = v->c->previous;
    gboolean bytes = ha_assert_functions[e->function].bytes;
    *out = (HaAssertValue){0};
    need_types(v);
    g_autoptr(HaTypeSet) set = e->type != NULL ? types_of(g, e) : NULL;
    g_autoptr(HaTypeSet) set_before = e->type != NULL && previous != NULL ? types_of(previous, e) : NULL;
    out->types = (set != NULL ? ha_type_set_size(set) : 0) + (set_before != NULL ? ha_type_set_size(set_before) : 0);
    switch (e->function) {
    case HA_ASSERT_COUNT:
    case HA_ASSERT_SIZE:
    case HA_ASSERT_OBJECTS:
    case HA_ASSERT_TOTAL_SIZE:
        out->value = sum(v->now, ha_graph_n_types(g), set, bytes);
        return TRUE;
    case HA_ASSERT_GROWTH:
    case HA_ASSERT_GROWTH_SIZE:
        out->now = sum(v->now, ha_graph_n_types(g), set, bytes);
        out->before = sum(v->before, ha_graph_n_types(previous), set_before, bytes);
        out->value = out->now - out->before;
        return TRUE;
    case HA_ASSERT_RETAINED:
        return retained(v, set, &out->value, error);
    case HA_ASSERT_DUPLICATES:
    case HA_ASSERT_DUPLICATES_SIZE:
        if (!need_duplicates(v, error))
            return FALSE;
        out->value = sum_duplicates(v, set, bytes);
        return TRUE;
    case HA_ASSERT_GARBAGE:
    case HA_ASSERT_GARBAGE_SIZE:
        if (!need_garbage(v, error))
            return FALSE;
        out->value = bounded(bytes ? v->garbage.bytes : v->garbage.objects);
        return TRUE;
    case HA_ASSERT_FUNCTIONS:
    default:
        g_assert_not_reached();
    }
}

static gint
compare_types(gconstpointer left, gconstpointer right, gpointer by_bytes)
{
    const HaAssertType *a = left, *b = right;
    guint64 x = by_bytes != NULL ? a->size : a->count, y = by_bytes != NULL ? b->size : b->count;
    return x != y ? (x > y ? -1 : 1) : strcmp(a->name, b->name);
}

static GArray *
largest_types(const HaAssertType *types, guint32 n, gboolean bytes)
{
    GArray *largest = g_array_new(FALSE, FALSE, sizeof(HaAssertType));
    for (guint32 i = 0; i < n; i++)
        if (types[i].count > 0)
            g_array_append_val(largest, types[i]);
    g_array_sort_with_data(largest, compare_types, GINT_TO_POINTER(bytes));
    g_array_set_size(largest, MIN(largest->len, SHOWN));
    return largest;
}

/* The objects of the type that were not there before, if any dump tells that, or else all of them. */
static gboolean
find_paths(HaAssertValues *v, const HaAssertExpression *e, HaAssertEvidence *out, GError **error)
{
    const HaContext *c = v->c;
    g_autoptr(HaTypeSet) set = types_of(c->graph, e);
    g_autoptr(HaBits) targets = ha_bits_new(ha_graph_n_objects(c->graph), FALSE);
    if (targets == NULL) {
        ha_memory_fail(error, "for the objects");
        return FALSE;
    }
    for (HaId id = 0; id < ha_graph_n_objects(c->graph); id++)
        if (ha_bits_get(c->chosen, id) && ha_type_set_has(set, ha_graph_type_index(c->graph, id)))
            ha_bits_set(targets, id);
    if (ha_assert_functions[e->function].grows) {
        g_autoptr(HaSame) same = ha_same_new(c->graph, c->previous);
        ha_same_narrow(same, c->previous_live, FALSE, targets);
    }
    if (ha_bits_count(targets) == 0)
        return TRUE;
    HaPathsSpec spec = {
        .graph = c->graph, .ledger = c->ledger, .live = c->live, .targets = targets, .most = SHOWN, .effort = EFFORT};
    out->paths = ha_paths_new(&spec, error);
    return out->paths != NULL;
}

static GArray *
find_duplicates(HaAssertValues *v, const HaAssertExpression *e)
{
    g_autoptr(HaTypeSet) set = types_of(v->c->graph, e);
    GArray *groups = g_array_new(FALSE, FALSE, sizeof(HaDuplicates));
    for (gsize i = 0; i < v->duplicates.n && groups->len < SHOWN; i++) {
        const HaDuplicates *group = (const HaDuplicates *)v->duplicates.data + i;
        if (ha_type_set_has(set, ha_graph_type_index(v->c->graph, group->first)))
            g_array_append_vals(groups, group, 1);
    }
    return groups;
}

gboolean
ha_assert_evidence(HaAssertValues *v, const HaAssertExpression *e, HaAssertEvidence *out, GError **error)
{
    const HaGraph *g = v->c->graph;
    gboolean bytes = ha_assert_functions[e->function].bytes;
    *out = (HaAssertEvidence){0};
    switch (e->function) {
    case HA_ASSERT_DUPLICATES:
    case HA_ASSERT_DUPLICATES_SIZE:
        out->duplicates = find_duplicates(v, e);
        return TRUE;
    case HA_ASSERT_OBJECTS:
    case HA_ASSERT_TOTAL_SIZE:
        out->types = largest_types(v->now, ha_graph_n_types(g), bytes);
        return TRUE;
    case HA_ASSERT_GARBAGE:
    case HA_ASSERT_GARBAGE_SIZE: {
        g_autofree HaAssertType *types = add_up(g, v->garbage.unreached);
        out->types = largest_types(types, ha_graph_n_types(g), bytes);
        return TRUE;
    }
    case HA_ASSERT_COUNT:
    case HA_ASSERT_SIZE:
    case HA_ASSERT_RETAINED:
    case HA_ASSERT_GROWTH:
    case HA_ASSERT_GROWTH_SIZE:
        return find_paths(v, e, out, error);
    case HA_ASSERT_FUNCTIONS:
    default:
        g_assert_not_reached();
    }
}

void
ha_assert_evidence_clear(HaAssertEvidence *e)
{
    g_clear_pointer(&e->paths, ha_paths_free);
    g_clear_pointer(&e->types, g_array_unref);
    g_clear_pointer(&e->duplicates, g_array_unref);
}

const char *
ha_assert_near(const HaAssertValues *v, const HaAssertExpression *e)
{
    const HaGraph *g = v->c->graph;
    if (e->is_glob)
        return NULL;
    g_autoptr(HaTypeSet) ends = ha_type_set_new(g, e->type, HA_MATCH_NAME);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint32 i = 1; i < ha_graph_n_types(g); i++) {
        if (ha_type_set_has(ends, i))
            return ha_graph_nth_type(g, i)->name;
        g_ptr_array_add(names, (gpointer)ha_graph_nth_type(g, i)->name);
    }
    g_ptr_array_add(names, NULL);
    return ha_closest(e->type, (const char *const *)names->pdata);
}
