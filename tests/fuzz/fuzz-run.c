// SPDX-License-Identifier: MIT
#include "fuzz-run.h"

#include <string.h>

#include "analyses/ha-origin.h"
#include "analyses/ha-same.h"
#include "cli/ha-option-private.h"

GRand *rnd;

guint
below(guint n)
{
    return n == 0 ? 0 : (guint)g_rand_int_range(rnd, 0, (gint32)n);
}

static void
check_output(HaOut *out)
{
    gsize n;
    const char *text = ha_out_memory(out, &n);
    g_assert_true(g_utf8_validate(text, n, NULL));
    for (gsize i = 0; i < n; i++)
        g_assert_true((guchar)text[i] >= 0x20 || text[i] == '\n' || (text[i] == '\r' && text[i + 1] == '\n'));
    g_assert_null(strstr(text, "\xe2\x80\xae"));
}

/* What a command keeps of other dumps: of none, of one, or of two that are the same. */
static GPtrArray *
remember(const HaCommandLine *parsed, HaGraph *other, const char *role)
{
    GPtrArray *others = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(HaLedger) ledger = ha_ledger_new(other, NULL);
    g_autoptr(HaBits) live = ha_live_objects(other, ledger, NULL);
    HaContext context = {.graph = other,
                         .dump_name = "made up",
                         .ledger = ledger,
                         .live = live,
                         .chosen = live,
                         .options = parsed->options};

    for (guint k = below(3); parsed->command->remember != NULL && k > 0; k--) {
        HaOther *one = g_new(HaOther, 1);
        *one = (HaOther){role, "made up", parsed->command->remember(&context, NULL)};
        g_assert_nonnull(one->memory);
        g_ptr_array_add(others, one);
    }
    return others;
}

void
fuzz_run(HaGraph *g, HaGraph *other, const char *line)
{
    g_auto(GStrv) argv = g_strsplit(line, " ", -1);
    HaCommandLine parsed;
    g_autoptr(GError) error = NULL;
    gboolean ok = ha_command_line_parse(ha_commands, g_strv_length(argv), argv, &parsed, &error);
    g_assert_no_error(error);
    g_autoptr(HaLedger) ledger = ha_ledger_new(g, &error);
    g_autoptr(HaBits) live = ha_live_objects(g, ledger, &error);
    g_autoptr(HaBits) chosen = ha_bits_new(ha_graph_n_objects(g), TRUE);
    g_autoptr(HaBits) all = ha_bits_new(ha_graph_n_objects(other), TRUE);
    g_autoptr(HaSame) same = ha_same_new(g, other);
    ha_same_narrow(same, all, below(2), chosen);
    g_autofree char *origin = ha_origin_text(ha_graph_meta_table(g));
    g_assert_true(g_utf8_validate(origin, -1, NULL) && strlen(origin) < 120);
    g_assert_cmpint(ha_origin_compare(ha_graph_meta_table(g), ha_graph_meta_table(other)), ==,
                    ha_origin_compare(ha_graph_meta_table(other), ha_graph_meta_table(g)));
    g_assert_false(ha_origin_later(ha_graph_meta_table(g), ha_graph_meta_table(other)) &&
                   ha_origin_later(ha_graph_meta_table(other), ha_graph_meta_table(g)));
    for (HaId id = 0; id < ha_graph_n_objects(g); id++)
        if (!ha_bits_get(live, id))
            ha_bits_clear(chosen, id);
    static const char *const roles[] = {"previous-heap-dump", "intersect-heap-dump", "remove-heap-dump"};
    g_autoptr(GPtrArray) others = remember(&parsed, other, roles[below(3)]);
    g_autoptr(HaOut) out = ha_out_new_memory();
    HaContext context = {.graph = g,
                         .dump_name = "made up",
                         .ledger = ledger,
                         .live = live,
                         .chosen = below(2) ? chosen : live,
                         .previous = other,
                         .previous_live = all,
                         .others = others,
                         .options = parsed.options,
                         .args = (const char *const *)parsed.args,
                         .out = out};
    ok = ok && parsed.command->run(&context, &error);
    g_assert_true(ok == (error == NULL));
    if (ok)
        check_output(out);
    for (guint i = 0; i < others->len; i++)
        parsed.command->forget(((HaOther *)others->pdata[i])->memory);
    ha_command_line_clear(&parsed);
}
