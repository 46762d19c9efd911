// SPDX-License-Identifier: MIT
#include "render/ha-censor.h"

#include <string.h>

gboolean
ha_censor_hides_type(const char *const *prefixes, const char *type)
{
    for (guint i = 0; prefixes && prefixes[i]; i++)
        if (*prefixes[i] && g_str_has_prefix(type, prefixes[i]))
            return TRUE;
    return FALSE;
}

static gboolean
fits(const char *text, const char *prefix, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (text[i] != prefix[i] && !(text[i] == '/' && prefix[i] == '.'))
            return FALSE;
    return TRUE;
}

gboolean
ha_censor_hides_text(const char *const *prefixes, const char *text, gsize n)
{
    for (guint i = 0; prefixes && prefixes[i]; i++) {
        gsize len = strlen(prefixes[i]);

        if (len && prefixes[i][len - 1] == '.' && len > 1)
            len--; /* "acme." hides the word acme too */
        for (gsize at = 0; len && at + len <= n; at++) {
            gboolean starts = at == 0 || (!g_ascii_isalnum(text[at - 1]) && text[at - 1] != '_');
            if (starts && fits(text + at, prefixes[i], len))
                return TRUE;
        }
    }
    return FALSE;
}
