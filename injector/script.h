// SPDX-License-Identifier: MIT
#pragma once
/* The text of GDB scripts, from the templates in gdb-scripts/. Pure: the same facts give the same text. Returned strings are owned by the caller. */
#include <glib.h>
#include <sys/types.h>
#include "gil.h"

typedef struct {
    pid_t pid;
    int signal;   /* see stub.h */
    guint64 stub; /* where the stub stands */
    guint64 stamp;
    guint64 runtime;        /* _PyRuntime */
    const InjGilFacts *gil; /* borrowed */
    guint64 rseq_offset;    /* of the restartable sequences area from the thread pointer; valid if has_rseq */
    gboolean has_rseq;
} InjForkScript;
char *inj_script_fork(const InjForkScript *s);

typedef struct {
    pid_t pid; /* of the ghost; 0: not known yet, for people to read */
    guint64 cave, cave_end;
    const char *blob, *args;             /* borrowed; files as GDB sees them, without blanks */
    guint64 args_at, base_at, orders_at; /* offsets in the mapping; base_at: of wk_args.blob_base in the arguments */
} InjRunScript;
char *inj_script_run(const InjRunScript *s);

/* Fills @NAME@ placeholders from a list of name, text, name, text, …, NULL. Every placeholder must be given: anything else is a programmer's error. */
char *inj_script_fill(const char *template, ...) G_GNUC_NULL_TERMINATED;
