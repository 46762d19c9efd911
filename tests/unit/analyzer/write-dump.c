// SPDX-License-Identifier: MIT
/*
 * Writes the dump that a text describes: write-dump DUMP < TEXT, for tests of what reads dumps. Lines, words quoted as in a shell:
 *
 *   meta KEY TEXT                                   counter KEY N
 *   skipped ADDR WHY                                incomplete REASON
 *   type NAME ADDR FAMILY [base=ADDR] [basic=N] [flags=N]   (types that are not given are made up; the well-known ones have their family)
 *   object ADDR TYPE [size=N] [real=N] [count=N] [content=TEXT] [whole=N] [gc] [immortal] [broken] [interned] [frozen] [: (NAME ADDR)…]
 *   root KIND ADDR NAME [counted]                   KIND: interpreter thread static-type runtime
 *   thread NAME [main] [gil]
 *   frame QUALNAME FILE LINE [owned] [object=ADDR] [: (NAME ADDR)…]
 *
 * NAME of a reference: the text; "-" for none; "[i]" "[k]" "[v]" "{}" for the runs INDEX, key and value of ITEMS, MEMBER; "~NAME"
 * is weak, "+NAME" hidden. TEXT has C escapes.
 */
#include <errno.h>
#include <glib.h>
#include <heapfile/writer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static guint line_number;
static struct hf_writer writer;
static GHashTable *types;

static void die(const char *why, const char *what) G_GNUC_NORETURN;

static void
die(const char *why, const char *what)
{
    fprintf(stderr, "write-dump: line %u: %s: %s\n", line_number, why, what);
    exit(1);
}

static guint64
number(const char *text)
{
    char *end;
    guint64 value = g_ascii_strtoull(text, &end, 0);
    if (*text == 0 || *end != 0)
        die("no number", text);
    return value;
}

