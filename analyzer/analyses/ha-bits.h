// SPDX-License-Identifier: MIT
#pragma once
/* A set of object ids, one bit each. Plain data; writers need the set for themselves. */
#include <glib.h>

typedef struct {
    guint64 *words; /* owned */
    guint32 n;      /* ids 0 … n - 1 may be in it */
} HaBits;

HaBits *ha_bits_new(guint32 n, gboolean all); /* NULL: no memory */
void ha_bits_free(HaBits *b);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaBits, ha_bits_free)
guint32 ha_bits_count(const HaBits *b);

static inline gboolean
ha_bits_get(const HaBits *b, guint32 i)
{
    return b->words[i / 64] >> (i % 64) & 1;
}

static inline void
ha_bits_set(HaBits *b, guint32 i)
{
    b->words[i / 64] |= G_GUINT64_CONSTANT(1) << (i % 64);
}

static inline void
ha_bits_clear(HaBits *b, guint32 i)
{
    b->words[i / 64] &= ~(G_GUINT64_CONSTANT(1) << (i % 64));
}
