// SPDX-License-Identifier: MIT
/* The blob only: what the compiler calls on its own, whatever it is told. Elsewhere the C library has them. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

void *
memcpy(void *restrict to, const void *restrict from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    for (; n >= 8; n -= 8, t += 8, f += 8)
        __builtin_memcpy(t, f, 8);
    while (n-- > 0)
        *t++ = *f++;
    return to;
}

void *
memmove(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if ((uintptr_t)to <= (uintptr_t)from || (uintptr_t)to >= (uintptr_t)from + n) {
        while (n-- > 0)
            *t++ = *f++;
    } else {
        while (n-- > 0)
            t[n] = f[n];
    }
    return to;
}

void *
memset(void *to, int byte, size_t n)
{
    uint8_t *t = to;
    uint64_t eight = (uint8_t)byte * 0x0101010101010101ull;

    for (; n >= 8; n -= 8, t += 8)
        __builtin_memcpy(t, &eight, 8);
    while (n-- > 0)
        *t++ = (uint8_t)byte;
    return to;
}

int
memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;

    for (; n > 0; n--, x++, y++)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}
