// SPDX-License-Identifier: MIT
#include "ha-page-index.h"

#include <stdlib.h>
#include <string.h>

#include "ha-mem.h"
#include "ha-radix.h"

#define PAGE_SHIFT 12
#define AHEAD      16u /* lookups */

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

/* Without an instruction for it, a call would cost more. */
static inline guint
count_bits(guint64 x)
{
    x -= x >> 1 & G_GUINT64_CONSTANT(0x5555555555555555);
    x = (x & G_GUINT64_CONSTANT(0x3333333333333333)) + (x >> 2 & G_GUINT64_CONSTANT(0x3333333333333333));
    x = (x + (x >> 4)) & G_GUINT64_CONSTANT(0x0f0f0f0f0f0f0f0f);
    return x * G_GUINT64_CONSTANT(0x0101010101010101) >> 56;
}

static guint64
hash_page(guint64 page)
{
    return page * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) >> 30;
}

static HaPageSlot *
find_slot_counting(const HaPageIndex *x, guint64 page, guint64 *steps)
{
    guint64 start = hash_page(page);
    for (guint64 h = start;; h++) {
        HaPageSlot *s = &x->slots[h & x->mask];
        if (s->page == page + 1 || s->page == 0) {
            *steps = h - start;
            return s;
        }
    }
}

static inline HaPageSlot *
find_slot(const HaPageIndex *x, guint64 page)
{
    guint64 steps;
    return find_slot_counting(x, page, &steps);
}

static inline guint32
rank_in_slot(const HaPageSlot *s, guint64 addr)
{
    guint granule = addr >> 4 & 255;
    guint64 bit = G_GUINT64_CONSTANT(1) << granule % 64;
    guint64 word = s->bits[granule / 64];
    if ((word & bit) == 0 || (addr & 15) != 0)
        return G_MAXUINT32;
    return s->base + s->before[granule / 64] + count_bits(word & (bit - 1));
}

/* What ha_page_index_rank() needs for the while. */
typedef struct {
    HaPageIndex *x;
    guint32 *rank;  /* owned */
    guint64 *pages; /* owned: page numbers, each once, in the order of their first address */
    guint32 n_pages;
    guint64 *uneven; /* owned: addresses in pages where bits mean nothing */
    guint32 *row;    /* owned: where they stand */
    guint32 *order;  /* owned: of uneven */
    guint32 n_uneven;
} Ranking;

static gboolean
is_ascending(const HaAddrs *addrs)
{
    HaAddrCursor cursor = {.a = addrs};
    guint64 before = 0;
    for (gsize i = 0; i < addrs->low.n; i++) {
        guint64 addr = ha_addr_cursor_get(&cursor, i);
        if (i > 0 && addr <= before)
            return FALSE;
        before = addr;
    }
    return TRUE;
}

static gboolean
new_slots(HaPageIndex *x, guint64 capacity)
{
    x->slots = ha_mem_new0(capacity, sizeof *x->slots);
    x->mask = capacity - 1;
    return x->slots != NULL;
}

/* The table twice as large; addresses may be such that counting pages beforehand says little. */
static gboolean
grow(HaPageIndex *x)
{
    HaPageIndex larger = {0};
    if (!new_slots(&larger, 2 * (x->mask + 1)))
        return FALSE;
    for (guint64 i = 0; i <= x->mask; i++)
        if (x->slots[i].page != 0)
            *find_slot(&larger, x->slots[i].page - 1) = x->slots[i];
    ha_mem_free(x->slots);
    x->slots = larger.slots;
    x->mask = larger.mask;
    return TRUE;
}

/* Bits of all addresses, and which rows repeat one; FALSE: no memory, or *sparse. */
static gboolean
set_bits(Ranking *r, const HaAddrs *addrs, gboolean *sparse)
{
    HaPageIndex *x = r->x;
    HaAddrCursor cursor = {.a = addrs};
    guint32 n = addrs->low.n;
    guint64 probes = 0, room = 0;
    HaPageSlot *s = NULL;
    for (guint32 i = 0; i < n; i++) {
        guint64 addr = ha_addr_cursor_get(&cursor, i), page = addr >> PAGE_SHIFT;
        if (s == NULL || s->page != page + 1) {
            if (r->n_pages >= (x->mask + 1) / 4 * 3 && !grow(x))
                return FALSE;
            guint64 steps;
            s = find_slot_counting(x, page, &steps);
            probes += steps;
            /* real heaps have dozens of objects a page; an index larger than the addresses themselves would not pay. And addresses may be
             * chosen so that all pages fall together. */
            *sparse = (r->n_pages > 1024 && r->n_pages > n / 4) || probes > 16 * ((guint64)n + 1024);
            if (*sparse)
                return FALSE;
            if (s->page == 0) {
                if (r->n_pages == room) {
                    room = room * 2 + 1024;
                    guint64 *more = realloc(r->pages, room * sizeof *more);
                    if (more == NULL)
                        return FALSE;
                    r->pages = more;
                }
                s->page = page + 1;
                r->pages[r->n_pages++] = page;
            }
        }
        guint granule = addr >> 4 & 255;
        guint64 bit = G_GUINT64_CONSTANT(1) << granule % 64;
        r->rank[i] = s->bits[granule / 64] & bit ? G_MAXUINT32 : 0; /* in uneven pages not the last word */
        s->bits[granule / 64] |= bit;
        s->uneven |= (addr & 15) != 0;
        r->n_uneven += s->uneven;
    }
    return TRUE;
}

