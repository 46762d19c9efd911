// SPDX-License-Identifier: MIT
#pragma once
/*
 * Runs GDB on a script: own session (no terminal, no Ctrl-C), clean environment, no init files, warm before it attaches. A GDB that does
 * not end in time is killed with SIGKILL — never with anything that it would forward to the target — and a target that it left stopped is continued.
 */
#include <glib.h>
#include <sys/types.h>
#include "guard.h"

#define INJ_SESSION_FILES 4

typedef struct {
    const char *gdb;   /* borrowed; name or path */
    gint64 timeout_us; /* for the whole run; 0: none */
    InjTarget *
        target; /* borrowed; what the script attaches to: gets SIGCONT if a killed GDB leaves it stopped. NULL: a copy of it */
    GBytes *files[INJ_SESSION_FILES]; /* borrowed; bytes that the script reads from files, see inj_session_file */
    InjGuard *guard;                  /* borrowed; may be NULL */
    gboolean verbose;                 /* GDB's output goes to stderr as well */
} InjSession;

typedef struct {
    char *output;    /* owned; all of GDB's stdout and stderr */
    gboolean killed; /* it was killed by us */
    int wait_status; /* as from waitpid */
} InjSessionResult;
void inj_session_result_clear(InjSessionResult *r);

/*
 * Runs the script. TRUE when GDB ended by itself (look at the lines that the script printed for what happened). INJ_ERROR_TIMEOUT,
 * INJ_ERROR_INTERRUPTED (a signal came to us) after GDB was killed; INJ_ERROR_FAILED when it could not be started or is too old. result is filled
 * as far as it got in every case.
 */
gboolean inj_session_run(const InjSession *s, const char *script, InjSessionResult *result, GError **error);

/*
 * Scripts report with lines "HD name value value…". Points at the n-th number (0…) after name in the last such line; FALSE when there is none.
 * Numbers are C-like: decimal, negative, 0x….
 */
gboolean inj_session_value(const char *output, const char *name, guint n, gint64 *out);

/* The name under which the script finds s->files[i]. Owned by the caller. */
char *inj_session_file(guint i);
/*
 * The longest time that GDB reports for one command under "maintenance set per-command time on": how long a script's attach … detach took when it
 * is one user-defined command.
 */
gboolean inj_session_command_time(const char *output, gint64 *us);
/* Why GDB did not get through with the target, from what it said. */
void inj_session_explain(const InjTarget *t, const char *output, GError **error);
/* The script with the GDB command line as a comment, for --print-script. Owned by the caller. */
char *inj_session_describe(const char *gdb, const char *script);
