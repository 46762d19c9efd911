// SPDX-License-Identifier: MIT
#include "analyses/ha-parents.h"
#include "graph/ha-graph-builder.h"
#include "ha-test-graph.h"

#define A(x) ((guint64)(x))

static char *
tree(HaGraph *g, HaParents *p, guint64 addr)
{
    static const char *const kinds[] = {[HA_PARENT_PLAIN] = "",       [HA_PARENT_ROOT] = " root",
                                        [HA_PARENT_CYCLE] = " cycle", [HA_PARENT_REPEATED] = " repeated",
                                        [HA_PARENT_DEPTH] = "depth",  [HA_PARENT_MORE] = "more"};
    GString *text = g_string_new(NULL);
    g_autoptr(GArray) lines = ha_parents_of(p, ha_graph_lookup(g, addr));
    for (guint i = 0; i < lines->len; i++) {
        const HaParent *line = &g_array_index(lines, HaParent, i);
        g_string_append_printf(text, "%u:", line->depth);
        if (line->id != HA_ID_NONE)
            g_string_append_printf(text, "%x", (guint)ha_graph_addr(g, line->id));
        g_string_append(text, kinds[line->kind]);
        if (line->count > 1 || line->kind == HA_PARENT_MORE)
            g_string_append_printf(text, " x%" G_GSIZE_FORMAT, line->count);
        if (line->others > 0)
            g_string_append_printf(text, " +%" G_GSIZE_FORMAT, line->others);
        g_string_append(text, "; ");
    }
    return g_string_free(text, FALSE);
}

typedef struct {
    HaGraph *graph;
    HaLedger *ledger;
    HaBits *live;
    HaParents *parents;
} Session;

static void
session_clear(Session *s)
{
    ha_parents_free(s->parents);
    ha_bits_free(s->live);
    ha_ledger_free(s->ledger);
    ha_graph_unref(s->graph);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Session, session_clear)

/* Takes the builder's rows. The object at 0x6660, if there is one, is garbage. */
static Session
session(HaGraphBuilder *b, guint depth, guint breadth, guint lines)
{
    g_autoptr(GError) error = NULL;
    Session s = {.graph = ha_graph_builder_finish(b, &error)};
    g_assert_no_error(error);
    s.ledger = ha_ledger_new(s.graph, &error);
    s.live = ha_bits_new(ha_graph_n_objects(s.graph), TRUE);
    HaId dead = ha_graph_lookup(s.graph, 0x6660);
    if (dead != HA_ID_NONE)
        ha_bits_clear(s.live, dead);
    s.parents = ha_parents_new(s.graph, s.ledger, s.live, depth, breadth, lines, &error);
    g_assert_no_error(error);
    return s;
}

static void
assert_tree(Session *s, guint64 addr, const char *expected)
{
    g_autofree char *text = tree(s->graph, s->parents, addr);
    g_assert_cmpstr(text, ==, expected);
}

/* 0x10 is a root → 0x20 → 0x30 → 0x40; 0x40 and 0x50 refer to each other; 0x60 refers weakly, 0x6660 is garbage. */
static HaGraphBuilder *
ring(void)
{
    HaGraphBuilder *b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    ha_graph_builder_simple(b, 0x10, "a.A", 16, 0, NULL, ".x", A(0x20), NULL);
    ha_graph_builder_simple(b, 0x20, "a.A", 16, 1, NULL, ".x", A(0x30), NULL);
    ha_graph_builder_simple(b, 0x30, "a.A", 16, 1, NULL, ".x", A(0x40), ".y", A(0x40), NULL);
    ha_graph_builder_simple(b, 0x40, "a.A", 16, 3, NULL, ".x", A(0x50), NULL);
    ha_graph_builder_simple(b, 0x50, "a.A", 16, 1, NULL, ".x", A(0x40), NULL);
    ha_graph_builder_simple(b, 0x60, "a.A", 16, 0, NULL, "~<weak>", A(0x40), NULL);
    ha_graph_builder_simple(b, 0x6660, "a.A", 16, 0, NULL, ".x", A(0x40), NULL);
    ha_graph_builder_root(b, HF_ROOT_INTERPRETER, 0x10, "modules", FALSE);
    return b;
}

