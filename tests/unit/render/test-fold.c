// SPDX-License-Identifier: MIT
/* Folding: what becomes one, what stays, and that nothing is lost. */
#include "render/ha-fold.h"

#include <string.h>

static guint
node(HaPicture *p, const char *type, guint flags, guint level)
{
    guint i = ha_picture_add_node(p, type, (gssize)strlen(type), flags, level);

    ha_picture_node(p, i)->addr = 0x1000 + 16 * i;
    ha_picture_node(p, i)->size = 10;
    return i;
}

static void
edge(HaPicture *p, guint from, guint to, const char *name)
{
    ha_picture_add_edge(p, from, to, 0, 1, name, name ? (gssize)strlen(name) : 0);
}

/* Nodes as "count×type", then edges as "from>to name count", a line each. */
static char *
print(const HaPicture *p)
{
    GString *s = g_string_new(NULL);

    for (guint i = 0; i < p->nodes->len; i++) {
        const HaPicNode *n = ha_picture_node(p, i);
        g_string_append_printf(s, "%u: %" G_GUINT64_FORMAT " %s\n", i, n->count, n->type->str);
    }
    for (guint i = 0; i < p->edges->len; i++) {
        const HaPicEdge *e = ha_picture_edge(p, i);
        g_string_append_printf(s, "%u>%u %s %" G_GUINT64_FORMAT "\n", e->from, e->to, e->name ? e->name->str : "-",
                               e->count);
    }
    return g_string_free(s, FALSE);
}

static void
assert_fold(const HaPicture *in, guint level, const char *expected)
{
    g_autoptr(HaPicture) out = ha_fold(in, level);
    g_autofree char *text = print(out);

    g_assert_cmpstr(text, ==, expected);
}

/* Five sessions of a registry refer to one user, a sixth by another name. */
static HaPicture *
siblings(void)
{
    HaPicture *p = ha_picture_new("");
    guint user = node(p, "User", HA_PIC_CHOSEN, 0);
    guint registry = G_MAXUINT;

    for (guint i = 0; i < 6; i++)
        edge(p, node(p, "Session", 0, 1), user, i == 5 ? ".owner" : ".user");
    registry = node(p, "dict", 0, 2);
    for (guint i = 0; i < 6; i++) {
        g_autofree char *name = g_strdup_printf("['s%u']", i);
        edge(p, registry, 1 + i, name);
    }
    return p;
}

static void
test_siblings(void)
{
    g_autoptr(HaPicture) p = siblings();

    assert_fold(
        p, 0,
        "0: 1 User\n1: 1 Session\n2: 1 Session\n3: 1 Session\n4: 1 Session\n5: 1 Session\n6: 1 Session\n7: 1 dict\n"
        "1>0 .user 1\n2>0 .user 1\n3>0 .user 1\n4>0 .user 1\n5>0 .user 1\n6>0 .owner 1\n"
        "7>1 ['s0'] 1\n7>2 ['s1'] 1\n7>3 ['s2'] 1\n7>4 ['s3'] 1\n7>5 ['s4'] 1\n7>6 ['s5'] 1\n");
    assert_fold(p, 1,
                "0: 1 User\n1: 5 Session\n2: 1 Session\n3: 1 dict\n"
                "1>0 .user 5\n2>0 .owner 1\n3>1 ['*'] 5\n3>2 ['s5'] 1\n");
    assert_fold(p, 3, "0: 1 User\n1: 6 Session\n2: 1 dict\n1>0 .user 5\n1>0 .owner 1\n2>1 ['*'] 6\n");
}

static void
test_least(void)
{
    g_autoptr(HaPicture) p = ha_picture_new("");
    guint user = node(p, "User", HA_PIC_CHOSEN, 0);

    for (guint i = 0; i < 3; i++)
        edge(p, node(p, "Session", 0, 1), user, ".user");
    assert_fold(p, 1, "0: 1 User\n1: 1 Session\n2: 1 Session\n3: 1 Session\n1>0 .user 1\n2>0 .user 1\n3>0 .user 1\n");
    assert_fold(p, 2, "0: 1 User\n1: 3 Session\n1>0 .user 3\n");
}

