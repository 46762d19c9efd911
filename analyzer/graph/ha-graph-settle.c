// SPDX-License-Identifier: MIT
/*
 * What other tools' dumps do not say, as far as it follows from what they say: what instances of a type are, whose __dict__ a dict is, and where to begin.
 * docs/foreign.md tells the rules.
 */
#include <string.h>

#include "ha-graph-builder-private.h"

#define MODULES_START "sys,builtins,"

static enum hf_family
family_of(const char *name)
{
    static const struct {
        const char *name;
        enum hf_family family;
    } known[] = {
        {"builtins.str", HF_FAMILY_STR},
        {"builtins.bytes", HF_FAMILY_BYTES},
        {"builtins.bytearray", HF_FAMILY_BYTES},
        {"builtins.int", HF_FAMILY_INT},
        {"builtins.float", HF_FAMILY_FLOAT},
        {"builtins.bool", HF_FAMILY_BOOL},
        {"builtins.NoneType", HF_FAMILY_NONE},
        {"builtins.dict", HF_FAMILY_DICT},
        {"collections.defaultdict", HF_FAMILY_DICT},
        {"collections.OrderedDict", HF_FAMILY_DICT},
        {"builtins.list", HF_FAMILY_LIST},
        {"builtins.tuple", HF_FAMILY_TUPLE},
        {"builtins.set", HF_FAMILY_SET},
        {"builtins.frozenset", HF_FAMILY_SET},
        {"builtins.type", HF_FAMILY_TYPE},
        {"builtins.module", HF_FAMILY_MODULE},
        {"builtins.function", HF_FAMILY_FUNCTION},
        {"builtins.method", HF_FAMILY_METHOD},
        {"builtins.code", HF_FAMILY_CODE},
        {"builtins.frame", HF_FAMILY_FRAME},
        {"builtins.generator", HF_FAMILY_GENERATOR},
        {"builtins.coroutine", HF_FAMILY_COROUTINE},
        {"builtins.async_generator", HF_FAMILY_ASYNCGEN},
        {"builtins.cell", HF_FAMILY_CELL},
        {"builtins.weakref", HF_FAMILY_WEAKREF},
        {"weakref.ReferenceType", HF_FAMILY_WEAKREF},
        {"_asyncio.Task", HF_FAMILY_TASK},
        {"asyncio.tasks.Task", HF_FAMILY_TASK},
        {"_asyncio.Future", HF_FAMILY_FUTURE},
        {"asyncio.futures.Future", HF_FAMILY_FUTURE},
        {"builtins.builtin_function_or_method", HF_FAMILY_BUILTIN},
    };
    for (guint i = 0; i < G_N_ELEMENTS(known); i++)
        if (strcmp(name, known[i].name) == 0)
            return known[i].family;
    return HF_FAMILY_OTHER;
}

/* By name; and what has a class for an instance is a metaclass. */
static void
find_families(HaGraph *g)
{
    for (guint32 i = 1; i < g->types.n; i++) {
        HaType *type = &HA_ITEM(g->types, HaType, i);
        type->family = family_of(type->name);
    }
    for (guint32 i = 1; i < g->types.n; i++) {
        HaId id = HA_ITEM(g->types, HaType, i).id;
        guint32 meta = id != HA_ID_NONE ? ha_graph_type_index(g, id) : 0;
        if (meta != 0 && HA_ITEM(g->types, HaType, meta).family == HF_FAMILY_OTHER)
            HA_ITEM(g->types, HaType, meta).family = HF_FAMILY_TYPE;
    }
}

static gboolean
is_dict(const HaGraph *g, HaId id)
{
    return strcmp(ha_graph_type(g, id)->name, "builtins.dict") == 0;
}

static gboolean
content_starts(const HaGraph *g, HaId id, const char *text)
{
    gsize n;
    const char *content = ha_graph_content(g, id, &n);
    return content != NULL && n >= strlen(text) && memcmp(content, text, strlen(text)) == 0;
}

static gboolean
content_is(const HaGraph *g, HaId id, const char *text)
{
    gsize n;
    (void)ha_graph_content(g, id, &n);
    return n == strlen(text) && content_starts(g, id, text);
}

