// SPDX-License-Identifier: MIT
#pragma once
/*
 * From DOT text to SVG, PNG or PDF. libgvc runs inside a child: the same executable started again with HA_LAYOUT_CHILD_ARGUMENT, with
 * limits on its memory, processor time and output, killed when it takes too long. A fork would cost as much as the graph is large,
 * and libgvc may loop or abort on a graph that it does not like. One thread at a time.
 */
#include <glib.h>

typedef enum {
    HA_LAYOUT_SVG,
    HA_LAYOUT_PNG,
    HA_LAYOUT_PDF,
} HaLayoutFormat;

typedef enum {
    HA_LAYOUT_ERROR_TIMEOUT, /* time or processor time ran out: a coarser picture may do */
    HA_LAYOUT_ERROR_MEMORY,  /* likewise */
    HA_LAYOUT_ERROR_PLUGIN,  /* Graphviz's part for this format is missing */
    HA_LAYOUT_ERROR_FAILED,
} HaLayoutError;

#define HA_LAYOUT_ERROR (ha_layout_error_quark())
GQuark ha_layout_error_quark(void);

typedef struct {
    guint seconds;       /* processor time, and three times as much on the clock; 0: the default */
    guint64 memory;      /* address space of the child, bytes; 0: the default */
    const char *program; /* what to start; NULL: this executable */
} HaLayoutLimits;

/* Draws n bytes of DOT text. limits may be NULL. *out: the file's bytes, owned by the caller. */
gboolean ha_layout_render(const char *dot, gsize n, HaLayoutFormat format, const HaLayoutLimits *limits, GBytes **out,
                          GError **error);

#define HA_LAYOUT_CHILD_ARGUMENT "--layout-child"

/* First thing in main(): does the child's work and ends the process, when it is that; else does nothing. */
void ha_layout_child(int argc, char **argv);
