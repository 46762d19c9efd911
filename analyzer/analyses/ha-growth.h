// SPDX-License-Identifier: MIT
#pragma once
/*
 * What grew from one dump to the next ones, by type, by templated path and by container. Of paths only the origins of growth are told: where
 * more hangs than can follow from growth further up. A thousand new sessions are one row, and what each of them has in it counts there. Linear in
 * types, paths and containers.
 */
#include "analyses/ha-summary.h"

#define HA_MOMENTS_MAX 8

/* Dumps in the order of time. */
typedef struct {
    guint n, here;                       /* here: the one that the survey is of */
    const HaSummary *at[HA_MOMENTS_MAX]; /* borrowed */
    double minutes;                      /* from the first to the last; 0: not known */
    gboolean same_process;               /* addresses mean the same in all of them */
} HaMoments;

void ha_moments_init(HaMoments *m, const HaSummary *const *summaries, guint n, guint here);

typedef enum {
    HA_TREND_NONE,   /* no more than in the beginning */
    HA_TREND_ONCE,   /* three dumps and more: did not grow in each interval, or by far less in one than in another */
    HA_TREND_GREW,   /* two dumps: who knows */
    HA_TREND_STEADY, /* three dumps and more: grew in each */
} HaTrend;
const char *ha_trend_name(HaTrend trend);

typedef struct {
    const char *name; /* borrowed from a summary */
    HaTally at[HA_MOMENTS_MAX];
    HaTrend trend; /* of the number */
} HaTypeGrowth;

typedef struct {
    guint32 template;           /* of the survey */
    HaTally at[HA_MOMENTS_MAX]; /* objects at the path; bytes of these and of what is below, other rows left out */
    HaTrend trend;
    guint32 type;    /* most of them in the survey are of this type; index */
    guint64 of_type; /* so many */
    HaId sample;     /* one of these, the last by address that is chosen; HA_ID_NONE: none is there */
} HaPathGrowth;

typedef struct {
    HaId id;
    guint32 template;
    gboolean known[HA_MOMENTS_MAX]; /* it was there */
    HaTally at[HA_MOMENTS_MAX];     /* items, and bytes of its own */
    HaTrend trend;                  /* of the items; of the bytes where it has none */
} HaContainerGrowth;

typedef struct {
    GArray *types;      /* HaTypeGrowth that changed; owned */
    GArray *paths;      /* HaPathGrowth; owned */
    GArray *containers; /* HaContainerGrowth; owned; empty for other processes */
} HaGrowth;

typedef enum { HA_GROWTH_BYTES, HA_GROWTH_COUNT } HaGrowthOrder;

/* Rows in order, what grew most first. */
HaGrowth *ha_growth_new(HaSurvey *here, const HaMoments *moments, HaGrowthOrder order);
void ha_growth_free(HaGrowth *g);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaGrowth, ha_growth_free)

/* From the first moment to the last. */
gint64 ha_growth_count(const HaTally *at, const HaMoments *m);
gint64 ha_growth_bytes(const HaTally *at, const HaMoments *m);