static guint
family(const char *name)
{
    static const char *const names[HF_FAMILY_COUNT] = {
        "other",     "str",      "bytes", "int",     "float",    "bool",   "none",    "dict",     "list",
        "tuple",     "set",      "type",  "module",  "function", "method", "code",    "frame",    "generator",
        "coroutine", "asyncgen", "cell",  "weakref", "task",     "future", "builtin", "exception"};
    for (guint i = 0; i < HF_FAMILY_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return HF_FAMILY_COUNT;
}

static guint32
add_type(const char *name, guint64 addr, guint kind, guint64 base, guint64 basic, guint32 flags)
{
    struct hf_type_row row = {.addr = addr,
                              .base = base,
                              .basic_size = basic,
                              .family = kind,
                              .flags = flags,
                              .name = name,
                              .name_len = strlen(name)};
    guint32 id = hf_write_type(&writer, &row);
    g_hash_table_insert(types, g_strdup(name), GUINT_TO_POINTER(id));
    return id;
}

static guint32
type_of(const char *name)
{
    guint32 id = GPOINTER_TO_UINT(g_hash_table_lookup(types, name));
    if (id != 0)
        return id;
    guint kind = HF_FAMILY_OTHER;
    if (g_str_has_prefix(name, "builtins."))
        kind = family(name + strlen("builtins."));
    if (strcmp(name, "builtins.builtin_function_or_method") == 0)
        kind = HF_FAMILY_BUILTIN;
    if (strcmp(name, "_asyncio.Task") == 0)
        kind = HF_FAMILY_TASK;
    return add_type(name, 0x550000000000 + 0x400 * (guint64)g_hash_table_size(types),
                    kind < HF_FAMILY_COUNT ? kind : HF_FAMILY_OTHER, 0, 0, 0);
}

/* word is "key=value": the value; NULL: it is another. */
static const char *
value_of(const char *word, const char *key)
{
    gsize n = strlen(key);
    return strncmp(word, key, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

/* The (NAME ADDR) pairs behind ":". */
typedef struct {
    GArray *names; /* guint32 */
    GArray *refs;  /* guint64 */
    GArray *runs;  /* struct hf_run */
} Refs;

static void
read_refs(char **words, Refs *r)
{
    r->names = g_array_new(FALSE, FALSE, sizeof(guint32));
    r->refs = g_array_new(FALSE, FALSE, sizeof(guint64));
    r->runs = g_array_new(FALSE, FALSE, sizeof(struct hf_run));
    for (; *words != NULL; words += 2) {
        const char *name = words[0];
        if (words[1] == NULL)
            die("a name without address", name);
        guint64 ref = number(words[1]);
        struct hf_run run = {.kind = HF_RUN_NAMED, .count = 1};
        if (*name == '~' || *name == '+')
            run.flags = *name++ == '~' ? HF_RUN_WEAK : HF_RUN_HIDDEN;
        if (strcmp(name, "-") == 0)
            run.kind = HF_RUN_UNNAMED;
        else if (strcmp(name, "[i]") == 0)
            run.kind = HF_RUN_INDEX;
        else if (strcmp(name, "[k]") == 0 || strcmp(name, "[v]") == 0)
            run.kind = HF_RUN_ITEMS;
        else if (strcmp(name, "{}") == 0)
            run.kind = HF_RUN_MEMBER;
        guint32 id = run.kind == HF_RUN_NAMED ? hf_write_name(&writer, name, strlen(name)) : 0;
        struct hf_run *last = r->runs->len > 0 ? &g_array_index(r->runs, struct hf_run, r->runs->len - 1) : NULL;
        if (last != NULL && last->kind == run.kind && last->flags == run.flags)
            last->count++;
        else
            g_array_append_val(r->runs, run);
        g_array_append_val(r->names, id);
        g_array_append_val(r->refs, ref);
    }
    guint at = 0;
    for (guint i = 0; i < r->runs->len; i++) {
        struct hf_run *run = &g_array_index(r->runs, struct hf_run, i);
        run->names = &g_array_index(r->names, guint32, at);
        at += run->count;
    }
}

static void
clear_refs(Refs *r)
{
    g_array_unref(r->names);
    g_array_unref(r->refs);
    g_array_unref(r->runs);
}

/* Length of the C escapes' text, which may hold NUL bytes (\0). */
static char *
unescape(const char *text, gsize *n)
{
    GString *out = g_string_new(NULL);
    for (; *text != 0; text++) {
        if (*text != '\\') {
            g_string_append_c(out, *text);
            continue;
        }
        text++;
        if (*text == 'n')
            g_string_append_c(out, '\n');
        else if (*text == 't')
            g_string_append_c(out, '\t');
        else if (*text == '0')
            g_string_append_c(out, 0);
        else if (*text == 'x' && g_ascii_isxdigit(text[1]) && g_ascii_isxdigit(text[2])) {
            g_string_append_c(out, g_ascii_xdigit_value(text[1]) * 16 + g_ascii_xdigit_value(text[2]));
            text += 2;
        } else
            g_string_append_c(out, *text);
    }
    *n = out->len;
    return g_string_free(out, FALSE);
}

static void
write_object(char **words)
{
    static const struct {
        const char *word;
        guint32 flag;
    } flags[] = {{"gc", HF_OBJ_GC},         {"immortal", HF_OBJ_IMMORTAL},
                 {"broken", HF_OBJ_BROKEN}, {"interned", HF_OBJ_INTERNED},
                 {"frozen", HF_OBJ_FROZEN}, {"size-unknown", HF_OBJ_SIZE_UNKNOWN}};
    struct hf_object_row row = {.addr = number(words[0]), .size = 64, .refcount = 1, .flags = HF_OBJ_SIZE};
    row.type = type_of(words[1]);
    g_autofree char *content = NULL;
    Refs refs;
    for (words += 2; *words != NULL && strcmp(*words, ":") != 0; words++) {
        const char *value;
        gboolean known = FALSE;
        for (guint i = 0; i < G_N_ELEMENTS(flags); i++)
            if (strcmp(*words, flags[i].word) == 0) {
                row.flags |= flags[i].flag;
                known = TRUE;
            }
        if ((value = value_of(*words, "size")) != NULL) {
            row.size = number(value);
        } else if ((value = value_of(*words, "real")) != NULL) {
            row.real_size = number(value);
            row.flags |= HF_OBJ_REAL_SIZE;
        } else if ((value = value_of(*words, "count")) != NULL) {
            row.refcount = number(value);
            row.flags |= HF_OBJ_REFCOUNT;
        } else if ((value = value_of(*words, "content")) != NULL) {
            row.content = content = unescape(value, &row.content_len);
            row.flags |= HF_OBJ_CONTENT;
        } else if ((value = value_of(*words, "whole")) != NULL) {
            row.whole_length = number(value);
            row.flags |= HF_OBJ_CUT;
        } else if (!known) {
            die("unknown word", *words);
        }
    }
    read_refs(*words != NULL ? words + 1 : words, &refs);
    if (refs.runs->len > 0)
        row.layout = hf_write_layout(&writer, (struct hf_run *)(void *)refs.runs->data, refs.runs->len);
    row.refs = (guint64 *)(void *)refs.refs->data;
    row.n_refs = refs.refs->len;
    hf_write_object(&writer, &row);
    clear_refs(&refs);
}

static void
write_frame(char **words)
{
    struct hf_frame_row row = {.qualname = words[0],
                               .qualname_len = strlen(words[0]),
                               .file = words[1],
                               .file_len = strlen(words[1]),
                               .line = number(words[2])};
    for (words += 3; *words != NULL && strcmp(*words, ":") != 0; words++) {
        const char *value = value_of(*words, "object");
        if (value != NULL)
            row.frame = number(value);
        else if (strcmp(*words, "owned") == 0)
            row.flags |= HF_FRAME_OWNED;
        else
            die("unknown word", *words);
    }
    Refs refs;
    read_refs(*words != NULL ? words + 1 : words, &refs);
    row.names = (guint32 *)(void *)refs.names->data;
    row.refs = (guint64 *)(void *)refs.refs->data;
    row.n = refs.refs->len;
    hf_write_frame(&writer, &row);
    clear_refs(&refs);
}

static guint
root_kind(const char *name)
{
    static const char *const kinds[] = {[HF_ROOT_INTERPRETER] = "interpreter",
                                        [HF_ROOT_THREAD] = "thread",
                                        [HF_ROOT_STATIC_TYPE] = "static-type",
                                        [HF_ROOT_RUNTIME] = "runtime"};
    for (guint i = 1; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i], name) == 0)
            return i;
    die("unknown kind of root", name);
}

static char *incomplete;

static void
write_line(char **words)
{
    guint n = g_strv_length(words);
    const char *what = words[0];
    if (n >= 3 && strcmp(what, "meta") == 0) {
        gsize length;
        g_autofree char *value = unescape(words[2], &length);
        hf_write_meta_text(&writer, words[1], value, length);
    } else if (n >= 3 && strcmp(what, "counter") == 0) {
        hf_write_counter(&writer, words[1], number(words[2]));
    } else if (n >= 3 && strcmp(what, "skipped") == 0) {
        hf_write_skipped(&writer, number(words[1]), words[2]);
    } else if (n >= 2 && strcmp(what, "incomplete") == 0) {
        incomplete = g_strdup(words[1]);
    } else if (n >= 4 && strcmp(what, "type") == 0) {
        guint64 base = 0, basic = 0;
        guint32 flags = 0;
        for (guint i = 4; i < n; i++) {
            const char *value;
            if ((value = value_of(words[i], "base")) != NULL)
                base = number(value);
            else if ((value = value_of(words[i], "basic")) != NULL)
                basic = number(value);
            else if ((value = value_of(words[i], "flags")) != NULL)
                flags = number(value);
            else
                die("unknown word", words[i]);
        }
        if (family(words[3]) == HF_FAMILY_COUNT)
            die("unknown family", words[3]);
        add_type(words[1], number(words[2]), family(words[3]), base, basic, flags);
    } else if (n >= 3 && strcmp(what, "object") == 0) {
        write_object(words + 1);
    } else if (n >= 4 && strcmp(what, "root") == 0) {
        guint32 name = hf_write_name(&writer, words[3], strlen(words[3]));
        hf_write_root(&writer, root_kind(words[1]), number(words[2]), name, n > 4 && strcmp(words[4], "counted") == 0);
    } else if (n >= 2 && strcmp(what, "thread") == 0) {
        struct hf_thread_row row = {
            .ident = 140000 + line_number, .native_id = line_number, .name = words[1], .name_len = strlen(words[1])};
        for (guint i = 2; i < n; i++)
            row.flags |= strcmp(words[i], "main") == 0 ? HF_THREAD_MAIN : HF_THREAD_GIL;
        hf_write_thread(&writer, &row);
    } else if (n >= 4 && strcmp(what, "frame") == 0) {
        write_frame(words + 1);
    } else {
        die("unknown line", what);
    }
}

static bool
sink(void *user, const void *bytes, size_t n)
{
    return fwrite(bytes, 1, n, user) == n;
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: write-dump DUMP < TEXT\n", stderr);
        return 2;
    }
    FILE *file = fopen(argv[1], "wb");
    if (file == NULL)
        die(argv[1], g_strerror(errno));
    types = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree void *memory = g_malloc0(HF_WRITER_MEMORY);
    hf_writer_init(&writer, memory, sink, file);
    hf_write_header(&writer, 8);
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        g_auto(GStrv) words = NULL;
        g_autoptr(GError) error = NULL;
        line_number++;
        g_strstrip(line);
        if (*line == 0 || *line == '#')
            continue;
        if (!g_shell_parse_argv(line, NULL, &words, &error))
            die("cannot split", error->message);
        write_line(words);
    }
    free(line);
    bool ok = hf_writer_finish(&writer, incomplete != NULL ? HF_END_INCOMPLETE : HF_END_COMPLETE,
                               incomplete != NULL ? incomplete : "");
    g_free(incomplete);
    g_hash_table_unref(types);
    return fclose(file) == 0 && ok ? 0 : 1;
}
