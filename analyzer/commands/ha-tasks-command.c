// SPDX-License-Identifier: MIT
/* heapanalyze tasks: asyncio's tasks, who waits for whom, where each is suspended, and what it retains. */
#include <string.h>

#include "analyses/ha-dominators.h"
#include "analyses/ha-tasks.h"
#include "commands/ha-commands.h"
#include "commands/ha-line.h"
#include "text/ha-size.h"

#define DEPTH_SHOWN 40 /* levels of indentation */

static const HaOption options[] = {{.name = "filter",
                                    .kind = HA_OPTION_TEXT,
                                    .arg = "TEXT",
                                    .help = "only tasks with TEXT in their name or coroutine, and what these wait for"},
                                   {.name = "limit",
                                    .kind = HA_OPTION_NUMBER,
                                    .arg = "N",
                                    .fallback = "50",
                                    .help = "tasks that no other waits for, 0 for all"},
                                   {.name = "json", .kind = HA_OPTION_FLAG, .help = "the same as JSON"},
                                   {0}};

typedef struct {
    HaContext *c;
    const HaDominators *dominators;
    GArray *tasks;       /* HaTask */
    guint *first, *next; /* owned: first child, next sibling, plus 1 */
    HaJson *json;        /* NULL: text */
    guint written;
} Work;

static guint64
retained(const Work *w, guint task)
{
    return ha_dominators_retained(w->dominators, g_array_index(w->tasks, HaTask, task).id);
}

static gint
compare_tasks(gconstpointer left, gconstpointer right, gpointer work)
{
    guint a = *(const guint *)left, b = *(const guint *)right;
    guint64 x = retained(work, a), y = retained(work, b);

    if (x != y)
        return x > y ? -1 : 1;
    return a < b ? -1 : a > b;
}

static gboolean
is_wanted(const Work *w, guint i)
{
    const char *filter = ha_options_text(w->c->options, "filter");
    gsize n;
    const char *content = ha_graph_content(w->c->graph, g_array_index(w->tasks, HaTask, i).id, &n);

    if (!ha_bits_get(w->c->chosen, g_array_index(w->tasks, HaTask, i).id))
        return FALSE;
    if (filter == NULL)
        return TRUE;
    g_autofree char *text = content != NULL ? g_strndup(content, n) : NULL;
    return text != NULL && strstr(text, filter) != NULL;
}

/* Something of the chain, as its content tells; else its type. */
static void
write_place(HaContext *c, HaId id)
{
    gsize n;
    const char *content = ha_graph_content(c->graph, id, &n);
    const char *type = ha_graph_type(c->graph, id)->name;
    guint8 family = ha_graph_type(c->graph, id)->family;

    if (content != NULL &&
        (family == HF_FAMILY_COROUTINE || family == HF_FAMILY_GENERATOR || family == HF_FAMILY_ASYNCGEN))
        ha_out_escaped(c->out, content, n, 400);
    else
        ha_out_escaped(c->out, type, strlen(type), 200);
}

static void
write_text(const Work *w, guint i, guint depth)
{
    HaContext *c = w->c;
    const HaTask *task = &g_array_index(w->tasks, HaTask, i);
    int indent = 2 * (int)MIN(depth, DEPTH_SHOWN);
    g_autofree char *size = ha_size_text(retained(w, i));

    ha_out_printf(c->out, "%*s", indent, "");
    ha_line_object(c, task->id, HA_CONTENT_SHOWN);
    ha_out_printf(c->out, " retains %" G_GUINT64_FORMAT " (%s)", retained(w, i), size);
    if (task->awaited_by > 1)
        ha_out_printf(c->out, " (%u tasks wait for it)", task->awaited_by);
    if (task->circle)
        ha_out_text(c->out, " (waits for a task that waits for it)");
    ha_out_char(c->out, '\n');
    for (guint k = 1; k < task->chain->len; k++) {
        /* what only iterates over the future is told by the future itself */
        if (task->waits_for != HA_ID_NONE && k + 1 == task->chain->len &&
            ha_graph_type(c->graph, g_array_index(task->chain, HaId, k))->family == HF_FAMILY_OTHER)
            break;
        ha_out_printf(c->out, "%*s    in ", indent, "");
        write_place(c, g_array_index(task->chain, HaId, k));
        ha_out_char(c->out, '\n');
    }
    if (task->waits_for != HA_ID_NONE && w->first[i] == 0) {
        ha_out_printf(c->out, "%*s    waits for ", indent, "");
        ha_line_object(c, task->waits_for, HA_PARENT_CONTENT_SHOWN);
        ha_out_char(c->out, '\n');
    }
    if (task->exception != HA_ID_NONE) {
        ha_out_printf(c->out, "%*s    ended with ", indent, "");
        ha_line_object(c, task->exception, HA_PARENT_CONTENT_SHOWN);
        ha_out_char(c->out, '\n');
    }
}

static void
json_reference(HaJson *j, HaContext *c, const char *key, HaId id)
{
    ha_json_key(j, key);
    if (id == HA_ID_NONE) {
        ha_json_null(j);
        return;
    }
    ha_json_begin_object(j);
    ha_json_key(j, "addr");
    ha_json_addr(j, ha_graph_addr(c->graph, id));
    ha_json_key(j, "type");
    ha_json_text(j, ha_graph_type(c->graph, id)->name);
    ha_json_key(j, "content");
    ha_json_content(j, c->graph, id);
    ha_json_end_object(j);
}

/* A dump of another tool may not name what a task refers to: then nothing is known of what it waits for. */
static gboolean
is_silent(const Work *w, const HaTask *task)
{
    return ha_graph_is_foreign(w->c->graph) && task->chain->len == 0 && task->awaited_by == 0;
}

