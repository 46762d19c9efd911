// SPDX-License-Identifier: MIT
#pragma once
/*
 * The walker's inside: its state, the per-type cache, and what the parts offer each other. One thread only.
 *
 *   entry.c      entry point, stages, set-up and tear-down of both modes        output.c       data sink, result file
 *   walk.c       sweeps, worklist, one object's row                             fault.c        faults caught at the object
 *   atoms.c      the same for texts and numbers, in few steps
 *   lists.c      the collector's objects, pages.c in free-threaded builds
 *   visited.[ch] bitmap of addresses seen and written                           memory.c       regions, growing arrays
 *   types.c      type cache: what is asked of a type once                       sizes.c        sys.getsizeof without Python
 *   refs.c       references of an object, refs-dict.c of dicts and sets, refs-inside.c of what only CPython's sources tell, refs-array.c of numpy's arrays
 *   refs-prepare.c how a type's references are found    known-fields.c names in C structs    roles.c names of other objects' items
 *   names.c      names and layouts, each written once                           text.c         bounded text
 *   real-sizes.c what objects take of the allocator
 *   heap.c       allocators for the snapshot                                    attach.c       a thread state for the snapshot
 *   facts/       offsets per version     contents/  content snippets            roots/         interpreter, threads, frames, generators
 *   wk-objects.h reading str, dict, int, tuple in place                         arch/          what is the machine's
 *
 * Rules of the blob: no writable or relocated data: no static variables, no tables of pointers (tables of numbers and string
 * literals are fine, a switch instead of function tables). No libc. No recursion over the target's data, every loop over it bounded.
 * Reading the target's memory may fault at any time: in ghost mode the object at hand is then given up (fault.c), so nothing may be
 * left half-changed across such a read that the next object relies on.
 *
 * Addresses in the target are uint64_t; 0 means none. Read through WK_U64 and its sisters.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <heapfile/format.h>
#include <heapfile/writer.h>
#include "include/wk-abi.h"
#include "facts/wk-facts.h"

typedef uint64_t wk_addr;

#define WK_READ(type, addr, offset) (*(type const *)(uintptr_t)((addr) + (uint64_t)(offset)))
#define WK_U8(addr, offset)         WK_READ(uint8_t, addr, offset)
#define WK_U16(addr, offset)        WK_READ(uint16_t, addr, offset)
#define WK_U32(addr, offset)        WK_READ(uint32_t, addr, offset)
#define WK_I32(addr, offset)        WK_READ(int32_t, addr, offset)
#define WK_U64(addr, offset)        WK_READ(uint64_t, addr, offset)
#define WK_I64(addr, offset)        WK_READ(int64_t, addr, offset)

#define wk_likely(x)   __builtin_expect(!!(x), 1)
#define wk_unlikely(x) __builtin_expect(!!(x), 0)

/*
 * Objects of free-threaded builds have another head, so the sources are compiled into two blobs: in the second this is 1.
 */
#ifndef WK_FREE_THREADED
#define WK_FREE_THREADED 0
#endif

