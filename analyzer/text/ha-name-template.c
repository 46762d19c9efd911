// SPDX-License-Identifier: MIT
#include "ha-name-template.h"

#include <string.h>

char *
ha_name_template(const char *name, gsize n)
{
    if (n == 0)
        return g_strdup("");
    if (name[0] == '[') {
        if (n > 1 && (name[1] == '\'' || name[1] == '"'))
            return g_strdup("['*']");
        return g_strdup("[*]");
    }
    if (name[0] == '{')
        return g_strdup("{*}");
    if (name[0] == '<') {
        /* "<key 'k'>", "<stack 2>": the first word says what it is; a local keeps its name */
        const char *blank = memchr(name, ' ', n);

        if (blank && !(n > 7 && memcmp(name, "<local ", 7) == 0))
            return g_strdup_printf("%.*s>", (int)(blank - name), name);
    }
    return g_strndup(name, n);
}
