// SPDX-License-Identifier: MIT
#pragma once
/* Help texts, made from the tables. Owned by the caller. */
#include "cli/ha-command.h"

char *ha_help_program(const HaCommand *const *commands);
char *ha_help_command(const HaCommand *command);
