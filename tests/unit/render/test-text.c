// SPDX-License-Identifier: MIT
/* Raw bytes to safe text, the escapes of DOT, sizes and counts in words. */
#include "text/ha-name-template.h"
#include "render/ha-text.h"

#include <string.h>

typedef struct {
    const char *raw;
    gssize n; /* -1: strlen */
    gsize columns;
    const char *expected;
} TextCase;

static void
test_safe(void)
{
    static const TextCase cases[] = {
        {"", 0, 0, ""},
        {"plain", -1, 0, "plain"},
        {"<b>\"q\" \\N &amp;</b>", -1, 0, "<b>\"q\" \\N &amp;</b>"},
        {"a\0b", 3, 0, "a\\x00b"},
        {"tab\tnl\ncr\r", -1, 0, "tab\\x09nl\\x0acr\\x0d"},
        {"esc\x1b[31m del\x7f", -1, 0, "esc\\x1b[31m del\\x7f"},
        {"c1 \xc2\x85 end", -1, 0, "c1 \\x85 end"},
        {"bad \xff\xfe lone \x80", -1, 0, "bad \\xff\\xfe lone \\x80"},
        {"cut \xe2\x82", -1, 0, "cut \\xe2\\x82"},
        {"surrogate \xed\xa0\x80", -1, 0, "surrogate \\xed\\xa0\\x80"},
        {"overlong \xc0\xaf", -1, 0, "overlong \\xc0\\xaf"},
        {"too high \xf4\x90\x80\x80", -1, 0, "too high \\xf4\\x90\\x80\\x80"},
        {"non \xef\xbf\xbe \xef\xb7\x90 \xf0\x9f\xbf\xbf", -1, 0, "non \\ufffe \\ufdd0 \\U0001ffff"},
        {"bidi \xe2\x80\xae evil \xe2\x81\xa6", -1, 0, "bidi \\u202e evil \\u2066"},
        {"zero\xe2\x80\x8bwidth\xef\xbb\xbf", -1, 0, "zero\\u200bwidth\\ufeff"},
        {"tag \xf3\xa0\x81\x81", -1, 0, "tag \\U000e0041"},
        {"soft\xc2\xadhyphen", -1, 0, "soft\\xadhyphen"},
        {"é 漢字 😀", -1, 0, "é 漢字 😀"},
        {"12345", -1, 5, "12345"},
        {"123456", -1, 5, "1234…"},
        {"漢字漢", -1, 5, "漢字…"},
        {"漢字漢", -1, 6, "漢字漢"},
        {"abcd\x01", -1, 5, "abcd…"},
        {"", 0, 1, ""},
        {"ab", -1, 1, "…"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) s = g_string_new(NULL);
        gsize n = cases[i].n < 0 ? strlen(cases[i].raw) : (gsize)cases[i].n;
        gboolean whole = ha_text_append_safe(s, cases[i].raw, n, cases[i].columns);

        g_assert_cmpstr(s->str, ==, cases[i].expected);
        g_assert_cmpint(whole, ==, !g_str_has_suffix(cases[i].expected, "…"));
        if (cases[i].columns)
            g_assert_cmpuint(ha_text_columns(s->str), <=, cases[i].columns);
    }
}

/* Every byte string gives valid UTF-8 without controls, and stays short when it must. */
static void
test_safe_random(void)
{
    for (guint i = 0; i < 20000; i++) {
        char raw[40];
        gsize n = (gsize)g_test_rand_int_range(0, sizeof raw);
        gsize columns = (gsize)g_test_rand_int_range(0, 30);
        g_autoptr(GString) s = g_string_new("x");

        for (gsize k = 0; k < n; k++)
            raw[k] = (char)(g_test_rand_int_range(0, 3) ? g_test_rand_int_range(0x80, 0x100)
                                                        : g_test_rand_int_range(0, 0x80));
        ha_text_append_safe(s, raw, n, columns);
        g_assert_true(g_utf8_validate(s->str, (gssize)s->len, NULL));
        g_assert_cmpuint(strlen(s->str), ==, s->len);
        for (const char *p = s->str; *p; p = g_utf8_next_char(p))
            g_assert_false(g_unichar_iscntrl(g_utf8_get_char(p)));
        if (columns)
            g_assert_cmpuint(ha_text_columns(s->str), <=, columns + 1);
    }
}

static void
test_marks(void)
{
    g_autoptr(GString) raw = g_string_new("a");
    g_autoptr(GString) s = g_string_new(NULL);

    for (guint i = 0; i < 100000; i++)
        g_string_append(raw, "\xcc\x81"); /* combining acute: no width of its own */
    g_assert_false(ha_text_append_safe(s, raw->str, raw->len, 50));
    g_assert_cmpuint(s->len, <, 200);
}

static void
test_numbers(void)
{
    static const struct {
        guint64 n;
        const char *count;
    } cases[] = {
        {0, "0"},
        {1023, "1,023"},
        {1024, "1,024"},
        {1048575, "1,048,575"},
        {1234567, "1,234,567"},
        {G_MAXUINT64, "18,446,744,073,709,551,615"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *count = ha_text_count(cases[i].n);

        g_assert_cmpstr(count, ==, cases[i].count);
    }
}

static void
test_escapes(void)
{
    const char *raw = "<b> & \"q\" \\N ['x']";
    g_autoptr(GString) html = g_string_new(NULL), label = g_string_new(NULL), tip = g_string_new(NULL);

    ha_dot_append_html(html, raw);
    ha_dot_append_label(label, raw);
    ha_dot_append_tooltip(tip, raw);
    g_assert_cmpstr(html->str, ==, "&lt;b&gt; &amp; &quot;q&quot; \\\\N ['x'&#93;");
    g_assert_cmpstr(label->str, ==, "<b> &amp; \\\"q\\\" \\\\N ['x']");
    g_assert_cmpstr(tip->str, ==, "<b> &amp; \\\"q\\\" \\\\\\\\N ['x']");
}

static void
test_templates(void)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"[12]", "[*]"},
        {"['key']", "['*']"},
        {"{member}", "{*}"},
        {"<key 'k'>", "<key>"},
        {"<stack 2>", "<stack>"},
        {"<local x>", "<local x>"},
        {"<closure>", "<closure>"},
        {".attr", ".attr"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *t = ha_name_template(cases[i][0], strlen(cases[i][0]));
        g_assert_cmpstr(t, ==, cases[i][1]);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/render/text/safe", test_safe);
    g_test_add_func("/render/text/safe-random", test_safe_random);
    g_test_add_func("/render/text/combining-marks", test_marks);
    g_test_add_func("/render/text/numbers", test_numbers);
    g_test_add_func("/render/text/escapes", test_escapes);
    g_test_add_func("/render/text/templates", test_templates);
    return g_test_run();
}
