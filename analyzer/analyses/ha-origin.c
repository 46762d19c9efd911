// SPDX-License-Identifier: MIT
#include "ha-origin.h"

#include <heapfile/format.h>
#include <string.h>

#include "text/ha-escape.h"

enum { PID_MAX = 20, COMMAND_MAX = 60 }; /* bytes */

/* Whether both dumps have this key; then *equal tells whether it is the same. */
static gboolean
both_say(GHashTable *a, GHashTable *b, const char *key, gboolean *equal)
{
    const char *of_a = g_hash_table_lookup(a, key), *of_b = g_hash_table_lookup(b, key);
    if (of_a == NULL || of_b == NULL)
        return FALSE;
    *equal = g_strcmp0(of_a, of_b) == 0;
    return TRUE;
}

/*
 * A process starts once, and has one number in its own namespace of them, while each outer one has another for it: a dump from the host and one from
 * inside of a container are of one process. Where the start is not known, the number must do.
 */
static gboolean
same_process(GHashTable *a, GHashTable *b, gboolean *same)
{
    gboolean equal;

    if (both_say(a, b, HF_META_BOOT, &equal) && !equal) {
        *same = FALSE;
        return TRUE;
    }
    if (!both_say(a, b, HF_META_START, &equal))
        return both_say(a, b, HF_META_PID, same);
    *same = equal && (!both_say(a, b, HF_META_INNER, &equal) || equal);
    return TRUE;
}

HaOrigin
ha_origin_compare(GHashTable *a, GHashTable *b)
{
    gboolean same, moment;

    if (!same_process(a, b, &same))
        return HA_ORIGIN_UNKNOWN;
    if (!same)
        return HA_ORIGIN_OTHER;
    return both_say(a, b, HF_META_TIME, &moment) && moment ? HA_ORIGIN_MOMENT : HA_ORIGIN_SAME;
}

char *
ha_origin_text(GHashTable *meta)
{
    const char *pid = g_hash_table_lookup(meta, HF_META_PID), *command = g_hash_table_lookup(meta, HF_META_CMDLINE);
    GString *text = g_string_new("pid ");

    if (command == NULL || *command == 0)
        command = g_hash_table_lookup(meta, HF_META_EXE);
    if (pid != NULL)
        ha_escape_append(text, pid, strlen(pid), PID_MAX, 0);
    else
        g_string_append(text, "unknown");
    if (command != NULL && *command != 0) {
        g_string_append(text, ": ");
        ha_escape_append(text, command, strlen(command), COMMAND_MAX, 0);
    }
    return g_string_free(text, FALSE);
}

gboolean
ha_origin_later(GHashTable *a, GHashTable *b)
{
    const char *of_a = g_hash_table_lookup(a, HF_META_TIME), *of_b = g_hash_table_lookup(b, HF_META_TIME);

    return of_a != NULL && of_b != NULL && g_ascii_strtoull(of_a, NULL, 10) > g_ascii_strtoull(of_b, NULL, 10);
}

double
ha_origin_minutes(GHashTable *from, GHashTable *to)
{
    const char *begin = g_hash_table_lookup(from, HF_META_TIME), *end = g_hash_table_lookup(to, HF_META_TIME);

    if (begin == NULL || end == NULL)
        return 0;
    double us = (double)g_ascii_strtoull(end, NULL, 10) - (double)g_ascii_strtoull(begin, NULL, 10);
    return us > 0 ? us / 60e6 : 0;
}
