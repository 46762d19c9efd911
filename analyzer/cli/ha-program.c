// SPDX-License-Identifier: MIT
#include "ha-program.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analyses/ha-garbage.h"
#include "analyses/ha-origin.h"
#include "analyses/ha-same.h"
#include "cli/ha-default-dump.h"
#include "cli/ha-help.h"
#include "cli/ha-option-private.h"
#include "cli/ha-out-file.h"
#include "graph/ha-mem.h"
#include "graph/ha-memory.h"
#include "load/foreign/ha-foreign.h"
#include "load/ha-index.h"
#include "load/ha-load.h"

GQuark
ha_error_quark(void)
{
    return g_quark_from_static_string("ha-error");
}

void
ha_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *safe = g_strdup(message);
    /* file names may hold anything: one line, and nothing that a terminal obeys */
    for (char *c = safe; *c != 0; c++)
        if ((guchar)*c < 0x20 || *c == 0x7f)
            *c = '?';
    fprintf(stderr, "heapanalyze: %s\n", safe);
}

/* A dump with what is derived from it at once. */
typedef struct {
    HaGraph *graph;
    HaLedger *ledger;
    HaBits *live;
    HaDominators *dominators; /* that the ledger knows; NULL: none, or those of the graph's mapping */
} Dump;

static void
dump_clear(Dump *d)
{
    g_clear_pointer(&d->graph, ha_graph_unref);
    g_clear_pointer(&d->ledger, ha_ledger_free);
    g_clear_pointer(&d->live, ha_bits_free);
    g_clear_pointer(&d->dominators, ha_dominators_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Dump, dump_clear)

/* How dumps are loaded, the same for all of a command line. */
typedef struct {
    gboolean garbage, index;
    const char *tool, *tool_path; /* who wrote the first of them, borrowed */
} Loading;

/* All that an index keeps. */
static gboolean
load_for_index(Dump *d, const char *path, GByteArray *tables, gboolean in_memory, GError **error)
{
    d->graph = ha_load_file_for_index(path, tables, in_memory, error);
    if (d->graph == NULL || (d->ledger = ha_ledger_new(d->graph, error)) == NULL ||
        (d->live = ha_live_objects(d->graph, d->ledger, error)) == NULL ||
        (d->dominators = ha_dominators_new(d->graph, d->ledger, d->live, error)) == NULL)
        return FALSE;
    d->ledger->known = ha_dominators_known(d->dominators);
    d->ledger->known.live = d->live;
    return TRUE;
}

/* The graph, and with --index perhaps all that is derived from it too. */
static gboolean
load_graph(Dump *d, const char *path, gboolean index, GError **error)
{
    if (!index) {
        d->graph = ha_load_file(path, error);
        return d->graph != NULL;
    }
    g_auto(HaIndexKey) key = {0};
    if (!ha_index_key_init(&key, path, error))
        return FALSE;
    d->graph = ha_index_open(&key, &d->ledger, &d->live);
    if (d->graph != NULL)
        return TRUE;
    g_autoptr(GByteArray) tables = g_byte_array_new();
    g_autoptr(GError) problem = NULL;
    /* in memory if it has room: files take longer, and all is written twice */
    if (!load_for_index(d, path, tables, TRUE, &problem)) {
        if (!g_error_matches(problem, HA_LOAD_ERROR, HA_LOAD_ERROR_NO_MEMORY) &&
            !g_error_matches(problem, HA_GRAPH_ERROR, HA_GRAPH_ERROR_NO_MEMORY)) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return FALSE;
        }
        g_clear_error(&problem);
        dump_clear(d);
        g_byte_array_set_size(tables, 0);
        ha_mem_use_folder(key.folder);
        if (!load_for_index(d, path, tables, FALSE, error))
            return FALSE;
    }
    if (ha_graph_is_foreign(d->graph))
        ha_note("--index keeps dumps of heapdump-gdb only: '%s' is of %s and goes on without", path,
                ha_foreign_tool(ha_graph_source(d->graph)));
    else if (!ha_index_write(&key, d->graph, d->ledger, d->live, d->dominators, tables, &problem))
        ha_note("%s: going on without an index", problem->message);
    return TRUE;
}

/* Each tool records other objects, and other things of them: none would be recognised for certain in the dump of another. */
static gboolean
check_tool(Loading *loading, const HaGraph *graph, const char *path, GError **error)
{
    const char *tool = ha_foreign_tool(ha_graph_source(graph));
    if (loading->tool == NULL) {
        loading->tool = tool;
        loading->tool_path = path;
    }
    if (strcmp(tool, loading->tool) == 0)
        return TRUE;
    g_set_error(
        error, HA_ERROR, HA_ERROR_FAILED,
        "'%s' is a dump of %s and '%s' one of %s, which tell of objects in different ways: only dumps of one tool "
        "can be compared",
        loading->tool_path, loading->tool, path, tool);
    return FALSE;
}

