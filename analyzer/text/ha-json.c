// SPDX-License-Identifier: MIT
#include "ha-json.h"

#include <string.h>

#include "text/ha-escape.h"

enum {
    IN_OBJECT = 1 << 0,
    NOT_FIRST = 1 << 1,
    HAS_KEY = 1 << 2, /* a key was written, its value comes next */
};

void
ha_json_init(HaJson *j, HaOut *out)
{
    *j = (HaJson){.out = out};
}

static void
before_value(HaJson *j)
{
    if (j->depth == 0)
        return;
    guint8 *state = &j->state[j->depth - 1];
    if (*state & IN_OBJECT) {
        g_assert(*state & HAS_KEY);
        *state &= ~HAS_KEY;
    } else if (*state & NOT_FIRST) {
        ha_out_char(j->out, ',');
    }
    *state |= NOT_FIRST;
}

static void
begin(HaJson *j, char bracket, guint8 state)
{
    before_value(j);
    g_assert(j->depth < G_N_ELEMENTS(j->state));
    j->state[j->depth++] = state;
    ha_out_char(j->out, bracket);
}

static void
end(HaJson *j, char bracket, guint8 state)
{
    g_assert(j->depth > 0 && (j->state[j->depth - 1] & (IN_OBJECT | HAS_KEY)) == state);
    j->depth--;
    ha_out_char(j->out, bracket);
}

void
ha_json_begin_object(HaJson *j)
{
    begin(j, '{', IN_OBJECT);
}

void
ha_json_end_object(HaJson *j)
{
    end(j, '}', IN_OBJECT);
}

void
ha_json_begin_array(HaJson *j)
{
    begin(j, '[', 0);
}

void
ha_json_end_array(HaJson *j)
{
    end(j, ']', 0);
}

static void
write_unit(HaOut *out, guint32 unit)
{
    ha_out_text(out, "\\u");
    ha_out_hex(out, unit, 4);
}

static void
write_escaped(HaOut *out, guint32 c)
{
    switch (c) {
    case '"':
        ha_out_text(out, "\\\"");
        break;
    case '\\':
        ha_out_text(out, "\\\\");
        break;
    case '\n':
        ha_out_text(out, "\\n");
        break;
    case '\t':
        ha_out_text(out, "\\t");
        break;
    default:
        if (c > 0xffff) {
            write_unit(out, 0xd800 + ((c - 0x10000) >> 10));
            c = 0xdc00 + (c & 0x3ff);
        }
        write_unit(out, c);
        break;
    }
}

static void
write_string(HaOut *out, const char *bytes, gsize n)
{
    ha_out_char(out, '"');
    gsize plain = 0; /* start of what can be written as it stands */
    for (gsize i = 0; i < n;) {
        guint32 c = 0;
        guint length = ha_utf8_decode(bytes + i, n - i, &c);
        if (length != 0 && c != '"' && c != '\\' && !ha_char_is_unsafe(c)) {
            i += length;
            continue;
        }
        ha_out_bytes(out, bytes + plain, i - plain);
        if (length != 0) {
            write_escaped(out, c);
        } else {
            ha_out_text(out, "\\\\x");
            ha_out_hex(out, (guint8)bytes[i], 2);
        }
        i += MAX(length, 1);
        plain = i;
    }
    ha_out_bytes(out, bytes + plain, n - plain);
    ha_out_char(out, '"');
}

void
ha_json_key(HaJson *j, const char *key)
{
    g_assert(j->depth > 0);
    guint8 *state = &j->state[j->depth - 1];
    g_assert((*state & (IN_OBJECT | HAS_KEY)) == IN_OBJECT);
    if (*state & NOT_FIRST)
        ha_out_char(j->out, ',');
    *state |= NOT_FIRST | HAS_KEY;
    write_string(j->out, key, strlen(key));
    ha_out_char(j->out, ':');
}

void
ha_json_bytes(HaJson *j, const char *bytes, gsize n)
{
    before_value(j);
    write_string(j->out, bytes, n);
}

void
ha_json_text(HaJson *j, const char *text)
{
    if (text == NULL)
        ha_json_null(j);
    else
        ha_json_bytes(j, text, strlen(text));
}

void
ha_json_uint(HaJson *j, guint64 value)
{
    before_value(j);
    ha_out_uint(j->out, value);
}

void
ha_json_uint_member(HaJson *j, const char *key, guint64 value)
{
    ha_json_key(j, key);
    ha_json_uint(j, value);
}

void
ha_json_known(HaJson *j, gboolean known, guint64 value)
{
    if (known)
        ha_json_uint(j, value);
    else
        ha_json_null(j);
}

void
ha_json_int(HaJson *j, gint64 value)
{
    before_value(j);
    if (value < 0)
        ha_out_char(j->out, '-');
    ha_out_uint(j->out, value < 0 ? -(guint64)value : (guint64)value);
}

void
ha_json_double(HaJson *j, double value)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];

    before_value(j);
    ha_out_text(j->out, g_ascii_formatd(digits, sizeof digits, "%.3f", value));
}

void
ha_json_bool(HaJson *j, gboolean value)
{
    before_value(j);
    ha_out_text(j->out, value ? "true" : "false");
}

void
ha_json_null(HaJson *j)
{
    before_value(j);
    ha_out_text(j->out, "null");
}

void
ha_json_addr(HaJson *j, guint64 addr)
{
    before_value(j);
    ha_out_text(j->out, "\"0x");
    ha_out_hex(j->out, addr, 1);
    ha_out_char(j->out, '"');
}

void
ha_json_newline(HaJson *j)
{
    ha_out_char(j->out, '\n');
}