static void
test_tree(void)
{
    g_autoptr(HaGraphBuilder) b = ring();
    g_auto(Session) s = session(b, 10, 5, 100);
    assert_tree(&s, 0x40, "1:30 x2; 2:20; 3:10 root; 1:50; 2:40 cycle; ");
    /* each is expanded once in a session */
    assert_tree(&s, 0x50, "1: repeated; ");
    assert_tree(&s, 0x20, "1: repeated; ");
    assert_tree(&s, 0x10, "");
    g_assert_cmpuint(ha_parents_distance(s.parents, ha_graph_lookup(s.graph, 0x40)), ==, 3);
    g_assert_cmpuint(ha_parents_distance(s.parents, ha_graph_lookup(s.graph, 0x60)), ==, 255);
}

static void
test_depth(void)
{
    g_autoptr(HaGraphBuilder) b = ring();
    g_auto(Session) s = session(b, 1, 5, 100);
    assert_tree(&s, 0x40, "1:30 x2; 2:depth; 1:50; 2:depth; ");
    g_autoptr(HaGraphBuilder) again = ring();
    g_auto(Session) none = session(again, 0, 5, 100);
    assert_tree(&none, 0x40, "");
}

static HaGraphBuilder *
fan(void)
{
    HaGraphBuilder *b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    ha_graph_builder_simple(b, 0x10, "a.A", 16, 9, NULL, NULL);
    for (guint64 i = 0; i < 9; i++) {
        ha_graph_builder_simple(b, 0x100 + 16 * i, "a.A", 16, 4, NULL, ".x", A(0x10), NULL);
        for (guint64 k = 0; k < 4; k++)
            ha_graph_builder_simple(b, 0x1000 + 0x100 * i + 16 * k, "a.A", 16, 0, NULL, ".x", A(0x100 + 16 * i), NULL);
    }
    /* only the parents 0x150 and 0x180 come from a root */
    ha_graph_builder_root(b, HF_ROOT_INTERPRETER, 0x1810, "modules", FALSE);
    ha_graph_builder_root(b, HF_ROOT_INTERPRETER, 0x1510, "modules", FALSE);
    return b;
}

static void
test_breadth(void)
{
    g_autoptr(HaGraphBuilder) b = fan();
    g_auto(Session) s = session(b, 10, 4, 100);
    assert_tree(&s, 0x10,
                "1:150; 2:1510 root; 2:1500; 2:more x2; 1:180; 2:1810 root; 2:1800; 2:more x2; "
                "1:100; 2:1000; 2:1010; 2:more x2; 1:110; 2:1100; 2:1110; 2:more x2; 1:more x5; ");
    g_autoptr(HaGraphBuilder) again = fan();
    g_auto(Session) narrow = session(again, 10, 1, 100);
    assert_tree(&narrow, 0x10, "1:150 +8; 2:1510 root +3; ");
    g_autoptr(HaGraphBuilder) third = fan();
    g_auto(Session) none = session(third, 10, 0, 100);
    assert_tree(&none, 0x10, "1:more x9; ");
}

static void
test_lines(void)
{
    g_autoptr(HaGraphBuilder) b = fan();
    g_auto(Session) s = session(b, 10, 100, 3);
    assert_tree(&s, 0x10, "1:150; 2:1510 root; 2:1500; 2:more x2; 1:more x8; ");
}

/* Deeper than any stack would stand. */
static void
test_chain(void)
{
    enum { N = 100000 };
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    for (guint64 i = 0; i < N; i++) {
        guint64 addr = 0x100000 + 16 * i, ref = addr + 16;
        ha_graph_builder_object(b, &(struct hf_object_row){.addr = addr, .refs = &ref, .n_refs = i + 1 < N});
    }
    g_auto(Session) s = session(b, G_MAXUINT32 - 1, 5, G_MAXUINT);
    g_autoptr(GArray) lines = ha_parents_of(s.parents, 3000);
    g_assert_cmpuint(lines->len, ==, 3000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parents/tree", test_tree);
    g_test_add_func("/parents/depth", test_depth);
    g_test_add_func("/parents/breadth", test_breadth);
    g_test_add_func("/parents/lines", test_lines);
    g_test_add_func("/parents/chain", test_chain);
    return g_test_run();
}
