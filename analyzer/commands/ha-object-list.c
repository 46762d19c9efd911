// SPDX-License-Identifier: MIT
#include "commands/ha-object-list.h"

#include <string.h>

#include "cli/ha-command.h"
#include "graph/ha-memory.h"

/* Shortest number without 0x that is taken for an address: "added" and "cafe" are words. */
#define BARE_ADDRESS_DIGITS 6

typedef enum {
    NOT_AN_ADDRESS,
    LIKE_AN_ADDRESS, /* hexadecimal without 0x: might be a type's name */
    AN_ADDRESS,
    BAD_ADDRESS,
} Looks;

static Looks
read_address(const char *text, guint64 *addr)
{
    gboolean prefix = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = prefix ? text + 2 : text;
    gsize n = strlen(digits);
    gboolean decimal = FALSE;

    for (gsize i = 0; i < n; i++) {
        if (!g_ascii_isxdigit(digits[i]))
            return prefix ? BAD_ADDRESS : NOT_AN_ADDRESS;
        decimal |= g_ascii_isdigit(digits[i]);
    }
    if (prefix && (n == 0 || n > 16))
        return BAD_ADDRESS;
    if (!prefix && (n < BARE_ADDRESS_DIGITS || n > 16 || !decimal))
        return NOT_AN_ADDRESS;
    *addr = g_ascii_strtoull(digits, NULL, 16);
    return prefix ? AN_ADDRESS : LIKE_AN_ADDRESS;
}

/* The object whose bytes the address lies in; HA_ID_NONE. */
static HaId
around(const HaGraph *g, guint64 addr)
{
    guint32 low = 0, high = ha_graph_n_objects(g);

    while (low < high) {
        guint32 middle = low + (high - low) / 2;
        if (ha_graph_addr(g, middle) <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || addr - ha_graph_addr(g, low - 1) >= ha_graph_real_size(g, low - 1))
        return HA_ID_NONE;
    return low - 1;
}

gboolean
ha_no_object_at(const HaGraph *g, const char *dump_name, const char *text, guint64 addr, GError **error)
{
    HaId near = around(g, addr);

    if (near != HA_ID_NONE)
        g_set_error(error, HA_ERROR, HA_ERROR_FAILED,
                    "no object starts at %s in '%s'; it lies inside the %s at 0x%" G_GINT64_MODIFIER "x", text,
                    dump_name, ha_graph_type(g, near)->name, ha_graph_addr(g, near));
    else
        g_set_error(error, HA_ERROR, HA_ERROR_FAILED,
                    "no object at %s in '%s': addresses are those that 'heapanalyze top' prints for this dump", text,
                    dump_name);
    return FALSE;
}

static void
add_types(const HaObjectListSpec *s, const HaTypeSet *types, const HaBits *among, HaBits *to)
{
    for (HaId id = 0; id < ha_graph_n_objects(s->graph); id++)
        if (ha_bits_get(among, id) && ha_type_set_has(types, ha_graph_type_index(s->graph, id)))
            ha_bits_set(to, id);
}

static gboolean
add_name(HaObjectList *list, const HaObjectListSpec *s, const char *name, gboolean without, GError **error)
{
    HaBits **to = without ? &list->out : &list->in;
    guint64 addr;
    Looks looks = read_address(name, &addr);

    if (looks == BAD_ADDRESS) {
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "%s: '%s' is no address: 0x and up to 16 hexadecimal digits",
                    s->option, name);
        return FALSE;
    }
    if (!*to)
        *to = ha_bits_new(ha_graph_n_objects(s->graph), FALSE);
    if (!*to) {
        ha_memory_fail(error, "for the objects");
        return FALSE;
    }
    HaId id = looks == NOT_AN_ADDRESS ? HA_ID_NONE : ha_graph_lookup(s->graph, addr);
    if (id != HA_ID_NONE) {
        if (!without && !ha_bits_get(s->live, id)) {
            g_set_error(error, HA_ERROR, HA_ERROR_FAILED,
                        "the %s at %s is garbage, which a collection would free: add --garbage to see it",
                        ha_graph_type(s->graph, id)->name, name);
            return FALSE;
        }
        ha_bits_set(*to, id);
        list->addresses += !without;
        return TRUE;
    }
    g_autoptr(HaTypeSet) types =
        looks == AN_ADDRESS ? NULL : ha_type_set_new(s->graph, name, without ? HA_MATCH_NAME : s->match);
    if (types && ha_type_set_size(types)) {
        add_types(s, types, without ? s->live : s->chosen, *to);
        return TRUE;
    }
    if (without)
        return TRUE; /* what is not there need not be taken out */
    if (looks != NOT_AN_ADDRESS)
        return ha_no_object_at(s->graph, s->dump_name, name, addr, error);
    g_set_error(error, HA_ERROR, HA_ERROR_FAILED, "%s: no type in '%s' %s '%s': 'heapanalyze types' lists them",
                s->option, s->dump_name, s->match == HA_MATCH_PART ? "has a name with" : "is called", name);
    return FALSE;
}

gboolean
ha_object_list_parse(HaObjectList *list, const HaObjectListSpec *spec, const char *text, GError **error)
{
    g_auto(GStrv) names = text ? g_strsplit(text, ",", -1) : NULL;

    *list = (HaObjectList){0};
    for (guint i = 0; names && names[i]; i++) {
        const char *name = g_strstrip(names[i]);
        gboolean without = name[0] == '!';

        if (without)
            name = g_strchug(names[i] + (name - names[i]) + 1);
        if (!*name || (without && !spec->without)) {
            g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "%s: %s in '%s': addresses and types, with commas between",
                        spec->option, *name ? "'!' has no meaning here" : "an empty name", text);
            ha_object_list_clear(list);
            return FALSE;
        }
        if (!add_name(list, spec, name, without, error)) {
            ha_object_list_clear(list);
            return FALSE;
        }
    }
    return TRUE;
}

void
ha_object_list_clear(HaObjectList *list)
{
    g_clear_pointer(&list->in, ha_bits_free);
    g_clear_pointer(&list->out, ha_bits_free);
}
