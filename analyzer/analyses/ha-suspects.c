// SPDX-License-Identifier: MIT
#include <string.h>

#include "analyses/ha-attribute.h"
#include "analyses/ha-suspects-private.h"
#include "graph/ha-graph-builder.h"
#include "graph/ha-memory.h"

enum {
    GREW_MIN = 10,              /* items; fewer come and go anywhere */
    GREW_PART = 50,             /* of what was there, a part that means something */
    GREW_PART_OF_TWO = 10,      /* the same between two dumps only */
    BUFFER_GREW_MIN = 64 << 10, /* bytes */
    SURE = 50,                  /* items more of what hardly anybody wants many of */
    /* one dump */
    LARGE_MIN = 1000,  /* items of a container */
    TELLING_MIN = 100, /* the same of what hardly anybody wants many of */
    LARGE_PART = 50,   /* of all bytes, a part that counts: instances of classes */
    PLAIN_PART = 10,   /* the same of texts and numbers, which may be tables */
    OF_C_MIN = 100,
    GARBAGE_MIN = 1000,
};

typedef struct {
    const HaSuspectsSpec *spec;
    HaSuspects *out;
    GHashTable *told; /* templates of holders with a suspect → index plus 1 */
    guint64 total;    /* bytes that live */
} Work;

static void
suspect_clear(gpointer data)
{
    HaSuspect *s = data;

    g_clear_pointer(&s->code, g_ptr_array_unref);
    g_clear_pointer(&s->inside, g_ptr_array_unref);
}

/* What is seldom meant to be many, whatever the program does. */
static gboolean
is_telling(HaLeakKind kind)
{
    switch (kind) {
    case HA_LEAK_CACHE:
    case HA_LEAK_FUTURE:
    case HA_LEAK_WAITERS:
    case HA_LEAK_GREENLETS:
    case HA_LEAK_TIMERS:
    case HA_LEAK_HANDLERS:
    case HA_LEAK_ATEXIT:
    case HA_LEAK_FINALIZERS:
    case HA_LEAK_EXCEPTIONS:
    case HA_LEAK_INSTANCES:
    case HA_LEAK_CALLBACKS:
        return TRUE;
    case HA_LEAK_CONTAINER:
    case HA_LEAK_CHAIN:
    case HA_LEAK_QUEUE:
    case HA_LEAK_THREAD:
    case HA_LEAK_BUFFER:
    case HA_LEAK_C:
    case HA_LEAK_GARBAGE:
    case HA_LEAK_KINDS:
    default:
        return FALSE;
    }
}

static HaConfidence
confidence(const Work *w, const HaSuspect *s)
{
    gint64 grew = ha_growth_count(s->at, w->spec->moments);
    gboolean new_ones_went = s->survivors >= 0 && w->spec->moments->here > 0 &&
                             s->survivors * 2 < (gint64)(s->at[w->spec->moments->here].count - s->at[0].count);

    if (s->trend == HA_TREND_STEADY)
        return new_ones_went ? HA_CONFIDENCE_MEDIUM : HA_CONFIDENCE_HIGH;
    if (s->trend == HA_TREND_GREW)
        return new_ones_went                         ? HA_CONFIDENCE_LOW
               : is_telling(s->kind) && grew >= SURE ? HA_CONFIDENCE_HIGH
                                                     : HA_CONFIDENCE_MEDIUM;
    return is_telling(s->kind) ? HA_CONFIDENCE_MEDIUM : HA_CONFIDENCE_LOW;
}

/* Grew by enough, and as leaks grow. */
static gboolean
grew(const Work *w, HaTrend trend, const HaTally *at, gboolean bytes)
{
    const HaMoments *m = w->spec->moments;
    guint64 before = bytes ? at[0].bytes : at[0].count;
    gint64 more = bytes ? ha_growth_bytes(at, m) : ha_growth_count(at, m);
    guint part = trend == HA_TREND_GREW ? GREW_PART_OF_TWO : GREW_PART;

    if (trend != HA_TREND_STEADY && trend != HA_TREND_GREW)
        return FALSE;
    return more >= (bytes ? BUFFER_GREW_MIN : GREW_MIN) && (guint64)more >= before / part;
}

