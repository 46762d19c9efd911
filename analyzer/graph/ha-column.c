// SPDX-License-Identifier: MIT
#include "ha-column.h"

#include <string.h>

#include "ha-radix.h"

#define FEW(n) ((n) / 64 + 64) /* so many in the table are not worth a wider column */

/* The largest code says that the number is in the table, the one below that there is none. */
static guint32
wide_code(const HaColumn *c)
{
    return G_MAXUINT32 >> (32 - 8 * c->items.item);
}

static void
set_limit(HaColumn *c)
{
    c->limit = c->exact ? (guint64)wide_code(c) + 1 : wide_code(c) - 1;
}

void
ha_column_init(HaColumn *c, gboolean exact)
{
    *c = (HaColumn){.items = {.item = 1}, .wide = {.item = sizeof(HaColumnWide)}, .exact = exact};
    set_limit(c);
}

void
ha_column_clear(HaColumn *c)
{
    ha_vec_clear(&c->items);
    ha_vec_clear(&c->wide);
}

gboolean
ha_column_reserve(HaColumn *c, gsize more)
{
    return ha_vec_reserve(&c->items, more);
}

/* Where the number of item i is in the table; wide.n: nowhere. */
static gsize
find_wide(const HaColumn *c, gsize i)
{
    const HaColumnWide *wide = c->wide.data;
    gsize low = 0, high = c->wide.n;

    while (low < high) {
        gsize middle = low + (high - low) / 2;
        if (wide[middle].at < i)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->wide.n && wide[low].at == i ? low : c->wide.n;
}

guint64
ha_column_get_wide(const HaColumn *c, gsize i)
{
    if (ha_column_code(c, i) != wide_code(c))
        return HA_COLUMN_NONE;
    gsize k = find_wide(c, i);
    return k < c->wide.n ? ((const HaColumnWide *)c->wide.data)[k].value : HA_COLUMN_NONE;
}

static gboolean
widen(HaColumn *c)
{
    HaColumn to = *c;
    HaColumnWide *wide = c->wide.data;
    gsize k = 0, kept = 0;

    to.items = (HaVec){.item = 2 * c->items.item};
    if (!ha_vec_reserve(&to.items, MAX(c->items.capacity, 1)))
        return FALSE;
    set_limit(&to);
    for (gsize i = 0; i < c->items.n; i++) {
        guint32 code = ha_column_code(c, i);
        if (code >= c->limit) {
            gboolean none = code != wide_code(c);
            while (!none && wide[k].at < i)
                k++;
            if (!none && wide[k].value >= to.limit)
                wide[kept++] = wide[k];
            code = none ? wide_code(&to) - 1 : wide[k].value < to.limit ? wide[k].value : wide_code(&to);
        }
        ha_column_store(&to, i, code);
    }
    to.items.n = c->items.n;
    to.wide.n = kept;
    ha_vec_clear(&c->items);
    *c = to;
    return TRUE;
}

static gboolean
append_wide(HaColumn *c, gsize i, guint64 value)
{
    if (!ha_vec_reserve(&c->wide, 1))
        return FALSE;
    ((HaColumnWide *)c->wide.data)[c->wide.n++] = (HaColumnWide){i, value};
    ha_column_store(c, i, wide_code(c));
    return TRUE;
}

gboolean
ha_column_put_wide(HaColumn *c, guint64 value)
{
    gsize i = c->items.n;
    gboolean none = value == HA_COLUMN_NONE && !c->exact;

    while (!none && value >= c->limit && (c->exact || c->wide.n >= FEW(i)) && c->items.item < sizeof(guint32))
        if (!widen(c))
            return FALSE;
    if (value < c->limit)
        ha_column_store(c, i, value);
    else if (none)
        ha_column_store(c, i, wide_code(c) - 1);
    else if (c->exact || !append_wide(c, i, value))
        return FALSE;
    c->items.n++;
    return TRUE;
}

gboolean
ha_column_set(HaColumn *c, gsize i, guint64 value)
{
    while (c->exact && value >= c->limit && c->items.item < sizeof(guint32))
        if (!widen(c))
            return FALSE;
    if (value < c->limit) {
        ha_column_store(c, i, value);
        return TRUE;
    }
    g_assert(!c->exact && i + 1 == c->items.n);
    gsize k = find_wide(c, i);
    if (k == c->wide.n)
        return append_wide(c, i, value);
    ((HaColumnWide *)c->wide.data)[k].value = value;
    ha_column_store(c, i, wide_code(c));
    return TRUE;
}

gboolean
ha_permute(HaVec *items, const guint32 *to, guint32 n, HaVec *spare)
{
    gsize width = items->item;
    if (to == NULL) {
        ha_vec_trim(items);
        return TRUE;
    }
    HaVec result = {.item = width};
    if (spare->capacity * spare->item >= (gsize)n * width && spare->data != NULL) {
        result.data = spare->data;
        result.capacity = spare->capacity * spare->item / width;
        *spare = (HaVec){.item = 1};
    } else if (!ha_vec_reserve(&result, MAX(n, 1))) {
        return FALSE;
    }
#define SCATTER(type)                                                                                                  \
    do {                                                                                                               \
        for (gsize row = 0; row < items->n; row++)                                                                     \
            if (to[row] != G_MAXUINT32)                                                                                \
                ((type *)result.data)[to[row]] = ((const type *)items->data)[row];                                     \
    } while (0)
    if (width == sizeof(guint8))
        SCATTER(guint8);
    else if (width == sizeof(guint16))
        SCATTER(guint16);
    else
        SCATTER(guint32);
#undef SCATTER
    ha_vec_clear(spare);
    *spare = (HaVec){.data = items->data, .capacity = items->capacity * width, .item = 1};
    result.n = MAX(n, 1);
    ha_vec_trim(&result);
    result.n = n;
    *items = result;
    return TRUE;
}

/* The table has rows, of which some may be gone; and is in their order. */
static gboolean
permute_wide(HaColumn *c, const guint32 *to)
{
    HaColumnWide *wide = c->wide.data;
    gsize kept = 0;
    gboolean sorted;
    guint32 *order;

    for (gsize i = 0; i < c->wide.n; i++)
        if (to[wide[i].at] != G_MAXUINT32)
            wide[kept++] = (HaColumnWide){to[wide[i].at], wide[i].value};
    c->wide.n = kept;
    guint64 *keys = ha_mem_new(kept, sizeof *keys);
    for (gsize i = 0; keys != NULL && i < kept; i++)
        keys[i] = wide[i].at;
    gboolean ok = keys != NULL && ha_radix_order(keys, kept, &order, &sorted);
    ha_mem_free(keys);
    if (!ok || sorted)
        return ok;
    HaVec result = {.item = sizeof *wide};
    ok = ha_vec_reserve(&result, kept);
    for (gsize i = 0; ok && i < kept; i++)
        ((HaColumnWide *)result.data)[i] = wide[order[i]];
    ha_mem_free(order);
    if (!ok)
        return FALSE;
    result.n = kept;
    ha_vec_clear(&c->wide);
    c->wide = result;
    return TRUE;
}

gboolean
ha_column_permute(HaColumn *c, const guint32 *to, guint32 n, HaVec *spare)
{
    return (to == NULL || c->wide.n == 0 || permute_wide(c, to)) && ha_permute(&c->items, to, n, spare);
}

gboolean
ha_column_map(HaColumn *c, const void *items, gsize n, gsize width, const HaColumnWide *wide, gsize n_wide)
{
    if (width != 1 && width != 2 && width != 4)
        return FALSE;
    c->items = (HaVec){.data = (gpointer)items, .n = n, .capacity = n, .item = width};
    c->wide = (HaVec){.data = (gpointer)wide, .n = n_wide, .capacity = n_wide, .item = sizeof *wide};
    set_limit(c);
    return TRUE;
}
