// SPDX-License-Identifier: MIT
#pragma once
/* Shared by refs.c and its set-up: the layouts of dicts that share their keys. */
#include "wk-private.h"

struct wk_shape {
    wk_addr keys;
    uint64_t mask; /* which values are there */
    uint32_t layout;
};
