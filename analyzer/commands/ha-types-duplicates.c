// SPDX-License-Identifier: MIT
/* heapanalyze types --duplicates */
#include <string.h>

#include "analyses/ha-duplicates.h"
#include "commands/ha-line.h"
#include "commands/ha-types-private.h"
#include "graph/ha-memory.h"
#include "text/ha-escape.h"
#include "text/ha-size.h"

#define ITEMS_SHOWN   4
#define CONTENT_SHOWN 60

static const char *const kinds[HA_DUPLICATE_KINDS] = {
    [HA_DUPLICATE_STR] = "str", [HA_DUPLICATE_BYTES] = "bytes", [HA_DUPLICATE_TUPLE] = "tuple"};

/* Texts between quotation marks: many that come often are nothing but white space. FALSE: the dump has no content. */
static gboolean
write_content(const HaContext *c, HaId id, gsize most)
{
    gsize n;
    guint8 family = ha_graph_type(c->graph, id)->family;
    const char *content = ha_graph_content(c->graph, id, &n);
    if (content == NULL)
        return FALSE;
    if (family != HF_FAMILY_STR && family != HF_FAMILY_BYTES) {
        ha_out_escaped(c->out, content, n, most);
        return TRUE;
    }
    g_autoptr(GString) text = g_string_new(family == HF_FAMILY_BYTES ? "b'" : "'");
    ha_escape_append(text, content, n, most, HA_ESCAPE_QUOTED);
    g_string_append_c(text, '\'');
    ha_out_bytes(c->out, text->str, text->len);
    return TRUE;
}

/* What an object is, in a few words: a string its content, a tuple its first items. */
static void
write_value(const HaContext *c, HaId id)
{
    gsize n;
    if (write_content(c, id, CONTENT_SHOWN) || ha_graph_type(c->graph, id)->family != HF_FAMILY_TUPLE)
        return;
    const HaId *items = ha_graph_referents(c->graph, id, &n);
    HaRefName name = {.kind = HF_RUN_INDEX};
    if (n > 0)
        ha_graph_ref_name(c->graph, id, 0, &name);
    gboolean ordered = name.kind == HF_RUN_INDEX; /* else its items, in any order */
    for (gsize i = 0; i < MIN(n, ITEMS_SHOWN); i++) {
        const char *type = ha_graph_type(c->graph, items[i])->name;
        ha_out_text(c->out, i > 0 ? ", " : ordered ? "(" : "of ");
        if (!write_content(c, items[i], CONTENT_SHOWN / ITEMS_SHOWN))
            ha_out_escaped(c->out, type, strlen(type), G_MAXSIZE);
    }
    if (ordered)
        ha_out_text(c->out, n == 0 ? "()" : n > ITEMS_SHOWN ? ", …)" : n == 1 ? ",)" : ")");
    else if (n > ITEMS_SHOWN)
        ha_out_text(c->out, ", …");
}

static void
write_text(const HaContext *c, const HaVec *groups, gsize lines, const HaDuplicateTotal *totals)
{
    HaOut *out = c->out;
    ha_out_printf(out, "%10s %14s %14s %10s  %s\n", "count", "bytes", "wasted", "", "what");
    for (gsize i = 0; i < MIN(groups->n, lines) && !ha_out_stopped(out); i++) {
        const HaDuplicates *group = (const HaDuplicates *)groups->data + i;
        const char *type = ha_graph_type(c->graph, group->first)->name;
        g_autofree char *size = ha_size_text(group->wasted);
        ha_out_printf(out, "%10" G_GUINT64_FORMAT " %14" G_GUINT64_FORMAT " %14" G_GUINT64_FORMAT " %10s  ",
                      group->count, group->bytes, group->wasted, size);
        ha_out_escaped(out, type, strlen(type), G_MAXSIZE);
        ha_out_char(out, ' ');
        write_value(c, group->first);
        ha_out_char(out, '\n');
    }
    if (groups->n > lines)
        ha_out_printf(out, "… and %" G_GSIZE_FORMAT " more\n", groups->n - lines);
    for (guint k = 0; k < HA_DUPLICATE_KINDS; k++) {
        const HaDuplicateTotal *t = &totals[k];
        g_autofree char *size = ha_size_text(t->wasted);
        ha_out_printf(out,
                      "%10" G_GUINT64_FORMAT " %14" G_GUINT64_FORMAT " %14" G_GUINT64_FORMAT
                      " %10s  all of %s: %" G_GUINT64_FORMAT " come%s more than once",
                      t->count, t->bytes, t->wasted, size, kinds[k], t->groups, t->groups == 1 ? "s" : "");
        if (t->unknown > 0) {
            g_autofree char *unknown = ha_size_text(t->unknown_bytes);
            ha_out_printf(out, "; %" G_GUINT64_FORMAT " not known whole (%s)", t->unknown, unknown);
        }
        ha_out_char(out, '\n');
    }
}

