// SPDX-License-Identifier: MIT
/* Rows of chunks. Every byte of a payload is read through struct cursor, which never leaves it. */
#include "cursor.h"
#include "reader-private.h"
#include <stdlib.h>

/* Room for n elements, contents kept. NULL without memory. */
static void *
reserve(struct hf_scratch *s, size_t n, size_t element)
{
    if (s->size / element < n || s->bytes == NULL) {
        size_t size = s->size == 0 ? 4096 : s->size;
        while (size / element < n)
            size *= 2;
        void *bytes = realloc(s->bytes, size);
        if (bytes == NULL)
            return NULL;
        s->bytes = bytes;
        s->size = size;
    }
    return s->bytes;
}

/* The array with room for one element behind n; NULL without memory. */
static void *
grow(void *array, size_t *room, size_t n, size_t element)
{
    if (n < *room)
        return array;
    size_t more = *room == 0 ? 64 : 2 * *room;
    void *bigger = realloc(array, more * element);
    if (bigger != NULL)
        *room = more;
    return bigger;
}

void
hf_rows_clear(struct hf_reader *r)
{
    free(r->known_types);
    free(r->layout_sizes);
    free(r->refs_scratch.bytes);
    free(r->ids_scratch.bytes);
    free(r->runs_scratch.bytes);
}

/* What a row decoder returns: whether to go on. Faults of the row are in the cursor. */
enum row_result {
    ROW_OK,
    ROW_STOP, /* the handler said so */
    ROW_NOMEM,
};

typedef enum row_result (*row_fn)(struct hf_reader *r, struct cursor *c, const struct hf_handlers *h, void *user);

/* Ends a row decoder: calls a handler, if there is one and the row was well. */
#define DELIVER(c, handler, ...)                                                                                       \
    ((c)->bad_at != NULL || (handler) == NULL || (handler)(__VA_ARGS__) ? ROW_OK : ROW_STOP)

static enum row_result
meta_row(struct hf_reader *r, struct cursor *c, const struct hf_handlers *h, void *user)
{
    (void)r;
    struct hf_meta_row row = {0};
    row.key = get_text(c, &row.key_len);
    row.type = (enum hf_meta_type)get_u8(c);
    switch (row.type) {
    case HF_META_UINT:
        row.uint_value = get_uv(c);
        break;
    case HF_META_INT:
        row.int_value = (int64_t)unzigzag(get_uv(c));
        break;
    case HF_META_TEXT:
        row.text = get_text(c, &row.text_len);
        break;
    case HF_META_BOOL:
        row.uint_value = get_u8(c);
        if (row.uint_value > 1)
            bad(c, "truth value %u", (unsigned)row.uint_value);
        break;
    default:
        bad(c, "unknown type of value %u", (unsigned)row.type);
    }
    return DELIVER(c, h->meta, user, &row);
}

static enum row_result
name_row(struct hf_reader *r, struct cursor *c, const struct hf_handlers *h, void *user)
{
    size_t n;
    const char *text = get_text(c, &n);
    if (r->names == UINT32_MAX)
        bad(c, "too many names");
    if (c->bad_at == NULL)
        r->names++;
    return DELIVER(c, h->name, user, r->names, text, n);
}

static enum row_result
type_row(struct hf_reader *r, struct cursor *c, const struct hf_handlers *h, void *user)
{
    struct hf_type_row row;
    row.addr = get_addr(c);
    row.flags = get_flags(c, HF_TYPE_FLAGS_ALL, "type");
    uint64_t family = get_uv(c);
    row.family = family < HF_FAMILY_COUNT ? (uint32_t)family : HF_FAMILY_OTHER;
    row.base = get_addr(c);
    row.basic_size = get_uv(c);
    row.item_size = get_uv(c);
    row.common_size = get_uv(c);
    row.name = get_text(c, &row.name_len);
    if (r->types == UINT32_MAX)
        bad(c, "too many types");
    if (c->bad_at == NULL) {
        struct hf_known_type *known = grow(r->known_types, &r->type_room, r->types, sizeof *known);
        if (known == NULL)
            return ROW_NOMEM;
        r->known_types = known;
        bool number = (row.flags & HF_TYPE_NUMBERS) && (family == HF_FAMILY_INT || family == HF_FAMILY_FLOAT);
        known[r->types++] = (struct hf_known_type){.common_size = row.common_size,
                                                   .number = number ? (uint8_t)family : 0,
                                                   .sized = (row.flags & HF_TYPE_SIZED) && !number};
    }
    row.flags &= ~(uint32_t)HF_TYPE_NUMBERS; /* rows have text */
    return DELIVER(c, h->type, user, r->types, &row);
}

