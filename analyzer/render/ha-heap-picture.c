// SPDX-License-Identifier: MIT
#include "render/ha-heap-picture.h"

#include "render/ha-censor.h"
#include "render/ha-text.h"
#include "text/ha-escape.h"
#include "text/ha-root-text.h"

#include <string.h>

enum {
    TEXT_BYTES = 2000, /* of a content, in the tooltip */
    LISTED = 12,       /* members of a bundle, types of a "more" node, in the tooltip */
    TYPES_IN_NOTE = 3,
};

typedef struct {
    HaGraph *g;
    const HaNeighbourhood *n;
    const HaHeapPictureSpec *spec;
    HaPicture *out;
} Painter;

const char *
ha_heap_picture_type_name(const HaType *type)
{
    return g_str_has_prefix(type->name, "builtins.") ? type->name + strlen("builtins.") : type->name;
}

static const char *
shown_type(const Painter *p, HaId id)
{
    const HaType *type = ha_graph_type(p->g, id);

    if (ha_censor_hides_type(p->spec->censor, type->name))
        return HA_CENSORED;
    return ha_heap_picture_type_name(type);
}

/* "f at /very/long/path/to/file.py:3" → "f at to/file.py:3"; the same of "f (/very/…" */
static char *
shorten_path(const char *s)
{
    const char *at = strstr(s, " at "), *path = at ? at + 4 : strstr(s, " (/");
    const char *slash = path ? strrchr(path, '/') : NULL;

    if (!slash)
        return g_strdup(s);
    path += at ? 0 : 2;
    while (slash > path && slash[-1] != '/' && slash[-1] != ' ' && slash[-1] != '(')
        slash--;
    return g_strdup_printf("%.*s%s", (int)(path - s), s, slash);
}

/* What the object holds, printable; NULL for nothing. */
static char *
content_text(const Painter *p, HaId id, gboolean brief)
{
    const HaType *type = ha_graph_type(p->g, id);
    gsize n;
    guint64 whole;
    const char *content = ha_graph_content(p->g, id, &n);
    gboolean cut = ha_graph_content_whole(p->g, id, &whole);
    const char *before = "", *after = "";

    if (!content || (n == 0 && type->family != HF_FAMILY_STR && type->family != HF_FAMILY_BYTES))
        return NULL;
    if (ha_censor_hides_type(p->spec->censor, type->name) || ha_censor_hides_text(p->spec->censor, content, n))
        return g_strdup(HA_CENSORED);
    if (type->family == HF_FAMILY_STR || type->family == HF_FAMILY_BYTES) {
        before = type->family == HF_FAMILY_STR ? "'" : "b'";
        after = "'";
    } else if (type->family == HF_FAMILY_DICT) {
        before = "{";
        after = "}";
    }
    g_autoptr(GString) text = g_string_new(before);
    ha_escape_append(text, content, n, TEXT_BYTES, *after == '\'' ? HA_ESCAPE_QUOTED : 0);
    g_string_append_printf(text, "%s%s", cut && n <= TEXT_BYTES ? "…" : "", after);
    if (cut && !brief && whole != HA_WHOLE_UNKNOWN) {
        g_autofree char *count = ha_text_count(whole);
        g_string_append_printf(text, " (%s %s)", count,
                               type->family == HF_FAMILY_STR     ? "characters"
                               : type->family == HF_FAMILY_BYTES ? "bytes"
                                                                 : "items");
    }
    return brief ? shorten_path(text->str) : g_string_free(g_steal_pointer(&text), FALSE);
}

static void
append_line(GString *lines, const char *text)
{
    if (!text || !*text)
        return;
    if (lines->len)
        g_string_append_c(lines, '\n');
    g_string_append(lines, text);
}

static char *
thread_text(const Painter *p, guint32 index)
{
    gsize n;
    const HaThread *threads = ha_graph_threads(p->g, &n);

    if (index >= n)
        return g_strdup("a thread");
    const HaThread *t = &threads[index];
    if (t->name && *t->name)
        return g_strdup_printf("thread %s", t->name);
    if (t->flags & HF_THREAD_MAIN)
        return g_strdup("main thread");
    return g_strdup_printf("thread %" G_GUINT64_FORMAT, t->native_id ? t->native_id : t->ident);
}

