// SPDX-License-Identifier: MIT
#pragma once
/*
 * From a file to a graph. What kind of dump it is shows in its first bytes, never in its name; gzip and zstd are undone on the way, in
 * a thread of their own. Any thread; blocks until the whole is read.
 */
#include "graph/ha-graph-builder.h"

typedef enum {
    HA_LOAD_ERROR_IO,          /* cannot open or read */
    HA_LOAD_ERROR_CUT,         /* ends too early */
    HA_LOAD_ERROR_CORRUPT,     /* not what was written */
    HA_LOAD_ERROR_FOREIGN,     /* no heap dump, or of a version that is not ours */
    HA_LOAD_ERROR_UNSUPPORTED, /* a heap dump of another tool, of a version that we do not know */
    HA_LOAD_ERROR_NO_MEMORY,
} HaLoadError;
#define HA_LOAD_ERROR (ha_load_error_quark())
GQuark ha_load_error_quark(void);

/* path "-" is standard input. Messages name the file, the cause and the remedy, on one line. */
HaGraph *ha_load_file(const char *path, GError **error);
HaGraph *ha_load_fd(int fd, const char *name, GError **error); /* takes fd over; name is for messages */

/*
 * For an index: the chunks of all but the objects are added to tables. in_memory: only if there is enough for what an index wants beside;
 * otherwise whatever it takes.
 */
HaGraph *ha_load_file_for_index(const char *path, GByteArray *tables, gboolean in_memory, GError **error);
/* Reads these chunks again. FALSE: they are not well. */
gboolean ha_load_tables(HaGraphBuilder *b, const guint8 *tables, gsize n);
