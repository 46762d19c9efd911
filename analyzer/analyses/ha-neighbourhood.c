// SPDX-License-Identifier: MIT
#include "analyses/ha-neighbourhood.h"

#include "analyses/ha-near-paths.h"
#include "analyses/ha-owner.h"
#include "analyses/ha-referrers.h"
#include "graph/ha-memory.h"
#include "text/ha-name-template.h"

#include <string.h>

enum {
    MAX_NODES = 3000,
    NAMES_KEPT = 8,       /* different names of edges between two nodes */
    HUB_LEVEL = 2,        /* from here on an object with too many referrers is a hub */
    HUB_HOLDERS = 3,      /* referrers of a hub that are one of a kind and get a node */
    BUNDLE_LEAST = 3,     /* so many of one type and name get one node, when there are too many for a node each */
    FEW_REFERRERS = 2000, /* for references among the farthest objects */
};

typedef struct {
    HaGraph *g;
    const HaNeighbourhoodSpec *spec;
    HaNeighbourhood *out;
    HaBits *keep;         /* chosen, sources, excluded: dicts among them are drawn as themselves */
    HaNearPaths *paths;   /* what lies on them is never put into a bundle */
    GHashTable *node_of;  /* id + 1 → node + 1 */
    GHashTable *edge_of;  /* "from to flags name" → edge + 1 */
    GHashTable *names_of; /* "from to flags" → how many edges */
    GHashTable *frame_of; /* frame index + 1 → node + 1 */
    GHashTable *running;  /* id + 1 of the frame objects of running functions */
    GArray *queue;        /* nodes to look at */
    HaReferrerBudget budget;
} Explorer;

static void
clear_node(gpointer data)
{
    g_clear_pointer(&((HaNear *)data)->members, g_array_unref);
}

static void
clear_edge(gpointer data)
{
    g_free(((HaNearEdge *)data)->name);
}

void
ha_neighbourhood_free(HaNeighbourhood *n)
{
    if (!n)
        return;
    g_array_unref(n->nodes);
    g_array_unref(n->edges);
    g_free(n);
}

static HaNear *
node_at(const Explorer *x, guint i)
{
    return &g_array_index(x->out->nodes, HaNear, i);
}

static gboolean
in(const HaBits *bits, HaId id)
{
    return bits && ha_bits_get(bits, id);
}

static gboolean
is_interpreters(const Explorer *x, HaId id)
{
    gsize n, n_roots;
    const guint32 *held = ha_graph_roots_of(x->g, id, &n);
    const HaRoot *roots = ha_graph_roots(x->g, &n_roots);

    for (gsize i = 0; i < n; i++) {
        guint8 kind = roots[held[i]].kind;
        if (kind == HF_ROOT_INTERPRETER || kind == HF_ROOT_THREAD || kind == HF_ROOT_STATIC_TYPE ||
            (kind == HF_ROOT_RUNTIME && roots[held[i]].counted))
            return TRUE;
    }
    return FALSE;
}

static guint
flags_of(const Explorer *x, HaId id)
{
    const HaNeighbourhoodSpec *s = x->spec;
    guint flags = 0;

    if (in(s->highlight, id))
        flags |= HA_NEAR_HIGHLIGHT;
    if (in(s->sources, id))
        flags |= HA_NEAR_SOURCE;
    if (in(s->excluded, id))
        flags |= HA_NEAR_EXCLUDED;
    if (is_interpreters(x, id) || ha_graph_type(x->g, id)->family == HF_FAMILY_MODULE || ha_is_module_dict(x->g, id) ||
        g_hash_table_contains(x->running, GSIZE_TO_POINTER((gsize)id + 1)))
        flags |= HA_NEAR_ROOT;
    return flags;
}

static guint
add_node(Explorer *x, HaNearKind kind, HaId id, GArray *members, guint level, guint flags)
{
    HaNear n = {.kind = kind,
                .id = id,
                .members = members,
                .frame = G_MAXUINT32,
                .dict = HA_ID_NONE,
                .level = level,
                .flags = flags};
    guint index = x->out->nodes->len;

    g_array_append_val(x->out->nodes, n);
    g_array_append_val(x->queue, index);
    if (kind == HA_NEAR_OBJECT)
        g_hash_table_insert(x->node_of, GSIZE_TO_POINTER((gsize)id + 1), GUINT_TO_POINTER(index + 1));
    for (guint i = 0; kind == HA_NEAR_BUNDLE && i < members->len; i++)
        g_hash_table_insert(x->node_of, GSIZE_TO_POINTER((gsize)g_array_index(members, HaId, i) + 1),
                            GUINT_TO_POINTER(index + 1));
    return index;
}

