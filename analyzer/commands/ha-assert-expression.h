// SPDX-License-Identifier: MIT
#pragma once
/*
 * What "assert" is asked to hold: FUNCTION(TYPE) OPERATOR NUMBER. Flat, read in one pass; pure functions.
 *
 *   expression = function "(" [ type ] ")" ( "<=" | "<" | ">=" | ">" | "==" | "!=" ) number
 *   type       = what people call it, "*" for anything in it; or any text between ' or ", where "*" is itself and \ takes the next sign as it is
 *   number     = [ "-" ] digits [ "." digits ] [ unit ]; "_" between digits; k M G T, kB MB GB TB, KiB MiB GiB TiB, Ki Mi Gi Ti, B
 */
#include <glib.h>

typedef enum {
    HA_ASSERT_COUNT,
    HA_ASSERT_SIZE,
    HA_ASSERT_RETAINED,
    HA_ASSERT_GROWTH,
    HA_ASSERT_GROWTH_SIZE,
    HA_ASSERT_DUPLICATES,
    HA_ASSERT_DUPLICATES_SIZE,
    HA_ASSERT_OBJECTS,
    HA_ASSERT_TOTAL_SIZE,
    HA_ASSERT_GARBAGE,
    HA_ASSERT_GARBAGE_SIZE,
    HA_ASSERT_FUNCTIONS
} HaAssertFunction;

typedef struct {
    const char *name;
    gboolean of_type; /* wants a TYPE */
    gboolean bytes;   /* of what it is a number */
    gboolean grows;   /* wants a dump to compare with */
} HaAssertFunctionFacts;

extern const HaAssertFunctionFacts ha_assert_functions[HA_ASSERT_FUNCTIONS];

typedef enum { HA_ASSERT_LE, HA_ASSERT_LT, HA_ASSERT_GE, HA_ASSERT_GT, HA_ASSERT_EQ, HA_ASSERT_NE } HaAssertOperator;

typedef struct {
    HaAssertFunction function;
    HaAssertOperator operator;
    char *type;       /* owned; NULL: none */
    gboolean is_glob; /* stars in type stand for anything */
    gint64 limit;     /* objects or bytes, rounded */
} HaAssertExpression;

#define HA_ASSERT_LENGTH_MAX 2000 /* bytes of an expression */

/* FALSE: HA_ERROR_USAGE, and *at is the byte that is wrong. */
gboolean ha_assert_parse(const char *text, HaAssertExpression *out, gsize *at, GError **error);
void ha_assert_expression_clear(HaAssertExpression *e);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaAssertExpression, ha_assert_expression_clear)

const char *ha_assert_operator_text(HaAssertOperator operator);
gboolean ha_assert_holds(const HaAssertExpression *e, gint64 value);
