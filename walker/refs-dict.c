// SPDX-License-Identifier: MIT
/* References of dicts and sets, whatever their shape. */
#include "wk-names.h"
#include "wk-objects.h"
#include "wk-refs.h"
#include "wk-types.h"

#define DICT_CACHE 256u
#define SET_ENTRY  16u
#define PART       16384u       /* entries of a dict or set at a time */
#define OWN_MAX    (1ull << 32) /* references of a dict's subclass beside its items: an OrderedDict has its keys twice */
#define SPARSE     64u          /* slots for each member that was ever put in: more are not believed */

/* ---- dicts and sets; large ones go into the dump part by part, so that our memory does not grow with theirs */

static void
items_part(struct wk *w, const struct wk_dict *d, uint64_t from, uint64_t end)
{
    struct wk_refs *r = &w->refs;

    wk_refs_room(w, 2 * (end - from));
    uint64_t *to = r->addr + r->n;
    wk_addr at = d->entries + d->key + from * d->stride;
    uint64_t bits = 0;
    for (uint64_t i = from; i < end; i++, at += d->stride) {
        wk_addr key = WK_U64(at, 0), value = WK_U64(at, 8);
        bits |= key | value;
        if (value != 0 && key != 0) {
            to[0] = key;
            to[1] = value;
            to += 2;
        }
    }
    if (wk_unlikely((bits & WK_POINTER_NEVER) != 0))
        wk_broken(w);
    r->n = (uint64_t)(to - r->addr);
}

/* Combined: pairs of key and value. */
static void
dict_items(struct wk *w, const struct wk_dict *d, bool alone)
{
    bool split = alone && d->n > PART;

    items_part(w, d, 0, split ? PART : d->n);
    if (split)
        w->refs.rest = (struct wk_rest){.kind = WK_WALK_DICT, .dict = *d, .next = PART, .end = d->n};
}

static void
members_part(struct wk *w, wk_addr table, uint64_t from, uint64_t end)
{
    struct wk_refs *r = &w->refs;
    wk_addr entry = table + from * SET_ENTRY;

    wk_refs_room(w, end - from);
    uint64_t *to = r->addr + r->n, bits = 0;
    for (uint64_t i = from; i < end; i++, entry += SET_ENTRY) {
        wk_addr key = WK_U64(entry, 0);
        bits |= key;
        if (key != 0 && WK_I64(entry, 8) != -1) /* hash −1: deleted */
            *to++ = key;
    }
    if (wk_unlikely((bits & WK_POINTER_NEVER) != 0))
        wk_broken(w);
    r->n = (uint64_t)(to - r->addr);
}

void
wk_set_refs(struct wk *w, wk_addr object, bool alone)
{
    uint64_t slots = WK_U64(object, w->facts.set_mask) + 1;
    wk_addr table = WK_U64(object, w->facts.set_table);
    bool split = alone && slots > PART;

    if (WK_U64(object, w->facts.set_used) == 0)
        return;
    /* A set grows to four times its members; what is far from that has a wrong count, and what follows its table is none of it. */
    if (wk_unlikely((slots & (slots - 1)) != 0 || slots / SPARSE > WK_U64(object, w->facts.set_fill)))
        wk_broken(w);
    members_part(w, table, 0, split ? PART : slots);
    if (split)
        w->refs.rest = (struct wk_rest){.kind = WK_WALK_SET, .table = table, .next = PART, .end = slots};
}

void
wk_collect_rest(struct wk *w, struct hf_object_row *row)
{
    struct wk_refs *r = &w->refs;
    struct wk_rest *rest = &r->rest;
    uint64_t from = rest->next, end = rest->end - from > PART ? from + PART : rest->end;

    r->n = 0;
    if (rest->kind == WK_WALK_DICT)
        items_part(w, &rest->dict, from, end);
    else
        members_part(w, rest->table, from, end);
    rest->next = end;
    if (end == rest->end)
        rest->kind = WK_WALK_NONE;
    row->flags = HF_OBJ_CONT | (rest->kind != WK_WALK_NONE ? (uint32_t)HF_OBJ_MORE : 0);
    row->refs = r->addr;
    row->n_refs = r->n;
    wk_refs_mark(w, r->addr, r->n);
}

/*
 * Split: the keys belong to the class, which refers to them (type_refs), so the values alone are references of the dict. Returns the layout,
 * which dicts of the same shape share.
 */
static uint32_t
dict_values(struct wk *w, const struct wk_dict *d)
{
    struct wk_refs *r = &w->refs;
    struct wk_shape *shape = &w->shapes[(d->keys >> 4 ^ d->keys >> 12) & (DICT_CACHE - 1)];
    uint64_t mask = 0;

    if (d->n <= 63) {
        wk_refs_room(w, d->n);
        uint64_t n = r->n;
        for (uint64_t i = 0; i < d->n; i++) {
            wk_addr value = WK_U64(d->values, 8 * i);
            r->addr[n] = value;
            n += value != 0;
            mask |= (uint64_t)(value != 0) << i;
        }
        if (shape->keys == d->keys && shape->mask == mask) {
            r->n = n;
            return shape->layout;
        }
    }
    for (uint64_t i = 0; i < d->n; i++) {
        wk_addr key, value;
        if (wk_dict_entry(d, i, &key, &value))
            wk_ref(w, value, wk_name_str(w, WK_NAME_KEY, key), 0);
    }
    uint32_t layout = wk_layout(w, false, HF_RUN_UNNAMED, r->tags, r->n_tags);
    if (d->n <= 63)
        *shape = (struct wk_shape){d->keys, mask, layout};
    return layout;
}

