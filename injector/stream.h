// SPDX-License-Identifier: MIT
#pragma once
/*
 * From the FIFO to the output: every chunk is checked as it comes, what only the driver knows is added behind the header, and the totals at
 * the end are written anew.
 */
#include <heapfile/format.h>
#include "output.h"
#include "run.h"

typedef struct {
    guint64 objects, refs, types;
    guint64 bytes; /* of the dump, before compression */
    enum hf_end_status status;
    char *reason; /* owned; why it is incomplete */
} InjStreamTotals;
void inj_stream_totals_clear(InjStreamTotals *t);

typedef struct {
    InjRun *run;       /* borrowed */
    InjOutput *output; /* borrowed; open */
    int fifo;          /* borrowed; not blocking */
    int writer;        /* borrowed; pidfd of the process that writes, -1: none */
    /* Asked now and then while no data comes: TRUE when none will, though that process lives; NULL: never. */
    gboolean (*is_over)(InjRun *run);
    gint64 time_us;   /* moment of the snapshot, µs since 1970 */
    const char *mode; /* "fork", "inline" */
} InjStream;

/*
 * Returns when END was read and the writer is done. INJ_ERROR_INCONSISTENT is not told from other failures here: see the result file. On failure
 * totals->bytes is what came, all else 0.
 */
gboolean inj_stream_run(const InjStream *s, InjStreamTotals *totals, GError **error);
