// SPDX-License-Identifier: MIT
#include "render/ha-text.h"

#include <string.h>

/* Invisible, or able to reorder what stands around them: a string could pose as another one. */
static gboolean
deceives(gunichar c)
{
    return c == 0x00ad || c == 0x034f || c == 0x061c || (c >= 0x115f && c <= 0x1160) || (c >= 0x17b4 && c <= 0x17b5) ||
           (c >= 0x180b && c <= 0x180f) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0x3164 || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || c == 0xffa0 ||
           (c >= 0xfff0 && c <= 0xfffc) || (c >= 0x1d173 && c <= 0x1d17a) || (c >= 0xe0000 && c <= 0xe0fff);
}

static gboolean
shows(gunichar c)
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || deceives(c))
        return FALSE;
    if ((c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef))
        return FALSE;
    return TRUE;
}

static gsize
columns_of(gunichar c)
{
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

gboolean
ha_text_append_safe(GString *out, const char *raw, gsize n, gsize max_columns)
{
    gsize columns = 0, marks = 0;
    gsize keep = out->len; /* where the text ends if "…" must follow */
    const char *end = raw + n;

    for (const char *p = raw; p < end;) {
        gunichar c = g_utf8_get_char_validated(p, end - p);
        char piece[16];
        gsize piece_len, width, taken;

        /* NUL is an error to GLib when a length is given; (gunichar) -1 and -2 are its two errors. */
        if (c == (gunichar)-1 || c == (gunichar)-2 || c == 0) {
            piece_len = width = g_snprintf(piece, sizeof piece, "\\x%02x", (guchar)*p);
            taken = 1;
        } else {
            taken = g_unichar_to_utf8(c, NULL);
            if (shows(c)) {
                memcpy(piece, p, taken);
                piece_len = taken;
                width = columns_of(c);
            } else if (c < 0x100) {
                piece_len = width = g_snprintf(piece, sizeof piece, "\\x%02x", c);
            } else {
                piece_len = width = g_snprintf(piece, sizeof piece, c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
            }
        }
        /* A pile of combining marks takes no columns but may not grow without end. */
        marks = width ? 0 : marks + 1;
        if (marks > 8)
            width = 1;
        if (max_columns && columns + width > max_columns) {
            g_string_truncate(out, keep);
            g_string_append(out, "…");
            return FALSE;
        }
        g_string_append_len(out, piece, piece_len);
        columns += width;
        if (columns < max_columns)
            keep = out->len;
        p += taken;
    }
    return TRUE;
}

gsize
ha_text_columns(const char *safe)
{
    gsize n = 0;

    for (const char *p = safe; *p; p = g_utf8_next_char(p))
        n += columns_of(g_utf8_get_char(p));
    return n;
}

char *
ha_text_count(guint64 n)
{
    char digits[24];
    GString *s = g_string_new(NULL);
    int len = g_snprintf(digits, sizeof digits, "%" G_GUINT64_FORMAT, n);

    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            g_string_append_c(s, ',');
        g_string_append_c(s, digits[i]);
    }
    return g_string_free(s, FALSE);
}

void
ha_dot_append_html(GString *out, const char *safe)
{
    for (const char *p = safe; *p; p++) {
        switch (*p) {
        case '&':
            g_string_append(out, "&amp;");
            break;
        case '<':
            g_string_append(out, "&lt;");
            break;
        case '>':
            g_string_append(out, "&gt;");
            break;
        case '"':
            g_string_append(out, "&quot;");
            break;
        case ']': /* libgvc loses one that ends a text: expat keeps it back, it might begin "]]>" */
            g_string_append(out, "&#93;");
            break;
        case '\\':
            g_string_append(out, "\\\\");
            break;
        default:
            g_string_append_c(out, *p);
        }
    }
}

static void
append_quoted(GString *out, const char *safe, const char *backslash)
{
    for (const char *p = safe; *p; p++) {
        switch (*p) {
        case '&':
            g_string_append(out, "&amp;");
            break;
        case '"':
            g_string_append(out, "\\\"");
            break;
        case '\\':
            g_string_append(out, backslash);
            break;
        case '\n':
            g_string_append(out, "\\n");
            break;
        default:
            g_string_append_c(out, *p);
        }
    }
}

void
ha_dot_append_label(GString *out, const char *safe)
{
    append_quoted(out, safe, "\\\\");
}

void
ha_dot_append_tooltip(GString *out, const char *safe)
{
    append_quoted(out, safe, "\\\\\\\\");
}
