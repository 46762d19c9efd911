// SPDX-License-Identifier: MIT
#include "ha-path-text.h"

#include <string.h>

#include "analyses/ha-attribute.h"
#include "text/ha-escape.h"
#include "text/ha-literal.h"
#include "text/ha-python-shows.h"

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

/* Behind the text of the owner. name is not escaped. */
static void
write_attribute(Writer *w, HaId owner, const char *name, HaId value)
{
    gsize n = strlen(name);

    if (ha_python_own_getattribute(w->g, ha_graph_type(w->g, owner)) &&
        ha_graph_type(w->g, owner)->family != HF_FAMILY_TYPE) {
        wrap(w, "object.__getattribute__(", ", '");
        ha_escape_append(w->text, name, n, G_MAXSIZE, HA_ESCAPE_QUOTED | HA_ESCAPE_AGAIN);
        g_string_append(w->text, "')");
    } else if (ha_is_identifier(name, n) && ha_python_shows_attribute(w->g, owner, name, value)) {
        g_string_append_printf(w->text, ".%s", name);
    } else {
        g_string_append(w->text, ".__dict__['");
        ha_escape_append(w->text, name, n, G_MAXSIZE, HA_ESCAPE_QUOTED | HA_ESCAPE_AGAIN);
        g_string_append(w->text, "']");
    }
}

/* ---- containers */

static void
write_position(Writer *w, HaId container, gsize ref, const char *method, const char *marked)
{
    gboolean plain = *method && (w->view == container || ha_graph_type(w->g, container)->family != HF_FAMILY_DICT ||
                                 ha_python_is_builtin(w->g, container, "dict"));
    gsize at;

    if (!ha_python_position(w->g, container, ref, &at)) {
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

    if (!ha_python_own_getitem(w->g, container)) {
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
    } else if (w->view != container && ha_python_own_getitem(w->g, container)) {
        wrap(w, "dict.__getitem__(", ", ");
        g_string_append_printf(w->text, "%s)", key);
    } else {
        g_string_append_printf(w->text, "[%s]", key);
    }
}

/* ---- names that stand for parts of functions, frames, types */

/* "<local x>", "<cell x>", "<free x>": x, where it is a variable of a frame that Python can reach from here. */
static gboolean
write_variable(Writer *w, HaId from, const char *name, HaId value)
{
    guint8 family = ha_graph_type(w->g, from)->family;
    const char *prefix = ha_python_generator_prefix(family);
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

static void
mark_name(Writer *w, const char *name)
{
    g_autofree char *marked = name[0] == '<' ? g_strdup(name) : g_strdup_printf("<%s>", name + (name[0] == '.'));

    mark(w, marked);
}

/*
 * What a greenlet holds through the functions that it runs: ".gr_frame.f_back.f_locals['x']" already, "<cell x>" instead of a variable in a cell, or
 * another part in such brackets, which Python does not show.
 */
static void
write_of_greenlet(Writer *w, const char *name, HaId value)
{
    const char *part = strstr(name, "<cell ");

    if (strchr(name, '<') != part) {
        mark_name(w, name);
        return;
    }
    w->whole = w->text->len;
    if (part == NULL) {
        g_string_append(w->text, name);
        return;
    }
    g_string_append_len(w->text, name, part - name);
    g_string_append_printf(w->text, ".f_locals['%.*s']", (int)(strlen(part) - strlen("<cell >")),
                           part + strlen("<cell "));
    if (ha_graph_type(w->g, value)->family == HF_FAMILY_CELL)
        w->pending = VARIABLE;
}

static void
write_named(Writer *w, HaId from, const char *name, HaId to)
{
    const HaType *type = ha_graph_type(w->g, from);
    gsize n = strlen(name);

    if (strcmp(name, ".__dict__") == 0) {
        w->pending = NAMESPACE;
        w->owner = from;
    } else if (g_str_has_prefix(name, ".gr_frame")) {
        write_of_greenlet(w, name, to);
    } else if (strcmp(name, ".__class__") == 0) {
        wrap(w, "type(", ")");
    } else if (strcmp(name, "._callbacks[1:]") == 0) {
        w->whole = w->text->len;
        g_string_append(w->text, name);
        w->pending = CALLBACKS;
    } else if (name[0] == '.' && strpbrk(name, "[(") != NULL && type->family != HF_FAMILY_TASK &&
               type->family != HF_FAMILY_FUTURE) {
        mark_name(w, name);
    } else if (name[0] == '.' && !ha_python_hides(w->g, type, name, to)) {
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
        g_autofree char *written = ha_python_part(type->family, name);
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

    if (ha_graph_type(w->g, from)->family != HF_FAMILY_DICT && !ha_python_is_builtin(w->g, from, "frozendict")) {
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
            ha_python_position(w->g, from, ref, &at))
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
        else if (type->family == HF_FAMILY_TYPE || ha_python_hides_namespace(w->g, type))
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

static void
write_step(Writer *w, HaId from, gsize ref, HaId to)
{
    if (!w->ask || w->marked || !ha_python_shows_referent(w->g, from, ref)) {
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
        w->marked = *module == '<' || strstr(module, "…") != NULL;
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
