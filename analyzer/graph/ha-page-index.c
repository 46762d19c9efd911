// SPDX-License-Identifier: MIT
#include "ha-page-index.h"

#include <stdlib.h>
#include <string.h>

#include "ha-mem.h"
#include "ha-radix.h"

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
    return s->base + s->before[granule / 64] + __builtin_popcountll(word & (bit - 1));
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
is_ascending(const guint64 *addr, guint32 n)
{
    for (guint32 i = 1; i < n; i++)
        if (addr[i] <= addr[i - 1])
            return FALSE;
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
set_bits(Ranking *r, const guint64 *addr, guint32 n, gboolean *sparse)
{
    HaPageIndex *x = r->x;
    guint64 probes = 0, room = 0;
    HaPageSlot *s = NULL;
    for (guint32 i = 0; i < n; i++) {
        guint64 page = addr[i] >> PAGE_SHIFT;
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
        guint granule = addr[i] >> 4 & 255;
        guint64 bit = G_GUINT64_CONSTANT(1) << granule % 64;
        r->rank[i] = s->bits[granule / 64] & bit ? G_MAXUINT32 : 0; /* in uneven pages not the last word */
        s->bits[granule / 64] |= bit;
        s->uneven |= (addr[i] & 15) != 0;
        r->n_uneven += s->uneven;
    }
    return TRUE;
}

/* Addresses in uneven pages, sorted on their own. */
static gboolean
sort_uneven(Ranking *r, const guint64 *addr, guint32 n)
{
    guint32 kept = 0, at = 0;
    HaPageSlot *s = NULL;
    if (r->n_uneven == 0)
        return TRUE;
    for (guint32 i = 0; i < n; i++) {
        s = find_slot(r->x, addr[i] >> PAGE_SHIFT);
        kept += s->uneven;
    }
    r->uneven = ha_mem_new(kept, sizeof *r->uneven);
    r->row = ha_mem_new(kept, sizeof *r->row);
    if (r->uneven == NULL || r->row == NULL)
        return FALSE;
    for (guint32 i = 0; i < n; i++) {
        s = find_slot(r->x, addr[i] >> PAGE_SHIFT);
        if (s->uneven) {
            r->uneven[at] = addr[i];
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
            s->before[w] = s->before[w - 1] + __builtin_popcountll(s->bits[w - 1]);
        s->count = s->before[3] + __builtin_popcountll(s->bits[3]);
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
rank_rows(Ranking *r, const guint64 *addr, guint32 n)
{
    const HaPageSlot *s = NULL;
    for (guint32 i = 0; i < n; i++) {
        if (r->rank[i] == G_MAXUINT32)
            continue;
        guint64 page = addr[i] >> PAGE_SHIFT;
        if (s == NULL || s->page != page + 1)
            s = find_slot(r->x, page);
        if (!s->uneven)
            r->rank[i] = rank_in_slot(s, addr[i]);
    }
}

/* Without an index: by sorting all. */
static gboolean
rank_sparse(HaPageIndex *x, const guint64 *addr, guint32 n, guint32 *rank)
{
    guint32 *order, kept = 0;
    gboolean sorted;
    if (!ha_radix_order(addr, n, &order, &sorted))
        return FALSE;
    for (guint32 i = 0; i < n; i++) {
        guint32 row = order != NULL ? order[i] : i;
        gboolean again = i > 0 && addr[row] == addr[order != NULL ? order[i - 1] : i - 1];
        rank[row] = again ? G_MAXUINT32 : kept++;
    }
    ha_mem_free(order);
    x->n = kept;
    return TRUE;
}

gboolean
ha_page_index_rank(HaPageIndex *x, const guint64 *addr, guint32 n, guint32 **rank)
{
    *x = (HaPageIndex){0};
    *rank = NULL;
    Ranking r = {.x = x, .rank = ha_mem_new(n, sizeof *r.rank)};
    gboolean sparse = FALSE, ok = r.rank != NULL && new_slots(x, 1024);
    ok = ok && set_bits(&r, addr, n, &sparse);
    if (ok) {
        ok = sort_uneven(&r, addr, n) && number_pages(&r);
        if (ok)
            rank_rows(&r, addr, n);
    } else if (sparse) {
        ha_mem_free(x->slots);
        x->slots = NULL;
        ok = rank_sparse(x, addr, n, r.rank);
    }
    if (ok && is_ascending(addr, n))
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
ha_page_index_use(HaPageIndex *x, const guint64 *sorted)
{
    x->addr = sorted;
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
    return rank_in_slot(s, addr);
}

void
ha_page_index_prefetch(const HaPageIndex *x, guint64 addr)
{
    if (x->slots != NULL)
        __builtin_prefetch(&x->slots[hash_page(addr >> PAGE_SHIFT) & x->mask]);
}

gsize
ha_page_index_bytes(const HaPageIndex *x)
{
    return x->slots != NULL ? (x->mask + 1) * sizeof *x->slots : 0;
}

gboolean
ha_page_index_map(HaPageIndex *x, const guint64 *sorted, guint32 n, const void *slots, gsize bytes)
{
    gsize capacity = bytes / sizeof *x->slots;
    *x = (HaPageIndex){.addr = sorted, .n = n};
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
            count += __builtin_popcountll(s->bits[w]);
        }
        if ((!s->uneven && s->count != count) || (guint64)s->base + s->count > x->n)
            return FALSE;
    }
    return x->slots == NULL || used <= x->mask; /* a free one ends every search */
}
