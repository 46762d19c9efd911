// SPDX-License-Identifier: MIT
#pragma once
/*
 * The ghost: a copy-on-write copy of the target, hidden from it, in which the walker runs. Two GDB sessions: one that forks it, during which the
 * target stands still, and one in the ghost that starts the walker.
 */
#include "run.h"
#include "walk.h"

typedef struct {
    pid_t pid; /* 0: none */
    int pidfd; /* owned; readable when it has ended; -1 where the kernel has none */
    InjCave cave;
    gint64 time_us; /* moment of the snapshot, µs since 1970 */
} InjGhost;

/*
 * Forks it. INJ_ERROR_INCONSISTENT: the thread that holds the GIL was just changing, try again; INJ_ERROR_FORK_REFUSED: the kernel said no. Sets run->pause_us
 * and run->fork_us. On failure everything is undone.
 */
gboolean inj_ghost_fork(InjRun *run, gsize blob_size, InjGhost *out, GError **error);
/* Starts the walker in it. */
gboolean inj_ghost_start(InjRun *run, const InjGhost *ghost, const struct wk_args *args, GBytes *blob, GError **error);
void inj_ghost_clear(InjGhost *ghost);
/* The scripts, without touching anything. Owned by the caller. */
char *inj_ghost_scripts(InjRun *run, gsize blob_size, GError **error);
