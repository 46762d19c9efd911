// SPDX-License-Identifier: MIT
#pragma once
/*
 * A heap dump in memory: dense 32-bit ids in the order of addresses, one column per attribute, references as CSR arrays.
 * Built by load/, read by analyses/ and render/; after the build it does not change, but for the reverse references, which are made
 * at the first ha_graph_referrers(). Iterative algorithms only: nothing here recurses over objects.
 */
#include <glib.h>
#include <heapfile/format.h>

typedef guint32 HaId; /* 0 … n_objects - 1; rank of the object's address */
#define HA_ID_NONE G_MAXUINT32

typedef struct HaGraph HaGraph;

/* Who wrote the dump; decides what is known (foreign dumps lack refcounts, names or roots). */
typedef enum {
    HA_SOURCE_HEAPDUMP_GDB,
    HA_SOURCE_DUMP_HEAP_STRUCT,
    HA_SOURCE_DUMP_HEAP_MSGPACK,
    HA_SOURCE_PYHEAP,
} HaSource;

typedef struct {
    guint64 addr;
    guint64 base; /* address of tp_base, 0 none or unknown */
    guint64 basic_size;
    const char *name; /* "module.qualname"; owned by the graph */
    guint32 flags;    /* enum hf_type_flag */
    guint8 family;    /* enum hf_family */
    HaId id;          /* the type object itself, HA_ID_NONE if it is not in the dump */
} HaType;

/* Kind of what nothing outside is seen to hold, in dumps that do not tell what does. */
#define HA_ROOT_UNKNOWN HF_ROOT_COUNT

typedef struct {
    guint8 kind; /* enum hf_root_kind, HF_ROOT_FRAME included, or HA_ROOT_UNKNOWN */
    HaId id;
    const char *name; /* "sys.modules", "<local x>", …; owned by the graph; may be NULL */
    guint32 frame;    /* HF_ROOT_FRAME: index into frames; else G_MAXUINT32 */
    gboolean counted; /* the reference is in the object's refcount */
} HaRoot;

typedef struct {
    guint64 ident, native_id, state_addr;
    guint32 flags; /* enum hf_thread_flag */
    const char *name;
    guint32 first_frame, n_frames; /* innermost first */
} HaThread;

typedef struct {
    HaId frame, code, function;  /* HA_ID_NONE where there is none */
    guint32 thread, line, flags; /* enum hf_frame_flag */
    const char *qualname, *file;
    guint32 first_root, n_roots; /* its locals and stack, as roots */
} HaFrame;

HaGraph *ha_graph_ref(HaGraph *g);
void ha_graph_unref(HaGraph *g);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaGraph, ha_graph_unref)

HaSource ha_graph_source(const HaGraph *g);
/* Another tool's dump: no reference counts, and so no garbage; what holds objects from outside is not known. */
gboolean ha_graph_is_foreign(const HaGraph *g);
/* Whether it tells which references of a container are its items. */
gboolean ha_graph_tells_items(const HaGraph *g);
gboolean ha_graph_complete(const HaGraph *g);
const char *ha_graph_incomplete_reason(const HaGraph *g); /* NULL when complete or not said */
guint32 ha_graph_n_objects(const HaGraph *g);
guint64 ha_graph_n_refs(const HaGraph *g);

HaId ha_graph_lookup(const HaGraph *g, guint64 addr); /* HA_ID_NONE when no object starts there */
guint64 ha_graph_addr(const HaGraph *g, HaId id);
guint64 ha_graph_size(const HaGraph *g, HaId id); /* shallow, bytes: sys.getsizeof */
guint64 ha_graph_real_size(const HaGraph *g,
                           HaId id); /* what it really takes; the shallow size where nothing else is known */
gboolean ha_graph_refcount(const HaGraph *g, HaId id, guint64 *out); /* FALSE: not known or immortal */
guint32 ha_graph_flags(const HaGraph *g, HaId id);                   /* enum hf_object_flag */
const HaType *ha_graph_type(const HaGraph *g, HaId id);              /* never NULL */
const char *ha_graph_content(const HaGraph *g, HaId id,
                             gsize *n); /* raw bytes, not terminated; NULL when none; borrowed */

/* Length of the whole where the content is cut: characters of a str, bytes of bytes, items of a dict. FALSE: not cut. */
#define HA_WHOLE_UNKNOWN G_MAXUINT64 /* it may be cut, and how long it is is not known */
gboolean ha_graph_content_whole(const HaGraph *g, HaId id, guint64 *out);

/* Index 0 is the type of objects whose type is not known; named "?", often without any object. */
guint32 ha_graph_n_types(const HaGraph *g);
const HaType *ha_graph_nth_type(const HaGraph *g, guint32 i);
guint32 ha_graph_type_index(const HaGraph *g, HaId id);

/* Referents in the container's own order. */
const HaId *ha_graph_referents(const HaGraph *g, HaId id, gsize *n);
/* Objects that refer to id, ascending, once for each reference. Builds the reverse arrays at first use (not thread-safe). */
const HaId *ha_graph_referrers(HaGraph *g, HaId id, gsize *n);
/* The same ahead of time, with an error instead of none at all when memory is short. */
gboolean ha_graph_need_referrers(HaGraph *g, GError **error);

