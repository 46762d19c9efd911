// SPDX-License-Identifier: MIT
#include <string.h>

#include "graph/ha-graph-builder-private.h"
#include "ha-test-graph.h"

/* Rows in the wrong order, a duplicate, a dangling reference, odd addresses. */
static HaGraph *
small_graph(gboolean wide)
{
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    if (wide)
        ha_graph_builder_wide_offsets(b);
    ha_graph_builder_simple(b, 0x3000, "app.Session", 64, 2, NULL, ".next", (guint64)0x1000, ".gone", (guint64)0x9990,
                            ".data", (guint64)0x2008, NULL);
    ha_graph_builder_simple(b, 0x1000, "builtins.list", 80, 1, NULL, "[i]", (guint64)0x3000, "[i]", (guint64)0x9990,
                            "[i]", (guint64)0x2008, "[i]", (guint64)0x3000, NULL);
    ha_graph_builder_simple(b, 0x2008, "builtins.dict", G_GUINT64_CONSTANT(0x500000000), 3, "'a'", "[k]",
                            (guint64)0x4000, "[v]", (guint64)0x1000, "[k]", (guint64)0x4000, "[v]", (guint64)0x9990,
                            "[k]", (guint64)0x9990, "[v]", (guint64)0x3000, NULL);
    ha_graph_builder_simple(b, 0x4000, "builtins.str", 50, 7, "it's", NULL);
    ha_graph_builder_simple(b, 0x3000, "app.Twice", 1, 1, NULL, ".x", (guint64)0x1000, NULL);
    ha_graph_builder_simple(b, 0x5000, "builtins.weakref", 72, G_GUINT64_CONSTANT(0x100000001), NULL, "~<referent>",
                            (guint64)0x3000, "", (guint64)0x4000, "{}", (guint64)0x4000, NULL);
    g_autoptr(GError) error = NULL;
    HaGraph *g = ha_graph_builder_finish(b, &error);
    g_assert_no_error(error);
    return g;
}

static void
assert_name(HaGraph *g, guint64 addr, gsize i, guint64 to, const char *expected)
{
    gsize n;
    HaId id = ha_graph_lookup(g, addr);
    const HaId *refs = ha_graph_referents(g, id, &n);
    g_assert_cmpuint(i, <, n);
    g_assert_cmphex(ha_graph_addr(g, refs[i]), ==, to);
    g_autofree char *text = ha_graph_ref_text(g, id, i);
    g_assert_cmpstr(text, ==, expected);
}

static void
test_build(gconstpointer wide)
{
    g_autoptr(HaGraph) g = small_graph(wide != NULL);
    g_assert_cmpuint(ha_graph_n_objects(g), ==, 5);
    static const guint64 addrs[] = {0x1000, 0x2008, 0x3000, 0x4000, 0x5000};
    for (guint i = 0; i < 5; i++) {
        g_assert_cmphex(ha_graph_addr(g, i), ==, addrs[i]);
        g_assert_cmpuint(ha_graph_lookup(g, addrs[i]), ==, i);
        g_assert_cmpuint(ha_graph_lookup(g, addrs[i] + 8), ==, HA_ID_NONE);
    }
    g_assert_cmpuint(ha_graph_lookup(g, 0), ==, HA_ID_NONE);
    g_assert_cmpuint(ha_graph_lookup(g, G_MAXUINT64), ==, HA_ID_NONE);
    g_assert_cmpstr(ha_graph_type(g, 2)->name, ==, "app.Session"); /* the first row counts */
    g_assert_cmpuint(ha_graph_size(g, 1), ==, G_GUINT64_CONSTANT(0x500000000));
    guint64 count;
    g_assert_true(ha_graph_refcount(g, 4, &count));
    g_assert_cmpuint(count, ==, G_GUINT64_CONSTANT(0x100000001));
    GHashTable *counters = ha_graph_counter_table(g);
    g_assert_cmpuint(*(guint64 *)g_hash_table_lookup(counters, HA_COUNTER_DUPLICATES), ==, 1);
    g_assert_cmpuint(*(guint64 *)g_hash_table_lookup(counters, HA_COUNTER_DANGLING), ==, 4);
    gsize n;
    const char *content = ha_graph_content(g, 3, &n);
    g_assert_cmpmem(content, n, "it's", 4);
    g_assert_null(ha_graph_content(g, 0, &n));
}

