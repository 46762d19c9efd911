// SPDX-License-Identifier: MIT
#pragma once
#include <glib.h>

/* "512 B", "1.5 KiB", "20.3 MiB"; owned by the caller. */
char *ha_size_text(guint64 bytes);
