// SPDX-License-Identifier: MIT
/*
 * Free-threaded builds: objects of the collector lie in heaps of mimalloc that hold nothing else, so all pages of these are gone through:
 * those of every thread state, and segments that threads left behind when they ended. As gc_visit_heaps() in Python/gc_free_threading.c and
 * Objects/mimalloc have it, but reading only.
 */
#include "wk-fault.h"
#include "wk-gc.h"
#include "wk-objects.h"
#include "wk-walk.h"

#define BLOCKS_MAX   65536u /* of a page: their number has 16 bits */
#define PAGES_MAX    (1u << 24)
#define SEGMENTS_MAX (1u << 20)
#define THREADS_MAX  (1u << 20)
#define PRE_HEADER   16u /* words of managed dict and weak references before an object */
#define TAG_MASK     15u
#define DEBUG_BEFORE 16u /* what the hooks of PYTHONMALLOC=debug put before each block's data */

struct pages {
    uint64_t free[BLOCKS_MAX / 64]; /* of the page at hand */
    uint64_t n_pages, n_objects;
    uint32_t before, before_pre; /* bytes of a block before its object */
    bool learning;
};

void
wk_gc_init(struct wk *w)
{
    w->gc = wk_alloc(w, sizeof *w->gc);
}

static void
note_free(struct pages *p, wk_addr start, uint64_t size, uint32_t capacity, wk_addr block)
{
    for (uint32_t n = 0; block != 0 && n <= capacity; n++) {
        uint64_t number = (block - start) / size;
        if (block < start || number >= capacity)
            return; /* a list under way in another thread */
        p->free[number / 64] |= 1ull << (number % 64);
        block = WK_U64(block, 0);
    }
}

static void
object(struct wk *w, struct pages *p, wk_addr a)
{
    if (p->learning && wk_types_learn(w, a))
        p->learning = false;
    if ((WK_U8(a, WK_OB_GC_BITS) & WK_GC_TRACKED) != 0) {
        p->n_objects++;
        wk_mark_fast(w, a);
    }
}

static void
one_page(struct wk *w, struct pages *p, wk_addr page, uint32_t before)
{
    const struct wk_facts *f = &w->facts;
    uint32_t capacity = WK_U16(page, f->page_capacity);
    uint64_t size = WK_U32(page, f->page_block_size);
    wk_addr segment = page & ~(uint64_t)(f->segment_size - 1);
    uint64_t number = (page - segment - f->segment_slices) / f->page_size;
    uint64_t bytes = (uint64_t)WK_U32(page, f->page_slices) * f->segment_slice;

    p->n_pages++;
    if (WK_U32(page, f->page_used) == 0 || capacity == 0)
        return;
    /* blocks do not start with the page: _mi_segment_page_start_from_slice() */
    wk_addr start = segment + number * f->segment_slice + (size <= 64 ? 3 * size : size <= 512 ? size : 0);
    if (size < WK_HEAD || number * f->segment_slice >= f->segment_size || (capacity > 1 && capacity * size > bytes))
        wk_broken(w);
    for (uint32_t i = 0; i <= (capacity - 1) / 64; i++)
        p->free[i] = 0;
    note_free(p, start, size, capacity, WK_U64(page, f->page_free));
    note_free(p, start, size, capacity, WK_U64(page, f->page_local_free));
    note_free(p, start, size, capacity, WK_U64(page, f->page_thread_free) & ~3ull);
    for (uint32_t i = 0; i < capacity; i++)
        if ((p->free[i / 64] >> (i % 64) & 1) == 0)
            object(w, p, start + i * size + before);
}

/* A page that cannot be true ends its queue or segments: what else is in them is found if something refers to it. */
static void
gone_wrong(struct wk *w, wk_addr at)
{
    wk_resumed();
    w->fault->object_armed = false;
    wk_skip(w, at, "a part of the heap: reading it faulted");
}

static void
queue(struct wk *w, struct pages *p, wk_addr head, uint32_t before)
{
    wk_addr volatile at = head;

    if (w->ghost && wk_arch_save(&w->fault->object) != 0) {
        gone_wrong(w, at);
        return;
    }
    w->fault->object_armed = w->ghost;
    at = WK_U64(head, w->facts.queue_first);
    for (uint32_t n = 0; at != 0 && n < PAGES_MAX; n++, at = WK_U64(at, w->facts.page_next))
        one_page(w, p, at, before);
    w->fault->object_armed = false;
}

static void
heap(struct wk *w, struct pages *p, wk_addr heap, uint32_t before)
{
    const struct wk_facts *f = &w->facts;

    for (uint32_t i = 0; i < f->heap_queues_count; i++)
        queue(w, p, heap + f->heap_queues + i * f->queue_size, before);
}

static void
segments(struct wk *w, struct pages *p, wk_addr first)
{
    const struct wk_facts *f = &w->facts;
    wk_addr volatile at = first;

    if (w->ghost && wk_arch_save(&w->fault->object) != 0) {
        gone_wrong(w, at);
        return;
    }
    w->fault->object_armed = w->ghost;
    for (uint32_t n = 0; at != 0 && n < SEGMENTS_MAX; n++, at = WK_U64(at, f->segment_next)) {
        uint64_t entries = WK_U64(at, f->segment_entries);
        if (entries > f->segment_size / f->segment_slice)
            wk_broken(w);
        wk_addr slice = at + f->segment_slices, end = slice + entries * f->page_size;
        while (slice < end) {
            uint32_t slices = WK_U32(slice, f->page_slices);
            uint32_t tag = (uint32_t)WK_U8(slice, f->page_debug_offset - 1) >> f->page_tag_shift & TAG_MASK;
            bool used = WK_U32(slice, f->page_block_size) > 1;
            /* the first slices are the segment's own */
            if (used && (tag == f->heap_gc || tag == f->heap_gc_pre) && slice != at + f->segment_slices)
                one_page(w, p, slice, tag == f->heap_gc ? p->before : p->before_pre);
            slice += (slices != 0 ? slices : 1) * (uint64_t)f->page_size;
        }
    }
    w->fault->object_armed = false;
}

bool
wk_gc_seed(struct wk *w)
{
    const struct wk_facts *f = &w->facts;
    struct pages *p = wk_alloc(w, sizeof *p);
    uint32_t n = 0;

    p->learning = true;
    p->before = w->real_add != 0 ? DEBUG_BEFORE : 0;
    p->before_pre = p->before + PRE_HEADER;
    for (wk_addr i = wk_interpreter_next(w, 0); i != 0; i = wk_interpreter_next(w, i)) {
        for (wk_addr t = WK_U64(i, f->interp_tstate_head); t != 0 && n < THREADS_MAX;
             t = WK_U64(t, f->tstate_next), n++) {
            if (WK_U32(t, f->tstate_heaps_ready) == 0)
                continue;
            heap(w, p, t + f->tstate_heaps + f->heap_gc * f->heap_size, p->before);
            heap(w, p, t + f->tstate_heaps + f->heap_gc_pre * f->heap_size, p->before_pre);
        }
        segments(w, p, WK_U64(i, f->interp_abandoned) & ~(uint64_t)(f->segment_size - 1));
        segments(w, p, WK_U64(i, f->interp_abandoned_visited));
    }
    hf_write_counter(&w->out, "walk.pages", p->n_pages);
    return p->n_objects != 0;
}

void
wk_gc_again(struct wk *w)
{
    (void)w; /* no links that could have been lost */
}
