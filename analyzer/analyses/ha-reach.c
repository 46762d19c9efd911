// SPDX-License-Identifier: MIT
#include "ha-reach.h"

#include <stdlib.h>
#include <string.h>

#include "graph/ha-graph-builder.h"
#include "graph/ha-mem.h"
#include "graph/ha-memory.h"
#include "graph/ha-ref-runs.h"

enum {
    STEP = 2,     /* what Python can write */
    STEP_SET = 4, /* a member of a set has no name, but can be found */
    STEP_WORDS = 6,
    RING = 16, /* buckets: more than any step or root counts */
};

struct HaReach {
    guint32 *distance; /* owned, as all here; one an object */
    HaId *from;
    guint32 *ref; /* G_MAXUINT32: too far behind, look for it */
    const HaGraph *graph;
};

typedef struct {
    const HaReachSpec *spec;
    HaReach *r;
    guint8 *step; /* owned; of each name */
    HaVec ring[RING];
    guint64 waiting; /* in all buckets */
    guint32 at;      /* distance that is being looked at; never falls */
} Work;

static guint8
step_of_name(const char *name)
{
    static const char *const written[] = {"<local ",  "<code>",   "<globals>", "<closure>", "<mro>",      "<bases>",
                                          "<base>",   "<f_back>", "<f_trace>", "<frame>",   "<builtins>", "<f_locals>",
                                          "<awaits>", "<origin>", "<const ",   "<default ", "<mro ",      "<base "};

    if (name == NULL)
        return STEP_WORDS;
    if (strcmp(name, ".__dict__") == 0 || g_str_has_prefix(name, "<cell ") || g_str_has_prefix(name, "<free "))
        return 0;     /* with the step behind it one to people */
    if (*name != '<') /* a class is better known by its module than by an instance */
        return strcmp(name, ".__class__") == 0 ? STEP_WORDS : STEP;
    for (guint i = 0; i < G_N_ELEMENTS(written); i++)
        if (g_str_has_prefix(name, written[i]))
            return STEP;
    return STEP_WORDS;
}

static guint8
step_of_kind(guint8 kind, gboolean value)
{
    switch ((enum hf_run_kind)kind) {
    case HF_RUN_INDEX:
        return STEP;
    case HF_RUN_ITEMS:
        return value ? STEP : STEP_WORDS;
    case HF_RUN_MEMBER:
        return STEP_SET;
    case HF_RUN_UNNAMED:
    case HF_RUN_NAMED:
    case HF_RUN_KIND_COUNT:
    default:
        return STEP_WORDS;
    }
}

guint32
ha_reach_step(const HaGraph *g, HaId from, gsize i)
{
    HaRefName name;

    ha_graph_ref_name(g, from, i, &name);
    return name.kind == HF_RUN_NAMED ? step_of_name(name.name) : step_of_kind(name.kind, name.index == 1);
}

guint32
ha_reach_root_distance(const HaHeldBy *held)
{
    const char *name = held->root != NULL ? held->root->name : NULL;

    switch (held->kind) {
    case HA_ROOT_KIND_MODULE:
        return 0;
    case HA_ROOT_KIND_LOCAL: /* what a frame holds besides its variables tells little */
        return name == NULL || *name != '<' || !strchr("lcf", name[1]) || g_str_has_prefix(name, "<code") ||
                       g_str_has_prefix(name, "<f_locals") || g_str_has_prefix(name, "<frame") ||
                       g_str_has_prefix(name, "<function")
                   ? STEP_WORDS
                   : STEP;
    case HA_ROOT_KIND_INTERPRETER:
        return name != NULL && *name != '<' ? STEP : STEP_WORDS + 2;
    case HA_ROOT_KIND_FINALIZER:
        return STEP_SET;
    case HA_ROOT_KIND_THREAD:
        return STEP_WORDS;
    case HA_ROOT_KIND_STATIC:
        return 10;
    case HA_ROOT_KIND_C:
        return 12;
    case HA_ROOT_KIND_UNKNOWN:
    case HA_ROOT_KIND_COUNT:
    default:
        return 14;
    }
}

