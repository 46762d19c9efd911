// SPDX-License-Identifier: MIT
#pragma once
/*
 * Is there memory enough for a copy-on-write copy of the target, or for work inside it: in its control group, which is charged, and on the machine. Reads
 * files only.
 */
#include "target.h"

typedef struct {
    guint64 available; /* bytes; G_MAXUINT64: no limit known */
    char *limit;       /* owned; whose limit that is, for people */
} InjMemory;
void inj_memory_clear(InjMemory *m);

/* Pure: from /proc/meminfo's text, /proc/PID/cgroup's text and the files under sys ("/sys/fs/cgroup"). Texts may be NULL. */
void inj_memory_look(InjMemory *m, const char *meminfo, const char *cgroup, const char *sys);
/*
 * What a copy of a process of this size may need at once: page tables, the walker's own memory, some pages that the target writes meanwhile; live: what the
 * walker needs inside the process itself, which must not be the one to run out.
 */
guint64 inj_memory_needed(guint64 rss, gboolean live);
/* Pure, for vm.overcommit_memory=2: bytes that may still be promised; bytes that a fork has to be promised. */
guint64 inj_memory_promises_left(const char *meminfo);
guint64 inj_memory_promised(const GArray *maps);
/* INJ_ERROR_FAILED with figures when there is less than that; INJ_ERROR_FORK_REFUSED where only the kernel's accounting is against a copy. */
gboolean inj_memory_check(const InjTarget *t, gboolean live, GError **error);
/* While a copy lives and the target writes: TRUE when so little is left that the copy should end before the target does; m (cleared by the caller) says what. */
gboolean inj_memory_short(const InjTarget *t, InjMemory *m);
