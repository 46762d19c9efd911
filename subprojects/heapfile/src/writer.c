// SPDX-License-Identifier: MIT
/*
 * The writer of writer.h. Freestanding: runs inside the walker's blob, in a snapshot of the target, up to once for each of 100M
 * objects. Every row is put together behind hf_buffer.at, which moves only when the row is whole: a fault while the
 * target's memory is being copied loses the row and nothing else. Numbers: put.h.
 */
#include <heapfile/put.h>

#define UV_MAX      HF_UV_MAX
#define TEXT_MAX    (UV_MAX + HF_NAME_MAX)
#define HEADER_SIZE sizeof(struct hf_chunk_header)
#define KIB         ((size_t)1 << 10)

/* Buffers, chunk header included. The objects' is long so that a row may follow HF_CHUNK_TARGET bytes without a look at the room. */
#define META_SIZE    (192 * KIB)
#define NAMES_SIZE   (384 * KIB)
#define TYPES_SIZE   (192 * KIB)
#define LAYOUTS_SIZE (512 * KIB)
#define ROLES_SIZE   (64 * KIB)
#define ROOTS_SIZE   (128 * KIB)
#define THREADS_SIZE (512 * KIB)
#define STATS_SIZE   (160 * KIB)
#define OBJECTS_SIZE (1952 * KIB)

_Static_assert(META_SIZE + NAMES_SIZE + TYPES_SIZE + LAYOUTS_SIZE + ROLES_SIZE + ROOTS_SIZE + THREADS_SIZE +
                       STATS_SIZE + OBJECTS_SIZE <=
                   HF_WRITER_MEMORY,
               "buffers exceed HF_WRITER_MEMORY");
_Static_assert(OBJECTS_SIZE - HEADER_SIZE >=
                   HF_CHUNK_TARGET + HF_ROW_FIXED_MAX + HF_CONTENT_MAX + (size_t)HF_SHORT_REFS * UV_MAX,
               "a short row must fit behind HF_CHUNK_TARGET bytes");
_Static_assert(OBJECTS_SIZE <= HF_CHUNK_MAX, "a buffer is a chunk");
_Static_assert(META_SIZE - HEADER_SIZE >= 2 * TEXT_MAX + UV_MAX, "a META row");
_Static_assert(STATS_SIZE - HEADER_SIZE >= TEXT_MAX + 2 * UV_MAX, "a STATS row");
_Static_assert(TYPES_SIZE - HEADER_SIZE >= TEXT_MAX + 8 * UV_MAX, "a TYPES row");
_Static_assert(THREADS_SIZE - HEADER_SIZE >= 3 * TEXT_MAX, "a THREADS row");

/* Not inline: for what is rarely longer than a byte. */
uint8_t *
hf_put_long_uv(uint8_t *p, uint64_t v)
{
    if (__builtin_expect(v >> 56 == 0, 1))
        return hf_put_spread(p, v, false);
    for (; v >= 0x80; v >>= 7)
        *p++ = (uint8_t)(v | 0x80);
    *p = (uint8_t)v;
    return p + 1;
}

static inline uint8_t *
put_sv(uint8_t *p, int64_t v)
{
    return hf_put_uv(p, hf_zigzag(v));
}

static inline uint8_t *
put_addr(uint8_t *p, uint64_t addr)
{
    return hf_put_uv(p, addr >> 3);
}

/* Needs UV_MAX + HF_NAME_MAX bytes at most. What is longer is cut before a character of UTF-8. */
static uint8_t *
put_text(uint8_t *p, const void *text, size_t n)
{
    if (n > HF_NAME_MAX) {
        const uint8_t *s = text;
        n = HF_NAME_MAX;
        while (n > HF_NAME_MAX - 3 && (s[n] & 0xc0) == 0x80)
            n--;
    }
    return hf_put_bytes(hf_put_uv(p, n), text, n);
}

static inline size_t
text_room(size_t n)
{
    return UV_MAX + (n < HF_NAME_MAX ? n : HF_NAME_MAX);
}

static size_t
length_of(const char *s)
{
    size_t n = 0;
    while (s != NULL && s[n] != '\0')
        n++;
    return n;
}

static void
emit(struct hf_writer *w, const void *bytes, size_t n)
{
    if (w->failed)
        return;
    if (w->sink(w->user, bytes, n))
        w->bytes += n;
    else
        w->failed = true;
}

