// SPDX-License-Identifier: MIT
#pragma once
/*
 * A file that appears under its name only when it is whole: written beside it, renamed at the end. What is no regular file (a FIFO, a
 * device) is written to directly.
 */
#include "cli/ha-out.h"

typedef struct HaOutFile HaOutFile;

HaOutFile *ha_out_file_new(const char *path, GError **error);
HaOut *ha_out_file_out(HaOutFile *f);                      /* borrowed */
gboolean ha_out_file_finish(HaOutFile *f, GError **error); /* frees f in any case */
void ha_out_file_abandon(HaOutFile *f);                    /* removes what was written, and frees f */
