// SPDX-License-Identifier: MIT
#pragma once
/*
 * The part of msgpack that dump-heap writes, item by item. Arrays and maps are told by their number of items, which come after; a library that builds them in memory
 * would have to believe that number first.
 */
#include "load/foreign/ha-bytes.h"

typedef enum {
    HA_MSGPACK_NIL,
    HA_MSGPACK_BOOL,  /* number: 0 or 1 */
    HA_MSGPACK_UINT,  /* number */
    HA_MSGPACK_STR,   /* number of bytes, which are still to be taken */
    HA_MSGPACK_BIN,   /* the same */
    HA_MSGPACK_ARRAY, /* number of items */
    HA_MSGPACK_MAP,   /* number of pairs */
    HA_MSGPACK_OTHER, /* negative, fraction, extension: number of bytes still to be taken */
} HaMsgpackKind;

typedef struct {
    HaMsgpackKind kind;
    guint64 number;
} HaMsgpackItem;

gboolean ha_msgpack_next(HaBytes *b, HaMsgpackItem *out);
/* What belongs to an item, items in it included. */
gboolean ha_msgpack_skip(HaBytes *b, HaMsgpackItem item);