/* The same reference of several members of a bundle is one edge, and so are those beyond some names that differ in the index only. */
static void
add_edge(Explorer *x, guint from, guint to, guint flags, guint64 count, const char *name)
{
    g_autofree char *pair = g_strdup_printf("%u %u %u", from, to, flags);
    guint names = GPOINTER_TO_UINT(g_hash_table_lookup(x->names_of, pair));
    g_autofree char *template = name && names >= NAMES_KEPT ? ha_name_template(name, strlen(name)) : NULL;
    const char *shown = template ? template : name;
    g_autofree char *key = g_strdup_printf("%s %s", pair, shown ? shown : "");
    gpointer known = g_hash_table_lookup(x->edge_of, key);

    if (known) {
        g_array_index(x->out->edges, HaNearEdge, GPOINTER_TO_UINT(known) - 1).count += count;
        return;
    }
    HaNearEdge e = {from, to, flags, count, g_strdup(shown)};
    g_array_append_val(x->out->edges, e);
    g_hash_table_insert(x->edge_of, g_steal_pointer(&key), GUINT_TO_POINTER(x->out->edges->len));
    g_hash_table_insert(x->names_of, g_steal_pointer(&pair), GUINT_TO_POINTER(names + 1));
}

/* Referrers of a node that have none yet, by type and first name. */
typedef struct {
    char *name; /* as a template; owned; NULL: none */
    guint32 type;
    gboolean weak;
    GArray *items; /* const HaReferrer * */
    guint64 references;
} Group;

static void
group_free(gpointer data)
{
    Group *group = data;

    g_free(group->name);
    g_array_unref(group->items);
    g_free(group);
}

/*
 * For one object few of a kind first: a holder is one of a kind, what points back to a hub are many. For many objects those with most
 * references first: they say what holds most of them.
 */
static int
compare_groups(gconstpointer a, gconstpointer b, gpointer many_targets)
{
    const Group *x = *(const Group *const *)a, *y = *(const Group *const *)b;

    if (x->weak != y->weak)
        return x->weak ? 1 : -1;
    if (many_targets && x->references != y->references)
        return x->references > y->references ? -1 : 1;
    if (!many_targets && x->items->len != y->items->len)
        return x->items->len < y->items->len ? -1 : 1;
    HaId i = g_array_index(x->items, const HaReferrer *, 0)->id, k = g_array_index(y->items, const HaReferrer *, 0)->id;
    return i < k ? -1 : i > k;
}

static GPtrArray *
make_groups(const Explorer *x, const GPtrArray *fresh, gboolean many_targets)
{
    GPtrArray *groups = g_ptr_array_new_with_free_func(group_free);
    g_autoptr(GHashTable) of_type = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);

    for (guint i = 0; i < fresh->len; i++) {
        const HaReferrer *r = g_ptr_array_index(fresh, i);
        guint32 type = ha_graph_type_index(x->g, r->id);
        GPtrArray *same = g_hash_table_lookup(of_type, GUINT_TO_POINTER(type));
        g_autofree char *name = r->n_names ? ha_name_template(r->names[0], strlen(r->names[0])) : NULL;
        Group *group = NULL;

        if (!same) {
            same = g_ptr_array_new();
            g_hash_table_insert(of_type, GUINT_TO_POINTER(type), same);
        }
        for (guint k = 0; k < same->len && !group; k++) {
            Group *candidate = g_ptr_array_index(same, k);
            if (candidate->weak == r->weak && (g_strcmp0(candidate->name, name) == 0 || k >= 20))
                group = candidate;
        }
        if (!group) {
            group = g_new(Group, 1);
            *group = (Group){g_steal_pointer(&name), type, r->weak, g_array_new(FALSE, FALSE, sizeof(HaReferrer *)), 0};
            g_ptr_array_add(same, group);
            g_ptr_array_add(groups, group);
        }
        g_array_append_val(group->items, r);
        group->references += r->count;
    }
    g_ptr_array_sort_with_data(groups, compare_groups, GINT_TO_POINTER(many_targets));
    return groups;
}

