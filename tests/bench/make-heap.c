// SPDX-License-Identifier: MIT
/*
 * Writes a made-up heap: make-heap OBJECTS FILE.heap [SHAPE]. Sizes, kinds, references (about 4.6 an object), contents and
 * addresses are like those of a large program; the same call gives the same bytes. Shapes other than "ordinary" are corners where an
 * analysis may be quadratic:
 *   adversary   a linked list whose end refers to a wide list that is also held from the start
 *   wide        a list of all objects
 *   chain       each object holds the next
 *   hub         all objects are in one list and refer to one object
 *   types       a type for every fourth object, up to a million
 *   names       an attribute's name of its own for every fourth object, up to a million
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <heapfile/writer.h>

#define TYPES   300 /* but for "types" */
#define MODULES 400

enum kind { STR, INT, DICT, LIST, TUPLE, INSTANCE, KINDS };

static uint64_t state = 1;

static uint32_t
below(uint32_t n)
{
    state += 0x9e3779b97f4a7c15ull;
    uint64_t z = (state ^ state >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (uint32_t)(((z >> 32) * n) >> 32);
}

static void *
array(size_t n, size_t item)
{
    void *p = calloc(n + 1, item);
    if (p == NULL) {
        fputs("make-heap: not enough memory\n", stderr);
        exit(1);
    }
    return p;
}

static bool
sink(void *user, const void *bytes, size_t n)
{
    return fwrite(bytes, 1, n, user) == n;
}

struct heap {
    uint32_t n;
    uint64_t edges, room;
    uint32_t *from, *to; /* unsorted edges */
    uint64_t *first;     /* n + 1, after sorting */
    uint32_t *refs;
    uint32_t *counts;
    uint64_t *addr;
    uint8_t *kind;
    uint32_t *size;
};

static void
edge(struct heap *h, uint32_t from, uint32_t to)
{
    if (h->edges == h->room) {
        h->room = h->room * 2 + 1024;
        h->from = realloc(h->from, h->room * sizeof *h->from);
        h->to = realloc(h->to, h->room * sizeof *h->to);
        if (h->from == NULL || h->to == NULL)
            exit(1);
    }
    h->from[h->edges] = from;
    h->to[h->edges++] = to;
    h->counts[to]++;
}

static bool
holds_others(const struct heap *h, uint32_t i)
{
    return h->kind[i] >= DICT;
}

/* Objects 0 … MODULES - 1 are the roots; each later one is owned by an earlier one, mostly near by, but for a little garbage. */
static void
make_ordinary(struct heap *h)
{
    static const uint8_t mix[20] = {STR,  STR,  STR,  STR,  STR,   STR,   STR,      INT,      INT,      DICT,
                                    DICT, DICT, LIST, LIST, TUPLE, TUPLE, INSTANCE, INSTANCE, INSTANCE, INSTANCE};
    for (uint32_t i = 0; i < h->n; i++) {
        h->kind[i] = i < MODULES ? DICT : mix[below(20)];
        h->size[i] = 48 + 16 * below(8);
        if (below(1000) == 0)
            h->size[i] = 1000 + below(100000);
    }
    for (uint32_t i = MODULES; i < h->n; i++) {
        uint32_t owner = below(100) < 15 || i < 2 * MODULES ? below(MODULES) : i - 1 - below(i > 60 ? 60 : i);
        while (!holds_others(h, owner))
            owner--;
        if (below(1000) != 0)
            edge(h, owner, i);
        if (!holds_others(h, i))
            continue;
        for (unsigned k = below(9); k > 0; k--)
            edge(h, i, MODULES + below(h->n / 100));
        for (unsigned k = below(5); k > 0; k--)
            edge(h, i, i > 600 ? i - below(600) : below(i));
        if (below(3) == 0)
            edge(h, i, owner);
    }
}

static void
make_adversary(struct heap *h)
{
    uint32_t half = h->n / 2;
    for (uint32_t i = 0; i < h->n; i++) {
        h->kind[i] = LIST;
        h->size[i] = 64;
        if (i + 1 < half)
            edge(h, i, i + 1);
    }
    for (uint32_t i = half; i < h->n; i++) {
        edge(h, 0, i);
        edge(h, half - 1, i);
    }
}

static void
make_wide(struct heap *h)
{
    for (uint32_t i = 0; i < h->n; i++) {
        h->kind[i] = i == 0 ? LIST : STR;
        h->size[i] = 64;
        if (i > 0)
            edge(h, 0, i);
    }
}

static void
make_chain(struct heap *h)
{
    for (uint32_t i = 0; i < h->n; i++) {
        h->kind[i] = LIST;
        h->size[i] = 64;
        if (i > 0)
            edge(h, i - 1, i);
    }
}

static void
make_hub(struct heap *h)
{
    for (uint32_t i = 0; i < h->n; i++) {
        h->kind[i] = i == 1 ? STR : LIST;
        h->size[i] = 64;
        if (i > 0)
            edge(h, 0, i);
        if (i > 1)
            edge(h, i, 1);
    }
}

static const struct {
    const char *name;
    void (*make)(struct heap *h);
    uint32_t roots;
    bool many_types, many_names;
} shapes[] = {
    {"ordinary", make_ordinary, MODULES, false, false},
    {"adversary", make_adversary, 1, false, false},
    {"wide", make_wide, 1, false, false},
    {"chain", make_chain, 1, false, false},
    {"hub", make_hub, 1, false, false},
    {"types", make_ordinary, MODULES, true, false},
    {"names", make_ordinary, MODULES, false, true},
};

static void
sort_edges(struct heap *h)
{
    h->first = array(h->n + 2, sizeof *h->first);
    h->refs = array(h->edges, sizeof *h->refs);
    for (uint64_t e = 0; e < h->edges; e++)
        h->first[h->from[e] + 2]++;
    for (uint32_t i = 2; i < h->n + 2; i++)
        h->first[i] += h->first[i - 1];
    for (uint64_t e = 0; e < h->edges; e++)
        h->refs[h->first[h->from[e] + 1]++] = h->to[e];
}

/* Like the small-object allocator: arenas of 1 MiB in any order, pools of 16 KiB by size. */
static void
place(struct heap *h)
{
    uint64_t large = 0x560000000000, pool_at[64] = {0}, pool_end[64] = {0}, arena = 0, arena_end = 0;
    uint32_t arenas = h->n / 6000 + 64;
    uint8_t *used = array(arenas * 8, 1);
    for (uint32_t i = 0; i < h->n; i++) {
        uint32_t bytes = (h->size[i] + 15) & ~15u;
        if (bytes > 512) {
            h->addr[i] = large;
            large += bytes + 16;
            continue;
        }
        uint32_t class = bytes / 16;
        if (pool_at[class] + bytes > pool_end[class]) {
            if (arena == arena_end) {
                uint32_t slot;
                do
                    slot = below(arenas * 8);
                while (used[slot]);
                used[slot] = 1;
                arena = 0x7f0000000000 + ((uint64_t)slot << 20);
                arena_end = arena + (1 << 20);
            }
            pool_at[class] = arena + 48;
            pool_end[class] = arena += 16384;
        }
        h->addr[i] = pool_at[class];
        pool_at[class] += bytes;
    }
    free(used);
}

static const struct heap *sorting;

static int
compare_addr(const void *a, const void *b)
{
    uint64_t x = sorting->addr[*(const uint32_t *)a], y = sorting->addr[*(const uint32_t *)b];
    return x < y ? -1 : x > y;
}

struct ids {
    uint32_t types[TYPES], layout_named[TYPES][12], layout_index, layout_items;
    bool many_types, many_names;
    uint32_t more; /* types or names beyond these */
};

#define MORE_MAX 1000000u

/* A type or a layout of an object's own. */
static void
write_more(struct hf_writer *w, struct ids *ids, struct hf_object_row *row)
{
    char name[64];
    if (ids->more == MORE_MAX)
        return;
    ids->more++;
    if (ids->many_types) {
        snprintf(name, sizeof name, "app.module%u.Own%u", ids->more / 20, ids->more);
        row->type = hf_write_type(w, &(struct hf_type_row){.addr = 0x540000000000 + ids->more * 1024ull,
                                                           .common_size = 64,
                                                           .name = name,
                                                           .name_len = strlen(name)});
    } else if (row->n_refs > 0) {
        snprintf(name, sizeof name, ".own_%u", ids->more);
        uint32_t id = hf_write_name(w, name, strlen(name));
        row->layout = hf_write_layout(w,
                                      (struct hf_run[]){{.kind = HF_RUN_NAMED, .count = 1, .names = &id},
                                                        {.kind = HF_RUN_UNNAMED, .count = row->n_refs - 1}},
                                      row->n_refs > 1 ? 2 : 1);
    }
}

static void
write_types(struct hf_writer *w, struct ids *ids)
{
    static const char *const builtin[KINDS] = {"builtins.str",  "builtins.int",   "builtins.dict",
                                               "builtins.list", "builtins.tuple", "app.Base"};
    static const uint32_t families[KINDS] = {HF_FAMILY_STR,  HF_FAMILY_INT,   HF_FAMILY_DICT,
                                             HF_FAMILY_LIST, HF_FAMILY_TUPLE, HF_FAMILY_OTHER};
    for (unsigned t = 0; t < TYPES; t++) {
        char name[64];
        snprintf(name, sizeof name, t < KINDS ? "%s" : "app.module%s.Class", t < KINDS ? builtin[t] : "");
        if (t >= KINDS)
            snprintf(name, sizeof name, "app.module%u.Class%u", t / 20, t);
        struct hf_type_row row = {.addr = 0x550000000000 + t * 1024,
                                  .common_size = 64,
                                  .family = t < KINDS ? families[t] : HF_FAMILY_OTHER,
                                  .name = name,
                                  .name_len = strlen(name)};
        ids->types[t] = hf_write_type(w, &row);
        uint32_t names[12];
        for (unsigned k = 0; k < 12; k++) {
            snprintf(name, sizeof name, ".attribute_%u_%u", t, k);
            names[k] = hf_write_name(w, name, strlen(name));
            struct hf_run run[2] = {{.kind = HF_RUN_NAMED, .count = k + 1, .names = names}, {.kind = HF_RUN_UNNAMED}};
            ids->layout_named[t][k] = hf_write_layout(w, run, 2);
        }
    }
    ids->layout_index = hf_write_layout(w, &(struct hf_run){.kind = HF_RUN_INDEX}, 1);
    ids->layout_items = hf_write_layout(w, &(struct hf_run){.kind = HF_RUN_ITEMS}, 1);
}

static void
write_object(struct hf_writer *w, const struct heap *h, struct ids *ids, uint32_t i, uint64_t *refs)
{
    char content[64];
    uint64_t n = h->first[i + 1] - h->first[i];
    uint32_t type = h->kind[i] == INSTANCE ? KINDS + i % (TYPES - KINDS) : h->kind[i];
    for (uint64_t k = 0; k < n; k++)
        refs[k] = h->addr[h->refs[h->first[i] + k]];
    struct hf_object_row row = {.addr = h->addr[i],
                                .size = h->size[i],
                                .flags = HF_OBJ_SIZE | (h->counts[i] != 1 ? HF_OBJ_REFCOUNT : 0),
                                .refcount = h->counts[i],
                                .type = ids->types[type],
                                .refs = refs,
                                .n_refs = n};
    if (holds_others(h, i))
        row.flags |= HF_OBJ_GC;
    if (h->kind[i] == STR || h->kind[i] == INT) {
        snprintf(content, sizeof content, h->kind[i] == STR ? "a string of some length %u" : "%u", i);
        row.flags |= HF_OBJ_CONTENT;
        row.content = content;
        row.content_len = strlen(content);
    }
    if (h->kind[i] == LIST || h->kind[i] == TUPLE)
        row.layout = ids->layout_index;
    else if (h->kind[i] == DICT && n % 2 == 0)
        row.layout = ids->layout_items;
    else if (h->kind[i] == INSTANCE && n > 0)
        row.layout = ids->layout_named[type][n > 12 ? 11 : n - 1];
    if (h->kind[i] == INSTANCE && (ids->many_types || ids->many_names))
        write_more(w, ids, &row);
    hf_write_object(w, &row);
}

int
main(int argc, char **argv)
{
    uint32_t n = argc > 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    size_t shape = 0;
    while (argc > 3 && shape < sizeof shapes / sizeof *shapes && strcmp(argv[3], shapes[shape].name) != 0)
        shape++;
    if (n < 10 * MODULES || shape == sizeof shapes / sizeof *shapes) {
        fprintf(stderr, "usage: make-heap OBJECTS FILE.heap [SHAPE]; at least %d objects; shapes:", 10 * MODULES);
        for (shape = 0; shape < sizeof shapes / sizeof *shapes; shape++)
            fprintf(stderr, " %s", shapes[shape].name);
        fputc('\n', stderr);
        return 2;
    }
    struct heap h = {.n = n};
    h.counts = array(n, sizeof *h.counts);
    h.addr = array(n, sizeof *h.addr);
    h.kind = array(n, 1);
    h.size = array(n, sizeof *h.size);
    shapes[shape].make(&h);
    sort_edges(&h);
    place(&h);

    FILE *file = fopen(argv[2], "wb");
    if (file == NULL) {
        perror(argv[2]);
        return 1;
    }
    struct hf_writer *w = array(1, sizeof *w);
    struct ids *ids = array(1, sizeof *ids);
    uint64_t most = 0;
    uint32_t *order = array(n, sizeof *order);
    for (uint32_t i = 0; i < n; i++) {
        order[i] = i;
        if (h.first[i + 1] - h.first[i] > most)
            most = h.first[i + 1] - h.first[i];
    }
    sorting = &h;
    qsort(order, n, sizeof *order, compare_addr);
    uint64_t *refs = array(most, sizeof *refs);
    hf_writer_init(w, array(HF_WRITER_MEMORY, 1), sink, file);
    hf_write_header(w, 8);
    hf_write_meta_text(w, HF_META_TOOL, "make-heap", 9);
    write_types(w, ids);
    ids->many_types = shapes[shape].many_types;
    ids->many_names = shapes[shape].many_names;
    for (uint32_t i = 0; i < shapes[shape].roots; i++) {
        hf_write_root(w, HF_ROOT_INTERPRETER, h.addr[i], 0, true);
        h.counts[i]++;
    }
    /* two sweeps, as the walker's are: most objects in the first */
    for (unsigned sweep = 0; sweep < 2; sweep++)
        for (uint32_t i = 0; i < n; i++)
            if ((order[i] * 2654435761u >> 28 == 0) == (sweep == 1))
                write_object(w, &h, ids, order[i], refs);
    bool ok = hf_writer_finish(w, HF_END_COMPLETE, "");
    ok = fclose(file) == 0 && ok;
    fprintf(stderr, "%u objects, %llu references\n", n, (unsigned long long)h.edges);
    return ok ? 0 : 1;
}