static void
test_names(gconstpointer wide)
{
    g_autoptr(HaGraph) g = small_graph(wide != NULL);
    /* what was left out does not shift the names of the others */
    assert_name(g, 0x3000, 0, 0x1000, ".next");
    assert_name(g, 0x3000, 1, 0x2008, ".data");
    assert_name(g, 0x1000, 0, 0x3000, "[0]");
    assert_name(g, 0x1000, 1, 0x2008, "[2]");
    assert_name(g, 0x1000, 2, 0x3000, "[3]");
    assert_name(g, 0x2008, 0, 0x4000, "<key 'it\\'s'>");
    assert_name(g, 0x2008, 1, 0x1000, "['it\\'s']");
    assert_name(g, 0x2008, 2, 0x4000, "<key 'it\\'s'>");
    assert_name(g, 0x2008, 3, 0x3000, "[?]");
    assert_name(g, 0x5000, 0, 0x3000, "<referent>");
    assert_name(g, 0x5000, 1, 0x4000, NULL);
    assert_name(g, 0x5000, 2, 0x4000, "{member}");
    HaId weak = ha_graph_lookup(g, 0x5000);
    g_assert_cmpuint(ha_graph_any_ref_flags(g, weak), ==, HF_RUN_WEAK);
    g_assert_cmpuint(ha_graph_ref_flags(g, weak, 0), ==, HF_RUN_WEAK);
    g_assert_cmpuint(ha_graph_ref_flags(g, weak, 1), ==, 0);
}

static void
test_referrers(gconstpointer wide)
{
    g_autoptr(HaGraph) g = small_graph(wide != NULL);
    static const struct {
        HaId id;
        gsize n;
        HaId from[3];
    } expected[] = {{0, 2, {1, 2}}, {1, 2, {0, 2}}, {2, 4, {0, 0, 1}}, {3, 4, {1, 1, 4}}, {4, 0, {0}}};
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        gsize n;
        const HaId *from = ha_graph_referrers(g, expected[i].id, &n);
        g_assert_cmpuint(n, ==, expected[i].n);
        for (gsize k = 0; k < MIN(n, 3); k++)
            g_assert_cmpuint(from[k], ==, expected[i].from[k]);
    }
}

/* An object in several rows, a place left empty, and a reference that leads nowhere: each name stays with its own. */
static void
test_split(void)
{
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    guint32 attr = ha_graph_builder_name(b, ".a", -1), last = ha_graph_builder_name(b, "<last>", -1);
    struct hf_run runs[] = {{.kind = HF_RUN_NAMED, .count = 1, .names = &attr},
                            {.kind = HF_RUN_INDEX},
                            {.kind = HF_RUN_NAMED, .count = 1, .names = &last}};
    guint64 refs[] = {0x200, 0x200, 0x666, 0x200, 0};
    struct hf_object_row row = {.addr = 0x300,
                                .flags = HF_OBJ_REFS | HF_OBJ_MORE,
                                .layout = ha_graph_builder_layout(b, runs, 3),
                                .refs = refs,
                                .n_refs = 5};
    ha_graph_builder_object(b, &row);
    row.flags |= HF_OBJ_CONT;
    row.n_refs = 4;
    ha_graph_builder_object(b, &row);
    ha_graph_builder_object(b, &row);
    row = (struct hf_object_row){.addr = 0x200};
    ha_graph_builder_object(b, &row);
    g_autoptr(HaGraph) g = ha_graph_builder_finish(b, NULL);
    /* .a [0] (gone) [2] (empty) | [4] [5] (gone) [7] | [8] [9] (gone) <last> */
    static const char *const names[] = {".a", "[0]", "[2]", "[4]", "[5]", "[7]", "[8]", "[9]", "<last>"};
    gsize n;
    ha_graph_referents(g, ha_graph_lookup(g, 0x300), &n);
    g_assert_cmpuint(n, ==, G_N_ELEMENTS(names));
    for (gsize i = 0; i < n; i++)
        assert_name(g, 0x300, i, 0x200, names[i]);
    g_assert_cmpuint(*(guint64 *)g_hash_table_lookup(ha_graph_counter_table(g), HA_COUNTER_DANGLING), ==, 3);
}

