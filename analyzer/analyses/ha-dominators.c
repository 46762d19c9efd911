// SPDX-License-Identifier: MIT
#include "ha-dominators.h"

#include <string.h>

#include "graph/ha-graph-builder.h"
#include "graph/ha-mem.h"
#include "graph/ha-memory.h"
#include "text/ha-root-text.h"

#define UNSEEN G_MAXUINT32
#define AHEAD  16  /* references whose numbers are on their way */
#define FAR    120 /* nodes whose place among the references is on its way */
#define NEAR   60  /* those whose references are */

/* Nodes are numbered in preorder of a depth-first search; 0 is the super-root. All arrays but number[] are by these numbers. */
struct HaDominators {
    guint32 n_objects, n; /* n: nodes, super-root included */
    gboolean borrowed;    /* number, object, parent and retained are an index's */
    guint32 *number;      /* of an object; UNSEEN: not live */
    HaId *object;
    guint32 *parent;   /* in the search tree, at last in the dominator tree */
    guint64 *retained; /* lies where links were */
    guint64 steps;
    guint32 n_threads, n_frames;
    guint32 *thread, *frame; /* numbers of their nodes; NULL: they have none */
};

typedef struct {
    guint32 ancestor; /* towards the root of the search tree, compressed; later the jump pointer */
    guint32 least;    /* least semidominator on the way there; later the depth */
} Link;

/* References of a node on the way down that are still to be looked at. */
typedef struct {
    guint64 at, end;
} Step;

typedef struct {
    HaGraph *g;
    const HaBits *live;
    HaBits *roots;            /* owned: held by the super-root */
    HaBits *framed, *running; /* owned; held by frames; objects of frames that run; NULL: frames have no nodes */
    HaDominators *d;
    HaRefsView refs, back;
    HaWeakView weak, back_weak; /* of all references: bits by their place in the arrays */
    Link *link;                 /* owned */
    guint32 *semi;              /* owned */
    HaVec stack;                /* Step, for each node on the way down; then guint32 */
} Work;

/* The frames below one on the stack hold it by f_back; what it holds would go with it all the same. */
static gboolean
is_way_back(const Work *w, HaId from, HaId to)
{
    return w->running != NULL && ha_bits_get(w->running, from) && ha_bits_get(w->running, to);
}

/* An object's references, the first of which will be wanted at once. */
static inline Step
begin(const Work *w, HaId id)
{
    Step step = {ha_view_first(&w->refs, id), ha_view_first(&w->refs, (gsize)id + 1)};
    for (guint64 at = step.at; at < MIN(step.end, step.at + AHEAD); at++)
        __builtin_prefetch(&w->d->number[w->refs.refs[at]]);
    return step;
}

/* Depth first from one object that a node above holds, iteratively. */
static gboolean
search(Work *w, HaId start, guint32 above)
{
    HaDominators *d = w->d;
    if (d->number[start] != UNSEEN || !ha_bits_get(w->live, start))
        return TRUE;
    if (above == 0)
        ha_bits_set(w->roots, start);
    guint32 node = d->n++;
    d->number[start] = node;
    d->object[node] = start;
    d->parent[node] = above;
    w->stack.n = 0;
    if (!ha_vec_reserve(&w->stack, 1))
        return FALSE;
    const HaId *refs = w->refs.refs;
    guint32 *number = d->number;
    gboolean framed = w->running != NULL;
    Step *step = w->stack.data, *full = step + w->stack.capacity - 1;
    *step = begin(w, start);
    for (;;) {
        guint64 at = step->at;
        for (; at < step->end; at++) {
            if (at + AHEAD < step->end)
                __builtin_prefetch(&number[refs[at + AHEAD]]);
            if (number[refs[at]] == UNSEEN && ha_bits_get(w->live, refs[at]) && !ha_weak(&w->weak, at) &&
                !(framed && is_way_back(w, d->object[node], refs[at])))
                break;
        }
        if (at == step->end) {
            node = d->parent[node];
            if (node == above)
                return TRUE;
            step--;
            continue;
        }
        HaId to = refs[at];
        step->at = at + 1;
        number[to] = d->n;
        d->object[d->n] = to;
        d->parent[d->n] = node;
        node = d->n++;
        if (step == full) {
            gsize depth = w->stack.capacity - 1;
            w->stack.n = depth;
            if (!ha_vec_reserve(&w->stack, 2))
                return FALSE;
            step = (Step *)w->stack.data + depth;
            full = (Step *)w->stack.data + w->stack.capacity - 1;
        }
        *++step = begin(w, to);
    }
}

