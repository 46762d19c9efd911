// SPDX-License-Identifier: MIT
/* Text of numbers, made by integers alone, against the C library's; the hash of redacted data. */
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "contents/wk-contents.h"

static char buffer[128];

static const char *
text_of(uint64_t bits)
{
    struct wk_text t = {.buf = (uint8_t *)buffer, .bytes = (uint8_t *)buffer, .cap = sizeof buffer - 1};

    wk_text_double(&t, bits);
    buffer[t.len] = '\0';
    return buffer;
}

static uint64_t
bits_of(double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof bits);
    return bits;
}

/* Digits without sign, point, exponent and the zeros around them. */
static size_t
significant(const char *text)
{
    char digits[64];
    size_t n = 0, first = 0;

    for (; *text != '\0' && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9' && n < sizeof digits)
            digits[n++] = *text;
    while (first < n && digits[first] == '0')
        first++;
    while (n > first && digits[n - 1] == '0')
        n--;
    return n - first;
}

/* Reads back as the same double, and no text with a digit less does. */
static void
check_shortest(uint64_t bits)
{
    const char *text = text_of(bits);
    double d, back;
    char shorter[64];

    memcpy(&d, &bits, sizeof d);
    back = g_ascii_strtod(text, NULL);
    if (bits_of(back) != bits) {
        g_test_message("%016" G_GINT64_MODIFIER "x: %s reads back as %.17g", bits, text, back);
        g_test_fail();
        return;
    }
    size_t n = significant(text);
    if (n < 2)
        return;
    g_snprintf(shorter, sizeof shorter, "%.*e", (int)n - 2, d);
    if (bits_of(g_ascii_strtod(shorter, NULL)) == bits) {
        g_test_message("%s is longer than %s", text, shorter);
        g_test_fail();
    }
}

static void
test_known(void)
{
    static const struct {
        double value;
        const char *text;
    } known[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {0.1, "0.1"},
        {-2.5, "-2.5"},
        {1234.5, "1234.5"},
        {0.0009765625, "0.0009765625"},
        {99999999999999.5, "99999999999999.5"},
        {1000000000000000.5, "1000000000000000.5"},
        {1234567890.123, "1234567890.123"},
        {100000.0, "100000.0"},
        {1e15, "1000000000000000.0"},
        {9007199254740993.0, "9007199254740992.0"},
        {1e16, "1e+16"},
        {1.5e16, "1.5e+16"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {9.5367431640625e-07, "9.5367431640625e-07"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {NAN, "nan"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        g_assert_cmpstr(text_of(bits_of(known[i].value)), ==, known[i].text);
}

static void
test_exponents(void)
{
    static const uint64_t fractions[] = {
        0, 1, 2, 3, 0x8000000000000, 0xffffffffffffe, 0xfffffffffffff, 0x5555555555555};

    for (uint64_t exponent = 0; exponent < 2047; exponent++)
        for (size_t i = 0; i < G_N_ELEMENTS(fractions); i++)
            if (exponent != 0 || fractions[i] != 0)
                check_shortest(exponent << 52 | fractions[i]);
}

static void
test_random(void)
{
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = (uint64_t)g_test_rand_int() << 32 | (uint32_t)g_test_rand_int();
        if ((bits >> 52 & 0x7ff) != 0x7ff)
            check_shortest(bits);
        check_shortest(bits_of((double)(g_test_rand_int() % 10000000) / 1000));
        check_shortest(bits_of(ldexp((double)g_test_rand_int(), (int)(bits % 24) - 20)));
    }
}

/* The test vectors of SipHash's authors: key 00 01 … 0f, message 00 01 … */
static void
test_siphash(void)
{
    static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    uint8_t message[64];

    for (unsigned i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)i;
    g_assert_cmphex(wk_siphash(key, message, 0), ==, 0x726fdb47dd0e0e31);
    g_assert_cmphex(wk_siphash(key, message, 1), ==, 0x74f839c593dc67fd);
    g_assert_cmphex(wk_siphash(key, message, 8), ==, 0x93f5f5799a932462);
    g_assert_cmphex(wk_siphash(key, message, 15), ==, 0xa129ca6149be45e5);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/numbers/known", test_known);
    g_test_add_func("/numbers/exponents", test_exponents);
    g_test_add_func("/numbers/random", test_random);
    g_test_add_func("/numbers/siphash", test_siphash);
    return g_test_run();
}
