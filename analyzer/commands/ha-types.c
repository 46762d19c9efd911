// SPDX-License-Identifier: MIT
/* heapanalyze types: how many objects of each type, or of the types of each module, and what changed. */
#include <string.h>

#include "analyses/ha-group-retained.h"
#include "analyses/ha-type-match.h"
#include "commands/ha-commands.h"
#include "commands/ha-line.h"
#include "commands/ha-types-private.h"
#include "text/ha-size.h"

static const HaOption options[] = {
    {.name = "by", .kind = HA_OPTION_CHOICE, .arg = "type|module", .fallback = "type", .help = "a line for each what"},
    {.name = "sort",
     .kind = HA_OPTION_CHOICE,
     .arg = "shallow|retained|count|growth|garbage",
     .fallback = "shallow",
     .help = "largest first by what"},
    {.name = "filter", .kind = HA_OPTION_TEXT, .arg = "TEXT", .help = "only types with TEXT in their name"},
    {.name = "limit", .kind = HA_OPTION_NUMBER, .arg = "N", .fallback = "0", .help = "how many lines, 0 for all"},
    {.name = "duplicates",
     .kind = HA_OPTION_FLAG,
     .help = "instead: equal strings, bytes and tuples, and what the copies waste"},
    {.name = "containers",
     .kind = HA_OPTION_FLAG,
     .help = "instead: how full lists, tuples, dicts and sets are, and how many are empty"},
    {.name = "json", .kind = HA_OPTION_FLAG, .help = "the same as JSON"},
    {0}};

typedef struct {
    const char *name; /* borrowed from the table of names */
    guint64 count, shallow, retained;
    guint64 count_before, shallow_before;
    guint64 garbage, garbage_bytes; /* with --garbage: reached from no root */
} Row;

typedef struct {
    HaContext *context;
    gboolean by_module;
    GHashTable *index; /* name, owned → row + 1 */
    GArray *rows;      /* Row */
    const HaGarbageTotals *garbage;
} Histogram;

/* "asyncio.tasks.Task" is of "asyncio.tasks"; a nested class's qualname counts to the module only as far as names tell. */
static char *
group_name(const Histogram *h, const char *type)
{
    const char *dot = strrchr(type, '.');
    return h->by_module ? (dot != NULL ? g_strndup(type, dot - type) : g_strdup("builtins")) : g_strdup(type);
}

static guint
row_of(Histogram *h, const char *type)
{
    g_autofree char *name = group_name(h, type);
    guint row = GPOINTER_TO_UINT(g_hash_table_lookup(h->index, name));
    if (row == 0) {
        Row new = {.name = name};
        g_array_append_val(h->rows, new);
        row = h->rows->len;
        g_hash_table_insert(h->index, g_steal_pointer(&name), GUINT_TO_POINTER(row));
    }
    return row - 1;
}

HaTypeSet *
ha_types_wanted(const HaContext *c, const HaGraph *g)
{
    const char *filter = ha_options_text(c->options, "filter");
    HaTypeSet *wanted = filter != NULL ? ha_type_set_new(g, filter, HA_MATCH_PART) : NULL;
    if (wanted != NULL && c->previous == NULL && ha_type_set_size(wanted) == 0)
        ha_note("no type has '%s' in its name", filter);
    return wanted;
}

/* Row of each type of a graph, HA_GROUP_NONE: not wanted. Owned by the caller. */
static guint *
rows_of_types(Histogram *h, const HaGraph *g)
{
    g_autoptr(HaTypeSet) wanted = ha_types_wanted(h->context, g);
    guint *rows = g_new(guint, ha_graph_n_types(g));
    for (guint32 i = 0; i < ha_graph_n_types(g); i++)
        rows[i] =
            wanted == NULL || ha_type_set_has(wanted, i) ? row_of(h, ha_graph_nth_type(g, i)->name) : HA_GROUP_NONE;
    return rows;
}

