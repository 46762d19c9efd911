// SPDX-License-Identifier: MIT
/* Writing fds through zlib and libzstd; see compress.h. */
#include <heapfile/compress.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define BUFFER        ((size_t)1 << 20)
#define ZSTD_LEVEL    3
#define GZIP_LEVEL    6
#define INFLATE_PIECE ((size_t)1 << 30) /* zlib counts in unsigned int */

struct hf_compress {
    int fd; /* owned; -1 once closed */
    enum hf_compression compression;
    z_stream z;
    bool have_z;
    ZSTD_CStream *zstd; /* owned */
    uint8_t *out;       /* owned */
    size_t at;          /* filled so far */
    uint64_t bytes;
    int error_number;
    char error[256];
};

static bool
fail(struct hf_compress *c, const char *what, const char *why)
{
    if (c->error[0] == '\0')
        snprintf(c->error, sizeof c->error, "%s: %s", what, why);
    return false;
}

static bool
fail_errno(struct hf_compress *c, const char *what)
{
    c->error_number = errno;
    return fail(c, what, strerror(errno));
}

struct hf_compress *
hf_compress_new(int fd, enum hf_compression compression, int level)
{
    struct hf_compress *c = calloc(1, sizeof *c);
    if (c == NULL) {
        close(fd);
        return NULL;
    }
    c->fd = fd;
    c->compression = compression;
    c->out = malloc(BUFFER);
    bool ok = c->out != NULL;
    if (ok && compression == HF_GZIP) {
        ok = deflateInit2(&c->z, level == HF_LEVEL_DEFAULT ? GZIP_LEVEL : level, Z_DEFLATED, 15 + 16, 8,
                          Z_DEFAULT_STRATEGY) == Z_OK;
        c->have_z = ok;
    } else if (ok && compression == HF_ZSTD) {
        c->zstd = ZSTD_createCStream();
        ok = c->zstd != NULL;
        if (ok) {
            ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, level == HF_LEVEL_DEFAULT ? ZSTD_LEVEL : level);
            ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_checksumFlag, 1);
            ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_nbWorkers, 1); /* refused by a library without threads: fine */
        }
    }
    if (!ok) {
        hf_compress_free(c);
        return NULL;
    }
    return c;
}

void
hf_compress_free(struct hf_compress *c)
{
    if (c == NULL)
        return;
    if (c->have_z)
        deflateEnd(&c->z);
    ZSTD_freeCStream(c->zstd);
    if (c->fd >= 0)
        close(c->fd);
    free(c->out);
    free(c);
}

uint64_t
hf_compress_bytes(const struct hf_compress *c)
{
    return c->bytes;
}

const char *
hf_compress_error(const struct hf_compress *c)
{
    return c->error;
}

int
hf_compress_errno(const struct hf_compress *c)
{
    return c->error_number;
}

enum hf_compression
hf_compression_of_name(const char *name)
{
    size_t n = strlen(name);
    if (n >= 4 && strcmp(name + n - 4, ".zst") == 0)
        return HF_ZSTD;
    if (n >= 3 && strcmp(name + n - 3, ".gz") == 0)
        return HF_GZIP;
    return HF_PLAIN;
}

static bool
write_fd(struct hf_compress *c, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t k = write(c->fd, p, n);
        if (k >= 0) {
            p += k;
            n -= (size_t)k;
            c->bytes += (uint64_t)k;
            continue;
        }
        if (errno == EAGAIN) {
            struct pollfd wait = {.fd = c->fd, .events = POLLOUT};
            if (poll(&wait, 1, -1) >= 0 || errno == EINTR)
                continue;
        }
        if (errno != EINTR)
            return fail_errno(c, "writing failed");
    }
    return true;
}

static bool
flush(struct hf_compress *c)
{
    size_t n = c->at;
    c->at = 0;
    return write_fd(c, c->out, n);
}

static bool
deflate_piece(struct hf_compress *c, const uint8_t *p, size_t n, bool last)
{
    c->z.next_in = (Bytef *)(uintptr_t)p; /* zlib does not write there */
    c->z.avail_in = (uInt)n;
    for (;;) {
        c->z.next_out = c->out + c->at;
        c->z.avail_out = (uInt)(BUFFER - c->at);
        int code = deflate(&c->z, last ? Z_FINISH : Z_NO_FLUSH);
        c->at = BUFFER - c->z.avail_out;
        if (code == Z_STREAM_ERROR)
            return fail(c, "gzip", "damaged state");
        bool done = last ? code == Z_STREAM_END : c->z.avail_in == 0;
        if (c->at == BUFFER && !flush(c))
            return false;
        if (done)
            return true;
    }
}

static bool
zstd_piece(struct hf_compress *c, const uint8_t *p, size_t n, bool last)
{
    ZSTD_inBuffer in = {.src = p, .size = n};
    for (;;) {
        ZSTD_outBuffer out = {.dst = c->out, .size = BUFFER, .pos = c->at};
        size_t left = ZSTD_compressStream2(c->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        c->at = out.pos;
        if (ZSTD_isError(left))
            return fail(c, "zstd", ZSTD_getErrorName(left));
        if (c->at == BUFFER && !flush(c))
            return false;
        if (last ? left == 0 : in.pos == in.size)
            return true;
    }
}

static bool
plain_piece(struct hf_compress *c, const uint8_t *p, size_t n)
{
    if (n > BUFFER - c->at && !flush(c))
        return false;
    if (n >= BUFFER)
        return write_fd(c, p, n);
    memcpy(c->out + c->at, p, n);
    c->at += n;
    return true;
}

bool
hf_compress_write(void *compress, const void *bytes, size_t n)
{
    struct hf_compress *c = compress;
    if (c->error[0] != '\0')
        return false;
    const uint8_t *p = bytes;
    while (n > 0) {
        size_t k = n < INFLATE_PIECE ? n : INFLATE_PIECE;
        bool ok = c->compression == HF_GZIP   ? deflate_piece(c, p, k, false)
                  : c->compression == HF_ZSTD ? zstd_piece(c, p, k, false)
                                              : plain_piece(c, p, k);
        if (!ok)
            return false;
        p += k;
        n -= k;
    }
    return true;
}

bool
hf_compress_finish(struct hf_compress *c)
{
    if (c->error[0] != '\0' || c->fd < 0)
        return false;
    if (c->compression == HF_GZIP && !deflate_piece(c, NULL, 0, true))
        return false;
    if (c->compression == HF_ZSTD && !zstd_piece(c, NULL, 0, true))
        return false;
    if (!flush(c))
        return false;
    int fd = c->fd;
    c->fd = -1;
    if (close(fd) != 0)
        return fail_errno(c, "closing failed");
    return true;
}
