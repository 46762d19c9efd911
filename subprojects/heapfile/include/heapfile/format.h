// SPDX-License-Identifier: MIT
#pragma once
/*
 * The heap dump format, defined once. The walker writes it from inside a forked copy of the target, the driver
 * checks and forwards it, the analyzer reads it. Freestanding: stdint only, no libc. docs/heapfile.md tells the same in prose.
 *
 *   file   = header, chunk*, END chunk
 *   header = struct hf_file_header
 *   chunk  = struct hf_chunk_header, payload
 *
 * All integers are little-endian. In payloads:
 *   uv    unsigned LEB128, at most 10 bytes
 *   sv    zigzag-coded signed LEB128
 *   text  uv length, bytes (UTF-8 unless said otherwise)
 *   addr  uv of (address >> 3); every object is 8-aligned
 *   daddr sv of the 64-bit difference, as signed, between (address >> 3) and that of the previous one
 *
 * How the format evolves
 *   - A reader skips chunks whose kind it does not know, and META keys that it does not know.
 *   - New optional facts get a new chunk kind or META key: minor version + 1, old readers go on.
 *   - A change to the rows of an existing kind gets a new kind, or major version + 1, which old readers refuse.
 *   - Flag bits that are not listed must be zero in this major version; a reader refuses others (it could not find the row's end).
 *     So it does with tags and kinds of roots and runs; a family that it does not know it takes for HF_FAMILY_OTHER.
 *   - Each chunk decodes alone but for the ids of names, types and layouts, which count up through the file and are always
 *     defined before their first use, for parts of split objects, and for frames, which belong to the last thread before them.
 */
#include <stdint.h>

#define HF_MAGIC         "\x89HPD\r\n\x1a\n" /* 8 bytes: like PNG's, shows a transfer in text mode */
#define HF_VERSION_MAJOR 2
#define HF_VERSION_FIRST 1 /* oldest major version that is read: it has no type flags beyond OPAQUE */
#define HF_VERSION_MINOR 0
#define HF_LITTLE_ENDIAN 1
#define HF_SUFFIX        ".heap"

struct hf_file_header {
    uint8_t magic[8];
    uint16_t version_major;
    uint16_t version_minor;
    uint8_t pointer_size; /* of the target, bytes */
    uint8_t byte_order;   /* of the target: HF_LITTLE_ENDIAN */
    uint16_t header_size; /* sizeof this; the first chunk starts here (a later minor version may put more between) */
    uint64_t reserved;    /* 0 */
    uint64_t checksum;    /* XXH64 of the 24 bytes before, seed 0 */
};

struct hf_chunk_header {
    uint32_t kind;     /* enum hf_chunk_kind */
    uint32_t rows;     /* how many rows the payload holds */
    uint64_t length;   /* of the payload, bytes, ≤ HF_CHUNK_MAX */
    uint64_t checksum; /* XXH64 of the payload, seed = kind | (uint64_t) rows << 32 */
};

_Static_assert(sizeof(struct hf_file_header) == 32, "file header is packed by hand");
_Static_assert(sizeof(struct hf_chunk_header) == 24, "chunk header is packed by hand");

#define HF_CHUNK_MAX    (4u << 20)   /* longest payload, bytes; a reader needs no more memory than this */
#define HF_CHUNK_TARGET (256u << 10) /* a writer closes a chunk about here */
#define HF_NAME_MAX     65535u       /* longest text of any kind but content, bytes; writers cut what is longer */
#define HF_CONTENT_MAX  (1u << 20)   /* longest content of an object, bytes */

#define HF_FOURCC(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

enum hf_chunk_kind {
    HF_CHUNK_META =
        HF_FOURCC('M', 'E', 'T', 'A'), /* facts about the dump; any number of chunks, last value of a key wins */
    HF_CHUNK_NAMES = HF_FOURCC('N', 'A', 'M', 'E'),   /* texts of references' names */
    HF_CHUNK_TYPES = HF_FOURCC('T', 'Y', 'P', 'E'),   /* types */
    HF_CHUNK_LAYOUTS = HF_FOURCC('L', 'A', 'Y', 'O'), /* how the references of a row are named */
    HF_CHUNK_ROLES = HF_FOURCC('R', 'O', 'L', 'E'),   /* what another object knows of an object's references */
    HF_CHUNK_OBJECTS = HF_FOURCC('O', 'B', 'J', 'S'), /* objects with their references */
    HF_CHUNK_ROOTS = HF_FOURCC('R', 'O', 'O', 'T'),   /* what the interpreter itself holds */
    HF_CHUNK_THREADS = HF_FOURCC('T', 'H', 'R', 'D'), /* threads and their frames */
    HF_CHUNK_STATS = HF_FOURCC('S', 'T', 'A', 'T'),   /* counters, and objects that were skipped */
    HF_CHUNK_END = HF_FOURCC('E', 'N', 'D', '!'),     /* totals; always last, and a file without it is cut */
};

