// SPDX-License-Identifier: MIT
#pragma once
/*
 * Writes JSON as it comes, with no tree in memory: always valid UTF-8, whatever the dump holds. Bytes that are no UTF-8 become the text
 * \xNN, as Python's "backslashreplace" does; lone surrogates become \udNNN escapes, which Python reads back exactly; what is not safe
 * on a terminal is escaped too. Misuse (a value without a key, an end too many) is a programmer's error.
 */
#include "cli/ha-out.h"

typedef struct {
    HaOut *out; /* borrowed */
    guint depth;
    guint8 state[64]; /* of each level */
} HaJson;

void ha_json_init(HaJson *j, HaOut *out);
void ha_json_begin_object(HaJson *j);
void ha_json_end_object(HaJson *j);
void ha_json_begin_array(HaJson *j);
void ha_json_end_array(HaJson *j);
void ha_json_key(HaJson *j, const char *key);
void ha_json_text(HaJson *j, const char *text); /* NULL: null */
void ha_json_bytes(HaJson *j, const char *bytes, gsize n);
void ha_json_uint(HaJson *j, guint64 value);
void ha_json_uint_member(HaJson *j, const char *key, guint64 value);
void ha_json_known(HaJson *j, gboolean known, guint64 value); /* not known: null */
void ha_json_int(HaJson *j, gint64 value);
void ha_json_double(HaJson *j, double value); /* finite; three digits behind the point */
void ha_json_bool(HaJson *j, gboolean value);
void ha_json_null(HaJson *j);
void ha_json_addr(HaJson *j, guint64 addr); /* "0x…" */
void ha_json_newline(HaJson *j);            /* between values, for people and line-wise tools */
