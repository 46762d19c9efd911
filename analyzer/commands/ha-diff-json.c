// SPDX-License-Identifier: MIT
#include "analyses/ha-paths.h"
#include "commands/ha-diff-private.h"
#include "commands/ha-path-line.h"
#include "text/ha-json.h"

static void
write_rate(HaJson *j, const HaMoments *m, const char *key, gint64 change)
{
    ha_json_key(j, key);
    if (m->minutes > 0)
        ha_json_double(j, (double)change / m->minutes);
    else
        ha_json_null(j);
}

static void
write_numbers(HaJson *j, const HaMoments *m, const HaTally *at, const gboolean *known, gboolean counted, HaTrend trend)
{
    ha_json_key(j, "count");
    ha_json_begin_array(j);
    for (guint i = 0; i < m->n; i++)
        ha_json_known(j, counted && (known == NULL || known[i]), at[i].count);
    ha_json_end_array(j);
    ha_json_key(j, "bytes");
    ha_json_begin_array(j);
    for (guint i = 0; i < m->n; i++)
        ha_json_known(j, known == NULL || known[i], at[i].bytes);
    ha_json_end_array(j);
    ha_json_key(j, "count_change");
    if (counted)
        ha_json_int(j, ha_growth_count(at, m));
    else
        ha_json_null(j);
    ha_json_key(j, "bytes_change");
    ha_json_int(j, ha_growth_bytes(at, m));
    if (counted) {
        write_rate(j, m, "count_per_minute", ha_growth_count(at, m));
    } else {
        ha_json_key(j, "count_per_minute");
        ha_json_null(j);
    }
    write_rate(j, m, "bytes_per_minute", ha_growth_bytes(at, m));
    ha_json_key(j, "trend");
    ha_json_text(j, ha_trend_name(trend));
}

static void
write_dumps(HaJson *j, const HaDiff *d)
{
    static const char *const keys[] = {"time.us", "pid"};

    ha_json_key(j, "dumps");
    ha_json_begin_array(j);
    for (guint i = 0; i < d->moments->n; i++) {
        const HaSummary *s = d->moments->at[i];
        ha_json_newline(j);
        ha_json_begin_object(j);
        ha_json_key(j, "file");
        ha_json_text(j, d->names[i]);
        for (guint k = 0; k < G_N_ELEMENTS(keys); k++) {
            const char *value = g_hash_table_lookup(s->meta, keys[k]);
            ha_json_key(j, k == 0 ? "time_us" : keys[k]);
            if (value != NULL)
                ha_json_uint(j, g_ascii_strtoull(value, NULL, 10));
            else
                ha_json_null(j);
        }
        ha_json_key(j, "objects");
        ha_json_uint(j, s->total.count);
        ha_json_key(j, "bytes");
        ha_json_uint(j, s->total.bytes);
        ha_json_end_object(j);
    }
    ha_json_end_array(j);
    ha_json_key(j, "minutes");
    if (d->moments->minutes > 0)
        ha_json_double(j, d->moments->minutes);
    else
        ha_json_null(j);
    ha_json_key(j, "same_process");
    ha_json_bool(j, d->moments->same_process);
}

static void
write_types(HaJson *j, const HaDiff *d)
{
    guint shown = 0;

    ha_json_key(j, "types");
    ha_json_begin_array(j);
    for (guint i = 0; i < d->growth->types->len && shown < d->limit; i++) {
        const HaTypeGrowth *row = &g_array_index(d->growth->types, HaTypeGrowth, i);
        if (!ha_diff_wants_type(d, row))
            continue;
        shown++;
        ha_json_newline(j);
        ha_json_begin_object(j);
        ha_json_key(j, "type");
        ha_json_text(j, row->name);
        write_numbers(j, d->moments, row->at, NULL, TRUE, row->trend);
        ha_json_end_object(j);
    }
    ha_json_end_array(j);
}

static void
write_place(HaJson *j, const HaDiff *d, HaId id)
{
    g_auto(HaPath) path = {0};

    ha_json_key(j, "addr");
    ha_json_addr(j, ha_graph_addr(d->c->graph, id));
    if (ha_path_to(d->c->graph, d->c->ledger, d->survey->reach, id, &path))
        ha_json_path_members(j, d->c, &path);
}

static void
write_paths(HaJson *j, const HaDiff *d)
{
    guint shown = 0;

    ha_json_key(j, "paths");
    ha_json_begin_array(j);
    for (guint i = 0; i < d->growth->paths->len && shown < d->limit; i++) {
        const HaPathGrowth *row = &g_array_index(d->growth->paths, HaPathGrowth, i);
        if (row->sample == HA_ID_NONE || !ha_diff_wants_path(d, row))
            continue;
        g_autofree char *template = ha_path_template_text(d->survey->templates, row->template);
        shown++;
        ha_json_newline(j);
        ha_json_begin_object(j);
        ha_json_key(j, "template");
        ha_json_text(j, template);
        write_numbers(j, d->moments, row->at, NULL, TRUE, row->trend);
        ha_json_key(j, "type");
        ha_json_text(j, ha_graph_nth_type(d->c->graph, row->type)->name);
        ha_json_key(j, "of_type");
        ha_json_uint(j, row->of_type);
        write_place(j, d, row->sample);
        ha_json_end_object(j);
    }
    ha_json_end_array(j);
}

static void
write_containers(HaJson *j, const HaDiff *d)
{
    guint shown = 0;

    ha_json_key(j, "containers");
    ha_json_begin_array(j);
    for (guint i = 0; i < d->growth->containers->len && shown < d->limit; i++) {
        const HaContainerGrowth *row = &g_array_index(d->growth->containers, HaContainerGrowth, i);
        if (!ha_diff_wants_container(d, row))
            continue;
        g_autofree char *template = ha_path_template_text(d->survey->templates, row->template);
        shown++;
        ha_json_newline(j);
        ha_json_begin_object(j);
        ha_json_key(j, "type");
        ha_json_text(j, ha_graph_type(d->c->graph, row->id)->name);
        ha_json_key(j, "template");
        ha_json_text(j, template);
        write_numbers(j, d->moments, row->at, row->known, ha_graph_tells_items(d->c->graph), row->trend);
        write_place(j, d, row->id);
        ha_json_end_object(j);
    }
    ha_json_end_array(j);
}

void
ha_diff_write_json(const HaDiff *d)
{
    HaJson j;

    ha_json_init(&j, d->c->out);
    ha_json_begin_object(&j);
    write_dumps(&j, d);
    write_types(&j, d);
    write_paths(&j, d);
    write_containers(&j, d);
    ha_json_end_object(&j);
    ha_json_newline(&j);
}
