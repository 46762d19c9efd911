// SPDX-License-Identifier: MIT
#pragma once
/*
 * Everything that the driver knows about the process to dump, read from /proc without touching it. Made once by inj_target_open; file
 * descriptors stay bound to this very process, so that a pid given to somebody else meanwhile is noticed and never written to.
 */
#include <glib.h>
#include <sys/types.h>
#include "elf-image.h"
#include "maps.h"

/* A file that is mapped into the target. */
typedef struct {
    char *path;   /* owned; as the target sees it */
    guint64 base; /* where its file offset 0 is mapped */
    guint64 bias; /* add to a symbol's value */
    InjElf *elf;  /* owned; as it lies in memory; NULL: not an ELF image, or not readable */
    InjElf *file; /* owned; the file itself, only where memory has no symbols */
    gboolean opened, file_opened;
    gboolean deleted;
} InjModule;

/* What is known of the interpreter; set by inj_python_detect (python.h). */
typedef struct {
    guint major, minor;
    guint hex; /* PY_VERSION_HEX; micro and release bits 0 where they could not be had */
    gboolean free_threaded;
    guint64 runtime;         /* address of _PyRuntime */
    const InjModule *module; /* executable or libpython; borrowed */
} InjPython;

typedef struct {
    pid_t pid;       /* in our namespace */
    pid_t inner_pid; /* in its own */
    pid_t view; /* by this number /proc shows it: pid, or a thread's when the main thread has ended and others go on */
    guint64 start_time; /* clock ticks since boot: with pid, its identity */
    uid_t uid;          /* file system uid and gid, in our user namespace */
    gid_t gid;
    int proc_fd; /* owned; /proc/PID, a folder */
    int root_fd; /* owned; /proc/PID/root, a folder */
    int mem_fd; /* owned; /proc/PID/mem, read and write; stays with this address space even if the target executes another program */
    char *comm;         /* owned */
    char *exe;          /* owned; as the target sees it, "" unknown */
    char *cmdline;      /* owned; arguments joined by blanks, valid UTF-8, at most 4096 bytes */
    char *tmpdir;       /* owned; TMPDIR of its environment, NULL */
    guint64 rss;        /* bytes */
    guint64 caught;     /* signals with a handler: bit n-1 */
    guint64 ignored;    /* signals that are ignored */
    guint64 pending;    /* signals pending for the process */
    GArray *maps;       /* owned; InjMapping */
    GPtrArray *modules; /* owned; InjModule, mapped files in the order of addresses */
    InjPython python;
} InjTarget;

/*
 * Looks and checks: exists, a process of its own, not a kernel thread, zombie, traced, stopped, frozen; ours to trace; our architecture. Each "no" is one
 * line with its remedy. Does not say whether it is a Python: inj_python_detect.
 */
InjTarget *inj_target_open(pid_t pid, GError **error);
void inj_target_free(InjTarget *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InjTarget, inj_target_free)

gboolean inj_target_alive(const InjTarget *t);                 /* the same process still runs (and is no zombie) */
gboolean inj_target_reload_maps(InjTarget *t, GError **error); /* modules keep their addresses in memory */
void inj_target_reload_status(InjTarget *t);                   /* uid, gid, rss, signals */
GArray *inj_target_threads(
    const InjTarget
        *t); /* array of pid_t, ascending, our namespace; without a main thread that has ended; empty when it is gone */
GArray *inj_target_children(const InjTarget *t); /* array of pid_t of all threads' children */
char inj_target_state(const InjTarget *t);       /* as in /proc/PID/stat; 0 when it is gone */
pid_t inj_target_tracer(const InjTarget *t);     /* 0 none */

/* Reads a file of /proc/PID whole, NUL-terminated; NULL when it can not be read (errno). Owned by the caller. */
char *inj_target_proc(const InjTarget *t, const char *name, gsize *n);
/* All or nothing. Writing works on read-only and executable mappings of ours too (private copies are made). */
gboolean inj_target_read(const InjTarget *t, guint64 addr, void *out, gsize n);
gboolean inj_target_write(const InjTarget *t, guint64 addr, const void *bytes, gsize n);

/*
 * Address of a function or variable in the target: the Python module first, then the executable, libc, libpthread, the loader, then all others. FALSE when
 * nothing defines it. An indirect function (IFUNC: memcpy, strlen…) is not an address to call and is not found.
 */
gboolean inj_target_symbol(InjTarget *t, const char *name, guint64 *addr);
/* Same in one module. */
gboolean inj_module_symbol(InjTarget *t, InjModule *m, const char *name, guint64 *addr);
InjElf *inj_module_elf(InjTarget *t, InjModule *m); /* opened on first use; NULL when unreadable. Borrowed. */
