// SPDX-License-Identifier: MIT
#pragma once
/* The checks before anything is touched: each "no" is one line with its remedy. Called by target.c. */
#include "procfs.h"
#include "target.h"

void inj_preflight_no_process(pid_t pid, GError **error);
/* errnum: why doing what ("open its memory") failed. */
void inj_preflight_permission(const InjTarget *t, const char *what, int errnum, GError **error);
gboolean inj_preflight_state(const InjTarget *t, const InjStat *st, GError **error);
gboolean inj_preflight_architecture(const InjTarget *t, GError **error);
/* Pure: is the process in this /proc/PID/cgroup text frozen, as files under sys ("/sys/fs/cgroup") say. */
gboolean inj_preflight_frozen(const char *cgroup, const char *sys);
