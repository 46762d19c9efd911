// SPDX-License-Identifier: MIT
#include "ha-radix.h"

#include <string.h>

#include "ha-mem.h"

#define DIGIT_BITS 11
#define DIGITS     (1u << DIGIT_BITS)

/* Least significant digit first; digits in which no two keys differ are passed over. */
gboolean
ha_radix_order(const guint64 *keys, guint32 n, guint32 **order, gboolean *sorted)
{
    guint64 differ = 0;
    *sorted = TRUE;
    *order = NULL;
    for (guint32 i = 1; i < n; i++) {
        differ |= keys[i] ^ keys[0];
        *sorted &= keys[i] > keys[i - 1];
    }
    if (*sorted)
        return TRUE;

    guint64 *key = ha_mem_new(n, sizeof *key), *key_to = ha_mem_new(n, sizeof *key_to);
    guint32 *row = ha_mem_new(n, sizeof *row), *row_to = ha_mem_new(n, sizeof *row_to);
    guint32 *at = g_new(guint32, DIGITS);
    gboolean ok = key != NULL && key_to != NULL && row != NULL && row_to != NULL;
    if (ok) {
        memcpy(key, keys, n * sizeof *key);
        for (guint32 i = 0; i < n; i++)
            row[i] = i;
    }
    for (guint shift = 0; ok && shift < 64; shift += DIGIT_BITS) {
        if ((differ >> shift & (DIGITS - 1)) == 0)
            continue;
        memset(at, 0, DIGITS * sizeof *at);
        for (guint32 i = 0; i < n; i++)
            at[key[i] >> shift & (DIGITS - 1)]++;
        guint32 sum = 0;
        for (guint d = 0; d < DIGITS; d++) {
            guint32 count = at[d];
            at[d] = sum;
            sum += count;
        }
        for (guint32 i = 0; i < n; i++) {
            guint32 to = at[key[i] >> shift & (DIGITS - 1)]++;
            key_to[to] = key[i];
            row_to[to] = row[i];
        }
        guint64 *k = key;
        key = key_to;
        key_to = k;
        guint32 *r = row;
        row = row_to;
        row_to = r;
    }
    g_free(at);
    ha_mem_free(key);
    ha_mem_free(key_to);
    ha_mem_free(row_to);
    if (!ok) {
        ha_mem_free(row);
        return FALSE;
    }
    *order = row;
    return TRUE;
}
