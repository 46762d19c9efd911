// SPDX-License-Identifier: MIT
#include "ha-test-graph.h"

#include <stdarg.h>
#include <string.h>

#include "graph/ha-graph-builder-private.h"

static guint32
simple_type(HaGraphBuilder *b, const char *name)
{
    static const struct {
        const char *name;
        guint8 family;
    } families[] = {{"builtins.str", HF_FAMILY_STR},           {"builtins.bytes", HF_FAMILY_BYTES},
                    {"builtins.int", HF_FAMILY_INT},           {"builtins.float", HF_FAMILY_FLOAT},
                    {"builtins.dict", HF_FAMILY_DICT},         {"builtins.list", HF_FAMILY_LIST},
                    {"builtins.tuple", HF_FAMILY_TUPLE},       {"builtins.set", HF_FAMILY_SET},
                    {"builtins.type", HF_FAMILY_TYPE},         {"builtins.module", HF_FAMILY_MODULE},
                    {"builtins.function", HF_FAMILY_FUNCTION}, {"_asyncio.Task", HF_FAMILY_TASK},
                    {"builtins.frame", HF_FAMILY_FRAME},       {"builtins.code", HF_FAMILY_CODE},
                    {"builtins.cell", HF_FAMILY_CELL},         {"builtins.weakref", HF_FAMILY_WEAKREF}};
    const HaVec *types = &b->graph->types;
    for (guint32 i = 1; i < types->n; i++)
        if (strcmp(HA_ITEM(*types, HaType, i).name, name) == 0)
            return i;
    struct hf_type_row row = {
        .addr = 0x500000000000 + (guint64)types->n * 0x400, .name = name, .name_len = strlen(name)};
    for (guint i = 0; i < G_N_ELEMENTS(families); i++)
        if (strcmp(families[i].name, name) == 0)
            row.family = families[i].family;
    return ha_graph_builder_type(b, &row);
}

void
ha_graph_builder_simple(HaGraphBuilder *b, guint64 addr, const char *type, guint64 size, guint64 refcount,
                        const char *content, ...)
{
    struct hf_object_row row = {.addr = addr,
                                .size = size,
                                .refcount = refcount,
                                .flags = HF_OBJ_GC | HF_OBJ_SIZE | HF_OBJ_REFCOUNT,
                                .type = simple_type(b, type)};
    if (content != NULL) {
        row.flags |= HF_OBJ_CONTENT;
        row.content = content;
        row.content_len = strlen(content);
    }
    g_autoptr(GArray) refs = g_array_new(FALSE, FALSE, sizeof(guint64));
    g_autoptr(GArray) names = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(struct hf_run));
    va_list args;
    va_start(args, content);
    for (const char *name; (name = va_arg(args, const char *)) != NULL;) {
        guint64 ref = va_arg(args, guint64);
        struct hf_run run = {.kind = HF_RUN_NAMED, .count = 1};
        if (*name == '~') {
            run.flags |= HF_RUN_WEAK;
            name++;
        }
        run.kind = *name == 0                                             ? HF_RUN_UNNAMED
                   : strcmp(name, "[i]") == 0                             ? HF_RUN_INDEX
                   : strcmp(name, "[k]") == 0 || strcmp(name, "[v]") == 0 ? HF_RUN_ITEMS
                   : strcmp(name, "{}") == 0                              ? HF_RUN_MEMBER
                                                                          : HF_RUN_NAMED;
        guint32 id = run.kind == HF_RUN_NAMED ? ha_graph_builder_name(b, name, -1) : 0;
        struct hf_run *last = runs->len > 0 ? &g_array_index(runs, struct hf_run, runs->len - 1) : NULL;
        if (last != NULL && last->kind == run.kind && last->flags == run.flags)
            last->count++;
        else
            g_array_append_val(runs, run);
        g_array_append_val(refs, ref);
        g_array_append_val(names, id); /* one a reference, so that runs can point into it */
    }
    va_end(args);
    guint at = 0;
    for (guint i = 0; i < runs->len; i++) {
        struct hf_run *run = &g_array_index(runs, struct hf_run, i);
        run->names = &g_array_index(names, guint32, at);
        at += run->count;
    }
    row.layout = runs->len > 0 ? ha_graph_builder_layout(b, (struct hf_run *)(void *)runs->data, runs->len) : 0;
    row.refs = (guint64 *)(void *)refs->data;
    row.n_refs = refs->len;
    ha_graph_builder_object(b, &row);
}
