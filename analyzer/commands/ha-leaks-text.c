// SPDX-License-Identifier: MIT
#include <string.h>

#include "analyses/ha-origin.h"
#include "commands/ha-leaks-private.h"
#include "text/ha-size.h"

static char *
minutes_text(double minutes)
{
    if (minutes < 1)
        return g_strdup_printf("%.1f s", 60 * minutes);
    if (minutes < 120)
        return g_strdup_printf("%.1f min", minutes);
    return minutes < 2 * 24 * 60 ? g_strdup_printf("%.1f h", minutes / 60)
                                 : g_strdup_printf("%.1f days", minutes / 60 / 24);
}

/* NULL: not known. Owned by the caller. */
static char *
began_text(guint64 us)
{
    g_autoptr(GDateTime) time = us > 0 ? g_date_time_new_from_unix_utc((gint64)(us / 1000000)) : NULL;

    return time != NULL ? g_date_time_format(time, "%Y-%m-%d %H:%M UTC") : NULL;
}

static void
write_title(const HaLeaks *l, guint number, const HaSuspect *s, const HaPath *path)
{
    const HaLeakWords *words = ha_leak_words(s->kind);
    HaOut *out = l->c->out;

    ha_out_printf(out, "\n%u. %s: %s\n", number, ha_confidence_name(s->confidence), words->what);
    if (s->holders > 1) {
        g_autofree char *template = ha_path_template_text(l->spec->survey->templates, s->template);
        ha_out_text(out, "   where     ");
        ha_out_escaped_again(out, template);
        ha_out_printf(out, ", %u of them\n", s->holders);
    }
    if (s->holders <= 1 && path->steps != NULL) {
        gboolean is_expression;
        g_autofree char *text = s->kind == HA_LEAK_CHAIN
                                    ? ha_path_template_text(l->spec->survey->templates, s->template)
                                    : ha_path_text(l->c->graph, l->c->ledger, path, &is_expression);
        ha_out_text(out, "   where     ");
        ha_out_escaped_again(out, text);
        ha_out_char(out, '\n');
    }
}

static void
write_what(const HaLeaks *l, const HaSuspect *s)
{
    const HaGraph *g = l->c->graph;
    HaOut *out = l->c->out;
    guint64 all = MAX(s->at[l->spec->moments->here].bytes, s->retained);
    g_autofree char *size = ha_size_text(all);

    ha_out_text(out, "   holds     ");
    if (s->kind == HA_LEAK_BUFFER)
        ha_out_printf(out, "%" G_GUINT64_FORMAT " bytes", s->at[l->spec->moments->here].bytes);
    else
        ha_out_printf(out, "%" G_GUINT64_FORMAT " %s", s->count, ha_leak_words(s->kind)->units);
    if (s->type != G_MAXUINT32) {
        const char *type = ha_graph_nth_type(g, s->type)->name;
        if (s->of_type < s->count)
            ha_out_printf(out, ", %" G_GUINT64_FORMAT " of these ", s->of_type);
        else
            ha_out_text(out, ", all of these ");
        ha_out_escaped(out, type, strlen(type), G_MAXSIZE);
    }
    ha_out_printf(out, ": %s", size);
    if (s->retained < all) {
        g_autofree char *alone = ha_size_text(s->retained);
        ha_out_printf(out, ", of which it alone keeps %s alive", alone);
    }
    ha_out_char(out, '\n');
}

