// SPDX-License-Identifier: MIT
#include "ha-load.h"

#include <errno.h>
#include <fcntl.h>
#include <heapfile/stream.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/ha-graph-builder.h"
#include "graph/ha-memory.h"
#include "load/foreign/ha-foreign.h"
#include "load/ha-budget.h"
#include "load/ha-pipe.h"
#include "load/ha-recognise.h"

GQuark
ha_load_error_quark(void)
{
    return g_quark_from_static_string("ha-load-error");
}

static bool
on_meta(void *user, const struct hf_meta_row *row)
{
    char number[24];
    const char *value = number;
    gssize n = -1;
    switch (row->type) {
    case HF_META_TEXT:
        value = row->text;
        n = row->text_len;
        break;
    case HF_META_INT:
        g_snprintf(number, sizeof number, "%" G_GINT64_FORMAT, row->int_value);
        break;
    case HF_META_BOOL:
        value = row->uint_value ? "true" : "false";
        break;
    case HF_META_UINT:
    default:
        g_snprintf(number, sizeof number, "%" G_GUINT64_FORMAT, row->uint_value);
        break;
    }
    ha_graph_builder_meta(user, row->key, row->key_len, value, n);
    return true;
}

static bool
on_name(void *user, uint32_t id, const char *text, size_t n)
{
    return ha_graph_builder_name(user, text, n) == id;
}

static bool
on_type(void *user, uint32_t id, const struct hf_type_row *row)
{
    return ha_graph_builder_type(user, row) == id;
}

static bool
on_layout(void *user, uint32_t id, const struct hf_run *runs, size_t n)
{
    return ha_graph_builder_layout(user, runs, n) == id;
}

static bool
on_role(void *user, uint64_t addr, uint32_t layout)
{
    ha_graph_builder_role(user, addr, layout);
    return true;
}

static bool
on_object(void *user, const struct hf_object_row *row)
{
    return ha_graph_builder_object(user, row);
}

static bool
on_root(void *user, const struct hf_root_row *row)
{
    ha_graph_builder_root_id(user, row->kind, row->addr, row->name, row->counted);
    return true;
}

static bool
on_thread(void *user, const struct hf_thread_row *row)
{
    ha_graph_builder_thread(user, row);
    return true;
}

static bool
on_frame(void *user, const struct hf_frame_row *row)
{
    ha_graph_builder_frame(user, row);
    return true;
}

static bool
on_counter(void *user, const char *key, size_t n, uint64_t value)
{
    ha_graph_builder_counter(user, key, n, value);
    return true;
}

static bool
on_skipped(void *user, uint64_t addr, const char *why, size_t n)
{
    ha_graph_builder_skipped(user, addr, why, n);
    return true;
}

static bool
on_end(void *user, const struct hf_end_row *row)
{
    if (row->status != HF_END_COMPLETE)
        ha_graph_builder_incomplete(user, row->reason, row->reason_len);
    return true;
}

static bool
on_chunk(void *user, const struct hf_chunk_header *chunk, const uint8_t *payload)
{
    GByteArray *tables = ha_graph_builder_tables(user);
    if (tables == NULL || chunk->kind == HF_CHUNK_OBJECTS || chunk->kind == HF_CHUNK_END)
        return true;
    if (tables->len + sizeof *chunk + chunk->length > G_MAXUINT)
        return false;
    g_byte_array_append(tables, (const guint8 *)chunk, sizeof *chunk);
    g_byte_array_append(tables, payload, chunk->length);
    return true;
}

static const struct hf_handlers handlers = {.leave_packed = true,
                                            .chunk = on_chunk,
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
                                            .end = on_end};