static const uint32_t kind_of[HF_BUF_COUNT] = {
    [HF_BUF_META] = HF_CHUNK_META,       [HF_BUF_NAMES] = HF_CHUNK_NAMES, [HF_BUF_TYPES] = HF_CHUNK_TYPES,
    [HF_BUF_LAYOUTS] = HF_CHUNK_LAYOUTS, [HF_BUF_ROLES] = HF_CHUNK_ROLES, [HF_BUF_ROOTS] = HF_CHUNK_ROOTS,
    [HF_BUF_THREADS] = HF_CHUNK_THREADS, [HF_BUF_STATS] = HF_CHUNK_STATS, [HF_BUF_OBJECTS] = HF_CHUNK_OBJECTS,
};

static void
emit_buffer(struct hf_writer *w, struct hf_buffer *b, uint32_t kind)
{
    if (b->rows == 0)
        return;
    size_t n = (size_t)(b->at - b->start);
    struct hf_chunk_header header = {
        .kind = kind,
        .rows = b->rows,
        .length = n,
        .checksum = hf_xxh64(b->start, n, kind | (uint64_t)b->rows << 32),
    };
    __builtin_memcpy(b->start - HEADER_SIZE, &header, HEADER_SIZE);
    emit(w, b->start - HEADER_SIZE, HEADER_SIZE + n);
    b->at = b->start;
    b->rows = 0;
}

/* Closes a chunk, and before it those whose ids it may use. */
static void
close_chunk(struct hf_writer *w, unsigned which)
{
    for (unsigned i = HF_BUF_META; i <= HF_BUF_LAYOUTS && i < which; i++)
        emit_buffer(w, &w->buf[i], kind_of[i]);
    emit_buffer(w, &w->buf[which], kind_of[which]);
    if (which == HF_BUF_OBJECTS)
        w->prev_addr = 0;
    else if (which == HF_BUF_ROOTS)
        w->prev_root = 0;
}

/* Where a row of at most need bytes may begin. */
static uint8_t *
begin_row(struct hf_writer *w, unsigned which, size_t need)
{
    struct hf_buffer *b = &w->buf[which];
    if ((size_t)(b->end - b->at) < need)
        close_chunk(w, which);
    return b->at;
}

static inline void
end_row(struct hf_writer *w, unsigned which, uint8_t *p)
{
    hf_whole_row();
    w->buf[which].at = p;
    w->buf[which].rows++;
}

void
hf_writer_init(struct hf_writer *w, void *memory, hf_sink_fn sink, void *user)
{
    static const uint32_t size_of[HF_BUF_COUNT] = {
        [HF_BUF_META] = META_SIZE,       [HF_BUF_NAMES] = NAMES_SIZE, [HF_BUF_TYPES] = TYPES_SIZE,
        [HF_BUF_LAYOUTS] = LAYOUTS_SIZE, [HF_BUF_ROLES] = ROLES_SIZE, [HF_BUF_ROOTS] = ROOTS_SIZE,
        [HF_BUF_THREADS] = THREADS_SIZE, [HF_BUF_STATS] = STATS_SIZE, [HF_BUF_OBJECTS] = OBJECTS_SIZE,
    };
    *w = (struct hf_writer){.sink = sink, .user = user};
    uint8_t *at = memory;
    for (unsigned i = 0; i < HF_BUF_COUNT; i++) {
        struct hf_buffer *b = &w->buf[i];
        b->start = at + HEADER_SIZE;
        b->at = b->start;
        at += size_of[i];
        b->end = at;
    }
}

void
hf_write_header(struct hf_writer *w, unsigned pointer_size)
{
    struct hf_file_header header = {
        .version_major = HF_VERSION_MAJOR,
        .version_minor = HF_VERSION_MINOR,
        .pointer_size = (uint8_t)pointer_size,
        .byte_order = HF_LITTLE_ENDIAN,
        .header_size = sizeof header,
    };
    __builtin_memcpy(header.magic, HF_MAGIC, sizeof header.magic);
    header.checksum = hf_xxh64(&header, offsetof(struct hf_file_header, checksum), 0);
    emit(w, &header, sizeof header);
}

