// SPDX-License-Identifier: MIT
#pragma once
/*
 * A file that appears under its name only when it is whole: written beside it, renamed at the end. What is no regular file (a FIFO, a
 * device) is written to directly. A program that SIGINT, SIGTERM or SIGHUP ends takes away what is not whole.
 */
#include "cli/ha-out.h"

typedef struct HaOutFile HaOutFile;

/* Who may read it, as the umask has it: a dump may hold secrets, and so does what repeats all of it. */
#define HA_OUT_FILE_PRIVATE 0600
#define HA_OUT_FILE_SHARED  0666

/* For a program that must end at once: may be called from a signal handler. */
void ha_out_file_remove_unfinished(void);

HaOutFile *ha_out_file_new(const char *path, int mode, GError **error);
HaOut *ha_out_file_out(HaOutFile *f); /* borrowed */
/* The name that it has until it is whole, for who writes it by name; NULL: it is no regular file. */
const char *ha_out_file_temporary(const HaOutFile *f);
gboolean ha_out_file_flush(HaOutFile *f, GError **error);  /* finds out earlier whether all could be written */
gboolean ha_out_file_finish(HaOutFile *f, GError **error); /* frees f in any case */
void ha_out_file_abandon(HaOutFile *f);                    /* removes what was written, and frees f */
