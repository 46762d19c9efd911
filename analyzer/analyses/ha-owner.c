// SPDX-License-Identifier: MIT
#include "analyses/ha-owner.h"

#include <string.h>

/* An object that refers to a dict as to its __dict__. */
static gboolean
owns(const HaGraph *g, HaId who, HaId dict)
{
    gsize n;
    const HaId *refs = ha_graph_referents(g, who, &n);
    HaRefName name;

    /* A dict or list of dicts is no owner, and may be long. */
    if (n > 10000)
        return FALSE;
    for (gsize i = 0; i < n; i++) {
        if (refs[i] != dict)
            continue;
        ha_graph_ref_name(g, who, i, &name);
        if (name.flags & HF_RUN_WEAK)
            continue;
        if (name.kind == HF_RUN_NAMED && strcmp(name.name, ".__dict__") == 0)
            return TRUE;
    }
    return FALSE;
}

HaId
ha_owner_of_dict(HaGraph *g, HaId dict)
{
    gsize n;
    HaId owner = HA_ID_NONE, last = HA_ID_NONE;
    gboolean others = FALSE;

    if (ha_graph_type(g, dict)->family != HF_FAMILY_DICT)
        return HA_ID_NONE;
    const HaId *referrers = ha_graph_referrers(g, dict, &n);
    for (gsize i = 0; i < n; i++) {
        guint8 family = ha_graph_type(g, referrers[i])->family;

        if (referrers[i] == last)
            continue;
        last = referrers[i];
        /* A module's dict has a referrer for each of the module's functions: look at their family only. */
        if (family == HF_FAMILY_FUNCTION || family == HF_FAMILY_FRAME || family == HF_FAMILY_BUILTIN) {
            others |= !owns(g, last, dict);
            continue;
        }
        if ((family == HF_FAMILY_MODULE || family == HF_FAMILY_TYPE) && owns(g, last, dict))
            return last;
        if (i > 256)
            continue;
        if (owner == HA_ID_NONE && owns(g, last, dict))
            owner = last;
        else if (ha_refers_strongly(g, last, dict))
            others = TRUE;
    }
    return others ? HA_ID_NONE : owner;
}

gboolean
ha_is_module_dict(HaGraph *g, HaId id)
{
    HaId owner = ha_owner_of_dict(g, id);

    return owner != HA_ID_NONE && ha_graph_type(g, owner)->family == HF_FAMILY_MODULE;
}

static gboolean
is_identifier(const char *s, gsize n)
{
    if (n == 0 || n > 80 || g_ascii_isdigit(s[0]))
        return FALSE;
    for (gsize i = 0; i < n; i++)
        if (!g_ascii_isalnum(s[i]) && s[i] != '_')
            return FALSE;
    return TRUE;
}

char *
ha_owner_ref_text(const HaGraph *g, HaId dict, gsize i)
{
    g_autofree char *text = ha_graph_ref_text(g, dict, i);
    gsize n = text ? strlen(text) : 0;

    if (!text)
        return NULL;
    if (g_str_has_prefix(text, "<key "))
        return g_steal_pointer(&text);
    if (n > 4 && g_str_has_prefix(text, "['") && g_str_has_suffix(text, "']") && is_identifier(text + 2, n - 4))
        return g_strdup_printf(".%.*s", (int)(n - 4), text + 2);
    return g_strconcat(".__dict__", text, NULL);
}

gboolean
ha_ref_is_weak(const HaGraph *g, HaId from, gsize i)
{
    return ha_graph_any_ref_flags(g, from) & HF_RUN_WEAK && ha_graph_ref_flags(g, from, i) & HF_RUN_WEAK;
}

gboolean
ha_refers_strongly(const HaGraph *g, HaId from, HaId to)
{
    gsize n;

    if (!(ha_graph_any_ref_flags(g, from) & HF_RUN_WEAK))
        return TRUE;
    const HaId *refs = ha_graph_referents(g, from, &n);
    for (gsize i = 0; i < n; i++)
        if (refs[i] == to && !ha_ref_is_weak(g, from, i))
            return TRUE;
    return FALSE;
}
