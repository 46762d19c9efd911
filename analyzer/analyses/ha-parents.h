// SPDX-License-Identifier: MIT
#pragma once
/*
 * Who holds an object, and who holds that, as a tree that stays small: an object is expanded once in the whole session; each object
 * shows the parents nearest to a root first, max_breadth of them on the first level, half as many on the second and so on, at last
 * the nearest one only, which leads to the root by the shortest way; and a tree has a limit of lines. Weak references hold nothing.
 */
#include "analyses/ha-bits.h"
#include "analyses/ha-garbage.h"
#include "graph/ha-graph.h"

typedef enum {
    HA_PARENT_PLAIN,
    HA_PARENT_ROOT,     /* a root: the way ends here */
    HA_PARENT_CYCLE,    /* stands further up on the same way */
    HA_PARENT_REPEATED, /* was expanded before; id is HA_ID_NONE where that is the object itself */
    HA_PARENT_DEPTH,    /* no object: the depth ends although there are parents */
    HA_PARENT_MORE,     /* no object: count more parents, left out */
} HaParentKind;

typedef struct {
    HaParentKind kind;
    guint depth; /* 1: holds the object itself */
    HaId id, child;
    gsize count;     /* MORE: how many; else references from id to child */
    gsize first_ref; /* index of the first reference from id to child */
    gsize others;    /* how many more parents child has, where this is the only one shown; else 0 */
} HaParent;

typedef struct HaParents HaParents;

/* Borrows all. NULL: no memory. */
HaParents *ha_parents_new(HaGraph *g, const HaLedger *ledger, const HaBits *live, guint max_depth, guint max_breadth,
                          guint max_lines, GError **error);
void ha_parents_free(HaParents *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaParents, ha_parents_free)

/* HaParent in the order of printing: parents follow their child, one level deeper. Owned by the caller. */
GArray *ha_parents_of(HaParents *p, HaId id);

/* Hops from the nearest root, 255: that many or more; not reached from one. */
guint8 ha_parents_distance(const HaParents *p, HaId id);
