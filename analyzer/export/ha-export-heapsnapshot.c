// SPDX-License-Identifier: MIT
/*
 * The selection as V8 writes heaps of JavaScript (v8/src/profiler/heap-snapshot-generator.cc: HeapSnapshotJSONSerializer), for the Memory
 * tab of Chrome's DevTools and what else reads such files. Nodes and edges are numbers that are written as they come; texts stand at
 * the end, numbered beforehand by what they are texts of, so that none has to be kept.
 */
#include <string.h>

#include "export/ha-export.h"
#include "export/ha-snapshot-plan.h"
#include "text/ha-json.h"

/* In the order of node_types and edge_types below. */
enum { NODE_STRING = 2, NODE_OBJECT = 3, NODE_CODE = 4, NODE_CLOSURE = 5, NODE_NUMBER = 7, NODE_SYNTHETIC = 9 };
enum { EDGE_ELEMENT = 1, EDGE_PROPERTY = 2, EDGE_INTERNAL = 3, EDGE_HIDDEN = 4, EDGE_WEAK = 6 };
#define NODE_FIELDS 7

static void
names(HaJson *j, const char *key, const char *const *list, gsize n)
{
    if (key != NULL)
        ha_json_key(j, key);
    ha_json_begin_array(j);
    for (gsize i = 0; i < n; i++)
        ha_json_text(j, list[i]);
    ha_json_end_array(j);
}
#define NAMES(j, key, ...)                                                                                             \
    G_STMT_START                                                                                                       \
    {                                                                                                                  \
        const char *const list_[] = {__VA_ARGS__};                                                                     \
        names(j, key, list_, G_N_ELEMENTS(list_));                                                                     \
    }                                                                                                                  \
    G_STMT_END

static void
write_number(HaJson *j, const char *key, guint64 value)
{
    ha_json_key(j, key);
    ha_json_uint(j, value);
}

static void
write_header(HaJson *j, const HaSnapshotPlan *plan)
{
    ha_json_key(j, "snapshot");
    ha_json_begin_object(j);
    ha_json_key(j, "meta");
    ha_json_begin_object(j);
    NAMES(j, "node_fields", "type", "name", "id", "self_size", "edge_count", "trace_node_id", "detachedness");
    ha_json_key(j, "node_types");
    ha_json_begin_array(j);
    NAMES(j, NULL, "hidden", "array", "string", "object", "code", "closure", "regexp", "number", "native", "synthetic",
          "concatenated string", "sliced string", "symbol", "bigint", "object shape");
    ha_json_text(j, "string");
    for (guint i = 2; i < NODE_FIELDS; i++)
        ha_json_text(j, "number");
    ha_json_end_array(j);
    NAMES(j, "edge_fields", "type", "name_or_index", "to_node");
    ha_json_key(j, "edge_types");
    ha_json_begin_array(j);
    NAMES(j, NULL, "context", "element", "property", "internal", "hidden", "shortcut", "weak");
    ha_json_text(j, "string_or_number");
    ha_json_text(j, "node");
    ha_json_end_array(j);
    NAMES(j, "trace_function_info_fields", "function_id", "name", "script_name", "script_id", "line", "column");
    NAMES(j, "trace_node_fields", "id", "function_info_index", "count", "size", "children");
    NAMES(j, "sample_fields", "timestamp_us", "last_assigned_id");
    NAMES(j, "location_fields", "object_index", "script_id", "line", "column");
    ha_json_end_object(j);
    write_number(j, "node_count", plan->n_nodes);
    write_number(j, "edge_count", plan->n_edges);
    write_number(j, "trace_function_count", 0);
    ha_json_end_object(j);
    ha_json_newline(j);
}

static void
write_node(HaJson *j, guint type, guint64 name, guint64 ordinal, guint64 size, guint64 edges)
{
    ha_json_uint(j, type);
    ha_json_uint(j, name);
    ha_json_uint(j, 2 * ordinal + 1); /* ids of what is no embedder's are odd */
    ha_json_uint(j, size);
    ha_json_uint(j, edges);
    ha_json_uint(j, 0);
    ha_json_uint(j, 0);
    ha_json_newline(j);
}

/* DevTools puts what is no object into a group by its kind, and shows the name of each. */
static guint
node_type(const HaGraph *g, HaId id)
{
    const HaType *type = ha_graph_type(g, id);
    if (!g_str_has_prefix(type->name, "builtins."))
        return NODE_OBJECT;
    switch (type->family) {
    case HF_FAMILY_STR:
        return NODE_STRING;
    case HF_FAMILY_INT:
    case HF_FAMILY_FLOAT:
        return NODE_NUMBER;
    case HF_FAMILY_FUNCTION:
    case HF_FAMILY_METHOD:
    case HF_FAMILY_BUILTIN:
        return NODE_CLOSURE;
    case HF_FAMILY_CODE:
        return NODE_CODE;
    default:
        return NODE_OBJECT;
    }
}

