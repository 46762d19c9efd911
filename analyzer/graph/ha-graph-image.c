// SPDX-License-Identifier: MIT
#include "ha-graph-image.h"

#include <string.h>

#include "ha-graph-builder-private.h"

static const char *const counter_names[] = {HA_COUNTER_DUPLICATES, HA_COUNTER_DANGLING, HA_COUNTER_NO_ROOT,
                                            HA_COUNTER_NO_TYPE, HA_COUNTER_NO_CONTENT};

/* A row of a table of values that 32 bits do not hold. */
typedef struct {
    guint64 id, value;
} Wide;

static HaImagePart
table_part(GHashTable *table, GPtrArray *owned)
{
    Wide *rows = g_new(Wide, g_hash_table_size(table) + 1);
    gsize n = 0;
    GHashTableIter iter;
    gpointer id, value;
    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, &id, &value))
        rows[n++] = (Wide){GPOINTER_TO_UINT(id), *(guint64 *)value};
    g_ptr_array_add(owned, rows);
    return (HaImagePart){rows, n * sizeof *rows};
}

/* Bytes of each part but the arena and the tables, which may be of any length; G_MAXSIZE: as it comes. */
static gsize
expected_bytes(const HaImageFacts *f, guint part)
{
    gsize n = f->n, offsets = (n + 1) * (f->wide_offsets ? sizeof(guint64) : sizeof(guint32));
    switch (part) {
    case HA_IMAGE_ADDR:
        return n * sizeof(guint64);
    case HA_IMAGE_FLAGS:
        return n * sizeof(guint16);
    case HA_IMAGE_OFFSET:
    case HA_IMAGE_BACK_OFFSET:
        return offsets;
    case HA_IMAGE_REFS:
    case HA_IMAGE_BACK_REFS:
        return f->n_refs * sizeof(HaId);
    case HA_IMAGE_WEAK:
    case HA_IMAGE_BACK_WEAK:
        return (f->n_refs / 64 + 1) * sizeof(guint64);
    case HA_IMAGE_SLOTS:
    case HA_IMAGE_ARENA:
    case HA_IMAGE_HOLES:
    case HA_IMAGE_WIDE_SIZE:
    case HA_IMAGE_WIDE_REFCOUNT:
        return G_MAXSIZE;
    default:
        return n * sizeof(guint32);
    }
}

static gboolean
may_lack(guint part)
{
    return part == HA_IMAGE_EXTRA || part == HA_IMAGE_WEAK || part == HA_IMAGE_BACK_WEAK || part == HA_IMAGE_SLOTS;
}

void
ha_graph_image(HaGraph *g, HaImageFacts *facts, HaImagePart parts[HA_IMAGE_PARTS], GPtrArray *owned)
{
    g_assert(g->back_refs != NULL);
    *facts = (HaImageFacts){.n = g->n, .wide_offsets = g->offset64 != NULL, .n_refs = g->n_refs};
    for (guint i = 0; i < G_N_ELEMENTS(counter_names); i++) {
        const guint64 *value = g_hash_table_lookup(g->counters, counter_names[i]);
        facts->counters[i] = value != NULL ? *value : 0;
    }
    const void *starts[HA_IMAGE_PARTS] = {
        [HA_IMAGE_ADDR] = g->addr,
        [HA_IMAGE_SIZE] = g->size,
        [HA_IMAGE_REFCOUNT] = g->refcount,
        [HA_IMAGE_TYPE] = g->type,
        [HA_IMAGE_LAYOUT] = g->layout,
        [HA_IMAGE_CONTENT] = g->content,
        [HA_IMAGE_EXTRA] = g->extra,
        [HA_IMAGE_FLAGS] = g->flags,
        [HA_IMAGE_OFFSET] = g->offset64 != NULL ? (void *)g->offset64 : (void *)g->offset32,
        [HA_IMAGE_REFS] = g->refs,
        [HA_IMAGE_BACK_OFFSET] = g->back_offset64 != NULL ? (void *)g->back_offset64 : (void *)g->back_offset32,
        [HA_IMAGE_BACK_REFS] = g->back_refs,
        [HA_IMAGE_WEAK] = g->weak,
        [HA_IMAGE_BACK_WEAK] = g->back_weak,
    };
    for (guint p = 0; p < HA_IMAGE_PARTS; p++)
        parts[p] = (HaImagePart){starts[p], starts[p] != NULL ? expected_bytes(facts, p) : 0};
    parts[HA_IMAGE_SLOTS].start = g->index.slots;
    parts[HA_IMAGE_SLOTS].bytes = ha_page_index_bytes(&g->index);
    parts[HA_IMAGE_ARENA] = (HaImagePart){g->arena.data, g->arena.n};
    parts[HA_IMAGE_HOLES] = (HaImagePart){g->holes.data, g->holes.n * sizeof(HaHole)};
    parts[HA_IMAGE_WIDE_SIZE] = table_part(g->wide_size, owned);
    parts[HA_IMAGE_WIDE_REFCOUNT] = table_part(g->wide_refcount, owned);
}