static uint8_t *
begin_meta(struct hf_writer *w, const char *key, enum hf_meta_type type, size_t value_room)
{
    size_t n = length_of(key);
    uint8_t *p = begin_row(w, HF_BUF_META, text_room(n) + 1 + value_room);
    p = put_text(p, key, n);
    *p++ = (uint8_t)type;
    return p;
}

void
hf_write_meta_uint(struct hf_writer *w, const char *key, uint64_t value)
{
    uint8_t *p = begin_meta(w, key, HF_META_UINT, UV_MAX);
    end_row(w, HF_BUF_META, hf_put_uv(p, value));
}

void
hf_write_meta_int(struct hf_writer *w, const char *key, int64_t value)
{
    uint8_t *p = begin_meta(w, key, HF_META_INT, UV_MAX);
    end_row(w, HF_BUF_META, put_sv(p, value));
}

void
hf_write_meta_text(struct hf_writer *w, const char *key, const char *text, size_t n)
{
    uint8_t *p = begin_meta(w, key, HF_META_TEXT, text_room(n));
    end_row(w, HF_BUF_META, put_text(p, text, n));
}

void
hf_write_meta_bool(struct hf_writer *w, const char *key, bool value)
{
    uint8_t *p = begin_meta(w, key, HF_META_BOOL, 1);
    *p++ = value ? 1 : 0;
    end_row(w, HF_BUF_META, p);
}

uint32_t
hf_write_name(struct hf_writer *w, const void *text, size_t n)
{
    uint8_t *p = begin_row(w, HF_BUF_NAMES, text_room(n));
    end_row(w, HF_BUF_NAMES, put_text(p, text, n));
    return ++w->names;
}

uint32_t
hf_write_type(struct hf_writer *w, const struct hf_type_row *row)
{
    uint8_t *p = begin_row(w, HF_BUF_TYPES, 7 * UV_MAX + text_room(row->name_len));
    p = put_addr(p, row->addr);
    p = hf_put_uv(p, row->flags);
    p = hf_put_uv(p, row->family);
    p = put_addr(p, row->base);
    p = hf_put_uv(p, row->basic_size);
    p = hf_put_uv(p, row->item_size);
    p = hf_put_uv(p, row->common_size);
    end_row(w, HF_BUF_TYPES, put_text(p, row->name, row->name_len));
    return ++w->types;
}

#define RUN_MAX   (1 + UV_MAX) /* a run without names */
#define ID_MAX    5u           /* an id has 32 bits */
#define NAMES_MAX ((LAYOUTS_SIZE - HEADER_SIZE) / 2 / ID_MAX)
#define RUNS_MAX  ((LAYOUTS_SIZE - HEADER_SIZE) / 2 / RUN_MAX - 2)

uint32_t
hf_write_layout(struct hf_writer *w, const struct hf_run *runs, size_t n)
{
    static const struct hf_run too_many = {.kind = HF_RUN_UNNAMED};
    if (n > RUNS_MAX) {
        runs = &too_many;
        n = 1;
    }
    size_t need = UV_MAX + ID_MAX;
    uint64_t names = 0;
    for (size_t i = 0; i < n; i++) {
        need += RUN_MAX;
        if (runs[i].kind == HF_RUN_NAMED && runs[i].count <= NAMES_MAX - names)
            names += runs[i].count;
    }
    uint8_t *p = begin_row(w, HF_BUF_LAYOUTS, need + names * ID_MAX);
    p = hf_put_uv(p, n);
    for (size_t i = 0; i < n; i++) {
        const struct hf_run *run = &runs[i];
        bool named = run->kind == HF_RUN_NAMED && run->count <= names;
        unsigned kind = run->kind == HF_RUN_NAMED && !named ? HF_RUN_UNNAMED : run->kind;
        *p++ = (uint8_t)(kind | (unsigned)run->flags << 4);
        p = hf_put_uv(p, run->count);
        for (uint64_t k = 0; named && k < run->count; k++)
            p = hf_put_uv(p, run->names[k]);
        if (named)
            names -= run->count;
    }
    end_row(w, HF_BUF_LAYOUTS, p);
    return ++w->layouts;
}

void
hf_write_role(struct hf_writer *w, uint64_t addr, uint32_t layout)
{
    uint8_t *p = begin_row(w, HF_BUF_ROLES, 2 * UV_MAX);
    end_row(w, HF_BUF_ROLES, hf_put_uv(put_addr(p, addr), layout));
}