/* "GC root: interpreter: sys.modules", "GC root: frame local: <local x> of main (app.py:3) in thread MainThread"; NULL for none. */
static char *
roots_text(const Painter *p, HaId id, gboolean with_frames)
{
    gsize n, n_roots;
    const guint32 *held = ha_graph_roots_of(p->g, id, &n);
    const HaRoot *roots = ha_graph_roots(p->g, &n_roots);
    /* every module has some from C: the interpreter's tables of modules */
    gboolean module = ha_graph_type(p->g, id)->family == HF_FAMILY_MODULE;
    guint32 surplus = p->spec->ledger && !module ? ha_ledger_surplus(p->spec->ledger, id) : 0;
    g_autoptr(GString) text = g_string_new(NULL);
    guint told = 0, others = 0;

    for (gsize i = 0; i < n; i++) {
        const HaRoot *root = &roots[held[i]];

        if (root->kind == HF_ROOT_FRAME && !with_frames)
            continue;
        if (told == 2) {
            others++;
            continue;
        }
        g_autofree char *whole = ha_root_text(p->g, root);
        g_autofree char *one = shorten_path(whole);
        g_string_append(text, told++ ? ", " : "GC root: ");
        g_string_append(text, ha_censor_hides_text(p->spec->censor, whole, strlen(whole)) ? HA_CENSORED : one);
    }
    if (surplus)
        g_string_append_printf(text, "%sC reference: %u from outside the heap", told++ ? ", " : "GC root: ", surplus);
    if (others)
        g_string_append_printf(text, " and %u more", others);
    return text->len ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

static guint
picture_flags(guint near_flags)
{
    static const struct {
        guint near, picture;
    } map[] = {
        {HA_NEAR_CHOSEN, HA_PIC_CHOSEN}, {HA_NEAR_HIGHLIGHT, HA_PIC_HIGHLIGHT}, {HA_NEAR_SOURCE, HA_PIC_SOURCE},
        {HA_NEAR_ROOT, HA_PIC_ROOT},     {HA_NEAR_EXCLUDED, HA_PIC_EXCLUDED},   {HA_NEAR_WEAK, HA_PIC_WEAK},
        {HA_NEAR_RED, HA_PIC_RED},
    };
    guint flags = 0;

    for (guint i = 0; i < G_N_ELEMENTS(map); i++)
        if (near_flags & map[i].near)
            flags |= map[i].picture;
    return flags;
}

static char *
not_drawn(guint64 more)
{
    g_autofree char *count = ha_text_count(more);

    return g_strdup_printf("… %s %s not drawn", count, more == 1 ? "referrer" : "referrers");
}

/* "module app", "class app.Session", "dict" */
static char *
title_of(const Painter *p, HaId id)
{
    guint8 family = ha_graph_type(p->g, id)->family;
    g_autofree char *name = family == HF_FAMILY_MODULE || family == HF_FAMILY_TYPE ? content_text(p, id, TRUE) : NULL;

    if (!name)
        return g_strdup(shown_type(p, id));
    return g_strdup_printf("%s %s", family == HF_FAMILY_MODULE ? "module" : "class", name);
}

static void
paint_object(const Painter *p, HaPicNode *to, const HaNear *from)
{
    const HaType *type = ha_graph_type(p->g, from->id);
    g_autoptr(GString) note = g_string_new(NULL);
    g_autoptr(GString) details = g_string_new(NULL);
    g_autofree char *title = title_of(p, from->id);
    g_autofree char *brief = content_text(p, from->id, TRUE);
    g_autofree char *whole = content_text(p, from->id, FALSE);
    g_autofree char *roots = roots_text(p, from->id, !from->followed);
    gboolean known_by_name = type->family == HF_FAMILY_MODULE || type->family == HF_FAMILY_TYPE;
    guint64 refcount;

    to->addr = ha_graph_addr(p->g, from->id);
    to->size = ha_graph_size(p->g, from->id);
    g_string_assign(to->type, title);
    if (!known_by_name && brief)
        to->text = g_string_new(brief);
    if (whole && g_strcmp0(brief, whole) != 0)
        append_line(details, whole);
    if (known_by_name)
        append_line(details, shown_type(p, from->id));
    if (ha_graph_refcount(p->g, from->id, &refcount)) {
        g_autofree char *s = g_strdup_printf("reference count %" G_GUINT64_FORMAT, refcount);
        append_line(details, s);
    }
    if (from->dict != HA_ID_NONE) {
        to->size += ha_graph_size(p->g, from->dict);
        g_autofree char *s =
            g_strdup_printf("with its __dict__ at 0x%" G_GINT64_MODIFIER "x, %" G_GUINT64_FORMAT " bytes",
                            ha_graph_addr(p->g, from->dict), ha_graph_size(p->g, from->dict));
        append_line(details, s);
    }
    if (roots)
        append_line(note, roots);
    if (from->more) {
        g_autofree char *s = not_drawn(from->more);
        append_line(note->len || from->flags & (HA_NEAR_ROOT | HA_NEAR_WEAK) ? details : note, s);
    }
    to->note = note->len ? g_string_free(g_steal_pointer(&note), FALSE) : NULL;
    to->details = details->len ? g_string_free(g_steal_pointer(&details), FALSE) : NULL;
}

static void
add_sizes(const Painter *p, HaPicNode *to, const GArray *members)
{
    to->count = members->len;
    for (guint i = 0; i < members->len; i++)
        to->size += ha_graph_size(p->g, g_array_index(members, HaId, i));
}

static void
paint_bundle(const Painter *p, HaPicNode *to, const HaNear *from)
{
    g_autoptr(GString) details = g_string_new(NULL);

    add_sizes(p, to, from->members);
    g_string_assign(to->type, shown_type(p, from->id));
    for (guint i = 0; i < from->members->len && i < LISTED; i++) {
        HaId id = g_array_index(from->members, HaId, i);
        g_autofree char *text = content_text(p, id, TRUE);
        g_autofree char *line =
            g_strdup_printf("0x%" G_GINT64_MODIFIER "x %s", ha_graph_addr(p->g, id), text ? text : "");
        append_line(details, line);
    }
    if (from->members->len > LISTED)
        append_line(details, "…");
    if (from->unexamined) {
        g_autofree char *n = ha_text_count(from->members->len - from->unexamined);
        to->note = g_strdup_printf("arrows of a sample of %s", n);
    } else if (from->more) {
        to->note = not_drawn(from->more);
    }
    to->details = g_string_free(g_steal_pointer(&details), FALSE);
}

typedef struct {
    const char *name;
    guint count;
} TypeCount;

static int
compare_counts(gconstpointer a, gconstpointer b)
{
    const TypeCount *x = a, *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->name, y->name);
}

