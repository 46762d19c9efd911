// SPDX-License-Identifier: MIT
#include "options.h"
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "error.h"

enum { CONTENT_DEFAULT = 128, CONTENT_MAX = 65536 };

#define USAGE    "Usage: heapdump-gdb [OPTION…] PID"
#define SEE_HELP USAGE "; --help tells the options"

char *
inj_options_help(void)
{
    return g_strdup_printf(
        "%s\n"
        "\n"
        "Writes all objects of a running Python (CPython 3.8 to 3.15), with their references, to a\n"
        "file. The program goes on: it stands still for some milliseconds, while a copy-on-write copy\n"
        "of it is made, and the copy is dumped.\n"
        "\n"
        "  -o, --output FILE      where the dump goes: .zst or .gz at the end compresses it, - is stdout\n"
        "                         (default heap-PID-YYYYmmddTHHMMSS.heap.zst in this folder)\n"
        "      --timeout SECONDS  how long to wait for the snapshot, then for any sign of progress (60)\n"
        "      --mode MODE        fork: dump a copy; inline: dump the program itself while it stands\n"
        "                         still; auto: inline only where no copy can be made (auto)\n"
        "      --gc               force a collection in the program first; without it garbage is\n"
        "                         marked as such\n"
        "      --content BYTES    longest piece of an object's content in the dump, 0 for none (%d)\n"
        "      --redact           no contents: a salted hash and the length instead\n"
        "      --payload FILE.py  run this file in the program instead of dumping it; it defines\n"
        "                         __payload_entrypoint(output_path, event_loop); \"tasks\" is built in\n"
        "      --stage-dir DIR    folder, as the program sees it, for the data pipe\n"
        "                         (its TMPDIR, /tmp, /var/tmp, /dev/shm or /run)\n"
        "      --gdb PATH         the GDB to run (gdb)\n"
        "      --print-script     print the GDB script that would run and touch nothing\n"
        "  -q, --quiet            say nothing but errors and the dump's path\n"
        "  -v, --verbose          say what is done, and what GDB says\n"
        "      --version          print the version\n"
        "  -h, --help             print this\n"
        "\n"
        "The last line of stdout is the dump's path. Exit status: 0 dumped, 1 failed (the program is\n"
        "unharmed), 2 wrong usage, 3 timed out, 4 not permitted, 5 not a Python that can be dumped,\n"
        "130 interrupted.\n"
        "\n"
        "Examples:\n"
        "  heapdump-gdb 1234                          dump process 1234\n"
        "  heapdump-gdb -o before.heap.gz 1234        choose the name\n"
        "  heapdump-gdb -o - 1234 | ssh host 'cat > app.heap'\n"
        "  heapdump-gdb --payload tasks -o tasks.txt 1234\n"
        "  sudo heapdump-gdb --content 0 1234         without any strings of the program\n",
        USAGE, CONTENT_DEFAULT);
}

void
inj_options_clear(InjOptions *o)
{
    g_clear_pointer(&o->output, g_free);
    g_clear_pointer(&o->payload, g_free);
    g_clear_pointer(&o->stage_dir, g_free);
    g_clear_pointer(&o->gdb, g_free);
}

static gboolean
parse_number(const char *text, const char *what, guint64 max, guint64 *out, GError **error)
{
    char *end;

    errno = 0;
    guint64 v = g_ascii_strtoull(text, &end, 10);
    if (!g_ascii_isdigit(*text) || *end != '\0' || errno != 0 || v > max) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_USAGE, "%s: \"%s\" is not a number from 0 to %" G_GUINT64_FORMAT, what,
                    text, max);
        return FALSE;
    }
    *out = v;
    return TRUE;
}

static gboolean
parse_mode(InjOptions *o, const char *text, GError **error)
{
    static const char *const names[] = {
        [INJ_MODE_AUTO] = "auto", [INJ_MODE_FORK] = "fork", [INJ_MODE_INLINE] = "inline"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            o->mode = (InjMode)i;
            return TRUE;
        }
    }
    g_set_error(error, INJ_ERROR, INJ_ERROR_USAGE, "--mode: \"%s\" is none of auto, fork, inline", text);
    return FALSE;
}

static gboolean
parse_timeout(InjOptions *o, const char *text, GError **error)
{
    char *end;
    double v = g_ascii_strtod(text, &end);

    if (end == text || *end != '\0' || !(v > 0) || v > 1e6) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_USAGE,
                    "--timeout: \"%s\" is not a number of seconds, above 0 and up to 1000000", text);
        return FALSE;
    }
    o->timeout = v;
    return TRUE;
}

