// SPDX-License-Identifier: MIT
#include <glib.h>
#include <string.h>
#include "error.h"
#include "options.h"

/* Parses words separated by blanks. */
static gboolean
parse(const char *line, InjOptions *o, GError **error)
{
    g_autofree char *whole = g_strconcat("heapdump-gdb ", line, NULL);
    g_auto(GStrv) argv = g_strsplit(*line ? whole : "heapdump-gdb", " ", -1);

    return inj_options_parse(o, (int)g_strv_length(argv), argv, error);
}

static void
test_defaults(void)
{
    InjOptions o = {0};
    g_autoptr(GError) error = NULL;

    g_assert_true(parse("1234", &o, &error));
    g_assert_cmpint(o.pid, ==, 1234);
    g_assert_true(g_regex_match_simple("^heap-1234-\\d{8}T\\d{6}\\.heap\\.zst$", o.output, 0, 0));
    g_assert_cmpint(o.compress, ==, INJ_COMPRESS_ZSTD);
    g_assert_cmpfloat(o.timeout, ==, 60);
    g_assert_cmpint(o.mode, ==, INJ_MODE_AUTO);
    g_assert_cmpuint(o.content, ==, 128);
    g_assert_cmpstr(o.gdb, ==, "gdb");
    g_assert_null(o.payload);
    g_assert_null(o.stage_dir);
    g_assert_false(o.gc || o.redact || o.print_script || o.quiet || o.verbose || o.help || o.version);
    inj_options_clear(&o);
}

static void
test_all(void)
{
    InjOptions o = {0};

    g_assert_true(parse("5 --timeout 2.5 --mode=inline --gc --content 0 --redact --payload tasks --stage-dir /x --gdb "
                        "/g --print-script -v",
                        &o, NULL));
    g_assert_cmpint(o.pid, ==, 5);
    g_assert_cmpfloat(o.timeout, ==, 2.5);
    g_assert_cmpint(o.mode, ==, INJ_MODE_INLINE);
    g_assert_cmpuint(o.content, ==, 0);
    g_assert_cmpstr(o.payload, ==, "tasks");
    g_assert_cmpstr(o.stage_dir, ==, "/x");
    g_assert_cmpstr(o.gdb, ==, "/g");
    g_assert_true(o.gc && o.redact && o.print_script && o.verbose);
    inj_options_clear(&o);
}

static void
test_output(void)
{
    static const struct {
        const char *line, *output;
        InjCompress compress;
    } cases[] = {
        {"-o a.heap.zst 1", "a.heap.zst", INJ_COMPRESS_ZSTD},
        {"1 -o a.heap.gz", "a.heap.gz", INJ_COMPRESS_GZIP},
        {"--output=a 1", "a", INJ_COMPRESS_NONE},
        {"--output-path a.zst 1", "a.zst", INJ_COMPRESS_ZSTD},
        {"-o - 1", "-", INJ_COMPRESS_NONE},
        {"-o x/y.gz.heap 1", "x/y.gz.heap", INJ_COMPRESS_NONE},
        {"-o a -o b 1", "b", INJ_COMPRESS_NONE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        InjOptions o = {0};
        g_assert_true(parse(cases[i].line, &o, NULL));
        g_assert_cmpstr(o.output, ==, cases[i].output);
        g_assert_cmpint(o.compress, ==, cases[i].compress);
        inj_options_clear(&o);
    }
}

static void
test_wrong(void)
{
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"", "which process? 'pgrep -a python' lists some. Usage: heapdump-gdb"},
        {"x", "\"x\" is not a number"},
        {"0", "\"0\" is not a number from 1"},
        {"12x", "\"12x\" is not a number"},
        {"99999999999", "is not a number from 1 to 2147483647: 'pgrep"},
        {"1 2", "\"2\" is too much"},
        {"--nonsense 1", "--nonsense. Usage: heapdump-gdb [OPTION…] PID; --help tells"},
        {"-o", "-o"},
        {"-o dir/ 1", "\"dir/\" is not the name of a file"},
        {"--timeout x 1", "--timeout: \"x\""},
        {"--timeout 0 1", "--timeout: \"0\""},
        {"--timeout -1 1", "--timeout: \"-1\""},
        {"--timeout nan 1", "--timeout: \"nan\""},
        {"--mode fast 1", "\"fast\" is none of auto, fork, inline"},
        {"--content 1k 1", "--content: \"1k\""},
        {"--content 65537 1", "from 0 to 65536"},
        {"-q -v 1", "--quiet and --verbose exclude each other"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        InjOptions o = {0};
        g_autoptr(GError) error = NULL;
        g_assert_false(parse(cases[i].line, &o, &error));
        g_assert_error(error, INJ_ERROR, INJ_ERROR_USAGE);
        g_assert_cmpint(inj_error_exit_code(error), ==, 2);
        if (strstr(error->message, cases[i].says) == NULL)
            g_error("%s: says \"%s\" and not \"%s\"", cases[i].line, error->message, cases[i].says);
        g_assert_null(strchr(error->message, '\n'));
        g_assert_null(o.output);
    }
}

/* Every option stands in the help, and the help in the columns that people have. */
static void
test_help(void)
{
    static const char *const options[] = {"--output", "--timeout", "--mode",      "--gc",   "--content",
                                          "--redact", "--payload", "--stage-dir", "--gdb",  "--print-script",
                                          "--quiet",  "--verbose", "--version",   "--help", "Examples:"};
    g_autofree char *help = inj_options_help();
    g_auto(GStrv) lines = g_strsplit(help, "\n", -1);
    InjOptions o = {0};

    for (gsize i = 0; i < G_N_ELEMENTS(options); i++)
        g_assert_nonnull(strstr(help, options[i]));
    for (gsize i = 0; lines[i] != NULL; i++)
        g_assert_cmpint(g_utf8_strlen(lines[i], -1), <=, 100);
    g_assert_true(parse("--help", &o, NULL));
    g_assert_true(o.help);
    g_assert_true(parse("-h --mode nonsense", &o, NULL));
    g_assert_true(parse("--version", &o, NULL));
    g_assert_true(o.version);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/options/defaults", test_defaults);
    g_test_add_func("/options/all", test_all);
    g_test_add_func("/options/output", test_output);
    g_test_add_func("/options/wrong", test_wrong);
    g_test_add_func("/options/help", test_help);
    return g_test_run();
}
