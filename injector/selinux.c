// SPDX-License-Identifier: MIT
#include "selinux.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "procfs.h"

#define FOLDER  "/sys/fs/selinux"
#define PROCESS FOLDER "/class/process"

enum { ANSWER_MAX = 4096, PERMISSIVE = 1 /* the kernel's AVD_FLAGS_PERMISSIVE: this domain may do all */ };

/* A file that holds one number; 0 when it is not there. */
static guint
number_in(const char *name)
{
    g_autofree char *text = inj_proc_read(AT_FDCWD, name, NULL);

    return text != NULL ? (guint)atoi(text) : 0;
}

gboolean
inj_selinux_deny_ptrace(void)
{
    return number_in(FOLDER "/booleans/deny_ptrace") == 1;
}

/* user:role:type:level of a process; NULL: not ours to know. */
static char *
context_of(pid_t pid)
{
    g_autofree char *name = g_strdup_printf("/proc/%d/attr/current", (int)pid);
    char *text = inj_proc_read(AT_FDCWD, name, NULL);

    return text != NULL ? g_strchomp(text) : NULL;
}

/* The kernel answers on the same file what was asked by writing to it. NULL: it does not, a policy may forbid asking, too. */
static char *
ask(const char *subject, const char *object, guint class)
{
    g_autofree char *question = g_strdup_printf("%s %s %u", subject, object, class);
    g_autofree char *answer = g_malloc0(ANSWER_MAX);
    int fd = open(FOLDER "/access", O_RDWR | O_CLOEXEC);
    gboolean ok = fd >= 0 && write(fd, question, strlen(question)) > 0 && read(fd, answer, ANSWER_MAX - 1) > 0;

    if (fd >= 0)
        close(fd);
    return ok ? g_steal_pointer(&answer) : NULL;
}

gboolean
inj_selinux_withholds(const char *answer, guint bit)
{
    guint allowed, flags;

    if (bit < 1 || bit > 32 || sscanf(answer, "%x %*x %*x %*x %*u %x", &allowed, &flags) != 2)
        return FALSE;
    return !(flags & PERMISSIVE) && !(allowed >> (bit - 1) & 1);
}

InjSelinux
inj_selinux_ask(pid_t subject, pid_t object, const char *permission, char **why)
{
    g_autofree char *bit_file = g_build_filename(PROCESS "/perms", permission, NULL);
    guint class, bit;

    if (number_in(FOLDER "/enforce") != 1)
        return INJ_SELINUX_ALLOWS;
    class = number_in(PROCESS "/index");
    bit = number_in(bit_file);
    g_autofree char *by = context_of(subject), *to = context_of(object);
    g_autofree char *answer = by != NULL && to != NULL && class != 0 && bit != 0 ? ask(by, to, class) : NULL;
    if (answer == NULL)
        return INJ_SELINUX_SILENT;
    if (!inj_selinux_withholds(answer, bit))
        return INJ_SELINUX_ALLOWS;
    *why = subject == object ? g_strdup_printf("SELinux does not allow %s the permission %s", by, permission)
                             : g_strdup_printf("SELinux does not allow %s to %s %s", by, permission, to);
    return INJ_SELINUX_DENIES;
}

void
inj_selinux_explain(pid_t pid, const char *permission, GError **error)
{
    g_autofree char *why = NULL;

    if (error == NULL || *error == NULL || inj_selinux_ask(pid, pid, permission, &why) != INJ_SELINUX_DENIES)
        return;
    char *old = (*error)->message;
    (*error)->message = g_strdup_printf("%s: %s (see ausearch -m avc, audit2allow)", old, why);
    g_free(old);
}
