// SPDX-License-Identifier: MIT
#pragma once
/* Small reads of /proc and /sys. No state, any thread. */
#include <glib.h>
#include <sys/types.h>

/* A file whole, NUL-terminated, at most 64 MiB; NULL when it can not be read (errno set). dir_fd may be AT_FDCWD. Owned by the caller. */
char *inj_proc_read(int dir_fd, const char *name, gsize *n);
/* The numbers that name the entries of a folder, ascending: array of pid_t. Empty when it can not be read. */
GArray *inj_proc_numbers(int dir_fd, const char *name);
/* What a link says, NULL when it can not be read. Owned by the caller. */
char *inj_proc_link(int dir_fd, const char *name);
/* The number after "name:" in a status file's text. */
gboolean inj_status_field(const char *status, const char *name, guint base, guint64 *out);

typedef struct {
    char state;
    pid_t ppid;
    pid_t session;
    guint64 flags; /* PF_* */
    guint64 start_time;
} InjStat;
/* Fields of /proc/PID/stat; survives any name in brackets. */
gboolean inj_stat_parse(const char *text, InjStat *out);
