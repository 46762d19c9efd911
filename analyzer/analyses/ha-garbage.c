// SPDX-License-Identifier: MIT
#include "ha-garbage.h"

#include <string.h>

#include "graph/ha-graph-builder.h"
#include "graph/ha-mem.h"
#include "graph/ha-memory.h"

#define PINNED G_MAXUINT32

static void
set_no_memory(GError **error)
{
    ha_memory_fail(error, "to follow the references");
}

static inline void
take_one(guint32 *left, guint64 *overdrawn)
{
    if (*left == PINNED)
        return;
    if (*left > 0)
        (*left)--;
    else
        (*overdrawn)++;
}

static guint32
known_count(const HaGraph *g, HaId id)
{
    guint64 count;
    if (!ha_graph_refcount(g, id, &count))
        return PINNED;
    return MIN(count, PINNED - 1);
}

static void
find_modules(HaLedger *l, const HaGraph *g)
{
    gsize n_roots, n;
    const HaRoot *roots = ha_graph_roots(g, &n_roots);
    HaRefName name;

    l->modules = g_hash_table_new(NULL, NULL);
    l->modules_dict = HA_ID_NONE;
    for (gsize i = 0; i < n_roots; i++) {
        if (roots[i].kind != HF_ROOT_INTERPRETER || roots[i].name == NULL || strcmp(roots[i].name, "sys.modules") != 0)
            continue;
        /* a subinterpreter has one of its own; its expressions are evaluated there */
        const HaId *refs = ha_graph_referents(g, roots[i].id, &n);
        if (l->modules_dict == HA_ID_NONE)
            l->modules_dict = roots[i].id;
        else
            continue;
        for (gsize k = 0; k < n && k < G_MAXUINT32; k++) {
            ha_graph_ref_name(g, roots[i].id, k, &name);
            if (name.kind == HF_RUN_ITEMS && name.index == 1 &&
                !g_hash_table_contains(l->modules, GUINT_TO_POINTER(refs[k])) &&
                ha_graph_type(g, refs[k])->family != HF_FAMILY_NONE)
                g_hash_table_insert(l->modules, GUINT_TO_POINTER(refs[k]), GSIZE_TO_POINTER(k + 1));
        }
    }
}

/* What is left of each count when references and roots have been taken off. */
static void
take_all(const HaGraph *g, guint32 *left, guint64 *overdrawn)
{
    guint32 n = ha_graph_n_objects(g);
    HaRefsView view = ha_graph_view_referents(g);
    HaWeakView weak = ha_graph_weak_all(g);
    guint64 n_refs = ha_graph_n_refs(g);
    for (HaId id = 0; id < n; id++)
        left[id] = known_count(g, id);
    for (guint64 e = 0; e < n_refs; e++)
        if (!ha_weak(&weak, e))
            take_one(&left[view.refs[e]], overdrawn);
    gsize n_roots;
    const HaRoot *roots = ha_graph_roots(g, &n_roots);
    for (gsize i = 0; i < n_roots; i++)
        if (roots[i].counted)
            take_one(&left[roots[i].id], overdrawn);
}

HaLedger *
ha_ledger_new(const HaGraph *g, GError **error)
{
    guint32 n = ha_graph_n_objects(g);
    HaLedger *l = g_new0(HaLedger, 1);
    guint32 *left = ha_mem_new(n, sizeof *left);

    l->n = n;
    ha_column_init(&l->left, FALSE);
    gboolean ok = left != NULL && ha_column_reserve(&l->left, n);
    if (ok)
        take_all(g, left, &l->overdrawn);
    for (HaId id = 0; ok && id < n; id++)
        ok = ha_column_put(&l->left, left[id] == PINNED ? HA_COLUMN_NONE : left[id]);
    ha_mem_free(left);
    if (!ok) {
        ha_column_clear(&l->left);
        g_free(l);
        set_no_memory(error);
        return NULL;
    }
    ha_vec_trim(&l->left.items);
    find_modules(l, g);
    return l;
}

HaLedger *
ha_ledger_new_known(const HaGraph *g, const HaColumn *left, guint64 overdrawn)
{
    HaLedger *l = g_new0(HaLedger, 1);
    *l = (HaLedger){.n = ha_graph_n_objects(g), .overdrawn = overdrawn, .left = *left, .borrowed = TRUE};
    find_modules(l, g);
    return l;
}

