// SPDX-License-Identifier: MIT
#include "ha-out-file.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct HaOutFile {
    char *path, *temporary; /* owned; temporary NULL: writing to path itself */
    int fd;                 /* owned */
    HaOut *out;             /* owned */
};

static void
set_error(GError **error, const char *path, int number)
{
    const char *remedy = number == ENOENT   ? "; make its folder first"
                         : number == EACCES ? "; choose another folder"
                                            : "";
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(number), "cannot write '%s': %s%s", path, g_strerror(number),
                remedy);
}

HaOutFile *
ha_out_file_new(const char *path, GError **error)
{
    HaOutFile *f = g_new0(HaOutFile, 1);
    struct stat facts;
    f->path = g_strdup(path);
    if (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode)) {
        f->fd = S_ISDIR(facts.st_mode) ? -1 : open(path, O_WRONLY | O_CLOEXEC);
        if (S_ISDIR(facts.st_mode))
            errno = EISDIR;
    } else {
        f->temporary = g_strdup_printf("%s.XXXXXX", path);
        f->fd = g_mkstemp_full(f->temporary, O_WRONLY | O_CLOEXEC, 0666);
    }
    if (f->fd < 0) {
        set_error(error, path, errno);
        g_free(f->temporary);
        g_free(f->path);
        g_free(f);
        return NULL;
    }
    f->out = ha_out_new_fd(f->fd);
    return f;
}

HaOut *
ha_out_file_out(HaOutFile *f)
{
    return f->out;
}

static void
clear(HaOutFile *f)
{
    ha_out_free(f->out);
    g_free(f->temporary);
    g_free(f->path);
    g_free(f);
}

void
ha_out_file_abandon(HaOutFile *f)
{
    close(f->fd);
    if (f->temporary != NULL)
        g_unlink(f->temporary);
    clear(f);
}

gboolean
ha_out_file_finish(HaOutFile *f, GError **error)
{
    if (!ha_out_finish(f->out, error)) {
        ha_out_file_abandon(f);
        return FALSE;
    }
    gboolean closed = close(f->fd) == 0;
    gboolean ok = closed && (f->temporary == NULL || g_rename(f->temporary, f->path) == 0);
    if (!ok) {
        set_error(error, f->path, errno);
        if (f->temporary != NULL)
            g_unlink(f->temporary);
    }
    clear(f);
    return ok;
}
