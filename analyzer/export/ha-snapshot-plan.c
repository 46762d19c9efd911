// SPDX-License-Identifier: MIT
#include "ha-snapshot-plan.h"

#include <string.h>

#include "graph/ha-mem.h"
#include "graph/ha-memory.h"
#include "text/ha-root-text.h"

enum { TEXT_EMPTY, TEXT_WEAK = HA_SNAPSHOT_WEAK, TEXT_MEMBER, TEXT_NO_KEY };

static guint
add_text(HaSnapshotPlan *p, const char *text)
{
    gpointer number;
    if (g_hash_table_lookup_extended(p->numbers, text, NULL, &number))
        return GPOINTER_TO_UINT(number);
    char *copy = g_strdup(text);
    g_ptr_array_add(p->texts, copy);
    g_hash_table_insert(p->numbers, copy, GUINT_TO_POINTER(p->texts->len - 1));
    return p->texts->len - 1;
}

static guint
add_synthetic(HaSnapshotPlan *p, const char *name)
{
    HaSnapshotNode node = {add_text(p, name), g_array_new(FALSE, FALSE, sizeof(HaSnapshotEdge))};
    g_array_append_val(p->synthetic, node);
    return p->synthetic->len - 1;
}

static void
add_edge(HaSnapshotPlan *p, guint from, HaId to, gboolean to_synthetic, guint64 name)
{
    HaSnapshotEdge edge = {to, to_synthetic, name};
    g_array_append_val(g_array_index(p->synthetic, HaSnapshotNode, from).edges, edge);
    p->n_edges++;
}

/* Members below each word. NULL: no memory. */
static guint32 *
count_before(const HaBits *bits)
{
    gsize words = ((gsize)bits->n + 63) / 64;
    guint32 *before = ha_mem_new(words + 1, sizeof *before), sum = 0;
    for (gsize i = 0; before != NULL && i < words; i++) {
        before[i] = sum;
        sum += __builtin_popcountll(bits->words[i]);
    }
    if (before != NULL)
        before[words] = sum;
    return before;
}

static guint32
rank(const HaBits *bits, const guint32 *before, HaId id)
{
    guint64 below = bits->words[id / 64] & ((G_GUINT64_CONSTANT(1) << (id % 64)) - 1);
    return before[id / 64] + __builtin_popcountll(below);
}

static gboolean
number_texts(HaSnapshotTexts *t, guint64 *next)
{
    t->first = *next;
    t->before = count_before(t->bits);
    if (t->before == NULL)
        return FALSE;
    *next += t->before[((gsize)t->bits->n + 63) / 64];
    return TRUE;
}

/* One pass over all references: how many there are, and what texts will be wanted. */
static void
look_at_references(HaSnapshotPlan *p)
{
    const HaGraph *g = p->c->graph;
    for (HaId id = 0; id < ha_graph_n_objects(g); id++) {
        if (!ha_bits_get(p->c->chosen, id))
            continue;
        gsize n, m;
        const HaId *refs = ha_graph_referents(g, id, &n);
        if (ha_graph_content(g, id, &m) != NULL)
            ha_bits_set(p->contents.bits, id);
        for (gsize i = 0; i < n; i++) {
            if (!ha_bits_get(p->c->chosen, refs[i]))
                continue;
            HaRefName name;
            p->n_edges++;
            ha_graph_ref_name(g, id, i, &name);
            if (name.kind == HF_RUN_NAMED)
                (void)add_text(p, name.name);
            else if (name.kind == HF_RUN_ITEMS && name.index != 1)
                ha_bits_set(p->keys.bits, refs[i]);
            else if (name.kind == HF_RUN_ITEMS && name.key != HA_ID_NONE)
                ha_bits_set(p->values.bits, name.key);
        }
    }
}

