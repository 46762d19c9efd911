// SPDX-License-Identifier: MIT
#pragma once
/*
 * The references of an object in stretches that are named alike, for loops over all of a heap in which ha_graph_ref_name() for each
 * reference would cost too much. Immutable graph, any thread.
 */
#include "graph/ha-graph.h"

typedef struct {
    gsize first, n;       /* references first … first + n - 1 */
    guint8 kind;          /* enum hf_run_kind */
    guint8 flags;         /* enum hf_run_flag; HF_RUN_HIDDEN of ITEMS concerns the keys only */
    gboolean value;       /* ITEMS: the first one is a value; from there on keys and values take turns */
    const guint32 *names; /* NAMED: a name id each; NULL: name is that of the only one */
    const char *name;
} HaRefRun;

typedef struct {
    const HaGraph *g;
    HaId id;
    gsize at, n;         /* references handed over, references at all */
    guint32 run, n_runs; /* of the layout */
    guint64 rest;        /* references of the open run */
    gboolean one_by_one; /* places are empty: each reference is a stretch of its own */
} HaRefRuns;

void ha_ref_runs_init(HaRefRuns *it, const HaGraph *g, HaId id);
gboolean ha_ref_runs_next(HaRefRuns *it, HaRefRun *run);

/* Names by id; id 0 is none (NULL). */
guint32 ha_graph_n_names(const HaGraph *g);
const char *ha_graph_nth_name(const HaGraph *g, guint32 name);
