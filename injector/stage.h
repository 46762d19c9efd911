// SPDX-License-Identifier: MIT
#pragma once
/*
 * The stage: a private folder that target and driver both see (through /proc/PID/root), with the FIFO for the data and room for the result file.
 * It belongs to the target's user, mode 0700, has a random name and is removed in every case.
 */
#include <glib.h>
#include "target.h"
#include "guard.h"

typedef struct InjStage InjStage;

/* Finds folders: dir, else the target's TMPDIR, /tmp, /var/tmp, /dev/shm, /run. Makes nothing yet. INJ_ERROR_FAILED lists what was tried and why not. */
InjStage *inj_stage_plan(InjTarget *t, const char *dir, GError **error);
/* Makes the folder and notes it with the guard: in the first that has room, else in the first that lets us; nothing to do when it stands already. */
gboolean inj_stage_create(InjStage *s, InjGuard *g, GError **error);
void inj_stage_free(InjStage *s); /* removes nothing: the guard does */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InjStage, inj_stage_free)

/* Path of a file in the stage, as the target sees it. Owned by the caller. */
char *inj_stage_path(const InjStage *s, const char *name);
/* Makes a FIFO (in place of one of an earlier try) and opens its reading end, not blocking. -1 on failure. */
int inj_stage_fifo(InjStage *s, const char *name, GError **error);
/* Writes a file that the target can read, in place of one of that name. */
gboolean inj_stage_put(InjStage *s, const char *name, const void *bytes, gsize n, GError **error);
/* Reads a file, at most max bytes; NULL without error when it is not there yet. Never follows a link. */
GBytes *inj_stage_get(InjStage *s, const char *name, gsize max, GError **error);
/* Opens a file for reading, with the same care; -1 without error when it is not there. */
int inj_stage_open(InjStage *s, const char *name, GError **error);
/* Removes a file; nothing when it is not there. */
void inj_stage_remove(InjStage *s, const char *name);
