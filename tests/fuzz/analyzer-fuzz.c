// SPDX-License-Identifier: MIT
/*
 * Runs every command over made-up dumps that no interpreter would write: references into nowhere, several rows for an address, layouts
 * that do not fit, broken objects, names and contents of any bytes. Nothing may crash or hang, and what is printed is
 * UTF-8 without control characters. analyzer-fuzz [RUNS [SEED]]
 */
#include <heapfile/writer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz-run.h"
#include "load/ha-load.h"

static bool
sink(void *user, const void *bytes, size_t n)
{
    return write(*(int *)user, bytes, n) == (ssize_t)n;
}

/* A small set of places, so that references meet. */
static guint64
some_addr(void)
{
    static const guint64 odd[] = {0, 8, 0xfffffffffffffff8, 0x7ffffffffff8, 0x1008, 0x1010, 0x1ff8, 0x2000};
    return below(8) == 0 ? odd[below(G_N_ELEMENTS(odd))] : 0x1000 + 16 * (guint64)below(48);
}

static gsize
some_text(char *text, gsize max)
{
    static const char *const pieces[] = {"a",
                                         ".",
                                         "asyncio",
                                         "Task",
                                         "\\",
                                         "'",
                                         "\n",
                                         "\033[31m",
                                         "\xff",
                                         "\xed\xa0\x80",
                                         "\xe2\x80\xae",
                                         "\xc3\xa9",
                                         "\"",
                                         "__dict__",
                                         " at ",
                                         "<",
                                         "&",
                                         "%s",
                                         "\xf0\x9f\x98\x80"};
    gsize n = 0;
    for (guint k = below(6); k > 0; k--) {
        const char *piece = pieces[below(G_N_ELEMENTS(pieces))];
        gsize length = strlen(piece);
        if (n + length + 1 > max)
            break;
        memcpy(text + n, piece, length);
        n += length;
        if (below(20) == 0)
            text[n++] = 0;
    }
    return n;
}

static guint32
some_layout(struct hf_writer *w)
{
    struct hf_run runs[5];
    guint32 names[5][4];
    guint n = 1 + below(5);
    gboolean open = FALSE;
    for (guint i = 0; i < n; i++) {
        runs[i] = (struct hf_run){.kind = below(HF_RUN_KIND_COUNT), .flags = below(4), .count = 1 + below(4)};
        if (runs[i].kind == HF_RUN_ITEMS)
            runs[i].count = 2;
        if (!open && runs[i].kind != HF_RUN_NAMED && below(2) == 0) {
            runs[i].count = 0;
            open = TRUE;
        }
        for (guint k = 0; k < 4; k++)
            names[i][k] = below(w->names + 1);
        runs[i].names = names[i];
    }
    return hf_write_layout(w, runs, n);
}

static void
some_object(struct hf_writer *w)
{
    char content[200];
    guint64 refs[24];
    struct hf_object_row row = {.addr = some_addr() & ~(guint64)7,
                                .size = below(10) == 0 ? G_MAXUINT64 - below(3) : below(2000),
                                .refcount = below(10) == 0 ? G_MAXUINT64 : below(6),
                                .real_size = below(5000),
                                .whole_length = below(1000),
                                .type = 1 + below(w->types),
                                .layout = below(w->layouts + 1),
                                .content = content,
                                .refs = refs,
                                .n_refs = below(G_N_ELEMENTS(refs)),
                                .flags = HF_OBJ_BROKEN | HF_OBJ_SIZE};
    static const guint32 flags[] = {HF_OBJ_GC,        HF_OBJ_REFCOUNT,     HF_OBJ_CONTENT,  HF_OBJ_IMMORTAL,
                                    HF_OBJ_REAL_SIZE, HF_OBJ_SIZE_UNKNOWN, HF_OBJ_INTERNED, HF_OBJ_FROZEN};
    for (guint i = 0; i < G_N_ELEMENTS(flags); i++)
        if (below(2) == 0)
            row.flags |= flags[i];
    if (row.flags & HF_OBJ_CONTENT && below(2) == 0)
        row.flags |= HF_OBJ_CUT;
    row.content_len = some_text(content, sizeof content);
    for (guint i = 0; i < row.n_refs; i++)
        refs[i] = some_addr();
    if (below(8) == 0) {
        row.flags |= HF_OBJ_MORE;
        hf_write_object(w, &row);
        row.flags = HF_OBJ_CONT;
    }
    hf_write_object(w, &row);
}

static void
some_threads(struct hf_writer *w)
{
    char text[40];
    for (guint t = below(3); t > 0; t--) {
        hf_write_thread(w, &(struct hf_thread_row){.ident = t, .name = text, .name_len = some_text(text, sizeof text)});
        for (guint f = below(3); f > 0; f--) {
            guint32 names[4];
            guint64 refs[4];
            for (guint i = 0; i < 4; i++) {
                names[i] = below(w->names + 1);
                refs[i] = some_addr();
            }
            hf_write_frame(w, &(struct hf_frame_row){.frame = some_addr(),
                                                     .code = some_addr(),
                                                     .flags = below(2),
                                                     .line = below(100),
                                                     .qualname = text,
                                                     .qualname_len = some_text(text, sizeof text),
                                                     .file = "f",
                                                     .file_len = 1,
                                                     .names = names,
                                                     .refs = refs,
                                                     .n = below(5)});
        }
    }
}

