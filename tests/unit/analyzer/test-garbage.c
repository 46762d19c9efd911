// SPDX-License-Identifier: MIT
/* What a collection would free, by the collector's own rule. */
#include "analyses/ha-garbage.h"
#include "graph/ha-graph-builder.h"
#include "ha-test-graph.h"

typedef struct {
    HaGraphBuilder *builder;
    HaGraph *graph;
    HaLedger *ledger;
    HaBits *live;
} Heap;

#define A(x) ((guint64)(x))

static void
heap_begin(Heap *h)
{
    *h = (Heap){.builder = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB)};
}

static void
heap_end(Heap *h)
{
    g_autoptr(GError) error = NULL;
    h->graph = ha_graph_builder_finish(h->builder, &error);
    g_assert_no_error(error);
    ha_graph_builder_free(h->builder);
    h->ledger = ha_ledger_new(h->graph, &error);
    g_assert_no_error(error);
    h->live = ha_live_objects(h->graph, h->ledger, &error);
    g_assert_no_error(error);
}

static void
heap_clear(Heap *h)
{
    ha_graph_unref(h->graph);
    ha_ledger_free(h->ledger);
    ha_bits_free(h->live);
}

static void
assert_live(Heap *h, guint64 addr, gboolean live)
{
    HaId id = ha_graph_lookup(h->graph, addr);
    g_assert_cmpuint(id, !=, HA_ID_NONE);
    g_assert_cmpint(ha_bits_get(h->live, id), ==, live);
}

/* An object that the collector does not track. */
static void
untracked(Heap *h, guint64 addr, guint64 count, guint64 ref)
{
    ha_graph_builder_object(
        h->builder,
        &(struct hf_object_row){
            .addr = addr, .size = 16, .refcount = count, .flags = HF_OBJ_REFCOUNT, .refs = &ref, .n_refs = ref != 0});
}

static void
test_cycle(void)
{
    Heap h;
    heap_begin(&h);
    /* a cycle with a string and a chain of its own goes; a string that others hold too stays */
    ha_graph_builder_simple(h.builder, 0x10, "a.A", 16, 1, NULL, ".b", A(0x20), ".s", A(0x50), NULL);
    ha_graph_builder_simple(h.builder, 0x20, "a.A", 16, 1, NULL, ".a", A(0x10), ".t", A(0x60), ".u", A(0x70), NULL);
    untracked(&h, 0x50, 1, 0);
    untracked(&h, 0x60, 2, 0);
    untracked(&h, 0x70, 1, 0x80);
    untracked(&h, 0x80, 1, 0);
    /* the same cycle with one reference from C */
    ha_graph_builder_simple(h.builder, 0x110, "a.A", 16, 2, NULL, ".b", A(0x120), ".s", A(0x150), NULL);
    ha_graph_builder_simple(h.builder, 0x120, "a.A", 16, 1, NULL, ".a", A(0x110), ".t", A(0x60), NULL);
    untracked(&h, 0x150, 1, 0);
    heap_end(&h);
    static const struct {
        guint64 addr;
        gboolean live;
    } expected[] = {{0x10, FALSE}, {0x20, FALSE}, {0x50, FALSE}, {0x60, TRUE}, {0x70, FALSE},
                    {0x80, FALSE}, {0x110, TRUE}, {0x120, TRUE}, {0x150, TRUE}};
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++)
        assert_live(&h, expected[i].addr, expected[i].live);
    g_assert_cmpuint(ha_ledger_surplus(h.ledger, ha_graph_lookup(h.graph, 0x110)), ==, 1);
    g_assert_cmpuint(ha_ledger_surplus(h.ledger, ha_graph_lookup(h.graph, 0x120)), ==, 0);
    g_assert_cmpuint(h.ledger->overdrawn, ==, 0);
    heap_clear(&h);
}

/* A cycle that gc.freeze() froze is never collected, nor is what it holds, frozen or not. */
static void
test_frozen(void)
{
    Heap h;
    heap_begin(&h);
    for (guint64 addr = 0x10; addr <= 0x50; addr += 0x10) {
        guint64 ref = addr == 0x10 ? 0x20 : addr == 0x20 ? 0x10 : addr == 0x30 ? 0x40 : addr == 0x40 ? 0x30 : 0x10;
        guint64 refs[] = {ref, addr == 0x20 ? 0x50 : 0};
        ha_graph_builder_object(h.builder,
                                &(struct hf_object_row){
                                    .addr = addr,
                                    .size = 16,
                                    .refcount = addr == 0x10 ? 2 : 1,
                                    .flags = HF_OBJ_REFCOUNT | HF_OBJ_GC | (addr == 0x10 ? HF_OBJ_FROZEN : 0),
                                    .refs = refs,
                                    .n_refs = addr == 0x20 ? 2 : 1,
                                });
    }
    heap_end(&h);
    assert_live(&h, 0x10, TRUE);
    assert_live(&h, 0x20, TRUE);
    assert_live(&h, 0x30, FALSE);
    assert_live(&h, 0x40, FALSE);
    assert_live(&h, 0x50, TRUE);
    heap_clear(&h);
}

