// SPDX-License-Identifier: MIT
/* heapanalyze export: the selection for other programs. */
#include <string.h>

#include "cli/ha-out-file.h"
#include "commands/ha-commands.h"
#include "export/ha-export.h"
#include "export/ha-tables.h"

static const HaOption options[] = {{.name = "format",
                                    .kind = HA_OPTION_CHOICE,
                                    .arg = "ndjson|csv|sqlite|heapsnapshot|dot",
                                    .fallback = "ndjson",
                                    .help = "what to write"},
                                   {.name = "output",
                                    .letter = 'o',
                                    .kind = HA_OPTION_TEXT,
                                    .arg = "FILE",
                                    .fallback = "-",
                                    .help = "where to; '-' is standard output"},
                                   {.name = "table",
                                    .kind = HA_OPTION_CHOICE,
                                    .arg = HA_TABLE_NAMES,
                                    .help = "csv: only this table, into FILE itself; otherwise FILE.csv has the "
                                            "objects, FILE-refs.csv the references, and so on"},
                                   {0}};

static gboolean
check(const HaOptions *given, const char *const *args, GError **error)
{
    (void)args;
    const char *format = ha_options_text(given, "format");
    if (ha_options_given(given, "table") && strcmp(format, "csv") != 0) {
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE,
                    "--table says nothing with --format %s: it chooses among those of csv", format);
        return FALSE;
    }
    if (strcmp(format, "sqlite") == 0 && strcmp(ha_options_text(given, "output"), "-") == 0) {
        g_set_error_literal(error, HA_ERROR, HA_ERROR_USAGE,
                            "--format sqlite wants -o FILE: a database is no stream, it cannot go to standard output");
        return FALSE;
    }
    return TRUE;
}

/* What is one stream. */
static gboolean export(const HaContext *c, HaOut *out, GError **error)
{
    const char *format = ha_options_text(c->options, "format");
    if (strcmp(format, "heapsnapshot") == 0)
        return ha_export_heapsnapshot(c, out, error);
    if (strcmp(format, "dot") == 0)
        ha_export_dot(c, out);
    else
        ha_export_ndjson(c, out);
    return TRUE;
}

static gboolean
run(HaContext *c, GError **error)
{
    const char *path = ha_options_text(c->options, "output");
    gboolean to_stdout = strcmp(path, "-") == 0;
    const char *format = ha_options_text(c->options, "format");
    if (strcmp(format, "csv") == 0)
        return ha_export_csv(c, to_stdout ? NULL : path, error);
    if (strcmp(format, "sqlite") == 0)
        return ha_export_sqlite(c, path, error);
    if (to_stdout)
        return export(c, c->out, error);
    HaOutFile *file = ha_out_file_new(path, HA_OUT_FILE_PRIVATE, error);
    if (file == NULL)
        return FALSE;
    if (!export(c, ha_out_file_out(file), error)) {
        ha_out_file_abandon(file);
        return FALSE;
    }
    return ha_out_file_finish(file, error);
}

const HaCommand ha_command_export = {
    .name = "export",
    .summary = "All objects with their references, for other programs",
    .examples = "  heapanalyze export --format ndjson -o app.ndjson app.heap.zst\n"
                "  heapanalyze export --format csv -o app.csv app.heap.zst\n"
                "  heapanalyze export --format csv --table types > types.csv\n"
                "  heapanalyze export --format sqlite -o app.sqlite app.heap.zst\n"
                "  heapanalyze export --format heapsnapshot -o app.heapsnapshot app.heap.zst\n"
                "  heapanalyze export --format ndjson | jq 'select(.type==\"app.Session\")'\n"
                "  heapanalyze --remove-heap-dump a.heap export --format dot -o new.dot b.heap\n",
    .options = options,
    .check = check,
    .run = run};
