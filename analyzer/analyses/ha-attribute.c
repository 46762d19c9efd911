// SPDX-License-Identifier: MIT
#include "ha-attribute.h"

#include <string.h>

#include "graph/ha-ref-runs.h"

#define NAMED_MAX 10000 /* references among which a name is looked for */
#define MRO_MAX   100

gboolean
ha_content_is(const HaGraph *g, HaId id, const char *text)
{
    gsize n;
    const char *content = ha_graph_content(g, id, &n);

    return content != NULL && n == strlen(text) && memcmp(content, text, n) == 0;
}

HaId
ha_named_referent(const HaGraph *g, HaId id, const char *name)
{
    gsize n;
    const HaId *refs = ha_graph_referents(g, id, &n);
    HaRefRuns runs;
    HaRefRun run;

    ha_ref_runs_init(&runs, g, id);
    while (ha_ref_runs_next(&runs, &run)) {
        if (run.kind != HF_RUN_NAMED)
            continue;
        for (gsize i = 0; i < MIN(run.n, NAMED_MAX); i++) {
            const char *one = run.names != NULL ? ha_graph_nth_name(g, run.names[i]) : run.name;
            if (one != NULL && strcmp(one, name) == 0)
                return refs[run.first + i];
        }
    }
    return HA_ID_NONE;
}

HaId
ha_dict_value(const HaGraph *g, HaId dict, const char *key)
{
    gsize n;
    const HaId *refs = ha_graph_referents(g, dict, &n);
    HaRefRuns runs;
    HaRefRun run;

    ha_ref_runs_init(&runs, g, dict);
    while (ha_ref_runs_next(&runs, &run)) {
        if (run.kind == HF_RUN_ITEMS && !run.value)
            for (gsize i = run.first; i + 1 < run.first + run.n; i += 2)
                if (ha_graph_type(g, refs[i])->family == HF_FAMILY_STR && ha_content_is(g, refs[i], key))
                    return refs[i + 1];
        /* a dict whose keys its class has: the values are named */
        for (gsize i = 0; run.kind == HF_RUN_NAMED && i < MIN(run.n, NAMED_MAX); i++) {
            const char *one = run.names != NULL ? ha_graph_nth_name(g, run.names[i]) : run.name;
            gsize length = one != NULL ? strlen(one) : 0;
            if (length > 4 && g_str_has_prefix(one, "['") && g_str_has_suffix(one, "']") && strlen(key) == length - 4 &&
                memcmp(one + 2, key, length - 4) == 0)
                return refs[run.first + i];
        }
    }
    return HA_ID_NONE;
}

HaId
ha_attribute(const HaGraph *g, HaId id, const char *name)
{
    g_autofree char *dotted = g_strconcat(".", name, NULL);
    HaId found = ha_named_referent(g, id, dotted);

    if (found != HA_ID_NONE)
        return found;
    HaId dict = ha_named_referent(g, id, ".__dict__");
    return dict != HA_ID_NONE ? ha_dict_value(g, dict, name) : HA_ID_NONE;
}

HaId
ha_class_attribute(const HaGraph *g, HaId type, const char *name)
{
    gsize n = 1;
    HaId mro = type != HA_ID_NONE ? ha_named_referent(g, type, "<mro>") : HA_ID_NONE;
    const HaId *classes = mro != HA_ID_NONE ? ha_graph_referents(g, mro, &n) : &type;

    for (gsize i = 0; type != HA_ID_NONE && i < MIN(n, MRO_MAX); i++) {
        HaId dict = ha_named_referent(g, classes[i], ".__dict__");
        HaId found = dict != HA_ID_NONE ? ha_dict_value(g, dict, name) : HA_ID_NONE;
        if (found != HA_ID_NONE)
            return found;
    }
    return HA_ID_NONE;
}
