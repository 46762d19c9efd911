// SPDX-License-Identifier: MIT
/* The walker over heaps whose every byte is made here. Types come into the dump with their instances: lines of types are not compared. */
#include "fake-heap.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* The lines that start with one of the words. */
static char *
lines_of(const char *dump, const char *words)
{
    g_auto(GStrv) lines = g_strsplit(dump, "\n", -1), wanted = g_strsplit(words, " ", -1);
    GString *out = g_string_new(NULL);

    for (guint i = 0; lines[i] != NULL; i++)
        for (guint k = 0; wanted[k] != NULL; k++)
            if (g_str_has_prefix(lines[i], wanted[k])) {
                g_string_append_printf(out, "%s%s", out->len != 0 ? "\n" : "", lines[i]);
                break;
            }
    return g_string_free(out, FALSE);
}

#define expect_lines(dump, words, expected)                                                                            \
    do {                                                                                                               \
        g_autofree char *found = lines_of(dump, words);                                                                \
        g_assert_cmpstr(found, ==, expected);                                                                          \
    } while (0)

static void
test_containers(void)
{
    struct fake *f = fake_new();
    wk_addr thing = fake_type(f, "mod.Thing", 16, 0, 0, NULL);
    wk_addr a = fake_object(f, thing, 16), b = fake_object(f, thing, 16), key = fake_str(f, "key");
    wk_addr items[] = {a, b, a}, pairs[] = {key, a, 0, 0, key, b};

    wk_mark(f->w, fake_list(f, items, 3));
    wk_mark(f->w, fake_dict(f, pairs, 3));
    g_autofree char *dump = fake_walk(f);
    expect_lines(dump, "builtins.list builtins.dict list dict",
                 strstr(dump, "list size") < strstr(dump, "dict size")
                     ? "builtins.list size 56 3 refs: index\nbuiltins.dict size 64 'key,key' 4 refs: items"
                     : "builtins.dict size 64 'key,key' 4 refs: items\nbuiltins.list size 56 3 refs: index");
    expect_lines(dump, "mod.Thing", "mod.Thing size 16\nmod.Thing size 16");
    fake_free(f);
}

static int
traverse_fields(wk_addr object, int (*visit)(wk_addr, void *), void *arg)
{
    for (gint offset = 16; offset < 48; offset += 8)
        if (WK_U64(object, offset) != 0)
            visit(WK_U64(object, offset), arg);
    return 0;
}

/* References that only tp_traverse knows; those that a member stands for get its name, and stand last. */
static void
test_members(void)
{
    struct fake *f = fake_new();
    struct {
        const char *name;
        guint64 type, offset, flags;
        const char *doc;
    } members[] = {
        {"first", 6, 16, 0, NULL}, {"number", 1, 24, 0, NULL}, {"third", 16, 32, 0, NULL}, {NULL, 0, 0, 0, NULL}};
    wk_addr type = fake_type(f, "mod.Record", 48, 0, 0, traverse_fields),
            thing = fake_type(f, "mod.Thing", 16, 0, 0, NULL);
    wk_addr record = fake_object(f, type, 48);

    fake_poke(type, WK_TP_MEMBERS, (guint64)(uintptr_t)members);
    for (gint offset = 16; offset < 48; offset += 8)
        fake_poke(record, offset, fake_object(f, thing, 16));
    wk_mark(f->w, record);
    g_autofree char *dump = fake_walk(f);
    expect_lines(dump, "mod.Record", "mod.Record size 64 4 refs: unnamed .first .third");
    expect_lines(dump, "mod.Thing", "mod.Thing size 16\nmod.Thing size 16\nmod.Thing size 16\nmod.Thing size 16");
    fake_free(f);
}

static void
shuffle(wk_addr *cells, guint n)
{
    GRand *random = g_rand_new_with_seed(5);

    for (guint i = n - 1; i > 0; i--) {
        guint k = (guint)g_rand_int_range(random, 0, (gint32)i + 1);
        wk_addr other = cells[i];
        cells[i] = cells[k];
        cells[k] = other;
    }
    g_rand_free(random);
}

/* Where following references is all that can be done, it is done: no sweep for every object. */
static void
test_shuffled(void)
{
    struct fake *f = fake_new();
    const guint n = 50000;
    g_autofree wk_addr *cells = g_new(wk_addr, n);

    for (guint i = 0; i < n; i++)
        cells[i] = fake_list(f, (wk_addr[]){0}, 1);
    shuffle(cells, n);
    for (guint i = 0; i + 1 < n; i++)
        fake_poke(WK_U64(cells[i], WK_LIST_ITEMS), 0, cells[i + 1]);
    wk_mark(f->w, cells[0]);
    g_autofree char *dump = fake_walk(f);
    g_assert_nonnull(dump);
    g_assert_cmpuint(f->w->out.objects, >=, n);
    g_assert_cmpuint(wk_sweeps(f->w), <, 100);
    fake_free(f);
}

