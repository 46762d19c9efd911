// SPDX-License-Identifier: MIT
#pragma once
/*
 * Which threads of the target can be entered: those that sleep in a system call during which they hold no lock of libc, and, where none
 * does, those that run the interpreter's own code. The functions of text are pure; entry.c uses all of this.
 */
#include "../target.h"

typedef enum {
    INJ_SLEEP_NO = 0,  /* in another system call, or not known */
    INJ_SLEEP_KNOWN,   /* asleep where it can be entered */
    INJ_SLEEP_RUNNING, /* on a processor, or about to be */
} InjSleepKind;

/* A line of /proc/PID/task/TID/syscall; number is the system call, -1 without one. */
InjSleepKind inj_sleep_parse(const char *line, int *number);

/* Inner thread id (the last of NSpid) and blocked signals from /proc/PID/task/TID/status. FALSE: not there. */
gboolean inj_sleep_parse_status(const char *status, pid_t *inner_tid, guint64 *blocked);

typedef struct {
    pid_t tid, inner_tid;
    int number; /* of the system call it sleeps in; -1: it runs */
} InjSleeper;

/* At most max threads that sleep (running FALSE) or run (TRUE), the main thread first. Array of InjSleeper, owned by the caller. */
GArray *inj_sleep_find(const InjTarget *t, gboolean running, guint max);
