// SPDX-License-Identifier: MIT
#include "procfs.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_MAX = 64 << 20 };

char *
inj_proc_read(int dir_fd, const char *name, gsize *n)
{
    g_autoptr(GString) s = NULL;
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    ssize_t r = 0;

    if (fd < 0)
        return NULL;
    s = g_string_sized_new(4096);
    while (s->len < READ_MAX) {
        gsize had = s->len;
        g_string_set_size(s, had + 16384);
        r = TEMP_FAILURE_RETRY(read(fd, s->str + had, 16384));
        g_string_set_size(s, had + (gsize)MAX(r, 0));
        if (r <= 0)
            break;
    }
    int saved = errno;
    close(fd);
    errno = saved;
    if (r < 0)
        return NULL;
    if (n != NULL)
        *n = s->len;
    return g_string_free(g_steal_pointer(&s), FALSE);
}

static gint
compare_pids(gconstpointer a, gconstpointer b)
{
    pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

    return (x > y) - (x < y);
}

GArray *
inj_proc_numbers(int dir_fd, const char *name)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(pid_t));
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return list;
    }
    for (struct dirent *d; (d = readdir(dir)) != NULL;) {
        char *end;
        long pid = strtol(d->d_name, &end, 10);
        if (pid > 0 && pid <= G_MAXINT32 && *end == '\0') {
            pid_t p = (pid_t)pid;
            g_array_append_val(list, p);
        }
    }
    closedir(dir);
    g_array_sort(list, compare_pids);
    return list;
}

char *
inj_proc_link(int dir_fd, const char *name)
{
    char text[8192];
    ssize_t n = readlinkat(dir_fd, name, text, sizeof text);

    return n < 0 ? NULL : g_strndup(text, (gsize)n);
}

gboolean
inj_status_field(const char *status, const char *name, guint base, guint64 *out)
{
    gsize n = strlen(name);

    for (const char *p = status; p != NULL; p = strchr(p, '\n')) {
        if (*p == '\n')
            p++;
        if (strncmp(p, name, n) != 0 || p[n] != ':')
            continue;
        p += n + 1;
        while (*p == ' ' || *p == '\t')
            p++;
        if (!g_ascii_isxdigit(*p))
            return FALSE;
        *out = g_ascii_strtoull(p, NULL, base);
        return TRUE;
    }
    return FALSE;
}

gboolean
inj_stat_parse(const char *text, InjStat *out)
{
    const char *p = strrchr(text, ')');
    char state;
    int ppid, session;
    unsigned long flags;
    unsigned long long start;

    if (p == NULL || sscanf(p + 1, " %c %d %*d %d %*d %*d %lu %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                            &state, &ppid, &session, &flags, &start) != 5)
        return FALSE;
    *out = (InjStat){.state = state, .ppid = ppid, .session = session, .flags = flags, .start_time = start};
    return TRUE;
}
