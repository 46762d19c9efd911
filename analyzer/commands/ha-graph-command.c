// SPDX-License-Identifier: MIT
/* heapanalyze graph: who refers to the chosen objects, as a picture. */
#include <string.h>

#include "analyses/ha-neighbourhood.h"
#include "cli/ha-out-file.h"
#include "commands/ha-commands.h"
#include "commands/ha-object-list.h"
#include "render/ha-censor.h"
#include "render/ha-dot.h"
#include "render/ha-fold.h"
#include "render/ha-heap-picture.h"
#include "render/ha-layout.h"
#include "render/ha-text.h"

/* A picture that people can still read; more breadth asks for more. */
#define MIN_NODES       100
#define MAX_NODES       1000
#define ARROWS_PER_NODE 1.8
#define FEWEST_NODES    15 /* no use in trying with less */
#define GENTLE_FOLD     3

static const HaOption options[] = {
    {.name = "filter",
     .alias = "sinks",
     .kind = HA_OPTION_TEXT,
     .arg = "EXPR",
     .help = "the chosen objects: addresses, or parts of type names, with commas between; ! in front leaves out"},
    {.name = "exclude",
     .kind = HA_OPTION_TEXT,
     .arg = "LIST",
     .help = "addresses and types that are not followed (grey)"},
    {.name = "sources",
     .kind = HA_OPTION_TEXT,
     .arg = "LIST",
     .help = "addresses and types: the shortest paths from them are red"},
    {.name = "highlight", .kind = HA_OPTION_TEXT, .arg = "TYPE", .help = "objects of this type are yellow"},
    {.name = "censor",
     .kind = HA_OPTION_TEXT,
     .arg = "PREFIXES",
     .help = "hide names and contents that start with one of these, with commas between"},
    {.name = "max-depth", .kind = HA_OPTION_NUMBER, .arg = "N", .fallback = "1", .help = "levels of referrers"},
    {.name = "max-breadth",
     .kind = HA_OPTION_NUMBER,
     .arg = "N",
     .fallback = "20",
     .help = "referrers of each object; the others are summed up"},
    {.name = "output",
     .letter = 'o',
     .kind = HA_OPTION_TEXT,
     .arg = "FILE",
     .help = "picture: .svg, .pdf, .png or .dot; without it DOT goes to standard output"},
    {0}};

typedef enum {
    TO_STDOUT,
    TO_DOT,
    TO_SVG,
    TO_PNG,
    TO_PDF,
} Target;

static gboolean
find_target(const char *path, Target *target, GError **error)
{
    static const struct {
        const char *suffix;
        Target target;
    } suffixes[] = {{".svg", TO_SVG}, {".pdf", TO_PDF}, {".png", TO_PNG}, {".dot", TO_DOT}, {".gv", TO_DOT}};

    *target = TO_STDOUT;
    if (!path || strcmp(path, "-") == 0)
        return TRUE;
    g_autofree char *lower = g_ascii_strdown(path, -1);
    for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++)
        if (g_str_has_suffix(lower, suffixes[i].suffix)) {
            *target = suffixes[i].target;
            return TRUE;
        }
    g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "cannot tell the format of '%s': use .svg, .pdf, .png or .dot", path);
    return FALSE;
}

typedef struct {
    HaObjectList filter, exclude, sources, highlight;
    HaId *chosen; /* owned */
    gsize n_chosen;
} Choice;

static void
choice_clear(Choice *c)
{
    ha_object_list_clear(&c->filter);
    ha_object_list_clear(&c->exclude);
    ha_object_list_clear(&c->sources);
    ha_object_list_clear(&c->highlight);
    g_free(c->chosen);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Choice, choice_clear)

static void
add_all(HaBits **to, HaBits *from)
{
    if (!from)
        return;
    if (!*to)
        *to = ha_bits_new(from->n, FALSE);
    for (gsize i = 0; *to && i < ((gsize)from->n + 63) / 64; i++)
        (*to)->words[i] |= from->words[i];
}

/* A highlighted type need not be there: the picture is right without. Its own name counts before parts of names. */
static gboolean
find_highlight(HaContext *c, HaObjectList *list, GError **error)
{
    HaObjectListSpec spec = {c->graph, c->dump_name, "--highlight", c->live, c->live, HA_MATCH_NAME, FALSE};
    const char *text = ha_options_text(c->options, "highlight");
    g_autoptr(GError) first = NULL;

    if (ha_object_list_parse(list, &spec, text, &first))
        return TRUE;
    spec.match = HA_MATCH_PART;
    if (g_error_matches(first, HA_ERROR, HA_ERROR_FAILED) && ha_object_list_parse(list, &spec, text, NULL))
        return TRUE;
    if (g_error_matches(first, HA_ERROR, HA_ERROR_FAILED)) {
        ha_note("%s", first->message);
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&first));
    return FALSE;
}

