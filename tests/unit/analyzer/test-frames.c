// SPDX-License-Identifier: MIT
/* What goes if a function returns or a thread ends: held against its definition on random graphs. */
#include "analyses/ha-dominators.h"
#include "graph/ha-graph-builder.h"
#include "ha-test-graph.h"

enum { STEP = 16, OBJECTS = 20, FRAMES = 4 };

typedef struct {
    guint n, m;
    guint from[80], to[80];
    guint32 held[FRAMES]; /* objects that a frame holds, as bits */
    guint32 held_else;
} Heap;

static guint32
reached(const Heap *h, guint without)
{
    guint32 set = h->held_else;
    for (guint f = 0; f < FRAMES; f++)
        set |= without >> f & 1 ? 0 : h->held[f];
    for (gboolean more = TRUE; more;) {
        more = FALSE;
        for (guint e = 0; e < h->m; e++)
            if (set >> h->from[e] & 1 && !(set >> h->to[e] & 1)) {
                set |= (guint32)1 << h->to[e];
                more = TRUE;
            }
    }
    return set;
}

static HaGraph *
graph_of(const Heap *h)
{
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    g_autoptr(GError) error = NULL;
    guint32 name = ha_graph_builder_name(b, "<local x>", -1);
    guint64 refs[OBJECTS];
    guint32 names[OBJECTS];

    for (guint i = 0; i < h->n; i++) {
        guint n = 0;
        for (guint e = 0; e < h->m; e++)
            if (h->from[e] == i && n < OBJECTS)
                refs[n++] = STEP * (guint64)(h->to[e] + 1);
        ha_graph_builder_object(b, &(struct hf_object_row){.addr = STEP * (guint64)(i + 1),
                                                           .size = (guint64)1 << i,
                                                           .flags = HF_OBJ_REFCOUNT,
                                                           .refs = refs,
                                                           .n_refs = n});
        if (h->held_else >> i & 1)
            ha_graph_builder_root(b, HF_ROOT_INTERPRETER, STEP * (guint64)(i + 1), "here", FALSE);
    }
    for (guint f = 0; f < FRAMES; f++) {
        guint n = 0;
        if (f % 2 == 0)
            ha_graph_builder_thread(b, &(struct hf_thread_row){.ident = f, .name = ""});
        for (guint i = 0; i < h->n; i++)
            if (h->held[f] >> i & 1) {
                names[n] = name;
                refs[n++] = STEP * (guint64)(i + 1);
            }
        ha_graph_builder_frame(
            b, &(struct hf_frame_row){
                   .qualname = "f", .qualname_len = 1, .file = "", .names = names, .refs = refs, .n = n});
    }
    HaGraph *g = ha_graph_builder_finish(b, &error);
    g_assert_no_error(error);
    return g;
}

static HaDominators *
dominators_of(HaGraph *g, guint32 alive)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HaLedger) ledger = ha_ledger_new(g, &error);
    g_autoptr(HaBits) live = ha_bits_new(ha_graph_n_objects(g), FALSE);

    for (HaId id = 0; id < ha_graph_n_objects(g); id++)
        if (alive >> id & 1)
            ha_bits_set(live, id);
    HaDominators *d = ha_dominators_new_by_frames(g, ledger, live, &error);
    g_assert_no_error(error);
    return d;
}

static void
test_random(void)
{
    for (guint round = 0; round < 1000; round++) {
        Heap h = {.n = g_test_rand_int_range(1, OBJECTS), .m = g_test_rand_int_range(0, 40)};
        for (guint e = 0; e < h.m; e++) {
            h.from[e] = g_test_rand_int_range(0, h.n);
            h.to[e] = g_test_rand_int_range(0, h.n);
        }
        for (guint f = 0; f < FRAMES; f++)
            for (guint k = g_test_rand_int_range(0, 4); k > 0; k--)
                h.held[f] |= (guint32)1 << g_test_rand_int_range(0, h.n);
        if (g_test_rand_bit())
            h.held_else = (guint32)1 << g_test_rand_int_range(0, h.n);
        g_autoptr(HaGraph) g = graph_of(&h);
        guint32 all = reached(&h, 0);
        g_autoptr(HaDominators) d = dominators_of(g, all);
        for (guint f = 0; f < FRAMES; f++)
            g_assert_cmphex(ha_dominators_frame_retained(d, f), ==, all & ~reached(&h, 1u << f));
        for (guint t = 0; t < FRAMES / 2; t++)
            g_assert_cmphex(ha_dominators_thread_retained(d, t), ==, all & ~reached(&h, 3u << 2 * t));
    }
}

/* Until 3.10 frames are objects, which hold the frame that called them: what the caller holds would go with it all the same. */
static void
test_frame_objects(void)
{
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    g_autoptr(GError) error = NULL;
    guint32 name = ha_graph_builder_name(b, "<local x>", -1);
    guint64 inner = 0x300, outer = 0x400;

    ha_graph_builder_simple(b, 0x100, "builtins.frame", 1, 1, NULL, "<f_back>", (guint64)0x200, "<local x>", inner,
                            NULL);
    ha_graph_builder_simple(b, 0x200, "builtins.frame", 2, 2, NULL, "<local x>", outer, NULL);
    ha_graph_builder_simple(b, 0x300, "builtins.str", 4, 1, NULL, NULL);
    ha_graph_builder_simple(b, 0x400, "builtins.str", 8, 1, NULL, NULL);
    ha_graph_builder_thread(b, &(struct hf_thread_row){.ident = 1, .name = ""});
    ha_graph_builder_frame(
        b, &(struct hf_frame_row){.frame = 0x100, .qualname = "", .file = "", .names = &name, .refs = &inner, .n = 1});
    ha_graph_builder_frame(
        b, &(struct hf_frame_row){.frame = 0x200, .qualname = "", .file = "", .names = &name, .refs = &outer, .n = 1});
    g_autoptr(HaGraph) g = ha_graph_builder_finish(b, &error);
    g_assert_no_error(error);
    g_autoptr(HaDominators) d = dominators_of(g, 15);
    g_assert_cmpuint(ha_dominators_frame_retained(d, 0), ==, 5);
    g_assert_cmpuint(ha_dominators_frame_retained(d, 1), ==, 10);
    g_assert_cmpuint(ha_dominators_thread_retained(d, 0), ==, 15);
    g_assert_true(ha_dominators_goes_with_frame(d, ha_graph_lookup(g, 0x300), 0));
    g_assert_false(ha_dominators_goes_with_frame(d, ha_graph_lookup(g, 0x300), 1));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/frames/random", test_random);
    g_test_add_func("/frames/objects", test_frame_objects);
    return g_test_run();
}
