// SPDX-License-Identifier: MIT
#include "ha-python-shows.h"

#include <string.h>

#include "analyses/ha-attribute.h"
#include "graph/ha-ref-runs.h"

/* What a class has under a name may take precedence over what the instance has: a property, a slot. */
static gboolean
may_be_data_descriptor(const HaGraph *g, HaId value)
{
    static const char *const plain[] = {"builtins.method_descriptor", "builtins.wrapper_descriptor",
                                        "builtins.classmethod_descriptor", "builtins.staticmethod",
                                        "builtins.classmethod"};
    const HaType *type = ha_graph_type(g, value);

    switch ((enum hf_family)type->family) {
    case HF_FAMILY_OTHER:
    case HF_FAMILY_EXCEPTION:
    case HF_FAMILY_COUNT:
        break;
    case HF_FAMILY_STR:
    case HF_FAMILY_BYTES:
    case HF_FAMILY_INT:
    case HF_FAMILY_FLOAT:
    case HF_FAMILY_BOOL:
    case HF_FAMILY_NONE:
    case HF_FAMILY_DICT:
    case HF_FAMILY_LIST:
    case HF_FAMILY_TUPLE:
    case HF_FAMILY_SET:
    case HF_FAMILY_TYPE:
    case HF_FAMILY_MODULE:
    case HF_FAMILY_FUNCTION:
    case HF_FAMILY_METHOD:
    case HF_FAMILY_CODE:
    case HF_FAMILY_FRAME:
    case HF_FAMILY_GENERATOR:
    case HF_FAMILY_COROUTINE:
    case HF_FAMILY_ASYNCGEN:
    case HF_FAMILY_CELL:
    case HF_FAMILY_WEAKREF:
    case HF_FAMILY_TASK:
    case HF_FAMILY_FUTURE:
    case HF_FAMILY_BUILTIN:
    default:
        return FALSE;
    }
    for (guint i = 0; i < G_N_ELEMENTS(plain); i++)
        if (strcmp(type->name, plain[i]) == 0)
            return FALSE;
    if (!(type->flags & HF_TYPE_HEAP) || type->id == HA_ID_NONE)
        return TRUE;
    return ha_class_attribute(g, type->id, "__set__") != HA_ID_NONE ||
           ha_class_attribute(g, type->id, "__delete__") != HA_ID_NONE;
}

gboolean
ha_python_own_getattribute(const HaGraph *g, const HaType *type)
{
    HaId found;

    if (type->id == HA_ID_NONE || !(type->flags & HF_TYPE_HEAP))
        return FALSE;
    found = ha_class_attribute(g, type->id, "__getattribute__");
    return found != HA_ID_NONE && ha_graph_type(g, found)->family == HF_FAMILY_FUNCTION;
}

gboolean
ha_python_shows_attribute(const HaGraph *g, HaId owner, const char *name, HaId value)
{
    const HaType *type = ha_graph_type(g, owner);
    gboolean special = g_str_has_prefix(name, "__") && g_str_has_suffix(name, "__");
    HaId found;

    if (type->family == HF_FAMILY_TYPE) {
        /* a class binds what it has: only what is no descriptor comes out as it is */
        guint8 family = ha_graph_type(g, value)->family;

        if (special || ha_python_own_getattribute(g, type) || family == HF_FAMILY_OTHER ||
            family == HF_FAMILY_EXCEPTION)
            return FALSE;
        return strcmp(type->name, "builtins.type") == 0 ||
               (type->id != HA_ID_NONE && ha_class_attribute(g, type->id, name) == HA_ID_NONE);
    }
    /* asked for by name, what is imported lazily is imported */
    if (type->family == HF_FAMILY_MODULE && g_str_has_suffix(ha_graph_type(g, value)->name, "lazy_import"))
        return FALSE;
    if (type->family == HF_FAMILY_MODULE && special)
        return strcmp(name, "__annotations__") != 0 && strcmp(name, "__annotate__") != 0 &&
               strcmp(name, "__dict__") != 0 && strcmp(name, "__class__") != 0;
    found = type->id != HA_ID_NONE ? ha_class_attribute(g, type->id, name) : HA_ID_NONE;
    return found == HA_ID_NONE || !may_be_data_descriptor(g, found);
}

gboolean
ha_python_is_builtin(const HaGraph *g, HaId id, const char *name)
{
    const char *type = ha_graph_type(g, id)->name;

    return g_str_has_prefix(type, "builtins.") && strcmp(type + strlen("builtins."), name) == 0;
}

gboolean
ha_python_own_getitem(const HaGraph *g, HaId id)
{
    const HaType *type = ha_graph_type(g, id);
    HaId found;

    if (!(type->flags & HF_TYPE_HEAP) || type->id == HA_ID_NONE)
        return FALSE;
    found = ha_class_attribute(g, type->id, "__getitem__");
    return found != HA_ID_NONE && ha_graph_type(g, found)->family == HF_FAMILY_FUNCTION;
}

