// SPDX-License-Identifier: MIT
#pragma once
/*
 * Dicts that are part of another object: the namespace of a module, a class or an instance. People think of them as attributes, so
 * pictures and paths draw the owner and write ".name". Like ha_graph_referrers() not thread-safe.
 */
#include "graph/ha-graph.h"

/*
 * The object whose __dict__ this is; HA_ID_NONE when it is no dict, nobody's, or held by something else as well (but for functions,
 * which refer to their module's).
 */
HaId ha_owner_of_dict(HaGraph *g, HaId dict);

/* Namespace of a module. */
gboolean ha_is_module_dict(HaGraph *g, HaId id);

/* ".name" for the i-th reference of such a dict when it is a value under an identifier; "<key 'name'>" for a key, else ".__dict__['…']". Owned by the caller. */
char *ha_owner_ref_text(const HaGraph *g, HaId dict, gsize i);

/* The reference counts for nothing: a weak reference. */
gboolean ha_ref_is_weak(const HaGraph *g, HaId from, gsize i);
/* At least one reference from one to the other is strong. */
gboolean ha_refers_strongly(const HaGraph *g, HaId from, HaId to);
