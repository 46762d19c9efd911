// SPDX-License-Identifier: MIT
#include <string.h>

#include "analyses/ha-attribute.h"
#include "analyses/ha-suspects-private.h"
#include "graph/ha-ref-runs.h"

#define STEPS_MAX     12 /* of the way up that are looked at */
#define GREENLET_REFS 40 /* among them is one of its first frame */

static guint8
family_of(const HaGraph *g, HaId id)
{
    return ha_graph_type(g, id)->family;
}

static const char *
type_name(const HaGraph *g, HaId id)
{
    return ha_graph_type(g, id)->name;
}

/* A class of the program or of a package, rather than of the interpreter: made by a class statement. */
static gboolean
is_instance(const HaGraph *g, HaId id)
{
    const HaType *type = ha_graph_type(g, id);

    return type->family == HF_FAMILY_OTHER && type->flags & HF_TYPE_HEAP &&
           !g_str_has_prefix(type->name, "builtins.") && !g_str_has_prefix(type->name, "weakref.");
}

gboolean
ha_suspect_is_greenlet(const HaGraph *g, HaId id)
{
    HaRefName name;
    gsize n;

    if (family_of(g, id) != HF_FAMILY_OTHER)
        return FALSE;
    ha_graph_referents(g, id, &n);
    for (gsize i = 0; i < MIN(n, GREENLET_REFS); i++) {
        ha_graph_ref_name(g, id, i, &name);
        if (name.kind == HF_RUN_NAMED && g_str_has_prefix(name.name, ".gr_frame"))
            return TRUE;
    }
    return FALSE;
}

typedef struct {
    guint64 n;
    HaId last;
    gboolean survives;
} Count;

static void
count_one(const HaSuspectsSpec *spec, GHashTable *counts, HaInside *inside, HaId key, HaId id)
{
    guint32 type = ha_graph_type_index(spec->survey->graph, id);
    gboolean survives = spec->survivors != NULL &&
                        (ha_bits_get(spec->survivors, id) || (key != HA_ID_NONE && ha_bits_get(spec->survivors, key)));
    Count *count = g_hash_table_lookup(counts, GUINT_TO_POINTER(type));

    if (count == NULL) {
        count = g_new0(Count, 1);
        g_hash_table_insert(counts, GUINT_TO_POINTER(type), count);
    }
    count->n++;
    inside->items++;
    inside->survivors += survives;
    if (survives || !count->survives) {
        count->last = id;
        count->survives = survives;
    }
}

HaInside
ha_suspect_inside(const HaSuspectsSpec *spec, HaId container)
{
    const HaGraph *g = spec->survey->graph;
    HaInside inside = {.type = G_MAXUINT32, .sample = HA_ID_NONE, .key = HA_ID_NONE};
    g_autoptr(GHashTable) counts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    gsize n;
    const HaId *refs = ha_graph_referents(g, container, &n);
    HaRefRuns runs;
    HaRefRun run;
    GHashTableIter iter;
    gpointer type, value;

    ha_ref_runs_init(&runs, g, container);
    while (ha_ref_runs_next(&runs, &run)) {
        gboolean is_value = run.value;
        if (run.kind != HF_RUN_INDEX && run.kind != HF_RUN_MEMBER && run.kind != HF_RUN_ITEMS)
            continue;
        for (gsize i = run.first; i < run.first + run.n; i++, is_value = !is_value)
            if (run.kind != HF_RUN_ITEMS || is_value)
                count_one(spec, counts, &inside, run.kind == HF_RUN_ITEMS && i > 0 ? refs[i - 1] : HA_ID_NONE, refs[i]);
            else if (is_instance(g, refs[i])) {
                inside.instances++;
                inside.key = refs[i];
            }
    }
    g_hash_table_iter_init(&iter, counts);
    while (g_hash_table_iter_next(&iter, &type, &value)) {
        const Count *count = value;
        if (count->n < inside.of_type || (count->n == inside.of_type && GPOINTER_TO_UINT(type) > inside.type))
            continue;
        inside.of_type = count->n;
        inside.type = GPOINTER_TO_UINT(type);
        inside.sample = count->last;
    }
    if (spec->survivors == NULL)
        inside.survivors = -1;
    return inside;
}

char *
ha_suspect_step(const HaSuspectsSpec *spec, HaId id, HaId *from)
{
    const HaGraph *g = spec->survey->graph;
    gsize ref;
    HaId above = ha_reach_from(spec->survey->reach, id, &ref);

    *from = above;
    if (above == HA_ID_NONE)
        return NULL;
    g_autofree char *text = ha_graph_ref_text(g, above, ref);
    if (family_of(g, above) != HF_FAMILY_DICT || text == NULL)
        return g_steal_pointer(&text);
    gsize of_dict;
    HaId owner = ha_reach_from(spec->survey->reach, above, &of_dict);
    HaRefName name = {0};
    if (owner != HA_ID_NONE)
        ha_graph_ref_name(g, owner, of_dict, &name);
    if (owner == HA_ID_NONE || name.kind != HF_RUN_NAMED || strcmp(name.name, ".__dict__") != 0)
        return g_steal_pointer(&text);
    *from = owner;
    gsize n = strlen(text);
    return n > 4 && g_str_has_prefix(text, "['") ? g_strdup_printf(".%.*s", (int)(n - 4), text + 2)
                                                 : g_steal_pointer(&text);
}