/* Held by the super-root: the same as ha_is_root(), for all. */
static void
mark_roots(Work *w, const HaLedger *ledger)
{
    gsize n_roots, n_frames;
    const HaRoot *roots = ha_graph_roots(w->g, &n_roots);
    const HaFrame *frames = ha_graph_frames(w->g, &n_frames);
    GHashTableIter modules;
    gpointer module;

    for (gsize i = 0; i < n_roots; i++)
        ha_bits_set(w->framed != NULL && roots[i].kind == HF_ROOT_FRAME ? w->framed : w->roots, roots[i].id);
    for (HaId id = 0; id < w->d->n_objects; id++)
        if (ha_graph_flags(w->g, id) & HF_OBJ_IMMORTAL || (ledger != NULL && ha_ledger_surplus(ledger, id) > 0))
            ha_bits_set(w->roots, id);
    /* until 3.10 the C code that runs a frame holds its object */
    for (gsize f = 0; w->running != NULL && f < n_frames; f++) {
        HaId id = frames[f].frame;
        gsize n;

        if (id == HA_ID_NONE)
            continue;
        ha_bits_set(w->running, id);
        ha_bits_set(w->framed, id);
        ha_graph_roots_of(w->g, id, &n);
        if (n == 0 && ledger != NULL && ha_ledger_surplus(ledger, id) == 1)
            ha_bits_clear(w->roots, id);
    }
    if (ledger == NULL)
        return;
    g_hash_table_iter_init(&modules, ledger->modules);
    while (g_hash_table_iter_next(&modules, &module, NULL))
        ha_bits_set(w->roots, GPOINTER_TO_UINT(module));
}

/* A node that is no object. */
static guint32
add_node(HaDominators *d, guint32 above)
{
    d->object[d->n] = HA_ID_NONE;
    d->parent[d->n] = above;
    return d->n++;
}

/* What frames hold hangs on a node of the frame, these on one of the thread. */
static gboolean
number_frames(Work *w)
{
    HaDominators *d = w->d;
    gsize n_roots, n_threads, n_frames;
    const HaRoot *roots = ha_graph_roots(w->g, &n_roots);
    const HaThread *threads = ha_graph_threads(w->g, &n_threads);
    const HaFrame *frames = ha_graph_frames(w->g, &n_frames);

    for (gsize t = 0; t < n_threads; t++) {
        d->thread[t] = add_node(d, 0);
        for (gsize f = threads[t].first_frame; f < (gsize)threads[t].first_frame + threads[t].n_frames; f++) {
            d->frame[f] = add_node(d, d->thread[t]);
            if (frames[f].frame != HA_ID_NONE && !search(w, frames[f].frame, d->frame[f]))
                return FALSE;
            for (gsize r = frames[f].first_root; r < (gsize)frames[f].first_root + frames[f].n_roots; r++)
                if (r < n_roots && !search(w, roots[r].id, d->frame[f]))
                    return FALSE;
        }
    }
    return TRUE;
}

static gboolean
number_nodes(Work *w, const HaLedger *ledger)
{
    HaDominators *d = w->d;
    memset(d->number, 0xff, d->n_objects * sizeof *d->number);
    d->object[0] = HA_ID_NONE;
    d->parent[0] = 0;
    d->n = 1;
    w->stack.item = sizeof(Step);
    mark_roots(w, ledger);
    for (HaId id = 0; id < d->n_objects; id++)
        if (ha_bits_get(w->roots, id) && !search(w, id, 0))
            return FALSE;
    if (w->framed != NULL && !number_frames(w))
        return FALSE;
    for (HaId id = 0; id < d->n_objects; id++)
        if (!search(w, id, 0))
            return FALSE;
    return TRUE;
}

