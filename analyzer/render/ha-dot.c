// SPDX-License-Identifier: MIT
#include "render/ha-dot.h"

#include "render/ha-text.h"
#include "text/ha-size.h"

#include <string.h>

/* Longest lines, in columns. The tooltip has the long ones. */
enum {
    TYPE_COLUMNS = 56,
    TEXT_COLUMNS = 56,
    NOTE_COLUMNS = 64,
    NAME_COLUMNS = 40,
    TIP_COLUMNS = 600,
    TITLE_COLUMNS = 120,
    NAMES_OF_AN_EDGE = 3,
    LEGEND_GAP = 6, /* points between its cells */
};

/* libgvc gets slow above these (measured): 300 nodes with edge labels 0.3 s, 1000 nodes 1.8 s. */
enum {
    MANY_NODES = 300,
    LABELLED_EDGES = 2000,
};

#define FONT "Helvetica,Arial,sans-serif"
#define INK  "#1f2328"
#define DIM  "#57606a"
#define PALE "#aab1ba"

#define EXPLANATION                                                                                                    \
    "An arrow goes from the object that refers to the one that is kept alive; its name is the reference's."

typedef struct {
    guint flag;
    const char *fill, *border, *style, *width, *legend;
} Look;

/* First that fits is taken for the fill; the border may come from another (a chosen one that is also highlighted). */
static const Look looks[] = {
    {HA_PIC_HIGHLIGHT, "yellow", "#8a6d00", "filled", "1.2", "highlighted"},
    {HA_PIC_CHOSEN, "#cfe8ff", "#0550ae", "filled,bold", "2.2", "chosen"},
    {HA_PIC_SOURCE, "#ffe0dd", "red", "filled", "2.0", "source, its path"},
    {HA_PIC_EXCLUDED, "#e4e6ea", "#8c959f", "filled,dashed", "1", "excluded, not followed"},
    {HA_PIC_ROOT, "#d7f2df", "#1a7f37", "filled,rounded", "1.2", "GC root: interpreter, thread, module"},
    {HA_PIC_MORE, "#ffffff", "#8c959f", "filled,dashed,rounded", "1", "not drawn one by one"},
    {HA_PIC_WEAK, "#ffffff", "#8c959f", "filled,dashed", "1", "weak: holds nothing"},
    {0, "#f6f8fa", "#6e7781", "filled", "1", NULL},
};

static const Look *
look_of(guint flags)
{
    for (guint i = 0; i < G_N_ELEMENTS(looks); i++)
        if (!looks[i].flag || flags & looks[i].flag)
            return &looks[i];
    return NULL;
}

static char *
safe(const char *raw, gsize n, gsize columns)
{
    GString *s = g_string_new(NULL);

    ha_text_append_safe(s, raw, n, columns);
    return g_string_free(s, FALSE);
}

/* The name's tail says more than its head: "collections.abc.…Reader". */
static char *
safe_type(const GString *type)
{
    g_autofree char *whole = safe(type->str, type->len, 0);
    gsize columns = ha_text_columns(whole);

    if (columns <= TYPE_COLUMNS)
        return g_steal_pointer(&whole);
    const char *p = whole;
    for (gsize skip = columns - TYPE_COLUMNS + 1; skip > 0 && *p; p = g_utf8_next_char(p))
        skip -= MIN(skip, g_unichar_iswide(g_utf8_get_char(p)) ? 2u : 1u);
    return g_strconcat("…", p, NULL);
}

/* A row of a label. The width makes room where the viewer's font is wider than the one that was measured. */
static void
append_row(GString *out, const char *text, const char *size, const char *color, gboolean bold, double em)
{
    gsize columns = ha_text_columns(text);

    g_string_append_printf(out, "<TR><TD ALIGN=\"LEFT\" WIDTH=\"%.0f\"><FONT POINT-SIZE=\"%s\" COLOR=\"%s\">%s",
                           columns * em, size, color, bold ? "<B>" : "");
    ha_dot_append_html(out, text);
    g_string_append_printf(out, "%s</FONT></TD></TR>", bold ? "</B>" : "");
}

