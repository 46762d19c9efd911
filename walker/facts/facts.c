// SPDX-License-Identifier: MIT
#include "../wk-private.h"

/* Numbers only: nothing here needs a relocation. */
static const struct wk_facts tables[] = {
    {
#include "facts-3.8.inc"
    },
    {
#include "facts-3.9.inc"
    },
    {
#include "facts-3.10.inc"
    },
    {
#include "facts-3.11.inc"
    },
    {
#include "facts-3.12.inc"
    },
    {
#include "facts-3.13.inc"
    },
};

_Static_assert(sizeof tables / sizeof tables[0] == WK_FACTS_LAST - WK_FACTS_FIRST + 1, "a table for each version");

static uint32_t
or_zero(uint32_t fact)
{
    return fact == WK_NO_FACT ? 0 : fact;
}

bool
wk_facts_find(uint32_t version, uint32_t version_hex, struct wk_facts *out)
{
    if (version < WK_FACTS_FIRST || version > WK_FACTS_LAST)
        return false;
    /* Alphas, betas and release candidates have layouts of their own: the last byte of a final release is 0xf0. */
    if (version_hex != 0 && (version_hex & 0xf0) != 0xf0)
        return false;
    struct wk_facts *f = out;
    *f = tables[version - WK_FACTS_FIRST];
    f->version = (uint16_t)version;
    f->str_ascii = (uint8_t)f->str_ascii_data;
    f->str_compact = (uint8_t)f->str_compact_data;
    f->int_tagged = f->int_tag != WK_NO_FACT;
    f->keys_log2 = f->keys_log2_size != WK_NO_FACT;
    f->refcnt_immortal = version >= 0x030c;
    f->managed_dict = (int8_t)(int32_t)or_zero(f->managed_dict_offset);
    f->managed_values = (int8_t)(int32_t)or_zero(f->managed_values_offset);
    f->values_tagged = version == 0x030c;
    f->values_inline = f->tpflag_inline_values != WK_NO_FACT;
    f->values_items = (uint8_t)f->values_start;
    f->heap_cached_keys = (uint16_t)f->heaptype_cached_keys;
    f->heap_name = (uint16_t)f->heaptype_name;
    f->heap_slots = (uint16_t)f->heaptype_slots;
    f->heap_qualname = (uint16_t)f->heaptype_qualname;
    f->heap_module = (uint16_t)or_zero(f->heaptype_module);
    return true;
}