/* The way from node, which is linked, up to the last node before linked becomes one step. */
static guint32
compress(Work *w, guint32 node, guint32 linked)
{
    Link *link = w->link;
    guint32 *way = w->stack.data; /* as long as there are nodes */
    gsize n = 0;
    do {
        way[n++] = node;
        node = link[node].ancestor;
    } while (link[node].ancestor >= linked);
    w->d->steps += n;
    guint32 ancestor = link[node].ancestor, least = link[node].least;
    while (n > 0) {
        Link *below = &link[way[--n]];
        below->ancestor = ancestor;
        below->least = least = MIN(below->least, least);
    }
    return least;
}

/* Least semidominator on the way from node to the last unlinked one. Nodes from linked on are linked. */
static inline guint32
evaluate(Work *w, guint32 node, guint32 linked)
{
    const Link *link = &w->link[node];
    return link->ancestor < linked ? link->least : compress(w, node, linked);
}

/* The same as for referrers, of the frames that hold an object. */
static guint32
semidominator_by_frames(Work *w, guint32 v, guint32 semi)
{
    HaDominators *d = w->d;
    HaId to = d->object[v];
    gsize n, n_roots, n_frames;
    const guint32 *of = ha_graph_roots_of(w->g, to, &n);
    const HaRoot *roots = ha_graph_roots(w->g, &n_roots);
    const HaFrame *frames = ha_graph_frames(w->g, &n_frames);

    for (gsize i = 0; i < n; i++) {
        if (roots[of[i]].kind != HF_ROOT_FRAME)
            continue;
        guint32 u = d->frame[roots[of[i]].frame];
        semi = MIN(semi, u > v ? evaluate(w, u, v + 1) : u);
    }
    for (gsize f = 0; ha_bits_get(w->running, to) && f < n_frames; f++)
        if (frames[f].frame == to)
            semi = MIN(semi, d->frame[f] > v ? evaluate(w, d->frame[f], v + 1) : d->frame[f]);
    return semi;
}

/* Least number that leads to v over nodes above it; all nodes behind it are linked. */
static guint32
semidominator(Work *w, guint32 v)
{
    HaDominators *d = w->d;
    HaId to = d->object[v];
    guint32 semi = d->parent[v];
    gsize n;

    if (to == HA_ID_NONE) /* a thread or a frame: only what is above holds it */
        return semi;
    if (semi == 0 || ha_bits_get(w->roots, to))
        return 0;
    gboolean framed = w->framed != NULL && ha_bits_get(w->framed, to);
    if (framed)
        semi = semidominator_by_frames(w, v, semi);
    const HaId *from = ha_view_refs(&w->back, to, &n);
    if (n <= 1 && !framed) /* it is the one above */
        return semi;
    gsize first = (gsize)(from - w->back.refs);
    for (gsize i = 0; i < n && semi != 0; i++) {
        if (i + AHEAD < n)
            __builtin_prefetch(&d->number[from[i + AHEAD]]);
        guint32 u = d->number[from[i]];
        if (u == UNSEEN || ha_weak(&w->back_weak, first + i) || (framed && is_way_back(w, from[i], to)))
            continue;
        if (u > v)
            u = evaluate(w, u, v + 1);
        semi = MIN(semi, u);
    }
    return semi;
}

static void
find_semidominators(Work *w)
{
    HaDominators *d = w->d;
    HaId id;

    for (guint32 v = d->n - 1; v >= 1; v--) {
        /*
         * Where the referrers of nodes to come stand; those below the top want none. Their numbers and links are better left to the
         * processor, which is slower with calls for them, too. Not a function: gcc drops calls of one that only prefetches.
         */
        if (v > FAR && d->parent[v - FAR] != 0 && (id = d->object[v - FAR]) != HA_ID_NONE)
            __builtin_prefetch(w->back.first32 != NULL ? (const void *)&w->back.first32[id] : &w->back.first64[id]);
        if (v > NEAR && d->parent[v - NEAR] != 0 && (id = d->object[v - NEAR]) != HA_ID_NONE)
            __builtin_prefetch(w->back.refs + ha_view_first(&w->back, id));
        w->semi[v] = semidominator(w, v);
        w->link[v] = (Link){.ancestor = d->parent[v], .least = w->semi[v]};
    }
}

