// SPDX-License-Identifier: MIT
#include "ha-origin.h"

#include <heapfile/format.h>
#include <string.h>

#include "text/ha-escape.h"

enum { PID_MAX = 20, COMMAND_MAX = 60 }; /* bytes */

/* Whether both dumps have this key; then *equal tells whether it is the same. */
static gboolean
both_say(const HaGraph *a, const HaGraph *b, const char *key, gboolean *equal)
{
    const char *of_a = ha_graph_meta(a, key), *of_b = ha_graph_meta(b, key);
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
same_process(const HaGraph *a, const HaGraph *b, gboolean *same)
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
ha_origin_compare(const HaGraph *a, const HaGraph *b)
{
    gboolean same, moment;

    if (!same_process(a, b, &same))
        return HA_ORIGIN_UNKNOWN;
    if (!same)
        return HA_ORIGIN_OTHER;
    return both_say(a, b, HF_META_TIME, &moment) && moment ? HA_ORIGIN_MOMENT : HA_ORIGIN_SAME;
}

char *
ha_origin_text(const HaGraph *g)
{
    const char *pid = ha_graph_meta(g, HF_META_PID), *command = ha_graph_meta(g, HF_META_CMDLINE);
    GString *text = g_string_new("pid ");

    if (command == NULL || *command == 0)
        command = ha_graph_meta(g, HF_META_EXE);
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
ha_origin_later(const HaGraph *a, const HaGraph *b)
{
    const char *of_a = ha_graph_meta(a, HF_META_TIME), *of_b = ha_graph_meta(b, HF_META_TIME);

    return of_a != NULL && of_b != NULL && g_ascii_strtoull(of_a, NULL, 10) > g_ascii_strtoull(of_b, NULL, 10);
}
