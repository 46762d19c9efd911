// SPDX-License-Identifier: MIT
#pragma once
/* How commands write a path. */
#include "cli/ha-command.h"
#include "text/ha-json.h"
#include "text/ha-path-text.h"

/* "path", "expression", "root" of a path into the JSON object that is open. */
void ha_json_path_members(HaJson *j, const HaContext *c, const HaPath *path);
/* {"kind", "text", "references"} */
void ha_json_root(HaJson *j, const HaContext *c, HaId id, const HaHeldBy *held);