/* Offsets that are the same on all versions walked, 3.8 to 3.15. */
#if WK_FREE_THREADED
#define WK_HEAD 32 /* sizeof(PyObject) */
#else
#define WK_HEAD 16
#endif
enum {
#if WK_FREE_THREADED
    WK_OB_MUTEX = 10,
    WK_OB_GC_BITS = 11,
    WK_OB_REF_LOCAL = 12,
    WK_OB_REF_SHARED = 16,
#else
    WK_OB_REFCNT = 0,
#endif
    WK_OB_TYPE = WK_HEAD - 8,
    WK_OB_SIZE = WK_HEAD,
    WK_LIST_ITEMS = WK_HEAD + 8,
    WK_LIST_ALLOCATED = WK_HEAD + 16,
    WK_BYTES_DATA = WK_HEAD + 16,
    WK_STR_LENGTH = WK_HEAD,
    WK_STR_STATE = WK_HEAD + 16,
    WK_STR_WSTR = WK_HEAD + 24, /* before 3.12 */
    WK_INT_TAG = WK_HEAD,       /* 3.12+ */
    WK_INT_DIGITS = WK_HEAD + 8,
    WK_DICT_USED = WK_HEAD,
    WK_DICT_KEYS = WK_HEAD + 16,
    WK_DICT_VALUES = WK_HEAD + 24,
    WK_TP_NAME = WK_HEAD + 8,
    WK_TP_BASICSIZE = WK_HEAD + 16,
    WK_TP_ITEMSIZE = WK_HEAD + 24,
    WK_TP_DEALLOC = WK_HEAD + 32,
    WK_TP_FLAGS = WK_HEAD + 152,
    WK_TP_TRAVERSE = WK_HEAD + 168,
    WK_TP_CLEAR = WK_HEAD + 176,
    WK_TP_WEAKLISTOFFSET = WK_HEAD + 192,
    WK_TP_MEMBERS = WK_HEAD + 224,
    WK_TP_GETSET = WK_HEAD + 232,
    WK_TP_BASE = WK_HEAD + 240,
    WK_TP_DICT = WK_HEAD + 248,
    WK_TP_DICTOFFSET = WK_HEAD + 272,
    WK_TP_IS_GC = WK_HEAD + 312,
    WK_TP_BASES = WK_HEAD + 320,
    WK_TP_MRO = WK_HEAD + 328,
    WK_TP_CACHE = WK_HEAD + 336,
    WK_TP_SUBCLASSES = WK_HEAD + 344,
    WK_TP_WEAKLIST = WK_HEAD + 352,
    WK_GC_HEAD_SIZE = 16,
};

/* bits of a str's state: the same on all versions; checked by facts/ */
enum {
    WK_STR_INTERNED = 3,
    WK_STR_KIND_SHIFT = 2,
    WK_STR_COMPACT_SHIFT = 5,
    WK_STR_ASCII_SHIFT = 6,
    WK_STR_PLAIN = 1 << WK_STR_COMPACT_SHIFT | 1 << WK_STR_ASCII_SHIFT,
};

/* tp_flags */
#define WK_TPF_INLINE_VALUES  (1ull << 2) /* 3.13 */
#define WK_TPF_MANAGED_WEAK   (1ull << 3) /* 3.12 */
#define WK_TPF_MANAGED_DICT   (1ull << 4) /* 3.11 */
#define WK_TPF_STATIC_BUILTIN (1ull << 1) /* 3.12 */
#define WK_TPF_HEAP           (1ull << 9)
#define WK_TPF_READY          (1ull << 12)
#define WK_TPF_HAVE_GC        (1ull << 14)
#define WK_TPF_LONG           (1ull << 24)
#define WK_TPF_LIST           (1ull << 25)
#define WK_TPF_TUPLE          (1ull << 26)
#define WK_TPF_BYTES          (1ull << 27)
#define WK_TPF_UNICODE        (1ull << 28)
#define WK_TPF_DICT           (1ull << 29)
#define WK_TPF_BASE_EXC       (1ull << 30)
#define WK_TPF_TYPE           (1ull << 31)

/* Bytes: with the hooks of a debugging allocator they are still a block of a multiple of 16. */
#define WK_REAL_PLAIN (WK_FREE_THREADED ? 96u : 480u)

/* How the references of an instance are found. */
enum wk_walk {
    WK_WALK_NONE = 0, /* has none */
    WK_WALK_LIST,
    WK_WALK_TUPLE,
    WK_WALK_DICT,
    WK_WALK_SET,
    WK_WALK_FIELDS,    /* at fixed offsets: struct wk_field */
    WK_WALK_TRAVERSE,  /* tp_traverse; names by matching values of wk_type.fields */
    WK_WALK_TYPE,      /* a type object */
    WK_WALK_FRAME,     /* wk_frame_refs() */
    WK_WALK_GENERATOR, /* wk_generator_refs() */
    WK_WALK_HAMT,      /* a node of a context's variables */
    WK_WALK_NDARRAY,   /* numpy's array: elements that are objects, fields */
};

