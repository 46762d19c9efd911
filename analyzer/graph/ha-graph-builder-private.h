// SPDX-License-Identifier: MIT
#pragma once
/* Rows as they came, before they are sorted and linked; for graph/ only. */
#include "ha-graph-builder.h"
#include "ha-graph-private.h"

enum {
    RAW_ADDR,  /* guint64 */
    RAW_FIRST, /* guint64: first item of refs */
    RAW_SIZE,  /* guint32 and so on, as in the graph */
    RAW_REFCOUNT,
    RAW_TYPE,
    RAW_LAYOUT,
    RAW_CONTENT,
    RAW_EXTRA,
    RAW_FLAGS, /* guint16 */
    RAW_COLUMNS
};

struct HaGraphBuilder {
    HaGraph *graph; /* owned; side tables are filled in place, with rows where ids will stand */
    guint32 n;      /* rows; the vectors' own n is not kept up to date */
    HaVec rows[RAW_COLUMNS];
    HaVec refs;       /* guint64: addresses */
    HaVec root_addr;  /* guint64, one for each of graph->roots */
    HaVec frame_addr; /* 3 × guint64: frame, code, function */
    guint64 contents_dropped, without_type;
    gboolean any_extra, failed, too_many, wide_offsets;
};

#define RAW(b, column, type, row) HA_ITEM((b)->rows[column], type, row)

/* For tests: 64-bit offsets although 32 bits would do. */
void ha_graph_builder_wide_offsets(HaGraphBuilder *b);
