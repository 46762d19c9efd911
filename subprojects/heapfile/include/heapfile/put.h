// SPDX-License-Identifier: MIT
#pragma once
/*
 * How rows are encoded, inline: for writer.c, and for callers that put a row together themselves because they write some ten million a
 * second. Freestanding. Such a row is what hf_write_object() would have written, starts at hf_object_row_at() and counts from
 * hf_object_row_end() on; the room there is for HF_ROW_FIXED_MAX bytes, HF_CONTENT_MAX of content and HF_SHORT_REFS references.
 *
 * Room: HF_UV_MAX bytes are counted for every number, so that eight may be stored whatever the number's length is.
 */
#include <heapfile/writer.h>

#define HF_UV_MAX        10u
#define HF_ROW_FIXED_MAX (16 * HF_UV_MAX) /* an object row without content and references */
#define HF_SHORT_REFS    32768u           /* a row of so many references is never split */

/* Any number, by a call. */
uint8_t *hf_put_long_uv(uint8_t *p, uint64_t v);
/* Closes a chunk of objects that is full. */
void hf_object_chunk_end(struct hf_writer *w);

static inline void
hf_store64(uint8_t *p, uint64_t v)
{
    __builtin_memcpy(p, &v, sizeof v);
}

/*
 * v < 2^56: groups of seven bits, each in a byte of its own. All bytes at once: lengths of deltas vary too much to be predicted.
 * deposit: see struct hf_writer.
 */
static inline uint8_t *
hf_put_spread(uint8_t *p, uint64_t v, bool deposit)
{
    unsigned last = (63u ^ (unsigned)__builtin_clzll(v | 1)) * 37 >> 8; /* index of the last byte: bits / 7 */
    uint64_t more = 0x0080808080808080ull;

#ifdef __x86_64__
    if (__builtin_expect(deposit, 1)) {
        __asm__("pdep %2, %1, %0" : "=r"(v) : "r"(v), "rm"(0x7f7f7f7f7f7f7f7full));
        __asm__("bzhi %2, %1, %0" : "=r"(more) : "rm"(more), "r"((uint64_t)(8 * last)) : "cc");
        hf_store64(p, v | more);
        return p + last + 1;
    }
#else
    (void)deposit;
#endif
    v = (v & 0x0000000000fffffffull) | (v & 0x00fffffff0000000ull) << 4;
    v = (v & 0x00003fff00003fffull) | (v & 0x0fffc0000fffc000ull) << 2;
    v = (v & 0x007f007f007f007full) | (v & 0x3f803f803f803f80ull) << 1;
    hf_store64(p, v | more >> (56 - 8 * last));
    return p + last + 1;
}

/* For numbers that are small as a rule. */
static inline uint8_t *
hf_put_uv(uint8_t *p, uint64_t v)
{
    if (__builtin_expect(v < 0x80, 1)) {
        *p = (uint8_t)v;
        return p + 1;
    }
    return hf_put_long_uv(p, v);
}

static inline uint64_t
hf_zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

/* prev and addr are addresses: the 61 bits left of each cannot overflow. */
static inline uint64_t
hf_delta(uint64_t prev, uint64_t addr)
{
    return hf_zigzag((int64_t)(addr >> 3) - (int64_t)(prev >> 3));
}

/* v: of hf_delta(). */
static inline uint8_t *
hf_put_delta(uint8_t *p, uint64_t v, bool deposit)
{
    if (v < 0x80) {
        *p = (uint8_t)v;
        return p + 1;
    }
    if (__builtin_expect(v >> 56 == 0, 1))
        return hf_put_spread(p, v, deposit);
    return hf_put_long_uv(p, v);
}

static inline uint8_t *
hf_put_daddr(uint8_t *p, uint64_t prev, uint64_t addr, bool deposit)
{
    return hf_put_delta(p, hf_delta(prev, addr), deposit);
}

/* Most texts are shorter than a call of the blob's memcpy is worth. Never reads beyond src + n: a page that is missing may follow. */
static inline uint8_t *
hf_put_bytes(uint8_t *p, const void *src, size_t n)
{
    const uint8_t *s = src;

    if (n > 32) {
        __builtin_memcpy(p, s, n);
    } else if (n >= 16) {
        __builtin_memcpy(p, s, 8);
        __builtin_memcpy(p + 8, s + 8, 8);
        __builtin_memcpy(p + n - 16, s + n - 16, 8);
        __builtin_memcpy(p + n - 8, s + n - 8, 8);
    } else if (n >= 8) {
        __builtin_memcpy(p, s, 8);
        __builtin_memcpy(p + n - 8, s + n - 8, 8);
    } else if (n >= 4) {
        __builtin_memcpy(p, s, 4);
        __builtin_memcpy(p + n - 4, s + n - 4, 4);
    } else if (n > 0) {
        p[0] = s[0];
        p[n >> 1] = s[n >> 1];
        p[n - 1] = s[n - 1];
    }
    return p + n;
}

