// SPDX-License-Identifier: MIT
#include "ha-paths.h"

#include <stdlib.h>
#include <string.h>

#include "analyses/ha-path-template.h"
#include "analyses/ha-paths-private.h"
#include "graph/ha-graph-builder.h"
#include "graph/ha-mem.h"
#include "graph/ha-memory.h"
#include "graph/ha-ref-runs.h"

typedef struct {
    guint32 template;
    guint64 targets, bytes, references;
    guint32 distance;
    HaId target, holder; /* of the shortest path; holder HA_ID_NONE: held is what holds the target itself */
    gsize ref;
    HaHeldBy held;
    guint32 last; /* target that was counted last, plus 1 */
} Group;

typedef struct {
    HaPathsSearch s;
    HaReach *reach, *before; /* owned; before: up to what was asked for with via */
    HaPathTemplates *templates;
    GArray *groups; /* Group */
    GArray *of;     /* guint32: group of a template, plus 1 */
    HaVec records;  /* guint64: target, group */
    HaPaths *result;
} Work;

static gboolean
is_in(const HaBits *bits, HaId id)
{
    return bits != NULL && ha_bits_get(bits, id);
}

static gboolean
no_memory(GError **error)
{
    ha_memory_fail(error, "to find the paths");
    return FALSE;
}

/* One target is held in one way. */
static gboolean
note(Work *w, guint32 template, const Group *path)
{
    if (template >= w->of->len)
        g_array_set_size(w->of, template + 1024);
    guint32 *at = &g_array_index(w->of, guint32, template);
    if (*at == 0) {
        Group new = *path;
        new.template = template;
        g_array_append_val(w->groups, new);
        *at = w->groups->len;
    }
    Group *group = &g_array_index(w->groups, Group, *at - 1);
    group->references++;
    if (path->distance < group->distance) {
        group->distance = path->distance;
        group->target = path->target;
        group->holder = path->holder;
        group->ref = path->ref;
        group->held = path->held;
    }
    if (group->last == path->target + 1)
        return TRUE;
    group->last = path->target + 1;
    if (!ha_vec_reserve(&w->records, 1))
        return FALSE;
    ((guint64 *)w->records.data)[w->records.n++] = (guint64)path->target << 32 | (*at - 1);
    return TRUE;
}

/* What holds a target itself. */
static gboolean
note_roots(Work *w, HaId target)
{
    const HaPathsSpec *s = w->s.spec;
    g_autoptr(GArray) held = g_array_new(FALSE, FALSE, sizeof(HaHeldBy));

    if (s->via != NULL && !ha_bits_get(s->via, target))
        return TRUE;
    ha_held_by(s->graph, s->ledger, target, held);
    for (guint i = 0; i < held->len; i++) {
        const HaHeldBy *one = &g_array_index(held, HaHeldBy, i);
        Group path = {.distance = ha_reach_root_distance(one), .target = target, .holder = HA_ID_NONE, .held = *one};

        if (!note(w, ha_path_template_root(w->templates, target, one), &path))
            return FALSE;
    }
    return TRUE;
}

/* All references from one object to targets. */
static gboolean
note_holder(Work *w, HaId holder)
{
    const HaPathsSpec *s = w->s.spec;
    guint32 distance = ha_reach_distance(w->reach, holder), way = G_MAXUINT32;
    gsize n;
    const HaId *refs = ha_graph_referents(s->graph, holder, &n);
    HaRefRuns runs;
    HaRefRun run;

    ha_ref_runs_init(&runs, s->graph, holder);
    while (ha_ref_runs_next(&runs, &run)) {
        for (gsize i = run.first; !(run.flags & HF_RUN_WEAK) && i < run.first + run.n; i++) {
            if (!ha_bits_get(s->targets, refs[i]))
                continue;
            if (way == G_MAXUINT32)
                way = ha_path_template_of(w->templates, holder);
            Group path = {.distance = distance + ha_reach_step(s->graph, holder, i),
                          .target = refs[i],
                          .holder = holder,
                          .ref = i};
            if (!note(w, ha_path_template_step(w->templates, way, holder, i), &path))
                return FALSE;
        }
    }
    return TRUE;
}

/* Marks who refers to a target and is reached without another one; FALSE: nobody is. */
static gboolean
mark_holders(Work *w, HaId target, HaBits *holders)
{
    const HaPathsSpec *s = w->s.spec;
    gsize n;
    const HaId *from = ha_graph_referrers(s->graph, target, &n);
    gboolean any = FALSE;

    for (gsize i = 0; i < n; i++) {
        if ((i > 0 && from[i] == from[i - 1]) || ha_bits_get(s->targets, from[i]) || !ha_bits_get(s->live, from[i]) ||
            is_in(s->excluded, from[i]) || ha_reach_distance(w->reach, from[i]) == HA_REACH_NOT)
            continue;
        ha_bits_set(holders, from[i]);
        any = TRUE;
    }
    return any;
}