/* Lists side by side, each knowing only the next and the one before, in random order; every hundredth is none that the collector knows. */
static gboolean
walk_side_by_side(struct fake *f)
{
    const guint n = 20000, block = 64;
    guint real = 0, lines = 0;
    g_autofree wk_addr *cells = g_new(wk_addr, n);
    char *memory = mmap(NULL, n * block, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (guint i = 0; i < n; i++) {
        wk_addr cell = (wk_addr)(uintptr_t)memory + i * block + WK_GC_HEAD_SIZE;
        fake_poke(cell, WK_OB_REFCNT, 1);
        fake_poke(cell, WK_OB_TYPE, f->list);
        if (i % 100 != 50)
            cells[real++] = cell;
        else /* freed, and to nowhere */
            fake_poke(cell, -16, i == 50 ? 0x7ff000000000 : cells[i % 49] - WK_GC_HEAD_SIZE);
    }
    shuffle(cells, real);
    for (guint i = 0; i < real; i++) {
        fake_poke(cells[i], -16, cells[(i + 1) % real] - WK_GC_HEAD_SIZE);
        fake_poke(cells[i], -8, cells[(i + real - 1) % real] - WK_GC_HEAD_SIZE);
    }
    f->w->ghost = true;
    wk_mark(f->w, cells[0]);
    g_autofree char *dump = fake_walk(f);
    for (const char *at = dump; (at = strstr(at, "builtins.list size")) != NULL; at++)
        lines++;
    gboolean good = lines == real && f->w->skipped == 0 && f->w->fault->faults == 1 && wk_found_around(f->w) > real / 2;
    if (!good)
        g_printerr("%u of %u lists, skipped %" G_GUINT64_FORMAT ", faults %" G_GUINT64_FORMAT
                   ", found around %" G_GUINT64_FORMAT "\n",
                   lines, real, f->w->skipped, f->w->fault->faults, wk_found_around(f->w));
    return good;
}

static void
test_side_by_side(void)
{
    pid_t child = fork();

    if (child == 0) {
        struct fake *f = fake_new();
        _exit(wk_fault_install(f->w) && walk_side_by_side(f) ? 0 : 1);
    }
    int status = -1;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
}

/* Addresses that are none, twice the same, on odd multiples of eight, in any order. */
static void
test_marks(void)
{
    struct fake *f = fake_new();
    wk_addr thing = fake_type(f, "mod.Thing", 16, 0, 0, NULL), block = fake_alloc(f, 4096);
    guint64 bad[] = {0, 1, 8, 0xffff, 1ull << 47, ~0ull, block + 4};
    guint places[] = {4000, 24, 0, 48, 72, 24, 4000, 104};

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        wk_mark(f->w, bad[i]);
    for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
        fake_poke(block, (gint)places[i], 1);
        fake_poke(block, (gint)places[i] + 8, thing);
        wk_mark(f->w, block + places[i]);
    }
    g_autofree char *dump = fake_walk(f);
    expect_lines(dump, "mod.Thing skipped",
                 "mod.Thing size 16\nmod.Thing size 16\nmod.Thing size 16\nmod.Thing size 16\nmod.Thing size "
                 "16\nmod.Thing size 16");
    fake_free(f);
}

static void
test_no_type(void)
{
    struct fake *f = fake_new();
    wk_addr lone = fake_object(f, 0, 32), liar = fake_object(f, fake_str(f, "no type"), 32);

    wk_mark(f->w, lone);
    wk_mark(f->w, liar);
    g_autofree char *dump = fake_walk(f);
    expect_lines(dump, "skipped", "skipped: its type is no type\nskipped: its type is no type");
    g_assert_cmpuint(f->w->skipped, ==, 2);
    fake_free(f);
}

static int
traverse_for_ever(wk_addr object, int (*visit)(wk_addr, void *), void *arg)
{
    (void)visit, (void)arg;
    while (WK_READ(volatile guint64, object, 16) == 0)
        ;
    return 0;
}

/* In a process of its own: handlers and a timer. */
static void
test_stuck_and_faulting(void)
{
    pid_t child = fork();

    if (child == 0) {
        struct fake *f = fake_new();
        wk_addr slow = fake_type(f, "mod.Slow", 24, 0, 0, traverse_for_ever);
        wk_addr thing = fake_type(f, "mod.Thing", 16, 0, 0, NULL);
        wk_addr bad = fake_list(f, (wk_addr[]){0}, 1),
                after[] = {fake_object(f, slow, 24), bad, fake_object(f, thing, 16)};

        f->w->ghost = true;
        f->w->fault->tick_ms = 5;
        g_assert_true(wk_fault_install(f->w));
        fake_poke(bad, WK_LIST_ITEMS, 0x7ff000000000);
        wk_mark(f->w, fake_list(f, after, 3));
        g_autofree char *dump = fake_walk(f);
        g_autofree char *found = lines_of(dump, "mod. skipped builtins.list");
        bool good = strstr(found, "mod.Slow size 40 broken") != NULL && strstr(found, "mod.Thing size 16") != NULL &&
                    strstr(found, "builtins.list size 56 broken") != NULL &&
                    strstr(found, "skipped: it took seconds") != NULL &&
                    strstr(found, "skipped: reading it faulted") != NULL && strstr(found, "3 refs: index") != NULL;
        if (!good)
            g_printerr("%s\n", dump);
        _exit(good ? 0 : 1);
    }
    int status = -1;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
}

