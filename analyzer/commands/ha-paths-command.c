// SPDX-License-Identifier: MIT
/* heapanalyze paths: what holds an object, or the objects of a type, as expressions to paste into a Python shell. */
#include <string.h>

#include "analyses/ha-paths.h"
#include "commands/ha-commands.h"
#include "commands/ha-line.h"
#include "commands/ha-object-list.h"
#include "commands/ha-path-line.h"
#include "text/ha-size.h"

#define STEPS_SHOWN 12 /* objects of a path at either end */

static const HaOption options[] = {
    {.name = "all",
     .kind = HA_OPTION_NUMBER,
     .arg = "N",
     .fallback = "5",
     .help = "so many paths, 0 for all that are found"},
    {.name = "effort",
     .kind = HA_OPTION_NUMBER,
     .arg = "N",
     .fallback = "50000000",
     .help = "look at so many references in search of further paths to an object, 0 for no limit"},
    {.name = "exclude", .kind = HA_OPTION_TEXT, .arg = "LIST", .help = "no path through these addresses and types"},
    {.name = "via",
     .kind = HA_OPTION_TEXT,
     .arg = "LIST",
     .help = "only paths through one of these addresses and types"},
    {.name = "json", .kind = HA_OPTION_FLAG, .help = "the same as JSON"},
    {0}};

static void
write_root(HaContext *c, const HaPath *path)
{
    HaId id = g_array_index(path->steps, HaPathStep, 0).id;
    g_autofree char *text = ha_held_text(c->graph, c->ledger, id, &path->held);

    ha_out_printf(c->out, "   %s: ", ha_root_kind_name(path->held.kind));
    ha_out_escaped_again(c->out, text);
    ha_out_char(c->out, '\n');
}

/* Namespaces and cells belong to what stands before and behind them. */
static gboolean
is_folded(const HaGraph *g, const HaPathStep *steps, guint i, guint n)
{
    HaRefName name;

    if (i == 0 || i + 1 == n)
        return FALSE;
    ha_graph_ref_name(g, steps[i - 1].id, steps[i].ref, &name);
    return name.kind == HF_RUN_NAMED && (strcmp(name.name, ".__dict__") == 0 || g_str_has_prefix(name.name, "<cell ") ||
                                         g_str_has_prefix(name.name, "<free "));
}

static void
write_objects(HaContext *c, const HaPath *path)
{
    const HaPathStep *steps = (const HaPathStep *)(void *)path->steps->data;
    guint n = path->steps->len;

    for (guint i = 0; i < n && !ha_out_stopped(c->out); i++) {
        if (n > 2 * STEPS_SHOWN + 2 && i == STEPS_SHOWN) {
            ha_out_printf(c->out, "     … %u more\n", n - 2 * STEPS_SHOWN);
            i = n - STEPS_SHOWN;
        }
        if (is_folded(c->graph, steps, i, n))
            continue;
        ha_out_text(c->out, "     ");
        ha_line_object(c, steps[i].id, HA_PARENT_CONTENT_SHOWN);
        if (i > 0) {
            g_autofree char *name = ha_edge_text(c->graph, steps[i - 1].id, steps[i].id, steps[i].ref, 1);
            ha_out_printf(c->out, " via %s", name);
        }
        ha_out_char(c->out, '\n');
    }
}

static void
write_one(HaContext *c, const HaPaths *p)
{
    for (guint i = 0; i < p->ways->len && !ha_out_stopped(c->out); i++) {
        const HaWay *way = &g_array_index(p->ways, HaWay, i);
        gboolean is_expression;
        g_autofree char *text = ha_path_text(c->graph, c->ledger, &way->path, &is_expression);
        g_autofree char *asked = is_expression ? NULL : ha_path_expression(c->graph, c->ledger, &way->path);

        ha_out_printf(c->out, "%s%u. ", i > 0 ? "\n" : "", i + 1);
        ha_out_escaped_again(c->out, text);
        ha_out_char(c->out, '\n');
        if (asked != NULL) {
            ha_out_text(c->out, "   = ");
            ha_out_escaped_again(c->out, asked);
            ha_out_char(c->out, '\n');
        }
        if (way->references > 1) {
            ha_out_printf(c->out, "   and %" G_GUINT64_FORMAT " more like it: ", way->references - 1);
            ha_out_escaped_again(c->out, way->template);
            ha_out_char(c->out, '\n');
        }
        write_root(c, &way->path);
        write_objects(c, &way->path);
    }
}