static void
set_status_error(GError **error, enum hf_status status, const char *name, const char *message)
{
    switch (status) {
    case HF_CUT:
        g_set_error(error, HA_LOAD_ERROR, HA_LOAD_ERROR_CUT,
                    "'%s' is cut (%s): the dump or its copy did not end well; copy it again, or dump again", name,
                    message);
        break;
    case HF_CORRUPT:
        g_set_error(error, HA_LOAD_ERROR, HA_LOAD_ERROR_CORRUPT,
                    "'%s' is damaged (%s): copy it again in binary mode, or dump again", name, message);
        break;
    case HF_FOREIGN:
        g_set_error(error, HA_LOAD_ERROR, HA_LOAD_ERROR_FOREIGN, "'%s' cannot be read (%s): %s", name, message,
                    g_str_has_prefix(message, "heap dump of")
                        ? "use the heapanalyze that belongs to the heapdump-gdb that wrote it"
                        : "copy it again in binary mode, or dump again");
        break;
    case HF_NOMEM: {
        HaMemory memory = ha_memory_available();
        g_set_error(error, HA_LOAD_ERROR, HA_LOAD_ERROR_NO_MEMORY, "not enough memory to read '%s' (%s) %s: %s", name,
                    message, memory.who, memory.remedy);
        break;
    }
    case HF_IO:
    case HF_OK:
    case HF_EOF:
    default:
        g_set_error(error, HA_LOAD_ERROR, HA_LOAD_ERROR_IO, "cannot read '%s': %s", name, message);
        break;
    }
}

/* What the stream below the reader ran into. */
static void
set_stream_error(GError **error, const char *name, const char *message)
{
    enum hf_status status = g_str_has_suffix(message, "is cut")           ? HF_CUT
                            : g_str_has_suffix(message, "no memory")      ? HF_NOMEM
                            : g_str_has_prefix(message, "reading failed") ? HF_IO
                                                                          : HF_CORRUPT;
    set_status_error(error, status, name, message);
}

typedef struct {
    HaBudget *budget;
    struct hf_reader *reader;
} Growing;

static gboolean
may_grow(gpointer user, guint64 objects, guint64 refs)
{
    Growing *g = user;
    return ha_budget_check(g->budget, objects, refs, hf_reader_position(g->reader));
}

/* Rows into a builder; NULL: there is an error. What reading took is given back before anything is built. */
static HaGraphBuilder *
read_ours(struct hf_stream *stream, const char *name, HaBudget *budget, GByteArray *tables, GError **error)
{
    if (!ha_budget_check_end(budget, error))
        return NULL;
    /* without compression the kernel reads ahead well enough */
    g_autoptr(HaPipe) pipe = hf_stream_compression(stream) != HF_PLAIN ? ha_pipe_new(hf_stream_read, stream) : NULL;
    struct hf_reader *reader = pipe != NULL ? hf_reader_new(ha_pipe_read, pipe) : hf_reader_new(hf_stream_read, stream);
    g_autoptr(HaGraphBuilder) builder = ha_graph_builder_new(HA_SOURCE_HEAPDUMP_GDB);
    ha_graph_builder_set_tables(builder, tables);
    Growing growing = {budget, reader};
    ha_graph_builder_ask(builder, may_grow, &growing);
    enum hf_status status = reader != NULL ? hf_read_all(reader, &handlers, builder) : HF_NOMEM;
    gboolean ok = FALSE;
    if (budget->error != NULL)
        g_propagate_error(error, g_steal_pointer(&budget->error));
    else if (status == HF_EOF || status == HF_OK) /* OK: the builder wanted no more, and says why */
        ok = TRUE;
    else if (status == HF_IO)
        set_stream_error(error, name, hf_stream_error(stream));
    else
        set_status_error(error, status, name, reader != NULL ? hf_reader_error(reader) : "at the start");
    ha_graph_builder_ask(builder, NULL, NULL);
    hf_reader_free(reader);
    return ok ? g_steal_pointer(&builder) : NULL;
}

typedef struct {
    HaBudget *budget;
    guint64 position;
} Reading;

static gboolean
may_grow_foreign(gpointer user, guint64 objects, guint64 refs)
{
    const Reading *r = user;
    return ha_budget_check(r->budget, objects, refs, r->position);
}

