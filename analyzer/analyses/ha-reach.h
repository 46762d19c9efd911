// SPDX-License-Identifier: MIT
#pragma once
/*
 * The nearest root of every object, as people count: what Python can write as one step (".x", "[3]") counts 2, the __dict__ between an
 * object and its attribute nothing, what only words can tell more; and roots that have a name are nearer than those that have none.
 * Dijkstra's algorithm with a ring of buckets (R. Dial, 1969), linear since all steps are small. Weak references are not followed.
 * 12 bytes an object. Immutable after the build.
 */
#include "analyses/ha-bits.h"
#include "analyses/ha-garbage.h"
#include "graph/ha-graph.h"
#include "text/ha-root-text.h"

#define HA_REACH_NOT G_MAXUINT32

typedef struct HaReach HaReach;

typedef struct {
    const HaGraph *graph;
    const HaLedger *ledger;
    const HaBits *live;     /* nothing else is reached */
    const HaBits *barred;   /* reached, but not passed through; NULL: none */
    const HaBits *excluded; /* not even reached; NULL: none */
    const HaBits *sources;  /* the ways begin at these instead of roots, as far away as before says; NULL: roots */
    const HaReach *before;
} HaReachSpec;

/* NULL: no memory. Borrows graph and ledger. */
HaReach *ha_reach_new(const HaReachSpec *spec, GError **error);
void ha_reach_free(HaReach *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaReach, ha_reach_free)

guint32 ha_reach_distance(const HaReach *r, HaId id); /* HA_REACH_NOT: no way leads there */
/* The object before it on the way, and which of its references is the step; HA_ID_NONE: the way begins at id. */
HaId ha_reach_from(const HaReach *r, HaId id, gsize *ref);

/* What holds an object best, UNKNOWN if nothing does, and how far away that makes it. */
HaHeldBy ha_reach_root(const HaGraph *g, const HaLedger *ledger, HaId id, guint32 *distance);
guint32 ha_reach_root_distance(const HaHeldBy *held);
/* What the i-th reference of an object counts. */
guint32 ha_reach_step(const HaGraph *g, HaId from, gsize i);
