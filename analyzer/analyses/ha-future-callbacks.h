// SPDX-License-Identifier: MIT
#pragma once
/*
 * What an asyncio future or task tells when it is done: the futures that its callbacks complete, as those of shield(), gather(), wait(),
 * as_completed() do, and the tasks that wait for it in a TaskGroup or, from Python 3.14 on, in its set of awaiters. Any thread.
 */
#include "graph/ha-graph.h"

#define HA_CALLBACKS_MAX 1000 /* of one future that are looked at */

/* Appends HaId of futures and tasks, some twice. */
void ha_future_tells(const HaGraph *g, HaId future, GArray *out);