gboolean
ha_python_position(const HaGraph *g, HaId id, gsize ref, gsize *out)
{
    HaRefRuns runs;
    HaRefRun run;

    ha_ref_runs_init(&runs, g, id);
    while (ha_ref_runs_next(&runs, &run)) {
        if (ref < run.first || ref >= run.first + run.n)
            continue;
        if (runs.one_by_one)
            return FALSE;
        *out = run.kind == HF_RUN_ITEMS ? (ref - run.first) / 2 : ref - run.first;
        return TRUE;
    }
    return FALSE;
}

const char *
ha_python_generator_prefix(guint8 family)
{
    return family == HF_FAMILY_GENERATOR   ? "gi"
           : family == HF_FAMILY_COROUTINE ? "cr"
           : family == HF_FAMILY_ASYNCGEN  ? "ag"
                                           : NULL;
}

char *
ha_python_part(guint8 family, const char *name)
{
    static const struct {
        guint8 family;
        const char *name, *written;
    } parts[] = {{HF_FAMILY_FUNCTION, "<code>", ".__code__"},
                 {HF_FAMILY_FUNCTION, "<globals>", ".__globals__"},
                 {HF_FAMILY_FUNCTION, "<builtins>", ".__builtins__"},
                 {HF_FAMILY_FUNCTION, "<closure>", ".__closure__"},
                 {HF_FAMILY_TYPE, "<mro>", ".__mro__"},
                 {HF_FAMILY_TYPE, "<bases>", ".__bases__"},
                 {HF_FAMILY_TYPE, "<base>", ".__base__"},
                 {HF_FAMILY_FRAME, "<code>", ".f_code"},
                 {HF_FAMILY_FRAME, "<globals>", ".f_globals"},
                 {HF_FAMILY_FRAME, "<builtins>", ".f_builtins"},
                 {HF_FAMILY_FRAME, "<f_locals>", ".f_locals"},
                 {HF_FAMILY_FRAME, "<f_back>", ".f_back"},
                 {HF_FAMILY_FRAME, "<f_trace>", ".f_trace"},
                 {HF_FAMILY_COROUTINE, "<origin>", ".cr_origin"}};
    const char *prefix = ha_python_generator_prefix(family);

    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        if (parts[i].family == family && strcmp(parts[i].name, name) == 0)
            return g_strdup(parts[i].written);
    if (prefix != NULL && strcmp(name, "<code>") == 0)
        return g_strdup_printf(".%s_code", prefix);
    if (prefix != NULL && strcmp(name, "<frame>") == 0)
        return g_strdup_printf(".%s_frame", prefix);
    if (prefix != NULL && strcmp(name, "<awaits>") == 0)
        return g_strdup_printf(".%s", family == HF_FAMILY_GENERATOR   ? "gi_yieldfrom"
                                      : family == HF_FAMILY_COROUTINE ? "cr_await"
                                                                      : "ag_await");
    return NULL;
}

gboolean
ha_python_hides(const HaGraph *g, const HaType *type, const char *name, HaId value)
{
    static const struct {
        const char *type, *name;
    } hidden[] = {{"dict_", ".mapping"},     /* shown through a view, as the next */
                  {"roxy", ".__callback__"}, /* asked of what it stands for */
                  {"re.Pattern", ".groupindex"},
                  {"_struct.Struct", ".format"},
                  {"_abc_data", "._abc_"},
                  {"_io.BufferedRWPair", ".reader"},
                  {"_io.BufferedRWPair", ".writer"},
                  {"managedbuffer", ".obj"},
                  {"_io.IncrementalNewlineDecoder", ".errors"}};
    guint8 family = type->family, what = ha_graph_type(g, value)->family;

    if (strcmp(name, "._context") == 0 || strcmp(name, ".__annotate__") == 0)
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(hidden); i++)
        if (g_str_has_prefix(name, hidden[i].name) && strstr(type->name, hidden[i].type) != NULL)
            return TRUE;
    if (strcmp(name, ".__annotations__") == 0)
        return what == HF_FAMILY_TUPLE;
    /* a static method in C keeps its type and denies it */
    return family == HF_FAMILY_BUILTIN && strcmp(name, ".__self__") == 0 && what == HF_FAMILY_TYPE;
}

/* Type variables of 3.12 and 3.13. */
gboolean
ha_python_hides_namespace(const HaGraph *g, const HaType *type)
{
    return g_str_has_prefix(type->name, "typing.") && type->id != HA_ID_NONE &&
           ha_class_attribute(g, type->id, "__dict__") == HA_ID_NONE;
}

/* Of what runs it depends on where that is. */
gboolean
ha_python_shows_referent(const HaGraph *g, HaId from, gsize ref)
{
    guint8 family = ha_graph_type(g, from)->family;

    return ha_graph_type(g, from)->flags & HF_TYPE_GC && family != HF_FAMILY_FRAME &&
           ha_python_generator_prefix(family) == NULL &&
           !(ha_graph_ref_flags(g, from, ref) & (HF_RUN_HIDDEN | HF_RUN_WEAK));
}