static gboolean
add_retained(Histogram *h, const guint *rows, GError **error)
{
    HaContext *c = h->context;
    g_autoptr(HaDominators) dominators = ha_dominators_new(c->graph, c->ledger, c->live, error);
    if (dominators == NULL)
        return FALSE;
    g_autofree guint64 *retained = g_new0(guint64, h->rows->len);
    if (!ha_group_retained(c->graph, dominators, c->chosen, rows, h->rows->len, retained, error))
        return FALSE;
    for (guint i = 0; i < h->rows->len; i++)
        g_array_index(h->rows, Row, i).retained = retained[i];
    return TRUE;
}

static gboolean
count(Histogram *h, GError **error)
{
    HaContext *c = h->context;
    g_autofree guint *rows = rows_of_types(h, c->graph);
    g_autofree guint *rows_before = c->previous != NULL ? rows_of_types(h, c->previous) : NULL;
    Row *row = (Row *)(void *)h->rows->data;
    for (HaId id = 0; id < ha_graph_n_objects(c->graph); id++) {
        guint r = rows[ha_graph_type_index(c->graph, id)];
        if (r == HA_GROUP_NONE || !ha_bits_get(c->chosen, id))
            continue;
        row[r].count++;
        row[r].shallow += ha_graph_size(c->graph, id);
        if (h->garbage->unreached != NULL && ha_bits_get(h->garbage->unreached, id)) {
            row[r].garbage++;
            row[r].garbage_bytes += ha_graph_size(c->graph, id);
        }
    }
    for (HaId id = 0; c->previous != NULL && id < ha_graph_n_objects(c->previous); id++) {
        guint r = rows_before[ha_graph_type_index(c->previous, id)];
        if (r == HA_GROUP_NONE || !ha_bits_get(c->previous_live, id))
            continue;
        row[r].count_before++;
        row[r].shallow_before += ha_graph_size(c->previous, id);
    }
    return add_retained(h, rows, error);
}

static gint64
growth(const Row *row)
{
    return (gint64)(row->shallow - row->shallow_before);
}

static gint
compare_rows(gconstpointer left, gconstpointer right, gpointer by)
{
    const Row *a = left, *b = right;
    const char *order = by;
    gint64 x = a->shallow, y = b->shallow;
    if (strcmp(order, "count") == 0) {
        x = a->count;
        y = b->count;
    } else if (strcmp(order, "retained") == 0) {
        x = a->retained;
        y = b->retained;
    } else if (strcmp(order, "growth") == 0) {
        x = growth(a);
        y = growth(b);
    } else if (strcmp(order, "garbage") == 0) {
        x = a->garbage_bytes;
        y = b->garbage_bytes;
    }
    return x != y ? (x > y ? -1 : 1) : strcmp(a->name, b->name);
}

static void
write_total(HaOut *out, guint64 objects, guint64 bytes, const char *what)
{
    g_autofree char *size = ha_size_text(bytes);
    ha_out_printf(out, "%10" G_GUINT64_FORMAT " %14" G_GUINT64_FORMAT " %14s %10s  %s\n", objects, bytes, "", size,
                  what);
}

