// SPDX-License-Identifier: MIT
/* The DOT text of a picture: the same bytes as ever, and what Graphviz's own programs and an XML parser say to it. */
#include <glib/gstdio.h>
#include <string.h>

#include "render/ha-dot.h"
#include "render/ha-layout.h"

static HaPicture *
sample(void)
{
    HaPicture *p = ha_picture_new("Who refers to the app.User at 0x5000, in \"a\\b\".heap");
    guint user = ha_picture_add_node(p, "app.User", -1, HA_PIC_CHOSEN | HA_PIC_HIGHLIGHT, 0);
    guint session = ha_picture_add_node(p, "app.Session", -1, 0, 1);
    guint others = ha_picture_add_node(p, "app.Session", -1, 0, 1);
    guint more = ha_picture_add_node(p, "… 31 more", -1, HA_PIC_MORE, 1);
    guint module = ha_picture_add_node(p, "module app", -1, HA_PIC_ROOT, 2);
    guint ref = ha_picture_add_node(p, "weakref", -1, HA_PIC_WEAK, 1);
    HaPicNode *n = ha_picture_node(p, user);

    n->addr = 0x5000;
    n->size = 48;
    n->text = g_string_new_len("'<b>\\N\"&amp;\0\xff'", 14);
    n->details = g_strdup("reference count 3\nsecond line");
    ha_picture_node(p, session)->addr = 0x6000;
    ha_picture_node(p, session)->size = 123456;
    ha_picture_node(p, others)->count = 1200;
    ha_picture_node(p, others)->size = 12345678;
    ha_picture_node(p, more)->count = 31;
    ha_picture_node(p, more)->note = g_strdup("20 × dict, 11 × list");
    ha_picture_node(p, module)->addr = 0x7000;
    ha_picture_node(p, module)->note = g_strdup("GC root: sys.modules");
    ha_picture_node(p, ref)->addr = 0x8000;
    ha_picture_add_edge(p, session, user, HA_PIC_RED, 1, ".user", -1);
    ha_picture_add_edge(p, others, user, 0, 1200, ".user", -1);
    ha_picture_add_edge(p, more, user, 0, 31, NULL, 0);
    ha_picture_add_edge(p, module, session, 0, 1, ".a", -1);
    ha_picture_add_edge(p, module, session, 0, 1, "['\"]", -1);
    ha_picture_add_edge(p, module, session, 0, 1, ".c", -1);
    ha_picture_add_edge(p, module, session, 0, 1, ".d", -1);
    ha_picture_add_edge(p, more, session, 0, 1, ".a", -1);
    ha_picture_add_edge(p, more, session, 0, 1, ".b", -1);
    ha_picture_add_edge(p, more, session, 0, 1, ".c", -1);
    ha_picture_add_edge(p, more, session, 0, 1, ".d", -1);
    ha_picture_add_edge(p, more, session, 0, 1, ".e", -1);
    ha_picture_add_edge(p, ref, user, HA_PIC_WEAK, 1, "<referent>", -1);
    ha_picture_add_edge(p, user, session, 0, 1, "<frame>", -1);
    ha_picture_note(p, "A note with <tags> & more.");
    return p;
}

static void
test_golden(void)
{
    g_autoptr(HaPicture) p = sample();
    g_autofree char *dot = ha_dot_write(p);
    g_autofree char *golden = g_test_build_filename(G_TEST_DIST, "sample.dot", NULL);
    g_autofree char *expected = NULL;
    g_autoptr(GError) error = NULL;

    /* After a change that is meant: RENDER_TEST_WRITE=1, look at the difference, commit it. */
    if (g_getenv("RENDER_TEST_WRITE"))
        g_file_set_contents(golden, dot, -1, NULL);
    g_file_get_contents(golden, &expected, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(dot, ==, expected);
}

/* Gives text to a program; its exit status, or -1 when it is not there. */
static int
run_program(const char *const *argv, const char *text, gsize n)
{
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    g_autofree char *program = g_find_program_in_path(argv[0]);
    int fd = g_file_open_tmp("render-XXXXXX", &path, &error);
    int status = -1;

    g_assert_no_error(error);
    g_close(fd, NULL);
    g_assert_true(g_file_set_contents(path, text, (gssize)n, NULL));
    for (; *argv; argv++)
        g_ptr_array_add(all, (gpointer)*argv);
    g_ptr_array_add(all, path);
    g_ptr_array_add(all, NULL);
    if (program) {
        g_autofree char *out = NULL, *errors = NULL;
        g_spawn_sync(NULL, (char **)all->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &errors, &status, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(errors, ==, "");
    }
    g_remove(path);
    return status;
}

static void
check_program(const char *const *argv, const char *text, gsize n)
{
    int status = run_program(argv, text, n);

    if (status == -1 && !g_getenv("HEAPDUMP_MUST_WORK")) {
        g_test_skip("program is not installed");
        return;
    }
    g_assert_cmpint(status, ==, 0);
}

static void
test_dot_reads_it(void)
{
    g_autoptr(HaPicture) p = sample();
    g_autofree char *dot = ha_dot_write(p);

    check_program((const char *const[]){"dot", "-Tcanon", NULL}, dot, strlen(dot));
}

static void
test_xmllint_reads_it(void)
{
    g_autoptr(HaPicture) p = sample();
    g_autofree char *dot = ha_dot_write(p);
    g_autoptr(GBytes) svg = NULL;
    g_autoptr(GError) error = NULL;
    gsize n;

    ha_layout_render(dot, strlen(dot), HA_LAYOUT_SVG, NULL, &svg, &error);
    g_assert_no_error(error);
    const char *text = g_bytes_get_data(svg, &n);
    check_program((const char *const[]){"xmllint", "--noout", "--nonet", NULL}, text, n);
}

static void
test_empty(void)
{
    g_autoptr(HaPicture) p = ha_picture_new("");
    g_autofree char *dot = ha_dot_write(p);
    g_autoptr(GBytes) svg = NULL;
    g_autoptr(GError) error = NULL;

    ha_layout_render(dot, strlen(dot), HA_LAYOUT_SVG, NULL, &svg, &error);
    g_assert_no_error(error);
}

/* Above some hundred nodes libgvc is told to try less; a thousand come out all the same. */
static void
test_large(void)
{
    g_autoptr(HaPicture) p = ha_picture_new("large");
    g_autoptr(GBytes) svg = NULL;
    g_autoptr(GError) error = NULL;
    guint count = 0;
    gsize n;

    for (guint i = 0; i < 1000; i++) {
        ha_picture_add_node(p, "app.Node", -1, 0, i / 30);
        if (i)
            ha_picture_add_edge(p, i, i / 3, 0, 1, ".next", -1);
    }
    g_autofree char *dot = ha_dot_write(p);
    g_assert_nonnull(strstr(dot, " mclimit=0.1; splines=line;\n"));
    ha_layout_render(dot, strlen(dot), HA_LAYOUT_SVG, NULL, &svg, &error);
    g_assert_no_error(error);
    for (const char *s = g_bytes_get_data(svg, &n); (s = strstr(s, "class=\"node\"")); s++)
        count++;
    g_assert_cmpuint(count, ==, 1000);
}

int
main(int argc, char **argv)
{
    ha_layout_child(argc, argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/render/dot/golden", test_golden);
    g_test_add_func("/render/dot/dot-reads-it", test_dot_reads_it);
    g_test_add_func("/render/dot/xmllint-reads-it", test_xmllint_reads_it);
    g_test_add_func("/render/dot/empty", test_empty);
    g_test_add_func("/render/dot/large", test_large);
    return g_test_run();
}