static enum row_result
layout_row(struct hf_reader *r, struct cursor *c, const struct hf_handlers *h, void *user)
{
    uint64_t n = get_count(c, 2, "runs");
    if (n == 0)
        bad(c, "layout without runs");
    struct hf_run *runs = reserve(&r->runs_scratch, n, sizeof *runs);
    if (runs == NULL)
        return ROW_NOMEM;
    uint64_t fixed = 0, n_names = 0, open = 0;
    for (uint64_t i = 0; i < n && c->bad_at == NULL; i++) {
        struct hf_run *run = &runs[i];
        uint8_t byte = get_u8(c);
        *run = (struct hf_run){.kind = byte & 0x0f, .flags = byte >> 4};
        if (run->kind >= HF_RUN_KIND_COUNT)
            bad(c, "unknown kind of run %u", run->kind);
        if (run->flags & ~HF_RUN_FLAGS_ALL)
            bad(c, "unknown run flags 0x%x", (unsigned)run->flags);
        run->count = get_uv(c);
        if (run->count >> 48 != 0)
            bad(c, "run of %llu references", (unsigned long long)run->count);
        if (run->kind == HF_RUN_ITEMS && run->count % 2 != 0)
            bad(c, "ITEMS run of %llu references, which is odd", (unsigned long long)run->count);
        fixed += run->count;
        if (fixed >> 48 != 0)
            bad(c, "layout of %llu references", (unsigned long long)fixed);
        if (run->count == 0) {
            if (open != 0)
                bad(c, "a second run takes all that are left");
            open = HF_LAYOUT_OPEN | (run->kind == HF_RUN_ITEMS ? HF_LAYOUT_PAIRS : 0);
        }
        if (run->kind != HF_RUN_NAMED)
            continue;
        if (run->count == 0)
            bad(c, "NAMED run without names");
        else if (run->count > left(c))
            bad(c, "%llu names in %zu bytes", (unsigned long long)run->count, left(c));
        if (c->bad_at != NULL)
            break;
        uint32_t *ids = reserve(&r->ids_scratch, n_names + run->count, sizeof *ids);
        if (ids == NULL)
            return ROW_NOMEM;
        for (uint64_t k = 0; k < run->count; k++)
            ids[n_names++] = get_id(c, r->names, true, "name");
    }
    if (r->layouts == UINT32_MAX)
        bad(c, "too many layouts");
    if (c->bad_at != NULL)
        return ROW_OK;
    const uint32_t *ids = r->ids_scratch.bytes; /* only now at rest */
    for (uint64_t i = 0; i < n; i++) {
        if (runs[i].kind == HF_RUN_NAMED) {
            runs[i].names = ids;
            ids += runs[i].count;
        }
    }
    uint64_t *sizes = grow(r->layout_sizes, &r->layout_room, r->layouts, sizeof *sizes);
    if (sizes == NULL)
        return ROW_NOMEM;
    r->layout_sizes = sizes;
    sizes[r->layouts++] = fixed << 2 | open;
    return DELIVER(c, h->layout, user, r->layouts, runs, (size_t)n);
}

static enum row_result
role_row(struct hf_reader *r, struct cursor *c, const struct hf_handlers *h, void *user)
{
    uint64_t addr = get_addr(c);
    uint32_t layout = get_id(c, r->layouts, false, "layout");
    return DELIVER(c, h->role, user, addr, layout);
}

