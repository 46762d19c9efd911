// SPDX-License-Identifier: MIT
#include "ha-line.h"

#include <string.h>

#include "text/ha-escape.h"
#include "text/ha-root-text.h"

#define NAMES_SHOWN 3

/* Bytes of a content whose text is no longer than so many bytes would be of themselves: four signs may stand for one of them. */
static gsize
shown_of(const char *content, gsize n, gsize max)
{
    gsize shown = 0;
    glong signs = 0;

    if (n <= max / 4)
        return n;
    while (shown < n) {
        guint32 c;
        guint length = MAX(ha_utf8_decode(content + shown, n - shown, &c), 1);
        g_autofree char *text = ha_escape(content + shown, MIN(length, n - shown), G_MAXSIZE);
        signs += g_utf8_strlen(text, -1);
        if (shown + length > max || signs > (glong)max)
            break;
        shown += length;
    }
    return shown;
}

void
ha_line_object(const HaContext *c, HaId id, gsize content_max)
{
    const char *type = ha_graph_type(c->graph, id)->name;
    ha_out_printf(c->out, "- %8" G_GUINT64_FORMAT " %016" G_GINT64_MODIFIER "x ", ha_graph_size(c->graph, id),
                  ha_graph_addr(c->graph, id));
    ha_out_escaped(c->out, type, strlen(type), G_MAXSIZE);
    gsize n;
    const char *content = ha_graph_content(c->graph, id, &n);
    if (content == NULL || n == 0)
        return;
    guint64 whole;
    gsize shown = shown_of(content, n, content_max);
    gboolean cut = ha_graph_content_whole(c->graph, id, &whole) && n == shown;
    ha_out_char(c->out, ' ');
    ha_out_escaped(c->out, content, n, shown);
    if (cut)
        ha_out_text(c->out, "…");
}

void
ha_json_content(HaJson *j, const HaGraph *g, HaId id)
{
    gsize n;
    const char *content = ha_graph_content(g, id, &n);
    if (content == NULL)
        ha_json_null(j);
    else
        ha_json_bytes(j, content, n);
}

void
ha_json_thread(HaJson *j, const HaGraph *g, const HaThread *thread)
{
    const struct {
        const char *key;
        guint64 number;
        gboolean truth;
    } members[] = {{"ident", thread->ident, FALSE},
                   {"native_id", thread->native_id, FALSE},
                   {"main", (thread->flags & HF_THREAD_MAIN) != 0, TRUE},
                   {"gil", (thread->flags & HF_THREAD_GIL) != 0, TRUE}};
    for (guint i = 0; i < G_N_ELEMENTS(members); i++) {
        ha_json_key(j, members[i].key);
        if (ha_graph_is_foreign(g))
            ha_json_null(j);
        else if (members[i].truth)
            ha_json_bool(j, members[i].number != 0);
        else
            ha_json_uint(j, members[i].number);
    }
}

void
ha_json_gc(HaJson *j, const HaGraph *g, HaId id)
{
    gboolean tracked = (ha_graph_flags(g, id) & HF_OBJ_GC) != 0;
    ha_json_key(j, "gc");
    if (!tracked && ha_graph_is_foreign(g))
        ha_json_null(j); /* or it was met as a referent of another before */
    else
        ha_json_bool(j, tracked);
}

void
ha_json_object_members(HaJson *j, const HaContext *c, HaId id)
{
    const HaGraph *g = c->graph;
    guint64 count;
    ha_json_key(j, "addr");
    ha_json_addr(j, ha_graph_addr(g, id));
    ha_json_key(j, "type");
    ha_json_text(j, ha_graph_type(g, id)->name);
    ha_json_key(j, "size");
    ha_json_uint(j, ha_graph_size(g, id));
    ha_json_key(j, "real_size");
    ha_json_known(j, !ha_graph_is_foreign(g), ha_graph_real_size(g, id));
    ha_json_key(j, "refcount");
    if (ha_graph_refcount(g, id, &count))
        ha_json_uint(j, count);
    else
        ha_json_null(j);
    ha_json_gc(j, g, id);
    ha_json_key(j, "content");
    ha_json_content(j, g, id);
    ha_json_key(j, "root");
    ha_json_begin_array(j);
    g_autoptr(GPtrArray) roots = ha_root_texts(g, c->ledger, id);
    for (guint i = 0; i < roots->len; i++)
        ha_json_text(j, roots->pdata[i]);
    ha_json_end_array(j);
}

char *
ha_edge_text(const HaGraph *g, HaId from, HaId to, gsize first, gsize count)
{
    GString *text = g_string_new(NULL);
    gsize n, shown = 0;
    const HaId *refs = ha_graph_referents(g, from, &n);
    for (gsize i = first; i < n && shown < MIN(count, NAMES_SHOWN); i++) {
        if (refs[i] != to)
            continue;
        g_autofree char *name = ha_graph_ref_text(g, from, i);
        g_string_append(text, shown > 0 ? ", " : "");
        if (name == NULL)
            g_string_append(text, "?");
        else
            ha_escape_append(text, name, strlen(name), 200, HA_ESCAPE_AGAIN);
        shown++;
    }
    if (count > shown)
        g_string_append_printf(text, ", … %" G_GSIZE_FORMAT " more", count - shown);
    return g_string_free(text, FALSE);
}

void
ha_note_items(const HaContext *c)
{
    if (!ha_graph_tells_items(c->graph))
        ha_note("'%s' does not tell how many items containers have, as no dump of dump-heap does: they are compared by "
                "their own sizes alone",
                c->dump_name);
}
