// SPDX-License-Identifier: MIT
#pragma once
/*
 * One run of the program: what all ways of dumping (ghost.c, entry/) share. Made and cleaned up by main.c. inj_interrupted() is set by SIGINT, SIGTERM
 * and SIGHUP; everything that waits polls inj_interrupt_fd() as well.
 */
#include <glib.h>
#include "error.h"
#include "guard.h"
#include "options.h"
#include "session.h"
#include "stage.h"
#include "target.h"

typedef struct InjEntry InjEntry; /* entry/: a thread of ours in the live target */

typedef struct {
    const InjOptions *options; /* borrowed */
    InjTarget *target;         /* borrowed */
    InjStage *stage;           /* borrowed; planned, made when first needed */
    InjGuard *guard;           /* borrowed; NULL under --print-script */
    gboolean collecting;       /* a collection under way is no reason for another try */
    gint64 pause_us;           /* out: how long the target stood still, attach to detach */
    gint64 fork_us;            /* out: of that, the fork */
    gint64 gil_us;             /* out: how long a thread of ours held the GIL */
    gint64 inline_us;          /* out: of that, the walk inside the target; 0 for a fork */
    InjEntry *entry;           /* owned by entry/; NULL but between inj_entry_inline_start and _end */
} InjRun;

gboolean inj_interrupt_setup(void);         /* once, at the start */
int inj_interrupted(void);                  /* number of the signal that asked us to end, 0 none */
void inj_interrupted_error(GError **error); /* INJ_ERROR_INTERRUPTED, and who sent the signal */
int inj_interrupt_fd(void);                 /* readable from then on */
/* Waits until fd (-1: none) can be read, the deadline (monotonic µs, 0: none) passes or a signal asks us to end. TRUE: fd can be read or is closed. */
gboolean inj_wait_readable(int fd, gint64 deadline_us, GError **error);

/* It began to exist less than a second ago: what is no Python yet may become one. */
gboolean inj_just_started(pid_t pid);

/* A line on stderr; inj_note only without --quiet, inj_debug only with --verbose. */
void inj_note(const InjOptions *o, const char *format, ...) G_GNUC_PRINTF(2, 3);
void inj_debug(const InjOptions *o, const char *format, ...) G_GNUC_PRINTF(2, 3);