static char *
title_line(const HaPicNode *n)
{
    g_autofree char *type = safe_type(n->type);

    if (n->count < 2 || n->flags & (HA_PIC_MORE | HA_PIC_GROUP))
        return g_steal_pointer(&type);
    g_autofree char *count = ha_text_count(n->count);
    return g_strdup_printf("%s × %s", count, type);
}

static char *
facts_line(const HaPicNode *n)
{
    g_autofree char *size = n->size ? ha_size_text(n->size) : NULL;

    if (n->addr)
        return g_strdup_printf("0x%" G_GINT64_MODIFIER "x%s%s", n->addr, size ? " · " : "", size ? size : "");
    return g_steal_pointer(&size);
}

static void
append_tooltip(GString *out, const HaPicNode *n)
{
    g_autofree char *type = safe(n->type->str, n->type->len, TIP_COLUMNS);
    g_autoptr(GString) tip = g_string_new(NULL);

    if (n->count > 1) {
        g_autofree char *count = ha_text_count(n->count);
        g_string_append_printf(tip, "%s objects: ", count);
    }
    g_string_append(tip, type);
    if (n->addr)
        g_string_append_printf(tip, " at 0x%" G_GINT64_MODIFIER "x", n->addr);
    if (n->size)
        g_string_append_printf(tip, ", %" G_GUINT64_FORMAT " bytes", n->size);
    if (n->text && n->text->len) {
        g_string_append_c(tip, '\n');
        ha_text_append_safe(tip, n->text->str, n->text->len, TIP_COLUMNS);
    }
    if (n->note) {
        g_string_append_c(tip, '\n');
        ha_text_append_safe(tip, n->note, strlen(n->note), TIP_COLUMNS);
    }
    if (n->details) {
        g_auto(GStrv) lines = g_strsplit(n->details, "\n", -1);
        for (guint i = 0; lines[i]; i++) {
            g_string_append_c(tip, '\n');
            ha_text_append_safe(tip, lines[i], strlen(lines[i]), TIP_COLUMNS);
        }
    }
    ha_dot_append_tooltip(out, tip->str);
}

/* Names of the nodes, which viewers show too: the address, or a number. Generated ASCII. */
static char **
make_ids(const HaPicture *p)
{
    char **ids = g_new0(char *, p->nodes->len + 1);
    g_autoptr(GHashTable) used = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < p->nodes->len; i++) {
        guint64 addr = ha_picture_node(p, i)->addr;

        ids[i] = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", addr);
        if (!addr || g_hash_table_contains(used, ids[i])) {
            g_free(ids[i]);
            ids[i] = g_strdup_printf("group %u", i);
        }
        g_hash_table_add(used, ids[i]);
    }
    return ids;
}

static void
append_node(GString *out, const HaPicture *p, char *const *ids, guint i)
{
    const HaPicNode *n = ha_picture_node(p, i);
    const Look *fill = look_of(n->flags);
    const Look *border = n->flags & HA_PIC_SOURCE   ? look_of(HA_PIC_SOURCE)
                         : n->flags & HA_PIC_CHOSEN ? look_of(HA_PIC_CHOSEN)
                                                    : fill;
    g_autofree char *title = title_line(n);
    g_autofree char *facts = facts_line(n);

    g_string_append_printf(
        out, "  \"%s\" [label=<<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"0\">", ids[i]);
    if (*title || (!facts && !n->text && !n->note))
        append_row(out, *title ? title : "?", "11", n->flags & HA_PIC_EXCLUDED ? DIM : INK, TRUE, 7.1);
    if (facts)
        append_row(out, facts, "9", DIM, FALSE, 5.1);
    if (n->text && n->text->len) {
        g_autofree char *text = safe(n->text->str, n->text->len, TEXT_COLUMNS);
        append_row(out, text, "10", INK, FALSE, 5.7);
    }
    if (n->note && *n->note) {
        g_autofree char *note = safe(n->note, strlen(n->note), NOTE_COLUMNS);
        append_row(out, note, "9", n->flags & HA_PIC_ROOT ? "#116329" : DIM, FALSE, 5.1);
    }
    g_string_append_printf(out, "</TABLE>>, style=\"%s\", fillcolor=\"%s\", color=\"%s\", penwidth=\"%s\"", fill->style,
                           fill->fill, border->border, border->width);
    if (n->count > 1 && !(n->flags & HA_PIC_MORE))
        g_string_append(out, ", peripheries=2");
    g_string_append_printf(out, ", id=\"node%u\", tooltip=\"", i);
    append_tooltip(out, n);
    g_string_append(out, "\"];\n");
}

