// SPDX-License-Identifier: MIT
/* PyHeap's format, version 1: big-endian, sections one after the other, the type names last. */
#include <string.h>

#include "load/foreign/ha-foreign-private.h"
#include "load/foreign/ha-pyheap-content.h"
#include "load/foreign/ha-pyheap-layouts.h"

#define MAGIC     123000321u
#define VERSION   1u
#define HAS_STR   1u
#define STR_LIMIT 1000u /* characters of str() unless PyHeap was told otherwise */
#define FEW       16u   /* references that are compared one by one */

/* Types that are told by name before all else. */
typedef enum { KNOWN_OTHER, KNOWN_DICT, KNOWN_LIST, KNOWN_SET, KNOWN_TUPLE, KNOWN_STR, KNOWN_BYTES, KNOWN_NONE } Known;

typedef struct {
    HaForeign *f;
    HaPyheapLayouts *layouts; /* owned */
    gboolean has_str;
    guint64 announced;   /* objects */
    GHashTable *known;   /* owned; address of a type → Known */
    GHashTable *common;  /* owned; addresses of types whose objects come without attributes */
    GArray *frequent;    /* owned; guint32, names */
    GArray *refs;        /* owned; guint64, of the object at hand */
    GArray *names;       /* owned; guint32, of the references behind those of the container */
    GHashTable *places;  /* owned; address → index in names plus 1, for objects with many references */
    GHashTable *classes; /* owned; address → what its str() says: "app.Session", "int" */
    GString *text;       /* owned */
} Reader;

static gboolean
number(Reader *r, guint n, guint64 *out)
{
    return ha_bytes_number(&r->f->bytes, n, out);
}

/* Bytes with their length in front; valid until the next bytes are taken. */
static gboolean
take_text(Reader *r, const char **text, gsize *n)
{
    guint64 length;
    if (!number(r, 2, &length))
        return FALSE;
    *n = length;
    return (*text = (const char *)ha_bytes_take(&r->f->bytes, length)) != NULL;
}

static gboolean
keep_text(Reader *r, GString *to)
{
    const char *text;
    gsize n;
    if (!take_text(r, &text, &n))
        return FALSE;
    g_string_truncate(to, 0);
    g_string_append_len(to, text, (gssize)n);
    return TRUE;
}

static gboolean
read_head(Reader *r)
{
    HaForeign *f = r->f;
    guint64 magic, version, flags;
    if (!number(r, 8, &magic) || !number(r, 4, &version))
        return FALSE;
    if (magic != MAGIC || version != VERSION) {
        f->unsupported = TRUE;
        return ha_bytes_problem(&f->bytes, "version %" G_GUINT64_FORMAT, version);
    }
    if (!keep_text(r, r->text) || !number(r, 8, &flags))
        return FALSE;
    if (flags & ~(guint64)HAS_STR)
        return ha_bytes_problem(&f->bytes, "unknown flags 0x%" G_GINT64_MODIFIER "x", flags);
    r->has_str = (flags & HAS_STR) != 0;
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(r->text->str, utc);
    if (time != NULL && g_date_time_to_unix(time) >= 0) {
        g_autofree char *us = g_strdup_printf("%" G_GINT64_FORMAT, g_date_time_to_unix(time) * G_USEC_PER_SEC +
                                                                       g_date_time_get_microsecond(time));
        ha_graph_builder_meta(f->builder, HF_META_TIME, -1, us, -1);
    }
    return TRUE;
}

static gboolean
read_known_types(Reader *r)
{
    static const struct {
        const char *name;
        Known known;
    } kinds[] = {{"dict", KNOWN_DICT}, {"list", KNOWN_LIST},   {"set", KNOWN_SET},         {"tuple", KNOWN_TUPLE},
                 {"str", KNOWN_STR},   {"bytes", KNOWN_BYTES}, {"bytearray", KNOWN_BYTES}, {"NoneType", KNOWN_NONE}};
    HaForeign *f = r->f;
    guint64 n, addr;
    if (!number(r, 4, &n))
        return FALSE;
    for (; n > 0; n--) {
        g_string_assign(r->text, "builtins.");
        const char *name;
        gsize length;
        if (!take_text(r, &name, &length))
            return FALSE;
        g_string_append_len(r->text, name, (gssize)length);
        if (!number(r, 8, &addr) || !ha_foreign_check_address(f, addr, "a type"))
            return FALSE;
        if (!ha_foreign_add_type(f, addr, r->text->str, r->text->len))
            return ha_bytes_problem(&f->bytes, "a type that came before");
        g_hash_table_insert(r->known, GSIZE_TO_POINTER(addr), GUINT_TO_POINTER(KNOWN_OTHER));
        for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
            if (strcmp(r->text->str + strlen("builtins."), kinds[i].name) == 0)
                g_hash_table_insert(r->known, GSIZE_TO_POINTER(addr), GUINT_TO_POINTER(kinds[i].known));
    }
    return TRUE;
}

