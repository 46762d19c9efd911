// SPDX-License-Identifier: MIT
#pragma once
/* The checks before anything is touched: each "no" is one line with its remedy. Called by target.c. */
#include "procfs.h"
#include "selinux.h"
#include "target.h"

/* What decides whether we may trace: ours, and the machine's. */
typedef struct {
    int yama;                                 /* kernel.yama.ptrace_scope, 0 without Yama */
    gboolean capable;                         /* CAP_SYS_PTRACE in our user namespace */
    gboolean no_new_privileges, seccomp;      /* ours */
    gboolean container, inner_user_namespace; /* where we are */
    InjSelinux selinux;                       /* what it says of our tracing that process */
    gboolean deny_ptrace;                     /* SELinux's switch against all tracing is on */
    char *denial;                             /* owned; only where SELinux denies it: what */
    char *profile;                            /* owned; of AppArmor, that confines us; NULL none */
    uid_t uid;                                /* ours */
} InjRights;

/* To trace that process; where it may be one of our own, our pid. */
void inj_preflight_look_at_rights(InjRights *r, pid_t target);
void inj_preflight_rights_clear(InjRights *r);
/* Pure: why a process of that user was denied, with the remedy; where else or how to run us. Owned by the caller. */
char *inj_preflight_why(const InjRights *r, uid_t owner);
char *inj_preflight_remedy(const InjRights *r);
/* Not even a process of our own could be traced. */
void inj_preflight_no_tracing(GError **error);
/* errnum: why doing what ("open its memory") failed. */
void inj_preflight_permission(const InjTarget *t, const char *what, int errnum, GError **error);
gboolean inj_preflight_state(const InjTarget *t, const InjStat *st, GError **error);
gboolean inj_preflight_architecture(const InjTarget *t, GError **error);
/* Pure: is the process in this /proc/PID/cgroup text frozen, as files under sys ("/sys/fs/cgroup") say. */
gboolean inj_preflight_frozen(const char *cgroup, const char *sys);
