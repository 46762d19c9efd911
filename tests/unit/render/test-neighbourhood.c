// SPDX-License-Identifier: MIT
/* Who refers to what: names, limits, paths that limits may not hide, and the words that the picture finds for it. */
#include <string.h>

#include "analyses/ha-neighbourhood.h"
#include "graph/ha-graph-builder.h"
#include "render/ha-dot.h"
#include "render/ha-heap-picture.h"
#include "ha-test-graph.h"

#define A(x) ((guint64)(x))

enum {
    MODULES = 0x1000,
    APP = 0x2000,
    APP_DICT = 0x2100,
    REGISTRY = 0x3000,
    REGISTRY_DICT = 0x3100,
    SUBS = 0x4000,
    USER = 0x5000,
    KEYS = 0x8000,
    SESSIONS = 0x10000,
    TYPES = 0x90000,
};

/*
 * sys.modules ['app'] app .__dict__ ['registry'] Registry .__dict__ ['_subs'] dict ['s0'] Session 0 .user User; n more sessions that
 * nobody refers to; a weak reference to the user.
 */
static HaGraphBuilder *
base(guint n)
{
    HaGraphBuilder *b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    static const char *const keys[] = {"app", "registry", "_subs", "s 0"};

    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        ha_graph_builder_simple(b, KEYS + 64 * i, "builtins.str", 50, 1, keys[i], NULL);
    ha_graph_builder_simple(b, MODULES, "builtins.dict", 300, 1, "app", "[k]", A(KEYS), "[v]", A(APP), NULL);
    ha_graph_builder_root(b, HF_ROOT_INTERPRETER, MODULES, "sys.modules", TRUE);
    ha_graph_builder_simple(b, APP, "builtins.module", 72, 1, "app", ".__dict__", A(APP_DICT), NULL);
    ha_graph_builder_simple(b, APP_DICT, "builtins.dict", 400, 1, "registry", "[k]", A(KEYS + 64), "[v]", A(REGISTRY),
                            NULL);
    ha_graph_builder_simple(b, REGISTRY, "app.Registry", 48, 1, NULL, ".__dict__", A(REGISTRY_DICT), NULL);
    ha_graph_builder_simple(b, REGISTRY_DICT, "builtins.dict", 104, 1, "_subs", "[k]", A(KEYS + 128), "[v]", A(SUBS),
                            NULL);
    ha_graph_builder_simple(b, SUBS, "builtins.dict", 232, 1, "s 0", "[k]", A(KEYS + 192), "[v]", A(SESSIONS), NULL);
    ha_graph_builder_simple(b, USER, "app.User", 48, n + 1, NULL, NULL);
    for (guint i = 0; i <= n; i++)
        ha_graph_builder_simple(b, SESSIONS + 64 * i, "app.Session", 56, 1, NULL, ".user", A(USER), NULL);
    ha_graph_builder_simple(b, 0x6000, "builtins.weakref", 72, 1, NULL, "~<referent>", A(USER), NULL);
    return b;
}

static HaGraph *
finish(HaGraphBuilder *b)
{
    g_autoptr(GError) error = NULL;
    HaGraph *g = ha_graph_builder_finish(b, &error);

    g_assert_no_error(error);
    ha_graph_builder_free(b);
    return g;
}

typedef struct {
    HaGraph *g;
    HaBits *live, *excluded, *sources, *highlight;
    HaNeighbourhoodSpec spec;
    HaId chosen[1000];
} Fixture;

static void
fixture_init(Fixture *f, HaGraph *g, guint64 chosen, guint depth, guint breadth)
{
    guint32 n = ha_graph_n_objects(g);

    memset(f, 0, sizeof *f);
    f->g = g;
    f->live = ha_bits_new(n, TRUE);
    f->excluded = ha_bits_new(n, FALSE);
    f->sources = ha_bits_new(n, FALSE);
    f->highlight = ha_bits_new(n, FALSE);
    f->chosen[0] = ha_graph_lookup(g, chosen);
    g_assert_cmpuint(f->chosen[0], !=, HA_ID_NONE);
    f->spec = (HaNeighbourhoodSpec){.live = f->live,
                                    .chosen = f->chosen,
                                    .n_chosen = 1,
                                    .excluded = f->excluded,
                                    .highlight = f->highlight,
                                    .max_depth = depth,
                                    .max_breadth = breadth};
}