static gboolean
read_frame(Reader *r)
{
    g_autoptr(GString) file = g_string_new(NULL), function = g_string_new(NULL);
    guint64 line, n, addr;
    if (!keep_text(r, file) || !number(r, 4, &line) || !keep_text(r, function) || !number(r, 4, &n))
        return FALSE;
    g_array_set_size(r->refs, 0);
    g_array_set_size(r->names, 0);
    for (; n > 0; n--) {
        const char *name;
        gsize length;
        g_string_assign(r->text, "<local ");
        if (!take_text(r, &name, &length))
            return FALSE;
        g_string_append_len(r->text, name, (gssize)length);
        g_string_append_c(r->text, '>');
        if (!number(r, 8, &addr))
            return FALSE;
        guint32 id = ha_graph_builder_name(r->f->builder, r->text->str, (gssize)r->text->len);
        g_array_append_val(r->names, id);
        g_array_append_val(r->refs, addr);
    }
    struct hf_frame_row row = {.line = (guint32)line,
                               .qualname = function->str,
                               .qualname_len = function->len,
                               .file = file->str,
                               .file_len = file->len,
                               .names = (const guint32 *)(const void *)r->names->data,
                               .refs = (const guint64 *)(const void *)r->refs->data,
                               .n = r->refs->len};
    ha_graph_builder_frame(r->f->builder, &row);
    return TRUE;
}

static gboolean
read_threads(Reader *r)
{
    guint64 n, frames, alive, daemon;
    if (!number(r, 4, &n))
        return FALSE;
    for (; n > 0; n--) {
        if (!keep_text(r, r->text) || !number(r, 1, &alive) || !number(r, 1, &daemon) || !number(r, 4, &frames))
            return FALSE;
        if (alive > 1 || daemon > 1)
            return ha_bytes_problem(&r->f->bytes, "neither true nor false where one is due");
        struct hf_thread_row row = {.name = r->text->str, .name_len = r->text->len};
        ha_graph_builder_thread(r->f->builder, &row);
        for (; frames > 0; frames--)
            if (!read_frame(r))
                return FALSE;
    }
    return TRUE;
}

static gboolean
read_frequent(Reader *r)
{
    guint64 n, length;
    if (!number(r, 4, &n))
        return FALSE;
    for (; n > 0; n--) {
        const guint8 *bytes;
        if (!number(r, 2, &length))
            return FALSE;
        if (length > G_MAXINT16)
            return ha_bytes_problem(&r->f->bytes, "a name of negative length");
        if ((bytes = ha_bytes_take(&r->f->bytes, length)) == NULL)
            return FALSE;
        guint32 id = ha_pyheap_attribute_name(r->layouts, (const char *)bytes, length);
        g_array_append_val(r->frequent, id);
    }
    return TRUE;
}

static gboolean
read_attribute(Reader *r, guint32 *name, guint64 *value)
{
    guint64 which;
    if (!number(r, 2, &which))
        return FALSE;
    if (which > G_MAXINT16) {
        guint64 index = G_MAXUINT16 - which; /* -v - 1 of an int16 */
        if (index >= r->frequent->len)
            return ha_bytes_problem(&r->f->bytes, "frequent name %" G_GUINT64_FORMAT " of %u", index, r->frequent->len);
        *name = g_array_index(r->frequent, guint32, index);
    } else {
        const guint8 *bytes = ha_bytes_take(&r->f->bytes, which);
        if (bytes == NULL)
            return FALSE;
        *name = ha_pyheap_attribute_name(r->layouts, (const char *)bytes, which);
    }
    return number(r, 8, value);
}

/* Their attributes are the same for all objects of a type, and so the class's: none names a reference. */
static gboolean
read_common_types(Reader *r)
{
    guint64 n, addr, attributes, value;
    guint32 name;
    if (!number(r, 4, &n))
        return FALSE;
    for (; n > 0; n--) {
        if (!number(r, 8, &addr) || !number(r, 4, &attributes))
            return FALSE;
        g_hash_table_add(r->common, GSIZE_TO_POINTER(addr));
        for (; attributes > 0; attributes--)
            if (!read_attribute(r, &name, &value))
                return FALSE;
    }
    return TRUE;
}

