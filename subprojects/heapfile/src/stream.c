// SPDX-License-Identifier: MIT
/* Reading fds through zlib and libzstd; see stream.h. */
#include <heapfile/stream.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define BUFFER          ((size_t)1 << 20)
#define WINDOW_LOG_MAX  27 /* 128 MiB: what zstd itself takes without being asked */
#define GZIP_MAGIC_SIZE 2u
#define MAGIC_SIZE      4u

/* Bytes between two points of a buffer that is owned. */
struct window {
    uint8_t *bytes; /* owned, BUFFER long */
    size_t at, end;
};

struct hf_stream {
    int fd; /* owned */
    enum hf_compression compression;
    bool started;
    bool in_eof;    /* fd is at its end */
    bool in_member; /* a gzip member or zstd frame has begun and not ended */
    bool out_eof;   /* no more decompressed bytes */
    uint64_t position;
    struct window in, out; /* out: decompressed, only in use when compressed or peeked */
    z_stream z;
    bool have_z;
    ZSTD_DStream *zstd;       /* owned */
    struct hf_reader *reader; /* borrowed; gets our messages */
    char error[256];
};

struct hf_stream *
hf_stream_new(int fd)
{
    struct hf_stream *s = calloc(1, sizeof *s);
    if (s != NULL) {
        s->fd = fd;
        s->in.bytes = malloc(BUFFER);
        s->out.bytes = malloc(BUFFER);
        if (s->in.bytes != NULL && s->out.bytes != NULL)
            return s;
        hf_stream_free(s);
        return NULL;
    }
    close(fd);
    return NULL;
}

void
hf_stream_free(struct hf_stream *s)
{
    if (s == NULL)
        return;
    if (s->have_z)
        inflateEnd(&s->z);
    ZSTD_freeDStream(s->zstd);
    free(s->in.bytes);
    free(s->out.bytes);
    close(s->fd);
    free(s);
}

const char *
hf_stream_error(const struct hf_stream *s)
{
    return s->error;
}

uint64_t
hf_stream_position(const struct hf_stream *s)
{
    return s->position - (s->in.end - s->in.at);
}

static bool
fail(struct hf_stream *s, const char *message)
{
    snprintf(s->error, sizeof s->error, "%s", message);
    if (s->reader != NULL)
        hf_reader_set_error(s->reader, s->error);
    return false;
}

/* Up to n bytes of the file to p; *got 0 at its end. */
static bool
read_fd(struct hf_stream *s, void *p, size_t n, size_t *got)
{
    for (;;) {
        ssize_t k = read(s->fd, p, n);
        if (k >= 0) {
            *got = (size_t)k;
            s->position += (uint64_t)k;
            s->in_eof = k == 0;
            return true;
        }
        if (errno == EAGAIN) {
            struct pollfd wait = {.fd = s->fd, .events = POLLIN};
            if (poll(&wait, 1, -1) >= 0 || errno == EINTR)
                continue;
        }
        if (errno != EINTR) {
            char text[128];
            snprintf(text, sizeof text, "reading failed: %s", strerror(errno));
            return fail(s, text);
        }
    }
}

/* At least n bytes in s->in, less only at the end of the file. */
static bool
fill_in(struct hf_stream *s, size_t n)
{
    struct window *w = &s->in;
    while (w->end - w->at < n && !s->in_eof) {
        memmove(w->bytes, w->bytes + w->at, w->end - w->at);
        w->end -= w->at;
        w->at = 0;
        size_t got;
        if (!read_fd(s, w->bytes + w->end, BUFFER - w->end, &got))
            return false;
        w->end += got;
    }
    return true;
}

static bool
looks_gzip(const uint8_t *p, size_t n)
{
    return n >= GZIP_MAGIC_SIZE && p[0] == 0x1f && p[1] == 0x8b;
}