static gboolean
is_red(const Explorer *x, HaId from, const HaNear *to)
{
    gboolean red = to->kind == HA_NEAR_OBJECT && ha_near_paths_red(x->paths, from, to->id);

    for (guint i = 0; x->spec->sources && to->members && i < to->members->len && !red; i++)
        red = ha_near_paths_red(x->paths, from, g_array_index(to->members, HaId, i));
    return red;
}

static void
connect_referrer(Explorer *x, guint from, guint to, const HaReferrer *r)
{
    guint flags = (r->weak ? HA_NEAR_WEAK : 0) | (is_red(x, r->id, node_at(x, to)) ? HA_NEAR_RED : 0);

    if (!r->weak && node_at(x, from)->flags & HA_NEAR_WEAK) {
        node_at(x, from)->flags &= ~(guint)HA_NEAR_WEAK; /* only the others were weak: to be followed after all */
        g_array_append_val(x->queue, from);
    }
    if (r->n_names <= 1) {
        add_edge(x, from, to, flags, r->count, r->n_names ? r->names[0] : NULL);
        return;
    }
    if (r->count > HA_REFERRER_NAMES) {
        g_autofree char *name = ha_name_template(r->names[0], strlen(r->names[0]));
        add_edge(x, from, to, flags, r->count, name);
        return;
    }
    for (guint i = 0; i < r->n_names; i++)
        add_edge(x, from, to, flags, i ? 1 : r->count - r->n_names + 1, r->names[i]);
}

static guint
add_object(Explorer *x, const HaReferrer *r, guint level)
{
    guint flags = flags_of(x, r->id) | (r->weak ? HA_NEAR_WEAK : 0);
    guint index = add_node(x, HA_NEAR_OBJECT, r->id, NULL, level, flags);

    node_at(x, index)->dict = r->dict;
    return index;
}

/* One edge for all members, named after the first; several names stay several as far as they are few. */
static void
connect_group(Explorer *x, guint from, guint to, const Group *group)
{
    add_edge(x, from, to, group->weak ? HA_NEAR_WEAK : 0, group->references, group->name);
}

static GArray *
ids_of(const Group *group)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(HaId));

    for (guint i = 0; i < group->items->len; i++) {
        HaId id = g_array_index(group->items, const HaReferrer *, i)->id;
        if (!ids->len || g_array_index(ids, HaId, ids->len - 1) != id)
            g_array_append_val(ids, id);
    }
    return ids;
}

/* The node of one that refers to another: it may have come up in the meantime, by itself or through its namespace. */
static void
connect_object(Explorer *x, const HaReferrer *r, guint to)
{
    gpointer known = g_hash_table_lookup(x->node_of, GSIZE_TO_POINTER((gsize)r->id + 1));
    guint level = node_at(x, to)->level + 1;

    connect_referrer(x, known ? GPOINTER_TO_UINT(known) - 1 : add_object(x, r, level), to, r);
}

static void
add_bundle(Explorer *x, const Group *group, guint to)
{
    GArray *ids = ids_of(group);
    HaId first = g_array_index(ids, HaId, 0);
    guint flags = flags_of(x, first) & (HA_NEAR_HIGHLIGHT | HA_NEAR_ROOT);
    guint from =
        add_node(x, HA_NEAR_BUNDLE, first, ids, node_at(x, to)->level + 1, flags | (group->weak ? HA_NEAR_WEAK : 0));

    connect_group(x, from, to, group);
}

