// SPDX-License-Identifier: MIT
#pragma once
/* A dump from the first try to the file under its name: ghost or inline, data, result, other tries. */
#include "output.h"
#include "run.h"
#include "stream.h"

/* Everything is noted with run->guard; the caller cleans. */
gboolean inj_dump(InjRun *run, InjOutput *output, InjStreamTotals *totals, GError **error);
/* The walker for this target's build: static bytes, to be unreferenced. */
GBytes *inj_dump_blob(const InjTarget *t);
