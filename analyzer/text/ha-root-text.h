// SPDX-License-Identifier: MIT
#pragma once
/* What makes an object a root, in words. Pure functions of a graph. */
#include "analyses/ha-garbage.h"
#include "graph/ha-graph.h"

/* "<local x> of worker at app.py:12 in MainThread", "sys.modules", …; owned by the caller. */
char *ha_root_text(const HaGraph *g, const HaRoot *root);

/* One text for each root that holds id, for its surplus, and for immortality; empty: no root. ledger may be NULL. */
GPtrArray *ha_root_texts(const HaGraph *g, const HaLedger *ledger, HaId id);

gboolean ha_is_root(const HaGraph *g, const HaLedger *ledger, HaId id);
