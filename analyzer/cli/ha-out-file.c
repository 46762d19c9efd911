// SPDX-License-Identifier: MIT
#include "ha-out-file.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
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
                         : number == ENOSPC ? "; make room"
                                            : "";
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(number), "cannot write '%s': %s%s", path, g_strerror(number),
                remedy);
}

/* What a signal that ends the program must take away. A name stands here before its file is made. */
static char *unfinished[16];

static void
note_unfinished(char *from, char *to)
{
    for (guint i = 0; i < G_N_ELEMENTS(unfinished); i++)
        if (g_atomic_pointer_compare_and_exchange(&unfinished[i], from, to))
            return;
}

void
ha_out_file_remove_unfinished(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(unfinished); i++) {
        const char *path = g_atomic_pointer_get(&unfinished[i]);
        if (path != NULL)
            (void)unlink(path);
    }
}

static void
end_by_signal(int number)
{
    ha_out_file_remove_unfinished();
    signal(number, SIG_DFL);
    raise(number);
}

/* What is ignored (nohup) or has a meaning of its own is left as it is. */
static void
watch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        struct sigaction old, ours = {.sa_handler = end_by_signal};
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(numbers[i], &ours, NULL);
    }
}

static void
forget(HaOutFile *f)
{
    if (f->temporary != NULL)
        note_unfinished(f->temporary, NULL);
    g_clear_pointer(&f->temporary, g_free);
}

HaOutFile *
ha_out_file_new(const char *path, int mode, GError **error)
{
    HaOutFile *f = g_new0(HaOutFile, 1);
    struct stat facts;
    f->path = g_strdup(path);
    if (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode)) {
        f->fd = S_ISDIR(facts.st_mode) ? -1 : open(path, O_WRONLY | O_CLOEXEC);
        if (S_ISDIR(facts.st_mode))
            errno = EISDIR;
    } else {
        /* a database opens it by its name, where a colon would be special */
        f->temporary = g_strdup_printf("%s%s.XXXXXX", g_path_is_absolute(path) ? "" : "./", path);
        watch_signals();
        note_unfinished(NULL, f->temporary);
        errno = ENOENT;
        f->fd = *path != 0 ? g_mkstemp_full(f->temporary, O_WRONLY | O_CLOEXEC, mode) : -1;
    }
    if (f->fd < 0) {
        set_error(error, path, errno);
        forget(f);
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

const char *
ha_out_file_temporary(const HaOutFile *f)
{
    return f->temporary;
}

gboolean
ha_out_file_flush(HaOutFile *f, GError **error)
{
    if (ha_out_finish(f->out, NULL))
        return TRUE;
    set_error(error, f->path, ha_out_error(f->out));
    return FALSE;
}

static void
clear(HaOutFile *f)
{
    ha_out_free(f->out);
    forget(f);
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
    if (!ha_out_file_flush(f, error)) {
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
