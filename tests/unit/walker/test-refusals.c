// SPDX-License-Identifier: MIT
/* What the walker refuses, with which word, before it has looked at a single object. Inline mode: in this process. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include "wk-walk.h"

static const char *version;

static const char *
get_version(void)
{
    return version;
}

struct run {
    struct wk_args args;
    char *folder; /* owned */
    char *word;   /* owned: status_text of the result file, NULL without one */
};

static void
run_init(struct run *r)
{
    memset(r, 0, sizeof *r);
    r->folder = g_dir_make_tmp("walker-XXXXXX", NULL);
    r->args.magic = WK_ABI_MAGIC;
    r->args.abi_version = WK_ABI_VERSION;
    r->args.size = sizeof r->args;
    r->args.mode = WK_MODE_INLINE;
    for (guint i = 0; i < WK_SYM_COUNT; i++)
        r->args.symbols[i] = 0x1000; /* never looked at */
    r->args.symbols[WK_SYM_GET_VERSION] = (guint64)(uintptr_t)get_version;
    r->args.symbols[WK_SYM_DEBUG_BUILD] = r->args.symbols[WK_SYM_DEBUG_BUILD_OLD] = 0;
    g_snprintf(r->args.data_path, WK_PATH_MAX, "%s/no/such/file", r->folder);
    g_snprintf(r->args.result_path, WK_PATH_MAX, "%s/result", r->folder);
    g_snprintf(r->args.result_temp_path, WK_PATH_MAX, "%s/result.part", r->folder);
}

static guint32
run(struct run *r)
{
    g_autofree char *text = NULL;

    wk_run(&r->args);
    g_clear_pointer(&r->word, g_free);
    g_assert_false(g_file_test(r->args.result_temp_path, G_FILE_TEST_EXISTS));
    if (g_file_get_contents(r->args.result_path, &text, NULL, NULL)) {
        const char *from = strstr(text, "\"status_text\":\"");
        g_assert_nonnull(from);
        from += strlen("\"status_text\":\"");
        r->word = g_strndup(from, (gsize)(strchr(from, '"') - from));
        g_unlink(r->args.result_path);
    }
    return r->args.result.status;
}

static void
run_clear(struct run *r)
{
    g_rmdir(r->folder);
    g_free(r->folder);
    g_free(r->word);
}

static void
test_versions(void)
{
    static const struct {
        const char *text, *word;
    } cases[] = {
        {"3.16.0 (main, Oct  7 2027, 00:00:00) [GCC]", "this version of CPython is not known"},
        {"3.7.16 (default, May  9 2026, 07:31:42)", "this version of CPython is not known"},
        {"2.7.18 (default)", "this version of CPython is not known"},
        {"3.13.0rc1 (main)", "this version of CPython is not known"},
        {"3.12.0b4 (main)", "this version of CPython is not known"},
        {"3.13.0 experimental free-threading build (main)", "this walker is not for free-threaded builds of CPython"},
        {"3.14.0 free-threading build (main)", "this walker is not for free-threaded builds of CPython"},
        {"3.9.17 (1234, Jun 2023)\n[PyPy 7.3.12]", "PyPy is not CPython"},
        {"", "this version of CPython is not known"},
        {"three", "this version of CPython is not known"},
    };
    struct run r;

    run_init(&r);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        version = cases[i].text;
        g_assert_cmpuint(run(&r), ==, WK_ERR_VERSION);
        g_assert_cmpstr(r.word, ==, cases[i].word);
    }
    run_clear(&r);
}

static void
test_symbol(void)
{
    struct run r;

    run_init(&r);
    version = "3.11.7 (main)";
    r.args.symbols[WK_SYM_TYPE_DICT] = 0;
    g_assert_cmpuint(run(&r), ==, WK_ERR_SYMBOL);
    g_assert_cmpstr(r.word, ==, "PyDict_Type is missing");
    run_clear(&r);
}

static void
test_data_file(void)
{
    struct run r;

    run_init(&r);
    version = "3.11.7 (main)";
    g_assert_cmpuint(run(&r), ==, WK_ERR_OPEN);
    g_assert_cmpstr(r.word, ==, "the data file cannot be opened");
    g_assert_cmpint(r.args.result.error, ==, 2);
    run_clear(&r);
}

static void
test_abi(void)
{
    struct run r;

    run_init(&r);
    version = "3.11.7 (main)";
    r.args.size--;
    g_assert_cmpuint(run(&r), ==, WK_ERR_ABI);
    r.args.size++;
    r.args.mode = 7;
    g_assert_cmpuint(run(&r), ==, WK_ERR_ABI);
    r.args.mode = WK_MODE_INLINE;
    r.args.magic++;
    g_assert_cmpuint(run(&r), ==, WK_ERR_ABI);
    run_clear(&r);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/walker/refuses/versions", test_versions);
    g_test_add_func("/walker/refuses/symbol", test_symbol);
    g_test_add_func("/walker/refuses/data-file", test_data_file);
    g_test_add_func("/walker/refuses/abi", test_abi);
    return g_test_run();
}
