// SPDX-License-Identifier: MIT
#include "progress.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EVERY_US = 100000, WIDTH = 30, BYTES_PER_OBJECT = 110 };

void
inj_progress_init(InjProgress *p, gboolean quiet, guint64 rss)
{
    *p = (InjProgress){.on = !quiet && isatty(STDERR_FILENO), .expected = rss / BYTES_PER_OBJECT};
}

char *
inj_size_text(guint64 bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    double v = (double)bytes / 1000;
    gsize u = 0;

    if (bytes < 1000)
        return g_strdup_printf("%" G_GUINT64_FORMAT " bytes", bytes);
    for (; v >= 999.95 && u < G_N_ELEMENTS(units) - 1; u++)
        v /= 1000;
    return g_strdup_printf("%.1f %s", v, units[u]);
}

char *
inj_progress_text(double fraction, guint64 objects, guint64 bytes)
{
    g_autofree char *size = inj_size_text(bytes);
    char bar[WIDTH + 3] = "";

    if (fraction >= 0) {
        int full = (int)(MIN(fraction, 1.0) * WIDTH);
        bar[0] = '[';
        memset(bar + 1, '#', (gsize)full);
        memset(bar + 1 + full, '.', (gsize)(WIDTH - full));
        bar[WIDTH + 1] = ']';
    }
    return g_strdup_printf("%s%s%" G_GUINT64_FORMAT " objects, %s", bar, *bar ? " " : "", objects, size);
}

void
inj_progress_update(InjProgress *p, guint64 objects, guint64 bytes)
{
    gint64 now;

    if (!p->on || (now = g_get_monotonic_time()) - p->last_us < EVERY_US)
        return;
    p->last_us = now;
    p->shown = TRUE;
    /* How many there will be nobody knows; memory tells about it. */
    double fraction = p->expected > 0 ? MIN((double)objects / (double)p->expected, 0.99) : -1;
    g_autofree char *text = inj_progress_text(fraction, objects, bytes);
    fprintf(stderr, "\r%s\033[K", text);
    fflush(stderr);
}

void
inj_progress_clear(InjProgress *p)
{
    if (p->shown)
        fprintf(stderr, "\r\033[K");
    p->shown = FALSE;
}
