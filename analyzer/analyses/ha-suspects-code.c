// SPDX-License-Identifier: MIT
/*
 * The lines of code that a suspect has to do with: functions that name its container, together with what adds to one first; what is in it,
 * if that is code; the class of what is in it.
 */
#include <string.h>

#include "analyses/ha-attribute.h"
#include "analyses/ha-suspects-private.h"

enum {
    CODE_MAX = 3,     /* lines of a suspect */
    NAMES_MAX = 2000, /* of one code object */
    NEAR_MAX = 200,   /* objects around a sample */
    NEAR_STEPS = 5,
    TRACEBACKS_MAX = 1000,
    UP_MAX = 8,
};

/* A function that names what a suspect is reached by. */
typedef struct {
    HaId code;
    gboolean adds;
} Named;

/* A suspect's names: of its container, or of what people call to put something in. */
typedef struct {
    guint suspect;
    GArray *found; /* Named, owned */
} Wanted;

static char *
content_of(const HaGraph *g, HaId id)
{
    gsize n;
    const char *content = id != HA_ID_NONE ? ha_graph_content(g, id, &n) : NULL;

    return content != NULL ? g_strndup(content, n) : NULL;
}

/* "Task-5 pending worker at app.py:3 suspended" has a file and a line. */
static const char *
place_in(const char *text)
{
    const char *at = text != NULL ? g_strrstr(text, " at ") : NULL;
    const char *colon = at != NULL ? strrchr(at, ':') : NULL;

    return colon != NULL && g_ascii_isdigit(colon[1]) ? at : NULL;
}

/* Of the interpreter's library rather than of the program or a package. */
static gboolean
is_library(const char *file)
{
    return (strstr(file, "/python3.") != NULL && strstr(file, "-packages/") == NULL) || strstr(file, "<frozen") != NULL;
}

static void
add_line(GPtrArray *lines, const char *text)
{
    const char *place = place_in(text), *colon;

    if (place == NULL || lines->len >= CODE_MAX)
        return;
    /* the words in front are a task's name and state: only the last one is the function; behind the number comes the state */
    const char *name = place;
    while (name > text && name[-1] != ' ')
        name--;
    colon = strrchr(place, ':') + 1;
    g_autofree char *line = g_strdup_printf("%.*s", (int)(colon + strspn(colon, "0123456789") - name), name);
    for (guint i = 0; i < lines->len; i++)
        if (strcmp(lines->pdata[i], line) == 0)
            return;
    g_ptr_array_add(lines, g_steal_pointer(&line));
}

static gboolean
add_content(const HaGraph *g, HaSuspect *s, HaId id, gboolean library)
{
    g_autofree char *text = content_of(g, id);
    const char *place = place_in(text);

    if (place == NULL || (!library && is_library(place)))
        return FALSE;
    add_line(s->inside, text);
    return TRUE;
}

/* Where an exception was raised: the frame of the last traceback. */
static gboolean
add_raised(const HaGraph *g, HaSuspect *s, HaId exception)
{
    HaId at = ha_named_referent(g, exception, ".__traceback__");

    for (guint i = 0; at != HA_ID_NONE && i < TRACEBACKS_MAX; i++) {
        HaId next = ha_named_referent(g, at, ".tb_next");
        if (next == HA_ID_NONE || ha_graph_type(g, next)->family == HF_FAMILY_NONE)
            break;
        at = next;
    }
    return at != HA_ID_NONE && add_content(g, s, ha_named_referent(g, at, ".tb_frame"), TRUE);
}

static gboolean
is_code_like(guint8 family)
{
    return family == HF_FAMILY_FUNCTION || family == HF_FAMILY_METHOD || family == HF_FAMILY_COROUTINE ||
           family == HF_FAMILY_GENERATOR || family == HF_FAMILY_ASYNCGEN || family == HF_FAMILY_TASK;
}

/* The nearest function, coroutine or task that something leads to, as a waiting future to its task. */
static gboolean
add_near(const HaGraph *g, HaSuspect *s, HaId start)
{
    g_autoptr(GArray) queue = g_array_new(FALSE, FALSE, sizeof(HaId));
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    guint level_end = 1, steps = 0;

    g_array_append_val(queue, start);
    for (guint i = 0; i < queue->len && steps < NEAR_STEPS; i++) {
        HaId id = g_array_index(queue, HaId, i);
        guint8 family = ha_graph_type(g, id)->family;
        gsize n;
        if (is_code_like(family) || strcmp(ha_graph_type(g, id)->name, "asyncio.events.TimerHandle") == 0)
            if (add_content(g, s, id, FALSE))
                return TRUE;
        const HaId *refs = ha_graph_referents(g, id, &n);
        gboolean passes = family != HF_FAMILY_TYPE && family != HF_FAMILY_MODULE && family != HF_FAMILY_CODE &&
                          strstr(ha_graph_type(g, id)->name, "Loop") == NULL;
        for (gsize k = 0; passes && k < MIN(n, 50) && queue->len < NEAR_MAX; k++)
            if (g_hash_table_add(seen, GUINT_TO_POINTER(refs[k])))
                g_array_append_val(queue, refs[k]);
        if (i + 1 == level_end) {
            level_end = queue->len;
            steps++;
        }
    }
    return FALSE;
}

