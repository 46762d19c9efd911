// SPDX-License-Identifier: MIT
#pragma once
/*
 * The refcount ledger, and what a collection would free. Pure functions of a graph.
 *
 * An object's reference count less the counted references to it in the dump is what is held from outside: by C code, by the C
 * stack, by what the walker could not see. CPython's collector (Modules/gcmodule.c: update_refs, subtract_refs, move_unreachable) frees
 * the tracked objects that no such surplus holds, directly or through others; what hangs on them goes by reference counting.
 */
#include "analyses/ha-bits.h"
#include "graph/ha-column.h"
#include "graph/ha-graph.h"

/* Dominators of all live objects that an index on disk has: see ha-dominators.h. Arrays are borrowed. */
typedef struct {
    guint32 n; /* nodes, the super-root included */
    const guint32 *number;
    const HaId *object;
    const guint32 *parent;
    const guint64 *retained;
    const HaBits *live; /* whose they are */
} HaKnownDominators;

typedef struct {
    HaColumn left;     /* one an object; NONE: count unknown, or immortal */
    gboolean borrowed; /* left is another's */
    guint32 n;
    HaKnownDominators known; /* number is NULL: there are none */
    guint64 overdrawn;       /* references beyond the counts of their referents: the dump contradicts itself so often */
    GHashTable *modules;     /* owned; id of what stands in sys.modules → index of the reference, plus 1 */
    HaId modules_dict;       /* sys.modules itself; HA_ID_NONE: not in the dump */
} HaLedger;

/* Surplus of every object: its count less counted references and counted roots. NULL: no memory. */
HaLedger *ha_ledger_new(const HaGraph *g, GError **error);
/* The same from what one had found before: left has as many items as there are objects, and is borrowed. */
HaLedger *ha_ledger_new_known(const HaGraph *g, const HaColumn *left, guint64 overdrawn);
void ha_ledger_free(HaLedger *l);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaLedger, ha_ledger_free)
guint32 ha_ledger_surplus(const HaLedger *l, HaId id); /* 0: none, or unknown */
/* It stands in sys.modules. */
gboolean ha_ledger_is_module(const HaLedger *l, HaId id);
/* "sys.modules['app']"; owned by the caller. */
char *ha_ledger_module_text(const HaLedger *l, const HaGraph *g, HaId module);

/* What a root or surplus holds, directly or through others; the rest is garbage, of which a collection frees what is cyclic. NULL: no memory. */
HaBits *ha_reached_objects(const HaGraph *g, const HaLedger *ledger, GError **error);

/* What a collection would leave; it never looks at what gc.freeze() froze, nor at what that holds. Dumps without reference counts: everything. NULL: no memory. */
HaBits *ha_live_objects(const HaGraph *g, const HaLedger *ledger, GError **error);

/* Garbage by its two definitions: what no root reaches, and what of it a collection would free. */
typedef struct {
    HaBits *unreached; /* owned; NULL: was not asked for, and objects and bytes are not known */
    guint64 objects, bytes;
    guint64 awaiting, awaiting_bytes;
} HaGarbageTotals;

/* live: as from ha_live_objects(); NULL: it is worked out. unreached: whether that is wanted, one pass over the heap more. */
gboolean ha_garbage_totals(const HaGraph *g, const HaLedger *ledger, const HaBits *live, gboolean unreached,
                           HaGarbageTotals *out, GError **error);
void ha_garbage_totals_clear(HaGarbageTotals *t);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaGarbageTotals, ha_garbage_totals_clear)
