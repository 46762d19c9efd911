// SPDX-License-Identifier: MIT
#include "ha-future-callbacks.h"

#include <string.h>

#include "analyses/ha-attribute.h"

typedef struct {
    const HaGraph *g;
    GArray *out; /* HaId */
} Work;

static guint8
family_of(const HaGraph *g, HaId id)
{
    return ha_graph_type(g, id)->family;
}

static gboolean
is_of(const HaGraph *g, HaId id, const char *type)
{
    return g_str_has_suffix(ha_graph_type(g, id)->name, type);
}

/* The members of a container that are of a family. */
static void
add_members(Work *w, HaId container, guint8 family)
{
    gsize n;
    const HaId *refs = ha_graph_referents(w->g, container, &n);

    for (gsize i = 0; i < MIN(n, HA_CALLBACKS_MAX); i++)
        if (family_of(w->g, refs[i]) == family)
            g_array_append_val(w->out, refs[i]);
}

/* Who waits in Queue.get(). */
static void
add_getters(Work *w, HaId queue)
{
    HaId getters = ha_attribute(w->g, queue, "_getters");

    if (getters != HA_ID_NONE)
        add_members(w, getters, HF_FAMILY_FUTURE);
}

/*
 * Something that a callback knows. A task that it knows is not one that waits: nobody can complete a task, so that the callback may
 * cancel it at most.
 */
static void
add_known(Work *w, HaId id)
{
    if (family_of(w->g, id) == HF_FAMILY_FUTURE) {
        g_array_append_val(w->out, id);
    } else if (is_of(w->g, id, "asyncio.queues.Queue")) {
        add_getters(w, id);
    } else if (is_of(w->g, id, "._AsCompletedIterator")) {
        HaId queue = ha_attribute(w->g, id, "_done");
        if (queue != HA_ID_NONE)
            add_getters(w, queue);
    } else if (is_of(w->g, id, ".TaskGroup")) {
        HaId parent = ha_attribute(w->g, id, "_parent_task");
        if (parent != HA_ID_NONE && family_of(w->g, parent) == HF_FAMILY_TASK)
            g_array_append_val(w->out, parent);
    }
}

static void
add_callback(Work *w, HaId callback)
{
    gsize n;
    HaId found = HA_ID_NONE;

    if (family_of(w->g, callback) == HF_FAMILY_FUNCTION)
        found = ha_named_referent(w->g, callback, "<closure>");
    else if (is_of(w->g, callback, "functools.partial"))
        found = ha_named_referent(w->g, callback, ".args");
    else if (family_of(w->g, callback) == HF_FAMILY_METHOD) {
        HaId self = ha_named_referent(w->g, callback, ".__self__");
        if (self != HA_ID_NONE)
            add_known(w, self);
    }
    if (found == HA_ID_NONE || family_of(w->g, found) != HF_FAMILY_TUPLE)
        return;
    const HaId *refs = ha_graph_referents(w->g, found, &n);
    for (gsize i = 0; i < MIN(n, HA_CALLBACKS_MAX); i++) {
        HaId value = refs[i];
        if (family_of(w->g, value) == HF_FAMILY_CELL)
            value = ha_named_referent(w->g, value, ".cell_contents");
        if (value != HA_ID_NONE)
            add_known(w, value);
    }
}

/* A list of callbacks, each with its context. */
static void
add_callbacks(Work *w, HaId list)
{
    gsize n, m;
    const HaId *refs = ha_graph_referents(w->g, list, &n);

    if (family_of(w->g, list) != HF_FAMILY_LIST)
        return;
    for (gsize i = 0; i < MIN(n, HA_CALLBACKS_MAX); i++) {
        const HaId *pair = ha_graph_referents(w->g, refs[i], &m);
        if (family_of(w->g, refs[i]) == HF_FAMILY_TUPLE && m > 0)
            add_callback(w, pair[0]);
    }
}

/* 3.14+: one that waits, or a set of them. */
static void
add_awaiters(Work *w, HaId future)
{
    HaId by = ha_named_referent(w->g, future, "<awaited by>");
    guint8 family = by != HA_ID_NONE ? family_of(w->g, by) : HF_FAMILY_OTHER;

    if (family == HF_FAMILY_TASK || family == HF_FAMILY_FUTURE) {
        g_array_append_val(w->out, by);
    } else if (family == HF_FAMILY_SET) {
        add_members(w, by, HF_FAMILY_TASK);
        add_members(w, by, HF_FAMILY_FUTURE);
    }
}

void
ha_future_tells(const HaGraph *g, HaId future, GArray *out)
{
    Work w = {g, out};
    HaId callback = ha_named_referent(g, future, "._callbacks[0][0]"),
         rest = ha_named_referent(g, future, "._callbacks[1:]");

    if (callback != HA_ID_NONE)
        add_callback(&w, callback);
    if (rest != HA_ID_NONE)
        add_callbacks(&w, rest);
    if (!g_str_has_prefix(ha_graph_type(g, future)->name, "_asyncio.")) {
        /* written in Python, or derived from what is written in C */
        HaId all = ha_attribute(g, future, "_callbacks");
        if (all != HA_ID_NONE)
            add_callbacks(&w, all);
    }
    add_awaiters(&w, future);
}