static void
add_class(const HaGraph *g, HaSuspect *s, HaId sample)
{
    const HaType *type = ha_graph_type(g, sample);

    if (type->family != HF_FAMILY_OTHER || !(type->flags & HF_TYPE_HEAP) || type->id == HA_ID_NONE)
        return;
    HaId dict = ha_named_referent(g, type->id, ".__dict__");
    HaId init = dict != HA_ID_NONE ? ha_dict_value(g, dict, "__init__") : HA_ID_NONE;
    if (init != HA_ID_NONE)
        add_content(g, s, init, FALSE);
}

/* What is in it. */
static void
add_inside(const HaGraph *g, HaSuspect *s)
{
    if (s->sample == HA_ID_NONE)
        return;
    guint8 family = ha_graph_type(g, s->sample)->family;
    gboolean found = family == HF_FAMILY_EXCEPTION                                  ? add_raised(g, s, s->sample)
                     : is_code_like(family) || ha_suspect_is_greenlet(g, s->sample) ? add_content(g, s, s->sample, TRUE)
                                                                                    : FALSE;
    if (!found && (s->kind == HA_LEAK_FUTURE || s->kind == HA_LEAK_WAITERS || s->kind == HA_LEAK_TIMERS ||
                   s->kind == HA_LEAK_FINALIZERS || s->kind == HA_LEAK_CALLBACKS || s->kind == HA_LEAK_ATEXIT))
        found = add_near(g, s, s->sample);
    if (!found)
        add_class(g, s, s->sample);
}

/* What the program calls to put something into the things that the library keeps. */
static const char *const *
adders(HaLeakKind kind)
{
    static const char *const
        future[] = {"add_done_callback", NULL},
        *const timers[] = {"call_later", "call_at", "call_soon", NULL}, *const queues[] = {"put", "put_nowait", NULL},
        *const handlers[] = {"addHandler", NULL}, *const atexit[] = {"atexit", NULL},
        *const finalizers[] = {"finalize", NULL}, *const tasks[] = {"create_task", "ensure_future", NULL},
        *const greenlets[] = {"spawn", "spawn_later", "greenlet", "Greenlet", NULL}, *const none[] = {NULL};

    switch (kind) {
    case HA_LEAK_FUTURE:
        return future;
    case HA_LEAK_TIMERS:
        return timers;
    case HA_LEAK_QUEUE:
        return queues;
    case HA_LEAK_HANDLERS:
        return handlers;
    case HA_LEAK_ATEXIT:
        return atexit;
    case HA_LEAK_FINALIZERS:
        return finalizers;
    case HA_LEAK_WAITERS:
        return tasks;
    case HA_LEAK_GREENLETS:
        return greenlets;
    case HA_LEAK_CONTAINER:
    case HA_LEAK_INSTANCES:
    case HA_LEAK_CACHE:
    case HA_LEAK_CHAIN:
    case HA_LEAK_CALLBACKS:
    case HA_LEAK_EXCEPTIONS:
    case HA_LEAK_THREAD:
    case HA_LEAK_BUFFER:
    case HA_LEAK_C:
    case HA_LEAK_GARBAGE:
    case HA_LEAK_KINDS:
    default:
        return none;
    }
}

static void
want(GHashTable *wanted, GPtrArray *all, const char *name, guint suspect)
{
    GPtrArray *of_name = g_hash_table_lookup(wanted, name);
    Wanted *w = g_new0(Wanted, 1);

    *w = (Wanted){.suspect = suspect, .found = g_array_new(FALSE, FALSE, sizeof(Named))};
    if (of_name == NULL) {
        of_name = g_ptr_array_new();
        g_hash_table_insert(wanted, g_strdup(name), of_name);
    }
    g_ptr_array_add(of_name, w);
    g_ptr_array_add(all, w);
}