/* The roots by kind, each a node below "(GC roots)". */
static void
add_roots(HaSnapshotPlan *p, const guint *node_of_kind)
{
    const HaContext *c = p->c;
    const HaGraph *g = c->graph;
    g_autoptr(GArray) held = g_array_new(FALSE, FALSE, sizeof(HaHeldBy));
    for (HaId id = 0; id < ha_graph_n_objects(g); id++) {
        if (!ha_bits_get(c->chosen, id) || !ha_is_root(g, c->ledger, id))
            continue;
        g_array_set_size(held, 0);
        ha_held_by(g, c->ledger, id, held);
        for (guint i = 0; i < held->len; i++) {
            const HaHeldBy *by = &g_array_index(held, HaHeldBy, i);
            guint64 name = HA_SNAPSHOT_NO_TEXT;
            if (by->root != NULL || by->kind == HA_ROOT_KIND_MODULE) {
                g_autofree char *text = ha_held_text(g, c->ledger, id, by);
                name = add_text(p, text);
            }
            add_edge(p, node_of_kind[by->kind], id, FALSE, name);
        }
    }
}

/* What an object of a set leads to inside the set, itself included, becomes known. Visits each object once in all. */
static void
visit(const HaGraph *g, const HaBits *set, HaBits *known, HaId id, GArray *stack)
{
    ha_bits_set(known, id);
    g_array_append_val(stack, id);
    while (stack->len > 0) {
        HaId from = g_array_index(stack, HaId, stack->len - 1);
        gsize n;
        const HaId *refs = ha_graph_referents(g, from, &n);
        HaWeakView weak = ha_graph_weak_referents(g, from);
        g_array_set_size(stack, stack->len - 1);
        for (gsize i = 0; i < n; i++)
            if (ha_bits_get(set, refs[i]) && !ha_bits_get(known, refs[i]) && !ha_weak(&weak, i)) {
                ha_bits_set(known, refs[i]);
                g_array_append_val(stack, refs[i]);
            }
    }
}

/* Referents of what is in from, but not in except, that are in set: marked. */
static void
mark_referents(const HaGraph *g, const HaBits *from, const HaBits *except, const HaBits *set, HaBits *marked)
{
    for (HaId id = 0; id < ha_graph_n_objects(g); id++) {
        if (!ha_bits_get(from, id) || (except != NULL && ha_bits_get(except, id)))
            continue;
        gsize n;
        const HaId *refs = ha_graph_referents(g, id, &n);
        HaWeakView weak = ha_graph_weak_referents(g, id);
        for (gsize i = 0; i < n; i++)
            if (refs[i] != id && ha_bits_get(set, refs[i]) && !ha_weak(&weak, i))
                ha_bits_set(marked, refs[i]);
    }
}

static HaBits *
new_set(const HaGraph *g, GError **error)
{
    HaBits *set = ha_bits_new(ha_graph_n_objects(g), FALSE);
    if (set == NULL)
        ha_memory_fail(error, "for the snapshot");
    return set;
}

/*
 * What no root reaches, below a node of its own: what nothing else of it holds, and one of each circle. What something that was not
 * chosen holds, below another.
 */
static gboolean
add_others(HaSnapshotPlan *p, guint unreached_node, guint left_out_node, GError **error)
{
    const HaContext *c = p->c;
    const HaGraph *g = c->graph;
    g_autoptr(HaBits) reached = ha_reached_objects(g, c->ledger, error);
    g_autoptr(HaBits) left_out = reached != NULL ? new_set(g, error) : NULL;
    g_autoptr(HaBits) set = left_out != NULL ? new_set(g, error) : NULL;
    g_autoptr(HaBits) known = set != NULL ? new_set(g, error) : NULL;
    g_autoptr(HaBits) inner = known != NULL ? new_set(g, error) : NULL;
    if (inner == NULL)
        return FALSE;
    g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(HaId));
    guint32 n = ha_graph_n_objects(g);
    for (HaId id = 0; id < n; id++)
        if (ha_bits_get(c->chosen, id) && !ha_bits_get(reached, id))
            ha_bits_set(set, id);
    mark_referents(g, c->live, c->chosen, c->chosen, left_out);
    for (HaId id = 0; id < n; id++) {
        if (!ha_bits_get(left_out, id))
            continue;
        add_edge(p, left_out_node, id, FALSE, HA_SNAPSHOT_NO_TEXT);
        if (ha_bits_get(set, id) && !ha_bits_get(known, id))
            visit(g, set, known, id, stack);
    }
    mark_referents(g, set, NULL, set, inner);
    for (guint circles = 0; circles < 2; circles++)
        for (HaId id = 0; id < n; id++)
            if (ha_bits_get(set, id) && !ha_bits_get(known, id) && (circles || !ha_bits_get(inner, id))) {
                add_edge(p, unreached_node, id, FALSE, HA_SNAPSHOT_NO_TEXT);
                visit(g, set, known, id, stack);
            }
    return TRUE;
}

