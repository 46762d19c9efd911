// SPDX-License-Identifier: MIT
#pragma once
/*
 * Addresses of objects, multiples of 8, in 4 bytes each: which stretch of 32 GiB they lie in changes seldom from one to the next. Filled by one
 * thread, then any may read.
 */
#include <glib.h>

#include "ha-mem.h"

#define HA_ADDR_LOW_BITS 35

typedef struct {
    guint64 high;  /* address >> HA_ADDR_LOW_BITS */
    guint64 first; /* from this item on */
} HaAddrStep;

typedef struct {
    HaVec low;   /* guint32: address >> 3 */
    HaVec steps; /* HaAddrStep, by first; the first one's is 0 */
} HaAddrs;

void ha_addrs_init(HaAddrs *a);
void ha_addrs_clear(HaAddrs *a);
gboolean ha_addrs_new_step(HaAddrs *a, guint64 high);
gsize ha_addrs_step_of(const HaAddrs *a, gsize i);
/* As ha_column_permute(), into ascending order: to are their ranks. */
gboolean ha_addrs_permute(HaAddrs *a, const guint32 *to, guint32 n, HaVec *spare);
/* Position among n ascending ones from first on; G_MAXUINT32: not there. */
guint32 ha_addrs_find(const HaAddrs *a, guint32 first, guint32 n, guint64 addr);

static inline guint64
ha_addr_of(guint64 high, guint32 low)
{
    return high << HA_ADDR_LOW_BITS | (guint64)low << 3;
}

static inline guint64
ha_addrs_get(const HaAddrs *a, gsize i)
{
    const HaAddrStep *steps = a->steps.data;
    gsize step = a->steps.n > 1 ? ha_addrs_step_of(a, i) : 0;
    return ha_addr_of(steps[step].high, ((const guint32 *)a->low.data)[i]);
}

/* Behind the last; room in low must be there. FALSE: no memory. */
static inline gboolean
ha_addrs_put(HaAddrs *a, guint64 addr)
{
    guint64 high = addr >> HA_ADDR_LOW_BITS;
    if (G_UNLIKELY(a->steps.n == 0 || ((const HaAddrStep *)a->steps.data)[a->steps.n - 1].high != high) &&
        !ha_addrs_new_step(a, high))
        return FALSE;
    ((guint32 *)a->low.data)[a->low.n++] = addr >> 3;
    return TRUE;
}

/* For loops from the first to the last. Zero-initialise with a set. */
typedef struct {
    const HaAddrs *a;
    gsize next, end; /* step · item where it begins */
    guint64 high;
} HaAddrCursor;

static inline guint64
ha_addr_cursor_get(HaAddrCursor *c, gsize i)
{
    const HaAddrStep *steps = c->a->steps.data;
    while (i >= c->end) {
        c->high = steps[c->next++].high;
        c->end = c->next < c->a->steps.n ? steps[c->next].first : G_MAXSIZE;
    }
    return ha_addr_of(c->high, ((const guint32 *)c->a->low.data)[i]);
}
