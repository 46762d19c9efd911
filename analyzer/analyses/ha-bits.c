// SPDX-License-Identifier: MIT
#include "ha-bits.h"

#include <string.h>

#include "graph/ha-mem.h"

HaBits *
ha_bits_new(guint32 n, gboolean all)
{
    gsize words = ((gsize)n + 63) / 64;
    HaBits *b = g_new0(HaBits, 1);
    b->n = n;
    b->words = ha_mem_new0(words, sizeof *b->words);
    if (b->words == NULL) {
        g_free(b);
        return NULL;
    }
    if (all && n > 0) {
        memset(b->words, 0xff, words * sizeof *b->words);
        if (n % 64 != 0)
            b->words[words - 1] = (G_GUINT64_CONSTANT(1) << n % 64) - 1;
    }
    return b;
}

void
ha_bits_free(HaBits *b)
{
    if (b == NULL)
        return;
    ha_mem_free(b->words);
    g_free(b);
}

guint32
ha_bits_count(const HaBits *b)
{
    guint32 count = 0;
    for (gsize w = 0; w < ((gsize)b->n + 63) / 64; w++)
        count += __builtin_popcountll(b->words[w]);
    return count;
}
