// SPDX-License-Identifier: MIT
#pragma once
/* Sorting of addresses. Any thread. */
#include <glib.h>

/*
 * The permutation that sorts keys ascending, stably: on return order[rank] is the row. *sorted tells that keys are in strictly
 * ascending order already, *order is then NULL. Free *order with ha_mem_free. FALSE: no memory.
 */
gboolean ha_radix_order(const guint64 *keys, guint32 n, guint32 **order, gboolean *sorted);
