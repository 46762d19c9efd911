// SPDX-License-Identifier: MIT
#include "dump-text.h"

#define U64 "%" G_GUINT64_FORMAT
#define HEX "0x%" G_GINT64_MODIFIER "x"

static void
append_text(GString *out, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n; i++) {
        if (p[i] >= ' ' && p[i] < 0x7f && p[i] != '\\')
            g_string_append_c(out, (char)p[i]);
        else
            g_string_append_printf(out, "\\x%02x", p[i]);
    }
}

static void
append_line(GString *out, const void *bytes, size_t n)
{
    append_text(out, bytes, n);
    g_string_append_c(out, '\n');
}

void
text_file(GString *out, const struct hf_file_header *row)
{
    g_string_append_printf(out, "file %u.%u pointer %u\n", row->version_major, row->version_minor, row->pointer_size);
}

void
text_meta(GString *out, const struct hf_meta_row *row)
{
    g_string_append(out, "meta ");
    append_text(out, row->key, row->key_len);
    if (row->type == HF_META_UINT)
        g_string_append_printf(out, " uint " U64 "\n", row->uint_value);
    else if (row->type == HF_META_INT)
        g_string_append_printf(out, " int %" G_GINT64_FORMAT "\n", row->int_value);
    else if (row->type == HF_META_BOOL)
        g_string_append_printf(out, " bool " U64 "\n", row->uint_value);
    else {
        g_string_append(out, " text ");
        append_line(out, row->text, row->text_len);
    }
}

void
text_name(GString *out, uint32_t id, const char *text, size_t n)
{
    g_string_append_printf(out, "name %u ", id);
    append_line(out, text, n);
}

void
text_type(GString *out, uint32_t id, const struct hf_type_row *row)
{
    g_string_append_printf(out, "type %u " HEX " flags 0x%x family %u base " HEX " sizes " U64 " " U64 " " U64 " ", id,
                           row->addr, row->flags, row->family, row->base, row->basic_size, row->item_size,
                           row->common_size);
    append_line(out, row->name, row->name_len);
}

void
text_layout(GString *out, uint32_t id, const struct hf_run *runs, size_t n)
{
    g_string_append_printf(out, "layout %u", id);
    for (size_t i = 0; i < n; i++) {
        g_string_append_printf(out, " %u:%u:" U64, runs[i].kind, runs[i].flags, runs[i].count);
        for (uint64_t k = 0; runs[i].kind == HF_RUN_NAMED && k < runs[i].count; k++)
            g_string_append_printf(out, "%c%u", k == 0 ? ':' : ',', runs[i].names[k]);
    }
    g_string_append_c(out, '\n');
}

void
text_role(GString *out, uint64_t addr, uint32_t layout)
{
    g_string_append_printf(out, "role " HEX " layout %u\n", addr, layout);
}

void
text_object(GString *out, const struct hf_object_row *row)
{
    g_string_append_printf(out, "object " HEX " type %u flags 0x%x size " U64 " count " U64, row->addr, row->type,
                           row->flags, row->size, row->refcount);
    if (row->flags & HF_OBJ_REAL_SIZE)
        g_string_append_printf(out, " real " U64, row->real_size);
    if (row->flags & HF_OBJ_CUT)
        g_string_append_printf(out, " whole " U64, row->whole_length);
    if (row->flags & HF_OBJ_REFS) {
        g_string_append_printf(out, " layout %u from " U64 " refs", row->layout, row->first_ref);
        g_autofree uint64_t *unpacked = row->refs == NULL ? g_new(uint64_t, row->n_refs + 1) : NULL;
        const uint64_t *refs = unpacked != NULL ? unpacked : row->refs;
        if (unpacked != NULL) {
            uint64_t base = row->flags & HF_OBJ_CONT ? 0 : row->addr;
            g_assert_cmpuint(hf_unpack_refs(row->packed, row->packed_len, base, unpacked, row->n_refs), ==,
                             row->packed_len);
        }
        for (uint64_t i = 0; i < row->n_refs; i++)
            g_string_append_printf(out, " " HEX, refs[i]);
    }
    if (row->flags & HF_OBJ_CONTENT) {
        g_string_append(out, " content ");
        append_text(out, row->content, row->content_len);
    }
    g_string_append_c(out, '\n');
}