/* The references: most of what a dump consists of. checked: numbers that are no addresses are bad. */
static inline void
get_refs(struct cursor *c, uint64_t from, uint64_t *refs, uint64_t n, bool checked)
{
    const uint8_t *at = c->at, *end = c->end;
    uint64_t ref = from >> 3, high = 0, i = 0;
    for (; i < n && end - at >= 8; i++) {
        uint64_t v = *at;
        if (v < 0x80) {
            at++;
        } else {
            unsigned used = read_short_uv(at, &v);
            if (used == 0)
                break;
            at += used;
        }
        ref += unzigzag(v);
        high |= ref >> ADDR_BITS;
        refs[i] = ref << 3;
    }
    c->at = at;
    if (checked && high != 0)
        bad(c, "address of more than 64 bits");
    for (; i < n; i++) {
        ref += unzigzag(get_uv(c));
        if (checked && ref >> ADDR_BITS != 0)
            bad(c, "address of more than 64 bits");
        refs[i] = ref << 3;
    }
}

/* Behind n numbers of at most nine bytes each; NULL: some may be longer, or not be there. */
static const uint8_t *
skip_short(const uint8_t *at, const uint8_t *end, uint64_t n)
{
    unsigned begun = 0; /* bytes of a number whose last has not come */
    while (n > 0 && end - at >= 8) {
        uint64_t x;
        memcpy(&x, at, sizeof x);
        uint64_t stop = ~x & 0x8080808080808080ull;
        if (stop == 0 || begun + (unsigned)__builtin_ctzll(stop) / 8 > 8)
            return NULL;
        uint64_t stops = (stop >> 7) * 0x0101010101010101ull >> 56;
        if (stops >= n) {
            while (--n > 0)
                stop &= stop - 1;
            return at + __builtin_ctzll(stop) / 8 + 1;
        }
        n -= stops;
        begun = (unsigned)__builtin_clzll(stop) / 8;
        at += 8;
    }
    for (; n > 0 && at < end && begun < 9; at++) {
        begun = *at < 0x80 ? 0 : begun + 1;
        n -= begun == 0;
    }
    return n == 0 ? at : NULL;
}

size_t
hf_unpack_refs(const uint8_t *packed, size_t length, uint64_t base, uint64_t *refs, uint64_t n)
{
    struct cursor c;
    open_cursor(&c, packed, length);
    get_refs(&c, base, refs, n, false);
    return (size_t)(c.at - packed);
}

size_t
hf_unpack_uv(const uint8_t *packed, size_t length, uint64_t *value)
{
    struct cursor c;
    open_cursor(&c, packed, length);
    *value = get_uv(&c);
    return (size_t)(c.at - packed);
}

static void
check_layout(struct hf_reader *r, struct cursor *c, uint32_t layout, uint64_t n)
{
    if (layout == 0)
        return;
    uint64_t size = r->layout_sizes[layout - 1];
    uint64_t fixed = size >> 2;
    if (n < fixed || (n > fixed && !(size & HF_LAYOUT_OPEN)))
        bad(c, "%llu references do not fit layout %u", (unsigned long long)n, layout);
    else if ((size & HF_LAYOUT_PAIRS) && (n - fixed) % 2 != 0)
        bad(c, "ITEMS of %llu references, which is odd", (unsigned long long)(n - fixed));
}

/* Checks a part against those before it, and fills in what they said. */
static void
continue_object(struct hf_reader *r, struct cursor *c, struct hf_object_row *row)
{
    const uint32_t allowed = HF_OBJ_CONT | HF_OBJ_MORE | HF_OBJ_REFS | HF_OBJ_BROKEN;
    if (!r->more)
        bad(c, "a part that continues no object");
    else if (row->flags & ~allowed)
        bad(c, "flags 0x%x in a part that continues an object", (unsigned)(row->flags & ~allowed));
    row->addr = r->split_addr;
    row->type = r->split_type;
    row->first_ref = r->split_refs;
}

