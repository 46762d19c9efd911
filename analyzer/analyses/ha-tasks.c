// SPDX-License-Identifier: MIT
#include "ha-tasks.h"

#include <string.h>

#include "analyses/ha-attribute.h"
#include "analyses/ha-future-callbacks.h"

#define CHAIN_MAX   1000 /* coroutines of one task */
#define FUTURES_MAX 1000 /* between a task and those that wait for it */

typedef struct {
    const HaGraph *g;
    const HaBits *live;
    GArray *tasks;     /* HaTask */
    GHashTable *index; /* id → index plus 1 */
    GHashTable *told;  /* waiter and task, as one number: who waits for whom is told in several ways */
    GHashTable *by;    /* future → index of a task that waits for it, plus 1 */
    guint *next;       /* of each task the next one that waits for the same, plus 1 */
    guint *top;        /* of each task one further up, at last itself; shortened on the way */
} Work;

static void
task_clear(gpointer data)
{
    HaTask *task = data;

    g_array_unref(task->chain);
    g_free(task->name);
    g_free(task->state);
}

static gboolean
is_something(const HaGraph *g, HaId id)
{
    return id != HA_ID_NONE && ha_graph_type(g, id)->family != HF_FAMILY_NONE;
}

static guint8
family_of(const HaGraph *g, HaId id)
{
    return ha_graph_type(g, id)->family;
}

static gboolean
is_suspendable(guint8 family)
{
    return family == HF_FAMILY_COROUTINE || family == HF_FAMILY_GENERATOR || family == HF_FAMILY_ASYNCGEN;
}

/* What a coroutine or another awaitable waits in; HA_ID_NONE at the end of the chain. */
static HaId
awaited(const HaGraph *g, HaId id)
{
    static const char *const names[] = {"<awaits>", "<coroutine>", "<async generator>"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        HaId found = ha_named_referent(g, id, names[i]);
        if (is_something(g, found))
            return found;
    }
    /* until 3.10 the frame is an object of its own */
    HaId frame = is_suspendable(family_of(g, id)) ? ha_named_referent(g, id, "<frame>") : HA_ID_NONE;
    HaId found = frame != HA_ID_NONE ? ha_named_referent(g, frame, "<awaits>") : HA_ID_NONE;
    return is_something(g, found) ? found : HA_ID_NONE;
}

static void
find_chain(const HaGraph *g, HaTask *task)
{
    HaId at = ha_attribute(g, task->id, "_coro");

    while (is_something(g, at) && task->chain->len < CHAIN_MAX) {
        g_array_append_val(task->chain, at);
        at = awaited(g, at);
        for (guint i = 0; at != HA_ID_NONE && i < task->chain->len; i++)
            if (g_array_index(task->chain, HaId, i) == at)
                at = HA_ID_NONE;
    }
}

/* Where the name ends in "Task-5 pending worker at app.py:3"; 0: look for it. */
static gsize
name_length(const HaGraph *g, HaId task, const char *text)
{
    HaId name = ha_named_referent(g, task, ".get_name()");
    gsize n;

    if (name == HA_ID_NONE)
        name = ha_attribute(g, task, "_name");
    if (name == HA_ID_NONE || family_of(g, name) != HF_FAMILY_STR)
        return 0;
    const char *content = ha_graph_content(g, name, &n);
    return content != NULL && strncmp(text, content, n) == 0 && text[n] == ' ' ? n : 0;
}

static void
find_state(const HaGraph *g, HaTask *task)
{
    static const char *const states[] = {"pending", "finished", "cancelled"};
    gsize n, best = G_MAXSIZE;
    const char *content = ha_graph_content(g, task->id, &n);

    if (content == NULL)
        return;
    g_autofree char *text = g_strndup(content, n);
    gsize begin = name_length(g, task->id, text);
    for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autofree char *word = g_strdup_printf(" %s", states[i]);
        const char *at = strstr(text + begin, word);
        gsize where = at != NULL ? (gsize)(at - text) : G_MAXSIZE;

        if (where < best && (at[strlen(word)] == ' ' || at[strlen(word)] == 0)) {
            best = where;
            g_free(task->state);
            task->state = g_strdup(states[i]);
        }
    }
    HaSource source = ha_graph_source(g);
    gboolean only_name = source == HA_SOURCE_DUMP_HEAP_STRUCT || source == HA_SOURCE_DUMP_HEAP_MSGPACK;
    task->name = best != G_MAXSIZE ? g_strndup(text, best) : only_name ? g_steal_pointer(&text) : NULL;
}