/* Layouts that come apart from the object count where they fit it. */
static void
test_roles(void)
{
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    guint32 names[] = {ha_graph_builder_name(b, "<cell x>", -1), ha_graph_builder_name(b, "<cell y>", -1)};
    struct hf_run index = {.kind = HF_RUN_INDEX}, two = {.kind = HF_RUN_NAMED, .count = 2, .names = names};
    guint32 plain = ha_graph_builder_layout(b, &index, 1), cells = ha_graph_builder_layout(b, &two, 1);
    guint64 refs[] = {0x300, 0x300, 0x300};
    ha_graph_builder_role(b, 0x100, cells);
    ha_graph_builder_role(b, 0x200, cells);
    ha_graph_builder_role(b, 0x666, cells);
    ha_graph_builder_role(b, 0x100, 4711);
    for (guint64 addr = 0x100; addr <= 0x200; addr += 0x100)
        ha_graph_builder_object(
            b, &(struct hf_object_row){
                   .addr = addr, .flags = HF_OBJ_REFS, .layout = plain, .refs = refs, .n_refs = addr == 0x100 ? 2 : 3});
    ha_graph_builder_object(b, &(struct hf_object_row){.addr = 0x300});
    g_autoptr(HaGraph) g = ha_graph_builder_finish(b, NULL);
    assert_name(g, 0x100, 0, 0x300, "<cell x>");
    assert_name(g, 0x100, 1, 0x300, "<cell y>");
    assert_name(g, 0x200, 1, 0x300, "[1]");
}

static void
test_roots(void)
{
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    ha_graph_builder_simple(b, 0x100, "app.A", 16, 1, NULL, NULL);
    ha_graph_builder_simple(b, 0x200, "app.A", 16, 1, NULL, NULL);
    ha_graph_builder_root(b, HF_ROOT_INTERPRETER, 0x200, "sys.modules", TRUE);
    ha_graph_builder_root(b, HF_ROOT_INTERPRETER, 0x666, "gone", TRUE);
    ha_graph_builder_thread(b, &(struct hf_thread_row){.ident = 1, .name = "Main", .name_len = 4});
    guint32 names[] = {ha_graph_builder_name(b, "<local x>", -1), ha_graph_builder_name(b, "<local y>", -1),
                       ha_graph_builder_name(b, "<local z>", -1)};
    guint64 refs[] = {0x100, 0x666, 0x200};
    struct hf_frame_row frame = {.frame = 0x100,
                                 .line = 7,
                                 .qualname = "f",
                                 .qualname_len = 1,
                                 .file = "f.py",
                                 .file_len = 4,
                                 .names = names,
                                 .refs = refs,
                                 .n = 3};
    ha_graph_builder_frame(b, &frame);
    ha_graph_builder_frame(b, &frame);
    g_autoptr(HaGraph) g = ha_graph_builder_finish(b, NULL);
    gsize n;
    const HaRoot *roots = ha_graph_roots(g, &n);
    g_assert_cmpuint(n, ==, 5);
    const HaFrame *frames = ha_graph_frames(g, &n);
    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpuint(frames[1].first_root, ==, 3);
    g_assert_cmpuint(frames[1].n_roots, ==, 2);
    g_assert_cmpuint(frames[1].frame, ==, 0);
    g_assert_cmpuint(frames[1].code, ==, HA_ID_NONE);
    const guint32 *of = ha_graph_roots_of(g, 1, &n);
    g_assert_cmpuint(n, ==, 3);
    g_assert_cmpstr(roots[of[0]].name, ==, "sys.modules");
    g_assert_cmpstr(roots[of[2]].name, ==, "<local z>");
    g_assert_cmpuint(roots[of[2]].frame, ==, 1);
}

