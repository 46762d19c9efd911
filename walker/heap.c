// SPDX-License-Identifier: MIT
/*
 * In the snapshot the interpreter's allocators may be caught inside a change, or locked by a thread that exists no more. What we
 * call may still want memory (an int from a __sizeof__): it gets it from here, and never gives memory of the target back.
 */
#include "wk-private.h"
#include "wk-sys.h"

#define HEADER   16u
#define HEAP_MAX (1ull << 32)

struct wk_heap {
    struct wk *w;
    struct wk_growing memory;
    uint64_t used;
};

static void *
heap_malloc(void *ctx, size_t size)
{
    struct wk_heap *heap = ctx;
    uint64_t n = ((uint64_t)size + HEADER + 15) & ~15ull;

    if (size > HEAP_MAX / 2 || heap->used + n > heap->memory.reserved)
        return NULL;
    wk_growing_need(heap->w, &heap->memory, heap->used + n);
    uint8_t *block = heap->memory.start + heap->used;
    heap->used += n;
    *(uint64_t *)(void *)block = n;
    return block + HEADER;
}

static void *
heap_calloc(void *ctx, size_t n, size_t size)
{
    if (n != 0 && size > HEAP_MAX / n)
        return NULL;
    uint8_t *p = heap_malloc(ctx, n * size);
    if (p != NULL)
        for (size_t i = 0; i < n * size; i++)
            p[i] = 0; /* memory is used again after a free */
    return p;
}

static bool
heap_owns(const struct wk_heap *heap, const void *p)
{
    return (const uint8_t *)p >= heap->memory.start && (const uint8_t *)p < heap->memory.start + heap->used;
}

static void
heap_free(void *ctx, void *p)
{
    struct wk_heap *heap = ctx;

    if (!heap_owns(heap, p))
        return;
    uint8_t *block = (uint8_t *)p - HEADER;
    uint64_t n = *(uint64_t *)(void *)block;
    if (block + n == heap->memory.start + heap->used)
        heap->used -= n;
}

static void *
heap_realloc(void *ctx, void *p, size_t size)
{
    struct wk_heap *heap = ctx;
    uint8_t *fresh = heap_malloc(ctx, size);

    if (p == NULL || fresh == NULL)
        return fresh;
    if (heap_owns(heap, p)) {
        uint64_t old = *(uint64_t *)(void *)((uint8_t *)p - HEADER) - HEADER;
        for (uint64_t i = 0; i < old && i < size; i++)
            fresh[i] = ((uint8_t *)p)[i];
        return fresh;
    }
    /* A block of the target's: its size is not known. The kernel copies what can be read and stops without a fault. */
    struct wk_iovec to = {fresh, size}, from = {p, size};
    long pid = wk_syscall6(WK_NR_getpid, 0, 0, 0, 0, 0, 0);
    wk_syscall6(WK_NR_process_vm_readv, pid, (long)&to, 1, (long)&from, 1, 0);
    return fresh;
}

struct py_allocator {
    void *ctx;
    void *(*malloc)(void *ctx, size_t size);
    void *(*calloc)(void *ctx, size_t n, size_t size);
    void *(*realloc)(void *ctx, void *p, size_t size);
    void (*free)(void *ctx, void *p);
};

bool
wk_replace_allocators(struct wk *w)
{
    wk_addr set = wk_symbol(w, WK_SYM_MEM_SET_ALLOCATOR);
    struct wk_heap *heap;

    if (set == 0)
        return false;
    heap = wk_alloc(w, sizeof *heap);
    heap->w = w;
    wk_growing_init(w, &heap->memory, HEAP_MAX);
    struct py_allocator allocator = {heap, heap_malloc, heap_calloc, heap_realloc, heap_free};
    for (int domain = 0; domain < 3; domain++)
        ((void (*)(int, struct py_allocator *))(uintptr_t)set)(domain, &allocator);
    return true;
}