/* After a part has been read: layouts agree, and the whole fits its layout. */
static void
end_part(struct hf_reader *r, struct cursor *c, struct hf_object_row *row)
{
    bool first = !(row->flags & HF_OBJ_CONT);
    if (first && !(row->flags & HF_OBJ_MORE)) {
        if ((row->flags & (HF_OBJ_REFS | HF_OBJ_BROKEN)) == HF_OBJ_REFS)
            check_layout(r, c, row->layout, row->n_refs);
        return;
    }
    if (first) {
        r->split_addr = row->addr;
        r->split_type = row->type;
        r->split_refs = 0;
        r->split_broken = false;
        r->split_has_layout = false;
    }
    if (row->flags & HF_OBJ_REFS) {
        if (r->split_has_layout && row->layout != r->split_layout)
            bad(c, "layout %u in a part of an object of layout %u", row->layout, r->split_layout);
        r->split_layout = row->layout;
        r->split_has_layout = true;
    }
    r->split_refs += row->n_refs;
    r->split_broken = r->split_broken || (row->flags & HF_OBJ_BROKEN);
    r->more = (row->flags & HF_OBJ_MORE) != 0;
    if (!r->more && !r->split_broken && r->split_has_layout)
        check_layout(r, c, r->split_layout, r->split_refs);
}

/* NUMBERS: text instead of the number that the row has. */
static void
number_text(struct hf_reader *r, struct cursor *c, struct hf_object_row *row, unsigned family)
{
    size_t n = row->content_len;
    uint64_t value = 0;
    uint8_t *end;
    if (family == HF_FAMILY_FLOAT) {
        if (n != sizeof value) {
            bad(c, "a float of %zu bytes", n);
            return;
        }
        memcpy(&value, row->content, n);
        end = hf_put_double(r->number, value, true);
    } else if (n == 0 || n > sizeof value) {
        return; /* none, or text already */
    } else {
        memcpy(&value, row->content, n);
        bool negative = value >> (8 * n - 1) != 0;
        if (negative)
            value = (n < sizeof value ? 1ull << 8 * n : 0) - value;
        r->number[0] = '-';
        end = hf_put_uint(r->number + negative, value);
    }
    row->content = r->number;
    row->content_len = (size_t)(end - r->number);
}

/* What a row leaves out because its type has it. */
static inline void
by_type(struct hf_reader *r, struct cursor *c, struct hf_object_row *row)
{
    const struct hf_known_type *type = &r->known_types[row->type - 1];
    if (!(row->flags & HF_OBJ_SIZE))
        row->size = type->common_size + (type->sized ? row->content_len : 0);
    if (type->number != 0 && (row->flags & HF_OBJ_CONTENT))
        number_text(r, c, row, type->number);
}

static inline enum row_result
object_row(struct hf_reader *r, struct cursor *c, const struct hf_handlers *h, void *user, uint64_t *prev_addr)
{
    struct hf_object_row row = {0};
    uint32_t flags = row.flags = get_flags(c, HF_OBJ_FLAGS_ALL, "object");
    if (flags & HF_OBJ_CONT) {
        continue_object(r, c, &row);
    } else {
        if (r->more)
            bad(c, "object 0x%llx lacks its last part", (unsigned long long)r->split_addr);
        row.addr = *prev_addr = get_daddr(c, *prev_addr);
        row.type = get_id(c, r->types, false, "type");
        row.refcount = 1;
    }
    if (flags & HF_OBJ_SIZE)
        row.size = get_uv(c);
    if (flags & HF_OBJ_REFCOUNT) {
        row.refcount = get_uv(c);
        if (flags & HF_OBJ_IMMORTAL)
            bad(c, "reference count of an immortal object");
    }
    if (flags & HF_OBJ_REAL_SIZE)
        row.real_size = get_uv(c);
    if (flags & HF_OBJ_CONTENT)
        row.content = get_bytes(c, HF_CONTENT_MAX, &row.content_len);
    if (!(flags & HF_OBJ_CONT) && c->bad_at == NULL)
        by_type(r, c, &row);
    if (flags & HF_OBJ_CUT)
        row.whole_length = get_uv(c);
    if (flags & HF_OBJ_REFS) {
        row.layout = get_id(c, r->layouts, true, "layout");
        row.n_refs = get_count(c, 1, "references");
        row.packed = c->at;
        const uint8_t *behind = h->leave_packed ? skip_short(c->at, c->end, row.n_refs) : NULL;
        if (behind == NULL) {
            uint64_t *refs = reserve(&r->refs_scratch, row.n_refs, sizeof *refs);
            if (refs == NULL)
                return ROW_NOMEM;
            get_refs(c, flags & HF_OBJ_CONT ? 0 : row.addr, refs, row.n_refs, true);
            row.refs = h->leave_packed ? NULL : refs;
        } else {
            c->at = behind;
        }
        row.packed_len = (size_t)(c->at - row.packed);
    }
    if (c->bad_at == NULL)
        end_part(r, c, &row);
    if (c->bad_at == NULL) {
        r->objects += flags & HF_OBJ_CONT ? 0 : 1;
        r->refs += row.n_refs;
    }
    return DELIVER(c, h->object, user, &row);
}

