// SPDX-License-Identifier: MIT
/*
 * References of an object: first the open run of a container's items, then tagged ones: fields at fixed offsets, inline values,
 * what facts/ and roots/ add through wk_ref(). Rows of the usual kinds find their layout without looking at a name.
 */
#include "wk-gc.h"
#include "wk-names.h"
#include "wk-objects.h"
#include "wk-refs.h"
#include "wk-types.h"
#include "wk-visited.h"

#define SEARCH_MAX  48u /* names of tp_traverse's references are looked for among so many at either end */
#define MASK_FIELDS 32u
#define MASK_VALUES 28u
#define MOST        (1ull << 40)
#define FOUND_MAX   64u
#define REST_MAX    4096u      /* references that share a name beside fields */
#define SHOWN_MAX   4096u      /* of a type */
#define KEEP        (1u << 20) /* bytes of our arrays that stay in use after a large object */

void
wk_refs_mark(struct wk *w, const uint64_t *addr, uint64_t n)
{
    struct wk_visited *v = w->visited;
    uint64_t i = 0;

    for (; wk_unlikely(v->queueing) && i < n; i++)
        wk_mark_queue(w, addr[i]);
    for (; i < n; i++)
        wk_mark_swept(w, v, addr[i]);
}

/*
 * Before the items of a large list are taken for objects: where the count is wrong, what follows them in memory is not all pointers, or
 * is not there (a fault).
 */
void
wk_check_items(struct wk *w, const uint64_t *addr, uint64_t n)
{
    uint64_t bits = 0;

    if (n > MOST)
        wk_broken(w);
    for (uint64_t i = 0; i < n; i++) {
        bits |= addr[i];
        if (wk_unlikely((bits & WK_POINTER_NEVER) != 0))
            wk_broken(w);
    }
}

void
wk_refs_grow(struct wk *w, uint64_t n)
{
    struct wk_refs *r = &w->refs;

    /* One object may not take what the others need: a tp_traverse may go round in circles. */
    uint64_t limit = w->memory.limit - w->memory.limit / 8, more = (r->n + n) * sizeof *r->addr;
    if (n > r->addr_memory.reserved / sizeof *r->addr - r->n ||
        (w->memory.limit != 0 && more > r->addr_memory.usable &&
         w->memory.used + more / 4 * 5 - r->addr_memory.usable > limit))
        wk_broken(w);
    wk_growing_need(w, &r->addr_memory, (r->n + n) * sizeof *r->addr);
    r->max = r->addr_memory.usable / sizeof *r->addr;
}

static __attribute__((noinline)) void
tag_room(struct wk *w)
{
    struct wk_refs *r = &w->refs;

    wk_growing_need(w, &r->tags_memory, (r->n_tags + 256) * sizeof *r->tags);
    r->max_tags = r->tags_memory.usable / sizeof *r->tags;
}

void
wk_ref(struct wk *w, wk_addr referent, uint32_t name, unsigned flags)
{
    struct wk_refs *r = &w->refs;

    if (referent == 0)
        return;
    wk_refs_room(w, 1);
    if (r->n_tags == r->max_tags)
        tag_room(w);
    r->addr[r->n++] = referent;
    r->tags[r->n_tags++] = WK_TAG(name, flags);
}

static int
visit(wk_addr referent, void *arg)
{
    struct wk *w = arg;

    wk_refs_room(w, 1);
    w->refs.addr[w->refs.n++] = referent;
    return 0;
}

/* disowned: the object is none of the collector's, says its type, so that Python does not show its references. */
static void
traverse(struct wk *w, const struct wk_type *type, wk_addr object, bool disowned)
{
    if (type->traverse == 0 || (!disowned && !wk_is_gc(w, type, object)))
        return;
    w->foreign = WK_FOREIGN_TRAVERSE;
    ((int (*)(wk_addr, int (*)(wk_addr, void *), void *))(uintptr_t)type->traverse)(object, visit, w);
    w->foreign = WK_FOREIGN_NONE;
}

