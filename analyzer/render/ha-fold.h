// SPDX-License-Identifier: MIT
#pragma once
/*
 * Makes a picture smaller without leaving anything out: nodes that say the same become one, which tells how many it stands for. The
 * counts of objects and references add up to those of the picture that went in. Pure: the input does not change. One thread at a
 * time.
 *
 *   level 0   a copy
 *   level 1   four or more siblings — same type, same distance, same references to the same nodes — become one; chains of five or more
 *   level 2   two or more siblings; chains of three or more
 *   level 3   all of a type at the same distance; from here on chosen ones, roots and red paths are folded too, each kind for itself
 *   level 4   all of a type
 *   level 5   all at the same distance
 *   level 6   all of a kind
 */
#include "render/ha-picture.h"

enum {
    HA_FOLD_LAST = 6,
};

HaPicture *ha_fold(const HaPicture *in, guint level);

/* The least folding from level on that leaves at most so many nodes and arrows, or the last. *level says which it was. */
HaPicture *ha_fold_to_fit(const HaPicture *in, guint max_nodes, guint max_arrows, guint *level);
