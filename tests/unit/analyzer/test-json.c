// SPDX-License-Identifier: MIT
#include <string.h>

#include "text/ha-json.h"

static void
assert_text(HaOut *out, const char *expected)
{
    g_assert_cmpstr(ha_out_memory(out, NULL), ==, expected);
}

static void
test_structure(void)
{
    g_autoptr(HaOut) out = ha_out_new_memory();
    HaJson j;
    ha_json_init(&j, out);
    ha_json_begin_object(&j);
    ha_json_key(&j, "a");
    ha_json_begin_array(&j);
    ha_json_uint(&j, G_MAXUINT64);
    ha_json_int(&j, G_MININT64);
    ha_json_int(&j, 5);
    ha_json_bool(&j, TRUE);
    ha_json_null(&j);
    ha_json_begin_object(&j);
    ha_json_end_object(&j);
    ha_json_begin_array(&j);
    ha_json_end_array(&j);
    ha_json_end_array(&j);
    ha_json_key(&j, "b");
    ha_json_addr(&j, 0x7f00);
    ha_json_key(&j, "c");
    ha_json_text(&j, NULL);
    ha_json_end_object(&j);
    assert_text(out,
                "{\"a\":[18446744073709551615,-9223372036854775808,5,true,null,{},[]],\"b\":\"0x7f00\",\"c\":null}");
}

static const struct {
    const char *bytes;
    gsize n;
    const char *expected;
} strings[] = {
    {"", 0, "\"\""},
    {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
    {"\n\t\r\0\033", 5, "\"\\n\\t\\u000d\\u0000\\u001b\""},
    {"gr\xc3\xbc\xc3\x9f", 6, "\"gr\xc3\xbc\xc3\x9f\""},
    {"\xff!\xc3", 3, "\"\\\\xff!\\\\xc3\""},
    {"\xed\xa0\x80x", 4, "\"\\ud800x\""},
    {"\xe2\x80\xae", 3, "\"\\u202e\""},
    {"\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\""},
    {"\xf3\xa0\x80\x81", 4, "\"\\udb40\\udc01\""},
    {"\x7f", 1, "\"\\u007f\""},
};

static void
test_strings(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(strings); i++) {
        g_autoptr(HaOut) out = ha_out_new_memory();
        HaJson j;
        ha_json_init(&j, out);
        ha_json_bytes(&j, strings[i].bytes, strings[i].n);
        assert_text(out, strings[i].expected);
    }
}

static void
test_random(void)
{
    for (guint round = 0; round < 2000; round++) {
        gsize n = g_test_rand_int_range(0, 30), length;
        g_autofree char *bytes = g_malloc(n);
        for (gsize i = 0; i < n; i++)
            bytes[i] = g_test_rand_int_range(0, 256);
        g_autoptr(HaOut) out = ha_out_new_memory();
        HaJson j;
        ha_json_init(&j, out);
        ha_json_bytes(&j, bytes, n);
        const char *text = ha_out_memory(out, &length);
        g_assert_true(g_utf8_validate(text, length, NULL));
        g_assert_null(memchr(text, '\n', length));
    }
}

static void
test_numbers(void)
{
    g_autoptr(HaOut) out = ha_out_new_memory();
    ha_out_uint(out, 0);
    ha_out_char(out, ' ');
    ha_out_uint(out, 1234567890123);
    ha_out_char(out, ' ');
    ha_out_hex(out, 0, 4);
    ha_out_char(out, ' ');
    ha_out_hex(out, 0xabcdef, 2);
    ha_out_char(out, ' ');
    ha_out_hex(out, G_MAXUINT64, 20);
    assert_text(out, "0 1234567890123 0000 abcdef ffffffffffffffff");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/structure", test_structure);
    g_test_add_func("/json/strings", test_strings);
    g_test_add_func("/json/random", test_random);
    g_test_add_func("/json/numbers", test_numbers);
    return g_test_run();
}