static void
add_task(Work *w, HaId id)
{
    HaTask task = {.id = id,
                   .waits_for = ha_attribute(w->g, id, "_fut_waiter"),
                   .chain = g_array_new(FALSE, FALSE, sizeof(HaId)),
                   .parent = G_MAXUINT,
                   .exception = ha_attribute(w->g, id, "_exception")};

    if (!is_something(w->g, task.waits_for))
        task.waits_for = HA_ID_NONE;
    if (!is_something(w->g, task.exception))
        task.exception = HA_ID_NONE;
    find_chain(w->g, &task);
    find_state(w->g, &task);
    g_array_append_val(w->tasks, task);
    g_hash_table_insert(w->index, GUINT_TO_POINTER(id), GUINT_TO_POINTER(w->tasks->len));
}

/* The task at the top of the tree that a task stands in. */
static guint
top_of(Work *w, guint task)
{
    while (w->top[task] != task) {
        w->top[task] = w->top[w->top[task]];
        task = w->top[task];
    }
    return task;
}

static void
waits_for(Work *w, guint waiter, HaId awaited_task)
{
    guint at = GPOINTER_TO_UINT(g_hash_table_lookup(w->index, GUINT_TO_POINTER(awaited_task)));

    if (at == 0)
        return;
    HaTask *task = &g_array_index(w->tasks, HaTask, --at);
    if (at == waiter || !g_hash_table_add(w->told, GSIZE_TO_POINTER((gsize)waiter << 32 | at)))
        return;
    task->awaited_by++;
    if (task->parent != G_MAXUINT)
        return;
    if (top_of(w, waiter) == at) {
        g_array_index(w->tasks, HaTask, waiter).circle = TRUE;
        return;
    }
    task->parent = waiter;
    w->top[at] = waiter;
}

/* All tasks in a list or set. */
static void
waits_for_members(Work *w, guint waiter, HaId container)
{
    gsize n;

    if (container == HA_ID_NONE || !is_something(w->g, container))
        return;
    const HaId *refs = ha_graph_referents(w->g, container, &n);
    for (gsize i = 0; i < n; i++)
        if (family_of(w->g, refs[i]) == HF_FAMILY_TASK)
            waits_for(w, waiter, refs[i]);
}

/* gather(): the future has a list of children, which the dump may not name. */
static void
waits_for_gathered(Work *w, guint waiter, HaId future)
{
    HaId children = ha_attribute(w->g, future, "_children");
    gsize n;
    const HaId *refs = ha_graph_referents(w->g, future, &n);

    if (children != HA_ID_NONE || !g_str_has_suffix(ha_graph_type(w->g, future)->name, "._GatheringFuture")) {
        waits_for_members(w, waiter, children);
        return;
    }
    for (gsize i = 0; i < n; i++)
        if (family_of(w->g, refs[i]) == HF_FAMILY_LIST)
            waits_for_members(w, waiter, refs[i]);
        else if (family_of(w->g, refs[i]) == HF_FAMILY_DICT)
            waits_for_members(w, waiter, ha_dict_value(w->g, refs[i], "_children"));
}

/* A variable of a suspended coroutine. */
static HaId
variable(const HaGraph *g, HaId coroutine, const char *name)
{
    g_autofree char *text = g_strdup_printf("<local %s>", name);
    HaId found = ha_named_referent(g, coroutine, text);

    if (found != HA_ID_NONE)
        return found;
    HaId frame = ha_named_referent(g, coroutine, "<frame>");
    return frame != HA_ID_NONE ? ha_named_referent(g, frame, text) : HA_ID_NONE;
}

static gboolean
is_function(const HaGraph *g, HaId coroutine, const char *start)
{
    gsize n;
    const char *content = ha_graph_content(g, coroutine, &n);

    return content != NULL && n > strlen(start) && memcmp(content, start, strlen(start)) == 0;
}