static void
find_dominators(Work *w)
{
    HaDominators *d = w->d;
    Link *jump = w->link;
    jump[0] = (Link){0};
    for (guint32 v = 1; v < d->n; v++) {
        if (v + 16 < d->n)
            __builtin_prefetch(&jump[d->parent[v + 16]]);
        guint32 to = d->parent[v], semi = w->semi[v];
        for (; to > semi; d->steps++)
            to = jump[to].ancestor > semi ? jump[to].ancestor : d->parent[to];
        d->parent[v] = to;
        guint32 far = jump[to].ancestor;
        gboolean even = jump[to].least - jump[far].least == jump[far].least - jump[jump[far].ancestor].least;
        jump[v] = (Link){.ancestor = even ? jump[far].ancestor : to, .least = jump[to].least + 1};
    }
}

static gboolean
build(Work *w, const HaLedger *ledger)
{
    HaDominators *d = w->d;
    gsize room = (gsize)d->n_objects + 1 + d->n_threads + d->n_frames;
    d->number = ha_mem_new(room, sizeof *d->number);
    d->object = ha_mem_new(room, sizeof *d->object);
    d->parent = ha_mem_new(room, sizeof *d->parent);
    w->roots = ha_bits_new(d->n_objects, FALSE);
    if (d->number == NULL || d->object == NULL || d->parent == NULL || w->roots == NULL || !number_nodes(w, ledger))
        return FALSE;
    ha_vec_clear(&w->stack);
    w->stack.item = sizeof(guint32);
    w->link = ha_mem_new(d->n, sizeof *w->link);
    w->semi = ha_mem_new(d->n, sizeof *w->semi);
    if (w->link == NULL || w->semi == NULL || !ha_vec_reserve(&w->stack, d->n))
        return FALSE;
    find_semidominators(w);
    find_dominators(w);

    G_STATIC_ASSERT(sizeof *w->link == sizeof *d->retained);
    d->retained = (guint64 *)(void *)w->link;
    w->link = NULL;
    d->retained[0] = 0;
    for (guint32 v = 1; v < d->n; v++)
        d->retained[v] = d->object[v] != HA_ID_NONE ? ha_graph_size(w->g, d->object[v]) : 0;
    for (guint32 v = d->n - 1; v >= 1; v--)
        d->retained[d->parent[v]] += d->retained[v];
    return TRUE;
}

static void
set_no_memory(GError **error)
{
    ha_memory_fail(error, "for retained sizes");
}

static HaDominators *
compute(HaGraph *g, const HaLedger *ledger, const HaBits *live, gboolean by_frames, GError **error)
{
    guint64 one =
        3 * sizeof(guint32) + sizeof(Link) + 2 * sizeof(guint32); /* all that build() has a number of each object in */
    if (!ha_graph_need_referrers(g, error) || !ha_memory_ask(one * ha_graph_n_objects(g), "for retained sizes", error))
        return NULL;
    g_autoptr(HaDominators) d = g_new0(HaDominators, 1);
    Work w = {.g = g, .live = live, .d = d};
    gsize n_threads, n_frames;
    gboolean ok = TRUE;

    w.refs = ha_graph_view_referents(g);
    w.back = ha_graph_view_referrers(g);
    w.weak = ha_graph_weak_all(g);
    w.back_weak = ha_graph_weak_all_back(g);
    d->n_objects = ha_graph_n_objects(g);
    if (by_frames) {
        ha_graph_threads(g, &n_threads);
        ha_graph_frames(g, &n_frames);
        d->n_threads = n_threads;
        d->n_frames = n_frames;
        d->thread = ha_mem_new0(n_threads, sizeof *d->thread);
        d->frame = ha_mem_new0(n_frames, sizeof *d->frame);
        w.framed = ha_bits_new(d->n_objects, FALSE);
        w.running = ha_bits_new(d->n_objects, FALSE);
        ok = d->thread != NULL && d->frame != NULL && w.framed != NULL && w.running != NULL;
    }
    ok = ok && build(&w, ledger);
    ha_bits_free(w.roots);
    ha_bits_free(w.framed);
    ha_bits_free(w.running);
    ha_mem_free(w.link);
    ha_mem_free(w.semi);
    ha_vec_clear(&w.stack);
    if (!ok) {
        set_no_memory(error);
        return NULL;
    }
    return g_steal_pointer(&d);
}

