// SPDX-License-Identifier: MIT
#include "ha-pyheap-layouts.h"

#include <string.h>

#include "load/foreign/ha-foreign-private.h"

struct HaPyheapLayouts {
    HaGraphBuilder *builder;
    GHashTable *names;   /* GBytes, a name → the builder's */
    GHashTable *layouts; /* GBytes, what tells a layout → the builder's */
    GArray *runs;        /* struct hf_run, for the moment */
    GArray *tells;       /* guint32: the lead; then each name, or 0 and how many have none */
};

static guint
hash_bytes(gconstpointer bytes)
{
    gsize n;
    gconstpointer data = g_bytes_get_data((GBytes *)bytes, &n);
    return ha_foreign_hash(data != NULL ? data : "", n);
}

HaPyheapLayouts *
ha_pyheap_layouts_new(HaGraphBuilder *builder)
{
    HaPyheapLayouts *l = g_new0(HaPyheapLayouts, 1);
    l->builder = builder;
    l->names = g_hash_table_new_full(hash_bytes, g_bytes_equal, (GDestroyNotify)(void (*)(void))g_bytes_unref, NULL);
    l->layouts = g_hash_table_new_full(hash_bytes, g_bytes_equal, (GDestroyNotify)(void (*)(void))g_bytes_unref, NULL);
    l->runs = g_array_new(FALSE, FALSE, sizeof(struct hf_run));
    l->tells = g_array_new(FALSE, FALSE, sizeof(guint32));
    return l;
}

void
ha_pyheap_layouts_free(HaPyheapLayouts *l)
{
    if (l == NULL)
        return;
    g_hash_table_unref(l->names);
    g_hash_table_unref(l->layouts);
    g_array_unref(l->runs);
    g_array_unref(l->tells);
    g_free(l);
}

/* FALSE: it is new, and what the caller makes belongs under *key. */
static gboolean
look_up(GHashTable *table, gconstpointer bytes, gsize n, GBytes **key, guint32 *out)
{
    g_autoptr(GBytes) borrowed = g_bytes_new_static(bytes, n);
    gpointer found;
    if (!g_hash_table_lookup_extended(table, borrowed, NULL, &found)) {
        *key = g_bytes_new(bytes, n);
        return FALSE;
    }
    *out = GPOINTER_TO_UINT(found);
    return TRUE;
}

guint32
ha_pyheap_attribute_name(HaPyheapLayouts *l, const char *name, gsize n)
{
    GBytes *key;
    guint32 id;
    if (look_up(l->names, name, n, &key, &id))
        return id;
    g_autoptr(GString) dotted = g_string_new(".");
    g_string_append_len(dotted, name, (gssize)n);
    id = ha_graph_builder_name(l->builder, dotted->str, (gssize)dotted->len);
    g_hash_table_insert(l->names, key, GUINT_TO_POINTER(id));
    return id;
}

static void
add_run(HaPyheapLayouts *l, guint8 kind, guint64 count, const guint32 *names)
{
    struct hf_run run = {.kind = kind, .count = count, .names = names};
    g_array_append_val(l->runs, run);
}

guint32
ha_pyheap_layout(HaPyheapLayouts *l, HaLead lead, const guint32 *names, gsize n)
{
    static const guint8 kinds[] = {HF_RUN_UNNAMED, HF_RUN_ITEMS, HF_RUN_INDEX, HF_RUN_MEMBER};
    GBytes *key;
    guint32 id, first = lead;
    while (lead == HA_LEAD_NONE && n > 0 && names[n - 1] == 0)
        n--; /* what a layout does not reach has no name */
    if (lead == HA_LEAD_NONE && n == 0)
        return 0;
    g_array_set_size(l->runs, 0);
    g_array_set_size(l->tells, 0);
    g_array_append_val(l->tells, first);
    if (lead != HA_LEAD_NONE)
        add_run(l, kinds[lead], 0, NULL);
    for (gsize at = 0, end; at < n; at = end) {
        gboolean named = names[at] != 0;
        for (end = at; end < n && (names[end] != 0) == named; end++)
            ;
        add_run(l, named ? HF_RUN_NAMED : HF_RUN_UNNAMED, end - at, named ? names + at : NULL);
        if (named) {
            g_array_append_vals(l->tells, names + at, (guint)(end - at));
        } else {
            guint32 nameless[] = {0, (guint32)(end - at)};
            g_array_append_vals(l->tells, nameless, G_N_ELEMENTS(nameless));
        }
    }
    if (look_up(l->layouts, l->tells->data, l->tells->len * sizeof(guint32), &key, &id))
        return id;
    id = ha_graph_builder_layout(l->builder, (const struct hf_run *)(const void *)l->runs->data, l->runs->len);
    g_hash_table_insert(l->layouts, key, GUINT_TO_POINTER(id));
    return id;
}