struct search {
    wk_addr wanted;
    bool found;
};

static int
visit_search(wk_addr referent, void *arg)
{
    struct search *s = arg;

    s->found |= referent == s->wanted;
    return 0;
}

/*
 * 3.13+ keeps values inside an instance when it is given a dict: 3.13.0 has the instance show them to tp_traverse, later ones the
 * dict, which the first such dict tells.
 */
bool
wk_dict_shows_inline(struct wk *w, wk_addr dict)
{
    wk_addr values = WK_U64(dict, WK_DICT_VALUES), keys = WK_U64(dict, WK_DICT_KEYS);
    wk_addr traverse = WK_U64(wk_symbol(w, WK_SYM_TYPE_DICT), WK_TP_TRAVERSE);
    struct search s = {0, false};
    struct wk_dict d;

    if (wk_likely(w->inline_shown != WK_INLINE_UNKNOWN))
        return w->inline_shown == WK_INLINE_BY_DICT;
    if (values == 0 || !wk_keys_view(w, keys, &d))
        return false;
    for (uint64_t i = 0; i < d.n && s.wanted == 0; i++)
        s.wanted = WK_U64(values + w->facts.values_items, 8 * i);
    if (s.wanted == 0)
        return false;
    ((int (*)(wk_addr, int (*)(wk_addr, void *), void *))(uintptr_t)traverse)(dict, visit_search, &s);
    w->inline_shown = s.found ? WK_INLINE_BY_DICT : WK_INLINE_BY_INSTANCE;
    return s.found;
}

/* The same from the instance, which shows its dict where the dict shows the values: an empty dict would tell nothing. */
void
wk_learn_inline(struct wk *w, const struct wk_type *type, wk_addr object, wk_addr dict)
{
    struct search s = {dict, false};

    if (!wk_is_gc(w, type, object) || type->traverse == 0)
        return;
    ((int (*)(wk_addr, int (*)(wk_addr, void *), void *))(uintptr_t)type->traverse)(object, visit_search, &s);
    w->inline_shown = s.found ? WK_INLINE_BY_DICT : WK_INLINE_BY_INSTANCE;
}

/* Sets *layout where the whole row's is known. */
bool
wk_dict_refs(struct wk *w, wk_addr object, bool alone, uint32_t *layout)
{
    struct wk_dict d;

    if (WK_U64(object, WK_DICT_USED) == 0)
        return false;
    if (!wk_dict_view(w, object, &d))
        wk_broken(w);
    if (d.values == 0) {
        dict_items(w, &d, alone);
        return true;
    }
    if (!alone) {
        wk_addr key, value;
        wk_refs_room(w, 2 * d.n);
        for (uint64_t i = 0; i < d.n; i++)
            if (wk_dict_entry(&d, i, &key, &value)) {
                w->refs.addr[w->refs.n++] = key;
                w->refs.addr[w->refs.n++] = value;
            }
        return true;
    }
    if (w->facts.values_inline && WK_U8(d.values - w->facts.values_items, w->facts.values_embedded) != 0 &&
        !wk_dict_shows_inline(w, object))
        return false;
    *layout = dict_values(w, &d);
    return false;
}

/*
 * A dict with more in it (defaultdict, OrderedDict): if the references end with those that a plain dict shows, these become items behind
 * all that was collected, and *n_own references in front of them remain.
 */
bool
wk_dict_inside(struct wk *w, wk_addr object, uint64_t *n_own)
{
    struct wk_refs *r = &w->refs;
    uint64_t used = WK_U64(object, WK_DICT_USED), n = r->n, i = 0;
    struct wk_dict d;
    wk_addr key, value;

    if (used == 0 || !wk_dict_view(w, object, &d) || d.values != 0 || used > d.n || used > n)
        return false;
    /* Values and keys, or values alone where all keys are str. */
    bool both = used * 2 <= n, values = true;
    const uint64_t *two = r->addr + (both ? n - 2 * used : 0), *one = r->addr + n - used;
    for (uint64_t k = 0; k < d.n && i < used && (both || values); k++) {
        if (!wk_dict_entry(&d, k, &key, &value))
            continue;
        both = both && two[2 * i] == value && two[2 * i + 1] == key;
        values = values && one[i] == value;
        i++;
    }
    if (i != used || (!both && !values))
        return false;
    *n_own = n - (both ? 2 * used : used);
    if (*n_own > OWN_MAX)
        return false;
    items_part(w, &d, 0, d.n);
    r->first = n;
    return true;
}

void
wk_refs_init(struct wk *w)
{
    w->shapes = wk_map(w, DICT_CACHE * sizeof *w->shapes);
    wk_roles_init(w);
}
