// SPDX-License-Identifier: MIT
#include "ha-escape.h"

guint
ha_utf8_decode(const char *source, gsize n, guint32 *c)
{
    const guint8 *s = (const guint8 *)source;
    if (s[0] < 0x80) {
        *c = s[0];
        return 1;
    }
    guint length = s[0] >= 0xc2 && s[0] < 0xe0   ? 2
                   : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
                   : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                                 : 0;
    if (length == 0 || length > n)
        return 0;
    guint32 value = s[0] & (0xff >> (length + 1));
    for (guint i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (s[i] & 0x3f);
    }
    static const guint32 least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[length] || value > 0x10ffff)
        return 0;
    *c = value;
    return length;
}

gboolean
ha_char_is_unsafe(guint32 c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || (c >= 0xd800 && c < 0xe000) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffb) || (c & 0xfffe) == 0xfffe || (c >= 0xe0000 && c <= 0xe007f);
}

void
ha_escape_append(GString *to, const char *source, gsize n, gsize max, guint flags)
{
    gsize i = 0;
    while (i < n) {
        guint32 c = 0;
        guint length = ha_utf8_decode(source + i, n - i, &c);
        if (i + MAX(length, 1) > max)
            break;
        if (length == 0)
            g_string_append_printf(to, "\\x%02x", (guint8)source[i]);
        else if (c == '\\' && !(flags & HA_ESCAPE_AGAIN))
            g_string_append(to, "\\\\");
        else if (c == '\'' && flags & HA_ESCAPE_QUOTED)
            g_string_append(to, "\\'");
        else if (c == '\n')
            g_string_append(to, "\\n");
        else if (c == '\t')
            g_string_append(to, "\\t");
        else if (c == '\r')
            g_string_append(to, "\\r");
        else if (!ha_char_is_unsafe(c))
            g_string_append_len(to, source + i, length);
        else if (c < 0x100)
            g_string_append_printf(to, "\\x%02x", c);
        else if (c < 0x10000)
            g_string_append_printf(to, "\\u%04x", c);
        else
            g_string_append_printf(to, "\\U%08x", c);
        i += MAX(length, 1);
    }
    if (i < n)
        g_string_append(to, "…");
}

char *
ha_escape(const char *source, gsize n, gsize max)
{
    GString *text = g_string_sized_new(MIN(n, max) + 8);
    ha_escape_append(text, source, n, max, 0);
    return g_string_free(text, FALSE);
}
