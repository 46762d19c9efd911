// SPDX-License-Identifier: MIT
/* Lists of addresses and types as people type them, and what they are told when there is nothing such. */
#include <string.h>

#include "cli/ha-command.h"
#include "commands/ha-object-list.h"
#include "graph/ha-graph-builder.h"
#include "ha-test-graph.h"

/* Objects 0 … 5: two sessions, a task, a dict, garbage, and one whose address looks like a word. */
static HaGraph *
sample(void)
{
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    g_autoptr(GError) error = NULL;

    ha_graph_builder_simple(b, 0x1000, "app.Session", 56, 1, NULL, NULL);
    ha_graph_builder_simple(b, 0x2000, "app.Session", 56, 1, NULL, NULL);
    ha_graph_builder_simple(b, 0x3000, "app.SubSession", 56, 1, NULL, NULL);
    ha_graph_builder_simple(b, 0x4000, "builtins.dict", 232, 1, NULL, NULL);
    ha_graph_builder_simple(b, 0x5000, "app.Gone", 232, 1, NULL, NULL);
    ha_graph_builder_simple(b, 0x7f0000abcde8, "app.abc123", 56, 1, NULL, NULL);
    HaGraph *g = ha_graph_builder_finish(b, &error);
    g_assert_no_error(error);
    return g;
}

/* "0 2 -1": indices of what is in, then of what is out. */
static char *
parse(const char *text, HaMatch match, gboolean not, GError **error)
{
    g_autoptr(HaGraph) g = sample();
    g_autoptr(HaBits) live = ha_bits_new(ha_graph_n_objects(g), TRUE);
    g_auto(HaObjectList) list = {0};
    HaObjectListSpec spec = {g, "x.heap", "--filter", live, live, match, not };
    GString *s = g_string_new(NULL);

    ha_bits_clear(live, ha_graph_lookup(g, 0x5000));
    if (!ha_object_list_parse(&list, &spec, text, error)) {
        g_assert_null(list.in);
        g_assert_null(list.out);
        return g_string_free(s, TRUE);
    }
    for (HaId id = 0; id < ha_graph_n_objects(g); id++) {
        if (list.in && ha_bits_get(list.in, id))
            g_string_append_printf(s, "%s%u", s->len ? " " : "", id);
        if (list.out && ha_bits_get(list.out, id))
            g_string_append_printf(s, "%s-%u", s->len ? " " : "", id);
    }
    return g_string_free(s, FALSE);
}

static void
test_good(void)
{
    static const struct {
        const char *text;
        HaMatch match;
        const char *expected;
    } cases[] = {
        {NULL, HA_MATCH_PART, ""},
        {"0x1000", HA_MATCH_PART, "0"},
        {"0X1000", HA_MATCH_PART, "0"},
        {"0x0000000000001000", HA_MATCH_PART, "0"},
        {"0000000000002000", HA_MATCH_PART, "1"},
        {"7f0000abcde8,0x1000", HA_MATCH_PART, "0 5"},
        {" 0x1000 , 0x2000 ", HA_MATCH_PART, "0 1"},
        {"Session", HA_MATCH_PART, "0 1 2"},
        {"Session", HA_MATCH_NAME, "0 1"},
        {"app.Session", HA_MATCH_NAME, "0 1"},
        {"Session,!0x1000", HA_MATCH_PART, "0 -0 1 2"},
        {"0x1000,!app.Session", HA_MATCH_PART, "0 -0 -1"},
        {"0x1000,!NoSuchType,!0xdead0", HA_MATCH_PART, "0"},
        {"0x1000,! 0x2000", HA_MATCH_PART, "0 -1"},
        {"abc123", HA_MATCH_PART, "5"}, /* no object there, but a type of that name */
        {"Gone", HA_MATCH_PART, ""},    /* garbage is not chosen by type */
        {"dict", HA_MATCH_PART, "3"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = parse(cases[i].text, cases[i].match, TRUE, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(text, ==, cases[i].expected);
    }
}

static void
test_bad(void)
{
    static const struct {
        const char *text;
        HaError code;
        const char *message;
    } cases[] = {
        {"0x", HA_ERROR_USAGE, "--filter: '0x' is no address: 0x and up to 16 hexadecimal digits"},
        {"0x12g4", HA_ERROR_USAGE, "--filter: '0x12g4' is no address: 0x and up to 16 hexadecimal digits"},
        {"0x11112222333344445", HA_ERROR_USAGE,
         "--filter: '0x11112222333344445' is no address: 0x and up to 16 hexadecimal digits"},
        {"0x1000,", HA_ERROR_USAGE, "--filter: an empty name in '0x1000,': addresses and types, with commas between"},
        {"!", HA_ERROR_USAGE, "--filter: an empty name in '!': addresses and types, with commas between"},
        {"0x1008", HA_ERROR_FAILED, "no object starts at 0x1008 in 'x.heap'; it lies inside the app.Session at 0x1000"},
        {"0x1038", HA_ERROR_FAILED,
         "no object at 0x1038 in 'x.heap': addresses are those that 'heapanalyze top' prints for this dump"},
        {"123456", HA_ERROR_FAILED,
         "no object at 123456 in 'x.heap': addresses are those that 'heapanalyze top' prints for this dump"},
        {"0x5000", HA_ERROR_FAILED,
         "the app.Gone at 0x5000 is garbage, which a collection would free: add --garbage to see it"},
        {"Nobody", HA_ERROR_FAILED,
         "--filter: no type in 'x.heap' has a name with 'Nobody': 'heapanalyze types' lists them"},
        {"12345", HA_ERROR_FAILED,
         "--filter: no type in 'x.heap' has a name with '12345': 'heapanalyze types' lists them"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = parse(cases[i].text, HA_MATCH_PART, TRUE, &error);

        g_assert_null(text);
        g_assert_error(error, HA_ERROR, (gint)cases[i].code);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(parse("!0x1000", HA_MATCH_NAME, FALSE, &error));
    g_assert_cmpstr(error->message, ==,
                    "--filter: '!' has no meaning here in '!0x1000': addresses and types, with commas between");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/render/object-list/good", test_good);
    g_test_add_func("/render/object-list/bad", test_bad);
    return g_test_run();
}
