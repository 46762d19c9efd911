// SPDX-License-Identifier: MIT
#include "ha-foreign.h"

#include <string.h>

#include "load/foreign/ha-foreign-private.h"

HaSource
ha_foreign_source(HaKind kind)
{
    return kind == HA_KIND_PYHEAP             ? HA_SOURCE_PYHEAP
           : kind == HA_KIND_DUMP_HEAP_STRUCT ? HA_SOURCE_DUMP_HEAP_STRUCT
                                              : HA_SOURCE_DUMP_HEAP_MSGPACK;
}

const char *
ha_foreign_tool(HaSource source)
{
    return source == HA_SOURCE_PYHEAP ? "PyHeap" : source == HA_SOURCE_HEAPDUMP_GDB ? "heapdump-gdb" : "dump-heap";
}

guint
ha_foreign_hash(gconstpointer bytes, gsize n)
{
    static gsize seed;
    if (g_once_init_enter(&seed))
        g_once_init_leave(&seed, ((gsize)g_random_int() << 1) | 1);
    return (guint)hf_xxh64(bytes, n, seed);
}

guint
ha_foreign_hash_address(gconstpointer address)
{
    return ha_foreign_hash(&address, sizeof address);
}

gboolean
ha_foreign_check_address(HaForeign *f, guint64 addr, const char *what)
{
    if (addr != 0 && addr % 8 == 0 && addr >> HA_FOREIGN_ADDRESS_BITS == 0)
        return TRUE;
    return ha_bytes_problem(&f->bytes, "%s at address 0x%" G_GINT64_MODIFIER "x", what, addr);
}

gboolean
ha_foreign_add_type(HaForeign *f, guint64 addr, const char *name, gsize n)
{
    if (g_hash_table_contains(f->types, GSIZE_TO_POINTER(addr)))
        return FALSE;
    struct hf_type_row row = {.addr = addr, .name = name, .name_len = n};
    guint32 index = ha_graph_builder_type(f->builder, &row);
    g_hash_table_insert(f->types, GSIZE_TO_POINTER(addr), GUINT_TO_POINTER(index));
    if (n == strlen("builtins.str") && memcmp(name, "builtins.str", n) == 0)
        f->str_type = index;
    return TRUE;
}

gboolean
ha_foreign_find_type(HaForeign *f, guint64 addr, guint32 *index)
{
    gpointer found;
    if (addr != f->last_type || addr == 0) {
        if (!g_hash_table_lookup_extended(f->types, GSIZE_TO_POINTER(addr), NULL, &found))
            return FALSE;
        f->last_type = addr;
        f->last_index = GPOINTER_TO_UINT(found);
    }
    *index = f->last_index;
    return TRUE;
}

gboolean
ha_foreign_begin(HaForeign *f, guint64 addr, guint32 type, guint64 size, gboolean tracked, guint32 layout)
{
    if (!ha_foreign_end(f, FALSE) || !ha_foreign_check_address(f, addr, "an object"))
        return FALSE;
    f->row = (struct hf_object_row){.addr = addr, .size = size, .type = type, .layout = layout};
    f->row.flags = HF_OBJ_SIZE | HF_OBJ_REFS | (tracked ? HF_OBJ_GC : 0);
    f->open = TRUE;
    f->begun = f->listed = FALSE;
    *f->position = ha_bytes_position(&f->bytes);
    return TRUE;
}

/* str in ASCII takes its characters and a head of 41 bytes, 49 before CPython 3.12: as long as that it is all there. */
static gboolean
is_whole_ascii(guint64 size, const char *content, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if ((guchar)content[i] >= 0x80)
            return FALSE;
    return size == n + 41 || size == n + 49;
}

void
ha_foreign_content(HaForeign *f, const char *content, gsize n, guint limit)
{
    gsize characters = 0;
    for (gsize i = 0; i < n && characters < limit; i++)
        characters += ((guchar)content[i] & 0xc0) != 0x80;
    g_string_truncate(f->content, 0);
    g_string_append_len(f->content, content, n);
    f->row.flags |= HF_OBJ_CONTENT;
    if (characters >= limit && !(f->row.type == f->str_type && is_whole_ascii(f->row.size, content, n))) {
        f->row.flags |= HF_OBJ_CUT;
        f->row.whole_length = HA_WHOLE_UNKNOWN;
    }
}

