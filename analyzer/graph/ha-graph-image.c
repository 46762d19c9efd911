// SPDX-License-Identifier: MIT
#include "ha-graph-image.h"

#include <string.h>

#include "ha-graph-builder-private.h"

static const char *const counter_names[] = {HA_COUNTER_DUPLICATES, HA_COUNTER_DANGLING, HA_COUNTER_NO_ROOT,
                                            HA_COUNTER_NO_TYPE, HA_COUNTER_NO_CONTENT};

G_STATIC_ASSERT((int)HA_IMAGE_COLUMNS == (int)HA_COLUMNS);

/* Bytes of each part but the arena and the tables, which may be of any length; G_MAXSIZE: as it comes. */
static gsize
expected_bytes(const HaImageFacts *f, guint part)
{
    gsize n = f->n, offsets = (n + 1) * (f->wide_offsets ? sizeof(guint64) : sizeof(guint32));
    if (part >= HA_IMAGE_ITEMS && part < HA_IMAGE_ITEMS + HA_IMAGE_COLUMNS)
        return n * f->widths[part - HA_IMAGE_ITEMS];
    switch (part) {
    case HA_IMAGE_ADDRS:
        return n * sizeof(guint32);
    case HA_IMAGE_FLAGS:
        return n;
    case HA_IMAGE_OFFSET:
    case HA_IMAGE_BACK_OFFSET:
        return offsets;
    case HA_IMAGE_REFS:
    case HA_IMAGE_BACK_REFS:
        return f->n_refs * sizeof(HaId);
    case HA_IMAGE_WEAK:
    case HA_IMAGE_BACK_WEAK:
        return (f->n_refs / 64 + 1) * sizeof(guint64);
    default:
        return G_MAXSIZE;
    }
}

static gboolean
may_lack(guint part)
{
    return part == HA_IMAGE_ITEMS + HA_EXTRA || part == HA_IMAGE_WEAK || part == HA_IMAGE_BACK_WEAK ||
           part == HA_IMAGE_SLOTS;
}

static HaImagePart
part_of(const HaVec *v)
{
    return (HaImagePart){v->data, v->n * v->item};
}

void
ha_graph_image(HaGraph *g, HaImageFacts *facts, HaImagePart parts[HA_IMAGE_PARTS])
{
    g_assert(g->back_refs != NULL);
    *facts = (HaImageFacts){.n = g->n, .wide_offsets = g->offset64 != NULL, .n_refs = g->n_refs};
    for (guint i = 0; i < G_N_ELEMENTS(counter_names); i++) {
        const guint64 *value = g_hash_table_lookup(g->counters, counter_names[i]);
        facts->counters[i] = value != NULL ? *value : 0;
    }
    for (guint c = 0; c < HA_COLUMNS; c++) {
        facts->widths[c] = g->columns[c].items.item;
        parts[HA_IMAGE_ITEMS + c] = part_of(&g->columns[c].items);
        parts[HA_IMAGE_WIDE + c] = part_of(&g->columns[c].wide);
    }
    const struct {
        guint part;
        const void *start;
    } arrays[] = {
        {HA_IMAGE_FLAGS, g->flags},
        {HA_IMAGE_OFFSET, g->offset64 != NULL ? (void *)g->offset64 : (void *)g->offset32},
        {HA_IMAGE_REFS, g->refs},
        {HA_IMAGE_BACK_OFFSET, g->back_offset64 != NULL ? (void *)g->back_offset64 : (void *)g->back_offset32},
        {HA_IMAGE_BACK_REFS, g->back_refs},
        {HA_IMAGE_WEAK, g->weak},
        {HA_IMAGE_BACK_WEAK, g->back_weak},
    };
    for (guint i = 0; i < G_N_ELEMENTS(arrays); i++)
        parts[arrays[i].part] =
            (HaImagePart){arrays[i].start, arrays[i].start != NULL ? expected_bytes(facts, arrays[i].part) : 0};
    parts[HA_IMAGE_ADDRS] = part_of(&g->addrs.low);
    parts[HA_IMAGE_STEPS] = part_of(&g->addrs.steps);
    parts[HA_IMAGE_SLOTS] = (HaImagePart){g->index.slots, ha_page_index_bytes(&g->index)};
    parts[HA_IMAGE_ARENA] = part_of(&g->arena);
    parts[HA_IMAGE_HOLES] = part_of(&g->holes);
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
column_below(const HaGraph *g, guint column, guint64 limit)
{
    guint32 greatest = 0;
    for (gsize i = 0; i < g->n; i++)
        greatest = MAX(greatest, ha_column_code(&g->columns[column], i));
    return g->n == 0 || greatest < limit;
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
        guint64 start = ha_graph_value(g, HA_CONTENT, id) * 4;
        if (start == 0)
            continue;
        if (start >= g->arena.n)
            return FALSE;
        const guint8 *at = arena + start;
        if (!uv_within(&at, end, &length) || (g->flags[id] & HA_FLAG_CUT && !uv_within(&at, end, &whole)) ||
            length > (guint64)(end - at))
            return FALSE;
    }
    return TRUE;
}

