// SPDX-License-Identifier: MIT
#include "ha-containers.h"

#include <string.h>

#define GC_HEAD      16u /* what sys.getsizeof adds for the collector's links */
#define SLOT         8u
#define SET_ENTRY    16u
#define SET_SMALL    8u /* places inside a set object */
#define DICT_LOG_MAX 48u

typedef struct {
    const HaGraph *g;
    guint64 version; /* PY_VERSION_HEX; 0 unknown */
    gboolean gc_head;
} Counter;

static gboolean
is_container(const HaType *type)
{
    return type->family == HF_FAMILY_LIST || type->family == HF_FAMILY_TUPLE || type->family == HF_FAMILY_DICT ||
           type->family == HF_FAMILY_SET;
}

/* The interpreter's own type rather than one that comes from it, which may have more in it. */
static gboolean
is_native(const HaType *type)
{
    static const char *const names[] = {"builtins.list", "builtins.tuple", "builtins.dict", "builtins.set",
                                        "builtins.frozenset"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(type->name, names[i]) == 0)
            return TRUE;
    return FALSE;
}

static guint64
items_of(const HaGraph *g, HaId id, guint8 family)
{
    switch (family) {
    case HF_FAMILY_DICT:
        return ha_graph_n_places(g, id, HF_RUN_ITEMS) / 2;
    case HF_FAMILY_SET:
        return ha_graph_n_places(g, id, HF_RUN_MEMBER);
    default:
        return ha_graph_n_places(g, id, HF_RUN_INDEX);
    }
}

/*
 * Bytes of the table of a dict → how many items fit, and bytes of each. The table has a head, an index of 2^k places of 1, 2, 4 or 8 bytes
 * and entries for two thirds of them: hash, key and value, or from 3.11 on only key and value if all keys are str. A split dict (its keys
 * lie with its class) takes just the values. FALSE: none of these, or more than one.
 */
static gboolean
dict_room(guint64 version, guint64 bytes, guint64 items, guint64 *room, guint64 *entry)
{
    if (bytes == 0) {
        *room = 0;
        return items == 0;
    }
    guint found = 0;
    gboolean modern = version >= 0x030b0000;
    for (guint k = 3; k < DICT_LOG_MAX && (G_GUINT64_CONSTANT(1) << k) <= bytes; k++) {
        guint64 places = G_GUINT64_CONSTANT(1) << k, fit = places * 2 / 3;
        guint64 head = (modern ? 32 : 40) + places * (k < 8 ? 1 : k < 16 ? 2 : k < 32 ? 4 : 8);
        guint64 entries[] = {24, modern ? 16 : 24};
        for (guint e = 0; e < 2 && fit >= items; e++) {
            gboolean again = e == 1 && entries[1] == entries[0];
            if (!again && head + fit * entries[e] == bytes) {
                *room = fit;
                *entry = entries[e];
                found++;
            }
        }
        /* a table of values alone tells nothing of the keys, and is as large as needed */
        if (!modern && fit * SLOT == bytes && fit >= items) {
            *room = fit;
            *entry = SLOT;
            found++;
        }
    }
    return found == 1;
}

static gboolean
room_of(const Counter *c, HaId id, guint64 items, guint64 *room, guint64 *entry)
{
    const HaType *type = ha_graph_type(c->g, id);
    guint64 size = ha_graph_size(c->g, id), head = type->basic_size + (c->gc_head ? GC_HEAD : 0);
    if (type->basic_size == 0 || size < head || !is_native(type) || c->version == 0 ||
        ha_graph_flags(c->g, id) & (HF_OBJ_BROKEN | HF_OBJ_SIZE_UNKNOWN))
        return FALSE;
    guint64 bytes = size - head;
    *entry = SLOT;
    switch (type->family) {
    case HF_FAMILY_LIST:
        *room = bytes / SLOT;
        return *room >= items;
    case HF_FAMILY_TUPLE: /* never has more */
        *room = items;
        return TRUE;
    case HF_FAMILY_SET:
        *entry = SET_ENTRY;
        *room = bytes == 0 ? SET_SMALL : bytes / SET_ENTRY;
        *room = (3 * (*room - 1) - 1) / 5; /* grows as soon as three of five places are taken */
        return *room >= items;
    default:
        return dict_room(c->version, bytes, items, room, entry);
    }
}

/* A tuple whose places have names, such as sys.flags or os.stat_result: of those it has no more and no fewer. */
static gboolean
is_record(const HaGraph *g, HaId id)
{
    gsize n;
    (void)ha_graph_referents(g, id, &n);
    return n > 0 && ha_graph_type(g, id)->family == HF_FAMILY_TUPLE && ha_graph_n_places(g, id, HF_RUN_INDEX) == 0;
}

static void
count_one(const Counter *c, HaId id, HaContainers *row)
{
    guint8 family = ha_graph_type(c->g, id)->family;
    guint64 items = items_of(c->g, id, family), room, entry;
    row->count++;
    row->empty += items == 0;
    row->items += items;
    row->bytes += ha_graph_size(c->g, id);
    if (row->count == 1 || items > row->largest) {
        row->largest = items;
        row->largest_id = id;
    }
    if (!room_of(c, id, items, &room, &entry)) {
        row->unknown++;
        return;
    }
    row->filled += items;
    row->room += room;
    if (family != HF_FAMILY_SET || room > SET_SMALL) /* the small table is there anyway */
        row->unused += (room - items) * entry;
}

static gint
compare_rows(gconstpointer left, gconstpointer right)
{
    const HaContainers *a = left, *b = right;
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return a->type < b->type ? -1 : a->type > b->type;
}

GArray *
ha_containers_count(const HaGraph *g, const HaBits *chosen)
{
    g_autofree guint32 *row_of = g_new0(guint32, ha_graph_n_types(g));
    GArray *rows = g_array_new(FALSE, TRUE, sizeof(HaContainers));
    const char *version = ha_graph_meta(g, HF_META_PYHEX), *build = ha_graph_meta(g, HF_META_PYBUILD);
    Counter c = {.g = g,
                 .version = version != NULL ? g_ascii_strtoull(version, NULL, 0) : 0,
                 .gc_head = build == NULL || strcmp(build, "free-threaded") != 0};
    for (HaId id = 0; id < ha_graph_n_objects(g); id++) {
        guint32 type = ha_graph_type_index(g, id);
        if (!ha_bits_get(chosen, id) || !is_container(ha_graph_nth_type(g, type)) || is_record(g, id))
            continue;
        if (row_of[type] == 0) {
            HaContainers new = {.type = type};
            g_array_append_val(rows, new);
            row_of[type] = rows->len;
        }
        count_one(&c, id, &g_array_index(rows, HaContainers, row_of[type] - 1));
    }
    g_array_sort(rows, compare_rows);
    return rows;
}
