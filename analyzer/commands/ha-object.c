// SPDX-License-Identifier: MIT
/* heapanalyze object: all that the dump tells about one object. */
#include <string.h>

#include "commands/ha-commands.h"
#include "commands/ha-line.h"
#include "commands/ha-object-holders.h"
#include "commands/ha-object-list.h"
#include "text/ha-root-text.h"
#include "text/ha-size.h"

static const HaOption options[] = {{.name = "limit",
                                    .kind = HA_OPTION_NUMBER,
                                    .arg = "N",
                                    .fallback = "50",
                                    .help = "references in each direction, 0 for all"},
                                   {.name = "json", .kind = HA_OPTION_FLAG, .help = "the same as JSON"},
                                   {0}};

#define HOLDERS_SHOWN 10

static gboolean
parse_address(const char *text, guint64 *out)
{
    if (g_str_has_prefix(text, "0x") || g_str_has_prefix(text, "0X"))
        text += 2;
    return g_ascii_string_to_unsigned(text, 16, 0, G_MAXUINT64, out, NULL);
}

static void
write_whole(HaOut *out, guint64 whole)
{
    if (whole == HA_WHOLE_UNKNOWN)
        ha_out_text(out, "… (perhaps more)");
    else
        ha_out_printf(out, "… (%" G_GUINT64_FORMAT " in all)", whole);
}

static void
write_facts(HaContext *c, HaId id, const HaHolders *holders)
{
    static const struct {
        guint32 flag;
        const char *text;
    } flags[] = {{HF_OBJ_GC, "tracked by the collector"},
                 {HF_OBJ_IMMORTAL, "immortal"},
                 {HF_OBJ_INTERNED, "interned"},
                 {HF_OBJ_FROZEN, "frozen by gc.freeze(): never collected"},
                 {HF_OBJ_BROKEN, "could not be read whole: references may be missing"},
                 {HF_OBJ_SIZE_UNKNOWN, "size is a lower bound"}};
    const HaGraph *g = c->graph;
    HaOut *out = c->out;
    const HaType *type = ha_graph_type(g, id);
    ha_out_printf(out, "address   0x%" G_GINT64_MODIFIER "x\ntype      ", ha_graph_addr(g, id));
    ha_out_escaped(out, type->name, strlen(type->name), G_MAXSIZE);
    ha_out_printf(out, " (0x%" G_GINT64_MODIFIER "x)\n", type->addr);
    g_autofree char *size = ha_size_text(ha_graph_size(g, id));
    ha_out_printf(out, "size      %" G_GUINT64_FORMAT " (%s)", ha_graph_size(g, id), size);
    if (ha_graph_real_size(g, id) != ha_graph_size(g, id))
        ha_out_printf(out, ", really %" G_GUINT64_FORMAT, ha_graph_real_size(g, id));
    guint64 count, whole;
    ha_out_char(out, '\n');
    if (holders != NULL)
        ha_holders_write_size(holders);
    if (ha_graph_refcount(g, id, &count))
        ha_out_printf(out, "refcount  %" G_GUINT64_FORMAT "\n", count);
    else
        ha_out_printf(out, "refcount  %s\n", ha_graph_flags(g, id) & HF_OBJ_IMMORTAL ? "immortal" : "unknown");
    for (guint i = 0; i < G_N_ELEMENTS(flags); i++)
        if (ha_graph_flags(g, id) & flags[i].flag)
            ha_out_printf(out, "flag      %s\n", flags[i].text);
    if (!ha_bits_get(c->live, id))
        ha_out_text(out, "garbage   a collection would free it\n");
    gsize n;
    const char *content = ha_graph_content(g, id, &n);
    if (content != NULL) {
        ha_out_text(out, "content   ");
        ha_out_escaped(out, content, n, G_MAXSIZE);
        if (ha_graph_content_whole(g, id, &whole))
            write_whole(out, whole);
        ha_out_char(out, '\n');
    }
    g_autoptr(GPtrArray) roots = ha_root_texts(g, c->ledger, id);
    for (guint i = 0; i < roots->len; i++) {
        ha_out_text(out, "root      ");
        ha_out_escaped(out, roots->pdata[i], strlen(roots->pdata[i]), G_MAXSIZE);
        ha_out_char(out, '\n');
    }
}

static void
write_edge(HaContext *c, HaId from, gsize i, HaId shown)
{
    g_autofree char *name = ha_graph_ref_text(c->graph, from, i);
    ha_out_text(c->out, "  ");
    ha_line_object(c, shown, HA_PARENT_CONTENT_SHOWN);
    ha_out_text(c->out, " via ");
    ha_out_escaped_again(c->out, name != NULL ? name : "?");
    if (ha_graph_ref_flags(c->graph, from, i) & HF_RUN_WEAK)
        ha_out_text(c->out, " (weak)");
    ha_out_char(c->out, '\n');
}

static void
json_edge(HaJson *j, HaContext *c, HaId from, gsize i, HaId shown)
{
    g_autofree char *name = ha_graph_ref_text(c->graph, from, i);
    ha_json_newline(j);
    ha_json_begin_object(j);
    ha_json_key(j, "name");
    ha_json_text(j, name);
    ha_json_key(j, "weak");
    ha_json_bool(j, (ha_graph_ref_flags(c->graph, from, i) & HF_RUN_WEAK) != 0);
    ha_json_object_members(j, c, shown);
    ha_json_end_object(j);
}

