// SPDX-License-Identifier: MIT
#include "ha-same.h"

#include <string.h>

#define TUPLE_ITEMS_COMPARED 64

typedef enum {
    COMPARE_NOTHING, /* all of it may change */
    COMPARE_ALL,     /* content and size */
    COMPARE_NAME,    /* content up to " at file:line state" */
    COMPARE_ITEMS,
} Compare;

typedef struct {
    guint32 name; /* number of the type's name, the same in both graphs */
    guint8 compare;
} TypeFacts;

struct HaSame {
    const HaGraph *a, *b;
    TypeFacts *types_a, *types_b; /* owned, by type index */
};

/* Whether a type is bytearray or comes from it: of the family of bytes, and yet its content changes. */
static gboolean
is_mutable_bytes(const HaGraph *g, const HaType *type)
{
    for (guint depth = 0; depth < 16; depth++) {
        if (strcmp(type->name, "builtins.bytearray") == 0 || strcmp(type->name, "bytearray") == 0)
            return TRUE;
        const HaType *base = NULL;
        for (guint32 i = 1; base == NULL && type->base != 0 && i < ha_graph_n_types(g); i++)
            if (ha_graph_nth_type(g, i)->addr == type->base)
                base = ha_graph_nth_type(g, i);
        if (base == NULL)
            return FALSE;
        type = base;
    }
    return FALSE;
}

static Compare
what_stays(const HaGraph *g, const HaType *type)
{
    switch ((enum hf_family)type->family) {
    case HF_FAMILY_STR:
    case HF_FAMILY_INT:
    case HF_FAMILY_FLOAT:
    case HF_FAMILY_BOOL:
    case HF_FAMILY_CODE:
    case HF_FAMILY_FUNCTION:
    case HF_FAMILY_METHOD:
    case HF_FAMILY_BUILTIN:
    case HF_FAMILY_MODULE:
        return COMPARE_ALL;
    case HF_FAMILY_BYTES:
        return is_mutable_bytes(g, type) ? COMPARE_NOTHING : COMPARE_ALL;
    case HF_FAMILY_FRAME:
    case HF_FAMILY_GENERATOR:
    case HF_FAMILY_COROUTINE:
    case HF_FAMILY_ASYNCGEN:
        return COMPARE_NAME;
    case HF_FAMILY_TUPLE:
        return COMPARE_ITEMS;
    case HF_FAMILY_OTHER:
    case HF_FAMILY_NONE:
    case HF_FAMILY_DICT:
    case HF_FAMILY_LIST:
    case HF_FAMILY_SET:
    case HF_FAMILY_TYPE:
    case HF_FAMILY_CELL:
    case HF_FAMILY_WEAKREF:
    case HF_FAMILY_TASK:
    case HF_FAMILY_FUTURE:
    case HF_FAMILY_EXCEPTION:
    case HF_FAMILY_COUNT:
    default:
        return COMPARE_NOTHING;
    }
}

static TypeFacts *
type_facts(const HaGraph *g, GHashTable *numbers)
{
    guint32 n = ha_graph_n_types(g);
    TypeFacts *facts = g_new(TypeFacts, n);
    for (guint32 i = 0; i < n; i++) {
        const HaType *type = ha_graph_nth_type(g, i);
        gpointer number = g_hash_table_lookup(numbers, type->name);
        if (number == NULL) {
            number = GUINT_TO_POINTER(g_hash_table_size(numbers) + 1);
            g_hash_table_insert(numbers, (gpointer)type->name, number);
        }
        facts[i] = (TypeFacts){.name = GPOINTER_TO_UINT(number), .compare = what_stays(g, type)};
    }
    return facts;
}

HaSame *
ha_same_new(const HaGraph *a, const HaGraph *b)
{
    HaSame *s = g_new0(HaSame, 1);
    s->a = a;
    s->b = b;
    g_autoptr(GHashTable) numbers = g_hash_table_new(g_str_hash, g_str_equal);
    s->types_a = type_facts(a, numbers);
    s->types_b = type_facts(b, numbers);
    return s;
}

void
ha_same_free(HaSame *s)
{
    if (s == NULL)
        return;
    g_free(s->types_a);
    g_free(s->types_b);
    g_free(s);
}

/* Contents that were cut at different lengths agree as far as both go. */
static gboolean
contents_agree(const HaSame *s, HaId i, HaId j, Compare how)
{
    gsize n, m;
    const char *content = ha_graph_content(s->a, i, &n), *other = ha_graph_content(s->b, j, &m);
    if (content == NULL || other == NULL)
        return TRUE; /* dumped without contents: nothing to compare */
    if (how == COMPARE_NAME) {
        const char *end = g_strrstr_len(content, n, " at "), *other_end = g_strrstr_len(other, m, " at ");
        n = end != NULL ? (gsize)(end - content) : n;
        m = other_end != NULL ? (gsize)(other_end - other) : m;
        return n == m && memcmp(content, other, n) == 0;
    }
    guint64 whole;
    gboolean is_cut = ha_graph_content_whole(s->a, i, &whole) || ha_graph_content_whole(s->b, j, &whole);
    if (n != m && !is_cut)
        return FALSE;
    return memcmp(content, other, MIN(n, m)) == 0;
}

static gboolean
items_agree(const HaSame *s, HaId i, HaId j)
{
    gsize n, m;
    const HaId *items = ha_graph_referents(s->a, i, &n), *others = ha_graph_referents(s->b, j, &m);
    if (ha_graph_size(s->a, i) != ha_graph_size(s->b, j))
        return FALSE;
    if (n != m)
        return TRUE; /* one of the dumps lacks some */
    for (gsize k = 0; k < MIN(n, TUPLE_ITEMS_COMPARED); k++)
        if (ha_graph_addr(s->a, items[k]) != ha_graph_addr(s->b, others[k]))
            return FALSE;
    return TRUE;
}

HaId
ha_same_find(const HaSame *s, HaId i)
{
    HaId j = ha_graph_lookup(s->b, ha_graph_addr(s->a, i));
    if (j == HA_ID_NONE)
        return HA_ID_NONE;
    const TypeFacts *type = &s->types_a[ha_graph_type_index(s->a, i)];
    if (type->name != s->types_b[ha_graph_type_index(s->b, j)].name)
        return HA_ID_NONE;
    gboolean same = TRUE;
    switch ((Compare)type->compare) {
    case COMPARE_ALL:
        same = ha_graph_size(s->a, i) == ha_graph_size(s->b, j) && contents_agree(s, i, j, COMPARE_ALL);
        break;
    case COMPARE_NAME:
        same = contents_agree(s, i, j, COMPARE_NAME);
        break;
    case COMPARE_ITEMS:
        same = items_agree(s, i, j);
        break;
    case COMPARE_NOTHING:
    default:
        break;
    }
    return same ? j : HA_ID_NONE;
}

void
ha_same_narrow(const HaSame *s, const HaBits *live_in_b, gboolean keep, HaBits *chosen)
{
    guint32 n = ha_graph_n_objects(s->a);
    for (HaId i = 0; i < n; i++) {
        if (!ha_bits_get(chosen, i))
            continue;
        HaId j = ha_same_find(s, i);
        gboolean lives = j != HA_ID_NONE && ha_bits_get(live_in_b, j);
        if (lives != keep)
            ha_bits_clear(chosen, i);
    }
}
