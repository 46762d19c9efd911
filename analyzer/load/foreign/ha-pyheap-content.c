// SPDX-License-Identifier: MIT
#include "ha-pyheap-content.h"

#include <string.h>

/* start, then what is wanted, then stop; *rest is behind stop. FALSE: it does not look so. */
static gboolean
between(const char *text, const char *start, const char *stop, const char **from, gsize *n, const char **rest)
{
    gsize length = strlen(start);
    if (strncmp(text, start, length) != 0)
        return FALSE;
    const char *end = strstr(text + length, stop);
    if (end == NULL || end == text + length)
        return FALSE;
    *from = text + length;
    *n = end - *from;
    *rest = end + strlen(stop);
    return TRUE;
}

/* "NAME at FILE:LINE" of three stretches. */
static char *
place(const char *name, gsize n, const char *file, gsize file_n, const char *line)
{
    return g_strdup_printf("%.*s at %.*s:%.*s", (int)n, name, (int)file_n, file, (int)strspn(line, "0123456789"), line);
}

static char *
code(const char *text)
{
    const char *name, *file, *rest;
    gsize n, file_n;
    if (!between(text, "<code object ", " at 0x", &name, &n, &rest) ||
        !between(rest + strspn(rest, "0123456789abcdef"), ", file \"", "\", line ", &file, &file_n, &rest))
        return NULL;
    return place(name, n, file, file_n, rest);
}

static char *
frame(const char *text)
{
    const char *at, *file, *line, *rest;
    gsize n, file_n, line_n;
    if (!between(text, "<frame at 0x", ", ", &at, &n, &rest) ||
        !between(rest, "file '", "', line ", &file, &file_n, &rest) ||
        !between(rest, "", ", code ", &line, &line_n, &rest) || !g_str_has_suffix(rest, ">"))
        return NULL;
    return place(rest, strlen(rest) - 1, file, file_n, line);
}

/* "<Task pending name='Task-1' coro=<main() running at app.py:4> …>" → "Task-1 pending main at app.py:4" */
static char *
task(const char *text)
{
    const char *state, *name, *coro, *at, *rest;
    gsize state_n, name_n, coro_n, at_n;
    if (!between(text, "<Task ", " name='", &state, &state_n, &rest) || memchr(state, '<', state_n) != NULL ||
        !between(rest, "", "' coro=<", &name, &name_n, &rest) || memchr(name, '\'', name_n) != NULL)
        return NULL;
    if (between(rest, "", "() running at ", &coro, &coro_n, &rest) && between(rest, "", ">", &at, &at_n, &rest))
        return g_strdup_printf("%.*s %.*s %.*s at %.*s", (int)name_n, name, (int)state_n, state, (int)coro_n, coro,
                               (int)at_n, at);
    return g_strdup_printf("%.*s %.*s", (int)name_n, name, (int)state_n, state);
}

void
ha_pyheap_shorten(GString *text)
{
    static const struct {
        const char *start, *stop;
    } forms[] = {{"<class '", "'>"},
                 {"<module '", "'"},
                 {"<function ", " at 0x"},
                 {"<coroutine object ", " at 0x"},
                 {"<generator object ", " at 0x"},
                 {"<async_generator object ", " at 0x"},
                 {"<bound method ", " of "},
                 {"<built-in method ", " of "},
                 {"<built-in function ", ">"}};
    g_autofree char *shorter = NULL;
    const char *from, *rest;
    gsize n;
    if (text->len == 0 || text->str[0] != '<' || strlen(text->str) != text->len)
        return;
    if ((shorter = code(text->str)) == NULL && (shorter = frame(text->str)) == NULL)
        shorter = task(text->str);
    for (guint i = 0; shorter == NULL && i < G_N_ELEMENTS(forms); i++)
        if (between(text->str, forms[i].start, forms[i].stop, &from, &n, &rest))
            shorter = g_strndup(from, n);
    if (shorter != NULL)
        g_string_assign(text, shorter);
}

/* One byte of a literal; *at moves on. FALSE: it is cut or no such thing. */
static gboolean
one_byte(const char **at, const char *end, guint8 *out)
{
    const char *s = *at;
    if ((guchar)*s >= 0x80)
        return FALSE;
    if (*s != '\\') {
        *out = (guint8)*s;
        *at = s + 1;
        return TRUE;
    }
    if (end - s < 2)
        return FALSE;
    static const char escapes[] = "n\nr\rt\t\\\\''\"\"";
    if (s[1] == 'x') {
        if (end - s < 4 || !g_ascii_isxdigit(s[2]) || !g_ascii_isxdigit(s[3]))
            return FALSE;
        *out = (guint8)(g_ascii_xdigit_value(s[2]) * 16 + g_ascii_xdigit_value(s[3]));
        *at = s + 4;
        return TRUE;
    }
    for (guint i = 0; i + 1 < sizeof escapes; i += 2)
        if (s[1] == escapes[i]) {
            *out = (guint8)escapes[i + 1];
            *at = s + 2;
            return TRUE;
        }
    return FALSE;
}

gboolean
ha_pyheap_unquote(GString *text, gboolean *whole)
{
    static const char array[] = "bytearray(";
    const char *at = text->str, *end = text->str + text->len;
    if (g_str_has_prefix(at, array))
        at += strlen(array);
    if (end - at < 2 || at[0] != 'b' || (at[1] != '\'' && at[1] != '"'))
        return FALSE;
    char quote = at[1];
    gsize n = 0;
    *whole = FALSE;
    for (at += 2; at < end;) {
        guint8 byte;
        if (*at == quote) {
            *whole = TRUE;
            break;
        }
        if (!one_byte(&at, end, &byte))
            break;
        text->str[n++] = (char)byte; /* never longer than what it was read from */
    }
    g_string_truncate(text, n);
    return TRUE;
}
