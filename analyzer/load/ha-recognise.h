// SPDX-License-Identifier: MIT
#pragma once
/* What kind of file this is, by its first (decompressed) bytes. Pure, any thread. */
#include <glib.h>

typedef enum {
    HA_KIND_OURS,
    HA_KIND_EMPTY,
    HA_KIND_DUMP_HEAP_STRUCT,
    HA_KIND_DUMP_HEAP_MSGPACK,
    HA_KIND_PYHEAP,
    HA_KIND_OTHER, /* no heap dump that we know */
} HaKind;

#define HA_RECOGNISE_BYTES 512 /* as many as are of use; fewer only where the file has no more */

HaKind ha_recognise(const guint8 *bytes, gsize n);
/* "an ELF file", "a ZIP archive", … where that can be said of an unknown file; NULL otherwise. */
const char *ha_recognise_other(const guint8 *bytes, gsize n);