/* A split object whose last part never came (the caller gave up or met a fault): readers would refuse what follows. */
static void
close_split(struct hf_writer *w)
{
    uint8_t *p = begin_row(w, HF_BUF_OBJECTS, UV_MAX);
    end_row(w, HF_BUF_OBJECTS, hf_put_uv(p, HF_OBJ_CONT | HF_OBJ_BROKEN));
    w->more = false;
}

static uint8_t *
put_refs(const struct hf_writer *w, uint8_t *p, uint64_t prev, const uint64_t *refs, uint64_t n)
{
    bool deposit = w->deposit;

    for (uint64_t i = 0; i < n; i++) {
        p = hf_put_daddr(p, prev, refs[i], deposit);
        prev = refs[i];
    }
    return p;
}

/* Rows of all lengths, parts of objects included. */
__attribute__((cold)) static void
write_long_object(struct hf_writer *w, const struct hf_object_row *row)
{
    struct hf_buffer *b = &w->buf[HF_BUF_OBJECTS];
    uint32_t flags = hf_normal_flags(row->flags, row->refcount);
    uint32_t part_flags = HF_OBJ_CONT | (flags & HF_OBJ_BROKEN);
    bool part =
        (flags & HF_OBJ_CONT) && w->more; /* CONT rows without a first one would be refused: written as nothing */
    if (w->more && !part)
        close_split(w);
    if ((flags & HF_OBJ_CONT) && !part)
        return;

    size_t content_len = row->content_len;
    uint64_t whole_length = row->whole_length;
    if ((flags & HF_OBJ_CONTENT) && content_len > HF_CONTENT_MAX) {
        if (!(flags & HF_OBJ_CUT))
            whole_length = content_len;
        flags |= HF_OBJ_CUT;
        content_len = HF_CONTENT_MAX;
    }
    bool caller_has_more = (flags & HF_OBJ_MORE) != 0;
    uint64_t done = 0, left = row->n_refs;
    flags &= ~(uint32_t)(HF_OBJ_CONT | HF_OBJ_MORE);
    if (part)
        flags = part_flags;
    for (;;) {
        uint64_t room = ((uint64_t)(b->end - b->at) - HF_ROW_FIXED_MAX) / UV_MAX;
        if (flags & HF_OBJ_CONTENT)
            room -= (content_len + UV_MAX - 1) / UV_MAX;
        uint64_t n = left < room ? left : room;
        bool more = n < left || caller_has_more;
        uint32_t row_flags = flags | (n > 0 ? HF_OBJ_REFS : 0) | (more ? HF_OBJ_MORE : 0);
        uint64_t from = 0;
        uint8_t *p = row_flags & HF_OBJ_CONT ? hf_put_uv(b->at, row_flags)
                                             : hf_put_object_head(w, b->at, row_flags, row->addr, row->type);
        p = hf_put_object_rest(p, row, row_flags, content_len, whole_length, n);
        if (!(flags & HF_OBJ_CONT))
            from = row->addr;
        if (n > 0)
            p = put_refs(w, p, from, row->refs + done, n);
        end_row(w, HF_BUF_OBJECTS, p);
        if (!(flags & HF_OBJ_CONT)) {
            w->prev_addr = row->addr;
            w->objects++;
        }
        w->refs += n;
        w->more = more;
        done += n;
        left -= n;
        if ((size_t)(b->at - b->start) >= HF_CHUNK_TARGET)
            close_chunk(w, HF_BUF_OBJECTS);
        if (left == 0)
            return;
        flags = part_flags;
    }
}

void
hf_object_chunk_end(struct hf_writer *w)
{
    close_chunk(w, HF_BUF_OBJECTS);
}

void
hf_write_object(struct hf_writer *w, const struct hf_object_row *row)
{
    uint8_t *p = hf_begin_object(w, row);

    if (p == NULL) {
        write_long_object(w, row);
        return;
    }
    p = put_refs(w, p, row->addr, row->refs, row->n_refs);
    hf_object_row_end(w, p, row->addr, row->n_refs);
}

void
hf_write_root(struct hf_writer *w, enum hf_root_kind kind, uint64_t addr, uint32_t name, bool counted)
{
    uint8_t *p = begin_row(w, HF_BUF_ROOTS, 4 * UV_MAX);
    p = hf_put_uv(p, kind);
    p = hf_put_daddr(p, w->prev_root, addr, w->deposit);
    p = hf_put_uv(p, name);
    p = hf_put_uv(p, counted ? 1 : 0);
    end_row(w, HF_BUF_ROOTS, p);
    w->prev_root = addr;
}