/* count × 8 bytes behind what is there, as they come. */
static gboolean
read_refs(Reader *r, guint64 count)
{
    if (count > G_MAXINT32 - r->refs->len)
        return ha_bytes_problem(&r->f->bytes, "an object with %" G_GUINT64_FORMAT " references", count);
    while (count > 0) {
        gsize take = MIN(count, HA_FOREIGN_PIECE);
        const guint8 *bytes = ha_bytes_take(&r->f->bytes, take * 8);
        if (bytes == NULL)
            return FALSE;
        for (gsize i = 0; i < take; i++) {
            guint64 addr = ha_big_endian(bytes + i * 8, 8);
            g_array_append_val(r->refs, addr);
        }
        count -= take;
    }
    return TRUE;
}

/* The first reference to value that has no name yet gets this one. */
static void
name_reference(Reader *r, const guint64 *refs, guint32 name, guint64 value)
{
    guint n = r->names->len;
    guint32 *names = (guint32 *)(void *)r->names->data;
    if (n > FEW) {
        guint at = GPOINTER_TO_UINT(g_hash_table_lookup(r->places, GSIZE_TO_POINTER(value)));
        if (at > 0 && names[at - 1] == 0)
            names[at - 1] = name;
        return;
    }
    for (guint i = 0; i < n; i++)
        if (refs[i] == value && names[i] == 0) {
            names[i] = name;
            return;
        }
}

static gboolean
read_attributes(Reader *r, guint lead_refs)
{
    const guint64 *refs = (const guint64 *)(const void *)r->refs->data + lead_refs;
    guint n = r->refs->len - lead_refs;
    guint64 attributes, value;
    guint32 name;
    if (!number(r, 4, &attributes))
        return FALSE;
    if (n > FEW) {
        g_hash_table_remove_all(r->places);
        for (guint i = n; i-- > 0;)
            g_hash_table_insert(r->places, GSIZE_TO_POINTER(refs[i]), GUINT_TO_POINTER(i + 1));
    }
    for (; attributes > 0; attributes--) {
        if (!read_attribute(r, &name, &value))
            return FALSE;
        name_reference(r, refs, name, value);
    }
    return TRUE;
}

static gboolean
read_content(Reader *r, Known known)
{
    gboolean whole = TRUE;
    glong characters;
    if (!keep_text(r, r->text))
        return FALSE;
    characters = known == KNOWN_NONE ? 0 : g_utf8_strlen(r->text->str, (gssize)r->text->len);
    if (known == KNOWN_NONE || (known == KNOWN_BYTES && !ha_pyheap_unquote(r->text, &whole)))
        return TRUE;
    gboolean is_class = known == KNOWN_OTHER && g_str_has_prefix(r->text->str, "<class '");
    if (known == KNOWN_OTHER)
        ha_pyheap_shorten(r->text);
    if (is_class && r->text->str[0] != '<')
        g_hash_table_insert(r->classes, GSIZE_TO_POINTER(r->f->row.addr), g_strdup(r->text->str));
    /* as long as that it may be cut; what was made shorter meanwhile, too */
    guint limit = known == KNOWN_BYTES ? (whole ? G_MAXUINT : 0) : known == KNOWN_STR ? STR_LIMIT : G_MAXUINT;
    if (known == KNOWN_OTHER && characters >= STR_LIMIT)
        limit = 0;
    ha_foreign_content(r->f, r->text->str, r->text->len, limit);
    return TRUE;
}

/* What comes after the object's own address, type and size; FALSE: it is not all there. */
static gboolean
read_parts(Reader *r, Known known, gboolean common, HaLead *lead)
{
    guint64 n;
    gboolean container = known >= KNOWN_DICT && known <= KNOWN_TUPLE;
    *lead = known == KNOWN_DICT  ? HA_LEAD_ITEMS
            : known == KNOWN_SET ? HA_LEAD_MEMBER
            : container          ? HA_LEAD_INDEX
                                 : HA_LEAD_NONE;
    if (container && (!number(r, 4, &n) || !read_refs(r, known == KNOWN_DICT ? 2 * n : n)))
        return FALSE;
    guint lead_refs = r->refs->len;
    if (!number(r, 4, &n) || !read_refs(r, n))
        return FALSE;
    if (r->refs->len > lead_refs)
        g_array_set_size(r->names, r->refs->len - lead_refs);
    if (!common && !read_attributes(r, lead_refs))
        return FALSE;
    return !r->has_str || container || read_content(r, known);
}

