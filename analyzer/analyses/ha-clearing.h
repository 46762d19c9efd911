// SPDX-License-Identifier: MIT
#pragma once
/*
 * What would be free if an object let go of all that it refers to, as a cache that is cleared does, and what would stay since others hold
 * it too. Exact where it says "frees": what the object strictly dominates. Linear in its references and those to its referents, with a
 * limit. Like ha_graph_referrers() not thread-safe.
 */
#include "analyses/ha-bits.h"
#include "analyses/ha-dominators.h"

typedef struct {
    guint64 frees;    /* bytes */
    guint64 stays;    /* bytes that its referents retain which others hold too; types, modules and code do not count */
    HaId by;          /* what holds most of that; HA_ID_NONE: nothing stays, or no object alone is to blame */
    guint64 by_bytes; /* how much that holds */
} HaClearing;

HaClearing ha_clearing(HaGraph *g, const HaBits *live, const HaDominators *dominators, HaId id);
