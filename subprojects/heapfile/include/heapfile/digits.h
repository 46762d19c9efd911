// SPDX-License-Identifier: MIT
#pragma once
/* Numbers as people read them, made by integers alone. Freestanding. */
#include <heapfile/put.h>

#define HF_DIGITS_ROOM 28 /* bytes that hf_put_uint() may touch */

#define HF_EIGHT_DIGITS 100000000u

/* The digits of v < 10^8 as bytes 0 … 9, the first in the lowest: halves of four, of two, of one. */
static inline uint64_t
hf_eight_digits(uint64_t v)
{
    uint64_t high = v / 10000, both = high | (v - high * 10000) << 32;

    high = (both * 10486 >> 20) & 0x0000007f0000007full;
    both = high | (both - high * 100) << 16;
    high = (both * 103 >> 10) & 0x000f000f000f000full;
    return high | (both - high * 10) << 8;
}

static inline uint8_t *
hf_put_some_digits(uint8_t *to, uint64_t v)
{
    uint64_t digits = hf_eight_digits(v);
    unsigned zeros = (unsigned)__builtin_ctzll(digits | 1ull << 56) / 8; /* in front; a 0 alone stays */

    hf_store64(to, (digits | 0x3030303030303030ull) >> 8 * zeros);
    return to + 8 - zeros;
}

static inline uint8_t *
hf_put_all_digits(uint8_t *to, uint64_t v)
{
    hf_store64(to, hf_eight_digits(v) | 0x3030303030303030ull);
    return to + 8;
}

/* Returns where it ends. */
static inline uint8_t *
hf_put_uint(uint8_t *to, uint64_t v)
{
    if (__builtin_expect(v < HF_EIGHT_DIGITS, 1))
        return hf_put_some_digits(to, v);
    uint64_t high = v / HF_EIGHT_DIGITS;
    if (high >= HF_EIGHT_DIGITS) {
        to = hf_put_some_digits(to, high / HF_EIGHT_DIGITS);
        to = hf_put_all_digits(to, high % HF_EIGHT_DIGITS);
    } else {
        to = hf_put_some_digits(to, high);
    }
    return hf_put_all_digits(to, v % HF_EIGHT_DIGITS);
}

#define HF_DOUBLE_MAX  24 /* characters of one */
#define HF_DOUBLE_ROOM 64 /* bytes that writing one may touch */

/* A double, by its bits, as repr() of Python shows it; without point_zero 2.0 is "2". Returns where it ends. */
uint8_t *hf_put_double(uint8_t *to, uint64_t bits, bool point_zero);
