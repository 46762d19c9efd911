// SPDX-License-Identifier: MIT
/* References of structures that only sources describe: results in functools' caches, variables of a context. */
#include "wk-objects.h"
#include "wk-refs.h"

enum {
    /* Modules/_functoolsmodule.c: lru_list_elem, the first of which stands at the start of the cache itself */
    LRU_NEXT = WK_HEAD + 8,
    LRU_KEY = WK_HEAD + 24,
    LRU_RESULT = WK_HEAD + 32,
    /* Python/hamt.c */
    HAMT_ARRAY = WK_HEAD,      /* PyHamtNode_Array.a_array */
    HAMT_PAIRS = WK_HEAD + 16, /* of a bitmap's or collision's node, behind its size and one word more */
    HAMT_CHILDREN = 32,
    HAMT_PAIRS_MAX = 1 << 20,
    CONTEXT_VAR_NAME = WK_HEAD,
};

bool
wk_lru_inside(struct wk *w, wk_addr object, uint64_t n)
{
    struct wk_refs *r = &w->refs;
    uint64_t links = 0, step = 2;
    wk_addr first = WK_U64(object, LRU_NEXT), link = first;

    if (link == 0 || link == object || n < 4)
        return false;
    /* Key and result, since 3.10 after the cache's own class and with that of the element. */
    uint64_t from = r->addr[0] == WK_U64(object, WK_OB_TYPE);
    if (r->addr[from + 2] == WK_U64(link, WK_OB_TYPE))
        step = 3;
    for (; link != object && from + (links + 1) * step <= n; link = WK_U64(link, LRU_NEXT), links++) {
        const uint64_t *own = r->addr + from + links * step;
        if (own[0] != WK_U64(link, LRU_KEY) || own[1] != WK_U64(link, LRU_RESULT))
            return false;
    }
    if (link != object)
        return false;
    wk_refs_room(w, 3 * links);
    for (uint64_t i = from; i < from + links * step; i += step)
        for (uint64_t k = i; k < i + 2; k++) {
            r->addr[r->n++] = r->addr[k];
            r->addr[k] = 0;
        }
    r->first = n;
    /* The list holds its elements, as the dict does. */
    uint32_t name = wk_name(w, "<element>");
    for (link = first; links-- > 0; link = WK_U64(link, LRU_NEXT))
        wk_ref(w, link, name, HF_RUN_HIDDEN);
    return true;
}

bool
wk_hamt_node(const char *type_name)
{
    return wk_text_equals(type_name, "hamt_bitmap_node") || wk_text_equals(type_name, "hamt_array_node") ||
           wk_text_equals(type_name, "hamt_collision_node");
}

void
wk_hamt_refs(struct wk *w, wk_addr node)
{
    const char *type = WK_READ(const char *, wk_type_address(node), WK_TP_NAME);
    uint32_t child = wk_name(w, "<node>");

    if (wk_text_equals(type, "hamt_array_node")) {
        for (unsigned i = 0; i < HAMT_CHILDREN; i++)
            wk_ref(w, WK_U64(node, HAMT_ARRAY + 8 * i), child, 0);
        return;
    }
    uint32_t variable = wk_name(w, "<context var>");
    uint64_t n = WK_U64(node, WK_OB_SIZE);
    if (n > HAMT_PAIRS_MAX)
        wk_broken(w);
    for (uint64_t i = 0; i + 1 < n; i += 2) {
        wk_addr key = WK_U64(node, HAMT_PAIRS + 8 * i), value = WK_U64(node, HAMT_PAIRS + 8 * i + 8);
        if (key == 0) {
            wk_ref(w, value, child, 0);
            continue;
        }
        bool is_var = wk_type_address(key) == wk_symbol(w, WK_SYM_TYPE_CONTEXT_VAR);
        wk_addr name = is_var ? WK_U64(key, CONTEXT_VAR_NAME) : 0;
        wk_ref(w, key, variable, 0);
        wk_ref(w, value, wk_is_str(name) ? wk_name_str(w, WK_NAME_VAR, name) : variable, 0);
    }
}