enum wk_field_flag {
    WK_FIELD_WEAK = 1 << 0,     /* HF_RUN_WEAK */
    WK_FIELD_HIDDEN = 1 << 1,   /* HF_RUN_HIDDEN */
    WK_FIELD_NEGATIVE = 1 << 2, /* offset counts from the end of the object (tp_dictoffset < 0) */
    WK_FIELD_TAGGED = 1 << 3,   /* low bits are no part of the address; not an object if bit 0 is set */
    WK_FIELD_IF_SHOWN = 1 << 4, /* WK_WALK_TRAVERSE: a name for what tp_traverse shows, and nothing beyond */
    WK_FIELD_ZONE = 1 << 5,     /* there only in times that have a zone */
    WK_FIELD_JOINED = 1 << 6,   /* bit 0 is no part of the address */
    WK_FIELD_AFTER = 1 << 8,    /* offset is from behind the items, as if they took no room */
    WK_FIELD_FIRST = 1 << 7,    /* the first word of the struct that the field points to */
};

/* A reference at a fixed offset of an instance; NULL there means none. */
struct wk_field {
    int32_t offset;
    uint32_t flags; /* enum wk_field_flag */
    uint32_t name;  /* id, 0 none */
};

enum wk_type_flag {
    WK_TYPE_GC = 1 << 0,           /* Py_TPFLAGS_HAVE_GC */
    WK_TYPE_CHECK_GC = 1 << 1,     /* tp_is_gc must be asked */
    WK_TYPE_HEAP = 1 << 2,         /* Py_TPFLAGS_HEAPTYPE */
    WK_TYPE_CLASS = 1 << 3,        /* made by a class statement: subtype_traverse */
    WK_TYPE_SIZE_PY = 1 << 4,      /* __sizeof__ is Python's */
    WK_TYPE_VAR_SIZE = 1 << 5,     /* rows carry a size */
    WK_TYPE_INLINE = 1 << 6,       /* instances keep attributes in values beside them (3.11+) */
    WK_TYPE_MANAGED = 1 << 7,      /* instances have a managed dict (3.11+), with or without inline values */
    WK_TYPE_TAIL = 1 << 8,         /* fields or managed dict follow the open run */
    WK_TYPE_BROKEN = 1 << 9,       /* could not be read whole */
    WK_TYPE_DICT_INSIDE = 1 << 10, /* a dict whose tp_traverse shows more than a dict does */
    WK_TYPE_HAS_PARTS = 1 << 12,   /* tuples whose items it names: roles.c */
    WK_TYPE_REAL = 1 << 13,        /* of fixed size, and rows carry the real one */
    WK_TYPE_REAL_PLAIN = 1 << 14,  /* one block of the size that getsizeof says, where it is small */
    WK_TYPE_LRU = 1 << 11,         /* functools' cache: keys and results in a list of its own */
    WK_TYPE_GREENLET = 1 << 17,    /* greenlet.greenlet, or derived from it */
    WK_TYPE_META = 1 << 16,        /* a type of types with a tp_traverse of its own */
    WK_TYPE_STRUCK = 1 << 15,      /* its tp_traverse is not called any more: references of instances are missing */
};

/* Code of the target that runs for the object at hand. */
enum wk_foreign {
    WK_FOREIGN_NONE = 0,
    WK_FOREIGN_TRAVERSE,
    WK_FOREIGN_IS_GC,
    WK_FOREIGN_SIZEOF,
};

/* What is known of a type: asked once, when its first instance is met. */
struct wk_type {
    wk_addr addr;      /* of the type object */
    uint32_t id;       /* in the dump */
    uint8_t walk;      /* enum wk_walk */
    uint8_t size_kind; /* sizes.c */
    uint8_t content;   /* contents/: its own code; 0: no content, wk_content is not called */
    uint8_t family;    /* enum hf_family */
    uint8_t open;      /* enum hf_run_kind of references that tp_traverse alone gives */
    uint8_t strikes;   /* how often its code failed (walk.c) */
    uint8_t atom;      /* enum wk_atom: rows are written the fast way */
    bool atom_old;     /* with what older versions do about it */
    bool sized;        /* HF_TYPE_SIZED */
    uint32_t flags;    /* enum wk_type_flag */
    uint32_t basic;
    uint32_t item;
    uint32_t pre;      /* bytes that sys.getsizeof adds for headers */
    uint32_t common;   /* size of a row without one */
    uint32_t atom_max; /* characters or bytes that the fast way knows to show */
    uint32_t real_pre,
        real_basic; /* bytes that really stand before an instance, and that it takes with inline values */
    wk_addr traverse, is_gc, size_fn;
    wk_addr size_class; /* what size_fn wants to be told; 0: takes no arguments */

