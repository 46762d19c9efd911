// SPDX-License-Identifier: MIT
#include "ha-summary.h"

#include <string.h>

#include "graph/ha-memory.h"

#define BUFFER_MIN 1024 /* bytes; smaller ones cannot have grown by much */

static void
tally_add(HaTally *t, guint64 count, guint64 bytes)
{
    t->count += count;
    t->bytes += bytes;
}

HaSurvey *
ha_survey_new(HaGraph *g, const HaLedger *ledger, const HaBits *live, const HaBits *chosen, GError **error)
{
    g_autoptr(HaSurvey) s = g_new0(HaSurvey, 1);
    HaReachSpec spec = {.graph = g, .ledger = ledger, .live = live};

    s->graph = g;
    s->ledger = ledger;
    s->live = live;
    s->chosen = chosen;
    s->tallies = g_array_new(FALSE, TRUE, sizeof(HaPathTally));
    s->reach = ha_reach_new(&spec, error);
    if (s->reach == NULL)
        return NULL;
    s->templates = ha_path_templates_new(g, ledger, s->reach, NULL, error);
    if (s->templates == NULL)
        return NULL;
    for (HaId id = 0; id < ha_graph_n_objects(g); id++) {
        if (!ha_bits_get(live, id) || ha_reach_distance(s->reach, id) == HA_REACH_NOT)
            continue;
        guint32 template = ha_path_template_of(s->templates, id);
        if (template >= s->tallies->len)
            g_array_set_size(s->tallies, ha_path_templates_count(s->templates));
        if (ha_bits_get(chosen, id))
            tally_add(&g_array_index(s->tallies, HaPathTally, template).own, 1, ha_graph_size(g, id));
    }
    g_array_set_size(s->tallies, ha_path_templates_count(s->templates));
    /* what is above a template was there before it */
    for (guint32 i = s->tallies->len; i-- > 0;) {
        HaPathTally *tally = &g_array_index(s->tallies, HaPathTally, i);
        guint32 above = ha_path_template_above(s->templates, i);

        tally->hash = ha_path_template_hash(s->templates, i);
        tally_add(&tally->all, tally->own.count, tally->own.bytes);
        if (above != HA_PATH_TEMPLATE_TOP)
            tally_add(&g_array_index(s->tallies, HaPathTally, above).all, tally->all.count, tally->all.bytes);
    }
    return g_steal_pointer(&s);
}

void
ha_survey_free(HaSurvey *s)
{
    if (s == NULL)
        return;
    g_clear_pointer(&s->templates, ha_path_templates_free);
    g_clear_pointer(&s->reach, ha_reach_free);
    g_array_unref(s->tallies);
    g_free(s);
}

static gboolean
may_grow(const HaType *type)
{
    switch ((enum hf_family)type->family) {
    case HF_FAMILY_LIST:
    case HF_FAMILY_DICT:
    case HF_FAMILY_BYTES:
    case HF_FAMILY_OTHER:
        return TRUE;
    case HF_FAMILY_SET:
        return strcmp(type->name, "builtins.frozenset") != 0;
    case HF_FAMILY_STR:
    case HF_FAMILY_INT:
    case HF_FAMILY_FLOAT:
    case HF_FAMILY_BOOL:
    case HF_FAMILY_NONE:
    case HF_FAMILY_TUPLE:
    case HF_FAMILY_TYPE:
    case HF_FAMILY_MODULE:
    case HF_FAMILY_FUNCTION:
    case HF_FAMILY_METHOD:
    case HF_FAMILY_CODE:
    case HF_FAMILY_FRAME:
    case HF_FAMILY_GENERATOR:
    case HF_FAMILY_COROUTINE:
    case HF_FAMILY_ASYNCGEN:
    case HF_FAMILY_CELL:
    case HF_FAMILY_WEAKREF:
    case HF_FAMILY_TASK:
    case HF_FAMILY_FUTURE:
    case HF_FAMILY_BUILTIN:
    case HF_FAMILY_EXCEPTION:
    case HF_FAMILY_COUNT:
    default:
        return FALSE;
    }
}

