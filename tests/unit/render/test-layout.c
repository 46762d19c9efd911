// SPDX-License-Identifier: MIT
/*
 * From a picture to a file: whatever the texts hold, the SVG's texts decode to it; every format comes out; a child that hangs, dies or
 * eats memory is an error of ours and nothing worse. This program is also the layout child and the broken children.
 */
#include "render/ha-dot.h"
#include "render/ha-layout.h"
#include "render/ha-text.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MISBEHAVE "RENDER_TEST_MISBEHAVE"

static GBytes *
render(const HaPicture *p, HaLayoutFormat format)
{
    g_autofree char *dot = ha_dot_write(p);
    g_autoptr(GError) error = NULL;
    GBytes *out = NULL;

    ha_layout_render(dot, strlen(dot), format, NULL, &out, &error);
    g_assert_no_error(error);
    g_assert_nonnull(out);
    return out;
}

/* Collects the texts, and the tooltips, of an SVG. */
typedef struct {
    GPtrArray *texts;
    GPtrArray *tips;
    GString *current;
} Svg;

static void
svg_start(GMarkupParseContext *context, const char *element, const char **names, const char **values, gpointer data,
          GError **error)
{
    Svg *svg = data;

    (void)context;
    (void)error;
    for (guint i = 0; names[i]; i++)
        if (strcmp(names[i], "xlink:title") == 0)
            g_ptr_array_add(svg->tips, g_strdup(values[i]));
    if (strcmp(element, "text") == 0)
        svg->current = g_string_new(NULL);
}

static void
svg_end(GMarkupParseContext *context, const char *element, gpointer data, GError **error)
{
    Svg *svg = data;

    (void)context;
    (void)error;
    if (strcmp(element, "text") == 0)
        g_ptr_array_add(svg->texts, g_string_free(g_steal_pointer(&svg->current), FALSE));
}

static void
svg_text(GMarkupParseContext *context, const char *text, gsize n, gpointer data, GError **error)
{
    Svg *svg = data;

    (void)context;
    (void)error;
    if (svg->current)
        g_string_append_len(svg->current, text, (gssize)n);
}

static void
svg_parse(Svg *svg, GBytes *bytes)
{
    static const GMarkupParser parser = {svg_start, svg_end, svg_text, NULL, NULL};
    g_autoptr(GMarkupParseContext) context = NULL;
    g_autoptr(GError) error = NULL;
    gsize n;
    const char *text = g_bytes_get_data(bytes, &n);
    const char *start = g_strstr_len(text, (gssize)n, "<svg"); /* GMarkup knows no DOCTYPE */

    svg->texts = g_ptr_array_new_with_free_func(g_free);
    svg->tips = g_ptr_array_new_with_free_func(g_free);
    svg->current = NULL;
    g_assert_nonnull(start);
    context = g_markup_parse_context_new(&parser, 0, svg, NULL);
    g_markup_parse_context_parse(context, start, (gssize)(n - (gsize)(start - text)), &error);
    g_assert_no_error(error);
    g_markup_parse_context_end_parse(context, &error);
    g_assert_no_error(error);
}

static void
svg_clear(Svg *svg)
{
    g_ptr_array_unref(svg->texts);
    g_ptr_array_unref(svg->tips);
}

/* libgvc writes a blank that follows another one as a no-break space. */
static char *
plain_blanks(const char *s)
{
    g_auto(GStrv) parts = g_strsplit(s, "\xc2\xa0", -1);
    return g_strjoinv(" ", parts);
}

