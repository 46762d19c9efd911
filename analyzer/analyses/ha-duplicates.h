// SPDX-License-Identifier: MIT
#pragma once
/*
 * Objects that are equal although they are not the same: strings, bytes, and tuples whose items are the same or equal. Only what is known to
 * be equal counts: two of exactly one type whose contents are in the dump whole, or tuples of such. A pure function of a graph, linear
 * in objects and references.
 */
#include "analyses/ha-bits.h"
#include "graph/ha-graph.h"
#include "graph/ha-mem.h"

typedef struct {
    HaId first; /* one of them, that with the least address */
    guint64 count, bytes;
    guint64 wasted; /* bytes, less the largest one's: what would be saved at least if there were but one */
} HaDuplicates;

/* What was looked at, one for each of HA_DUPLICATE_KINDS. */
typedef struct {
    guint64 count, bytes;
    guint64 unknown, unknown_bytes; /* content cut or not in the dump: they may be equal to others or not */
    guint64 groups, wasted;
} HaDuplicateTotal;

enum { HA_DUPLICATE_STR, HA_DUPLICATE_BYTES, HA_DUPLICATE_TUPLE, HA_DUPLICATE_KINDS };

/*
 * Groups of two and more among the chosen, most wasteful first, as HaDuplicates; *found is the caller's to clear. FALSE: no memory, nothing
 * is found.
 */
gboolean ha_duplicates_find(const HaGraph *g, const HaBits *chosen, HaDuplicateTotal totals[HA_DUPLICATE_KINDS],
                            HaVec *found, GError **error);
