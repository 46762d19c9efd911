// SPDX-License-Identifier: MIT
#include "ha-growth.h"

#include <string.h>

#include "analyses/ha-origin.h"

#define UNEVEN 8 /* so many times slower in one interval is no steady growth */

typedef struct {
    HaSurvey *here;
    const HaMoments *m;
    HaGrowthOrder order;
    HaTally *own, *all; /* of template × moment; owned */
    guint8 *origin;     /* of each template; owned */
} Work;

void
ha_moments_init(HaMoments *m, const HaSummary *const *summaries, guint n, guint here)
{
    *m = (HaMoments){.n = MIN(n, HA_MOMENTS_MAX), .here = here, .same_process = TRUE};
    for (guint i = 0; i < m->n; i++) {
        m->at[i] = summaries[i];
        if (ha_origin_compare(summaries[i]->meta, summaries[here]->meta) == HA_ORIGIN_OTHER)
            m->same_process = FALSE;
    }
    m->minutes = m->n > 1 ? ha_origin_minutes(m->at[0]->meta, m->at[m->n - 1]->meta) : 0;
}

const char *
ha_trend_name(HaTrend trend)
{
    static const char *const names[] = {"none", "once", "grew", "steady"};

    return names[trend];
}

gint64
ha_growth_count(const HaTally *at, const HaMoments *m)
{
    return (gint64)(at[m->n - 1].count - at[0].count);
}

gint64
ha_growth_bytes(const HaTally *at, const HaMoments *m)
{
    return (gint64)(at[m->n - 1].bytes - at[0].bytes);
}

static gint64
value(const HaTally *at, guint i, gboolean bytes)
{
    return bytes ? (gint64)at[i].bytes : (gint64)at[i].count;
}

static HaTrend
trend_of(const HaTally *at, const HaMoments *m, gboolean bytes)
{
    double least = 0, most = 0;
    gboolean timed = TRUE;

    if (value(at, m->n - 1, bytes) <= value(at, 0, bytes))
        return HA_TREND_NONE;
    if (m->n < 3)
        return HA_TREND_GREW;
    for (guint i = 1; i < m->n; i++)
        timed = timed && ha_origin_minutes(m->at[i - 1]->meta, m->at[i]->meta) > 0;
    for (guint i = 1; i < m->n; i++) {
        double rate = (double)(value(at, i, bytes) - value(at, i - 1, bytes));
        if (rate <= 0)
            return HA_TREND_ONCE;
        if (timed)
            rate /= ha_origin_minutes(m->at[i - 1]->meta, m->at[i]->meta);
        least = i == 1 ? rate : MIN(least, rate);
        most = MAX(most, rate);
    }
    return least * UNEVEN < most ? HA_TREND_ONCE : HA_TREND_STEADY;
}

static gint
compare_growth(const HaTally *a, const HaTally *b, const Work *w)
{
    gint64 x = ha_growth_bytes(a, w->m), y = ha_growth_bytes(b, w->m);
    gint64 i = ha_growth_count(a, w->m), k = ha_growth_count(b, w->m);

    if (w->order == HA_GROWTH_COUNT && i != k)
        return i > k ? -1 : 1;
    if (x != y)
        return x > y ? -1 : 1;
    return i > k ? -1 : i < k;
}

static gint
compare_types(gconstpointer a, gconstpointer b, gpointer work)
{
    const HaTypeGrowth *x = a, *y = b;
    gint order = compare_growth(x->at, y->at, work);

    return order != 0 ? order : strcmp(x->name, y->name);
}

static gint
compare_paths(gconstpointer a, gconstpointer b, gpointer work)
{
    const HaPathGrowth *x = a, *y = b;
    gint order = compare_growth(x->at, y->at, work);

    return order != 0 ? order : x->template <y->template ? -1 : x->template > y->template;
}

static gint
compare_containers(gconstpointer a, gconstpointer b, gpointer work)
{
    const HaContainerGrowth *x = a, *y = b;
    gint order = compare_growth(x->at, y->at, work);

    return order != 0 ? order : x->id < y->id ? -1 : x->id > y->id;
}

static GArray *
types(Work *w)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(HaTypeGrowth));
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < w->m->n; i++) {
        GHashTableIter iter;
        gpointer name, tally;

        g_hash_table_iter_init(&iter, w->m->at[i]->types);
        while (g_hash_table_iter_next(&iter, &name, &tally)) {
            HaTypeGrowth row = {.name = name};
            if (!g_hash_table_add(seen, name))
                continue;
            for (guint k = 0; k < w->m->n; k++) {
                const HaTally *one = g_hash_table_lookup(w->m->at[k]->types, name);
                row.at[k] = one != NULL ? *one : (HaTally){0};
            }
            row.trend = trend_of(row.at, w->m, FALSE);
            if (ha_growth_count(row.at, w->m) != 0 || ha_growth_bytes(row.at, w->m) != 0)
                g_array_append_val(rows, row);
        }
    }
    g_array_sort_with_data(rows, compare_types, w);
    return rows;
}

