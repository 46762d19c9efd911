// SPDX-License-Identifier: MIT
#pragma once
/*
 * Where a command's answer goes: a buffer in front of a file descriptor, or memory. Errors stick: after the first one nothing more
 * is written. A reader that went away (EPIPE) is no failure. One thread at a time.
 */
#include <glib.h>

typedef struct HaOut HaOut;

HaOut *ha_out_new_fd(int fd);   /* does not close fd */
HaOut *ha_out_new_memory(void); /* for tests */
void ha_out_free(HaOut *o);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaOut, ha_out_free)

void ha_out_bytes(HaOut *o, const void *bytes, gsize n);
void ha_out_text(HaOut *o, const char *text);
void ha_out_char(HaOut *o, char c);
void ha_out_printf(HaOut *o, const char *format, ...) G_GNUC_PRINTF(2, 3);
void ha_out_uint(HaOut *o, guint64 value);
void ha_out_hex(HaOut *o, guint64 value, guint digits); /* at least digits, zeros in front */
/* Bytes of a dump, safe for a terminal; see text/ha-escape.h. */
void ha_out_escaped(HaOut *o, const char *source, gsize n, gsize max);
/* The same of a text, names in which were escaped already: backslashes stay. */
void ha_out_escaped_again(HaOut *o, const char *text);

gboolean ha_out_stopped(const HaOut *o); /* no use in writing more */
int ha_out_error(const HaOut *o);        /* errno of the first failure; 0: none */
gboolean ha_out_finish(HaOut *o, GError **error);
gboolean ha_out_is_terminal(const HaOut *o);
const char *ha_out_memory(HaOut *o, gsize *n); /* what a memory one has so far */
