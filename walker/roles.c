// SPDX-License-Identifier: MIT
/*
 * ROLES rows: names for the items of tuples that are a part of something: the cells of a closure, defaults, constants of code, a class's
 * MRO and bases. A tuple may have been written before what it is a part of is met, so they are rows of their own.
 */
#include "wk-names.h"
#include "wk-objects.h"
#include "wk-refs.h"
#include "wk-types.h"

#define ITEMS_MAX 4096u
#define CACHED    64u
#define KINDS     4u

/* Layouts by kind and length. */
struct wk_roles {
    uint32_t layout[KINDS][CACHED];
    uint32_t *tags;
};

void
wk_roles_init(struct wk *w)
{
    w->roles = wk_alloc(w, sizeof *w->roles);
    w->roles->tags = wk_map(w, ITEMS_MAX * sizeof *w->roles->tags);
}

/* How many items; 0: no tuple, or not one to be named. */
static uint64_t
items_of(const struct wk *w, wk_addr tuple)
{
    if (tuple == 0 || wk_type_address(tuple) != wk_symbol(w, WK_SYM_TYPE_TUPLE))
        return 0;
    uint64_t n = wk_tuple_size(tuple);
    return n <= ITEMS_MAX ? n : 0;
}

static void
numbered(struct wk *w, wk_addr tuple, unsigned kind, enum wk_name_kind name)
{
    struct wk_roles *r = w->roles;
    uint64_t n = items_of(w, tuple);

    if (n == 0)
        return;
    uint32_t layout = n < CACHED ? r->layout[kind][n] : 0;
    if (layout == 0) {
        for (uint64_t i = 0; i < n; i++)
            r->tags[i] = WK_TAG(wk_name_number(w, name, i), 0);
        layout = wk_layout(w, false, HF_RUN_UNNAMED, r->tags, n);
        if (n < CACHED)
            r->layout[kind][n] = layout;
    }
    hf_write_role(&w->out, tuple, layout);
}

/* Free variables are the last of a code's since 3.11. */
static wk_addr
free_names(const struct wk *w, wk_addr code, uint64_t n, uint64_t *first)
{
    const struct wk_facts *f = &w->facts;
    wk_addr names;

    *first = 0;
    if (f->code_localsplusnames == WK_NO_FACT)
        return items_of(w, names = WK_U64(code, f->code_freevars)) == n ? names : 0;
    names = WK_U64(code, f->code_localsplusnames);
    uint64_t all = items_of(w, names);
    if (all < n || (uint64_t)(uint32_t)WK_I32(code, f->code_nfreevars) != n)
        return 0;
    *first = all - n;
    return names;
}

static void
closure(struct wk *w, wk_addr function)
{
    wk_addr tuple = WK_U64(function, w->facts.function_closure), code = WK_U64(function, w->facts.function_code);
    uint64_t n = items_of(w, tuple), first;

    if (n == 0 || code == 0 || wk_type_address(code) != wk_symbol(w, WK_SYM_TYPE_CODE))
        return;
    wk_addr names = free_names(w, code, n, &first);
    if (names == 0)
        return;
    for (uint64_t i = 0; i < n; i++) {
        wk_addr name = wk_tuple_item(w, names, first + i);
        w->roles->tags[i] = wk_is_str(name) ? WK_TAG(wk_name_str(w, WK_NAME_CELL, name), 0) : 0;
    }
    hf_write_role(&w->out, tuple, wk_layout(w, false, HF_RUN_UNNAMED, w->roles->tags, n));
}

void
wk_roles_of(struct wk *w, const struct wk_type *type, wk_addr object)
{
    if (type->walk == WK_WALK_TYPE) {
        numbered(w, WK_U64(object, WK_TP_MRO), 0, WK_NAME_MRO);
        numbered(w, WK_U64(object, WK_TP_BASES), 1, WK_NAME_BASE);
    } else if (type->addr == wk_symbol(w, WK_SYM_TYPE_CODE)) {
        numbered(w, WK_U64(object, w->facts.code_consts), 2, WK_NAME_CONST);
    } else {
        numbered(w, WK_U64(object, w->facts.function_defaults), 3, WK_NAME_DEFAULT);
        closure(w, object);
    }
}
