// SPDX-License-Identifier: MIT
#pragma once
/*
 * Paths with what differs between siblings left out: sys.modules['app'].sessions[*].cart. A tree of steps, so that a million paths that
 * are alike cost little more than one. A step that repeats what stands before it (a linked list, a tree of nodes) is folded: .next+ is
 * one or more. Linear in the objects on the paths.
 */
#include "analyses/ha-reach.h"

typedef struct HaPathTemplates HaPathTemplates;

/* before: where the ways of reach do not begin at roots, those that lead to their beginnings; else NULL. Borrows all. */
HaPathTemplates *ha_path_templates_new(const HaGraph *g, const HaLedger *ledger, const HaReach *reach,
                                       const HaReach *before, GError **error);
void ha_path_templates_free(HaPathTemplates *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaPathTemplates, ha_path_templates_free)

/* Template of the way that the reach knows to id. */
guint32 ha_path_template_of(HaPathTemplates *t, HaId id);
/* The same and one step more. */
guint32 ha_path_template_step(HaPathTemplates *t, guint32 template, HaId from, gsize ref);
/* Of an object that is held by this itself. */
guint32 ha_path_template_root(HaPathTemplates *t, HaId id, const HaHeldBy *held);

char *ha_path_template_text(const HaPathTemplates *t, guint32 template); /* owned by the caller */
/* The step above, HA_PATH_TEMPLATE_TOP for a root; it is less than the template. */
#define HA_PATH_TEMPLATE_TOP G_MAXUINT32
guint32 ha_path_template_above(const HaPathTemplates *t, guint32 template);
const char *ha_path_template_last(const HaPathTemplates *t, guint32 template); /* "[*]": the last step; borrowed */
/* The same in every dump for the same path, whatever line a function stands at; never 0. */
guint64 ha_path_template_hash(const HaPathTemplates *t, guint32 template);
guint32 ha_path_templates_count(const HaPathTemplates *t); /* templates are less than this */
