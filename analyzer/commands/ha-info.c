// SPDX-License-Identifier: MIT
/* heapanalyze info: what kind of dump this is, and how complete. */
#include <string.h>

#include "commands/ha-commands.h"
#include "commands/ha-line.h"
#include "text/ha-size.h"

#define SKIPPED_SHOWN 20

static const HaOption options[] = {{.name = "json", .kind = HA_OPTION_FLAG, .help = "the same as JSON"}, {0}};

typedef struct {
    guint64 live, chosen, bytes, real_bytes, garbage_bytes, roots, unknown_roots, outside, immortal, broken;
} Totals;

static Totals
add_up(const HaContext *c)
{
    Totals t = {0};
    gsize n;
    for (HaId id = 0; id < ha_graph_n_objects(c->graph); id++) {
        guint64 size = ha_graph_size(c->graph, id);
        guint32 flags = ha_graph_flags(c->graph, id);
        t.bytes += size;
        t.real_bytes += ha_graph_real_size(c->graph, id);
        t.live += ha_bits_get(c->live, id);
        t.chosen += ha_bits_get(c->chosen, id);
        t.outside += ha_ledger_surplus(c->ledger, id) > 0;
        t.immortal += (flags & HF_OBJ_IMMORTAL) != 0;
        t.broken += (flags & HF_OBJ_BROKEN) != 0;
    }
    const HaRoot *roots = ha_graph_roots(c->graph, &n);
    for (gsize i = 0; i < n; i++)
        t.unknown_roots += roots[i].kind == HA_ROOT_UNKNOWN;
    t.roots = n;
    return t;
}

static gint
compare_text(gconstpointer left, gconstpointer right)
{
    return strcmp(left, right);
}

static void
write_time(HaOut *out, const char *value)
{
    guint64 us = g_ascii_strtoull(value, NULL, 10);
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(us / G_USEC_PER_SEC);
    g_autofree char *text = time != NULL ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S UTC") : NULL;
    if (text != NULL)
        ha_out_printf(out, " (%s)", text);
}

static void
write_meta(HaContext *c)
{
    GHashTable *meta = ha_graph_meta_table(c->graph);
    g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(meta), compare_text);
    for (GList *key = keys; key != NULL; key = key->next) {
        const char *value = g_hash_table_lookup(meta, key->data);
        ha_out_escaped(c->out, key->data, strlen(key->data), 40);
        ha_out_printf(c->out, "%*s ", (int)MAX(0, 24 - (int)strlen(key->data)), "");
        ha_out_escaped(c->out, value, strlen(value), G_MAXSIZE);
        if (strcmp(key->data, HF_META_TIME) == 0)
            write_time(c->out, value);
        ha_out_char(c->out, '\n');
    }
}

static void
write_garbage(HaContext *c, const Totals *t, const HaGarbageTotals *garbage)
{
    g_autofree char *garbage_size = ha_size_text(garbage->bytes),
                    *awaiting_size = ha_size_text(garbage->awaiting_bytes);
    ha_out_printf(c->out, "held from outside        %" G_GUINT64_FORMAT "\n", t->outside);
    ha_out_printf(c->out, "immortal                 %" G_GUINT64_FORMAT "\n", t->immortal);
    ha_out_printf(c->out,
                  "garbage                  %" G_GUINT64_FORMAT ", which no root reaches: %" G_GUINT64_FORMAT " (%s)\n",
                  garbage->objects, garbage->bytes, garbage_size);
    ha_out_printf(c->out,
                  "awaiting collection      %" G_GUINT64_FORMAT ", cyclic garbage: %" G_GUINT64_FORMAT " (%s)\n",
                  garbage->awaiting, garbage->awaiting_bytes, awaiting_size);
}

/* Another tool's dump. */
static void
write_unknown(HaContext *c, const Totals *t)
{
    if (t->unknown_roots > 0)
        ha_out_printf(c->out,
                      "of unknown kind          %" G_GUINT64_FORMAT " of them: nothing outside is seen to hold these\n",
                      t->unknown_roots);
    ha_out_text(c->out, "held from outside        unknown\n"
                        "immortal                 unknown\n"
                        "garbage                  unknown: the dump has no reference counts\n"
                        "awaiting collection      unknown\n");
    ha_out_text(c->out, ha_graph_source(c->graph) == HA_SOURCE_PYHEAP
                            ? "names of references      of items, and of attributes that an object holds itself\n"
                            : "names of references      none but __dict__ of modules and classes\n");
}