/* A frame, or one that is skipped, as some tools put in front. */
static bool
looks_zstd(const uint8_t *p, size_t n)
{
    if (n < MAGIC_SIZE)
        return false;
    uint32_t magic = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    return magic == ZSTD_MAGICNUMBER || (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

static bool
start(struct hf_stream *s)
{
    s->started = true;
    if (!fill_in(s, MAGIC_SIZE))
        return false;
    const uint8_t *p = s->in.bytes + s->in.at;
    size_t n = s->in.end - s->in.at;
    if (looks_gzip(p, n)) {
        s->compression = HF_GZIP;
        if (inflateInit2(&s->z, 15 + 16) != Z_OK) /* 15: largest window; 16: gzip, no other */
            return fail(s, "gzip: no memory");
        s->have_z = true;
    } else if (looks_zstd(p, n)) {
        s->compression = HF_ZSTD;
        s->zstd = ZSTD_createDStream();
        if (s->zstd == NULL || ZSTD_isError(ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
            return fail(s, "zstd: no memory");
    }
    return true;
}

/* One step of inflate: consumes s->in, fills p. */
static bool
step_gzip(struct hf_stream *s, uint8_t *p, size_t room, size_t *got)
{
    if (!s->in_member) {
        if (!looks_gzip(s->in.bytes + s->in.at, s->in.end - s->in.at))
            return fail(s, "gzip: bytes behind the end that are no gzip");
        inflateReset(&s->z);
        s->in_member = true;
    }
    s->z.next_in = s->in.bytes + s->in.at;
    s->z.avail_in = (uInt)(s->in.end - s->in.at);
    s->z.next_out = p;
    s->z.avail_out = (uInt)room;
    int code = inflate(&s->z, Z_NO_FLUSH);
    s->in.at = s->in.end - s->z.avail_in;
    *got = room - s->z.avail_out;
    if (code == Z_STREAM_END)
        s->in_member = false;
    else if (code != Z_OK && code != Z_BUF_ERROR) {
        char text[160];
        snprintf(text, sizeof text, "gzip: %s", code == Z_MEM_ERROR ? "no memory" : s->z.msg ? s->z.msg : "damaged");
        return fail(s, text);
    }
    return true;
}

static bool
step_zstd(struct hf_stream *s, uint8_t *p, size_t room, size_t *got)
{
    if (!s->in_member && !looks_zstd(s->in.bytes + s->in.at, s->in.end - s->in.at))
        return fail(s, "zstd: bytes behind the end that are no zstd");
    ZSTD_inBuffer in = {.src = s->in.bytes, .size = s->in.end, .pos = s->in.at};
    ZSTD_outBuffer out = {.dst = p, .size = room};
    size_t code = ZSTD_decompressStream(s->zstd, &out, &in);
    if (ZSTD_isError(code)) {
        char text[160];
        bool memory = ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation;
        snprintf(text, sizeof text, "zstd: %s", memory ? "no memory" : ZSTD_getErrorName(code));
        return fail(s, text);
    }
    s->in.at = in.pos;
    *got = out.pos;
    s->in_member = code != 0;
    return true;
}

/* Decompressed bytes to p: some, or none at the end. */
static bool
decompress(struct hf_stream *s, uint8_t *p, size_t room, size_t *got)
{
    *got = 0;
    while (*got == 0 && !s->out_eof) {
        if (!fill_in(s, s->in_member ? 1 : MAGIC_SIZE))
            return false;
        bool dry = s->in.at == s->in.end;
        if (dry && !s->in_member) {
            s->out_eof = true;
            return true;
        }
        size_t before = s->in.at;
        bool ok = s->compression == HF_GZIP ? step_gzip(s, p, room, got) : step_zstd(s, p, room, got);
        if (!ok)
            return false;
        if (*got == 0 && s->in.at == before && s->in_member && s->in_eof && dry)
            return fail(s, s->compression == HF_GZIP ? "gzip: the file is cut" : "zstd: the file is cut");
    }
    return true;
}

static bool
read_some(struct hf_stream *s, uint8_t *p, size_t n, size_t *got)
{
    *got = 0;
    if (s->error[0] != '\0' || (!s->started && !start(s)))
        return false;
    if (s->compression != HF_PLAIN)
        return decompress(s, p, n, got);
    size_t have = s->in.end - s->in.at;
    if (have == 0 && n >= BUFFER)
        return read_fd(s, p, n, got);
    if (have == 0 && !fill_in(s, 1))
        return false;
    have = s->in.end - s->in.at;
    *got = have < n ? have : n;
    memcpy(p, s->in.bytes + s->in.at, *got);
    s->in.at += *got;
    return true;
}

long
hf_stream_read(void *stream, void *bytes, size_t n)
{
    struct hf_stream *s = stream;
    struct window *w = &s->out;
    size_t got;
    if (n > SIZE_MAX / 4)
        n = SIZE_MAX / 4;
    if (w->at == w->end && n >= BUFFER)
        return read_some(s, bytes, n, &got) ? (long)got : -1;
    if (w->at == w->end) {
        if (s->compression == HF_PLAIN && s->started)
            return read_some(s, bytes, n, &got) ? (long)got : -1;
        w->at = w->end = 0;
        if (!read_some(s, w->bytes, BUFFER, &got))
            return -1;
        w->end = got;
    }
    got = w->end - w->at < n ? w->end - w->at : n;
    memcpy(bytes, w->bytes + w->at, got);
    w->at += got;
    return (long)got;
}

size_t
hf_stream_peek(struct hf_stream *s, const uint8_t **bytes, size_t n)
{
    struct window *w = &s->out;
    if (n > HF_STREAM_PEEK_MAX)
        n = HF_STREAM_PEEK_MAX;
    if (BUFFER - w->at < n) {
        memmove(w->bytes, w->bytes + w->at, w->end - w->at);
        w->end -= w->at;
        w->at = 0;
    }
    while (w->end - w->at < n) {
        size_t got;
        if (!read_some(s, w->bytes + w->end, BUFFER - w->end, &got) || got == 0)
            break;
        w->end += got;
    }
    *bytes = w->bytes + w->at;
    return w->end - w->at;
}

enum hf_compression
hf_stream_compression(struct hf_stream *s)
{
    if (!s->started)
        start(s);
    return s->compression;
}

struct hf_reader *
hf_stream_reader(struct hf_stream *s)
{
    struct hf_reader *r = hf_reader_new(hf_stream_read, s);
    s->reader = r;
    if (r != NULL && s->error[0] != '\0')
        hf_reader_set_error(r, s->error);
    return r;
}