void
wk_ref_traverse(struct wk *w, const struct wk_type *type, wk_addr object)
{
    traverse(w, type, object, false);
    while (w->refs.n_tags < w->refs.n - w->refs.open_n) {
        if (w->refs.n_tags == w->refs.max_tags)
            tag_room(w);
        w->refs.tags[w->refs.n_tags++] = 0;
    }
}

/* ---- fields */

/* Where a var-sized instance keeps what a negative offset says: counted from the end of its items. */
static int64_t
negative_offset(const struct wk *w, const struct wk_type *type, wk_addr object, int64_t offset)
{
    int64_t n = WK_I64(object, WK_OB_SIZE);

    if (w->facts.int_tagged && wk_has_flag(object, WK_TPF_LONG))
        n = (int64_t)(WK_U64(object, WK_INT_TAG) >> 3);
    if (n < 0)
        n = -n;
    return ((int64_t)type->basic + n * (int64_t)type->item + offset + 7) & ~7ll;
}

static inline wk_addr
read_field(struct wk *w, const struct wk_type *type, const struct wk_field *f, wk_addr object)
{
    if (wk_unlikely((f->flags & (WK_FIELD_NEGATIVE | WK_FIELD_TAGGED | WK_FIELD_ZONE | WK_FIELD_JOINED |
                                 WK_FIELD_FIRST | WK_FIELD_AFTER)) != 0)) {
        if (f->flags & WK_FIELD_NEGATIVE)
            return WK_U64(object, negative_offset(w, type, object, f->offset));
        if (f->flags & WK_FIELD_AFTER)
            return WK_U64(object, (int64_t)f->offset + (int64_t)(WK_U64(object, WK_OB_SIZE) * type->item));
        if (f->flags & WK_FIELD_ZONE)
            return WK_U8(object, w->facts.time_hastz) != 0 ? WK_U64(object, (int64_t)f->offset) : 0;
        wk_addr word = WK_U64(object, (int64_t)f->offset);
        if (f->flags & WK_FIELD_FIRST)
            return word != 0 ? WK_U64(word, 0) : 0;
        if (f->flags & WK_FIELD_JOINED)
            return word & ~1ull;
        return word & 1 ? 0 : word & ~7ull;
    }
    return WK_U64(object, (int64_t)f->offset);
}

/* Inline values of an instance, 0 if it has none (any more), and how many there are. */
static wk_addr
inline_values(struct wk *w, const struct wk_type *type, wk_addr object, wk_addr *dict)
{
    wk_addr values;

    *dict = WK_U64(object, (int64_t)w->facts.managed_dict);
    if (w->facts.values_inline) {
        if (!(type->flags & WK_TYPE_INLINE))
            return 0;
        values = object + type->basic;
        if (*dict != 0 && wk_unlikely(w->inline_shown == WK_INLINE_UNKNOWN) &&
            WK_U8(values, w->facts.values_valid) != 0)
            wk_learn_inline(w, type, object, *dict);
        if (WK_U8(values, w->facts.values_valid) == 0 || (*dict != 0 && wk_dict_shows_inline(w, *dict)))
            return 0;
        return values + w->facts.values_items;
    }
    if (w->facts.values_tagged) {
        if (!(*dict & 1))
            return 0;
        values = *dict + 1;
        *dict = 0;
        return values;
    }
    return WK_U64(object, (int64_t)w->facts.managed_values);
}

static uint64_t
values_count(struct wk *w, struct wk_type *type, wk_addr *keys)
{
    struct wk_dict d;

    *keys = WK_U64(type->addr, w->facts.heap_cached_keys);
    if (*keys == 0 || !wk_keys_view(w, *keys, &d) || d.n > 4096)
        return 0;
    return d.n;
}