/* The arrays themselves, for loops over all of a heap in which a call for each object would count. Borrowed. */
typedef struct {
    const guint32 *first32; /* where the references of each object begin; n + 1 items. One of the two is NULL */
    const guint64 *first64;
    const HaId *refs;
} HaRefsView;
HaRefsView ha_graph_view_referents(const HaGraph *g);
HaRefsView ha_graph_view_referrers(const HaGraph *g); /* needs ha_graph_need_referrers() */

static inline guint64
ha_view_first(const HaRefsView *view, gsize id)
{
    return view->first32 != NULL ? view->first32[id] : view->first64[id];
}

static inline const HaId *
ha_view_refs(const HaRefsView *view, HaId id, gsize *n)
{
    guint64 first = ha_view_first(view, id);
    *n = ha_view_first(view, (gsize)id + 1) - first;
    return view->refs + first;
}

/* What is known of the i-th reference of an object. */
typedef struct {
    guint8 kind;      /* enum hf_run_kind */
    guint8 flags;     /* enum hf_run_flag */
    const char *name; /* NAMED: the text, never NULL; NULL otherwise; owned by the graph */
    guint64 index;    /* INDEX: the index */
    HaId key;         /* ITEMS: the key object of a value; HA_ID_NONE for the key's own reference */
} HaRefName;
void ha_graph_ref_name(const HaGraph *g, HaId id, gsize i, HaRefName *out);
/* All flags (enum hf_run_flag) that any reference of the object has: 0 for most, so that loops need not ask for each reference. */
guint8 ha_graph_any_ref_flags(const HaGraph *g, HaId id);
/*
 * Flags of one reference. HF_RUN_HIDDEN of ITEMS concerns the keys only.
 */
guint8 ha_graph_ref_flags(const HaGraph *g, HaId id, gsize i);
/*
 * Which references hold nothing, for loops over many: ha_weak(view, i) is what HF_RUN_WEAK says of the i-th referent, or of the reference
 * from the i-th referrer. The views are as cheap as the loops; that of referrers needs ha_graph_need_referrers().
 */
typedef struct {
    const guint64 *bits; /* NULL: all hold */
    guint64 first;
} HaWeakView;
HaWeakView ha_graph_weak_referents(const HaGraph *g, HaId id);
HaWeakView ha_graph_weak_referrers(const HaGraph *g, HaId id);
/* The same of all: i counts from the beginning of the arrays of ha_graph_view_referents() and ha_graph_view_referrers(). */
HaWeakView ha_graph_weak_all(const HaGraph *g);
HaWeakView ha_graph_weak_all_back(const HaGraph *g);

static inline gboolean
ha_weak(const HaWeakView *view, gsize i)
{
    return view->bits != NULL && (view->bits[(view->first + i) / 64] >> (view->first + i) % 64 & 1);
}

/* Whether places of an object are empty, or lead to objects that are not in the dump. */
gboolean ha_graph_has_holes(const HaGraph *g, HaId id);
/* Places in the runs of a kind, empty ones too: items of a list, twice those of a dict. */
guint64 ha_graph_n_places(const HaGraph *g, HaId id, guint8 kind);
/* The same as text: ".attr", "['key']", "[3]", "{member}", "<key 'k'>"; NULL when there is none. */
char *ha_graph_ref_text(const HaGraph *g, HaId id, gsize i); /* owned by the caller */
/* What a key makes of references: "['k']" of its value, "<key 'k'>" its own. HA_ID_NONE is not known. Owned by the caller. */
char *ha_graph_key_text(const HaGraph *g, HaId key, gboolean of_value);

const HaRoot *ha_graph_roots(const HaGraph *g, gsize *n);
/* Indices into ha_graph_roots() of the roots that hold id. */
const guint32 *ha_graph_roots_of(const HaGraph *g, HaId id, gsize *n);
const HaThread *ha_graph_threads(const HaGraph *g, gsize *n);
const HaFrame *ha_graph_frames(const HaGraph *g, gsize *n);

/* META and STATS of the dump; values as text. NULL when absent. */
const char *ha_graph_meta(const HaGraph *g, const char *key);
GHashTable *ha_graph_meta_table(const HaGraph *g);    /* char * → char *; borrowed */
GHashTable *ha_graph_counter_table(const HaGraph *g); /* char * → guint64 *; borrowed */

/* What the walker could not read; the counters have the totals, this list is short. */
typedef struct {
    guint64 addr;
    const char *why; /* owned by the graph */
} HaSkipped;
const HaSkipped *ha_graph_skipped(const HaGraph *g, gsize *n);

/* Counters that the analyzer itself adds, when they are not 0. */
#define HA_COUNTER_DUPLICATES                                                                                          \
    "analyzer.duplicate_objects"                        /* rows for an address that had one already; the first counts */
#define HA_COUNTER_DANGLING   "analyzer.dangling_refs"  /* references to addresses without an object; left out */
#define HA_COUNTER_NO_ROOT    "analyzer.dangling_roots" /* the same of roots */
#define HA_COUNTER_NO_TYPE    "analyzer.objects_without_type"
#define HA_COUNTER_NO_CONTENT "analyzer.contents_dropped"
