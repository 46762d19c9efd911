// SPDX-License-Identifier: MIT
#pragma once
/* What ha-layout (the parent) and ha-layout-child agree on: argv = program, argument, format, CPU seconds, bytes of memory. */
#include "render/ha-layout.h"

enum {
    HA_LAYOUT_EXIT_OK = 0,
    HA_LAYOUT_EXIT_FAILED = 10, /* stderr has a line */
    HA_LAYOUT_EXIT_PLUGIN = 11, /* likewise */
    HA_LAYOUT_EXIT_MEMORY = 12,
};

#define HA_LAYOUT_OUTPUT_MAX (256u << 20) /* longest file, bytes */

/* Name of a format as libgvc has it: "svg", … */
const char *ha_layout_format_name(HaLayoutFormat format);