/* A dump that is cut is used as far as it goes: that of dump-heap ends early in ordinary circumstances, too. */
static gboolean
take_foreign(const HaForeignResult *r, HaSource source, struct hf_stream *stream, const char *name,
             HaGraphBuilder *builder, GError **error)
{
    const char *tool = ha_foreign_tool(source);
    g_autofree char *why = NULL;
    switch (r->end) {
    case HA_FOREIGN_DAMAGED:
        g_set_error(error, HA_LOAD_ERROR, HA_LOAD_ERROR_CORRUPT,
                    "'%s' is a damaged dump of %s (%s): copy it again in binary mode, or dump again", name, tool,
                    r->why);
        return FALSE;
    case HA_FOREIGN_UNSUPPORTED:
        g_set_error(error, HA_LOAD_ERROR, HA_LOAD_ERROR_UNSUPPORTED,
                    "'%s' is a dump of %s whose format is not known (%s): dump again with heapdump-gdb", name, tool,
                    r->why);
        return FALSE;
    case HA_FOREIGN_CUT:
        if (r->failed && !g_str_has_suffix(hf_stream_error(stream), "is cut")) {
            set_stream_error(error, name, hf_stream_error(stream));
            return FALSE;
        }
        if (r->objects == 0) {
            g_set_error(error, HA_LOAD_ERROR, HA_LOAD_ERROR_CUT,
                        "'%s' is a dump of %s that is cut (%s and any object): copy it again, or dump again", name,
                        tool, r->why);
            return FALSE;
        }
        why = g_strdup_printf("the dump of %s is cut: %s", tool, r->why);
        ha_graph_builder_incomplete(builder, why, -1);
        return TRUE;
    case HA_FOREIGN_WHOLE:
    case HA_FOREIGN_STOPPED: /* the builder says why */
    default:
        return TRUE;
    }
}

static HaGraphBuilder *
read_foreign(HaKind kind, struct hf_stream *stream, const char *name, HaBudget *budget, GError **error)
{
    g_autoptr(HaPipe) pipe = hf_stream_compression(stream) != HF_PLAIN ? ha_pipe_new(hf_stream_read, stream) : NULL;
    HaSource source = ha_foreign_source(kind);
    g_autoptr(HaGraphBuilder) builder = ha_graph_builder_new(source);
    Reading reading = {.budget = budget};
    g_auto(HaForeignResult) result = {0};

    ha_graph_builder_ask(builder, may_grow_foreign, &reading);
    ha_graph_builder_meta(builder, HF_META_TOOL, -1, ha_foreign_tool(source), -1);
    ha_foreign_read(kind, pipe != NULL ? ha_pipe_read : hf_stream_read,
                    pipe != NULL ? (gpointer)pipe : (gpointer)stream, builder, &reading.position, &result);
    ha_graph_builder_ask(builder, NULL, NULL);
    if (budget->error != NULL) {
        g_propagate_error(error, g_steal_pointer(&budget->error));
        return NULL;
    }
    return take_foreign(&result, source, stream, name, builder, error) ? g_steal_pointer(&builder) : NULL;
}

static void
refuse(HaKind kind, const guint8 *bytes, gsize n, const char *name, GError **error)
{
    const char *what;
    switch (kind) {
    case HA_KIND_EMPTY:
        g_set_error(error, HA_LOAD_ERROR, HA_LOAD_ERROR_CUT,
                    "'%s' is empty: the dump did not take place, or the copy failed; dump again", name);
        break;
    case HA_KIND_DUMP_HEAP_STRUCT:
    case HA_KIND_DUMP_HEAP_MSGPACK:
    case HA_KIND_PYHEAP:
    case HA_KIND_OURS:
    case HA_KIND_OTHER:
    default:
        what = ha_recognise_other(bytes, n);
        g_set_error(error, HA_LOAD_ERROR, HA_LOAD_ERROR_FOREIGN,
                    "'%s' is no heap dump%s%s: give a file that heapdump-gdb, dump-heap or PyHeap wrote", name,
                    what != NULL ? " but " : "", what != NULL ? what : "");
        break;
    }
}