static char *
default_output(const InjOptions *o)
{
    time_t now = time(NULL);
    struct tm tm;
    char stamp[32];

    localtime_r(&now, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%S", &tm);
    if (o->payload != NULL)
        return g_strdup_printf("payload-%d-%s.out", (int)o->pid, stamp);
    return g_strdup_printf("heap-%d-%s.heap.zst", (int)o->pid, stamp);
}

/* What GLib's parser leaves in text form. */
typedef struct {
    char *timeout, *mode, *content;
    char **rest;
} Texts;

static gboolean
interpret(InjOptions *o, const Texts *x, GError **error)
{
    guint64 v;

    if (o->help || o->version)
        return TRUE;
    if (x->timeout != NULL && !parse_timeout(o, x->timeout, error))
        return FALSE;
    if (x->mode != NULL && !parse_mode(o, x->mode, error))
        return FALSE;
    if (x->content != NULL) {
        if (!parse_number(x->content, "--content", CONTENT_MAX, &v, error))
            return FALSE;
        o->content = (guint)v;
    }
    if (x->rest == NULL || x->rest[0] == NULL) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_USAGE, "which process? 'pgrep -a python' lists some. " SEE_HELP);
        return FALSE;
    }
    if (x->rest[1] != NULL) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_USAGE, "one process at a time, \"%s\" is too much. " SEE_HELP,
                    x->rest[1]);
        return FALSE;
    }
    if (!parse_number(x->rest[0], "PID", G_MAXINT32, &v, NULL) || v == 0) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_USAGE,
                    "PID: \"%s\" is not a number from 1 to %d: 'pgrep -a python' lists some processes with theirs",
                    x->rest[0], G_MAXINT32);
        return FALSE;
    }
    o->pid = (pid_t)v;
    if (o->quiet && o->verbose) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_USAGE, "--quiet and --verbose exclude each other");
        return FALSE;
    }
    if (o->output != NULL && (*o->output == '\0' || g_str_has_suffix(o->output, "/"))) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_USAGE, "--output: \"%s\" is not the name of a file", o->output);
        return FALSE;
    }
    if (o->output == NULL)
        o->output = default_output(o);
    if (o->gdb == NULL)
        o->gdb = g_strdup("gdb");
    if (g_str_has_suffix(o->output, ".zst"))
        o->compress = INJ_COMPRESS_ZSTD;
    else if (g_str_has_suffix(o->output, ".gz"))
        o->compress = INJ_COMPRESS_GZIP;
    return TRUE;
}

gboolean
inj_options_parse(InjOptions *o, int argc, char *const *argv, GError **error)
{
    InjOptions p = {.timeout = 60, .content = CONTENT_DEFAULT};
    Texts x = {0};
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &p.output, NULL, NULL},
        {"output-path", 0, 0, G_OPTION_ARG_FILENAME, &p.output, NULL, NULL},
        {"timeout", 0, 0, G_OPTION_ARG_STRING, &x.timeout, NULL, NULL},
        {"mode", 0, 0, G_OPTION_ARG_STRING, &x.mode, NULL, NULL},
        {"gc", 0, 0, G_OPTION_ARG_NONE, &p.gc, NULL, NULL},
        {"content", 0, 0, G_OPTION_ARG_STRING, &x.content, NULL, NULL},
        {"redact", 0, 0, G_OPTION_ARG_NONE, &p.redact, NULL, NULL},
        {"payload", 0, 0, G_OPTION_ARG_FILENAME, &p.payload, NULL, NULL},
        {"stage-dir", 0, 0, G_OPTION_ARG_FILENAME, &p.stage_dir, NULL, NULL},
        {"gdb", 0, 0, G_OPTION_ARG_FILENAME, &p.gdb, NULL, NULL},
        {"print-script", 0, 0, G_OPTION_ARG_NONE, &p.print_script, NULL, NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &p.quiet, NULL, NULL},
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &p.verbose, NULL, NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &p.version, NULL, NULL},
        {"help", 'h', 0, G_OPTION_ARG_NONE, &p.help, NULL, NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &x.rest, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) local = NULL;
    char **copy = g_new0(char *, (gsize)argc + 1);

    for (int i = 0; i < argc; i++)
        copy[i] = g_strdup(argv[i]);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_add_main_entries(context, entries, NULL);
    gboolean ok = g_option_context_parse_strv(context, &copy, &local);
    if (!ok)
        g_set_error(error, INJ_ERROR, INJ_ERROR_USAGE, "%s. " SEE_HELP, local->message);
    else
        ok = interpret(&p, &x, error);
    g_strfreev(copy);
    g_strfreev(x.rest);
    g_free(x.timeout);
    g_free(x.mode);
    g_free(x.content);
    if (ok)
        *o = p;
    else
        inj_options_clear(&p);
    return ok;
}
