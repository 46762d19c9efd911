// SPDX-License-Identifier: MIT
/*
 * Text of a double. The blob has no floating-point registers: a double is its bits, and the shortest digits that read back as the
 * same double come from integers alone, by R. Giulietti's method ("The Schubfach way to render doubles", 2020).
 */
#include <heapfile/digits.h>

enum {
    FIRST_POWER = -292,
    LAST_POWER = 324,
};

static const uint64_t powers[][2] = {
#include "powers.inc"
};

_Static_assert(sizeof powers / sizeof powers[0] == LAST_POWER - FIRST_POWER + 1, "a power for each exponent");

#define FIVES_MAX 10

static const uint32_t fives[FIVES_MAX + 1] = {1, 5, 25, 125, 625, 3125, 15625, 78125, 390625, 1953125, 9765625};

static const uint64_t ten_to[] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
};

/* floor(log10(2^e)), floor(log10(3/4 * 2^e)), floor(log2(10^e)) for the exponents of doubles */
static int
floor_log10_pow2(int e)
{
    return (int)(((int64_t)e * 1262611) >> 22);
}

static int
floor_log10_three_quarters_pow2(int e)
{
    return (int)(((int64_t)e * 1262611 - 524031) >> 22);
}

static int
floor_log2_pow10(int e)
{
    return (int)(((int64_t)e * 1741647) >> 19);
}

/* Upper 64 bits of a 192-bit product; what was lost shows in the lowest bit. */
static uint64_t
round_to_odd(const uint64_t power[2], uint64_t factor)
{
    unsigned __int128 low = (unsigned __int128)power[1] * factor, high = (unsigned __int128)power[0] * factor;

    high += (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* value = digits * 10^exponent */
struct decimal {
    uint64_t digits;
    int exponent;
};

static struct decimal
shortest(uint64_t fraction, unsigned biased)
{
    uint64_t c = biased != 0 ? fraction | 1ull << 52 : fraction;
    int q = (biased != 0 ? (int)biased : 1) - 1075;
    int zeros = __builtin_ctzll(c), bits = -(q + zeros); /* behind the point */

    /* Whole numbers below 2^53, and exact decimals of up to 15 digits, which are all different doubles, are their own shortest text. */
    if (bits <= 0 && q <= 0)
        return (struct decimal){c >> -q, 0};
    if (bits > 0 && bits <= FIVES_MAX && c >> zeros < 1ull << 40) {
        uint64_t digits = (c >> zeros) * fives[bits];
        if (digits < ten_to[15])
            return (struct decimal){digits, -bits};
    }

    bool even = (c & 1) == 0, closer = fraction == 0 && biased > 1; /* the lower neighbour is half as far */
    int k = closer ? floor_log10_three_quarters_pow2(q) : floor_log10_pow2(q);
    int h = q + floor_log2_pow10(-k) + 1;
    const uint64_t *power = powers[-k - FIRST_POWER];
    uint64_t lower = round_to_odd(power, (4 * c - (closer ? 1 : 2)) << h) + !even;
    uint64_t middle = round_to_odd(power, 4 * c << h);
    uint64_t upper = round_to_odd(power, (4 * c + 2) << h) - !even;
    uint64_t s = middle / 4;

    if (s >= 10) {
        uint64_t tens = s / 10;
        bool below = lower <= 40 * tens, above = 40 * tens + 40 <= upper;
        if (below != above)
            return (struct decimal){tens + above, k + 1};
    }
    bool below = lower <= 4 * s, above = 4 * s + 4 <= upper;
    if (below != above)
        return (struct decimal){s + above, k};
    return (struct decimal){s + (middle > 4 * s + 2 || (middle == 4 * s + 2 && (s & 1))), k};
}

/* n digits, n <= 16, zeros in front included. */
static inline uint8_t *
put_n_digits(uint8_t *to, uint64_t v, int n)
{
    if (n <= 8) {
        hf_put_all_digits(to, v * ten_to[8 - n]);
    } else {
        v *= ten_to[16 - n];
        hf_put_all_digits(to, v / HF_EIGHT_DIGITS);
        hf_put_all_digits(to + 8, v % HF_EIGHT_DIGITS);
    }
    return to + n;
}

/* So many zeros behind the last digit, if there are as many; returns how many went. */
static inline __attribute__((always_inline)) int
strip(uint64_t *v, int zeros)
{
    if (*v % ten_to[zeros] != 0)
        return 0;
    *v /= ten_to[zeros];
    return zeros;
}

/* v > 0 */
static inline int
count_digits(uint64_t v)
{
    int n = (64 - __builtin_clzll(v)) * 1233 >> 12;

    return n + (v >= ten_to[n]);
}

/* As repr() shows it: point within or near the digits, or an exponent of two digits and more. */
static uint8_t *
put_decimal(uint8_t *to, struct decimal d, bool point_zero)
{
    uint64_t v = d.digits;
    int exponent = d.exponent;

    if (exponent == 0 && v < ten_to[16]) {
        to = hf_put_uint(to, v);
        __builtin_memcpy(to, ".0", 2);
        return to + (point_zero ? 2 : 0);
    }
    if (v % 10 == 0) { /* shortest() leaves 15 zeros at most */
        exponent += strip(&v, 8);
        exponent += strip(&v, 4);
        exponent += strip(&v, 2);
        exponent += strip(&v, 1);
    }
    int n = count_digits(v), point = n + exponent; /* digits before the point */

    if (point > -4 && point <= 16) {
        if (exponent >= 0) {
            to = hf_put_uint(to, v * ten_to[exponent]);
            __builtin_memcpy(to, ".0", 2);
            return to + (point_zero ? 2 : 0);
        }
        if (point <= 0) {
            __builtin_memcpy(to, "0.000", 5);
            return hf_put_uint(to + 2 - point, v);
        }
        uint64_t whole = v / ten_to[-exponent];
        to = hf_put_uint(to, whole);
        *to = '.';
        return put_n_digits(to + 1, v - whole * ten_to[-exponent], -exponent);
    }
    uint64_t first = v / ten_to[n - 1];
    *to++ = (uint8_t)('0' + first);
    if (n > 1) {
        *to = '.';
        to = put_n_digits(to + 1, v - first * ten_to[n - 1], n - 1);
    }
    exponent = point - 1;
    *to++ = 'e';
    *to++ = exponent < 0 ? '-' : '+';
    exponent = exponent < 0 ? -exponent : exponent;
    *to = '0';
    return hf_put_uint(to + (exponent < 10), (uint64_t)exponent);
}

uint8_t *
hf_put_double(uint8_t *to, uint64_t bits, bool point_zero)
{
    unsigned biased = bits >> 52 & 0x7ff;
    uint64_t fraction = bits & ((1ull << 52) - 1);

    if (biased == 0x7ff && fraction != 0) {
        __builtin_memcpy(to, "nan", 3);
        return to + 3;
    }
    *to = '-';
    to += bits >> 63;
    if (biased == 0x7ff) {
        __builtin_memcpy(to, "inf", 3);
        return to + 3;
    }
    return put_decimal(to, biased == 0 && fraction == 0 ? (struct decimal){0, 0} : shortest(fraction, biased),
                       point_zero);
}