/* All nodes that are none of an object. Those of nothing are left out, the root of all and "(GC roots)" excepted. */
static gboolean
add_nodes(HaSnapshotPlan *p, GError **error)
{
    guint node_of_kind[HA_ROOT_KIND_COUNT];
    guint root = add_synthetic(p, ""), gc_roots = add_synthetic(p, "(GC roots)");
    for (guint kind = 0; kind < HA_ROOT_KIND_COUNT; kind++) {
        g_autofree char *name = g_strdup_printf("(%s)", ha_root_kind_name(kind));
        node_of_kind[kind] = add_synthetic(p, name);
    }
    gboolean garbage = ha_options_flag(p->c->options, "garbage");
    guint first_kind = node_of_kind[0];
    guint unreached = garbage ? add_synthetic(p, "(garbage)") : node_of_kind[HA_ROOT_KIND_UNKNOWN];
    guint left_out = add_synthetic(p, "(held by what was not chosen)");
    add_roots(p, node_of_kind);
    if (!add_others(p, unreached, left_out, error))
        return FALSE;
    guint kept = first_kind;
    add_edge(p, root, gc_roots, TRUE, HA_SNAPSHOT_NO_TEXT);
    for (guint i = first_kind, end = p->synthetic->len; i < end; i++) {
        HaSnapshotNode *node = &g_array_index(p->synthetic, HaSnapshotNode, i);
        if (node->edges->len == 0) {
            g_array_unref(node->edges);
            continue;
        }
        gboolean is_root_kind = i < first_kind + HA_ROOT_KIND_COUNT;
        g_array_index(p->synthetic, HaSnapshotNode, kept) = *node;
        add_edge(p, is_root_kind ? gc_roots : root, kept++, TRUE, HA_SNAPSHOT_NO_TEXT);
    }
    g_array_set_size(p->synthetic, kept);
    return TRUE;
}

HaSnapshotPlan *
ha_snapshot_plan_new(const HaContext *c, GError **error)
{
    const HaGraph *g = c->graph;
    g_autoptr(HaSnapshotPlan) p = g_new0(HaSnapshotPlan, 1);
    p->c = c;
    p->synthetic = g_array_new(FALSE, FALSE, sizeof(HaSnapshotNode));
    p->texts = g_ptr_array_new_with_free_func(g_free);
    p->numbers = g_hash_table_new(g_str_hash, g_str_equal);
    static const char *const fixed[] = {
        [TEXT_EMPTY] = "", [TEXT_WEAK] = "(weak)", [TEXT_MEMBER] = "{member}", [TEXT_NO_KEY] = "[?]"};
    for (guint i = 0; i < G_N_ELEMENTS(fixed); i++)
        (void)add_text(p, fixed[i]);
    p->type_texts = g_new(guint, ha_graph_n_types(g));
    for (guint32 i = 0; i < ha_graph_n_types(g); i++)
        p->type_texts[i] = add_text(p, ha_graph_nth_type(g, i)->name);
    HaSnapshotTexts *sets[] = {&p->contents, &p->values, &p->keys};
    for (guint i = 0; i < G_N_ELEMENTS(sets); i++)
        if ((sets[i]->bits = new_set(g, error)) == NULL)
            return NULL;
    look_at_references(p);
    if (!add_nodes(p, error))
        return NULL;
    guint64 next = p->texts->len;
    p->before = count_before(c->chosen);
    gboolean ok = p->before != NULL;
    for (guint i = 0; ok && i < G_N_ELEMENTS(sets); i++)
        ok = number_texts(sets[i], &next);
    if (!ok) {
        ha_memory_fail(error, "for the snapshot");
        return NULL;
    }
    p->n_nodes = (guint64)p->synthetic->len + p->before[((gsize)c->chosen->n + 63) / 64];
    return g_steal_pointer(&p);
}

