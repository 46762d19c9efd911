// SPDX-License-Identifier: MIT
#include "ha-assert-expression.h"

#include <string.h>

#include "cli/ha-command.h"
#include "cli/ha-option-private.h"

const HaAssertFunctionFacts ha_assert_functions[HA_ASSERT_FUNCTIONS] = {
    [HA_ASSERT_COUNT] = {"count", TRUE, FALSE, FALSE},
    [HA_ASSERT_SIZE] = {"size", TRUE, TRUE, FALSE},
    [HA_ASSERT_RETAINED] = {"retained", TRUE, TRUE, FALSE},
    [HA_ASSERT_GROWTH] = {"growth", TRUE, FALSE, TRUE},
    [HA_ASSERT_GROWTH_SIZE] = {"growth_size", TRUE, TRUE, TRUE},
    [HA_ASSERT_DUPLICATES] = {"duplicates", TRUE, FALSE, FALSE},
    [HA_ASSERT_DUPLICATES_SIZE] = {"duplicates_size", TRUE, TRUE, FALSE},
    [HA_ASSERT_OBJECTS] = {"objects", FALSE, FALSE, FALSE},
    [HA_ASSERT_TOTAL_SIZE] = {"total_size", FALSE, TRUE, FALSE},
    [HA_ASSERT_GARBAGE] = {"garbage", FALSE, FALSE, FALSE},
    [HA_ASSERT_GARBAGE_SIZE] = {"garbage_size", FALSE, TRUE, FALSE},
};

static const char *const operators[] = {[HA_ASSERT_LE] = "<=", [HA_ASSERT_LT] = "<",  [HA_ASSERT_GE] = ">=",
                                        [HA_ASSERT_GT] = ">",  [HA_ASSERT_EQ] = "==", [HA_ASSERT_NE] = "!="};

typedef struct {
    const char *text, *at;
    GError **error;
} Cursor;

