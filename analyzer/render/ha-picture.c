// SPDX-License-Identifier: MIT
#include "render/ha-picture.h"

#include <string.h>

static void
clear_node(gpointer data)
{
    HaPicNode *n = data;

    if (n->type)
        g_string_free(n->type, TRUE);
    if (n->text)
        g_string_free(n->text, TRUE);
    g_free(n->note);
    g_free(n->details);
}

static void
clear_edge(gpointer data)
{
    HaPicEdge *e = data;

    if (e->name)
        g_string_free(e->name, TRUE);
}

HaPicture *
ha_picture_new(const char *title)
{
    HaPicture *p = g_new0(HaPicture, 1);

    p->nodes = g_array_new(FALSE, TRUE, sizeof(HaPicNode));
    g_array_set_clear_func(p->nodes, clear_node);
    p->edges = g_array_new(FALSE, TRUE, sizeof(HaPicEdge));
    g_array_set_clear_func(p->edges, clear_edge);
    p->title = g_string_new(title);
    p->notes = g_ptr_array_new_with_free_func(g_free);
    return p;
}

void
ha_picture_free(HaPicture *p)
{
    if (!p)
        return;
    g_array_unref(p->nodes);
    g_array_unref(p->edges);
    g_string_free(p->title, TRUE);
    g_ptr_array_unref(p->notes);
    g_free(p);
}

guint
ha_picture_add_node(HaPicture *p, const char *type, gssize type_len, guint flags, guint level)
{
    HaPicNode n = {.count = 1, .flags = flags, .level = level};

    n.type = g_string_new_len(type ? type : "", type ? type_len : 0);
    g_array_append_val(p->nodes, n);
    return p->nodes->len - 1;
}

HaPicNode *
ha_picture_node(const HaPicture *p, guint i)
{
    g_assert(i < p->nodes->len);
    return &g_array_index(p->nodes, HaPicNode, i);
}

HaPicEdge *
ha_picture_edge(const HaPicture *p, guint i)
{
    g_assert(i < p->edges->len);
    return &g_array_index(p->edges, HaPicEdge, i);
}

HaPicEdge *
ha_picture_add_edge(HaPicture *p, guint from, guint to, guint flags, guint64 count, const char *name, gssize name_len)
{
    HaPicEdge e = {.from = from, .to = to, .flags = flags, .count = count};

    g_assert(from < p->nodes->len && to < p->nodes->len);
    if (name)
        e.name = g_string_new_len(name, name_len);
    g_array_append_val(p->edges, e);
    return ha_picture_edge(p, p->edges->len - 1);
}

void
ha_picture_note(HaPicture *p, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    g_ptr_array_add(p->notes, g_strdup_vprintf(format, ap));
    va_end(ap);
}
