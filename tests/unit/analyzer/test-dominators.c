// SPDX-License-Identifier: MIT
#include "analyses/ha-dominators.h"
#include "graph/ha-graph-builder.h"

#define STEP 16

/* edges: pairs (from, to) of n objects of size 1, 2, 4, …; object 0 is the only root; -1 ends. */
static HaGraph *
graph_of(guint n, const int *edges, gboolean weak_last)
{
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    guint last = 0;
    for (guint e = 0; edges[e] >= 0; e += 2)
        last = e;
    for (guint i = 0; i < n; i++) {
        guint64 refs[64];
        guint count = 0;
        guint32 layout = 0;
        for (guint e = 0; edges[e] >= 0; e += 2)
            if ((guint)edges[e] == i) {
                refs[count++] = STEP * (guint64)(edges[e + 1] + 1);
                if (weak_last && e == last)
                    layout = ha_graph_builder_layout(
                        b, (struct hf_run[]){{.count = count - 1}, {.count = 1, .flags = HF_RUN_WEAK}}, 2);
            }
        ha_graph_builder_object(b, &(struct hf_object_row){.addr = STEP * (guint64)(i + 1),
                                                           .size = (guint64)1 << (i % 60),
                                                           .flags = HF_OBJ_REFCOUNT,
                                                           .layout = layout,
                                                           .refs = refs,
                                                           .n_refs = count});
    }
    ha_graph_builder_root(b, HF_ROOT_INTERPRETER, STEP, "start", FALSE);
    return ha_graph_builder_finish(b, NULL);
}

static HaDominators *
dominators_of(HaGraph *g, guint64 live_mask)
{
    g_autoptr(HaLedger) ledger = ha_ledger_new(g, NULL);
    g_autoptr(HaBits) live = ha_bits_new(ha_graph_n_objects(g), TRUE);
    for (HaId id = 0; id < MIN(ha_graph_n_objects(g), 64); id++)
        if (!(live_mask >> id & 1))
            ha_bits_clear(live, id);
    g_autoptr(GError) error = NULL;
    HaDominators *d = ha_dominators_new(g, ledger, live, &error);
    g_assert_no_error(error);
    return d;
}

static void
test_small(void)
{
    /* 0 → 1, 2; 1 → 3; 2 → 3; 3 → 4; 4 → 3 */
    static const int edges[] = {0, 1, 0, 2, 1, 3, 2, 3, 3, 4, 4, 3, -1};
    g_autoptr(HaGraph) g = graph_of(5, edges, FALSE);
    g_autoptr(HaDominators) d = dominators_of(g, G_MAXUINT64);
    static const HaId parents[] = {HA_ID_NONE, 0, 0, 0, 3};
    static const guint64 retained[] = {31, 2, 4, 24, 16};
    for (HaId id = 0; id < 5; id++) {
        g_assert_cmpuint(ha_dominators_parent(d, id), ==, parents[id]);
        g_assert_cmpuint(ha_dominators_retained(d, id), ==, retained[id]);
    }
}

/* What only a weak reference reaches is not held by it: here object 2 hangs on nothing. */
static void
test_weak(void)
{
    static const int edges[] = {0, 1, 1, 2, -1};
    g_autoptr(HaGraph) g = graph_of(3, edges, TRUE);
    g_autoptr(HaDominators) d = dominators_of(g, G_MAXUINT64);
    g_assert_cmpuint(ha_dominators_retained(d, 1), ==, 2);
    g_assert_cmpuint(ha_dominators_parent(d, 2), ==, HA_ID_NONE);
}

static guint64
bytes_reached_without(guint n, const int *edges, guint without)
{
    guint64 reached = without == 0 ? 0 : 1;
    for (gboolean more = TRUE; more;) {
        more = FALSE;
        for (guint e = 0; edges[e] >= 0; e += 2) {
            guint to = edges[e + 1];
            if (to != without && reached >> edges[e] & 1 && !(reached >> to & 1)) {
                reached |= (guint64)1 << to;
                more = TRUE;
            }
        }
    }
    return reached & (((guint64)1 << n) - 1);
}

/* By definition: an object retains what cannot be reached without it. Sizes are distinct powers of 2, so sums are sets. */
static void
test_random(void)
{
    for (guint round = 0; round < 500; round++) {
        guint n = g_test_rand_int_range(2, 24), m = g_test_rand_int_range(0, 50);
        int edges[101];
        for (guint e = 0; e < m; e++) {
            edges[2 * e] = g_test_rand_int_range(0, n);
            edges[2 * e + 1] = g_test_rand_int_range(0, n);
        }
        edges[2 * m] = -1;
        g_autoptr(HaGraph) g = graph_of(n, edges, FALSE);
        guint64 all = bytes_reached_without(n, edges, n);
        g_autoptr(HaDominators) d = dominators_of(g, all);
        for (guint i = 0; i < n; i++)
            g_assert_cmphex(ha_dominators_retained(d, i), ==,
                            all >> i & 1 ? all & ~bytes_reached_without(n, edges, i) : 0);
    }
}

typedef struct {
    HaDominators *d;
    guint entered, left;
    GArray *way;
} Walk;

static void
enter(HaId id, gpointer user)
{
    Walk *w = user;
    HaId above = w->way->len > 0 ? g_array_index(w->way, HaId, w->way->len - 1) : HA_ID_NONE;
    g_assert_cmpuint(ha_dominators_parent(w->d, id), ==, above);
    g_array_append_val(w->way, id);
    w->entered++;
}

