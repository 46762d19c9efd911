// SPDX-License-Identifier: MIT
/* heapanalyze top: the largest objects, and who holds them. */
#include <string.h>

#include "analyses/ha-dominators.h"
#include "analyses/ha-parents.h"
#include "analyses/ha-paths.h"
#include "analyses/ha-type-match.h"
#include "commands/ha-commands.h"
#include "commands/ha-line.h"
#include "commands/ha-path-line.h"
#include "graph/ha-memory.h"
#include "text/ha-root-text.h"
#include "text/ha-size.h"

#define LINES_PER_OBJECT 200
#define PATH_COLUMN      11 /* below the address */
#define RULE             "================================================================================"

static const HaOption options[] = {
    {.name = "sort",
     .kind = HA_OPTION_CHOICE,
     .arg = "shallow|retained",
     .fallback = "shallow",
     .help = "largest by what"},
    {.name = "top-allocations", .kind = HA_OPTION_NUMBER, .arg = "N", .fallback = "50", .help = "how many objects"},
    {.name = "filter", .kind = HA_OPTION_TEXT, .arg = "TEXT", .help = "only types with TEXT in their name"},
    {.name = "show-parents",
     .alias = "show-parent",
     .kind = HA_OPTION_FLAG,
     .help = "who refers to each, and who to those"},
    {.name = "max-depth", .kind = HA_OPTION_NUMBER, .arg = "N", .fallback = "10", .help = "levels of parents"},
    {.name = "max-breadth",
     .kind = HA_OPTION_NUMBER,
     .arg = "N",
     .fallback = "5",
     .help = "parents of an object, nearest to a root first; half on each next level"},
    {.name = "json", .kind = HA_OPTION_FLAG, .help = "the same as JSON"},
    {0}};

typedef struct {
    guint64 value;
    HaId id;
} Ranked;

/* Whether a comes after b: smaller, or as large at a higher address. */
static gboolean
is_behind(const Ranked *a, const Ranked *b)
{
    return a->value != b->value ? a->value < b->value : a->id > b->id;
}

static gint
compare_ranked(gconstpointer left, gconstpointer right)
{
    return is_behind(left, right) ? 1 : is_behind(right, left) ? -1 : 0;
}

/* The best so far as a heap whose first item is the one to go next. */
static void
offer(Ranked *heap, gsize *n, gsize max, Ranked item)
{
    gsize at;
    if (*n < max) {
        for (at = (*n)++; at > 0 && is_behind(&item, &heap[(at - 1) / 2]); at = (at - 1) / 2)
            heap[at] = heap[(at - 1) / 2];
    } else {
        if (max == 0 || is_behind(&item, &heap[0]))
            return;
        for (at = 0;;) {
            gsize child = 2 * at + 1;
            if (child >= *n)
                break;
            if (child + 1 < *n && is_behind(&heap[child + 1], &heap[child]))
                child++;
            if (!is_behind(&heap[child], &item))
                break;
            heap[at] = heap[child];
            at = child;
        }
    }
    heap[at] = item;
}

typedef struct {
    Ranked *best; /* owned */
    gsize n;
    guint64 matching, bytes; /* of all objects that were eligible */
} Result;

static gboolean
find_top(HaContext *c, const HaDominators *dominators, Result *result, GError **error)
{
    const char *filter = ha_options_text(c->options, "filter");
    g_autoptr(HaTypeSet) types = filter != NULL ? ha_type_set_new(c->graph, filter, HA_MATCH_PART) : NULL;
    guint32 n = ha_graph_n_objects(c->graph);
    gsize max = MIN(ha_options_number(c->options, "top-allocations"), n);
    *result = (Result){.best = g_try_new(Ranked, MAX(max, 1))};
    if (result->best == NULL) {
        ha_memory_fail(error, "to sort the objects");
        return FALSE;
    }
    for (HaId id = 0; id < n; id++) {
        if (!ha_bits_get(c->chosen, id) ||
            (types != NULL && !ha_type_set_has(types, ha_graph_type_index(c->graph, id))))
            continue;
        guint64 size = ha_graph_size(c->graph, id);
        result->matching++;
        result->bytes += size;
        offer(result->best, &result->n, max,
              (Ranked){.value = dominators != NULL ? ha_dominators_retained(dominators, id) : size, .id = id});
    }
    qsort(result->best, result->n, sizeof(Ranked), compare_ranked);
    if (types != NULL && ha_type_set_size(types) == 0)
        ha_note("no type has '%s' in its name", filter);
    return TRUE;
}

