// SPDX-License-Identifier: MIT
#include <string.h>

#include "analyses/ha-paths.h"
#include "commands/ha-diff-private.h"
#include "text/ha-size.h"

static char *
change_text(gint64 bytes)
{
    g_autofree char *size = ha_size_text(ABS(bytes));

    return g_strdup_printf("%c%s", bytes < 0 ? '-' : '+', size);
}

static void
write_head(const HaDiff *d, const char *what, const char *unit, const char *name)
{
    g_autofree char *count = g_strdup_printf("+%s", unit), *rate = g_strdup_printf("%s/min", unit);

    ha_out_printf(d->c->out, "\n%s\n%10s %14s %11s", what, count, "+bytes", "");
    for (guint i = 1; d->moments->n > 2 && i < d->moments->n; i++) {
        g_autofree char *interval = g_strdup_printf("%c to %c", 'A' + i - 1, 'A' + i);
        ha_out_printf(d->c->out, " %9s", interval);
    }
    if (d->moments->minutes > 0)
        ha_out_printf(d->c->out, " %11s %12s", rate, "bytes/min");
    ha_out_printf(d->c->out, "  %s\n", name);
}

/* counted: the numbers at the moments are known. */
static void
write_numbers(const HaDiff *d, const HaTally *at, gboolean counted)
{
    const HaMoments *m = d->moments;
    gint64 count = ha_growth_count(at, m), bytes = ha_growth_bytes(at, m);
    g_autofree char *size = change_text(bytes);
    g_autofree char *change = counted ? g_strdup_printf("%+" G_GINT64_FORMAT, count) : g_strdup("?");

    ha_out_printf(d->c->out, "%10s %+14" G_GINT64_FORMAT " %11s", change, bytes, size);
    for (guint i = 1; m->n > 2 && i < m->n; i++) {
        g_autofree char *part =
            counted ? g_strdup_printf("%+" G_GINT64_FORMAT, (gint64)(at[i].count - at[i - 1].count)) : g_strdup("?");
        ha_out_printf(d->c->out, " %9s", part);
    }
    if (m->minutes > 0) {
        g_autofree char *rate = change_text((gint64)((double)bytes / m->minutes));
        g_autofree char *often = counted ? g_strdup_printf("%+.1f", (double)count / m->minutes) : g_strdup("?");
        ha_out_printf(d->c->out, " %11s %12s", often, rate);
    }
    ha_out_text(d->c->out, "  ");
}

/* Of three dumps and more: what grew in each interval stands apart from what did once. */
static HaTrend
part(const HaDiff *d, guint number)
{
    return d->moments->n < 3 ? HA_TREND_GREW : number == 0 ? HA_TREND_STEADY : HA_TREND_ONCE;
}

static guint
parts(const HaDiff *d)
{
    return d->moments->n < 3 ? 1 : 2;
}

static void
write_part(const HaDiff *d, guint number)
{
    if (parts(d) > 1)
        ha_out_text(d->c->out, number == 0 ? "  steady, in each interval:\n" : "  not steady:\n");
}

/* Shown, unless there were enough already, or it is less than a thousandth of all that came. */
static gboolean
is_shown(const HaDiff *d, const HaTally *at, guint shown)
{
    const HaMoments *m = d->moments;
    gint64 all = (gint64)(m->at[m->n - 1]->total.bytes - m->at[0]->total.bytes);

    return shown < d->limit && (d->limit == G_MAXUINT || d->filter != NULL || ha_growth_bytes(at, m) >= all / 1000);
}

/* Rows of a part. */
typedef struct {
    guint shown, left_out;
} Rows;

/* TRUE: the next row is to be written. */
static gboolean
begin_row(const HaDiff *d, guint part, Rows *rows, const HaTally *at)
{
    if (rows->shown + rows->left_out == 0)
        write_part(d, part);
    if (!is_shown(d, at, rows->shown)) {
        rows->left_out++;
        return FALSE;
    }
    rows->shown++;
    return TRUE;
}

static void
end_rows(const HaDiff *d, const Rows *rows, gboolean *nothing)
{
    if (rows->left_out > 0)
        ha_out_printf(d->c->out, "… and %u more\n", rows->left_out);
    *nothing = *nothing && rows->shown + rows->left_out == 0;
}

static void
write_nothing(const HaDiff *d, gboolean nothing)
{
    if (nothing)
        ha_out_text(d->c->out, d->filter != NULL ? "nothing of that grew\n" : "nothing grew\n");
}

static void
write_types(const HaDiff *d)
{
    guint64 shrunk = 0;
    gboolean nothing = TRUE;

    write_head(d, "by type", "count", "type");
    for (guint p = 0; p < parts(d); p++) {
        Rows rows = {0};
        for (guint i = 0; i < d->growth->types->len; i++) {
            const HaTypeGrowth *row = &g_array_index(d->growth->types, HaTypeGrowth, i);
            if (!ha_diff_wants_type(d, row))
                continue;
            shrunk += p == 0 && row->trend == HA_TREND_NONE && ha_growth_count(row->at, d->moments) < 0;
            if (row->trend != part(d, p))
                continue;
            if (!begin_row(d, p, &rows, row->at))
                continue;
            write_numbers(d, row->at, TRUE);
            ha_out_escaped(d->c->out, row->name, strlen(row->name), G_MAXSIZE);
            ha_out_char(d->c->out, '\n');
        }
        end_rows(d, &rows, &nothing);
    }
    write_nothing(d, nothing);
    if (shrunk > 0)
        ha_out_printf(d->c->out, "types of which there are fewer: %" G_GUINT64_FORMAT "\n", shrunk);
}

