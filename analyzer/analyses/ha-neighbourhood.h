// SPDX-License-Identifier: MIT
#pragma once
/*
 * Who refers to some objects, and who to those, as a small graph: breadth first against the references, with limits on depth, breadth
 * and number. Objects that do not get a node of their own are in a bundle (same type, same reference) or in a "more" node: none is
 * left out silently. The shortest paths to a GC root and to the sources are always part of it, as far as the depth allows. Dicts that
 * are the namespace of a module, class or instance count as part of it. Like ha_graph_referrers() not thread-safe.
 */
#include "analyses/ha-bits.h"
#include "analyses/ha-garbage.h"
#include "graph/ha-graph.h"

typedef enum {
    HA_NEAR_OBJECT,
    HA_NEAR_BUNDLE, /* several objects of one type */
    HA_NEAR_MORE,   /* several objects of any type */
    HA_NEAR_FRAME,  /* a running function */
} HaNearKind;

enum {
    HA_NEAR_CHOSEN = 1 << 0,
    HA_NEAR_HIGHLIGHT = 1 << 1,
    HA_NEAR_SOURCE = 1 << 2,
    HA_NEAR_ROOT = 1 << 3,     /* the interpreter, a thread or a module holds it; not followed */
    HA_NEAR_EXCLUDED = 1 << 4, /* not followed */
    HA_NEAR_WEAK = 1 << 5,     /* refers weakly; not followed */
    HA_NEAR_RED = 1 << 6,      /* edge on a path from a source */
};

typedef struct {
    HaNearKind kind;
    HaId id;            /* OBJECT, BUNDLE: the first one; FRAME: the frame object or HA_ID_NONE */
    GArray *members;    /* BUNDLE, MORE: HaId, ascending; owned; else NULL */
    guint32 frame;      /* FRAME: its index; else G_MAXUINT32 */
    HaId dict;          /* OBJECT: its namespace, where that is drawn as part of it */
    guint level;        /* references to the nearest chosen one */
    guint flags;        /* HA_NEAR_* */
    guint64 more;       /* objects that refer to it and are not in the graph */
    guint64 unexamined; /* members whose referrers were not looked at, the others being so many */
    gboolean followed;  /* its referrers were looked at */
} HaNear;

typedef struct {
    guint from, to;
    guint flags;   /* HA_NEAR_WEAK, HA_NEAR_RED */
    guint64 count; /* references */
    char *name;    /* owned; NULL: none */
} HaNearEdge;

typedef struct {
    GArray *nodes; /* HaNear */
    GArray *edges; /* HaNearEdge */
    guint max_depth;
    gboolean full;         /* the number of nodes reached its limit: the farthest ones were not followed */
    guint root_steps;      /* references from the nearest root to a chosen one, G_MAXUINT when there is none */
    HaId root;             /* that root, HA_ID_NONE */
    guint sources_reached; /* sources with a path to a chosen one, whatever the depth */
    guint source_steps;    /* length of the longest of these */
} HaNeighbourhood;

typedef struct {
    const HaBits *live;
    const HaLedger *ledger; /* NULL: what C holds is not known */
    const HaId *chosen;     /* without those excluded */
    gsize n_chosen;
    const HaBits *excluded, *sources, *highlight; /* NULL: none */
    guint max_depth, max_breadth;
    guint max_nodes; /* 0: 3000 */
} HaNeighbourhoodSpec;

HaNeighbourhood *ha_neighbourhood_new(HaGraph *g, const HaNeighbourhoodSpec *spec, GError **error);
void ha_neighbourhood_free(HaNeighbourhood *n);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaNeighbourhood, ha_neighbourhood_free)