static void
take_inside(HaSuspect *s, const HaInside *inside)
{
    s->type = inside->type;
    s->of_type = inside->of_type;
    s->sample = inside->sample;
    s->survivors = inside->items > 0 ? inside->survivors : -1;
}

/* Bytes of all to which the nearest way leads through the template: a holder that shares what it has retains but little of it. */
static void
weigh(const Work *w, HaSuspect *s)
{
    const HaSurvey *survey = w->spec->survey;
    const HaMoments *m = w->spec->moments;

    for (guint k = 0; k < m->n; k++) {
        const HaPathTally *tally =
            k == m->here ? &g_array_index(survey->tallies, HaPathTally, s->template)
                         : ha_summary_path(m->at[k], ha_path_template_hash(survey->templates, s->template));
        s->at[k].bytes = tally != NULL ? tally->all.bytes : 0;
    }
}

static void
add(Work *w, HaSuspect *s)
{
    s->confidence = confidence(w, s);
    s->code = g_ptr_array_new_with_free_func(g_free);
    s->inside = g_ptr_array_new_with_free_func(g_free);
    g_array_append_val(w->out->items, *s);
}

/* Several containers at one templated path are one suspect: the list of each user. */
static gboolean
joins(Work *w, const HaContainerGrowth *row)
{
    gpointer at = g_hash_table_lookup(w->told, GUINT_TO_POINTER(row->template));

    if (at == NULL)
        return FALSE;
    HaSuspect *s = &g_array_index(w->out->items, HaSuspect, GPOINTER_TO_UINT(at) - 1);
    HaInside inside = ha_suspect_inside(w->spec, row->id);
    s->holders++;
    s->of_type += inside.type == s->type ? inside.of_type : 0;
    s->survivors += MAX(inside.survivors, 0);
    s->count += row->at[w->spec->moments->here].count;
    s->retained += ha_dominators_retained(w->spec->dominators, row->id);
    for (guint k = 0; k < w->spec->moments->n; k++) {
        s->known[k] |= row->known[k];
        s->at[k].count += row->at[k].count;
    }
    return TRUE;
}

static void
grown_containers(Work *w)
{
    const HaGrowth *growth = w->spec->growth;

    for (guint i = 0; i < growth->containers->len; i++) {
        const HaContainerGrowth *row = &g_array_index(growth->containers, HaContainerGrowth, i);
        gboolean bytes = row->at[w->spec->moments->here].count == 0;

        w->out->totals.grown++;
        if (row->known[0] && joins(w, row))
            continue;
        if (!grew(w, row->trend, row->at, bytes))
            continue;
        HaInside inside = ha_suspect_inside(w->spec, row->id);
        if (ha_suspect_is_bounded(w->spec, row->id, &inside)) {
            w->out->totals.bounded++;
            continue;
        }
        HaSuspect s = {.trend = row->trend,
                       .holder = row->id,
                       .holders = 1,
                       .template = row->template,
                       .count = row->at[w->spec->moments->here].count,
                       .retained = ha_dominators_retained(w->spec->dominators, row->id)};
        memcpy(s.at, row->at, sizeof s.at);
        memcpy(s.known, row->known, sizeof s.known);
        take_inside(&s, &inside);
        ha_suspect_classify(w->spec, &s, &inside);
        if (s.kind != HA_LEAK_BUFFER)
            weigh(w, &s);
        add(w, &s);
        g_hash_table_insert(w->told, GUINT_TO_POINTER(row->template), GUINT_TO_POINTER(w->out->items->len));
    }
}

/* What a chain of objects begins at: who holds the topmost that is at the path. */
static HaId
anchor(const Work *w, HaId id, guint32 template)
{
    HaSurvey *s = w->spec->survey;
    HaId topmost = id;
    gsize ref;

    for (; id != HA_ID_NONE; id = ha_reach_from(s->reach, id, &ref))
        if (ha_path_template_of(s->templates, id) == template)
            topmost = id;
    return ha_suspect_above(w->spec, topmost);
}