void
ha_snapshot_plan_free(HaSnapshotPlan *p)
{
    if (p == NULL)
        return;
    for (guint i = 0; i < p->synthetic->len; i++)
        g_array_unref(g_array_index(p->synthetic, HaSnapshotNode, i).edges);
    g_array_unref(p->synthetic);
    g_hash_table_unref(p->numbers);
    g_ptr_array_unref(p->texts);
    g_free(p->type_texts);
    ha_mem_free(p->before);
    HaSnapshotTexts *sets[] = {&p->contents, &p->values, &p->keys};
    for (guint i = 0; i < G_N_ELEMENTS(sets); i++) {
        ha_bits_free(sets[i]->bits);
        ha_mem_free(sets[i]->before);
    }
    g_free(p);
}

guint64
ha_snapshot_plan_ordinal(const HaSnapshotPlan *p, HaId id)
{
    return (guint64)p->synthetic->len + rank(p->c->chosen, p->before, id);
}

static guint64
text_of(const HaSnapshotTexts *t, HaId id)
{
    return ha_bits_get(t->bits, id) ? t->first + rank(t->bits, t->before, id) : HA_SNAPSHOT_NO_TEXT;
}

guint64
ha_snapshot_plan_content(const HaSnapshotPlan *p, HaId id)
{
    return text_of(&p->contents, id);
}

guint64
ha_snapshot_plan_type(const HaSnapshotPlan *p, HaId id)
{
    return p->type_texts[ha_graph_type_index(p->c->graph, id)];
}

guint64
ha_snapshot_plan_ref(const HaSnapshotPlan *p, HaId referent, const HaRefName *name)
{
    switch ((enum hf_run_kind)name->kind) {
    case HF_RUN_NAMED:
        return GPOINTER_TO_UINT(g_hash_table_lookup(p->numbers, name->name));
    case HF_RUN_MEMBER:
        return TEXT_MEMBER;
    case HF_RUN_ITEMS:
        if (name->index != 1)
            return text_of(&p->keys, referent);
        return name->key != HA_ID_NONE ? text_of(&p->values, name->key) : TEXT_NO_KEY;
    case HF_RUN_INDEX:
    case HF_RUN_UNNAMED:
    case HF_RUN_KIND_COUNT:
    default:
        return HA_SNAPSHOT_NO_TEXT;
    }
}

void
ha_snapshot_plan_strings(const HaSnapshotPlan *p, const HaOut *out,
                         void (*take)(const char *text, gsize n, gpointer user), gpointer user)
{
    const HaGraph *g = p->c->graph;
    guint32 n = ha_graph_n_objects(g);
    for (guint i = 0; i < p->texts->len; i++)
        take(p->texts->pdata[i], strlen(p->texts->pdata[i]), user);
    for (HaId id = 0; id < n && !ha_out_stopped(out); id++)
        if (ha_bits_get(p->contents.bits, id)) {
            gsize length;
            const char *content = ha_graph_content(g, id, &length);
            take(content, length, user);
        }
    const HaSnapshotTexts *sets[] = {&p->values, &p->keys};
    for (guint i = 0; i < G_N_ELEMENTS(sets); i++)
        for (HaId id = 0; id < n && !ha_out_stopped(out); id++)
            if (ha_bits_get(sets[i]->bits, id)) {
                g_autofree char *text = ha_graph_key_text(g, id, i == 0);
                take(text, strlen(text), user);
            }
}
