// SPDX-License-Identifier: MIT
#pragma once
/* The type cache: open addressing by the type's address; entries never move. */
#include "wk-private.h"

#define WK_LEARN_MAX   16u
#define WK_LEARN_NODES 50000u /* of a list, to be looked at */

struct wk_type_slot {
    wk_addr addr; /* 0: free */
    struct wk_type *type;
};

struct wk_types {
    struct wk_type_slot *slot;
    uint64_t size, n; /* size is a power of two */
    unsigned shift;
    /* What tells a class statement's type from one made in C: see types.c. 0: not known. */
    wk_addr class_traverse;
    struct wk_learning {
        wk_addr traverse, clear, dealloc;
        unsigned n;
    } learning[WK_LEARN_MAX];
    unsigned n_learning;
    wk_addr type_is_gc; /* tp_is_gc of type */
    /* C functions behind __sizeof__ of the built-in types. */
    wk_addr sizeof_object, sizeof_list, sizeof_dict, sizeof_set, sizeof_frozenset, sizeof_str, sizeof_int;
    struct wk_text text;
    uint32_t layout_borrowed; /* ITEMS that are not in the counts: the table of interned strings */
    uint32_t name_class, name_dict, name_cache, name_mro, name_bases, name_base, name_subclasses, name_module,
        name_name, name_qualname, name_slots;
};

void wk_types_init(struct wk *w);
/* Told one object after the other, oldest first, learns what a class statement's types have in common; true: it knows. */
bool wk_types_learn(struct wk *w, wk_addr object);
struct wk_type *wk_type_new(struct wk *w, wk_addr type); /* NULL: that is no type */
bool wk_type_plausible(struct wk *w, wk_addr type);

/* NULL: not met yet. */
static inline struct wk_type *
wk_type_known(const struct wk *w, wk_addr type)
{
    const struct wk_types *t = w->types;
    uint64_t i = (type >> 4) * 0x9e3779b97f4a7c15ull >> t->shift;

    while (wk_unlikely(t->slot[i].addr != type)) {
        if (t->slot[i].addr == 0)
            return NULL;
        i = (i + 1) & (t->size - 1);
    }
    return t->slot[i].type;
}

static inline struct wk_type *
wk_type_find(struct wk *w, wk_addr type)
{
    struct wk_type *known = wk_type_known(w, type);

    return wk_likely(known != NULL) ? known : wk_type_new(w, type);
}

void wk_type_write(struct wk *w, struct wk_type *type, const char *name, size_t n);
wk_addr wk_type_subclasses(struct wk *w, wk_addr type); /* tp_subclasses, a dict; 0: none */

/* ---- sizes.c */
enum wk_size_kind {
    WK_SIZE_FIXED, /* object.__sizeof__ of a type without items */
    WK_SIZE_ITEMS, /* object.__sizeof__ */
    WK_SIZE_LIST,
    WK_SIZE_DICT,
    WK_SIZE_SET,
    WK_SIZE_STR,
    WK_SIZE_INT,
    WK_SIZE_BYTES_IO,
    WK_SIZE_CALL,    /* the C function */
    WK_SIZE_UNKNOWN, /* nothing that can be called: basic size and items */
};
void wk_size_prepare(struct wk *w, struct wk_type *type);
void wk_size_by_content(struct wk *w, struct wk_type *type); /* its size and content being known */
void wk_size_give_up(struct wk_type *type);                  /* its function is not called any more */
/* What sys.getsizeof says; false: a lower bound. */
bool wk_size(struct wk *w, const struct wk_type *type, wk_addr object, uint64_t *size);
wk_addr
wk_sizeof_function(struct wk *w,
                   wk_addr type); /* of the built-in method that a type has for __sizeof__; 0: none or Python's */

/* ---- real-sizes.c */
void wk_real_init(struct wk *w); /* which allocator it is; META rows */
void wk_real_prepare(struct wk *w, struct wk_type *type);
/* Bytes that the object takes of the allocator; only where that is known. */
uint64_t wk_real_size(struct wk *w, const struct wk_type *type, wk_addr object, uint64_t size);
uint64_t wk_real_usual(const struct wk *w, uint64_t size); /* what readers take for it where the row does not say */

/* ---- refs-prepare.c */
void wk_refs_prepare_init(struct wk *w);
void wk_refs_prepare(struct wk *w, struct wk_type *type);
/* ---- refs.c */
void wk_refs_init(struct wk *w);
/* Fills refs and layout of the row; who writes it marks the referents. Plain lists and tuples: wk_collect_sequence(). */
void wk_collect(struct wk *w, struct wk_type *type, wk_addr object, struct hf_object_row *row);
/* The next part of an object whose row said MORE, while refs.rest.kind is set. */
void wk_collect_rest(struct wk *w, struct hf_object_row *row);

/* PyObject_IS_GC() */
static inline bool
wk_is_gc(struct wk *w, const struct wk_type *type, wk_addr object)
{
    if (!(type->flags & WK_TYPE_GC))
        return false;
    if (wk_likely(!(type->flags & WK_TYPE_CHECK_GC)))
        return true;
    if (type->is_gc == w->types->type_is_gc)
        return (WK_U64(object, WK_TP_FLAGS) & WK_TPF_HEAP) != 0;
    w->foreign = WK_FOREIGN_IS_GC;
    bool is = ((int (*)(wk_addr))(uintptr_t)type->is_gc)(object) != 0;
    w->foreign = WK_FOREIGN_NONE;
    return is;
}