static const HaTally *
own(const Work *w, guint32 template)
{
    return w->own + (gsize) template * w->m->n;
}

static guint64
first_count(const Work *w, guint32 template)
{
    return own(w, template)[0].count;
}

static guint64
last_count(const Work *w, guint32 template)
{
    return own(w, template)[w->m->n - 1].count;
}

/* Growth here does not follow from growth above: there are more of it than as many for each one above as before. */
static gboolean
begins_here(const Work *w, guint32 template)
{
    guint32 above = ha_path_template_above(w->here->templates, template);
    gint64 more = ha_growth_count(own(w, template), w->m);

    if (more <= 0)
        return FALSE;
    if (above == HA_PATH_TEMPLATE_TOP || last_count(w, above) <= first_count(w, above))
        return TRUE;
    if (first_count(w, above) == 0)
        return FALSE;
    double usual = (double)first_count(w, template) / (double)first_count(w, above) * (double)last_count(w, above);
    return (double)last_count(w, template) - usual > (double)more / 2;
}

/* Keys of a dict whose values have a row are told with these. */
static gboolean
is_key_of(const Work *w, guint32 template, GHashTable *values)
{
    guint32 above = ha_path_template_above(w->here->templates, template);

    return strcmp(ha_path_template_last(w->here->templates, template), "<key>") == 0 &&
           g_hash_table_contains(values, GUINT_TO_POINTER(above));
}

typedef struct {
    guint64 key; /* row and type */
    guint64 n;
} Number;

static guint
hash_of(gconstpointer key)
{
    return *(const guint64 *)key * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) >> 32;
}

/* The type that most objects of each row have, and one of these. */
static void
find_types(const Work *w, GArray *rows)
{
    HaSurvey *s = w->here;
    g_autofree guint32 *row_of = g_new0(guint32, (gsize)ha_path_templates_count(s->templates) + 1);
    g_autoptr(GHashTable) numbers = g_hash_table_new_full(hash_of, g_int64_equal, g_free, NULL);

    for (guint i = 0; i < rows->len; i++)
        row_of[g_array_index(rows, HaPathGrowth, i).template] = i + 1;
    for (HaId id = 0; id < ha_graph_n_objects(s->graph); id++) {
        if (!ha_bits_get(s->chosen, id) || ha_reach_distance(s->reach, id) == HA_REACH_NOT)
            continue;
        guint32 row = row_of[ha_path_template_of(s->templates, id)];
        if (row == 0)
            continue;
        HaPathGrowth *growth = &g_array_index(rows, HaPathGrowth, row - 1);
        Number new = {(guint64)row << 32 | ha_graph_type_index(s->graph, id), 0}, *number;
        if ((number = g_hash_table_lookup(numbers, &new)) == NULL) {
            number = g_memdup2(&new, sizeof new);
            g_hash_table_add(numbers, number);
        }
        if (++number->n >= growth->of_type) {
            growth->of_type = number->n;
            growth->type = ha_graph_type_index(s->graph, id);
            growth->sample = id;
        }
    }
}

static GArray *
paths(Work *w)
{
    HaSurvey *s = w->here;
    guint n = w->m->n;
    guint32 count = ha_path_templates_count(s->templates);
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(HaPathGrowth));
    g_autoptr(GHashTable) values = g_hash_table_new(NULL, NULL);       /* what is above a "[*]" with a row */
    g_autofree HaTally *below = g_new0(HaTally, (gsize)count * n + 1); /* bytes of rows below */

    for (guint32 t = 0; t < count; t++) {
        w->origin[t] = begins_here(w, t);
        if (w->origin[t] && strcmp(ha_path_template_last(s->templates, t), "[*]") == 0)
            g_hash_table_add(values, GUINT_TO_POINTER(ha_path_template_above(s->templates, t)));
    }
    for (guint32 t = count; t-- > 0;) {
        guint32 above = ha_path_template_above(s->templates, t);
        gboolean is_key = w->origin[t] && is_key_of(w, t, values);
        HaPathGrowth row = {.template = t, .sample = HA_ID_NONE};

        for (guint k = 0; k < n; k++) {
            HaTally *mine = &below[(gsize)t * n + k];
            const HaTally *all = &w->all[(gsize)t * n + k];
            row.at[k].count = own(w, t)[k].count;
            row.at[k].bytes = all->bytes - MIN(all->bytes, mine->bytes);
            if (above != HA_PATH_TEMPLATE_TOP)
                below[(gsize)above * n + k].bytes += w->origin[t] ? all->bytes : mine->bytes;
            mine->bytes = row.at[k].bytes; /* from here on what the row has */
        }
        row.trend = trend_of(row.at, w->m, FALSE);
        if (w->origin[t] && !is_key)
            g_array_append_val(rows, row);
    }
    if (g_hash_table_size(values) > 0) {
        g_autoptr(GHashTable) keys = g_hash_table_new(NULL, NULL); /* above → template of keys plus 1 */
        for (guint32 t = 0; t < count; t++)
            if (w->origin[t] && is_key_of(w, t, values))
                g_hash_table_insert(keys, GUINT_TO_POINTER(ha_path_template_above(s->templates, t)),
                                    GUINT_TO_POINTER(t + 1));
        for (guint i = 0; i < rows->len; i++) {
            HaPathGrowth *row = &g_array_index(rows, HaPathGrowth, i);
            guint32 above = ha_path_template_above(s->templates, row->template);
            guint32 key = strcmp(ha_path_template_last(s->templates, row->template), "[*]") == 0
                              ? GPOINTER_TO_UINT(g_hash_table_lookup(keys, GUINT_TO_POINTER(above)))
                              : 0;
            for (guint k = 0; key != 0 && k < n; k++)
                row->at[k].bytes += below[(gsize)(key - 1) * n + k].bytes;
        }
    }
    find_types(w, rows);
    g_array_sort_with_data(rows, compare_paths, w);
    return rows;
}

