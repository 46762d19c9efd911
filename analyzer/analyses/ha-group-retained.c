// SPDX-License-Identifier: MIT
#include "ha-group-retained.h"

#include "graph/ha-mem.h"
#include "graph/ha-memory.h"

typedef struct {
    const HaGraph *g;
    const HaDominators *dominators;
    const HaBits *chosen;
    const guint *group_of;
    guint32 *open; /* objects of each group on the way from the super-root */
    guint64 *retained;
} Retaining;

static gboolean
counts_for(const Retaining *r, HaId id, guint *group)
{
    *group = r->group_of[ha_graph_type_index(r->g, id)];
    return *group != HA_GROUP_NONE && ha_bits_get(r->chosen, id);
}

static void
enter(HaId id, gpointer user)
{
    Retaining *r = user;
    guint group;
    if (counts_for(r, id, &group) && r->open[group]++ == 0)
        r->retained[group] += ha_dominators_retained(r->dominators, id);
}

static void
leave(HaId id, gpointer user)
{
    Retaining *r = user;
    guint group;
    if (counts_for(r, id, &group))
        r->open[group]--;
}

gboolean
ha_group_retained(const HaGraph *g, const HaDominators *dominators, const HaBits *chosen, const guint *group_of,
                  guint n_groups, guint64 *retained, GError **error)
{
    guint32 *open = ha_mem_new0(MAX(n_groups, 1), sizeof *open);
    if (open == NULL) {
        ha_memory_fail(error, "for retained sizes");
        return FALSE;
    }
    Retaining r = {g, dominators, chosen, group_of, open, retained};
    gboolean ok = ha_dominators_walk(dominators, enter, leave, &r, error);
    ha_mem_free(open);
    return ok;
}
