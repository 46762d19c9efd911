// SPDX-License-Identifier: MIT
/* dump-heap's second format: one msgpack map after the other, "t" first. Members that are not known are passed over. */
#include <string.h>

#include "load/foreign/ha-foreign-private.h"
#include "load/foreign/ha-msgpack.h"

#define PAYLOAD_LIMIT      128u /* characters */
#define PAYLOAD_LIMIT_LONG 4096u
#define KEY_MAX            32u
#define MEMBERS_MAX        64u

typedef enum { KIND_TYPE, KIND_OBJECT, KIND_REFERENTS, KIND_DONE, KINDS } Kind;

enum { ADDR, OBJTYPE_ADDR, SIZE, ROOT, THREAD_ROOT, TYPENAME, PAYLOAD, CHILD_ADDRS, FIELDS };

static const char *const field_names[FIELDS] = {"addr",        "objtype_addr", "size",    "root",
                                                "thread_root", "typename",     "payload", "child_addrs"};

/* What each record must have. */
static const guint needed[KINDS] = {[KIND_TYPE] = 1 << OBJTYPE_ADDR | 1 << TYPENAME,
                                    [KIND_OBJECT] = 1 << ADDR | 1 << OBJTYPE_ADDR | 1 << SIZE | 1 << ROOT,
                                    [KIND_REFERENTS] = 1 << ADDR | 1 << CHILD_ADDRS,
                                    [KIND_DONE] = 0};

typedef struct {
    HaForeign *f;
    GHashTable *long_types; /* owned; indices of types whose contents may be long */
    GString *text;          /* owned; typename or payload */
    guint64 number[FIELDS];
    guint seen; /* bits of fields */
    Kind kind;
} Reader;

/* A short text as a key or record name; *n 0 when it is longer than any that is known. */
static gboolean
read_key(HaBytes *b, char *key, gsize *n)
{
    HaMsgpackItem item;
    if (!ha_msgpack_next(b, &item))
        return FALSE;
    if (item.kind != HA_MSGPACK_STR)
        return ha_bytes_problem(b, "no name where one is due");
    *n = 0;
    if (item.number > KEY_MAX)
        return ha_bytes_skip(b, item.number);
    const guint8 *bytes = ha_bytes_take(b, item.number);
    if (bytes == NULL)
        return FALSE;
    memcpy(key, bytes, item.number);
    *n = item.number;
    return TRUE;
}

static gboolean
is_text(const char *key, gsize n, const char *text)
{
    return n == strlen(text) && memcmp(key, text, n) == 0;
}

static gboolean
read_kind(Reader *r)
{
    static const char *const names[KINDS] = {"type", "object", "referents", "done"};
    char key[KEY_MAX];
    gsize n;
    if (!read_key(&r->f->bytes, key, &n))
        return FALSE;
    if (!is_text(key, n, "t"))
        return ha_bytes_problem(&r->f->bytes, "a record without its kind");
    if (!read_key(&r->f->bytes, key, &n))
        return FALSE;
    for (r->kind = 0; r->kind < KINDS; r->kind++)
        if (is_text(key, n, names[r->kind]))
            return TRUE;
    return ha_bytes_problem(&r->f->bytes, "a record of an unknown kind");
}

static gboolean
read_text(Reader *r, const HaMsgpackItem *item, HaMsgpackKind wanted)
{
    HaBytes *b = &r->f->bytes;
    if (item->kind != wanted)
        return ha_bytes_problem(b, "no text where one is due");
    if (item->number > HA_BYTES_MAX)
        return ha_bytes_problem(b, "%" G_GUINT64_FORMAT " bytes of text, more than dump-heap writes", item->number);
    const guint8 *bytes = ha_bytes_take(b, item->number);
    if (bytes == NULL)
        return FALSE;
    g_string_truncate(r->text, 0);
    g_string_append_len(r->text, (const char *)bytes, item->number);
    return TRUE;
}

static gboolean
read_children(Reader *r, const HaMsgpackItem *array)
{
    HaForeign *f = r->f;
    guint64 refs[HA_FOREIGN_PIECE];
    gsize n = 0;
    if (array->kind != HA_MSGPACK_ARRAY)
        return ha_bytes_problem(&f->bytes, "no list where one is due");
    if (!f->open || f->listed)
        return ha_bytes_problem(&f->bytes, "references without an object");
    f->listed = TRUE;
    for (guint64 left = array->number; left > 0; left--) {
        HaMsgpackItem item;
        gboolean ok = ha_msgpack_next(&f->bytes, &item);
        if (ok && item.kind != HA_MSGPACK_UINT)
            ok = ha_bytes_problem(&f->bytes, "no address where one is due");
        if (ok)
            refs[n++] = item.number;
        /* what came is kept, also of a list that is cut */
        if ((!ok || n == G_N_ELEMENTS(refs) || left == 1) && n > 0 && f->bytes.problem == NULL) {
            if (!ha_foreign_refs(f, refs, n))
                return FALSE;
            n = 0;
        }
        if (!ok)
            return FALSE;
    }
    return TRUE;
}