static GArray *
count_types(const Painter *p, const GArray *members)
{
    g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
    GArray *list = g_array_new(FALSE, FALSE, sizeof(TypeCount));
    GHashTableIter iter;
    gpointer name, count;

    for (guint i = 0; i < members->len; i++) {
        const char *type = shown_type(p, g_array_index(members, HaId, i));
        guint n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, type));
        g_hash_table_insert(counts, (gpointer)type, GUINT_TO_POINTER(n + 1));
    }
    g_hash_table_iter_init(&iter, counts);
    while (g_hash_table_iter_next(&iter, &name, &count)) {
        TypeCount c = {name, GPOINTER_TO_UINT(count)};
        g_array_append_val(list, c);
    }
    g_array_sort(list, compare_counts);
    return list;
}

static void
paint_more(const Painter *p, HaPicNode *to, const HaNear *from)
{
    g_autoptr(GArray) types = count_types(p, from->members);
    g_autoptr(GString) note = g_string_new(NULL);
    g_autoptr(GString) details = g_string_new(NULL);
    g_autofree char *count = ha_text_count(from->members->len);

    add_sizes(p, to, from->members);
    g_string_printf(to->type, "… %s more", count);
    for (guint i = 0; i < types->len; i++) {
        const TypeCount *t = &g_array_index(types, TypeCount, i);
        g_autofree char *n = ha_text_count(t->count);
        g_autofree char *line = g_strdup_printf("%s × %s", n, t->name);

        if (i < TYPES_IN_NOTE)
            g_string_append_printf(note, "%s%s", i ? ", " : "", line);
        if (i < LISTED)
            append_line(details, line);
    }
    if (types->len > TYPES_IN_NOTE)
        g_string_append(note, ", …");
    if (types->len > LISTED)
        append_line(details, "…");
    to->flags |= HA_PIC_MORE;
    to->note = g_string_free(g_steal_pointer(&note), FALSE);
    to->details = g_string_free(g_steal_pointer(&details), FALSE);
}

