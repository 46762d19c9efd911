// SPDX-License-Identifier: MIT
/* heapanalyze threads: what runs where, with the variables of each function and what would go if it returned. */
#include <string.h>

#include "analyses/ha-attribute.h"
#include "analyses/ha-dominators.h"
#include "commands/ha-commands.h"
#include "commands/ha-line.h"
#include "text/ha-size.h"

#define NAME_WIDTH 24 /* characters of the column of names */

static const HaOption options[] = {
    {.name = "filter", .kind = HA_OPTION_TEXT, .arg = "TEXT", .help = "only functions with TEXT in their name or file"},
    {.name = "limit",
     .kind = HA_OPTION_NUMBER,
     .arg = "N",
     .fallback = "20",
     .help = "variables of a function, 0 for all"},
    {.name = "json", .kind = HA_OPTION_FLAG, .help = "the same as JSON"},
    {0}};

typedef struct {
    HaContext *c;
    const HaDominators *dominators;
    const char *filter;
    guint limit;
} Work;

/* A variable, or a value on the stack that nothing else holds; the code and the function itself tell nothing. */
static gboolean
is_shown(const Work *w, guint32 frame, const HaRoot *root)
{
    const char *name = root->name != NULL ? root->name : "";

    if (!ha_bits_get(w->c->chosen, root->id))
        return FALSE;
    if (g_str_has_prefix(name, "<local ") || g_str_has_prefix(name, "<cell ") || g_str_has_prefix(name, "<free "))
        return TRUE;
    return g_str_has_prefix(name, "<stack ") && ha_dominators_goes_with_frame(w->dominators, root->id, frame);
}

/* What the variable is to the program: of one that closures share, what is in its cell. */
static HaId
value_of(const Work *w, const HaRoot *root)
{
    HaId value = ha_graph_type(w->c->graph, root->id)->family == HF_FAMILY_CELL
                     ? ha_named_referent(w->c->graph, root->id, ".cell_contents")
                     : root->id;

    return value != HA_ID_NONE ? value : root->id;
}

/* Nothing else holds it. */
static gboolean
is_only_here(const Work *w, guint32 frame, const HaRoot *root)
{
    HaId value = value_of(w, root);

    return ha_dominators_goes_with_frame(w->dominators, root->id, frame) &&
           (value == root->id || ha_dominators_parent(w->dominators, value) == root->id);
}

/* "x" of "<local x>"; others as they are. Owned by the caller. */
static char *
variable(const char *name)
{
    const char *blank = strchr(name, ' ');

    return g_str_has_prefix(name, "<stack ") ? g_strdup(name)
                                             : g_strndup(blank + 1, strlen(blank + 1) - g_str_has_suffix(name, ">"));
}

static gboolean
is_wanted(const Work *w, const HaFrame *frame)
{
    return w->filter == NULL || (frame->qualname != NULL && strstr(frame->qualname, w->filter) != NULL) ||
           (frame->file != NULL && strstr(frame->file, w->filter) != NULL);
}

static void
write_retained(HaOut *out, guint64 bytes)
{
    g_autofree char *size = ha_size_text(bytes);

    ha_out_printf(out, " retains %" G_GUINT64_FORMAT " (%s)", bytes, size);
}

static void
write_variable(const Work *w, guint32 frame, const HaRoot *root)
{
    HaContext *c = w->c;
    g_autofree char *name = variable(root->name);
    HaId value = value_of(w, root);
    guint64 retained = ha_dominators_retained(w->dominators, value);

    ha_out_text(c->out, "    ");
    ha_out_escaped(c->out, name, strlen(name), 100);
    ha_out_printf(c->out, "%*s ", (int)MAX(0, NAME_WIDTH - (glong)g_utf8_strlen(name, -1)), "");
    ha_line_object(c, value, HA_PARENT_CONTENT_SHOWN);
    if (ha_graph_flags(c->graph, value) & HF_OBJ_IMMORTAL || ha_graph_type(c->graph, value)->family == HF_FAMILY_NONE)
        ; /* everybody has it */
    else if (!is_only_here(w, frame, root))
        ha_out_text(c->out, " (held elsewhere too)");
    else if (retained > ha_graph_size(c->graph, value))
        write_retained(c->out, retained);
    ha_out_char(c->out, '\n');
}