static void
write_text(const Histogram *h, guint lines)
{
    HaOut *out = h->context->out;
    gboolean compares = h->context->previous != NULL, garbage = h->garbage->unreached != NULL;
    Row sum = {0};
    ha_out_printf(out, "%10s %14s %14s %10s  ", "count", "shallow", "retained", "");
    if (compares)
        ha_out_printf(out, "%10s %14s  ", "+count", "+shallow");
    if (garbage)
        ha_out_printf(out, "%10s %14s  ", "garbage", "its bytes");
    ha_out_text(out, h->by_module ? "module\n" : "type\n");
    for (guint i = 0; i < h->rows->len; i++) {
        const Row *row = &g_array_index(h->rows, Row, i);
        sum.count += row->count;
        sum.shallow += row->shallow;
        sum.count_before += row->count_before;
        sum.shallow_before += row->shallow_before;
        sum.garbage += row->garbage;
        sum.garbage_bytes += row->garbage_bytes;
        if (i >= lines)
            continue;
        g_autofree char *size = ha_size_text(row->retained);
        ha_out_printf(out, "%10" G_GUINT64_FORMAT " %14" G_GUINT64_FORMAT " %14" G_GUINT64_FORMAT " %10s  ", row->count,
                      row->shallow, row->retained, size);
        if (compares)
            ha_out_printf(out, "%+10" G_GINT64_FORMAT " %+14" G_GINT64_FORMAT "  ",
                          (gint64)(row->count - row->count_before), growth(row));
        if (garbage)
            ha_out_printf(out, "%10" G_GUINT64_FORMAT " %14" G_GUINT64_FORMAT "  ", row->garbage, row->garbage_bytes);
        ha_out_escaped(out, row->name, strlen(row->name), G_MAXSIZE);
        ha_out_char(out, '\n');
    }
    if (h->rows->len > lines)
        ha_out_printf(out, "… and %u more\n", h->rows->len - lines);
    g_autofree char *size = ha_size_text(sum.shallow);
    ha_out_printf(out, "%10" G_GUINT64_FORMAT " %14" G_GUINT64_FORMAT " %14s %10s  ", sum.count, sum.shallow, "", size);
    if (compares)
        ha_out_printf(out, "%+10" G_GINT64_FORMAT " %+14" G_GINT64_FORMAT "  ", (gint64)(sum.count - sum.count_before),
                      growth(&sum));
    if (garbage)
        ha_out_printf(out, "%10" G_GUINT64_FORMAT " %14" G_GUINT64_FORMAT "  ", sum.garbage, sum.garbage_bytes);
    ha_out_text(out, "total\n");
    if (garbage)
        write_total(out, h->garbage->objects, h->garbage->bytes, "garbage in all: reached from no root");
    if (garbage || h->garbage->awaiting > 0)
        write_total(out, h->garbage->awaiting, h->garbage->awaiting_bytes, "cyclic garbage awaiting collection");
}

static void
write_json(const Histogram *h, guint lines)
{
    HaJson j;
    ha_json_init(&j, h->context->out);
    ha_json_begin_object(&j);
    ha_json_key(&j, h->by_module ? "modules" : "types");
    ha_json_begin_array(&j);
    for (guint i = 0; i < MIN(h->rows->len, lines); i++) {
        const Row *row = &g_array_index(h->rows, Row, i);
        ha_json_newline(&j);
        ha_json_begin_object(&j);
        ha_json_key(&j, h->by_module ? "module" : "type");
        ha_json_text(&j, row->name);
        ha_json_key(&j, "count");
        ha_json_uint(&j, row->count);
        ha_json_key(&j, "shallow");
        ha_json_uint(&j, row->shallow);
        ha_json_key(&j, "retained");
        ha_json_uint(&j, row->retained);
        if (h->context->previous != NULL) {
            ha_json_key(&j, "count_change");
            ha_json_int(&j, (gint64)(row->count - row->count_before));
            ha_json_key(&j, "shallow_change");
            ha_json_int(&j, growth(row));
        }
        if (h->garbage->unreached != NULL) {
            ha_json_key(&j, "garbage");
            ha_json_uint(&j, row->garbage);
            ha_json_key(&j, "garbage_bytes");
            ha_json_uint(&j, row->garbage_bytes);
        }
        ha_json_end_object(&j);
    }
    ha_json_end_array(&j);
    if (h->garbage->unreached != NULL) {
        ha_json_key(&j, "garbage");
        ha_json_uint(&j, h->garbage->objects);
        ha_json_key(&j, "garbage_bytes");
        ha_json_uint(&j, h->garbage->bytes);
    }
    gboolean known = !ha_graph_is_foreign(h->context->graph);
    ha_json_key(&j, "awaiting_collection");
    ha_json_known(&j, known, h->garbage->awaiting);
    ha_json_key(&j, "awaiting_collection_bytes");
    ha_json_known(&j, known, h->garbage->awaiting_bytes);
    ha_json_end_object(&j);
    ha_json_newline(&j);
}