static gint
compare_records(gconstpointer left, gconstpointer right)
{
    guint64 a = *(const guint64 *)left, b = *(const guint64 *)right;

    return a < b ? -1 : a > b;
}

/* A target counts once for a way, however many holders of one kind it has. */
static void
count(Work *w)
{
    guint64 *records = w->records.data;

    if (w->records.n > 1)
        qsort(records, w->records.n, sizeof *records, compare_records);
    for (gsize i = 0; i < w->records.n; i++) {
        if (i > 0 && records[i] == records[i - 1])
            continue;
        Group *group = &g_array_index(w->groups, Group, (guint32)records[i]);
        group->targets++;
        group->bytes += ha_graph_size(w->s.spec->graph, records[i] >> 32);
    }
}

static gint
compare_groups(gconstpointer left, gconstpointer right)
{
    const Group *a = left, *b = right;

    if (a->targets != b->targets)
        return a->targets > b->targets ? -1 : 1;
    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    return a->template <b->template ? -1 : a->template > b->template;
}

gboolean
ha_paths_build(const HaPathsSearch *s, HaId holder, HaId target, gsize ref, const HaHeldBy *held, HaPath *out)
{
    g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(HaPathStep));
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    const HaReach *reach = s->reach;
    HaPathStep step = {target, ref};
    guint32 distance;

    out->held = *held;
    for (HaId at = holder;; at = ha_reach_from(reach, step.id, &step.ref)) {
        if (at == HA_ID_NONE && reach == s->reach && s->before != NULL && holder != HA_ID_NONE) {
            /* the way was from what was asked for: on to that */
            reach = s->before;
            at = ha_reach_from(reach, step.id, &step.ref);
        }
        g_array_append_val(steps, step);
        if (!g_hash_table_add(seen, GUINT_TO_POINTER(step.id)))
            return FALSE; /* no path but a detour */
        if (at == HA_ID_NONE)
            break;
        step.id = at;
    }
    if (holder != HA_ID_NONE)
        out->held = ha_reach_root(s->spec->graph, s->spec->ledger, step.id, &distance);
    for (guint i = 0, k = steps->len - 1; i < k; i++, k--) {
        HaPathStep swap = g_array_index(steps, HaPathStep, i);
        g_array_index(steps, HaPathStep, i) = g_array_index(steps, HaPathStep, k);
        g_array_index(steps, HaPathStep, k) = swap;
    }
    out->steps = g_steal_pointer(&steps);
    return TRUE;
}

static void
way_clear(gpointer data)
{
    HaWay *way = data;

    g_free(way->template);
    ha_path_clear(&way->path);
}

static void
give(Work *w)
{
    HaPaths *p = w->result;

    g_array_sort(w->groups, compare_groups);
    p->found = w->groups->len;
    for (guint i = 0; i < w->groups->len && p->ways->len < w->s.spec->most; i++) {
        const Group *group = &g_array_index(w->groups, Group, i);
        HaWay way = {.targets = group->targets,
                     .bytes = group->bytes,
                     .references = group->references,
                     .distance = group->distance};

        if (!ha_paths_build(&w->s, group->holder, group->target, group->ref, &group->held, &way.path)) {
            p->found--;
            continue;
        }
        way.template = ha_path_template_text(w->templates, group->template);
        g_array_append_val(p->ways, way);
    }
}

static gboolean
search(Work *w, const HaBits *barred, GError **error)
{
    const HaPathsSpec *s = w->s.spec;
    HaReachSpec reach = {
        .graph = s->graph, .ledger = s->ledger, .live = s->live, .barred = barred, .excluded = s->excluded};

    g_clear_pointer(&w->templates, ha_path_templates_free);
    g_clear_pointer(&w->reach, ha_reach_free);
    g_clear_pointer(&w->before, ha_reach_free);
    w->reach = ha_reach_new(&reach, error);
    if (w->reach == NULL)
        return FALSE;
    if (s->via != NULL) {
        w->before = w->reach;
        reach.sources = s->via;
        reach.before = w->before;
        w->reach = ha_reach_new(&reach, error);
        if (w->reach == NULL)
            return FALSE;
    }
    w->s.reach = w->reach;
    w->s.before = w->before;
    w->templates = ha_path_templates_new(s->graph, s->ledger, w->reach, w->before, error);
    g_array_set_size(w->of, 0);
    return w->templates != NULL;
}