static void
add_groups(Explorer *x, guint to, GPtrArray *groups, guint slots)
{
    g_autoptr(GPtrArray) rest = g_ptr_array_new();
    /* Far away, what so many refer to is a hub (an event loop, a logger): what points back to it is not followed. */
    gboolean hub = node_at(x, to)->level >= HUB_LEVEL;

    slots = hub ? MIN(slots, HUB_HOLDERS) : slots;

    for (guint i = 0; i < groups->len; i++) {
        const Group *group = g_ptr_array_index(groups, i);
        gboolean bundle = group->items->len >= BUNDLE_LEAST;
        guint wanted = bundle ? 1 : group->items->len;
        gboolean fits = slots >= wanted && !(hub && bundle);

        slots -= fits ? wanted : 0;
        if (fits && bundle)
            add_bundle(x, group, to);
        for (guint k = 0; k < group->items->len && !(fits && bundle); k++) {
            const HaReferrer *r = g_array_index(group->items, const HaReferrer *, k);
            if (fits)
                connect_object(x, r, to);
            else
                g_ptr_array_add(rest, (gpointer)r);
        }
    }
    if (rest->len == 1) {
        connect_object(x, g_ptr_array_index(rest, 0), to); /* takes no more room than "1 more" */
    } else if (rest->len) {
        GArray *ids = g_array_new(FALSE, FALSE, sizeof(HaId));
        guint64 references = 0;

        for (guint i = 0; i < rest->len; i++) {
            const HaReferrer *r = g_ptr_array_index(rest, i);
            g_array_append_val(ids, r->id);
            references += r->count;
        }
        guint from = add_node(x, HA_NEAR_MORE, HA_ID_NONE, ids, node_at(x, to)->level + 1, 0);
        add_edge(x, from, to, 0, references, NULL);
    }
}

/* Which referrers of a node are drawn. */
enum {
    FROM_KNOWN = 1 << 0, /* those that are in the graph */
    FROM_PATHS = 1 << 1, /* those on a path, too */
    FROM_ALL = 1 << 2,   /* every other */
};

static void
expand(Explorer *x, guint to, guint from)
{
    HaNear *node = node_at(x, to);
    const HaId *targets = node->members ? (const HaId *)(const void *)node->members->data : &node->id;
    gsize n_targets = node->members ? node->members->len : 1;
    HaId own_dict = node->dict;
    g_autoptr(HaReferrers) referrers =
        ha_referrers_new(x->g, x->spec->live, targets, n_targets, x->keep, x->paths->raw, &x->budget);
    g_autoptr(GPtrArray) fresh = g_ptr_array_new();
    guint64 left_out = 0;
    guint slots = x->spec->max_breadth;

    node->followed = from & FROM_ALL;
    for (guint i = 0; i < referrers->items->len; i++) {
        const HaReferrer *r = &g_array_index(referrers->items, HaReferrer, i);
        gpointer known = g_hash_table_lookup(x->node_of, GSIZE_TO_POINTER((gsize)r->id + 1));

        if (r->id == own_dict)
            continue; /* a namespace that refers to its owner */
        if (known && from & FROM_KNOWN) {
            connect_referrer(x, GPOINTER_TO_UINT(known) - 1, to, r);
        } else if (ha_bits_get(x->paths->nodes, r->id) && from & FROM_PATHS) {
            connect_object(x, r, to);
            slots -= slots > 0;
        } else if (from & FROM_ALL) {
            g_ptr_array_add(fresh, (gpointer)r);
        } else {
            left_out++;
        }
    }
    node_at(x, to)->more = left_out;
    node_at(x, to)->unexamined = referrers->unexamined;
    if (fresh->len <= slots) {
        for (guint i = 0; i < fresh->len; i++)
            connect_object(x, g_ptr_array_index(fresh, i), to);
        return;
    }
    g_autoptr(GPtrArray) groups = make_groups(x, fresh, node_at(x, to)->members != NULL);
    add_groups(x, to, groups, slots);
}

