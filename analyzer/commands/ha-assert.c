// SPDX-License-Identifier: MIT
/* heapanalyze assert: for CI: whether a heap is as it should be, and if it is not, why. */
#include <string.h>

#include "analyses/ha-duplicates.h"
#include "commands/ha-assert-values.h"
#include "commands/ha-commands.h"
#include "commands/ha-line.h"
#include "commands/ha-path-line.h"
#include "text/ha-size.h"

#define MOST       1000 /* expressions */
#define EXPLAINED  8    /* failures for which evidence is looked for: each may cost a pass over the heap */
#define CARET_ROOM 100  /* columns of an expression that are shown before a caret */

static const HaOption options[] = {{.name = "allow-incomplete",
                                    .kind = HA_OPTION_FLAG,
                                    .help = "count what is there in a dump that lacks something; otherwise that fails"},
                                   {.name = "json", .kind = HA_OPTION_FLAG, .help = "the same as JSON"},
                                   {0}};

/* The expression, and a caret under the place. */
static void
point_at(const char *text, gsize at)
{
    gsize start = at > CARET_ROOM ? at - CARET_ROOM : 0;
    while (start > 0 && (text[start] & 0xc0) == 0x80)
        start--;
    gsize column = g_utf8_validate(text, -1, NULL) ? (gsize)g_utf8_strlen(text + start, at - start) : at - start;
    ha_note("  %.*s", (int)(at - start + CARET_ROOM), text + start);
    ha_note("  %*s^", (int)column, "");
}

static gboolean
parse_all(const char *const *args, GArray *expressions, GError **error)
{
    for (; *args != NULL; args++) {
        HaAssertExpression e;
        gsize at;
        if (!ha_assert_parse(*args, &e, &at, error)) {
            point_at(*args, at);
            return FALSE;
        }
        g_array_append_val(expressions, e);
    }
    return TRUE;
}

static GArray *
new_expressions(void)
{
    GArray *expressions = g_array_new(FALSE, FALSE, sizeof(HaAssertExpression));
    g_array_set_clear_func(expressions, (GDestroyNotify)(void (*)(void))ha_assert_expression_clear);
    return expressions;
}

