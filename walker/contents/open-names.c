// SPDX-License-Identifier: MIT
/*
 * Which strs a redacted dump may show: the names that modules and classes define, and the attributes that instances of a class share.
 * They are found before the walk and known by address, which is exact since Python interns them; a datum of the same text is
 * one that already stands in the program.
 */
#include "../wk-types.h"
#include "wk-contents.h"

enum {
    MAX_TYPES = 1 << 16, /* waiting at once */
    MAX_NAMES = 1 << 22,
    FIRST_SLOTS = 1 << 14,
    IDENTIFIER_MAX = 128, /* characters */
};

struct wk_open_names {
    wk_addr *slot; /* hash table, 0: free */
    uint64_t size, n;
    wk_addr *types; /* stack of those whose subclasses are to be looked at */
};

static wk_addr *
slot_of(const struct wk_open_names *o, wk_addr str)
{
    uint64_t i = (str >> 3) * 0x9e3779b97f4a7c15ull >> 20 & (o->size - 1);

    while (o->slot[i] != 0 && o->slot[i] != str)
        i = (i + 1) & (o->size - 1);
    return &o->slot[i];
}

/* setattr() takes any text for a name: only what source can say. Dots stand in names of modules. */
static bool
is_identifier(struct wk *w, wk_addr str)
{
    struct wk_str s;

    if (!wk_is_str(str) || !wk_str_view(w, str, &s) || !s.ascii || s.length == 0 || s.length > IDENTIFIER_MAX)
        return false;
    for (uint64_t i = 0; i < s.length; i++) {
        uint8_t c = s.data[i];
        bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';

        if (!letter && c != '_' && !(i != 0 && ((c >= '0' && c <= '9') || c == '.')))
            return false;
    }
    return true;
}

static void
add_name(struct wk *w, wk_addr str)
{
    struct wk_open_names *o = w->open_names;

    if (!is_identifier(w, str) || o->n >= MAX_NAMES)
        return;
    if (o->n * 2 >= o->size) {
        struct wk_open_names old = *o;
        o->size *= 4;
        o->slot = wk_map(w, o->size * sizeof *o->slot);
        for (uint64_t i = 0; i < old.size; i++)
            if (old.slot[i] != 0)
                *slot_of(o, old.slot[i]) = old.slot[i];
    }
    wk_addr *slot = slot_of(o, str);
    o->n += *slot == 0;
    *slot = str;
}

static void
add_keys(struct wk *w, wk_addr dict)
{
    struct wk_dict d;
    wk_addr key, value;

    if (!wk_has_flag(dict, WK_TPF_DICT) || !wk_dict_view(w, dict, &d))
        return;
    for (uint64_t i = 0; i < d.n; i++)
        if (wk_dict_entry(&d, i, &key, &value))
            add_name(w, key);
}

static void
add_modules(struct wk *w, wk_addr modules)
{
    struct wk_dict d;
    wk_addr key, module;

    if (!wk_has_flag(modules, WK_TPF_DICT) || !wk_dict_view(w, modules, &d))
        return;
    for (uint64_t i = 0; i < d.n; i++)
        if (wk_dict_entry(&d, i, &key, &module)) {
            add_name(w, key);
            if (wk_is_instance(w, module, WK_SYM_TYPE_MODULE))
                add_keys(w, WK_U64(module, w->facts.module_dict));
        }
}

static void
add_type(struct wk *w, wk_addr type)
{
    wk_addr keys = wk_type_flags(type) & WK_TPF_HEAP ? WK_U64(type, w->facts.heaptype_cached_keys) : 0;
    struct wk_dict d;

    add_keys(w, wk_type_dict(w, type));
    if (keys != 0 && wk_keys_view(w, keys, &d))
        for (uint64_t i = 0; i < d.n; i++)
            if (WK_U64(d.entries, i * d.stride + d.key) != 0)
                add_name(w, WK_U64(d.entries, i * d.stride + d.key));
}

/* Every class stands among the subclasses of its bases; under its tp_base it is looked at, so once. */
static void
add_types(struct wk *w)
{
    struct wk_open_names *o = w->open_names;
    uint64_t n = 0;
    wk_addr key, reference;
    struct wk_dict d;

    o->types[n++] = wk_symbol(w, WK_SYM_TYPE_OBJECT);
    while (n > 0) {
        wk_addr type = o->types[--n], subclasses = wk_type_subclasses(w, type);

        add_type(w, type);
        if (!wk_has_flag(subclasses, WK_TPF_DICT) || !wk_dict_view(w, subclasses, &d))
            continue;
        for (uint64_t i = 0; i < d.n && n < MAX_TYPES; i++) {
            if (!wk_dict_entry(&d, i, &key, &reference) || !wk_is_instance(w, reference, WK_SYM_TYPE_WEAKREF))
                continue;
            wk_addr child = WK_U64(reference, w->facts.weakref_object);
            if (wk_has_flag(child, WK_TPF_TYPE) && WK_U64(child, WK_TP_BASE) == type)
                o->types[n++] = child;
        }
    }
}

void
wk_open_names_init(struct wk *w)
{
    struct wk_open_names *o = w->open_names = wk_alloc(w, sizeof *o);

    o->size = FIRST_SLOTS;
    o->slot = wk_map(w, o->size * sizeof *o->slot);
    o->types = wk_map(w, MAX_TYPES * sizeof *o->types);
    for (wk_addr i = wk_interpreter_next(w, 0); i != 0; i = wk_interpreter_next(w, i))
        add_modules(w, WK_U64(i, w->facts.interp_modules));
    add_types(w);
}

bool
wk_is_open(struct wk *w, wk_addr str)
{
    return *slot_of(w->open_names, str) == str;
}
