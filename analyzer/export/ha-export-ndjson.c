// SPDX-License-Identifier: MIT
/* One JSON object a line: meta, objects with their references, threads with their frames, end. */
#include "commands/ha-line.h"
#include "export/ha-export.h"
#include "text/ha-json.h"
#include "text/ha-root-text.h"

const char *
ha_export_source(const HaGraph *g)
{
    static const char *const sources[] = {[HA_SOURCE_HEAPDUMP_GDB] = "heapdump-gdb",
                                          [HA_SOURCE_DUMP_HEAP_STRUCT] = "dump-heap (struct)",
                                          [HA_SOURCE_DUMP_HEAP_MSGPACK] = "dump-heap (msgpack)",
                                          [HA_SOURCE_PYHEAP] = "pyheap"};
    return sources[ha_graph_source(g)];
}

static void
write_meta(HaJson *j, const HaGraph *g)
{
    ha_json_begin_object(j);
    ha_json_key(j, "t");
    ha_json_text(j, "meta");
    ha_json_key(j, "source");
    ha_json_text(j, ha_export_source(g));
    GHashTableIter iter;
    gpointer key, value;
    g_autoptr(GList) keys =
        g_list_sort(g_hash_table_get_keys(ha_graph_meta_table(g)), (GCompareFunc)(void (*)(void))g_strcmp0);
    for (GList *k = keys; k != NULL; k = k->next) {
        ha_json_key(j, k->data);
        ha_json_text(j, ha_graph_meta(g, k->data));
    }
    ha_json_key(j, "counters");
    ha_json_begin_object(j);
    g_hash_table_iter_init(&iter, ha_graph_counter_table(g));
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        ha_json_key(j, key);
        ha_json_uint(j, *(const guint64 *)value);
    }
    ha_json_end_object(j);
    ha_json_end_object(j);
    ha_json_newline(j);
}

/* References to objects that are left out are left out too, but not those to objects that are only not chosen. */
static guint64
write_refs(HaJson *j, const HaContext *c, HaId id)
{
    const HaGraph *g = c->graph;
    gsize n;
    guint64 written = 0;
    const HaId *refs = ha_graph_referents(g, id, &n);
    ha_json_key(j, "refs");
    ha_json_begin_array(j);
    for (gsize i = 0; i < n; i++) {
        if (!ha_bits_get(c->live, refs[i]))
            continue;
        g_autofree char *name = ha_graph_ref_text(g, id, i);
        guint8 flags = ha_graph_any_ref_flags(g, id) != 0 ? ha_graph_ref_flags(g, id, i) : 0;
        ha_json_begin_object(j);
        ha_json_key(j, "addr");
        ha_json_addr(j, ha_graph_addr(g, refs[i]));
        ha_json_key(j, "name");
        ha_json_text(j, name);
        if (flags & HF_RUN_WEAK) {
            ha_json_key(j, "weak");
            ha_json_bool(j, TRUE);
        }
        if (flags & HF_RUN_HIDDEN) {
            ha_json_key(j, "hidden");
            ha_json_bool(j, TRUE);
        }
        ha_json_end_object(j);
        written++;
    }
    ha_json_end_array(j);
    return written;
}

