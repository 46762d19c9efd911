// SPDX-License-Identifier: MIT
#pragma once
/*
 * Bytes from a heap made safe to show, and the escapes of the DOT language. Whatever a target holds in its strings passes through
 * here before it reaches a picture. Pure functions, any thread.
 */
#include <glib.h>

/*
 * Appends raw bytes as printable UTF-8 of at most max_columns terminal columns (0: no limit). What is not printable — controls,
 * invalid UTF-8, surrogates, non-characters, bidirectional and invisible characters — becomes \xNN or \uNNNN. Returns FALSE when
 * it had to cut; then the text ends in "…".
 */
gboolean ha_text_append_safe(GString *out, const char *raw, gsize n, gsize max_columns);

/* Width of safe text in columns, wide characters counted twice. */
gsize ha_text_columns(const char *safe);

/* "1,234,567". */
char *ha_text_count(guint64 n);

/* The rest takes text that ha_text_append_safe() made. */

/* Inside an HTML-like label, as text between tags. */
void ha_dot_append_html(GString *out, const char *safe);
/* Inside a quoted ordinary label. */
void ha_dot_append_label(GString *out, const char *safe);
/* Inside a quoted tooltip, which libgvc unescapes twice. A newline in the text stays a line break. */
void ha_dot_append_tooltip(GString *out, const char *safe);