    struct wk_field *fields; /* owned by the walker's memory */
    uint32_t n_fields;
    uint32_t rest;       /* name of what tp_traverse shows and no field names */
    uint32_t layout;     /* of the row when every field is there */
    uint64_t layout_key; /* last pattern of fields and its layout */
    uint32_t layout_value;
    uint32_t layout_class; /* layout of rows whose only reference is the class */
    wk_addr keys;          /* inline values: shared keys seen last */
    uint64_t data[2];      /* contents/: its own */
};

/* Bounded text: what contents/ makes for an object. Overflow is cut, never inside a UTF-8 sequence. */
struct wk_text {
    const uint8_t *bytes; /* result: buf, or straight into the object */
    uint32_t len;
    uint32_t cap;   /* of buf */
    uint64_t whole; /* not 0: text is cut; length of the whole (characters of str, bytes, items of dict) */
    uint8_t *buf;   /* owned by the walker's memory */
    bool full;      /* something did not fit */
};

struct wk_jump;
struct wk_visited;
struct wk_roles;
struct wk_shape;
struct wk_shown;
struct wk_walk_state;
struct wk_gc;
struct wk_types;
struct wk_names;
struct wk_fault;
struct wk_stacks;
struct wk_places;

/* An array that grows in place: address space that costs nothing until it is needed. */
struct wk_growing {
    uint8_t *start;
    uint64_t usable;   /* bytes, from start */
    uint64_t reserved; /* bytes of address space */
};

/* The entries of a dict's keys object, and where its values stand. */
struct wk_dict {
    wk_addr keys;
    wk_addr entries;
    wk_addr values;  /* of a split dict: array of pointers; 0: values stand in the entries */
    uint64_t n;      /* entries in use, deleted ones included */
    uint64_t size;   /* slots of the hash table */
    uint32_t stride; /* bytes of an entry */
    uint32_t key;    /* offset of the key in an entry; the value follows it */
    uint8_t log2_index_bytes;
    bool unicode; /* every key is a str: tp_traverse does not show them */
};

/*
 * References of the object at hand: an open run (the container's items), then tagged ones. tags[i] names addr[open_n + i].
 */
struct wk_refs {
    bool in_parts; /* the first rows of the object at hand are written, others follow */
    uint64_t *addr;
    uint32_t *tags;
    uint64_t n, max; /* of addr */
    uint64_t first;  /* references of the row start here: what is before is not needed any more */
    uint64_t open_n; /* how many the open run has */
    uint64_t n_tags, max_tags;
    struct wk_growing addr_memory, tags_memory;
    struct wk_rest {
        uint8_t kind;        /* enum wk_walk of an object with references still to come; WK_WALK_NONE: all are there */
        struct wk_dict dict; /* of a dict */
        wk_addr table;       /* of a set */
        uint64_t next, end;  /* entries */
    } rest;
};

struct wk_memory {
    uint64_t used;     /* bytes made writable */
    uint64_t limit;    /* 0 none */
    uint8_t *at, *end; /* small allocations that live to the end */
    struct wk_growing small;
    uint64_t small_used;
    uint64_t n_regions;
    struct wk_region {
        uint8_t *start;
        uint64_t size;
    } regions[64];        /* all that was mapped, the first holds struct wk: for the end of an inline walk */
    wk_addr readable[64]; /* pages of the target that the kernel was asked for, by their number */
};

enum wk_inline_shown {
    WK_INLINE_UNKNOWN = 0,
    WK_INLINE_BY_INSTANCE,
    WK_INLINE_BY_DICT,
};