/* A fault may leave the call at any read of the target's memory: what the writer keeps must not be changed before the last one. */
static inline void
hf_whole_row(void)
{
    __asm__ volatile("" ::: "memory");
}

/* Where the next object row starts. NULL: an object that came in parts is not closed yet, which hf_write_object() does. */
static inline uint8_t *
hf_object_row_at(const struct hf_writer *w)
{
    return __builtin_expect(w->more, 0) ? NULL : w->buf[HF_BUF_OBJECTS].at;
}

/* Flags as the file has them and the first fields, which rows without CONT have. Inline by force: gcc would call it. */
static inline __attribute__((always_inline)) uint8_t *
hf_put_object_head(const struct hf_writer *w, uint8_t *p, uint32_t flags, uint64_t addr, uint32_t type)
{
    uint64_t v = hf_delta(w->prev_addr, addr);

    if (__builtin_expect((v | flags | type) < 0x80, 1)) {
        uint32_t three = (uint32_t)v << 8 | flags | type << 16;
        __builtin_memcpy(p, &three, sizeof three);
        return p + 3;
    }
    /* of 14 bits: one byte or two */
    unsigned two = flags >= 0x80;
    p[0] = (uint8_t)((flags & 0x7f) | two << 7);
    p[1] = (uint8_t)(flags >> 7);
    p = hf_put_daddr(p + 1 + two, w->prev_addr, addr, w->deposit);
    return hf_put_uv(p, type);
}

static inline void
hf_object_row_end(struct hf_writer *w, uint8_t *p, uint64_t addr, uint64_t n_refs)
{
    struct hf_buffer *b = &w->buf[HF_BUF_OBJECTS];

    hf_whole_row();
    b->at = p;
    b->rows++;
    w->prev_addr = addr;
    w->objects++;
    w->refs += n_refs;
    if (__builtin_expect((size_t)(p - b->start) >= HF_CHUNK_TARGET, 0))
        hf_object_chunk_end(w);
}

/* The flags as the file has them: values that readers supply are left out. */
static inline uint32_t
hf_normal_flags(uint32_t flags, uint64_t refcount)
{
    flags &= HF_OBJ_FLAGS_ALL & ~(uint32_t)HF_OBJ_REFS;
    return refcount == 1 || (flags & HF_OBJ_IMMORTAL) ? flags & ~(uint32_t)HF_OBJ_REFCOUNT : flags;
}

/* Everything of a row behind its head and before its references, the count of them included. */
static inline uint8_t *
hf_put_object_rest(uint8_t *p, const struct hf_object_row *row, uint32_t flags, size_t content_len,
                   uint64_t whole_length, uint64_t n_refs)
{
    if (flags & HF_OBJ_SIZE)
        p = hf_put_uv(p, row->size);
    if (flags & HF_OBJ_REFCOUNT)
        p = hf_put_uv(p, row->refcount);
    if (flags & HF_OBJ_REAL_SIZE)
        p = hf_put_uv(p, row->real_size);
    if (flags & HF_OBJ_CONTENT)
        p = hf_put_bytes(hf_put_uv(p, content_len), row->content, content_len);
    if (flags & HF_OBJ_CUT)
        p = hf_put_uv(p, whole_length);
    if (flags & HF_OBJ_REFS)
        p = hf_put_uv(hf_put_uv(p, row->layout), n_refs);
    return p;
}

/*
 * A row up to its references, which follow one by one with hf_put_daddr(), and then hf_object_row_end(). NULL: the row may be long,
 * hf_write_object() writes it.
 */
static inline uint8_t *
hf_begin_object(const struct hf_writer *w, const struct hf_object_row *row)
{
    uint32_t flags = hf_normal_flags(row->flags, row->refcount);
    uint64_t n = row->n_refs;
    size_t content_len = flags & HF_OBJ_CONTENT ? row->content_len : 0;

    if (__builtin_expect(n > HF_SHORT_REFS || content_len > HF_CONTENT_MAX ||
                             (flags & (HF_OBJ_CONT | HF_OBJ_MORE)) != 0 || w->more,
                         0))
        return NULL;
    flags |= n > 0 ? HF_OBJ_REFS : 0;
    uint8_t *p = hf_put_object_head(w, w->buf[HF_BUF_OBJECTS].at, flags, row->addr, row->type);
    return hf_put_object_rest(p, row, flags, content_len, row->whole_length, n);
}