/* Behind what is there already, each with its tag. */
static void
add_fields(struct wk *w, struct wk_type *type, wk_addr object)
{
    for (uint32_t i = 0; i < type->n_fields; i++) {
        const struct wk_field *f = &type->fields[i];
        wk_ref(w, read_field(w, type, f, object), f->name, f->flags & (WK_FIELD_WEAK | WK_FIELD_HIDDEN));
    }
    if (type->flags & WK_TYPE_MANAGED) {
        wk_addr dict, keys, values = inline_values(w, type, object, &dict);
        struct wk_dict d;
        uint64_t n = values != 0 ? values_count(w, type, &keys) : 0;
        if (n != 0 && wk_keys_view(w, keys, &d))
            for (uint64_t i = 0; i < n; i++) {
                wk_addr value = WK_U64(values, 8 * i);
                if (value != 0)
                    wk_ref(w, value, wk_name_str(w, WK_NAME_ATTR, WK_U64(d.entries, i * d.stride + d.key)), 0);
            }
        wk_ref(w, dict, w->types->name_dict, values != 0 ? WK_FIELD_HIDDEN : 0);
    }
}

static __attribute__((noinline)) uint32_t
fields_slow(struct wk *w, struct wk_type *type, wk_addr object, bool has_open, enum hf_run_kind open)
{
    struct wk_refs *r = &w->refs;

    r->n = r->open_n;
    r->n_tags = 0;
    add_fields(w, type, object);
    return wk_layout(w, has_open, open, r->tags, r->n_tags);
}

/* Fields, managed dict and inline values behind the open run; the layout of the whole row. */
static uint32_t
fields_refs(struct wk *w, struct wk_type *type, wk_addr object, bool has_open, enum hf_run_kind open)
{
    struct wk_refs *r = &w->refs;
    uint64_t mask = 1ull << 63 | (uint64_t)has_open << 62;

    if (wk_unlikely(type->n_fields > MASK_FIELDS))
        return fields_slow(w, type, object, has_open, open);
    wk_refs_room(w, MASK_FIELDS + MASK_VALUES + 2);
    uint64_t n = r->n;
    for (uint32_t i = 0; i < type->n_fields; i++) {
        wk_addr a = read_field(w, type, &type->fields[i], object);
        r->addr[n] = a;
        n += a != 0;
        mask |= (uint64_t)(a != 0) << i;
    }
    if (type->flags & WK_TYPE_MANAGED) {
        wk_addr dict, keys, values = inline_values(w, type, object, &dict);
        if (values != 0) {
            uint64_t count = values_count(w, type, &keys);
            mask |= 1ull << 60;
            if (count > MASK_VALUES)
                return fields_slow(w, type, object, has_open, open);
            for (uint64_t i = 0; i < count; i++) {
                wk_addr a = WK_U64(values, 8 * i);
                r->addr[n] = a;
                n += a != 0;
                mask |= (uint64_t)(a != 0) << (MASK_FIELDS + i);
            }
        }
        r->addr[n] = dict;
        n += dict != 0;
        mask |= (uint64_t)(dict != 0) << 61;
    }
    if (wk_likely(mask == type->layout_key)) {
        r->n = n;
        return type->layout_value;
    }
    uint32_t layout = fields_slow(w, type, object, has_open, open);
    type->layout_key = mask;
    type->layout_value = layout;
    return layout;
}

/* ---- what only tp_traverse can enumerate */

/* References of an instance that have a name: they are taken from among the first n, which have none, and come behind the others. */
struct found {
    uint64_t n;    /* references that tp_traverse showed */
    uint64_t next; /* behind the one that was found last: mostly the next one to be found */
    unsigned n_taken;
    struct {
        wk_addr addr;
        uint32_t tag;
    } taken[FOUND_MAX];
};

/* hidden: is added where tp_traverse does not show it; else left out there. */
static void
take(struct wk_refs *r, struct found *found, wk_addr a, uint32_t name, uint32_t flags, bool hidden)
{
    uint64_t k = 0;

    if (a == 0 || found->n_taken == FOUND_MAX)
        return;
    if (found->next < found->n && r->addr[found->next] == a)
        k = found->next;
    while (k < found->n && r->addr[k] != a)
        k = k + 1 == SEARCH_MAX && found->n > 2 * SEARCH_MAX ? found->n - SEARCH_MAX : k + 1;
    if (k < found->n) {
        r->addr[k] = 0;
        found->next = k + 1;
        flags &= ~(uint32_t)WK_FIELD_HIDDEN;
    } else if (!hidden) {
        return;
    } else if (!(flags & WK_FIELD_WEAK)) {
        flags |= WK_FIELD_HIDDEN;
    }
    found->taken[found->n_taken].addr = a;
    found->taken[found->n_taken++].tag = WK_TAG(name, flags);
}

