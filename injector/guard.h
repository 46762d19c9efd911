// SPDX-License-Identifier: MIT
#pragma once
/*
 * What has to be undone, whoever dies. Everything that the driver leaves in the target or on disk is noted here before it is made; inj_guard_clean
 * undoes it in reverse. A forked guardian process, which sees the death of the driver through a pipe, does the same when the driver was killed.
 */
#include <glib.h>
#include <sys/types.h>
#include "cave.h"
#include "target.h"

typedef struct InjGuard InjGuard;

/* Forks the guardian. Call once, before any thread is made and before the target is touched. */
InjGuard *inj_guard_new(InjTarget *t, GError **error);
/* Undoes what is still noted, then ends the guardian. FALSE when something had to stay (INJ_ERROR_FAILED says what). */
gboolean inj_guard_clean(InjGuard *g, GError **error);
void inj_guard_free(InjGuard *g); /* cleans first */

void inj_guard_set_gdb(InjGuard *g, pid_t pid); /* 0: none; killed, and the target continued if that left it stopped */
pid_t *inj_guard_gdb_slot(InjGuard *g);         /* shared: the child stores its own pid here before it executes GDB */
void inj_guard_set_cave(InjGuard *g, const InjCave *cave); /* NULL: none */
void inj_guard_set_stage(
    InjGuard *g, int dir_fd,
    const char *name); /* dir_fd borrowed, opened before inj_guard_new; name of a folder in it; NULL: none */
void inj_guard_set_output(InjGuard *g, int dir_fd, const char *name); /* same, of the temporary file */