/*
 * The object at this address may be another one than before. Where there are several of a kind, as the list of each session, only one that
 * is held as before counts as the same.
 */
static gboolean
is_same(const Work *w, guint32 template, const HaContainerTally *then)
{
    return (last_count(w, template) <= 1 && first_count(w, template) <= 1) ||
           then->path == (ha_path_template_hash(w->here->templates, template) & G_MAXUINT32);
}

/* One that was not there before is told only where it took another's place: others belong to what is new. */
static gboolean
is_told(const Work *w, const HaContainerGrowth *row)
{
    const HaTally *at = own(w, row->template);

    if (row->trend == HA_TREND_NONE)
        return FALSE;
    return row->known[0] || (last_count(w, row->template) == 1 && at[0].count == 1);
}

static GArray *
containers(Work *w)
{
    HaSurvey *s = w->here;
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(HaContainerGrowth));

    for (HaId id = 0; w->m->same_process && id < ha_graph_n_objects(s->graph); id++) {
        HaContainerGrowth row = {.id = id};
        HaContainerTally one;
        gboolean items = FALSE;

        if (!ha_bits_get(s->live, id) || ha_reach_distance(s->reach, id) == HA_REACH_NOT ||
            !ha_container_tally(s->graph, id, &one))
            continue;
        row.template = ha_path_template_of(s->templates, id);
        for (guint k = 0; k < w->m->n; k++) {
            const HaContainerTally *then =
                k == w->m->here ? &one : ha_summary_container(w->m->at[k], one.addr, one.type);
            row.known[k] = k == w->m->here || (then != NULL && is_same(w, row.template, then));
            if (row.known[k])
                row.at[k] = (HaTally){then->items, then->size};
            items = items || row.at[k].count > 0;
        }
        row.trend = trend_of(row.at, w->m, !items);
        if (is_told(w, &row))
            g_array_append_val(rows, row);
    }
    g_array_sort_with_data(rows, compare_containers, w);
    return rows;
}

HaGrowth *
ha_growth_new(HaSurvey *here, const HaMoments *moments, HaGrowthOrder order)
{
    HaGrowth *g = g_new0(HaGrowth, 1);
    guint32 count = ha_path_templates_count(here->templates);
    gsize n = (gsize)count * moments->n;
    g_autofree HaTally *of_own = g_new0(HaTally, n + 1), *of_all = g_new0(HaTally, n + 1);
    g_autofree guint8 *origin = g_new0(guint8, (gsize)count + 1);
    Work w = {here, moments, order, of_own, of_all, origin};

    for (guint32 t = 0; t < count; t++)
        for (guint k = 0; k < moments->n; k++) {
            const HaPathTally *tally = k == moments->here
                                           ? &g_array_index(here->tallies, HaPathTally, t)
                                           : ha_summary_path(moments->at[k], ha_path_template_hash(here->templates, t));
            if (tally == NULL)
                continue;
            of_own[(gsize)t * moments->n + k] = tally->own;
            of_all[(gsize)t * moments->n + k] = tally->all;
        }
    g->types = types(&w);
    g->paths = paths(&w);
    g->containers = containers(&w);
    return g;
}

void
ha_growth_free(HaGrowth *g)
{
    if (g == NULL)
        return;
    g_array_unref(g->types);
    g_array_unref(g->paths);
    g_array_unref(g->containers);
    g_free(g);
}
