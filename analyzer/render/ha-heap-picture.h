// SPDX-License-Identifier: MIT
#pragma once
/* A neighbourhood of the heap graph put into words: what the nodes and edges of its picture say. Like ha_graph_referrers() not thread-safe. */
#include "analyses/ha-neighbourhood.h"
#include "render/ha-picture.h"

typedef struct {
    const char *title;
    const HaLedger *ledger;    /* NULL: none */
    const char *const *censor; /* prefixes, NULL-terminated; NULL: none. See ha-censor.h */
} HaHeapPictureSpec;

HaPicture *ha_heap_picture_new(HaGraph *g, const HaNeighbourhood *n, const HaHeapPictureSpec *spec);

/* A type as people write it: without "builtins.". Borrowed from the type. */
const char *ha_heap_picture_type_name(const HaType *type);
