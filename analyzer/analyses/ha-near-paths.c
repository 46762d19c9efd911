// SPDX-License-Identifier: MIT
#include "analyses/ha-near-paths.h"

#include "analyses/ha-back-search.h"
#include "analyses/ha-owner.h"
#include "graph/ha-memory.h"

#include <string.h>

enum {
    MANY_CHOSEN = 8,  /* up to here each chosen object gets its own path to a root; more share some */
    SHARED_PATHS = 3, /* paths to a root from many chosen ones */
    MAX_SOURCES = 50, /* paths from sources */
};

typedef struct {
    HaGraph *g;
    const HaNeighbourhoodSpec *spec;
    const HaBits *keep;
    HaNearPaths *p;
} Finder;

typedef struct {
    HaId from, to;
} Step;

static guint
step_hash(gconstpointer p)
{
    const Step *s = p;
    return s->from * 2654435761u ^ s->to;
}

static gboolean
step_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(Step)) == 0;
}

static void
keep_path(Finder *x, const HaBackPath *path, gboolean red, guint *steps)
{
    HaId last = HA_ID_NONE;

    *steps = 0;
    for (gsize i = 0; i < path->n; i++) {
        HaId id = path->ids[i];

        ha_bits_set(x->p->raw, id);
        /* [owner, its dict, value]: the dict is part of its owner */
        if (!ha_bits_get(x->keep, id)) {
            HaId owner = ha_owner_of_dict(x->g, id);
            if (owner != HA_ID_NONE && ha_bits_get(x->spec->live, owner)) {
                if (owner == last)
                    continue;
                id = owner;
            }
        }
        ha_bits_set(x->p->nodes, id);
        if (last != HA_ID_NONE) {
            (*steps)++;
            if (red) {
                Step *s = g_new(Step, 1);
                *s = (Step){last, id};
                g_hash_table_add(x->p->red, s);
            }
        }
        last = id;
    }
}

/* Held from outside the heap: by C code, or by what the walker could not see. */
static gboolean
has_surplus(HaGraph *g, HaId id, gpointer ledger)
{
    (void)g;
    return ha_ledger_surplus(ledger, id) > 0;
}

static gboolean
search_roots(Finder *x, GError **error)
{
    const HaNeighbourhoodSpec *s = x->spec;
    g_autoptr(GArray) paths = g_array_new(FALSE, FALSE, sizeof(HaBackPath));
    gboolean ok = TRUE;

    g_array_set_clear_func(paths, ha_back_path_clear);
    if (s->n_chosen > MANY_CHOSEN)
        ok = ha_back_search(x->g, s->live, s->excluded, s->chosen, s->n_chosen, ha_back_fits_root, NULL, SHARED_PATHS,
                            paths, error);
    else
        for (gsize i = 0; i < s->n_chosen && ok; i++)
            ok = ha_back_search(x->g, s->live, s->excluded, &s->chosen[i], 1, ha_back_fits_root, NULL, 1, paths, error);
    if (ok && paths->len == 0 && s->ledger)
        ok = ha_back_search(x->g, s->live, s->excluded, s->chosen, s->n_chosen, has_surplus, (gpointer)s->ledger, 1,
                            paths, error);
    for (guint i = 0; i < paths->len; i++) {
        const HaBackPath *path = &g_array_index(paths, HaBackPath, i);
        guint steps;

        keep_path(x, path, FALSE, &steps);
        if (steps < x->p->root_steps) {
            x->p->root_steps = steps;
            HaId owner = ha_owner_of_dict(x->g, path->ids[0]);
            x->p->root = owner != HA_ID_NONE ? owner : path->ids[0];
        }
    }
    return ok;
}

static gboolean
is_source(HaGraph *g, HaId id, gpointer sources)
{
    (void)g;
    return ha_bits_get(sources, id);
}

static gboolean
search_sources(Finder *x, GError **error)
{
    const HaNeighbourhoodSpec *s = x->spec;
    g_autoptr(GArray) paths = g_array_new(FALSE, FALSE, sizeof(HaBackPath));

    if (!s->sources)
        return TRUE;
    g_array_set_clear_func(paths, ha_back_path_clear);
    if (!ha_back_search(x->g, s->live, s->excluded, s->chosen, s->n_chosen, is_source, (gpointer)s->sources,
                        MAX_SOURCES, paths, error))
        return FALSE;
    for (guint i = 0; i < paths->len; i++) {
        guint steps;

        keep_path(x, &g_array_index(paths, HaBackPath, i), TRUE, &steps);
        x->p->sources_reached++;
        x->p->source_steps = MAX(x->p->source_steps, steps);
    }
    return TRUE;
}

HaNearPaths *
ha_near_paths_new(HaGraph *g, const HaNeighbourhoodSpec *spec, const HaBits *keep, GError **error)
{
    g_autoptr(HaNearPaths) p = g_new0(HaNearPaths, 1);
    guint32 n = ha_graph_n_objects(g);
    Finder x = {g, spec, keep, p};

    p->root_steps = G_MAXUINT;
    p->root = HA_ID_NONE;
    p->red = g_hash_table_new_full(step_hash, step_equal, g_free, NULL);
    p->raw = ha_bits_new(n, FALSE);
    p->nodes = ha_bits_new(n, FALSE);
    if (!p->raw || !p->nodes) {
        ha_memory_fail(error, "for a picture");
        return NULL;
    }
    if (!search_roots(&x, error) || !search_sources(&x, error))
        return NULL;
    return g_steal_pointer(&p);
}

void
ha_near_paths_free(HaNearPaths *p)
{
    if (!p)
        return;
    g_hash_table_unref(p->red);
    g_clear_pointer(&p->raw, ha_bits_free);
    g_clear_pointer(&p->nodes, ha_bits_free);
    g_free(p);
}

gboolean
ha_near_paths_red(const HaNearPaths *p, HaId from, HaId to)
{
    Step s = {from, to};

    return g_hash_table_contains(p->red, &s);
}
