// SPDX-License-Identifier: MIT
#include "ha-clearing.h"

#define REFERENCES_MAX ((guint64)20 * 1000 * 1000) /* looked at in all */
#define HOLDERS_MAX    1000                        /* of one referent */

/* What a program has anyway: that it is shared tells nothing. */
static gboolean
is_furniture(const HaGraph *g, HaId id)
{
    switch ((enum hf_family)ha_graph_type(g, id)->family) {
    case HF_FAMILY_TYPE:
    case HF_FAMILY_MODULE:
    case HF_FAMILY_FUNCTION:
    case HF_FAMILY_CODE:
    case HF_FAMILY_BUILTIN:
    case HF_FAMILY_NONE:
    case HF_FAMILY_BOOL:
        return TRUE;
    case HF_FAMILY_OTHER:
    case HF_FAMILY_STR:
    case HF_FAMILY_BYTES:
    case HF_FAMILY_INT:
    case HF_FAMILY_FLOAT:
    case HF_FAMILY_DICT:
    case HF_FAMILY_LIST:
    case HF_FAMILY_TUPLE:
    case HF_FAMILY_SET:
    case HF_FAMILY_METHOD:
    case HF_FAMILY_FRAME:
    case HF_FAMILY_GENERATOR:
    case HF_FAMILY_COROUTINE:
    case HF_FAMILY_ASYNCGEN:
    case HF_FAMILY_CELL:
    case HF_FAMILY_WEAKREF:
    case HF_FAMILY_TASK:
    case HF_FAMILY_FUTURE:
    case HF_FAMILY_EXCEPTION:
    case HF_FAMILY_COUNT:
    default:
        return (ha_graph_flags(g, id) & (HF_OBJ_IMMORTAL | HF_OBJ_INTERNED)) != 0;
    }
}

/* Each other object that refers to it gets its bytes. */
static void
blame(HaGraph *g, const HaBits *live, HaId id, HaId child, guint64 bytes, GHashTable *holders, guint64 *budget)
{
    gsize n;
    const HaId *from = ha_graph_referrers(g, child, &n);
    HaWeakView weak = ha_graph_weak_referrers(g, child);

    for (gsize i = 0; i < MIN(n, HOLDERS_MAX) && *budget > 0; i++, (*budget)--) {
        if ((i > 0 && from[i] == from[i - 1]) || from[i] == id || !ha_bits_get(live, from[i]) || ha_weak(&weak, i))
            continue;
        guint64 *sum = g_hash_table_lookup(holders, GUINT_TO_POINTER(from[i]));
        if (sum == NULL) {
            sum = g_new0(guint64, 1);
            g_hash_table_insert(holders, GUINT_TO_POINTER(from[i]), sum);
        }
        *sum += bytes;
    }
}

HaClearing
ha_clearing(HaGraph *g, const HaBits *live, const HaDominators *dominators, HaId id)
{
    HaClearing c = {.by = HA_ID_NONE};
    guint64 retained = ha_dominators_retained(dominators, id), budget = REFERENCES_MAX;
    g_autoptr(GHashTable) holders = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    HaWeakView weak = ha_graph_weak_referents(g, id);
    GHashTableIter iter;
    gpointer key, value;
    gsize n;
    const HaId *refs = ha_graph_referents(g, id, &n);

    c.frees = retained > ha_graph_size(g, id) ? retained - ha_graph_size(g, id) : 0;
    for (gsize i = 0; i < n && budget > 0; i++, budget--) {
        HaId child = refs[i];

        if (child == id || ha_weak(&weak, i) || !ha_bits_get(live, child) ||
            ha_dominators_parent(dominators, child) == id || is_furniture(g, child) ||
            !g_hash_table_add(seen, GUINT_TO_POINTER(child)))
            continue;
        c.stays += ha_dominators_retained(dominators, child);
        blame(g, live, id, child, ha_dominators_retained(dominators, child), holders, &budget);
    }
    g_hash_table_iter_init(&iter, holders);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        guint64 bytes = *(guint64 *)value;
        HaId holder = GPOINTER_TO_UINT(key);
        if (bytes > c.by_bytes || (bytes == c.by_bytes && holder < c.by)) {
            c.by = holder;
            c.by_bytes = bytes;
        }
    }
    return c;
}
