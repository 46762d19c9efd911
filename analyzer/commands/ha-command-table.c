// SPDX-License-Identifier: MIT
#include "commands/ha-commands.h"

const HaCommand *const ha_commands[] = {
    &ha_command_top,      &ha_command_types,
    &ha_command_graph,    &ha_command_paths,
    &ha_command_retained, &ha_command_leaks,
    &ha_command_diff,     &ha_command_object,
    &ha_command_threads,  &ha_command_tasks,
    &ha_command_info,     &ha_command_export,
    &ha_command_assert,   NULL,
};