/* The value under a key that is a str; HA_ID_NONE: none, or keys are not told apart from values. */
static HaId
value_of(const HaGraph *g, HaId dict, const char *key)
{
    gsize n;
    const HaId *refs = ha_graph_referents(g, dict, &n);
    HaRefName name;
    for (gsize i = 1; i < n; i++) {
        ha_graph_ref_name(g, dict, i, &name);
        if (name.kind == HF_RUN_ITEMS && name.index == 1 && name.key != HA_ID_NONE &&
            ha_graph_type(g, name.key)->family == HF_FAMILY_STR && content_is(g, name.key, key))
            return refs[i];
    }
    return HA_ID_NONE;
}

/* Every module's begins with its name. */
static gboolean
is_module_dict(const HaGraph *g, HaId dict)
{
    gsize n;
    const HaId *refs = ha_graph_referents(g, dict, &n);
    HaRefName name;
    if (content_is(g, dict, "__name__") || content_starts(g, dict, "__name__,"))
        return TRUE;
    if (n == 0)
        return FALSE;
    ha_graph_ref_name(g, dict, 0, &name);
    return name.kind == HF_RUN_ITEMS && content_is(g, refs[0], "__name__");
}

/* Which reference of a module or class leads to its __dict__; FALSE: none, or it cannot be told. */
static gboolean
find_dict(const HaGraph *g, HaId id, gsize *out)
{
    gsize n, found = 0;
    const HaId *refs = ha_graph_referents(g, id, &n);
    gboolean module = ha_graph_type(g, id)->family == HF_FAMILY_MODULE;
    for (gsize i = 0; i < n; i++) {
        if (!is_dict(g, refs[i]) || (module && !is_module_dict(g, refs[i])))
            continue;
        *out = i;
        if (module)
            return TRUE;
        found++;
    }
    /* a class that is an instance of type itself has no other dict */
    return found == 1 && strcmp(ha_graph_type(g, id)->name, "builtins.type") == 0;
}

static gboolean
name_dicts(HaGraphBuilder *b)
{
    HaGraph *g = b->graph;
    guint32 name = 0;
    for (HaId id = 0; id < g->n; id++) {
        guint8 family = ha_graph_type(g, id)->family;
        gsize at;
        if ((family != HF_FAMILY_MODULE && family != HF_FAMILY_TYPE) || ha_graph_has_holes(g, id) ||
            !find_dict(g, id, &at))
            continue;
        if (name == 0)
            name = ha_graph_builder_name(b, ".__dict__", -1);
        struct hf_run runs[] = {{.kind = HF_RUN_UNNAMED, .count = at},
                                {.kind = HF_RUN_NAMED, .count = 1, .names = &name}};
        guint32 layout = ha_graph_builder_layout(b, at > 0 ? runs : runs + 1, at > 0 ? 2 : 1);
        if (layout == 0 || !ha_column_set(&g->columns[HA_LAYOUT], id, layout))
            return FALSE;
    }
    return TRUE;
}

/* sys.modules: what stands there in the namespace of the module sys, or there begins as it does. */
static HaId
find_modules_dict(const HaGraph *g)
{
    for (HaId id = 0; id < g->n; id++) {
        gsize at, n;
        if (ha_graph_type(g, id)->family != HF_FAMILY_MODULE || !content_is(g, id, "sys") || !find_dict(g, id, &at))
            continue;
        HaId dict = ha_graph_referents(g, id, &n)[at], found = value_of(g, dict, "modules");
        if (found != HA_ID_NONE && is_dict(g, found))
            return found;
        const HaId *refs = ha_graph_referents(g, dict, &n);
        for (gsize i = 0; i < n; i++)
            if (is_dict(g, refs[i]) && content_starts(g, refs[i], MODULES_START))
                return refs[i];
    }
    return HA_ID_NONE;
}

static gboolean
add_root(HaGraph *g, guint8 kind, HaId id, const char *name)
{
    if (!ha_vec_reserve(&g->roots, 1))
        return FALSE;
    HA_ITEM(g->roots, HaRoot, g->roots.n++) =
        (HaRoot){.kind = kind,
                 .id = id,
                 .name = name != NULL ? g_string_chunk_insert(g->chunk, name) : NULL,
                 .frame = G_MAXUINT32};
    return TRUE;
}

static gboolean
add_module(HaGraph *g, HaId id)
{
    gsize n;
    const char *content = ha_graph_content(g, id, &n);
    g_autofree char *text = g_strdup_printf("<module %.*s>", (int)n, content != NULL ? content : "");
    return add_root(g, HF_ROOT_INTERPRETER, id, content != NULL ? text : "<module>");
}