static guint64
write_object(HaJson *j, const HaContext *c, HaId id)
{
    const HaGraph *g = c->graph;
    const HaType *type = ha_graph_type(g, id);
    guint64 count, whole;
    guint32 flags = ha_graph_flags(g, id);
    ha_json_begin_object(j);
    ha_json_key(j, "t");
    ha_json_text(j, "object");
    ha_json_key(j, "addr");
    ha_json_addr(j, ha_graph_addr(g, id));
    ha_json_key(j, "type");
    ha_json_text(j, type->name);
    ha_json_key(j, "type_addr");
    ha_json_addr(j, type->addr);
    ha_json_key(j, "size");
    ha_json_uint(j, ha_graph_size(g, id));
    ha_json_key(j, "refcount");
    if (ha_graph_refcount(g, id, &count))
        ha_json_uint(j, count);
    else
        ha_json_null(j);
    ha_json_gc(j, g, id);
    ha_json_key(j, "root");
    ha_json_begin_array(j);
    if (ha_is_root(g, c->ledger, id)) {
        g_autoptr(GPtrArray) roots = ha_root_texts(g, c->ledger, id);
        for (guint i = 0; i < roots->len; i++)
            ha_json_text(j, roots->pdata[i]);
    }
    ha_json_end_array(j);
    ha_json_key(j, "content");
    ha_json_content(j, g, id);
    if (ha_graph_content_whole(g, id, &whole)) {
        ha_json_key(j, "content_length");
        ha_json_known(j, whole != HA_WHOLE_UNKNOWN, whole);
    }
    if (ha_graph_real_size(g, id) != ha_graph_size(g, id)) {
        ha_json_key(j, "real_size");
        ha_json_uint(j, ha_graph_real_size(g, id));
    }
    static const struct {
        guint32 flag;
        const char *key;
    } extras[] = {{HF_OBJ_IMMORTAL, "immortal"},
                  {HF_OBJ_BROKEN, "broken"},
                  {HF_OBJ_SIZE_UNKNOWN, "size_unknown"},
                  {HF_OBJ_INTERNED, "interned"},
                  {HF_OBJ_FROZEN, "frozen"}};
    for (guint i = 0; i < G_N_ELEMENTS(extras); i++)
        if (flags & extras[i].flag) {
            ha_json_key(j, extras[i].key);
            ha_json_bool(j, TRUE);
        }
    guint64 refs = write_refs(j, c, id);
    ha_json_end_object(j);
    ha_json_newline(j);
    return refs;
}

static void
json_id(HaJson *j, const HaGraph *g, const char *key, HaId id)
{
    ha_json_key(j, key);
    if (id == HA_ID_NONE)
        ha_json_null(j);
    else
        ha_json_addr(j, ha_graph_addr(g, id));
}

static void
write_thread(HaJson *j, const HaGraph *g, const HaThread *thread)
{
    gsize n;
    const HaFrame *frames = ha_graph_frames(g, &n);
    const HaRoot *roots = ha_graph_roots(g, &n);
    ha_json_begin_object(j);
    ha_json_key(j, "t");
    ha_json_text(j, "thread");
    ha_json_key(j, "name");
    ha_json_text(j, thread->name);
    ha_json_thread(j, g, thread);
    ha_json_key(j, "frames");
    ha_json_begin_array(j);
    for (guint32 f = thread->first_frame; f < thread->first_frame + thread->n_frames; f++) {
        ha_json_begin_object(j);
        json_id(j, g, "frame", frames[f].frame);
        json_id(j, g, "code", frames[f].code);
        json_id(j, g, "function", frames[f].function);
        ha_json_key(j, "name");
        ha_json_text(j, frames[f].qualname);
        ha_json_key(j, "file");
        ha_json_text(j, frames[f].file);
        ha_json_key(j, "line");
        ha_json_uint(j, frames[f].line);
        ha_json_key(j, "refs");
        ha_json_begin_array(j);
        for (guint32 r = frames[f].first_root; r < frames[f].first_root + frames[f].n_roots; r++) {
            ha_json_begin_object(j);
            json_id(j, g, "addr", roots[r].id);
            ha_json_key(j, "name");
            ha_json_text(j, roots[r].name);
            ha_json_end_object(j);
        }
        ha_json_end_array(j);
        ha_json_end_object(j);
    }
    ha_json_end_array(j);
    ha_json_end_object(j);
    ha_json_newline(j);
}

void
ha_export_ndjson(const HaContext *c, HaOut *out)
{
    HaJson j;
    ha_json_init(&j, out);
    write_meta(&j, c->graph);
    guint64 objects = 0, refs = 0;
    for (HaId id = 0; id < ha_graph_n_objects(c->graph) && !ha_out_stopped(out); id++) {
        if (!ha_bits_get(c->chosen, id))
            continue;
        refs += write_object(&j, c, id);
        objects++;
    }
    gsize n;
    const HaThread *threads = ha_graph_threads(c->graph, &n);
    for (gsize i = 0; i < n; i++)
        write_thread(&j, c->graph, &threads[i]);
    ha_json_begin_object(&j);
    ha_json_key(&j, "t");
    ha_json_text(&j, "end");
    ha_json_key(&j, "objects");
    ha_json_uint(&j, objects);
    ha_json_key(&j, "refs");
    ha_json_uint(&j, refs);
    ha_json_key(&j, "complete");
    ha_json_bool(&j, ha_graph_complete(c->graph));
    ha_json_end_object(&j);
    ha_json_newline(&j);
}
