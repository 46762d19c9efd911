// SPDX-License-Identifier: MIT
/* heapanalyze diff: what grew from one dump to the next, by type, by path and by container. */
#include <string.h>

#include "analyses/ha-origin.h"
#include "commands/ha-commands.h"
#include "commands/ha-diff-private.h"
#include "commands/ha-line.h"

static const HaOption options[] = {
    {.name = "sort",
     .kind = HA_OPTION_CHOICE,
     .arg = "bytes|count",
     .fallback = "bytes",
     .help = "what grew most by what comes first"},
    {.name = "filter", .kind = HA_OPTION_TEXT, .arg = "TEXT", .help = "only types and paths with TEXT in them"},
    {.name = "limit",
     .kind = HA_OPTION_NUMBER,
     .arg = "N",
     .fallback = "20",
     .help = "how many lines of each kind, 0 for all"},
    {.name = "json", .kind = HA_OPTION_FLAG, .help = "the same as JSON"},
    {0}};

gboolean
ha_diff_wants_type(const HaDiff *d, const HaTypeGrowth *row)
{
    return d->filter == NULL || strstr(row->name, d->filter) != NULL;
}

gboolean
ha_diff_wants_path(const HaDiff *d, const HaPathGrowth *row)
{
    if (d->filter == NULL ||
        (row->sample != HA_ID_NONE && strstr(ha_graph_nth_type(d->c->graph, row->type)->name, d->filter) != NULL))
        return TRUE;
    g_autofree char *template = ha_path_template_text(d->survey->templates, row->template);
    return strstr(template, d->filter) != NULL;
}

gboolean
ha_diff_wants_container(const HaDiff *d, const HaContainerGrowth *row)
{
    if (d->filter == NULL || strstr(ha_graph_type(d->c->graph, row->id)->name, d->filter) != NULL)
        return TRUE;
    g_autofree char *template = ha_path_template_text(d->survey->templates, row->template);
    return strstr(template, d->filter) != NULL;
}

static gpointer
remember(const HaContext *other, GError **error)
{
    g_autoptr(HaSurvey) survey = ha_survey_new(other->graph, other->ledger, other->live, other->chosen, error);

    return survey != NULL ? ha_summary_new(survey, error) : NULL;
}

static void
forget(gpointer memory)
{
    ha_summary_free(memory);
}

static gboolean
run(HaContext *c, GError **error)
{
    const HaSummary *summaries[HA_MOMENTS_MAX];
    const char *names[HA_MOMENTS_MAX];
    guint n = c->others->len;
    HaMoments moments;
    g_autoptr(HaSurvey) survey = ha_survey_new(c->graph, c->ledger, c->live, c->chosen, error);
    g_autoptr(HaSummary) last = survey != NULL ? ha_summary_new(survey, error) : NULL;

    if (last == NULL)
        return FALSE;
    /* dump options name further ones, which are no moments */
    n = MIN(n, g_strv_length((char **)c->args));
    for (guint i = 0; i < n; i++) {
        const HaOther *other = c->others->pdata[i];
        names[i] = other->path;
        summaries[i] = other->memory;
        if (i > 0 && ha_origin_later(summaries[i - 1]->meta, summaries[i]->meta))
            ha_note("warning: '%s' was taken later than '%s': give dumps in the order of time", names[i - 1], names[i]);
    }
    ha_note_items(c);
    names[n] = c->dump_name;
    summaries[n] = last;
    ha_moments_init(&moments, summaries, n + 1, n);
    gboolean by_count = strcmp(ha_options_text(c->options, "sort"), "count") == 0;
    g_autoptr(HaGrowth) growth = ha_growth_new(survey, &moments, by_count ? HA_GROWTH_COUNT : HA_GROWTH_BYTES);
    guint limit = ha_options_number(c->options, "limit");
    HaDiff d = {
        c, survey, &moments, growth, names, ha_options_text(c->options, "filter"), limit != 0 ? limit : G_MAXUINT};

    if (ha_options_flag(c->options, "json"))
        ha_diff_write_json(&d);
    else
        ha_diff_write_text(&d);
    return TRUE;
}

const HaCommand ha_command_diff = {
    .name = "diff",
    .summary = "What grew between dumps: by type, by path, by container; of three dumps also how steadily",
    .args = "A B [C]",
    .min_args = 1,
    .max_args = 2,
    .flags = HA_COMMAND_DUMPS,
    .examples = "  heapanalyze diff before.heap.zst after.heap.zst\n"
                "  heapanalyze diff before.heap.zst during.heap.zst after.heap.zst --sort count --limit 10\n"
                "  heapanalyze diff before.heap.zst after.heap.zst --filter Session --json\n",
    .options = options,
    .run = run,
    .remember = remember,
    .forget = forget};