static void
fixture_clear(Fixture *f)
{
    ha_bits_free(f->live);
    ha_bits_free(f->excluded);
    ha_bits_free(f->sources);
    ha_bits_free(f->highlight);
    ha_graph_unref(f->g);
}

static HaNeighbourhood *
explore(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    HaNeighbourhood *n = ha_neighbourhood_new(f->g, &f->spec, &error);

    g_assert_no_error(error);
    return n;
}

static void
append_flags(GString *s, guint flags)
{
    static const char letters[] = "CHSRXWr"; /* in the order of the bits */

    for (guint i = 0; letters[i]; i++)
        if (flags & 1u << i)
            g_string_append_c(s, letters[i]);
}

/* "index: addr or count×addr, flags, @level +objects not drawn" and "from>to name count flags". */
static char *
print(const Fixture *f, const HaNeighbourhood *n)
{
    GString *s = g_string_new(NULL);

    for (guint i = 0; i < n->nodes->len; i++) {
        const HaNear *node = &g_array_index(n->nodes, HaNear, i);

        g_string_append_printf(s, "%u: ", i);
        if (node->kind == HA_NEAR_FRAME)
            g_string_append_printf(s, "frame %u ", node->frame);
        else if (node->kind == HA_NEAR_OBJECT)
            g_string_append_printf(s, "%" G_GINT64_MODIFIER "x ", ha_graph_addr(f->g, node->id));
        else
            g_string_append_printf(s, "%u%s ", node->members->len, node->kind == HA_NEAR_MORE ? " more" : " alike");
        append_flags(s, node->flags);
        g_string_append_printf(s, "@%u", node->level);
        if (node->more)
            g_string_append_printf(s, " +%" G_GUINT64_FORMAT, node->more);
        g_string_append_c(s, '\n');
    }
    for (guint i = 0; i < n->edges->len; i++) {
        const HaNearEdge *e = &g_array_index(n->edges, HaNearEdge, i);

        g_string_append_printf(s, "%u>%u %s %" G_GUINT64_FORMAT " ", e->from, e->to, e->name ? e->name : "-", e->count);
        append_flags(s, e->flags);
        g_string_append_c(s, '\n');
    }
    return g_string_free(s, FALSE);
}

static void
assert_explored(Fixture *f, const char *expected)
{
    g_autoptr(HaNeighbourhood) n = explore(f);
    g_autofree char *text = print(f, n);

    g_assert_cmpstr(text, ==, expected);
}

static void
test_depth(void)
{
    Fixture f;

    fixture_init(&f, finish(base(1)), USER, 1, 20);
    assert_explored(&f, "0: 5000 C@0\n1: 10000 @1 +1\n2: 6000 W@1\n3: 10040 @1\n"
                        "1>0 .user 1 \n2>0 <referent> 1 W\n3>0 .user 1 \n");
    f.spec.max_depth = 0;
    assert_explored(&f, "0: 5000 C@0 +3\n");
    f.spec.max_depth = 30;
    /* the namespaces of the registry and the module are no boxes of their own; the module is a root and not followed */
    assert_explored(&f,
                    "0: 5000 C@0\n1: 10000 @1\n2: 6000 W@1\n3: 10040 @1\n4: 4000 @2\n5: 3000 @3\n6: 2000 R@4 +1\n1>0 "
                    ".user 1 \n2>0 <referent> 1 W\n3>0 .user 1 \n4>1 ['s 0'] 1 \n5>4 ._subs 1 \n6>5 .registry 1 \n");
    fixture_clear(&f);
}

