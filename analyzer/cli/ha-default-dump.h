// SPDX-License-Identifier: MIT
#pragma once
/* Which dump is meant when none is given. */
#include <glib.h>

/*
 * $HEAPDUMP, or the newest *.heap, *.heap.zst, *.heap.gz of folder that is none of the files in except (NULL-terminated); says its
 * choice on stderr. NULL: none there, HA_ERROR_USAGE. Owned by the caller.
 */
char *ha_default_dump(const char *folder, const char *const *except, GError **error);
