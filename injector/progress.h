// SPDX-License-Identifier: MIT
#pragma once
/* A line on stderr that changes while the dump is written; nothing unless stderr is a terminal. */
#include <glib.h>

typedef struct {
    gboolean on;
    gboolean shown;
    gint64 last_us;
    guint64 expected; /* bytes of the heap; for the bar only */
} InjProgress;

void inj_progress_init(InjProgress *p, gboolean quiet, guint64 rss);
void inj_progress_update(InjProgress *p, guint64 objects, guint64 bytes);
void inj_progress_clear(InjProgress *p);
/* The line; pure. fraction < 0: no bar. Owned by the caller. */
char *inj_progress_text(double fraction, guint64 objects, guint64 bytes);
/* "517 bytes", "2.0 MB". Owned by the caller. */
char *inj_size_text(guint64 bytes);
