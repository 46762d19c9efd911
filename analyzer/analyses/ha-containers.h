// SPDX-License-Identifier: MIT
#pragma once
/*
 * How full lists, tuples, dicts and sets are. Items are counted; how many would fit follows from the size, for the interpreter's own types
 * whose growth is known (CPython: Objects/listobject.c, dictobject.c, setobject.c), and is said to be unknown elsewhere. A pure function
 * of a graph.
 */
#include "analyses/ha-bits.h"
#include "graph/ha-graph.h"

typedef struct {
    guint32 type;
    guint64 count, empty;
    guint64 items, largest; /* of all · of the one with most */
    HaId largest_id;
    guint64 bytes;
    guint64 unknown;      /* containers whose room is not known; the rest is of the others */
    guint64 filled, room; /* items, and how many would fit before the container grows */
    guint64 unused;       /* bytes kept for items that are not there */
} HaContainers;

/* One row a type that has containers among the chosen, most bytes first, as HaContainers; owned by the caller. */
GArray *ha_containers_count(const HaGraph *g, const HaBits *chosen);