/*
 * META row: text key, u8 enum hf_meta_type, value (uv, sv, text; BOOL: u8 0/1). Keys in use are HF_META_* below.
 */
enum hf_meta_type {
    HF_META_UINT = 1,
    HF_META_INT = 2,
    HF_META_TEXT = 3,
    HF_META_BOOL = 4,
};

#define HF_META_TOOL     "tool"             /* TEXT program and version that wrote the dump */
#define HF_META_TIME     "time.us"          /* UINT moment of the snapshot, µs since 1970 UTC */
#define HF_META_PID      "pid"              /* UINT as the driver saw it */
#define HF_META_INNER    "pid.inner"        /* UINT the number that the target has in its own pid namespace */
#define HF_META_START    "process.start"    /* UINT when the target started: clock ticks since boot */
#define HF_META_BOOT     "boot.id"          /* TEXT of the kernel, a new one each time it starts */
#define HF_META_EXE      "exe"              /* TEXT path of the target's executable */
#define HF_META_CMDLINE  "cmdline"          /* TEXT arguments joined by blanks, cut at 4096 bytes */
#define HF_META_MODE     "mode"             /* TEXT fork | inline */
#define HF_META_PYTHON   "python.version"   /* TEXT Py_GetVersion() of the target */
#define HF_META_PYHEX    "python.hex"       /* UINT PY_VERSION_HEX */
#define HF_META_PYBUILD  "python.build"     /* TEXT release | debug | free-threaded */
#define HF_META_CONTENT  "content.limit"    /* UINT longest content, bytes; 0 none */
#define HF_META_REDACTED "content.redacted" /* BOOL */
#define HF_META_REAL_STEP                                                                                              \
    "real.step" /* UINT an object without REAL_SIZE really takes its size + add, at least least, rounded */
#define HF_META_REAL_ADD   "real.add"      /* UINT up to a multiple of step, in bytes; without these it is not known */
#define HF_META_REAL_LEAST "real.least"    /* UINT */
#define HF_META_COLLECTED  "gc.forced"     /* BOOL a collection was forced before the snapshot */
#define HF_META_PAUSE      "pause.us"      /* UINT attach to detach */
#define HF_META_FORK       "pause.fork.us" /* UINT of that, the fork */
#define HF_META_GIL        "pause.gil.us"  /* UINT how long our own thread held the GIL, 0 for a fork */
#define HF_META_WALK       "walk.us"       /* UINT walker's wall time */
#define HF_META_WALKCPU    "walk.cpu.us"   /* UINT walker's processor time */
#define HF_META_WALKMEM    "walk.memory"   /* UINT private memory that the walker mapped, bytes */
#define HF_META_RSS        "target.rss"    /* UINT resident memory of the target, bytes */

/* NAMES row: text. Ids count from 1 in file order; 0 means no name. The text is what people read: ".attr", "['key']", "<local x>". */

/*
 * TYPES row: addr type; uv flags (enum hf_type_flag); uv family (enum hf_family); addr base type (0: none); uv basic size; uv item size;
 * uv common size: what a row without HF_OBJ_SIZE has; text name "module.qualname". Ids count from 1.
 */
enum hf_type_flag {
    HF_TYPE_HEAP = 1 << 0,      /* made at run time (a class statement or PyType_FromSpec) */
    HF_TYPE_GC = 1 << 1,        /* instances may be gc-tracked */
    HF_TYPE_PY_SIZEOF = 1 << 2, /* __sizeof__ is written in Python: sizes here are what the C parts take */
    HF_TYPE_UNNAMED = 1 << 3,   /* references come from tp_traverse alone and have no names */
    HF_TYPE_OPAQUE = 1 << 4,    /* type offers no way to enumerate references */
    HF_TYPE_NUMBERS = 1 << 5, /* INT and FLOAT: CONTENT is the number itself, see below; the reader makes text of it */
    HF_TYPE_SIZED = 1 << 6,   /* a row without SIZE has the common size and as many bytes more as CONTENT is long */
    HF_TYPE_FLAGS_ALL = (1 << 7) - 1,
};

