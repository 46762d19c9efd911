// SPDX-License-Identifier: MIT
#include "../wk-private.h"

bool
wk_facts_find(uint32_t version, uint32_t version_hex, struct wk_facts *out)
{
    (void)version_hex;
    if (version < 0x0308 || version > 0x030d)
        return false;
    struct wk_facts f = {.version = (uint16_t)version};
    f.str_ascii = version >= 0x030c ? 40 : 48;
    f.str_compact = version >= 0x030c ? 56 : 72;
    f.int_tagged = version >= 0x030c;
    f.keys_log2 = version >= 0x030b;
    f.refcnt_immortal = version >= 0x030c;
    f.managed_dict = version >= 0x030b ? -24 : 0;
    f.managed_values = version == 0x030b ? -32 : 0;
    f.values_tagged = version == 0x030c;
    f.values_inline = version == 0x030d;
    f.values_items = version == 0x030d ? 8 : 0;
    *out = f;
    return true;
}

unsigned
wk_facts_fields(struct wk *w, wk_addr type, struct wk_field *out, unsigned max)
{
    (void)w, (void)type, (void)out, (void)max;
    return 0;
}
