// SPDX-License-Identifier: MIT
/*
 * What objects take of the allocator: the blocks of the object, of its headers and inline values, and of what it keeps elsewhere.
 * sys.getsizeof counts bytes asked for, and not all. Small blocks come from pymalloc in steps of 16, large ones from malloc, whose
 * chunk header (glibc) says how large they are; where it says nothing that can be true, the chunk that glibc would make is taken, and counted.
 * Free-threaded builds have mimalloc, whose steps are finer: four to each doubling.
 */
#include "wk-fault.h"
#include "wk-objects.h"
#include "wk-sys.h"
#include "wk-types.h"
#include "wk-walk.h"

enum {
    STEP = 16,
    SMALL = 512,    /* pymalloc's largest block */
    CHUNK_HEAD = 8, /* what malloc's own header costs a chunk */
    CHUNK_LEAST = 32,
    CHUNK_FLAGS = 7,  /* in the word before a chunk's data; 2: mapped by itself */
    CHUNK_SPARE = 48, /* a chunk may be larger than was asked for by less than another one would take */
    PAGE = 4096,
    DEBUG_PAD = 24, /* hooks of PYTHONMALLOC=debug, of which 16 stand before the data */
    DEBUG_BEFORE = 16,
    POOL_SIZE = 16384,    /* 3.10+; 4096 before */
    POOL_SIZE_INDEX = 36, /* Objects/obmalloc.c, struct pool_header.szidx */
    POOL_HEADER = 48,
    DEQUE_BLOCK = 528,
    BIN_LEAST = 64,                       /* mimalloc: up to here in steps of 16 */
    BIN_MOST = 128 << 10,                 /* beyond, pages of the kernel */
    LIST_HEAD = WK_FREE_THREADED ? 8 : 0, /* how many there are, before the items */
    HEAD = WK_FREE_THREADED ? 0 : WK_GC_HEAD_SIZE,
};

static uint64_t
up(uint64_t n, uint64_t step)
{
    return (n + step - 1) & ~(step - 1);
}

/* Whether a word is there that may not be: in the ghost a fault ends the object at hand, inline the kernel is asked. */
static bool
may_read(struct wk *w, wk_addr at)
{
    return w->ghost || wk_may_read(w, at & ~(wk_addr)7);
}

/* Objects/mimalloc/page-queue.c, mi_bin(), and os.c, _mi_os_good_alloc_size() */
static uint64_t
bin(uint64_t n)
{
    if (n > BIN_MOST)
        return up(n, n < 512 << 10  ? PAGE
                     : n < 2 << 20  ? 64 << 10
                     : n < 8 << 20  ? 256 << 10
                     : n < 32 << 20 ? 1 << 20
                                    : 4 << 20);
    return up(n, n <= BIN_LEAST ? STEP : 8ull << (61 - __builtin_clzll((n - 1) / 8)));
}

static uint64_t
chunk(struct wk *w, wk_addr block, uint64_t n)
{
    uint64_t least = up(n + CHUNK_HEAD, STEP);

    least = least < CHUNK_LEAST ? CHUNK_LEAST : least;
    /* The header is on the same page: nothing is read that is not there. */
    if (block != 0 && (block & (PAGE - 1)) >= CHUNK_HEAD) {
        uint64_t word = WK_U64(block, -CHUNK_HEAD), size = word & ~(uint64_t)CHUNK_FLAGS;
        uint64_t spare = word & 2 ? PAGE + CHUNK_SPARE : CHUNK_SPARE;
        if (size % STEP == 0 && size >= least - STEP && size >= n && size <= least + spare)
            return size;
    }
    w->real_guessed++;
    return least;
}

/* What a request of n bytes took; block: where it starts, 0 not known. */
static inline uint64_t
block_of(struct wk *w, wk_addr block, uint64_t n)
{
    n += w->real_add;
    if (WK_FREE_THREADED)
        return bin(n);
    if (wk_likely(n <= SMALL && w->allocator == WK_ALLOCATOR_PYMALLOC))
        return up(n, STEP);
    /* The hooks stand before pymalloc, and before the malloc that it asks for what is large. */
    unsigned hooks = w->real_add == 0 ? 0 : w->allocator == WK_ALLOCATOR_PYMALLOC ? 2 : 1;
    if (hooks == 2)
        n += w->real_add;
    return chunk(w, block != 0 ? block - hooks * DEBUG_BEFORE : 0, n);
}

uint64_t
wk_real_usual(const struct wk *w, uint64_t size)
{
    if (w->allocator != WK_ALLOCATOR_MALLOC)
        return up(size + w->real_add, STEP);
    uint64_t least = up(size + w->real_add + CHUNK_HEAD, STEP);
    return least < CHUNK_LEAST ? CHUNK_LEAST : least;
}