static void
write_paths(const HaDiff *d)
{
    gboolean nothing = TRUE;

    write_head(d, "by path, with all that hangs below", "count", "path and what is there");
    for (guint p = 0; p < parts(d); p++) {
        Rows rows = {0};
        for (guint i = 0; i < d->growth->paths->len; i++) {
            const HaPathGrowth *row = &g_array_index(d->growth->paths, HaPathGrowth, i);
            if (row->trend != part(d, p) || !ha_diff_wants_path(d, row))
                continue;
            if (!begin_row(d, p, &rows, row->at))
                continue;
            g_autofree char *text = ha_path_template_text(d->survey->templates, row->template);
            write_numbers(d, row->at, TRUE);
            ha_out_escaped_again(d->c->out, text);
            if (row->sample != HA_ID_NONE) {
                const char *type = ha_graph_nth_type(d->c->graph, row->type)->name;
                ha_out_text(d->c->out, ": ");
                ha_out_escaped(d->c->out, type, strlen(type), G_MAXSIZE);
            }
            ha_out_char(d->c->out, '\n');
        }
        end_rows(d, &rows, &nothing);
    }
    write_nothing(d, nothing);
}

static char *
path_of(const HaDiff *d, HaId id)
{
    g_auto(HaPath) path = {0};
    gboolean is_expression;

    if (!ha_path_to(d->c->graph, d->c->ledger, d->survey->reach, id, &path))
        return NULL;
    return ha_path_text(d->c->graph, d->c->ledger, &path, &is_expression);
}

static void
write_container(const HaDiff *d, const HaContainerGrowth *row)
{
    g_autofree char *path = path_of(d, row->id);
    const char *type = ha_graph_type(d->c->graph, row->id)->name;
    HaOut *out = d->c->out;

    write_numbers(d, row->at, ha_graph_tells_items(d->c->graph));
    for (guint i = 0; row->at[d->moments->here].count > 0 && i < d->moments->n; i++) {
        ha_out_text(out, i > 0 ? " → " : "");
        if (row->known[i])
            ha_out_uint(out, row->at[i].count);
        else
            ha_out_text(out, "none");
    }
    ha_out_text(out, row->at[d->moments->here].count > 0 ? " items, " : "");
    for (guint i = 0; i < d->moments->n; i++) {
        ha_out_text(out, i > 0 ? " → " : "");
        ha_out_uint(out, row->at[i].bytes);
    }
    ha_out_text(out, " B  ");
    ha_out_escaped(out, type, strlen(type), G_MAXSIZE);
    ha_out_text(out, "  ");
    ha_out_escaped_again(out, path != NULL ? path : "?");
    ha_out_char(out, '\n');
}

static void
write_containers(const HaDiff *d)
{
    gboolean nothing = TRUE;

    write_head(d, "by container", "items", "length, own size, type and path");
    for (guint p = 0; p < parts(d); p++) {
        Rows rows = {0};
        for (guint i = 0; i < d->growth->containers->len; i++) {
            const HaContainerGrowth *row = &g_array_index(d->growth->containers, HaContainerGrowth, i);
            if (row->trend != part(d, p) || !ha_diff_wants_container(d, row))
                continue;
            if (!begin_row(d, p, &rows, row->at))
                continue;
            write_container(d, row);
        }
        end_rows(d, &rows, &nothing);
    }
    write_nothing(d, nothing);
}

void
ha_diff_write_text(const HaDiff *d)
{
    const HaMoments *m = d->moments;
    const HaTally *first = &m->at[0]->total, *last = &m->at[m->n - 1]->total;
    g_autofree char *before = ha_size_text(first->bytes), *after = ha_size_text(last->bytes),
                    *more = change_text((gint64)(last->bytes - first->bytes));

    ha_out_printf(d->c->out,
                  "%" G_GUINT64_FORMAT " → %" G_GUINT64_FORMAT " objects (%+" G_GINT64_FORMAT "), %s → %s (%s)",
                  first->count, last->count, (gint64)(last->count - first->count), before, after, more);
    if (m->minutes >= 1)
        ha_out_printf(d->c->out, " in %.1f min", m->minutes);
    else if (m->minutes > 0)
        ha_out_printf(d->c->out, " in %.1f s", 60 * m->minutes);
    ha_out_char(d->c->out, '\n');
    write_types(d);
    write_paths(d);
    if (m->same_process)
        write_containers(d);
    else
        ha_out_text(d->c->out,
                    "\nContainers of different processes cannot be told apart from one another; see the paths.\n");
}
