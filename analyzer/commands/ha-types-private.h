// SPDX-License-Identifier: MIT
#pragma once
/* The other answers of "types", a file each. */
#include "analyses/ha-type-match.h"
#include "cli/ha-command.h"

/* What --filter asks for; NULL: all. Says so if that is none. Owned by the caller. */
HaTypeSet *ha_types_wanted(const HaContext *c, const HaGraph *g);

gboolean ha_types_duplicates(HaContext *c, GError **error);
gboolean ha_types_containers(HaContext *c, GError **error);
