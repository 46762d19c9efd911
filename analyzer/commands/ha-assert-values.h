// SPDX-License-Identifier: MIT
#pragma once
/*
 * What the functions of "assert" come to, and what there is to show for it. What several expressions need is worked out once, when the first one
 * asks. One thread at a time.
 */
#include "analyses/ha-paths.h"
#include "analyses/ha-type-match.h"
#include "cli/ha-command.h"
#include "commands/ha-assert-expression.h"

typedef struct HaAssertValues HaAssertValues;

typedef struct {
    gint64 value;  /* objects or bytes; what does not fit is as large as it can be */
    gint64 before; /* growth only: in the dump to compare with */
    gint64 now;
    guint types; /* that the name stands for in either dump */
} HaAssertValue;

HaAssertValues *ha_assert_values_new(HaContext *c); /* borrows the context */
void ha_assert_values_free(HaAssertValues *v);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaAssertValues, ha_assert_values_free)

/* FALSE: no memory. */
gboolean ha_assert_value(HaAssertValues *v, const HaAssertExpression *e, HaAssertValue *out, GError **error);

/* A type with what it has in it. */
typedef struct {
    const char *name; /* owned by the graph */
    guint64 count, size;
} HaAssertType;

/* What makes a value large; the most telling first, and few. Any of them may be NULL. */
typedef struct {
    HaPaths *paths;     /* owned; how the objects are held; of growth, the new ones */
    GArray *types;      /* HaAssertType; owned; where no type was asked for */
    GArray *duplicates; /* HaDuplicates; owned */
} HaAssertEvidence;

gboolean ha_assert_evidence(HaAssertValues *v, const HaAssertExpression *e, HaAssertEvidence *out, GError **error);
void ha_assert_evidence_clear(HaAssertEvidence *e);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaAssertEvidence, ha_assert_evidence_clear)

/* A name that is like the one that no type has; NULL: none. Borrowed from a graph. */
const char *ha_assert_near(const HaAssertValues *v, const HaAssertExpression *e);