static void
write_frame(const Work *w, guint32 index, guint number)
{
    HaContext *c = w->c;
    gsize n_frames, n_roots;
    const HaFrame *frame = &ha_graph_frames(c->graph, &n_frames)[index];
    const HaRoot *roots = ha_graph_roots(c->graph, &n_roots);
    guint shown = 0, more = 0;

    ha_out_printf(c->out, "  #%u ", number);
    ha_out_escaped(c->out, frame->qualname, strlen(frame->qualname), 200);
    ha_out_text(c->out, " (");
    ha_out_escaped(c->out, frame->file, strlen(frame->file), 400);
    ha_out_printf(c->out, ":%u)", frame->line);
    write_retained(c->out, ha_dominators_frame_retained(w->dominators, index));
    ha_out_char(c->out, '\n');
    for (gsize r = frame->first_root; r < MIN((gsize)frame->first_root + frame->n_roots, n_roots); r++) {
        if (!is_shown(w, index, &roots[r]))
            continue;
        if (w->limit != 0 && shown == w->limit) {
            more++;
            continue;
        }
        write_variable(w, index, &roots[r]);
        shown++;
    }
    if (more > 0)
        ha_out_printf(c->out, "    … and %u more\n", more);
}

static void
write_text(const Work *w)
{
    HaContext *c = w->c;
    gsize n_threads, n_frames, blank = 0;
    const HaThread *threads = ha_graph_threads(c->graph, &n_threads);
    const HaFrame *frames = ha_graph_frames(c->graph, &n_frames);

    for (gsize t = 0; t < n_threads && !ha_out_stopped(c->out); t++) {
        const HaThread *thread = &threads[t];
        gboolean any = w->filter == NULL;

        for (guint32 f = 0; f < thread->n_frames && !any; f++)
            any = is_wanted(w, &frames[thread->first_frame + f]);
        if (!any)
            continue;
        ha_out_text(c->out, blank++ > 0 ? "\nthread " : "thread ");
        if (thread->name != NULL && *thread->name != 0)
            ha_out_escaped(c->out, thread->name, strlen(thread->name), 200);
        else
            ha_out_text(c->out, "without a name");
        if (!ha_graph_is_foreign(c->graph))
            ha_out_printf(
                c->out, " (id %" G_GUINT64_FORMAT "%s%s)", thread->native_id != 0 ? thread->native_id : thread->ident,
                thread->flags & HF_THREAD_MAIN ? ", main" : "", thread->flags & HF_THREAD_GIL ? ", held the GIL" : "");
        write_retained(c->out, ha_dominators_thread_retained(w->dominators, t));
        ha_out_char(c->out, '\n');
        if (thread->n_frames == 0)
            ha_out_text(c->out, "  runs no Python function\n");
        for (guint32 f = 0; f < thread->n_frames && !ha_out_stopped(c->out); f++)
            if (is_wanted(w, &frames[thread->first_frame + f]))
                write_frame(w, thread->first_frame + f, f);
    }
    if (blank == 0 && n_threads > 0)
        ha_note("no function that runs has '%s' in its name or file", w->filter);
}