static void
find_children(Work *w, guint i)
{
    const HaTask *task = &g_array_index(w->tasks, HaTask, i);
    HaId waiter = task->waits_for;

    if (waiter != HA_ID_NONE && family_of(w->g, waiter) == HF_FAMILY_TASK) {
        waits_for(w, i, waiter);
        return;
    }
    if (waiter != HA_ID_NONE)
        waits_for_gathered(w, i, waiter);
    for (guint k = 0; k < task->chain->len; k++) {
        HaId coroutine = g_array_index(task->chain, HaId, k);

        if (is_function(w->g, coroutine, "_wait at ")) {
            waits_for_members(w, i, variable(w->g, coroutine, "fs")); /* wait() */
        } else if (is_function(w->g, coroutine, "TaskGroup.__aexit__ at ") ||
                   is_function(w->g, coroutine, "TaskGroup._aexit at ")) {
            HaId group = variable(w->g, coroutine, "self");
            waits_for_members(w, i, group != HA_ID_NONE ? ha_attribute(w->g, group, "_tasks") : HA_ID_NONE);
        } else if (is_function(w->g, coroutine, "wait_for at ")) {
            HaId inner = variable(w->g, coroutine, "fut"); /* until 3.11 */
            if (inner != HA_ID_NONE && family_of(w->g, inner) == HF_FAMILY_TASK)
                waits_for(w, i, inner);
        }
    }
}

/* Tasks that wait for what this one's callbacks complete, directly or one future after the other. */
static void
find_awaiters(Work *w, guint i, GArray *futures, GHashTable *seen)
{
    HaId id = g_array_index(w->tasks, HaTask, i).id;

    g_array_set_size(futures, 0);
    g_hash_table_remove_all(seen);
    g_hash_table_add(seen, GUINT_TO_POINTER(id));
    ha_future_tells(w->g, id, futures);
    for (guint k = 0; k < MIN(futures->len, FUTURES_MAX); k++) {
        HaId told = g_array_index(futures, HaId, k);
        guint task = GPOINTER_TO_UINT(g_hash_table_lookup(w->index, GUINT_TO_POINTER(told)));

        if (!g_hash_table_add(seen, GUINT_TO_POINTER(told)))
            continue;
        if (task != 0) {
            waits_for(w, task - 1, id);
            continue;
        }
        for (guint by = GPOINTER_TO_UINT(g_hash_table_lookup(w->by, GUINT_TO_POINTER(told))); by != 0;
             by = w->next[by - 1])
            waits_for(w, by - 1, id);
        ha_future_tells(w->g, told, futures);
    }
}

static void
find_all_awaiters(Work *w)
{
    g_autoptr(GArray) futures = g_array_new(FALSE, FALSE, sizeof(HaId));
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    for (guint i = w->tasks->len; i-- > 0;) {
        HaId future = g_array_index(w->tasks, HaTask, i).waits_for;

        if (future == HA_ID_NONE)
            continue;
        w->next[i] = GPOINTER_TO_UINT(g_hash_table_lookup(w->by, GUINT_TO_POINTER(future)));
        g_hash_table_insert(w->by, GUINT_TO_POINTER(future), GUINT_TO_POINTER(i + 1));
    }
    for (guint i = 0; i < w->tasks->len; i++)
        if (g_strcmp0(g_array_index(w->tasks, HaTask, i).state, "pending") == 0)
            find_awaiters(w, i, futures, seen);
}

GArray *
ha_tasks_new(const HaGraph *g, const HaBits *live)
{
    GArray *tasks = g_array_new(FALSE, FALSE, sizeof(HaTask));
    g_autoptr(GHashTable) index = g_hash_table_new(NULL, NULL), told = g_hash_table_new(NULL, NULL),
                          by = g_hash_table_new(NULL, NULL);
    Work w = {.g = g, .live = live, .tasks = tasks, .index = index, .told = told, .by = by};

    g_array_set_clear_func(tasks, task_clear);
    for (HaId id = 0; id < ha_graph_n_objects(g); id++)
        if (ha_bits_get(live, id) && family_of(g, id) == HF_FAMILY_TASK)
            add_task(&w, id);
    g_autofree guint *top = g_new(guint, tasks->len + 1), *next = g_new0(guint, tasks->len + 1);
    w.top = top;
    w.next = next;
    for (guint i = 0; i < tasks->len; i++)
        top[i] = i;
    for (guint i = 0; i < tasks->len; i++)
        find_children(&w, i);
    find_all_awaiters(&w);
    return tasks;
}
