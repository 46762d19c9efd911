// SPDX-License-Identifier: MIT
#pragma once
/*
 * The one door to the bytes of another tool's dump: checked, forwards only, with a buffer of fixed size. After a call has failed all later ones
 * fail, and cut, failed or problem tells why. One thread at a time.
 */
#include <glib.h>
#include <heapfile/reader.h>

#define HA_BYTES_MAX ((gsize)64 << 10) /* in one piece */

typedef struct {
    hf_source_fn source;
    gpointer user;
    guint8 *buffer; /* owned */
    gsize at, end;
    guint64 before;  /* bytes that left the buffer */
    gboolean cut;    /* the source ended too early */
    gboolean failed; /* the source has the message */
    char *problem;   /* owned; what no tool would write */
    guint64 problem_at;
} HaBytes;

void ha_bytes_init(HaBytes *b, hf_source_fn source, gpointer user);
void ha_bytes_clear(HaBytes *b);
guint64 ha_bytes_position(const HaBytes *b);

/* n ≤ HA_BYTES_MAX, valid until the next call; NULL: there are fewer. */
const guint8 *ha_bytes_take_more(HaBytes *b, gsize n);
gboolean ha_bytes_skip(HaBytes *b, guint64 n);
/* TRUE at the end of the source; FALSE when it failed, too. */
gboolean ha_bytes_at_end(HaBytes *b);
/* Notes what is wrong, once; returns FALSE. */
gboolean ha_bytes_problem(HaBytes *b, const char *format, ...) G_GNUC_PRINTF(2, 3);

static inline const guint8 *
ha_bytes_take(HaBytes *b, gsize n)
{
    if (G_UNLIKELY(b->end - b->at < n))
        return ha_bytes_take_more(b, n);
    const guint8 *bytes = b->buffer + b->at;
    b->at += n;
    return bytes;
}

static inline guint64
ha_big_endian(const guint8 *bytes, guint n)
{
    guint64 value = 0;
    for (guint i = 0; i < n; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* A number of n ≤ 8 bytes. */
static inline gboolean
ha_bytes_number(HaBytes *b, guint n, guint64 *out)
{
    const guint8 *bytes = ha_bytes_take(b, n);
    if (bytes == NULL)
        return FALSE;
    *out = ha_big_endian(bytes, n);
    return TRUE;
}
