// SPDX-License-Identifier: MIT
/*
 * Others of a page. Of a linked list through memory in random order, one object is known at a time, and each has to come from memory before the next
 * one is: neither sweeps nor prefetching help. But instances of a type lie side by side, so those in the page of a known one are found
 * without anybody leading there: whoever has the same type, and whose link in the collector's lists is answered by the one that it leads
 * to, is in these lists, and the walk would have come to it in the end. Nothing is found that it would not have found.
 */
#include "arch/wk-arch.h"
#include "wk-gc.h"
#include "wk-objects.h"

#define PAGE  4096u
#define WORDS (PAGE >> 10) /* of a leaf's bitmap */

static inline wk_addr
link_of(wk_addr head, unsigned way)
{
    return WK_U64(head, 8 * way) & ~3ull;
}

/* Where in the page heads of unseen instances seem to be; the next ones of theirs are called for. */
static unsigned
candidates(const struct wk_leaf *leaf, wk_addr page, wk_addr type, uint16_t *places)
{
    const uint64_t *seen = &leaf->seen[(page >> 10) & (WK_LEAF_WORDS - 1)];
    unsigned n = 0;

    for (unsigned at = 0; at <= PAGE - 2 * WK_GC_HEAD_SIZE; at += 16) {
        if (wk_likely(WK_U64(page, at + WK_GC_HEAD_SIZE + WK_OB_TYPE) != type))
            continue;
        unsigned bit = (at + WK_GC_HEAD_SIZE) >> 4;
        wk_addr next = link_of(page + at, 0);
        if ((seen[bit >> 6] >> (bit & 63) & 1) != 0 || (next & 15) != 0 || wk_impossible(next))
            continue;
        wk_arch_prefetch(next);
        places[n++] = (uint16_t)at;
    }
    return n;
}

/* What only looks like an object may lead to where there is no memory: ghost only. */
bool
wk_neighbours(struct wk *w, wk_addr object, wk_addr type, uint64_t *found)
{
    wk_addr page = object & ~(wk_addr)(PAGE - 1);
    uint16_t places[PAGE / 16];
    struct wk_leaf *leaf = wk_leaf_of(w, object);
    unsigned number = (unsigned)(object / PAGE) & (WK_LEAF_PAGES - 1);

    if ((leaf->looked_at[number >> 6] >> (number & 63) & 1) != 0)
        return false;
    leaf->looked_at[number >> 6] |= 1ull << (number & 63);
    unsigned n = candidates(leaf, page, type, places);
    for (unsigned i = 0; i < n; i++) {
        wk_addr head = page + places[i];
        if (link_of(link_of(head, 0), 1) == head) {
            wk_mark_fast(w, head + WK_GC_HEAD_SIZE);
            ++*found;
        }
    }
    return true;
}