void
hf_write_thread(struct hf_writer *w, const struct hf_thread_row *row)
{
    uint8_t *p = begin_row(w, HF_BUF_THREADS, 5 * UV_MAX + text_room(row->name_len));
    *p++ = HF_THREAD;
    p = hf_put_uv(p, row->ident);
    p = hf_put_uv(p, row->native_id);
    p = hf_put_uv(p, row->state_addr);
    p = hf_put_uv(p, row->flags);
    end_row(w, HF_BUF_THREADS, put_text(p, row->name, row->name_len));
}

void
hf_write_frame(struct hf_writer *w, const struct hf_frame_row *row)
{
    const size_t ref_room = 2 * UV_MAX;
    size_t fixed = 7 * UV_MAX + text_room(row->qualname_len) + text_room(row->file_len);
    size_t n_max = (THREADS_SIZE - HEADER_SIZE - fixed) / ref_room;
    size_t n = row->n < n_max ? row->n : n_max;
    uint8_t *p = begin_row(w, HF_BUF_THREADS, fixed + n * ref_room);
    *p++ = HF_FRAME;
    p = put_addr(p, row->frame);
    p = put_addr(p, row->code);
    p = put_addr(p, row->function);
    p = hf_put_uv(p, row->line);
    p = hf_put_uv(p, row->flags);
    p = put_text(p, row->qualname, row->qualname_len);
    p = put_text(p, row->file, row->file_len);
    p = hf_put_uv(p, n);
    uint64_t prev = 0;
    for (size_t i = 0; i < n; i++) {
        p = hf_put_uv(p, row->names[i]);
        p = hf_put_daddr(p, prev, row->refs[i], w->deposit);
        prev = row->refs[i];
    }
    end_row(w, HF_BUF_THREADS, p);
    /* More locals than a chunk takes: no reference may get lost, and the frame is a root of all of them. */
    for (size_t i = n; i < row->n; i++)
        hf_write_root(w, HF_ROOT_THREAD, row->refs[i], row->names[i], (row->flags & HF_FRAME_OWNED) != 0);
}

void
hf_write_counter(struct hf_writer *w, const char *key, uint64_t value)
{
    size_t n = length_of(key);
    uint8_t *p = begin_row(w, HF_BUF_STATS, 2 * UV_MAX + text_room(n));
    *p++ = HF_STAT_COUNTER;
    p = put_text(p, key, n);
    end_row(w, HF_BUF_STATS, hf_put_uv(p, value));
}

void
hf_write_skipped(struct hf_writer *w, uint64_t addr, const char *why)
{
    size_t n = length_of(why);
    uint8_t *p = begin_row(w, HF_BUF_STATS, 2 * UV_MAX + text_room(n));
    *p++ = HF_STAT_SKIPPED;
    p = put_addr(p, addr);
    end_row(w, HF_BUF_STATS, put_text(p, why, n));
}

void
hf_writer_flush(struct hf_writer *w)
{
    for (unsigned i = 0; i < HF_BUF_COUNT; i++)
        close_chunk(w, i);
}

void
hf_write_chunk(struct hf_writer *w, const struct hf_chunk_header *header, const void *payload)
{
    hf_writer_flush(w);
    emit(w, header, sizeof *header);
    emit(w, payload, header->length);
}

bool
hf_writer_finish(struct hf_writer *w, enum hf_end_status status, const char *reason)
{
    if (w->more)
        close_split(w);
    hf_writer_flush(w);
    size_t n = length_of(reason);
    struct hf_buffer *b = &w->buf[HF_BUF_STATS];
    uint8_t *p = begin_row(w, HF_BUF_STATS, 7 * UV_MAX + text_room(n));
    p = hf_put_uv(p, w->objects);
    p = hf_put_uv(p, w->refs);
    p = hf_put_uv(p, w->types);
    p = hf_put_uv(p, w->names);
    p = hf_put_uv(p, w->layouts);
    p = hf_put_uv(p, w->bytes);
    p = hf_put_uv(p, status);
    end_row(w, HF_BUF_STATS, put_text(p, reason, n));
    emit_buffer(w, b, HF_CHUNK_END);
    return !w->failed;
}