gboolean
ha_foreign_refs(HaForeign *f, const guint64 *refs, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (refs[i] % 8 != 0 || refs[i] >> HA_FOREIGN_ADDRESS_BITS != 0)
            return ha_bytes_problem(&f->bytes, "a reference to address 0x%" G_GINT64_MODIFIER "x", refs[i]);
    if (f->begun) {
        f->row.flags = HF_OBJ_CONT | HF_OBJ_REFS;
    } else {
        f->row.content = f->content->str;
        f->row.content_len = f->content->len;
        f->objects++;
    }
    f->begun = TRUE;
    f->row.refs = refs;
    f->row.n_refs = n;
    f->stopped |= !ha_graph_builder_object(f->builder, &f->row);
    return !f->stopped;
}

gboolean
ha_foreign_end(HaForeign *f, gboolean broken)
{
    gboolean ok = TRUE;
    if (!f->open)
        return TRUE;
    if (broken && f->begun) {
        f->row.flags = HF_OBJ_CONT | HF_OBJ_BROKEN;
        f->row.n_refs = 0;
        ok = ha_graph_builder_object(f->builder, &f->row);
    } else if (!f->begun) {
        f->row.flags |= broken ? HF_OBJ_BROKEN : 0;
        ok = ha_foreign_refs(f, NULL, 0);
    }
    f->open = FALSE;
    f->stopped |= !ok;
    return ok;
}

static gboolean
read_kind(HaForeign *f, HaKind kind)
{
    gboolean ok = kind == HA_KIND_PYHEAP             ? ha_foreign_pyheap(f)
                  : kind == HA_KIND_DUMP_HEAP_STRUCT ? ha_foreign_dump_heap_struct(f)
                                                     : ha_foreign_dump_heap_msgpack(f);
    if (ok && !ha_bytes_at_end(&f->bytes) && !f->bytes.failed)
        ok = ha_bytes_problem(&f->bytes, "bytes behind the end of the dump");
    return ok;
}

void
ha_foreign_read(HaKind kind, hf_source_fn source, gpointer user, HaGraphBuilder *builder, guint64 *position,
                HaForeignResult *out)
{
    HaForeign f = {.builder = builder, .position = position};
    ha_bytes_init(&f.bytes, source, user);
    f.types = g_hash_table_new(ha_foreign_hash_address, NULL);
    f.content = g_string_new(NULL);
    gboolean ok = read_kind(&f, kind) && !f.bytes.failed;
    guint64 at = ha_bytes_position(&f.bytes);
    if (!ok && f.bytes.problem == NULL)
        (void)ha_foreign_end(&f, TRUE);
    *out = (HaForeignResult){.objects = f.objects};
    if (f.stopped) {
        out->end = HA_FOREIGN_STOPPED;
    } else if (f.unsupported) {
        out->end = HA_FOREIGN_UNSUPPORTED;
        out->why = g_strdup(f.bytes.problem);
    } else if (f.bytes.problem != NULL) {
        out->end = HA_FOREIGN_DAMAGED;
        out->why = g_strdup_printf("%s, before byte %" G_GUINT64_FORMAT, f.bytes.problem, f.bytes.problem_at);
    } else if (!ok) {
        out->end = HA_FOREIGN_CUT;
        out->failed = f.bytes.failed;
        out->why = g_strdup_printf("it ends at byte %" G_GUINT64_FORMAT ", before its end mark",
                                   at + f.bytes.end - f.bytes.at);
    }
    ha_bytes_clear(&f.bytes);
    g_hash_table_unref(f.types);
    g_string_free(f.content, TRUE);
}

void
ha_foreign_result_clear(HaForeignResult *r)
{
    g_clear_pointer(&r->why, g_free);
}
