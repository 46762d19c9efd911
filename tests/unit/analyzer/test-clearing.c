// SPDX-License-Identifier: MIT
/* What clearing an object frees, held against taking its references away; and who is told to hold the rest. */
#include "analyses/ha-clearing.h"
#include "graph/ha-graph-builder.h"
#include "ha-test-graph.h"

#define A(x) ((guint64)(x))

typedef struct {
    guint n, m;
    guint from[60], to[60];
} Heap;

static guint32
reached(const Heap *h, guint cleared)
{
    guint32 set = 1;
    for (gboolean more = TRUE; more;) {
        more = FALSE;
        for (guint e = 0; e < h->m; e++)
            if (h->from[e] != cleared && set >> h->from[e] & 1 && !(set >> h->to[e] & 1)) {
                set |= (guint32)1 << h->to[e];
                more = TRUE;
            }
    }
    return set;
}

static void
test_random(void)
{
    for (guint round = 0; round < 1000; round++) {
        Heap h = {.n = g_test_rand_int_range(1, 20), .m = g_test_rand_int_range(0, 50)};
        g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
        g_autoptr(GError) error = NULL;
        for (guint e = 0; e < h.m; e++) {
            h.from[e] = g_test_rand_int_range(0, h.n);
            h.to[e] = g_test_rand_int_range(0, h.n);
        }
        for (guint i = 0; i < h.n; i++) {
            guint64 refs[60];
            guint n = 0;
            for (guint e = 0; e < h.m; e++)
                if (h.from[e] == i)
                    refs[n++] = 16 * (A(h.to[e]) + 1);
            ha_graph_builder_object(
                b,
                &(struct hf_object_row){
                    .addr = 16 * (A(i) + 1), .size = A(1) << i, .flags = HF_OBJ_REFCOUNT, .refs = refs, .n_refs = n});
        }
        ha_graph_builder_root(b, HF_ROOT_INTERPRETER, 16, "start", FALSE);
        g_autoptr(HaGraph) g = ha_graph_builder_finish(b, &error);
        g_autoptr(HaLedger) ledger = ha_ledger_new(g, &error);
        g_autoptr(HaBits) live = ha_bits_new(h.n, FALSE);
        guint32 all = reached(&h, G_MAXUINT);
        for (guint i = 0; i < h.n; i++)
            if (all >> i & 1)
                ha_bits_set(live, i);
        g_autoptr(HaDominators) d = ha_dominators_new(g, ledger, live, &error);
        g_assert_no_error(error);
        for (guint i = 0; i < h.n; i++)
            if (all >> i & 1)
                g_assert_cmphex(ha_clearing(g, live, d, i).frees, ==, all & ~reached(&h, i));
    }
}

/* A cache of three values; a log holds two of them, a queue one. */
static void
test_by_whom(void)
{
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    g_autoptr(GError) error = NULL;

    ha_graph_builder_simple(b, 0x10, "builtins.dict", 100, 0, NULL, "['cache']", A(0x20), "['log']", A(0x30),
                            "['queue']", A(0x40), NULL);
    ha_graph_builder_simple(b, 0x20, "builtins.dict", 200, 1, NULL, "['a']", A(0x50), "['b']", A(0x60), "['c']",
                            A(0x70), ".__class__", A(0x80), NULL);
    ha_graph_builder_simple(b, 0x30, "builtins.list", 64, 1, NULL, "[i]", A(0x50), "[i]", A(0x60), "[i]", A(0x80),
                            NULL);
    ha_graph_builder_simple(b, 0x40, "builtins.list", 64, 1, NULL, "[i]", A(0x50), NULL);
    ha_graph_builder_simple(b, 0x50, "builtins.bytes", 1000, 3, NULL, NULL);
    ha_graph_builder_simple(b, 0x60, "builtins.bytes", 2000, 2, NULL, NULL);
    ha_graph_builder_simple(b, 0x70, "builtins.bytes", 4000, 1, NULL, NULL);
    ha_graph_builder_simple(b, 0x80, "builtins.type", 8000, 2, NULL, NULL); /* that a class is shared tells nothing */
    ha_graph_builder_root(b, HF_ROOT_INTERPRETER, 0x10, "start", FALSE);
    g_autoptr(HaGraph) g = ha_graph_builder_finish(b, &error);
    g_autoptr(HaLedger) ledger = ha_ledger_new(g, &error);
    g_autoptr(HaBits) live = ha_bits_new(ha_graph_n_objects(g), TRUE);
    g_autoptr(HaDominators) d = ha_dominators_new(g, ledger, live, &error);
    g_assert_no_error(error);
    HaClearing c = ha_clearing(g, live, d, ha_graph_lookup(g, 0x20));
    g_assert_cmpuint(c.frees, ==, 4000);
    g_assert_cmpuint(c.stays, ==, 3000);
    g_assert_cmpuint(c.by, ==, ha_graph_lookup(g, 0x30));
    g_assert_cmpuint(c.by_bytes, ==, 3000);
    c = ha_clearing(g, live, d, ha_graph_lookup(g, 0x70));
    g_assert_cmpuint(c.frees + c.stays, ==, 0);
    g_assert_cmpuint(c.by, ==, HA_ID_NONE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/clearing/random", test_random);
    g_test_add_func("/clearing/by-whom", test_by_whom);
    return g_test_run();
}