void
ha_ledger_free(HaLedger *l)
{
    if (l == NULL)
        return;
    if (!l->borrowed)
        ha_column_clear(&l->left);
    g_hash_table_unref(l->modules);
    g_free(l);
}

guint32
ha_ledger_surplus(const HaLedger *l, HaId id)
{
    g_assert(id < l->n);
    guint64 left = ha_column_get(&l->left, id);
    return left == HA_COLUMN_NONE ? 0 : left;
}

gboolean
ha_ledger_is_module(const HaLedger *l, HaId id)
{
    return g_hash_table_contains(l->modules, GUINT_TO_POINTER(id));
}

char *
ha_ledger_module_text(const HaLedger *l, const HaGraph *g, HaId module)
{
    gsize at = GPOINTER_TO_SIZE(g_hash_table_lookup(l->modules, GUINT_TO_POINTER(module)));
    g_autofree char *key = at > 0 ? ha_graph_ref_text(g, l->modules_dict, at - 1) : NULL;

    return g_strconcat("sys.modules", key, NULL);
}

typedef struct {
    HaId *items; /* owned; room for all objects, each goes in once */
    gsize n;
} Stack;

/* Marks what the objects on the stack hold, and empties it. */
static void
reach(const HaGraph *g, Stack *stack, HaBits *reached)
{
    HaRefsView view = ha_graph_view_referents(g);
    HaWeakView weak = ha_graph_weak_all(g);
    while (stack->n > 0) {
        gsize n_refs;
        const HaId *refs = ha_view_refs(&view, stack->items[--stack->n], &n_refs);
        if (stack->n > 0)
            __builtin_prefetch(view.refs + ha_view_first(&view, stack->items[stack->n - 1]));
        for (gsize i = 0; i < n_refs; i++) {
            if (ha_bits_get(reached, refs[i]) || ha_weak(&weak, (gsize)(refs - view.refs) + i))
                continue;
            ha_bits_set(reached, refs[i]);
            stack->items[stack->n++] = refs[i];
        }
    }
}

static void
push(Stack *stack, HaBits *reached, HaId id)
{
    if (ha_bits_get(reached, id))
        return;
    ha_bits_set(reached, id);
    stack->items[stack->n++] = id;
}

static gboolean
is_tracked(const HaGraph *g, HaId id)
{
    return (ha_graph_flags(g, id) & HF_OBJ_GC) != 0;
}

/* Calls what for every reference of id that counts; visible_only: as the collector sees them. */
static void
each_counted(const HaGraph *g, HaId id, gboolean visible_only, void (*what)(HaId to, gpointer user), gpointer user)
{
    gsize n_refs;
    const HaId *refs = ha_graph_referents(g, id, &n_refs);
    guint8 any = ha_graph_any_ref_flags(g, id), unwanted = HF_RUN_WEAK | (visible_only ? HF_RUN_HIDDEN : 0);
    for (gsize i = 0; i < n_refs; i++)
        if (!(any & unwanted) || !(ha_graph_ref_flags(g, id, i) & unwanted))
            what(refs[i], user);
}

typedef struct {
    guint32 *count; /* of objects that are not reached; others' are not looked at */
    const HaBits *reached;
    Stack *freed; /* NULL while counting */
} Counting;

static void
count_down(HaId to, gpointer user)
{
    Counting *c = user;
    if (ha_bits_get(c->reached, to) || c->count[to] == 0)
        return;
    if (--c->count[to] == 0 && c->freed != NULL)
        c->freed->items[c->freed->n++] = to;
}

/*
 * Among the objects that no root or surplus reaches, frees what a collection would. Tracked ones that are held by untracked or
 * unseen references only, the collector leaves alone; they go only if reference counting frees what holds them.
 */
static void
free_unreachable(const HaGraph *g, const HaBits *reached, guint32 *count, Stack *stack, HaBits *kept, HaBits *live)
{
    guint32 n = ha_graph_n_objects(g);
    Counting counting = {.count = count, .reached = reached};
    for (HaId id = 0; id < n; id++)
        if (!ha_bits_get(reached, id))
            count[id] = known_count(g, id);
    for (HaId id = 0; id < n; id++)
        if (!ha_bits_get(reached, id) && is_tracked(g, id))
            each_counted(g, id, TRUE, count_down, &counting);
    for (HaId id = 0; id < n; id++)
        if (!ha_bits_get(reached, id) && is_tracked(g, id) && count[id] > 0)
            push(stack, kept, id);
    reach(g, stack, kept);

    for (HaId id = 0; id < n; id++)
        if (!ha_bits_get(reached, id)) {
            count[id] = known_count(g, id);
            if (is_tracked(g, id) && !ha_bits_get(kept, id)) {
                count[id] = 0; /* freed whatever refers to it */
                stack->items[stack->n++] = id;
            }
        }
    counting.freed = stack;
    while (stack->n > 0) {
        HaId id = stack->items[--stack->n];
        ha_bits_clear(live, id);
        each_counted(g, id, FALSE, count_down, &counting);
    }
}

