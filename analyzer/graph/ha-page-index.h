// SPDX-License-Identifier: MIT
#pragma once
/*
 * Address → rank among addresses. One 64-byte slot for each 4 KiB page that holds objects, in an open hash table: a bitmap of the
 * 16-byte granules where objects start, and the rank of the page's first. A page with an address that is not a multiple of 16 is
 * searched in the sorted array itself. Two steps, so that nothing need be sorted but the pages: ha_page_index_rank() gives the rank of
 * each address of an unsorted array, ha_page_index_use() says where they stand once they are in order. Immutable afterwards, any thread.
 */
#include <glib.h>

#include "ha-addrs.h"

typedef struct HaPageSlot HaPageSlot;

typedef struct {
    const HaAddrs *addrs; /* borrowed, ascending, distinct */
    guint32 n;
    HaPageSlot *slots; /* owned; NULL: so sparse that the array is searched instead */
    guint64 mask;
} HaPageIndex;

/*
 * On return (*rank)[i] is the rank of the i-th address, or G_MAXUINT32 where the same address stood before, and x->n how many are distinct. *rank is
 * NULL when addresses are strictly ascending: then it would be i. Free *rank with ha_mem_free. FALSE: no memory.
 */
gboolean ha_page_index_rank(HaPageIndex *x, const HaAddrs *addrs, guint32 **rank);
void ha_page_index_use(HaPageIndex *x, const HaAddrs *sorted); /* x->n of them; borrowed for as long as x lives */
void ha_page_index_clear(HaPageIndex *x);
guint32 ha_page_index_lookup(const HaPageIndex *x, guint64 addr); /* G_MAXUINT32: not there */
/* The same of many, which takes less than one by one. */
void ha_page_index_lookup_many(const HaPageIndex *x, const guint64 *addr, guint32 *rank, guint n);

/* For an index on disk: bytes of the slots, the same from a mapping, and whether they can be used without leaving the array. */
gsize ha_page_index_bytes(const HaPageIndex *x);
gboolean ha_page_index_map(HaPageIndex *x, const HaAddrs *sorted, guint32 n, const void *slots, gsize bytes);
gboolean ha_page_index_is_sound(const HaPageIndex *x);