static void
write_text(HaContext *c, const Totals *t, const HaGarbageTotals *garbage)
{
    const HaGraph *g = c->graph;
    gsize n_threads, n_frames, n_skipped;
    ha_graph_threads(g, &n_threads);
    ha_graph_frames(g, &n_frames);
    write_meta(c);
    g_autofree char *bytes = ha_size_text(t->bytes);
    ha_out_printf(c->out, "\nobjects                  %u, which take %" G_GUINT64_FORMAT " (%s)\n",
                  ha_graph_n_objects(g), t->bytes, bytes);
    if (t->real_bytes != t->bytes) {
        g_autofree char *real = ha_size_text(t->real_bytes);
        ha_out_printf(c->out, "of the allocator         %" G_GUINT64_FORMAT " (%s)\n", t->real_bytes, real);
    }
    ha_out_printf(c->out, "references               %" G_GUINT64_FORMAT "\n", ha_graph_n_refs(g));
    ha_out_printf(c->out, "types                    %u\n", ha_graph_n_types(g) - 1);
    ha_out_printf(c->out, "threads, frames          %" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT "\n", n_threads, n_frames);
    ha_out_printf(c->out, "roots                    %" G_GUINT64_FORMAT "\n", t->roots);
    if (ha_graph_is_foreign(g))
        write_unknown(c, t);
    else
        write_garbage(c, t, garbage);
    if (t->chosen != t->live)
        ha_out_printf(c->out, "chosen                   %" G_GUINT64_FORMAT "\n", t->chosen);
    if (c->ledger->overdrawn > 0)
        ha_out_printf(c->out, "beyond the counts        %" G_GUINT64_FORMAT " references more than refcounts tell\n",
                      c->ledger->overdrawn);
    if (t->broken > 0)
        ha_out_printf(c->out, "not read whole           %" G_GUINT64_FORMAT " objects\n", t->broken);

    GHashTable *counters = ha_graph_counter_table(g);
    g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(counters), compare_text);
    ha_out_text(c->out, keys != NULL ? "\n" : "");
    for (GList *key = keys; key != NULL; key = key->next) {
        const guint64 *value = g_hash_table_lookup(counters, key->data);
        ha_out_escaped(c->out, key->data, strlen(key->data), 60);
        ha_out_printf(c->out, "%*s %" G_GUINT64_FORMAT "\n", (int)MAX(0, 24 - (int)strlen(key->data)), "", *value);
    }
    if (g_hash_table_contains(counters, "gc.collecting"))
        ha_out_text(c->out, "a collection was at work: garbage that it had set aside may be missing\n");
    const HaSkipped *skipped = ha_graph_skipped(g, &n_skipped);
    for (gsize i = 0; i < MIN(n_skipped, SKIPPED_SHOWN); i++) {
        ha_out_printf(c->out, "skipped                  0x%" G_GINT64_MODIFIER "x ", skipped[i].addr);
        ha_out_escaped(c->out, skipped[i].why, strlen(skipped[i].why), 200);
        ha_out_char(c->out, '\n');
    }
    if (n_skipped > SKIPPED_SHOWN)
        ha_out_printf(c->out, "skipped                  … and %" G_GSIZE_FORMAT " more\n", n_skipped - SKIPPED_SHOWN);
    const char *reason = ha_graph_incomplete_reason(g);
    ha_out_text(c->out, "\ncomplete                 ");
    if (ha_graph_complete(g)) {
        ha_out_text(c->out, "yes\n");
        return;
    }
    ha_out_text(c->out, "no: ");
    if (reason != NULL)
        ha_out_escaped(c->out, reason, strlen(reason), G_MAXSIZE);
    ha_out_char(c->out, '\n');
}

/* What follows from reference counts. */
static void
json_counted(HaJson *j, const HaGraph *g, const char *key, guint64 value)
{
    ha_json_key(j, key);
    ha_json_known(j, !ha_graph_is_foreign(g), value);
}

