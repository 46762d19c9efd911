// SPDX-License-Identifier: MIT
#pragma once
/*
 * The large arrays of a graph as they lie in memory, for an index on disk: given out to be written, and taken in again from a mapping. What
 * is taken in is checked in full first: whatever a mapping holds, no later use of the graph reads outside of it.
 */
#include "graph/ha-graph-builder.h"

#define HA_IMAGE_COLUMNS 6

enum {
    HA_IMAGE_ADDRS,
    HA_IMAGE_STEPS,
    HA_IMAGE_ITEMS, /* of the first column */
    HA_IMAGE_WIDE = HA_IMAGE_ITEMS + HA_IMAGE_COLUMNS,
    HA_IMAGE_FLAGS = HA_IMAGE_WIDE + HA_IMAGE_COLUMNS,
    HA_IMAGE_OFFSET,
    HA_IMAGE_REFS,
    HA_IMAGE_BACK_OFFSET,
    HA_IMAGE_BACK_REFS,
    HA_IMAGE_WEAK,
    HA_IMAGE_BACK_WEAK,
    HA_IMAGE_SLOTS,
    HA_IMAGE_ARENA,
    HA_IMAGE_HOLES,
    HA_IMAGE_PARTS
};

typedef struct {
    const void *start;
    gsize bytes; /* 0: the graph has none of it */
} HaImagePart;

typedef struct {
    guint32 n, wide_offsets; /* objects · whether offsets have 64 bits */
    guint64 n_refs;
    guint64 counters[5];
    guint8 widths[8]; /* of the columns: bytes an item */
} HaImageFacts;

/* Parts are borrowed from g. Wants referrers. */
void ha_graph_image(HaGraph *g, HaImageFacts *facts, HaImagePart parts[HA_IMAGE_PARTS]);

/*
 * A graph whose small tables are in the builder already, from the rows of a dump without its objects. On success the graph owns the
 * mapping that the parts lie in. NULL: something is wrong with them; the mapping stays the caller's.
 */
HaGraph *ha_graph_from_image(HaGraphBuilder *b, const HaImageFacts *facts, const HaImagePart parts[HA_IMAGE_PARTS],
                             void *mapping, gsize mapping_bytes);