HaDominators *
ha_dominators_new(HaGraph *g, const HaLedger *ledger, const HaBits *live, GError **error)
{
    if (ledger != NULL && ledger->known.number != NULL && ledger->known.live == live) {
        const HaKnownDominators *known = &ledger->known;
        HaDominators *d = g_new0(HaDominators, 1);
        *d = (HaDominators){.n_objects = ha_graph_n_objects(g),
                            .n = known->n,
                            .borrowed = TRUE,
                            .number = (gpointer)known->number,
                            .object = (gpointer)known->object,
                            .parent = (gpointer)known->parent,
                            .retained = (gpointer)known->retained};
        return d;
    }
    return compute(g, ledger, live, FALSE, error);
}

HaDominators *
ha_dominators_new_by_frames(HaGraph *g, const HaLedger *ledger, const HaBits *live, GError **error)
{
    return compute(g, ledger, live, TRUE, error);
}

HaKnownDominators
ha_dominators_known(const HaDominators *d)
{
    return (HaKnownDominators){d->n, d->number, d->object, d->parent, d->retained, NULL};
}

/* Numbers and objects name each other, and parents come before their children. */
gboolean
ha_dominators_are_sound(const HaKnownDominators *known, guint32 n_objects)
{
    gboolean ok = known->n >= 1 && known->n <= (gsize)n_objects + 1 && known->object[0] == HA_ID_NONE;
    for (guint32 id = 0; ok && id < n_objects; id++) {
        guint32 v = known->number[id];
        ok = v == UNSEEN || (v >= 1 && v < known->n && known->object[v] == id);
    }
    for (guint32 v = 1; ok && v < known->n; v++)
        ok = known->object[v] < n_objects && known->number[known->object[v]] == v && known->parent[v] < v;
    return ok;
}

guint64
ha_dominators_thread_retained(const HaDominators *d, guint32 thread)
{
    g_assert(thread < d->n_threads);
    return d->retained[d->thread[thread]];
}

guint64
ha_dominators_frame_retained(const HaDominators *d, guint32 frame)
{
    g_assert(frame < d->n_frames);
    return d->retained[d->frame[frame]];
}

gboolean
ha_dominators_goes_with_frame(const HaDominators *d, HaId id, guint32 frame)
{
    g_assert(frame < d->n_frames && id < d->n_objects);
    guint32 v = d->number[id];

    return v != UNSEEN && d->parent[v] == d->frame[frame];
}

void
ha_dominators_free(HaDominators *d)
{
    if (d == NULL)
        return;
    if (!d->borrowed) {
        ha_mem_free(d->number);
        ha_mem_free(d->object);
        ha_mem_free(d->parent);
        ha_mem_free(d->retained);
    }
    ha_mem_free(d->thread);
    ha_mem_free(d->frame);
    g_free(d);
}

guint64
ha_dominators_retained(const HaDominators *d, HaId id)
{
    g_assert(id < d->n_objects);
    return d->number[id] == UNSEEN ? 0 : d->retained[d->number[id]];
}

guint64
ha_dominators_steps(const HaDominators *d)
{
    return d->steps;
}

HaId
ha_dominators_parent(const HaDominators *d, HaId id)
{
    g_assert(id < d->n_objects);
    return d->number[id] == UNSEEN ? HA_ID_NONE : d->object[d->parent[d->number[id]]];
}

gboolean
ha_dominators_walk(const HaDominators *d, void (*enter)(HaId id, gpointer user), void (*leave)(HaId id, gpointer user),
                   gpointer user, GError **error)
{
    /* lists of children; the way down needs no stack, since parents are known */
    guint32 *first = ha_mem_new0(d->n, sizeof *first), *next = ha_mem_new0(d->n, sizeof *next);
    gboolean ok = first != NULL && next != NULL;
    if (!ok)
        set_no_memory(error);
    for (guint32 v = d->n - 1; ok && v >= 1; v--) {
        next[v] = first[d->parent[v]];
        first[d->parent[v]] = v;
    }
    for (guint32 v = ok ? first[0] : 0; v != 0;) {
        if (d->object[v] != HA_ID_NONE)
            enter(d->object[v], user);
        if (first[v] != 0) {
            v = first[v];
            continue;
        }
        while (v != 0) {
            if (d->object[v] != HA_ID_NONE)
                leave(d->object[v], user);
            if (next[v] != 0)
                break;
            v = d->parent[v];
        }
        if (v != 0)
            v = next[v];
    }
    ha_mem_free(first);
    ha_mem_free(next);
    return ok;
}
