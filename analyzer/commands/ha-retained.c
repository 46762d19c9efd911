// SPDX-License-Identifier: MIT
/* heapanalyze retained: the dominator tree, largest first: what goes when an object goes. */
#include <string.h>

#include "analyses/ha-dominator-tree.h"
#include "commands/ha-commands.h"
#include "commands/ha-line.h"
#include "commands/ha-object-list.h"
#include "graph/ha-memory.h"
#include "text/ha-root-text.h"
#include "text/ha-size.h"

static const HaOption options[] = {
    {.name = "max-depth", .kind = HA_OPTION_NUMBER, .arg = "N", .fallback = "5", .help = "levels of the tree"},
    {.name = "min-percent",
     .kind = HA_OPTION_TEXT,
     .arg = "P",
     .fallback = "1",
     .help = "what retains less of all bytes is summed up, by type"},
    {.name = "json", .kind = HA_OPTION_FLAG, .help = "the same as JSON"},
    {0}};

/* Many of a type that are too small for a line of their own. */
typedef struct {
    guint32 type;
    guint64 count, bytes;
} Crowd;

/* A line of the tree. */
typedef struct {
    guint depth;
    HaId id, above;          /* id HA_ID_NONE: a crowd, or what is left */
    Crowd crowd;             /* crowd.type G_MAXUINT32: of any type */
    gsize first_ref, n_refs; /* of above to id */
} Line;

typedef struct {
    HaContext *c;
    const HaDominators *dominators;
    const HaDominatorTree *tree;
    guint max_depth;
    guint64 total, least; /* bytes */
    GArray *lines;        /* Line, owned */
    guint32 *line_of;     /* owned, one an object, 0 but while edges are looked for */
} Work;

static guint64
bytes_of(const Work *w, const Line *line)
{
    return line->id == HA_ID_NONE ? line->crowd.bytes : ha_dominators_retained(w->dominators, line->id);
}

static gint
compare_lines(gconstpointer a, gconstpointer b, gpointer work)
{
    const Line *x = a, *y = b;
    guint64 i = bytes_of(work, x), k = bytes_of(work, y);

    if (i != k)
        return i > k ? -1 : 1;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->crowd.type < y->crowd.type ? -1 : x->crowd.type > y->crowd.type;
}

/* Children that are each too small: types that are large together get a line, the others one for all, at the end. */
static void
add_small(Work *w, const GArray *children, guint begin, Line line, GArray *to, Line *rest)
{
    g_autoptr(GHashTable) index = g_hash_table_new(NULL, NULL);
    g_autoptr(GArray) crowds = g_array_new(FALSE, FALSE, sizeof(Crowd));

    for (guint i = begin; i < children->len; i++) {
        HaId id = g_array_index(children, HaId, i);
        guint32 type = ha_graph_type_index(w->c->graph, id);
        gpointer at = g_hash_table_lookup(index, GUINT_TO_POINTER(type));

        if (!at) {
            Crowd crowd = {type, 0, 0};
            g_array_append_val(crowds, crowd);
            at = GUINT_TO_POINTER(crowds->len);
            g_hash_table_insert(index, GUINT_TO_POINTER(type), at);
        }
        Crowd *crowd = &g_array_index(crowds, Crowd, GPOINTER_TO_UINT(at) - 1);
        crowd->count++;
        crowd->bytes += ha_dominators_retained(w->dominators, id);
    }
    line.id = HA_ID_NONE;
    for (guint i = 0; i < crowds->len; i++) {
        line.crowd = g_array_index(crowds, Crowd, i);
        if (line.crowd.bytes >= w->least) {
            g_array_append_val(to, line);
            continue;
        }
        rest->crowd.type = rest->crowd.count ? G_MAXUINT32 : line.crowd.type;
        rest->crowd.count += line.crowd.count;
        rest->crowd.bytes += line.crowd.bytes;
    }
    /* one alone takes no more room than the line that would sum it up */
    for (guint i = begin; rest->crowd.count == 1 && rest->id == HA_ID_NONE && i < children->len; i++) {
        HaId id = g_array_index(children, HaId, i);
        if (ha_graph_type_index(w->c->graph, id) == rest->crowd.type)
            rest->id = id;
    }
}

/* References from the dominator to each, in one go: it may have as many as there are lines. */
static void
find_edges(Work *w, HaId above, GArray *to)
{
    gsize n;

    if (above == HA_ID_NONE)
        return;
    for (guint i = 0; i < to->len; i++) {
        const Line *line = &g_array_index(to, Line, i);
        if (line->id != HA_ID_NONE)
            w->line_of[line->id] = i + 1;
    }
    const HaId *refs = ha_graph_referents(w->c->graph, above, &n);
    for (gsize i = n; i-- > 0;)
        if (w->line_of[refs[i]]) {
            Line *line = &g_array_index(to, Line, w->line_of[refs[i]] - 1);
            line->first_ref = i;
            line->n_refs++;
        }
    for (guint i = 0; i < to->len; i++) {
        const Line *line = &g_array_index(to, Line, i);
        if (line->id != HA_ID_NONE)
            w->line_of[line->id] = 0;
    }
}