/* Modules live as long as the program; they are told by sys.modules where that is found. */
static gboolean
add_modules(HaGraph *g)
{
    HaId modules = find_modules_dict(g);
    HaRefName name;
    gsize n;
    if (modules == HA_ID_NONE) {
        for (HaId id = 0; id < g->n; id++)
            if (ha_graph_type(g, id)->family == HF_FAMILY_MODULE && !add_module(g, id))
                return FALSE;
        return TRUE;
    }
    const HaId *refs = ha_graph_referents(g, modules, &n);
    if (!add_root(g, HF_ROOT_INTERPRETER, modules, "sys.modules"))
        return FALSE;
    for (gsize i = 0; i < n; i++) {
        ha_graph_ref_name(g, modules, i, &name);
        /* with keys, sys.modules['…'] tells more */
        if (name.kind != HF_RUN_ITEMS && ha_graph_type(g, refs[i])->family == HF_FAMILY_MODULE &&
            !add_module(g, refs[i]))
            return FALSE;
    }
    return TRUE;
}

typedef struct {
    const HaGraph *g;
    guint64 *reached; /* owned, bits */
    HaId *stack;      /* owned, room for all */
} Search;

/* Whether id was not reached yet; all that it holds is from now on. */
static gboolean
reach(Search *s, HaId id)
{
    const HaGraph *g = s->g;
    gsize depth = 0;
    if (s->reached[id / 64] >> id % 64 & 1)
        return FALSE;
    s->reached[id / 64] |= G_GUINT64_CONSTANT(1) << id % 64;
    s->stack[depth++] = id;
    while (depth > 0) {
        gsize n;
        const HaId *refs = ha_graph_referents(g, s->stack[--depth], &n);
        for (gsize i = 0; i < n; i++)
            if (!(s->reached[refs[i] / 64] >> refs[i] % 64 & 1)) {
                s->reached[refs[i] / 64] |= G_GUINT64_CONSTANT(1) << refs[i] % 64;
                s->stack[depth++] = refs[i];
            }
    }
    return TRUE;
}

/*
 * Of all that no root so far reaches, as few objects as reach the rest: one of each group of objects that hold each other and that nothing else
 * holds. Searches from each object that earlier ones did not reach begin in the end in such a group: no earlier start reaches the last one, so that what leads
 * to it was reached from it. Taken from the last to the first, those starts that later ones do not reach are what is wanted.
 */
static gboolean
add_unknown(HaGraph *g, Search *s)
{
    gsize words = (gsize)g->n / 64 + 1;
    guint64 *before = ha_mem_new(words, sizeof *before);
    HaVec starts = {.item = sizeof(HaId)};
    gboolean ok = before != NULL;
    if (ok)
        memcpy(before, s->reached, words * sizeof *before);
    for (HaId id = 0; ok && id < g->n; id++)
        if (reach(s, id)) {
            ok = ha_vec_reserve(&starts, 1);
            if (ok)
                HA_ITEM(starts, HaId, starts.n++) = id;
        }
    if (ok)
        memcpy(s->reached, before, words * sizeof *before);
    while (ok && starts.n > 0) {
        HaId id = HA_ITEM(starts, HaId, --starts.n);
        if (reach(s, id))
            ok = add_root(g, HA_ROOT_UNKNOWN, id, NULL);
    }
    ha_mem_free(before);
    ha_vec_clear(&starts);
    return ok;
}

gboolean
ha_graph_builder_settle(HaGraphBuilder *b)
{
    HaGraph *g = b->graph;
    find_families(g);
    if (!name_dicts(b) || !add_modules(g))
        return FALSE;
    Search s = {.g = g,
                .reached = ha_mem_new0((gsize)g->n / 64 + 1, sizeof(guint64)),
                .stack = ha_mem_new((gsize)g->n + 1, sizeof(HaId))};
    gboolean ok = s.reached != NULL && s.stack != NULL;
    for (gsize i = 0; ok && i < g->roots.n; i++)
        (void)reach(&s, HA_ITEM(g->roots, HaRoot, i).id);
    ok = ok && add_unknown(g, &s);
    ha_mem_free(s.reached);
    ha_mem_free(s.stack);
    return ok && ha_graph_sort_roots(g);
}
