// SPDX-License-Identifier: MIT
#include "ha-page-index.h"

#include <string.h>

#include "ha-mem.h"

#define PAGE_SHIFT 12

struct HaPageSlot {
    guint64 bits[4]; /* granule g of the page: bit g % 64 of word g / 64 */
    guint64 page;    /* page number + 1; 0: free */
    guint32 base;    /* rank of the first object in the page */
    guint16 before[4];
    guint16 count;
    guint16 uneven; /* has an address that is no multiple of 16: bits mean nothing */
    guint64 pad;
};
G_STATIC_ASSERT(sizeof(HaPageSlot) == 64);

static guint64
hash_page(guint64 page)
{
    return page * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) >> 30;
}

static HaPageSlot *
find_slot(const HaPageIndex *x, guint64 page)
{
    for (guint64 h = hash_page(page);; h++) {
        HaPageSlot *s = &x->slots[h & x->mask];
        if (s->page == page + 1 || s->page == 0)
            return s;
    }
}

static guint32
search(const guint64 *addr, guint32 first, guint32 n, guint64 wanted)
{
    guint32 low = first, high = first + n;
    while (low < high) {
        guint32 middle = low + (high - low) / 2;
        if (addr[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low < first + n && addr[low] == wanted ? low : G_MAXUINT32;
}

gboolean
ha_page_index_init(HaPageIndex *x, const guint64 *addr, guint32 n)
{
    guint64 pages = 0;
    for (guint32 i = 0; i < n; i++)
        pages += i == 0 || addr[i] >> PAGE_SHIFT != addr[i - 1] >> PAGE_SHIFT;
    *x = (HaPageIndex){.addr = addr, .n = n};
    /* real heaps have dozens of objects a page; an index larger than the addresses themselves would not pay */
    if (pages > 1024 && pages > n / 4)
        return TRUE;
    guint64 capacity = 16;
    while (capacity < pages + pages / 2)
        capacity *= 2;
    x->slots = ha_mem_new0(capacity, sizeof *x->slots);
    if (x->slots == NULL)
        return FALSE;
    x->mask = capacity - 1;
    for (guint32 i = 0; i < n;) {
        guint64 page = addr[i] >> PAGE_SHIFT;
        HaPageSlot *s = find_slot(x, page);
        s->page = page + 1;
        s->base = i;
        for (; i < n && addr[i] >> PAGE_SHIFT == page; i++) {
            guint granule = addr[i] >> 4 & 255;
            s->bits[granule / 64] |= G_GUINT64_CONSTANT(1) << granule % 64;
            s->uneven |= (addr[i] & 15) != 0;
        }
        s->count = i - s->base;
        for (guint w = 1; w < 4; w++)
            s->before[w] = s->before[w - 1] + __builtin_popcountll(s->bits[w - 1]);
    }
    return TRUE;
}

void
ha_page_index_clear(HaPageIndex *x)
{
    ha_mem_free(x->slots);
    memset(x, 0, sizeof *x);
}

guint32
ha_page_index_lookup(const HaPageIndex *x, guint64 addr)
{
    if (x->slots == NULL)
        return search(x->addr, 0, x->n, addr);
    const HaPageSlot *s = find_slot(x, addr >> PAGE_SHIFT);
    if (s->page == 0)
        return G_MAXUINT32;
    if (s->uneven)
        return search(x->addr, s->base, s->count, addr);
    guint granule = addr >> 4 & 255;
    guint64 bit = G_GUINT64_CONSTANT(1) << granule % 64;
    guint64 word = s->bits[granule / 64];
    if ((word & bit) == 0 || (addr & 15) != 0)
        return G_MAXUINT32;
    return s->base + s->before[granule / 64] + __builtin_popcountll(word & (bit - 1));
}

void
ha_page_index_prefetch(const HaPageIndex *x, guint64 addr)
{
    if (x->slots != NULL)
        __builtin_prefetch(&x->slots[hash_page(addr >> PAGE_SHIFT) & x->mask]);
}