static void
write_json(const HaContext *c, const HaVec *groups, gsize lines, const HaDuplicateTotal *totals)
{
    HaJson j;
    ha_json_init(&j, c->out);
    ha_json_begin_object(&j);
    ha_json_key(&j, "groups");
    ha_json_uint(&j, groups->n);
    ha_json_key(&j, "duplicates");
    ha_json_begin_array(&j);
    for (gsize i = 0; i < MIN(groups->n, lines) && !ha_out_stopped(c->out); i++) {
        const HaDuplicates *group = (const HaDuplicates *)groups->data + i;
        ha_json_newline(&j);
        ha_json_begin_object(&j);
        ha_json_key(&j, "count");
        ha_json_uint(&j, group->count);
        ha_json_key(&j, "bytes");
        ha_json_uint(&j, group->bytes);
        ha_json_key(&j, "wasted");
        ha_json_uint(&j, group->wasted);
        ha_json_key(&j, "one");
        ha_json_begin_object(&j);
        ha_json_object_members(&j, c, group->first);
        ha_json_end_object(&j);
        ha_json_end_object(&j);
    }
    ha_json_end_array(&j);
    ha_json_key(&j, "totals");
    ha_json_begin_array(&j);
    for (guint k = 0; k < HA_DUPLICATE_KINDS; k++) {
        const struct {
            const char *key;
            guint64 value;
        } members[] = {{"count", totals[k].count},     {"bytes", totals[k].bytes},
                       {"unknown", totals[k].unknown}, {"unknown_bytes", totals[k].unknown_bytes},
                       {"groups", totals[k].groups},   {"wasted", totals[k].wasted}};
        ha_json_newline(&j);
        ha_json_begin_object(&j);
        ha_json_key(&j, "kind");
        ha_json_text(&j, kinds[k]);
        for (guint i = 0; i < G_N_ELEMENTS(members); i++) {
            ha_json_key(&j, members[i].key);
            ha_json_uint(&j, members[i].value);
        }
        ha_json_end_object(&j);
    }
    ha_json_end_array(&j);
    ha_json_end_object(&j);
    ha_json_newline(&j);
}

gboolean
ha_types_duplicates(HaContext *c, GError **error)
{
    HaDuplicateTotal totals[HA_DUPLICATE_KINDS];
    g_autoptr(HaTypeSet) wanted = ha_types_wanted(c, c->graph);
    g_autoptr(HaBits) chosen = ha_bits_new(ha_graph_n_objects(c->graph), FALSE);
    if (chosen == NULL) {
        ha_memory_fail(error, "to compare the objects");
        return FALSE;
    }
    for (HaId id = 0; id < ha_graph_n_objects(c->graph); id++)
        if (ha_bits_get(c->chosen, id) &&
            (wanted == NULL || ha_type_set_has(wanted, ha_graph_type_index(c->graph, id))))
            ha_bits_set(chosen, id);
    HaVec groups;
    if (!ha_duplicates_find(c->graph, chosen, totals, &groups, error))
        return FALSE;
    guint limit = ha_options_number(c->options, "limit");
    gsize lines = limit != 0 ? limit : G_MAXSIZE;
    if (ha_options_flag(c->options, "json"))
        write_json(c, &groups, lines, totals);
    else
        write_text(c, &groups, lines, totals);
    ha_vec_clear(&groups);
    return TRUE;
}
