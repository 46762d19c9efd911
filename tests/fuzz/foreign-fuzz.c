// SPDX-License-Identifier: MIT
/*
 * Small dumps as other tools write them, whole, cut at every byte, with every bit changed and with changes at random: nothing may crash or hang, what is
 * cut is told to be cut, what cannot be read is told in one line, and what can is sound. foreign-fuzz [RUNS [SEED]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz-run.h"
#include "graph/ha-graph.h"
#include "load/ha-load.h"

enum { STRUCT, MSGPACK, PYHEAP, FORMATS };
enum { TYPES = 8, OBJECTS = 12, REFS = 5 };

/* The same heap for all formats; type_addr[i] is 0x1000 + 0x100 * i. */
static const char *const type_names[TYPES] = {"builtins.dict", "builtins.list",  "builtins.str",  "builtins.module",
                                              "builtins.type", "builtins.bytes", "_asyncio.Task", "app.T\xc3\xa4"};
static const char *const contents[] = {"sys",
                                       "__name__",
                                       "__name__,modules",
                                       "sys,builtins,app",
                                       "a",
                                       "b'\\x00'",
                                       "<class 'app.T'>",
                                       "<module 'app' (built-in)>",
                                       "",
                                       "\xf0\x9f\x98\x80",
                                       "<Task pending name='Task-1' coro=<main() running at app.py:4>>",
                                       "<frame at 0x7f00, file 'a.py', line 3, code f>",
                                       "<code object f at 0x7f00, file \"a.py\", line 3>"};

typedef struct {
    guint n, type[OBJECTS], n_refs[OBJECTS], content[OBJECTS];
    guint64 addr[OBJECTS], refs[OBJECTS][REFS];
} Model;

static guint64
type_addr(guint type)
{
    return 0x1000 + 0x100 * (guint64)type;
}

static void
some_model(Model *m)
{
    *m = (Model){.n = 1 + below(OBJECTS)};
    for (guint i = 0; i < m->n; i++) {
        /* classes are objects too */
        m->addr[i] = below(4) == 0 ? type_addr(below(TYPES)) : 0x7f0000000000 + 0x40 * (guint64)i;
        m->type[i] = below(TYPES);
        m->n_refs[i] = below(REFS + 1);
        m->content[i] = below(G_N_ELEMENTS(contents) + 1);
    }
    for (guint i = 0; i < m->n; i++)
        for (guint k = 0; k < m->n_refs[i]; k++)
            m->refs[i][k] = below(10) == 0 ? 8 * (guint64)below(3) : m->addr[below(m->n)];
}

static void
put(GByteArray *to, guint n, guint64 value)
{
    for (guint i = n; i-- > 0;) {
        guint8 byte = (guint8)(value >> 8 * i);
        g_byte_array_append(to, &byte, 1);
    }
}

static void
put_text(GByteArray *to, guint width, const char *text)
{
    put(to, width, strlen(text));
    g_byte_array_append(to, (const guint8 *)text, (guint)strlen(text));
}

static void
write_struct(GByteArray *to, const Model *m)
{
    gboolean told[TYPES] = {0};
    for (guint i = 0; i < m->n; i++) {
        guint type = m->type[i];
        if (!told[type]) {
            put(to, 1, 1);
            put(to, 8, type_addr(type));
            put_text(to, 2, type_names[type]);
        }
        told[type] = TRUE;
        gboolean content = m->content[i] < G_N_ELEMENTS(contents);
        put(to, 1, content ? 3 : 2);
        put(to, 1, i % 2);
        put(to, 8, m->addr[i]);
        put(to, 8, type_addr(type));
        put(to, 4, 50 + i);
        if (content)
            put_text(to, 2, contents[m->content[i]]);
        put(to, 1, 4);
        put(to, 8, m->addr[i]);
        put(to, 2, m->n_refs[i]);
        for (guint k = 0; k < m->n_refs[i]; k++)
            put(to, 8, GUINT64_SWAP_LE_BE(m->refs[i][k]));
    }
    put(to, 1, 0);
}

static void
pack_text(GByteArray *to, const char *text)
{
    put(to, 1, 0xa0 | strlen(text));
    g_byte_array_append(to, (const guint8 *)text, (guint)strlen(text));
}

static void
pack_number(GByteArray *to, const char *key, guint64 value)
{
    pack_text(to, key);
    put(to, 1, 0xcf);
    put(to, 8, value);
}

static void
pack_bool(GByteArray *to, const char *key, gboolean value)
{
    pack_text(to, key);
    put(to, 1, value ? 0xc3 : 0xc2);
}

static void
pack_kind(GByteArray *to, guint members, const char *kind)
{
    put(to, 1, 0x80 | members);
    pack_text(to, "t");
    pack_text(to, kind);
}

