// SPDX-License-Identifier: MIT
#pragma once
/*
 * Makes a HaGraph: rows go in as the reader of a dump hands them over, in any order but for ids, which count from 1 and are given
 * before their first use. Used by load/ and by tests that want a small graph. One thread at a time.
 *
 * A call that fails for want of memory makes ha_graph_builder_finish() fail; nothing need be checked in between.
 */
#include <stdbool.h>
#include <heapfile/writer.h> /* row structs */
#include "ha-graph.h"

typedef enum {
    HA_GRAPH_ERROR_NO_MEMORY,
    HA_GRAPH_ERROR_TOO_MANY, /* more objects than ids */
} HaGraphError;
#define HA_GRAPH_ERROR (ha_graph_error_quark())
GQuark ha_graph_error_quark(void);

typedef struct HaGraphBuilder HaGraphBuilder;

HaGraphBuilder *ha_graph_builder_new(HaSource source);
void ha_graph_builder_free(HaGraphBuilder *b);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaGraphBuilder, ha_graph_builder_free)

/* Asked whenever more memory for objects would be taken; FALSE ends the build as want of memory does. NULL: no question. */
typedef gboolean (*HaMayGrow)(gpointer user, guint64 objects, guint64 refs);
void ha_graph_builder_ask(HaGraphBuilder *b, HaMayGrow may_grow, gpointer user);

/* Where the loader collects what an index wants to keep; borrowed; NULL at first. */
void ha_graph_builder_set_tables(HaGraphBuilder *b, GByteArray *tables);
GByteArray *ha_graph_builder_tables(HaGraphBuilder *b);

guint32 ha_graph_builder_name(HaGraphBuilder *b, const char *text, gssize n);
guint32 ha_graph_builder_type(HaGraphBuilder *b, const struct hf_type_row *row);
/* For formats that tell names last. */
void ha_graph_builder_type_name(HaGraphBuilder *b, guint32 type, const char *name, gssize n);
guint32 ha_graph_builder_layout(HaGraphBuilder *b, const struct hf_run *runs, gsize n);
/* The references of the object at addr, which may come before or after, have this layout; ignored where it does not fit them. */
void ha_graph_builder_role(HaGraphBuilder *b, guint64 addr, guint32 layout);
/*
 * flags tell which fields count, as in the file; HF_OBJ_CONT adds references to the object of the row before. Foreign dumps without
 * reference counts: leave HF_OBJ_REFCOUNT out, the source tells that "absent" means unknown.
 */
gboolean ha_graph_builder_object(HaGraphBuilder *b, const struct hf_object_row *row); /* FALSE: no use in going on */
void ha_graph_builder_root(HaGraphBuilder *b, guint8 kind, guint64 addr, const char *name, gboolean counted);
void ha_graph_builder_root_id(HaGraphBuilder *b, guint8 kind, guint64 addr, guint32 name, gboolean counted);
void ha_graph_builder_thread(HaGraphBuilder *b, const struct hf_thread_row *row);
void ha_graph_builder_frame(HaGraphBuilder *b, const struct hf_frame_row *row);
void ha_graph_builder_meta(HaGraphBuilder *b, const char *key, gssize key_len, const char *value, gssize value_len);
void ha_graph_builder_counter(HaGraphBuilder *b, const char *key, gssize n, guint64 value);
void ha_graph_builder_skipped(HaGraphBuilder *b, guint64 addr, const char *why, gssize n);
void ha_graph_builder_incomplete(HaGraphBuilder *b, const char *reason, gssize n);

/* The builder is empty afterwards, whatever happened; free it. */
HaGraph *ha_graph_builder_finish(HaGraphBuilder *b, GError **error);
