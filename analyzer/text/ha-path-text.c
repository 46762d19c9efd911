// SPDX-License-Identifier: MIT
#include "ha-path-text.h"

#include <string.h>

#include "analyses/ha-attribute.h"
#include "graph/ha-ref-runs.h"
#include "text/ha-escape.h"
#include "text/ha-literal.h"

#define ENDS_MAX 30 /* steps written at either end of a long chain */

void
ha_path_clear(HaPath *path)
{
    g_clear_pointer(&path->steps, g_array_unref);
}

/* Where the writing stands. */
typedef struct {
    const HaGraph *g;
    GString *text;
    gboolean marked; /* has a part that Python cannot write */
    gboolean ask;    /* what has no name is asked for by its address among all that the object refers to */
    /* what the last step was, if it can only be written together with the next one */
    enum {
        WHOLE,
        NAMESPACE, /* text is the owner, the object at hand its __dict__ */
        VARIABLE,  /* text is complete for what is in the cell at hand, not for the cell */
        CALLBACKS, /* text is a copy of the list at hand, with the same items */
    } pending;
    HaId owner;  /* NAMESPACE */
    HaId view;   /* the text shows this dict through a view, as classes do with their __dict__ */
    gsize whole; /* VARIABLE: length of the text before that step */
} Writer;

static void
wrap(Writer *w, const char *before, const char *after)
{
    g_string_prepend(w->text, before);
    g_string_append(w->text, after);
}

static void
mark(Writer *w, const char *what)
{
    g_string_append(w->text, what);
    w->marked = TRUE;
}

/* ---- attributes */

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

/* Attribute access runs code of the program. */
static gboolean
has_own_getattribute(const HaGraph *g, const HaType *type)
{
    HaId found;

    if (type->id == HA_ID_NONE || !(type->flags & HF_TYPE_HEAP))
        return FALSE;
    found = ha_class_attribute(g, type->id, "__getattribute__");
    return found != HA_ID_NONE && ha_graph_type(g, found)->family == HF_FAMILY_FUNCTION;
}

