// SPDX-License-Identifier: MIT
#include "ha-tables.h"

#include <string.h>

#include "analyses/ha-group-retained.h"
#include "export/ha-export.h"
#include "text/ha-escape.h"
#include "text/ha-root-text.h"

#define NUMBER(name)                                                                                                   \
    {                                                                                                                  \
        name, HA_FIELD_NUMBER                                                                                          \
    }
#define ADDR(name)                                                                                                     \
    {                                                                                                                  \
        name, HA_FIELD_ADDR                                                                                            \
    }
#define TEXT(name)                                                                                                     \
    {                                                                                                                  \
        name, HA_FIELD_TEXT                                                                                            \
    }

const HaTable ha_tables[HA_TABLE_COUNT] = {
    [HA_TABLE_OBJECTS] = {"objects",
                          18,
                          {ADDR("addr"), TEXT("type"), ADDR("type_addr"), NUMBER("size"), NUMBER("real_size"),
                           NUMBER("retained"), ADDR("dominator"), NUMBER("refcount"), TEXT("root"), TEXT("content"),
                           NUMBER("content_length"), NUMBER("gc"), NUMBER("immortal"), NUMBER("interned"),
                           NUMBER("frozen"), NUMBER("broken"), NUMBER("size_unknown"), NUMBER("garbage")}},
    [HA_TABLE_REFS] = {"refs",
                       7,
                       {ADDR("referrer"), NUMBER("position"), ADDR("referent"), TEXT("name"), TEXT("kind"),
                        NUMBER("weak"), NUMBER("hidden")}},
    [HA_TABLE_TYPES] = {"types",
                        8,
                        {NUMBER("id"), TEXT("name"), ADDR("addr"), ADDR("base"), NUMBER("count"), NUMBER("size"),
                         NUMBER("real_size"), NUMBER("retained")}},
    [HA_TABLE_ROOTS] =
        {"roots", 6, {ADDR("addr"), TEXT("kind"), TEXT("text"), NUMBER("surplus"), NUMBER("thread"), NUMBER("depth")}},
    [HA_TABLE_THREADS] = {"threads",
                          6,
                          {NUMBER("id"), TEXT("name"), NUMBER("ident"), NUMBER("native_id"), NUMBER("main"),
                           NUMBER("gil")}},
    [HA_TABLE_FRAMES] = {"frames",
                         8,
                         {NUMBER("thread"), NUMBER("depth"), TEXT("function"), TEXT("file"), NUMBER("line"),
                          ADDR("frame_addr"), ADDR("code_addr"), ADDR("function_addr")}},
    [HA_TABLE_VARIABLES] = {"variables", 4, {NUMBER("thread"), NUMBER("depth"), TEXT("name"), ADDR("addr")}},
    [HA_TABLE_META] = {"meta", 2, {TEXT("key"), TEXT("value")}},
};

struct HaTables {
    const HaContext *c;              /* borrowed */
    HaDominators *dominators;        /* owned, as below; NULL: not asked for yet */
    HaBits *reached;                 /* with --garbage; NULL: all is live */
    GPtrArray *type_names;           /* escaped */
    GString *scratch[HA_FIELDS_MAX]; /* texts of the row at hand */
    GArray *held;                    /* HaHeldBy */
    /* the row at hand */
    const HaRowSink *sink;
    const HaTable *table;
    HaCell cells[HA_FIELDS_MAX];
    guint n;
};

HaTables *
ha_tables_new(const HaContext *c)
{
    HaTables *t = g_new0(HaTables, 1);
    t->c = c;
    t->held = g_array_new(FALSE, FALSE, sizeof(HaHeldBy));
    for (guint i = 0; i < HA_FIELDS_MAX; i++)
        t->scratch[i] = g_string_new(NULL);
    t->type_names = g_ptr_array_new_with_free_func(g_free);
    for (guint32 i = 0; i < ha_graph_n_types(c->graph); i++) {
        const char *name = ha_graph_nth_type(c->graph, i)->name;
        g_ptr_array_add(t->type_names, ha_escape(name, strlen(name), G_MAXSIZE));
    }
    return t;
}

