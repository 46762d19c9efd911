// SPDX-License-Identifier: MIT
#include "output.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "error.h"
#include "run.h"

enum { READER_POLL_US = 50000 };

struct InjOutput {
    const char *path; /* borrowed */
    enum hf_compression kind;
    gboolean direct;              /* stdout, or something that is no regular file: no temporary name */
    int dir_fd;                   /* owned; -1 when direct */
    char *name;                   /* owned; in dir_fd */
    char *temp;                   /* owned; its name until it is whole */
    InjGuard *guard;              /* borrowed; NULL: nothing is open */
    struct hf_compress *compress; /* owned */
    int sync_fd;                  /* owned; the same file, to sync it */
    guint64 taken;                /* bytes before compression */
    guint64 written;
};

static void
fail(const InjOutput *out, int e, GError **error)
{
    const char *remedy = "";

    if (e == ENOSPC || e == EDQUOT)
        remedy = ": make room, or name another place with -o FILE";
    else if (e == EACCES || e == EPERM || e == EROFS || e == ENOENT || e == ENOTDIR)
        remedy = ": name another place with -o FILE";
    else if (e == EFBIG)
        remedy = ": raise the limit on the size of files (ulimit -f), or name a compressed one (.zst)";
    else if (e == EPIPE)
        remedy = ": who read it went away";
    g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "cannot write %s: %s%s",
                strcmp(out->path, "-") == 0 ? "to stdout" : out->path, g_strerror(e), remedy);
}

InjOutput *
inj_output_plan(const InjOptions *o, GError **error)
{
    g_autoptr(InjOutput) out = g_new0(InjOutput, 1);
    struct stat st;

    out->path = o->output;
    out->kind = o->compress == INJ_COMPRESS_ZSTD ? HF_ZSTD : o->compress == INJ_COMPRESS_GZIP ? HF_GZIP : HF_PLAIN;
    out->dir_fd = out->sync_fd = -1;
    out->direct = strcmp(out->path, "-") == 0;
    if (out->direct) {
        if (isatty(STDOUT_FILENO)) {
            g_set_error(error, INJ_ERROR, INJ_ERROR_USAGE,
                        "a dump is not for a terminal: send stdout to a file or a pipe, or use -o FILE");
            return NULL;
        }
        return g_steal_pointer(&out);
    }
    if (stat(out->path, &st) == 0) {
        if (S_ISDIR(st.st_mode)) {
            g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "cannot write %s: it is a folder; name a file in it",
                        out->path);
            return NULL;
        }
        out->direct = !S_ISREG(st.st_mode);
        if (out->direct)
            return g_steal_pointer(&out);
    }
    g_autofree char *dir = g_path_get_dirname(out->path);
    out->name = g_path_get_basename(out->path);
    out->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (out->dir_fd < 0 || faccessat(out->dir_fd, ".", W_OK | X_OK, AT_EACCESS) != 0) {
        fail(out, errno, error);
        return NULL;
    }
    return g_steal_pointer(&out);
}

static void
forget(InjOutput *out)
{
    g_clear_pointer(&out->compress, hf_compress_free);
    if (out->sync_fd >= 0)
        close(out->sync_fd);
    out->sync_fd = -1;
    if (out->temp != NULL) {
        unlinkat(out->dir_fd, out->temp, 0);
        if (out->guard != NULL)
            inj_guard_set_output(out->guard, -1, NULL);
        g_clear_pointer(&out->temp, g_free);
    }
    out->taken = out->written = 0;
}

/* A pipe with a name has no end to write to before somebody reads: wait for that, as long as the user does. */
static int
open_direct(const InjOutput *out, GError **error)
{
    for (;;) {
        g_autoptr(GError) local = NULL;
        struct stat st;
        int fd = open(out->path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd >= 0 && fcntl(fd, F_SETFL, 0) == 0)
            return fd;
        if (fd >= 0 || errno != ENXIO || stat(out->path, &st) != 0 || !S_ISFIFO(st.st_mode)) {
            int e = errno;
            if (fd >= 0)
                close(fd);
            fail(out, e, error);
            return -1;
        }
        inj_wait_readable(-1, g_get_monotonic_time() + READER_POLL_US, &local);
        if (local->code != INJ_ERROR_TIMEOUT) {
            g_propagate_error(error, g_steal_pointer(&local));
            return -1;
        }
    }
}

gboolean
inj_output_open(InjOutput *out, InjGuard *g, GError **error)
{
    int fd;

    forget(out);
    out->guard = g;
    if (strcmp(out->path, "-") == 0)
        fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    else if (out->direct) {
        fd = open_direct(out, error);
        if (fd < 0)
            return FALSE;
    } else {
        out->temp = g_strdup_printf(".heapdump-%s.part", inj_guard_nonce(g));
        inj_guard_set_output(g, out->dir_fd, out->temp);
        /* Dumps hold secrets: for the user alone. */
        fd = openat(out->dir_fd, out->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    }
    if (fd < 0) {
        fail(out, errno, error);
        return FALSE;
    }
    out->sync_fd = out->direct ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    /* gzip's usual level is slower than the walk by far, and the target's memory is held meanwhile. */
    out->compress = hf_compress_new(fd, out->kind, out->kind == HF_GZIP ? 1 : HF_LEVEL_DEFAULT);
    if (out->compress == NULL) {
        fail(out, ENOMEM, error);
        return FALSE;
    }
    return TRUE;
}

bool
inj_output_write(void *user, const void *bytes, size_t n)
{
    InjOutput *out = user;

    out->taken += n;
    return hf_compress_write(out->compress, bytes, n);
}

void
inj_output_error(InjOutput *out, GError **error)
{
    int e = hf_compress_errno(out->compress);

    if (e != 0)
        fail(out, e, error);
    else
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "cannot write %s: %s", out->path,
                    hf_compress_error(out->compress));
}

gboolean
inj_output_commit(InjOutput *out, GError **error)
{
    if (!hf_compress_finish(out->compress)) {
        inj_output_error(out, error);
        return FALSE;
    }
    out->written = hf_compress_bytes(out->compress);
    if (!out->direct) {
        if ((out->sync_fd >= 0 && fsync(out->sync_fd) != 0) ||
            renameat(out->dir_fd, out->temp, out->dir_fd, out->name) != 0) {
            fail(out, errno, error);
            return FALSE;
        }
        inj_guard_set_output(out->guard, -1, NULL);
        g_clear_pointer(&out->temp, g_free);
        fsync(out->dir_fd); /* the name; a file system that cannot has its reasons */
    }
    return TRUE;
}

gboolean
inj_output_can_retry(const InjOutput *out)
{
    return !out->direct || out->taken == 0;
}

guint64
inj_output_bytes(const InjOutput *out)
{
    return out->written;
}

void
inj_output_free(InjOutput *out)
{
    if (out == NULL)
        return;
    forget(out);
    if (out->dir_fd >= 0)
        close(out->dir_fd);
    g_free(out->name);
    g_free(out);
}