/* owner.name is what stands in the owner's __dict__. */
static gboolean
shows(const HaGraph *g, HaId owner, const char *name, HaId value)
{
    const HaType *type = ha_graph_type(g, owner);
    gboolean special = g_str_has_prefix(name, "__") && g_str_has_suffix(name, "__");
    HaId found;

    if (type->family == HF_FAMILY_TYPE) {
        /* a class binds what it has: only what is no descriptor comes out as it is */
        guint8 family = ha_graph_type(g, value)->family;

        if (special || has_own_getattribute(g, type) || family == HF_FAMILY_OTHER || family == HF_FAMILY_EXCEPTION)
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

/* Behind the text of the owner. name is not escaped. */
static void
write_attribute(Writer *w, HaId owner, const char *name, HaId value)
{
    gsize n = strlen(name);

    if (has_own_getattribute(w->g, ha_graph_type(w->g, owner)) &&
        ha_graph_type(w->g, owner)->family != HF_FAMILY_TYPE) {
        wrap(w, "object.__getattribute__(", ", '");
        ha_escape_append(w->text, name, n, G_MAXSIZE, HA_ESCAPE_QUOTED | HA_ESCAPE_AGAIN);
        g_string_append(w->text, "')");
    } else if (ha_is_identifier(name, n) && shows(w->g, owner, name, value)) {
        g_string_append_printf(w->text, ".%s", name);
    } else {
        g_string_append(w->text, ".__dict__['");
        ha_escape_append(w->text, name, n, G_MAXSIZE, HA_ESCAPE_QUOTED | HA_ESCAPE_AGAIN);
        g_string_append(w->text, "']");
    }
}

/* ---- containers */

static gboolean
is_exactly(const HaGraph *g, HaId id, const char *name)
{
    const char *type = ha_graph_type(g, id)->name;

    return g_str_has_prefix(type, "builtins.") && strcmp(type + strlen("builtins."), name) == 0;
}

/* The type answers [] with code of its own. */
static gboolean
has_own_getitem(const HaGraph *g, HaId id)
{
    const HaType *type = ha_graph_type(g, id);
    HaId found;

    if (!(type->flags & HF_TYPE_HEAP) || type->id == HA_ID_NONE)
        return FALSE;
    found = ha_class_attribute(g, type->id, "__getitem__");
    return found != HA_ID_NONE && ha_graph_type(g, found)->family == HF_FAMILY_FUNCTION;
}

/* Which pair of the dict, or which member of the set: only where no place is empty is that known. */
static gboolean
position(const HaGraph *g, HaId id, gsize ref, gsize *out)
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

static void
write_position(Writer *w, HaId container, gsize ref, const char *method, const char *marked)
{
    gboolean plain = *method && (w->view == container || ha_graph_type(w->g, container)->family != HF_FAMILY_DICT ||
                                 is_exactly(w->g, container, "dict"));
    gsize at;

    if (!position(w->g, container, ref, &at)) {
        mark(w, marked);
        return;
    }
    if (plain) {
        g_autofree char *after = g_strdup_printf(".%s())[%" G_GSIZE_FORMAT "]", method, at);
        wrap(w, "list(", after);
    } else if (*method) {
        g_autofree char *before = g_strdup_printf("list(dict.%s(", method);
        g_autofree char *after = g_strdup_printf("))[%" G_GSIZE_FORMAT "]", at);
        wrap(w, before, after);
    } else {
        g_autofree char *after = g_strdup_printf(")[%" G_GSIZE_FORMAT "]", at);
        wrap(w, "list(", after);
    }
}

static void
write_index(Writer *w, HaId container, guint64 index)
{
    g_autofree char *after = g_strdup_printf("[%" G_GUINT64_FORMAT "]", index);
    guint8 family = ha_graph_type(w->g, container)->family;

    if (!has_own_getitem(w->g, container)) {
        g_string_append(w->text, after);
        return;
    }
    g_autofree char *call = g_strdup_printf(", %" G_GUINT64_FORMAT ")", index);
    wrap(w,
         family == HF_FAMILY_LIST    ? "list.__getitem__("
         : family == HF_FAMILY_TUPLE ? "tuple.__getitem__("
                                     : "collections.deque.__getitem__(",
         call);
}

/* container[key]. The key is a literal already, or NULL: only its place is known. */
static void
write_value(Writer *w, HaId container, gsize ref, const char *key)
{
    if (key == NULL) {
        write_position(w, container, ref, "values", "<a value>");
    } else if (w->view != container && has_own_getitem(w->g, container)) {
        wrap(w, "dict.__getitem__(", ", ");
        g_string_append_printf(w->text, "%s)", key);
    } else {
        g_string_append_printf(w->text, "[%s]", key);
    }
}

/* ---- names that stand for parts of functions, frames, types */

static const char *
generator_prefix(guint8 family)
{
    return family == HF_FAMILY_GENERATOR   ? "gi"
           : family == HF_FAMILY_COROUTINE ? "cr"
           : family == HF_FAMILY_ASYNCGEN  ? "ag"
                                           : NULL;
}

char *
ha_path_part_text(guint8 family, const char *name)
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
    const char *prefix = generator_prefix(family);

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

/* "<local x>", "<cell x>", "<free x>": x, where it is a variable of a frame that Python can reach from here. */
static gboolean
write_variable(Writer *w, HaId from, const char *name, HaId value)
{
    guint8 family = ha_graph_type(w->g, from)->family;
    const char *prefix = generator_prefix(family);
    gboolean local = g_str_has_prefix(name, "<local "),
             in_cell = g_str_has_prefix(name, "<cell ") || g_str_has_prefix(name, "<free ");
    gsize n = strlen(name);

    if ((!local && !in_cell) || (prefix == NULL && family != HF_FAMILY_FRAME) || strstr(name, "…") != NULL)
        return FALSE;
    w->whole = w->text->len;
    if (prefix != NULL)
        g_string_append_printf(w->text, ".%s_frame", prefix);
    g_string_append(w->text, ".f_locals['");
    g_string_append_len(w->text, strchr(name, ' ') + 1, n - (strchr(name, ' ') + 1 - name) - 1);
    g_string_append(w->text, "']");
    if (in_cell && ha_graph_type(w->g, value)->family == HF_FAMILY_CELL)
        w->pending = VARIABLE;
    return TRUE;
}

/* No attribute, though it looks like one, or Python makes the object anew each time. */
static gboolean
is_hidden(const HaGraph *g, const HaType *type, const char *name, HaId value)
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

static void
mark_name(Writer *w, const char *name)
{
    g_autofree char *marked = name[0] == '<' ? g_strdup(name) : g_strdup_printf("<%s>", name + (name[0] == '.'));

    mark(w, marked);
}

static void
write_named(Writer *w, HaId from, const char *name, HaId to)
{
    const HaType *type = ha_graph_type(w->g, from);
    gsize n = strlen(name);

    if (strcmp(name, ".__dict__") == 0) {
        w->pending = NAMESPACE;
        w->owner = from;
    } else if (strcmp(name, ".__class__") == 0) {
        wrap(w, "type(", ")");
    } else if (strcmp(name, "._callbacks[1:]") == 0) {
        w->whole = w->text->len;
        g_string_append(w->text, name);
        w->pending = CALLBACKS;
    } else if (name[0] == '.' && strpbrk(name, "[(") != NULL && type->family != HF_FAMILY_TASK &&
               type->family != HF_FAMILY_FUTURE) {
        mark_name(w, name);
    } else if (name[0] == '.' && !is_hidden(w->g, type, name, to)) {
        if (type->flags & HF_TYPE_HEAP && strpbrk(name, "[(") == NULL) {
            HaId found = type->id != HA_ID_NONE ? ha_class_attribute(w->g, type->id, name + 1) : HA_ID_NONE;
            const char *kind = found != HA_ID_NONE ? ha_graph_type(w->g, found)->name : "";
            if (strcmp(kind, "builtins.member_descriptor") != 0 && strcmp(kind, "builtins.getset_descriptor") != 0) {
                write_attribute(w, from, name + 1, to);
                return;
            }
        }
        g_string_append(w->text, name);
    } else if (n > 4 && g_str_has_prefix(name, "['") && g_str_has_suffix(name, "']") && strstr(name, "…") == NULL &&
               name[2] != '#') {
        g_autofree char *key = g_strndup(name + 1, n - 2);
        write_value(w, from, 0, key);
    } else if (!write_variable(w, from, name, to)) {
        g_autofree char *written = ha_path_part_text(type->family, name);
        if (written != NULL)
            g_string_append(w->text, written);
        else
            mark_name(w, name);
    }
}

/* ---- the whole */

/* What hangs on a namespace: an attribute where it can be written so. TRUE: done. */
static gboolean
write_member(Writer *w, HaId dict, const HaRefName *name, HaId to)
{
    HaId owner = w->owner;
    gsize n;

    w->pending = WHOLE;
    if (name->kind == HF_RUN_ITEMS && name->index == 1 && name->key != HA_ID_NONE) {
        const char *key = ha_graph_content(w->g, name->key, &n);
        guint64 whole;

        if (key != NULL && ha_graph_type(w->g, name->key)->family == HF_FAMILY_STR && ha_is_identifier(key, n) &&
            !ha_graph_content_whole(w->g, name->key, &whole)) {
            g_autofree char *copy = g_strndup(key, n);
            write_attribute(w, owner, copy, to);
            return TRUE;
        }
    } else if (name->kind == HF_RUN_NAMED && g_str_has_prefix(name->name, "['") && g_str_has_suffix(name->name, "']") &&
               strlen(name->name) > 4 && strstr(name->name, "…") == NULL) {
        g_autofree char *copy = g_strndup(name->name + 2, strlen(name->name) - 4);
        write_attribute(w, owner, copy, to);
        return TRUE;
    }
    if (ha_graph_type(w->g, owner)->family == HF_FAMILY_TYPE)
        w->view = dict;
    g_string_append(w->text, ".__dict__");
    return FALSE;
}

static void
write_item(Writer *w, HaId from, gsize ref, const HaRefName *name)
{
    g_autoptr(GString) key = g_string_new(NULL);
    gboolean known = name->index == 1 && ha_literal_append(w->g, name->key, key);

    if (ha_graph_type(w->g, from)->family != HF_FAMILY_DICT && !is_exactly(w->g, from, "frozendict")) {
        /* a cache of functools, a context: has items, and nobody can ask for them */
        g_autofree char *item = known ? g_strdup_printf("<[%s]>", key->str) : NULL;
        mark(w, item != NULL ? item : name->index == 1 ? "<a value>" : "<a key>");
    } else if (name->index == 1) {
        write_value(w, from, ref, known ? key->str : NULL);
    } else {
        write_position(w, from, ref, "keys", "<a key>");
    }
}

static void
write_named_step(Writer *w, HaId from, gsize ref, HaId to)
{
    HaRefName name;
    gsize at;

    ha_graph_ref_name(w->g, from, ref, &name);
    if (w->pending == NAMESPACE && write_member(w, from, &name, to))
        return;
    if (w->pending == VARIABLE && name.kind == HF_RUN_NAMED && strcmp(name.name, ".cell_contents") == 0) {
        w->pending = WHOLE;
        return;
    }
    w->pending = WHOLE;
    switch ((enum hf_run_kind)name.kind) {
    case HF_RUN_INDEX:
        write_index(w, from, name.index);
        return;
    case HF_RUN_MEMBER:
        write_position(w, from, ref, "", "<a member>");
        return;
    case HF_RUN_ITEMS:
        write_item(w, from, ref, &name);
        return;
    case HF_RUN_NAMED:
        /* what a part of a closure, an MRO is called; it has its place all the same */
        if (ha_graph_type(w->g, from)->family == HF_FAMILY_TUPLE && name.name[0] == '<' &&
            position(w->g, from, ref, &at))
            write_index(w, from, ref);
        else
            write_named(w, from, name.name, to);
        return;
    case HF_RUN_UNNAMED:
    case HF_RUN_KIND_COUNT:
    default: {
        g_autofree char *text =
            g_strdup_printf("<reference %" G_GSIZE_FORMAT " of %s>", ref, ha_graph_type(w->g, from)->name);
        mark(w, text);
    }
    }
}

/* Type variables of 3.12 and 3.13 have a namespace that no attribute shows. */
static gboolean
hides_namespace(const HaGraph *g, const HaType *type)
{
    return g_str_has_prefix(type->name, "typing.") && type->id != HA_ID_NONE &&
           ha_class_attribute(g, type->id, "__dict__") == HA_ID_NONE;
}

/* Text for what can be written together with a next step only, when none comes. */
static void
finish(Writer *w)
{
    const HaType *type;

    switch (w->pending) {
    case NAMESPACE:
        type = ha_graph_type(w->g, w->owner);
        /* of a class Python shows a view only */
        if (type->family == HF_FAMILY_TYPE && w->ask)
            wrap(w, "gc.get_referents(", ".__dict__)[0]");
        else if (type->family == HF_FAMILY_TYPE || hides_namespace(w->g, type))
            mark(w, "<__dict__>");
        else
            g_string_append(w->text, ".__dict__");
        break;
    case VARIABLE: {
        g_autofree char *tail = g_strdup(w->text->str + w->whole);
        g_string_truncate(w->text, w->whole);
        g_string_append_printf(w->text, "<cell of %s>", tail);
        w->marked = TRUE;
        break;
    }
    case CALLBACKS:
        w->marked = TRUE;
        g_string_truncate(w->text, w->whole);
        g_string_append(w->text, "<_callbacks[1:]>");
        break;
    case WHOLE:
    default:
        break;
    }
    w->pending = WHOLE;
}

/* gc.get_referents() of the one gives the other. Of what runs it depends on where that is. */
static gboolean
is_shown(const HaGraph *g, HaId from, gsize ref)
{
    guint8 family = ha_graph_type(g, from)->family;

    return ha_graph_type(g, from)->flags & HF_TYPE_GC && family != HF_FAMILY_FRAME &&
           generator_prefix(family) == NULL && !(ha_graph_ref_flags(g, from, ref) & (HF_RUN_HIDDEN | HF_RUN_WEAK));
}

static void
write_step(Writer *w, HaId from, gsize ref, HaId to)
{
    if (!w->ask || w->marked || !is_shown(w->g, from, ref)) {
        write_named_step(w, from, ref, to);
        return;
    }
    Writer before = *w;
    g_autofree char *text = g_strdup(w->text->str);

    write_named_step(w, from, ref, to);
    if (!w->marked)
        return;
    *w = before;
    g_string_assign(w->text, text);
    finish(w);
    g_autofree char *after = g_strdup_printf(") if id(o) == 0x%" G_GINT64_MODIFIER "x)", ha_graph_addr(w->g, to));
    wrap(w, "next(o for o in gc.get_referents(", after);
}

static void
write_root(Writer *w, const HaLedger *ledger, const HaPath *path)
{
    HaId id = g_array_index(path->steps, HaPathStep, 0).id;
    const char *name = path->held.root != NULL ? path->held.root->name : NULL;

    if (path->held.kind == HA_ROOT_KIND_MODULE) {
        g_autofree char *module = name == NULL ? ha_ledger_module_text(ledger, w->g, id) : g_strdup(name);
        g_string_append(w->text, module);
        w->marked = strstr(module, "…") != NULL;
        return;
    }
    if (name != NULL && *name != '<' && *name != 0 &&
        (path->held.kind == HA_ROOT_KIND_INTERPRETER || path->held.kind == HA_ROOT_KIND_FINALIZER)) {
        g_string_append(w->text, name);
        return;
    }
    w->marked = TRUE;
    if (path->held.kind == HA_ROOT_KIND_LOCAL && name != NULL) {
        if (g_str_has_prefix(name, "<cell ") || g_str_has_prefix(name, "<free ")) {
            w->pending = ha_graph_type(w->g, id)->family == HF_FAMILY_CELL ? VARIABLE : WHOLE;
            g_string_append_printf(w->text, "<local %s", name + strlen("<cell "));
        } else {
            g_string_append(w->text, name);
        }
    } else if (name != NULL && *name == '<' && path->held.kind != HA_ROOT_KIND_STATIC) {
        g_string_append(w->text, name);
    } else {
        g_string_append_printf(w->text, "<%s at 0x%" G_GINT64_MODIFIER "x>", ha_graph_type(w->g, id)->name,
                               ha_graph_addr(w->g, id));
    }
}

static char *
write_path(const HaGraph *g, const HaLedger *ledger, const HaPath *path, gboolean ask, gboolean *is_expression)
{
    Writer w = {.g = g, .text = g_string_new(NULL), .ask = ask, .view = HA_ID_NONE};
    guint n = path->steps->len;
    const HaPathStep *step = (const HaPathStep *)(void *)path->steps->data;

    write_root(&w, ledger, path);
    for (guint i = 1; i < n; i++) {
        if (n > 2 * ENDS_MAX + 2 && i == ENDS_MAX) {
            finish(&w);
            g_autofree char *left_out = g_strdup_printf("<… %u steps …>", n - 2 * ENDS_MAX);
            mark(&w, left_out);
            i = n - ENDS_MAX;
        }
        write_step(&w, step[i - 1].id, step[i].ref, step[i].id);
    }
    finish(&w);
    *is_expression = !w.marked;
    return g_string_free(w.text, FALSE);
}

char *
ha_path_text(const HaGraph *g, const HaLedger *ledger, const HaPath *path, gboolean *is_expression)
{
    return write_path(g, ledger, path, FALSE, is_expression);
}

char *
ha_path_expression(const HaGraph *g, const HaLedger *ledger, const HaPath *path)
{
    gboolean is_expression;
    char *text = write_path(g, ledger, path, TRUE, &is_expression);

    if (!is_expression)
        g_clear_pointer(&text, g_free);
    return text;
}
