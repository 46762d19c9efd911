// SPDX-License-Identifier: MIT
#include "ha-help.h"

#include <string.h>

#include "cli/ha-option-private.h"

#define HELP_COLUMN 32

static void
add_options(GString *text, const HaOption *table)
{
    for (; table != NULL && table->name != NULL; table++) {
        g_autoptr(GString) left = g_string_new("  ");
        if (table->letter != 0)
            g_string_append_printf(left, "-%c, ", table->letter);
        g_string_append_printf(left, "--%s", table->name);
        if (table->kind != HA_OPTION_FLAG)
            g_string_append_printf(left, " %s", table->arg);
        if (left->len >= HELP_COLUMN - 1)
            g_string_append_printf(text, "%s\n%*s", left->str, HELP_COLUMN, "");
        else
            g_string_append_printf(text, "%-*s", HELP_COLUMN, left->str);
        g_string_append(text, table->help);
        if (table->fallback != NULL)
            g_string_append_printf(text, " (%s)", table->fallback);
        if (table->alias != NULL)
            g_string_append_printf(text, "; also --%s", table->alias);
        g_string_append_c(text, '\n');
    }
}

char *
ha_help_program(const HaCommand *const *commands)
{
    GString *text = g_string_new(
        "Usage: heapanalyze [OPTION…] COMMAND [OPTION…] [DUMP]\n"
        "\n"
        "Answers questions about heap dumps of Python programs, as heapdump-gdb, dump-heap and PyHeap write them.\n"
        "Options may stand before or after the command. Without DUMP: $HEAPDUMP, or else the newest\n"
        "*.heap, *.heap.zst or *.heap.gz in the current folder; '-' is standard input.\n"
        "\n"
        "Commands:\n");
    for (guint i = 0; commands[i] != NULL; i++)
        g_string_append_printf(text, "  %-10s%s\n", commands[i]->name, commands[i]->summary);
    g_string_append(text, "\nOptions of every command:\n");
    add_options(text, ha_common_options);
    g_string_append(text, "\n'heapanalyze COMMAND --help' tells the rest.\n"
                          "\n"
                          "Examples:\n"
                          "  heapanalyze leaks --previous-heap-dump before.heap.gz after.heap.gz\n"
                          "  heapanalyze top\n"
                          "  heapanalyze --previous-heap-dump before.heap.gz top --show-parents after.heap.gz\n"
                          "  heapanalyze types --by module after.heap.zst\n"
                          "\n"
                          "Exit status: 0 all well, 1 failed, 2 wrong usage.\n");
    return g_string_free(text, FALSE);
}

char *
ha_help_command(const HaCommand *command)
{
    GString *text = g_string_new(NULL);
    gboolean optional = command->min_args == 0;
    g_string_append_printf(text, "Usage: heapanalyze %s [OPTION…]", command->name);
    if (command->args != NULL)
        g_string_append_printf(text, optional ? " [%s]" : " %s", command->args);
    g_string_append_printf(text, "%s\n\n%s.\n\n", command->flags & HA_COMMAND_DUMPS ? "" : " [DUMP]", command->summary);
    if (command->notes != NULL)
        g_string_append_printf(text, "%s\n", command->notes);
    if (command->options != NULL && command->options->name != NULL) {
        g_string_append(text, "Options:\n");
        add_options(text, command->options);
        g_string_append_c(text, '\n');
    }
    g_string_append(text, "Options of every command:\n");
    add_options(text, ha_common_options);
    if (command->examples != NULL)
        g_string_append_printf(text, "\nExamples:\n%s", command->examples);
    return g_string_free(text, FALSE);
}