/* Edges between the same two nodes become one arrow with a name a line. */
typedef struct {
    guint from, to, flags;
    guint64 refs;
    GPtrArray *names; /* GString *, borrowed from the picture, different ones */
} Arrow;

static void
arrow_free(gpointer data)
{
    Arrow *a = data;

    g_ptr_array_unref(a->names);
    g_free(a);
}

static GPtrArray *
collect_arrows(const HaPicture *p)
{
    GPtrArray *arrows = g_ptr_array_new_with_free_func(arrow_free);
    g_autoptr(GHashTable) index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < p->edges->len; i++) {
        const HaPicEdge *e = ha_picture_edge(p, i);
        g_autofree char *key = g_strdup_printf("%u %u %u", e->from, e->to, e->flags & (HA_PIC_WEAK | HA_PIC_RED));
        Arrow *a = g_hash_table_lookup(index, key);

        if (!a) {
            a = g_new0(Arrow, 1);
            *a = (Arrow){e->from, e->to, e->flags, 0, g_ptr_array_new()};
            g_ptr_array_add(arrows, a);
            g_hash_table_insert(index, g_steal_pointer(&key), a);
        }
        a->refs += e->count;
        gboolean known = !e->name || !e->name->len;
        for (guint k = 0; k < a->names->len && !known; k++)
            known = g_string_equal(g_ptr_array_index(a->names, k), e->name);
        if (!known)
            g_ptr_array_add(a->names, e->name);
    }
    return arrows;
}

static void
append_arrow(GString *out, const HaPicture *p, char *const *ids, const Arrow *a, gboolean labels)
{
    /* away from the chosen ones: a cycle, which says less about who holds them */
    gboolean back = ha_picture_node(p, a->from)->level < ha_picture_node(p, a->to)->level;
    const char *color = a->flags & HA_PIC_RED ? "red" : back ? PALE : a->flags & HA_PIC_WEAK ? "#8c959f" : "#424a53";
    g_autoptr(GString) text = g_string_new(NULL);

    /* one more takes no more room than the line that would say so */
    guint shown = a->names->len > NAMES_OF_AN_EDGE + 1 ? NAMES_OF_AN_EDGE : a->names->len;
    for (guint k = 0; k < shown; k++) {
        const GString *name = g_ptr_array_index(a->names, k);
        g_autofree char *s = safe(name->str, name->len, NAME_COLUMNS);

        g_string_append_printf(text, "%s%s", k ? "\n" : "", s);
    }
    if (a->names->len > shown)
        g_string_append_printf(text, "\n… %u more names", a->names->len - shown);
    else if (a->refs > MAX(a->names->len, 1)) {
        g_autofree char *count = ha_text_count(a->refs);
        g_string_append_printf(text, "%s%s×", text->len ? " " : "", count);
    }

    g_string_append_printf(out, "  \"%s\" -> \"%s\" [color=\"%s\"", ids[a->from], ids[a->to], color);
    if (a->flags & HA_PIC_RED)
        g_string_append(out, ", penwidth=2.2, fontcolor=\"#a00000\"");
    if (a->flags & HA_PIC_WEAK)
        g_string_append(out, ", style=dashed, arrowhead=empty");
    if (a->flags & HA_PIC_WEAK || back)
        g_string_append_printf(out, ", fontcolor=\"%s\"", DIM);
    if (labels && text->len) {
        g_string_append(out, ", label=\"");
        ha_dot_append_label(out, text->str);
        g_string_append(out, " \"");
    }
    g_string_append(out, ", tooltip=\"");
    ha_dot_append_tooltip(out, text->len ? text->str : "unnamed reference");
    /* Ranks follow the distance to what is chosen, whatever cycles there are. */
    g_string_append(out, back ? "\", constraint=false];\n" : "\"];\n");
}