/* Attributes that stand beside the instance, and the dict that may stand for them. */
static void
take_managed(struct wk *w, struct wk_type *type, wk_addr object, struct found *found)
{
    wk_addr dict, keys, values = inline_values(w, type, object, &dict);
    uint64_t n = values != 0 ? values_count(w, type, &keys) : 0;
    struct wk_dict d;

    if (n != 0 && wk_keys_view(w, keys, &d))
        for (uint64_t i = 0; i < n; i++) {
            wk_addr value = WK_U64(values, 8 * i);
            if (value != 0)
                take(&w->refs, found, value, wk_name_str(w, WK_NAME_ATTR, WK_U64(d.entries, i * d.stride + d.key)), 0,
                     false);
        }
    take(&w->refs, found, dict, w->types->name_dict, 0, true);
}

/*
 * References of an instance come unnamed; those that a member of the type (or its dict, or its class) holds get that name and move
 * behind the others, so that few layouts serve many objects.
 */
static uint32_t
traverse_refs(struct wk *w, struct wk_type *type, wk_addr object, enum hf_run_kind open)
{
    struct wk_refs *r = &w->refs;
    struct found found;

    bool disowned = (type->flags & WK_TYPE_CHECK_GC) && wk_gc_disowned(w, type, object);
    unsigned hidden = disowned ? (unsigned)WK_FIELD_HIDDEN : 0;
    traverse(w, type, object, disowned);
    w->disowned += disowned;
    uint64_t n = r->n;
    bool items = false;
    if (type->flags & WK_TYPE_DICT_INSIDE)
        items = wk_dict_inside(w, object, &n);
    else if (wk_unlikely((type->flags & WK_TYPE_LRU) != 0))
        items = wk_lru_inside(w, object, n);
    found.n = n;
    found.next = 0;
    found.n_taken = 0;
    for (uint32_t i = 0; i < type->n_fields; i++) {
        /* A member, a dict, the class: held, whether tp_traverse says so or not. */
        const struct wk_field *f = &type->fields[i];
        take(r, &found, read_field(w, type, f, object), f->name, f->flags & (WK_FIELD_WEAK | WK_FIELD_HIDDEN),
             !(f->flags & WK_FIELD_IF_SHOWN));
    }
    if (type->flags & WK_TYPE_MANAGED)
        take_managed(w, type, object, &found);
    unsigned n_found = found.n_taken;
    uint64_t left = items ? n : r->n;
    if (!items && n_found != 0) {
        left = 0;
        for (uint64_t k = 0; k < n; k++)
            if (r->addr[k] != 0)
                r->addr[left++] = r->addr[k];
    }
    if (items) {
        /* Behind the items: what is left without a name, then the named. */
        uint32_t name = left <= REST_MAX ? type->rest : 0;
        for (uint64_t k = 0; k < left; k++)
            wk_ref(w, r->addr[k], name, hidden);
    } else if (type->rest != 0 && !(type->flags & WK_TYPE_DICT_INSIDE) && left <= REST_MAX) {
        r->n = 0;
        for (uint64_t k = 0; k < left; k++) /* to where it stands */
            wk_ref(w, r->addr[k], type->rest, hidden);
    } else {
        r->n = r->open_n = left;
    }
    bool has_open = items || r->open_n != 0;
    for (unsigned i = 0; i < n_found; i++)
        wk_ref(w, found.taken[i].addr, WK_TAG_NAME(found.taken[i].tag), WK_TAG_FLAGS(found.taken[i].tag) | hidden);
    if (wk_unlikely((type->flags & WK_TYPE_GREENLET) != 0))
        wk_greenlet_refs(w, object);
    open = items ? HF_RUN_ITEMS : open;
    return wk_layout(w, has_open, (enum hf_run_kind)(open | (has_open && disowned ? WK_OPEN_HIDDEN : 0)), r->tags,
                     r->n_tags);
}

