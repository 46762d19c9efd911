// SPDX-License-Identifier: MIT
#pragma once
/*
 * What holds one object, or all objects of a type: for every way in which they are held the shortest path from a root, and how many are
 * held so. Ways are told apart by the object that refers to a target, merged where only keys and indices differ. A path does not
 * lead through another target. Linear in the heap. Like ha_graph_referrers() not thread-safe.
 */
#include "analyses/ha-reach.h"
#include "text/ha-path-text.h"

typedef struct {
    char *template;     /* "sys.modules['app'].sessions[*]"; owned */
    guint64 targets;    /* how many of them are held so */
    guint64 bytes;      /* their shallow sizes */
    guint64 references; /* from how many places, all in all */
    guint32 distance;   /* see ha-reach.h; of the path */
    HaPath path;        /* the shortest; owned */
} HaWay;

typedef struct {
    HaGraph *graph;
    const HaLedger *ledger;
    const HaBits *live, *targets;
    const HaBits *excluded; /* no path leads through these; NULL: none */
    const HaBits *via;      /* every path leads through one of these; NULL: no matter */
    guint most;             /* ways that are wanted */
    guint64 effort;         /* references that are looked at in search of further ways to one object */
} HaPathsSpec;

typedef struct {
    GArray *ways;      /* HaWay: one target: the shortest first; else those of most targets first */
    guint64 found;     /* how many ways there are, those beyond most included */
    guint64 targets;   /* live ones */
    guint64 bytes;     /* their shallow sizes */
    guint64 inner;     /* targets that only other targets hold */
    guint64 unreached; /* targets to which no path leads: all are excluded, or none is via what was asked for */
    gboolean cut;      /* the effort was spent before all further ways were looked for: there may be more */
} HaPaths;

HaPaths *ha_paths_new(const HaPathsSpec *spec, GError **error);
void ha_paths_free(HaPaths *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaPaths, ha_paths_free)

/* The way that reach knows to an object. FALSE: there is none. The path is the caller's. */
gboolean ha_path_to(HaGraph *g, const HaLedger *ledger, const HaReach *reach, HaId id, HaPath *out);
