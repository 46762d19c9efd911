// SPDX-License-Identifier: MIT
#include <string.h>

#include "analyses/ha-same.h"
#include "graph/ha-graph-builder.h"
#include "ha-test-graph.h"

typedef struct {
    const char *type, *content;
    guint64 size, item; /* item: address of its only referent, 0 none */
} Fact;

static const struct {
    Fact before, after;
    gboolean same;
} cases[] = {
    {{"app.A", NULL, 48, 0}, {"app.A", NULL, 48, 0}, TRUE},
    {{"app.A", NULL, 48, 0}, {"app.B", NULL, 48, 0}, FALSE},
    {{"builtins.list", NULL, 56, 0}, {"builtins.list", NULL, 800, 0}, TRUE},
    {{"builtins.dict", "a", 232, 0}, {"builtins.dict", "a,b", 360, 0}, TRUE},
    {{"builtins.set", NULL, 216, 0}, {"builtins.set", NULL, 728, 0}, TRUE},
    {{"builtins.str", "one", 52, 0}, {"builtins.str", "one", 52, 0}, TRUE},
    {{"builtins.str", "one", 52, 0}, {"builtins.str", "two", 52, 0}, FALSE},
    {{"builtins.str", "on", 52, 0}, {"builtins.str", "one", 52, 0}, FALSE},
    {{"builtins.str", NULL, 52, 0}, {"builtins.str", "two", 52, 0}, TRUE},
    {{"builtins.str", NULL, 52, 0}, {"builtins.str", "three", 54, 0}, FALSE},
    {{"builtins.int", "1", 28, 0}, {"builtins.int", "2", 28, 0}, FALSE},
    {{"builtins.float", "1.5", 24, 0}, {"builtins.float", "1.5", 24, 0}, TRUE},
    {{"builtins.bytes", "ab", 35, 0}, {"builtins.bytes", "cd", 35, 0}, FALSE},
    {{"builtins.bytearray", "ab", 35, 0}, {"builtins.bytearray", "cdef", 60, 0}, TRUE},
    {{"builtins.code", "f at a.py:1", 200, 0}, {"builtins.code", "g at a.py:9", 200, 0}, FALSE},
    {{"builtins.coroutine", "f at a.py:1 suspended", 200, 0},
     {"builtins.coroutine", "f at a.py:9 running", 200, 0},
     TRUE},
    {{"builtins.coroutine", "f at a.py:1 suspended", 200, 0},
     {"builtins.coroutine", "g at a.py:1 suspended", 200, 0},
     FALSE},
    {{"builtins.tuple", NULL, 48, 0x100}, {"builtins.tuple", NULL, 48, 0x100}, TRUE},
    {{"builtins.tuple", NULL, 48, 0x100}, {"builtins.tuple", NULL, 48, 0x200}, FALSE},
    {{"builtins.tuple", NULL, 48, 0x100}, {"builtins.tuple", NULL, 56, 0x100}, FALSE},
    {{"builtins.list", NULL, 64, 0x100}, {"builtins.list", NULL, 64, 0x200}, TRUE},
};

static HaGraph *
graph_of(gboolean after)
{
    static const struct {
        const char *name;
        guint8 family;
    } types[] = {{"builtins.str", HF_FAMILY_STR},
                 {"builtins.bytes", HF_FAMILY_BYTES},
                 {"builtins.bytearray", HF_FAMILY_BYTES},
                 {"builtins.int", HF_FAMILY_INT},
                 {"builtins.float", HF_FAMILY_FLOAT},
                 {"builtins.list", HF_FAMILY_LIST},
                 {"builtins.dict", HF_FAMILY_DICT},
                 {"builtins.set", HF_FAMILY_SET},
                 {"builtins.tuple", HF_FAMILY_TUPLE},
                 {"builtins.code", HF_FAMILY_CODE},
                 {"builtins.coroutine", HF_FAMILY_COROUTINE},
                 {"app.A", 0},
                 {"app.B", 0}};
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    guint32 ids[G_N_ELEMENTS(types)];
    for (guint k = 0; k < G_N_ELEMENTS(types); k++) {
        guint t = after ? G_N_ELEMENTS(types) - 1 - k : k; /* numbers differ from dump to dump */
        ids[t] = ha_graph_builder_type(b, &(struct hf_type_row){.addr = 0x8000 + 16 * t,
                                                                .family = types[t].family,
                                                                .name = types[t].name,
                                                                .name_len = strlen(types[t].name)});
    }
    ha_graph_builder_object(b, &(struct hf_object_row){.addr = 0x100, .type = ids[11]});
    ha_graph_builder_object(b, &(struct hf_object_row){.addr = 0x200, .type = ids[11]});
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Fact *fact = after ? &cases[i].after : &cases[i].before;
        struct hf_object_row row = {
            .addr = 0x1000 + 16 * i, .size = fact->size, .refs = &fact->item, .n_refs = fact->item != 0};
        for (guint t = 0; t < G_N_ELEMENTS(types); t++)
            if (strcmp(types[t].name, fact->type) == 0)
                row.type = ids[t];
        if (fact->content != NULL) {
            row.flags |= HF_OBJ_CONTENT;
            row.content = fact->content;
            row.content_len = strlen(fact->content);
        }
        ha_graph_builder_object(b, &row);
    }
    return ha_graph_builder_finish(b, NULL);
}

static void
test_cases(void)
{
    g_autoptr(HaGraph) before = graph_of(FALSE);
    g_autoptr(HaGraph) after = graph_of(TRUE);
    g_autoptr(HaSame) there = ha_same_new(before, after);
    g_autoptr(HaSame) back = ha_same_new(after, before);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        HaId id = ha_graph_lookup(before, 0x1000 + 16 * i);
        g_test_message("%s, case %u", cases[i].before.type, i);
        g_assert_cmpuint(ha_same_find(there, id), ==, cases[i].same ? id : HA_ID_NONE);
        g_assert_cmpuint(ha_same_find(back, id), ==, cases[i].same ? id : HA_ID_NONE);
    }
}

static void
test_narrow(void)
{
    g_autoptr(HaGraphBuilder) a = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    for (guint64 addr = 0x10; addr <= 0x40; addr += 0x10)
        ha_graph_builder_simple(a, addr, "app.A", 16, 1, NULL, NULL);
    for (guint64 addr = 0x30; addr <= 0x60; addr += 0x10)
        ha_graph_builder_simple(b, addr, "app.A", 16, 1, NULL, NULL);
    g_autoptr(HaGraph) first = ha_graph_builder_finish(a, NULL);
    g_autoptr(HaGraph) second = ha_graph_builder_finish(b, NULL);
    g_autoptr(HaSame) same = ha_same_new(first, second);
    g_autoptr(HaBits) live = ha_bits_new(4, TRUE);
    ha_bits_clear(live, 1); /* 0x40 is garbage there */
    for (guint keep = 0; keep < 2; keep++) {
        g_autoptr(HaBits) chosen = ha_bits_new(4, TRUE);
        ha_same_narrow(same, live, keep, chosen);
        for (HaId id = 0; id < 4; id++)
            g_assert_cmpint(ha_bits_get(chosen, id), ==, (id == 2) == keep);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/same/cases", test_cases);
    g_test_add_func("/same/narrow", test_narrow);
    return g_test_run();
}
