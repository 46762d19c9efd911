// SPDX-License-Identifier: MIT
#include "ha-root-text.h"

#include <stdlib.h>
#include <string.h>

#define STATIC_COUNT 500000000

const char *
ha_root_kind_name(HaRootKind kind)
{
    static const char *const names[HA_ROOT_KIND_COUNT] = {
        [HA_ROOT_KIND_MODULE] = "module",           [HA_ROOT_KIND_LOCAL] = "frame local",
        [HA_ROOT_KIND_INTERPRETER] = "interpreter", [HA_ROOT_KIND_FINALIZER] = "finalizer list",
        [HA_ROOT_KIND_THREAD] = "thread state",     [HA_ROOT_KIND_C] = "C reference",
        [HA_ROOT_KIND_STATIC] = "immortal/static",  [HA_ROOT_KIND_UNKNOWN] = "unknown"};

    return names[kind];
}

static gboolean
is_finalizer(const char *name)
{
    static const char *const names[] = {"gc.garbage",         "<atexit function>", "<atexit arguments>",
                                        "<atexit callbacks>", "<atexit module>",   "<async gen finalizer hook>"};

    for (guint i = 0; name != NULL && i < G_N_ELEMENTS(names); i++)
        if (strcmp(name, names[i]) == 0)
            return TRUE;
    return FALSE;
}

static HaRootKind
kind_of(const HaRoot *root)
{
    if (is_finalizer(root->name))
        return HA_ROOT_KIND_FINALIZER;
    if (root->kind == HA_ROOT_UNKNOWN)
        return HA_ROOT_KIND_UNKNOWN;
    switch ((enum hf_root_kind)root->kind) {
    case HF_ROOT_FRAME:
        return HA_ROOT_KIND_LOCAL;
    case HF_ROOT_THREAD:
        return HA_ROOT_KIND_THREAD;
    case HF_ROOT_STATIC_TYPE:
    case HF_ROOT_RUNTIME:
        return HA_ROOT_KIND_STATIC;
    case HF_ROOT_INTERPRETER:
    case HF_ROOT_COUNT:
    default:
        /* a walker that names a module as root of its own */
        return root->name != NULL &&
                       (g_str_has_prefix(root->name, "sys.modules[") || g_str_has_prefix(root->name, "<module "))
                   ? HA_ROOT_KIND_MODULE
                   : HA_ROOT_KIND_INTERPRETER;
    }
}

static gint
compare_held(gconstpointer left, gconstpointer right)
{
    const HaHeldBy *a = left, *b = right;

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return a->root < b->root ? -1 : a->root > b->root;
}

void
ha_held_by(const HaGraph *g, const HaLedger *ledger, HaId id, GArray *to)
{
    gsize n, m;
    const guint32 *of = ha_graph_roots_of(g, id, &n);
    const HaRoot *roots = ha_graph_roots(g, &m);
    guint32 surplus = ledger != NULL ? ha_ledger_surplus(ledger, id) : 0;
    guint begin = to->len;

    if (ledger != NULL && ha_ledger_is_module(ledger, id)) {
        HaHeldBy held = {.kind = HA_ROOT_KIND_MODULE};
        g_array_append_val(to, held);
    }
    for (gsize i = 0; i < n; i++) {
        HaHeldBy held = {.kind = kind_of(&roots[of[i]]), .root = &roots[of[i]]};
        g_array_append_val(to, held);
    }
    /* 3.11 gives frozen objects a count of 999999999 */
    if ((ha_graph_flags(g, id) & HF_OBJ_IMMORTAL && n == 0) || surplus >= STATIC_COUNT) {
        HaHeldBy held = {.kind = HA_ROOT_KIND_STATIC};
        g_array_append_val(to, held);
    } else if (surplus > 0) {
        HaHeldBy held = {.kind = HA_ROOT_KIND_C, .surplus = surplus};
        g_array_append_val(to, held);
    }
    if (to->len - begin > 1)
        qsort(&g_array_index(to, HaHeldBy, begin), to->len - begin, sizeof(HaHeldBy), compare_held);
}

static const char *
or_else(const char *text, const char *otherwise)
{
    return text != NULL && *text != 0 ? text : otherwise;
}

static char *
row_text(const HaGraph *g, const HaRoot *root)
{
    if (root->kind == HF_ROOT_STATIC_TYPE)
        return g_strdup("static type");
    if (root->kind == HF_ROOT_FRAME) {
        gsize n, m;
        const HaFrame *frame = &ha_graph_frames(g, &n)[root->frame];
        const HaThread *thread = &ha_graph_threads(g, &m)[frame->thread];
        GString *text = g_string_new(NULL);

        g_string_append_printf(text, "%s of %s (%s:%u) in thread ", or_else(root->name, "<stack>"),
                               or_else(frame->qualname, "?"), or_else(frame->file, "?"), frame->line);
        if (thread->name != NULL && *thread->name != 0)
            g_string_append(text, thread->name);
        else
            g_string_append_printf(text, "%" G_GUINT64_FORMAT, thread->native_id ? thread->native_id : thread->ident);
        return g_string_free(text, FALSE);
    }
    if (root->kind == HA_ROOT_UNKNOWN)
        return g_strdup("nothing outside is seen to hold it");
    return g_strdup(or_else(root->name, root->kind == HF_ROOT_RUNTIME ? "runtime" : "interpreter"));
}

char *
ha_held_text(const HaGraph *g, const HaLedger *ledger, HaId id, const HaHeldBy *held)
{
    if (held->root != NULL)
        return row_text(g, held->root);
    if (held->kind == HA_ROOT_KIND_MODULE)
        return ha_ledger_module_text(ledger, g, id);
    if (held->kind == HA_ROOT_KIND_C)
        return g_strdup_printf("%u from outside the heap", held->surplus);
    if (held->kind == HA_ROOT_KIND_UNKNOWN)
        return g_strdup("no root is known");
    return g_strdup(ha_graph_flags(g, id) & HF_OBJ_IMMORTAL ? "immortal object" : "static object");
}

char *
ha_root_text(const HaGraph *g, const HaRoot *root)
{
    g_autofree char *text = row_text(g, root);

    return g_strdup_printf("%s: %s", ha_root_kind_name(kind_of(root)), text);
}

GPtrArray *
ha_root_texts(const HaGraph *g, const HaLedger *ledger, HaId id)
{
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) held = g_array_new(FALSE, FALSE, sizeof(HaHeldBy));

    ha_held_by(g, ledger, id, held);
    for (guint i = 0; i < held->len; i++) {
        const HaHeldBy *one = &g_array_index(held, HaHeldBy, i);
        g_autofree char *text = ha_held_text(g, ledger, id, one);
        g_ptr_array_add(texts, g_strdup_printf("%s: %s", ha_root_kind_name(one->kind), text));
    }
    return texts;
}

gboolean
ha_is_root(const HaGraph *g, const HaLedger *ledger, HaId id)
{
    gsize n;
    ha_graph_roots_of(g, id, &n);
    return n > 0 || ha_graph_flags(g, id) & HF_OBJ_IMMORTAL ||
           (ledger != NULL && (ha_ledger_surplus(ledger, id) > 0 || ha_ledger_is_module(ledger, id)));
}