/* ---- type objects */

static void
type_refs(struct wk *w, const struct wk_type *type, wk_addr object)
{
    uint64_t flags = WK_U64(object, WK_TP_FLAGS);
    unsigned hidden = flags & WK_TPF_HEAP ? 0 : WK_FIELD_HIDDEN; /* a static type is no gc object: nothing is shown */
    struct wk_dict d;

    wk_ref(w, wk_type_dict(w, object), w->types->name_dict, hidden);
    wk_ref(w, WK_U64(object, WK_TP_CACHE), w->types->name_cache, hidden);
    wk_ref(w, WK_U64(object, WK_TP_MRO), w->types->name_mro, hidden);
    wk_ref(w, WK_U64(object, WK_TP_BASES), w->types->name_bases, hidden);
    /* PyType_Ready counts the base of a static type only where it fills it in itself. */
    wk_addr base = WK_U64(object, WK_TP_BASE);
    bool borrowed = hidden != 0 && base != wk_symbol(w, WK_SYM_TYPE_OBJECT);
    wk_ref(w, base, w->types->name_base, borrowed ? WK_FIELD_WEAK : hidden);
    wk_ref(w, wk_type_subclasses(w, object), w->types->name_subclasses, WK_FIELD_HIDDEN);
    if (!(flags & WK_TPF_HEAP))
        return;
    if (w->facts.heap_module != 0)
        wk_ref(w, WK_U64(object, w->facts.heap_module), w->types->name_module, 0);
    if (type->flags & WK_TYPE_HEAP)
        wk_ref(w, type->addr, w->types->name_class, type->flags & WK_TYPE_CLASS ? 0 : WK_FIELD_HIDDEN);
    wk_ref(w, WK_U64(object, w->facts.heap_name), w->types->name_name, WK_FIELD_HIDDEN);
    wk_ref(w, WK_U64(object, w->facts.heap_qualname), w->types->name_qualname, WK_FIELD_HIDDEN);
    wk_ref(w, WK_U64(object, w->facts.heap_slots), w->types->name_slots, WK_FIELD_HIDDEN);
    /* The keys that instances share. */
    wk_addr keys = WK_U64(object, w->facts.heap_cached_keys);
    if (keys != 0 && wk_keys_view(w, keys, &d))
        for (uint64_t i = 0; i < d.n && i < 4096; i++) {
            wk_addr key = WK_U64(d.entries, i * d.stride + d.key);
            if (key != 0)
                wk_ref(w, key, wk_name_str(w, WK_NAME_HIDDEN_KEY, key), WK_FIELD_HIDDEN);
        }
}

/*
 * A type whose type is C's and has a tp_traverse of its own (ctypes): all that types have, and what else that shows under the names of
 * the type's fields.
 */
static void
meta_refs(struct wk *w, const struct wk_type *type, wk_addr object)
{
    struct wk_refs *r = &w->refs;

    traverse(w, type, object, false);
    uint64_t n = r->n, named = 0;
    if (n > SHOWN_MAX)
        wk_broken(w);
    r->first = r->open_n = n;
    type_refs(w, type, object);
    for (; named < r->n_tags; named++) {
        wk_addr a = r->addr[n + named];
        uint32_t tag = r->tags[named], flags = WK_TAG_FLAGS(tag);
        uint64_t k = 0;
        while (k < n && r->addr[k] != a)
            k++;
        if (k < n)
            r->addr[k] = 0;
        if (!(flags & WK_FIELD_WEAK))
            r->tags[named] = WK_TAG(WK_TAG_NAME(tag), k < n ? 0 : WK_FIELD_HIDDEN);
    }
    for (uint32_t i = 0; i < type->n_fields; i++) {
        const struct wk_field *f = &type->fields[i];
        wk_addr a = read_field(w, type, f, object);
        for (uint64_t k = 0; a != 0 && k < n; k++)
            if (r->addr[k] == a) {
                r->addr[k] = 0;
                wk_ref(w, a, f->name, 0);
                break;
            }
    }
    for (uint64_t k = 0; k < n; k++)
        wk_ref(w, r->addr[k], type->rest, 0);
}

