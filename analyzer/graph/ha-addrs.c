// SPDX-License-Identifier: MIT
#include "ha-addrs.h"

#include "ha-column.h"
#include "ha-radix.h"

void
ha_addrs_init(HaAddrs *a)
{
    *a = (HaAddrs){.low = {.item = sizeof(guint32)}, .steps = {.item = sizeof(HaAddrStep)}};
}

void
ha_addrs_clear(HaAddrs *a)
{
    ha_vec_clear(&a->low);
    ha_vec_clear(&a->steps);
}

gboolean
ha_addrs_new_step(HaAddrs *a, guint64 high)
{
    if (!ha_vec_reserve(&a->steps, 1))
        return FALSE;
    ((HaAddrStep *)a->steps.data)[a->steps.n++] = (HaAddrStep){high, a->low.n};
    return TRUE;
}

gsize
ha_addrs_step_of(const HaAddrs *a, gsize i)
{
    const HaAddrStep *steps = a->steps.data;
    gsize low = 0, high = a->steps.n; /* the last that begins at or before i */

    while (high - low > 1) {
        gsize middle = low + (high - low) / 2;
        if (steps[middle].first <= i)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Each stretch once, with the first rank in it. */
static gboolean
permute_steps(HaAddrs *a, const guint32 *to)
{
    HaAddrStep *steps = a->steps.data;
    guint64 *keys = ha_mem_new(a->steps.n, sizeof *keys);
    guint32 *order = NULL;
    gboolean sorted;
    gsize kept = 0;

    for (gsize s = 0; keys != NULL && s < a->steps.n; s++) {
        gsize end = s + 1 < a->steps.n ? steps[s + 1].first : a->low.n;
        guint64 least = G_MAXUINT64;
        for (gsize row = steps[s].first; row < end; row++)
            if (to[row] != G_MAXUINT32)
                least = MIN(least, to[row]);
        if (least != G_MAXUINT64) {
            steps[kept].high = steps[s].high;
            keys[kept] = least;
            steps[kept++].first = least;
        }
    }
    gboolean ok = keys != NULL && ha_radix_order(keys, kept, &order, &sorted);
    HaVec result = {.item = sizeof *steps};
    ok = ok && ha_vec_reserve(&result, MAX(kept, 1));
    for (gsize i = 0; ok && i < kept; i++) {
        HaAddrStep *now = (HaAddrStep *)result.data + result.n, step = steps[order != NULL ? order[i] : i];
        if (result.n == 0 || now[-1].high != step.high) {
            *now = step;
            result.n++;
        }
    }
    ha_mem_free(keys);
    ha_mem_free(order);
    if (!ok)
        return FALSE;
    ha_vec_clear(&a->steps);
    a->steps = result;
    ha_vec_trim(&a->steps);
    return TRUE;
}

gboolean
ha_addrs_permute(HaAddrs *a, const guint32 *to, guint32 n, HaVec *spare)
{
    return (to == NULL || permute_steps(a, to)) && ha_permute(&a->low, to, n, spare);
}

guint32
ha_addrs_find(const HaAddrs *a, guint32 first, guint32 n, guint64 addr)
{
    guint32 low = first, high = first + n;
    while (low < high) {
        guint32 middle = low + (high - low) / 2;
        if (ha_addrs_get(a, middle) < addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < first + n && ha_addrs_get(a, low) == addr ? low : G_MAXUINT32;
}
