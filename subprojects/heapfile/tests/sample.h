// SPDX-License-Identifier: MIT
#pragma once
/* Dumps that tests share, and memory to write them to and read them from. Same bytes at every run. */
#include <heapfile/reader.h>
#include <glib.h>

/* A writer that appends to a GByteArray. */
struct sample_writer {
    struct hf_writer w;
    GByteArray *bytes; /* owned; becomes the caller's by sample_take */
    void *memory;      /* owned */
};
void sample_begin(struct sample_writer *s);
GByteArray *sample_take(struct sample_writer *s); /* what was written; s is empty then */

/* Few rows, the example of docs/heapfile.md: { 'key': [1, <itself>] } held by a module's attribute. */
GByteArray *sample_example(void);
/* Every kind of row and field, with the extremes that each may have; a few KiB. */
GByteArray *sample_zoo(void);
/* Rows of every length, split objects of all layouts, many chunks; some MiB. */
GByteArray *sample_large(void);

/* A source over bytes; at goes on. */
struct sample_source {
    const uint8_t *bytes; /* borrowed */
    size_t n, at;
    size_t step; /* at most so many bytes a read; 0: any number */
};
long sample_read(void *source, void *bytes, size_t n);

/* Reads a dump as text (dump-text.h). Returns the last status; *text and *error are the caller's, each may be NULL. */
enum hf_status sample_text(const void *bytes, size_t n, char **text, char **error);
