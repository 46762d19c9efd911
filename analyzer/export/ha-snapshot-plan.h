// SPDX-License-Identifier: MIT
#pragma once
/*
 * What must be known before the first byte of a snapshot for DevTools is written: how many nodes and edges there are, the nodes that stand for
 * roots, and the number of each text. Texts are numbered by rank in sets of objects, so that a bit and a half an object is all they take;
 * equal ones are not made one. One thread at a time.
 */
#include "cli/ha-command.h"

#define HA_SNAPSHOT_NO_TEXT G_MAXUINT64
#define HA_SNAPSHOT_WEAK    1 /* text of a weak reference that has no name */

typedef struct {
    HaId to; /* an object, or a synthetic node */
    gboolean to_synthetic;
    guint64 name; /* number of a text; HA_SNAPSHOT_NO_TEXT: it is counted instead */
} HaSnapshotEdge;

typedef struct {
    guint64 name;  /* number of a text */
    GArray *edges; /* HaSnapshotEdge; owned */
} HaSnapshotNode;

/* A set with numbers for its members. */
typedef struct {
    HaBits *bits;    /* owned */
    guint32 *before; /* owned; members below each word */
    guint64 first;   /* number of the first one */
} HaSnapshotTexts;

typedef struct {
    const HaContext *c; /* borrowed */
    guint64 n_nodes, n_edges;
    GArray *synthetic;   /* HaSnapshotNode, the root of all first; the objects' nodes come behind */
    GPtrArray *texts;    /* those that are not of objects; owned */
    GHashTable *numbers; /* char * → guint; text, or name of a reference as the graph has it */
    guint *type_texts;   /* owned; one an index of a type */
    guint32 *before;     /* owned; chosen objects below each word of the set */
    HaSnapshotTexts contents, values, keys;
} HaSnapshotPlan;

/* NULL: no memory. Borrows the context. */
HaSnapshotPlan *ha_snapshot_plan_new(const HaContext *c, GError **error);
void ha_snapshot_plan_free(HaSnapshotPlan *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaSnapshotPlan, ha_snapshot_plan_free)

guint64 ha_snapshot_plan_ordinal(const HaSnapshotPlan *p, HaId id); /* of the node of a chosen object */
/* Numbers of texts: the content, HA_SNAPSHOT_NO_TEXT if there is none; the name of the type; that of a reference to referent,
 * HA_SNAPSHOT_NO_TEXT if it has none or is an item of a sequence. */
guint64 ha_snapshot_plan_content(const HaSnapshotPlan *p, HaId id);
guint64 ha_snapshot_plan_type(const HaSnapshotPlan *p, HaId id);
guint64 ha_snapshot_plan_ref(const HaSnapshotPlan *p, HaId referent, const HaRefName *name);

/* All texts in the order of their numbers; stops early when out has stopped. */
void ha_snapshot_plan_strings(const HaSnapshotPlan *p, const HaOut *out,
                              void (*take)(const char *text, gsize n, gpointer user), gpointer user);
