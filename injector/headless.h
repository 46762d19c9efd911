// SPDX-License-Identifier: MIT
#pragma once
/*
 * The fork of the ghost in a process whose main thread has ended. GDB cannot attach to such a process (its leader is a zombie), so the driver does by itself
 * what gdb-scripts/ghost-fork.gdb.in says: that is to be kept the same. Called by ghost.c.
 */
#include <glib.h>
#include "run.h"
#include "script.h"

/*
 * The stub stands in the target. Says in *output what GDB would ("HD forked …"), sets run->pause_us. FALSE: it could not be tried, error is set; the target goes on.
 */
gboolean inj_headless_fork(InjRun *run, const InjForkScript *s, char **output, GError **error);