/* What there is to say below an object, or below the top, but not below that. Owned by the caller. */
static GArray *
lines_below(Work *w, HaId above, guint depth)
{
    g_autoptr(GArray) children = ha_dominator_tree_children(w->tree, above);
    GArray *to = g_array_new(FALSE, FALSE, sizeof(Line));
    Line line = {.depth = depth, .above = above};
    Line rest = {.depth = depth, .id = HA_ID_NONE, .above = above, .crowd = {G_MAXUINT32, 0, 0}};
    guint i = 0;

    for (; i < children->len; i++) {
        line.id = g_array_index(children, HaId, i);
        if (ha_dominators_retained(w->dominators, line.id) < w->least)
            break;
        g_array_append_val(to, line);
    }
    add_small(w, children, i, line, to, &rest);
    g_array_sort_with_data(to, compare_lines, w);
    if (rest.crowd.count)
        g_array_append_val(to, rest);
    find_edges(w, above, to);
    return to;
}

/* Lines still to come, of one level of the way down. */
typedef struct {
    GArray *lines; /* Line, owned */
    guint next;
} Step;

/* Iteratively, since chains may be long. */
static void
collect(Work *w, HaId start, guint depth)
{
    g_autoptr(GArray) way = g_array_new(FALSE, FALSE, sizeof(Step));
    Step step = {lines_below(w, start, depth), 0};

    g_array_append_val(way, step);
    while (way->len) {
        Step *last = &g_array_index(way, Step, way->len - 1);

        if (last->next == last->lines->len) {
            g_array_unref(last->lines);
            g_array_set_size(way, way->len - 1);
            continue;
        }
        Line line = g_array_index(last->lines, Line, last->next++);
        g_array_append_val(w->lines, line);
        if (line.id == HA_ID_NONE || line.depth + 1 >= w->max_depth)
            continue;
        step = (Step){lines_below(w, line.id, line.depth + 1), 0};
        g_array_append_val(way, step);
    }
}

static double
percent(const Work *w, guint64 bytes)
{
    return w->total ? 100.0 * (double)bytes / (double)w->total : 0;
}

/* Names of the references from the dominator, where it refers to the object itself; NULL otherwise. Owned by the caller. */
static char *
edge(const Work *w, const Line *line)
{
    return line->n_refs ? ha_edge_text(w->c->graph, line->above, line->id, line->first_ref, line->n_refs) : NULL;
}

static void
write_size(const Work *w, guint64 bytes)
{
    g_autofree char *text = ha_size_text(bytes);

    ha_out_printf(w->c->out, " retains %" G_GUINT64_FORMAT " (%s, %.1f %%)", bytes, text, percent(w, bytes));
}

static void
write_line(const Work *w, const Line *line)
{
    HaContext *c = w->c;

    ha_out_printf(c->out, "%*s", (int)MIN(2 * (guint64)line->depth, 2000), "");
    if (line->id == HA_ID_NONE) {
        ha_out_printf(c->out, "… %" G_GUINT64_FORMAT " ", line->crowd.count);
        if (line->crowd.type == G_MAXUINT32) {
            ha_out_text(c->out, "more");
        } else {
            const char *name = ha_graph_nth_type(c->graph, line->crowd.type)->name;
            ha_out_text(c->out, "× ");
            ha_out_escaped(c->out, name, strlen(name), G_MAXSIZE);
        }
        write_size(w, bytes_of(w, line));
        ha_out_char(c->out, '\n');
        return;
    }
    ha_line_object(c, line->id, HA_PARENT_CONTENT_SHOWN);
    write_size(w, bytes_of(w, line));
    g_autofree char *name = edge(w, line);
    if (name)
        ha_out_printf(c->out, " via %s", name);
    g_autoptr(GPtrArray) roots = ha_root_texts(c->graph, c->ledger, line->id);
    if (roots->len) {
        ha_out_text(c->out, " (root: ");
        ha_out_escaped(c->out, roots->pdata[0], strlen(roots->pdata[0]), 200);
        ha_out_text(c->out, ")");
    }
    ha_out_char(c->out, '\n');
}

