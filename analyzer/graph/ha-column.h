// SPDX-License-Identifier: MIT
#pragma once
/*
 * A column of numbers of which most are small: 1, 2 or 4 bytes each, as many as nearly all need, and a table of the few that need
 * more. The width follows what is put in. Filled by one thread, then any may read.
 */
#include <glib.h>

#include "ha-mem.h"

#define HA_COLUMN_NONE G_MAXUINT64 /* no number; takes no place in the table */

typedef struct {
    guint64 at, value;
} HaColumnWide;

typedef struct {
    HaVec items;   /* 1, 2 or 4 bytes each */
    HaVec wide;    /* HaColumnWide, by at; there may be some that are no longer true */
    guint64 limit; /* smaller numbers stand in the items themselves */
    gboolean
        exact; /* nothing is in the table, and nothing is NONE: reading is as fast as can be, numbers are below 2^32 */
} HaColumn;

void ha_column_init(HaColumn *c, gboolean exact);
void ha_column_clear(HaColumn *c);
/* Room for more items in all; FALSE: no memory. */
gboolean ha_column_reserve(HaColumn *c, gsize more);
gboolean ha_column_put_wide(HaColumn *c, guint64 value);
guint64 ha_column_get_wide(const HaColumn *c, gsize i);
/* Another number at i: of an exact column, or that of the last item. FALSE: no memory. */
gboolean ha_column_set(HaColumn *c, gsize i, guint64 value);
/*
 * Items 0 … n_old - 1 go to their new places; G_MAXUINT32: they are dropped. to NULL: all stay. *spare is memory that columns hand on
 * from one to the next, so that the kernel need not clear new pages for each: begin with the widest column. FALSE: no memory.
 */
gboolean ha_column_permute(HaColumn *c, const guint32 *to, guint32 n, HaVec *spare);
/* The same of any array; for what is no column. */
gboolean ha_permute(HaVec *items, const guint32 *to, guint32 n, HaVec *spare);

/* For columns in a mapping: what is in it is believed as far as nothing outside is read. FALSE: no such width. */
gboolean ha_column_map(HaColumn *c, const void *items, gsize n, gsize width, const HaColumnWide *wide, gsize n_wide);

static inline guint32
ha_column_code(const HaColumn *c, gsize i)
{
    switch (c->items.item) {
    case 1:
        return ((const guint8 *)c->items.data)[i];
    case 2:
        return ((const guint16 *)c->items.data)[i];
    default:
        return ((const guint32 *)c->items.data)[i];
    }
}

static inline guint64
ha_column_get(const HaColumn *c, gsize i)
{
    guint32 code = ha_column_code(c, i);
    return G_LIKELY(code < c->limit) ? code : ha_column_get_wide(c, i);
}

static inline void
ha_column_store(HaColumn *c, gsize i, guint32 code)
{
    switch (c->items.item) {
    case 1:
        ((guint8 *)c->items.data)[i] = code;
        break;
    case 2:
        ((guint16 *)c->items.data)[i] = code;
        break;
    default:
        ((guint32 *)c->items.data)[i] = code;
        break;
    }
}

/* Behind the last; room must be there. FALSE: no memory. */
static inline gboolean
ha_column_put(HaColumn *c, guint64 value)
{
    if (G_UNLIKELY(value >= c->limit))
        return ha_column_put_wide(c, value);
    ha_column_store(c, c->items.n++, value);
    return TRUE;
}
