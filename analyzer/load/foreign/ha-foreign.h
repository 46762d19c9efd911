// SPDX-License-Identifier: MIT
#pragma once
/*
 * Dumps of other tools into a graph: docs/foreign.md tells what each has. Called by ha-load.c once it knows what a file is. Reading is bounded:
 * nothing is allocated on the word of a length alone, no loop is longer than the bytes that came, nothing recurses.
 */
#include <heapfile/reader.h>

#include "graph/ha-graph-builder.h"
#include "load/ha-recognise.h"

typedef enum {
    HA_FOREIGN_WHOLE,
    HA_FOREIGN_CUT,         /* the source ended, or failed, too early; the builder has what came before */
    HA_FOREIGN_DAMAGED,     /* why: what is wrong, and where */
    HA_FOREIGN_UNSUPPORTED, /* why: a version that is not known */
    HA_FOREIGN_STOPPED,     /* the builder wanted no more */
} HaForeignEnd;

typedef struct {
    HaForeignEnd end;
    gboolean failed; /* CUT: the source has the message */
    guint64 objects; /* so many came */
    char *why;       /* owned */
} HaForeignResult;

HaSource ha_foreign_source(HaKind kind);
const char *ha_foreign_tool(HaSource source); /* "dump-heap", …; never NULL */

/* position: where to keep how many bytes were read, for who is asked meanwhile. */
void ha_foreign_read(HaKind kind, hf_source_fn source, gpointer user, HaGraphBuilder *builder, guint64 *position,
                     HaForeignResult *out);
void ha_foreign_result_clear(HaForeignResult *r);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaForeignResult, ha_foreign_result_clear)
