// SPDX-License-Identifier: MIT
/* heapanalyze export: the selection for other programs. */
#include <string.h>

#include "cli/ha-out-file.h"
#include "commands/ha-commands.h"
#include "export/ha-export.h"

static const HaOption options[] = {
    {.name = "format", .kind = HA_OPTION_CHOICE, .arg = "ndjson|dot", .fallback = "ndjson", .help = "what to write"},
    {.name = "output",
     .letter = 'o',
     .kind = HA_OPTION_TEXT,
     .arg = "FILE",
     .fallback = "-",
     .help = "where to; '-' is standard output"},
    {0}};

static void export(const HaContext *c, HaOut *out)
{
    if (strcmp(ha_options_text(c->options, "format"), "dot") == 0)
        ha_export_dot(c, out);
    else
        ha_export_ndjson(c, out);
}

static gboolean
run(HaContext *c, GError **error)
{
    const char *path = ha_options_text(c->options, "output");
    if (strcmp(path, "-") == 0) {
        export(c, c->out);
        return TRUE;
    }
    HaOutFile *file = ha_out_file_new(path, error);
    if (file == NULL)
        return FALSE;
    export(c, ha_out_file_out(file));
    return ha_out_file_finish(file, error);
}

const HaCommand ha_command_export = {
    .name = "export",
    .summary = "All objects with their references, for other programs",
    .examples = "  heapanalyze export --format ndjson -o app.ndjson app.heap.zst\n"
                "  heapanalyze export --format ndjson | jq 'select(.type==\"app.Session\")'\n"
                "  heapanalyze --remove-heap-dump a.heap export --format dot -o new.dot b.heap\n",
    .options = options,
    .run = run};
