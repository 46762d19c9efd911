// SPDX-License-Identifier: MIT
#pragma once
/*
 * What Python itself shows of an object, and under which name: whether an expression with a dot or brackets gives what the dump has there,
 * or something else, because code of the program or of the interpreter answers. Pure functions of a graph.
 */
#include "graph/ha-graph.h"

/* Exactly that type of the builtins: "dict". */
gboolean ha_python_is_builtin(const HaGraph *g, HaId id, const char *name);

/* owner.name is what stands in the owner's __dict__. */
gboolean ha_python_shows_attribute(const HaGraph *g, HaId owner, const char *name, HaId value);
/* gc.get_referents() of the one gives the other. */
gboolean ha_python_shows_referent(const HaGraph *g, HaId from, gsize ref);
/* No attribute, though it looks like one, or Python makes the object anew each time. */
gboolean ha_python_hides(const HaGraph *g, const HaType *type, const char *name, HaId value);
/* Has a namespace that no attribute shows. */
gboolean ha_python_hides_namespace(const HaGraph *g, const HaType *type);

/* Attribute access, or [], runs code of the program. */
gboolean ha_python_own_getattribute(const HaGraph *g, const HaType *type);
gboolean ha_python_own_getitem(const HaGraph *g, HaId id);

/* Which pair of the dict, or which member of the set a reference is. FALSE: some place is empty, so that it is not known. */
gboolean ha_python_position(const HaGraph *g, HaId id, gsize ref, gsize *out);

/* "gi" of gi_frame for a generator, "cr", "ag"; NULL for other families. */
const char *ha_python_generator_prefix(guint8 family);
/* Python's word for a part of an object of that family: ".__closure__" for "<closure>"; NULL: there is none. Owned by the caller. */
char *ha_python_part(guint8 family, const char *name);
