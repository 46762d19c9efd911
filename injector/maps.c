// SPDX-License-Identifier: MIT
#include "maps.h"
#include <string.h>
#include "error.h"

static void
mapping_clear(gpointer data)
{
    g_free(((InjMapping *)data)->path);
}

/* A hexadecimal or decimal number followed by the byte end; moves *p past it. */
static gboolean
number(const char **p, guint base, char end, guint64 *out)
{
    char *after;

    if (!g_ascii_isxdigit(**p))
        return FALSE;
    *out = g_ascii_strtoull(*p, &after, base);
    if (*after != end)
        return FALSE;
    *p = after + 1;
    return TRUE;
}

/* The kernel writes newlines in names as \012, and nothing else that way. */
static char *
decode(const char *text, gsize n)
{
    GString *s = g_string_sized_new(n);

    for (gsize i = 0; i < n; i++) {
        if (n - i >= 4 && memcmp(text + i, "\\012", 4) == 0) {
            g_string_append_c(s, '\n');
            i += 3;
        } else
            g_string_append_c(s, text[i]);
    }
    return g_string_free(s, FALSE);
}

static gboolean
parse_line(const char *p, const char *end, InjMapping *m)
{
    static const char DELETED[] = " (deleted)";
    guint64 major, minor;

    if (!number(&p, 16, '-', &m->start) || !number(&p, 16, ' ', &m->end) || end - p < 5 || p[4] != ' ')
        return FALSE;
    m->read = p[0] == 'r';
    m->write = p[1] == 'w';
    m->exec = p[2] == 'x';
    m->shared = p[3] == 's';
    p += 5;
    if (!number(&p, 16, ' ', &m->offset) || !number(&p, 16, ':', &major) || !number(&p, 16, ' ', &minor))
        return FALSE;
    if (!g_ascii_isdigit(*p))
        return FALSE;
    char *after;
    m->inode = g_ascii_strtoull(p, &after, 10);
    p = after;
    if (p > end || (p < end && *p != ' ') || m->end <= m->start)
        return FALSE;
    m->dev_major = (guint32)major;
    m->dev_minor = (guint32)minor;
    while (p < end && *p == ' ')
        p++;
    gsize n = (gsize)(end - p);
    gsize d = strlen(DELETED);
    if (n > d && memcmp(end - d, DELETED, d) == 0 && p[0] == '/') {
        m->deleted = TRUE;
        n -= d;
    }
    m->path = decode(p, n);
    return TRUE;
}

GArray *
inj_maps_parse(const char *text, GError **error)
{
    g_autoptr(GArray) maps = g_array_new(FALSE, TRUE, sizeof(InjMapping));

    g_array_set_clear_func(maps, mapping_clear);
    for (const char *p = text; *p != '\0';) {
        const char *end = strchrnul(p, '\n');
        InjMapping m = {0};
        if (!parse_line(p, end, &m)) {
            g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "cannot read this line of the target's memory map: %.*s",
                        (int)MIN(end - p, 200), p);
            return NULL;
        }
        g_array_append_val(maps, m);
        p = *end ? end + 1 : end;
    }
    return g_steal_pointer(&maps);
}

const InjMapping *
inj_maps_find(const GArray *maps, guint64 addr)
{
    guint lo = 0, hi = maps->len;

    while (lo < hi) {
        guint mid = lo + (hi - lo) / 2;
        const InjMapping *m = &g_array_index(maps, InjMapping, mid);
        if (addr < m->start)
            hi = mid;
        else if (addr >= m->end)
            lo = mid + 1;
        else
            return m;
    }
    return NULL;
}