static void
write_msgpack(GByteArray *to, const Model *m)
{
    gboolean told[TYPES] = {0};
    for (guint i = 0; i < m->n; i++) {
        guint type = m->type[i];
        if (!told[type]) {
            pack_kind(to, 3, "type");
            pack_number(to, "objtype_addr", type_addr(type));
            pack_text(to, "typename");
            pack_text(to, type_names[type]);
        }
        told[type] = TRUE;
        gboolean content = m->content[i] < G_N_ELEMENTS(contents);
        pack_kind(to, content ? 7 : 6, "object");
        pack_bool(to, "root", i % 2);
        pack_bool(to, "thread_root", i % 5 == 4);
        pack_number(to, "objtype_addr", type_addr(type));
        pack_number(to, "addr", m->addr[i]);
        pack_number(to, "size", 50 + i);
        if (content) {
            pack_text(to, "payload");
            put(to, 1, 0xc4);
            put_text(to, 1, contents[m->content[i]]);
        }
        if (m->n_refs[i] == 0)
            continue;
        pack_kind(to, 3, "referents");
        pack_number(to, "addr", m->addr[i]);
        pack_text(to, "child_addrs");
        put(to, 1, 0x90 | m->n_refs[i]);
        for (guint k = 0; k < m->n_refs[i]; k++) {
            put(to, 1, 0xcf);
            put(to, 8, m->refs[i][k]);
        }
    }
    pack_kind(to, 1, "done");
}

static void
write_pyheap(GByteArray *to, const Model *m)
{
    static const char *const known[] = {"dict", "list", "set", "tuple", "str", "bytes"};
    static const guint64 where[] = {0x1000, 0x1100, 0x9000, 0x9100, 0x1200, 0x1500};
    put(to, 8, 123000321);
    put(to, 4, 1);
    put_text(to, 2, "2026-11-23T04:27:58+00:00");
    put(to, 8, 1);
    put(to, 4, G_N_ELEMENTS(known));
    for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
        put_text(to, 2, known[i]);
        put(to, 8, where[i]);
    }
    put(to, 4, 1); /* threads */
    put_text(to, 2, "MainThread");
    put(to, 2, 0x0100);
    put(to, 4, 1);
    put_text(to, 2, "a.py");
    put(to, 4, 3);
    put_text(to, 2, "f");
    put(to, 4, 1);
    put_text(to, 2, "x");
    put(to, 8, m->addr[0]);
    put(to, 4, 2); /* frequent names */
    put_text(to, 2, "__a__");
    put_text(to, 2, "b");
    put(to, 4, 1); /* common types */
    put(to, 8, 0x1200);
    put(to, 4, 1);
    put(to, 2, 0xffff);
    put(to, 8, 0x1000);
    put(to, 4, m->n);
    for (guint i = 0; i < m->n; i++) {
        guint type = m->type[i], items = type == 0 ? m->n_refs[i] / 2 : type == 1 ? m->n_refs[i] : 0;
        guint first = type == 0 ? 2 * items : items;
        put(to, 8, m->addr[i]);
        put(to, 8, type_addr(type));
        put(to, 4, 50 + i);
        if (type <= 1)
            put(to, 4, items);
        for (guint k = 0; k < first; k++)
            put(to, 8, m->refs[i][k]);
        put(to, 4, m->n_refs[i] - first);
        for (guint k = first; k < m->n_refs[i]; k++)
            put(to, 8, m->refs[i][k]);
        if (type != 2) {
            put(to, 4, 2);
            put(to, 2, 0xfffe);
            put(to, 8, m->refs[i][REFS - 1]);
            put_text(to, 2, "c");
            put(to, 8, m->refs[i][0]);
        }
        if (type > 1)
            put_text(to, 2, m->content[i] < G_N_ELEMENTS(contents) ? contents[m->content[i]] : "object");
    }
    put(to, 4, TYPES);
    for (guint i = 0; i < TYPES; i++) {
        put(to, 8, type_addr(i));
        put_text(to, 2, strrchr(type_names[i], '.') + 1);
    }
    put(to, 8, 123000321);
}

static HaGraph *
load(const guint8 *bytes, gsize n, GError **error)
{
    int fd = memfd_create("dump", MFD_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, bytes, n), ==, (gssize)n);
    lseek(fd, 0, SEEK_SET);
    HaGraph *g = ha_load_fd(fd, "made up", error);
    g_assert_true((g == NULL) == (*error != NULL));
    if (*error != NULL) {
        g_assert_true(strstr((*error)->message, "'made up'") != NULL && strchr((*error)->message, '\n') == NULL);
        g_assert_false(g_error_matches(*error, HA_LOAD_ERROR, HA_LOAD_ERROR_NO_MEMORY));
    }
    return g;
}

