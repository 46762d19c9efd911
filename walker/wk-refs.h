// SPDX-License-Identifier: MIT
#pragma once
/* What the files of references share: room in the arrays, marks, and the dicts and sets of refs-dict.c. */
#include "wk-private.h"
#include "wk-visited.h"

/* The layout of dicts that share their keys and have values in the same places. */
struct wk_shape {
    wk_addr keys;
    uint64_t mask; /* which values are there */
    uint32_t layout;
};

__attribute__((cold)) void wk_refs_grow(struct wk *w, uint64_t n);
void wk_refs_mark(struct wk *w, const uint64_t *addr, uint64_t n);

/* Room for n more addresses. */
static inline void
wk_refs_room(struct wk *w, uint64_t n)
{
    if (wk_unlikely(w->refs.max - w->refs.n < n))
        wk_refs_grow(w, n);
}

/* Items in the object itself or where it points to; layout: without what else the type has. */
__attribute__((cold)) void wk_check_items(struct wk *w, const uint64_t *addr, uint64_t n);
#define WK_LARGE 1024u /* items */

static inline void
wk_collect_sequence(struct wk *w, const struct wk_type *type, wk_addr object, struct hf_object_row *row)
{
    row->n_refs = WK_U64(object, WK_OB_SIZE);
    row->layout = type->layout;
    if (type->walk == WK_WALK_TUPLE) {
        row->refs = (const uint64_t *)(uintptr_t)(object + w->facts.tuple_at);
    } else {
        row->refs = WK_READ(const uint64_t *, object, WK_LIST_ITEMS);
        if (wk_unlikely(row->n_refs > WK_U64(object, WK_LIST_ALLOCATED)))
            wk_broken(w);
    }
    if (wk_unlikely(row->n_refs > WK_LARGE))
        wk_check_items(w, row->refs, row->n_refs);
}

/* ---- refs-dict.c; alone: the row has nothing but these, so that it may come in parts */
/* True: items; false: nothing, or values under names, with the layout of the row. */
bool wk_dict_refs(struct wk *w, wk_addr object, bool alone, uint32_t *layout);
void wk_set_refs(struct wk *w, wk_addr object, bool alone);
bool wk_dict_shows_inline(struct wk *w,
                          wk_addr dict); /* 3.13+: whose are the values inside an instance that has a dict */
void wk_learn_inline(struct wk *w, const struct wk_type *type, wk_addr object, wk_addr dict);
bool wk_dict_inside(struct wk *w, wk_addr object, uint64_t *n_own);

/* ---- refs-inside.c: what tp_traverse shows without telling one from another */
/* Pairs of key and result go behind all that was collected; what they were made of is 0 then. True: there are some. */
bool wk_lru_inside(struct wk *w, wk_addr object, uint64_t n);
bool wk_hamt_node(const char *type_name);
void wk_hamt_refs(struct wk *w, wk_addr node);

/* ---- refs-array.c: elements of numpy's arrays; returns what they are called. NAMED: each has its tag already */
enum hf_run_kind wk_ndarray_items(struct wk *w, wk_addr array);

/* ---- roles.c */
void wk_roles_init(struct wk *w);
void wk_roles_of(struct wk *w, const struct wk_type *type, wk_addr object); /* of a type with WK_TYPE_HAS_PARTS */

/* ---- known-fields.c: the next field of a type at or after *i, which moves on; false: no more */
void wk_known_init(struct wk *w);
bool wk_known_field(struct wk *w, const char *type, unsigned *i, struct wk_field *out);

static inline bool
wk_text_equals(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}
