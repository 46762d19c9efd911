// SPDX-License-Identifier: MIT
#include "analyses/ha-paths.h"
#include "commands/ha-leaks-private.h"

#define TRIES_MAX 32 /* steps up from what Python cannot write */

const char *
ha_confidence_name(HaConfidence confidence)
{
    static const char *const names[] = {"low", "medium", "high"};

    return names[confidence];
}

const HaLeakWords *
ha_leak_words(HaLeakKind kind)
{
    static const HaLeakWords words[HA_LEAK_KINDS] = {
        [HA_LEAK_CONTAINER] = {"container", "a container that things are put into", "items",
                               "Take things out when they are done with, or give it a largest size: a cache that "
                               "forgets what was used least, "
                               "collections.deque(maxlen=…)."},
        [HA_LEAK_INSTANCES] = {"instance-keys", "a dict whose keys are instances", "items",
                               "Each key keeps its object alive. Use weakref.WeakKeyDictionary, a key that stands for "
                               "the object, or take the key out "
                               "when the object is done with."},
        [HA_LEAK_CACHE] = {"unbounded-cache", "a functools cache without a largest size", "entries",
                           "Give it one, as @lru_cache(maxsize=1000) does, or call its cache_clear() now and then. On "
                           "methods it keeps each self alive."},
        [HA_LEAK_CHAIN] = {"chain", "objects that hold one another", "objects",
                           "Cut the link when the older ones are done with, or hold them by weakref.ref()."},
        [HA_LEAK_CALLBACKS] = {"callbacks", "callbacks that are registered again and again", "callbacks",
                               "Unregister each when its owner goes, or register weakref.WeakMethod. A bound method "
                               "keeps its object alive, a closure its "
                               "variables."},
        [HA_LEAK_FUTURE] = {"future-callbacks", "callbacks of one future that does not get done", "callbacks",
                            "Add the callback once, or call remove_done_callback(), or wait with asyncio.wait() on a "
                            "future of one's own."},
        [HA_LEAK_WAITERS] =
            {"tasks", "tasks that do not end", "of them",
             "Cancel them when what they serve is gone, wait with asyncio.timeout(), or take finished ones out with "
             "add_done_callback(tasks.discard). 'heapanalyze tasks' shows where each waits."},
        [HA_LEAK_GREENLETS] = {"greenlets", "greenlets that wait and do not go on", "greenlets",
                               "Give what they wait for a time limit (gevent.Timeout), or kill() them when what they "
                               "serve is gone. 'heapanalyze object ADDR' shows what one's functions hold."},
        [HA_LEAK_TIMERS] = {"timers", "timers of the event loop", "timers",
                            "Keep what call_later() returns and cancel() it when it is no longer wanted; cancelled "
                            "ones go when their time has come."},
        [HA_LEAK_QUEUE] = {"queue", "a queue that is filled faster than it is emptied", "entries",
                           "Give it a maxsize, so that who puts must wait, and see whether its consumer still runs."},
        [HA_LEAK_HANDLERS] = {"logging-handlers", "handlers added to one logger again and again", "handlers",
                              "Add handlers once, where the program starts, not where it serves; every message goes "
                              "through all of them."},
        [HA_LEAK_ATEXIT] =
            {"atexit", "functions registered for the program's end", "functions",
             "Register one once; call atexit.unregister() when its object goes. It keeps alive whatever it knows."},
        [HA_LEAK_FINALIZERS] = {"finalizers", "finalizers of objects that do not go", "finalizers",
                                "weakref.finalize() keeps callback and arguments until its object goes: detach() it "
                                "when it is no longer wanted."},
        [HA_LEAK_EXCEPTIONS] = {"exceptions", "exceptions that are kept", "exceptions",
                                "Each keeps the variables of all functions in its traceback alive. Keep str(error) or "
                                "traceback.format_exception(error), "
                                "or use error.with_traceback(None)."},
        [HA_LEAK_THREAD] =
            {"thread-local", "what a thread has for itself", "items",
             "It goes with the thread, which may live as long as the program: clear it when a request is done."},
        [HA_LEAK_BUFFER] = {"buffer", "a buffer that is appended to", "bytes",
                            "Delete what has been dealt with: del buffer[:n]."},
        [HA_LEAK_C] = {"c-references", "objects that only C code holds", "objects",
                       "An extension took references that it does not give back (a missing Py_DECREF), or keeps them "
                       "on purpose: see which library makes "
                       "these, and its release notes."},
        [HA_LEAK_GARBAGE] = {"garbage", "cyclic garbage that awaits the collector", "objects",
                             "See whether gc.disable() or a high gc.set_threshold() keeps it from running; break "
                             "cycles, or call gc.collect() when idle. "
                             "'heapanalyze types --garbage --sort garbage' tells what it is."},
    };

    return &words[kind];
}

gboolean
ha_leak_path(const HaLeaks *l, const HaSuspect *s, HaPath *out)
{
    HaId id = s->holder != HA_ID_NONE ? s->holder : s->sample;

    return id != HA_ID_NONE && ha_path_to(l->c->graph, l->c->ledger, l->spec->survey->reach, id, out);
}

char *
ha_leak_expression(const HaLeaks *l, const HaPath *path, HaId *of)
{
    const HaPathStep *steps = (const HaPathStep *)(void *)path->steps->data;
    HaPath part = {.held = path->held, .steps = g_array_new(FALSE, FALSE, sizeof(HaPathStep))};
    char *text = NULL;

    g_array_append_vals(part.steps, steps, path->steps->len);
    for (guint tries = 0; tries < TRIES_MAX && text == NULL && part.steps->len > 0; tries++) {
        gboolean is_expression;
        g_autofree char *plain = ha_path_text(l->c->graph, l->c->ledger, &part, &is_expression);
        *of = g_array_index(part.steps, HaPathStep, part.steps->len - 1).id;
        if (is_expression)
            text = g_steal_pointer(&plain);
        g_array_set_size(part.steps, part.steps->len - 1);
    }
    g_array_unref(part.steps);
    return text;
}

guint64
ha_leak_began(const HaLeaks *l, const HaSuspect *s)
{
    const HaMoments *m = l->spec->moments;
    const char *last = g_hash_table_lookup(m->at[m->n - 1]->meta, HF_META_TIME);
    gboolean bytes = s->kind == HA_LEAK_BUFFER;
    double more = (double)(bytes ? ha_growth_bytes(s->at, m) : ha_growth_count(s->at, m));
    double all = (double)(bytes ? s->at[m->n - 1].bytes : s->at[m->n - 1].count);
    double now = last != NULL ? (double)g_ascii_strtoull(last, NULL, 10) : 0;

    if (m->minutes <= 0 || more <= 0)
        return 0;
    double began = now - all / more * m->minutes * 60e6;
    return began > 0 ? (guint64)began : 0;
}
