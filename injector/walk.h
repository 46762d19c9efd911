// SPDX-License-Identifier: MIT
#pragma once
/*
 * What every way of running the walker shares: its arguments, and the wait for its data and result. ghost.c and entry/ only differ in how they start it.
 */
#include "run.h"
#include "wk-abi.h"

/*
 * Arguments for a walk in this mode (enum wk_mode): symbols, version, paths in the stage, limits. blob_base and mapping_size stay 0: they are
 * set by who maps the blob.
 */
gboolean inj_walk_args(InjRun *run, guint32 mode, struct wk_args *args, GError **error);

#define INJ_WALK_STACK (256u << 10) /* bytes of stack that the walker is given */

/* Files in the stage. */
#define INJ_WALK_DATA        "data"
#define INJ_WALK_RESULT      "result"
#define INJ_WALK_RESULT_TEMP "result.part"