#if WK_FREE_THREADED

/* How large the block is that an address lies in, and where it starts: its page knows. 0: in none. */
static uint64_t
page_block(struct wk *w, wk_addr at, wk_addr *start)
{
    const struct wk_facts *f = &w->facts;
    wk_addr segment = at & ~(uint64_t)(f->segment_size - 1), slices = segment + f->segment_slices;
    wk_addr slice = slices + (at - segment) / f->segment_slice * f->page_size;

    if (!may_read(w, slice))
        return 0;
    uint64_t before = WK_U32(slice, f->page_slice_offset);
    if (before % f->page_size != 0 || before > slice - slices || !may_read(w, slice - before))
        return 0;
    wk_addr page = slice - before;
    uint64_t size = WK_U32(page, f->page_block_size), number = (page - slices) / f->page_size;
    wk_addr first = segment + number * f->segment_slice + (size <= 64 ? 3 * size : size <= 512 ? size : 0);
    if (size < STEP || at < first)
        return 0;
    *start = at - (at - first) % size;
    return size;
}

static enum wk_allocator
allocator_of(struct wk *w, wk_addr block, uint64_t n)
{
    wk_addr start = 0;

    w->real_add = 0;
    if (page_block(w, block, &start) < n || (start != block && start != block - DEBUG_BEFORE))
        return WK_ALLOCATOR_UNKNOWN;
    w->real_add = start != block ? DEBUG_PAD : 0;
    return WK_ALLOCATOR_MIMALLOC;
}

/* A block of at least n bytes. */
static uint64_t
asked_block(struct wk *w, wk_addr block, uint64_t n)
{
    wk_addr start = 0;
    uint64_t size = page_block(w, block, &start);

    block -= w->real_add != 0 ? DEBUG_BEFORE : 0;
    return start == block && size >= n ? size : block_of(w, block, n);
}

#else

/* Some small objects that live as long as the interpreter, and the sizes that were asked for. */
static enum wk_allocator
allocator_of(struct wk *w, wk_addr block, uint64_t n)
{
    uint64_t pool_size = w->version < 0x030a ? 4096 : POOL_SIZE;

    for (unsigned debug = 0; debug < 2; debug++) {
        wk_addr at = debug ? block - DEBUG_BEFORE : block, pool = at & ~(pool_size - 1);
        uint64_t asked = n + (debug ? DEBUG_PAD : 0), size = up(asked, STEP);
        w->real_add = debug ? DEBUG_PAD : 0;
        if (!may_read(w, pool) || !may_read(w, at - CHUNK_HEAD))
            break;
        if (WK_U32(pool, POOL_SIZE_INDEX) == size / STEP - 1 && (at - pool - POOL_HEADER) % size == 0)
            return WK_ALLOCATOR_PYMALLOC;
        if ((WK_U64(at, -CHUNK_HEAD) & ~(uint64_t)CHUNK_FLAGS) == up(asked + CHUNK_HEAD, STEP))
            return WK_ALLOCATOR_MALLOC;
    }
    w->real_add = 0;
    return WK_ALLOCATOR_UNKNOWN;
}

/* A small block of at least n bytes: the pool that it lies in says how large its blocks are. */
static uint64_t
asked_block(struct wk *w, wk_addr block, uint64_t n)
{
    if (w->allocator == WK_ALLOCATOR_PYMALLOC && n + w->real_add <= SMALL) {
        block -= w->real_add != 0 ? DEBUG_BEFORE : 0;
        wk_addr pool = block & ~(uint64_t)(POOL_SIZE - 1);
        uint64_t size = may_read(w, pool) ? (WK_U32(pool, POOL_SIZE_INDEX) + 1ull) * STEP : 0;
        if (size <= SMALL && size >= n)
            return size;
    }
    return block_of(w, block, n);
}

#endif

static void
find_allocator(struct wk *w)
{
    uint64_t basic = WK_U64(wk_symbol(w, WK_SYM_TYPE_DICT), WK_TP_BASICSIZE) + HEAD;
    wk_addr modules = WK_U64(w->interpreter, w->facts.interp_modules) - HEAD;
    enum wk_allocator found = allocator_of(w, modules, basic);

    if (found == allocator_of(w, WK_U64(w->interpreter, w->facts.interp_sysdict) - HEAD, basic) &&
        found == allocator_of(w, WK_U64(w->interpreter, w->facts.interp_builtins) - HEAD, basic))
        w->allocator = (uint8_t)found;
}

