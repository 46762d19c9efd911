// SPDX-License-Identifier: MIT
#pragma once
/*
 * asyncio's tasks as a forest: a task stands below one that waits for it, itself or through gather(), shield(), wait(), as_completed(), a
 * TaskGroup or any callback that completes what it waits for; and for each the chain of coroutines from its own to the one that is
 * suspended. From names of references alone. Linear in tasks and what they await. Any thread.
 */
#include "analyses/ha-bits.h"
#include "graph/ha-graph.h"

typedef struct {
    HaId id;
    HaId waits_for;     /* a future or task; HA_ID_NONE: nothing, or not known */
    GArray *chain;      /* HaId: its coroutine first, the innermost awaitable last; owned */
    guint parent;       /* index of a task that waits for it; G_MAXUINT: none does */
    guint awaited_by;   /* how many tasks wait for it */
    gboolean circle;    /* waits for a task that waits for it */
    char *name, *state; /* "Task-5", "pending"; owned; NULL: not known */
    HaId exception;     /* with which it ended; HA_ID_NONE */
} HaTask;

/* HaTask, in the order of ids, of live objects. Owned by the caller. */
GArray *ha_tasks_new(const HaGraph *g, const HaBits *live);