enum wk_allocator {
    WK_ALLOCATOR_UNKNOWN = 0,
    WK_ALLOCATOR_PYMALLOC,
    WK_ALLOCATOR_MALLOC,   /* PYTHONMALLOC=malloc */
    WK_ALLOCATOR_MIMALLOC, /* free-threaded builds */
};

#define WK_MORE_INTERNED 16

struct wk {
    struct wk_args *args;
    struct wk_facts facts;    /* of this version, copied */
    uint32_t version;         /* major << 8 | minor */
    uint32_t version_hex;     /* PY_VERSION_HEX */
    const char *version_text; /* Py_GetVersion(), of the target */
    bool ghost;
    bool redact;
    uint8_t allocator; /* enum wk_allocator */
    uint32_t real_add; /* bytes that debugging hooks add to a request */
    uint64_t real_guessed;
    uint64_t collecting;  /* interpreters whose collector was at work */
    uint64_t disowned;    /* objects in the collector's lists that their types say are none of its */
    uint8_t inline_shown; /* enum wk_inline_shown; refs.c */
    uint32_t content_limit;
    wk_addr runtime;     /* _PyRuntime */
    wk_addr interpreter; /* the main one */
    wk_addr str_sizeof;  /* the str '__sizeof__' */
    wk_addr
        interned; /* 3.12+: the dict of interned strings, whose references are not counted (WEAK); 0 none; set by roots/ */
    wk_addr more_interned[WK_MORE_INTERNED]; /* those of isolated subinterpreters */
    uint32_t n_more_interned;

    struct hf_writer out;
    struct wk_memory memory;
    struct wk_refs refs;
    struct wk_text text;
    struct wk_visited *visited;
    struct wk_gc *gc;
    struct wk_types *types;
    struct wk_names *names;
    struct wk_fault *fault;      /* NULL until set-up */
    const struct wk_jump *early; /* where to give up before that */
    struct wk_shape *shapes;
    struct wk_shown *shown;           /* contents/: texts of dicts */
    struct wk_open_names *open_names; /* contents/: what a redacted dump may show */
    struct wk_at_hand *at_hand;       /* roots/: names and lines that are asked for again and again */
    struct wk_stacks *stacks;         /* roots/: of frames that run; NULL until one is met */
    void *field_list;                 /* refs-prepare.c */
    uint64_t *known_words;            /* known-fields.c: bits of words in its table; most types have none of them */
    struct wk_walk_state *walk;
    struct wk_roles *roles;
    struct wk_places *places; /* refs-array.c: NULL until an array is met */

    wk_addr own_thread; /* state of a thread that was made for the walk: it is not written; 0 none */

    wk_addr current; /* object at hand: what a fault is blamed on */
    uint8_t foreign; /* enum wk_foreign: and what of it */
    uint32_t stage;  /* enum wk_stage */
    uint64_t skipped, skipped_named;
    uint64_t progress; /* objects met */
    uint64_t salt[2];  /* redaction: made for this dump, never written */
    int data_fd;
    uint64_t start_ns, start_cpu_ns;
};

enum wk_stage {
    WK_STAGE_START = 0,
    WK_STAGE_VERSION,
    WK_STAGE_SETUP,
    WK_STAGE_OPEN,
    WK_STAGE_LAYOUT,
    WK_STAGE_ROOTS,
    WK_STAGE_THREADS,
    WK_STAGE_ATTACH,
    WK_STAGE_WALK,
    WK_STAGE_FINISH,
    WK_STAGE_DONE,
};

static inline wk_addr
wk_symbol(const struct wk *w, enum wk_symbol s)
{
    return w->args->symbols[s];
}

/* ---- memory.c: all of it lives to the end. What is not to be had ends the walk (wk_give_up): nothing here returns NULL. */
void wk_memory_init(struct wk *w);
void *wk_map(struct wk *w, uint64_t size);              /* zeroed pages */
void *wk_alloc(struct wk *w, size_t size);              /* small, zeroed, 16-aligned */
void *wk_reserve_readable(struct wk *w, uint64_t size); /* reads as zeros, costs nothing; parts become memory by: */
void wk_make_writable(struct wk *w, void *start, uint64_t size);
void wk_growing_init(struct wk *w, struct wk_growing *g, uint64_t size);
void wk_growing_need(struct wk *w, struct wk_growing *g, uint64_t size); /* makes the first size bytes usable */
void wk_growing_trim(struct wk *w, struct wk_growing *g, uint64_t keep); /* gives the rest back */
void wk_unmap_all(struct wk *w);                                         /* inline mode's end; *w is gone */
/* Whether an address may be that of an object, and its page can be read: where a fault would be the target's end. */
bool wk_may_read(struct wk *w, wk_addr at);