static void
append_legend(GString *out, const HaPicture *p, const GPtrArray *arrows)
{
    guint used = 0, edge_flags = 0;
    gboolean back = FALSE;
    g_autofree char *title = safe(p->title->str, p->title->len, TITLE_COLUMNS);

    for (guint i = 0; i < p->nodes->len; i++)
        used |= ha_picture_node(p, i)->flags;
    for (guint i = 0; i < arrows->len; i++) {
        const Arrow *a = g_ptr_array_index(arrows, i);
        edge_flags |= a->flags;
        back |= ha_picture_node(p, a->from)->level < ha_picture_node(p, a->to)->level;
    }

    g_string_append(out, "  label=<<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"2\">");
    append_row(out, title, "12", INK, TRUE, 7.4);
    append_row(out, back ? EXPLANATION " Pale ones lead away from what is chosen." : EXPLANATION, "9", DIM, FALSE, 5.1);
    for (guint i = 0; i < p->notes->len; i++) {
        const char *raw = g_ptr_array_index(p->notes, i);
        g_autofree char *note = safe(raw, strlen(raw), TITLE_COLUMNS);
        append_row(out, note, "9", DIM, FALSE, 5.1);
    }
    g_autoptr(GString) cells = g_string_new(NULL);
    double width = LEGEND_GAP;
    for (guint i = 0; i < G_N_ELEMENTS(looks); i++) {
        if (!(looks[i].flag & used))
            continue;
        double cell = strlen(looks[i].legend) * 5.3 + 14;
        width += cell + 2 * LEGEND_GAP;
        g_string_append_printf(cells,
                               "<TD BORDER=\"1\" COLOR=\"%s\" BGCOLOR=\"%s\" WIDTH=\"%.0f\"><FONT POINT-SIZE=\"9\" "
                               "COLOR=\"%s\">%s</FONT></TD>",
                               looks[i].border, looks[i].fill, cell, INK, looks[i].legend);
    }
    if (edge_flags & HA_PIC_WEAK && !(used & HA_PIC_WEAK)) {
        width += 90;
        g_string_append_printf(cells, "<TD><FONT POINT-SIZE=\"9\" COLOR=\"%s\">dashed: weak</FONT></TD>", DIM);
    }
    /* Of a fixed size: else the cells would be stretched to the width of the title. */
    if (cells->len)
        g_string_append_printf(out,
                               "<TR><TD ALIGN=\"LEFT\"><TABLE ALIGN=\"LEFT\" FIXEDSIZE=\"TRUE\" WIDTH=\"%.0f\" "
                               "HEIGHT=\"32\" BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"%d\" "
                               "CELLPADDING=\"2\"><TR>%s</TR></TABLE></TD></TR>",
                               width, LEGEND_GAP, cells->str);
    g_string_append(out, "</TABLE>>;\n");
}

char *
ha_dot_write(const HaPicture *p)
{
    GString *out = g_string_new("digraph heap {\n");
    g_autoptr(GPtrArray) arrows = collect_arrows(p);
    g_auto(GStrv) ids = make_ids(p);
    gboolean many = p->nodes->len > MANY_NODES;

    g_string_append(out, "  charset=\"UTF-8\"; rankdir=LR; ranksep=0.45; nodesep=0.18; pad=0.25; bgcolor=\"white\";\n"
                         "  labelloc=b; labeljust=l; fontname=\"" FONT "\"; nslimit=0.1; nslimit1=0.1;");
    /* Measured: above some hundred nodes curved edges and more tries at crossings cost more than they help. */
    g_string_append(out, many ? " mclimit=0.1; splines=line;\n" : "\n");
    g_string_append(out, "  node [shape=box, fontname=\"" FONT "\", fontsize=11, margin=\"0.12,0.06\"];\n"
                         "  edge [fontname=\"" FONT "\", fontsize=9, fontcolor=\"" INK "\", arrowsize=0.7];\n");
    append_legend(out, p, arrows);
    for (guint i = 0; i < p->nodes->len; i++)
        append_node(out, p, ids, i);
    for (guint i = 0; i < arrows->len; i++)
        append_arrow(out, p, ids, g_ptr_array_index(arrows, i), arrows->len <= LABELLED_EDGES);
    g_string_append(out, "}\n");
    return g_string_free(out, FALSE);
}