static gboolean
all_below(const guint32 *values, gsize n, guint64 limit)
{
    guint32 greatest = 0;
    for (gsize i = 0; i < n; i++)
        greatest = MAX(greatest, values[i]);
    return n == 0 || greatest < limit;
}

static gboolean
offsets_rise(const HaGraph *g, const guint32 *narrow, const guint64 *wide)
{
    gboolean ok = TRUE;
    guint64 before = 0;
    for (gsize i = 0; i <= g->n; i++) {
        guint64 now = narrow != NULL ? narrow[i] : wide[i];
        ok &= now >= before;
        before = now;
    }
    return ok && before == g->n_refs && (narrow != NULL ? narrow[0] : wide[0]) == 0;
}

static gboolean
uv_within(const guint8 **at, const guint8 *end, guint64 *value)
{
    *value = 0;
    for (guint shift = 0; *at < end && shift < 64; shift += 7) {
        guint8 byte = *(*at)++;
        *value |= (guint64)(byte & 127) << shift;
        if (byte < 128)
            return TRUE;
    }
    return FALSE;
}

static gboolean
contents_within(const HaGraph *g)
{
    const guint8 *arena = g->arena.data, *end = arena + g->arena.n;
    for (HaId id = 0; id < g->n; id++) {
        guint64 length, whole;
        if (g->content[id] == 0)
            continue;
        if ((guint64)g->content[id] * 4 >= g->arena.n)
            return FALSE;
        const guint8 *at = arena + (gsize)g->content[id] * 4;
        if (!uv_within(&at, end, &length) || (g->flags[id] & HF_OBJ_CUT && !uv_within(&at, end, &whole)) ||
            length > (guint64)(end - at))
            return FALSE;
    }
    return TRUE;
}

static gboolean
addresses_rise(const HaGraph *g)
{
    gboolean ok = TRUE;
    for (HaId id = 1; id < g->n; id++)
        ok &= g->addr[id] > g->addr[id - 1];
    return ok;
}

/* In order, of objects that say so, at places that they have. */
static gboolean
holes_fit(const HaGraph *g)
{
    const HaHole *holes = g->holes.data;
    for (gsize i = 0, end; i < g->holes.n; i = end) {
        if (holes[i].id >= g->n || !(g->flags[holes[i].id] & HA_FLAG_HOLES) ||
            (i > 0 && holes[i - 1].id >= holes[i].id))
            return FALSE;
        for (end = i + 1; end < g->holes.n && holes[end].id == holes[i].id; end++)
            if (holes[end].position <= holes[end - 1].position)
                return FALSE;
        guint64 refs = ha_graph_first_ref(g, (guint64)holes[i].id + 1) - ha_graph_first_ref(g, holes[i].id);
        if (holes[end - 1].position >= refs + (end - i))
            return FALSE;
    }
    return TRUE;
}

static gboolean
is_sound(const HaGraph *g)
{
    return addresses_rise(g) && all_below(g->type, g->n, g->types.n) && all_below(g->layout, g->n, g->layouts.n) &&
           offsets_rise(g, g->offset32, g->offset64) && offsets_rise(g, g->back_offset32, g->back_offset64) &&
           all_below(g->refs, g->n_refs, g->n) && all_below(g->back_refs, g->n_refs, g->n) && contents_within(g) &&
           holes_fit(g) && ha_page_index_is_sound(&g->index);
}

static void
take_table(GHashTable *table, const HaImagePart *part)
{
    const Wide *rows = part->start;
    for (gsize i = 0; i < part->bytes / sizeof *rows; i++) {
        guint64 *value = g_new(guint64, 1);
        *value = rows[i].value;
        g_hash_table_insert(table, GUINT_TO_POINTER((guint)rows[i].id), value);
    }
}