/* Marks are never mixed with plain nodes; chosen ones and roots stay by themselves up to level 2. */
static void
test_marks(void)
{
    g_autoptr(HaPicture) p = ha_picture_new("");
    guint user = node(p, "User", HA_PIC_CHOSEN, 0);
    guint other = node(p, "User", HA_PIC_CHOSEN, 0);

    for (guint i = 0; i < 4; i++) {
        edge(p, node(p, "Task", i % 2 ? HA_PIC_HIGHLIGHT : 0, 1), user, ".x");
        edge(p, node(p, "module", HA_PIC_ROOT, 1), other, ".y");
    }
    g_autoptr(HaPicture) two = ha_fold(p, 2), three = ha_fold(p, 3);
    g_assert_cmpuint(two->nodes->len, ==, 2 + 2 + 4);
    g_assert_cmpuint(three->nodes->len, ==, 1 + 2 + 1);
    for (guint i = 0; i < three->nodes->len; i++) {
        const HaPicNode *n = ha_picture_node(three, i);
        g_assert_cmpuint(n->count, ==, strcmp(n->type->str, "module") == 0 ? 4 : 2);
    }
}

static void
test_red_path(void)
{
    g_autoptr(HaPicture) p = ha_picture_new("");
    guint user = node(p, "User", HA_PIC_CHOSEN, 0);

    for (guint i = 0; i < 5; i++)
        ha_picture_add_edge(p, node(p, "Session", 0, 1), user, i == 2 ? HA_PIC_RED : 0, 1, ".user", 5);
    assert_fold(p, 2, "0: 1 User\n1: 4 Session\n2: 1 Session\n1>0 .user 4\n2>0 .user 1\n");
}

static void
test_chain(void)
{
    g_autoptr(HaPicture) p = ha_picture_new("");
    guint last = node(p, "User", HA_PIC_CHOSEN, 0);

    for (guint i = 1; i <= 6; i++) {
        guint n = node(p, i == 6 ? "dict" : "Node", 0, i);
        edge(p, n, last, i == 1 ? ".user" : i == 6 ? "['head']" : ".next");
        last = n;
    }
    guint root = node(p, "module", HA_PIC_ROOT, 7);
    edge(p, root, last, ".registry");
    assert_fold(p, 1, "0: 1 User\n1: 6 chain of 6 objects\n2: 1 module\n1>0 .user 1\n2>1 .registry 1\n");
    g_autoptr(HaPicture) out = ha_fold(p, 1);
    g_assert_cmpstr(ha_picture_node(out, 1)->text->str, ==, "dict → Node → Node → Node → Node → Node");
    g_assert_cmpstr(ha_picture_node(out, 1)->note, ==, "5 references inside");
    g_assert_cmpuint(ha_picture_node(out, 1)->size, ==, 60);
}

/* A ring that nothing else refers to, and an object that refers to itself. */
static void
test_rings(void)
{
    g_autoptr(HaPicture) p = ha_picture_new("");
    guint user = node(p, "User", HA_PIC_CHOSEN, 0);
    guint a = node(p, "Node", 0, 1), b = node(p, "Node", 0, 2), c = node(p, "Node", 0, 3);
    guint self = node(p, "list", 0, 1);

    edge(p, a, user, ".x");
    edge(p, b, a, ".next");
    edge(p, c, b, ".next");
    edge(p, a, c, ".next");
    edge(p, self, self, "[0]");
    edge(p, self, user, "[1]");
    for (guint level = 0; level <= HA_FOLD_LAST; level++) {
        g_autoptr(HaPicture) out = ha_fold(p, level);
        g_assert_cmpuint(out->nodes->len, >=, 2);
    }
    g_autoptr(HaPicture) chained = ha_fold(p, 4);
    g_autofree char *text = print(chained);
    g_assert_cmpstr(text, ==, "0: 1 User\n1: 3 Node\n2: 1 list\n1>0 .x 1\n1>1 .next 3\n2>2 [0] 1\n2>0 [1] 1\n");
}

