// SPDX-License-Identifier: MIT
/* XXH64, after its published description. Freestanding: the walker's blob checks its chunks with it. */
#include <heapfile/writer.h>

#define PRIME1 0x9e3779b185ebca87ull
#define PRIME2 0xc2b2ae3d27d4eb4full
#define PRIME3 0x165667b19e3779f9ull
#define PRIME4 0x85ebca77c2b2ae63ull
#define PRIME5 0x27d4eb2f165667c5ull

static inline uint64_t
rotate(uint64_t v, unsigned bits)
{
    return v << bits | v >> (64 - bits);
}

static inline uint64_t
load64(const uint8_t *p)
{
    uint64_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t
load32(const uint8_t *p)
{
    uint32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t
round64(uint64_t lane, uint64_t input)
{
    return rotate(lane + input * PRIME2, 31) * PRIME1;
}

static inline uint64_t
merge_lane(uint64_t hash, uint64_t lane)
{
    return (hash ^ round64(0, lane)) * PRIME1 + PRIME4;
}

uint64_t
hf_xxh64(const void *bytes, size_t n, uint64_t seed)
{
    const uint8_t *p = bytes;
    size_t left = n;
    uint64_t hash = seed + PRIME5;
    if (left >= 32) {
        uint64_t a = seed + PRIME1 + PRIME2, b = seed + PRIME2, c = seed, d = seed - PRIME1;
        for (; left >= 32; left -= 32, p += 32) {
            a = round64(a, load64(p));
            b = round64(b, load64(p + 8));
            c = round64(c, load64(p + 16));
            d = round64(d, load64(p + 24));
        }
        hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
        hash = merge_lane(merge_lane(merge_lane(merge_lane(hash, a), b), c), d);
    }
    hash += n;
    for (; left >= 8; left -= 8, p += 8)
        hash = rotate(hash ^ round64(0, load64(p)), 27) * PRIME1 + PRIME4;
    if (left >= 4) {
        hash = rotate(hash ^ load32(p) * PRIME1, 23) * PRIME2 + PRIME3;
        left -= 4;
        p += 4;
    }
    for (; left > 0; left--, p++)
        hash = rotate(hash ^ *p * PRIME5, 11) * PRIME1;
    hash = (hash ^ hash >> 33) * PRIME2;
    hash = (hash ^ hash >> 29) * PRIME3;
    return hash ^ hash >> 32;
}