static gboolean
dump_load(Dump *d, const char *path, Loading *loading, GError **error)
{
    if (!load_graph(d, path, loading->index, error) || !check_tool(loading, d->graph, path, error))
        return FALSE;
    if (loading->garbage && ha_graph_is_foreign(d->graph))
        ha_note("'%s' is a dump of %s, which does not tell what is garbage: all of it counts as live", path,
                loading->tool);
    if (!ha_graph_complete(d->graph)) {
        const char *reason = ha_graph_incomplete_reason(d->graph);
        ha_note("warning: '%s' is incomplete%s%s%s: objects are missing in what follows", path,
                reason != NULL ? " (" : "", reason != NULL ? reason : "", reason != NULL ? ")" : "");
    }
    if (d->ledger == NULL && (d->ledger = ha_ledger_new(d->graph, error)) == NULL)
        return FALSE;
    if (loading->garbage) {
        d->ledger->known = (HaKnownDominators){0};
        g_clear_pointer(&d->live, ha_bits_free);
        d->live = ha_bits_new(ha_graph_n_objects(d->graph), TRUE);
        if (d->live == NULL)
            ha_memory_fail(error, "for the objects");
    } else if (d->live == NULL) {
        d->live = ha_live_objects(d->graph, d->ledger, error);
    }
    return d->live != NULL;
}

/* What makes a comparison say little; what is compared ("types") goes on all the same. */
static void
check_origin(GHashTable *graph, const char *path, GHashTable *other, const char *other_path, gboolean counts)
{
    HaOrigin origin = ha_origin_compare(graph, other);
    if (origin == HA_ORIGIN_OTHER) {
        g_autofree char *of_graph = ha_origin_text(graph), *of_other = ha_origin_text(other);
        ha_note("warning: '%s' (%s) and '%s' (%s) are dumps of different processes: %s", other_path, of_other, path,
                of_graph,
                counts
                    ? "numbers of objects can be compared, but nothing is known of single ones"
                    : "objects are recognised by address, which only processes forked from one another share; compare "
                      "dumps of one process while it runs");
    } else if (origin == HA_ORIGIN_MOMENT) {
        ha_note("warning: '%s' and '%s' are the same dump", other_path, path);
    } else if (counts && ha_origin_later(other, graph)) {
        ha_note("warning: '%s' was taken later than '%s': what grew counts as shrunk", other_path, path);
    }
}

static const char *const dump_options[] = {"previous-heap-dump", "intersect-heap-dump", "remove-heap-dump"};

/* A command line at work. */
typedef struct {
    const HaCommand *command;
    const HaOptions *options;
    Loading loading;
    GPtrArray *others; /* HaOther, owned */
    GPtrArray *metas;  /* GHashTable of each, owned */
} Work;

/* What the command wants of another dump, for as long as it is in memory. */
static gboolean
remember(Work *w, const Dump *dump, const HaBits *chosen, const char *role, const char *path, GError **error)
{
    if (w->command->remember == NULL)
        return TRUE;
    HaContext context = {.graph = dump->graph,
                         .dump_name = path,
                         .ledger = dump->ledger,
                         .live = dump->live,
                         .chosen = chosen,
                         .options = w->options};
    gpointer memory = w->command->remember(&context, error);
    if (memory == NULL)
        return FALSE;
    HaOther *other = g_new(HaOther, 1);
    *other = (HaOther){role, path, memory};
    g_ptr_array_add(w->others, other);
    g_ptr_array_add(w->metas, g_hash_table_ref(ha_graph_meta_table(dump->graph)));
    return TRUE;
}

static gboolean
narrow_by_all(Work *w, HaBits *chosen, const HaGraph *graph, const char *path, const char *option, gboolean is_other,
              GError **error)
{
    for (const char *const *paths = ha_options_list(w->options, option); *paths != NULL; paths++) {
        g_auto(Dump) other = {0};
        if (!dump_load(&other, *paths, &w->loading, error))
            return FALSE;
        if (!is_other)
            check_origin(ha_graph_meta_table(graph), path, ha_graph_meta_table(other.graph), *paths, FALSE);
        g_autoptr(HaSame) same = ha_same_new(graph, other.graph);
        ha_same_narrow(same, other.live, strcmp(option, "remove-heap-dump") != 0, chosen);
        if (!is_other && !remember(w, &other, other.live, option, *paths, error))
            return FALSE;
    }
    return TRUE;
}