static HaGraph *
some_dump(void)
{
    char text[60];
    int fd = memfd_create("analyzer-fuzz", MFD_CLOEXEC);
    g_autofree void *memory = g_malloc(HF_WRITER_MEMORY);
    struct hf_writer w;
    hf_writer_init(&w, memory, sink, &fd);
    hf_write_header(&w, 8);
    hf_write_meta_text(&w, "key", text, some_text(text, sizeof text));
    static const char *const identity[] = {HF_META_PID, HF_META_INNER, HF_META_START, HF_META_BOOT, HF_META_CMDLINE};
    for (guint i = 0; i < G_N_ELEMENTS(identity); i++)
        if (below(2) == 0)
            hf_write_meta_text(&w, identity[i], text, below(3) == 0 ? some_text(text, sizeof text) : 0);
    for (guint i = below(8); i > 0; i--)
        hf_write_name(&w, text, some_text(text, sizeof text));
    for (guint i = 1 + below(8); i > 0; i--)
        hf_write_type(&w, &(struct hf_type_row){.addr = some_addr() & ~(guint64)7,
                                                .base = some_addr() & ~(guint64)7,
                                                .family = below(HF_FAMILY_COUNT),
                                                .flags = below(32),
                                                .name = text,
                                                .name_len = some_text(text, sizeof text)});
    for (guint i = below(6); i > 0; i--)
        some_layout(&w);
    for (guint i = below(60); i > 0; i--)
        some_object(&w);
    for (guint i = w.layouts != 0 ? below(4) : 0; i > 0; i--)
        hf_write_role(&w, some_addr() & ~(guint64)7, 1 + below(w.layouts));
    for (guint i = below(4); i > 0; i--)
        hf_write_root(&w, 1 + below(4), some_addr(), below(w.names + 1), below(2));
    some_threads(&w);
    hf_write_counter(&w, "some", below(100));
    hf_write_skipped(&w, some_addr() & ~(guint64)7, "no reason");
    gboolean ok = hf_writer_finish(&w, below(10) == 0 ? HF_END_INCOMPLETE : HF_END_COMPLETE, "reason");
    g_assert_true(ok);
    lseek(fd, 0, SEEK_SET);
    g_autoptr(GError) error = NULL;
    HaGraph *g = ha_load_fd(fd, "made up", &error);
    g_assert_no_error(error);
    return g;
}

int
main(int argc, char **argv)
{
    static const char *const lines[] = {
        "x top --show-parents --max-depth 30",
        "x top --sort retained --json --show-parents --max-breadth 1",
        "x top --filter asyncio.Task",
        "x types --by module --sort growth",
        "x types --json --filter a",
        "x info",
        "x info --json",
        "x export",
        "x export --format dot",
        "x export --format heapsnapshot",
        "x assert count(*)>=0 retained(a*)<0 duplicates(*)<0 growth(*)<-9 garbage()<0 total_size()<0",
        "x assert --json count(*)<0 size(*)<0 growth_size(*)<-9 duplicates_size(str)<0 objects()<0",
        "x export --format csv",
        "x export --format csv --table refs",
        "x export --format csv --table types",
        "x export --format csv --table roots",
        "x export --format csv --table variables",
        "x export --format csv --table meta",
        "x object 0x1010",
        "x object 0x1100 --json --limit 2",
        "x graph --filter a --highlight asyncio.Task --max-depth 5",
        "x paths a",
        "x paths 0x1010 --all 9 --json",
        "x paths a --via 0x1040 --exclude a --json",
        "x threads",
        "x threads --json --limit 1",
        "x tasks",
        "x tasks --json",
        "x retained --min-percent 0",
        "x retained 0x1010 --json",
        "x types --garbage --sort garbage",
        "x types --duplicates",
        "x types --duplicates --json",
        "x types --containers",
        "x types --containers --json",
        "x diff A",
        "x diff A B --json --limit 0",
        "x leaks --min-bytes 0",
        "x leaks --min-bytes 0 --json --limit 0",
    };
    guint runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 300;
    guint seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    for (guint i = 0; i < runs; i++) {
        rnd = g_rand_new_with_seed(seed + i); /* each can be had again alone: analyzer-fuzz 1 SEED */
        printf("# seed %u\n", seed + i);
        fflush(stdout);
        g_autoptr(HaGraph) g = some_dump();
        g_autoptr(HaGraph) other = some_dump();
        for (guint k = 0; k < G_N_ELEMENTS(lines); k++)
            fuzz_run(g, other, lines[k]);
        g_rand_free(rnd);
    }
    return 0;
}
