// SPDX-License-Identifier: MIT
#pragma once
/*
 * A path from a root to an object as the expression that a Python shell inside the process evaluates to that object. Namespaces, cells and
 * variables of suspended functions are folded: sys.modules['app'].registry._subs['tick'][3].__self__. What Python cannot write stands
 * in <…> and makes the whole no expression. Pure functions of a graph.
 */
#include "graph/ha-graph.h"
#include "text/ha-root-text.h"

typedef struct {
    HaId id;
    gsize ref; /* of the object before: the reference that leads here; of the first one without meaning */
} HaPathStep;

typedef struct {
    HaHeldBy held; /* what holds the first one */
    GArray *steps; /* HaPathStep, the root's object first; owned */
} HaPath;

void ha_path_clear(HaPath *path);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaPath, ha_path_clear)

/* *is_expression: it can be pasted, after "import sys, gc, builtins, collections, importlib" at most. Owned by the caller. */
char *ha_path_text(const HaGraph *g, const HaLedger *ledger, const HaPath *path, gboolean *is_expression);
/* The same, where parts without a name are asked of gc.get_referents(); NULL: there is no such expression. Owned by the caller. */
char *ha_path_expression(const HaGraph *g, const HaLedger *ledger, const HaPath *path);