static gboolean
choose(HaContext *c, Choice *choice, GError **error)
{
    const char *filter = ha_options_text(c->options, "filter");
    HaObjectListSpec spec = {c->graph, c->dump_name, "--filter", c->live, c->chosen, HA_MATCH_PART, TRUE};
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(HaId));

    if (!ha_object_list_parse(&choice->filter, &spec, filter, error))
        return FALSE;
    if (!choice->filter.in) {
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "%s: see 'heapanalyze graph --help'",
                    filter && *filter
                        ? "--filter only leaves out: it must name objects too"
                        : "graph wants --filter with an address (from 'heapanalyze top') or a part of a type's name");
        return FALSE;
    }
    spec.without = FALSE;
    spec.match = HA_MATCH_NAME;
    spec.chosen = c->live;
    spec.option = "--exclude";
    if (!ha_object_list_parse(&choice->exclude, &spec, ha_options_text(c->options, "exclude"), error))
        return FALSE;
    add_all(&choice->exclude.in, choice->filter.out);
    spec.option = "--sources";
    if (!ha_object_list_parse(&choice->sources, &spec, ha_options_text(c->options, "sources"), error) ||
        !find_highlight(c, &choice->highlight, error))
        return FALSE;
    for (HaId id = 0; id < ha_graph_n_objects(c->graph); id++)
        if (ha_bits_get(choice->filter.in, id) && !(choice->exclude.in && ha_bits_get(choice->exclude.in, id)))
            g_array_append_val(ids, id);
    if (!ids->len) {
        g_set_error(error, HA_ERROR, HA_ERROR_FAILED,
                    "no object is left of '%s': leave out fewer, or see which types there are with 'heapanalyze types'",
                    filter);
        return FALSE;
    }
    choice->n_chosen = ids->len;
    choice->chosen = (HaId *)(void *)g_array_free(g_steal_pointer(&ids), FALSE);
    return TRUE;
}

static char *
make_title(const HaContext *c, const Choice *choice, const char *const *censor)
{
    g_autofree char *file = g_path_get_basename(c->dump_name);
    const HaType *type = ha_graph_type(c->graph, choice->chosen[0]);
    g_autofree char *count = ha_text_count(choice->n_chosen);
    const char *name = ha_censor_hides_type(censor, type->name) ? HA_CENSORED : ha_heap_picture_type_name(type);
    gboolean same = TRUE;

    for (gsize i = 1; i < choice->n_chosen; i++)
        same &= ha_graph_type(c->graph, choice->chosen[i]) == type;
    if (choice->n_chosen == 1)
        return g_strdup_printf("Who refers to the %s at 0x%" G_GINT64_MODIFIER "x, in %s", name,
                               ha_graph_addr(c->graph, choice->chosen[0]), file);
    if (same)
        return g_strdup_printf("Who refers to %s objects of %s, in %s", count, name, file);
    return g_strdup_printf("Who refers to %s objects of several types, in %s", count, file);
}

static void
tell(const HaNeighbourhood *n, const Choice *choice)
{
    if (!choice->sources.in)
        return;
    if (n->sources_reached == 0)
        ha_note("no path leads from --sources to the chosen objects");
    else if (n->source_steps > n->max_depth)
        ha_note("a path from --sources takes %u references: --max-depth %u shows it", n->source_steps, n->source_steps);
}

typedef struct {
    HaContext *c;
    HaNeighbourhoodSpec spec; /* but for max_nodes */
    HaHeapPictureSpec words;
    gboolean told; /* what there is to say about the way to the sources was said */
} Job;

static HaPicture *
explore(Job *job, const Choice *choice, guint max_nodes, GError **error)
{
    job->spec.max_nodes = max_nodes;
    g_autoptr(HaNeighbourhood) n = ha_neighbourhood_new(job->c->graph, &job->spec, error);
    if (!n)
        return NULL;
    if (!job->told)
        tell(n, choice);
    job->told = TRUE;
    return ha_heap_picture_new(job->c->graph, n, &job->words);
}

/*
 * At most so many boxes. Folding keeps what is alike in one box and loses little; from some level on it loses much, and then it is better to
 * draw fewer of the farthest objects.
 */
