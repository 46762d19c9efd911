// SPDX-License-Identifier: MIT
#pragma once
/*
 * Caves: unused zero bytes between the end of an executable segment's contents and the end of its last page, where code can stand without any new
 * mapping. Code is written by the driver before the attach and cleared only when no thread of the target can be inside any more.
 */
#include "target.h"

typedef struct {
    guint64 addr; /* 64-aligned */
    gsize size;   /* usable bytes */
} InjCave;

/* A cave of at least size bytes, all zero, in a file that stays mapped (libc, libpython, executable, loader first). INJ_ERROR_FAILED when there is none. */
gboolean inj_cave_find(InjTarget *t, gsize size, InjCave *out, GError **error);

/* When the threads of the target were last known to be possibly inside the cave: processor time used by each. */
typedef struct InjCaveWatch InjCaveWatch;
InjCaveWatch *inj_cave_watch_new(const InjTarget *t); /* now */
void inj_cave_watch_free(InjCaveWatch *w);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InjCaveWatch, inj_cave_watch_free)
/* Nobody enters any more: threads that are made from now on do not count. */
void inj_cave_watch_closed(InjCaveWatch *w);
/*
 * TRUE when it is certain that no thread stands in [cave, cave + size): each sleeps or is stopped elsewhere, or has run for milliseconds since the
 * watch was made (code in a cave leaves it within microseconds of its own time, but for threads that sleep in it, which are seen).
 */
gboolean inj_cave_watch_left(InjCaveWatch *w, const InjTarget *t, const InjCave *cave);
