// SPDX-License-Identifier: MIT
#pragma once
/*
 * The part of a neighbourhood that limits may not hide: the shortest paths from a GC root and from the sources to the chosen objects. Like
 * ha_graph_referrers() not thread-safe.
 */
#include "analyses/ha-neighbourhood.h"

typedef struct {
    HaBits *raw;           /* owned; what lies on them */
    HaBits *nodes;         /* owned; the same with the owner in place of a namespace: each has a node of its own */
    GHashTable *red;       /* owned; steps from sources */
    guint root_steps;      /* from the nearest root, G_MAXUINT when there is none */
    HaId root;             /* that root, HA_ID_NONE */
    guint sources_reached; /* sources with a path */
    guint source_steps;    /* the longest of these */
} HaNearPaths;

/* keep: dicts among these are drawn as themselves. */
HaNearPaths *ha_near_paths_new(HaGraph *g, const HaNeighbourhoodSpec *spec, const HaBits *keep, GError **error);
void ha_near_paths_free(HaNearPaths *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaNearPaths, ha_near_paths_free)

/* The reference from one to the other is a step of a path from a source. */
gboolean ha_near_paths_red(const HaNearPaths *p, HaId from, HaId to);
