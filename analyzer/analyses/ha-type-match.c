// SPDX-License-Identifier: MIT
#include "ha-type-match.h"

#include <string.h>

#include "analyses/ha-bits.h"

struct HaTypeSet {
    HaBits *types; /* owned */
};

static gboolean
content_is(const HaGraph *g, HaId id, const char *text, gsize n)
{
    gsize length;
    guint64 whole;
    const char *content = ha_graph_content(g, id, &length);
    return content != NULL && length == n && memcmp(content, text, n) == 0 && !ha_graph_content_whole(g, id, &whole);
}

/* The value under a str key; HA_ID_NONE: not there. */
static HaId
dict_get(const HaGraph *g, HaId dict, const char *key, gsize key_n)
{
    gsize n;
    const HaId *refs = ha_graph_referents(g, dict, &n);
    for (gsize i = 0; i < n; i++) {
        /* a quick look first: the key comes right before its value */
        if (ha_graph_type(g, refs[i])->family != HF_FAMILY_STR || !content_is(g, refs[i], key, key_n) || i + 1 >= n)
            continue;
        HaRefName name;
        ha_graph_ref_name(g, dict, i + 1, &name);
        if (name.kind == HF_RUN_ITEMS && name.key == refs[i])
            return refs[i + 1];
    }
    return HA_ID_NONE;
}

/* Where an object keeps its names: what ".__dict__" leads to. */
static HaId
dict_of(const HaGraph *g, HaId id)
{
    gsize n;
    const HaId *refs = ha_graph_referents(g, id, &n);
    for (gsize i = 0; i < n; i++) {
        HaRefName name;
        if (ha_graph_type(g, refs[i])->family != HF_FAMILY_DICT)
            continue;
        ha_graph_ref_name(g, id, i, &name);
        if (name.name != NULL && strcmp(name.name, ".__dict__") == 0)
            return refs[i];
    }
    return HA_ID_NONE;
}

static HaId
attribute(const HaGraph *g, HaId id, const char *text, gsize text_n)
{
    HaId dict = dict_of(g, id);
    if (dict != HA_ID_NONE)
        return dict_get(g, dict, text, text_n);
    /* a dict that is folded into its owner: the reference itself has the attribute's name */
    gsize n;
    const HaId *refs = ha_graph_referents(g, id, &n);
    for (gsize i = 0; i < n; i++) {
        HaRefName name;
        ha_graph_ref_name(g, id, i, &name);
        if (name.name != NULL && name.name[0] == '.' && strlen(name.name) == text_n + 1 &&
            memcmp(name.name + 1, text, text_n) == 0)
            return refs[i];
    }
    return HA_ID_NONE;
}

/* All modules of that name are tried: a stale one may be left over. */
static HaId
find_in_modules(const HaGraph *g, const GArray *modules, const char *dotted, gsize module_n)
{
    for (guint m = 0; m < modules->len; m++) {
        HaId id = g_array_index(modules, HaId, m);
        if (!content_is(g, id, dotted, module_n))
            continue;
        const char *rest = dotted + module_n;
        while (id != HA_ID_NONE && *rest == '.') {
            gsize n = strcspn(rest + 1, ".");
            id = attribute(g, id, rest + 1, n);
            rest += 1 + n;
        }
        if (id != HA_ID_NONE)
            return id;
    }
    return HA_ID_NONE;
}

HaId
ha_find_dotted(const HaGraph *g, const char *dotted)
{
    g_autoptr(GArray) modules = g_array_new(FALSE, FALSE, sizeof(HaId));
    for (HaId id = 0; id < ha_graph_n_objects(g); id++)
        if (ha_graph_type(g, id)->family == HF_FAMILY_MODULE)
            g_array_append_val(modules, id);
    /* the longest module name first: "os.path.join" is in "os.path" before it is in "os" */
    for (gsize n = strlen(dotted); n > 0; n--) {
        if (dotted[n] != '.' && dotted[n] != 0)
            continue;
        HaId id = find_in_modules(g, modules, dotted, n);
        if (id != HA_ID_NONE)
            return id;
    }
    return HA_ID_NONE;
}

/* Goes back to the last star only: as many steps as both are long, multiplied, at most. */
static gboolean
glob_matches(const char *name, const char *pattern)
{
    const char *star = NULL, *from = NULL;
    while (*name != 0) {
        if (*pattern == '*') {
            star = ++pattern;
            from = name;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star != NULL) {
            pattern = star;
            name = ++from;
        } else {
            return FALSE;
        }
    }
    return pattern[strspn(pattern, "*")] == 0;
}

static gboolean
name_matches(const char *name, const char *text, HaMatch how)
{
    static const char builtins[] = "builtins.";
    if (how == HA_MATCH_GLOB)
        return glob_matches(name, text);
    if (how == HA_MATCH_FULL)
        return strcmp(name, text) == 0 ||
               (g_str_has_prefix(name, builtins) && strcmp(name + strlen(builtins), text) == 0);
    if (how == HA_MATCH_PART && strstr(name, text) != NULL)
        return TRUE;
    gsize n = strlen(name), m = strlen(text);
    if (m > n || m == 0 || strcmp(name + n - m, text) != 0)
        return FALSE;
    return n == m || name[n - m - 1] == '.';
}

HaTypeSet *
ha_type_set_new(const HaGraph *g, const char *text, HaMatch how)
{
    HaTypeSet *s = g_new0(HaTypeSet, 1);
    s->types = ha_bits_new(ha_graph_n_types(g), FALSE);
    g_assert(s->types != NULL); /* small */
    for (guint32 i = 0; i < ha_graph_n_types(g); i++)
        if (name_matches(ha_graph_nth_type(g, i)->name, text, how))
            ha_bits_set(s->types, i);
    HaId id = how != HA_MATCH_GLOB && strchr(text, '.') != NULL ? ha_find_dotted(g, text) : HA_ID_NONE;
    for (guint32 i = 0; id != HA_ID_NONE && i < ha_graph_n_types(g); i++)
        if (ha_graph_nth_type(g, i)->id == id)
            ha_bits_set(s->types, i);
    return s;
}

void
ha_type_set_free(HaTypeSet *s)
{
    if (s == NULL)
        return;
    ha_bits_free(s->types);
    g_free(s);
}

gboolean
ha_type_set_has(const HaTypeSet *s, guint32 type_index)
{
    return ha_bits_get(s->types, type_index);
}

guint32
ha_type_set_size(const HaTypeSet *s)
{
    return ha_bits_count(s->types);
}
