// SPDX-License-Identifier: MIT
/* Next paths to one object: like one that is known from some object on, but reaching that object another way. */
#include <string.h>

#include "analyses/ha-path-template.h"
#include "analyses/ha-paths-private.h"

enum {
    HOLDERS = 12,    /* of each object on a path */
    STEPS_MAX = 200, /* of a path that are looked at, from the object up */
    SAME_ROOT = 8,   /* what a path counts more whose root another one has */
};

typedef struct {
    HaPath path; /* owned */
    guint32 distance;
    char *text; /* owned; the same text is the same path to people */
    char *root; /* owned */
} Candidate;

typedef struct {
    const HaPathsSearch *s;
    GArray *candidates; /* Candidate */
    GHashTable *seen;   /* char *, owned: texts of all candidates and ways */
    GHashTable *roots;  /* char *, owned: of what was given */
    guint64 budget;     /* references that may still be looked at */
    gboolean cut;       /* there were more of them */
} Work;

static void
candidate_clear(gpointer data)
{
    Candidate *c = data;

    ha_path_clear(&c->path);
    g_free(c->text);
    g_free(c->root);
}

static char *
root_text(const HaPathsSpec *s, const HaPath *path)
{
    HaId id = g_array_index(path->steps, HaPathStep, 0).id;
    g_autofree char *text = ha_held_text(s->graph, s->ledger, id, &path->held);

    return g_strdup_printf("%d %u %s", path->held.kind, id, text);
}

/* Takes the path over. */
static void
propose(Work *w, HaPath *path, guint32 distance)
{
    gboolean is_expression;
    Candidate c = {.path = *path, .distance = distance};

    c.root = root_text(w->s->spec, path);
    g_autofree char *text = ha_path_text(w->s->spec->graph, w->s->spec->ledger, path, &is_expression);
    c.text = g_strconcat(c.root, text, NULL);
    if (g_hash_table_contains(w->seen, c.text)) {
        candidate_clear(&c);
        return;
    }
    g_hash_table_add(w->seen, g_strdup(c.text));
    g_array_append_val(w->candidates, c);
}

/* Path to holder, its reference to steps[at], and on as known. FALSE: stands on the rest already. */
static gboolean
join(Work *w, HaId holder, gsize ref, const HaHeldBy *held, const HaPath *known, guint at, HaPath *out)
{
    const HaPathStep *steps = (const HaPathStep *)(void *)known->steps->data;
    g_autoptr(GHashTable) rest = g_hash_table_new(NULL, NULL);

    if (!ha_paths_build(w->s, holder, steps[at].id, ref, held, out))
        return FALSE;
    for (guint i = at; i < known->steps->len; i++)
        g_hash_table_add(rest, GUINT_TO_POINTER(steps[i].id));
    for (guint i = 0; i + 1 < out->steps->len; i++)
        if (g_hash_table_contains(rest, GUINT_TO_POINTER(g_array_index(out->steps, HaPathStep, i).id))) {
            ha_path_clear(out);
            return FALSE;
        }
    g_array_append_vals(out->steps, steps + at + 1, known->steps->len - at - 1);
    return TRUE;
}

typedef struct {
    guint32 distance;
    HaId id;
} Holder;

/* The nearest to a root of those that refer to an object, but for the one on the path. */
static guint
nearest(Work *w, HaId id, HaId not, Holder *best)
{
    const HaPathsSpec *s = w->s->spec;
    gsize n;
    const HaId *from = ha_graph_referrers(s->graph, id, &n);
    guint found = 0;

    for (gsize i = 0; i < n; i++) {
        guint32 distance = ha_reach_distance(w->s->reach, from[i]);

        if ((i > 0 && from[i] == from[i - 1]) || from[i] == not || distance == HA_REACH_NOT ||
            ha_bits_get(s->targets, from[i]) || (found == HOLDERS && distance >= best[found - 1].distance))
            continue;
        guint at = found < HOLDERS ? found++ : found - 1;
        for (; at > 0 && best[at - 1].distance > distance; at--)
            best[at] = best[at - 1];
        best[at] = (Holder){distance, from[i]};
    }
    return found;
}

