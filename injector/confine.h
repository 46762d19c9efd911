// SPDX-License-Identifier: MIT
#pragma once
/*
 * Targets under a seccomp filter: whether what a dump does in them, system call by system call, would kill them or not work. Filters are read and interpreted
 * where that is allowed; inside a container, where it never is, a process of our own under the same filter tries them out. Called by main.c and dump.c.
 */
#include <glib.h>
#include "seccomp.h"
#include "target.h"

/* What is to be done in the target. */
typedef enum {
    INJ_CONFINE_FORK, /* fork a ghost, which walks */
    INJ_CONFINE_LIVE, /* start a thread of ours: --payload, --gc, --mode inline */
} InjConfineWork;

/* TRUE at once for targets without a filter. Otherwise a thread may stand still for some 100 µs. INJ_ERROR_PERMISSION: names the call that is not allowed, or that nobody here may know. */
gboolean inj_confine_check(const InjTarget *t, InjConfineWork work, GError **error);

/* Pure: NULL when these programs let that work be done; else what they say no to: "would kill it at wait4()". Owned by the caller. */
char *inj_confine_judge(const GPtrArray *programs, InjConfineWork work);
/* Tries all that a process of our own can try, under our own filter. NULL or what it says no to. */
char *inj_confine_try(InjConfineWork work);