/* --duplicates and --containers are answers of their own: what would choose or order types says nothing there. */
static gboolean
run_other(HaContext *c, GError **error)
{
    static const char *const others[] = {"duplicates", "containers"};
    gboolean duplicates = ha_options_flag(c->options, others[0]), containers = ha_options_flag(c->options, others[1]);
    if (duplicates && containers) {
        g_set_error_literal(error, HA_ERROR, HA_ERROR_USAGE,
                            "--duplicates and --containers are two questions: ask one");
        return FALSE;
    }
    static const char *const unwanted[] = {"by", "sort"};
    for (guint i = 0; i < G_N_ELEMENTS(unwanted); i++)
        if (ha_options_given(c->options, unwanted[i])) {
            g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "--%s says nothing with --%s: leave it out", unwanted[i],
                        others[containers]);
            return FALSE;
        }
    return duplicates ? ha_types_duplicates(c, error) : ha_types_containers(c, error);
}

static gboolean
run(HaContext *c, GError **error)
{
    if (ha_options_flag(c->options, "duplicates") || ha_options_flag(c->options, "containers"))
        return run_other(c, error);
    g_autoptr(GHashTable) index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(Row));
    const char *sort = ha_options_text(c->options, "sort");
    Histogram h = {.context = c,
                   .by_module = strcmp(ha_options_text(c->options, "by"), "module") == 0,
                   .index = index,
                   .rows = rows};
    if (c->previous == NULL && strcmp(sort, "growth") == 0) {
        g_set_error_literal(error, HA_ERROR, HA_ERROR_USAGE,
                            "--sort growth wants --previous-heap-dump FILE to compare with");
        return FALSE;
    }
    gboolean with_garbage = ha_options_flag(c->options, "garbage") && !ha_graph_is_foreign(c->graph);
    if (ha_graph_is_foreign(c->graph) && strcmp(sort, "garbage") == 0) {
        g_set_error(error, HA_ERROR, HA_ERROR_FAILED, "'%s' does not tell what is garbage: it has no reference counts",
                    c->dump_name);
        return FALSE;
    }
    if (!with_garbage && strcmp(sort, "garbage") == 0) {
        g_set_error_literal(error, HA_ERROR, HA_ERROR_USAGE,
                            "--sort garbage wants --garbage, without which it is left out");
        return FALSE;
    }
    g_auto(HaGarbageTotals) garbage = {0};
    if (!ha_garbage_totals(c->graph, c->ledger, with_garbage ? NULL : c->live, with_garbage, &garbage, error))
        return FALSE;
    h.garbage = &garbage;
    if (!count(&h, error))
        return FALSE;
    for (guint i = rows->len; i-- > 0;) {
        const Row *row = &g_array_index(rows, Row, i);
        if (row->count == 0 && row->count_before == 0)
            g_array_remove_index_fast(rows, i);
    }
    g_array_sort_with_data(rows, compare_rows, (gpointer)sort);
    guint limit = ha_options_number(c->options, "limit");
    if (ha_options_flag(c->options, "json"))
        write_json(&h, limit != 0 ? limit : G_MAXUINT);
    else
        write_text(&h, limit != 0 ? limit : G_MAXUINT);
    return TRUE;
}

const HaCommand ha_command_types = {
    .name = "types",
    .summary = "How many objects of each type, their size, and what changed since --previous-heap-dump",
    .flags = HA_COMMAND_COMPARES,
    .examples = "  heapanalyze types app.heap.zst\n"
                "  heapanalyze types --by module --sort retained --limit 20\n"
                "  heapanalyze types --previous-heap-dump before.heap.zst --sort growth after.heap.zst\n"
                "  heapanalyze types --garbage --sort garbage --limit 10\n"
                "  heapanalyze types --duplicates --limit 20\n"
                "  heapanalyze types --containers --json\n",
    .options = options,
    .run = run};
