// SPDX-License-Identifier: MIT
#include <string.h>

#include "analyses/ha-type-match.h"
#include "graph/ha-graph-builder.h"
#include "ha-test-graph.h"

#define A(x) ((guint64)(x))

/* asyncio.Task is the C type _asyncio.Task; a stale module of the same name lacks it. */
static HaGraph *
graph(void)
{
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    static const struct {
        guint64 addr;
        const char *name;
    } types[] = {
        {0x9000, "_asyncio.Task"}, {0x9100, "app.tasks.Task"}, {0x9200, "app.MyTask"}, {0x9300, "_hidden.Inner"}};
    for (guint i = 0; i < G_N_ELEMENTS(types); i++)
        ha_graph_builder_type(
            b, &(struct hf_type_row){.addr = types[i].addr, .name = types[i].name, .name_len = strlen(types[i].name)});
    ha_graph_builder_simple(b, 0x1000, "builtins.module", 72, 1, "asyncio", ".__dict__", A(0x1100), NULL);
    ha_graph_builder_simple(b, 0x1100, "builtins.dict", 72, 1, "x", "[k]", A(0x8000), "[v]", A(0x8100), NULL);
    ha_graph_builder_simple(b, 0x2000, "builtins.module", 72, 1, "asyncio", ".__dict__", A(0x2100), NULL);
    ha_graph_builder_simple(b, 0x2100, "builtins.dict", 72, 1, "x,Task", "[k]", A(0x8000), "[v]", A(0x8100), "[k]",
                            A(0x8100), "[v]", A(0x9000), NULL);
    ha_graph_builder_simple(b, 0x3000, "builtins.module", 72, 1, "pkg.sub", ".__dict__", A(0x3100), NULL);
    ha_graph_builder_simple(b, 0x3100, "builtins.dict", 72, 1, "Outer", "[k]", A(0x8200), "[v]", A(0x9400), NULL);
    ha_graph_builder_simple(b, 0x8000, "builtins.str", 50, 1, "x", NULL);
    ha_graph_builder_simple(b, 0x8100, "builtins.str", 50, 1, "Task", NULL);
    ha_graph_builder_simple(b, 0x8200, "builtins.str", 50, 1, "Outer", NULL);
    ha_graph_builder_simple(b, 0x9000, "builtins.type", 900, 1, "Task", NULL);
    ha_graph_builder_simple(b, 0x9100, "builtins.type", 900, 1, "Task", NULL);
    ha_graph_builder_simple(b, 0x9200, "builtins.type", 900, 1, "MyTask", NULL);
    ha_graph_builder_simple(b, 0x9300, "builtins.type", 900, 1, "Inner", NULL);
    ha_graph_builder_simple(b, 0x9400, "builtins.type", 900, 1, "Outer", ".Inner", A(0x9300), NULL);
    return ha_graph_builder_finish(b, NULL);
}

static void
test_match(void)
{
    static const struct {
        const char *text;
        HaMatch how;
        const char *names; /* of the types matched, in order */
    } cases[] = {
        {"asyncio.Task", HA_MATCH_NAME, "_asyncio.Task "},
        {"_asyncio.Task", HA_MATCH_NAME, "_asyncio.Task "},
        {"Task", HA_MATCH_NAME, "_asyncio.Task app.tasks.Task "},
        {"tasks.Task", HA_MATCH_NAME, "app.tasks.Task "},
        {"sks.Task", HA_MATCH_NAME, ""},
        {"Task", HA_MATCH_PART, "_asyncio.Task app.tasks.Task app.MyTask "},
        {"pkg.sub.Outer.Inner", HA_MATCH_NAME, "_hidden.Inner "},
        {"pkg.sub.Outer.Inner", HA_MATCH_PART, "_hidden.Inner "},
        {"asyncio.Nothing", HA_MATCH_NAME, ""},
        {"asyncio", HA_MATCH_NAME, ""},
        {"asyncio.x", HA_MATCH_NAME, ""},
        {"", HA_MATCH_NAME, ""},
        {"asyncio.Task", HA_MATCH_FULL, "_asyncio.Task "},
        {"Task", HA_MATCH_FULL, ""},
        {"app.MyTask", HA_MATCH_FULL, "app.MyTask "},
        {"*Task", HA_MATCH_GLOB, "_asyncio.Task app.tasks.Task app.MyTask "},
        {"app.*Ta*k", HA_MATCH_GLOB, "app.tasks.Task app.MyTask "},
        {"app.*Tas*x", HA_MATCH_GLOB, ""},
        {"a*a*a*a*a*a*a*a*a*b", HA_MATCH_GLOB, ""},
        {"asyncio.Task", HA_MATCH_GLOB, ""},
        {"app.MyTask**", HA_MATCH_GLOB, "app.MyTask "},
        {".", HA_MATCH_NAME, ""},
        {"asyncio..Task", HA_MATCH_NAME, ""},
        {".Task", HA_MATCH_NAME, ""},
    };
    g_autoptr(HaGraph) g = graph();
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(HaTypeSet) set = ha_type_set_new(g, cases[i].text, cases[i].how);
        g_autoptr(GString) names = g_string_new(NULL);
        for (guint32 t = 0; t < ha_graph_n_types(g); t++)
            if (ha_type_set_has(set, t))
                g_string_append_printf(names, "%s ", ha_graph_nth_type(g, t)->name);
        g_test_message("'%s'", cases[i].text);
        g_assert_cmpstr(names->str, ==, cases[i].names);
    }
    g_autoptr(HaTypeSet) all = ha_type_set_new(g, "", HA_MATCH_PART);
    g_assert_cmpuint(ha_type_set_size(all), ==, ha_graph_n_types(g));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/type-match/match", test_match);
    return g_test_run();
}