static gboolean
addresses_rise(const HaGraph *g)
{
    const HaAddrStep *steps = g->addrs.steps.data;
    HaAddrCursor cursor = {.a = &g->addrs};
    guint64 before = 0;

    if (g->n > 0 && (g->addrs.steps.n == 0 || steps[0].first != 0))
        return FALSE;
    for (gsize s = 1; s < g->addrs.steps.n; s++)
        if (steps[s].first <= steps[s - 1].first || steps[s].first >= g->n)
            return FALSE;
    for (HaId id = 0; id < g->n; id++) {
        guint64 addr = ha_addr_cursor_get(&cursor, id);
        if (id > 0 && addr <= before)
            return FALSE;
        before = addr;
    }
    return TRUE;
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
    return addresses_rise(g) && column_below(g, HA_TYPE, g->types.n) && column_below(g, HA_LAYOUT, g->layouts.n) &&
           offsets_rise(g, g->offset32, g->offset64) && offsets_rise(g, g->back_offset32, g->back_offset64) &&
           all_below(g->refs, g->n_refs, g->n) && all_below(g->back_refs, g->n_refs, g->n) && contents_within(g) &&
           holes_fit(g) && ha_page_index_is_sound(&g->index);
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
    for (guint c = 0; c < HA_COLUMNS; c++)
        if (parts[HA_IMAGE_WIDE + c].bytes % sizeof(HaColumnWide) != 0)
            return FALSE;
    return parts[HA_IMAGE_HOLES].bytes % sizeof(HaHole) == 0 && parts[HA_IMAGE_STEPS].bytes % sizeof(HaAddrStep) == 0 &&
           (parts[HA_IMAGE_WEAK].bytes == 0) == (parts[HA_IMAGE_BACK_WEAK].bytes == 0);
}

static void
map_vec(HaVec *v, const HaImagePart *part)
{
    ha_vec_clear(v);
    v->data = (gpointer)part->start;
    v->n = v->capacity = part->bytes / v->item;
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
    map_vec(&g->addrs.low, &parts[HA_IMAGE_ADDRS]);
    map_vec(&g->addrs.steps, &parts[HA_IMAGE_STEPS]);
    for (guint c = 0; c < HA_COLUMNS; c++) {
        const HaImagePart *items = &parts[HA_IMAGE_ITEMS + c], *wide = &parts[HA_IMAGE_WIDE + c];
        gsize width = facts->widths[c];
        if (!ha_column_map(&g->columns[c], items->start, width != 0 ? items->bytes / width : 0, width, wide->start,
                           wide->bytes / sizeof(HaColumnWide)))
            return NULL;
    }
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
    map_vec(&g->arena, &parts[HA_IMAGE_ARENA]);
    map_vec(&g->holes, &parts[HA_IMAGE_HOLES]);
    guint64 dangling = 0;
    if (!ha_page_index_map(&g->index, &g->addrs, g->n, parts[HA_IMAGE_SLOTS].start, parts[HA_IMAGE_SLOTS].bytes) ||
        !is_sound(g) || !ha_graph_builder_link_roots(b, &dangling))
        return NULL;
    for (guint i = 0; i < G_N_ELEMENTS(counter_names); i++)
        if (facts->counters[i] != 0)
            ha_graph_builder_counter(b, counter_names[i], -1, facts->counters[i]);
    g->mapping_borrowed = FALSE;
    return g_steal_pointer(&b->graph);
}
