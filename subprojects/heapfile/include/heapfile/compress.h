// SPDX-License-Identifier: MIT
#pragma once
/*
 * Compresses what is written and writes it to an fd. Host side (zlib, libzstd), no GLib. zstd compresses on a thread of its own
 * where the library can. Callers ignore SIGPIPE: a closed pipe is then an error like others. One thread at a time.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <heapfile/stream.h>

#define HF_LEVEL_DEFAULT (-1) /* zstd 3, gzip 6 */

struct hf_compress;

/* Takes fd over, in any case. level: as the library counts, HF_LEVEL_DEFAULT, no matter for HF_PLAIN. NULL without memory. */
struct hf_compress *hf_compress_new(int fd, enum hf_compression compression, int level);
void hf_compress_free(struct hf_compress *c); /* closes fd; what was not finished stays a cut file */

/* A hf_sink_fn with the compressor as user. */
bool hf_compress_write(void *compress, const void *bytes, size_t n);
bool hf_compress_finish(struct hf_compress *c); /* writes what is left, closes fd */

uint64_t hf_compress_bytes(const struct hf_compress *c);    /* written to fd so far */
const char *hf_compress_error(const struct hf_compress *c); /* "" when none; owned by c */
int hf_compress_errno(const struct hf_compress *c);         /* of the system call that failed; 0: none did */

/* By the name's end: ".zst" and ".gz", anything else plain. */
enum hf_compression hf_compression_of_name(const char *name);
