// SPDX-License-Identifier: MIT
#pragma once
/*
 * What seccomp filters are set on a thread, and what they say to a system call: read and interpreted, not tried out. Called by confine.c.
 */
#include <glib.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/types.h>

/*
 * Pure: what one program says (SECCOMP_RET_…, with its data) of one system call, as the kernel would decide (Documentation/userspace-api/seccomp_filter.rst).
 * What is no valid program kills.
 */
guint32 inj_seccomp_decide(const struct sock_filter *program, gsize n, const struct seccomp_data *call);
/* Of several programs, newest or oldest first: the action of the one that allows least, without data. programs: array of GArray of struct sock_filter. */
guint32 inj_seccomp_decide_all(const GPtrArray *programs, const struct seccomp_data *call);

/* Whether we may read filters at all: asks nobody, touches nothing. */
gboolean inj_seccomp_may_read(void);
/*
 * The programs of a thread, which stands still for some 100 µs; if we die meanwhile the kernel lets it go on. NULL with errno: EACCES not allowed, ETIMEDOUT it did
 * not stop, others of ptrace. Owned by the caller.
 */
GPtrArray *inj_seccomp_read(pid_t tid);