static void
write_nodes(HaJson *j, const HaSnapshotPlan *plan)
{
    const HaGraph *g = plan->c->graph;
    ha_json_key(j, "nodes");
    ha_json_begin_array(j);
    for (guint i = 0; i < plan->synthetic->len; i++) {
        const HaSnapshotNode *node = &g_array_index(plan->synthetic, HaSnapshotNode, i);
        write_node(j, NODE_SYNTHETIC, node->name, i, 0, node->edges->len);
    }
    guint64 ordinal = plan->synthetic->len;
    for (HaId id = 0; id < ha_graph_n_objects(g) && !ha_out_stopped(j->out); id++) {
        if (!ha_bits_get(plan->c->chosen, id))
            continue;
        gsize n;
        guint64 edges = 0;
        const HaId *refs = ha_graph_referents(g, id, &n);
        for (gsize i = 0; i < n; i++)
            edges += ha_bits_get(plan->c->chosen, refs[i]);
        guint type = node_type(g, id);
        guint64 name = type != NODE_OBJECT ? ha_snapshot_plan_content(plan, id) : HA_SNAPSHOT_NO_TEXT;
        if (name == HA_SNAPSHOT_NO_TEXT)
            name = ha_snapshot_plan_type(plan, id);
        write_node(j, type, name, ordinal++, ha_graph_size(g, id), edges);
    }
    ha_json_end_array(j);
    ha_json_newline(j);
}

static void
write_edge(HaJson *j, guint type, guint64 name, guint64 to)
{
    ha_json_uint(j, type);
    ha_json_uint(j, name);
    ha_json_uint(j, to * NODE_FIELDS);
    ha_json_newline(j);
}

static void
write_edges_of(HaJson *j, const HaSnapshotPlan *plan, HaId id)
{
    const HaGraph *g = plan->c->graph;
    gsize n;
    const HaId *refs = ha_graph_referents(g, id, &n);
    for (gsize i = 0; i < n; i++) {
        if (!ha_bits_get(plan->c->chosen, refs[i]))
            continue;
        HaRefName name;
        ha_graph_ref_name(g, id, i, &name);
        guint type = EDGE_PROPERTY;
        guint64 text = ha_snapshot_plan_ref(plan, refs[i], &name);
        if (name.flags & HF_RUN_WEAK) {
            type = EDGE_WEAK;
            text = text != HA_SNAPSHOT_NO_TEXT ? text : HA_SNAPSHOT_WEAK;
        } else if (text == HA_SNAPSHOT_NO_TEXT) {
            /* the reader keeps 32 bits */
            gboolean item = name.kind == HF_RUN_INDEX;
            type = item ? EDGE_ELEMENT : EDGE_HIDDEN;
            text = MIN(item ? name.index : i, G_MAXUINT32);
        } else if (name.flags & HF_RUN_HIDDEN) {
            type = EDGE_INTERNAL;
        }
        write_edge(j, type, text, ha_snapshot_plan_ordinal(plan, refs[i]));
    }
}

static void
write_edges(HaJson *j, const HaSnapshotPlan *plan)
{
    ha_json_key(j, "edges");
    ha_json_begin_array(j);
    for (guint i = 0; i < plan->synthetic->len; i++) {
        const GArray *edges = g_array_index(plan->synthetic, HaSnapshotNode, i).edges;
        for (guint k = 0; k < edges->len; k++) {
            const HaSnapshotEdge *edge = &g_array_index(edges, HaSnapshotEdge, k);
            guint64 to = edge->to_synthetic ? edge->to : ha_snapshot_plan_ordinal(plan, edge->to);
            gboolean named = edge->name != HA_SNAPSHOT_NO_TEXT;
            write_edge(j, named ? EDGE_INTERNAL : EDGE_ELEMENT, named ? edge->name : (guint64)k + 1, to);
        }
    }
    for (HaId id = 0; id < ha_graph_n_objects(plan->c->graph) && !ha_out_stopped(j->out); id++)
        if (ha_bits_get(plan->c->chosen, id))
            write_edges_of(j, plan, id);
    ha_json_end_array(j);
    ha_json_newline(j);
}

static void
write_string(const char *text, gsize n, gpointer user)
{
    HaJson *j = user;
    ha_json_bytes(j, text, n);
    ha_json_newline(j);
}

gboolean
ha_export_heapsnapshot(const HaContext *c, HaOut *out, GError **error)
{
    static const char *const empty[] = {"trace_function_infos", "trace_tree", "samples", "locations"};
    g_autoptr(HaSnapshotPlan) plan = ha_snapshot_plan_new(c, error);
    if (plan == NULL)
        return FALSE;
    if (plan->n_nodes > G_MAXUINT32 / NODE_FIELDS)
        ha_note("warning: Chrome cannot open snapshots of so many objects: its limit is %u", G_MAXUINT32 / NODE_FIELDS);
    HaJson j;
    ha_json_init(&j, out);
    ha_json_begin_object(&j);
    write_header(&j, plan);
    write_nodes(&j, plan);
    write_edges(&j, plan);
    for (guint i = 0; i < G_N_ELEMENTS(empty); i++) {
        ha_json_key(&j, empty[i]);
        ha_json_begin_array(&j);
        ha_json_end_array(&j);
    }
    ha_json_key(&j, "strings");
    ha_json_begin_array(&j);
    ha_snapshot_plan_strings(plan, out, write_string, &j);
    ha_json_end_array(&j);
    ha_json_end_object(&j);
    ha_json_newline(&j);
    return TRUE;
}