/* A root's own kind of leak. FALSE: none, such as the text that the interpreter keeps. */
static gboolean
of_root(const char *root, HaLeakKind *kind)
{
    if (g_str_has_prefix(root, "<atexit"))
        *kind = HA_LEAK_ATEXIT;
    else if (g_str_has_prefix(root, "<C reference: "))
        *kind = HA_LEAK_C;
    else
        return FALSE;
    return TRUE;
}

static gboolean
is_weak_only(const Work *w, guint32 type)
{
    return ha_graph_nth_type(w->spec->survey->graph, type)->family == HF_FAMILY_WEAKREF;
}

/* Some step above has a suspect already, at most some steps up, or is one's own item. */
static gboolean
is_told(const Work *w, guint32 template)
{
    const HaPathTemplates *t = w->spec->survey->templates;
    guint32 at = template;

    for (guint i = 0; i < 3 && at != HA_PATH_TEMPLATE_TOP; i++, at = ha_path_template_above(t, at))
        if (g_hash_table_contains(w->told, GUINT_TO_POINTER(at)))
            return TRUE;
    return FALSE;
}

/* Where no single container grew. */
static void
grown_paths(Work *w)
{
    const HaSurvey *survey = w->spec->survey;
    const HaGrowth *growth = w->spec->growth;

    for (guint i = 0; i < growth->paths->len; i++) {
        const HaPathGrowth *row = &g_array_index(growth->paths, HaPathGrowth, i);
        HaSuspect s = {.trend = row->trend, .template = row->template, .survivors = -1};

        if (row->sample == HA_ID_NONE || is_weak_only(w, row->type) || !grew(w, row->trend, row->at, FALSE) ||
            is_told(w, row->template))
            continue;
        gboolean is_root = ha_path_template_above(survey->templates, row->template) == HA_PATH_TEMPLATE_TOP;
        const char *last = ha_path_template_last(survey->templates, row->template);
        if (is_root ? !of_root(last, &s.kind) : *last == '[' || *last == '{' || strcmp(last, "<key>") == 0)
            continue; /* its container has been judged by itself */
        if (s.kind == HA_LEAK_C && ha_suspect_is_greenlet(survey->graph, row->sample))
            s.kind = HA_LEAK_GREENLETS; /* on its own stack */
        guint8 family = ha_graph_nth_type(survey->graph, row->type)->family;
        if (family == HF_FAMILY_STR || family == HF_FAMILY_INT || (s.kind == HA_LEAK_C && family != HF_FAMILY_OTHER))
            continue;
        s.holder = is_root ? HA_ID_NONE : anchor(w, row->sample, row->template);
        /* until 3.9 the module has them */
        if (!is_root)
            s.kind = s.holder != HA_ID_NONE && ha_graph_type(survey->graph, s.holder)->family == HF_FAMILY_MODULE &&
                             ha_content_is(survey->graph, s.holder, "atexit")
                         ? HA_LEAK_ATEXIT
                         : HA_LEAK_CHAIN;
        s.count = row->at[w->spec->moments->here].count;
        s.retained = row->at[w->spec->moments->here].bytes;
        s.type = row->type;
        s.of_type = row->of_type;
        s.sample = row->sample;
        memcpy(s.at, row->at, sizeof s.at);
        for (guint k = 0; k < w->spec->moments->n; k++)
            s.known[k] = TRUE;
        add(w, &s);
    }
}

static gboolean
is_plain(const HaGraph *g, guint32 type)
{
    if (type == G_MAXUINT32)
        return TRUE;
    guint8 family = ha_graph_nth_type(g, type)->family;
    return family == HF_FAMILY_STR || family == HF_FAMILY_BYTES || family == HF_FAMILY_INT ||
           family == HF_FAMILY_FLOAT || family == HF_FAMILY_BOOL || family == HF_FAMILY_NONE ||
           family == HF_FAMILY_TUPLE || family == HF_FAMILY_LIST || family == HF_FAMILY_DICT ||
           family == HF_FAMILY_TYPE || family == HF_FAMILY_CODE;
}

