// SPDX-License-Identifier: MIT
#pragma once
/*
 * How much memory may still be taken, and what a dump and what is asked of it will need, so that what does not fit is refused with figures
 * instead of being killed half-way. Pure functions of files below /proc and /sys; any thread.
 */
#include <glib.h>

typedef struct {
    guint64 bytes;   /* may still be taken; G_MAXUINT64: nothing is known */
    const char *who; /* whose limit that is: "on this machine", "in this control group", "under ulimit -v" */
    const char *remedy;
} HaMemory;

HaMemory ha_memory_available(void);
/* For tests: the same with another folder for "/", and without the limits of this process. */
HaMemory ha_memory_available_in(const char *root);

/* Less is not worth a refusal beforehand. */
#define HA_MEMORY_WORTH ((guint64)64 << 20)

/* Largest that loading takes: objects, their references, and the bytes of the dump without compression. */
guint64 ha_memory_needed(guint64 objects, guint64 refs, guint64 dump_bytes);
/* What an index has besides: reverse references and retained sizes. */
guint64 ha_memory_needed_by_index(guint64 objects, guint64 refs);
/* How much of that has been taken when so much of the dump has been read. */
guint64 ha_memory_taken(guint64 objects, guint64 dump_bytes);

/*
 * Before bytes are taken for what stands behind "not enough memory ": "for retained sizes". FALSE: they would not fit; HA_GRAPH_ERROR_NO_MEMORY,
 * with the figures. Arrays in files always do.
 */
gboolean ha_memory_ask(guint64 bytes, const char *what, GError **error);

/*
 * From now on, when GLib itself gets no memory for something small (a hash table's next size), the program ends with one line and exit code 1
 * instead of an abort: last is called before. Once, before there is much to hold; for what is large there is ha_memory_ask().
 */
void ha_memory_watch(void (*last)(void));

/* An allocation has failed: HA_GRAPH_ERROR_NO_MEMORY with what stands behind "not enough memory ", whose limit it was and what to do. */
void ha_memory_fail(GError **error, const char *what);
