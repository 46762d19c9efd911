// SPDX-License-Identifier: MIT
#include "analyses/ha-back-search.h"

#include "analyses/ha-owner.h"
#include "graph/ha-memory.h"

#include <stdlib.h>

void
ha_back_path_clear(gpointer path)
{
    g_clear_pointer(&((HaBackPath *)path)->ids, g_free);
}

gboolean
ha_back_fits_root(HaGraph *g, HaId id, gpointer data)
{
    gsize n, n_roots;
    const guint32 *held = ha_graph_roots_of(g, id, &n);
    const HaRoot *roots = ha_graph_roots(g, &n_roots);

    (void)data;
    for (gsize i = 0; i < n; i++)
        if (roots[held[i]].kind != HF_ROOT_RUNTIME || roots[held[i]].counted)
            return TRUE;
    return ha_graph_type(g, id)->family == HF_FAMILY_MODULE || ha_is_module_dict(g, id);
}

/* next[id]: one step towards a start, plus 1; 0 not seen; its own for a start. */
static void
append_path(GArray *paths, const guint32 *next, HaId from)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(HaId));
    HaBackPath path;

    for (HaId id = from;; id = next[id] - 1) {
        g_array_append_val(ids, id);
        if (next[id] - 1 == id)
            break;
    }
    path.n = ids->len;
    path.ids = g_new(HaId, ids->len);
    for (guint i = 0; i < ids->len; i++)
        path.ids[i] = g_array_index(ids, HaId, i);
    g_array_append_val(paths, path);
}

gboolean
ha_back_search(HaGraph *g, const HaBits *live, const HaBits *barred, const HaId *starts, gsize n, HaBackFits fits,
               gpointer data, guint most, GArray *paths, GError **error)
{
    guint32 *next = calloc((gsize)ha_graph_n_objects(g) + 1, sizeof *next); /* untouched pages cost nothing */
    g_autoptr(GArray) queue = g_array_new(FALSE, FALSE, sizeof(HaId));
    guint found = 0;

    if (!next) {
        ha_memory_fail(error, "to search for paths");
        return FALSE;
    }
    for (gsize i = 0; i < n; i++) {
        next[starts[i]] = starts[i] + 1;
        g_array_append_val(queue, starts[i]);
    }
    for (guint head = 0; head < queue->len && found < most; head++) {
        HaId id = g_array_index(queue, HaId, head);
        gboolean is_type = ha_graph_type(g, id)->family == HF_FAMILY_TYPE;
        gsize n_referrers;

        if (fits(g, id, data)) {
            append_path(paths, next, id);
            found++;
            continue;
        }
        if (barred && ha_bits_get(barred, id))
            continue;
        const HaId *referrers = ha_graph_referrers(g, id, &n_referrers);
        for (gsize k = 0; k < n_referrers; k++) {
            HaId r = referrers[k];

            if (next[r] || !ha_bits_get(live, r) || !ha_refers_strongly(g, r, id))
                continue;
            if (is_type && ha_graph_type(g, r)->id == id)
                continue;
            next[r] = id + 1;
            g_array_append_val(queue, r);
        }
    }
    free(next);
    return TRUE;
}
