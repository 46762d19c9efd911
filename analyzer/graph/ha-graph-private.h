// SPDX-License-Identifier: MIT
#pragma once
/* What a graph is made of; for graph/ only. */
#include "ha-addrs.h"
#include "ha-column.h"
#include "ha-graph.h"
#include "ha-mem.h"
#include "ha-page-index.h"

/* Of an object's flags a byte is kept: what it is, not which fields its row had. */
#define HA_FLAG_CUT   ((guint8)(HF_OBJ_CUT >> 6))
#define HA_FLAG_HOLES ((guint8)(1u << 7)) /* references were left out: positions come from the holes table */
G_STATIC_ASSERT(HF_OBJ_GC == 1 << 0 && HF_OBJ_IMMORTAL == 1 << 7 && HF_OBJ_CUT == 1 << 8);
G_STATIC_ASSERT(HF_OBJ_BROKEN == 1 << 10 && HF_OBJ_FROZEN == 1 << 13 && HF_OBJ_FLAGS_ALL == (1 << 14) - 1);

static inline guint8
ha_flags_pack(guint32 flags)
{
    return (flags & 1) | (flags >> 6 & 6) | (flags >> 7 & 0x78);
}

static inline guint32
ha_flags_unpack(guint8 kept)
{
    return (kept & 1) | (kept & 6u) << 6 | (kept & 0x78u) << 7;
}

typedef struct {
    guint8 kind, flags;
    guint64 count;      /* 0: the rest */
    guint64 start;      /* references before it, but for those of a run that takes the rest */
    guint32 first_name; /* NAMED: into layout_names */
} HaRun;

typedef struct {
    guint32 first_run, n_runs;
    guint32 open;  /* the run that takes the rest; n_runs: none */
    guint64 fixed; /* references of all others */
    guint8 any_flags;
} HaLayout;

typedef struct {
    HaId id;
    guint64 position; /* of an empty place or a dangling reference among all of the row */
} HaHole;

/* Widest first, which ha_column_permute() likes. */
enum {
    HA_CONTENT,  /* offset into the arena in units of 4 bytes, 0 none */
    HA_TYPE,     /* index of types */
    HA_LAYOUT,   /* index of layouts */
    HA_SIZE,     /* bytes */
    HA_EXTRA,    /* real size less shallow size, in zigzag; empty: 0 for all */
    HA_REFCOUNT, /* NONE: unknown */
    HA_COLUMNS
};

struct HaGraph {
    gatomicrefcount ref_count;
    HaSource source;
    gboolean complete;
    char *reason; /* owned */

    /* An index on disk that columns, index, arena and holes lie in; NULL: they are the graph's own. */
    gpointer mapping;
    gsize mapping_bytes;
    gboolean mapping_borrowed; /* not to be unmapped */

    guint32 n;
    guint64 n_refs;
    /* columns, owned; one item an object */
    HaAddrs addrs;
    HaColumn columns[HA_COLUMNS];
    guint8 *flags;
    /* first reference of each object, n + 1 items; exactly one of the two is there */
    guint32 *offset32;
    guint64 *offset64;
    HaId *refs;
    guint32 *back_offset32;
    guint64 *back_offset64;
    HaId *back_refs; /* NULL until asked for */
    /* a bit for each reference, set for those that hold nothing; NULL if all hold. owned, ha_mem_free */
    guint64 *weak;
    guint64 *back_weak; /* the same of back_refs */

    HaPageIndex index;
    HaVec arena; /* guint8: uv length, uv length of the whole if HF_OBJ_CUT, bytes; each starts at a multiple of 4 */

    HaVec names;         /* const char *, in chunk; [0] is NULL */
    HaVec types;         /* HaType */
    HaVec layouts;       /* HaLayout; [0] has no run */
    HaVec runs;          /* HaRun */
    HaVec layout_names;  /* guint32 */
    HaVec holes;         /* HaHole, by id and position */
    HaVec roots;         /* HaRoot */
    HaVec threads;       /* HaThread */
    HaVec frames;        /* HaFrame */
    HaVec skipped;       /* HaSkipped */
    guint32 *root_order; /* indices of roots, by id */
    GStringChunk *chunk;
    GHashTable *meta;     /* char * → char * */
    GHashTable *counters; /* char * → guint64 * */
};

#define HA_ITEM(vec, type, i) (((type *)(vec).data)[i])

/* Differences of either sign as small numbers. */
static inline guint64
ha_zigzag(guint64 delta)
{
    return delta << 1 ^ (0 - (delta >> 63));
}

static inline guint64
ha_unzigzag(guint64 packed)
{
    return packed >> 1 ^ (0 - (packed & 1));
}

static inline guint64
ha_graph_value(const HaGraph *g, guint column, HaId id)
{
    return ha_column_get(&g->columns[column], id);
}

static inline guint64
ha_graph_first_ref(const HaGraph *g, guint64 id)
{
    return g->offset32 != NULL ? g->offset32[id] : g->offset64[id];
}
