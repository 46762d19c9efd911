// SPDX-License-Identifier: MIT
#pragma once
/*
 * What the objects of each of several groups of types retain together: on the way down the dominator tree only the first object of a group
 * counts, those below it are in its retained size already. A pure function, linear in the heap.
 */
#include "analyses/ha-dominators.h"

#define HA_GROUP_NONE G_MAXUINT /* a type of no group */

/* group_of: one an index of a type. Adds to retained, bytes, one a group; only chosen objects count. FALSE: no memory. */
gboolean ha_group_retained(const HaGraph *g, const HaDominators *dominators, const HaBits *chosen,
                           const guint *group_of, guint n_groups, guint64 *retained, GError **error);