static void
test_root_beyond_depth(void)
{
    Fixture f;

    fixture_init(&f, finish(base(1)), USER, 2, 20);
    g_autoptr(HaNeighbourhood) n = explore(&f);
    g_assert_cmpuint(n->root_steps, ==, 4);
    g_assert_cmphex(ha_graph_addr(f.g, n->root), ==, APP);
    g_autoptr(HaPicture) p = ha_heap_picture_new(f.g, n, &(HaHeapPictureSpec){.title = "t"});
    g_assert_cmpstr(g_ptr_array_index(p->notes, 0), ==,
                    "The nearest GC root is 4 references away (module app): --max-depth 4 shows the path.");
    fixture_clear(&f);
}

/* 200 sessions: the one on the way to the root stays by itself, the others are one box, whatever the breadth. */
static void
test_breadth(void)
{
    Fixture f;

    fixture_init(&f, finish(base(200)), USER, 2, 5);
    assert_explored(&f, "0: 5000 C@0\n1: 10000 @1\n2: 200 alike @1\n3: 6000 W@1\n4: 4000 @2 +1\n1>0 .user 1 \n2>0 "
                        ".user 200 \n3>0 <referent> 1 W\n4>1 ['s 0'] 1 \n");
    f.spec.max_breadth = 0;
    assert_explored(&f, "0: 5000 C@0\n1: 10000 @1\n2: 201 more @1\n3: 4000 @2 +1\n"
                        "1>0 .user 1 \n2>0 - 201 \n3>1 ['s 0'] 1 \n");
    fixture_clear(&f);
}

static void
test_more(void)
{
    HaGraphBuilder *b = base(0);
    Fixture f;

    for (guint i = 0; i < 30; i++) {
        g_autofree char *type = g_strdup_printf("app.T%u", i);
        ha_graph_builder_simple(b, 0x20000 + 64 * i, type, 16, 1, NULL, ".x", A(USER), NULL);
    }
    fixture_init(&f, finish(b), USER, 1, 10);
    g_autoptr(HaNeighbourhood) n = explore(&f);
    guint64 objects = 0, references = 0;
    for (guint i = 1; i < n->nodes->len; i++) {
        const HaNear *node = &g_array_index(n->nodes, HaNear, i);
        objects += node->members ? node->members->len : 1;
    }
    for (guint i = 0; i < n->edges->len; i++)
        references += g_array_index(n->edges, HaNearEdge, i).count;
    g_assert_cmpuint(n->nodes->len, ==, 1 + 10 + 1);
    g_assert_cmpuint(objects, ==, 32);
    g_assert_cmpuint(references, ==, 32);
    g_autoptr(HaPicture) p = ha_heap_picture_new(f.g, n, &(HaHeapPictureSpec){.title = "t"});
    const HaPicNode *more = ha_picture_node(p, p->nodes->len - 1);
    g_assert_cmpstr(more->type->str, ==, "… 22 more");
    g_assert_true(g_str_has_suffix(more->note, ", …"));
    fixture_clear(&f);
}

static void
test_sources(void)
{
    Fixture f;

    fixture_init(&f, finish(base(3)), USER, 5, 2);
    f.spec.sources = f.sources;
    ha_bits_set(f.sources, ha_graph_lookup(f.g, REGISTRY));
    assert_explored(
        &f, "0: 5000 C@0\n1: 10000 @1\n2: 3 alike @1\n3: 6000 W@1\n4: 4000 @2\n5: 3000 S@3\n6: 2000 R@4 +1\n1>0 .user "
            "1 r\n2>0 .user 3 \n3>0 <referent> 1 W\n4>1 ['s 0'] 1 r\n5>4 ._subs 1 r\n6>5 .registry 1 \n");
    g_autoptr(HaNeighbourhood) n = explore(&f);
    g_assert_cmpuint(n->sources_reached, ==, 1);
    g_assert_cmpuint(n->source_steps, ==, 3);
    fixture_clear(&f);
}