void
ha_tables_free(HaTables *t)
{
    if (t == NULL)
        return;
    ha_dominators_free(t->dominators);
    ha_bits_free(t->reached);
    g_ptr_array_unref(t->type_names);
    for (guint i = 0; i < HA_FIELDS_MAX; i++)
        g_string_free(t->scratch[i], TRUE);
    g_array_unref(t->held);
    g_free(t);
}

/* Cells are added from left to right; send() hands the row over and begins the next one. */
static HaCell *
next_cell(HaTables *t)
{
    g_assert(t->n < t->table->n_fields);
    HaCell *cell = &t->cells[t->n++];
    *cell = (HaCell){0};
    return cell;
}

static void
add_null(HaTables *t)
{
    (void)next_cell(t);
}

static void
add_number(HaTables *t, guint64 value)
{
    HaCell *cell = next_cell(t);
    cell->known = TRUE;
    cell->number = value;
}

static void
add_number_if(HaTables *t, gboolean known, guint64 value)
{
    if (known)
        add_number(t, value);
    else
        add_null(t);
}

static void
add_id(HaTables *t, HaId id)
{
    add_number_if(t, id != HA_ID_NONE, id != HA_ID_NONE ? ha_graph_addr(t->c->graph, id) : 0);
}

static void
add_plain(HaTables *t, const char *text)
{
    HaCell *cell = next_cell(t);
    cell->known = text != NULL;
    cell->text = text;
    cell->n = text != NULL ? strlen(text) : 0;
}

static void
add_escaped(HaTables *t, const char *bytes, gsize n, guint flags)
{
    HaCell *cell = next_cell(t);
    GString *text = t->scratch[t->n - 1];
    g_string_truncate(text, 0);
    ha_escape_append(text, bytes, n, G_MAXSIZE, flags);
    *cell = (HaCell){.known = TRUE, .text = text->str, .n = text->len};
}

/* NULL: not known. flags: see ha-escape.h. */
static void
add_text(HaTables *t, const char *text, guint flags)
{
    if (text != NULL)
        add_escaped(t, text, strlen(text), flags);
    else
        add_null(t);
}

static gboolean
send(HaTables *t, GError **error)
{
    g_assert(t->n == t->table->n_fields);
    t->n = 0;
    return t->sink->take(t->table, t->cells, t->sink->user, error);
}

static gboolean
wants_more(const HaTables *t)
{
    return t->sink->out == NULL || !ha_out_stopped(t->sink->out);
}

static gboolean
need_dominators(HaTables *t, GError **error)
{
    const HaContext *c = t->c;
    if (t->dominators == NULL)
        t->dominators = ha_dominators_new(c->graph, c->ledger, c->live, error);
    return t->dominators != NULL;
}

/* "module, C reference": each kind once. */
static void
add_root_kinds(HaTables *t, HaId id)
{
    const HaContext *c = t->c;
    if (!ha_is_root(c->graph, c->ledger, id)) {
        add_null(t);
        return;
    }
    g_array_set_size(t->held, 0);
    ha_held_by(c->graph, c->ledger, id, t->held);
    HaCell *cell = next_cell(t);
    GString *text = t->scratch[t->n - 1];
    g_string_truncate(text, 0);
    for (guint i = 0; i < t->held->len; i++) {
        HaRootKind kind = g_array_index(t->held, HaHeldBy, i).kind;
        /* they come by kind */
        if (i > 0 && g_array_index(t->held, HaHeldBy, i - 1).kind == kind)
            continue;
        g_string_append(text, text->len > 0 ? ", " : "");
        g_string_append(text, ha_root_kind_name(kind));
    }
    *cell = (HaCell){.known = text->len > 0, .text = text->str, .n = text->len};
}