gboolean
ha_container_tally(const HaGraph *g, HaId id, HaContainerTally *out)
{
    const HaType *type = ha_graph_type(g, id);

    if (!may_grow(type))
        return FALSE;
    guint64 size = ha_graph_size(g, id);
    guint64 items = ha_graph_n_places(g, id, HF_RUN_INDEX) + ha_graph_n_places(g, id, HF_RUN_MEMBER) +
                    ha_graph_n_places(g, id, HF_RUN_ITEMS) / 2;
    gboolean is_own = type->family != HF_FAMILY_OTHER && type->family != HF_FAMILY_BYTES;
    if (items == 0 && !is_own && (size < BUFFER_MIN || strcmp(type->name, "builtins.bytes") == 0))
        return FALSE;
    *out = (HaContainerTally){
        .addr = ha_graph_addr(g, id), .size = size, .items = MIN(items, G_MAXUINT32), .type = g_str_hash(type->name)};
    return TRUE;
}

static HaTally *
tally_of_type(HaSummary *s, const char *name)
{
    HaTally *tally = g_hash_table_lookup(s->types, name);

    if (tally == NULL) {
        tally = g_new0(HaTally, 1);
        g_hash_table_insert(s->types, g_strdup(name), tally);
    }
    return tally;
}

static gint
compare_paths(gconstpointer a, gconstpointer b)
{
    const HaPathTally *x = a, *y = b;

    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

HaSummary *
ha_summary_new(const HaSurvey *survey, GError **error)
{
    const HaGraph *g = survey->graph;

    /* about every fourth object is a container */
    if (!ha_memory_ask((guint64)ha_graph_n_objects(g) * sizeof(HaContainerTally) / 4, "for the summary of a dump",
                       error))
        return NULL;
    HaSummary *s = g_new0(HaSummary, 1);
    guint32 n_types = ha_graph_n_types(g);
    g_autofree HaTally **by_index = g_new(HaTally *, n_types);

    s->meta = g_hash_table_ref(ha_graph_meta_table(g));
    s->types = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    s->containers = g_array_new(FALSE, FALSE, sizeof(HaContainerTally));
    s->paths = g_array_sized_new(FALSE, FALSE, sizeof(HaPathTally), survey->tallies->len);
    for (guint32 i = 0; i < n_types; i++)
        by_index[i] = tally_of_type(s, ha_graph_nth_type(g, i)->name);
    for (HaId id = 0; id < ha_graph_n_objects(g); id++) {
        HaContainerTally container;

        if (!ha_bits_get(survey->live, id))
            continue;
        /* what a container has in it counts whether or not it was chosen itself */
        if (ha_container_tally(g, id, &container)) {
            if (ha_reach_distance(survey->reach, id) != HA_REACH_NOT)
                container.path =
                    ha_path_template_hash(survey->templates, ha_path_template_of(survey->templates, id)) & G_MAXUINT32;
            g_array_append_val(s->containers, container);
        }
        if (!ha_bits_get(survey->chosen, id))
            continue;
        guint64 size = ha_graph_size(g, id);
        tally_add(by_index[ha_graph_type_index(g, id)], 1, size);
        tally_add(&s->total, 1, size);
    }
    g_array_append_vals(s->paths, survey->tallies->data, survey->tallies->len);
    g_array_sort(s->paths, compare_paths);
    return s;
}

void
ha_summary_free(HaSummary *s)
{
    if (s == NULL)
        return;
    g_hash_table_unref(s->meta);
    g_hash_table_unref(s->types);
    g_array_unref(s->paths);
    g_array_unref(s->containers);
    g_free(s);
}

const HaPathTally *
ha_summary_path(const HaSummary *s, guint64 hash)
{
    HaPathTally key = {.hash = hash};
    guint at;

    return g_array_binary_search(s->paths, &key, compare_paths, &at) ? &g_array_index(s->paths, HaPathTally, at) : NULL;
}

static gint
compare_containers(gconstpointer a, gconstpointer b)
{
    const HaContainerTally *x = a, *y = b;

    return x->addr < y->addr ? -1 : x->addr > y->addr;
}

const HaContainerTally *
ha_summary_container(const HaSummary *s, guint64 addr, guint32 type)
{
    HaContainerTally key = {.addr = addr};
    guint at;

    if (!g_array_binary_search(s->containers, &key, compare_containers, &at))
        return NULL;
    const HaContainerTally *found = &g_array_index(s->containers, HaContainerTally, at);
    return found->type == type ? found : NULL;
}