static void
write_root_suffix(HaContext *c, HaId id)
{
    g_autoptr(GPtrArray) roots = ha_root_texts(c->graph, c->ledger, id);
    if (roots->len == 0)
        return;
    const char *text = roots->pdata[0];
    ha_out_text(c->out, " (root: ");
    ha_out_escaped(c->out, text, strlen(text), 200);
    if (roots->len > 1)
        ha_out_printf(c->out, "; %u more", roots->len - 1);
    ha_out_char(c->out, ')');
}

static void
write_parent(HaContext *c, const HaParent *parent)
{
    ha_out_printf(c->out, "%*s", (int)(2 * parent->depth), "");
    if (parent->kind == HA_PARENT_DEPTH) {
        ha_out_text(c->out, "...\n");
        return;
    }
    if (parent->kind == HA_PARENT_MORE) {
        ha_out_printf(c->out, "… and %" G_GSIZE_FORMAT " more\n", parent->count);
        return;
    }
    if (parent->id == HA_ID_NONE) {
        ha_out_text(c->out, "(parents shown above)\n");
        return;
    }
    ha_line_object(c, parent->id, HA_PARENT_CONTENT_SHOWN);
    g_autofree char *edge = ha_edge_text(c->graph, parent->id, parent->child, parent->first_ref, parent->count);
    ha_out_printf(c->out, " via %s", edge);
    if (parent->kind == HA_PARENT_CYCLE) {
        ha_out_text(c->out, " (cycle)");
    } else if (ha_is_root(c->graph, c->ledger, parent->id)) {
        g_autoptr(GPtrArray) roots = ha_root_texts(c->graph, c->ledger, parent->id);
        const char *text = roots->pdata[0];
        ha_out_text(c->out, " [");
        ha_out_escaped(c->out, text, strlen(text), 200);
        ha_out_text(c->out, "] (root)");
    }
    if (parent->kind == HA_PARENT_REPEATED)
        ha_out_text(c->out, " (shown above)");
    if (parent->others > 0)
        ha_out_printf(c->out, " … and %" G_GSIZE_FORMAT " more", parent->others);
    ha_out_char(c->out, '\n');
}

/* Where it is, in Python's words: what retains much is mostly a dict or a list, and these look alike. */
static void
write_path(HaContext *c, const HaReach *reach, HaId id)
{
    g_auto(HaPath) path = {0};
    gboolean is_expression;

    if (!ha_path_to(c->graph, c->ledger, reach, id, &path))
        return;
    g_autofree char *text = ha_path_text(c->graph, c->ledger, &path, &is_expression);
    ha_out_printf(c->out, "%*s", PATH_COLUMN, "");
    ha_out_escaped_again(c->out, text);
    ha_out_char(c->out, '\n');
}

static void
write_text(HaContext *c, const Result *result, const HaDominators *dominators, const HaReach *reach, HaParents *parents)
{
    for (gsize i = 0; i < result->n && !ha_out_stopped(c->out); i++) {
        HaId id = result->best[i].id;
        if (i > 0)
            ha_out_text(c->out, RULE "\n");
        ha_line_object(c, id, HA_CONTENT_SHOWN);
        if (dominators != NULL) {
            g_autofree char *size = ha_size_text(result->best[i].value);
            ha_out_printf(c->out, " retains %" G_GUINT64_FORMAT " (%s)", result->best[i].value, size);
        }
        write_root_suffix(c, id);
        ha_out_char(c->out, '\n');
        if (reach != NULL)
            write_path(c, reach, id);
        if (parents == NULL)
            continue;
        g_autoptr(GArray) lines = ha_parents_of(parents, id);
        for (guint k = 0; k < lines->len; k++)
            write_parent(c, &g_array_index(lines, HaParent, k));
    }
    g_autofree char *bytes = ha_size_text(result->bytes);
    ha_note("%" G_GSIZE_FORMAT " of %" G_GUINT64_FORMAT " objects, which take %s", result->n, result->matching, bytes);
}