/* Running functions whose locals hold the node. */
static void
add_frames(Explorer *x, guint to)
{
    gsize n_roots, n_frames;
    const HaRoot *roots = ha_graph_roots(x->g, &n_roots);
    const HaFrame *frames = ha_graph_frames(x->g, &n_frames);
    const HaNear *node = node_at(x, to);
    guint n_ids = node->members ? MIN(node->members->len, 10000) : 1;
    guint level = node->level + 1, made = 0;
    guint64 left_out = 0;

    for (guint i = 0; i < n_ids; i++) {
        HaId id = node_at(x, to)->members ? g_array_index(node_at(x, to)->members, HaId, i) : node_at(x, to)->id;
        gsize n;
        const guint32 *held = ha_graph_roots_of(x->g, id, &n);

        for (gsize k = 0; k < n; k++) {
            const HaRoot *root = &roots[held[k]];
            if (root->kind != HF_ROOT_FRAME || root->frame >= n_frames)
                continue;
            const HaFrame *frame = &frames[root->frame];
            gboolean object = frame->frame != HA_ID_NONE && ha_bits_get(x->spec->live, frame->frame);
            /* not owned: the frame object has this reference too */
            if (object && !(frame->flags & HF_FRAME_OWNED))
                continue;
            gpointer known = g_hash_table_lookup(x->frame_of, GUINT_TO_POINTER(root->frame + 1));
            if (!known && made >= x->spec->max_breadth) {
                left_out++;
                continue;
            }
            guint from = known ? GPOINTER_TO_UINT(known) - 1 : x->out->nodes->len;
            if (!known) {
                add_node(x, HA_NEAR_FRAME, object ? frame->frame : HA_ID_NONE, NULL, level, HA_NEAR_ROOT);
                node_at(x, from)->frame = root->frame;
                g_hash_table_insert(x->frame_of, GUINT_TO_POINTER(root->frame + 1), GUINT_TO_POINTER(from + 1));
                made++;
            }
            add_edge(x, from, to, 0, 1, root->name);
        }
    }
    node_at(x, to)->more += left_out;
}

static void
explore(Explorer *x)
{
    guint most = x->spec->max_nodes ? x->spec->max_nodes : MAX_NODES;

    for (guint head = 0; head < x->queue->len; head++) {
        guint i = g_array_index(x->queue, guint, head);
        HaNear *node = node_at(x, i);
        gboolean chosen = node->flags & HA_NEAR_CHOSEN;

        if (node->kind == HA_NEAR_MORE || node->kind == HA_NEAR_FRAME || node->followed)
            continue;
        if (node->flags & (HA_NEAR_EXCLUDED | HA_NEAR_WEAK) || (node->flags & HA_NEAR_ROOT && !chosen)) {
            if (node->kind == HA_NEAR_OBJECT)
                node->more = ha_referrers_count(x->g, x->spec->live, node->id);
            continue;
        }
        gboolean is_type = ha_graph_type(x->g, node->id)->family == HF_FAMILY_TYPE;
        gboolean far = node->level >= x->spec->max_depth;
        gboolean full = x->out->nodes->len >= most;
        if (is_type && !chosen) {
            expand(x, i, far ? 0 : FROM_PATHS); /* every instance refers to it */
        } else if (far || full) {
            x->out->full |= !far;
            /* Arrows among what is there: not to a hub, where they would be everywhere. */
            gboolean hub =
                node->kind == HA_NEAR_OBJECT && ha_referrers_count(x->g, x->spec->live, node->id) > FEW_REFERRERS;
            expand(x, i, (hub ? 0 : FROM_KNOWN) | (far ? 0 : FROM_PATHS));
        } else {
            expand(x, i, FROM_KNOWN | FROM_PATHS | FROM_ALL);
        }
        if (!far)
            add_frames(x, i);
    }
}

static void
add_chosen(Explorer *x)
{
    const HaNeighbourhoodSpec *s = x->spec;
    g_autoptr(GPtrArray) bundles = g_ptr_array_new();
    g_autoptr(GHashTable) of_type = g_hash_table_new(NULL, NULL);
    GArray *rest = NULL;

    if (s->n_chosen <= MAX(s->max_breadth, 1)) {
        for (gsize i = 0; i < s->n_chosen; i++)
            add_node(x, HA_NEAR_OBJECT, s->chosen[i], NULL, 0, HA_NEAR_CHOSEN | flags_of(x, s->chosen[i]));
        return;
    }
    for (gsize i = 0; i < s->n_chosen; i++) {
        gpointer type = GUINT_TO_POINTER(ha_graph_type_index(x->g, s->chosen[i]) + 1);
        GArray *ids = g_hash_table_lookup(of_type, type);

        if (!ids) {
            ids = g_array_new(FALSE, FALSE, sizeof(HaId));
            g_hash_table_insert(of_type, type, ids);
            g_ptr_array_add(bundles, ids);
        }
        g_array_append_val(ids, s->chosen[i]);
    }
    for (guint i = 0; i < bundles->len; i++) {
        GArray *ids = g_ptr_array_index(bundles, i);
        HaId first = g_array_index(ids, HaId, 0);

        if (i >= MAX(s->max_breadth, 1)) {
            rest = rest ? rest : g_array_new(FALSE, FALSE, sizeof(HaId));
            g_array_append_vals(rest, ids->data, ids->len);
            g_array_unref(ids);
            continue;
        }
        guint flags = HA_NEAR_CHOSEN | (flags_of(x, first) & HA_NEAR_HIGHLIGHT);
        if (ids->len == 1) {
            add_node(x, HA_NEAR_OBJECT, first, NULL, 0, HA_NEAR_CHOSEN | flags_of(x, first));
            g_array_unref(ids);
        } else {
            add_node(x, HA_NEAR_BUNDLE, first, ids, 0, flags);
        }
    }
    if (rest)
        add_node(x, HA_NEAR_MORE, HA_ID_NONE, rest, 0, HA_NEAR_CHOSEN);
}