/* ---- heap.c, ghost only */
bool wk_replace_allocators(struct wk *w); /* the interpreter's allocators become a bump allocator of ours */

/* ---- attach.c, ghost only but for the last */
void wk_attach_thread(struct wk *w);           /* makes some thread state the current one where there is none */
wk_addr wk_thread_current(const struct wk *w); /* 0: none; 1: cannot be asked */

/* ---- entry.c */
_Noreturn void wk_give_up(struct wk *w, enum wk_status status, int error,
                          wk_addr address); /* ends the walk, the dump is marked incomplete */

_Noreturn void wk_broken(struct wk *w); /* walk.c: the object at hand cannot be true */

/* ---- visited.c */
void wk_mark(struct wk *w, wk_addr object); /* will be written; anything that cannot be an object is ignored */

/* ---- types.c */
struct wk_type *wk_type_of(struct wk *w,
                           wk_addr object); /* NULL: its type is none (counted and named as skipped by the caller) */
struct wk_type *wk_type_entry(struct wk *w, wk_addr type); /* the same for a type's address */
bool wk_is_instance(struct wk *w, wk_addr object,
                    enum wk_symbol type); /* exact or subclass, by MRO; false if the symbol is missing */
bool wk_is_subtype(struct wk *w, wk_addr type, wk_addr base);
wk_addr wk_type_dict(struct wk *w, wk_addr type); /* tp_dict, also where 3.12+ keeps it in the interpreter; borrowed */
/* A C member (PyMemberDef, T_OBJECT or T_OBJECT_EX) of a type by its Python name: offset, or -1. */
int64_t wk_member_offset(struct wk *w, wk_addr type, const char *name);

/* ---- names.c */
enum wk_name_kind {
    WK_NAME_PLAIN,      /* text */
    WK_NAME_ATTR,       /* .text */
    WK_NAME_KEY,        /* ['text'] */
    WK_NAME_HIDDEN_KEY, /* <key 'text'> */
    WK_NAME_LOCAL,      /* <local text> */
    WK_NAME_CELL,       /* <cell text> */
    WK_NAME_FREE,       /* <free text> */
    WK_NAME_STACK,      /* <stack N> */
    WK_NAME_CONST,      /* <const N> */
    WK_NAME_MRO,        /* <mro N> */
    WK_NAME_BASE,       /* <base N> */
    WK_NAME_INDEX,      /* [N] */
    WK_NAME_DEFAULT,    /* <default N> */
    WK_NAME_VAR,        /* <context var text> */
};
uint32_t wk_name(struct wk *w, const char *text);                        /* PLAIN */
uint32_t wk_name_str(struct wk *w, enum wk_name_kind kind, wk_addr str); /* of a Python str; cached by address */
uint32_t wk_name_number(struct wk *w, enum wk_name_kind kind, uint64_t number);

/* References of the object at hand, in order. flags: enum hf_run_flag. Marks the referent unless 0, which is dropped. */
void wk_ref(struct wk *w, wk_addr referent, uint32_t name, unsigned flags);
/* tp_traverse of the object, for parts that only it can enumerate; every reference unnamed. Asks tp_is_gc first. */
void wk_ref_traverse(struct wk *w, const struct wk_type *type, wk_addr object);

