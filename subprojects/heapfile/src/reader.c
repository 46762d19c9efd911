// SPDX-License-Identifier: MIT
/*
 * Framing: file header, chunks, checksums, totals. The rows inside chunks are decoded in rows.c. Memory: one payload (at most
 * HF_CHUNK_MAX, and never more than twice what has arrived), and what rows.c keeps.
 */
#include "reader-private.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_SIZE_MAX 4096
#define FIRST_PAYLOAD   (64u << 10)

struct hf_reader *
hf_reader_new(hf_source_fn source, void *user)
{
    struct hf_reader *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->source = source;
    r->user = user;
    return r;
}

void
hf_reader_free(struct hf_reader *r)
{
    if (r == NULL)
        return;
    hf_rows_clear(r);
    free(r->payload);
    free(r);
}

const char *
hf_reader_error(const struct hf_reader *r)
{
    return r->error;
}

void
hf_reader_set_error(struct hf_reader *r, const char *message)
{
    snprintf(r->error, sizeof r->error, "%s", message);
}

uint64_t
hf_reader_position(const struct hf_reader *r)
{
    return r->position;
}

/* Every failure ends here, and is final: a reader that failed goes on failing in the same way. */
enum hf_status
hf_reader_fail(struct hf_reader *r, enum hf_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->error, sizeof r->error, format, args);
    va_end(args);
    r->failed = status;
    return status;
}

const char *
hf_kind_text(uint32_t kind, char text[12])
{
    bool readable = true;
    for (unsigned i = 0; i < 4; i++) {
        unsigned c = kind >> 8 * i & 0xff;
        text[i] = (char)c;
        readable = readable && c > ' ' && c < 0x7f;
    }
    text[4] = '\0';
    if (!readable)
        snprintf(text, 12, "0x%08x", (unsigned)kind);
    return text;
}

/* Up to n bytes, less only at the end of the stream. */
static enum hf_status
fill(struct hf_reader *r, void *bytes, size_t n, size_t *got)
{
    *got = 0;
    while (*got < n) {
        long k = r->source(r->user, (uint8_t *)bytes + *got, n - *got);
        if (k < 0 || (size_t)k > n - *got) {
            if (r->error[0] == '\0')
                hf_reader_set_error(r, "reading failed");
            r->failed = HF_IO;
            return HF_IO;
        }
        if (k == 0)
            break;
        *got += (size_t)k;
        r->position += (uint64_t)k;
    }
    return HF_OK;
}

static enum hf_status
check_magic(struct hf_reader *r, const uint8_t *bytes, size_t n)
{
    if (n == 0)
        return hf_reader_fail(r, HF_CUT, "empty: not one byte of a heap dump");
    size_t compare = n < 8 ? n : 8;
    if (memcmp(bytes, HF_MAGIC, compare) == 0)
        return HF_OK;
    if (n >= 4 && memcmp(bytes + 1, "HPD", 3) == 0)
        return hf_reader_fail(r, HF_FOREIGN, "a heap dump that was damaged on its way, as by a transfer in text mode");
    return hf_reader_fail(r, HF_FOREIGN, "not a heap dump");
}

enum hf_status
hf_read_header(struct hf_reader *r, struct hf_file_header *out)
{
    if (r->failed != HF_OK)
        return r->failed;
    struct hf_file_header h;
    size_t got;
    enum hf_status status = fill(r, &h, sizeof h, &got);
    if (status == HF_OK)
        status = check_magic(r, (const uint8_t *)&h, got);
    if (status != HF_OK)
        return status;
    if (got < sizeof h)
        return hf_reader_fail(r, HF_CUT, "cut in the file header, after %zu bytes", got);
    if (h.version_major < HF_VERSION_FIRST || h.version_major > HF_VERSION_MAJOR)
        return hf_reader_fail(r, HF_FOREIGN, "heap dump of format %u.%u, this program reads %u.x to %u.x",
                              h.version_major, h.version_minor, HF_VERSION_FIRST, HF_VERSION_MAJOR);
    if (h.checksum != hf_xxh64(&h, offsetof(struct hf_file_header, checksum), 0))
        return hf_reader_fail(r, HF_CORRUPT, "file header: checksum does not match");
    if (h.byte_order != HF_LITTLE_ENDIAN)
        return hf_reader_fail(r, HF_FOREIGN, "heap dump of a machine of another byte order (%u)", h.byte_order);
    if (h.pointer_size != 4 && h.pointer_size != 8)
        return hf_reader_fail(r, HF_FOREIGN, "heap dump of a machine with pointers of %u bytes", h.pointer_size);
    if (h.header_size < sizeof h || h.header_size > HEADER_SIZE_MAX)
        return hf_reader_fail(r, HF_CORRUPT, "file header: size %u is out of range", h.header_size);
    uint8_t rest[HEADER_SIZE_MAX];
    size_t more = h.header_size - sizeof h;
    status = fill(r, rest, more, &got);
    if (status != HF_OK)
        return status;
    if (got < more)
        return hf_reader_fail(r, HF_CUT, "cut in the file header, after %zu bytes", sizeof h + got);
    *out = h;
    return HF_OK;
}