static gboolean
write_objects(HaTables *t, GError **error)
{
    const HaContext *c = t->c;
    const HaGraph *g = c->graph;
    gboolean ours = !ha_graph_is_foreign(g);
    if (!need_dominators(t, error))
        return FALSE;
    if (t->reached == NULL && ha_options_flag(c->options, "garbage") &&
        (t->reached = ha_reached_objects(g, c->ledger, error)) == NULL)
        return FALSE;
    for (HaId id = 0; id < ha_graph_n_objects(g) && wants_more(t); id++) {
        if (!ha_bits_get(c->chosen, id))
            continue;
        gsize n;
        guint64 count, whole;
        guint32 flags = ha_graph_flags(g, id);
        add_number(t, ha_graph_addr(g, id));
        add_plain(t, t->type_names->pdata[ha_graph_type_index(g, id)]);
        add_number(t, ha_graph_type(g, id)->addr);
        add_number(t, ha_graph_size(g, id));
        add_number_if(t, ours, ha_graph_real_size(g, id));
        add_number(t, ha_dominators_retained(t->dominators, id));
        add_id(t, ha_dominators_parent(t->dominators, id));
        gboolean known = ha_graph_refcount(g, id, &count);
        add_number_if(t, known, known ? count : 0);
        add_root_kinds(t, id);
        const char *content = ha_graph_content(g, id, &n);
        if (content != NULL)
            add_escaped(t, content, n, 0);
        else
            add_null(t);
        gboolean cut = ha_graph_content_whole(g, id, &whole);
        add_number_if(t, cut && whole != HA_WHOLE_UNKNOWN, cut ? whole : 0);
        static const guint32 each[] = {HF_OBJ_GC,     HF_OBJ_IMMORTAL, HF_OBJ_INTERNED,
                                       HF_OBJ_FROZEN, HF_OBJ_BROKEN,   HF_OBJ_SIZE_UNKNOWN};
        for (guint i = 0; i < G_N_ELEMENTS(each); i++)
            /* another tool's dump may say yes, never no; what we could not read whole is known */
            add_number_if(t, ours || flags & each[i] || each[i] == HF_OBJ_BROKEN, (flags & each[i]) != 0);
        add_number_if(t, ours, t->reached != NULL && !ha_bits_get(t->reached, id));
        if (!send(t, error))
            return FALSE;
    }
    return TRUE;
}

static const char *
ref_kind(const HaRefName *name)
{
    switch ((enum hf_run_kind)name->kind) {
    case HF_RUN_INDEX:
        return "index";
    case HF_RUN_ITEMS:
        return name->index == 1 ? "value" : "key";
    case HF_RUN_MEMBER:
        return "member";
    case HF_RUN_NAMED:
        return "name";
    case HF_RUN_UNNAMED:
    case HF_RUN_KIND_COUNT:
    default:
        return NULL;
    }
}

/* As in ndjson: those to objects that are left out are left out too, but not those to objects that are only not chosen. */
static gboolean
write_refs(HaTables *t, GError **error)
{
    const HaContext *c = t->c;
    const HaGraph *g = c->graph;
    for (HaId id = 0; id < ha_graph_n_objects(g) && wants_more(t); id++) {
        if (!ha_bits_get(c->chosen, id))
            continue;
        gsize n;
        const HaId *refs = ha_graph_referents(g, id, &n);
        for (gsize i = 0; i < n; i++) {
            if (!ha_bits_get(c->live, refs[i]))
                continue;
            HaRefName name;
            ha_graph_ref_name(g, id, i, &name);
            g_autofree char *text = ha_graph_ref_text(g, id, i);
            add_number(t, ha_graph_addr(g, id));
            add_number(t, i);
            add_number(t, ha_graph_addr(g, refs[i]));
            add_text(t, text, HA_ESCAPE_AGAIN);
            add_plain(t, ref_kind(&name));
            add_number(t, (name.flags & HF_RUN_WEAK) != 0);
            add_number(t, (name.flags & HF_RUN_HIDDEN) != 0);
            if (!send(t, error))
                return FALSE;
        }
    }
    return TRUE;
}