/* References lead to objects, all is reached from a root, and every name can be told. */
static void
check(const HaGraph *g)
{
    guint32 n = ha_graph_n_objects(g);
    gsize n_roots, depth = 0, reached = 0;
    const HaRoot *roots = ha_graph_roots(g, &n_roots);
    g_autofree gboolean *seen = g_new0(gboolean, n + 1);
    g_autofree HaId *stack = g_new(HaId, n + 1);
    g_assert_cmpuint(n, >, 0);
    for (gsize i = 0; i < n_roots; i++) {
        g_assert_cmpuint(roots[i].id, <, n);
        if (!seen[roots[i].id])
            stack[depth++] = roots[i].id;
        seen[roots[i].id] = TRUE;
    }
    while (depth > 0) {
        gsize n_refs;
        HaId id = stack[--depth];
        const HaId *refs = ha_graph_referents(g, id, &n_refs);
        reached++;
        for (gsize i = 0; i < n_refs; i++) {
            g_assert_cmpuint(refs[i], <, n);
            g_autofree char *text = ha_graph_ref_text(g, id, i);
            g_assert_true(text == NULL || *text != 0);
            if (!seen[refs[i]])
                stack[depth++] = refs[i];
            seen[refs[i]] = TRUE;
        }
    }
    g_assert_cmpuint(reached, ==, n);
}

/* What changed bytes come to. */
static void
try(const guint8 *bytes, gsize n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HaGraph) g = load(bytes, n, &error);
    if (g != NULL)
        check(g);
}

static void
try_cuts(const GByteArray *whole)
{
    guint32 most = 0;
    for (guint n = 0; n < whole->len; n++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(HaGraph) g = load(whole->data, n, &error);
        g_assert_true(g == NULL || !ha_graph_complete(g));
        g_assert_true(g != NULL || most == 0);
        if (g == NULL) {
            g_assert_true(strstr(error->message, "cut") != NULL || n < 20);
            continue;
        }
        check(g);
        g_assert_cmpuint(ha_graph_n_objects(g), >=, most);
        most = ha_graph_n_objects(g);
    }
}

static void
try_bits(GByteArray *whole)
{
    for (guint i = 0; i < whole->len * 8; i++) {
        whole->data[i / 8] ^= 1 << i % 8;
        try(whole->data, whole->len);
        whole->data[i / 8] ^= 1 << i % 8;
    }
}

static void
try_changes(const GByteArray *whole)
{
    static const guint8 odd[] = {0x00, 0x01, 0x7f, 0x80, 0x8f, 0x9f, 0xbf, 0xc1, 0xc6, 0xdb, 0xdd, 0xdf, 0xfe, 0xff};
    g_autoptr(GByteArray) changed = g_byte_array_new();
    for (guint k = 0; k < 100; k++) {
        g_byte_array_set_size(changed, 0);
        g_byte_array_append(changed, whole->data, whole->len);
        for (guint changes = 1 + below(3); changes > 0; changes--) {
            guint at = below(changed->len), n = 1 + below(4);
            n = MIN(n, changed->len - at);
            switch (below(4)) {
            case 0:
                g_byte_array_remove_range(changed, at, n);
                break;
            case 1:
                g_byte_array_append(changed, whole->data + below(whole->len - 8), 8);
                break;
            default:
                memset(changed->data + at, odd[below(G_N_ELEMENTS(odd))], n);
                break;
            }
        }
        try(changed->data, changed->len);
    }
}

int
main(int argc, char **argv)
{
    static const char *const lines[] = {"x top --show-parents --max-depth 30",
                                        "x top --sort retained --json --show-parents",
                                        "x types --json",
                                        "x types --duplicates",
                                        "x types --containers --json",
                                        "x info",
                                        "x info --json",
                                        "x export",
                                        "x export --format csv",
                                        "x object 0x7f0000000000 --json",
                                        "x graph --filter dict --max-depth 3",
                                        "x paths T",
                                        "x paths dict --json",
                                        "x threads",
                                        "x tasks --json",
                                        "x retained --min-percent 0",
                                        "x diff A",
                                        "x leaks --min-bytes 0"};
    static void (*const writers[FORMATS])(GByteArray * to, const Model *m) = {write_struct, write_msgpack,
                                                                              write_pyheap};
    guint runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 60;
    guint seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    for (guint i = 0; i < runs; i++) {
        rnd = g_rand_new_with_seed(seed + i); /* each can be had again alone: foreign-fuzz 1 SEED */
        printf("# seed %u\n", seed + i);
        fflush(stdout);
        Model m;
        some_model(&m);
        for (guint format = 0; format < FORMATS; format++) {
            g_autoptr(GByteArray) bytes = g_byte_array_new();
            g_autoptr(GError) error = NULL;
            writers[format](bytes, &m);
            g_autoptr(HaGraph) g = load(bytes->data, bytes->len, &error);
            g_assert_no_error(error);
            g_assert_true(ha_graph_complete(g));
            check(g);
            for (guint k = 0; k < G_N_ELEMENTS(lines); k++)
                fuzz_run(g, g, lines[k]);
            try_changes(bytes);
            if (i % 10 == 0)
                try_cuts(bytes);
            if (i % 30 == 0)
                try_bits(bytes);
        }
        g_rand_free(rnd);
    }
    return 0;
}
