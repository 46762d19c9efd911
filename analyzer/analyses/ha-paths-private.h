// SPDX-License-Identifier: MIT
#pragma once
/* For ha-paths*.c. */
#include "analyses/ha-paths.h"

typedef struct {
    const HaPathsSpec *spec;
    const HaReach *reach, *before; /* borrowed; before NULL: the ways of reach begin at roots */
} HaPathsSearch;

/* The way to holder and its reference to target; held counts where holder is HA_ID_NONE. FALSE: an object stands on it twice. */
gboolean ha_paths_build(const HaPathsSearch *s, HaId holder, HaId target, gsize ref, const HaHeldBy *held, HaPath *out);

/* Adds to the ways of one target, as long as more are wanted, those that part from a known one further up, other roots first. */
gboolean ha_paths_deviate(const HaPathsSearch *s, HaPaths *p, GError **error);
