// SPDX-License-Identifier: MIT
#include <glib.h>
#include <string.h>

#include "text/ha-escape.h"

static const struct {
    const char *source;
    gsize n, max;
    guint flags;
    const char *expected;
} cases[] = {
    {"plain", 5, 100, 0, "plain"},
    {"", 0, 100, 0, ""},
    {"a\nb\tc\rd", 7, 100, 0, "a\\nb\\tc\\rd"},
    {"\033[31mred", 8, 100, 0, "\\x1b[31mred"},
    {"a\0b", 3, 100, 0, "a\\x00b"},
    {"back\\slash", 10, 100, 0, "back\\\\slash"},
    {"it's", 4, 100, 0, "it's"},
    {"it's", 4, 100, HA_ESCAPE_QUOTED, "it\\'s"},
    {"gr\xc3\xbc\xc3\x9f", 6, 100, 0, "gr\xc3\xbc\xc3\x9f"},
    {"gr\xc3\xbc\xc3\x9f", 6, 3, 0, "gr…"},
    {"\xff\xfe", 2, 100, 0, "\\xff\\xfe"},
    {"\xc3", 1, 100, 0, "\\xc3"},
    {"\xc0\xaf", 2, 100, 0, "\\xc0\\xaf"},
    {"\xed\xa0\x80", 3, 100, 0, "\\ud800"},
    {"\xe2\x80\xae"
     "evil",
     7, 100, 0, "\\u202eevil"},
    {"\xf0\x9f\x98\x80", 4, 100, 0, "\xf0\x9f\x98\x80"},
    {"\xf3\xa0\x80\x81", 4, 100, 0, "\\U000e0001"},
    {"\xf4\x90\x80\x80", 4, 100, 0, "\\xf4\\x90\\x80\\x80"},
    {"\xc2\x9b"
     "31m",
     5, 100, 0, "\\x9b31m"},
    {"abcdef", 6, 3, 0, "abc…"},
};

static void
test_cases(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        ha_escape_append(text, cases[i].source, cases[i].n, cases[i].max, cases[i].flags);
        g_assert_cmpstr(text->str, ==, cases[i].expected);
        g_assert_true(g_utf8_validate(text->str, text->len, NULL));
    }
}

/* Whatever the bytes: valid UTF-8 without control characters, and nothing is read behind the end. */
static void
test_random(void)
{
    for (guint round = 0; round < 2000; round++) {
        gsize n = g_test_rand_int_range(0, 24);
        g_autofree char *bytes = g_malloc(n); /* exact size, so that a sanitizer sees an overrun */
        for (gsize i = 0; i < n; i++)
            bytes[i] = g_test_rand_int_range(0, 256);
        g_autofree char *text = ha_escape(bytes, n, g_test_rand_int_range(0, 30));
        g_assert_true(g_utf8_validate(text, -1, NULL));
        for (const char *p = text; *p != 0; p = g_utf8_next_char(p))
            g_assert_false(g_unichar_iscntrl(g_utf8_get_char(p)));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/escape/cases", test_cases);
    g_test_add_func("/escape/random", test_random);
    return g_test_run();
}
