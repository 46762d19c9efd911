// SPDX-License-Identifier: MIT
/*
 * The cache of attributes that were looked up on types (Objects/typeobject.c): each entry holds the attribute's name, and borrows what was
 * found. Names that are in no other place (getattr() of a text that was put together) are in the dump through it, and all counts agree.
 * Since 3.10 an interpreter has it; before it is a static array that no symbol tells. It is found by what it must hold: an entry
 * stands where its name and the version of its type put it, so that one entry tells where the array starts, and all others confirm it. Where the
 * place is known they do so, too: its number is one of the facts that no interpreter confirms, and what is read here is read without a net.
 */
#include "wk-roots.h"
#include "../wk-sys.h"

enum {
    SEARCH = 4 << 20, /* bytes from the first of the interpreter's own data: .data and .bss of any build */
    PAGE = 4096,
    WRONG_MAX = 1, /* entries that were caught while they are changed */
};

static bool
is_plain_str(struct wk *w, wk_addr object)
{
    return wk_may_read(w, object) && wk_may_read(w, object + WK_STR_STATE) &&
           wk_type_address(object) == wk_symbol(w, WK_SYM_TYPE_UNICODE);
}

/* By the hash of the name, since 3.10 by its address. */
static uint64_t
index_of(const struct wk *w, uint32_t version, wk_addr name)
{
    uint64_t which = w->version < 0x030a ? WK_U64(name, WK_STR_LENGTH + 8) : name >> 3;

    return (version ^ which) & (w->facts.type_cache_count - 1);
}

static bool
all_readable(wk_addr start, uint64_t size)
{
    for (wk_addr page = start & ~(wk_addr)(PAGE - 1); page < start + size; page += PAGE)
        if (!wk_sys_readable(page))
            return false;
    return true;
}

/* The name that an entry holds; 0: none. */
static wk_addr
name_in(const struct wk *w, wk_addr entry)
{
    wk_addr name = WK_U64(entry, w->facts.type_cache_entry_name);

    return name != wk_symbol(w, WK_SYM_NONE) ? name : 0; /* None: it is not in use */
}

static bool
is_entry(struct wk *w, wk_addr entry, uint64_t i)
{
    uint32_t version = WK_U32(entry, 0); /* of the type */
    wk_addr name = name_in(w, entry);

    if (name == 0)
        return version == 0;
    /* 3.13 looks for the place before a type that had no version is given one */
    return is_plain_str(w, name) &&
           (version == 0 || index_of(w, version, name) == i || (w->version >= 0x030d && index_of(w, 0, name) == i));
}

static bool
is_cache(struct wk *w, wk_addr cache)
{
    const struct wk_facts *f = &w->facts;
    unsigned wrong = 0;

    if (!all_readable(cache, (uint64_t)f->type_cache_count * f->type_cache_entry_size))
        return false;
    for (uint64_t i = 0; i < f->type_cache_count && wrong <= WRONG_MAX; i++)
        wrong += !is_entry(w, cache + i * f->type_cache_entry_size, i);
    return wrong <= WRONG_MAX;
}

/* 0: not found, as when it is empty. */
static wk_addr
search(struct wk *w)
{
    const struct wk_facts *f = &w->facts;
    wk_addr type = wk_symbol(w, WK_SYM_TYPE_TYPE),
            start = (type < w->runtime ? type : w->runtime) & ~(wk_addr)(PAGE - 1);

    for (wk_addr page = start; page < start + SEARCH && all_readable(page, 2 * PAGE); page += PAGE)
        for (wk_addr entry = page; entry < page + PAGE; entry += 8) {
            uint64_t version = WK_U64(entry, 0);
            wk_addr name = name_in(w, entry), cache;

            if (version == 0 || version > UINT32_MAX || !is_plain_str(w, name))
                continue;
            cache = entry - index_of(w, (uint32_t)version, name) * f->type_cache_entry_size;
            if (cache >= start && is_cache(w, cache))
                return cache;
        }
    return 0;
}

void
wk_type_cache_roots(struct wk *w, wk_addr interpreter)
{
    const struct wk_facts *f = &w->facts;
    uint32_t root = wk_name(w, "<type cache>");
    wk_addr cache;

    if (f->interp_type_cache == WK_NO_FACT)
        cache = interpreter == w->interpreter ? search(w) : 0;
    else
        cache = is_cache(w, interpreter + f->interp_type_cache) ? interpreter + f->interp_type_cache : 0;
    for (uint64_t i = 0; cache != 0 && i < f->type_cache_count; i++) {
        wk_addr entry = cache + i * f->type_cache_entry_size;

        if (name_in(w, entry) != 0 && is_entry(w, entry, i))
            wk_root(w, HF_ROOT_INTERPRETER, name_in(w, entry), root, true);
    }
}
