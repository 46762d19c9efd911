// SPDX-License-Identifier: MIT
#pragma once
/* Small graphs for tests, in few lines. */
#include "graph/ha-graph-builder.h"

/*
 * One object with what most have. The type is that of the name, or made at its first use at a made-up address. The rest are pairs
 * of (const char *name, guint64 referent), ended by NULL; the name may be "" for none, or "[i]" "[k]" "[v]" "{}" for the runs INDEX,
 * key and value of ITEMS, MEMBER; "~name" is a weak reference.
 */
void ha_graph_builder_simple(HaGraphBuilder *b, guint64 addr, const char *type, guint64 size, guint64 refcount,
                             const char *content, ...) G_GNUC_NULL_TERMINATED;