static void
write_growth(const HaLeaks *l, const HaSuspect *s)
{
    const HaMoments *m = l->spec->moments;
    gboolean bytes = s->kind == HA_LEAK_BUFFER;
    HaOut *out = l->c->out;

    if (m->n < 2)
        return;
    ha_out_text(out, "   grew      ");
    for (guint i = 0; i < m->n; i++) {
        ha_out_text(out, i > 0 ? " → " : "");
        ha_out_uint(out, bytes ? s->at[i].bytes : s->at[i].count);
    }
    gint64 more = bytes ? ha_growth_bytes(s->at, m) : ha_growth_count(s->at, m);
    ha_out_printf(out, " %s", ha_leak_words(s->kind)->units);
    if (m->minutes > 0) {
        g_autofree char *time = minutes_text(m->minutes);
        gint64 more_bytes = ha_growth_bytes(s->at, m);
        g_autofree char *rate = ha_size_text(MAX(0, (gint64)((double)more_bytes / m->minutes)));
        ha_out_printf(out, ": %+" G_GINT64_FORMAT " in %s, %.1f (%s) a minute", more, time, (double)more / m->minutes,
                      rate);
        g_autofree char *began = began_text(ha_leak_began(l, s));
        if (began != NULL)
            ha_out_printf(out, "; at that rate since %s", began);
    } else {
        ha_out_printf(out, ": %+" G_GINT64_FORMAT, more);
    }
    ha_out_text(out, s->trend == HA_TREND_STEADY ? "; steadily\n" : "\n");
    if (s->survivors >= 0)
        ha_out_printf(out, "   survived  %" G_GINT64_FORMAT " in it are new, and were not gone later\n", s->survivors);
}

static void
write_lines(const HaLeaks *l, const char *label, const GPtrArray *lines)
{
    for (guint i = 0; i < lines->len; i++) {
        ha_out_text(l->c->out, i == 0 ? label : ", ");
        ha_out_escaped_again(l->c->out, lines->pdata[i]);
    }
    if (lines->len > 0)
        ha_out_char(l->c->out, '\n');
}

static void
write_suspect(const HaLeaks *l, guint number, const HaSuspect *s)
{
    g_auto(HaPath) path = {0};
    HaOut *out = l->c->out;
    HaId of;
    gboolean found = ha_leak_path(l, s, &path);

    write_title(l, number, s, &path);
    write_what(l, s);
    write_growth(l, s);
    write_lines(l, "   code      ", s->code);
    write_lines(l, "   in it     ", s->inside);
    g_autofree char *expression = found ? ha_leak_expression(l, &path, &of) : NULL;
    if (expression != NULL) {
        ha_out_text(out, "   paste     ");
        ha_out_escaped_again(out, expression);
        ha_out_char(out, '\n');
    } else if (s->holder != HA_ID_NONE || s->sample != HA_ID_NONE) {
        ha_out_printf(out, "   paste     ctypes.cast(0x%" G_GINT64_MODIFIER "x, ctypes.py_object).value%s\n",
                      ha_graph_addr(l->c->graph, s->holder != HA_ID_NONE ? s->holder : s->sample),
                      s->holder != HA_ID_NONE ? "" : "  (one of them)");
    }
    ha_out_printf(out, "   remedy    %s\n", ha_leak_words(s->kind)->remedy);
}

static void
write_totals(const HaLeaks *l)
{
    const HaSuspectsTotals *t = &l->suspects->totals;
    HaOut *out = l->c->out;

    ha_out_printf(out, "Looked at: %" G_GUINT64_FORMAT " objects, %" G_GUINT64_FORMAT " containers", t->objects,
                  t->containers);
    if (l->spec->growth != NULL)
        ha_out_printf(out, ", %" G_GUINT64_FORMAT " of which grew", t->grown);
    ha_out_printf(out, "; %" G_GUINT64_FORMAT " have a largest size or hold weakly", t->bounded);
    if (t->small > 0)
        ha_out_printf(out, "; %" G_GUINT64_FORMAT " keep less than --min-bytes alive", t->small);
    ha_out_text(out, ".\n");
}

void
ha_leaks_write_text(const HaLeaks *l)
{
    const GArray *items = l->suspects->items;
    HaOut *out = l->c->out;

    if (items->len == 0)
        ha_out_text(out, "Nothing that looks like a leak.\n");
    else
        ha_out_printf(out, "%u %s what probably leaks, the surest first.\n", items->len,
                      items->len == 1 ? "suspect:" : "suspects:");
    write_totals(l);
    if (l->spec->moments->n == 1)
        ha_out_text(
            out, "One dump shows what is large, not what grows: with a later one, --previous-heap-dump tells more.\n");
    for (guint i = 0; i < MIN(items->len, l->limit) && !ha_out_stopped(out); i++)
        write_suspect(l, i + 1, &g_array_index(items, HaSuspect, i));
    if (items->len > l->limit)
        ha_out_printf(out, "\n… and %u more\n", items->len - l->limit);
}
