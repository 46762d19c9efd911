// SPDX-License-Identifier: MIT
#include "../wk-private.h"

/* Numbers only: nothing here needs a relocation. */
static const struct wk_facts tables[] = {
    {
        .version = 0x0308,
#include "facts-3.8.inc"
    },
    {
        .version = 0x0309,
#include "facts-3.9.inc"
    },
    {
        .version = 0x030a,
#include "facts-3.10.inc"
    },
    {
        .version = 0x030b,
#include "facts-3.11.inc"
    },
    {
        .version = 0x030c,
#include "facts-3.12.inc"
    },
    {
        .version = 0x030c,
        .build = WK_BUILD_DEBUG,
#include "facts-3.12d.inc"
    },
    {
        .version = 0x030d,
#include "facts-3.13.inc"
    },
    {
        .version = 0x030d,
        .build = WK_BUILD_DEBUG,
#include "facts-3.13d.inc"
    },
    {
        .version = 0x030d,
        .build = WK_BUILD_FREE_THREADED,
#include "facts-3.13t.inc"
    },
    {
        .version = 0x030e,
#include "facts-3.14.inc"
    },
    {
        .version = 0x030e,
        .build = WK_BUILD_DEBUG,
#include "facts-3.14d.inc"
    },
    {
        .version = 0x030f,
#include "facts-3.15.inc"
    },
    {
        .version = 0x030f,
        .build = WK_BUILD_DEBUG,
#include "facts-3.15d.inc"
    },
};

static uint32_t
or_zero(uint32_t fact)
{
    return fact == WK_NO_FACT ? 0 : fact;
}

/* Until 3.11 a debug build has the layout of the others. */
static const struct wk_facts *
table_of(uint32_t version, uint32_t build)
{
    if (version <= 0x030b)
        build &= ~(uint32_t)WK_BUILD_DEBUG;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (tables[i].version == version && tables[i].build == build)
            return &tables[i];
    return NULL;
}

bool
wk_facts_find(uint32_t version, uint32_t version_hex, uint32_t build, struct wk_facts *out)
{
    const struct wk_facts *table = table_of(version, build);

    if (table == NULL)
        return false;
    /* Alphas, betas and release candidates have layouts of their own: the last byte of a final release is 0xf0. */
    if (version_hex != 0 && (version_hex & 0xf0) != 0xf0)
        return false;
    struct wk_facts *f = out;
    *f = *table;
    f->build = (uint8_t)build;
    f->str_ascii = (uint8_t)f->str_ascii_data;
    f->str_compact = (uint8_t)f->str_compact_data;
    f->tuple_at = (uint8_t)f->tuple_items;
    f->int_tagged = f->int_tag != WK_NO_FACT;
    f->keys_log2 = f->keys_log2_size != WK_NO_FACT;
    f->refcnt_immortal = version >= 0x030c ? 1ull << 31 : 0;
    f->refcnt_mask = version >= 0x030e ? UINT32_MAX : UINT64_MAX;
    f->managed_dict = (int8_t)(int32_t)or_zero(f->managed_dict_offset);
    f->managed_values = (int8_t)(int32_t)or_zero(f->managed_values_offset);
    f->values_tagged = version == 0x030c;
    f->stack_tagged = version >= 0x030e;
    f->values_inline = f->tpflag_inline_values != WK_NO_FACT;
    f->values_items = (uint8_t)f->values_start;
    f->heap_cached_keys = (uint16_t)f->heaptype_cached_keys;
    f->heap_name = (uint16_t)f->heaptype_name;
    f->heap_slots = (uint16_t)f->heaptype_slots;
    f->heap_qualname = (uint16_t)f->heaptype_qualname;
    f->heap_module = (uint16_t)or_zero(f->heaptype_module);
    return true;
}
