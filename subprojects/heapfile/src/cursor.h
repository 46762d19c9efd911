// SPDX-License-Identifier: MIT
#pragma once
/*
 * The one door to the bytes of a payload: every read is checked against its end. The first fault is noted, and from then on all numbers
 * read as 0 and all texts as empty, so that a row's decoder asks once, at its end. For rows.c.
 */
#include <heapfile/format.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define ADDR_BITS 61 /* of an address >> 3 */

struct cursor {
    const uint8_t *at, *end;
    const uint8_t *start;
    const uint8_t *bad_at; /* NULL: all well */
    char why[160];
};

/* All but why, which counts only with bad_at: rows are many. */
static inline void
open_cursor(struct cursor *c, const uint8_t *bytes, size_t n)
{
    c->at = c->start = bytes;
    c->end = bytes + n;
    c->bad_at = NULL;
}

/* Notes the first fault and ends the row: all later numbers read as 0. */
static __attribute__((cold, noinline, format(printf, 2, 3))) void
bad(struct cursor *c, const char *format, ...)
{
    if (c->bad_at == NULL) {
        va_list args;
        va_start(args, format);
        vsnprintf(c->why, sizeof c->why, format, args);
        va_end(args);
        c->bad_at = c->at;
    }
    c->at = c->end;
}

static inline size_t
left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* Seven bits of each of eight bytes, put together. */
static inline uint64_t
squeeze(uint64_t x)
{
    x = (x & 0x007f007f007f007full) | (x & 0x7f007f007f007f00ull) >> 1;
    x = (x & 0x00003fff00003fffull) | (x & 0x3fff00003fff0000ull) >> 2;
    return (x & 0x000000000fffffffull) | (x & 0x0fffffff00000000ull) >> 4;
}

/* A number of at most eight bytes, eight bytes being there; 0 bytes used: it is longer. */
static inline unsigned
read_short_uv(const uint8_t *p, uint64_t *out)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    uint64_t stop = ~x & 0x8080808080808080ull;
    *out = squeeze(x & (stop ^ (stop - 1)));
    return stop == 0 ? 0 : (unsigned)__builtin_ctzll(stop) / 8 + 1;
}

static __attribute__((noinline)) uint64_t
get_long_uv(struct cursor *c)
{
    uint64_t v = 0;
    if (left(c) >= 8) {
        unsigned n = read_short_uv(c->at, &v);
        c->at += n;
        if (LIKELY(n > 0))
            return v;
    }
    v = 0;
    for (unsigned i = 0;; i++) {
        if (i == left(c)) {
            bad(c, "the row is cut");
            return 0;
        }
        uint64_t byte = c->at[i];
        if (i == 9 && byte > 1) {
            bad(c, "number of more than 64 bits");
            return 0;
        }
        v |= (byte & 0x7f) << 7 * i;
        if (byte < 0x80) {
            c->at += i + 1;
            return v;
        }
    }
}

static inline uint64_t
get_uv(struct cursor *c)
{
    if (LIKELY(c->at < c->end && *c->at < 0x80))
        return *c->at++;
    return get_long_uv(c);
}

static inline uint64_t
unzigzag(uint64_t v)
{
    return v >> 1 ^ (0 - (v & 1));
}

static inline uint8_t
get_u8(struct cursor *c)
{
    if (c->at == c->end) {
        bad(c, "the row is cut");
        return 0;
    }
    return *c->at++;
}

static inline uint64_t
get_addr(struct cursor *c)
{
    uint64_t v = get_uv(c);
    if (v >> ADDR_BITS != 0)
        bad(c, "address of more than 64 bits");
    return v << 3;
}

static inline uint64_t
get_daddr(struct cursor *c, uint64_t prev)
{
    uint64_t v = (prev >> 3) + unzigzag(get_uv(c));
    if (v >> ADDR_BITS != 0)
        bad(c, "address of more than 64 bits");
    return v << 3;
}

static inline uint32_t
get_flags(struct cursor *c, uint32_t all, const char *what)
{
    uint64_t v = get_uv(c);
    if (v & ~(uint64_t)all)
        bad(c, "unknown %s flags 0x%llx", what, (unsigned long long)(v & ~(uint64_t)all));
    return (uint32_t)v;
}

/* An id that has been defined; 0 means none where zero is allowed. */
static inline uint32_t
get_id(struct cursor *c, uint32_t last, bool zero, const char *what)
{
    uint64_t v = get_uv(c);
    if (v > last || (v == 0 && !zero))
        bad(c, "%s %llu is not defined", what, (unsigned long long)v);
    return (uint32_t)v;
}

static inline const char *
get_bytes(struct cursor *c, size_t max, size_t *n)
{
    uint64_t length = get_uv(c);
    if (length > max)
        bad(c, "text of %llu bytes, more than %zu", (unsigned long long)length, max);
    else if (length > left(c))
        bad(c, "text of %llu bytes, %zu are left", (unsigned long long)length, left(c));
    *n = c->bad_at != NULL ? 0 : (size_t)length;
    const char *text = (const char *)c->at;
    c->at += *n;
    return text;
}

static inline const char *
get_text(struct cursor *c, size_t *n)
{
    return get_bytes(c, HF_NAME_MAX, n);
}

/* How many of something follow, each of which takes so many bytes at least: what a row makes us allocate is in the file. */
static inline uint64_t
get_count(struct cursor *c, size_t bytes_each, const char *what)
{
    uint64_t n = get_uv(c);
    if (n > left(c) / bytes_each) {
        bad(c, "%llu %s in %zu bytes", (unsigned long long)n, what, left(c));
        return 0;
    }
    return n;
}