static void
leave(HaId id, gpointer user)
{
    Walk *w = user;
    g_assert_cmpuint(g_array_index(w->way, HaId, w->way->len - 1), ==, id);
    g_array_set_size(w->way, w->way->len - 1);
    w->left++;
}

static void
test_walk(void)
{
    static const int edges[] = {0, 1, 0, 2, 1, 3, 2, 3, 3, 4, 4, 3, 1, 5, 5, 6, -1};
    g_autoptr(HaGraph) g = graph_of(8, edges, FALSE); /* 7 hangs on nothing */
    g_autoptr(HaDominators) d = dominators_of(g, G_MAXUINT64);
    g_autoptr(GArray) way = g_array_new(FALSE, FALSE, sizeof(HaId));
    Walk w = {.d = d, .way = way};
    g_assert_true(ha_dominators_walk(d, enter, leave, &w, NULL));
    g_assert_cmpuint(w.entered, ==, 8);
    g_assert_cmpuint(w.left, ==, 8);
}

/* A list as long as recursion would not stand, whose end refers to many that its head refers to as well. */
static HaDominators *
long_list(guint n)
{
    guint half = n / 2;
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    g_autofree guint64 *refs = g_new(guint64, half + 1);
    for (guint i = 0; i < half; i++)
        refs[i + 1] = STEP * (guint64)(half + i + 1);
    for (guint i = 0; i < n; i++) {
        gboolean wide = i == 0 || i == half - 1;
        refs[0] = STEP * (guint64)(i + 2);
        ha_graph_builder_object(b, &(struct hf_object_row){.addr = STEP * (guint64)(i + 1),
                                                           .size = 1,
                                                           .flags = HF_OBJ_REFCOUNT,
                                                           .refs = i == half - 1 ? refs + 1 : refs,
                                                           .n_refs = i >= half ? 0
                                                                     : wide    ? half + (i == 0)
                                                                               : 1});
    }
    ha_graph_builder_root(b, HF_ROOT_INTERPRETER, STEP, "start", FALSE);
    g_autoptr(HaGraph) g = ha_graph_builder_finish(b, NULL);
    return dominators_of(g, G_MAXUINT64);
}

static void
test_long_list(void)
{
    enum { N = 200000, HALF = N / 2 };
    g_autoptr(HaDominators) d = long_list(N);
    g_assert_cmpuint(ha_dominators_retained(d, 0), ==, N);
    g_assert_cmpuint(ha_dominators_retained(d, 1), ==, HALF - 1);
    g_assert_cmpuint(ha_dominators_retained(d, HALF - 1), ==, 1);
    g_assert_cmpuint(ha_dominators_parent(d, N - 1), ==, 0);
}

/* Twice the heap, twice the steps and a little; climbing link by link would take four times as many. */
static void
test_steps(void)
{
    for (guint n = 2000; n <= 64000; n *= 2) {
        g_autoptr(HaDominators) d = long_list(n), twice = long_list(2 * n);
        g_assert_cmpuint(ha_dominators_steps(d), >, 0);
        g_assert_cmpuint(ha_dominators_steps(twice), <, 5 * ha_dominators_steps(d) / 2);
        g_assert_cmpuint(ha_dominators_steps(d), <, 40 * (guint64)n);
    }
}

/* Many weak and strong references between the same: each is asked about once, not once for each other. */
static void
test_weak_and_wide(void)
{
    enum { N = 50000 };
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    g_autofree guint64 *refs = g_new(guint64, N);
    g_autofree struct hf_run *runs = g_new0(struct hf_run, N);
    for (guint i = 0; i < N; i++) {
        refs[i] = STEP * (guint64)(i + 2);
        runs[i] = (struct hf_run){.kind = HF_RUN_UNNAMED, .count = 1, .flags = i % 2 == 0 ? HF_RUN_WEAK : 0};
    }
    guint32 layout = ha_graph_builder_layout(b, runs, N);
    for (guint i = 0; i <= N; i++)
        ha_graph_builder_object(b, &(struct hf_object_row){.addr = STEP * (guint64)(i + 1),
                                                           .size = 1,
                                                           .flags = HF_OBJ_REFCOUNT,
                                                           .layout = i == 0 ? layout : 0,
                                                           .refs = refs,
                                                           .n_refs = i == 0 ? N : 0});
    ha_graph_builder_root(b, HF_ROOT_INTERPRETER, STEP, "start", FALSE);
    g_autoptr(HaGraph) g = ha_graph_builder_finish(b, NULL);
    g_autoptr(HaDominators) d = dominators_of(g, G_MAXUINT64);
    g_assert_cmpuint(ha_dominators_retained(d, 0), ==, 1 + N / 2);
    g_assert_cmpuint(ha_dominators_parent(d, 1), ==, HA_ID_NONE);
    g_assert_cmpuint(ha_dominators_parent(d, 2), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dominators/small", test_small);
    g_test_add_func("/dominators/weak", test_weak);
    g_test_add_func("/dominators/random", test_random);
    g_test_add_func("/dominators/walk", test_walk);
    g_test_add_func("/dominators/long-list", test_long_list);
    g_test_add_func("/dominators/steps", test_steps);
    g_test_add_func("/dominators/weak-and-wide", test_weak_and_wide);
    return g_test_run();
}
