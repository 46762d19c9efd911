// SPDX-License-Identifier: MIT
#include "stage.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "error.h"

enum { CANDIDATES_MAX = 8, ROOM = 1 << 20, ROOM_FILES = 8 };

struct InjStage {
    InjTarget *target;          /* borrowed */
    char *dirs[CANDIDATES_MAX]; /* owned; as the target sees them */
    int fds[CANDIDATES_MAX];    /* owned */
    gboolean roomy[CANDIDATES_MAX];
    guint n;
    GString *refused; /* owned; why others will not do */
    gboolean chosen;  /* by the user: there is one candidate only */
    char *dir;        /* borrowed; where it stands, NULL before it is made */
    char *name;       /* owned */
    int fd;           /* owned; the folder itself, -1 */
};

static void
refuse(InjStage *s, const char *dir, int errnum)
{
    g_string_append_printf(s->refused, "%s%s: %s", s->refused->len ? ", " : "", dir, g_strerror(errnum));
}

/* Opens a folder as the target would, links and all. */
static int
open_in_root(InjTarget *t, const char *dir)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, t->root_fd, dir, &how, sizeof how);

    if (fd >= 0 || errno != ENOSYS)
        return fd;
    while (*dir == '/')
        dir++;
    return openat(t->root_fd, *dir ? dir : ".", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static void
add_candidate(InjStage *s, const char *dir)
{
    struct stat a, b;
    struct statvfs fs;

    if (s->n == CANDIDATES_MAX)
        return;
    int fd = open_in_root(s->target, dir);
    if (fd < 0) {
        refuse(s, dir, errno);
        return;
    }
    if (fstat(fd, &a) != 0 || fstatvfs(fd, &fs) != 0 || (fs.f_flag & ST_RDONLY)) {
        refuse(s, dir, EROFS);
        close(fd);
        return;
    }
    for (guint i = 0; i < s->n; i++) {
        if (fstat(s->fds[i], &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
            close(fd);
            return;
        }
    }
    /* A pipe takes no room, results do. File systems without a count of inodes say 0 of 0. */
    s->roomy[s->n] = fs.f_bavail >= ROOM / MAX(fs.f_frsize, 1ul) && (fs.f_files == 0 || fs.f_favail >= ROOM_FILES);
    s->fds[s->n] = fd;
    s->dirs[s->n++] = g_strdup(dir);
}

InjStage *
inj_stage_plan(InjTarget *t, const char *dir, GError **error)
{
    static const char *const usual[] = {"/tmp", "/var/tmp", "/dev/shm", "/run"};
    g_autoptr(InjStage) s = g_new0(InjStage, 1);

    s->target = t;
    s->fd = -1;
    s->refused = g_string_new(NULL);
    s->chosen = dir != NULL;
    if (dir != NULL && dir[0] != '/') {
        g_set_error(error, INJ_ERROR, INJ_ERROR_USAGE, "--stage-dir %s: give an absolute path, as the target sees it",
                    dir);
        return NULL;
    }
    if (dir != NULL)
        add_candidate(s, dir);
    else {
        if (t->tmpdir != NULL)
            add_candidate(s, t->tmpdir);
        for (gsize i = 0; i < G_N_ELEMENTS(usual); i++)
            add_candidate(s, usual[i]);
    }
    if (s->n == 0) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "no folder for the data pipe that process %d can use (%s)%s",
                    (int)t->pid, s->refused->str, s->chosen ? "" : ": name one with --stage-dir DIR");
        return NULL;
    }
    return g_steal_pointer(&s);
}

void
inj_stage_free(InjStage *s)
{
    if (s == NULL)
        return;
    for (guint i = 0; i < s->n; i++) {
        close(s->fds[i]);
        g_free(s->dirs[i]);
    }
    if (s->fd >= 0)
        close(s->fd);
    g_string_free(s->refused, TRUE);
    g_free(s->name);
    g_free(s);
}