static void
test_excluded(void)
{
    Fixture f;

    fixture_init(&f, finish(base(0)), USER, 9, 20);
    ha_bits_set(f.excluded, ha_graph_lookup(f.g, SUBS));
    assert_explored(&f, "0: 5000 C@0\n1: 6000 W@1\n2: 10000 @1\n3: 4000 X@2 +1\n"
                        "1>0 <referent> 1 W\n2>0 .user 1 \n3>2 ['s 0'] 1 \n");
    g_autoptr(HaNeighbourhood) n = explore(&f);
    g_assert_cmpuint(n->root, ==, HA_ID_NONE);
    fixture_clear(&f);
}

/* What is not live is as if it were not there. */
static void
test_live(void)
{
    Fixture f;

    fixture_init(&f, finish(base(1)), USER, 9, 20);
    ha_bits_clear(f.live, ha_graph_lookup(f.g, SESSIONS));
    assert_explored(&f, "0: 5000 C@0\n1: 6000 W@1\n2: 10040 @1\n1>0 <referent> 1 W\n2>0 .user 1 \n");
    fixture_clear(&f);
}

/* A dict that is chosen, or that others hold too, is drawn as itself. */
static void
test_namespaces(void)
{
    HaGraphBuilder *b = base(0);
    Fixture f;

    fixture_init(&f, finish(b), REGISTRY_DICT, 1, 20);
    assert_explored(&f, "0: 3100 C@0\n1: 3000 @1 +1\n1>0 .__dict__ 1 \n");
    fixture_clear(&f);

    b = base(0);
    ha_graph_builder_simple(b, 0x7000, "builtins.list", 16, 1, NULL, "[i]", A(REGISTRY_DICT), NULL);
    fixture_init(&f, finish(b), SUBS, 1, 20);
    assert_explored(&f, "0: 4000 C@0\n1: 3100 @1 +2\n1>0 ['_subs'] 1 \n");
    fixture_clear(&f);
}

/* A class attribute: the class is on the way to the root, its instances are not followed from it. */
static void
test_class_attribute(void)
{
    HaGraphBuilder *b = base(0);
    Fixture f;

    ha_graph_builder_simple(b, 0x7000, "builtins.type", 1000, 9, "Cache", ".items", A(0x7100), NULL);
    ha_graph_builder_simple(b, 0x7100, "builtins.list", 16, 1, NULL, NULL);
    ha_graph_builder_simple(b, 0x7200, "builtins.str", 16, 1, "Cache", NULL);
    ha_graph_builder_simple(b, 0x7300, "app.CacheUser", 16, 1, NULL, ".__class__", A(0x7000), NULL);
    ha_graph_builder_simple(b, 0x7400, "builtins.module", 72, 1, "cache", ".__dict__", A(0x7500), NULL);
    ha_graph_builder_simple(b, 0x7500, "builtins.dict", 100, 1, "Cache", "[k]", A(0x7200), "[v]", A(0x7000), NULL);
    fixture_init(&f, finish(b), 0x7100, 5, 20);
    assert_explored(&f, "0: 7100 C@0\n1: 7000 @1 +1\n2: 7400 R@2\n1>0 .items 1 \n2>1 .Cache 1 \n");
    fixture_clear(&f);
}

static void
add_frame(HaGraphBuilder *b, const char *qualname, guint64 object, guint64 local, guint32 flags)
{
    guint32 name = ha_graph_builder_name(b, "<local user>", -1);
    struct hf_frame_row frame = {.frame = object,
                                 .line = 12,
                                 .flags = flags,
                                 .qualname = qualname,
                                 .qualname_len = strlen(qualname),
                                 .file = "/srv/www/app/main.py",
                                 .file_len = strlen("/srv/www/app/main.py"),
                                 .names = &name,
                                 .refs = &local,
                                 .n = 1};

    ha_graph_builder_frame(b, &frame);
}

