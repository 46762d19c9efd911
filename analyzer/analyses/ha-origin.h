// SPDX-License-Identifier: MIT
#pragma once
/*
 * Whether two dumps come from one process, by what they say of themselves: addresses mean the same in both only then. Pure functions of two graphs.
 */
#include "graph/ha-graph.h"

typedef enum {
    HA_ORIGIN_UNKNOWN, /* one of them does not say */
    HA_ORIGIN_SAME,    /* the same process at different moments */
    HA_ORIGIN_MOMENT,  /* the same process at the same moment: the same dump, perhaps compressed in another way */
    HA_ORIGIN_OTHER,   /* different processes, or one number that two processes had one after the other */
} HaOrigin;

HaOrigin ha_origin_compare(const HaGraph *a, const HaGraph *b);
/* "pid 1234: python3 app.py" as far as the dump tells; owned by the caller. */
char *ha_origin_text(const HaGraph *g);
/* Whether a was taken later than b; FALSE too when one does not say when. */
gboolean ha_origin_later(const HaGraph *a, const HaGraph *b);