static void
set_all(HaBits *to, const HaBits *from)
{
    for (gsize i = 0; from && i < ((gsize)from->n + 63) / 64; i++)
        to->words[i] |= from->words[i];
}

static void
note_running(Explorer *x)
{
    gsize n_frames;
    const HaFrame *frames = ha_graph_frames(x->g, &n_frames);

    x->running = g_hash_table_new(NULL, NULL);
    for (gsize i = 0; i < n_frames; i++)
        if (frames[i].frame != HA_ID_NONE)
            g_hash_table_add(x->running, GSIZE_TO_POINTER((gsize)frames[i].frame + 1));
}

static gboolean
find_paths(Explorer *x, GError **error)
{
    x->keep = ha_bits_new(ha_graph_n_objects(x->g), FALSE);
    if (!x->keep) {
        ha_memory_fail(error, "for a picture");
        return FALSE;
    }
    for (gsize i = 0; i < x->spec->n_chosen; i++)
        ha_bits_set(x->keep, x->spec->chosen[i]);
    set_all(x->keep, x->spec->sources);
    set_all(x->keep, x->spec->excluded);
    x->paths = ha_near_paths_new(x->g, x->spec, x->keep, error);
    if (!x->paths)
        return FALSE;
    x->out->root = x->paths->root;
    x->out->root_steps = x->paths->root_steps;
    x->out->sources_reached = x->paths->sources_reached;
    x->out->source_steps = x->paths->source_steps;
    set_all(x->paths->raw, x->keep); /* names of all these are looked up however many referrers there are */
    return TRUE;
}

HaNeighbourhood *
ha_neighbourhood_new(HaGraph *g, const HaNeighbourhoodSpec *spec, GError **error)
{
    if (!ha_graph_need_referrers(g, error))
        return NULL;

    Explorer x = {.g = g, .spec = spec, .budget = {G_GUINT64_CONSTANT(200000000)}};
    HaNeighbourhood *out = x.out = g_new0(HaNeighbourhood, 1);
    out->nodes = g_array_new(FALSE, TRUE, sizeof(HaNear));
    g_array_set_clear_func(out->nodes, clear_node);
    out->edges = g_array_new(FALSE, TRUE, sizeof(HaNearEdge));
    g_array_set_clear_func(out->edges, clear_edge);
    out->max_depth = spec->max_depth;
    x.node_of = g_hash_table_new(NULL, NULL);
    x.edge_of = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    x.names_of = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    x.frame_of = g_hash_table_new(NULL, NULL);
    x.queue = g_array_new(FALSE, FALSE, sizeof(guint));
    note_running(&x);
    gboolean ok = find_paths(&x, error);
    if (ok) {
        add_chosen(&x);
        explore(&x);
    }
    g_hash_table_unref(x.node_of);
    g_hash_table_unref(x.edge_of);
    g_hash_table_unref(x.names_of);
    g_hash_table_unref(x.frame_of);
    g_hash_table_unref(x.running);
    g_array_unref(x.queue);
    g_clear_pointer(&x.keep, ha_bits_free);
    g_clear_pointer(&x.paths, ha_near_paths_free);
    if (!ok)
        g_clear_pointer(&out, ha_neighbourhood_free);
    return out;
}