void
wk_real_init(struct wk *w)
{
    if (w->ghost && wk_arch_save(&w->fault->object) != 0) {
        wk_resumed();
        w->fault->object_armed = false;
        return;
    }
    w->fault->object_armed = w->ghost;
    find_allocator(w);
    w->fault->object_armed = false;
    bool malloced = w->allocator == WK_ALLOCATOR_MALLOC;
    if (w->allocator == WK_ALLOCATOR_UNKNOWN)
        return;
    hf_write_meta_uint(&w->out, HF_META_REAL_STEP, STEP);
    hf_write_meta_uint(&w->out, HF_META_REAL_ADD, w->real_add + (malloced ? CHUNK_HEAD : 0));
    hf_write_meta_uint(&w->out, HF_META_REAL_LEAST, malloced ? CHUNK_LEAST : STEP);
}

/*
 * Bytes of values beside an instance (3.13+: Include/internal/pycore_object.h, _PyInlineValuesSize). A class takes one place away with each
 * instance, before or after its memory was asked for, so that only the allocator knows exactly.
 */
static inline uint64_t
inline_size(const struct wk *w, wk_addr values)
{
    uint64_t n = WK_U8(values, w->facts.values_capacity);

    return up(n, 8) + (n + 1) * 8;
}

/* Once a type: bytes before the object and of it that are one block. */
void
wk_real_prepare(struct wk *w, struct wk_type *type)
{
    uint64_t flags = WK_U64(type->addr, WK_TP_FLAGS);

    type->real_pre = type->flags & WK_TYPE_GC ? HEAD : 0;
    if (w->version >= 0x030b && (flags & (WK_TPF_MANAGED_DICT | (w->version >= 0x030c ? WK_TPF_MANAGED_WEAK : 0))))
        type->real_pre += 16;
    uint64_t whole = type->real_pre + type->basic;
    bool values = (type->flags & WK_TYPE_INLINE) != 0;
    uint64_t small = WK_FREE_THREADED ? BIN_LEAST : SMALL;
    if (w->allocator != WK_ALLOCATOR_UNKNOWN && !(type->flags & WK_TYPE_VAR_SIZE) &&
        (values || whole + w->real_add > small || up(whole, STEP) != up(type->common, STEP)))
        type->flags |= WK_TYPE_REAL;
    bool one = type->size_kind == WK_SIZE_ITEMS || type->size_kind == WK_SIZE_STR || type->size_kind == WK_SIZE_INT;
    if (one && !values && type->real_pre == type->pre)
        type->flags |= WK_TYPE_REAL_PLAIN;
}

/* 3.11, 3.12: values are a block of their own; a byte before the first says how many bytes stand there. */
static uint64_t
values_block(struct wk *w, wk_addr values)
{
    if (values == 0)
        return 0;
    uint64_t before = WK_U8(values, -1);
    return asked_block(w, values - before, before + 8);
}

static uint64_t
instance_values(struct wk *w, const struct wk_type *type, wk_addr object)
{
    const struct wk_facts *f = &w->facts;
    wk_addr values = 0;

    if (f->values_inline || !(type->flags & WK_TYPE_INLINE))
        return 0;
    if (f->values_tagged) {
        values = WK_U64(object, (int64_t)f->managed_dict);
        values = values & 1 ? values + 1 : 0;
    } else if (f->managed_values != 0) {
        values = WK_U64(object, (int64_t)f->managed_values);
    }
    return values_block(w, values);
}

static inline uint64_t
main_block(struct wk *w, const struct wk_type *type, wk_addr object)
{
    uint64_t n = type->real_pre + type->basic;

    if (w->facts.values_inline && (type->flags & WK_TYPE_INLINE))
        return asked_block(w, object - type->real_pre, n + inline_size(w, object + type->basic));
    return block_of(w, object - type->real_pre, n);
}

static uint64_t
dict_blocks(struct wk *w, wk_addr dict)
{
    wk_addr keys = WK_U64(dict, WK_DICT_KEYS), values = WK_U64(dict, WK_DICT_VALUES);
    uint64_t size = 0;
    struct wk_dict d;

    if (!wk_keys_view(w, keys, &d))
        return 0;
    uint64_t usable = (d.size << 1) / 3;
    if (WK_U64(keys, 0) == 1) /* not shared, nor the one of all empty dicts */
        size = block_of(w, keys, d.entries - keys + d.stride * usable);
    if (values == 0)
        return size;
    if (!w->facts.keys_log2)
        return size + block_of(w, values, 8 * usable);
    if (w->facts.values_inline && WK_U8(values, w->facts.values_embedded) != 0)
        return size; /* they are part of the instance */
    if (w->facts.values_inline)
        return size + block_of(w, 0, inline_size(w, values));
    return size + values_block(w, values);
}