static void
test_frames(void)
{
    HaGraphBuilder *b = base(0);
    struct hf_thread_row thread = {.ident = 1, .name = "MainThread", .name_len = 10};
    Fixture f;

    ha_graph_builder_thread(b, &thread);
    add_frame(b, "handle", 0, USER, HF_FRAME_OWNED);
    add_frame(b, "main", 0, USER, HF_FRAME_OWNED);
    fixture_init(&f, finish(b), USER, 1, 20);
    assert_explored(&f, "0: 5000 C@0\n1: 6000 W@1\n2: 10000 @1 +1\n3: frame 0 R@1\n4: frame 1 R@1\n"
                        "1>0 <referent> 1 W\n2>0 .user 1 \n3>0 <local user> 1 \n4>0 <local user> 1 \n");
    g_autoptr(HaNeighbourhood) n = explore(&f);
    g_autoptr(HaPicture) p = ha_heap_picture_new(f.g, n, &(HaHeapPictureSpec){.title = "t"});
    const HaPicNode *frame = ha_picture_node(p, 3);
    g_assert_cmpstr(frame->type->str, ==, "running handle()");
    g_assert_cmpstr(frame->text->str, ==, "app/main.py:12");
    g_assert_cmpstr(frame->note, ==, "thread MainThread");
    g_assert_cmpuint(frame->flags, ==, HA_PIC_ROOT);
    f.spec.max_breadth = 1;
    assert_explored(&f, "0: 5000 C@0 +1\n1: 10000 @1 +1\n2: 6000 W@1\n3: frame 0 R@1\n1>0 .user 1 \n2>0 <referent> 1 "
                        "W\n3>0 <local user> 1 \n");
    fixture_clear(&f);
}

static void
test_many_chosen(void)
{
    Fixture f;

    fixture_init(&f, finish(base(50)), USER, 2, 5);
    f.spec.n_chosen = 51;
    for (guint i = 0; i < 51; i++)
        f.chosen[i] = ha_graph_lookup(f.g, SESSIONS + 64 * i);
    assert_explored(&f, "0: 51 alike C@0\n1: 4000 @1\n2: 3000 @2 +1\n1>0 ['s 0'] 1 \n2>1 ._subs 1 \n");
    fixture_clear(&f);
}

static void
test_full(void)
{
    Fixture f;

    fixture_init(&f, finish(base(10)), USER, 9, 20);
    f.spec.max_nodes = 5;
    g_autoptr(HaNeighbourhood) n = explore(&f);
    g_assert_true(n->full);
    g_assert_cmpuint(n->nodes->len, <=, 5 + 20);
    fixture_clear(&f);
}

static void
test_censor(void)
{
    static const char *const prefixes[] = {"app.Reg", "s 0", NULL};
    Fixture f;

    fixture_init(&f, finish(base(0)), USER, 9, 20);
    g_autoptr(HaNeighbourhood) n = explore(&f);
    g_autoptr(HaPicture) p = ha_heap_picture_new(f.g, n, &(HaHeapPictureSpec){.title = "t", .censor = prefixes});
    g_autofree char *dot = ha_dot_write(p);
    g_assert_null(strstr(dot, "Registry"));
    g_assert_null(strstr(dot, "_subs"));
    g_assert_null(strstr(dot, "s 0"));
    g_assert_nonnull(strstr(dot, "[censored"));
    g_assert_nonnull(strstr(dot, "app.Session"));
    fixture_clear(&f);
}

/*
 * Random heaps: at depth 1 every object that refers to the chosen one is in the graph, once, by itself or in a box of several, and so is
 * every reference; whatever the limits, what came out can be put into words.
 */