/* Addresses in uneven pages, sorted on their own. */
static gboolean
sort_uneven(Ranking *r, const HaAddrs *addrs)
{
    guint32 kept = 0, at = 0, n = addrs->low.n;
    HaAddrCursor once = {.a = addrs}, again = {.a = addrs};
    HaPageSlot *s = NULL;
    if (r->n_uneven == 0)
        return TRUE;
    for (guint32 i = 0; i < n; i++) {
        s = find_slot(r->x, ha_addr_cursor_get(&once, i) >> PAGE_SHIFT);
        kept += s->uneven;
    }
    r->uneven = ha_mem_new(kept, sizeof *r->uneven);
    r->row = ha_mem_new(kept, sizeof *r->row);
    if (r->uneven == NULL || r->row == NULL)
        return FALSE;
    for (guint32 i = 0; i < n; i++) {
        guint64 addr = ha_addr_cursor_get(&again, i);
        s = find_slot(r->x, addr >> PAGE_SHIFT);
        if (s->uneven) {
            r->uneven[at] = addr;
            r->row[at++] = i;
        }
    }
    gboolean sorted;
    if (!ha_radix_order(r->uneven, kept, &r->order, &sorted))
        return FALSE;
    r->n_uneven = kept;
    return TRUE;
}

/* Position in the sorted uneven ones; their count where i is past the end. */
static guint32
nth_uneven(const Ranking *r, guint32 i)
{
    return r->order != NULL ? r->order[i] : i;
}

/* The pages in order get their ranks, and rows of uneven ones theirs. */
static gboolean
number_pages(Ranking *r)
{
    HaPageIndex *x = r->x;
    guint32 *order, base = 0, u = 0;
    gboolean sorted;
    if (!ha_radix_order(r->pages, r->n_pages, &order, &sorted))
        return FALSE;
    for (guint32 i = 0; i < r->n_pages; i++) {
        guint64 page = r->pages[order != NULL ? order[i] : i];
        HaPageSlot *s = find_slot(x, page);
        s->base = base;
        for (guint w = 1; w < 4; w++)
            s->before[w] = s->before[w - 1] + count_bits(s->bits[w - 1]);
        s->count = s->before[3] + count_bits(s->bits[3]);
        if (s->uneven) {
            guint64 last = 0;
            for (s->count = 0; r->uneven != NULL && u < r->n_uneven; u++) {
                guint32 k = nth_uneven(r, u);
                if (r->uneven[k] >> PAGE_SHIFT != page)
                    break;
                gboolean again = s->count > 0 && r->uneven[k] == last;
                last = r->uneven[k];
                r->rank[r->row[k]] = again ? G_MAXUINT32 : base + s->count++;
            }
        }
        base += s->count;
    }
    ha_mem_free(order);
    x->n = base;
    return TRUE;
}

static void
rank_rows(Ranking *r, const HaAddrs *addrs)
{
    const HaPageSlot *s = NULL;
    HaAddrCursor cursor = {.a = addrs};
    for (guint32 i = 0; i < addrs->low.n; i++) {
        if (r->rank[i] == G_MAXUINT32)
            continue;
        guint64 addr = ha_addr_cursor_get(&cursor, i), page = addr >> PAGE_SHIFT;
        if (s == NULL || s->page != page + 1)
            s = find_slot(r->x, page);
        if (!s->uneven)
            r->rank[i] = rank_in_slot(s, addr);
    }
}