/* One dump alone: what is large, and of one kind. */
static void
large_containers(Work *w)
{
    const HaSurvey *survey = w->spec->survey;
    const HaGraph *g = survey->graph;

    for (HaId id = 0; id < ha_graph_n_objects(g); id++) {
        HaContainerTally tally;
        if (!ha_bits_get(survey->chosen, id) || ha_reach_distance(survey->reach, id) == HA_REACH_NOT ||
            !ha_container_tally(g, id, &tally) || tally.items < TELLING_MIN)
            continue;
        HaInside inside = ha_suspect_inside(w->spec, id);
        if (ha_suspect_is_bounded(w->spec, id, &inside)) {
            w->out->totals.bounded++;
            continue;
        }
        HaSuspect s = {.holder = id,
                       .holders = 1,
                       .template = ha_path_template_of(survey->templates, id),
                       .count = tally.items,
                       .known = {TRUE},
                       .at = {{tally.items, tally.size}},
                       .retained = ha_dominators_retained(w->spec->dominators, id)};
        take_inside(&s, &inside);
        ha_suspect_classify(w->spec, &s, &inside);
        weigh(w, &s);
        /* libraries register their functions */
        gboolean telling = is_telling(s.kind) && (s.kind != HA_LEAK_CALLBACKS || tally.items >= LARGE_MIN);
        guint part = is_plain(g, s.type) && s.kind == HA_LEAK_CONTAINER ? PLAIN_PART : LARGE_PART;
        if (!telling && (tally.items < LARGE_MIN || inside.of_type * 10 < inside.items * 9 ||
                         MAX(s.retained, s.at[0].bytes) < w->total / part))
            continue;
        add(w, &s);
    }
}

/* One dump alone: what only C holds, and what is to be called at exit. */
static void
many_roots(Work *w)
{
    const HaSurvey *survey = w->spec->survey;
    const HaGraph *g = survey->graph;
    g_autoptr(GHashTable) rows = g_hash_table_new(NULL, NULL); /* template, and whether greenlets → index plus 1 */

    for (HaId id = 0; id < ha_graph_n_objects(g); id++) {
        gsize ref;
        HaSuspect s = {.holder = HA_ID_NONE, .survivors = -1, .known = {TRUE}};
        if (!ha_bits_get(survey->chosen, id) || ha_reach_distance(survey->reach, id) == HA_REACH_NOT ||
            ha_reach_from(survey->reach, id, &ref) != HA_ID_NONE)
            continue;
        s.template = ha_path_template_of(survey->templates, id);
        guint8 family = ha_graph_type(g, id)->family;
        if (!of_root(ha_path_template_last(survey->templates, s.template), &s.kind))
            continue;
        gboolean greenlet = s.kind == HA_LEAK_C && ha_suspect_is_greenlet(g, id);
        if (greenlet)
            s.kind = HA_LEAK_GREENLETS; /* on its own stack */
        if ((s.kind == HA_LEAK_C && (family != HF_FAMILY_OTHER || !(ha_graph_type(g, id)->flags & HF_TYPE_HEAP))))
            continue;
        gpointer key = GSIZE_TO_POINTER((gsize)s.template * 2 + greenlet), at = g_hash_table_lookup(rows, key);
        if (at == NULL) {
            s.type = ha_graph_type_index(g, id);
            add(w, &s);
            at = GUINT_TO_POINTER(w->out->items->len);
            g_hash_table_insert(rows, key, at);
        }
        HaSuspect *row = &g_array_index(w->out->items, HaSuspect, GPOINTER_TO_UINT(at) - 1);
        row->count++;
        row->of_type += ha_graph_type_index(g, id) == row->type;
        row->sample = id;
        row->retained += ha_dominators_retained(w->spec->dominators, id);
        row->at[0] = (HaTally){row->count, row->retained};
    }
    for (guint i = w->out->items->len; i-- > 0;) {
        const HaSuspect *s = &g_array_index(w->out->items, HaSuspect, i);
        if ((s->kind == HA_LEAK_C || s->kind == HA_LEAK_GREENLETS || s->kind == HA_LEAK_ATEXIT) &&
            s->holder == HA_ID_NONE && s->count < OF_C_MIN)
            g_array_remove_index(w->out->items, i);
    }
}