static void
json_parents(HaJson *j, HaContext *c, HaParents *parents, HaId id)
{
    static const char *const kinds[] = {
        [HA_PARENT_PLAIN] = NULL,          [HA_PARENT_ROOT] = "root",   [HA_PARENT_CYCLE] = "cycle",
        [HA_PARENT_REPEATED] = "repeated", [HA_PARENT_DEPTH] = "depth", [HA_PARENT_MORE] = "more"};
    g_autoptr(GArray) lines = ha_parents_of(parents, id);
    ha_json_key(j, "parents"); /* flat, with depths: a tree as deep as --max-depth would break readers */
    ha_json_begin_array(j);
    for (guint k = 0; k < lines->len; k++) {
        const HaParent *parent = &g_array_index(lines, HaParent, k);
        ha_json_begin_object(j);
        ha_json_key(j, "depth");
        ha_json_uint(j, parent->depth);
        ha_json_key(j, "end");
        ha_json_text(j, kinds[parent->kind]);
        if (parent->kind == HA_PARENT_MORE) {
            ha_json_key(j, "count");
            ha_json_uint(j, parent->count);
        } else if (parent->id != HA_ID_NONE) {
            g_autofree char *edge = ha_edge_text(c->graph, parent->id, parent->child, parent->first_ref, parent->count);
            ha_json_key(j, "name");
            ha_json_text(j, edge);
            ha_json_key(j, "others");
            ha_json_uint(j, parent->others);
            ha_json_object_members(j, c, parent->id);
        }
        ha_json_end_object(j);
    }
    ha_json_end_array(j);
}

static void
json_path(HaJson *j, HaContext *c, const HaReach *reach, HaId id)
{
    g_auto(HaPath) path = {0};

    ha_json_key(j, "held");
    if (!ha_path_to(c->graph, c->ledger, reach, id, &path)) {
        ha_json_null(j);
        return;
    }
    ha_json_begin_object(j);
    ha_json_path_members(j, c, &path);
    ha_json_end_object(j);
}

static void
write_json(HaContext *c, const Result *result, const HaDominators *dominators, const HaReach *reach, HaParents *parents)
{
    HaJson j;
    ha_json_init(&j, c->out);
    ha_json_begin_object(&j);
    ha_json_key(&j, "matching");
    ha_json_uint(&j, result->matching);
    ha_json_key(&j, "bytes");
    ha_json_uint(&j, result->bytes);
    ha_json_key(&j, "objects");
    ha_json_begin_array(&j);
    for (gsize i = 0; i < result->n && !ha_out_stopped(c->out); i++) {
        ha_json_newline(&j);
        ha_json_begin_object(&j);
        ha_json_object_members(&j, c, result->best[i].id);
        if (dominators != NULL) {
            ha_json_key(&j, "retained");
            ha_json_uint(&j, result->best[i].value);
        }
        if (reach != NULL)
            json_path(&j, c, reach, result->best[i].id);
        if (parents != NULL)
            json_parents(&j, c, parents, result->best[i].id);
        ha_json_end_object(&j);
    }
    ha_json_end_array(&j);
    ha_json_end_object(&j);
    ha_json_newline(&j);
}

static gboolean
run(HaContext *c, GError **error)
{
    g_autoptr(HaDominators) dominators = NULL;
    g_autoptr(HaReach) reach = NULL;
    if (strcmp(ha_options_text(c->options, "sort"), "retained") == 0) {
        dominators = ha_dominators_new(c->graph, c->ledger, c->live, error);
        HaReachSpec spec = {.graph = c->graph, .ledger = c->ledger, .live = c->live};
        reach = dominators != NULL ? ha_reach_new(&spec, error) : NULL;
        if (reach == NULL)
            return FALSE;
    }
    Result result;
    if (!find_top(c, dominators, &result, error))
        return FALSE;
    g_autofree Ranked *owned = result.best;
    g_autoptr(HaParents) parents = NULL;
    if (ha_options_flag(c->options, "show-parents")) {
        parents = ha_parents_new(c->graph, c->ledger, c->live, ha_options_number(c->options, "max-depth"),
                                 ha_options_number(c->options, "max-breadth"), LINES_PER_OBJECT, error);
        if (parents == NULL)
            return FALSE;
    } else if (ha_options_given(c->options, "max-depth") || ha_options_given(c->options, "max-breadth")) {
        ha_note("--max-depth and --max-breadth are about parents: --show-parents shows them");
    }
    if (ha_options_flag(c->options, "json"))
        write_json(c, &result, dominators, reach, parents);
    else
        write_text(c, &result, dominators, reach, parents);
    return owned != NULL;
}

const HaCommand ha_command_top = {
    .name = "top",
    .summary = "The largest objects, and who holds them",
    .examples = "  heapanalyze top --top-allocations 20 app.heap.zst\n"
                "  heapanalyze --previous-heap-dump before.heap.gz top --show-parents --max-depth=30 after.heap.gz\n"
                "  heapanalyze --remove-heap-dump a.heap --intersect-heap-dump c.heap top --show-parents b.heap\n"
                "  heapanalyze top --sort retained --filter asyncio.Task\n",
    .options = options,
    .run = run};