static void
test_empty(void)
{
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    g_autoptr(HaGraph) g = ha_graph_builder_finish(b, NULL);
    g_assert_nonnull(g);
    g_assert_cmpuint(ha_graph_n_objects(g), ==, 0);
    g_assert_cmpuint(ha_graph_lookup(g, 0x1000), ==, HA_ID_NONE);
    g_assert_true(ha_graph_need_referrers(g, NULL));
}

typedef struct {
    guint n, granules; /* objects, and among how many places; many share one if these are few */
    guint odd;         /* every so many-th is at a multiple of 8 only; 0: none */
    gboolean sorted;
} Random;

static gint
compare_addresses(gconstpointer a, gconstpointer b)
{
    guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;
    return x < y ? -1 : x > y;
}

/* Many random objects against a hash table: order, lookup and both directions of references. */
static void
test_random(gconstpointer user)
{
    const Random *random = user;
    const guint N = random->n;
    g_autoptr(HaGraphBuilder) b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    g_autofree guint64 *addrs = g_new(guint64, N);
    for (guint i = 0; i < N; i++)
        addrs[i] = 0x7f0000000000 + (guint64)g_test_rand_int_range(0, random->granules) *
                                        (random->odd != 0 && i % random->odd == 0 ? 8 : 16);
    if (random->sorted)
        qsort(addrs, N, sizeof *addrs, compare_addresses);
    for (guint i = 0; i < N; i++) {
        guint64 refs[3] = {addrs[g_test_rand_int_range(0, N)], addrs[g_test_rand_int_range(0, N)], 0x10};
        ha_graph_builder_object(
            b, &(struct hf_object_row){
                   .addr = addrs[i], .size = addrs[i] & 0xffff, .refs = refs, .n_refs = 3, .flags = HF_OBJ_REFS});
    }
    g_autoptr(HaGraph) g = ha_graph_builder_finish(b, NULL);
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < N; i++) {
        HaId id = ha_graph_lookup(g, addrs[i]);
        g_assert_cmpuint(id, <, ha_graph_n_objects(g));
        g_assert_cmphex(ha_graph_addr(g, id), ==, addrs[i]);
        g_assert_cmpuint(ha_graph_size(g, id), ==, addrs[i] & 0xffff);
        g_hash_table_add(seen, GUINT_TO_POINTER(id));
        g_assert_cmpuint(ha_graph_lookup(g, addrs[i] + 4), ==, HA_ID_NONE);
    }
    g_assert_cmpuint(g_hash_table_size(seen), ==, ha_graph_n_objects(g));
    guint64 back = 0;
    for (HaId id = 0; id < ha_graph_n_objects(g); id++) {
        gsize n, m;
        g_assert_true(id == 0 || ha_graph_addr(g, id - 1) < ha_graph_addr(g, id));
        const HaId *from = ha_graph_referrers(g, id, &n);
        back += n;
        for (gsize i = 0; i < n; i++) {
            const HaId *to = ha_graph_referents(g, from[i], &m);
            g_assert_true(to[0] == id || to[1] == id);
        }
    }
    g_assert_cmpuint(back, ==, ha_graph_n_refs(g));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/graph/build", NULL, test_build);
    g_test_add_data_func("/graph/build-wide", "wide", test_build);
    g_test_add_data_func("/graph/names", NULL, test_names);
    g_test_add_data_func("/graph/names-wide", "wide", test_names);
    g_test_add_data_func("/graph/referrers", NULL, test_referrers);
    g_test_add_data_func("/graph/referrers-wide", "wide", test_referrers);
    g_test_add_func("/graph/split", test_split);
    g_test_add_func("/graph/roles", test_roles);
    g_test_add_func("/graph/roots", test_roots);
    g_test_add_func("/graph/empty", test_empty);
    static const Random sparse = {20000, 1 << 22, 50, FALSE}, dense = {150000, 1 << 18, 0, FALSE},
                        odd = {150000, 1 << 18, 1000, FALSE}, sorted = {150000, 1 << 28, 0, TRUE};
    g_test_add_data_func("/graph/sparse", &sparse, test_random);
    g_test_add_data_func("/graph/dense", &dense, test_random);
    g_test_add_data_func("/graph/odd", &odd, test_random);
    g_test_add_data_func("/graph/sorted", &sorted, test_random);
    return g_test_run();
}