/* What lives, and is as the dump options want it. Owned by the caller; NULL: no memory, or a dump that cannot be read. */
static HaBits *
choose(Work *w, const Dump *dump, const char *path, gboolean is_other, GError **error)
{
    guint32 n = ha_graph_n_objects(dump->graph);
    g_autoptr(HaBits) chosen = ha_bits_new(n, FALSE);
    if (chosen == NULL) {
        ha_memory_fail(error, "for the objects");
        return NULL;
    }
    memcpy(chosen->words, dump->live->words, ((gsize)n + 63) / 64 * sizeof *chosen->words);
    gboolean compares = (w->command->flags & (HA_COMMAND_COMPARES | HA_COMMAND_REMEMBERS)) != 0;
    for (guint i = compares; i < G_N_ELEMENTS(dump_options); i++)
        if (!narrow_by_all(w, chosen, dump->graph, path, dump_options[i], is_other, error))
            return NULL;
    return g_steal_pointer(&chosen);
}

/* Dumps that need not be there at the same time as the one that is meant. */
static gboolean
remember_all(Work *w, const char *const *paths, const char *role, GError **error)
{
    for (; *paths != NULL; paths++) {
        g_auto(Dump) other = {0};
        if (!dump_load(&other, *paths, &w->loading, error))
            return FALSE;
        g_autoptr(HaBits) chosen = role == NULL ? choose(w, &other, *paths, TRUE, error) : NULL;
        if ((role == NULL && chosen == NULL) ||
            !remember(w, &other, chosen != NULL ? chosen : other.live, role, *paths, error))
            return FALSE;
    }
    return TRUE;
}

static void
work_clear(Work *w)
{
    for (guint i = 0; i < w->others->len; i++)
        w->command->forget(((HaOther *)w->others->pdata[i])->memory);
    g_ptr_array_unref(w->others);
    g_ptr_array_unref(w->metas);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

static gboolean
check_stdin_once(const char *path, const char *const *args, const HaOptions *options, GError **error)
{
    guint used = strcmp(path, "-") == 0;
    for (const char *const *p = args; *p != NULL; p++)
        used += strcmp(*p, "-") == 0;
    for (guint i = 0; i < G_N_ELEMENTS(dump_options); i++)
        for (const char *const *p = ha_options_list(options, dump_options[i]); *p != NULL; p++)
            used += strcmp(*p, "-") == 0;
    if (used <= 1)
        return TRUE;
    g_set_error_literal(error, HA_ERROR, HA_ERROR_USAGE, "only one dump can come from standard input");
    return FALSE;
}

static char *
choose_dump(const HaCommandLine *line, guint n_args, GError **error)
{
    guint given = g_strv_length(line->args);
    if (given > n_args)
        return g_strdup(line->args[given - 1]);
    g_autoptr(GPtrArray) others = g_ptr_array_new();
    for (guint i = 0; i < G_N_ELEMENTS(dump_options); i++)
        for (const char *const *p = ha_options_list(line->options, dump_options[i]); *p != NULL; p++)
            g_ptr_array_add(others, (gpointer)*p);
    g_ptr_array_add(others, NULL);
    return ha_default_dump(".", (const char *const *)others->pdata, error);
}

/* An argument that need not be given is left out where only a dump stands: "retained x.heap". */
static gboolean
names_a_dump(const char *arg)
{
    return strcmp(arg, "-") == 0 || g_file_test(arg, G_FILE_TEST_EXISTS) ||
           strspn(arg, "0123456789abcdefABCDEFxX") != strlen(arg);
}

static gboolean
is_no_expression(const char *arg)
{
    return strchr(arg, '(') == NULL || g_file_test(arg, G_FILE_TEST_EXISTS);
}

/* Where a type or an address is wanted; neither is called like this. */
static gboolean
is_a_dump(const char *arg)
{
    return g_file_test(arg, G_FILE_TEST_EXISTS) && (strchr(arg, '/') != NULL || strstr(arg, ".heap") != NULL);
}

static gboolean
check_args(const HaCommandLine *line, guint *n_args, GError **error)
{
    const HaCommand *command = line->command;
    guint given = g_strv_length(line->args);
    gboolean dumps = (command->flags & HA_COMMAND_DUMPS) != 0;
    gboolean only_a_dump = given > 0 && given == command->min_args && (dumps || is_a_dump(line->args[given - 1]));
    if (given < command->min_args || only_a_dump) {
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "'%s' wants %s: see 'heapanalyze %s --help'", command->name,
                    command->args, command->name);
        return FALSE;
    }
    if (given > command->max_args + 1) {
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE,
                    "too many arguments for '%s', from '%s' on: see 'heapanalyze %s --help'", command->name,
                    line->args[command->max_args + 1], command->name);
        return FALSE;
    }
    *n_args = dumps ? given - 1 : MIN(given, command->max_args);
    gboolean expressions = (command->flags & HA_COMMAND_EXPRESSIONS) != 0;
    if (!dumps && *n_args > command->min_args && given == *n_args &&
        (expressions ? is_no_expression : names_a_dump)(line->args[given - 1]))
        --*n_args;
    return TRUE;
}