static HaGraph *
load_fd(int fd, const char *name, GByteArray *tables, gboolean in_memory, GError **error)
{
    HaBudget budget;
    ha_budget_init(&budget, name, fd);
    budget.waived = !in_memory;
    budget.for_index = tables != NULL;
    struct hf_stream *stream = hf_stream_new(fd);
    if (stream == NULL) {
        ha_budget_clear(&budget);
        set_status_error(error, HF_NOMEM, name, "at the start");
        return NULL;
    }
    const guint8 *bytes;
    gsize n = hf_stream_peek(stream, &bytes, HA_RECOGNISE_BYTES);
    HaKind kind = ha_recognise(bytes, n);
    g_autoptr(HaGraphBuilder) builder = NULL;
    if (n < HA_RECOGNISE_BYTES && (kind == HA_KIND_OTHER || kind == HA_KIND_EMPTY) && *hf_stream_error(stream) != 0)
        set_stream_error(error, name, hf_stream_error(stream));
    else if (kind == HA_KIND_OURS)
        builder = read_ours(stream, name, &budget, tables, error);
    else if (kind == HA_KIND_DUMP_HEAP_STRUCT || kind == HA_KIND_DUMP_HEAP_MSGPACK || kind == HA_KIND_PYHEAP)
        builder = read_foreign(kind, stream, name, &budget, error);
    else
        refuse(kind, bytes, n, name, error);
    hf_stream_free(stream);
    ha_budget_clear(&budget);
    return builder != NULL ? ha_graph_builder_finish(builder, error) : NULL;
}

HaGraph *
ha_load_fd(int fd, const char *name, GError **error)
{
    return load_fd(fd, name, NULL, TRUE, error);
}

static HaGraph *
load_file(const char *path, GByteArray *tables, gboolean in_memory, GError **error)
{
    if (strcmp(path, "-") == 0) {
        int copy = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        if (copy < 0) {
            g_set_error(error, HA_LOAD_ERROR, HA_LOAD_ERROR_IO, "cannot read standard input: %s", g_strerror(errno));
            return NULL;
        }
        if (isatty(copy)) {
            close(copy);
            g_set_error(error, HA_LOAD_ERROR, HA_LOAD_ERROR_IO,
                        "standard input is a terminal: pipe a dump into it, or give a file");
            return NULL;
        }
        return load_fd(copy, "standard input", tables, in_memory, error);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    int failed = fd < 0 || fstat(fd, &facts) != 0 ? errno : S_ISDIR(facts.st_mode) ? EISDIR : 0;
    if (failed != 0) {
        if (fd >= 0)
            close(fd);
        const char *remedy = failed == ENOENT   ? "; look at its name and folder"
                             : failed == EACCES ? "; ask its owner, or use sudo"
                             : failed == EISDIR ? "; give a file in it"
                                                : "";
        g_set_error(error, HA_LOAD_ERROR, HA_LOAD_ERROR_IO, "cannot read '%s': %s%s", path, g_strerror(failed), remedy);
        return NULL;
    }
    return load_fd(fd, path, tables, in_memory, error);
}

HaGraph *
ha_load_file(const char *path, GError **error)
{
    return load_file(path, NULL, TRUE, error);
}

HaGraph *
ha_load_file_for_index(const char *path, GByteArray *tables, gboolean in_memory, GError **error)
{
    return load_file(path, tables, in_memory, error);
}

typedef struct {
    const guint8 *at;
    gsize left;
} Memory;

static long
read_memory(void *user, void *bytes, size_t n)
{
    Memory *m = user;
    gsize take = MIN(n, m->left);
    memcpy(bytes, m->at, take);
    m->at += take;
    m->left -= take;
    return take;
}

gboolean
ha_load_tables(HaGraphBuilder *b, const guint8 *tables, gsize n)
{
    Memory memory = {tables, n};
    struct hf_reader *reader = hf_reader_new(read_memory, &memory);
    enum hf_status status = reader != NULL ? HF_OK : HF_NOMEM;
    while (status == HF_OK && memory.left > 0) {
        struct hf_chunk_header chunk;
        const uint8_t *payload;
        status = hf_read_chunk(reader, &chunk, &payload);
        if (status == HF_OK)
            status = hf_decode_chunk(reader, &chunk, payload, &handlers, b);
    }
    hf_reader_free(reader);
    return status == HF_OK;
}
