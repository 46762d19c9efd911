// SPDX-License-Identifier: MIT
#include "arch/wk-arch.h"
#include "wk-visited.h"

void
wk_visited_init(struct wk *w)
{
    struct wk_visited *v = wk_alloc(w, sizeof *v);

    w->visited = v;
    v->dir = wk_reserve_readable(w, WK_DIR_ENTRIES * sizeof *v->dir);
    wk_growing_init(w, &v->leaf_memory, 1ull << 36);
    wk_growing_init(w, &v->sorted_memory, 1ull << 25);
    wk_growing_need(w, &v->leaf_memory, 64 * sizeof(struct wk_leaf));
    v->leaf = (struct wk_leaf *)(void *)v->leaf_memory.start;
    v->sorted = (uint32_t *)(void *)v->sorted_memory.start;
    v->queue = wk_map(w, WK_QUEUE_MAX * sizeof *v->queue);
}

struct wk_leaf *
wk_leaf_add(struct wk *w, wk_addr address)
{
    struct wk_visited *v = w->visited;
    uint32_t *slot = &v->dir[address >> WK_LEAF_SHIFT];
    uint32_t *page = (uint32_t *)((uintptr_t)slot & ~(uintptr_t)4095);
    bool fresh = true;

    for (unsigned i = 0; i < 1024 && fresh; i++)
        fresh = page[i] == 0;
    if (fresh)
        wk_make_writable(w, page, 4096);
    wk_growing_need(w, &v->leaf_memory, (v->leaves + 2) * sizeof(struct wk_leaf));
    struct wk_leaf *leaf = &v->leaf[++v->leaves];
    leaf->base = address & ~((1ull << WK_LEAF_SHIFT) - 1);
    *slot = v->leaves;
    return leaf;
}

void
wk_leaf_odd(struct wk *w, struct wk_leaf *leaf)
{
    leaf->odd = wk_alloc(w, WK_LEAF_WORDS * sizeof *leaf->odd);
}

bool
wk_freeze(struct wk *w, wk_addr object)
{
    struct wk_leaf *leaf = wk_leaf_of(w, object);
    uint64_t word = (object >> 10) & (WK_LEAF_WORDS - 1), bit = 1ull << ((object >> 4) & 63);

    if (leaf->frozen == NULL)
        leaf->frozen = wk_alloc(w, WK_LEAF_WORDS * sizeof *leaf->frozen);
    bool fresh = (leaf->frozen[word] & bit) == 0;
    leaf->frozen[word] |= bit;
    return fresh;
}

void
wk_leave_out(struct wk *w, wk_addr a)
{
    struct wk_leaf *leaf = wk_leaf_of(w, a);
    uint64_t word = (a >> 10) & (WK_LEAF_WORDS - 1), bit = 1ull << ((a >> 4) & 63);

    leaf->seen[word] |= bit;
    leaf->done[word] |= bit;
}

/* Shell sort: few leaves are new each time, and no library is at hand. */
void
wk_leaves_sort(struct wk *w)
{
    struct wk_visited *v = w->visited;

    if (v->sorted_n == v->leaves)
        return;
    wk_growing_need(w, &v->sorted_memory, v->leaves * sizeof *v->sorted);
    while (v->sorted_n < v->leaves) {
        v->sorted[v->sorted_n] = v->sorted_n + 1;
        v->sorted_n++;
    }
    for (uint32_t gap = v->sorted_n / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11) {
        for (uint32_t i = gap; i < v->sorted_n; i++) {
            uint32_t number = v->sorted[i], at = i;
            uint64_t base = v->leaf[number].base;
            while (at >= gap && v->leaf[v->sorted[at - gap]].base > base) {
                v->sorted[at] = v->sorted[at - gap];
                at -= gap;
            }
            v->sorted[at] = number;
        }
    }
}

void
wk_mark_queue(struct wk *w, wk_addr a)
{
    struct wk_visited *v = w->visited;

    if (wk_impossible(a))
        return;
    struct wk_leaf *leaf = wk_leaf_of(w, a);
    uint64_t word = (a >> 10) & (WK_LEAF_WORDS - 1), bit = 1ull << ((a >> 4) & 63);
    if ((leaf->seen[word] & bit) != 0)
        return;
    wk_mark_in(w, leaf, a);
    if (v->queue_tail - v->queue_head == WK_QUEUE_MAX) {
        v->queueing = false;
        return;
    }
    leaf->done[word] |= bit;
    v->queue[v->queue_tail++ & (WK_QUEUE_MAX - 1)] = a;
    wk_arch_prefetch(a);
}

void
wk_mark(struct wk *w, wk_addr object)
{
    wk_mark_fast(w, object);
}
