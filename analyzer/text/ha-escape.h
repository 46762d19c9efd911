// SPDX-License-Identifier: MIT
#pragma once
/* Bytes of a dump as text that is safe on a terminal. Pure functions, any thread. */
#include <glib.h>

enum {
    HA_ESCAPE_QUOTED = 1 << 0, /* also escape ' */
    HA_ESCAPE_AGAIN = 1 << 1,  /* the source was escaped in parts: leave backslashes alone */
};

/*
 * Appends up to max bytes of source as valid, printable UTF-8, never cut inside a character: control characters, direction marks and
 * line separators, invalid bytes and backslashes become \n \t \xNN \uNNNN \\; lone surrogates (3 bytes each) become \udNNN. What was
 * left out is shown by "…".
 */
void ha_escape_append(GString *to, const char *source, gsize n, gsize max, guint flags);
char *ha_escape(const char *source, gsize n, gsize max); /* owned by the caller */

/* Moves the cursor, turns the direction of the text, breaks the line or cannot be seen. */
gboolean ha_char_is_unsafe(guint32 c);

/*
 * Length of the character at source (1 … 4, n ≥ 1 bytes there) and its code point; 0: not UTF-8. Lone surrogates are accepted: the
 * caller looks at *c.
 */
guint ha_utf8_decode(const char *source, gsize n, guint32 *c);
