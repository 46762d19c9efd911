// SPDX-License-Identifier: MIT
#pragma once
/*
 * /proc/PID/maps as a table. Pure functions of text; used by everything that needs to know where something lies in the target.
 */
#include <glib.h>

typedef struct {
    guint64 start, end; /* [start, end) */
    guint64 offset;     /* in the file */
    guint64 inode;      /* 0: anonymous */
    guint32 dev_major, dev_minor;
    gboolean read, write, exec, shared;
    gboolean deleted; /* the name was followed by " (deleted)" */
    char *path;       /* owned; as the target sees it, octal escapes decoded; "" anonymous, "[heap]", "[vdso]", … */
} InjMapping;

/* Array of InjMapping in the order of addresses, freed with g_array_unref. Fails with INJ_ERROR_FAILED on a line that it cannot read. */
GArray *inj_maps_parse(const char *text, GError **error);

/* The mapping that holds addr, or NULL. Borrowed. */
const InjMapping *inj_maps_find(const GArray *maps, guint64 addr);