HaId
ha_suspect_above(const HaSuspectsSpec *spec, HaId id)
{
    HaId from;

    g_free(ha_suspect_step(spec, id, &from));
    return from;
}

/* The number that an attribute is; 0: there is none, or no number, or less than 1. */
static guint64
number(const HaGraph *g, HaId id, const char *name)
{
    HaId value = ha_attribute(g, id, name);
    gsize n;
    const char *content =
        value != HA_ID_NONE && family_of(g, value) == HF_FAMILY_INT ? ha_graph_content(g, value, &n) : NULL;

    if (content == NULL || n == 0 || *content == '-')
        return 0;
    g_autofree char *text = g_strndup(content, n);
    return g_ascii_strtoull(text, NULL, 10);
}

/* An attribute that says how much there may be: of queues, of what cachetools, cachelib and most programs call so. */
static gboolean
says_largest(const HaGraph *g, HaId owner, guint64 items)
{
    static const char *const names[] = {"maxsize", "_maxsize",    "max_size",        "_max_size", "maxlen",
                                        "_maxlen", "max_len",     "capacity",        "_capacity", "limit",
                                        "_limit",  "max_entries", "_Cache__maxsize", "_threshold"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        guint64 largest = number(g, owner, names[i]);
        if (largest > 0 && items <= largest + 1)
            return TRUE;
    }
    return FALSE;
}

/* What the interpreter and its library keep for as long as what it is about lives, or as many as there is code. */
static gboolean
is_furniture(const char *path)
{
    static const char *const starts[] = {"sys.modules['sys'].",
                                         "sys.modules['linecache'].cache",
                                         "sys.modules['re'].",
                                         "sys.modules['re._compiler']",
                                         "sys.modules['typing'].",
                                         "sys.modules['warnings'].",
                                         "sys.modules['importlib",
                                         "sys.modules['_frozen_importlib",
                                         "sys.modules['abc']",
                                         "sys.modules['tracemalloc']",
                                         "sys.modules['encodings",
                                         "sys.modules['copyreg']",
                                         "sys.modules['gc']",
                                         "<type cache>",
                                         "<interned"};

    for (guint i = 0; i < G_N_ELEMENTS(starts); i++)
        if (g_str_has_prefix(path, starts[i]))
            return TRUE;
    return strstr(path, ".__warningregistry__") != NULL || strstr(path, "._abc_") != NULL ||
           strstr(path, ".__subclasses__") != NULL || strstr(path, "<subclasses>") != NULL;
}

gboolean
ha_suspect_is_bounded(const HaSuspectsSpec *spec, HaId container, const HaInside *inside)
{
    const HaGraph *g = spec->survey->graph;
    HaId owner, above;
    gsize n;
    const char *content = ha_graph_content(g, container, &n);

    /* one without a limit has no list of what was used last */
    if (strcmp(type_name(g, container), "functools._lru_cache_wrapper") == 0)
        return TRUE;
    if (content != NULL && strcmp(type_name(g, container), "collections.deque") == 0 &&
        g_strstr_len(content, n, ", maxlen ") != NULL)
        return TRUE;
    /* a WeakSet, a WeakValueDictionary: what lives decides, not they */
    if (inside->type != G_MAXUINT32 && ha_graph_nth_type(g, inside->type)->family == HF_FAMILY_WEAKREF)
        return TRUE;
    if (says_largest(g, container, inside->items))
        return TRUE;
    g_autofree char *step = ha_suspect_step(spec, container, &owner);
    if (owner != HA_ID_NONE) {
        if (strcmp(type_name(g, owner), "functools._lru_cache_wrapper") == 0 &&
            ha_graph_n_places(g, owner, HF_RUN_ITEMS) > 0)
            return TRUE;
        if (says_largest(g, owner, inside->items))
            return TRUE;
        /* the namespace of a module or a class: as much as there is code */
        guint8 family = family_of(g, owner);
        if (step != NULL && strcmp(step, ".__dict__") == 0 &&
            (family == HF_FAMILY_MODULE || family == HF_FAMILY_TYPE) && inside->items < 10000)
            return TRUE;
        above = ha_suspect_above(spec, owner);
        if (above != HA_ID_NONE && says_largest(g, above, inside->items) && family_of(g, owner) == HF_FAMILY_OTHER)
            return TRUE;
    }
    g_autofree char *path =
        ha_path_template_text(spec->survey->templates, ha_path_template_of(spec->survey->templates, container));
    return is_furniture(path);
}

