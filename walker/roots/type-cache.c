// SPDX-License-Identifier: MIT
/*
 * The cache of attributes that were looked up on types (Objects/typeobject.c): each entry holds the attribute's name, and borrows what was
 * found. Names that are in no other place (getattr() of a text that was put together) are in the dump through it, and all counts agree.
 * Since 3.10 an interpreter has it; before it is a static array that no symbol tells. It is found by what it must hold: an entry
 * stands where the hash of its name and the version of its type put it, so that one entry tells where the array starts, and all others confirm it.
 */
#include "wk-roots.h"
#include "../wk-sys.h"

enum {
    SEARCH = 4 << 20, /* bytes from the first of the interpreter's own data: .data and .bss of any build */
    PAGE = 4096,
};

static bool
is_plain_str(struct wk *w, wk_addr object)
{
    return (object & 7) == 0 && object >= PAGE && object < 1ull << 47 && wk_sys_readable(object) &&
           wk_sys_readable(object + WK_STR_STATE) && wk_type_address(object) == wk_symbol(w, WK_SYM_TYPE_UNICODE);
}

/* 3.8 and 3.9 */
static uint64_t
index_of(const struct wk *w, uint32_t version, wk_addr name)
{
    return (version ^ WK_U32(name, WK_STR_LENGTH + 8)) & (w->facts.type_cache_count - 1);
}

static bool
all_readable(wk_addr start, uint64_t size)
{
    for (wk_addr page = start & ~(wk_addr)(PAGE - 1); page < start + size; page += PAGE)
        if (!wk_sys_readable(page))
            return false;
    return true;
}

static bool
is_cache(struct wk *w, wk_addr cache)
{
    const struct wk_facts *f = &w->facts;

    for (uint64_t i = 0; i < f->type_cache_count; i++) {
        wk_addr entry = cache + i * f->type_cache_entry_size, name = WK_U64(entry, f->type_cache_entry_name);
        uint64_t version = WK_U64(entry, 0);

        if (name == 0 || name == wk_symbol(w, WK_SYM_NONE)
                ? version != 0
                : version > UINT32_MAX || !is_plain_str(w, name) ||
                      (version != 0 && index_of(w, (uint32_t)version, name) != i))
            return false;
    }
    return true;
}

/* 0: not found, as when it is empty. */
static wk_addr
search(struct wk *w)
{
    const struct wk_facts *f = &w->facts;
    wk_addr type = wk_symbol(w, WK_SYM_TYPE_TYPE),
            start = (type < w->runtime ? type : w->runtime) & ~(wk_addr)(PAGE - 1);
    uint64_t size = (uint64_t)f->type_cache_count * f->type_cache_entry_size;

    for (wk_addr page = start; page < start + SEARCH && all_readable(page, 2 * PAGE); page += PAGE)
        for (wk_addr entry = page; entry < page + PAGE; entry += 8) {
            uint64_t version = WK_U64(entry, 0);
            wk_addr name = WK_U64(entry, f->type_cache_entry_name), cache;

            if (version == 0 || version > UINT32_MAX || !is_plain_str(w, name))
                continue;
            cache = entry - index_of(w, (uint32_t)version, name) * f->type_cache_entry_size;
            if (cache >= start && all_readable(cache, size) && is_cache(w, cache))
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

    if (f->interp_type_cache != WK_NO_FACT)
        cache = interpreter + f->interp_type_cache;
    else if (interpreter != w->interpreter || (cache = search(w)) == 0)
        return;
    for (uint64_t i = 0; i < f->type_cache_count; i++) {
        wk_addr name = WK_U64(cache, i * f->type_cache_entry_size + f->type_cache_entry_name);

        if (name != wk_symbol(w, WK_SYM_NONE) && wk_is_str(name)) /* None: an entry that is not in use */
            wk_root(w, HF_ROOT_INTERPRETER, name, root, true);
    }
}
