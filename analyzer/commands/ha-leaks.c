// SPDX-License-Identifier: MIT
/* heapanalyze leaks: what probably leaks, in words, with evidence and a path to paste. */
#include <stdlib.h>
#include <string.h>

#include "analyses/ha-garbage.h"
#include "analyses/ha-origin.h"
#include "commands/ha-commands.h"
#include "commands/ha-leaks-private.h"
#include "commands/ha-line.h"

static const HaOption options[] = {{.name = "limit",
                                    .kind = HA_OPTION_NUMBER,
                                    .arg = "N",
                                    .fallback = "20",
                                    .help = "how many suspects, the surest first, 0 for all"},
                                   {.name = "min-bytes",
                                    .kind = HA_OPTION_NUMBER,
                                    .arg = "N",
                                    .fallback = "4096",
                                    .help = "pass over what keeps less than so many bytes alive"},
                                   {.name = "json", .kind = HA_OPTION_FLAG, .help = "the same as JSON"},
                                   {0}};

/* What is kept of another dump. */
typedef struct {
    HaSummary *summary; /* owned */
    HaTally garbage;
} Memory;

static gboolean
count_garbage(const HaContext *c, HaTally *out, GError **error)
{
    g_auto(HaGarbageTotals) totals = {0};
    gboolean all = ha_options_flag(c->options, "garbage");

    if (!ha_garbage_totals(c->graph, c->ledger, all ? NULL : c->live, FALSE, &totals, error))
        return FALSE;
    *out = (HaTally){totals.awaiting, totals.awaiting_bytes};
    return TRUE;
}

static void
forget(gpointer memory)
{
    ha_summary_free(((Memory *)memory)->summary);
    g_free(memory);
}

static gpointer
remember(const HaContext *other, GError **error)
{
    Memory *memory = g_new0(Memory, 1);
    g_autoptr(HaSurvey) survey = ha_survey_new(other->graph, other->ledger, other->live, other->live, error);

    memory->summary = survey != NULL ? ha_summary_new(survey, error) : NULL;
    if (memory->summary != NULL && count_garbage(other, &memory->garbage, error))
        return memory;
    forget(memory);
    return NULL;
}

/* Other dumps are before this one, but those whose survivors are asked for; where times are told, these decide. */
static gboolean
is_later(const HaOther *other, const HaSummary *here)
{
    const HaSummary *summary = ((Memory *)other->memory)->summary;

    if (ha_origin_later(summary->meta, here->meta))
        return TRUE;
    return !ha_origin_later(here->meta, summary->meta) && strcmp(other->role, "intersect-heap-dump") == 0;
}

static gint
compare_times(gconstpointer left, gconstpointer right)
{
    const Memory *a = ((const HaOther *)*(gconstpointer *)left)->memory,
                 *b = ((const HaOther *)*(gconstpointer *)right)->memory;

    return ha_origin_later(a->summary->meta, b->summary->meta)   ? 1
           : ha_origin_later(b->summary->meta, a->summary->meta) ? -1
                                                                 : 0;
}

/* Dumps in the order of time; more than fit leave out some in the middle. */
static void
order(const HaContext *c, const HaSummary *here, const HaTally *garbage, HaMoments *moments, HaSuspectsSpec *spec)
{
    const HaSummary *summaries[HA_MOMENTS_MAX];
    g_autoptr(GPtrArray) before = g_ptr_array_new();
    g_autoptr(GPtrArray) after = g_ptr_array_new();
    guint n = 0, at;

    for (guint i = 0; i < c->others->len; i++)
        g_ptr_array_add(is_later(c->others->pdata[i], here) ? after : before, c->others->pdata[i]);
    g_ptr_array_sort(before, compare_times);
    g_ptr_array_sort(after, compare_times);
    while (before->len + after->len + 1 > HA_MOMENTS_MAX)
        g_ptr_array_remove_index(before->len > after->len ? before : after, 1);
    for (guint i = 0; i < before->len; i++, n++) {
        const Memory *memory = ((HaOther *)before->pdata[i])->memory;
        summaries[n] = memory->summary;
        spec->garbage[n] = memory->garbage;
    }
    at = n;
    summaries[n] = here;
    spec->garbage[n++] = *garbage;
    for (guint i = 0; i < after->len; i++, n++) {
        const Memory *memory = ((HaOther *)after->pdata[i])->memory;
        summaries[n] = memory->summary;
        spec->garbage[n] = memory->garbage;
    }
    ha_moments_init(moments, summaries, n, at);
    if (!moments->same_process) {
        ha_note("'%s' is looked at alone: only dumps of one process tell what grew", c->dump_name);
        spec->garbage[0] = *garbage;
        spec->survivors = NULL;
        ha_moments_init(moments, &here, 1, 0);
    }
    spec->moments = moments;
}

static gboolean
run(HaContext *c, GError **error)
{
    HaMoments moments;
    HaTally garbage;
    HaSuspectsSpec spec = {.min_bytes = ha_options_number(c->options, "min-bytes"),
                           .with_garbage = ha_options_flag(c->options, "garbage")};
    g_autoptr(HaDominators) dominators = ha_dominators_new(c->graph, c->ledger, c->live, error);
    g_autoptr(HaSurvey) survey =
        dominators != NULL ? ha_survey_new(c->graph, c->ledger, c->live, c->live, error) : NULL;
    g_autoptr(HaSummary) here = survey != NULL ? ha_summary_new(survey, error) : NULL;

    if (here == NULL || !count_garbage(c, &garbage, error))
        return FALSE;
    spec.survey = survey;
    spec.dominators = dominators;
    if (*ha_options_list(c->options, "remove-heap-dump") != NULL ||
        *ha_options_list(c->options, "intersect-heap-dump") != NULL)
        spec.survivors = c->chosen;
    order(c, here, &garbage, &moments, &spec);
    g_autoptr(HaGrowth) growth = moments.n > 1 ? ha_growth_new(survey, &moments, HA_GROWTH_BYTES) : NULL;
    spec.growth = growth;
    g_autoptr(HaSuspects) suspects = ha_suspects_new(&spec, error);
    if (suspects == NULL)
        return FALSE;
    ha_note_items(c);
    guint limit = ha_options_number(c->options, "limit");
    HaLeaks leaks = {c, &spec, suspects, limit != 0 ? limit : G_MAXUINT};
    if (ha_options_flag(c->options, "json"))
        ha_leaks_write_json(&leaks);
    else
        ha_leaks_write_text(&leaks);
    return TRUE;
}

const HaCommand ha_command_leaks = {
    .name = "leaks",
    .summary = "What probably leaks: how fast, who holds it, which code, what to do; best of several dumps",
    .flags = HA_COMMAND_REMEMBERS,
    .examples =
        "  heapanalyze leaks --remove-heap-dump before.heap.zst --intersect-heap-dump after.heap.zst during.heap.zst\n"
        "  heapanalyze leaks --previous-heap-dump before.heap.zst after.heap.zst\n"
        "  heapanalyze leaks app.heap.zst\n"
        "  heapanalyze leaks --json --limit 0 --min-bytes 0 app.heap.zst\n",
    .options = options,
    .run = run,
    .remember = remember,
    .forget = forget};
