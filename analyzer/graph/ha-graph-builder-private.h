// SPDX-License-Identifier: MIT
#pragma once
/* Rows as they came, before they are sorted and linked; for graph/ only. */
#include "ha-graph-builder.h"
#include "ha-graph-private.h"

#define HA_ROWS_PER_MARK 65536u

typedef struct {
    guint64 addr;
    guint32 layout;
} HaRole;

struct HaGraphBuilder {
    HaGraph *graph;     /* owned; its columns and tables are filled in place, with rows where ids will stand */
    guint32 n;          /* rows */
    HaVec flags;        /* guint8 */
    HaColumn n_refs_of; /* how many references each row has */
    /*
     * guint8: the references of the rows, one after the other, a third as large as the addresses would be. Each row has parts until there
     * are as many as it should have: uv number × 2 | 1 if what follows is no first part, number × daddr (format.h).
     */
    HaVec refs;
    guint64 n_refs;
    HaVec marks;        /* guint64: bytes of refs before every HA_ROWS_PER_MARK-th row */
    HaVec root_addr;    /* guint64, one for each of graph->roots */
    HaVec roles;        /* HaRole */
    HaVec frame_addr;   /* 3 × guint64: frame, code, function */
    GByteArray *tables; /* borrowed; may be NULL */
    HaMayGrow may_grow; /* NULL: may */
    gpointer may_grow_user;
    guint64 contents_dropped, without_type;
    /* what the allocator takes for an object whose row does not say it: META real.*; step 0: not known */
    guint64 real_step, real_add, real_least;
    gboolean failed, too_many, wide_offsets;
};

/* A number as the file has them; returns its length, at most 10. */
static inline guint
ha_put_uv(guint8 *at, guint64 value)
{
    guint n = 0;
    for (; value >= 128; value >>= 7)
        at[n++] = value | 128;
    at[n++] = value;
    return n;
}

/* Roots, threads, frames and types get the ids of the addresses that they name. FALSE: no memory. */
gboolean ha_graph_builder_link_roots(HaGraphBuilder *b, guint64 *dangling);

/* The order in which they are looked for, anew. */
gboolean ha_graph_sort_roots(HaGraph *g);
/* ha-graph-settle.c, for other tools' dumps: what follows from all of the dump together. FALSE: no memory. */
gboolean ha_graph_builder_settle(HaGraphBuilder *b);

/* For tests: 64-bit offsets although 32 bits would do. */
void ha_graph_builder_wide_offsets(HaGraphBuilder *b);