HaHeldBy
ha_reach_root(const HaGraph *g, const HaLedger *ledger, HaId id, guint32 *distance)
{
    g_autoptr(GArray) held = g_array_new(FALSE, FALSE, sizeof(HaHeldBy));
    HaHeldBy best = {.kind = HA_ROOT_KIND_UNKNOWN};

    ha_held_by(g, ledger, id, held);
    *distance = ha_reach_root_distance(&best);
    for (guint i = 0; i < held->len; i++) {
        guint32 one = ha_reach_root_distance(&g_array_index(held, HaHeldBy, i));
        if (i == 0 || one < *distance) {
            *distance = one;
            best = g_array_index(held, HaHeldBy, i);
        }
    }
    return best;
}

static gboolean
put(Work *w, HaId id, guint32 distance)
{
    HaVec *bucket = &w->ring[distance % RING];

    if (!ha_vec_reserve(bucket, 1))
        return FALSE;
    ((HaId *)bucket->data)[bucket->n++] = id;
    w->waiting++;
    return TRUE;
}

static gboolean
reach(Work *w, HaId id, guint32 distance, HaId from, gsize ref)
{
    const HaReachSpec *s = w->spec;
    HaReach *r = w->r;

    if (distance >= r->distance[id] || !ha_bits_get(s->live, id) ||
        (s->excluded != NULL && ha_bits_get(s->excluded, id)))
        return TRUE;
    r->distance[id] = distance;
    r->from[id] = from;
    r->ref[id] = MIN(ref, G_MAXUINT32);
    return s->barred != NULL && ha_bits_get(s->barred, id) ? TRUE : put(w, id, distance);
}

static gboolean
expand(Work *w, HaId id)
{
    const HaGraph *g = w->spec->graph;
    guint32 here = w->r->distance[id];
    gsize n;
    const HaId *refs = ha_graph_referents(g, id, &n);
    HaRefRuns runs;
    HaRefRun run;

    ha_ref_runs_init(&runs, g, id);
    while (ha_ref_runs_next(&runs, &run)) {
        if (run.flags & HF_RUN_WEAK)
            continue;
        guint8 one =
            run.kind == HF_RUN_NAMED && run.names == NULL ? step_of_name(run.name) : step_of_kind(run.kind, TRUE);
        for (gsize i = 0; i < run.n; i++) {
            HaId to = refs[run.first + i];
            guint8 step = run.names != NULL                                          ? w->step[run.names[i]]
                          : run.kind == HF_RUN_ITEMS && ((i & 1) == 0) == !run.value ? STEP_WORDS
                                                                                     : one;
            if (i + 16 < run.n)
                __builtin_prefetch(&w->r->distance[refs[run.first + i + 16]]);
            if (here + step < w->r->distance[to] && !reach(w, to, here + step, id, run.first + i))
                return FALSE;
        }
    }
    return TRUE;
}

/* Takes the nearest ones, until none is left or those at a distance are next. */
static gboolean
run(Work *w, guint32 until)
{
    for (; w->waiting > 0 && w->at < until; w->at++) {
        HaVec *bucket = &w->ring[w->at % RING];

        while (bucket->n > 0) {
            HaId id = ((HaId *)bucket->data)[--bucket->n];

            w->waiting--;
            if (w->r->distance[id] == w->at && !expand(w, id))
                return FALSE;
        }
    }
    return TRUE;
}

typedef struct {
    guint32 distance;
    HaId id;
} Source;

