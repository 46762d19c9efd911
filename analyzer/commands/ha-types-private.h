// SPDX-License-Identifier: MIT
#pragma once
/* The other answers of "types", a file each. */
#include "cli/ha-command.h"

gboolean ha_types_duplicates(HaContext *c, GError **error);
gboolean ha_types_containers(HaContext *c, GError **error);
