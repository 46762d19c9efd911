// SPDX-License-Identifier: MIT
#include "analyses/ha-referrers.h"

#include "analyses/ha-owner.h"

#include <string.h>

enum {
    EXAMINED = 4000, /* objects of a set */
    OWNERS = 2000,   /* referrers of one set for which owner and names are looked up */
};

static void
clear_referrer(gpointer data)
{
    HaReferrer *r = data;

    for (guint i = 0; i < r->n_names; i++)
        g_free(r->names[i]);
}

static int
compare_ids(gconstpointer a, gconstpointer b)
{
    HaId x = *(const HaId *)a, y = *(const HaId *)b;

    return x < y ? -1 : x > y;
}

static int
compare_referrers(gconstpointer a, gconstpointer b)
{
    const HaReferrer *x = a, *y = b;

    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->dict < y->dict ? -1 : x->dict > y->dict;
}

static gboolean
contains(const HaId *ids, gsize n, HaId id)
{
    gsize low = 0, high = n;

    if (n == 1)
        return ids[0] == id;
    while (low < high) {
        gsize middle = low + (high - low) / 2;
        if (ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && ids[low] == id;
}

static GArray *
distinct_referrers(HaGraph *g, const HaBits *live, const HaId *targets, gsize n)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(HaId));
    guint kept = 0;

    for (gsize i = 0; i < n; i++) {
        gsize count;
        const HaId *referrers = ha_graph_referrers(g, targets[i], &count);

        for (gsize k = 0; k < count; k++)
            if (ha_bits_get(live, referrers[k]) && (k == 0 || referrers[k] != referrers[k - 1]))
                g_array_append_val(all, referrers[k]);
    }
    if (n > 1)
        g_array_sort(all, compare_ids);
    HaId *ids = (HaId *)(void *)all->data;
    for (guint i = 0; i < all->len; i++)
        if (i == 0 || ids[i] != ids[i - 1])
            ids[kept++] = ids[i];
    g_array_set_size(all, kept);
    return all;
}

static void
add_name(HaReferrer *r, char *name)
{
    if (!name)
        return;
    for (guint i = 0; i < r->n_names; i++)
        if (strcmp(r->names[i], name) == 0) {
            g_free(name);
            return;
        }
    if (r->n_names < HA_REFERRER_NAMES)
        r->names[r->n_names++] = name;
    else
        g_free(name);
}

static HaReferrer
describe(HaGraph *g, HaId who, const HaId *targets, gsize n_targets, const HaBits *keep, HaReferrerBudget *budget)
{
    HaReferrer r = {.id = who, .dict = HA_ID_NONE};
    gsize n;
    const HaId *refs = ha_graph_referents(g, who, &n);
    gboolean strong = FALSE;

    if (budget->references < n) {
        r.count = 1;
        return r;
    }
    budget->references -= n;
    HaId owner = ha_bits_get(keep, who) ? HA_ID_NONE : ha_owner_of_dict(g, who);
    if (owner != HA_ID_NONE && !contains(targets, n_targets, owner)) {
        r.id = owner;
        r.dict = who;
    }
    for (gsize i = 0; i < n; i++) {
        if (!contains(targets, n_targets, refs[i]))
            continue;
        r.count++;
        strong |= !ha_ref_is_weak(g, who, i);
        if (r.n_names < HA_REFERRER_NAMES)
            add_name(&r, r.dict == HA_ID_NONE ? ha_graph_ref_text(g, who, i) : ha_owner_ref_text(g, who, i));
    }
    r.weak = !strong;
    return r;
}

HaReferrers *
ha_referrers_new(HaGraph *g, const HaBits *live, const HaId *targets, gsize n, const HaBits *keep, const HaBits *always,
                 HaReferrerBudget *budget)
{
    HaReferrers *out = g_new0(HaReferrers, 1);
    gsize examined = MIN(n, EXAMINED);
    g_autofree HaId *sample = n > EXAMINED ? g_new(HaId, EXAMINED) : NULL;

    out->unexamined = n - examined;
    for (gsize i = 0; sample && i < examined; i++)
        sample[i] = targets[(guint64)i * n / examined]; /* from everywhere: neighbours in memory are alike */
    targets = sample ? sample : targets;
    g_autoptr(GArray) who = distinct_referrers(g, live, targets, examined);
    out->items = g_array_new(FALSE, TRUE, sizeof(HaReferrer));
    g_array_set_clear_func(out->items, clear_referrer);
    for (guint i = 0; i < who->len; i++) {
        HaId id = g_array_index(who, HaId, i);
        HaReferrer r = {.id = id, .dict = HA_ID_NONE, .count = 1};

        if (i < OWNERS || ha_bits_get(always, id))
            r = describe(g, id, targets, examined, keep, budget);
        if (r.id != id && !ha_bits_get(live, r.id)) {
            r.id = id;
            r.dict = HA_ID_NONE;
        }
        g_array_append_val(out->items, r);
    }
    g_array_sort(out->items, compare_referrers);
    return out;
}

void
ha_referrers_free(HaReferrers *r)
{
    if (!r)
        return;
    g_array_unref(r->items);
    g_free(r);
}

guint64
ha_referrers_count(HaGraph *g, const HaBits *live, HaId id)
{
    gsize n;
    guint64 count = 0;
    const HaId *referrers = ha_graph_referrers(g, id, &n);

    for (gsize k = 0; k < n; k++)
        count += ha_bits_get(live, referrers[k]) && (k == 0 || referrers[k] != referrers[k - 1]);
    return count;
}