/* What roots and surpluses hold, directly or through others; what is frozen counts as held too, if asked for. FALSE: no memory. */
static gboolean
reach_from_roots(const HaGraph *g, const HaLedger *ledger, gboolean frozen, Stack *stack, HaBits *reached)
{
    gsize n_roots;
    const HaRoot *roots = ha_graph_roots(g, &n_roots);

    stack->items = ha_mem_new(ha_graph_n_objects(g), sizeof(HaId));
    if (stack->items == NULL || reached == NULL)
        return FALSE;
    for (gsize i = 0; i < n_roots; i++)
        push(stack, reached, roots[i].id);
    for (HaId id = 0; id < ha_graph_n_objects(g); id++)
        if (ha_column_get(&ledger->left, id) > 0 || (frozen && ha_graph_flags(g, id) & HF_OBJ_FROZEN))
            push(stack, reached, id);
    reach(g, stack, reached);
    return TRUE;
}

HaBits *
ha_reached_objects(const HaGraph *g, const HaLedger *ledger, GError **error)
{
    g_autoptr(HaBits) reached = ha_bits_new(ha_graph_n_objects(g), FALSE);
    Stack stack = {0};
    gboolean ok = reach_from_roots(g, ledger, FALSE, &stack, reached);

    ha_mem_free(stack.items);
    if (ok)
        return g_steal_pointer(&reached);
    set_no_memory(error);
    return NULL;
}

HaBits *
ha_live_objects(const HaGraph *g, const HaLedger *ledger, GError **error)
{
    guint32 n = ha_graph_n_objects(g);
    g_autoptr(HaBits) live = ha_bits_new(n, TRUE);
    g_autoptr(HaBits) reached = ha_bits_new(n, FALSE);
    Stack stack = {0};
    /* what is frozen no collection looks at */
    gboolean reachable = reach_from_roots(g, ledger, TRUE, &stack, reached);
    if (live == NULL || !reachable) {
        ha_mem_free(stack.items);
        set_no_memory(error);
        return NULL;
    }

    if (ha_bits_count(reached) < n) {
        guint32 *count = ha_mem_new(n, sizeof *count);
        g_autoptr(HaBits) kept = ha_bits_new(n, FALSE);
        gboolean ok = count != NULL && kept != NULL;
        if (ok)
            free_unreachable(g, reached, count, &stack, kept, live);
        ha_mem_free(count);
        if (!ok) {
            ha_mem_free(stack.items);
            set_no_memory(error);
            return NULL;
        }
    }
    ha_mem_free(stack.items);
    return g_steal_pointer(&live);
}

gboolean
ha_garbage_totals(const HaGraph *g, const HaLedger *ledger, const HaBits *live, gboolean unreached,
                  HaGarbageTotals *out, GError **error)
{
    guint32 n = ha_graph_n_objects(g);
    g_autoptr(HaBits) own = live == NULL ? ha_live_objects(g, ledger, error) : NULL;

    *out = (HaGarbageTotals){0};
    if (live == NULL && own == NULL)
        return FALSE;
    if (unreached) {
        out->unreached = ha_reached_objects(g, ledger, error);
        if (out->unreached == NULL)
            return FALSE;
        for (gsize w = 0; w < ((gsize)n + 63) / 64; w++)
            out->unreached->words[w] = ~out->unreached->words[w];
    }
    for (HaId id = 0; id < n; id++) {
        if (out->unreached != NULL && ha_bits_get(out->unreached, id)) {
            out->objects++;
            out->bytes += ha_graph_size(g, id);
        }
        if (!ha_bits_get(live != NULL ? live : own, id)) {
            out->awaiting++;
            out->awaiting_bytes += ha_graph_size(g, id);
        }
    }
    return TRUE;
}

void
ha_garbage_totals_clear(HaGarbageTotals *t)
{
    g_clear_pointer(&t->unreached, ha_bits_free);
}
