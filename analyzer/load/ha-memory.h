// SPDX-License-Identifier: MIT
#pragma once
/*
 * How much memory may still be taken, and what a dump will need, so that a heap that does not fit is refused with figures instead of being
 * killed half-way. Pure functions of files below /proc and /sys; any thread.
 */
#include <glib.h>

typedef struct {
    guint64 bytes;   /* may still be taken; G_MAXUINT64: nothing is known */
    const char *who; /* whose limit that is: "on this machine", "in this control group", "under ulimit -v" */
} HaMemory;

HaMemory ha_memory_available(void);
/* For tests: the same with another folder for "/", and without the limits of this process. */
HaMemory ha_memory_available_in(const char *root);

/* Largest that loading takes: objects, their references, and the bytes of the dump without compression. */
guint64 ha_memory_needed(guint64 objects, guint64 refs, guint64 dump_bytes);
