// SPDX-License-Identifier: MIT
#pragma once
/*
 * Types by the name that people use. "asyncio.Task" is what Python calls the C type "_asyncio.Task": the public name is looked up as
 * Python would, in the module objects of the dump (module "asyncio" → its __dict__ → 'Task' → a type object).
 */
#include "graph/ha-graph.h"

typedef struct HaTypeSet HaTypeSet;

typedef enum {
    HA_MATCH_NAME, /* the whole name, its end behind a dot ("Task", "app.Session" of "pkg.app.Session"), or a public alias */
    HA_MATCH_PART, /* the same, and every name that has the text in it */
    HA_MATCH_FULL, /* the whole name, "builtins." need not be said, or a public alias */
    HA_MATCH_GLOB, /* the whole name, where "*" stands for anything */
} HaMatch;

/* text "" matches all with HA_MATCH_PART. */
HaTypeSet *ha_type_set_new(const HaGraph *g, const char *text, HaMatch how);
void ha_type_set_free(HaTypeSet *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaTypeSet, ha_type_set_free)

gboolean ha_type_set_has(const HaTypeSet *s, guint32 type_index);
guint32 ha_type_set_size(const HaTypeSet *s); /* 0: no type has that name */

/* The object that a dotted name stands for, through modules and classes: "asyncio.tasks.Task"; HA_ID_NONE: not found. */
HaId ha_find_dotted(const HaGraph *g, const char *dotted);