static void
deviate_at(Work *w, const HaPath *known, guint at, guint32 rest)
{
    const HaPathsSpec *s = w->s->spec;
    const HaPathStep *steps = (const HaPathStep *)(void *)known->steps->data;
    g_autoptr(GArray) held = g_array_new(FALSE, FALSE, sizeof(HaHeldBy));
    Holder best[HOLDERS];
    guint n = nearest(w, steps[at].id, at > 0 ? steps[at - 1].id : HA_ID_NONE, best);
    HaPath path;

    for (guint i = 0; i < n; i++) {
        gsize n_refs, ref = 0;
        const HaId *refs = ha_graph_referents(s->graph, best[i].id, &n_refs);

        while (ref < n_refs && w->budget > 0 &&
               (refs[ref] != steps[at].id || ha_graph_ref_flags(s->graph, best[i].id, ref) & HF_RUN_WEAK)) {
            w->budget--;
            ref++;
        }
        w->cut |= ref < n_refs && w->budget == 0;
        if (ref < n_refs && w->budget > 0 && join(w, best[i].id, ref, &known->held, known, at, &path))
            propose(w, &path, best[i].distance + ha_reach_step(s->graph, best[i].id, ref) + rest);
    }
    if (s->via != NULL)
        return; /* a root of its own need not be via what was asked for */
    ha_held_by(s->graph, s->ledger, steps[at].id, held);
    for (guint i = 0; i < held->len; i++) {
        const HaHeldBy *one = &g_array_index(held, HaHeldBy, i);
        if (join(w, HA_ID_NONE, 0, one, known, at, &path))
            propose(w, &path, ha_reach_root_distance(one) + rest);
    }
}

/* A module or its namespace: everybody has ways to it, and none tells anything. */
static gboolean
is_module(const HaPathsSpec *s, const HaPathStep *steps, guint at)
{
    return ha_ledger_is_module(s->ledger, steps[at].id) || steps[at].id == s->ledger->modules_dict ||
           (at > 0 && ha_ledger_is_module(s->ledger, steps[at - 1].id));
}

static void
deviate(Work *w, const HaPath *known)
{
    const HaPathStep *steps = (const HaPathStep *)(void *)known->steps->data;
    guint n = known->steps->len;
    guint32 rest = 0;

    /* the object itself has no other holders left: each has a way of its own */
    for (guint at = n - 1; at-- > 0 && n - at < STEPS_MAX;) {
        rest += ha_reach_step(w->s->spec->graph, steps[at].id, steps[at + 1].ref);
        if (is_module(w->s->spec, steps, at))
            return;
        if (w->budget == 0) {
            w->cut = TRUE;
            return;
        }
        deviate_at(w, known, at, rest);
    }
}

static guint
best_of(const Work *w)
{
    guint best = 0;
    guint64 least = G_MAXUINT64;

    for (guint i = 0; i < w->candidates->len; i++) {
        const Candidate *c = &g_array_index(w->candidates, Candidate, i);
        guint64 counts = (guint64)c->distance + (g_hash_table_contains(w->roots, c->root) ? SAME_ROOT : 0);

        if (counts < least) {
            least = counts;
            best = i;
        }
    }
    return best;
}

gboolean
ha_paths_deviate(const HaPathsSearch *s, HaPaths *p, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) roots = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GArray) candidates = g_array_new(FALSE, FALSE, sizeof(Candidate));
    Work w = {s, candidates, seen, roots, s->spec->effort, FALSE};
    guint own = p->ways->len;
    gboolean is_expression;

    (void)error;
    g_array_set_clear_func(candidates, candidate_clear);
    if (own >= s->spec->most)
        return TRUE;
    for (guint i = 0; i < own; i++) {
        const HaPath *path = &g_array_index(p->ways, HaWay, i).path;
        char *root = root_text(s->spec, path);
        g_autofree char *text = ha_path_text(s->spec->graph, s->spec->ledger, path, &is_expression);

        g_hash_table_add(seen, g_strconcat(root, text, NULL));
        g_hash_table_add(roots, root);
    }
    for (guint i = 0; i < own; i++)
        deviate(&w, &g_array_index(p->ways, HaWay, i).path);
    while (p->ways->len < s->spec->most && candidates->len > 0) {
        guint at = best_of(&w);
        Candidate c = g_array_index(candidates, Candidate, at);
        HaWay way = {.template = NULL, .targets = 1, .bytes = p->bytes, .references = 1, .distance = c.distance};

        way.path = (HaPath){c.path.held, g_array_ref(c.path.steps)};
        g_hash_table_add(roots, g_strdup(c.root));
        g_array_remove_index_fast(candidates, at);
        g_array_append_val(p->ways, way);
        deviate(&w, &g_array_index(p->ways, HaWay, p->ways->len - 1).path);
    }
    p->found = p->ways->len + candidates->len;
    p->cut = w.cut;
    return TRUE;
}