static void
json_task(const Work *w, guint i, guint depth)
{
    HaJson *j = w->json;
    HaContext *c = w->c;
    const HaTask *task = &g_array_index(w->tasks, HaTask, i);

    ha_json_newline(j);
    ha_json_begin_object(j);
    ha_json_key(j, "depth");
    ha_json_uint(j, depth);
    ha_json_key(j, "name");
    ha_json_text(j, task->name);
    ha_json_key(j, "state");
    ha_json_text(j, task->state);
    ha_json_key(j, "retained");
    ha_json_uint(j, retained(w, i));
    ha_json_key(j, "awaited_by");
    ha_json_known(j, !is_silent(w, task), task->awaited_by);
    ha_json_key(j, "circle");
    if (is_silent(w, task))
        ha_json_null(j);
    else
        ha_json_bool(j, task->circle);
    json_reference(j, c, "waits_for", task->waits_for);
    json_reference(j, c, "exception", task->exception);
    ha_json_key(j, "chain");
    if (is_silent(w, task))
        ha_json_null(j);
    else
        ha_json_begin_array(j);
    for (guint k = 0; k < task->chain->len; k++) {
        HaId id = g_array_index(task->chain, HaId, k);
        ha_json_begin_object(j);
        ha_json_key(j, "addr");
        ha_json_addr(j, ha_graph_addr(c->graph, id));
        ha_json_key(j, "type");
        ha_json_text(j, ha_graph_type(c->graph, id)->name);
        ha_json_key(j, "content");
        ha_json_content(j, c->graph, id);
        ha_json_end_object(j);
    }
    if (!is_silent(w, task))
        ha_json_end_array(j);
    ha_json_object_members(j, c, task->id);
    ha_json_end_object(j);
}

/* A task and those below it; parents are known, so that no stack is needed. */
static void
write_tree(Work *w, guint top)
{
    guint i = top, depth = 0;

    while (!ha_out_stopped(w->c->out)) {
        if (w->json != NULL)
            json_task(w, i, depth);
        else
            write_text(w, i, depth);
        w->written++;
        if (w->first[i] != 0) {
            i = w->first[i] - 1;
            depth++;
            continue;
        }
        while (i != top && w->next[i] == 0) {
            i = g_array_index(w->tasks, HaTask, i).parent;
            depth--;
        }
        if (i == top)
            return;
        i = w->next[i] - 1;
    }
}

static void
link_children(Work *w)
{
    g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(guint));

    for (guint i = 0; i < w->tasks->len; i++)
        g_array_append_val(order, i);
    g_array_sort_with_data(order, compare_tasks, w);
    for (guint k = order->len; k-- > 0;) { /* the largest is put in front last */
        guint i = g_array_index(order, guint, k), parent = g_array_index(w->tasks, HaTask, i).parent;
        if (parent == G_MAXUINT)
            continue;
        w->next[i] = w->first[parent];
        w->first[parent] = i + 1;
    }
}

static gboolean
run(HaContext *c, GError **error)
{
    g_autoptr(HaDominators) dominators = ha_dominators_new(c->graph, c->ledger, c->live, error);

    if (dominators == NULL)
        return FALSE;
    g_autoptr(GArray) tasks = ha_tasks_new(c->graph, c->live), tops = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autofree guint *first = g_new0(guint, tasks->len + 1), *next = g_new0(guint, tasks->len + 1);
    guint limit = ha_options_number(c->options, "limit");
    Work w = {.c = c, .dominators = dominators, .tasks = tasks, .first = first, .next = next};
    HaJson json;

    link_children(&w);
    for (guint i = 0; i < tasks->len; i++) {
        guint parent = g_array_index(tasks, HaTask, i).parent;
        /* below another one it is shown with that */
        if (is_wanted(&w, i) && (parent == G_MAXUINT || !is_wanted(&w, parent)))
            g_array_append_val(tops, i);
    }
    g_array_sort_with_data(tops, compare_tasks, &w);
    if (ha_options_flag(c->options, "json")) {
        w.json = &json;
        ha_json_init(&json, c->out);
        ha_json_begin_object(&json);
        ha_json_key(&json, "tasks"); /* flat, with depths, as the tree of retained sizes */
        ha_json_begin_array(&json);
    }
    for (guint i = 0; i < tops->len && (limit == 0 || i < limit) && !ha_out_stopped(c->out); i++)
        write_tree(&w, g_array_index(tops, guint, i));
    if (w.json != NULL) {
        ha_json_end_array(&json);
        ha_json_end_object(&json);
        ha_json_newline(&json);
    }
    if (tasks->len == 0)
        ha_note("there are no asyncio tasks in '%s'", c->dump_name);
    else
        ha_note("%u of %u tasks", w.written, tasks->len);
    guint silent = 0;
    for (guint i = 0; i < tasks->len; i++)
        silent += is_silent(&w, &g_array_index(tasks, HaTask, i));
    if (silent > 0)
        ha_note("what %u of them wait for is not known: '%s' is of a tool that has no names for what tasks refer to",
                silent, c->dump_name);
    return TRUE;
}

const HaCommand ha_command_tasks = {
    .name = "tasks",
    .summary = "asyncio's tasks: who waits for whom, where each is suspended, and what it retains",
    .examples = "  heapanalyze tasks app.heap.zst\n"
                "  heapanalyze tasks --filter Session --limit 0 app.heap.zst\n"
                "  heapanalyze tasks --json app.heap.zst\n",
    .options = options,
    .run = run};