static inline bool
is_interned(const struct wk *w, wk_addr dict)
{
    if (wk_unlikely(dict == w->interned))
        return true;
    for (uint32_t i = 0; i < w->n_more_interned; i++)
        if (dict == w->more_interned[i])
            return true;
    return false;
}

/* ---- one object */

void
wk_collect(struct wk *w, struct wk_type *type, wk_addr object, struct hf_object_row *row)
{
    struct wk_refs *r = &w->refs;
    enum hf_run_kind open = HF_RUN_UNNAMED;
    uint32_t layout = 0;

    r->n = r->open_n = r->n_tags = r->first = 0;
    r->rest.kind = WK_WALK_NONE;
    if (wk_unlikely(r->addr_memory.usable > 4 * (uint64_t)KEEP)) {
        wk_growing_trim(w, &r->addr_memory, KEEP);
        r->max = r->addr_memory.usable / sizeof *r->addr;
    }
    switch ((enum wk_walk)type->walk) {
    case WK_WALK_NONE:
        row->n_refs = 0;
        return;
    case WK_WALK_LIST:
    case WK_WALK_TUPLE:
        wk_collect_sequence(w, type, object, row);
        wk_refs_room(w, row->n_refs);
        for (uint64_t i = 0; i < row->n_refs; i++)
            r->addr[i] = row->refs[i];
        r->n = row->n_refs;
        open = HF_RUN_INDEX;
        break;
    case WK_WALK_DICT:
        open = HF_RUN_ITEMS;
        if (wk_dict_refs(w, object, !(type->flags & WK_TYPE_TAIL), &layout))
            layout = wk_likely(!is_interned(w, object)) ? type->layout : w->types->layout_borrowed;
        break;
    case WK_WALK_SET:
        open = HF_RUN_MEMBER;
        wk_set_refs(w, object, !(type->flags & WK_TYPE_TAIL));
        layout = type->layout;
        break;
    case WK_WALK_FIELDS:
        break;
    case WK_WALK_TRAVERSE:
        layout = traverse_refs(w, type, object, (enum hf_run_kind)type->open);
        goto done;
    case WK_WALK_TYPE:
        if (type->flags & WK_TYPE_META)
            meta_refs(w, type, object);
        else
            type_refs(w, type, object);
        layout = wk_layout(w, false, open, r->tags, r->n_tags);
        goto done;
    case WK_WALK_FRAME:
        wk_frame_refs(w, type, object);
        layout = wk_layout(w, false, open, r->tags, r->n_tags);
        goto done;
    case WK_WALK_GENERATOR:
        wk_generator_refs(w, type, object);
        layout = wk_layout(w, false, open, r->tags, r->n_tags);
        goto done;
    case WK_WALK_NDARRAY:
        open = wk_ndarray_items(w, object);
        r->open_n = r->n;
        if (open == HF_RUN_NAMED) {
            add_fields(w, type, object);
            layout = wk_layout(w, false, open, r->tags, r->n_tags);
        } else {
            layout = fields_slow(w, type, object, r->n != 0, (enum hf_run_kind)(open | WK_OPEN_HIDDEN));
        }
        goto done;
    case WK_WALK_HAMT:
        wk_hamt_refs(w, object);
        layout = wk_layout(w, false, open, r->tags, r->n_tags);
        goto done;
    default:
        break;
    }
    if (type->flags & WK_TYPE_TAIL) {
        r->open_n = r->n;
        layout = fields_refs(w, type, object, r->open_n != 0, open);
    }
done:
    if (wk_unlikely((type->flags & WK_TYPE_HAS_PARTS) != 0))
        wk_roles_of(w, type, object);
    row->refs = r->addr + r->first;
    row->n_refs = r->n - r->first;
    row->layout = layout;
    if (wk_unlikely(r->rest.kind != WK_WALK_NONE))
        row->flags |= HF_OBJ_MORE;
}
