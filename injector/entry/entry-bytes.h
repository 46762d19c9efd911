// SPDX-License-Identifier: MIT
#pragma once
/* What the build embeds: the code that goes into the target, and our Python texts. */
#include <glib.h>

extern const guint8 ep_blob[], ep_stub[], ep_run_payload[], ep_run_collect[], ep_payload_tasks[];
extern const gsize ep_blob_size, ep_stub_size, ep_run_payload_size, ep_run_collect_size, ep_payload_tasks_size;
