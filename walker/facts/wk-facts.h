// SPDX-License-Identifier: MIT
#pragma once
/*
 * What differs between versions and builds of CPython, as numbers: a table each (facts-3.X.inc), made by generate.py from fields.txt,
 * where each is explained. Offsets and sizes are bytes, offsets from the start of the structure named. wk_facts_find() copies the
 * table of the target's version; roots/ checks it against the live interpreter.
 */
#include <stdint.h>
#include "wk-facts-fields.h"

#define WK_NO_FACT UINT32_MAX /* this version has no such thing */

/* How an interpreter was built, as far as structures differ. */
enum wk_build {
    WK_BUILD_RELEASE = 0,
    WK_BUILD_DEBUG = 1 << 0,         /* --with-pydebug */
    WK_BUILD_FREE_THREADED = 1 << 1, /* --disable-gil */
};

struct wk_facts {
    /* What the core asks of every object, in the form that it wants. */
    uint64_t refcnt_mask;     /* 3.14+: the count is the low half alone, flags stand in the other */
    uint64_t refcnt_immortal; /* the bit that says so: the sign of the low half, 3.12+; else 0 */
    uint16_t version;         /* major << 8 | minor */
    uint8_t build;            /* enum wk_build */
    uint8_t str_ascii;        /* data of a compact ASCII str: sizeof(PyASCIIObject) */
    uint8_t
        str_compact; /* data of another compact str: sizeof(PyCompactUnicodeObject); of one that is not compact: its data pointer */
    uint8_t tuple_at;          /* first item of a tuple */
    uint8_t int_tagged;        /* 3.12+: lv_tag at 16, digits at 24; else ob_size */
    uint8_t keys_log2;         /* 3.11+: PyDictKeysObject holds log2 of its size and its kind */
    int8_t managed_dict;       /* 3.11+: managed dict pointer, relative to the object */
    int8_t managed_values;     /* 3.11: pointer to values, relative to the object; 0: none */
    uint8_t values_tagged;     /* 3.12: the managed dict pointer is that of values − 1 when odd */
    uint8_t stack_tagged;      /* 3.14: variables and stack of a frame are tagged (wk_stack_ref) */
    uint8_t values_inline;     /* 3.13: values stand after the object (tp_basicsize) */
    uint8_t values_items;      /* first pointer of a PyDictValues: 0, or 8 on 3.13 */
    uint16_t heap_cached_keys; /* PyHeapTypeObject.ht_cached_keys */
    uint16_t heap_name, heap_slots, heap_qualname, heap_module; /* PyHeapTypeObject.ht_*; 0: not there */

    /* Everything else, as generated. */
#define WK_FACTS_FIELD(name) uint32_t name;
    WK_FACTS(WK_FACTS_FIELD)
#undef WK_FACTS_FIELD
};

/* The fact that lies at this offset in struct wk_facts: for tables that name facts by offsetof(). */
static inline uint32_t
wk_fact_at(const struct wk_facts *facts, uint64_t offset)
{
    return *(const uint32_t *)((uintptr_t)facts + offset);
}