static void
test_memory_limit(void)
{
    struct fake *f = fake_new();
    wk_addr items[1] = {fake_alloc(f, 16)};

    wk_mark(f->w, fake_list(f, items, 1));
    f->w->memory.limit = f->w->memory.used + 1000;
    /* One object a mebibyte: each wants a leaf of its own. */
    if (wk_arch_save(&f->w->fault->top) == 0) {
        f->w->fault->top_armed = true;
        for (guint64 i = 1; i < 4096; i++)
            wk_mark(f->w, 0x100000000 + (i << 20));
        g_assert_not_reached();
    }
    g_assert_cmpuint(f->args.result.status, ==, WK_ERR_MEMORY);
    fake_free(f);
}

static void
test_names(void)
{
    struct fake *f = fake_new();
    struct wk *w = f->w;
    uint32_t plain = wk_name(w, ".attr");
    g_autofree char *long_name = g_strnfill(5000, 'x');

    g_assert_cmpuint(wk_name(w, ".attr"), ==, plain);
    g_assert_cmpuint(wk_name_str(w, WK_NAME_ATTR, fake_str(f, "attr")), ==, plain);
    g_assert_cmpuint(wk_name_cstr(w, WK_NAME_ATTR, "attr"), ==, plain);
    g_assert_cmpuint(wk_name_str(w, WK_NAME_KEY, fake_str(f, "it's \\ \n")), ==, wk_name(w, "['it\\'s \\\\ \\n']"));
    g_assert_cmpuint(wk_name_number(w, WK_NAME_STACK, 12), ==, wk_name(w, "<stack 12>"));
    uint32_t cut = wk_name_str(w, WK_NAME_LOCAL, fake_str(f, long_name));
    g_assert_cmpuint(cut, !=, plain);
    uint32_t before = w->out.names;
    for (guint i = 0; i < 20000; i++)
        wk_name_number(w, WK_NAME_INDEX, i);
    g_assert_cmpuint(w->out.names, ==, before + 20000);
    g_assert_cmpuint(wk_name(w, ".attr"), ==, plain);
    fake_free(f);
}

static void
test_layouts(void)
{
    struct fake *f = fake_new();
    uint32_t a = wk_name(f->w, "a"), b = wk_name(f->w, "b");
    uint32_t tags[] = {WK_TAG(a, 0), WK_TAG(b, 0), WK_TAG(b, HF_RUN_HIDDEN), WK_TAG(0, HF_RUN_WEAK)};
    uint32_t one = wk_layout(f->w, false, HF_RUN_UNNAMED, tags, 4);

    g_assert_cmpuint(wk_layout(f->w, false, HF_RUN_UNNAMED, tags, 4), ==, one);
    g_assert_cmpuint(wk_layout(f->w, false, HF_RUN_UNNAMED, tags, 3), !=, one);
    g_assert_cmpuint(wk_layout(f->w, true, HF_RUN_UNNAMED, tags, 4), !=, one);
    g_assert_cmpuint(wk_layout(f->w, true, HF_RUN_INDEX, tags, 0), ==, wk_layout_fixed(f->w, HF_RUN_INDEX));
    g_assert_cmpuint(wk_layout(f->w, false, HF_RUN_UNNAMED, tags, 0), ==, 0);
    fake_free(f);
}

static void
test_text(void)
{
    guint8 buffer[10];
    struct wk_text t = {.buf = buffer, .cap = sizeof buffer};

    wk_text_reset(&t);
    wk_text_bytes(&t, "12345678", 8);
    wk_text_bytes(&t, "\xe2\x82\xac", 3); /* three bytes, room for two: none */
    g_assert_cmpuint(t.len, ==, 8);
    g_assert_true(t.full);
    wk_text_reset(&t);
    wk_text_int(&t, G_MININT64 / 1000000000);
    g_assert_cmpmem(t.bytes, t.len, "-922337203", 10);
    wk_text_reset(&t);
    wk_text_hex(&t, 0xbeef);
    g_assert_cmpmem(t.bytes, t.len, "0xbeef", 6);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/walker/containers", test_containers);
    g_test_add_func("/walker/members", test_members);
    g_test_add_func("/walker/shuffled", test_shuffled);
    g_test_add_func("/walker/side-by-side", test_side_by_side);
    g_test_add_func("/walker/marks", test_marks);
    g_test_add_func("/walker/no-type", test_no_type);
    g_test_add_func("/walker/stuck-and-faulting", test_stuck_and_faulting);
    g_test_add_func("/walker/memory-limit", test_memory_limit);
    g_test_add_func("/walker/names", test_names);
    g_test_add_func("/walker/layouts", test_layouts);
    g_test_add_func("/walker/text", test_text);
    return g_test_run();
}
