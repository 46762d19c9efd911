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

/* System calls, but futex, in which a thread that sleeps can be entered. All are below INJ_SLEEP_CALLS. */
#define INJ_SLEEP_CALLS 1024
gboolean inj_sleep_is_known(int call);

/* A line of /proc/PID/task/TID/syscall; number is the system call, -1 without one. */
InjSleepKind inj_sleep_parse(const char *line, int *number);

/* Inner thread id (the last of NSpid) from /proc/PID/task/TID/status. FALSE: not there. */
gboolean inj_sleep_parse_status(const char *status, pid_t *inner_tid);

typedef struct {
    pid_t tid, inner_tid;
} InjSleeper;

/* Adds threads that are in this state at the moment, the main thread first, until found holds max (or one more). */
void inj_sleep_find(const InjTarget *t, InjSleepKind wanted, guint max, GArray *found);
