// SPDX-License-Identifier: MIT
/* heapanalyze types --containers */
#include <string.h>

#include "analyses/ha-containers.h"
#include "commands/ha-line.h"
#include "commands/ha-types-private.h"
#include "text/ha-size.h"

static void
write_fill(HaOut *out, const HaContainers *row)
{
    if (row->room == 0)
        ha_out_printf(out, " %5s", "-");
    else
        ha_out_printf(out, " %3.0f %%", 100.0 * (double)row->filled / (double)row->room);
}

static void
write_text(const HaContext *c, const GArray *rows, guint lines)
{
    HaOut *out = c->out;
    guint64 unknown = 0;
    ha_out_printf(out, "%10s %10s %12s %10s %14s %14s %10s %5s  %s\n", "count", "empty", "items", "most", "bytes",
                  "unused", "", "fill", "type");
    for (guint i = 0; i < rows->len; i++) {
        const HaContainers *row = &g_array_index(rows, HaContainers, i);
        const char *name = ha_graph_nth_type(c->graph, row->type)->name;
        unknown += row->unknown;
        if (i >= lines)
            continue;
        ha_out_printf(out,
                      "%10" G_GUINT64_FORMAT " %10" G_GUINT64_FORMAT " %12" G_GUINT64_FORMAT " %10" G_GUINT64_FORMAT
                      " %14" G_GUINT64_FORMAT,
                      row->count, row->empty, row->items, row->largest, row->bytes);
        if (row->unknown == row->count) {
            ha_out_printf(out, " %14s %10s %5s", "?", "", "?");
        } else {
            g_autofree char *size = ha_size_text(row->unused);
            ha_out_printf(out, " %14" G_GUINT64_FORMAT " %10s", row->unused, size);
            write_fill(out, row);
        }
        ha_out_text(out, "  ");
        ha_out_escaped(out, name, strlen(name), G_MAXSIZE);
        ha_out_char(out, '\n');
    }
    if (rows->len > lines)
        ha_out_printf(out, "… and %u more\n", rows->len - lines);
    if (unknown > 0)
        ha_note("of %" G_GUINT64_FORMAT
                " it cannot be told from their size how much more they would take; they are left out of "
                "unused and fill",
                unknown);
}

static void
write_json(const HaContext *c, const GArray *rows, guint lines)
{
    HaJson j;
    ha_json_init(&j, c->out);
    ha_json_begin_object(&j);
    ha_json_key(&j, "containers");
    ha_json_begin_array(&j);
    for (guint i = 0; i < MIN(rows->len, lines); i++) {
        const HaContainers *row = &g_array_index(rows, HaContainers, i);
        const struct {
            const char *key;
            guint64 value;
        } members[] = {{"count", row->count},   {"empty", row->empty}, {"items", row->items},
                       {"most", row->largest},  {"bytes", row->bytes}, {"unknown", row->unknown},
                       {"filled", row->filled}, {"room", row->room},   {"unused", row->unused}};
        ha_json_newline(&j);
        ha_json_begin_object(&j);
        ha_json_key(&j, "type");
        ha_json_text(&j, ha_graph_nth_type(c->graph, row->type)->name);
        for (guint k = 0; k < G_N_ELEMENTS(members); k++) {
            ha_json_key(&j, members[k].key);
            ha_json_uint(&j, members[k].value);
        }
        ha_json_key(&j, "most_addr");
        ha_json_addr(&j, ha_graph_addr(c->graph, row->largest_id));
        ha_json_end_object(&j);
    }
    ha_json_end_array(&j);
    ha_json_end_object(&j);
    ha_json_newline(&j);
}

gboolean
ha_types_containers(HaContext *c, GError **error)
{
    HaSource source = ha_graph_source(c->graph);
    if (source == HA_SOURCE_DUMP_HEAP_STRUCT || source == HA_SOURCE_DUMP_HEAP_MSGPACK) {
        g_set_error(error, HA_ERROR, HA_ERROR_FAILED,
                    "'%s' does not tell what is in a container and what belongs to it otherwise: references in dumps "
                    "of dump-heap "
                    "have no names",
                    c->dump_name);
        return FALSE;
    }
    g_autoptr(HaTypeSet) wanted = ha_types_wanted(c, c->graph);
    g_autoptr(GArray) rows = ha_containers_count(c->graph, c->chosen);
    for (guint i = rows->len; wanted != NULL && i-- > 0;)
        if (!ha_type_set_has(wanted, g_array_index(rows, HaContainers, i).type))
            g_array_remove_index(rows, i);
    guint limit = ha_options_number(c->options, "limit");
    if (ha_options_flag(c->options, "json"))
        write_json(c, rows, limit != 0 ? limit : G_MAXUINT);
    else
        write_text(c, rows, limit != 0 ? limit : G_MAXUINT);
    return TRUE;
}