static inline enum row_result
root_row(struct hf_reader *r, struct cursor *c, const struct hf_handlers *h, void *user, uint64_t *prev_addr)
{
    struct hf_root_row row;
    uint64_t kind = get_uv(c);
    if (kind == 0 || kind == HF_ROOT_FRAME || kind >= HF_ROOT_COUNT)
        bad(c, "unknown kind of root %llu", (unsigned long long)kind);
    row.kind = (enum hf_root_kind)kind;
    row.addr = *prev_addr = get_daddr(c, *prev_addr);
    row.name = get_id(c, r->names, true, "name");
    uint64_t counted = get_uv(c);
    if (counted > 1)
        bad(c, "truth value %llu", (unsigned long long)counted);
    row.counted = counted == 1;
    return DELIVER(c, h->root, user, &row);
}

static enum row_result
frame_row(struct hf_reader *r, struct cursor *c, const struct hf_handlers *h, void *user)
{
    struct hf_frame_row row = {0};
    if (!r->have_thread)
        bad(c, "a frame before any thread");
    row.frame = get_addr(c);
    row.code = get_addr(c);
    row.function = get_addr(c);
    uint64_t line = get_uv(c);
    if (line > UINT32_MAX)
        bad(c, "line %llu", (unsigned long long)line);
    row.line = (uint32_t)line;
    row.flags = get_flags(c, HF_FRAME_FLAGS_ALL, "frame");
    row.qualname = get_text(c, &row.qualname_len);
    row.file = get_text(c, &row.file_len);
    row.n = get_count(c, 2, "references");
    uint32_t *ids = reserve(&r->ids_scratch, row.n, sizeof *ids);
    uint64_t *refs = reserve(&r->refs_scratch, row.n, sizeof *refs);
    if (ids == NULL || refs == NULL)
        return ROW_NOMEM;
    uint64_t prev = 0;
    for (size_t i = 0; i < row.n; i++) {
        ids[i] = get_id(c, r->names, true, "name");
        prev = refs[i] = get_daddr(c, prev);
    }
    row.names = ids;
    row.refs = refs;
    return DELIVER(c, h->frame, user, &row);
}

static enum row_result
thread_row(struct hf_reader *r, struct cursor *c, const struct hf_handlers *h, void *user)
{
    uint8_t tag = get_u8(c);
    if (tag == HF_FRAME)
        return frame_row(r, c, h, user);
    if (tag != HF_THREAD)
        bad(c, "unknown tag %u", tag);
    struct hf_thread_row row;
    row.ident = get_uv(c);
    row.native_id = get_uv(c);
    row.state_addr = get_uv(c);
    row.flags = get_flags(c, HF_THREAD_FLAGS_ALL, "thread");
    row.name = get_text(c, &row.name_len);
    r->have_thread = r->have_thread || c->bad_at == NULL;
    return DELIVER(c, h->thread, user, &row);
}

static enum row_result
stat_row(struct hf_reader *r, struct cursor *c, const struct hf_handlers *h, void *user)
{
    (void)r;
    size_t n;
    uint8_t tag = get_u8(c);
    if (tag == HF_STAT_COUNTER) {
        const char *key = get_text(c, &n);
        uint64_t value = get_uv(c);
        return DELIVER(c, h->counter, user, key, n, value);
    }
    if (tag != HF_STAT_SKIPPED)
        bad(c, "unknown tag %u", tag);
    uint64_t addr = get_addr(c);
    const char *why = get_text(c, &n);
    return DELIVER(c, h->skipped, user, addr, why, n);
}

static void
compare_total(struct cursor *c, const char *what, uint64_t said, uint64_t seen)
{
    if (said != seen)
        bad(c, "END says %llu %s, the file has %llu", (unsigned long long)said, what, (unsigned long long)seen);
}

