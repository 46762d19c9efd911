// SPDX-License-Identifier: MIT
#pragma once
/*
 * Dominator tree and retained sizes: what would be freed if an object went. Over a virtual super-root that holds all roots, and all that
 * no root reaches but is live. Semi-NCA (Georgiadis: Linear-Time Algorithms for Dominators and Related Problems, 2005), with jump
 * pointers (Myers: An applicative random-access stack, 1983) on the dominator tree, without which its second phase is quadratic on
 * a long list whose end refers to many. Weak references hold nothing. Immutable after the build.
 */
#include "analyses/ha-bits.h"
#include "analyses/ha-garbage.h"
#include "graph/ha-graph.h"

typedef struct HaDominators HaDominators;

/* NULL: no memory. What the ledger knows already is taken, and borrowed; otherwise nothing is. */
HaDominators *ha_dominators_new(HaGraph *g, const HaLedger *ledger, const HaBits *live, GError **error);
void ha_dominators_free(HaDominators *d);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaDominators, ha_dominators_free)

/* For an index on disk: what it is to keep, and whether what it kept can be used without leaving its arrays, of so many objects. */
HaKnownDominators ha_dominators_known(const HaDominators *d);
gboolean ha_dominators_are_sound(const HaKnownDominators *known, guint32 n_objects);

/*
 * The same with threads, and below them their frames, as nodes between the super-root and what they hold: what would be freed if a
 * function returned, or a thread ended. Where each frame is an object (3.10 and before), its reference to the frame that called it does
 * not count.
 */
HaDominators *ha_dominators_new_by_frames(HaGraph *g, const HaLedger *ledger, const HaBits *live, GError **error);
guint64 ha_dominators_thread_retained(const HaDominators *d, guint32 thread);
guint64 ha_dominators_frame_retained(const HaDominators *d, guint32 frame);
/* Nothing holds id but the variables and the stack of this frame. */
gboolean ha_dominators_goes_with_frame(const HaDominators *d, HaId id, guint32 frame);

/* For tests: links followed beyond one for each reference. What must stay linear, but for a logarithm. */
guint64 ha_dominators_steps(const HaDominators *d);
guint64 ha_dominators_retained(const HaDominators *d, HaId id); /* bytes, its own included; 0: not live */
HaId ha_dominators_parent(const HaDominators *d, HaId id);      /* HA_ID_NONE: the super-root, or not live */

/* Depth first through the dominator tree: enter() before what an object dominates, leave() after. FALSE: no memory. */
gboolean ha_dominators_walk(const HaDominators *d, void (*enter)(HaId id, gpointer user),
                            void (*leave)(HaId id, gpointer user), gpointer user, GError **error);
