// SPDX-License-Identifier: MIT
/* An attribute of an instance of a Python class, found without running anything. */
#include "../roots/wk-roots.h"

/* Attributes that stand in an array beside or in the object, under the names of the class's shared keys (3.11+). */
static wk_addr
attribute_in_values(struct wk *w, wk_addr type, wk_addr values, const char *name)
{
    wk_addr keys = wk_type_flags(type) & WK_TPF_HEAP ? WK_U64(type, w->facts.heaptype_cached_keys) : 0;
    struct wk_dict d;

    if (keys == 0 || !wk_keys_view(w, keys, &d))
        return 0;
    for (uint64_t i = 0; i < d.n; i++) {
        wk_addr key = WK_U64(d.entries, i * d.stride + d.key);
        if (key != 0 && wk_str_equals(w, key, name))
            return WK_U64(values, w->facts.values_items + 8 * i);
    }
    return 0;
}

static wk_addr
attribute_managed(struct wk *w, wk_addr type, wk_addr object, const char *name)
{
    const struct wk_facts *f = &w->facts;
    wk_addr dict = WK_U64(object, f->managed_dict);

    if (f->values_tagged && (dict & 1) != 0)
        return attribute_in_values(w, type, dict + 1, name);
    if (dict != 0)
        return wk_dict_get(w, dict, name);
    if (f->managed_values != 0) {
        wk_addr values = WK_U64(object, f->managed_values);
        return values != 0 ? attribute_in_values(w, type, values, name) : 0;
    }
    if (f->values_inline && (wk_type_flags(type) & WK_TPF_INLINE_VALUES) != 0) {
        wk_addr values = object + WK_U64(type, WK_TP_BASICSIZE);
        return WK_U8(values, f->values_valid) != 0 ? attribute_in_values(w, type, values, name) : 0;
    }
    return 0;
}

wk_addr
wk_attribute(struct wk *w, wk_addr object, const char *name)
{
    wk_addr type = wk_type_address(object);
    int64_t offset;

    /* slots, of the class or of one that it is laid out after */
    for (wk_addr base = type, depth = 0; base != 0 && depth < 64; base = WK_U64(base, WK_TP_BASE), depth++)
        if ((offset = wk_member_offset(w, base, name)) >= 0)
            return WK_U64(object, offset);
    if (w->facts.managed_dict != 0 && (wk_type_flags(type) & WK_TPF_MANAGED_DICT) != 0)
        return attribute_managed(w, type, object, name);
    offset = WK_I64(type, WK_TP_DICTOFFSET);
    if (offset <= 0) /* none, or after variable-sized items */
        return 0;
    wk_addr dict = WK_U64(object, offset);
    return dict != 0 ? wk_dict_get(w, dict, name) : 0;
}

wk_addr
wk_class_attribute(struct wk *w, wk_addr type, const char *name)
{
    wk_addr mro = WK_U64(type, WK_TP_MRO), dict, value;

    for (uint64_t i = 0; mro != 0 && i < wk_tuple_size(mro) && i < 64; i++)
        if ((dict = wk_type_dict(w, wk_tuple_item(w, mro, i))) != 0 && (value = wk_dict_get(w, dict, name)) != 0)
            return value;
    return 0;
}
