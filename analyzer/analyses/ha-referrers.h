// SPDX-License-Identifier: MIT
#pragma once
/*
 * The objects that refer to any of a set, one entry each, with the names of their references. Bounded in time whatever the heap: names
 * are looked up for so many references only. Like ha_graph_referrers() not thread-safe.
 */
#include "analyses/ha-bits.h"
#include "graph/ha-graph.h"

enum {
    HA_REFERRER_NAMES = 4, /* different names kept of one object */
};

typedef struct {
    HaId id;       /* who is drawn: the owner, where the one that refers is its namespace */
    HaId dict;     /* that namespace; else HA_ID_NONE */
    gboolean weak; /* refers weakly only */
    guint64 count; /* references */
    guint n_names;
    char *names[HA_REFERRER_NAMES]; /* owned; all different */
} HaReferrer;

typedef struct {
    GArray *items;      /* HaReferrer, ascending by id and dict */
    guint64 unexamined; /* objects of the set that were not looked at */
} HaReferrers;

/* How much may still be looked at; shared by all calls that belong to one picture. */
typedef struct {
    guint64 references;
} HaReferrerBudget;

/*
 * targets: ascending, all different. keep: these dicts are not drawn as part of their owner. always: names of these are looked up however
 * many there are.
 */
HaReferrers *ha_referrers_new(HaGraph *g, const HaBits *live, const HaId *targets, gsize n, const HaBits *keep,
                              const HaBits *always, HaReferrerBudget *budget);
void ha_referrers_free(HaReferrers *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaReferrers, ha_referrers_free)

/* How many different live objects refer to it. */
guint64 ha_referrers_count(HaGraph *g, const HaBits *live, HaId id);
