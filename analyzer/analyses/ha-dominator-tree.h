// SPDX-License-Identifier: MIT
#pragma once
/* The dominator tree from above: what each object alone keeps alive, largest first. Immutable after the build; 8 bytes an object. */
#include "analyses/ha-dominators.h"

typedef struct HaDominatorTree HaDominatorTree;

/*
 * Only chosen objects are in it: one whose dominator is not chosen hangs below its nearest dominator that is, or stands at the top. Borrows
 * dominators. NULL: no memory.
 */
HaDominatorTree *ha_dominator_tree_new(const HaGraph *g, const HaDominators *dominators, const HaBits *chosen,
                                       GError **error);
void ha_dominator_tree_free(HaDominatorTree *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaDominatorTree, ha_dominator_tree_free)

/* HaId, by retained size, largest first, then by address. id HA_ID_NONE: those at the top. Owned by the caller. */
GArray *ha_dominator_tree_children(const HaDominatorTree *t, HaId id);