/*
 * NUMBERS, so that a writer need not find the shortest digits of each: FLOAT: the 8 bytes of the double; INT: two's complement of 1 to 8
 * bytes; content of 9 bytes and more is text as without NUMBERS. Little-endian. In other families
 * NUMBERS says nothing, and SIZED says nothing where NUMBERS does.
 */

/* What an instance is, subclasses included; tells a reader how to take its content and its references. */
enum hf_family {
    HF_FAMILY_OTHER = 0,
    HF_FAMILY_STR,   /* content: UTF-8; lone surrogates as 3 bytes each */
    HF_FAMILY_BYTES, /* bytes, bytearray; content: raw bytes */
    HF_FAMILY_INT,   /* content: decimal; hexadecimal with 0x beyond 64 bits */
    HF_FAMILY_FLOAT, /* content: shortest text that reads back as the same double */
    HF_FAMILY_BOOL,
    HF_FAMILY_NONE,
    HF_FAMILY_DICT, /* content: keys, joined by commas */
    HF_FAMILY_LIST,
    HF_FAMILY_TUPLE,
    HF_FAMILY_SET,
    HF_FAMILY_TYPE,      /* content: qualified name */
    HF_FAMILY_MODULE,    /* content: name */
    HF_FAMILY_FUNCTION,  /* content: "qualname at file:line" */
    HF_FAMILY_METHOD,    /* same, of the function */
    HF_FAMILY_CODE,      /* same */
    HF_FAMILY_FRAME,     /* same, at the current line */
    HF_FAMILY_GENERATOR, /* "qualname at file:line state" */
    HF_FAMILY_COROUTINE, /* same */
    HF_FAMILY_ASYNCGEN,  /* same */
    HF_FAMILY_CELL,
    HF_FAMILY_WEAKREF,
    HF_FAMILY_TASK,    /* asyncio.Task; content: "name state" */
    HF_FAMILY_FUTURE,  /* asyncio.Future that is no task; content: state */
    HF_FAMILY_BUILTIN, /* builtin_function_or_method; content: name */
    HF_FAMILY_EXCEPTION,
    HF_FAMILY_COUNT
};

/*
 * LAYOUTS row: uv runs (≥ 1); then each run: u8 kind | flags << 4; uv count of references, 0 = all that are left (one run at most may say
 * so); NAMED: count × uv name id (count ≥ 1; id 0: no name). Ids count from 1. Layout 0: all references are unnamed.
 *
 * A layout stands for all references of an object, those of all its parts in their order: a reference is named by its position
 * in the whole. An object has as many references as the counts of its layout say, or at least so many where one run is open; but
 * a BROKEN one may have fewer, or half a pair: what it has stands from the start of the layout, and an open run takes nothing from
 * the runs behind it before the fixed ones are full.
 */
enum hf_run_kind {
    HF_RUN_UNNAMED = 0, /* Python has no name for them, or none is known */
    HF_RUN_INDEX = 1,   /* [0], [1], … counted from 0 in this run */
    HF_RUN_ITEMS = 2,   /* pairs: a key, then the value that stands under it; count is of references and even */
    HF_RUN_MEMBER = 3,  /* {member} */
    HF_RUN_NAMED = 4,   /* each has the name given */
    HF_RUN_KIND_COUNT
};

enum hf_run_flag {
    HF_RUN_WEAK =
        1 << 0, /* holds nothing and is not in the referent's refcount (a weakref's referent, a borrowed pointer) */
    HF_RUN_HIDDEN =
        1 << 1, /* counted, but gc.get_referents does not show it (dict's str keys, a frame's stack, code's parts) */
    HF_RUN_FLAGS_ALL = (1 << 2) - 1,
};

/*
 * ROLES row: addr object; uv layout id (≥ 1). The object's references have this layout instead of that of its own row, which may
 * come before or after: the tuple of a function's closure, whose items are cells of variables; of a code's constants; a class's MRO. Of several
 * rows the last counts; one whose layout does not fit the object's references is to be ignored.
 */

