// SPDX-License-Identifier: MIT
#pragma once
/*
 * The injector's one error domain. The code decides the exit status of the program, the message is one line: what failed, on what, the remedy.
 */
#include <glib.h>

#define INJ_ERROR (inj_error_quark())
GQuark inj_error_quark(void);

typedef enum {
    INJ_ERROR_FAILED = 1,   /* exit 1: target unharmed, no dump */
    INJ_ERROR_USAGE,        /* exit 2 */
    INJ_ERROR_TIMEOUT,      /* exit 3 */
    INJ_ERROR_PERMISSION,   /* exit 4 */
    INJ_ERROR_NOT_PYTHON,   /* exit 5: not a Python that we can dump */
    INJ_ERROR_INTERRUPTED,  /* exit 130 (SIGINT), 143 (SIGTERM), 129 (SIGHUP) */
    INJ_ERROR_INCONSISTENT, /* the snapshot was taken inside a change: another try will do; never reaches the user */
    INJ_ERROR_FORK_REFUSED, /* the kernel refused the fork (limits, memory): inline may do; else exit 1 */
} InjError;

int inj_error_exit_code(const GError *error);
