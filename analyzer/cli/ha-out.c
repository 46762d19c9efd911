// SPDX-License-Identifier: MIT
#include "ha-out.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "text/ha-escape.h"

#define BUFFER (64 * 1024)

struct HaOut {
    int fd; /* -1: memory */
    GString *buffer;
    int error;
    gboolean reader_gone;
};

HaOut *
ha_out_new_fd(int fd)
{
    HaOut *o = g_new0(HaOut, 1);
    o->fd = fd;
    o->buffer = g_string_sized_new(BUFFER + 4096);
    return o;
}

HaOut *
ha_out_new_memory(void)
{
    return ha_out_new_fd(-1);
}

void
ha_out_free(HaOut *o)
{
    if (o == NULL)
        return;
    g_string_free(o->buffer, TRUE);
    g_free(o);
}

static void
flush(HaOut *o)
{
    if (o->fd < 0)
        return;
    gsize at = 0;
    while (at < o->buffer->len && !ha_out_stopped(o)) {
        gssize n = write(o->fd, o->buffer->str + at, o->buffer->len - at);
        if (n >= 0)
            at += n;
        else if (errno == EPIPE)
            o->reader_gone = TRUE;
        else if (errno != EINTR)
            o->error = errno;
    }
    g_string_truncate(o->buffer, 0);
}

static void
wrote(HaOut *o)
{
    if (o->fd >= 0 && o->buffer->len >= BUFFER)
        flush(o);
}

void
ha_out_bytes(HaOut *o, const void *bytes, gsize n)
{
    g_string_append_len(o->buffer, bytes, n);
    wrote(o);
}

void
ha_out_text(HaOut *o, const char *text)
{
    ha_out_bytes(o, text, strlen(text));
}

void
ha_out_char(HaOut *o, char c)
{
    g_string_append_c(o->buffer, c);
    wrote(o);
}

void
ha_out_printf(HaOut *o, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_string_append_vprintf(o->buffer, format, args);
    va_end(args);
    wrote(o);
}

void
ha_out_uint(HaOut *o, guint64 value)
{
    char digits[20];
    guint at = sizeof digits;
    do
        digits[--at] = '0' + value % 10;
    while ((value /= 10) != 0);
    ha_out_bytes(o, digits + at, sizeof digits - at);
}

void
ha_out_hex(HaOut *o, guint64 value, guint digits)
{
    char text[16];
    guint at = sizeof text;
    do
        text[--at] = "0123456789abcdef"[value & 15];
    while ((value >>= 4) != 0);
    while (sizeof text - at < digits && at > 0)
        text[--at] = '0';
    ha_out_bytes(o, text + at, sizeof text - at);
}

void
ha_out_escaped(HaOut *o, const char *source, gsize n, gsize max)
{
    ha_escape_append(o->buffer, source, n, max, 0);
    wrote(o);
}

void
ha_out_escaped_again(HaOut *o, const char *text)
{
    ha_escape_append(o->buffer, text, strlen(text), G_MAXSIZE, HA_ESCAPE_AGAIN);
    wrote(o);
}

gboolean
ha_out_stopped(const HaOut *o)
{
    return o->error != 0 || o->reader_gone;
}

int
ha_out_error(const HaOut *o)
{
    return o->error;
}

gboolean
ha_out_finish(HaOut *o, GError **error)
{
    flush(o);
    if (o->error == 0)
        return TRUE;
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(o->error), "cannot write the output: %s",
                g_strerror(o->error));
    return FALSE;
}

gboolean
ha_out_is_terminal(const HaOut *o)
{
    return o->fd >= 0 && isatty(o->fd);
}

const char *
ha_out_memory(HaOut *o, gsize *n)
{
    if (n != NULL)
        *n = o->buffer->len;
    return o->buffer->str;
}
