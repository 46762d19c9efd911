// SPDX-License-Identifier: MIT
#pragma once
/*
 * What has to be undone, whoever dies. Everything that the driver leaves in the target or on disk is noted here before it is made; inj_guard_clean
 * undoes it in reverse. A forked guardian process, which sees the death of the driver through a pipe, does the same when the driver was killed.
 */
#include <glib.h>
#include <sys/types.h>
#include "cave.h"
#include "target.h"

typedef struct InjGuard InjGuard;

/* Forks the guardian. Call once, before any thread is made and before the target is touched. t is borrowed and outlives the guard. */
InjGuard *inj_guard_new(InjTarget *t, GError **error);
/* Undoes what is noted of the target: GDB, copies, cave. FALSE when something had to stay (INJ_ERROR_FAILED says what). */
gboolean inj_guard_clean_target(InjGuard *g, GError **error);
/* Undoes all that is noted, in reverse; may be called any number of times. FALSE when something had to stay (INJ_ERROR_FAILED says what). */
gboolean inj_guard_clean(InjGuard *g, GError **error);
/* Cleans, ends the guardian. NULL is nothing. */
void inj_guard_free(InjGuard *g);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InjGuard, inj_guard_free)

/* 8 random characters that mark everything of this run. Borrowed. */
const char *inj_guard_nonce(const InjGuard *g);

/* Shared: the child that becomes GDB stores its own pid here before it executes; 0: none. Who killed and reaped it sets it to 0. */
pid_t *inj_guard_gdb_slot(InjGuard *g);
/*
 * Code of ours stands in these bytes of the target. Cleared when no child and no thread of the target has a name that ends in the nonce (children
 * are killed) and no thread can be inside.
 */
void inj_guard_set_cave(InjGuard *g, const InjCave *cave);
/* A thread is inside for certain as long as the word at addr in the target is value. */
void inj_guard_set_mark(InjGuard *g, guint64 addr, guint64 value);
/* The thread that had to go in did so and has made its ghost and reaper: no other comes. */
void inj_guard_set_entered(InjGuard *g);
/* A copy of the target that is ours; killed when its name ends in the nonce still. 0: none. */
void inj_guard_set_ghost(InjGuard *g, pid_t ghost);
/*
 * FALSE when the guardian, which watches the memory while a ghost is noted, has ended it: INJ_ERROR_FAILED, in place of what *error was. The target writes
 * meanwhile, and every page of it that it writes is there twice.
 */
gboolean inj_guard_memory_lasted(const InjGuard *g, GError **error);
/* A folder: name in dir_fd (borrowed, opened before inj_guard_new). Noted before it is made. NULL: none. */
void inj_guard_set_stage(InjGuard *g, int dir_fd, const char *name);
/* A file to remove: the output under its temporary name. Same rules. */
void inj_guard_set_output(InjGuard *g, int dir_fd, const char *name);

/*
 * SIGKILL to a GDB of ours, to the session that it leads and to nobody else: it forks to try what the kernel can do, and such a child, which stops itself,
 * would stand there for ever.
 */
void inj_guard_kill_session(pid_t gdb);

/* The rule for a GDB that was killed: a process that it left stopped goes on. The pids of the processes concerned come from the guard's notes. */
void inj_guard_continue_target(const InjTarget *t);