/* ---- text.c */
void wk_text_init(struct wk *w, struct wk_text *t, uint32_t cap);
void wk_text_reset(struct wk_text *t);
void wk_text_bytes(struct wk_text *t, const void *bytes, size_t n);
void wk_text_cstr(struct wk_text *t, const char *s); /* at most 512 bytes of it */
void wk_text_int(struct wk_text *t, int64_t v);
void wk_text_uint(struct wk_text *t, uint64_t v);
void wk_text_hex(struct wk_text *t, uint64_t v); /* 0x… */
/* The end of a path, with "…" for what comes before it and does not fit into room bytes. */
void wk_text_tail(struct wk *w, struct wk_text *t, wk_addr str, uint32_t room);
uint64_t wk_text_str(struct wk *w, struct wk_text *t, wk_addr str,
                     uint32_t limit); /* UTF-8, at most limit bytes; returns characters left out */

/* The same as between the quotes of repr(): backslash, quote and control characters escaped. */
uint64_t wk_text_quoted(struct wk *w, struct wk_text *t, wk_addr str, uint32_t limit);

/* ---- output.c */
void wk_root(struct wk *w, enum hf_root_kind kind, wk_addr object, uint32_t name, bool counted); /* marks and writes */
void wk_thread(struct wk *w, const struct hf_thread_row *row);
void wk_frame(struct wk *w, const struct hf_frame_row *row); /* marks frame, code, function and refs */
void wk_skip(struct wk *w, wk_addr object, const char *why); /* counted; the first some hundred are named */

/* ---- facts/: implemented by the people of facts/ */
/* Copies the table of a version; false: not known. version: major << 8 | minor; build: enum wk_build. */
bool wk_facts_find(uint32_t version, uint32_t version_hex, uint32_t build, struct wk_facts *out);
/*
 * References at fixed offsets of a C type's instances (function, method, cell, module, code, property, partial, staticmethod, weakref, …),
 * exactly what tp_traverse visits, in its order, with names; then what it hides but counts (HIDDEN) or borrows (WEAK).
 * Returns how many, 0: not known, tp_traverse is used. Only for the type itself: subclasses add theirs to these. Versions differ.
 */
unsigned wk_facts_fields(struct wk *w, wk_addr type, struct wk_field *out, unsigned max);

/* ---- contents/ */
void wk_contents_init(struct wk *w);
/* Sets type->family and type->content, may use type->data. Called once a type, before the type's row is written. */
void wk_content_prepare(struct wk *w, struct wk_type *type);
/* Makes the content of an object into w->text (reset by the caller); called for types with content != 0 when the limit is not 0. */
void wk_content(struct wk *w, const struct wk_type *type, wk_addr object);
/* "module.qualname" of a type, as Python shows it. */
void wk_type_name(struct wk *w, wk_addr type, struct wk_text *out);

/* Redaction (w->redact): a str that may be shown, since it stands in the program's source as a name; and a str's text, or its hash. */
bool wk_is_open(struct wk *w, wk_addr str);
uint64_t wk_text_data(struct wk *w, struct wk_text *t, wk_addr str, uint32_t limit); /* as wk_text_str */

/* ---- roots/ */
bool wk_interpreters_find(struct wk *w); /* sets w->interpreter, checked; false: layout not as the facts say */
wk_addr wk_interpreter_next(struct wk *w, wk_addr interpreter);
/* Heads of the gc generations (PyGC_Head) of an interpreter, permanent included; returns how many, 0: layout not as expected. */
unsigned wk_gc_heads(struct wk *w, wk_addr interpreter, wk_addr heads[8]);
/*
 * The snapshot caught a collection in the act. Objects' prev then holds a count, and what it takes for garbage stands in lists of its own, whose
 * heads nobody knows: of that, what no object leads to is not found.
 */
bool wk_gc_running(struct wk *w, wk_addr interpreter);
void wk_roots(struct wk *w);   /* wk_root() for everything that interpreters and runtime hold */
void wk_threads(struct wk *w); /* wk_thread() and wk_frame() */
void wk_stack_counters(struct wk *w);
/* References of a frame object, of a generator, coroutine or asynchronous generator: wk_ref() for each. */
void wk_frame_refs(struct wk *w, const struct wk_type *type, wk_addr frame);
void wk_generator_refs(struct wk *w, const struct wk_type *type, wk_addr generator);
void wk_greenlet_refs(struct wk *w, wk_addr greenlet); /* of its stack alone */
