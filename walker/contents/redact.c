// SPDX-License-Identifier: MIT
/*
 * Data that may not leave the target is replaced by "#hash length": a keyed hash (SipHash-2-4, J.-P. Aumasson and D. J. Bernstein) whose
 * key is made for this dump and never written, so that equal data stay visible as equal and nobody can try guesses. What the
 * program's source says stays: names of classes, functions and modules, of their members and of instances' attributes.
 */
#include "wk-contents.h"

enum {
    HASH_MAX = 64 << 20, /* bytes that are hashed: more would take seconds */
};

static inline uint64_t
rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline void
rounds(uint64_t v[4], unsigned n)
{
    while (n-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

uint64_t
wk_siphash(const uint64_t key[2], const void *bytes, uint64_t n)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575ull, key[1] ^ 0x646f72616e646f6dull, key[0] ^ 0x6c7967656e657261ull,
                     key[1] ^ 0x7465646279746573ull};
    const uint8_t *at = bytes;
    uint64_t last = n << 56, word;

    for (uint64_t left = n; left >= 8; left -= 8, at += 8) {
        __builtin_memcpy(&word, at, 8);
        v[3] ^= word;
        rounds(v, 2);
        v[0] ^= word;
    }
    for (unsigned i = 0; i < (n & 7); i++)
        last |= (uint64_t)at[i] << 8 * i;
    v[3] ^= last;
    rounds(v, 2);
    v[0] ^= last;
    v[2] ^= 0xff;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void
hash_text(struct wk *w, struct wk_text *t, const void *bytes, uint64_t n, uint64_t length)
{
    uint64_t hash = wk_siphash(w->salt, bytes, n < HASH_MAX ? n : HASH_MAX);

    wk_text_bytes(t, "#", 1);
    for (unsigned shift = 64; shift > 0; shift -= 4)
        wk_text_bytes(t, &"0123456789abcdef"[hash >> (shift - 4) & 15], 1);
    wk_text_bytes(t, " ", 1);
    wk_text_uint(t, length);
}

void
wk_redact_bytes(struct wk *w, struct wk_text *t, const void *bytes, uint64_t n)
{
    hash_text(w, t, bytes, n, n);
}

void
wk_redact_tail(struct wk *w, struct wk_text *t, uint32_t start)
{
    uint32_t n = t->len - start;
    const uint8_t *from = t->buf + start;

    t->len = start;
    t->whole = 0;
    hash_text(w, t, from, n, n); /* the hash is done before the first byte is written over it */
}

uint64_t
wk_text_data(struct wk *w, struct wk_text *t, wk_addr str, uint32_t limit)
{
    struct wk_str s;

    if (!w->redact || wk_is_open(w, str))
        return wk_text_str(w, t, str, limit);
    if (wk_is_str(str) && wk_str_view(w, str, &s))
        hash_text(w, t, s.data, s.length * s.width, s.length);
    return 0;
}
