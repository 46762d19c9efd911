// SPDX-License-Identifier: MIT
/* The selection as one DOT graph: all of it, for other programs; pictures for people are made by render/. */
#include <string.h>

#include "commands/ha-line.h"
#include "export/ha-export.h"
#include "render/ha-text.h"
#include "text/ha-root-text.h"

#define CONTENT_COLUMNS 40

static void
append_label(GString *label, const char *raw, gsize n, gsize columns)
{
    g_autoptr(GString) safe = g_string_new(NULL);
    ha_text_append_safe(safe, raw, n, columns);
    ha_dot_append_label(label, safe->str);
}

static void
write_node(const HaContext *c, HaOut *out, HaId id)
{
    const HaGraph *g = c->graph;
    const char *type = ha_graph_type(g, id)->name;
    gsize n;
    const char *content = ha_graph_content(g, id, &n);
    g_autoptr(GString) label = g_string_new(NULL);
    append_label(label, type, strlen(type), 0);
    if (content != NULL && n > 0) {
        g_string_append(label, "\\n");
        append_label(label, content, n, CONTENT_COLUMNS);
    }
    ha_out_printf(out, "n%" G_GINT64_MODIFIER "x [label=\"%s\", size_bytes=%" G_GUINT64_FORMAT "%s];\n",
                  ha_graph_addr(g, id), label->str, ha_graph_size(g, id),
                  ha_is_root(g, c->ledger, id) ? ", root=true" : "");
}

static void
write_edges(const HaContext *c, HaOut *out, HaId id)
{
    const HaGraph *g = c->graph;
    gsize n;
    const HaId *refs = ha_graph_referents(g, id, &n);
    for (gsize i = 0; i < n; i++) {
        if (!ha_bits_get(c->chosen, refs[i]))
            continue;
        ha_out_printf(out, "n%" G_GINT64_MODIFIER "x -> n%" G_GINT64_MODIFIER "x", ha_graph_addr(g, id),
                      ha_graph_addr(g, refs[i]));
        g_autofree char *name = ha_graph_ref_text(g, id, i);
        g_autoptr(GString) label = g_string_new(NULL);
        if (name != NULL)
            append_label(label, name, strlen(name), 0);
        gboolean weak = (ha_graph_ref_flags(g, id, i) & HF_RUN_WEAK) != 0;
        if (name != NULL || weak)
            ha_out_printf(out, " [label=\"%s\"%s]", label->str, weak ? ", style=dashed" : "");
        ha_out_text(out, ";\n");
    }
}

void
ha_export_dot(const HaContext *c, HaOut *out)
{
    guint32 n = ha_graph_n_objects(c->graph);
    ha_out_text(out, "digraph heap {\nnode [shape=box];\n");
    for (HaId id = 0; id < n && !ha_out_stopped(out); id++)
        if (ha_bits_get(c->chosen, id))
            write_node(c, out, id);
    for (HaId id = 0; id < n && !ha_out_stopped(out); id++)
        if (ha_bits_get(c->chosen, id))
            write_edges(c, out, id);
    ha_out_text(out, "}\n");
}
