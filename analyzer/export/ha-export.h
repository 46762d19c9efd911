// SPDX-License-Identifier: MIT
#pragma once
/* The whole selection, for other programs. Each writes to an output and may stop early when that has stopped. */
#include "cli/ha-command.h"

void ha_export_ndjson(const HaContext *c, HaOut *out);
void ha_export_dot(const HaContext *c, HaOut *out);
gboolean ha_export_heapsnapshot(const HaContext *c, HaOut *out, GError **error); /* FALSE: no memory */

/* The table that --table asks for; all but the first need files beside path, where NULL is standard output. FALSE: a file or memory is missing. */
gboolean ha_export_csv(const HaContext *c, const char *path, GError **error);
/* All tables, and views of them. FALSE: the file or memory is missing. */
gboolean ha_export_sqlite(const HaContext *c, const char *path, GError **error);

/* What wrote the dump. */
const char *ha_export_source(const HaGraph *g);
