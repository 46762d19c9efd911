// SPDX-License-Identifier: MIT
#include "ha-object-holders.h"

#include <string.h>

#include "analyses/ha-clearing.h"
#include "analyses/ha-paths.h"
#include "commands/ha-line.h"
#include "commands/ha-path-line.h"
#include "graph/ha-memory.h"
#include "text/ha-size.h"

#define LEAST_PERCENT 5

/* Something that refers to the object. */
typedef struct {
    HaId id; /* HA_ID_NONE: a root holds the object itself */
    guint32 distance;
    gsize ref;     /* the first strong one to the object */
    HaHeldBy held; /* where id is none */
} Holder;

struct HaHolders {
    HaContext *c;
    HaId id;
    HaDominators *dominators; /* owned */
    HaReach *reach;           /* owned; no way leads through the object */
    GArray *holders;          /* Holder, the nearest to a root first; owned */
    guint64 n;                /* how many there are at all */
};

static gint
compare(gconstpointer left, gconstpointer right)
{
    const Holder *a = left, *b = right;

    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static void
add(HaHolders *h, guint most, Holder holder)
{
    h->n++;
    if (h->holders->len == most && most > 0 && compare(&holder, &g_array_index(h->holders, Holder, most - 1)) >= 0)
        return;
    guint at = h->holders->len;
    while (at > 0 && compare(&holder, &g_array_index(h->holders, Holder, at - 1)) < 0)
        at--;
    g_array_insert_val(h->holders, at, holder);
    if (h->holders->len > most)
        g_array_set_size(h->holders, most);
}

static void
find(HaHolders *h, guint most)
{
    HaContext *c = h->c;
    g_autoptr(GArray) held = g_array_new(FALSE, FALSE, sizeof(HaHeldBy));
    gsize n;
    const HaId *from = ha_graph_referrers(c->graph, h->id, &n);
    HaWeakView weak = ha_graph_weak_referrers(c->graph, h->id);

    ha_held_by(c->graph, c->ledger, h->id, held);
    for (guint i = 0; i < held->len; i++) {
        const HaHeldBy *one = &g_array_index(held, HaHeldBy, i);
        add(h, most, (Holder){.id = HA_ID_NONE, .distance = ha_reach_root_distance(one), .held = *one});
    }
    HaId last = HA_ID_NONE;
    for (gsize i = 0; i < n; i++) {
        if (from[i] == last || from[i] == h->id || ha_weak(&weak, i) || !ha_bits_get(c->live, from[i]) ||
            ha_reach_distance(h->reach, from[i]) == HA_REACH_NOT)
            continue;
        last = from[i];
        add(h, most, (Holder){.id = from[i], .distance = ha_reach_distance(h->reach, from[i])});
    }
    for (guint i = 0; i < h->holders->len; i++) {
        Holder *holder = &g_array_index(h->holders, Holder, i);
        const HaId *refs = holder->id != HA_ID_NONE ? ha_graph_referents(c->graph, holder->id, &n) : NULL;

        if (refs == NULL)
            continue;
        weak = ha_graph_weak_referents(c->graph, holder->id);
        while (holder->ref + 1 < n && (refs[holder->ref] != h->id || ha_weak(&weak, holder->ref)))
            holder->ref++;
    }
}

HaHolders *
ha_holders_new(HaContext *c, HaId id, guint most, GError **error)
{
    g_autoptr(HaHolders) h = g_new0(HaHolders, 1);
    g_autoptr(HaBits) barred = ha_bits_new(ha_graph_n_objects(c->graph), FALSE);

    h->c = c;
    h->id = id;
    h->holders = g_array_new(FALSE, FALSE, sizeof(Holder));
    if (barred == NULL) {
        ha_memory_fail(error, "for the objects");
        return NULL;
    }
    ha_bits_set(barred, id);
    HaReachSpec spec = {.graph = c->graph, .ledger = c->ledger, .live = c->live, .barred = barred};
    h->dominators = ha_dominators_new(c->graph, c->ledger, c->live, error);
    h->reach = h->dominators != NULL ? ha_reach_new(&spec, error) : NULL;
    if (h->reach == NULL)
        return NULL;
    find(h, most);
    return g_steal_pointer(&h);
}

void
ha_holders_free(HaHolders *h)
{
    if (h == NULL)
        return;
    ha_dominators_free(h->dominators);
    ha_reach_free(h->reach);
    g_array_unref(h->holders);
    g_free(h);
}

/* What would be free without the references of this holder to the object alone. */
static guint64
drop_frees(const HaHolders *h)
{
    return h->n == 1 ? ha_dominators_retained(h->dominators, h->id) : 0;
}

/* "the TYPE at ADDR": type names are the target's, so anything may be in them. */
static void
write_the(HaContext *c, HaId id)
{
    ha_out_text(c->out, "the ");
    ha_out_escaped_again(c->out, ha_graph_type(c->graph, id)->name);
    ha_out_printf(c->out, " at 0x%" G_GINT64_MODIFIER "x", ha_graph_addr(c->graph, id));
}

/* How the shell calls an object; its line where no way leads to it but through the one that is looked at. */
static void
write_way(const HaHolders *h, HaId id)
{
    HaContext *c = h->c;
    g_auto(HaPath) path = {0};
    gboolean is_expression;

    if (!ha_path_to(c->graph, c->ledger, h->reach, id, &path)) {
        write_the(c, id);
        return;
    }
    g_autofree char *text = ha_path_text(c->graph, c->ledger, &path, &is_expression);
    ha_out_escaped_again(c->out, text);
}

static void
write_bytes(HaOut *out, guint64 bytes)
{
    g_autofree char *size = ha_size_text(bytes);

    ha_out_printf(out, "%" G_GUINT64_FORMAT " (%s)", bytes, size);
}

static void
write_clearing(const HaHolders *h, HaId id)
{
    HaContext *c = h->c;
    HaClearing clearing = ha_clearing(c->graph, c->live, h->dominators, id);
    guint64 all = clearing.frees + clearing.stays;

    ha_out_text(c->out, " frees ");
    write_bytes(c->out, clearing.frees);
    /* small change that nearly every container shares with others is not worth a word */
    if (clearing.by != HA_ID_NONE && clearing.by_bytes * 100 >= all * LEAST_PERCENT && all > 0) {
        ha_out_text(c->out, "; ");
        write_way(h, clearing.by);
        ha_out_printf(c->out, " still holds %.1f %%", 100.0 * (double)clearing.by_bytes / (double)all);
    } else if (clearing.by == HA_ID_NONE && clearing.stays * 100 >= all * LEAST_PERCENT && clearing.stays > 0) {
        ha_out_text(c->out, "; roots still hold ");
        write_bytes(c->out, clearing.stays);
    }
    ha_out_char(c->out, '\n');
}

void
ha_holders_write_size(const HaHolders *h)
{
    HaContext *c = h->c;
    HaId parent = ha_dominators_parent(h->dominators, h->id);

    ha_out_text(c->out, "retained  ");
    write_bytes(c->out, ha_dominators_retained(h->dominators, h->id));
    ha_out_text(c->out, "\ndominator ");
    if (parent != HA_ID_NONE) {
        ha_line_object(c, parent, HA_PARENT_CONTENT_SHOWN);
        ha_out_text(c->out, ": ");
        write_way(h, parent);
        ha_out_char(c->out, '\n');
    } else {
        ha_out_text(c->out, "none: no single object keeps it alive\n");
    }
    ha_out_text(c->out, "clearing  this object");
    write_clearing(h, h->id);
}

static gboolean
holder_path(const HaHolders *h, const Holder *holder, HaPath *out)
{
    HaContext *c = h->c;
    HaPathStep step = {h->id, holder->ref};

    if (holder->id != HA_ID_NONE) {
        if (!ha_path_to(c->graph, c->ledger, h->reach, holder->id, out))
            return FALSE;
    } else {
        *out = (HaPath){.held = holder->held, .steps = g_array_new(FALSE, FALSE, sizeof(HaPathStep))};
    }
    g_array_append_val(out->steps, step);
    return TRUE;
}

void
ha_holders_write(const HaHolders *h)
{
    HaContext *c = h->c;

    ha_out_printf(c->out, "\nkept alive by %" G_GUINT64_FORMAT ":\n", h->n);
    for (guint i = 0; i < h->holders->len && !ha_out_stopped(c->out); i++) {
        const Holder *holder = &g_array_index(h->holders, Holder, i);
        g_auto(HaPath) path = {0};
        gboolean is_expression;

        if (!holder_path(h, holder, &path))
            continue;
        g_autofree char *text = ha_path_text(c->graph, c->ledger, &path, &is_expression);
        HaId root = g_array_index(path.steps, HaPathStep, 0).id;
        g_autofree char *root_text = ha_held_text(c->graph, c->ledger, root, &path.held);
        ha_out_text(c->out, "  ");
        ha_out_escaped_again(c->out, text);
        ha_out_printf(c->out, " [%s: ", ha_root_kind_name(path.held.kind));
        ha_out_escaped_again(c->out, root_text);
        if (h->n == 1) {
            ha_out_text(c->out, "]\n    without it ");
            write_bytes(c->out, drop_frees(h));
            ha_out_text(c->out, " would be free\n");
        } else {
            ha_out_printf(c->out,
                          "]\n    without it %" G_GUINT64_FORMAT " other%s hold%s the object: nothing would be free\n",
                          h->n - 1, h->n == 2 ? "" : "s", h->n == 2 ? "s" : "");
        }
        if (holder->id == HA_ID_NONE)
            continue;
        ha_out_text(c->out, "    clearing ");
        write_the(c, holder->id);
        write_clearing(h, holder->id);
    }
    if (h->n > h->holders->len)
        ha_out_printf(c->out, "  … and %" G_GUINT64_FORMAT " more\n", h->n - h->holders->len);
}

static void
json_clearing(const HaHolders *h, HaJson *j, HaId id)
{
    HaContext *c = h->c;
    HaClearing clearing = ha_clearing(c->graph, c->live, h->dominators, id);

    ha_json_begin_object(j);
    ha_json_key(j, "frees");
    ha_json_uint(j, clearing.frees);
    ha_json_key(j, "stays");
    ha_json_uint(j, clearing.stays);
    ha_json_key(j, "by");
    if (clearing.by != HA_ID_NONE)
        ha_json_addr(j, ha_graph_addr(c->graph, clearing.by));
    else
        ha_json_null(j);
    ha_json_key(j, "by_bytes");
    ha_json_uint(j, clearing.by_bytes);
    ha_json_end_object(j);
}

void
ha_holders_json(const HaHolders *h, HaJson *j)
{
    HaContext *c = h->c;
    HaId parent = ha_dominators_parent(h->dominators, h->id);

    ha_json_key(j, "retained");
    ha_json_uint(j, ha_dominators_retained(h->dominators, h->id));
    ha_json_key(j, "dominator");
    if (parent != HA_ID_NONE) {
        ha_json_begin_object(j);
        ha_json_object_members(j, c, parent);
        ha_json_end_object(j);
    } else {
        ha_json_null(j);
    }
    ha_json_key(j, "clearing");
    json_clearing(h, j, h->id);
    ha_json_key(j, "n_holders");
    ha_json_uint(j, h->n);
    ha_json_key(j, "holders");
    ha_json_begin_array(j);
    for (guint i = 0; i < h->holders->len && !ha_out_stopped(c->out); i++) {
        const Holder *holder = &g_array_index(h->holders, Holder, i);
        g_auto(HaPath) path = {0};

        if (!holder_path(h, holder, &path))
            continue;
        ha_json_newline(j);
        ha_json_begin_object(j);
        ha_json_path_members(j, c, &path);
        ha_json_key(j, "drop_frees");
        ha_json_uint(j, drop_frees(h));
        ha_json_key(j, "clearing");
        if (holder->id != HA_ID_NONE)
            json_clearing(h, j, holder->id);
        else
            ha_json_null(j);
        ha_json_key(j, "holder");
        if (holder->id != HA_ID_NONE)
            ha_json_addr(j, ha_graph_addr(c->graph, holder->id));
        else
            ha_json_null(j);
        ha_json_end_object(j);
    }
    ha_json_end_array(j);
}