static gboolean
is_queue(const char *type)
{
    static const char *const names[] = {
        "queue.Queue",          "queue.LifoQueue",          "queue.PriorityQueue",  "_queue.SimpleQueue",
        "asyncio.queues.Queue", "asyncio.queues.LifoQueue", "queue._PySimpleQueue", "asyncio.queues.PriorityQueue"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(type, names[i]) == 0)
            return TRUE;
    return FALSE;
}

static gboolean
by_owner(const HaGraph *g, HaId owner, const char *step, HaLeakKind *kind)
{
    const char *type = type_name(g, owner);
    guint8 family = family_of(g, owner);

    if (strcmp(type, "functools._lru_cache_wrapper") == 0)
        *kind = HA_LEAK_CACHE;
    else if ((family == HF_FAMILY_FUTURE || family == HF_FAMILY_TASK) && strstr(step, "_callbacks") != NULL)
        *kind = HA_LEAK_FUTURE;
    else if (g_str_has_prefix(type, "asyncio.") && strcmp(step, "._waiters") == 0)
        *kind = HA_LEAK_WAITERS;
    else if (g_str_has_suffix(type, "Loop") && (strcmp(step, "._scheduled") == 0 || strcmp(step, "._ready") == 0))
        *kind = HA_LEAK_TIMERS;
    else if (is_queue(type) || g_str_has_suffix(type, ".multiprocessing.queues.Queue"))
        *kind = HA_LEAK_QUEUE;
    else if (g_str_has_prefix(type, "logging.") && strcmp(step, ".handlers") == 0)
        *kind = HA_LEAK_HANDLERS;
    else if (strcmp(step, "._registry") == 0 && family == HF_FAMILY_TYPE && ha_content_is(g, owner, "weakref.finalize"))
        *kind = HA_LEAK_FINALIZERS;
    else
        return FALSE;
    return TRUE;
}

static gboolean
in_thread_local(const HaSuspectsSpec *spec, HaId id)
{
    const HaReach *reach = spec->survey->reach;
    const HaGraph *g = spec->survey->graph;
    gsize ref;

    for (guint i = 0; i < STEPS_MAX && id != HA_ID_NONE; i++) {
        HaId from = ha_reach_from(reach, id, &ref);
        if (from != HA_ID_NONE && strcmp(type_name(g, from), "_thread._local") == 0)
            return TRUE;
        id = from;
    }
    return FALSE;
}

static gboolean
by_items(const HaGraph *g, const HaSuspect *s, HaLeakKind *kind)
{
    guint8 family;

    if (s->type == G_MAXUINT32 || s->of_type * 2 < s->count)
        return FALSE;
    family = ha_graph_nth_type(g, s->type)->family;
    const char *name = ha_graph_nth_type(g, s->type)->name;
    if (family == HF_FAMILY_EXCEPTION)
        *kind = HA_LEAK_EXCEPTIONS;
    else if (family == HF_FAMILY_TASK || family == HF_FAMILY_FUTURE || family == HF_FAMILY_COROUTINE)
        *kind = HA_LEAK_WAITERS;
    else if (s->sample != HA_ID_NONE && ha_suspect_is_greenlet(g, s->sample))
        *kind = HA_LEAK_GREENLETS;
    else if (strcmp(name, "asyncio.events.TimerHandle") == 0)
        *kind = HA_LEAK_TIMERS;
    else if (family == HF_FAMILY_FUNCTION || family == HF_FAMILY_METHOD || family == HF_FAMILY_BUILTIN ||
             strcmp(name, "functools.partial") == 0)
        *kind = HA_LEAK_CALLBACKS;
    else
        return FALSE;
    return TRUE;
}

void
ha_suspect_classify(const HaSuspectsSpec *spec, HaSuspect *s, const HaInside *inside)
{
    const HaGraph *g = spec->survey->graph;
    HaId owner = HA_ID_NONE, id = s->holder;

    /* a container in a container of the same: who owns the outer one says what it is */
    for (guint i = 0; i < 3 && id != HA_ID_NONE; i++) {
        g_autofree char *step = ha_suspect_step(spec, id, &owner);
        if (owner == HA_ID_NONE)
            break;
        if (by_owner(g, owner, step != NULL ? step : "", &s->kind))
            return;
        if (step == NULL || *step == '.')
            break;
        id = owner;
    }
    if (by_items(g, s, &s->kind))
        return;
    if (s->holder != HA_ID_NONE && in_thread_local(spec, s->holder))
        s->kind = HA_LEAK_THREAD;
    else if (s->holder != HA_ID_NONE && family_of(g, s->holder) == HF_FAMILY_BYTES)
        s->kind = HA_LEAK_BUFFER;
    else if (inside != NULL && inside->instances * 2 > inside->items) {
        s->kind = HA_LEAK_INSTANCES;
        s->type = ha_graph_type_index(g, inside->key);
        s->of_type = inside->instances;
        s->sample = inside->key;
    }
}
