// SPDX-License-Identifier: MIT
#pragma once
/* Layouts, and what names.c offers beyond wk-private.h. A tag is a name's id with the flags of the reference. */
#include "wk-private.h"

#define WK_OPEN_HIDDEN 0x100u /* beside the kind of an open run: tp_traverse does not show it */

#define WK_TAG_NAME_BITS   28
#define WK_TAG(name, flag) ((uint32_t)(name) | (uint32_t)(flag) << WK_TAG_NAME_BITS)
#define WK_TAG_NAME(tag)   ((tag) & ((1u << WK_TAG_NAME_BITS) - 1))
#define WK_TAG_FLAGS(tag)  ((tag) >> WK_TAG_NAME_BITS)

void wk_names_init(struct wk *w); /* the references' arrays, too */
uint32_t wk_name_cstr(struct wk *w, enum wk_name_kind kind, const char *text);
/* The layout of an open run (if any) followed by n tagged references. */
uint32_t wk_layout(struct wk *w, bool has_open, enum hf_run_kind open, const uint32_t *tags, uint64_t n);
uint32_t wk_layout_fixed(const struct wk *w, enum hf_run_kind open);