static void
test_random(void)
{
    static const char *const types[] = {
        "app.A",         "app.B",           "builtins.list", "builtins.tuple", "builtins.weakref",
        "builtins.dict", "builtins.module", "builtins.type", "builtins.str"};
    static const char *const names[] = {".a", ".b", "[i]", "{}", "", "~<referent>", ".__dict__"};

    for (guint round = 0; round < 300; round++) {
        HaGraphBuilder *b = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
        guint n = (guint)g_test_rand_int_range(1, 60);
        gboolean plain = round % 2; /* without namespaces, which are drawn as part of their owner */

        for (guint i = 0; i < n; i++) {
            const char *name[4];
            guint64 to[4];
            for (guint k = 0; k < 4; k++) {
                name[k] = names[g_test_rand_int_range(0, plain ? 6 : 7)];
                to[k] = 0x1000 + 64 * (guint64)g_test_rand_int_range(0, (gint)n);
            }
            ha_graph_builder_simple(b, 0x1000 + 64 * i, types[g_test_rand_int_range(0, plain ? 5 : 9)], 16, 1, "text",
                                    name[0], to[0], name[1], to[1], name[2], to[2],
                                    g_test_rand_int_range(0, 2) ? name[3] : NULL, to[3], NULL);
        }
        for (guint i = 0; i < 3; i++)
            ha_graph_builder_root(b, (guint8)g_test_rand_int_range(HF_ROOT_INTERPRETER, HF_ROOT_FRAME),
                                  0x1000 + 64 * (guint64)g_test_rand_int_range(0, (gint)n), "root", TRUE);
        Fixture f;
        fixture_init(&f, finish(b), 0x1000, plain ? 1 : (guint)g_test_rand_int_range(0, 12),
                     (guint)g_test_rand_int_range(0, 12));
        for (guint i = 0; i < 3; i++)
            ha_bits_set(f.sources, (HaId)g_test_rand_int_range(0, (gint)n));
        f.spec.sources = f.sources;
        g_autoptr(HaNeighbourhood) near = explore(&f);
        g_autoptr(HaPicture) p = ha_heap_picture_new(f.g, near, &(HaHeapPictureSpec){.title = "t"});
        g_autofree char *dot = ha_dot_write(p);
        g_assert_true(g_utf8_validate(dot, -1, NULL));
        if (plain) {
            gsize n_referrers;
            const HaId *referrers = ha_graph_referrers(f.g, f.chosen[0], &n_referrers);
            guint64 references = 0;
            for (guint i = 0; i < near->edges->len; i++) {
                const HaNearEdge *e = &g_array_index(near->edges, HaNearEdge, i);
                references += e->to == 0 ? e->count : 0;
            }
            g_assert_cmpuint(references, ==, n_referrers);
            g_autoptr(HaBits) seen = ha_bits_new(ha_graph_n_objects(f.g), FALSE);
            for (guint i = 0; i < near->nodes->len; i++) {
                const HaNear *node = &g_array_index(near->nodes, HaNear, i);
                for (guint k = 0; k < (node->members ? node->members->len : 1); k++) {
                    HaId id = node->members ? g_array_index(node->members, HaId, k) : node->id;
                    g_assert_false(ha_bits_get(seen, id));
                    ha_bits_set(seen, id);
                }
            }
            for (gsize i = 0; i < n_referrers; i++)
                g_assert_true(ha_bits_get(seen, referrers[i]));
        }
        fixture_clear(&f);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/render/neighbourhood/depth", test_depth);
    g_test_add_func("/render/neighbourhood/root-beyond-depth", test_root_beyond_depth);
    g_test_add_func("/render/neighbourhood/breadth", test_breadth);
    g_test_add_func("/render/neighbourhood/more", test_more);
    g_test_add_func("/render/neighbourhood/sources", test_sources);
    g_test_add_func("/render/neighbourhood/excluded", test_excluded);
    g_test_add_func("/render/neighbourhood/live", test_live);
    g_test_add_func("/render/neighbourhood/namespaces", test_namespaces);
    g_test_add_func("/render/neighbourhood/class-attribute", test_class_attribute);
    g_test_add_func("/render/neighbourhood/frames", test_frames);
    g_test_add_func("/render/neighbourhood/many-chosen", test_many_chosen);
    g_test_add_func("/render/neighbourhood/full", test_full);
    g_test_add_func("/render/neighbourhood/censor", test_censor);
    g_test_add_func("/render/neighbourhood/random", test_random);
    return g_test_run();
}
