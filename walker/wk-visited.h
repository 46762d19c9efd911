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
#include "arch/wk-arch.h"
#include "wk-private.h"

#define WK_LEAF_SHIFT  20
#define WK_LEAF_WORDS  1024
#define WK_LEAF_PAGES  256u
#define WK_DIR_ENTRIES (1ull << (47 - WK_LEAF_SHIFT))
#define WK_LOWEST      0x10000ull /* no object below: the kernel maps nothing there */
#define WK_QUEUE_MAX   4096u

#define WK_POINTER_NEVER (~((1ull << 47) - 1) | 7) /* bits that no pointer to an object has */

struct wk_leaf {
    uint64_t dirty[WK_LEAF_WORDS / 64];
    uint64_t seen[WK_LEAF_WORDS];
    uint64_t done[WK_LEAF_WORDS];
    uint64_t *odd;    /* NULL: no object of this leaf lies on an odd multiple of 8 */
    uint64_t *frozen; /* NULL: none was noted by wk_freeze() */
    uint64_t base;
    uint64_t looked_at[WK_LEAF_PAGES / 64]; /* pages whose objects were looked for: neighbours.c */
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
void wk_leave_out(struct wk *w, wk_addr a);   /* what looks like an object and is none: it will not be written */
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

/*
 * For an address that is a multiple of 16; returns whether it was not marked. Half of all marks are of objects seen before, in no order that
 * a processor could learn: there is no branch on it.
 */
static inline bool
wk_mark_even(struct wk_leaf *leaf, wk_addr a)
{
    uint64_t word = (a >> 10) & (WK_LEAF_WORDS - 1);
    bool fresh = !wk_arch_set_bit(&leaf->seen[word], a >> 4);

    leaf->dirty[word >> 6] |= (uint64_t)fresh << (word & 63);
    return fresh;
}

static inline void
wk_mark_in(struct wk *w, struct wk_leaf *leaf, wk_addr a)
{
    bool fresh = wk_mark_even(leaf, a);

    if (wk_unlikely((a & 8) != 0)) {
        if (leaf->odd == NULL)
            wk_leaf_odd(w, leaf);
        leaf->odd[(a >> 10) & (WK_LEAF_WORDS - 1)] |= (uint64_t)fresh << ((a >> 4) & 63);
    }
}

/* For sweeps to find. */
static inline void
wk_mark_swept(struct wk *w, struct wk_visited *v, wk_addr a)
{
    uint32_t number;

    if (wk_unlikely((a & WK_POINTER_NEVER) != 0))
        return;
    if (wk_likely((number = v->dir[a >> WK_LEAF_SHIFT]) != 0))
        wk_mark_in(w, &v->leaf[number], a);
    else if (a >= WK_LOWEST)
        wk_mark_in(w, wk_leaf_add(w, a), a);
}

void wk_mark_queue(struct wk *w, wk_addr a); /* for the worklist, while it has room */

static inline void
wk_mark_fast(struct wk *w, wk_addr a)
{
    if (wk_likely(!w->visited->queueing))
        wk_mark_swept(w, w->visited, a);
    else
        wk_mark_queue(w, a);
}

/* Noted by wk_freeze(). */
static inline bool
wk_is_frozen(const struct wk *w, wk_addr a)
{
    const struct wk_visited *v = w->visited;
    const uint64_t *frozen = v->leaf[v->dir[a >> WK_LEAF_SHIFT]].frozen;

    return frozen != NULL && (frozen[(a >> 10) & (WK_LEAF_WORDS - 1)] >> ((a >> 4) & 63) & 1) != 0;
}
