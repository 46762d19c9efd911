// SPDX-License-Identifier: MIT
#pragma once
/*
 * Breadth-first search against the direction of references: from some objects to the nearest ones that hold them and fit. Weak
 * references are not followed, nor is the way from a type to its instances. Each object is visited once; 4 bytes an object that
 * stay untouched where the search does not come. Like ha_graph_referrers() not thread-safe.
 */
#include "analyses/ha-bits.h"
#include "graph/ha-graph.h"

typedef struct {
    HaId *ids; /* the one that fits first, one of the starts last; owned */
    gsize n;
} HaBackPath;

typedef gboolean (*HaBackFits)(HaGraph *g, HaId id, gpointer data);

/*
 * Appends at most most paths, shortest first, to paths (of HaBackPath, cleared by ha_back_path_clear). What fits is not gone beyond,
 * nor is what stands in barred (may be NULL). FALSE: no memory.
 */
gboolean ha_back_search(HaGraph *g, const HaBits *live, const HaBits *barred, const HaId *starts, gsize n,
                        HaBackFits fits, gpointer data, guint most, GArray *paths, GError **error);
void ha_back_path_clear(gpointer path);

/* Held by the interpreter, a thread or a module: nothing needs to be looked for beyond. data is not used. */
gboolean ha_back_fits_root(HaGraph *g, HaId id, gpointer data);
