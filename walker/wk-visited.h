// SPDX-License-Identifier: MIT
#pragma once
/*
 * The set of objects seen and written: a directory of leaves, each a bitmap over 1 MiB of addresses, one bit for 16 bytes.
 * Objects lie on 16-byte boundaries but for static ones, which may lie on 8: a second bitmap, made when one is met, says which.
 *
 *   dir[address >> 20] → leaf number → leaf.seen[(address >> 10) & 1023] bit (address >> 4) & 63
 *
 * A leaf's dirty bits tell which words of seen hold something that is not done: sweeps look at nothing else.
 */
#include "wk-private.h"

#define WK_LEAF_SHIFT  20
#define WK_LEAF_WORDS  1024
#define WK_DIR_ENTRIES (1ull << (47 - WK_LEAF_SHIFT))
#define WK_LOWEST      0x10000ull /* no object below: the kernel maps nothing there */
#define WK_QUEUE_MAX   4096u

struct wk_leaf {
    uint64_t dirty[WK_LEAF_WORDS / 64];
    uint64_t seen[WK_LEAF_WORDS];
    uint64_t done[WK_LEAF_WORDS];
    uint64_t *odd;    /* NULL: no object of this leaf lies on an odd multiple of 8 */
    uint64_t *frozen; /* NULL: none was noted by wk_freeze() */
    uint64_t base;
};

struct wk_visited {
    uint32_t *dir;        /* reads as 0 where nothing was ever marked */
    struct wk_leaf *leaf; /* leaf[0] is not used */
    uint32_t leaves;      /* highest number given */
    uint32_t sorted_n;
    struct wk_growing leaf_memory, sorted_memory;
    uint32_t *sorted; /* leaf numbers in address order, as of the last sweep */
    uint64_t *queue;  /* worklist; NULL: sweep only */
    uint32_t queue_head, queue_tail;
    bool queueing; /* new objects go to the worklist, until it is full once: then there is enough to sweep */
};

void wk_visited_init(struct wk *w);
struct wk_leaf *wk_leaf_add(struct wk *w, wk_addr address);
void wk_leaf_odd(struct wk *w, struct wk_leaf *leaf);
void wk_leaves_sort(struct wk *w);
bool wk_freeze(struct wk *w, wk_addr object); /* notes a frozen object; false: it was noted before */

static inline bool
wk_impossible(wk_addr a)
{
    return a - WK_LOWEST >= (1ull << 47) - WK_LOWEST || (a & 7) != 0;
}

static inline struct wk_leaf *
wk_leaf_of(struct wk *w, wk_addr a)
{
    struct wk_visited *v = w->visited;
    uint32_t number = v->dir[a >> WK_LEAF_SHIFT];

    return wk_likely(number != 0) ? &v->leaf[number] : wk_leaf_add(w, a);
}

static inline void
wk_mark_new(struct wk *w, struct wk_leaf *leaf, wk_addr a, uint64_t word, uint64_t bit)
{
    struct wk_visited *v = w->visited;

    leaf->seen[word] |= bit;
    if (wk_unlikely((a & 8) != 0)) {
        if (leaf->odd == NULL)
            wk_leaf_odd(w, leaf);
        leaf->odd[word] |= bit;
    }
    if (v->queueing) {
        if (v->queue_tail - v->queue_head < WK_QUEUE_MAX) {
            leaf->done[word] |= bit;
            v->queue[v->queue_tail++ & (WK_QUEUE_MAX - 1)] = a;
            __builtin_prefetch((const void *)(uintptr_t)a);
            return;
        }
        v->queueing = false;
    }
    leaf->dirty[word >> 6] |= 1ull << (word & 63);
}

static inline void
wk_mark_fast(struct wk *w, wk_addr a)
{
    if (wk_unlikely(wk_impossible(a)))
        return;
    struct wk_leaf *leaf = wk_leaf_of(w, a);
    uint64_t word = (a >> 10) & (WK_LEAF_WORDS - 1), bit = 1ull << ((a >> 4) & 63);
    if ((leaf->seen[word] & bit) == 0)
        wk_mark_new(w, leaf, a, word, bit);
}

/* Brings the bitmap word of an address nearer; harmless for any address below 2^47. */
static inline void
wk_mark_prefetch(const struct wk *w, wk_addr a)
{
    const struct wk_visited *v = w->visited;

    if (wk_likely((a >> 47) == 0))
        __builtin_prefetch(&v->leaf[v->dir[a >> WK_LEAF_SHIFT]].seen[(a >> 10) & (WK_LEAF_WORDS - 1)]);
}

/* Noted by wk_freeze(). */
static inline bool
wk_is_frozen(const struct wk *w, wk_addr a)
{
    const struct wk_visited *v = w->visited;
    const uint64_t *frozen = v->leaf[v->dir[a >> WK_LEAF_SHIFT]].frozen;

    return frozen != NULL && (frozen[(a >> 10) & (WK_LEAF_WORDS - 1)] >> ((a >> 4) & 63) & 1) != 0;
}
