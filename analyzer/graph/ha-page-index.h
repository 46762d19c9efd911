// SPDX-License-Identifier: MIT
#pragma once
/*
 * Address → rank in a sorted array of addresses. One 64-byte slot for each 4 KiB page that holds objects, in an open hash table: a
 * bitmap of the 16-byte granules where objects start, and the rank of the page's first. A page with an address that is not a
 * multiple of 16 is searched in the array itself. Immutable after the build, any thread.
 */
#include <glib.h>

typedef struct HaPageSlot HaPageSlot;

typedef struct {
    const guint64 *addr; /* borrowed, ascending, distinct */
    guint32 n;
    HaPageSlot *slots; /* owned; NULL: so sparse that the array is searched instead */
    guint64 mask;
} HaPageIndex;

gboolean ha_page_index_init(HaPageIndex *x, const guint64 *addr, guint32 n); /* FALSE: no memory */
void ha_page_index_clear(HaPageIndex *x);
guint32 ha_page_index_lookup(const HaPageIndex *x, guint64 addr); /* G_MAXUINT32: not there */
void ha_page_index_prefetch(const HaPageIndex *x, guint64 addr);