static uint64_t
str_blocks(struct wk *w, const struct wk_type *type, wk_addr str, uint64_t size)
{
    const struct wk_facts *f = &w->facts;
    uint32_t state = WK_U32(str, WK_STR_STATE), width = state >> WK_STR_KIND_SHIFT & 7;
    bool compact = (state >> WK_STR_COMPACT_SHIFT & 1) != 0, ascii = (state >> WK_STR_ASCII_SHIFT & 1) != 0;
    uint64_t body, length = WK_U64(str, WK_STR_LENGTH);

    if (!compact)
        body = type->basic;
    else
        body = (ascii ? f->str_ascii : f->str_compact) + (length + 1) * (ascii ? 1 : width);
    uint64_t rest = size > body ? size - body : 0; /* characters of their own, cached UTF-8 */
    return block_of(w, str, body) + (rest != 0 ? block_of(w, 0, rest) : 0);
}

/* Buffers of types that compute their size themselves: one block of what is beyond the object. */
static uint64_t
buffer_blocks(struct wk *w, const struct wk_type *type, wk_addr object, uint64_t rest)
{
    const char *name = WK_READ(const char *, type->addr, WK_TP_NAME);
    wk_addr block = 0;

    if (rest == 0)
        return 0;
    if (type->walk == WK_WALK_NDARRAY) { /* of malloc: data, and two words for each of at least one dimension */
        uint64_t dimensions = WK_U32(object, WK_HEAD + 8), sizes = 16 * dimensions;
        uint64_t n = sizes != 0 ? chunk(w, WK_U64(object, WK_HEAD + 16), sizes) : 0;
        return rest > sizes ? n + chunk(w, WK_U64(object, WK_HEAD), rest - sizes) : n;
    }
    if (rest % DEQUE_BLOCK == 0 && name[0] == 'c' && type->open == HF_RUN_INDEX)
        return rest / DEQUE_BLOCK * block_of(w, WK_U64(object, w->facts.deque_leftblock), DEQUE_BLOCK);
    if (type->addr == wk_symbol(w, WK_SYM_TYPE_BYTEARRAY))
        block = WK_U64(object, w->facts.bytearray_bytes) - (w->version >= 0x030f ? WK_BYTES_DATA : 0);
    return block_of(w, block, rest);
}

uint64_t
wk_real_size(struct wk *w, const struct wk_type *type, wk_addr object, uint64_t size)
{
    uint64_t n;

    switch ((enum wk_size_kind)type->size_kind) {
    case WK_SIZE_FIXED:
        return main_block(w, type, object) + instance_values(w, type, object);
    case WK_SIZE_ITEMS:
    case WK_SIZE_INT:
        n = size - type->pre + type->real_pre;
        return block_of(w, object - type->real_pre, n) + instance_values(w, type, object);
    case WK_SIZE_LIST:
        n = WK_U64(object, WK_LIST_ALLOCATED);
        return main_block(w, type, object) +
               (n != 0 ? block_of(w, WK_U64(object, WK_LIST_ITEMS) - LIST_HEAD, 8 * n + LIST_HEAD) : 0) +
               instance_values(w, type, object);
    case WK_SIZE_DICT:
        return main_block(w, type, object) + dict_blocks(w, object) + instance_values(w, type, object);
    case WK_SIZE_SET:
        n = main_block(w, type, object) + instance_values(w, type, object);
        if (WK_U64(object, w->facts.set_table) != object + w->facts.set_smalltable)
            n += block_of(w, WK_U64(object, w->facts.set_table), (WK_U64(object, w->facts.set_mask) + 1) * 16);
        return n;
    case WK_SIZE_STR:
        return str_blocks(w, type, object, size);
    case WK_SIZE_BYTES_IO:
    case WK_SIZE_CALL:
    case WK_SIZE_UNKNOWN:
    default:
        /* A static type is no block; of others what is beyond the object is taken for one more. */
        if (type->walk == WK_WALK_TYPE && !(WK_U64(object, WK_TP_FLAGS) & WK_TPF_HEAP))
            return size;
        if (type->item != 0)
            return block_of(w, object - type->real_pre, size - type->pre + type->real_pre) +
                   instance_values(w, type, object);
        n = type->basic + type->pre;
        return main_block(w, type, object) + buffer_blocks(w, type, object, size > n ? size - n : 0) +
               instance_values(w, type, object);
    }
}