/* Whatever the picture: objects, bytes and references add up, folding gets no bigger, and the last level is tiny. */
static void
test_random(void)
{
    static const char *const types[] = {"dict", "list", "Session", "Task", "tuple", "cell"};
    static const char *const names[] = {"[1]", "[2]", "['a']", "['b']", ".x", "<key 'k'>", NULL};

    for (guint round = 0; round < 200; round++) {
        g_autoptr(HaPicture) p = ha_picture_new("");
        guint n = (guint)g_test_rand_int_range(1, 200);
        guint before = G_MAXUINT;

        for (guint i = 0; i < n; i++) {
            guint flags = g_test_rand_int_range(0, 10) ? 0 : 1u << g_test_rand_int_range(0, 7);
            guint k = node(p, types[g_test_rand_int_range(0, G_N_ELEMENTS(types))], i == 0 ? HA_PIC_CHOSEN : flags,
                           i == 0 ? 0 : (guint)g_test_rand_int_range(1, 12));
            ha_picture_node(p, k)->count = flags == HA_PIC_ROOT ? 0 : 1;
        }
        for (guint i = 0; i < 3 * n; i++)
            ha_picture_add_edge(p, (guint)g_test_rand_int_range(0, (gint)n), (guint)g_test_rand_int_range(0, (gint)n),
                                g_test_rand_int_range(0, 20) ? 0 : HA_PIC_RED, 1,
                                names[g_test_rand_int_range(0, G_N_ELEMENTS(names))], -1);
        for (guint level = 0; level <= HA_FOLD_LAST; level++) {
            g_autoptr(HaPicture) out = ha_fold(p, level);
            guint64 objects[2] = {0}, bytes[2] = {0}, references[2] = {0};

            for (guint i = 0; i < p->nodes->len; i++) {
                objects[0] += ha_picture_node(p, i)->count;
                bytes[0] += ha_picture_node(p, i)->size;
            }
            for (guint i = 0; i < out->nodes->len; i++) {
                objects[1] += ha_picture_node(out, i)->count;
                bytes[1] += ha_picture_node(out, i)->size;
            }
            for (guint i = 0; i < p->edges->len; i++)
                references[0] += ha_picture_edge(p, i)->count;
            for (guint i = 0; i < out->edges->len; i++)
                references[1] += ha_picture_edge(out, i)->count;
            g_assert_cmpuint(objects[1], ==, objects[0]);
            g_assert_cmpuint(bytes[1], ==, bytes[0]);
            g_assert_cmpuint(references[1], <=, references[0]); /* those inside a chain are in its note */
            g_assert_cmpuint(out->nodes->len, <=, p->nodes->len);
            if (level == HA_FOLD_LAST)
                g_assert_cmpuint(out->nodes->len, <=, 16);
            before = MIN(before, out->nodes->len);
        }
        g_assert_cmpuint(before, <=, 16);
    }
}

static void
test_fit(void)
{
    g_autoptr(HaPicture) p = siblings();
    guint level = 0;
    g_autoptr(HaPicture) whole = ha_fold_to_fit(p, 8, 12, &level);

    g_assert_cmpuint(level, ==, 0);
    g_assert_cmpuint(whole->nodes->len, ==, 8);
    g_autoptr(HaPicture) less = ha_fold_to_fit(p, 7, 12, &level);
    g_assert_cmpuint(level, ==, 1);
    g_assert_cmpuint(less->nodes->len, <=, 7);
    level = 0;
    g_autoptr(HaPicture) fewer_edges = ha_fold_to_fit(p, 8, 11, &level);
    g_assert_cmpuint(level, ==, 1);
    g_assert_cmpuint(fewer_edges->edges->len, <=, 11);
    g_autoptr(HaPicture) impossible = ha_fold_to_fit(p, 0, 0, &level);
    g_assert_cmpuint(level, ==, HA_FOLD_LAST);
    g_assert_cmpuint(impossible->nodes->len, ==, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/render/fold/siblings", test_siblings);
    g_test_add_func("/render/fold/least", test_least);
    g_test_add_func("/render/fold/marks", test_marks);
    g_test_add_func("/render/fold/red-path", test_red_path);
    g_test_add_func("/render/fold/chain", test_chain);
    g_test_add_func("/render/fold/rings", test_rings);
    g_test_add_func("/render/fold/random", test_random);
    g_test_add_func("/render/fold/fit", test_fit);
    return g_test_run();
}
