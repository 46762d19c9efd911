// SPDX-License-Identifier: MIT
/* dump-heap's first format: packed records, big-endian but for the addresses of referents, with a tag each and no header. */
#include <string.h>

#include "load/foreign/ha-foreign-private.h"

#define PAYLOAD_MAX 128u

enum { DONE = 0, TYPE = 1, OBJECT = 2, OBJECT_PAYLOAD = 3, REFERENTS = 4 };

static gboolean
read_type(HaForeign *f)
{
    guint64 addr, n;
    const guint8 *name;
    if (!ha_bytes_number(&f->bytes, 8, &addr) || !ha_bytes_number(&f->bytes, 2, &n) ||
        (name = ha_bytes_take(&f->bytes, n)) == NULL || !ha_foreign_check_address(f, addr, "a type"))
        return FALSE;
    if (n == 0 || !g_utf8_validate((const char *)name, n, NULL))
        return ha_bytes_problem(&f->bytes, "a type whose name is no text");
    return ha_foreign_add_type(f, addr, (const char *)name, n) ||
           ha_bytes_problem(&f->bytes, "a type that came before");
}

static gboolean
read_object(HaForeign *f, gboolean has_payload)
{
    guint64 n;
    guint32 type;
    const guint8 *head = ha_bytes_take(&f->bytes, 21);
    if (head == NULL)
        return FALSE;
    guint8 tracked = head[0];
    guint64 addr = ha_big_endian(head + 1, 8), type_addr = ha_big_endian(head + 9, 8),
            size = ha_big_endian(head + 17, 4);
    if (tracked > 1)
        return ha_bytes_problem(&f->bytes, "a mark of %u where 0 or 1 stands", tracked);
    if (!ha_foreign_find_type(f, type_addr, &type))
        return ha_bytes_problem(&f->bytes, "an object of a type that did not come before");
    if (!ha_foreign_begin(f, addr, type, size, tracked, 0))
        return FALSE;
    if (!has_payload)
        return TRUE;
    const guint8 *payload;
    if (!ha_bytes_number(&f->bytes, 2, &n))
        return FALSE;
    if (n > PAYLOAD_MAX)
        return ha_bytes_problem(&f->bytes, "%" G_GUINT64_FORMAT " bytes of contents, more than dump-heap writes", n);
    if ((payload = ha_bytes_take(&f->bytes, n)) == NULL)
        return FALSE;
    /* bytes are counted here, so that a text of fewer characters may be cut */
    gboolean may_be_cut = n == PAYLOAD_MAX;
    ha_foreign_content(f, (const char *)payload, n, may_be_cut ? 0 : G_MAXUINT);
    return TRUE;
}

static gboolean
read_referents(HaForeign *f)
{
    guint64 addr, n, refs[HA_FOREIGN_PIECE];
    if (!ha_bytes_number(&f->bytes, 8, &addr) || !ha_bytes_number(&f->bytes, 2, &n))
        return FALSE;
    if (addr != f->row.addr)
        return ha_bytes_problem(&f->bytes, "references of another object than the one before");
    while (n > 0) {
        gsize take = MIN(n, HA_FOREIGN_PIECE);
        const guint8 *bytes = ha_bytes_take(&f->bytes, take * 8);
        if (bytes == NULL)
            return FALSE;
        for (gsize i = 0; i < take; i++) {
            memcpy(&refs[i], bytes + i * 8, 8);
            refs[i] = GUINT64_FROM_LE(refs[i]);
        }
        if (!ha_foreign_refs(f, refs, take))
            return FALSE;
        n -= take;
    }
    return ha_foreign_end(f, FALSE);
}

gboolean
ha_foreign_dump_heap_struct(HaForeign *f)
{
    for (;;) {
        const guint8 *tag = ha_bytes_take(&f->bytes, 1);
        if (tag == NULL)
            return FALSE;
        if (f->open != (*tag == REFERENTS))
            return ha_bytes_problem(&f->bytes,
                                    f->open ? "an object without its references" : "references without an object");
        switch (*tag) {
        case DONE:
            return TRUE;
        case TYPE:
            if (!read_type(f))
                return FALSE;
            break;
        case OBJECT:
        case OBJECT_PAYLOAD:
            if (!read_object(f, *tag == OBJECT_PAYLOAD))
                return FALSE;
            break;
        case REFERENTS:
            if (!read_referents(f))
                return FALSE;
            break;
        default:
            return ha_bytes_problem(&f->bytes, "a record of the unknown kind %u", *tag);
        }
    }
}