static gboolean
sizes_fit(const HaImageFacts *facts, const HaImagePart *parts)
{
    if (facts->n >= HA_ID_NONE || facts->n_refs > G_MAXSSIZE / 16)
        return FALSE;
    for (guint p = 0; p < HA_IMAGE_PARTS; p++) {
        gsize bytes = expected_bytes(facts, p);
        if (bytes != G_MAXSIZE && parts[p].bytes != bytes && !(parts[p].bytes == 0 && may_lack(p)))
            return FALSE;
    }
    return parts[HA_IMAGE_HOLES].bytes % sizeof(HaHole) == 0 && parts[HA_IMAGE_WIDE_SIZE].bytes % sizeof(Wide) == 0 &&
           parts[HA_IMAGE_WIDE_REFCOUNT].bytes % sizeof(Wide) == 0 &&
           (parts[HA_IMAGE_WEAK].bytes == 0) == (parts[HA_IMAGE_BACK_WEAK].bytes == 0);
}

HaGraph *
ha_graph_from_image(HaGraphBuilder *b, const HaImageFacts *facts, const HaImagePart parts[HA_IMAGE_PARTS],
                    void *mapping, gsize mapping_bytes)
{
    HaGraph *g = b->graph;
    if (b->failed || b->n != 0 || !sizes_fit(facts, parts))
        return NULL;
    /* from here on the graph frees nothing that lies in the mapping */
    g->mapping = mapping;
    g->mapping_bytes = mapping_bytes;
    g->mapping_borrowed = TRUE;
    g->n = facts->n;
    g->n_refs = facts->n_refs;
    g->addr = (gpointer)parts[HA_IMAGE_ADDR].start;
    g->size = (gpointer)parts[HA_IMAGE_SIZE].start;
    g->refcount = (gpointer)parts[HA_IMAGE_REFCOUNT].start;
    g->type = (gpointer)parts[HA_IMAGE_TYPE].start;
    g->layout = (gpointer)parts[HA_IMAGE_LAYOUT].start;
    g->content = (gpointer)parts[HA_IMAGE_CONTENT].start;
    g->extra = parts[HA_IMAGE_EXTRA].bytes > 0 ? (gpointer)parts[HA_IMAGE_EXTRA].start : NULL;
    g->flags = (gpointer)parts[HA_IMAGE_FLAGS].start;
    g->refs = (gpointer)parts[HA_IMAGE_REFS].start;
    g->back_refs = (gpointer)parts[HA_IMAGE_BACK_REFS].start;
    g->weak = parts[HA_IMAGE_WEAK].bytes > 0 ? (gpointer)parts[HA_IMAGE_WEAK].start : NULL;
    g->back_weak = parts[HA_IMAGE_BACK_WEAK].bytes > 0 ? (gpointer)parts[HA_IMAGE_BACK_WEAK].start : NULL;
    if (facts->wide_offsets) {
        g->offset64 = (gpointer)parts[HA_IMAGE_OFFSET].start;
        g->back_offset64 = (gpointer)parts[HA_IMAGE_BACK_OFFSET].start;
    } else {
        g->offset32 = (gpointer)parts[HA_IMAGE_OFFSET].start;
        g->back_offset32 = (gpointer)parts[HA_IMAGE_BACK_OFFSET].start;
    }
    ha_vec_clear(&g->arena);
    g->arena.data = (gpointer)parts[HA_IMAGE_ARENA].start;
    g->arena.n = g->arena.capacity = parts[HA_IMAGE_ARENA].bytes;
    ha_vec_clear(&g->holes);
    g->holes.data = (gpointer)parts[HA_IMAGE_HOLES].start;
    g->holes.n = g->holes.capacity = parts[HA_IMAGE_HOLES].bytes / sizeof(HaHole);
    guint64 dangling = 0;
    if (!ha_page_index_map(&g->index, g->addr, g->n, parts[HA_IMAGE_SLOTS].start, parts[HA_IMAGE_SLOTS].bytes) ||
        !is_sound(g) || !ha_graph_builder_link_roots(b, &dangling))
        return NULL;
    take_table(g->wide_size, &parts[HA_IMAGE_WIDE_SIZE]);
    take_table(g->wide_refcount, &parts[HA_IMAGE_WIDE_REFCOUNT]);
    for (guint i = 0; i < G_N_ELEMENTS(counter_names); i++)
        if (facts->counters[i] != 0)
            ha_graph_builder_counter(b, counter_names[i], -1, facts->counters[i]);
    g->mapping_borrowed = FALSE;
    return g_steal_pointer(&b->graph);
}