static gint
compare_sources(gconstpointer left, gconstpointer right)
{
    const Source *a = left, *b = right;

    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* The ring holds the next few distances only: sources go in when their turn comes. */
static gboolean
start_at_sources(Work *w)
{
    const HaReachSpec *s = w->spec;
    guint32 n = ha_graph_n_objects(s->graph), n_sources = ha_bits_count(s->sources), k = 0;
    Source *sources = ha_mem_new(n_sources, sizeof *sources);
    gboolean ok = sources != NULL;

    for (HaId id = 0; ok && id < n; id++)
        if (ha_bits_get(s->sources, id) && ha_reach_distance(s->before, id) != HA_REACH_NOT)
            sources[k++] = (Source){ha_reach_distance(s->before, id), id};
    if (ok)
        qsort(sources, k, sizeof *sources, compare_sources);
    for (guint32 i = 0; ok && i < k; i++) {
        ok = run(w, sources[i].distance);
        w->at = sources[i].distance;
        ok = ok && reach(w, sources[i].id, w->at, HA_ID_NONE, 0);
    }
    ha_mem_free(sources);
    return ok && run(w, G_MAXUINT32);
}

static gboolean
start(Work *w)
{
    const HaReachSpec *s = w->spec;
    guint32 n = ha_graph_n_objects(s->graph);
    HaHeldBy unknown = {.kind = HA_ROOT_KIND_UNKNOWN};

    if (s->sources != NULL)
        return start_at_sources(w);
    for (HaId id = 0; id < n; id++)
        if (ha_bits_get(s->live, id) && ha_is_root(s->graph, s->ledger, id)) {
            guint32 distance;

            ha_reach_root(s->graph, s->ledger, id, &distance);
            if (!reach(w, id, distance, HA_ID_NONE, 0))
                return FALSE;
        }
    if (!run(w, G_MAXUINT32))
        return FALSE;
    /* behind what is barred or excluded much may be left that is held all the same */
    g_autoptr(HaBits) held = s->barred != NULL || s->excluded != NULL ? ha_reached_objects(s->graph, s->ledger, NULL)
                                                                      : ha_bits_new(n, FALSE);
    if (held == NULL)
        return FALSE;
    /* What lives without any root, one after the other; each begins behind all before it, and so leaves what they reached as it is. */
    for (HaId id = 0; id < n; id++)
        if (w->r->distance[id] == HA_REACH_NOT && ha_bits_get(s->live, id) && !ha_bits_get(held, id)) {
            w->at = MAX(w->at, ha_reach_root_distance(&unknown));
            if (!reach(w, id, w->at, HA_ID_NONE, 0) || !run(w, G_MAXUINT32))
                return FALSE;
        }
    return TRUE;
}

static gboolean
build(Work *w)
{
    const HaGraph *g = w->spec->graph;
    guint32 n = ha_graph_n_objects(g), n_names = ha_graph_n_names(g);
    HaReach *r = w->r;

    r->distance = ha_mem_new(n, sizeof *r->distance);
    r->from = ha_mem_new(n, sizeof *r->from);
    r->ref = ha_mem_new(n, sizeof *r->ref);
    w->step = ha_mem_new(n_names, 1);
    if (r->distance == NULL || r->from == NULL || r->ref == NULL || w->step == NULL)
        return FALSE;
    memset(r->distance, 0xff, (gsize)n * sizeof *r->distance);
    for (guint32 i = 0; i < n_names; i++)
        w->step[i] = step_of_name(ha_graph_nth_name(g, i));
    for (guint i = 0; i < RING; i++)
        w->ring[i].item = sizeof(HaId);
    return start(w);
}

HaReach *
ha_reach_new(const HaReachSpec *spec, GError **error)
{
    g_autoptr(HaReach) r = g_new0(HaReach, 1);
    guint64 one = sizeof *r->distance + sizeof *r->from + sizeof *r->ref;

    if (!ha_memory_ask(one * ha_graph_n_objects(spec->graph), "to find the paths", error))
        return NULL;
    Work w = {.spec = spec, .r = r};

    r->graph = spec->graph;
    gboolean ok = build(&w);
    for (guint i = 0; i < RING; i++)
        ha_vec_clear(&w.ring[i]);
    ha_mem_free(w.step);
    if (!ok) {
        ha_memory_fail(error, "to find the paths");
        return NULL;
    }
    return g_steal_pointer(&r);
}

void
ha_reach_free(HaReach *r)
{
    if (r == NULL)
        return;
    ha_mem_free(r->distance);
    ha_mem_free(r->from);
    ha_mem_free(r->ref);
    g_free(r);
}

guint32
ha_reach_distance(const HaReach *r, HaId id)
{
    return r->distance[id];
}

HaId
ha_reach_from(const HaReach *r, HaId id, gsize *ref)
{
    HaId from = r->from[id];

    *ref = r->ref[id];
    if (from != HA_ID_NONE && r->ref[id] == G_MAXUINT32) {
        gsize n;
        const HaId *refs = ha_graph_referents(r->graph, from, &n);
        while (*ref < n && (refs[*ref] != id || ha_graph_ref_flags(r->graph, from, *ref) & HF_RUN_WEAK))
            (*ref)++;
    }
    return from;
}
