// SPDX-License-Identifier: MIT
#pragma once
/*
 * Work in the target proper, entered safely: a Python payload, a forced collection, the walk without a fork. Everything noted with run->guard
 * before it is made; returns with nothing of ours left in the target, also on failure.
 */
#include "../output.h"
#include "../run.h"
#include "../walk.h"

/* --payload: runs the file (or the built-in "tasks") in the target, brings what it wrote to output. */
gboolean inj_entry_payload(InjRun *run, InjOutput *output, GError **error);
/* --gc: gc.collect() in the target; run->gil_us is how long it took. */
gboolean inj_entry_collect(InjRun *run, GError **error);
/*
 * --mode inline: starts a thread in the target that maps the blob and runs the walker with these arguments. Returns when GDB is away and the
 * thread is under way: the data then comes through the FIFO. inj_entry_inline_end waits until the thread and its mapping are gone.
 */
gboolean inj_entry_inline_start(InjRun *run, const struct wk_args *args, GBytes *blob, GError **error);
gboolean inj_entry_inline_is_over(InjRun *run); /* the thread has ended, or could not be started */
/* timeout_us: how long it waits. */
gboolean inj_entry_inline_end(InjRun *run, gint64 timeout_us, GError **error);
/* Roughly how long an inline walk keeps the target waiting. */
gint64 inj_entry_estimate_us(const InjTarget *target);
/* The script or scripts that these would run, for --print-script. Owned by the caller. */
char *inj_entry_script(InjRun *run, GError **error);
