// SPDX-License-Identifier: MIT
#include "ha-literal.h"

#include <string.h>

#include "text/ha-escape.h"
#include "text/ha-python-shows.h"

#define TUPLE_MAX 8
#define TEXT_MAX  2000

gboolean
ha_is_identifier(const char *text, gsize n)
{
    static const char *const keywords[] = {"False",  "None",   "True",    "and",      "as",       "assert", "async",
                                           "await",  "break",  "class",   "continue", "def",      "del",    "elif",
                                           "else",   "except", "finally", "for",      "from",     "global", "if",
                                           "import", "in",     "is",      "lambda",   "nonlocal", "not",    "or",
                                           "pass",   "raise",  "return",  "try",      "while",    "with",   "yield"};

    if (n == 0 || n > 200 || g_ascii_isdigit(text[0]))
        return FALSE;
    for (gsize i = 0; i < n; i++)
        if (!g_ascii_isalnum(text[i]) && text[i] != '_')
            return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(keywords); i++)
        if (strlen(keywords[i]) == n && memcmp(keywords[i], text, n) == 0)
            return FALSE;
    return TRUE;
}

/* In a redacted dump data are "#hash length". */
static gboolean
may_be_hash(const HaGraph *g, const char *content, gsize n)
{
    const char *redacted = ha_graph_meta(g, HF_META_REDACTED);

    return redacted != NULL && strcmp(redacted, "false") != 0 && strcmp(redacted, "0") != 0 &&
           (n == 0 || content[0] == '#');
}

static void
append_bytes(GString *to, const char *content, gsize n)
{
    g_string_append(to, "b'");
    for (gsize i = 0; i < n; i++) {
        guchar c = content[i];

        if (c == '\\' || c == '\'')
            g_string_append_printf(to, "\\%c", c);
        else if (c >= 0x20 && c < 0x7f)
            g_string_append_c(to, c);
        else
            g_string_append_printf(to, "\\x%02x", c);
    }
    g_string_append_c(to, '\'');
}

static gboolean
is_number(const char *content, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (!g_ascii_isxdigit(content[i]) && strchr("+-.x", content[i]) == NULL)
            return FALSE;
    return n > 0;
}

static gboolean
append_atom(const HaGraph *g, HaId key, GString *to)
{
    gsize n;
    guint64 whole;
    const char *content = ha_graph_content(g, key, &n);

    if (ha_python_is_builtin(g, key, "NoneType")) {
        g_string_append(to, "None");
        return TRUE;
    }
    if (content == NULL || n > TEXT_MAX || ha_graph_content_whole(g, key, &whole) || may_be_hash(g, content, n))
        return FALSE;
    if (ha_python_is_builtin(g, key, "str")) {
        g_string_append_c(to, '\'');
        ha_escape_append(to, content, n, G_MAXSIZE, HA_ESCAPE_QUOTED);
        g_string_append_c(to, '\'');
    } else if (ha_python_is_builtin(g, key, "bytes")) {
        append_bytes(to, content, n);
    } else if (ha_python_is_builtin(g, key, "bool") ||
               ((ha_python_is_builtin(g, key, "int") || ha_python_is_builtin(g, key, "float")) &&
                is_number(content, n))) {
        g_string_append_len(to, content, n);
    } else {
        return FALSE;
    }
    return TRUE;
}

gboolean
ha_literal_append(const HaGraph *g, HaId key, GString *to)
{
    gsize begin = to->len, n;
    const HaId *items;

    if (key == HA_ID_NONE)
        return FALSE;
    if (!ha_python_is_builtin(g, key, "tuple"))
        return append_atom(g, key, to);
    items = ha_graph_referents(g, key, &n);
    if (n > TUPLE_MAX)
        return FALSE;
    g_string_append_c(to, '(');
    for (gsize i = 0; i < n; i++) {
        g_string_append(to, i > 0 ? ", " : "");
        if (!append_atom(g, items[i], to)) {
            g_string_truncate(to, begin);
            return FALSE;
        }
    }
    g_string_append(to, n == 1 ? ",)" : ")");
    return TRUE;
}
