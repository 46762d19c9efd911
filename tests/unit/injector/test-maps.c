// SPDX-License-Identifier: MIT
#include <glib.h>
#include <string.h>
#include "error.h"
#include "maps.h"

static const char TEXT[] =
    "00400000-0041f000 r--p 00000000 fe:01 3418                               /usr/bin/python3.11\n"
    "0041f000-006b8000 r-xp 0001f000 fe:01 3418                               /usr/bin/python3.11\n"
    "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n"
    "7f0000002000-7f0000003000 rw-s 00001000 00:1a 77 /dev/shm/a b\n"
    "7f0000004000-7f0000005000 r-xp 00000000 08:02 18446744073709551615 /lib/x.so (deleted)\n"
    "7f0000006000-7f0000007000 r--p 00000000 08:02 5 /odd\\012name\\134 (x)\n"
    "7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0                          [stack]\n"
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";

static void
test_table(void)
{
    static const InjMapping expected[] = {
        {.start = 0x400000,
         .end = 0x41f000,
         .inode = 3418,
         .dev_major = 0xfe,
         .dev_minor = 1,
         .read = 1,
         .path = (char *)"/usr/bin/python3.11"},
        {.start = 0x41f000,
         .end = 0x6b8000,
         .offset = 0x1f000,
         .inode = 3418,
         .dev_major = 0xfe,
         .dev_minor = 1,
         .read = 1,
         .exec = 1,
         .path = (char *)"/usr/bin/python3.11"},
        {.start = 0x7f0000000000, .end = 0x7f0000001000, .read = 1, .write = 1, .path = (char *)""},
        {.start = 0x7f0000002000,
         .end = 0x7f0000003000,
         .offset = 0x1000,
         .inode = 77,
         .dev_minor = 0x1a,
         .read = 1,
         .write = 1,
         .shared = 1,
         .path = (char *)"/dev/shm/a b"},
        {.start = 0x7f0000004000,
         .end = 0x7f0000005000,
         .inode = G_MAXUINT64,
         .dev_major = 8,
         .dev_minor = 2,
         .read = 1,
         .exec = 1,
         .deleted = 1,
         .path = (char *)"/lib/x.so"},
        {.start = 0x7f0000006000,
         .end = 0x7f0000007000,
         .inode = 5,
         .dev_major = 8,
         .dev_minor = 2,
         .read = 1,
         .path = (char *)"/odd\nname\\134 (x)"},
        {.start = 0x7ffffffde000, .end = 0x7ffffffff000, .read = 1, .write = 1, .path = (char *)"[stack]"},
        {.start = 0xffffffffff600000, .end = 0xffffffffff601000, .exec = 1, .path = (char *)"[vsyscall]"},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) maps = inj_maps_parse(TEXT, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(maps->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < maps->len; i++) {
        const InjMapping *m = &g_array_index(maps, InjMapping, i), *e = &expected[i];
        g_assert_cmphex(m->start, ==, e->start);
        g_assert_cmphex(m->end, ==, e->end);
        g_assert_cmphex(m->offset, ==, e->offset);
        g_assert_cmpuint(m->inode, ==, e->inode);
        g_assert_cmphex(m->dev_major, ==, e->dev_major);
        g_assert_cmphex(m->dev_minor, ==, e->dev_minor);
        g_assert_cmpint(m->read | m->write << 1 | m->exec << 2 | m->shared << 3 | m->deleted << 4, ==,
                        e->read | e->write << 1 | e->exec << 2 | e->shared << 3 | e->deleted << 4);
        g_assert_cmpstr(m->path, ==, e->path);
    }
}

static void
test_find(void)
{
    g_autoptr(GArray) maps = inj_maps_parse(TEXT, NULL);
    static const struct {
        guint64 addr;
        gint index; /* -1: none */
    } cases[] = {{0, -1},        {0x3fffff, -1},      {0x400000, 0},        {0x41efff, 0},           {0x41f000, 1},
                 {0x6b8000, -1}, {0x7f0000000fff, 2}, {0x7f0000001000, -1}, {0xffffffffff600fff, 7}, {G_MAXUINT64, -1}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const InjMapping *expected = cases[i].index < 0 ? NULL : &g_array_index(maps, InjMapping, cases[i].index);
        g_assert_true(inj_maps_find(maps, cases[i].addr) == expected);
    }
}

static void
test_broken(void)
{
    static const char *const lines[] = {
        "x",
        "00400000",
        "00400000-",
        "00400000-00300000 r--p 00000000 fe:01 1 /x",
        "00400000-00400000 r--p 00000000 fe:01 1 /x",
        "00400000-0041f000 r--p",
        "00400000-0041f000 r--p 00000000",
        "00400000-0041f000 r--p 00000000 fe01 1 /x",
        "00400000-0041f000 r--p 00000000 fe:01 x /x",
        "00400000-0041f000 r-",
        "00400000-0041f000 r--p 00000000 fe:01 12y /x",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = g_strconcat("00100000-00200000 r--p 00000000 fe:01 1 /x\n", lines[i], "\n", NULL);
        g_assert_null(inj_maps_parse(text, &error));
        g_assert_error(error, INJ_ERROR, INJ_ERROR_FAILED);
        g_assert_nonnull(strstr(error->message, lines[i]));
    }
}

static void
test_empty(void)
{
    g_autoptr(GArray) maps = inj_maps_parse("", NULL);

    g_assert_cmpuint(maps->len, ==, 0);
    g_assert_null(inj_maps_find(maps, 5));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/maps/table", test_table);
    g_test_add_func("/maps/find", test_find);
    g_test_add_func("/maps/broken", test_broken);
    g_test_add_func("/maps/empty", test_empty);
    return g_test_run();
}