static void
garbage(Work *w)
{
    const HaMoments *m = w->spec->moments;
    const HaTally *at = w->spec->garbage, *here = &at[m->here];
    HaSuspect s = {.kind = HA_LEAK_GARBAGE,
                   .holder = HA_ID_NONE,
                   .template = G_MAXUINT32,
                   .type = G_MAXUINT32,
                   .sample = HA_ID_NONE,
                   .survivors = -1,
                   .count = here->count,
                   .retained = here->bytes};

    /* a healthy program has up to a quarter of its oldest generation waiting, and a fresh one some hundreds */
    if (w->spec->with_garbage || here->count < GARBAGE_MIN || here->bytes < w->total / 100)
        return;
    memcpy(s.at, at, sizeof s.at);
    for (guint k = 0; k < m->n; k++)
        s.known[k] = TRUE;
    if (m->n == 1 ? here->bytes < w->total / 4 : ha_growth_count(at, m) < GARBAGE_MIN / 10)
        return;
    s.trend = m->n == 1 ? HA_TREND_NONE : m->n == 2 ? HA_TREND_GREW : HA_TREND_STEADY;
    for (guint k = 1; k < m->n; k++)
        if (at[k].count <= at[k - 1].count)
            return;
    add(w, &s);
    g_array_index(w->out->items, HaSuspect, w->out->items->len - 1).confidence =
        m->n < 3 ? HA_CONFIDENCE_LOW : HA_CONFIDENCE_MEDIUM;
}

static gint
compare(gconstpointer left, gconstpointer right, gpointer moments)
{
    const HaSuspect *a = left, *b = right;
    guint here = ((const HaMoments *)moments)->here;
    guint64 x = MAX(a->at[here].bytes, a->retained), y = MAX(b->at[here].bytes, b->retained);

    if (a->confidence != b->confidence)
        return a->confidence > b->confidence ? -1 : 1;
    if (x != y)
        return x > y ? -1 : 1;
    return a->template <b->template ? -1 : a->template > b->template;
}

static void
count_objects(Work *w)
{
    const HaSurvey *survey = w->spec->survey;
    HaContainerTally tally;

    for (HaId id = 0; id < ha_graph_n_objects(survey->graph); id++) {
        if (!ha_bits_get(survey->live, id))
            continue;
        w->out->totals.objects++;
        w->total += ha_graph_size(survey->graph, id);
        w->out->totals.containers += ha_container_tally(survey->graph, id, &tally);
    }
}

HaSuspects *
ha_suspects_new(const HaSuspectsSpec *spec, GError **error)
{
    g_autoptr(HaSuspects) out = g_new0(HaSuspects, 1);
    g_autoptr(GHashTable) told = g_hash_table_new(NULL, NULL);
    Work w = {.spec = spec, .out = out, .told = told};

    out->items = g_array_new(FALSE, FALSE, sizeof(HaSuspect));
    g_array_set_clear_func(out->items, suspect_clear);
    if (!ha_graph_need_referrers(spec->survey->graph, error))
        return NULL;
    count_objects(&w);
    if (spec->growth != NULL) {
        grown_containers(&w);
        grown_paths(&w);
    } else {
        large_containers(&w);
        many_roots(&w);
    }
    garbage(&w);
    for (guint i = out->items->len; i-- > 0;) {
        HaSuspect *s = &g_array_index(out->items, HaSuspect, i);
        if (MAX(s->retained, s->at[spec->moments->here].bytes) >= spec->min_bytes)
            continue;
        out->totals.small++;
        g_array_remove_index(out->items, i);
    }
    g_array_sort_with_data(out->items, compare, (gpointer)spec->moments);
    ha_suspects_find_code(spec, out->items);
    return g_steal_pointer(&out);
}

void
ha_suspects_free(HaSuspects *s)
{
    if (s == NULL)
        return;
    if (s->items != NULL)
        g_array_unref(s->items);
    g_free(s);
}
