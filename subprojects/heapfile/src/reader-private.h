// SPDX-License-Identifier: MIT
#pragma once
/* What reader.c (framing) and rows.c (rows) share. */
#include <heapfile/digits.h>
#include <heapfile/reader.h>

/* Memory for the variable part of rows: referents, name ids, runs. Grows with what is read, never beyond one chunk's rows. */
struct hf_scratch {
    void *bytes; /* owned */
    size_t size;
};

/* What object rows need of their type. */
struct hf_known_type {
    uint64_t common_size;
    uint8_t number; /* HF_FAMILY_INT or _FLOAT: contents are numbers; 0: as they are */
    bool sized;
};

struct hf_reader {
    hf_source_fn source;
    void *user; /* borrowed */
    uint64_t position;
    char error[256];
    enum hf_status failed; /* final state: not HF_OK once anything went wrong or the end was reached */
    bool stopped;          /* a handler said no */
    bool ended;            /* END chunk was read */

    uint8_t *payload; /* owned */
    size_t payload_size;
    uint64_t chunk_at; /* stream position of the chunk's header */

    /* What is known of the rows so far. */
    uint64_t chunks_read, chunks_decoded;
    uint64_t objects, refs;
    uint32_t names, types, layouts;
    struct hf_known_type *known_types; /* owned; by type id - 1 */
    uint64_t *layout_sizes;            /* owned; by layout id - 1: references in fixed runs << 2 | LAYOUT_… */
    size_t type_room, layout_room;
    bool have_thread;

    /* The object that is being split. */
    bool more;
    bool split_broken, split_has_layout;
    uint32_t split_type, split_layout;
    uint64_t split_addr, split_refs;

    struct hf_scratch refs_scratch, ids_scratch, runs_scratch;
    uint8_t number[HF_DOUBLE_ROOM]; /* text of the number at hand */
};

#define HF_LAYOUT_OPEN  1u /* one run takes all that are left */
#define HF_LAYOUT_PAIRS 2u /* and it is ITEMS */

enum hf_status hf_reader_fail(struct hf_reader *r, enum hf_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
const char *hf_kind_text(uint32_t kind, char text[12]);
void hf_rows_clear(struct hf_reader *r);
