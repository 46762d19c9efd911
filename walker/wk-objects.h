// SPDX-License-Identifier: MIT
#pragma once
/* Reading str, int, tuple and dict objects of the target in place. Nothing here calls into the interpreter or allocates. */
#include "wk-private.h"

static inline wk_addr
wk_type_address(wk_addr object)
{
    return WK_U64(object, WK_OB_TYPE);
}

static inline uint64_t
wk_type_flags(wk_addr type)
{
    return WK_U64(type, WK_TP_FLAGS);
}

static inline bool
wk_has_flag(wk_addr object, uint64_t flag)
{
    return object != 0 && (wk_type_flags(wk_type_address(object)) & flag) != 0;
}

static inline bool
wk_is_str(wk_addr object)
{
    return wk_has_flag(object, WK_TPF_UNICODE);
}

#if WK_FREE_THREADED

#define WK_REF_SHARED_SHIFT 2  /* below: state of the count */
#define WK_GC_DEFERRED      64 /* of ob_gc_bits: the collector alone frees it, and holds one reference for that */

static inline bool
wk_is_immortal(const struct wk *w, wk_addr object)
{
    (void)w;
    return WK_U32(object, WK_OB_REF_LOCAL) == UINT32_MAX;
}

/* The owning thread counts apart from all others. False: immortal, or caught while it was added up. */
static inline bool
wk_refcount(const struct wk *w, wk_addr object, uint64_t *count)
{
    int64_t n = WK_U32(object, WK_OB_REF_LOCAL) + (WK_I64(object, WK_OB_REF_SHARED) >> WK_REF_SHARED_SHIFT) -
                ((WK_U8(object, WK_OB_GC_BITS) & WK_GC_DEFERRED) != 0);

    *count = (uint64_t)n;
    return n >= 0 && !wk_is_immortal(w, object);
}

#else

#define WK_DEEP_FROZEN 900000000u /* 3.11: counts of objects that lie in the executable start at 999999999 */

/* 3.12+: lives for ever, its count tells nothing. */
static inline bool
wk_is_immortal(const struct wk *w, wk_addr object)
{
    return (WK_U64(object, WK_OB_REFCNT) & w->facts.refcnt_immortal) != 0;
}

/* False: the count tells nothing. */
static inline bool
wk_refcount(const struct wk *w, wk_addr object, uint64_t *count)
{
    uint64_t n = WK_U64(object, WK_OB_REFCNT);

    *count = n & w->facts.refcnt_mask;
    return *count < WK_DEEP_FROZEN && (n & w->facts.refcnt_immortal) == 0;
}

#endif

/* A str's characters: length of them, each width bytes. */
struct wk_str {
    const uint8_t *data;
    uint64_t length;
    uint8_t width; /* 1 (ASCII, Latin-1), 2 or 4 */
    bool ascii;
    bool interned;
};

/* False when the str is not ready (legacy) and has no characters to show. */
static inline bool
wk_str_view(const struct wk *w, wk_addr str, struct wk_str *out)
{
    uint32_t state = WK_U32(str, WK_STR_STATE);
    bool compact = (state >> WK_STR_COMPACT_SHIFT & 1) != 0;

    out->interned = (state & WK_STR_INTERNED) != 0;
    out->length = WK_U64(str, WK_STR_LENGTH);
    out->width = state >> WK_STR_KIND_SHIFT & 7;
    out->ascii = (state >> WK_STR_ASCII_SHIFT & 1) != 0;
    if (compact)
        out->data = (const uint8_t *)(uintptr_t)(str + (out->ascii ? w->facts.str_ascii : w->facts.str_compact));
    else
        out->data = WK_READ(const uint8_t *, str, w->facts.str_compact);
    return out->data != NULL && out->width != 0;
}

uint32_t wk_str_character(const struct wk_str *s, uint64_t i);

static inline bool
wk_str_equals(const struct wk *w, wk_addr str, const char *text)
{
    struct wk_str s;

    if (!wk_is_str(str) || !wk_str_view(w, str, &s) || !s.ascii)
        return false;
    for (uint64_t i = 0; i < s.length; i++)
        if (text[i] == '\0' || (uint8_t)text[i] != s.data[i])
            return false;
    return text[s.length] == '\0';
}

static inline uint64_t
wk_tuple_size(wk_addr tuple)
{
    return WK_U64(tuple, WK_OB_SIZE);
}

static inline wk_addr
wk_tuple_item(const struct wk *w, wk_addr tuple, uint64_t i)
{
    return WK_U64(tuple, w->facts.tuple_at + 8 * i);
}

static inline bool
wk_keys_view(const struct wk *w, wk_addr keys, struct wk_dict *d)
{
    d->keys = keys;
    d->values = 0;
    if (w->facts.keys_log2) {
        uint8_t log2 = WK_U8(keys, 8), index = WK_U8(keys, 9), kind = WK_U8(keys, 10);
        if (log2 > 58 || index > 62 || kind > 2)
            return false;
        d->size = 1ull << log2;
        d->n = WK_U64(keys, 24);
        if (d->n != 0 && index != log2 + (log2 < 8 ? 0 : log2 < 16 ? 1 : log2 < 32 ? 2 : 3))
            return false;
        d->log2_index_bytes = index;
        d->entries = keys + 32 + (1ull << index);
        d->unicode = kind != 0;
        d->stride = kind == 0 ? 24 : 16;
        d->key = kind == 0 ? 8 : 0;
    } else {
        uint64_t size = WK_U64(keys, 8);
        uint64_t width = size <= 0xff ? 1 : size <= 0xffff ? 2 : size <= 0xffffffff ? 4 : 8;
        d->size = size;
        d->n = WK_U64(keys, 32);
        d->log2_index_bytes = 0;
        d->entries = keys + 40 + size * width;
        d->unicode = false; /* dk_lookup tells; see wk_dict_keys_hidden() */
        d->stride = 24;
        d->key = 8;
    }
    return d->n <= (d->size << 1) / 3;
}

static inline bool
wk_dict_view(const struct wk *w, wk_addr dict, struct wk_dict *d)
{
    wk_addr values = WK_U64(dict, WK_DICT_VALUES);

    if (!wk_keys_view(w, WK_U64(dict, WK_DICT_KEYS), d))
        return false;
    d->values = values != 0 ? values + w->facts.values_items : 0;
    return true;
}

/* Entry i: false where it was deleted. */
static inline bool
wk_dict_entry(const struct wk_dict *d, uint64_t i, wk_addr *key, wk_addr *value)
{
    wk_addr entry = d->entries + i * d->stride + d->key;

    *value = d->values != 0 ? WK_U64(d->values, 8 * i) : WK_U64(entry, 8);
    *key = WK_U64(entry, 0);
    return *value != 0 && *key != 0;
}

/* The value under a str key, 0 if there is none; linear, for names of modules and the like. */
static inline wk_addr
wk_dict_get(const struct wk *w, wk_addr dict, const char *name)
{
    struct wk_dict d;
    wk_addr key, value;

    if (!wk_has_flag(dict, WK_TPF_DICT) || !wk_dict_view(w, dict, &d))
        return 0;
    for (uint64_t i = 0; i < d.n; i++)
        if (wk_dict_entry(&d, i, &key, &value) && wk_str_equals(w, key, name))
            return value;
    return 0;
}