static void
write_json(HaContext *c, const Totals *t, const HaGarbageTotals *garbage)
{
    const HaGraph *g = c->graph;
    gsize n_threads, n_frames, n_skipped;
    HaJson j;
    ha_json_init(&j, c->out);
    ha_json_begin_object(&j);
    ha_json_key(&j, "meta");
    ha_json_begin_object(&j);
    GHashTable *meta = ha_graph_meta_table(g), *counters = ha_graph_counter_table(g);
    g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(meta), compare_text);
    for (GList *key = keys; key != NULL; key = key->next) {
        ha_json_key(&j, key->data);
        ha_json_text(&j, g_hash_table_lookup(meta, key->data));
    }
    ha_json_end_object(&j);
    ha_json_key(&j, "counters");
    ha_json_begin_object(&j);
    g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(counters), compare_text);
    for (GList *name = names; name != NULL; name = name->next)
        ha_json_uint_member(&j, name->data, *(const guint64 *)g_hash_table_lookup(counters, name->data));
    ha_json_end_object(&j);
    ha_graph_threads(g, &n_threads);
    ha_graph_frames(g, &n_frames);
    ha_json_uint_member(&j, "objects", ha_graph_n_objects(g));
    ha_json_uint_member(&j, "references", ha_graph_n_refs(g));
    ha_json_uint_member(&j, "types", ha_graph_n_types(g) - 1);
    ha_json_uint_member(&j, "bytes", t->bytes);
    if (t->real_bytes != t->bytes)
        ha_json_uint_member(&j, "real_bytes", t->real_bytes);
    ha_json_uint_member(&j, "live", t->live);
    ha_json_uint_member(&j, "chosen", t->chosen);
    json_counted(&j, g, "garbage", garbage->objects);
    json_counted(&j, g, "garbage_bytes", garbage->bytes);
    json_counted(&j, g, "awaiting_collection", garbage->awaiting);
    json_counted(&j, g, "awaiting_collection_bytes", garbage->awaiting_bytes);
    ha_json_uint_member(&j, "roots", t->roots);
    ha_json_uint_member(&j, "unknown_roots", t->unknown_roots);
    json_counted(&j, g, "held_from_outside", t->outside);
    json_counted(&j, g, "immortal", t->immortal);
    json_counted(&j, g, "beyond_counts", c->ledger->overdrawn);
    ha_json_uint_member(&j, "not_read_whole", t->broken);
    ha_json_uint_member(&j, "threads", n_threads);
    ha_json_uint_member(&j, "frames", n_frames);
    ha_json_key(&j, "skipped");
    ha_json_begin_array(&j);
    const HaSkipped *skipped = ha_graph_skipped(g, &n_skipped);
    for (gsize i = 0; i < n_skipped; i++) {
        ha_json_begin_object(&j);
        ha_json_key(&j, "addr");
        ha_json_addr(&j, skipped[i].addr);
        ha_json_key(&j, "why");
        ha_json_text(&j, skipped[i].why);
        ha_json_end_object(&j);
    }
    ha_json_end_array(&j);
    ha_json_key(&j, "complete");
    ha_json_bool(&j, ha_graph_complete(g));
    ha_json_key(&j, "incomplete_reason");
    ha_json_text(&j, ha_graph_incomplete_reason(g));
    ha_json_end_object(&j);
    ha_json_newline(&j);
}

static gboolean
run(HaContext *c, GError **error)
{
    Totals totals = add_up(c);
    g_auto(HaGarbageTotals) garbage = {0};
    if (!ha_garbage_totals(c->graph, c->ledger, ha_options_flag(c->options, "garbage") ? NULL : c->live, TRUE, &garbage,
                           error))
        return FALSE;
    if (ha_options_flag(c->options, "json"))
        write_json(c, &totals, &garbage);
    else
        write_text(c, &totals, &garbage);
    return TRUE;
}

const HaCommand ha_command_info = {.name = "info",
                                   .summary = "Where a dump comes from, what is in it, and how complete it is",
                                   .examples = "  heapanalyze info app.heap.zst\n"
                                               "  heapanalyze info --json - < app.heap\n",
                                   .options = options,
                                   .run = run};
