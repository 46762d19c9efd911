// SPDX-License-Identifier: MIT
#pragma once
/*
 * How objects of the collector are found: in linked lists, whose links are followed as if they were references (lists.c); in free-threaded
 * builds, which have no lists, in the pages of the heaps that they lie in (pages.c). Where links are all there is to follow, others are looked for
 * in the pages of those that were found (neighbours.c).
 */
#include "wk-types.h"
#include "wk-visited.h"

#define WK_GC_HEADS_MAX 64u

struct wk_gc {
    wk_addr heads[WK_GC_HEADS_MAX]; /* of the lists */
    unsigned n_heads;
    bool frozen; /* some objects are frozen (gc.freeze): their bits are in the leaves */
};

void wk_gc_init(struct wk *w);
bool wk_gc_seed(struct wk *w);  /* marks what the others are found from; false: not as the facts say */
void wk_gc_again(struct wk *w); /* marks everything, in case links were lost with an object that could not be read */

#if WK_FREE_THREADED

/* No lists, nothing to find: pages.c found all. */
static inline bool
wk_neighbours(struct wk *w, wk_addr object, wk_addr type, uint64_t *found)
{
    (void)w, (void)object, (void)type, (void)found;
    return false;
}

enum {
    WK_GC_TRACKED = 1, /* bits of ob_gc_bits */
    WK_GC_FROZEN = 8,
};

static inline bool
wk_gc_disowned(struct wk *w, const struct wk_type *type, wk_addr object)
{
    return (WK_U8(object, WK_OB_GC_BITS) & WK_GC_TRACKED) != 0 && !wk_is_gc(w, type, object);
}

/* What a row says of the collector. */
static inline uint32_t
wk_gc_row(struct wk *w, const struct wk_type *type, wk_addr object)
{
    uint8_t bits = WK_U8(object, WK_OB_GC_BITS);

    (void)w;
    (void)type;
    return (bits & WK_GC_TRACKED ? (uint32_t)HF_OBJ_GC : 0) | (bits & WK_GC_FROZEN ? (uint32_t)HF_OBJ_FROZEN : 0);
}

#else

/* Marks instances of the type that lie in the object's page and counts them; false: was done before. Ghost only. */
bool wk_neighbours(struct wk *w, wk_addr object, wk_addr type, uint64_t *found);

static inline void
wk_gc_mark_link(struct wk *w, uint64_t link)
{
    wk_mark_fast(w, (link & ~3ull) + WK_GC_HEAD_SIZE);
}

/*
 * An object that its tp_is_gc disowns, as greenlets do while they are suspended, stands in the collector's lists all the same: the neighbours'
 * links lead back to it. Its type is one that asks.
 */
__attribute__((noinline)) bool wk_gc_disowned(struct wk *w, const struct wk_type *type, wk_addr object);

/* What a row says of the collector; marks the neighbours in its list. */
static inline uint32_t
wk_gc_row(struct wk *w, const struct wk_type *type, wk_addr object)
{
    bool is = wk_is_gc(w, type, object);
    if (!is && (wk_likely(!(type->flags & WK_TYPE_CHECK_GC)) || !wk_gc_disowned(w, type, object)))
        return 0;
    uint64_t next = WK_U64(object, -16), prev = WK_U64(object, -8);
    if (next == 0)
        return 0;
    wk_gc_mark_link(w, next);
    if (wk_likely(!(prev & 2))) /* inside a collection the word holds a count */
        wk_gc_mark_link(w, prev);
    if (wk_unlikely(!is))
        return 0;
    return wk_unlikely(w->gc->frozen) && wk_is_frozen(w, object) ? HF_OBJ_GC | HF_OBJ_FROZEN : HF_OBJ_GC;
}

#endif
