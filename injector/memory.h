// SPDX-License-Identifier: MIT
#pragma once
/*
 * Is there memory enough for a copy-on-write copy of the target: in its control group, where the copy is charged, and on the machine. Reads files
 * only.
 */
#include "target.h"

typedef struct {
    guint64 available; /* bytes; G_MAXUINT64: no limit known */
    char *limit;       /* owned; whose limit that is, for people */
} InjMemory;
void inj_memory_clear(InjMemory *m);

/* Pure: from /proc/meminfo's text, /proc/PID/cgroup's text and the files under sys ("/sys/fs/cgroup"). Texts may be NULL. */
void inj_memory_look(InjMemory *m, const char *meminfo, const char *cgroup, const char *sys);
/* What a copy of a process of this size may need at once: page tables, the walker's own memory, some pages that the target writes meanwhile. */
guint64 inj_memory_needed(guint64 rss);
/* INJ_ERROR_FAILED with figures when there is less than that. */
gboolean inj_memory_check(const InjTarget *t, GError **error);