static gboolean
read_value(Reader *r, guint field)
{
    HaBytes *b = &r->f->bytes;
    HaMsgpackItem item;
    if (!ha_msgpack_next(b, &item))
        return FALSE;
    switch (field) {
    case TYPENAME:
        return read_text(r, &item, HA_MSGPACK_STR);
    case PAYLOAD:
        return read_text(r, &item, HA_MSGPACK_BIN);
    case CHILD_ADDRS:
        return read_children(r, &item);
    case ROOT:
    case THREAD_ROOT:
        r->number[field] = item.number;
        return item.kind == HA_MSGPACK_BOOL || ha_bytes_problem(b, "neither true nor false where one is due");
    default:
        r->number[field] = item.number;
        return item.kind == HA_MSGPACK_UINT || ha_bytes_problem(b, "no number where one is due");
    }
}

static gboolean
read_members(Reader *r, guint64 n)
{
    HaBytes *b = &r->f->bytes;
    char key[KEY_MAX];
    gsize length;
    r->seen = 0;
    r->number[THREAD_ROOT] = 0;
    for (; n > 0; n--) {
        guint field = 0;
        HaMsgpackItem item;
        if (!read_key(b, key, &length))
            return FALSE;
        while (field < FIELDS && !is_text(key, length, field_names[field]))
            field++;
        if (field == FIELDS) {
            if (!ha_msgpack_next(b, &item) || !ha_msgpack_skip(b, item))
                return FALSE;
            continue;
        }
        if (r->seen & 1u << field)
            return ha_bytes_problem(b, "a record with two times '%s'", field_names[field]);
        r->seen |= 1u << field;
        if (field == CHILD_ADDRS && r->kind != KIND_REFERENTS)
            return ha_bytes_problem(b, "references where none are due");
        if (!read_value(r, field))
            return FALSE;
    }
    if ((r->seen & needed[r->kind]) != needed[r->kind])
        return ha_bytes_problem(b, "a record without all its members");
    return TRUE;
}

/* Contents of these are cut later: what is scheduled tells a lot. */
static gboolean
has_long_contents(const char *type)
{
    const char *dot = strrchr(type, '.');
    const char *name = dot != NULL ? dot + 1 : type;
    return g_str_has_suffix(name, "Task") || g_str_has_suffix(name, "Handle");
}

static gboolean
take_type(Reader *r)
{
    HaForeign *f = r->f;
    guint64 addr = r->number[OBJTYPE_ADDR];
    guint32 index;
    if (!ha_foreign_check_address(f, addr, "a type"))
        return FALSE;
    if (r->text->len == 0 || !g_utf8_validate(r->text->str, (gssize)r->text->len, NULL))
        return ha_bytes_problem(&f->bytes, "a type whose name is no text");
    if (!ha_foreign_add_type(f, addr, r->text->str, r->text->len))
        return ha_bytes_problem(&f->bytes, "a type that came before");
    if (has_long_contents(r->text->str) && ha_foreign_find_type(f, addr, &index))
        g_hash_table_add(r->long_types, GUINT_TO_POINTER(index));
    return TRUE;
}

static gboolean
take_object(Reader *r)
{
    HaForeign *f = r->f;
    guint32 type;
    if (!ha_foreign_find_type(f, r->number[OBJTYPE_ADDR], &type))
        return ha_bytes_problem(&f->bytes, "an object of a type that did not come before");
    if (!ha_foreign_begin(f, r->number[ADDR], type, r->number[SIZE], r->number[ROOT] != 0, 0))
        return FALSE;
    if (r->seen & 1 << PAYLOAD) {
        gboolean is_long = g_hash_table_contains(r->long_types, GUINT_TO_POINTER(type));
        ha_foreign_content(f, r->text->str, r->text->len, is_long ? PAYLOAD_LIMIT_LONG : PAYLOAD_LIMIT);
    }
    if (r->number[THREAD_ROOT])
        ha_graph_builder_root(f->builder, HF_ROOT_THREAD, r->number[ADDR], "<running frame>", FALSE);
    return TRUE;
}

static gboolean
read_record(Reader *r)
{
    HaForeign *f = r->f;
    HaMsgpackItem map;
    if (!ha_msgpack_next(&f->bytes, &map))
        return FALSE;
    if (map.kind != HA_MSGPACK_MAP || map.number == 0 || map.number > MEMBERS_MAX)
        return ha_bytes_problem(&f->bytes, "no record where one is due");
    if (!read_kind(r) || (r->kind != KIND_REFERENTS && !ha_foreign_end(f, FALSE)) || !read_members(r, map.number - 1))
        return FALSE;
    switch (r->kind) {
    case KIND_TYPE:
        return take_type(r);
    case KIND_OBJECT:
        return take_object(r);
    case KIND_REFERENTS:
        if (r->number[ADDR] != f->row.addr)
            return ha_bytes_problem(&f->bytes, "references of another object than the one before");
        return TRUE;
    case KIND_DONE:
    case KINDS:
    default:
        return TRUE;
    }
}

gboolean
ha_foreign_dump_heap_msgpack(HaForeign *f)
{
    Reader r = {.f = f, .long_types = g_hash_table_new(NULL, NULL), .text = g_string_new(NULL), .kind = KIND_TYPE};
    gboolean ok = TRUE;
    while (ok && r.kind != KIND_DONE)
        ok = read_record(&r);
    g_hash_table_unref(r.long_types);
    g_string_free(r.text, TRUE);
    return ok;
}
