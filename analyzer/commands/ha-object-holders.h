// SPDX-License-Identifier: MIT
#pragma once
/* The part of "object" that tells what keeps it alive and what would be free without that. */
#include "cli/ha-command.h"
#include "text/ha-json.h"

typedef struct HaHolders HaHolders;

/* most: holders that are wanted. NULL: no memory. */
HaHolders *ha_holders_new(HaContext *c, HaId id, guint most, GError **error);
void ha_holders_free(HaHolders *h);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaHolders, ha_holders_free)

void ha_holders_write_size(const HaHolders *h); /* "retained", "dominator" lines */
void ha_holders_write(const HaHolders *h);      /* "held by" */
void ha_holders_json(const HaHolders *h, HaJson *j);
