// SPDX-License-Identifier: MIT
#include "ha-ref-runs.h"

#include "ha-graph-private.h"

static const HaRun *
runs_of(const HaGraph *g, HaId id, guint32 *n)
{
    const HaLayout *layout = &HA_ITEM(g->layouts, HaLayout, ha_graph_value(g, HA_LAYOUT, id));

    *n = layout->n_runs;
    return (const HaRun *)g->runs.data + layout->first_run;
}

void
ha_ref_runs_init(HaRefRuns *it, const HaGraph *g, HaId id)
{
    guint64 fixed = 0;

    *it = (HaRefRuns){.g = g, .id = id, .one_by_one = (g->flags[id] & HA_FLAG_HOLES) != 0};
    ha_graph_referents(g, id, &it->n);
    if (it->n == 0 || it->one_by_one)
        return;
    const HaRun *runs = runs_of(g, id, &it->n_runs);
    for (guint32 r = 0; r < it->n_runs; r++)
        fixed += runs[r].count;
    it->rest = it->n > fixed ? it->n - fixed : 0;
}

gboolean
ha_ref_runs_next(HaRefRuns *it, HaRefRun *out)
{
    *out = (HaRefRun){.first = it->at, .n = it->n - it->at};
    if (it->at == it->n)
        return FALSE;
    if (it->one_by_one) {
        HaRefName name;

        ha_graph_ref_name(it->g, it->id, it->at++, &name);
        out->n = 1;
        out->kind = name.kind;
        out->flags = name.flags;
        out->value = name.kind == HF_RUN_ITEMS && name.index == 1;
        out->name = name.name;
        return TRUE;
    }
    const HaRun *runs = runs_of(it->g, it->id, &it->n_runs);
    while (it->run < it->n_runs) {
        const HaRun *run = &runs[it->run++];
        gsize n = MIN(run->count != 0 ? run->count : it->rest, it->n - it->at);

        if (n == 0)
            continue;
        out->n = n;
        out->kind = run->kind;
        out->flags = run->flags;
        if (run->kind == HF_RUN_NAMED)
            out->names = &HA_ITEM(it->g->layout_names, guint32, run->first_name);
        break;
    }
    it->at += out->n; /* without a run: unnamed, all that are left */
    return TRUE;
}

guint32
ha_graph_n_names(const HaGraph *g)
{
    return g->names.n;
}

const char *
ha_graph_nth_name(const HaGraph *g, guint32 name)
{
    return HA_ITEM(g->names, const char *, name);
}
