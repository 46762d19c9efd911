// SPDX-License-Identifier: MIT
#pragma once
/* The command line of heapdump-gdb. */
#include <glib.h>
#include <stdio.h>
#include <sys/types.h>

typedef enum { INJ_MODE_AUTO, INJ_MODE_FORK, INJ_MODE_INLINE } InjMode;
typedef enum { INJ_COMPRESS_NONE, INJ_COMPRESS_ZSTD, INJ_COMPRESS_GZIP } InjCompress;

typedef struct {
    pid_t pid;
    char *output;          /* owned; "-" stdout */
    char *payload;         /* owned; Python file, or "tasks"; NULL: the walker */
    char *stage_dir, *gdb; /* owned; stage_dir may be NULL */
    double timeout;        /* seconds */
    guint content;         /* bytes */
    InjMode mode;
    InjCompress compress;
    gboolean gc, redact, print_script, quiet, verbose;
    gboolean help, version; /* nothing else counts */
} InjOptions;

/* INJ_ERROR_USAGE with one line. On success all fields are set, defaults included. argv is not changed. */
gboolean inj_options_parse(InjOptions *o, int argc, char *const *argv, GError **error);
void inj_options_clear(InjOptions *o);
char *inj_options_help(void); /* owned by the caller */