static void
paint_frame(const Painter *p, HaPicNode *to, const HaNear *from)
{
    gsize n;
    const HaFrame *f = &ha_graph_frames(p->g, &n)[from->frame];
    g_autofree char *file = f->line ? g_strdup_printf("%s:%u", f->file, f->line) : g_strdup(f->file);
    g_autofree char *padded = g_strconcat(" at ", file, NULL);
    g_autofree char *brief = shorten_path(padded);

    to->count = 0;
    if (from->id != HA_ID_NONE)
        to->addr = ha_graph_addr(p->g, from->id);
    to->note = thread_text(p, f->thread);
    if (ha_censor_hides_text(p->spec->censor, f->qualname, strlen(f->qualname)) ||
        ha_censor_hides_text(p->spec->censor, file, strlen(file))) {
        g_string_assign(to->type, "running " HA_CENSORED);
        return;
    }
    g_string_printf(to->type, "running %s%s", f->qualname, g_str_has_suffix(f->qualname, ">") ? "" : "()");
    to->text = g_string_new(brief + strlen(" at "));
    to->details = g_steal_pointer(&file);
}

static void
paint_node(const Painter *p, const HaNear *from)
{
    guint index = ha_picture_add_node(p->out, "", 0, picture_flags(from->flags), from->level);
    HaPicNode *to = ha_picture_node(p->out, index);

    switch (from->kind) {
    case HA_NEAR_OBJECT:
        paint_object(p, to, from);
        break;
    case HA_NEAR_BUNDLE:
        paint_bundle(p, to, from);
        break;
    case HA_NEAR_MORE:
        paint_more(p, to, from);
        break;
    case HA_NEAR_FRAME:
        paint_frame(p, to, from);
        break;
    }
}

static void
paint_edge(const Painter *p, const HaNearEdge *e)
{
    const HaNear *from = &g_array_index(p->n->nodes, HaNear, e->from);
    const char *name = e->name;

    if (name &&
        ((from->id != HA_ID_NONE && ha_censor_hides_type(p->spec->censor, ha_graph_type(p->g, from->id)->name)) ||
         ha_censor_hides_text(p->spec->censor, name, strlen(name))))
        name = HA_CENSORED;
    ha_picture_add_edge(p->out, e->from, e->to, picture_flags(e->flags), e->count, name, -1);
}

static void
paint_notes(const Painter *p)
{
    const HaNeighbourhood *n = p->n;

    if (n->root == HA_ID_NONE) {
        ha_picture_note(p->out, "No GC root holds this.");
    } else if (n->root_steps > n->max_depth) {
        g_autofree char *what = title_of(p, n->root);

        ha_picture_note(p->out, "The nearest GC root is %u references away (%s): --max-depth %u shows the path.",
                        n->root_steps, what, n->root_steps);
    }
    if (n->full)
        ha_picture_note(p->out, "More objects than a picture can take: the farthest are not followed.");
}

HaPicture *
ha_heap_picture_new(HaGraph *g, const HaNeighbourhood *n, const HaHeapPictureSpec *spec)
{
    Painter p = {g, n, spec, ha_picture_new(spec->title)};

    for (guint i = 0; i < n->nodes->len; i++)
        paint_node(&p, &g_array_index(n->nodes, HaNear, i));
    for (guint i = 0; i < n->edges->len; i++)
        paint_edge(&p, &g_array_index(n->edges, HaNearEdge, i));
    paint_notes(&p);
    return p.out;
}
