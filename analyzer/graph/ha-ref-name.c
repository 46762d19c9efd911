// SPDX-License-Identifier: MIT
/* Names of references: from layouts, with the key's content where the name is an item's. */
#include <string.h>

#include "ha-graph-private.h"
#include "text/ha-escape.h"

#define KEY_TEXT_MAX 80 /* bytes of a key's content shown in a name */

/* Dangling references of an object: holes[*n]. */
static const HaHole *
holes_of(const HaGraph *g, HaId id, gsize *n)
{
    const HaHole *holes = g->holes.data;
    gsize low = 0, high = g->holes.n;
    while (low < high) {
        gsize middle = low + (high - low) / 2;
        if (holes[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    gsize end = low;
    while (end < g->holes.n && holes[end].id == id)
        end++;
    *n = end - low;
    return holes + low;
}

/* Where reference i stood in the file's row. */
static guint64
to_position(const HaHole *holes, gsize n, guint64 i)
{
    /* position p of a kept reference: p = i + number of holes before p; hole k stands before it when hole[k] - k <= i */
    gsize low = 0, high = n;
    while (low < high) {
        gsize middle = low + (high - low) / 2;
        if (holes[middle].position - middle <= i)
            low = middle + 1;
        else
            high = middle;
    }
    return i + low;
}

/* The reverse: index of the reference at a position; G_MAXUINT64 if that one is dangling. */
static guint64
to_index(const HaHole *holes, gsize n, guint64 position)
{
    gsize low = 0, high = n;
    while (low < high) {
        gsize middle = low + (high - low) / 2;
        if (holes[middle].position < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && holes[low].position == position ? G_MAXUINT64 : position - low;
}

/* The stretch of references that one run describes. */
typedef struct {
    const HaRun *run; /* NULL: unnamed */
    guint64 first;    /* position of the run's first reference */
} Found;

static Found
find_run(const HaGraph *g, HaId id, guint64 position, guint64 total)
{
    const HaLayout *layout = &HA_ITEM(g->layouts, HaLayout, ha_graph_value(g, HA_LAYOUT, id));
    const HaRun *runs = (const HaRun *)g->runs.data + layout->first_run;
    guint64 rest = total > layout->fixed ? total - layout->fixed : 0;
    if (position >= layout->fixed + (layout->open < layout->n_runs ? rest : 0))
        return (Found){0};
#define START(r) (runs[r].start + ((r) > layout->open ? rest : 0))
    /* the last that begins at or before the position: an open run that got nothing begins where the next one does */
    guint32 low = 0, high = layout->n_runs;
    while (high - low > 1) {
        guint32 middle = low + (high - low) / 2;
        if (START(middle) <= position)
            low = middle;
        else
            high = middle;
    }
    return (Found){.run = &runs[low], .first = START(low)};
#undef START
}

void
ha_graph_ref_name(const HaGraph *g, HaId id, gsize i, HaRefName *out)
{
    gsize n_refs, n_holes = 0;
    const HaId *refs = ha_graph_referents(g, id, &n_refs);
    g_assert(i < n_refs);
    const HaHole *holes = g->flags[id] & HA_FLAG_HOLES ? holes_of(g, id, &n_holes) : NULL;
    guint64 position = to_position(holes, n_holes, i);
    Found found = find_run(g, id, position, n_refs + n_holes);
    *out = (HaRefName){.kind = HF_RUN_UNNAMED, .key = HA_ID_NONE};
    if (found.run == NULL)
        return;
    guint64 offset = position - found.first;
    out->kind = found.run->kind;
    out->flags = found.run->flags;
    switch ((enum hf_run_kind)found.run->kind) {
    case HF_RUN_UNNAMED:
    case HF_RUN_MEMBER:
        break;
    case HF_RUN_INDEX:
        out->index = offset;
        break;
    case HF_RUN_ITEMS:
        if (offset % 2 == 1) {
            guint64 key = to_index(holes, n_holes, position - 1);
            out->key = key != G_MAXUINT64 ? refs[key] : HA_ID_NONE;
            out->index = 1;
            out->flags &= ~HF_RUN_HIDDEN;
        }
        break;
    case HF_RUN_NAMED:
        out->name = HA_ITEM(g->names, const char *, HA_ITEM(g->layout_names, guint32, found.run->first_name + offset));
        if (out->name == NULL)
            out->kind = HF_RUN_UNNAMED;
        break;
    case HF_RUN_KIND_COUNT:
    default:
        out->kind = HF_RUN_UNNAMED;
        break;
    }
}

gboolean
ha_graph_has_holes(const HaGraph *g, HaId id)
{
    return (g->flags[id] & HA_FLAG_HOLES) != 0;
}

guint64
ha_graph_n_places(const HaGraph *g, HaId id, guint8 kind)
{
    gsize n, n_holes = 0;
    (void)ha_graph_referents(g, id, &n);
    if (ha_graph_has_holes(g, id))
        (void)holes_of(g, id, &n_holes);
    const HaLayout *layout = &HA_ITEM(g->layouts, HaLayout, ha_graph_value(g, HA_LAYOUT, id));
    const HaRun *runs = (const HaRun *)g->runs.data + layout->first_run;
    guint64 left = n + n_holes, places = 0;
    guint64 rest = left > layout->fixed ? left - layout->fixed : 0;
    for (guint32 r = 0; r < layout->n_runs && left > 0; r++) {
        guint64 count = MIN(left, r == layout->open ? rest : runs[r].count); /* a broken object has fewer */
        places += runs[r].kind == kind ? count : 0;
        left -= count;
    }
    return places;
}

guint8
ha_graph_any_ref_flags(const HaGraph *g, HaId id)
{
    return HA_ITEM(g->layouts, HaLayout, ha_graph_value(g, HA_LAYOUT, id)).any_flags;
}

guint8
ha_graph_ref_flags(const HaGraph *g, HaId id, gsize i)
{
    HaRefName name;
    ha_graph_ref_name(g, id, i, &name);
    return name.flags;
}

/* A dict's key as Python would write it, as far as the dump tells. */
static void
append_key(const HaGraph *g, HaId key, GString *text)
{
    if (key == HA_ID_NONE) {
        g_string_append(text, "?");
        return;
    }
    gsize n;
    guint64 whole;
    const char *content = ha_graph_content(g, key, &n);
    const HaType *type = ha_graph_type(g, key);
    gboolean cut = ha_graph_content_whole(g, key, &whole);
    switch ((enum hf_family)type->family) {
    case HF_FAMILY_STR:
    case HF_FAMILY_BYTES:
        if (content == NULL)
            break;
        g_string_append(text, type->family == HF_FAMILY_BYTES ? "b'" : "'");
        ha_escape_append(text, content, n, KEY_TEXT_MAX, HA_ESCAPE_QUOTED);
        g_string_append(text, cut && n <= KEY_TEXT_MAX ? "…'" : "'");
        return;
    case HF_FAMILY_NONE:
        g_string_append(text, "None");
        return;
    case HF_FAMILY_INT:
    case HF_FAMILY_FLOAT:
    case HF_FAMILY_BOOL:
    case HF_FAMILY_TYPE:
        if (content == NULL)
            break;
        ha_escape_append(text, content, n, KEY_TEXT_MAX, 0);
        return;
    case HF_FAMILY_OTHER:
    case HF_FAMILY_DICT:
    case HF_FAMILY_LIST:
    case HF_FAMILY_TUPLE:
    case HF_FAMILY_SET:
    case HF_FAMILY_MODULE:
    case HF_FAMILY_FUNCTION:
    case HF_FAMILY_METHOD:
    case HF_FAMILY_CODE:
    case HF_FAMILY_FRAME:
    case HF_FAMILY_GENERATOR:
    case HF_FAMILY_COROUTINE:
    case HF_FAMILY_ASYNCGEN:
    case HF_FAMILY_CELL:
    case HF_FAMILY_WEAKREF:
    case HF_FAMILY_TASK:
    case HF_FAMILY_FUTURE:
    case HF_FAMILY_BUILTIN:
    case HF_FAMILY_EXCEPTION:
    case HF_FAMILY_COUNT:
        break;
    }
    g_string_append_printf(text, "<%s at 0x%" G_GINT64_MODIFIER "x>", type->name, ha_graph_addr(g, key));
}

char *
ha_graph_key_text(const HaGraph *g, HaId key, gboolean of_value)
{
    GString *text = g_string_new(of_value ? "[" : "<key ");
    append_key(g, key, text);
    g_string_append_c(text, of_value ? ']' : '>');
    return g_string_free(text, FALSE);
}

char *
ha_graph_ref_text(const HaGraph *g, HaId id, gsize i)
{
    HaRefName name;
    ha_graph_ref_name(g, id, i, &name);
    switch ((enum hf_run_kind)name.kind) {
    case HF_RUN_INDEX:
        return g_strdup_printf("[%" G_GUINT64_FORMAT "]", name.index);
    case HF_RUN_MEMBER:
        return g_strdup("{member}");
    case HF_RUN_NAMED:
        return g_strdup(name.name);
    case HF_RUN_ITEMS: {
        gsize n;
        gboolean of_value = name.index == 1;
        return ha_graph_key_text(g, of_value ? name.key : ha_graph_referents(g, id, &n)[i], of_value);
    }
    case HF_RUN_UNNAMED:
    case HF_RUN_KIND_COUNT:
    default:
        return NULL;
    }
}