static void
wanted_free(gpointer data)
{
    g_array_unref(((Wanted *)data)->found);
    g_free(data);
}

/* The nearest name on the way to a container that code would use: "SESSIONS" of a module, "subscribers" of an object. NULL: none. */
static char *
name_of(const HaSuspectsSpec *spec, HaId id)
{
    for (guint i = 0; i < UP_MAX && id != HA_ID_NONE; i++) {
        HaId from;
        g_autofree char *step = ha_suspect_step(spec, id, &from);
        if (step != NULL && step[0] == '.' && !g_str_has_prefix(step, ".__"))
            return g_strdup(step + 1);
        id = from;
    }
    return NULL;
}

static gboolean
adds_something(const char *name)
{
    static const char *const names[] = {"append", "add", "setdefault", "insert",     "extend",  "appendleft",
                                        "update", "put", "push",       "put_nowait", "heappush"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(name, names[i]) == 0)
            return TRUE;
    return FALSE;
}

/* Every function whose code has one of the names. */
static void
scan(const HaSuspectsSpec *spec, GHashTable *wanted)
{
    const HaGraph *g = spec->survey->graph;

    for (HaId id = 0; id < ha_graph_n_objects(g); id++) {
        if (ha_graph_type(g, id)->family != HF_FAMILY_CODE)
            continue;
        HaId names = ha_named_referent(g, id, ".co_names");
        gsize n = 0;
        const HaId *refs = names != HA_ID_NONE ? ha_graph_referents(g, names, &n) : NULL;
        gboolean adds = FALSE;
        g_autoptr(GPtrArray) hit = NULL;
        for (gsize i = 0; i < MIN(n, NAMES_MAX); i++) {
            g_autofree char *name = content_of(g, refs[i]);
            GPtrArray *of_name = name != NULL ? g_hash_table_lookup(wanted, name) : NULL;
            adds = adds || (name != NULL && adds_something(name));
            for (guint k = 0; of_name != NULL && k < of_name->len; k++) {
                if (hit == NULL)
                    hit = g_ptr_array_new();
                g_ptr_array_add(hit, of_name->pdata[k]);
            }
        }
        for (guint i = 0; hit != NULL && i < hit->len; i++) {
            Named named = {id, adds};
            g_array_append_val(((Wanted *)hit->pdata[i])->found, named);
        }
    }
}

static gboolean
is_module_level(const char *text)
{
    return g_str_has_prefix(text, "<module>") || strstr(text, "__init__ at ") != NULL;
}

/* The program's own comes before packages, and what adds before what only names it; what makes it, __init__ or the module itself, is told where there is nothing else. */
static void
take_found(const HaGraph *g, const Wanted *w, HaSuspect *s)
{
    for (guint rank = 0; rank < 6; rank++)
        for (guint i = 0; i < w->found->len; i++) {
            const Named *named = &g_array_index(w->found, Named, i);
            g_autofree char *text = content_of(g, named->code);
            const char *place = place_in(text);
            if (place == NULL || is_library(place))
                continue;
            guint its = is_module_level(text) ? 2 : named->adds ? 0 : 1;
            if (its + (strstr(place, "-packages/") != NULL ? 3 : 0) != rank || (its == 2 && s->code->len > 0))
                continue;
            add_line(s->code, text);
        }
}

void
ha_suspects_find_code(const HaSuspectsSpec *spec, GArray *suspects)
{
    const HaGraph *g = spec->survey->graph;
    g_autoptr(GHashTable) wanted =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(wanted_free);

    for (guint i = 0; i < suspects->len; i++) {
        HaSuspect *s = &g_array_index(suspects, HaSuspect, i);
        const char *const *calls = adders(s->kind);
        if (s->kind == HA_LEAK_CACHE) {
            HaId wrapper = ha_suspect_above(spec, s->holder);
            HaId function = wrapper != HA_ID_NONE ? ha_named_referent(g, wrapper, "<function>") : HA_ID_NONE;
            g_autofree char *text = content_of(g, function);
            add_line(s->code, text);
            continue;
        }
        add_inside(g, s);
        for (; *calls != NULL; calls++)
            want(wanted, all, *calls, i);
        g_autofree char *name = *adders(s->kind) == NULL && s->holder != HA_ID_NONE ? name_of(spec, s->holder) : NULL;
        if (name != NULL)
            want(wanted, all, name, i);
    }
    if (all->len > 0)
        scan(spec, wanted);
    for (guint i = 0; i < all->len; i++) {
        const Wanted *w = all->pdata[i];
        take_found(g, w, &g_array_index(suspects, HaSuspect, w->suspect));
    }
}
