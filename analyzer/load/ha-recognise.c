// SPDX-License-Identifier: MIT
#include "ha-recognise.h"

#include <heapfile/format.h>
#include <string.h>

#define PYHEAP_MAGIC 123000321u

static guint64
big_endian(const guint8 *bytes, guint n)
{
    guint64 value = 0;
    for (guint i = 0; i < n; i++)
        value = value << 8 | bytes[i];
    return value;
}

static gboolean
is_address(const guint8 *bytes)
{
    guint64 address = big_endian(bytes, 8);
    return address != 0 && address % 8 == 0 && address >> 56 == 0;
}

/* "module.name", all that is there of it. */
static gboolean
is_type_name(const char *name, gsize n, gsize there)
{
    const char *end;
    gboolean valid = g_utf8_validate(name, (gssize)MIN(n, there), &end);
    if (there < n) /* cut: perhaps inside a character */
        return valid || there - (gsize)(end - name) < 4;
    return valid && memchr(name, '.', n) != NULL;
}

/*
 * No magic: the first record must be a type's, "module.name" with its address, and what follows an object of that very type. Of a cut file as much as
 * there is, the name's first character at least.
 */
static gboolean
is_dump_heap_struct(const guint8 *bytes, gsize n)
{
    if (n < 12 || bytes[0] != 1 || !is_address(bytes + 1))
        return FALSE;
    gsize length = big_endian(bytes + 9, 2), object = 11 + length;
    if (length == 0 || !is_type_name((const char *)bytes + 11, length, n - 11))
        return FALSE;
    if (n < object + 18)
        return n <= object || bytes[object] == 2 || bytes[object] == 3;
    return (bytes[object] == 2 || bytes[object] == 3) && bytes[object + 1] <= 1 && is_address(bytes + object + 2) &&
           memcmp(bytes + object + 10, bytes + 1, 8) == 0;
}

/* A map whose first key is the one-letter string "t", whose value is one of the record names. */
static gboolean
is_dump_heap_msgpack(const guint8 *bytes, gsize n)
{
    static const char *const records[] = {"type", "object", "referents", "done"};
    if (n < 4 || (bytes[0] & 0xf0) != 0x80 || memcmp(bytes + 1, "\xa1t", 2) != 0 || (bytes[3] & 0xe0) != 0xa0)
        return FALSE;
    gsize length = bytes[3] & 0x1f;
    for (guint i = 0; i < G_N_ELEMENTS(records); i++)
        if (strlen(records[i]) == length && n >= 4 + length && memcmp(bytes + 4, records[i], length) == 0)
            return TRUE;
    return FALSE;
}

HaKind
ha_recognise(const guint8 *bytes, gsize n)
{
    if (n == 0)
        return HA_KIND_EMPTY;
    /* also the beginning of a cut one, or one that went through a text conversion: the reader knows to say so */
    if (memcmp(bytes, HF_MAGIC, MIN(n, 4)) == 0 || (n >= 4 && memcmp(bytes + 1, "HPD", 3) == 0))
        return HA_KIND_OURS;
    if (n >= 8 && big_endian(bytes, 8) == PYHEAP_MAGIC)
        return HA_KIND_PYHEAP;
    if (is_dump_heap_struct(bytes, n))
        return HA_KIND_DUMP_HEAP_STRUCT;
    if (is_dump_heap_msgpack(bytes, n))
        return HA_KIND_DUMP_HEAP_MSGPACK;
    return HA_KIND_OTHER;
}

const char *
ha_recognise_other(const guint8 *bytes, gsize n)
{
    static const struct {
        const char *start;
        guint length;
        const char *what;
    } kinds[] = {
        {"\x7f"
         "ELF",
         4, "an ELF file (a core file or a program)"},
        {"PK\003\004", 4, "a ZIP archive"},
        {"\xfd"
         "7zXZ",
         5, "an xz file: decompress it first"},
        {"BZh", 3, "a bzip2 file: decompress it first"},
        {"\x04\x22\x4d\x18", 4, "an lz4 file: decompress it first"},
        {"JAVA PROFILE", 12, "a heap dump of a Java program"},
        {"memray", 6, "a recording of memray"},
        {"SQLite format 3", 15, "an SQLite database"},
        {"<svg", 4, "an SVG picture"},
        {"<?xml", 5, "an XML file"},
        {"digraph", 7, "a DOT graph"},
        {"{", 1, "JSON or other text"},
        {"#!", 2, "a script"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (n >= kinds[i].length && memcmp(bytes, kinds[i].start, kinds[i].length) == 0)
            return kinds[i].what;
    return NULL;
}
