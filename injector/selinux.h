// SPDX-License-Identifier: MIT
#pragma once
/* What SELinux forbids, asked of the kernel itself (selinuxfs) without its library. No state, any thread. */
#include <glib.h>
#include <sys/types.h>

typedef enum {
    INJ_SELINUX_ALLOWS = 0, /* or is not there, or does not enforce its policy */
    INJ_SELINUX_DENIES,
    INJ_SELINUX_SILENT, /* it enforces a policy, and does not tell us */
} InjSelinux;

/*
 * Whether the domain of process subject has a permission of class "process" on the domain of process object. Only for a denial *why is set, owned by the
 * caller: "SELinux does not allow …".
 */
InjSelinux inj_selinux_ask(pid_t subject, pid_t object, const char *permission, char **why);
/* Appends ": SELinux does not allow …" to an error that may come from there; nothing when it does not forbid it. */
void inj_selinux_explain(pid_t pid, const char *permission, GError **error);
/* The switch by which all tracing is forbidden is on. */
gboolean inj_selinux_deny_ptrace(void);
/* Pure: does the kernel's answer ("allowed decided auditallow auditdeny seqno flags") withhold permission number bit (from 1). */
gboolean inj_selinux_withholds(const char *answer, guint bit);