static void
write_merged(HaContext *c, const HaPaths *p)
{
    ha_out_printf(c->out, "%10s %7s  %s\n", "count", "of all", "path, and the nearest of them");
    for (guint i = 0; i < p->ways->len && !ha_out_stopped(c->out); i++) {
        const HaWay *way = &g_array_index(p->ways, HaWay, i);
        gboolean is_expression;
        g_autofree char *text = ha_path_text(c->graph, c->ledger, &way->path, &is_expression);

        ha_out_printf(c->out, "%10" G_GUINT64_FORMAT " %5.1f %%  ", way->targets,
                      100.0 * (double)way->targets / (double)MAX(p->targets, 1));
        ha_out_escaped_again(c->out, way->template);
        ha_out_printf(c->out, "\n%20s", "");
        ha_out_escaped_again(c->out, text);
        ha_out_char(c->out, '\n');
    }
}

static void
json_steps(HaContext *c, HaJson *j, const HaPath *path)
{
    const HaPathStep *steps = (const HaPathStep *)(void *)path->steps->data;

    ha_json_key(j, "objects");
    ha_json_begin_array(j);
    for (guint i = 0; i < path->steps->len && !ha_out_stopped(c->out); i++) {
        g_autofree char *name = i > 0 ? ha_graph_ref_text(c->graph, steps[i - 1].id, steps[i].ref) : NULL;
        ha_json_begin_object(j);
        ha_json_key(j, "name");
        ha_json_text(j, name);
        ha_json_object_members(j, c, steps[i].id);
        ha_json_end_object(j);
    }
    ha_json_end_array(j);
}

static void
write_json(HaContext *c, const HaPaths *p)
{
    HaJson j;

    ha_json_init(&j, c->out);
    ha_json_begin_object(&j);
    ha_json_key(&j, "targets");
    ha_json_uint(&j, p->targets);
    ha_json_key(&j, "bytes");
    ha_json_uint(&j, p->bytes);
    ha_json_key(&j, "inner");
    ha_json_uint(&j, p->inner);
    ha_json_key(&j, "unreached");
    ha_json_uint(&j, p->unreached);
    ha_json_key(&j, "found");
    ha_json_uint(&j, p->found);
    ha_json_key(&j, "cut");
    ha_json_bool(&j, p->cut);
    ha_json_key(&j, "paths");
    ha_json_begin_array(&j);
    for (guint i = 0; i < p->ways->len && !ha_out_stopped(c->out); i++) {
        const HaWay *way = &g_array_index(p->ways, HaWay, i);

        ha_json_newline(&j);
        ha_json_begin_object(&j);
        ha_json_path_members(&j, c, &way->path);
        ha_json_key(&j, "template");
        ha_json_text(&j, way->template);
        ha_json_key(&j, "targets");
        ha_json_uint(&j, way->targets);
        ha_json_key(&j, "bytes");
        ha_json_uint(&j, way->bytes);
        ha_json_key(&j, "references");
        ha_json_uint(&j, way->references);
        json_steps(c, &j, &way->path);
        ha_json_end_object(&j);
    }
    ha_json_end_array(&j);
    ha_json_end_object(&j);
    ha_json_newline(&j);
}

/* "<TYPE at ADDR>" begins a path: nothing of Python's holds the object. */
static gboolean
is_held_from_c(const HaPaths *p)
{
    for (guint i = 0; i < p->ways->len; i++)
        if (g_array_index(p->ways, HaWay, i).path.held.kind == HA_ROOT_KIND_C)
            return TRUE;
    return FALSE;
}

