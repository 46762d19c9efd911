// SPDX-License-Identifier: MIT
#pragma once
/* The walker's result file: a flat JSON object with the fields of struct wk_result. Pure. */
#include <glib.h>
#include "wk-abi.h"

/* FALSE when there is no number "status" in it. Fields that are not there are 0. */
gboolean inj_result_parse(const char *text, gsize n, struct wk_result *out);
/* Sets an error for a status other than WK_OK: what it means and what to do. */
gboolean inj_result_check(const struct wk_result *r, GError **error);
