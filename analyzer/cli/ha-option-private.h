// SPDX-License-Identifier: MIT
#pragma once
/* Reading a command line against tables of options; for cli/ and its tests. */
#include "cli/ha-command.h"
#include "cli/ha-option.h"

extern const HaOption ha_common_options[]; /* for every command */

typedef struct {
    const HaCommand *command; /* NULL: none given */
    HaOptions *options;       /* owned */
    char **args;              /* owned; what is no option, behind the command */
} HaCommandLine;

/*
 * argv[0] is passed over. The command is the first argument that is no option. FALSE: HA_ERROR_USAGE, with a suggestion where one
 * is near. After -h, --help, --version nothing is checked any more.
 */
gboolean ha_command_line_parse(const HaCommand *const *commands, int argc, char **argv, HaCommandLine *out,
                               GError **error);
void ha_command_line_clear(HaCommandLine *line);

/* The name in the list (NULL-terminated) that is close to what was typed; NULL: none. */
const char *ha_closest(const char *typed, const char *const *names);