static void
say_totals(HaContext *c, const HaPaths *p)
{
    g_autofree char *size = ha_size_text(p->bytes);

    if (p->unreached > 0)
        ha_note("no path leads to %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " objects%s", p->unreached, p->targets,
                ha_options_given(c->options, "via")       ? " via what was asked for"
                : ha_options_given(c->options, "exclude") ? " but through what was excluded"
                                                          : "");
    if (p->inner > 0)
        ha_note("%" G_GUINT64_FORMAT " of them are held by others of them only", p->inner);
    if (p->found > p->ways->len)
        ha_note("%u of %" G_GUINT64_FORMAT " paths: --all %" G_GUINT64_FORMAT " shows them", p->ways->len, p->found,
                p->found);
    if (is_held_from_c(p) && !ha_options_flag(c->options, "json"))
        ha_note("what only C holds is <TYPE at ADDRESS>: ctypes.cast(ADDRESS, ctypes.py_object).value in the process");
    if (p->cut)
        ha_note("the search for further paths was cut: there may be more, and shorter ones; --effort 0 finds them");
    if (p->targets > 1)
        ha_note("%" G_GUINT64_FORMAT " objects, which take %s; one that is held in several ways counts for each",
                p->targets, size);
}

static gboolean
run(HaContext *c, GError **error)
{
    HaObjectListSpec spec = {c->graph, c->dump_name, "paths", c->live, c->chosen, HA_MATCH_NAME, TRUE};
    HaObjectListSpec through = spec;
    g_auto(HaObjectList) list = {0};
    g_auto(HaObjectList) excluded = {0};
    g_auto(HaObjectList) via = {0};
    guint most = ha_options_number(c->options, "all"), effort = ha_options_number(c->options, "effort");

    through.chosen = c->live;
    through.option = "--exclude";
    if (!ha_object_list_parse(&list, &spec, c->args[0], error) ||
        !ha_object_list_parse(&excluded, &through, ha_options_text(c->options, "exclude"), error))
        return FALSE;
    through.option = "--via";
    if (!ha_object_list_parse(&via, &through, ha_options_text(c->options, "via"), error))
        return FALSE;
    if (list.in == NULL) {
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "'%s' names no object: give an address or a type", c->args[0]);
        return FALSE;
    }
    for (HaId id = 0; list.out != NULL && id < ha_graph_n_objects(c->graph); id++)
        if (ha_bits_get(list.out, id))
            ha_bits_clear(list.in, id);
    HaPathsSpec wanted = {.graph = c->graph,
                          .ledger = c->ledger,
                          .live = c->live,
                          .targets = list.in,
                          .excluded = excluded.in,
                          .via = via.in,
                          .most = most != 0 ? most : 100000,
                          .effort = effort != 0 ? effort : G_MAXUINT64};
    g_autoptr(HaPaths) paths = ha_paths_new(&wanted, error);
    if (paths == NULL)
        return FALSE;
    if (ha_options_flag(c->options, "json"))
        write_json(c, paths);
    else if (paths->targets == 1)
        write_one(c, paths);
    else if (paths->targets > 0)
        write_merged(c, paths);
    if (paths->targets == 0)
        ha_note("no object of '%s' is left by the dump options", c->args[0]);
    say_totals(c, paths);
    return TRUE;
}

const HaCommand ha_command_paths = {
    .name = "paths",
    .summary = "What holds an object, or all objects of a type, as expressions to paste into a Python shell",
    .args = "ADDR|TYPE",
    .min_args = 1,
    .max_args = 1,
    .examples = "  heapanalyze paths 0x7f12ab345680 app.heap.zst\n"
                "  heapanalyze paths app.Session --all 20 app.heap.zst\n"
                "  heapanalyze paths 0x7f12ab345680 --exclude app.Cache app.heap.zst\n"
                "  heapanalyze paths app.Session --via asyncio.Task --json app.heap.zst\n",
    .options = options,
    .run = run};