/* Weak references neither hold nor count. */
static void
test_weak(void)
{
    Heap h;
    heap_begin(&h);
    ha_graph_builder_simple(h.builder, 0x10, "a.A", 16, 1, NULL, ".self", A(0x10), NULL);
    ha_graph_builder_simple(h.builder, 0x20, "builtins.weakref", 16, 1, NULL, "~<referent>", A(0x10), NULL);
    heap_end(&h);
    assert_live(&h, 0x10, FALSE);
    assert_live(&h, 0x20, TRUE);
    heap_clear(&h);
}

/* Roots hold, whether they count or not; frames too. */
static void
test_roots(void)
{
    Heap h;
    heap_begin(&h);
    for (guint64 addr = 0x10; addr <= 0x40; addr += 0x10)
        ha_graph_builder_simple(h.builder, addr, "a.A", 16, 1 + (addr == 0x20 || addr == 0x40), NULL, ".self", A(addr),
                                NULL);
    ha_graph_builder_root(h.builder, HF_ROOT_INTERPRETER, 0x10, "borrowed", FALSE);
    ha_graph_builder_root(h.builder, HF_ROOT_INTERPRETER, 0x20, "counted", TRUE);
    ha_graph_builder_thread(h.builder, &(struct hf_thread_row){.ident = 1, .name = "", .name_len = 0});
    guint32 name = 0;
    guint64 ref = 0x40;
    ha_graph_builder_frame(
        h.builder, &(struct hf_frame_row){
                       .flags = HF_FRAME_OWNED, .qualname = "f", .file = "f", .names = &name, .refs = &ref, .n = 1});
    heap_end(&h);
    assert_live(&h, 0x10, TRUE);
    assert_live(&h, 0x20, TRUE);
    assert_live(&h, 0x30, FALSE);
    assert_live(&h, 0x40, TRUE);
    for (HaId id = 0; id < 4; id++)
        g_assert_cmpuint(ha_ledger_surplus(h.ledger, id), ==, 0);
    g_assert_cmpuint(h.ledger->overdrawn, ==, 0);
    heap_clear(&h);
}

/*
 * The collector does not look through what it does not track: a cycle that closes through an untracked object is never freed. But when
 * the untracked one hangs on garbage, it goes with it, and all that hung on it.
 */
static void
test_untracked(void)
{
    Heap h;
    heap_begin(&h);
    ha_graph_builder_simple(h.builder, 0x10, "a.A", 16, 1, NULL, ".u", A(0x20), NULL);
    untracked(&h, 0x20, 1, 0x10);
    ha_graph_builder_simple(h.builder, 0x30, "a.A", 16, 1, NULL, ".self", A(0x30), ".u", A(0x40), NULL);
    untracked(&h, 0x40, 1, 0x50);
    ha_graph_builder_simple(h.builder, 0x50, "a.A", 16, 1, NULL, ".x", A(0x60), NULL);
    ha_graph_builder_simple(h.builder, 0x60, "a.A", 16, 1, NULL, NULL);
    /* what the collector cannot see either: a hidden reference */
    ha_graph_builder_object(
        h.builder, &(struct hf_object_row){.addr = 0x70,
                                           .flags = HF_OBJ_GC,
                                           .layout = ha_graph_builder_layout(
                                               h.builder, &(struct hf_run){.flags = HF_RUN_HIDDEN, .count = 1}, 1),
                                           .refs = (guint64[]){0x70},
                                           .n_refs = 1});
    heap_end(&h);
    assert_live(&h, 0x10, TRUE);
    assert_live(&h, 0x20, TRUE);
    for (guint64 addr = 0x30; addr <= 0x60; addr += 0x10)
        assert_live(&h, addr, FALSE);
    assert_live(&h, 0x70, TRUE);
    heap_clear(&h);
}

static void
test_unknown_counts(void)
{
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_PYHEAP);
    guint64 ref = 0x10;
    ha_graph_builder_object(b, &(struct hf_object_row){.addr = 0x10, .flags = HF_OBJ_GC, .refs = &ref, .n_refs = 1});
    g_autoptr(HaGraph) g = ha_graph_builder_finish(b, NULL);
    g_autoptr(HaLedger) ledger = ha_ledger_new(g, NULL);
    g_autoptr(HaBits) live = ha_live_objects(g, ledger, NULL);
    g_assert_cmpuint(ha_bits_count(live), ==, 1);
    g_assert_cmpuint(ha_ledger_surplus(ledger, 0), ==, 0);
}

/* References beyond the count: said, and nothing breaks. */
static void
test_overdrawn(void)
{
    Heap h;
    heap_begin(&h);
    ha_graph_builder_simple(h.builder, 0x10, "a.A", 16, 1, NULL, ".x", A(0x10), ".y", A(0x10), NULL);
    ha_graph_builder_object(h.builder, &(struct hf_object_row){.addr = 0x20, .flags = HF_OBJ_IMMORTAL});
    heap_end(&h);
    g_assert_cmpuint(h.ledger->overdrawn, ==, 1);
    assert_live(&h, 0x20, TRUE);
    heap_clear(&h);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/garbage/cycle", test_cycle);
    g_test_add_func("/garbage/frozen", test_frozen);
    g_test_add_func("/garbage/weak", test_weak);
    g_test_add_func("/garbage/roots", test_roots);
    g_test_add_func("/garbage/untracked", test_untracked);
    g_test_add_func("/garbage/unknown-counts", test_unknown_counts);
    g_test_add_func("/garbage/overdrawn", test_overdrawn);
    return g_test_run();
}