static enum row_result
end_row(struct hf_reader *r, struct cursor *c, const struct hf_handlers *h, void *user)
{
    struct hf_end_row row;
    row.objects = get_uv(c);
    row.refs = get_uv(c);
    row.types = get_uv(c);
    row.names = get_uv(c);
    row.layouts = get_uv(c);
    row.bytes = get_uv(c);
    uint64_t status = get_uv(c);
    if (status > HF_END_INCOMPLETE)
        bad(c, "unknown status %llu", (unsigned long long)status);
    row.status = (enum hf_end_status)status;
    row.reason = get_text(c, &row.reason_len);
    compare_total(c, "bytes", row.bytes, r->chunk_at);
    if (r->chunks_decoded + 1 == r->chunks_read) {
        if (r->more)
            bad(c, "object 0x%llx lacks its last part", (unsigned long long)r->split_addr);
        compare_total(c, "objects", row.objects, r->objects);
        compare_total(c, "references", row.refs, r->refs);
        compare_total(c, "types", row.types, r->types);
        compare_total(c, "names", row.names, r->names);
        compare_total(c, "layouts", row.layouts, r->layouts);
    }
    return DELIVER(c, h->end, user, &row);
}

static row_fn
decoder_of(uint32_t kind)
{
    switch (kind) {
    case HF_CHUNK_META:
        return meta_row;
    case HF_CHUNK_NAMES:
        return name_row;
    case HF_CHUNK_TYPES:
        return type_row;
    case HF_CHUNK_LAYOUTS:
        return layout_row;
    case HF_CHUNK_ROLES:
        return role_row;
    case HF_CHUNK_THREADS:
        return thread_row;
    case HF_CHUNK_STATS:
        return stat_row;
    case HF_CHUNK_END:
        return end_row;
    default:
        return NULL;
    }
}

enum hf_status
hf_decode_chunk(struct hf_reader *r, const struct hf_chunk_header *chunk, const uint8_t *payload,
                const struct hf_handlers *handlers, void *user)
{
    if (r->failed != HF_OK)
        return r->failed;
    r->stopped = handlers->chunk != NULL && !handlers->chunk(user, chunk, payload);
    if (r->stopped)
        return HF_OK;
    bool objects = chunk->kind == HF_CHUNK_OBJECTS, roots = chunk->kind == HF_CHUNK_ROOTS;
    row_fn decode = decoder_of(chunk->kind);
    if (decode == NULL && !objects && !roots) {
        r->chunks_decoded++;
        return HF_OK;
    }
    struct cursor c = {.at = payload, .end = payload + chunk->length, .start = payload};
    uint64_t prev_addr = 0;
    enum row_result result = ROW_OK;
    uint32_t row = 0;
    while (row < chunk->rows && result == ROW_OK && c.bad_at == NULL) {
        row++;
        if (objects)
            result = object_row(r, &c, handlers, user, &prev_addr);
        else if (roots)
            result = root_row(r, &c, handlers, user, &prev_addr);
        else
            result = decode(r, &c, handlers, user);
    }
    if (result == ROW_NOMEM)
        return hf_reader_fail(r, HF_NOMEM, "no memory for a row of the chunk at byte %llu",
                              (unsigned long long)r->chunk_at);
    if (result == ROW_STOP) {
        r->stopped = true;
        return HF_OK;
    }
    if (c.bad_at == NULL && chunk->kind == HF_CHUNK_END && chunk->rows != 1)
        bad(&c, "%u rows instead of one", chunk->rows);
    if (c.bad_at == NULL && c.at < c.end)
        bad(&c, "%zu bytes behind the last row", left(&c));
    if (c.bad_at != NULL) {
        char kind[12];
        return hf_reader_fail(r, HF_CORRUPT, "%s chunk at byte %llu, row %u, byte %llu: %s",
                              hf_kind_text(chunk->kind, kind), (unsigned long long)r->chunk_at, row,
                              (unsigned long long)(r->chunk_at + sizeof *chunk + (size_t)(c.bad_at - payload)), c.why);
    }
    r->chunks_decoded++;
    return HF_OK;
}
