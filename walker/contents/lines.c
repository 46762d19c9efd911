// SPDX-License-Identifier: MIT
/*
 * Line of an instruction. Three encodings: co_lnotab until 3.9 (Objects/lnotab_notes.txt), co_linetable of 3.10 (PEP 626), and the
 * location table since 3.11 (Objects/locations.md).
 */
#include "../roots/wk-roots.h"

struct table {
    const uint8_t *at, *end;
};

static bool
open_table(struct wk *w, wk_addr code, struct table *t)
{
    wk_addr bytes = WK_U64(code, w->facts.code_lines);
    uint64_t size;

    if (!wk_has_flag(bytes, WK_TPF_BYTES))
        return false;
    size = WK_U64(bytes, WK_OB_SIZE);
    if (size > 1u << 28)
        return false;
    t->at = (const uint8_t *)(uintptr_t)(bytes + w->facts.bytes_data);
    t->end = t->at + size;
    return true;
}

/* Pairs of (bytes forward, lines forward). */
static int64_t
lnotab_line(struct table t, int64_t line, int32_t lasti)
{
    int64_t address = 0;

    for (; t.end - t.at >= 2; t.at += 2) {
        address += t.at[0];
        if (address > lasti)
            break;
        line += (int8_t)t.at[1];
    }
    return line;
}

/* Pairs of (length of a range in bytes, lines forward before it); -128: the range has no line. */
static int64_t
linetable_line(struct table t, int64_t line, int32_t lasti)
{
    int64_t end = 0;

    for (; t.end - t.at >= 2; t.at += 2) {
        bool none = (int8_t)t.at[1] == -128;

        end += t.at[0];
        line += none ? 0 : (int8_t)t.at[1];
        if (end > lasti)
            return none ? 0 : line;
    }
    return 0;
}

/* Six bits a byte, least significant first, bit 6 tells that more follow; the sign is the lowest bit of the number. */
static int64_t
signed_varint(struct table *t)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;

    do {
        if (t->at == t->end || shift > 30)
            return 0;
        byte = *t->at++;
        value |= (uint64_t)(byte & 0x3f) << shift;
        shift += 6;
    } while (byte & 0x40);
    return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

/* Entries: a byte with bit 7 set, kind in bits 3 to 6, length in code units less one in bits 0 to 2; then bytes without bit 7. */
static int64_t
locations_line(struct table t, int64_t line, int32_t lasti)
{
    int64_t end = 0;

    while (t.at < t.end) {
        uint8_t first = *t.at++, kind = first >> 3 & 0xf;

        if (!(first & 0x80))
            return 0;
        if (kind == 13 || kind == 14)
            line += signed_varint(&t);
        else if (kind >= 10 && kind <= 12)
            line += kind - 10;
        end += ((first & 7) + 1) * 2;
        if (end > lasti)
            return kind == 15 ? 0 : line;
        while (t.at < t.end && !(*t.at & 0x80))
            t.at++;
    }
    return 0;
}

static uint32_t
find_line(struct wk *w, wk_addr code, int32_t lasti)
{
    int64_t first = WK_I32(code, w->facts.code_firstlineno), line;
    struct table t;

    if (lasti < 0 || !open_table(w, code, &t))
        line = first;
    else if (w->facts.version >= 0x030b)
        line = locations_line(t, first, lasti);
    else if (w->facts.version == 0x030a)
        line = linetable_line(t, first, lasti);
    else
        line = lnotab_line(t, first, lasti);
    return line > 0 && line <= INT32_MAX ? (uint32_t)line : 0;
}

/* Thousands of coroutines wait at one place. */
uint32_t
wk_code_line(struct wk *w, wk_addr code, int32_t lasti)
{
    struct wk_line *cached = &w->at_hand->lines[(code >> 4 ^ code >> 12 ^ (uint32_t)lasti >> 1) & 255];

    if (cached->code != code || cached->lasti != lasti) {
        uint32_t line = find_line(w, code, lasti);
        *cached = (struct wk_line){code, lasti, line};
    }
    return cached->line;
}