static gboolean fail(Cursor *c, const char *at, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean
fail(Cursor *c, const char *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    c->at = at;
    g_set_error_literal(c->error, HA_ERROR, HA_ERROR_USAGE, message);
    return FALSE;
}

static void
skip_blanks(Cursor *c)
{
    while (g_ascii_isspace(*c->at))
        c->at++;
}

static gboolean
read_function(Cursor *c, HaAssertExpression *e)
{
    skip_blanks(c);
    const char *start = c->at;
    gsize n = strspn(start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    g_autofree char *name = g_strndup(start, n);
    const char *known[HA_ASSERT_FUNCTIONS + 1] = {NULL};
    for (guint i = 0; i < HA_ASSERT_FUNCTIONS; i++) {
        known[i] = ha_assert_functions[i].name;
        if (strcmp(known[i], name) == 0) {
            e->function = i;
            c->at = start + n;
            return TRUE;
        }
    }
    g_autofree char *all = g_strjoinv(", ", (char **)known);
    if (n == 0)
        return fail(c, start, "a function is wanted here, one of %s", all);
    const char *near = ha_closest(name, known);
    if (near != NULL)
        return fail(c, start, "unknown function '%s': did you mean '%s'?", name, near);
    return fail(c, start, "unknown function '%s': there are %s", name, all);
}

/* Between quotes: as it stands. */
static gboolean
read_quoted(Cursor *c, HaAssertExpression *e)
{
    const char *start = c->at;
    char quote = *c->at++;
    g_autoptr(GString) type = g_string_new(NULL);
    for (; *c->at != quote; c->at++) {
        if (*c->at == '\\' && c->at[1] != 0)
            c->at++;
        if (*c->at == 0)
            return fail(c, start, "the quote is not closed");
        g_string_append_c(type, *c->at);
    }
    c->at++;
    skip_blanks(c);
    if (type->len == 0)
        return fail(c, start, "no type has an empty name");
    e->type = g_string_free(g_steal_pointer(&type), FALSE);
    return *c->at == ')' || fail(c, c->at, "')' is wanted behind the type");
}

static gboolean
read_plain(Cursor *c, HaAssertExpression *e)
{
    const char *start = c->at;
    gsize n = strcspn(start, "()'\"");
    if (start[n] == 0)
        return fail(c, start + n, "')' is wanted behind the type");
    if (start[n] != ')')
        return fail(c, start + n, "a type with such signs in its name stands between quotes: %s('TYPE')",
                    ha_assert_functions[e->function].name);
    c->at = start + n;
    while (n > 0 && g_ascii_isspace(start[n - 1]))
        n--;
    if (n > 0)
        e->type = g_strndup(start, n);
    e->is_glob = e->type != NULL && strchr(e->type, '*') != NULL;
    return TRUE;
}

static gboolean
read_type(Cursor *c, HaAssertExpression *e)
{
    const HaAssertFunctionFacts *function = &ha_assert_functions[e->function];
    skip_blanks(c);
    if (*c->at != '(')
        return fail(c, c->at, "'(' is wanted behind '%s'", function->name);
    c->at++;
    skip_blanks(c);
    const char *start = c->at;
    if (!(*c->at == '\'' || *c->at == '"' ? read_quoted : read_plain)(c, e))
        return FALSE;
    if (function->of_type && e->type == NULL)
        return fail(c, start, "%s() wants a type: %s(app.Session), %s(*) for all", function->name, function->name,
                    function->name);
    if (!function->of_type && e->type != NULL)
        return fail(c, start, "%s() takes no type", function->name);
    c->at++;
    return TRUE;
}

static gboolean
read_operator(Cursor *c, HaAssertExpression *e)
{
    skip_blanks(c);
    /* the longer ones come before those that begin them */
    for (guint i = 0; i < G_N_ELEMENTS(operators); i++)
        if (g_str_has_prefix(c->at, operators[i])) {
            e->operator= i;
            c->at += strlen(operators[i]);
            if (*c->at == '=' || *c->at == '<' || *c->at == '>')
                break;
            return TRUE;
        }
    return fail(c, c->at, "a comparison is wanted here: <= < >= > == or !=");
}

static const struct {
    const char *name;
    guint64 factor;
    gboolean bytes;
} units[] = {{"", 1, FALSE},
             {"k", 1000, FALSE},
             {"M", 1000000, FALSE},
             {"G", 1000000000, FALSE},
             {"T", G_GUINT64_CONSTANT(1000000000000), FALSE},
             {"B", 1, TRUE},
             {"kB", 1000, TRUE},
             {"MB", 1000000, TRUE},
             {"GB", 1000000000, TRUE},
             {"TB", G_GUINT64_CONSTANT(1000000000000), TRUE},
             {"Ki", 1024, TRUE},
             {"Mi", 1 << 20, TRUE},
             {"Gi", 1 << 30, TRUE},
             {"Ti", G_GUINT64_CONSTANT(1) << 40, TRUE},
             {"KiB", 1024, TRUE},
             {"MiB", 1 << 20, TRUE},
             {"GiB", 1 << 30, TRUE},
             {"TiB", G_GUINT64_CONSTANT(1) << 40, TRUE}};

static gboolean
read_unit(Cursor *c, const HaAssertExpression *e, guint64 *factor)
{
    const HaAssertFunctionFacts *function = &ha_assert_functions[e->function];
    const char *behind = c->at;
    skip_blanks(c);
    const char *start = c->at;
    while (g_ascii_isalpha(*c->at))
        c->at++;
    g_autofree char *name = g_strndup(start, c->at - start);
    for (guint i = 0; i < G_N_ELEMENTS(units); i++) {
        if (g_ascii_strcasecmp(name, units[i].name) != 0)
            continue;
        if (units[i].bytes && !function->bytes)
            return fail(c, start, "%s() is a number of objects, not of bytes", function->name);
        *factor = units[i].factor;
        return TRUE;
    }
    if (start > behind) { /* another word */
        c->at = start;
        return TRUE;
    }
    return fail(c, start, "unknown unit '%s': k M G T, kB MB GB TB, KiB MiB GiB TiB", name);
}

/* Digits with "_" between them; the value stops growing where it would no longer fit. */
static gsize
read_digits(Cursor *c, guint64 *value, guint64 *scale)
{
    gsize n = 0;
    for (; g_ascii_isdigit(*c->at) || (*c->at == '_' && n > 0 && g_ascii_isdigit(c->at[1])); c->at++) {
        if (*c->at == '_')
            continue;
        n++;
        if (*scale >= G_GUINT64_CONSTANT(1000000000)) /* of a fraction: enough digits */
            continue;
        if (*value > (G_MAXINT64 - 9) / 10)
            *value = G_MAXINT64;
        else
            *value = *value * 10 + (guint64)(*c->at - '0');
        *scale = *scale == 0 ? 0 : *scale * 10;
    }
    return n;
}

static gboolean
read_limit(Cursor *c, HaAssertExpression *e)
{
    guint64 whole = 0, fraction = 0, no_scale = 0, scale = 1, factor = 1;
    skip_blanks(c);
    const char *start = c->at;
    gboolean negative = *c->at == '-';
    c->at += negative;
    if (read_digits(c, &whole, &no_scale) == 0)
        return fail(c, start, "a number is wanted here");
    if (*c->at == '.') {
        c->at++;
        if (read_digits(c, &fraction, &scale) == 0)
            return fail(c, c->at, "a digit is wanted behind the point");
    }
    if (!read_unit(c, e, &factor))
        return FALSE;
    /* no fraction has more than nine digits, so that no unit makes it overflow but T; that needs no more than six */
    while (scale > 1000000 && factor > G_GUINT64_CONSTANT(1000000000)) {
        scale /= 10;
        fraction /= 10;
    }
    guint64 rest = (fraction * factor + scale / 2) / scale;
    if (whole > (G_MAXINT64 - rest) / factor || whole == G_MAXINT64)
        return fail(c, start, "the number is too large");
    e->limit = (gint64)(whole * factor + rest) * (negative ? -1 : 1);
    return TRUE;
}

gboolean
ha_assert_parse(const char *text, HaAssertExpression *out, gsize *at, GError **error)
{
    g_auto(HaAssertExpression) e = {0};
    Cursor c = {text, text, error};
    gboolean ok = strlen(text) <= HA_ASSERT_LENGTH_MAX;
    if (!ok)
        (void)fail(&c, text, "the expression is longer than %u bytes", HA_ASSERT_LENGTH_MAX);
    ok = ok && read_function(&c, &e) && read_type(&c, &e) && read_operator(&c, &e) && read_limit(&c, &e);
    if (ok) {
        skip_blanks(&c);
        ok = *c.at == 0 ||
             fail(&c, c.at, "nothing is wanted behind the number: give each expression as an argument of its own");
    }
    *at = c.at - text;
    if (!ok)
        return FALSE;
    *out = e;
    e.type = NULL;
    return TRUE;
}

void
ha_assert_expression_clear(HaAssertExpression *e)
{
    g_clear_pointer(&e->type, g_free);
}

const char *
ha_assert_operator_text(HaAssertOperator operator)
{
    return operators[operator];
}

gboolean
ha_assert_holds(const HaAssertExpression *e, gint64 value)
{
    switch (e->operator) {
    case HA_ASSERT_LE:
        return value <= e->limit;
    case HA_ASSERT_LT:
        return value < e->limit;
    case HA_ASSERT_GE:
        return value >= e->limit;
    case HA_ASSERT_GT:
        return value > e->limit;
    case HA_ASSERT_EQ:
        return value == e->limit;
    case HA_ASSERT_NE:
    default:
        return value != e->limit;
    }
}
