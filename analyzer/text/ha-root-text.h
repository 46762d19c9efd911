// SPDX-License-Identifier: MIT
#pragma once
/* What makes an object a root, by kind and in words. Pure functions of a graph. */
#include "analyses/ha-garbage.h"
#include "graph/ha-graph.h"

/* In the order in which people want to hear of them. */
typedef enum {
    HA_ROOT_KIND_MODULE, /* stands in sys.modules */
    HA_ROOT_KIND_LOCAL,  /* a running function holds it */
    HA_ROOT_KIND_INTERPRETER,
    HA_ROOT_KIND_FINALIZER, /* gc.garbage, atexit, hooks that finalize */
    HA_ROOT_KIND_THREAD,    /* a thread's state */
    HA_ROOT_KIND_STATIC,    /* immortal, or part of a library */
    HA_ROOT_KIND_C,         /* its count is larger than the references that the dump shows */
    HA_ROOT_KIND_UNKNOWN,   /* lives though nothing of the above holds it */
    HA_ROOT_KIND_COUNT
} HaRootKind;

/* One thing that holds an object. */
typedef struct {
    HaRootKind kind;
    const HaRoot *root; /* borrowed from the graph; NULL: MODULE, C, UNKNOWN, and STATIC of immortal objects */
    guint32 surplus;    /* C: references from outside the heap */
} HaHeldBy;

/* Appends what holds id, best first; nothing for an object that is no root. ledger may be NULL. */
void ha_held_by(const HaGraph *g, const HaLedger *ledger, HaId id, GArray *to);

/* "frame local", "C reference", … */
const char *ha_root_kind_name(HaRootKind kind);

/* "<local x> of worker (app.py:12) in thread MainThread", "sys.modules['app']", …, without the kind; id is who is held. Owned by the caller. */
char *ha_held_text(const HaGraph *g, const HaLedger *ledger, HaId id, const HaHeldBy *held);

/* The same of a row of the dump, with its kind: "frame local: <local x> of …"; owned by the caller. */
char *ha_root_text(const HaGraph *g, const HaRoot *root);

/* "KIND: TEXT" for each thing that holds id, best first; empty: no root. ledger may be NULL. */
GPtrArray *ha_root_texts(const HaGraph *g, const HaLedger *ledger, HaId id);

gboolean ha_is_root(const HaGraph *g, const HaLedger *ledger, HaId id);