static void
write_json(const Work *w)
{
    HaJson j;

    ha_json_init(&j, w->c->out);
    ha_json_begin_object(&j);
    ha_json_key(&j, "total");
    ha_json_uint(&j, w->total);
    ha_json_key(&j, "tree"); /* flat, with depths: a tree as deep as --max-depth would break readers */
    ha_json_begin_array(&j);
    for (guint i = 0; i < w->lines->len && !ha_out_stopped(w->c->out); i++) {
        const Line *line = &g_array_index(w->lines, Line, i);
        gboolean crowd = line->id == HA_ID_NONE;

        ha_json_newline(&j);
        ha_json_begin_object(&j);
        ha_json_key(&j, "depth");
        ha_json_uint(&j, line->depth);
        ha_json_key(&j, "retained");
        ha_json_uint(&j, bytes_of(w, line));
        if (crowd) {
            ha_json_key(&j, "count");
            ha_json_uint(&j, line->crowd.count);
            ha_json_key(&j, "type");
            ha_json_text(&j, line->crowd.type == G_MAXUINT32 ? NULL
                                                             : ha_graph_nth_type(w->c->graph, line->crowd.type)->name);
        } else {
            g_autofree char *name = edge(w, line);
            ha_json_key(&j, "name");
            ha_json_text(&j, name);
            ha_json_object_members(&j, w->c, line->id);
        }
        ha_json_end_object(&j);
    }
    ha_json_end_array(&j);
    ha_json_end_object(&j);
    ha_json_newline(&j);
}

static gboolean
parse_percent(const char *text, double *out, GError **error)
{
    char *end;

    *out = g_ascii_strtod(text, &end);
    if (end != text && !*end && *out >= 0 && *out <= 100)
        return TRUE;
    g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "--min-percent wants a number from 0 to 100, not '%s'", text);
    return FALSE;
}

static gboolean
find_start(HaContext *c, HaId *start, GError **error)
{
    HaObjectListSpec spec = {c->graph, c->dump_name, "retained", c->live, c->chosen, HA_MATCH_NAME, FALSE};
    g_auto(HaObjectList) list = {0};

    *start = HA_ID_NONE;
    if (!c->args[0])
        return TRUE;
    if (!ha_object_list_parse(&list, &spec, c->args[0], error))
        return FALSE;
    if (list.addresses != 1 || strchr(c->args[0], ',')) {
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE,
                    "'%s' is no address: give one as 'top' prints it, like 0x7f12ab345680", c->args[0]);
        return FALSE;
    }
    for (HaId id = 0; id < ha_graph_n_objects(c->graph) && *start == HA_ID_NONE; id++)
        if (ha_bits_get(list.in, id))
            *start = id;
    return TRUE;
}

static gboolean
run(HaContext *c, GError **error)
{
    double min_percent;
    HaId start;

    if (!parse_percent(ha_options_text(c->options, "min-percent"), &min_percent, error) ||
        !find_start(c, &start, error))
        return FALSE;
    g_autoptr(HaDominators) dominators = ha_dominators_new(c->graph, c->ledger, c->live, error);
    if (!dominators)
        return FALSE;
    g_autoptr(HaDominatorTree) tree =
        ha_dominator_tree_new(c->graph, dominators, start == HA_ID_NONE ? c->chosen : c->live, error);
    if (!tree)
        return FALSE;
    g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(Line));
    g_autofree guint32 *line_of = g_try_new0(guint32, (gsize)ha_graph_n_objects(c->graph) + 1);
    if (!line_of) {
        ha_memory_fail(error, "for the lines of the tree");
        return FALSE;
    }
    Work w = {.c = c,
              .dominators = dominators,
              .tree = tree,
              .max_depth = ha_options_number(c->options, "max-depth"),
              .lines = lines,
              .line_of = line_of};
    for (HaId id = 0; id < ha_graph_n_objects(c->graph); id++)
        if (ha_bits_get(c->live, id))
            w.total += ha_graph_size(c->graph, id);
    w.least = MAX(1, (guint64)((double)w.total * min_percent / 100));
    if (start != HA_ID_NONE) {
        Line line = {.id = start, .above = HA_ID_NONE};
        g_array_append_val(lines, line);
    }
    if (w.max_depth > (start != HA_ID_NONE))
        collect(&w, start, start != HA_ID_NONE);
    if (ha_options_flag(c->options, "json")) {
        write_json(&w);
        return TRUE;
    }
    for (guint i = 0; i < lines->len && !ha_out_stopped(c->out); i++)
        write_line(&w, &g_array_index(lines, Line, i));
    g_autofree char *total = ha_size_text(w.total);
    ha_note("%s in all; an object retains what goes when it goes", total);
    return TRUE;
}

const HaCommand ha_command_retained = {
    .name = "retained",
    .summary = "The dominator tree, largest first: what each object alone keeps alive",
    .args = "ADDR",
    .max_args = 1,
    .examples = "  heapanalyze retained app.heap.zst\n"
                "  heapanalyze retained 0x7f12ab345680 --max-depth 8 --min-percent 0.1 app.heap.zst\n"
                "  heapanalyze retained --json app.heap.zst\n",
    .options = options,
    .run = run};
