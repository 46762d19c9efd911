// SPDX-License-Identifier: MIT
/* https://github.com/msgpack/msgpack/blob/master/spec.md */
#include "ha-msgpack.h"

gboolean
ha_msgpack_next(HaBytes *b, HaMsgpackItem *out)
{
    /* of 0xc0 and above: kind, bytes of the number, what to add to it (the type of an extension) */
    static const struct {
        guint8 kind, width, more;
    } heads[0x20] = {
        [0x00] = {HA_MSGPACK_NIL, 0, 0},   [0x02] = {HA_MSGPACK_BOOL, 0, 0},  [0x03] = {HA_MSGPACK_BOOL, 0, 1},
        [0x04] = {HA_MSGPACK_BIN, 1, 0},   [0x05] = {HA_MSGPACK_BIN, 2, 0},   [0x06] = {HA_MSGPACK_BIN, 4, 0},
        [0x07] = {HA_MSGPACK_OTHER, 1, 1}, [0x08] = {HA_MSGPACK_OTHER, 2, 1}, [0x09] = {HA_MSGPACK_OTHER, 4, 1},
        [0x0a] = {HA_MSGPACK_OTHER, 0, 4}, [0x0b] = {HA_MSGPACK_OTHER, 0, 8}, [0x0c] = {HA_MSGPACK_UINT, 1, 0},
        [0x0d] = {HA_MSGPACK_UINT, 2, 0},  [0x0e] = {HA_MSGPACK_UINT, 4, 0},  [0x0f] = {HA_MSGPACK_UINT, 8, 0},
        [0x10] = {HA_MSGPACK_OTHER, 0, 1}, [0x11] = {HA_MSGPACK_OTHER, 0, 2}, [0x12] = {HA_MSGPACK_OTHER, 0, 4},
        [0x13] = {HA_MSGPACK_OTHER, 0, 8}, [0x14] = {HA_MSGPACK_OTHER, 0, 2}, [0x15] = {HA_MSGPACK_OTHER, 0, 3},
        [0x16] = {HA_MSGPACK_OTHER, 0, 5}, [0x17] = {HA_MSGPACK_OTHER, 0, 9}, [0x18] = {HA_MSGPACK_OTHER, 0, 17},
        [0x19] = {HA_MSGPACK_STR, 1, 0},   [0x1a] = {HA_MSGPACK_STR, 2, 0},   [0x1b] = {HA_MSGPACK_STR, 4, 0},
        [0x1c] = {HA_MSGPACK_ARRAY, 2, 0}, [0x1d] = {HA_MSGPACK_ARRAY, 4, 0}, [0x1e] = {HA_MSGPACK_MAP, 2, 0},
        [0x1f] = {HA_MSGPACK_MAP, 4, 0},
    };
    const guint8 *head = ha_bytes_take(b, 1);
    if (head == NULL)
        return FALSE;
    guint8 byte = *head;
    if (byte < 0x80) {
        *out = (HaMsgpackItem){HA_MSGPACK_UINT, byte};
    } else if (byte < 0xc0) {
        HaMsgpackKind kind = byte < 0x90 ? HA_MSGPACK_MAP : byte < 0xa0 ? HA_MSGPACK_ARRAY : HA_MSGPACK_STR;
        *out = (HaMsgpackItem){kind, byte & (byte < 0xa0 ? 0x0f : 0x1f)};
    } else if (byte == 0xc1) {
        return ha_bytes_problem(b, "a byte 0xc1, which msgpack does not have");
    } else if (byte >= 0xe0) {
        *out = (HaMsgpackItem){HA_MSGPACK_OTHER, 0};
    } else {
        guint64 number = 0;
        out->kind = heads[byte - 0xc0].kind;
        if (heads[byte - 0xc0].width > 0 && !ha_bytes_number(b, heads[byte - 0xc0].width, &number))
            return FALSE;
        out->number = number + heads[byte - 0xc0].more;
    }
    return TRUE;
}

gboolean
ha_msgpack_skip(HaBytes *b, HaMsgpackItem item)
{
    for (guint64 left = 1;;) {
        left--;
        switch (item.kind) {
        case HA_MSGPACK_STR:
        case HA_MSGPACK_BIN:
        case HA_MSGPACK_OTHER:
            if (!ha_bytes_skip(b, item.number))
                return FALSE;
            break;
        case HA_MSGPACK_ARRAY:
        case HA_MSGPACK_MAP:
            left += item.kind == HA_MSGPACK_MAP ? item.number * 2 : item.number;
            break;
        case HA_MSGPACK_NIL:
        case HA_MSGPACK_BOOL:
        case HA_MSGPACK_UINT:
        default:
            break;
        }
        if (left == 0)
            return TRUE;
        if (!ha_msgpack_next(b, &item))
            return FALSE;
    }
}
