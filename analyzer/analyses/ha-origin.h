// SPDX-License-Identifier: MIT
#pragma once
/*
 * Whether two dumps come from one process, by what they say of themselves: addresses mean the same in both only then. Pure functions
 * of what ha_graph_meta_table() gives, which may outlive its graph.
 */
#include <glib.h>

typedef enum {
    HA_ORIGIN_UNKNOWN, /* one of them does not say */
    HA_ORIGIN_SAME,    /* the same process at different moments */
    HA_ORIGIN_MOMENT,  /* the same process at the same moment: the same dump, perhaps compressed in another way */
    HA_ORIGIN_OTHER,   /* different processes, or one number that two processes had one after the other */
} HaOrigin;

HaOrigin ha_origin_compare(GHashTable *a, GHashTable *b);
/* "pid 1234: python3 app.py" as far as the dump tells; owned by the caller. */
char *ha_origin_text(GHashTable *meta);
/* Whether a was taken later than b; FALSE too when one does not say when. */
gboolean ha_origin_later(GHashTable *a, GHashTable *b);
/* Minutes from one to the other; 0 when that is not known. */
double ha_origin_minutes(GHashTable *from, GHashTable *to);
