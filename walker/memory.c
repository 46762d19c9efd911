// SPDX-License-Identifier: MIT
/*
 * The walker's memory: raw mappings only, so that no heap of the target is touched. Big arrays are reserved as address space that
 * costs nothing (PROT_NONE is not charged, not even without overcommit) and made usable piece by piece.
 */
#include "wk-private.h"
#include "wk-sys.h"
#include "wk-visited.h"

#define PAGE        4096u
#define SMALL_BLOCK (256u << 10)

static uint64_t
round_up(uint64_t n, uint64_t to)
{
    return (n + to - 1) & ~(to - 1);
}

static uint8_t *
map(struct wk *w, uint64_t size, int prot)
{
    struct wk_memory *m = &w->memory;

    if (m->n_regions == sizeof m->regions / sizeof m->regions[0])
        return NULL;
    long address = wk_sys_mmap(size, prot, WK_MAP_PRIVATE | WK_MAP_ANONYMOUS | WK_MAP_NORESERVE);
    if (address < 0 && address > -4096)
        return NULL;
    m->regions[m->n_regions++] = (struct wk_region){(uint8_t *)address, size};
    return (uint8_t *)address;
}

static bool
charge(struct wk *w, uint64_t size)
{
    struct wk_memory *m = &w->memory;

    if (m->limit != 0 && m->used + size > m->limit)
        return false;
    m->used += size;
    return true;
}

void *
wk_map(struct wk *w, uint64_t size)
{
    size = round_up(size, PAGE);
    void *p = charge(w, size) ? map(w, size, WK_PROT_READ | WK_PROT_WRITE) : NULL;
    if (p == NULL)
        wk_give_up(w, WK_ERR_MEMORY, WK_ENOMEM, 0);
    return p;
}

void *
wk_reserve_readable(struct wk *w, uint64_t size)
{
    void *p = map(w, round_up(size, PAGE), WK_PROT_READ);
    if (p == NULL)
        wk_give_up(w, WK_ERR_MEMORY, WK_ENOMEM, 0);
    return p;
}

void
wk_make_writable(struct wk *w, void *start, uint64_t size)
{
    uint64_t from = (uint64_t)(uintptr_t)start & ~(uint64_t)(PAGE - 1);
    uint64_t to = round_up((uint64_t)(uintptr_t)start + size, PAGE);

    if (!charge(w, to - from) || wk_sys_mprotect((void *)(uintptr_t)from, to - from, WK_PROT_READ | WK_PROT_WRITE) < 0)
        wk_give_up(w, WK_ERR_MEMORY, WK_ENOMEM, 0);
}

void
wk_growing_init(struct wk *w, struct wk_growing *g, uint64_t size)
{
    size = round_up(size, PAGE);
    *g = (struct wk_growing){NULL, 0, 0};
    /* A limit on address space (RLIMIT_AS) may refuse the wish: a smaller array limits what fits, not what works. */
    while ((g->start = map(w, size, WK_PROT_NONE)) == NULL && size > (1u << 20))
        size /= 2;
    if (g->start == NULL)
        wk_give_up(w, WK_ERR_MEMORY, WK_ENOMEM, 0);
    g->reserved = size;
}

void
wk_growing_need(struct wk *w, struct wk_growing *g, uint64_t size)
{
    if (size <= g->usable)
        return;
    uint64_t to = round_up(size + size / 4, 64u << 10);
    if (to > g->reserved)
        to = g->reserved;
    if (size > to)
        wk_give_up(w, WK_ERR_MEMORY, WK_ENOMEM, w->current);
    wk_make_writable(w, g->start + g->usable, to - g->usable);
    g->usable = to;
}

void
wk_growing_trim(struct wk *w, struct wk_growing *g, uint64_t keep)
{
    keep = round_up(keep, PAGE);
    if (g->usable <= keep)
        return;
    wk_sys_mprotect(g->start + keep, g->usable - keep, WK_PROT_NONE);
    wk_sys_madvise(g->start + keep, g->usable - keep, WK_MADV_DONTNEED);
    w->memory.used -= g->usable - keep;
    g->usable = keep;
}

void *
wk_alloc(struct wk *w, size_t size)
{
    struct wk_memory *m = &w->memory;

    size = round_up(size, 16);
    if (size > SMALL_BLOCK / 4)
        return wk_map(w, size);
    if ((size_t)(m->end - m->at) < size) {
        wk_growing_need(w, &m->small, m->small_used + SMALL_BLOCK);
        m->at = m->small.start + m->small_used;
        m->small_used += SMALL_BLOCK;
        m->end = m->at + SMALL_BLOCK;
    }
    void *p = m->at;
    m->at += size;
    return p;
}

void
wk_memory_init(struct wk *w)
{
    wk_growing_init(w, &w->memory.small, 1ull << 32);
}

void
wk_unmap_all(struct wk *w)
{
    /* The first region holds *w itself: last, and through copies on the stack. */
    struct wk_memory *m = &w->memory;

    while (m->n_regions > 1) {
        struct wk_region *r = &m->regions[--m->n_regions];
        wk_sys_munmap(r->start, r->size);
    }
    struct wk_region own = m->regions[0];
    wk_sys_munmap(own.start, own.size);
}

bool
wk_may_read(struct wk *w, wk_addr at)
{
    struct wk_memory *m = &w->memory;
    wk_addr page = at / PAGE, *known = &m->readable[page % (sizeof m->readable / sizeof m->readable[0])];

    if (wk_impossible(at)) /* first: page 0 is what a place that knows none yet holds */
        return false;
    if (*known == page)
        return true;
    if (!wk_sys_readable(at))
        return false;
    *known = page;
    return true;
}
