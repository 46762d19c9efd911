// SPDX-License-Identifier: MIT
#pragma once
/*
 * Writes the format of format.h. Freestanding (no libc, no allocation, no global data): the walker's blob includes it, and so do
 * the host programs. The caller owns all memory and gives a function that takes finished bytes. One thread at a time.
 *
 * Each kind of chunk has a buffer of its own, so that names, types and layouts met while an object row is being written go out
 * before that row: hf_writer_flush() always writes them in the order META, NAMES, TYPES, LAYOUTS, ROLES, ROOTS, THREADS, STATS, OBJECTS.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <heapfile/format.h>

/* Takes n bytes; false when they can not be taken (the writer then stays in error and drops everything). */
typedef bool (*hf_sink_fn)(void *user, const void *bytes, size_t n);

struct hf_buffer {
    uint8_t *start; /* borrowed; room for a chunk header stands before the rows */
    uint8_t *at;
    uint8_t *end;
    uint32_t rows;
};

enum {
    HF_BUF_META,
    HF_BUF_NAMES,
    HF_BUF_TYPES,
    HF_BUF_LAYOUTS,
    HF_BUF_ROLES,
    HF_BUF_ROOTS,
    HF_BUF_THREADS,
    HF_BUF_STATS,
    HF_BUF_OBJECTS,
    HF_BUF_COUNT
};

struct hf_writer {
    hf_sink_fn sink;
    void *user;
    struct hf_buffer buf[HF_BUF_COUNT];
    uint64_t bytes; /* handed to the sink so far */
    uint64_t objects, refs;
    uint32_t types, names, layouts; /* last ids given */
    uint64_t prev_addr;             /* of OBJECTS and ROOTS rows in the open chunk */
    uint64_t prev_root;
    bool more; /* the last object row said MORE */
    bool failed;
    bool
        deposit; /* x86-64: pdep is there and fast; false after hf_writer_init(), for callers to set. Bytes are the same. */
};

/* Bytes of memory hf_writer_init wants; page-aligned memory is best, zeroed or not. */
#define HF_WRITER_MEMORY ((size_t)(4u << 20))

void hf_writer_init(struct hf_writer *w, void *memory, hf_sink_fn sink, void *user);
void hf_write_header(struct hf_writer *w, unsigned pointer_size);

void hf_write_meta_uint(struct hf_writer *w, const char *key, uint64_t value);
void hf_write_meta_int(struct hf_writer *w, const char *key, int64_t value);
void hf_write_meta_text(struct hf_writer *w, const char *key, const char *text, size_t n);
void hf_write_meta_bool(struct hf_writer *w, const char *key, bool value);

uint32_t hf_write_name(struct hf_writer *w, const void *text, size_t n); /* returns the new id */

struct hf_type_row {
    uint64_t addr, base, basic_size, item_size, common_size;
    uint32_t flags, family;
    const char *name;
    size_t name_len;
};
uint32_t hf_write_type(struct hf_writer *w, const struct hf_type_row *row); /* returns the new id */

struct hf_run {
    uint8_t kind, flags;
    uint64_t count;        /* references; 0: the rest */
    const uint32_t *names; /* NAMED: count ids */
};
/*
 * Of the order of 50,000 names fit a layout, and 20,000 runs: a NAMED run beyond becomes UNNAMED, beyond so many runs the layout
 * is one open UNNAMED run.
 */
uint32_t hf_write_layout(struct hf_writer *w, const struct hf_run *runs, size_t n); /* returns the new id */

struct hf_object_row {
    uint64_t addr, size, refcount, real_size, whole_length;
    uint32_t
        flags; /* enum hf_object_flag: which of the fields count; REFS is set by the writer, MORE and CONT see below */
    uint32_t type, layout;
    const void *content;
    size_t content_len;
    const uint64_t *refs; /* addresses */
    uint64_t n_refs;
    uint64_t
        first_ref; /* set by the reader: position of refs[0] among all references of the object; writers ignore it */
    /* set by the reader: the same as n_refs × daddr, as in the file; writers ignore it */
    const uint8_t *packed;
    size_t packed_len;
};
/*
 * Writes a row, split into parts (format.h, OBJECTS) where the references do not fit a chunk; the layout is that of the whole object.
 *
 * A caller that does not have all references at once gives the first with MORE in flags, and calls again with CONT | MORE, the last time
 * with CONT, the same layout, and refs and n_refs of that part (none is fine); the other fields do not matter then. If a row
 * that is no CONT follows, or the end, the object is closed as BROKEN. CONT without MORE before it writes nothing.
 *
 * Nothing of a row that is not split counts before the call returns: when reading content or refs faults and the caller
 * jumps out, the writer is as if the call had not been made. A split row that faults is closed as BROKEN as above.
 *
 * A refcount of 1 and that of IMMORTAL objects are left out whatever flags say. Content beyond HF_CONTENT_MAX is cut and so marked.
 */
void hf_write_object(struct hf_writer *w, const struct hf_object_row *row);

void hf_write_role(struct hf_writer *w, uint64_t addr, uint32_t layout);

void hf_write_root(struct hf_writer *w, enum hf_root_kind kind, uint64_t addr, uint32_t name, bool counted);

struct hf_thread_row {
    uint64_t ident, native_id, state_addr;
    uint32_t flags;
    const char *name;
    size_t name_len;
};
struct hf_frame_row {
    uint64_t frame, code, function;
    uint32_t line, flags;
    const char *qualname, *file;
    size_t qualname_len, file_len;
    const uint32_t *names; /* n */
    const uint64_t *refs;  /* n */
    size_t n;
};
void hf_write_thread(struct hf_writer *w, const struct hf_thread_row *row);
/* References beyond what a chunk takes (of the order of 20,000) become HF_ROOT_THREAD rows. */
void hf_write_frame(struct hf_writer *w, const struct hf_frame_row *row);

void hf_write_counter(struct hf_writer *w, const char *key, uint64_t value);
void hf_write_skipped(struct hf_writer *w, uint64_t addr, const char *why);

void hf_writer_flush(struct hf_writer *w); /* all open chunks */

/*
 * Hands on a chunk that a reader returned, as it stands, behind all that is buffered: for programs that add META rows to a dump
 * that passes through them. They drop its END, decode it, put its totals into objects, refs, types, names and layouts above, and finish.
 */
void hf_write_chunk(struct hf_writer *w, const struct hf_chunk_header *header, const void *payload);

/* Flushes and writes END with the writer's own totals. Returns false if any byte was refused. */
bool hf_writer_finish(struct hf_writer *w, enum hf_end_status status, const char *reason);

uint64_t hf_xxh64(const void *bytes, size_t n, uint64_t seed); /* XXH64 as published by Yann Collet */
