// SPDX-License-Identifier: MIT
/* The text of scripts, to the letter: PROGRAM --write FOLDER makes the golden files anew. */
#include <glib.h>
#include <signal.h>
#include <string.h>
#include "script.h"
#include "stub.h"
#include "wk-private.h"

static const guint64 STUB = 0x7f0000100000;

static char *
fork_text(guint minor, gboolean rseq)
{
    const InjForkScript s = {
        .pid = 4711,
        .signal = SIGURG,
        .stub = STUB,
        .stamp = 0x1deadbeef,
        .runtime = 0x7f0000200000,
        .gil = inj_gil_facts(minor, FALSE),
        .has_rseq = rseq,
        .rseq_offset = 2336,
    };

    return inj_script_fork(&s);
}

static char *
run_text(pid_t pid)
{
    const InjRunScript s = {
        .pid = pid,
        .cave = STUB,
        .cave_end = STUB + 0x400,
        .blob = "/proc/self/fd/11",
        .args = "/proc/self/fd/12",
        .args_at = 0x1a000,
        .base_at = 0x18,
        .orders_at = 0x5afc0,
    };

    return inj_script_run(&s);
}

static const struct {
    const char *name;
    guint minor; /* 0: the second script */
    gboolean rseq;
} GOLDEN[] = {{"fork-3.8", 8, FALSE}, {"fork-3.13-rseq", 13, TRUE}, {"run", 0, FALSE}};

/* Where things stand in the stub is not the scripts' affair: such addresses are named. */
static char *
name_addresses(const char *text)
{
    const InjStubTable *t = inj_stub_table();
    const struct {
        guint32 offset;
        const char *name;
    } places[] = {{t->entry, "ENTRY"},     {t->stop, "STOP"},           {t->rip, "RIP"},
                  {t->rax, "RAX"},         {t->rip_eintr, "RIP_EINTR"}, {t->rax_eintr, "RAX_EINTR"},
                  {t->restart, "RESTART"}, {t->stamp, "STAMP"}};
    g_autoptr(GString) s = g_string_new(text);

    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *address = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", STUB + places[i].offset);
        g_string_replace(s, address, places[i].name, 0);
    }
    return g_string_free(g_steal_pointer(&s), FALSE);
}

static char *
text_of(gsize i)
{
    g_autofree char *text = GOLDEN[i].minor != 0 ? fork_text(GOLDEN[i].minor, GOLDEN[i].rseq) : run_text(4712);

    return name_addresses(text);
}

static void
test_golden(gconstpointer data)
{
    gsize i = GPOINTER_TO_SIZE(data);
    g_autofree char *name = g_strconcat(GOLDEN[i].name, ".golden", NULL);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, name, NULL);
    g_autofree char *expected = NULL, *text = text_of(i);

    g_assert_true(g_file_get_contents(path, &expected, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
}

static void
test_every_version(void)
{
    for (guint minor = 8; minor <= 15; minor++) {
        g_autofree char *text = fork_text(minor, minor % 2);
        g_assert_null(strchr(text, '@'));
        g_assert_nonnull(strstr(text, "attach 4711\n"));
    }
    g_assert_null(inj_gil_facts(7, FALSE));
    g_assert_null(inj_gil_facts(16, FALSE));
    g_assert_null(inj_gil_facts(14, TRUE));
}

/* The walker's tables come from CPython's own headers. */
static void
test_gil_facts(void)
{
    for (guint i = 3 * 8; i <= 3 * 15 + 2; i++) {
        static const guint builds[] = {WK_BUILD_RELEASE, WK_BUILD_DEBUG, WK_BUILD_FREE_THREADED};
        guint minor = i / 3, build = builds[i % 3];
        const InjGilFacts *g = inj_gil_facts(minor, build == WK_BUILD_FREE_THREADED);
        struct wk_facts f;
        if (g == NULL) {
            g_assert_cmpuint(build, ==, WK_BUILD_FREE_THREADED);
            g_assert_false(wk_facts_find(3u << 8 | minor, 0, build, &f));
            continue;
        }
        g_assert_true(wk_facts_find(3u << 8 | minor, 0, build, &f));
        g_assert_cmpuint(g->thread_id, ==, f.tstate_thread_id);
        if (g->main == 0) {
            g_assert_cmpuint(g->current, ==, f.runtime_tstate_current);
        } else {
            g_assert_cmpuint(f.runtime_tstate_current, ==, WK_NO_FACT);
            g_assert_cmpuint(g->main, ==, f.runtime_interp_main);
            g_assert_cmpuint(g->gil, ==, f.interp_gil);
            g_assert_cmpuint(g->holder, ==, f.gil_last_holder);
            g_assert_cmpuint(g->locked, ==, f.gil_locked);
        }
    }
}

static void
test_unknown_pid(void)
{
    g_autofree char *text = run_text(0);

    g_assert_nonnull(strstr(text, "attach PID_OF_THE_GHOST\n"));
}

static void
test_fill(void)
{
    g_autofree char *text = inj_script_fill("@A@ and @B@@A@.", "A", "1", "B", "two", NULL);

    g_assert_cmpstr(text, ==, "1 and two1.");
}

static void
test_stub(void)
{
    const InjStubTable *t = inj_stub_table();
    g_autoptr(GBytes) bytes = inj_stub_build(&(InjStubParams){.map_size = 0x5b000,
                                                              .code_size = 0x1a000,
                                                              .stamp = 77,
                                                              .wait_ms = 3000,
                                                              .signal = SIGURG,
                                                              .nonce = "0badcafe",
                                                              .file = "/usr/bin/python3"});
    gsize n;
    const guint8 *b = g_bytes_get_data(bytes, &n);
    guint64 unblock;

    g_assert_cmpuint(n, ==, t->size + sizeof "/usr/bin/python3");
    g_assert_cmpuint(t->size, <, 1024); /* it has to fit into what libraries leave free */
    memcpy(&unblock, b + t->unblock, 8);
    g_assert_cmphex(unblock, ==, ~(1ull << (SIGURG - 1)));
    g_assert_cmpstr((const char *)b + t->ghost_name, ==, "hdghost0badcafe");
    g_assert_cmpstr((const char *)b + t->reaper_name, ==, "hdreap-0badcafe");
    g_assert_cmpstr((const char *)b + t->size, ==, "/usr/bin/python3");
    g_assert_cmphex(b[0], ==, 0x90); /* the kernel's restart steps back by two */
    g_assert_cmphex(b[1], ==, 0x90);
    g_assert_cmpuint(t->entry, ==, 2);
}

int
main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--write") == 0) {
        for (gsize i = 0; i < G_N_ELEMENTS(GOLDEN); i++) {
            g_autofree char *path = g_strdup_printf("%s/%s.golden", argv[2], GOLDEN[i].name), *text = text_of(i);
            g_file_set_contents(path, text, -1, NULL);
        }
        return 0;
    }
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(GOLDEN); i++) {
        g_autofree char *path = g_strdup_printf("/script/golden/%s", GOLDEN[i].name);
        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_golden);
    }
    g_test_add_func("/script/every-version", test_every_version);
    g_test_add_func("/script/gil-facts", test_gil_facts);
    g_test_add_func("/script/unknown-pid", test_unknown_pid);
    g_test_add_func("/script/fill", test_fill);
    g_test_add_func("/script/stub", test_stub);
    return g_test_run();
}
