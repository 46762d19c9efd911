// SPDX-License-Identifier: MIT
#include "ha-bytes.h"

#include <string.h>

#define BUFFER (4 * HA_BYTES_MAX)

void
ha_bytes_init(HaBytes *b, hf_source_fn source, gpointer user)
{
    *b = (HaBytes){.source = source, .user = user, .buffer = g_malloc(BUFFER)};
}

void
ha_bytes_clear(HaBytes *b)
{
    g_clear_pointer(&b->buffer, g_free);
    g_clear_pointer(&b->problem, g_free);
}

guint64
ha_bytes_position(const HaBytes *b)
{
    return b->before + b->at;
}

static gboolean
is_over(const HaBytes *b)
{
    return b->cut || b->failed || b->problem != NULL;
}

/* At least n bytes in the buffer, fewer at the end. */
static gboolean
fill(HaBytes *b, gsize n)
{
    if (b->end - b->at >= n)
        return TRUE;
    memmove(b->buffer, b->buffer + b->at, b->end - b->at);
    b->before += b->at;
    b->end -= b->at;
    b->at = 0;
    while (b->end < n) {
        long got = b->source(b->user, b->buffer + b->end, BUFFER - b->end);
        if (got < 0) {
            b->failed = TRUE;
            return FALSE;
        }
        if (got == 0)
            return FALSE;
        b->end += got;
    }
    return TRUE;
}

const guint8 *
ha_bytes_take_more(HaBytes *b, gsize n)
{
    g_assert(n <= HA_BYTES_MAX);
    if (is_over(b))
        return NULL;
    if (!fill(b, n)) {
        b->cut = !b->failed;
        return NULL;
    }
    const guint8 *bytes = b->buffer + b->at;
    b->at += n;
    return bytes;
}

gboolean
ha_bytes_skip(HaBytes *b, guint64 n)
{
    for (; n > HA_BYTES_MAX; n -= HA_BYTES_MAX)
        if (ha_bytes_take(b, HA_BYTES_MAX) == NULL)
            return FALSE;
    return ha_bytes_take(b, n) != NULL;
}

gboolean
ha_bytes_at_end(HaBytes *b)
{
    return !is_over(b) && !fill(b, 1) && !b->failed;
}

gboolean
ha_bytes_problem(HaBytes *b, const char *format, ...)
{
    if (is_over(b))
        return FALSE;
    va_list args;
    va_start(args, format);
    b->problem = g_strdup_vprintf(format, args);
    va_end(args);
    b->problem_at = ha_bytes_position(b);
    b->at = b->end; /* so that nothing more is taken */
    return FALSE;
}