/* The payload's memory grows with what arrives: a length alone costs nothing. */
static enum hf_status
fill_payload(struct hf_reader *r, size_t length, size_t *got)
{
    *got = 0;
    for (;;) {
        if (*got == r->payload_size) {
            size_t size = r->payload_size == 0 ? FIRST_PAYLOAD : 2 * r->payload_size;
            uint8_t *payload = realloc(r->payload, size);
            if (payload == NULL)
                return hf_reader_fail(r, HF_NOMEM, "no memory for a chunk of %zu bytes", length);
            r->payload = payload;
            r->payload_size = size;
        }
        size_t want = length < r->payload_size ? length : r->payload_size;
        size_t now;
        enum hf_status status = fill(r, r->payload + *got, want - *got, &now);
        *got += now;
        if (status != HF_OK || *got < want || *got == length)
            return status;
    }
}

static enum hf_status
read_end_of_stream(struct hf_reader *r)
{
    uint8_t byte;
    size_t got;
    enum hf_status status = fill(r, &byte, 1, &got);
    if (status != HF_OK)
        return status;
    if (got > 0)
        return hf_reader_fail(r, HF_CORRUPT, "bytes after the END chunk, at byte %llu",
                              (unsigned long long)(r->position - 1));
    r->failed = HF_EOF;
    return HF_EOF;
}

enum hf_status
hf_read_chunk(struct hf_reader *r, struct hf_chunk_header *out, const uint8_t **payload)
{
    if (r->failed != HF_OK)
        return r->failed;
    if (r->ended)
        return read_end_of_stream(r);
    struct hf_chunk_header h;
    size_t got;
    r->chunk_at = r->position;
    unsigned long long at = r->chunk_at;
    enum hf_status status = fill(r, &h, sizeof h, &got);
    if (status != HF_OK)
        return status;
    if (got == 0)
        return hf_reader_fail(r, HF_CUT, "cut at byte %llu: the END chunk is missing", at);
    if (got < sizeof h)
        return hf_reader_fail(r, HF_CUT, "cut at byte %llu, in a chunk header", (unsigned long long)r->position);
    char kind[12];
    hf_kind_text(h.kind, kind);
    if (h.length > HF_CHUNK_MAX)
        return hf_reader_fail(r, HF_CORRUPT, "%s chunk at byte %llu: length %llu is more than %u", kind, at,
                              (unsigned long long)h.length, HF_CHUNK_MAX);
    status = fill_payload(r, (size_t)h.length, &got);
    if (status != HF_OK)
        return status;
    if (got < h.length)
        return hf_reader_fail(r, HF_CUT, "cut at byte %llu, in the %s chunk at byte %llu",
                              (unsigned long long)r->position, kind, at);
    if (h.checksum != hf_xxh64(r->payload, (size_t)h.length, h.kind | (uint64_t)h.rows << 32))
        return hf_reader_fail(r, HF_CORRUPT, "%s chunk at byte %llu: checksum does not match", kind, at);
    r->chunks_read++;
    r->ended = h.kind == HF_CHUNK_END;
    *out = h;
    *payload = r->payload;
    return HF_OK;
}

enum hf_status
hf_read_all(struct hf_reader *r, const struct hf_handlers *handlers, void *user)
{
    struct hf_file_header file;
    enum hf_status status = hf_read_header(r, &file);
    while (status == HF_OK && !r->stopped) {
        struct hf_chunk_header chunk;
        const uint8_t *payload;
        status = hf_read_chunk(r, &chunk, &payload);
        if (status == HF_OK)
            status = hf_decode_chunk(r, &chunk, payload, handlers, user);
    }
    return status;
}