static gboolean
read_object(Reader *r)
{
    HaForeign *f = r->f;
    guint64 addr, type_addr, size;
    guint32 type;
    HaLead lead;
    if (!number(r, 8, &addr) || !number(r, 8, &type_addr) || !number(r, 4, &size) ||
        !ha_foreign_check_address(f, type_addr, "a type"))
        return FALSE;
    if (!ha_foreign_find_type(f, type_addr, &type)) {
        g_autofree char *name = g_strdup_printf("<type at 0x%" G_GINT64_MODIFIER "x>", type_addr);
        (void)ha_foreign_add_type(f, type_addr, name, strlen(name)); /* its name comes later */
        if (!ha_foreign_find_type(f, type_addr, &type))
            return FALSE;
    }
    if (!ha_foreign_begin(f, addr, type, size, FALSE, 0))
        return FALSE;
    Known known = GPOINTER_TO_UINT(g_hash_table_lookup(r->known, GSIZE_TO_POINTER(type_addr)));
    gboolean common = g_hash_table_contains(r->common, GSIZE_TO_POINTER(type_addr));
    g_array_set_size(r->refs, 0);
    g_array_set_size(r->names, 0);
    gboolean ok = read_parts(r, known, common, &lead);
    if (f->bytes.problem != NULL)
        return FALSE;
    /* names behind a list that is cut would be those of its items */
    if (r->names->len == 0 || ok)
        f->row.layout =
            ha_pyheap_layout(r->layouts, lead, (const guint32 *)(const void *)r->names->data, r->names->len);
    for (guint at = 0; at < r->refs->len; at += HA_FOREIGN_PIECE)
        if (!ha_foreign_refs(f, (const guint64 *)(const void *)r->refs->data + at,
                             MIN(r->refs->len - at, HA_FOREIGN_PIECE)))
            return FALSE;
    return ha_foreign_end(f, !ok) && ok;
}

static gboolean
read_type_names(Reader *r)
{
    HaForeign *f = r->f;
    guint64 n, addr;
    guint32 type;
    if (!number(r, 4, &n))
        return FALSE;
    for (; n > 0; n--) {
        if (!number(r, 8, &addr) || !keep_text(r, r->text))
            return FALSE;
        gboolean known = g_hash_table_contains(r->known, GSIZE_TO_POINTER(addr));
        if (!known && ha_foreign_find_type(f, addr, &type) && r->text->len > 0)
            ha_graph_builder_type_name(f->builder, type, r->text->str, (gssize)r->text->len);
    }
    return TRUE;
}

/* PyHeap names types without their modules; what str() says of the class itself has them, but for builtins. */
static void
complete_type_names(Reader *r)
{
    HaForeign *f = r->f;
    GHashTableIter iter;
    gpointer addr, index;
    g_hash_table_iter_init(&iter, f->types);
    while (g_hash_table_iter_next(&iter, &addr, &index)) {
        const char *class = g_hash_table_lookup(r->classes, addr);
        if (class == NULL || g_hash_table_contains(r->known, addr))
            continue;
        g_autofree char *name = strchr(class, '.') != NULL ? g_strdup(class) : g_strconcat("builtins.", class, NULL);
        ha_graph_builder_type_name(f->builder, GPOINTER_TO_UINT(index), name, -1);
    }
}

static gboolean
read_all(Reader *r)
{
    guint64 magic;
    if (!read_head(r) || !read_known_types(r) || !read_threads(r) || !read_frequent(r) || !read_common_types(r) ||
        !number(r, 4, &r->announced))
        return FALSE;
    for (guint64 left = r->announced; left > 0; left--)
        if (!read_object(r))
            return FALSE;
    if (!read_type_names(r) || !number(r, 8, &magic))
        return FALSE;
    return magic == MAGIC || ha_bytes_problem(&r->f->bytes, "an end mark that is none");
}

gboolean
ha_foreign_pyheap(HaForeign *f)
{
    Reader r = {.f = f,
                .layouts = ha_pyheap_layouts_new(f->builder),
                .known = g_hash_table_new(ha_foreign_hash_address, NULL),
                .common = g_hash_table_new(ha_foreign_hash_address, NULL),
                .frequent = g_array_new(FALSE, FALSE, sizeof(guint32)),
                .refs = g_array_new(FALSE, FALSE, sizeof(guint64)),
                .names = g_array_new(FALSE, TRUE, sizeof(guint32)),
                .places = g_hash_table_new(ha_foreign_hash_address, NULL),
                .classes = g_hash_table_new_full(ha_foreign_hash_address, NULL, NULL, g_free),
                .text = g_string_new(NULL)};
    gboolean ok = read_all(&r);
    complete_type_names(&r);
    ha_pyheap_layouts_free(r.layouts);
    g_hash_table_unref(r.known);
    g_hash_table_unref(r.common);
    g_hash_table_unref(r.places);
    g_hash_table_unref(r.classes);
    g_array_unref(r.frequent);
    g_array_unref(r.refs);
    g_array_unref(r.names);
    g_string_free(r.text, TRUE);
    return ok;
}