static gboolean
run_command(const HaCommandLine *line, GError **error)
{
    const HaCommand *command = line->command;
    const HaOptions *options = line->options;
    guint n_args;
    ha_memory_watch(ha_out_file_remove_unfinished);
    if (!check_args(line, &n_args, error))
        return FALSE;
    g_auto(GStrv) args = g_new0(char *, n_args + 1);
    for (guint i = 0; i < n_args; i++)
        args[i] = g_strdup(line->args[i]);
    if (command->check != NULL && !command->check(options, (const char *const *)args, error))
        return FALSE;
    g_autofree char *path = choose_dump(line, n_args, error);
    gboolean dumps = (command->flags & HA_COMMAND_DUMPS) != 0;
    const char *const *dump_args = (const char *const *)args + (dumps ? 0 : n_args);
    if (path == NULL || !check_stdin_once(path, dump_args, options, error))
        return FALSE;

    g_auto(Work) work = {command,
                         options,
                         {.garbage = ha_options_flag(options, "garbage"), .index = ha_options_flag(options, "index")},
                         g_ptr_array_new_with_free_func(g_free),
                         g_ptr_array_new_with_free_func((GDestroyNotify)g_hash_table_unref)};
    g_auto(Dump) dump = {0};
    g_auto(Dump) previous = {0};
    const char *const *before = ha_options_list(options, dump_options[0]);
    if (!remember_all(&work, dump_args, NULL, error) ||
        (command->flags & HA_COMMAND_REMEMBERS && !remember_all(&work, before, dump_options[0], error)) ||
        !dump_load(&dump, path, &work.loading, error))
        return FALSE;
    for (guint i = 0; i < work.metas->len; i++)
        check_origin(ha_graph_meta_table(dump.graph), path, work.metas->pdata[i],
                     ((HaOther *)work.others->pdata[i])->path, TRUE);
    if (command->flags & HA_COMMAND_COMPARES && *before != NULL) {
        const char *last = before[g_strv_length((char **)before) - 1];
        if (!dump_load(&previous, last, &work.loading, error))
            return FALSE;
        check_origin(ha_graph_meta_table(dump.graph), path, ha_graph_meta_table(previous.graph), last, TRUE);
    }
    g_autoptr(HaBits) chosen = choose(&work, &dump, path, FALSE, error);
    if (chosen == NULL)
        return FALSE;
    if (ha_bits_count(chosen) == 0 && ha_bits_count(dump.live) > 0)
        ha_note("the dump options leave no object of '%s'", path);

    g_autoptr(HaOut) out = ha_out_new_fd(STDOUT_FILENO);
    HaContext context = {.graph = dump.graph,
                         .dump_name = path,
                         .ledger = dump.ledger,
                         .live = dump.live,
                         .chosen = chosen,
                         .previous = previous.graph,
                         .previous_live = previous.live,
                         .others = work.others,
                         .options = options,
                         .args = (const char *const *)args,
                         .out = out};
    return command->run(&context, error) && ha_out_finish(out, error);
}

static int
fail(const GError *error)
{
    ha_note("%s", error->message);
    return g_error_matches(error, HA_ERROR, HA_ERROR_USAGE) ? 2 : 1;
}

static int
print(const char *text)
{
    g_autoptr(HaOut) out = ha_out_new_fd(STDOUT_FILENO);
    g_autoptr(GError) error = NULL;
    ha_out_text(out, text);
    return ha_out_finish(out, &error) ? 0 : fail(error);
}

int
ha_program_run(int argc, char **argv)
{
    ha_mem_init();
    signal(SIGPIPE, SIG_IGN); /* the output notices that its reader is gone */
    HaCommandLine line = {0};
    g_autoptr(GError) error = NULL;
    if (!ha_command_line_parse(ha_commands, argc, argv, &line, &error))
        return fail(error);
    int status = 0;
    if (ha_options_flag(line.options, "help")) {
        g_autofree char *text = line.command != NULL ? ha_help_command(line.command) : ha_help_program(ha_commands);
        status = print(text);
    } else if (ha_options_flag(line.options, "version")) {
        status = print("heapanalyze " HA_VERSION "\n");
    } else if (line.command == NULL) {
        ha_note("no command given: 'heapanalyze --help' lists them");
        status = 2;
    } else if (!run_command(&line, &error)) {
        g_assert(error != NULL);
        status = fail(error);
    }
    ha_command_line_clear(&line);
    return status;
}