/* Without an index: by sorting all. */
static gboolean
rank_sparse(HaPageIndex *x, const HaAddrs *addrs, guint32 *rank)
{
    guint32 *order, kept = 0, n = addrs->low.n;
    gboolean sorted;
    HaAddrCursor cursor = {.a = addrs};
    guint64 *addr = ha_mem_new(n, sizeof *addr);
    for (guint32 i = 0; addr != NULL && i < n; i++)
        addr[i] = ha_addr_cursor_get(&cursor, i);
    gboolean ok = addr != NULL && ha_radix_order(addr, n, &order, &sorted);
    for (guint32 i = 0; ok && i < n; i++) {
        guint32 row = order != NULL ? order[i] : i;
        gboolean again = i > 0 && addr[row] == addr[order != NULL ? order[i - 1] : i - 1];
        rank[row] = again ? G_MAXUINT32 : kept++;
    }
    ha_mem_free(addr);
    if (!ok)
        return FALSE;
    ha_mem_free(order);
    x->n = kept;
    return TRUE;
}

gboolean
ha_page_index_rank(HaPageIndex *x, const HaAddrs *addrs, guint32 **rank)
{
    *x = (HaPageIndex){0};
    *rank = NULL;
    Ranking r = {.x = x, .rank = ha_mem_new(addrs->low.n, sizeof *r.rank)};
    gboolean sparse = FALSE, ok = r.rank != NULL && new_slots(x, 1024);
    ok = ok && set_bits(&r, addrs, &sparse);
    if (ok) {
        ok = sort_uneven(&r, addrs) && number_pages(&r);
        if (ok)
            rank_rows(&r, addrs);
    } else if (sparse) {
        ha_mem_free(x->slots);
        x->slots = NULL;
        ok = rank_sparse(x, addrs, r.rank);
    }
    if (ok && is_ascending(addrs))
        ha_mem_free(r.rank);
    else
        *rank = g_steal_pointer(&r.rank);
    free(r.pages);
    ha_mem_free(r.uneven);
    ha_mem_free(r.row);
    ha_mem_free(r.order);
    if (!ok) {
        ha_mem_free(*rank);
        *rank = NULL;
        ha_page_index_clear(x);
    }
    return ok;
}

void
ha_page_index_use(HaPageIndex *x, const HaAddrs *sorted)
{
    x->addrs = sorted;
}

void
ha_page_index_clear(HaPageIndex *x)
{
    ha_mem_free(x->slots);
    memset(x, 0, sizeof *x);
}

static inline guint32
lookup(const HaPageIndex *x, guint64 addr)
{
    if (x->slots == NULL)
        return ha_addrs_find(x->addrs, 0, x->n, addr);
    const HaPageSlot *s = find_slot(x, addr >> PAGE_SHIFT);
    if (s->page == 0)
        return G_MAXUINT32;
    if (s->uneven)
        return ha_addrs_find(x->addrs, s->base, s->count, addr);
    return rank_in_slot(s, addr);
}

guint32
ha_page_index_lookup(const HaPageIndex *x, guint64 addr)
{
    return lookup(x, addr);
}

void
ha_page_index_lookup_many(const HaPageIndex *x, const guint64 *addr, guint32 *rank, guint n)
{
    for (guint i = 0; x->slots != NULL && i < MIN(n, AHEAD); i++)
        __builtin_prefetch(&x->slots[hash_page(addr[i] >> PAGE_SHIFT) & x->mask]);
    for (guint i = 0; i < n; i++) {
        if (x->slots != NULL && i + AHEAD < n)
            __builtin_prefetch(&x->slots[hash_page(addr[i + AHEAD] >> PAGE_SHIFT) & x->mask]);
        rank[i] = lookup(x, addr[i]);
    }
}

gsize
ha_page_index_bytes(const HaPageIndex *x)
{
    return x->slots != NULL ? (x->mask + 1) * sizeof *x->slots : 0;
}

gboolean
ha_page_index_map(HaPageIndex *x, const HaAddrs *sorted, guint32 n, const void *slots, gsize bytes)
{
    gsize capacity = bytes / sizeof *x->slots;
    *x = (HaPageIndex){.addrs = sorted, .n = n};
    if (bytes == 0)
        return TRUE;
    if (bytes % sizeof *x->slots != 0 || (capacity & (capacity - 1)) != 0)
        return FALSE;
    x->slots = (gpointer)slots;
    x->mask = capacity - 1;
    return TRUE;
}

gboolean
ha_page_index_is_sound(const HaPageIndex *x)
{
    guint64 used = 0;
    for (guint64 i = 0; x->slots != NULL && i <= x->mask; i++) {
        const HaPageSlot *s = &x->slots[i];
        if (s->page == 0)
            continue;
        used++;
        guint count = 0;
        for (guint w = 0; w < 4; w++) {
            if (!s->uneven && s->before[w] != count)
                return FALSE;
            count += count_bits(s->bits[w]);
        }
        if ((!s->uneven && s->count != count) || (guint64)s->base + s->count > x->n)
            return FALSE;
    }
    return x->slots == NULL || used <= x->mask; /* a free one ends every search */
}