/* Gives a thing of ours to the target's user. Ours already when the users are the same. */
static gboolean
give(InjStage *s, int dir_fd, const char *name)
{
    struct stat st;

    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return FALSE;
    if (st.st_uid == s->target->uid)
        return TRUE;
    return fchownat(dir_fd, name, s->target->uid, s->target->gid, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The folder, and whether a pipe can be made in it. On failure nothing stays, errno says why. */
static gboolean
make_in(InjStage *s, InjGuard *g, guint i)
{
    static const char PROBE[] = "probe";

    inj_guard_set_stage(g, s->fds[i], s->name);
    gboolean made = mkdirat(s->fds[i], s->name, 0700) == 0;
    if (made && (s->fd = openat(s->fds[i], s->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) >= 0 &&
        give(s, s->fds[i], s->name) && mkfifoat(s->fd, PROBE, 0600) == 0 && give(s, s->fd, PROBE) &&
        unlinkat(s->fd, PROBE, 0) == 0) {
        s->dir = s->dirs[i];
        return TRUE;
    }
    int saved = errno;
    if (s->fd >= 0) {
        unlinkat(s->fd, PROBE, 0);
        close(s->fd);
    }
    s->fd = -1;
    if (made)
        unlinkat(s->fds[i], s->name, AT_REMOVEDIR);
    inj_guard_set_stage(g, -1, NULL);
    errno = saved;
    return FALSE;
}

gboolean
inj_stage_create(InjStage *s, InjGuard *g, GError **error)
{
    if (s->fd >= 0)
        return TRUE;
    s->name = g_strdup_printf(".heapdump-%s", inj_guard_nonce(g));
    for (int roomy = 1; roomy >= 0; roomy--) {
        for (guint i = 0; i < s->n; i++) {
            if (s->roomy[i] != roomy)
                continue;
            if (make_in(s, g, i))
                return TRUE;
            refuse(s, s->dirs[i], errno);
        }
    }
    g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                "cannot make a folder for the data pipe that process %d can use (%s)%s", (int)s->target->pid,
                s->refused->str, s->chosen ? "" : ": name one with --stage-dir DIR");
    return FALSE;
}

char *
inj_stage_path(const InjStage *s, const char *name)
{
    const char *dir = s->dir != NULL ? s->dir : s->dirs[0];
    gsize n = strlen(dir);

    while (n > 1 && dir[n - 1] == '/')
        n--;
    return g_strdup_printf("%.*s%s%s/%s", (int)(n > 1 ? n : 0), dir, "/",
                           s->name != NULL ? s->name : ".heapdump-xxxxxxxx", name);
}

void
inj_stage_remove(InjStage *s, const char *name)
{
    unlinkat(s->fd, name, 0);
}

int
inj_stage_fifo(InjStage *s, const char *name, GError **error)
{
    int fd = -1;

    inj_stage_remove(s, name);
    if (mkfifoat(s->fd, name, 0600) == 0 && give(s, s->fd, name))
        fd = openat(s->fd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "cannot make the data pipe in %s: %s", s->dir,
                    g_strerror(errno));
        return -1;
    }
    /* As large as we may: the ghost then waits less for us. Not being allowed to is no harm. */
    for (int size = 1 << 20; size > 65536 && fcntl(fd, F_SETPIPE_SZ, size) < 0; size /= 2)
        ;
    return fd;
}

gboolean
inj_stage_put(InjStage *s, const char *name, const void *bytes, gsize n, GError **error)
{
    int fd;

    inj_stage_remove(s, name);
    fd = openat(s->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    gboolean ok = fd >= 0;

    for (gsize done = 0; ok && done < n;) {
        ssize_t w = TEMP_FAILURE_RETRY(write(fd, (const char *)bytes + done, n - done));
        if (w > 0)
            done += (gsize)w;
        else
            ok = FALSE;
    }
    ok = ok && give(s, s->fd, name);
    if (!ok)
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "cannot write %s in %s: %s", name, s->dir, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

int
inj_stage_open(InjStage *s, const char *name, GError **error)
{
    int fd = openat(s->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0 && errno == ENOENT)
        return -1;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "cannot read %s in %s: %s", name, s->dir,
                fd < 0 ? g_strerror(errno) : "not a regular file");
    if (fd >= 0)
        close(fd);
    return -1;
}

GBytes *
inj_stage_get(InjStage *s, const char *name, gsize max, GError **error)
{
    int fd = inj_stage_open(s, name, error);
    g_autofree char *bytes = NULL;
    gsize n = 0;

    if (fd < 0)
        return NULL;
    bytes = g_malloc(max);
    while (n < max) {
        ssize_t r = TEMP_FAILURE_RETRY(read(fd, bytes + n, max - n));
        if (r <= 0)
            break;
        n += (gsize)r;
    }
    close(fd);
    return g_bytes_new_take(g_steal_pointer(&bytes), n);
}