/* Targets that only others of them hold: the path leads through these then. */
static gboolean
note_inner(Work *w, const HaBits *inner)
{
    const HaPathsSpec *s = w->s.spec;

    for (HaId id = 0; id < ha_graph_n_objects(s->graph); id++) {
        gsize ref;

        if (!ha_bits_get(inner, id))
            continue;
        if (ha_reach_distance(w->reach, id) == HA_REACH_NOT) {
            w->result->unreached++;
            continue;
        }
        HaId from = ha_reach_from(w->reach, id, &ref);
        if (from == HA_ID_NONE) {
            Group path = {.target = id, .holder = HA_ID_NONE};
            path.held = ha_reach_root(s->graph, s->ledger, id, &path.distance);
            if (!note(w, ha_path_template_of(w->templates, id), &path))
                return FALSE;
            continue;
        }
        w->result->inner++;
        Group path = {.distance = ha_reach_distance(w->reach, id), .target = id, .holder = from, .ref = ref};
        if (!note(w, ha_path_template_of(w->templates, id), &path))
            return FALSE;
    }
    return TRUE;
}

static gboolean
run(Work *w, HaBits *holders, HaBits *inner, GError **error)
{
    const HaPathsSpec *s = w->s.spec;
    guint32 n = ha_graph_n_objects(s->graph), lonely = 0;

    if (!search(w, s->targets, error))
        return FALSE;
    for (HaId id = 0; id < n; id++) {
        if (!ha_bits_get(s->targets, id) || !ha_bits_get(s->live, id))
            continue;
        w->result->targets++;
        w->result->bytes += ha_graph_size(s->graph, id);
        gsize before = w->records.n;
        if (!note_roots(w, id))
            return no_memory(error);
        if (!mark_holders(w, id, holders) && w->records.n == before) {
            ha_bits_set(inner, id);
            lonely++;
        }
    }
    for (HaId id = 0; id < n; id++)
        if (ha_bits_get(holders, id) && !note_holder(w, id))
            return no_memory(error);
    count(w);
    give(w);
    if (w->result->targets == 1 && !ha_paths_deviate(&w->s, w->result, error))
        return FALSE;
    if (lonely == 0)
        return TRUE;
    g_array_set_size(w->groups, 0);
    w->records.n = 0;
    guint64 found = w->result->found;
    if (!search(w, NULL, error))
        return FALSE;
    if (!note_inner(w, inner))
        return no_memory(error);
    count(w);
    give(w);
    w->result->found += found;
    return TRUE;
}

HaPaths *
ha_paths_new(const HaPathsSpec *spec, GError **error)
{
    guint32 n = ha_graph_n_objects(spec->graph);
    g_autoptr(HaPaths) p = g_new0(HaPaths, 1);
    g_autoptr(HaBits) holders = ha_bits_new(n, FALSE);
    g_autoptr(HaBits) inner = ha_bits_new(n, FALSE);
    Work w = {.s = {.spec = spec},
              .groups = g_array_new(FALSE, FALSE, sizeof(Group)),
              .of = g_array_new(FALSE, TRUE, sizeof(guint32)),
              .records = {.item = sizeof(guint64)},
              .result = p};

    p->ways = g_array_new(FALSE, FALSE, sizeof(HaWay));
    g_array_set_clear_func(p->ways, way_clear);
    gboolean ok = holders != NULL && inner != NULL
                      ? ha_graph_need_referrers(spec->graph, error) && run(&w, holders, inner, error)
                      : no_memory(error);
    if (p->ways->len == 0)
        p->unreached = p->targets; /* or in detours only, which pass an object twice */
    ha_path_templates_free(w.templates);
    ha_reach_free(w.reach);
    ha_reach_free(w.before);
    g_array_unref(w.groups);
    g_array_unref(w.of);
    ha_vec_clear(&w.records);
    return ok ? g_steal_pointer(&p) : NULL;
}

void
ha_paths_free(HaPaths *p)
{
    if (p == NULL)
        return;
    g_array_unref(p->ways);
    g_free(p);
}

gboolean
ha_path_to(HaGraph *g, const HaLedger *ledger, const HaReach *reach, HaId id, HaPath *out)
{
    HaPathsSpec spec = {.graph = g, .ledger = ledger};
    HaPathsSearch s = {.spec = &spec, .reach = reach};
    guint32 distance;
    gsize ref;

    if (ha_reach_distance(reach, id) == HA_REACH_NOT)
        return FALSE;
    HaId from = ha_reach_from(reach, id, &ref);
    HaHeldBy held = ha_reach_root(g, ledger, id, &distance);
    return ha_paths_build(&s, from, id, ref, &held, out);
}
