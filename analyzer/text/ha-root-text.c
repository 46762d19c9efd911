// SPDX-License-Identifier: MIT
#include "ha-root-text.h"

#define STATIC_COUNT 500000000

static const char *
or_else(const char *text, const char *otherwise)
{
    return text != NULL && *text != 0 ? text : otherwise;
}

char *
ha_root_text(const HaGraph *g, const HaRoot *root)
{
    switch ((enum hf_root_kind)root->kind) {
    case HF_ROOT_STATIC_TYPE:
        return g_strdup("static type");
    case HF_ROOT_THREAD:
        return g_strdup_printf("thread state %s", or_else(root->name, ""));
    case HF_ROOT_RUNTIME:
        return g_strdup(or_else(root->name, "runtime"));
    case HF_ROOT_FRAME: {
        gsize n, m;
        const HaFrame *frame = &ha_graph_frames(g, &n)[root->frame];
        const HaThread *thread = &ha_graph_threads(g, &m)[frame->thread];
        GString *text = g_string_new(NULL);
        g_string_append_printf(text, "%s of %s at %s:%u", or_else(root->name, "<stack>"), or_else(frame->qualname, "?"),
                               or_else(frame->file, "?"), frame->line);
        if (thread->name != NULL && *thread->name != 0)
            g_string_append_printf(text, " in %s", thread->name);
        else
            g_string_append_printf(text, " in thread %" G_GUINT64_FORMAT, thread->native_id);
        return g_string_free(text, FALSE);
    }
    case HF_ROOT_INTERPRETER:
    case HF_ROOT_COUNT:
    default:
        return g_strdup(or_else(root->name, "interpreter"));
    }
}

GPtrArray *
ha_root_texts(const HaGraph *g, const HaLedger *ledger, HaId id)
{
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    gsize n, m;
    const guint32 *of = ha_graph_roots_of(g, id, &n);
    const HaRoot *roots = ha_graph_roots(g, &m);
    for (gsize i = 0; i < n; i++)
        g_ptr_array_add(texts, ha_root_text(g, &roots[of[i]]));
    if (ha_graph_flags(g, id) & HF_OBJ_IMMORTAL && n == 0)
        g_ptr_array_add(texts, g_strdup("immortal"));
    guint32 surplus = ledger != NULL ? ha_ledger_surplus(ledger, id) : 0;
    if (surplus >= STATIC_COUNT)
        g_ptr_array_add(texts, g_strdup("static object")); /* 3.11 gives frozen objects a count of 999999999 */
    else if (surplus > 0)
        g_ptr_array_add(texts,
                        g_strdup_printf("%u reference%s from outside the heap", surplus, surplus == 1 ? "" : "s"));
    return texts;
}

gboolean
ha_is_root(const HaGraph *g, const HaLedger *ledger, HaId id)
{
    gsize n;
    ha_graph_roots_of(g, id, &n);
    return n > 0 || ha_graph_flags(g, id) & HF_OBJ_IMMORTAL || (ledger != NULL && ha_ledger_surplus(ledger, id) > 0);
}
