// SPDX-License-Identifier: MIT
#pragma once
/*
 * What probably leaks. Candidates are containers and paths that grew between dumps (ha-growth.h), or of one dump alone large containers of
 * one kind of thing; each is classified by who holds it and by what is in it. What is bounded is no suspect: caches and deques with a largest
 * size, queues with one, what holds weakly, what did not grow in each interval. Linear in the heap and in what the candidates hold.
 */
#include "analyses/ha-dominators.h"
#include "analyses/ha-growth.h"
#include "text/ha-path-text.h"

typedef enum {
    HA_LEAK_CONTAINER, /* nothing more is known */
    HA_LEAK_INSTANCES, /* a dict whose keys are instances of the program's classes */
    HA_LEAK_CACHE,     /* functools.lru_cache(maxsize=None), functools.cache */
    HA_LEAK_CHAIN,     /* objects that hold the next one */
    HA_LEAK_CALLBACKS, /* functions, bound methods, closures in a list */
    HA_LEAK_FUTURE,    /* callbacks of one future that is not done */
    HA_LEAK_WAITERS,   /* tasks that wait for the same, or are kept somewhere */
    HA_LEAK_GREENLETS, /* suspended, kept somewhere or by their own stack */
    HA_LEAK_TIMERS,    /* call_later() of an event loop */
    HA_LEAK_QUEUE,     /* a queue without a limit */
    HA_LEAK_HANDLERS,  /* of a logger */
    HA_LEAK_ATEXIT,
    HA_LEAK_FINALIZERS, /* weakref.finalize() */
    HA_LEAK_EXCEPTIONS, /* kept with the frames of their tracebacks */
    HA_LEAK_THREAD,     /* in a threading.local */
    HA_LEAK_BUFFER,     /* bytes that are appended to */
    HA_LEAK_C,          /* more references than the heap shows */
    HA_LEAK_GARBAGE,    /* cycles that no collection has taken */
    HA_LEAK_KINDS
} HaLeakKind;

typedef enum { HA_CONFIDENCE_LOW, HA_CONFIDENCE_MEDIUM, HA_CONFIDENCE_HIGH } HaConfidence;

typedef struct {
    HaLeakKind kind;
    HaConfidence confidence;
    HaTrend trend;
    HaId holder;                    /* the container, or what is above the path; HA_ID_NONE: none */
    guint holders;                  /* how many such containers there are, the holder is the one that grew most */
    guint32 template;               /* of what piles up, G_MAXUINT32: none */
    gboolean known[HA_MOMENTS_MAX]; /* the holder was there */
    HaTally
        at[HA_MOMENTS_MAX]; /* how much piled up: number, and bytes of all to which the nearest way leads through it */
    guint64 count;          /* now, in the dump that is looked at */
    guint64 retained;       /* bytes that would be free without the holder; of a path, what is below it */
    guint32 type;           /* most of it is of this type; G_MAXUINT32: of none */
    guint64 of_type;
    HaId sample;      /* one of it, new if there is one; HA_ID_NONE: none */
    gint64 survivors; /* of what is in the holder is new since a dump and lives in another; -1: was not asked */
    /* "login at app.py:30": char *, a few; owned */
    GPtrArray *
        code; /* functions that name the holder, or call what puts something there: those that add to something first */
    GPtrArray
        *inside; /* what is in it: a callback, a coroutine, where an exception was raised, the __init__ of a class */
} HaSuspect;

/* What has been looked at: said when there is no suspect. */
typedef struct {
    guint64 objects, containers, grown, bounded, small;
} HaSuspectsTotals;

typedef struct {
    GArray *items; /* HaSuspect, the surest and largest first; owned */
    HaSuspectsTotals totals;
} HaSuspects;

typedef struct {
    HaSurvey *survey;
    const HaMoments *moments;
    const HaGrowth *growth; /* NULL: one dump */
    const HaDominators *dominators;
    const HaBits *survivors;         /* NULL: nothing is known of them */
    HaTally garbage[HA_MOMENTS_MAX]; /* awaiting collection */
    guint64 min_bytes;               /* what retains and grew by less is passed over */
    gboolean with_garbage;           /* garbage counts as all else */
} HaSuspectsSpec;

HaSuspects *ha_suspects_new(const HaSuspectsSpec *spec, GError **error);
void ha_suspects_free(HaSuspects *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaSuspects, ha_suspects_free)
