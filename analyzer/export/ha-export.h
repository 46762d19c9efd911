// SPDX-License-Identifier: MIT
#pragma once
/* The whole selection, for other programs. Each writes to an output and may stop early when that has stopped. */
#include "cli/ha-command.h"

void ha_export_ndjson(const HaContext *c, HaOut *out);
void ha_export_dot(const HaContext *c, HaOut *out);
