// SPDX-License-Identifier: MIT
#include "commands/ha-leaks-private.h"
#include "commands/ha-path-line.h"
#include "text/ha-json.h"

static void
write_addr(HaJson *j, const HaLeaks *l, const char *key, HaId id)
{
    ha_json_key(j, key);
    if (id != HA_ID_NONE)
        ha_json_addr(j, ha_graph_addr(l->c->graph, id));
    else
        ha_json_null(j);
}

static void
write_series(HaJson *j, const HaLeaks *l, const HaSuspect *s, const char *key, gboolean bytes)
{
    ha_json_key(j, key);
    ha_json_begin_array(j);
    for (guint i = 0; i < l->spec->moments->n; i++)
        if (s->known[i])
            ha_json_uint(j, bytes ? s->at[i].bytes : s->at[i].count);
        else
            ha_json_null(j);
    ha_json_end_array(j);
}

static void
write_rate(HaJson *j, const HaLeaks *l, const char *key, gint64 change)
{
    ha_json_key(j, key);
    if (l->spec->moments->minutes > 0)
        ha_json_double(j, (double)change / l->spec->moments->minutes);
    else
        ha_json_null(j);
}

static void
write_lines(HaJson *j, const char *key, const GPtrArray *lines)
{
    ha_json_key(j, key);
    ha_json_begin_array(j);
    for (guint i = 0; i < lines->len; i++)
        ha_json_text(j, lines->pdata[i]);
    ha_json_end_array(j);
}

static void
write_where(HaJson *j, const HaLeaks *l, const HaSuspect *s)
{
    g_auto(HaPath) path = {0};
    gboolean is_expression;
    HaId of = HA_ID_NONE;
    gboolean found = ha_leak_path(l, s, &path);
    g_autofree char *text = found ? ha_path_text(l->c->graph, l->c->ledger, &path, &is_expression) : NULL;
    g_autofree char *expression = found ? ha_leak_expression(l, &path, &of) : NULL;
    g_autofree char *template =
        s->template != G_MAXUINT32 ? ha_path_template_text(l->spec->survey->templates, s->template) : NULL;

    ha_json_key(j, "template");
    ha_json_text(j, template);
    ha_json_key(j, "path");
    ha_json_text(j, text);
    ha_json_key(j, "expression");
    ha_json_text(j, expression);
    write_addr(j, l, "expression_addr", expression != NULL ? of : HA_ID_NONE);
}

static void
write_suspect(HaJson *j, const HaLeaks *l, const HaSuspect *s)
{
    const HaMoments *m = l->spec->moments;
    const HaGraph *g = l->c->graph;

    ha_json_newline(j);
    ha_json_begin_object(j);
    ha_json_key(j, "kind");
    ha_json_text(j, ha_leak_words(s->kind)->name);
    ha_json_key(j, "confidence");
    ha_json_text(j, ha_confidence_name(s->confidence));
    ha_json_key(j, "text");
    ha_json_text(j, ha_leak_words(s->kind)->what);
    write_where(j, l, s);
    write_addr(j, l, "holder", s->holder);
    ha_json_key(j, "holder_type");
    ha_json_text(j, s->holder != HA_ID_NONE ? ha_graph_type(g, s->holder)->name : NULL);
    ha_json_uint_member(j, "holders", s->holders);
    ha_json_uint_member(j, "count", s->count);
    ha_json_uint_member(j, "retained", s->retained);
    ha_json_key(j, "type");
    ha_json_text(j, s->type != G_MAXUINT32 ? ha_graph_nth_type(g, s->type)->name : NULL);
    ha_json_uint_member(j, "of_type", s->of_type);
    write_addr(j, l, "sample", s->sample);
    write_series(j, l, s, "counts", FALSE);
    write_series(j, l, s, "sizes", TRUE);
    ha_json_key(j, "count_change");
    ha_json_int(j, ha_growth_count(s->at, m));
    ha_json_key(j, "bytes_change");
    ha_json_int(j, ha_growth_bytes(s->at, m));
    write_rate(j, l, "count_per_minute", ha_growth_count(s->at, m));
    write_rate(j, l, "bytes_per_minute", ha_growth_bytes(s->at, m));
    guint64 began = ha_leak_began(l, s);
    ha_json_key(j, "began_us");
    if (began > 0)
        ha_json_uint(j, began);
    else
        ha_json_null(j);
    ha_json_key(j, "trend");
    ha_json_text(j, ha_trend_name(s->trend));
    ha_json_key(j, "survivors");
    if (s->survivors >= 0)
        ha_json_uint(j, s->survivors);
    else
        ha_json_null(j);
    write_lines(j, "code", s->code);
    write_lines(j, "inside", s->inside);
    ha_json_key(j, "remedy");
    ha_json_text(j, ha_leak_words(s->kind)->remedy);
    ha_json_end_object(j);
}

void
ha_leaks_write_json(const HaLeaks *l)
{
    const HaSuspectsTotals *t = &l->suspects->totals;
    const GArray *items = l->suspects->items;
    HaJson j;

    ha_json_init(&j, l->c->out);
    ha_json_begin_object(&j);
    ha_json_uint_member(&j, "found", items->len);
    ha_json_uint_member(&j, "dumps", l->spec->moments->n);
    ha_json_key(&j, "minutes");
    if (l->spec->moments->minutes > 0)
        ha_json_double(&j, l->spec->moments->minutes);
    else
        ha_json_null(&j);
    ha_json_key(&j, "same_process");
    ha_json_bool(&j, l->spec->moments->same_process);
    ha_json_key(&j, "looked_at");
    ha_json_begin_object(&j);
    ha_json_uint_member(&j, "objects", t->objects);
    ha_json_uint_member(&j, "containers", t->containers);
    ha_json_uint_member(&j, "grown", t->grown);
    ha_json_uint_member(&j, "bounded", t->bounded);
    ha_json_uint_member(&j, "small", t->small);
    ha_json_end_object(&j);
    ha_json_key(&j, "suspects");
    ha_json_begin_array(&j);
    for (guint i = 0; i < MIN(items->len, l->limit) && !ha_out_stopped(l->c->out); i++)
        write_suspect(&j, l, &g_array_index(items, HaSuspect, i));
    ha_json_end_array(&j);
    ha_json_end_object(&j);
    ha_json_newline(&j);
}