static void
json_frame(const Work *w, HaJson *j, guint32 index)
{
    HaContext *c = w->c;
    gsize n_frames, n_roots;
    const HaFrame *frame = &ha_graph_frames(c->graph, &n_frames)[index];
    const HaRoot *roots = ha_graph_roots(c->graph, &n_roots);
    guint shown = 0;

    ha_json_newline(j);
    ha_json_begin_object(j);
    ha_json_key(j, "function");
    ha_json_text(j, frame->qualname);
    ha_json_key(j, "file");
    ha_json_text(j, frame->file);
    ha_json_key(j, "line");
    ha_json_uint(j, frame->line);
    ha_json_key(j, "retained");
    ha_json_uint(j, ha_dominators_frame_retained(w->dominators, index));
    ha_json_key(j, "variables");
    ha_json_begin_array(j);
    for (gsize r = frame->first_root; r < MIN((gsize)frame->first_root + frame->n_roots, n_roots); r++) {
        if (!is_shown(w, index, &roots[r]) || (w->limit != 0 && shown++ >= w->limit))
            continue;
        g_autofree char *name = variable(roots[r].name);
        ha_json_begin_object(j);
        ha_json_key(j, "name");
        ha_json_text(j, name);
        ha_json_key(j, "only_here");
        ha_json_bool(j, is_only_here(w, index, &roots[r]));
        ha_json_key(j, "retained");
        ha_json_uint(j, ha_dominators_retained(w->dominators, value_of(w, &roots[r])));
        ha_json_object_members(j, c, value_of(w, &roots[r]));
        ha_json_end_object(j);
    }
    ha_json_end_array(j);
    ha_json_end_object(j);
}

static void
write_json(const Work *w)
{
    HaContext *c = w->c;
    gsize n_threads, n_frames;
    const HaThread *threads = ha_graph_threads(c->graph, &n_threads);
    const HaFrame *frames = ha_graph_frames(c->graph, &n_frames);
    HaJson j;

    ha_json_init(&j, c->out);
    ha_json_begin_object(&j);
    ha_json_key(&j, "threads");
    ha_json_begin_array(&j);
    for (gsize t = 0; t < n_threads && !ha_out_stopped(c->out); t++) {
        ha_json_newline(&j);
        ha_json_begin_object(&j);
        ha_json_key(&j, "name");
        ha_json_text(&j, threads[t].name);
        ha_json_thread(&j, c->graph, &threads[t]);
        ha_json_key(&j, "retained");
        ha_json_uint(&j, ha_dominators_thread_retained(w->dominators, t));
        ha_json_key(&j, "frames");
        ha_json_begin_array(&j);
        for (guint32 f = 0; f < threads[t].n_frames && !ha_out_stopped(c->out); f++)
            if (is_wanted(w, &frames[threads[t].first_frame + f]))
                json_frame(w, &j, threads[t].first_frame + f);
        ha_json_end_array(&j);
        ha_json_end_object(&j);
    }
    ha_json_end_array(&j);
    ha_json_end_object(&j);
    ha_json_newline(&j);
}

static gboolean
run(HaContext *c, GError **error)
{
    gsize n;
    g_autoptr(HaDominators) dominators = ha_dominators_new_by_frames(c->graph, c->ledger, c->live, error);

    if (dominators == NULL)
        return FALSE;
    Work w = {.c = c,
              .dominators = dominators,
              .filter = ha_options_text(c->options, "filter"),
              .limit = ha_options_number(c->options, "limit")};
    if (ha_options_flag(c->options, "json"))
        write_json(&w);
    else
        write_text(&w);
    ha_graph_threads(c->graph, &n);
    if (n == 0)
        ha_note("'%s' tells of no threads%s", c->dump_name,
                ha_graph_is_foreign(c->graph) && ha_graph_source(c->graph) != HA_SOURCE_PYHEAP
                    ? ": dump-heap does not write them"
                    : "");
    return TRUE;
}

const HaCommand ha_command_threads = {
    .name = "threads",
    .summary = "What runs where: stacks with named variables, and what would go if a function returned",
    .examples = "  heapanalyze threads app.heap.zst\n"
                "  heapanalyze threads --filter handle --limit 0 app.heap.zst\n"
                "  heapanalyze threads --json app.heap.zst\n",
    .options = options,
    .run = run};