/* Each reference to id, one after the other: which object, and which of its references. */
typedef void (*EdgeFn)(HaContext *c, HaId from, gsize i, gpointer user);

static guint64
each_referrer(HaContext *c, HaId id, guint64 limit, EdgeFn what, gpointer user)
{
    gsize n, m;
    guint64 done = 0;
    const HaId *from = ha_graph_referrers(c->graph, id, &n);
    for (gsize k = 0; k < n && done < limit; k++) {
        if (k > 0 && from[k] == from[k - 1])
            continue;
        const HaId *refs = ha_graph_referents(c->graph, from[k], &m);
        for (gsize i = 0; i < m && done < limit; i++)
            if (refs[i] == id) {
                what(c, from[k], i, user);
                done++;
            }
    }
    return n - done;
}

static void
text_referrer(HaContext *c, HaId from, gsize i, gpointer user)
{
    (void)user;
    write_edge(c, from, i, from);
}

static void
json_referrer(HaContext *c, HaId from, gsize i, gpointer user)
{
    json_edge(user, c, from, i, from);
}

static void
write_text(HaContext *c, HaId id, guint64 limit, const HaHolders *holders)
{
    gsize n, m;
    const HaId *refs = ha_graph_referents(c->graph, id, &n);
    ha_graph_referrers(c->graph, id, &m);
    write_facts(c, id, holders);
    if (holders != NULL)
        ha_holders_write(holders);
    ha_out_printf(c->out, "\nrefers to %" G_GSIZE_FORMAT ":\n", n);
    for (gsize i = 0; i < MIN(n, limit); i++)
        write_edge(c, id, i, refs[i]);
    if (n > limit)
        ha_out_printf(c->out, "  … and %" G_GUINT64_FORMAT " more\n", n - limit);
    ha_out_printf(c->out, "\nreferred to by %" G_GSIZE_FORMAT ":\n", m);
    guint64 left = each_referrer(c, id, limit, text_referrer, NULL);
    if (left > 0)
        ha_out_printf(c->out, "  … and %" G_GUINT64_FORMAT " more\n", left);
}

static void
write_json(HaContext *c, HaId id, guint64 limit, const HaHolders *holders)
{
    gsize n, m;
    guint64 whole;
    HaJson j;
    const HaId *refs = ha_graph_referents(c->graph, id, &n);
    ha_graph_referrers(c->graph, id, &m);
    ha_json_init(&j, c->out);
    ha_json_begin_object(&j);
    ha_json_object_members(&j, c, id);
    ha_json_key(&j, "content_length");
    if (ha_graph_content_whole(c->graph, id, &whole) && whole != HA_WHOLE_UNKNOWN)
        ha_json_uint(&j, whole);
    else
        ha_json_null(&j);
    ha_json_key(&j, "type_addr");
    ha_json_addr(&j, ha_graph_type(c->graph, id)->addr);
    ha_json_key(&j, "garbage");
    if (ha_graph_is_foreign(c->graph))
        ha_json_null(&j);
    else
        ha_json_bool(&j, !ha_bits_get(c->live, id));
    if (holders != NULL)
        ha_holders_json(holders, &j);
    ha_json_key(&j, "n_referents");
    ha_json_uint(&j, n);
    ha_json_key(&j, "referents");
    ha_json_begin_array(&j);
    for (gsize i = 0; i < MIN(n, limit); i++)
        json_edge(&j, c, id, i, refs[i]);
    ha_json_end_array(&j);
    ha_json_key(&j, "n_referrers");
    ha_json_uint(&j, m);
    ha_json_key(&j, "referrers");
    ha_json_begin_array(&j);
    each_referrer(c, id, limit, json_referrer, &j);
    ha_json_end_array(&j);
    ha_json_end_object(&j);
    ha_json_newline(&j);
}

static gboolean
run(HaContext *c, GError **error)
{
    guint64 addr;
    if (!parse_address(c->args[0], &addr)) {
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE,
                    "'%s' is no address: give one as 'top' prints it, like 0x7f12ab345680", c->args[0]);
        return FALSE;
    }
    HaId id = ha_graph_lookup(c->graph, addr);
    if (id == HA_ID_NONE)
        return ha_no_object_at(c->graph, c->dump_name, c->args[0], addr, error);
    if (!ha_graph_need_referrers(c->graph, error))
        return FALSE;
    guint limit = ha_options_number(c->options, "limit");
    g_autoptr(HaHolders) holders = NULL;
    if (ha_bits_get(c->live, id)) {
        holders = ha_holders_new(c, id, HOLDERS_SHOWN, error);
        if (holders == NULL)
            return FALSE;
    }
    if (ha_options_flag(c->options, "json"))
        write_json(c, id, limit != 0 ? limit : G_MAXUINT64, holders);
    else
        write_text(c, id, limit != 0 ? limit : G_MAXUINT64, holders);
    return TRUE;
}

const HaCommand ha_command_object = {.name = "object",
                                     .summary = "One object: type, sizes, content, what keeps it alive, what would be "
                                                "free without that, and references by name",
                                     .args = "ADDR",
                                     .min_args = 1,
                                     .max_args = 1,
                                     .examples = "  heapanalyze object 0x7f12ab345680 app.heap.zst\n"
                                                 "  heapanalyze object 00007f12ab345680 --json\n",
                                     .options = options,
                                     .run = run};
