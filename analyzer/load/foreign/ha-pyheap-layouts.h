// SPDX-License-Identifier: MIT
#pragma once
/*
 * Names for the references of PyHeap's objects. An attribute names the reference that leads to its value; attributes whose value is not among an object's references belong to
 * its class, or lie in its __dict__. For ha-pyheap.c.
 */
#include "graph/ha-graph-builder.h"

typedef struct HaPyheapLayouts HaPyheapLayouts;

HaPyheapLayouts *ha_pyheap_layouts_new(HaGraphBuilder *builder); /* borrowed */
void ha_pyheap_layouts_free(HaPyheapLayouts *l);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaPyheapLayouts, ha_pyheap_layouts_free)

/* The builder's name for an attribute, "x" → ".x". */
guint32 ha_pyheap_attribute_name(HaPyheapLayouts *l, const char *name, gsize n);

/* How the references before the named ones are called. */
typedef enum { HA_LEAD_NONE, HA_LEAD_ITEMS, HA_LEAD_INDEX, HA_LEAD_MEMBER } HaLead;

/* names: one for each of n references behind those of the lead, 0: none. Returns the builder's layout. */
guint32 ha_pyheap_layout(HaPyheapLayouts *l, HaLead lead, const guint32 *names, gsize n);