static gboolean
has_line(const GPtrArray *lines, const char *wanted)
{
    g_autofree char *w = plain_blanks(wanted);

    for (guint i = 0; i < lines->len; i++) {
        g_autofree char *line = plain_blanks(g_ptr_array_index(lines, i));
        if (strcmp(line, w) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
has_part(const GPtrArray *lines, const char *wanted)
{
    g_autofree char *w = plain_blanks(wanted);

    for (guint i = 0; i < lines->len; i++) {
        g_autofree char *line = plain_blanks(g_ptr_array_index(lines, i));
        if (strstr(line, w))
            return TRUE;
    }
    return FALSE;
}

static char *
safe_text(const GString *raw, gsize columns)
{
    GString *s = g_string_new(NULL);

    ha_text_append_safe(s, raw->str, raw->len, columns);
    return g_string_free(s, FALSE);
}

static GString *
random_text(void)
{
    static const char special[] = "\\\\\\NGLETHnlr&<>\"'{}|;#amp xlt[]()-=/*%$";
    static const char *const pieces[] = {"&amp;", "&#65;",    "&lt", "&eacute;", "\\N",  "\\\\",
                                         "</b>",  "<BR/>",    "-->", "]]>",      "<!--", "%n",
                                         "\\\"",  "\xc2\xa0", "é",   "漢",       "😀"};
    GString *s = g_string_new(NULL);
    gint len = g_test_rand_int_range(1, 16);

    for (gint i = 0; i < len; i++) {
        switch (g_test_rand_int_range(0, 6)) {
        case 0:
            g_string_append_c(s, (char)g_test_rand_int_range(0, 256));
            break;
        case 1:
        case 2:
            g_string_append_c(s, special[g_test_rand_int_range(0, sizeof special - 1)]);
            break;
        case 3:
            g_string_append(s, pieces[g_test_rand_int_range(0, G_N_ELEMENTS(pieces))]);
            break;
        default:
            g_string_append_c(s, (char)g_test_rand_int_range(33, 127));
        }
    }
    return s;
}

static void
test_any_text(void)
{
    for (guint round = 0; round < 60; round++) {
        g_autoptr(HaPicture) p = ha_picture_new("title");
        g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GPtrArray) tips = g_ptr_array_new_with_free_func(g_free);
        Svg svg;

        for (guint i = 0; i < 20; i++) {
            g_autoptr(GString) type = random_text();
            g_autoptr(GString) name = random_text();
            guint n = ha_picture_add_node(p, type->str, (gssize)type->len, 0, 0);
            HaPicNode *node = ha_picture_node(p, n);

            node->text = random_text();
            g_ptr_array_add(lines, safe_text(type, 0));
            g_ptr_array_add(lines, safe_text(node->text, 56));
            g_ptr_array_add(tips, safe_text(node->text, 0));
            if (i) {
                g_autofree char *safe = safe_text(name, 40);
                ha_picture_add_edge(p, n, n - 1, 0, 1, name->str, (gssize)name->len);
                g_ptr_array_add(lines, g_strconcat(safe, " ", NULL));
                g_ptr_array_add(tips, g_steal_pointer(&safe));
            }
        }
        g_autoptr(GBytes) out = render(p, HA_LAYOUT_SVG);
        svg_parse(&svg, out);
        for (guint i = 0; i < lines->len; i++)
            if (!has_line(svg.texts, g_ptr_array_index(lines, i)))
                g_error("text is lost: %s", (char *)g_ptr_array_index(lines, i));
        for (guint i = 0; i < tips->len; i++)
            if (!has_part(svg.tips, g_ptr_array_index(tips, i)))
                g_error("tooltip is lost: %s", (char *)g_ptr_array_index(tips, i));
        svg_clear(&svg);
    }
}

static void
test_long_text(void)
{
    g_autoptr(HaPicture) p = ha_picture_new("title");
    guint n = ha_picture_add_node(p, "str", 3, 0, 0);
    Svg svg;

    ha_picture_node(p, n)->text = g_string_new(NULL);
    for (guint i = 0; i < 100000; i++)
        g_string_append_c(ha_picture_node(p, n)->text, (char)('a' + i % 26));
    g_autoptr(GBytes) out = render(p, HA_LAYOUT_SVG);
    g_assert_cmpuint(g_bytes_get_size(out), <, 10000);
    svg_parse(&svg, out);
    g_assert_true(has_line(svg.texts, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabc…"));
    svg_clear(&svg);
}

static HaPicture *
small_picture(void)
{
    HaPicture *p = ha_picture_new("small");
    guint a = ha_picture_add_node(p, "app.Session", 11, HA_PIC_CHOSEN, 0);
    guint b = ha_picture_add_node(p, "dict", 4, 0, 1);

    ha_picture_add_edge(p, b, a, 0, 1, "['x']", 5);
    return p;
}

static void
test_formats(void)
{
    static const char *const magic[] = {"<?xml", "\x89PNG", "%PDF-"};

    for (guint f = HA_LAYOUT_SVG; f <= HA_LAYOUT_PDF; f++) {
        g_autoptr(HaPicture) p = small_picture();
        g_autoptr(GBytes) out = render(p, f);
        gsize n;
        const char *data = g_bytes_get_data(out, &n);

        g_assert_cmpuint(n, >, 500);
        g_assert_cmpint(memcmp(data, magic[f], strlen(magic[f])), ==, 0);
    }
}

static void
test_same_bytes(void)
{
    g_autoptr(HaPicture) p = small_picture(), q = small_picture();
    g_autoptr(GBytes) first = render(p, HA_LAYOUT_SVG), second = render(q, HA_LAYOUT_SVG);

    g_assert_true(g_bytes_equal(first, second));
}

typedef struct {
    const char *misbehaviour;
    HaLayoutError code;
    const char *message;
} BadChild;

static void
test_bad_child(gconstpointer data)
{
    const BadChild *bad = data;
    const char *dot = "digraph { a -> b }";
    HaLayoutLimits limits = {.seconds = 1};
    g_autoptr(GError) error = NULL;
    GBytes *out = NULL;

    g_setenv(MISBEHAVE, bad->misbehaviour, TRUE);
    g_assert_false(ha_layout_render(dot, strlen(dot), HA_LAYOUT_SVG, &limits, &out, &error));
    g_unsetenv(MISBEHAVE);
    g_assert_error(error, HA_LAYOUT_ERROR, (gint)bad->code);
    g_assert_cmpstr(error->message, ==, bad->message);
    g_assert_null(out);
}

static void
test_wrong_dot(void)
{
    g_autoptr(GError) error = NULL;
    GBytes *out = NULL;

    g_assert_false(ha_layout_render("digraph {", 9, HA_LAYOUT_SVG, NULL, &out, &error));
    g_assert_error(error, HA_LAYOUT_ERROR, HA_LAYOUT_ERROR_FAILED);
    g_assert_cmpstr(error->message, ==, "the layout failed: the graph's text is wrong");
}

static void
test_no_program(void)
{
    HaLayoutLimits limits = {.program = "/nonexistent/heapanalyze"};
    g_autoptr(GError) error = NULL;
    GBytes *out = NULL;

    g_assert_false(ha_layout_render("digraph {}", 10, HA_LAYOUT_SVG, &limits, &out, &error));
    g_assert_cmpstr(error->message, ==, "cannot draw: cannot start the layout process: No such file or directory");
}

/* What the child does instead of drawing, in the tests of bad children. */
static void
misbehave(const char *how)
{
    if (strcmp(how, "hang") == 0)
        for (;;)
            pause();
    if (strcmp(how, "hang-closed") == 0) {
        close(3); /* the parent believes that it is gone */
        for (;;)
            pause();
    }
    if (strcmp(how, "die") == 0) {
        signal(SIGSEGV, SIG_DFL); /* a sanitizer would turn it into an exit */
        raise(SIGSEGV);
    }
    if (strcmp(how, "nothing") == 0)
        _exit(0);
    if (strcmp(how, "odd") == 0) {
        if (write(2, "first line\nsecond\n", 18) != 18)
            abort();
        _exit(77);
    }
}

int
main(int argc, char **argv)
{
    static const BadChild bad[] = {
        {"hang", HA_LAYOUT_ERROR_TIMEOUT, "the layout took more than 1 seconds"},
        {"hang-closed", HA_LAYOUT_ERROR_FAILED, "the layout process died (Killed)"},
        {"die", HA_LAYOUT_ERROR_FAILED, "the layout process died (Segmentation fault)"},
        {"nothing", HA_LAYOUT_ERROR_FAILED, "the layout gave an empty picture"},
        {"odd", HA_LAYOUT_ERROR_FAILED, "the layout failed: first line"},
    };
    if (argc > 1 && strcmp(argv[1], HA_LAYOUT_CHILD_ARGUMENT) == 0 && g_getenv(MISBEHAVE))
        misbehave(g_getenv(MISBEHAVE));
    ha_layout_child(argc, argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/render/layout/any-text", test_any_text);
    g_test_add_func("/render/layout/long-text", test_long_text);
    g_test_add_func("/render/layout/formats", test_formats);
    g_test_add_func("/render/layout/same-bytes", test_same_bytes);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *path = g_strdup_printf("/render/layout/child/%s", bad[i].misbehaviour);
        g_test_add_data_func(path, &bad[i], test_bad_child);
    }
    g_test_add_func("/render/layout/wrong-dot", test_wrong_dot);
    g_test_add_func("/render/layout/no-program", test_no_program);
    return g_test_run();
}