static HaPicture *
make_picture(Job *job, const Choice *choice, guint nodes, GError **error)
{
    for (guint reach = 2 * nodes;; reach /= 2) {
        g_autoptr(HaPicture) whole = explore(job, choice, reach, error);
        guint level = 0;

        if (!whole)
            return NULL;
        HaPicture *p = ha_fold_to_fit(whole, nodes, (guint)(nodes * ARROWS_PER_NODE), &level);
        if (level > GENTLE_FOLD && reach > nodes / 4) {
            ha_picture_free(p);
            continue;
        }
        if (level > 0)
            ha_picture_note(
                p, "Folded from %u boxes: alike objects share a double one with their number; its tooltip lists them.",
                whole->nodes->len);
        return p;
    }
}

static gboolean
save(const char *path, const void *data, gsize n, GError **error)
{
    HaOutFile *file = ha_out_file_new(path, HA_OUT_FILE_SHARED, error);

    if (!file)
        return FALSE;
    ha_out_bytes(ha_out_file_out(file), data, n);
    return ha_out_file_finish(file, error);
}

/* Whatever the layout stumbles over, a picture with less in it may do. */
static gboolean
draw(Job *job, const Choice *choice, Target target, const char *path, guint nodes, GError **error)
{
    HaLayoutFormat format = target == TO_SVG ? HA_LAYOUT_SVG : target == TO_PNG ? HA_LAYOUT_PNG : HA_LAYOUT_PDF;

    for (;; nodes /= 3) {
        g_autoptr(HaPicture) p = make_picture(job, choice, nodes, error);
        g_autoptr(GBytes) bytes = NULL;
        g_autoptr(GError) cause = NULL;

        if (!p)
            return FALSE;
        g_autofree char *dot = ha_dot_write(p);
        if (ha_layout_render(dot, strlen(dot), format, NULL, &bytes, &cause))
            return save(path, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error);
        if (nodes <= FEWEST_NODES || g_error_matches(cause, HA_LAYOUT_ERROR, HA_LAYOUT_ERROR_PLUGIN)) {
            g_set_error(error, HA_ERROR, HA_ERROR_FAILED, "cannot draw '%s': %s", path, cause->message);
            return FALSE;
        }
        ha_note("%s; drawing it coarser", cause->message);
    }
}

static gboolean
write_dot(Job *job, const Choice *choice, Target target, const char *path, guint nodes, GError **error)
{
    g_autoptr(HaPicture) p = make_picture(job, choice, nodes, error);

    if (!p)
        return FALSE;
    g_autofree char *dot = ha_dot_write(p);
    if (target == TO_DOT)
        return save(path, dot, strlen(dot), error);
    ha_out_text(job->c->out, dot);
    return TRUE;
}

static gboolean
run(HaContext *c, GError **error)
{
    const char *path = ha_options_text(c->options, "output");
    const char *censor = ha_options_text(c->options, "censor");
    guint breadth = ha_options_number(c->options, "max-breadth");
    guint nodes = CLAMP(MIN(breadth, MAX_NODES) * 5, MIN_NODES, MAX_NODES);
    g_auto(Choice) choice = {0};
    Target target;

    if (!find_target(path, &target, error) || !choose(c, &choice, error))
        return FALSE;
    g_auto(GStrv) prefixes = censor ? g_strsplit(censor, ",", -1) : NULL;
    g_autofree char *title = make_title(c, &choice, (const char *const *)prefixes);
    Job job = {.c = c,
               .spec = {.live = c->live,
                        .ledger = c->ledger,
                        .chosen = choice.chosen,
                        .n_chosen = choice.n_chosen,
                        .excluded = choice.exclude.in,
                        .sources = choice.sources.in,
                        .highlight = choice.highlight.in,
                        .max_depth = ha_options_number(c->options, "max-depth"),
                        .max_breadth = breadth},
               .words = {.title = title, .ledger = c->ledger, .censor = (const char *const *)prefixes}};
    if (target == TO_STDOUT || target == TO_DOT)
        return write_dot(&job, &choice, target, path, nodes, error);
    return draw(&job, &choice, target, path, nodes, error);
}

const HaCommand ha_command_graph = {
    .name = "graph",
    .summary = "Who refers to the chosen objects, as a picture",
    .examples = "  heapanalyze graph --filter 0x7f3a5c0d1e40 --highlight asyncio.Task -o graph.svg\n"
                "  heapanalyze graph --filter app.Session --max-depth 5 -o sessions.pdf\n"
                "  heapanalyze graph --filter='0x7f3a5c0d1e40,!0x7f3a5c000000' --max-depth=30 app.heap.gz | dot -Tsvg "
                "-o x.svg\n",
    .options = options,
    .run = run};