typedef struct {
    guint64 count, size, real_size;
} TypeSum;

static gboolean
write_types(HaTables *t, GError **error)
{
    const HaContext *c = t->c;
    const HaGraph *g = c->graph;
    guint32 n = ha_graph_n_types(g);
    if (!need_dominators(t, error))
        return FALSE;
    g_autofree guint *group_of = g_new(guint, n);
    g_autofree guint64 *retained = g_new0(guint64, n);
    g_autofree TypeSum *sums = g_new0(TypeSum, n);
    for (guint32 i = 0; i < n; i++)
        group_of[i] = i;
    if (!ha_group_retained(g, t->dominators, c->chosen, group_of, n, retained, error))
        return FALSE;
    for (HaId id = 0; id < ha_graph_n_objects(g); id++) {
        if (!ha_bits_get(c->chosen, id))
            continue;
        TypeSum *sum = &sums[ha_graph_type_index(g, id)];
        sum->count++;
        sum->size += ha_graph_size(g, id);
        sum->real_size += ha_graph_real_size(g, id);
    }
    for (guint32 i = 0; i < n && wants_more(t); i++) {
        const HaType *type = ha_graph_nth_type(g, i);
        if (i == 0 && sums[i].count == 0) /* what stands for unknown types */
            continue;
        add_number(t, i);
        add_plain(t, t->type_names->pdata[i]);
        add_number_if(t, type->addr != 0, type->addr);
        add_number_if(t, type->base != 0, type->base);
        add_number(t, sums[i].count);
        add_number(t, sums[i].size);
        add_number_if(t, !ha_graph_is_foreign(g), sums[i].real_size);
        add_number(t, retained[i]);
        if (!send(t, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
write_roots(HaTables *t, GError **error)
{
    const HaContext *c = t->c;
    const HaGraph *g = c->graph;
    gsize n;
    const HaFrame *frames = ha_graph_frames(g, &n);
    const HaThread *threads = ha_graph_threads(g, &n);
    for (HaId id = 0; id < ha_graph_n_objects(g) && wants_more(t); id++) {
        if (!ha_bits_get(c->chosen, id) || !ha_is_root(g, c->ledger, id))
            continue;
        g_array_set_size(t->held, 0);
        ha_held_by(g, c->ledger, id, t->held);
        for (guint i = 0; i < t->held->len; i++) {
            const HaHeldBy *held = &g_array_index(t->held, HaHeldBy, i);
            g_autofree char *text = ha_held_text(g, c->ledger, id, held);
            gboolean in_frame = held->root != NULL && held->root->kind == HF_ROOT_FRAME;
            const HaFrame *frame = in_frame ? &frames[held->root->frame] : NULL;
            add_number(t, ha_graph_addr(g, id));
            add_plain(t, ha_root_kind_name(held->kind));
            add_text(t, text, HA_ESCAPE_AGAIN);
            add_number_if(t, held->kind == HA_ROOT_KIND_C, held->surplus);
            add_number_if(t, in_frame, in_frame ? frame->thread : 0);
            add_number_if(t, in_frame, in_frame ? held->root->frame - threads[frame->thread].first_frame : 0);
            if (!send(t, error))
                return FALSE;
        }
    }
    return TRUE;
}

static gboolean
write_threads(HaTables *t, GError **error)
{
    gsize n;
    const HaThread *threads = ha_graph_threads(t->c->graph, &n);
    gboolean ours = !ha_graph_is_foreign(t->c->graph);
    for (gsize i = 0; i < n && wants_more(t); i++) {
        add_number(t, i);
        add_text(t, threads[i].name, 0);
        add_number_if(t, ours, threads[i].ident);
        add_number_if(t, ours, threads[i].native_id);
        add_number_if(t, ours, (threads[i].flags & HF_THREAD_MAIN) != 0);
        add_number_if(t, ours, (threads[i].flags & HF_THREAD_GIL) != 0);
        if (!send(t, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
write_frame(HaTables *t, guint thread, guint depth, const HaFrame *frame, GError **error)
{
    add_number(t, thread);
    add_number(t, depth);
    add_text(t, frame->qualname, 0);
    add_text(t, frame->file, 0);
    add_number(t, frame->line);
    add_id(t, frame->frame);
    add_id(t, frame->code);
    add_id(t, frame->function);
    return send(t, error);
}

static gboolean
write_variables_of(HaTables *t, guint thread, guint depth, const HaFrame *frame, GError **error)
{
    gsize n;
    const HaRoot *roots = ha_graph_roots(t->c->graph, &n);
    for (guint32 r = frame->first_root; r < frame->first_root + frame->n_roots; r++) {
        add_number(t, thread);
        add_number(t, depth);
        add_text(t, roots[r].name, 0);
        add_id(t, roots[r].id);
        if (!send(t, error))
            return FALSE;
    }
    return TRUE;
}

/* The table of frames, or that of their variables. */
static gboolean
write_frames(HaTables *t, gboolean variables, GError **error)
{
    gsize n, m;
    const HaThread *threads = ha_graph_threads(t->c->graph, &n);
    const HaFrame *frames = ha_graph_frames(t->c->graph, &m);
    for (gsize i = 0; i < n; i++)
        for (guint32 depth = 0; depth < threads[i].n_frames && wants_more(t); depth++) {
            const HaFrame *frame = &frames[threads[i].first_frame + depth];
            if (!(variables ? write_variables_of : write_frame)(t, i, depth, frame, error))
                return FALSE;
        }
    return TRUE;
}

static gboolean
write_fact(HaTables *t, const char *prefix, const char *key, const char *value, GError **error)
{
    g_autofree char *name = g_strconcat(prefix, key, NULL);
    add_text(t, name, 0);
    add_text(t, value, 0);
    return send(t, error);
}

static gboolean
write_meta(HaTables *t, GError **error)
{
    const HaGraph *g = t->c->graph;
    GCompareFunc by_name = (GCompareFunc)(void (*)(void))g_strcmp0;
    GHashTable *counters = ha_graph_counter_table(g);
    if (!write_fact(t, "", "source", ha_export_source(g), error) ||
        !write_fact(t, "", "complete", ha_graph_complete(g) ? "1" : "0", error) ||
        !write_fact(t, "", "incomplete_reason", ha_graph_incomplete_reason(g), error))
        return FALSE;
    g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(ha_graph_meta_table(g)), by_name);
    for (GList *k = keys; k != NULL; k = k->next)
        if (!write_fact(t, "meta.", k->data, ha_graph_meta(g, k->data), error))
            return FALSE;
    g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(counters), by_name);
    for (GList *k = names; k != NULL; k = k->next) {
        char value[24];
        g_snprintf(value, sizeof value, "%" G_GUINT64_FORMAT, *(const guint64 *)g_hash_table_lookup(counters, k->data));
        if (!write_fact(t, "counters.", k->data, value, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
ha_tables_write(HaTables *t, HaTableKind kind, const HaRowSink *sink, GError **error)
{
    t->sink = sink;
    t->table = &ha_tables[kind];
    t->n = 0;
    switch (kind) {
    case HA_TABLE_OBJECTS:
        return write_objects(t, error);
    case HA_TABLE_REFS:
        return write_refs(t, error);
    case HA_TABLE_TYPES:
        return write_types(t, error);
    case HA_TABLE_ROOTS:
        return write_roots(t, error);
    case HA_TABLE_THREADS:
        return write_threads(t, error);
    case HA_TABLE_FRAMES:
    case HA_TABLE_VARIABLES:
        return write_frames(t, kind == HA_TABLE_VARIABLES, error);
    case HA_TABLE_META:
        return write_meta(t, error);
    case HA_TABLE_COUNT:
    default:
        g_assert_not_reached();
    }
}
