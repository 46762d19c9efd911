// SPDX-License-Identifier: MIT
#pragma once
/*
 * What is kept of a dump to compare it with another, so that no two graphs need to be in memory at once: objects and bytes by type and by
 * templated path (see ha-path-template.h), and every container that can grow. A survey is the same with its graph at hand. Linear in the
 * heap; a summary takes 32 bytes a container and 40 a templated path.
 */
#include "analyses/ha-bits.h"
#include "analyses/ha-path-template.h"
#include "analyses/ha-reach.h"

typedef struct {
    guint64 count, bytes; /* shallow */
} HaTally;

typedef struct {
    guint64 hash;
    HaTally own, all; /* what the path leads to; the same with everything below it */
} HaPathTally;

typedef struct {
    guint64 addr;
    guint64 size;  /* shallow, bytes */
    guint32 items; /* G_MAXUINT32 for as many and more */
    guint32 type;  /* hash of its type's name */
    guint32 path;  /* hash of its templated path, cut; 0: not known */
} HaContainerTally;

typedef struct {
    GHashTable *meta;   /* owned; of the dump */
    GHashTable *types;  /* name, owned → HaTally, owned */
    GArray *paths;      /* HaPathTally, ascending by hash; owned */
    GArray *containers; /* HaContainerTally, ascending by address; owned */
    HaTally total;
} HaSummary;

/* A graph with the way to each of its objects. Borrows graph, ledger and bits. */
typedef struct {
    HaGraph *graph;
    const HaLedger *ledger;
    const HaBits *live, *chosen;
    HaReach *reach;             /* owned */
    HaPathTemplates *templates; /* owned */
    GArray *tallies;            /* HaPathTally, by template; owned */
} HaSurvey;

/* chosen: what counts. NULL: no memory. */
HaSurvey *ha_survey_new(HaGraph *g, const HaLedger *ledger, const HaBits *live, const HaBits *chosen, GError **error);
void ha_survey_free(HaSurvey *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaSurvey, ha_survey_free)

HaSummary *ha_summary_new(const HaSurvey *s, GError **error); /* NULL: no memory */
void ha_summary_free(HaSummary *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaSummary, ha_summary_free)

/* NULL: there is none. */
const HaPathTally *ha_summary_path(const HaSummary *s, guint64 hash);
const HaContainerTally *ha_summary_container(const HaSummary *s, guint64 addr, guint32 type);

/*
 * Something that may have more in it later: a list, dict, set, deque and what comes from them, a buffer; no tuple, nor what else stays as it is.
 * FALSE: it is none.
 */
gboolean ha_container_tally(const HaGraph *g, HaId id, HaContainerTally *out);
