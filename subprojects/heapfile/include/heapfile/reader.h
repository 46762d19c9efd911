// SPDX-License-Identifier: MIT
#pragma once
/*
 * Bounds-checked streaming reader of the format of format.h. Host side, libc only, no GLib. Two levels: chunks (framing and
 * checksum; what the driver needs) and rows. Memory: one chunk (HF_CHUNK_MAX), the longest row of it decoded, and 16 bytes for each
 * type and 8 for each layout read; never on the word of a length in the file, but as bytes arrive. One thread at a time.
 *
 * Every failure leaves a message for hf_reader_error(): what is wrong, in which chunk, at which byte of the stream. It is final: all
 * later calls return the same status.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <heapfile/format.h>
#include <heapfile/writer.h> /* row structs are shared */

/* Fills up to n bytes; returns how many (fewer are fine), 0 at the end, -1 on an error (message through hf_reader_set_error). */
typedef long (*hf_source_fn)(void *user, void *bytes, size_t n);

enum hf_status {
    HF_OK = 0,
    HF_EOF,     /* END was read and the stream is at its end */
    HF_CUT,     /* the stream ended before END */
    HF_CORRUPT, /* checksum, bounds, order or value wrong */
    HF_FOREIGN, /* not this format, or a version that is not ours */
    HF_IO,      /* the source failed */
    HF_NOMEM,
};

struct hf_reader;

struct hf_reader *hf_reader_new(hf_source_fn source, void *user); /* NULL without memory */
void hf_reader_free(struct hf_reader *r);
const char *hf_reader_error(const struct hf_reader *r);             /* "" when none; owned by r */
void hf_reader_set_error(struct hf_reader *r, const char *message); /* for sources */
uint64_t hf_reader_position(const struct hf_reader *r);             /* bytes of the stream consumed */

enum hf_status hf_read_header(struct hf_reader *r, struct hf_file_header *out);

/* Next chunk, checksum verified. *payload is owned by r and valid until the next call. Unknown kinds are returned too. */
enum hf_status hf_read_chunk(struct hf_reader *r, struct hf_chunk_header *out, const uint8_t **payload);

/* One meta value; text is not NUL-terminated. */
struct hf_meta_row {
    const char *key;
    size_t key_len;
    enum hf_meta_type type;
    uint64_t uint_value;
    int64_t int_value;
    const char *text;
    size_t text_len;
};

struct hf_root_row {
    enum hf_root_kind kind;
    uint64_t addr;
    uint32_t name;
    bool counted;
};

struct hf_end_row {
    uint64_t objects, refs, types, names, layouts, bytes;
    enum hf_end_status status;
    const char *reason;
    size_t reason_len;
};

/*
 * What hf_decode_chunk calls, each may be NULL. Pointers in rows are valid during the call only. A callback that returns false stops
 * the reading (HF_OK is returned, hf_reader_error stays ""). Ids start at 1. Parts of a split object come one by one:
 * HF_OBJ_CONT in flags marks those that go on; addr and type are then those of the object, first_ref is how many references came before.
 * The last part is the one without HF_OBJ_MORE. Object rows have what the file leaves out: size (the type's common size, and SIZED),
 * refcount (1; meaningless with HF_OBJ_IMMORTAL); in CONT rows they are 0. Contents of NUMBERS types are text, and type rows do not have that flag.
 */
struct hf_handlers {
    /* Object rows have packed references alone, refs is NULL: who reads them later need not have them read twice. Whether they are
     * addresses of 64 bits at most is not looked at then. */
    bool leave_packed;
    bool (*chunk)(void *user, const struct hf_chunk_header *chunk, const uint8_t *payload); /* before its rows */
    bool (*meta)(void *user, const struct hf_meta_row *row);
    bool (*name)(void *user, uint32_t id, const char *text, size_t n);
    bool (*type)(void *user, uint32_t id, const struct hf_type_row *row);
    bool (*layout)(void *user, uint32_t id, const struct hf_run *runs, size_t n);
    bool (*role)(void *user, uint64_t addr, uint32_t layout);
    bool (*object)(void *user, const struct hf_object_row *row);
    bool (*root)(void *user, const struct hf_root_row *row);
    bool (*thread)(void *user, const struct hf_thread_row *row);
    bool (*frame)(void *user, const struct hf_frame_row *row);
    bool (*counter)(void *user, const char *key, size_t n, uint64_t value);
    bool (*skipped)(void *user, uint64_t addr, const char *why, size_t n);
    bool (*end)(void *user, const struct hf_end_row *row);
};

/*
 * Decodes the rows of one chunk that hf_read_chunk returned (state such as id counters and split objects lives in r). Chunks may be
 * left out by who does not need their rows; END's totals are compared when none was.
 */
enum hf_status hf_decode_chunk(struct hf_reader *r, const struct hf_chunk_header *chunk, const uint8_t *payload,
                               const struct hf_handlers *handlers, void *user);

/*
 * For who keeps hf_object_row.packed and reads it later: n addresses that begin at a base, or one number. Return the bytes used, never more
 * than there are; what is cut or wrong reads as 0.
 */
size_t hf_unpack_refs(const uint8_t *packed, size_t length, uint64_t base, uint64_t *refs, uint64_t n);
size_t hf_unpack_uv(const uint8_t *packed, size_t length, uint64_t *value);

/* Header, all chunks, END: HF_EOF when the file is whole. Totals of END are compared with what was read. */
enum hf_status hf_read_all(struct hf_reader *r, const struct hf_handlers *handlers, void *user);
