// SPDX-License-Identifier: MIT
#pragma once
/*
 * Bytes of a file or pipe, decompressed as they come: gzip and zstd are recognised by content, concatenated members and frames go
 * on. Host side (zlib, libzstd), no GLib. Memory is bounded (two buffers of 1 MiB and what a zstd window needs, at most 128 MiB), whatever a
 * file claims. For any file, a dump of ours or not: hf_stream_peek() shows what it is. One thread at a time.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <heapfile/reader.h>

enum hf_compression {
    HF_PLAIN = 0,
    HF_GZIP,
    HF_ZSTD,
};

struct hf_stream;

struct hf_stream *hf_stream_new(int fd); /* takes fd over, in any case; NULL without memory */
void hf_stream_free(struct hf_stream *s);

/* A hf_source_fn with the stream as user: up to n decompressed bytes, 0 at the end, -1 with a message in hf_stream_error(). */
long hf_stream_read(void *stream, void *bytes, size_t n);

/*
 * The next bytes, not consumed: at least n (≤ HF_STREAM_PEEK_MAX) unless the stream ends or fails before. Returns how many there are;
 * *bytes is owned by the stream and valid until the next call.
 */
#define HF_STREAM_PEEK_MAX 4096u
size_t hf_stream_peek(struct hf_stream *s, const uint8_t **bytes, size_t n);

enum hf_compression hf_stream_compression(struct hf_stream *s); /* reads the first bytes */
uint64_t hf_stream_position(const struct hf_stream *s);         /* bytes of the file taken, before decompression */
/* "" when none; owned by s. "reading failed: …", "gzip: …", "zstd: …"; the latter two end in "the file is cut" and "no memory" for these. */
const char *hf_stream_error(const struct hf_stream *s);

/* A reader over a stream, whose messages become the reader's. Borrows s; free the reader first. NULL without memory. */
struct hf_reader *hf_stream_reader(struct hf_stream *s);