/*
 * OBJECTS row: uv flags (enum hf_object_flag); then
 *   not CONT:  daddr object (previous row's object in this chunk; 0 before the first), uv type id
 *   SIZE:      uv shallow size in bytes, equal to sys.getsizeof
 *   REFCOUNT:  uv reference count (absent: 1; IMMORTAL: count has no meaning and is absent)
 *   REAL_SIZE: uv bytes that the object takes of the allocator, with headers, inline values and buffers (absent: META real.step)
 *   CONTENT:   text; may cut the object's content, CUT tells
 *   CUT:       uv length of the whole: characters of a str, bytes of bytes, items of a dict
 *   REFS:      uv layout id, uv count n, then n × daddr referent (first: from the object itself, or 0 in a CONT row); a
 *              referent of 0 stands for an empty place and keeps the positions of the others
 *   MORE:      the next row, in this chunk or the next OBJECTS chunk, is a CONT row: more references of the same object
 *
 * An object whose references do not fit a chunk is split: one row with MORE, any number with CONT and MORE, a last one with CONT.
 * CONT rows have no flags but CONT, MORE, REFS and BROKEN (which is the whole object's), and every part with REFS has the same
 * layout id. The references of all parts, one after the other, are the object's references, and the layout tells of them as if there had
 * been no cut: INDEX counts on, NAMED goes on with the next name. Cuts may fall anywhere, between a key and its value too.
 */
enum hf_object_flag {
    HF_OBJ_GC = 1 << 0, /* gc.is_tracked() */
    HF_OBJ_SIZE = 1 << 1,
    HF_OBJ_REFCOUNT = 1 << 2,
    HF_OBJ_CONTENT = 1 << 3,
    HF_OBJ_REFS = 1 << 4,
    HF_OBJ_CONT = 1 << 5, /* a further part of the object before */
    HF_OBJ_MORE = 1 << 6,
    HF_OBJ_IMMORTAL = 1 << 7,
    HF_OBJ_CUT = 1 << 8,
    HF_OBJ_REAL_SIZE = 1 << 9,
    HF_OBJ_BROKEN = 1 << 10, /* could not be read whole: references may be missing */
    HF_OBJ_SIZE_UNKNOWN =
        1 << 11, /* the size given is a lower bound: no way to ask without running Python code, or asking failed */
    HF_OBJ_INTERNED = 1 << 12, /* str in the interned table */
    HF_OBJ_FROZEN = 1 << 13,   /* by gc.freeze(): no collection looks at it, so nothing that it holds is garbage */
    HF_OBJ_FLAGS_ALL = (1 << 14) - 1,
};

/*
 * ROOTS row: uv kind (enum hf_root_kind); daddr object; uv name id; uv 1 if the reference is in the object's refcount, else 0.
 * References from frames stand in THREADS, not here.
 */
enum hf_root_kind {
    HF_ROOT_INTERPRETER = 1, /* sys.modules, builtins, codecs, … : the interpreter state */
    HF_ROOT_THREAD = 2,      /* a thread state: dict, exceptions, contextvars, hooks */
    HF_ROOT_STATIC_TYPE = 3, /* a type that lies in an executable or library */
    HF_ROOT_RUNTIME = 4,     /* singletons and caches of the runtime */
    HF_ROOT_FRAME = 5,       /* made by readers from THREADS rows; not in files */
    HF_ROOT_COUNT
};

/*
 * THREADS row: u8 tag, then
 *   THREAD: uv ident, uv native id (0: unknown), uv address of the thread state, uv flags (enum hf_thread_flag), text name ("" unknown)
 *   FRAME:  of the last THREAD, innermost first: addr frame object (0: none), addr code, addr function (0: unknown), uv line (0: unknown), uv flags (enum hf_frame_flag),
 *           text qualname, text file, uv n, then n × { uv name id ("<local x>", "<stack 2>", …), daddr referent }
 */
enum hf_thread_tag {
    HF_THREAD = 1,
    HF_FRAME = 2,
};

enum hf_thread_flag {
    HF_THREAD_MAIN = 1 << 0,
    HF_THREAD_GIL = 1 << 1, /* held the GIL at the snapshot */
    HF_THREAD_FLAGS_ALL = (1 << 2) - 1,
};

enum hf_frame_flag {
    HF_FRAME_OWNED = 1 << 0, /* the references are in the referents' counts and stand nowhere else in the dump */
    HF_FRAME_FLAGS_ALL = (1 << 1) - 1,
};

/*
 * STATS row: u8 tag, then
 *   COUNTER: text key, uv value
 *   SKIPPED: addr object, text why; an object or part that could not be read (at most some hundreds; the counters have all)
 */
enum hf_stat_tag {
    HF_STAT_COUNTER = 1,
    HF_STAT_SKIPPED = 2,
};

/* END row: uv objects, uv references, uv types, uv names, uv layouts, uv bytes of the file before this chunk, uv enum hf_end_status, text reason. */
enum hf_end_status {
    HF_END_COMPLETE = 0,
    HF_END_INCOMPLETE = 1, /* the walker gave up (memory, time, fault): reason says why */
};