static gboolean
check(const HaOptions *given, const char *const *args, GError **error)
{
    g_autoptr(GArray) expressions = new_expressions();
    if (!parse_all(args, expressions, error))
        return FALSE;
    for (guint i = 0; i < expressions->len && !ha_options_given(given, "previous-heap-dump"); i++) {
        const HaAssertFunctionFacts *function =
            &ha_assert_functions[g_array_index(expressions, HaAssertExpression, i).function];
        if (function->grows) {
            point_at(args[i], 0);
            g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "%s() wants --previous-heap-dump FILE to compare with",
                        function->name);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
check_complete(const HaContext *c, GError **error)
{
    const HaGraph *graphs[] = {c->graph, c->previous};
    for (guint i = 0; i < G_N_ELEMENTS(graphs) && !ha_options_flag(c->options, "allow-incomplete"); i++) {
        if (graphs[i] == NULL || ha_graph_complete(graphs[i]))
            continue;
        const char *reason = ha_graph_incomplete_reason(graphs[i]);
        g_set_error(error, HA_ERROR, HA_ERROR_FAILED,
                    "%s is incomplete%s%s%s, so nothing is asserted of it: dump again, or give --allow-incomplete",
                    i == 0 ? "the dump" : "the dump to compare with", reason != NULL ? " (" : "",
                    reason != NULL ? reason : "", reason != NULL ? ")" : "");
        return FALSE;
    }
    return TRUE;
}

static void
write_value(HaOut *out, gint64 value, gboolean bytes)
{
    ha_out_printf(out, "%" G_GINT64_FORMAT, value);
    if (bytes && (value >= 1024 || value <= -1024)) {
        g_autofree char *size = ha_size_text(value < 0 ? -(guint64)value : (guint64)value);
        ha_out_printf(out, " (%s%s)", value < 0 ? "-" : "", size);
    }
}

static void
write_result(HaOut *out, const char *text, const HaAssertExpression *e, const HaAssertValue *value, gboolean holds)
{
    const HaAssertFunctionFacts *function = &ha_assert_functions[e->function];
    ha_out_text(out, holds ? "ok      " : "FAILED  ");
    ha_out_escaped_again(out, text);
    ha_out_text(out, ": ");
    if (function->grows && value->value > 0)
        ha_out_char(out, '+');
    write_value(out, value->value, function->bytes);
    if (function->grows) {
        ha_out_text(out, "; before ");
        write_value(out, value->before, function->bytes);
        ha_out_text(out, ", now ");
        write_value(out, value->now, function->bytes);
    }
    ha_out_char(out, '\n');
}

static void
write_evidence(const HaContext *c, const HaAssertExpression *e, const HaAssertEvidence *evidence)
{
    HaOut *out = c->out;
    gboolean grows = ha_assert_functions[e->function].grows;
    for (guint i = 0; evidence->paths != NULL && i < evidence->paths->ways->len; i++) {
        const HaWay *way = &g_array_index(evidence->paths->ways, HaWay, i);
        gboolean is_expression;
        g_autofree char *text = ha_path_text(c->graph, c->ledger, &way->path, &is_expression);
        ha_out_printf(out, "%10" G_GUINT64_FORMAT " %sat ", MAX(way->targets, 1), grows ? "new ones " : "");
        ha_out_escaped_again(out, way->template != NULL ? way->template : text);
        if (way->template != NULL && strcmp(way->template, text) != 0) {
            ha_out_text(out, "\n           as ");
            ha_out_escaped_again(out, text);
        }
        ha_out_char(out, '\n');
    }
    for (guint i = 0; evidence->types != NULL && i < evidence->types->len; i++) {
        const HaAssertType *type = &g_array_index(evidence->types, HaAssertType, i);
        g_autofree char *size = ha_size_text(type->size);
        ha_out_printf(out, "%10" G_GUINT64_FORMAT " of ", type->count);
        ha_out_escaped(out, type->name, strlen(type->name), G_MAXSIZE);
        ha_out_printf(out, ", %" G_GUINT64_FORMAT " bytes (%s)\n", type->size, size);
    }
    for (guint i = 0; evidence->duplicates != NULL && i < evidence->duplicates->len; i++) {
        const HaDuplicates *group = &g_array_index(evidence->duplicates, HaDuplicates, i);
        ha_out_printf(out,
                      "%10" G_GUINT64_FORMAT " times, where %" G_GUINT64_FORMAT " bytes are too many: ", group->count,
                      group->wasted);
        ha_line_object(c, group->first, HA_PARENT_CONTENT_SHOWN);
        ha_out_char(out, '\n');
    }
}

static void
json_evidence(HaJson *j, const HaContext *c, const HaAssertEvidence *evidence)
{
    ha_json_key(j, "evidence");
    ha_json_begin_array(j);
    for (guint i = 0; evidence->paths != NULL && i < evidence->paths->ways->len; i++) {
        const HaWay *way = &g_array_index(evidence->paths->ways, HaWay, i);
        ha_json_begin_object(j);
        ha_json_uint_member(j, "count", MAX(way->targets, 1));
        ha_json_key(j, "template");
        ha_json_text(j, way->template);
        ha_json_path_members(j, c, &way->path);
        ha_json_end_object(j);
    }
    for (guint i = 0; evidence->types != NULL && i < evidence->types->len; i++) {
        const HaAssertType *type = &g_array_index(evidence->types, HaAssertType, i);
        ha_json_begin_object(j);
        ha_json_uint_member(j, "count", type->count);
        ha_json_uint_member(j, "bytes", type->size);
        ha_json_key(j, "of_type");
        ha_json_text(j, type->name);
        ha_json_end_object(j);
    }
    for (guint i = 0; evidence->duplicates != NULL && i < evidence->duplicates->len; i++) {
        const HaDuplicates *group = &g_array_index(evidence->duplicates, HaDuplicates, i);
        ha_json_begin_object(j);
        ha_json_uint_member(j, "count", group->count);
        ha_json_uint_member(j, "wasted", group->wasted);
        ha_json_key(j, "one");
        ha_json_begin_object(j);
        ha_json_object_members(j, c, group->first);
        ha_json_end_object(j);
        ha_json_end_object(j);
    }
    ha_json_end_array(j);
}

static void
json_result(HaJson *j, const char *text, const HaAssertExpression *e, const HaAssertValue *value, gboolean holds)
{
    const HaAssertFunctionFacts *function = &ha_assert_functions[e->function];
    ha_json_key(j, "expression");
    ha_json_text(j, text);
    ha_json_key(j, "holds");
    ha_json_bool(j, holds);
    ha_json_key(j, "function");
    ha_json_text(j, function->name);
    ha_json_key(j, "of_type");
    ha_json_text(j, e->type);
    ha_json_key(j, "value");
    ha_json_int(j, value->value);
    ha_json_key(j, "operator");
    ha_json_text(j, ha_assert_operator_text(e->operator));
    ha_json_key(j, "limit");
    ha_json_int(j, e->limit);
    ha_json_key(j, "unit");
    ha_json_text(j, function->bytes ? "bytes" : "objects");
    if (function->grows) {
        ha_json_key(j, "before");
        ha_json_int(j, value->before);
        ha_json_key(j, "now");
        ha_json_int(j, value->now);
    }
}

/* Of what is too little there is nothing to show. */
static gboolean
is_too_much(const HaAssertExpression *e, gint64 value)
{
    return e->operator!= HA_ASSERT_GE && e->operator!= HA_ASSERT_GT && e->operator!= HA_ASSERT_NE &&
        value >= e->limit && !ha_assert_holds(e, value);
}

static void
hint(const HaAssertValues *values, const HaAssertExpression *e)
{
    const char *near = ha_assert_near(values, e);
    if (near != NULL)
        ha_note("no type is called '%s', so there are none of it: did you mean '%s'?", e->type, near);
    else
        ha_note("no type is called '%s', so there are none of it", e->type);
}

static gboolean
assert_all(HaContext *c, const GArray *expressions, HaJson *j, guint *failed, GError **error)
{
    g_autoptr(HaAssertValues) values = ha_assert_values_new(c);
    for (guint i = 0; i < expressions->len; i++) {
        const HaAssertExpression *e = &g_array_index(expressions, HaAssertExpression, i);
        g_auto(HaAssertEvidence) evidence = {0};
        HaAssertValue value;
        if (!ha_assert_value(values, e, &value, error))
            return FALSE;
        gboolean holds = ha_assert_holds(e, value.value);
        if (e->type != NULL && value.types == 0)
            hint(values, e);
        *failed += !holds;
        if (is_too_much(e, value.value) && *failed <= EXPLAINED && !ha_assert_evidence(values, e, &evidence, error))
            return FALSE;
        if (j == NULL) {
            write_result(c->out, c->args[i], e, &value, holds);
            write_evidence(c, e, &evidence);
            continue;
        }
        ha_json_newline(j);
        ha_json_begin_object(j);
        json_result(j, c->args[i], e, &value, holds);
        json_evidence(j, c, &evidence);
        ha_json_end_object(j);
    }
    return TRUE;
}

static gboolean
run(HaContext *c, GError **error)
{
    g_autoptr(GArray) expressions = new_expressions();
    guint failed = 0;
    HaJson j;
    gboolean json = ha_options_flag(c->options, "json");
    if (!parse_all(c->args, expressions, error) || !check_complete(c, error))
        return FALSE;
    if (json) {
        ha_json_init(&j, c->out);
        ha_json_begin_object(&j);
        ha_json_key(&j, "assertions");
        ha_json_begin_array(&j);
    }
    if (!assert_all(c, expressions, json ? &j : NULL, &failed, error))
        return FALSE;
    if (json) {
        ha_json_end_array(&j);
        ha_json_uint_member(&j, "failed", failed);
        ha_json_key(&j, "complete");
        ha_json_bool(&j, ha_graph_complete(c->graph) && (c->previous == NULL || ha_graph_complete(c->previous)));
        ha_json_end_object(&j);
        ha_json_newline(&j);
    }
    if (failed == 0)
        return TRUE;
    /* before the error, which ends the program */
    if (ha_out_finish(c->out, error))
        g_set_error(error, HA_ERROR, HA_ERROR_FAILED, "%u of %u assertions do%s not hold", failed, expressions->len,
                    failed == 1 ? "es" : "");
    return FALSE;
}

const HaCommand ha_command_assert = {
    .name = "assert",
    .summary = "For CI: fail and say why when the heap is not as it should be",
    .args = "EXPR…",
    .min_args = 1,
    .max_args = MOST,
    .flags = HA_COMMAND_COMPARES | HA_COMMAND_EXPRESSIONS,
    .notes =
        "EXPR is FUNCTION(TYPE) OPERATOR NUMBER, between quotes for the shell. Functions:\n"
        "  count(TYPE), size(TYPE)         objects of a type, and the bytes that they take themselves\n"
        "  retained(TYPE)                  bytes that would be free without them\n"
        "  growth(TYPE), growth_size(TYPE) how many more there are, or bytes, than in --previous-heap-dump\n"
        "  duplicates(TYPE), duplicates_size(TYPE)\n"
        "                                  str, bytes, tuples that are equal to another one, and what they waste\n"
        "  objects(), total_size()         all of them\n"
        "  garbage(), garbage_size()       what no root reaches\n"
        "Operators are <= < >= > == !=. Numbers may have units: 5k, 10MB, 1.5GiB. TYPE is the whole name, "
        "asyncio.Task\n"
        "too, where 'builtins.' need not be said and * stands for anything; in quotes, any name is as it stands.\n",
    .examples = "  heapanalyze assert 'count(asyncio.Task)<=100' 'retained(app.Session)<10MB' app.heap.zst\n"
                "  heapanalyze --previous-heap-dump before.heap assert 'growth(app.Session)==0' after.heap\n"
                "  heapanalyze assert 'count(\"app.make.<locals>.Handler\")<50' 'count(app.*)<=5k' app.heap.zst\n"
                "  heapanalyze assert --json 'garbage()==0' app.heap.zst\n",
    .options = options,
    .check = check,
    .run = run};