void
text_root(GString *out, const struct hf_root_row *row)
{
    g_string_append_printf(out, "root %u " HEX " name %u counted %u\n", row->kind, row->addr, row->name, row->counted);
}

void
text_thread(GString *out, const struct hf_thread_row *row)
{
    g_string_append_printf(out, "thread " U64 " native " U64 " state " HEX " flags 0x%x ", row->ident, row->native_id,
                           row->state_addr, row->flags);
    append_line(out, row->name, row->name_len);
}

void
text_frame(GString *out, const struct hf_frame_row *row)
{
    g_string_append_printf(out, "frame " HEX " code " HEX " function " HEX " line %u flags 0x%x refs", row->frame,
                           row->code, row->function, row->line, row->flags);
    for (size_t i = 0; i < row->n; i++)
        g_string_append_printf(out, " %u=" HEX, row->names[i], row->refs[i]);
    g_string_append_c(out, ' ');
    append_text(out, row->qualname, row->qualname_len);
    g_string_append(out, " at ");
    append_line(out, row->file, row->file_len);
}

void
text_counter(GString *out, const char *key, size_t n, uint64_t value)
{
    g_string_append_printf(out, "counter " U64 " ", value);
    append_line(out, key, n);
}

void
text_skipped(GString *out, uint64_t addr, const char *why, size_t n)
{
    g_string_append_printf(out, "skipped " HEX " ", addr);
    append_line(out, why, n);
}

void
text_end(GString *out, const struct hf_end_row *row)
{
    g_string_append_printf(
        out, "end objects " U64 " refs " U64 " types " U64 " names " U64 " layouts " U64 " bytes " U64 " status %u ",
        row->objects, row->refs, row->types, row->names, row->layouts, row->bytes, row->status);
    append_line(out, row->reason, row->reason_len);
}

static bool
on_meta(void *user, const struct hf_meta_row *row)
{
    text_meta(user, row);
    return true;
}

static bool
on_name(void *user, uint32_t id, const char *text, size_t n)
{
    text_name(user, id, text, n);
    return true;
}

static bool
on_type(void *user, uint32_t id, const struct hf_type_row *row)
{
    text_type(user, id, row);
    return true;
}

static bool
on_layout(void *user, uint32_t id, const struct hf_run *runs, size_t n)
{
    text_layout(user, id, runs, n);
    return true;
}

static bool
on_role(void *user, uint64_t addr, uint32_t layout)
{
    text_role(user, addr, layout);
    return true;
}

static bool
on_object(void *user, const struct hf_object_row *row)
{
    text_object(user, row);
    return true;
}

static bool
on_root(void *user, const struct hf_root_row *row)
{
    text_root(user, row);
    return true;
}

static bool
on_thread(void *user, const struct hf_thread_row *row)
{
    text_thread(user, row);
    return true;
}

static bool
on_frame(void *user, const struct hf_frame_row *row)
{
    text_frame(user, row);
    return true;
}

static bool
on_counter(void *user, const char *key, size_t n, uint64_t value)
{
    text_counter(user, key, n, value);
    return true;
}

static bool
on_skipped(void *user, uint64_t addr, const char *why, size_t n)
{
    text_skipped(user, addr, why, n);
    return true;
}

static bool
on_end(void *user, const struct hf_end_row *row)
{
    text_end(user, row);
    return true;
}

const struct hf_handlers text_handlers = {
    .meta = on_meta,
    .name = on_name,
    .type = on_type,
    .layout = on_layout,
    .role = on_role,
    .object = on_object,
    .root = on_root,
    .thread = on_thread,
    .frame = on_frame,
    .counter = on_counter,
    .skipped = on_skipped,
    .end = on_end,
};
