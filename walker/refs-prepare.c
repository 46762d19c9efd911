// SPDX-License-Identifier: MIT
/*
 * How a type's instances will be walked: natively where the layout is known, else through tp_traverse, with the members that the
 * type itself declares for names. Classes made by a class statement add slots, dict and class to what their C base has.
 */
#include "arch/wk-arch.h"
#include "contents/wk-contents.h"
#include "wk-names.h"
#include "wk-objects.h"
#include "wk-refs.h"
#include "wk-types.h"

#define FIELDS_MAX    512u
#define MEMBERS_MAX   512u
#define BASES_MAX     64u
#define MEMBER_SIZE   40u /* struct PyMemberDef */
#define GETSET_SIZE   40u /* struct PyGetSetDef */
#define ITEMS_NAMED   64
#define GREENLET_SIZE (WK_HEAD + 24) /* since 2.0; before, all was in the object */

enum {
    MEMBER_OBJECT = 6,
    MEMBER_OBJECT_EX = 16,
    MEMBER_AFTER_ITEMS = 1 << 4, /* a flag of 3.15's: slots of classes that derive from tuple */
};

struct list {
    struct wk_field field[FIELDS_MAX];
    unsigned n;
};

static void
add(struct list *l, int64_t offset, uint32_t name, uint32_t flags)
{
    if (l->n < FIELDS_MAX && offset >= INT32_MIN && offset <= INT32_MAX)
        l->field[l->n++] = (struct wk_field){(int32_t)offset, flags, name};
}

static bool
has_offset(const struct list *l, int64_t offset)
{
    for (unsigned i = 0; i < l->n; i++)
        if (l->field[i].offset == offset && !(l->field[i].flags & WK_FIELD_AFTER))
            return true;
    return false;
}

/*
 * mypyc declares dict and weak references as members of classes whose instances may be subclassed, though the instances of other
 * compiled classes that derive from them have something else there.
 */
static bool
is_special(const struct wk_type *of, const char *name, int64_t offset, uint32_t *flags)
{
    if (wk_text_equals(name, "__dict__"))
        return offset != WK_I64(of->addr, WK_TP_DICTOFFSET);
    if (!wk_text_equals(name, "__weakref__"))
        return false;
    *flags = WK_FIELD_IF_SHOWN | WK_FIELD_WEAK; /* nobody counts it */
    return offset != WK_I64(of->addr, WK_TP_WEAKLISTOFFSET);
}

/* Connection.Warning and the like: what its module holds already is not counted once more. */
static bool
is_borrowed(wk_addr type, int32_t kind, const char *name)
{
    return kind == MEMBER_OBJECT && name[0] >= 'A' && name[0] <= 'Z' &&
           wk_text_equals(WK_READ(const char *, type, WK_TP_NAME), "sqlite3.Connection");
}

/* The members of one type, from which the walked one derives, that hold objects, with the names that Python has for them. */
static void
add_members(struct wk *w, struct list *l, const struct wk_type *of, wk_addr type, bool slots_only, uint32_t usual)
{
    wk_addr member = WK_U64(type, WK_TP_MEMBERS);

    for (unsigned i = 0; member != 0 && i < MEMBERS_MAX && WK_U64(member, 0) != 0; i++, member += MEMBER_SIZE) {
        int32_t kind = WK_I32(member, 8);
        int64_t offset = WK_I64(member, 16);
        const char *name = WK_READ(const char *, member, 0);
        uint32_t flags = usual;
        if (kind != MEMBER_OBJECT_EX && (kind != MEMBER_OBJECT || slots_only))
            continue;
        if (w->version >= 0x030f && (WK_I32(member, 24) & MEMBER_AFTER_ITEMS)) {
            add(l, offset, wk_name_cstr(w, WK_NAME_ATTR, name), flags | WK_FIELD_AFTER);
            continue;
        }
        if (is_borrowed(type, kind, name))
            flags = WK_FIELD_WEAK;
        /* Members of a struct sequence lie among its items. */
        int64_t end = WK_I64(type, WK_TP_BASICSIZE) + WK_I64(type, WK_TP_ITEMSIZE) * ITEMS_NAMED;
        if (offset < WK_HEAD || offset >= end || has_offset(l, offset) || is_special(of, name, offset, &flags))
            continue;
        add(l, offset, wk_name_cstr(w, WK_NAME_ATTR, name), flags);
    }
}

/* Attributes whose getters return what stands at one place, as those of classes that mypyc compiled do. */
static void
add_getters(struct wk *w, struct list *l, wk_addr type)
{
    wk_addr getset = WK_U64(type, WK_TP_GETSET);

    for (unsigned i = 0; getset != 0 && i < MEMBERS_MAX && WK_U64(getset, 0) != 0; i++, getset += GETSET_SIZE) {
        const uint8_t *code = WK_READ(const uint8_t *, getset, 8);
        int64_t offset = code != NULL ? wk_arch_getter_offset(code) : -1;
        if (offset < WK_HEAD || offset % 8 != 0 || offset + 8 > WK_I64(type, WK_TP_BASICSIZE) || has_offset(l, offset))
            continue;
        add(l, offset, wk_name_cstr(w, WK_NAME_ATTR, WK_READ(const char *, getset, 0)), WK_FIELD_IF_SHOWN);
    }
}

static void
add_dict(struct wk *w, struct wk_type *type, struct list *l)
{
    int64_t offset = WK_I64(type->addr, WK_TP_DICTOFFSET);
    uint64_t flags = WK_U64(type->addr, WK_TP_FLAGS);

    if (w->facts.managed_dict != 0 && (flags & WK_TPF_MANAGED_DICT)) {
        type->flags |= WK_TYPE_MANAGED | WK_TYPE_TAIL;
        if (!w->facts.values_inline || (flags & WK_TPF_INLINE_VALUES))
            type->flags |= WK_TYPE_INLINE;
    } else if (offset > 0 && !has_offset(l, offset)) {
        add(l, offset, w->types->name_dict, 0);
    } else if (offset < 0) {
        add(l, offset, w->types->name_dict, WK_FIELD_NEGATIVE);
    }
}

/* A type whose tp_traverse is the list's, the dict's, … : instances are laid out as theirs. */
static enum wk_walk
container(struct wk *w, const struct wk_type *type)
{
    static const struct {
        uint8_t symbol, walk;
    } known[] = {
        {WK_SYM_TYPE_LIST, WK_WALK_LIST},      {WK_SYM_TYPE_TUPLE, WK_WALK_TUPLE},
        {WK_SYM_TYPE_DICT, WK_WALK_DICT},      {WK_SYM_TYPE_SET, WK_WALK_SET},
        {WK_SYM_TYPE_FROZENSET, WK_WALK_SET},  {WK_SYM_TYPE_TYPE, WK_WALK_TYPE},
        {WK_SYM_TYPE_FRAME, WK_WALK_FRAME},    {WK_SYM_TYPE_GEN, WK_WALK_GENERATOR},
        {WK_SYM_TYPE_CORO, WK_WALK_GENERATOR}, {WK_SYM_TYPE_ASYNC_GEN, WK_WALK_GENERATOR},
    };

    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
        wk_addr symbol = w->args->symbols[known[i].symbol];
        if (symbol != 0 && WK_U64(symbol, WK_TP_TRAVERSE) == type->traverse)
            return (enum wk_walk)known[i].walk;
    }
    return WK_WALK_TRAVERSE;
}

static enum hf_run_kind
run_kind(enum wk_walk walk)
{
    if (walk == WK_WALK_LIST || walk == WK_WALK_TUPLE)
        return HF_RUN_INDEX;
    if (walk == WK_WALK_DICT)
        return HF_RUN_ITEMS;
    return walk == WK_WALK_SET ? HF_RUN_MEMBER : HF_RUN_UNNAMED;
}

static void
add_fact(struct wk *w, struct list *l, uint32_t offset, const char *name)
{
    if (offset != WK_NO_FACT && !has_offset(l, offset))
        add(l, offset, wk_name(w, name), WK_FIELD_IF_SHOWN);
}

/* Names for references that tp_traverse shows and no member stands for, as Python's properties have them. */
static void
add_known(struct wk *w, struct list *l, wk_addr type)
{
    const struct wk_facts *f = &w->facts;
    const char *name = WK_READ(const char *, type, WK_TP_NAME);
    bool task = wk_text_equals(name, "_asyncio.Task");

    if (task || wk_text_equals(name, "_asyncio.Future")) {
        add_fact(w, l, f->fut_loop, "._loop");
        add_fact(w, l, f->fut_callback0, "._callbacks[0][0]");
        add_fact(w, l, f->fut_context0, "._callbacks[0][1]");
        add_fact(w, l, f->fut_callbacks, "._callbacks[1:]");
        add_fact(w, l, f->fut_exception, "._exception");
        add_fact(w, l, f->fut_result, "._result");
        add_fact(w, l, f->fut_source_tb, "._source_traceback");
        add_fact(w, l, f->fut_cancel_msg, "._cancel_message");
    }
    if (task) {
        add_fact(w, l, f->task_coro, "._coro");
        add_fact(w, l, f->task_fut_waiter, "._fut_waiter");
        add_fact(w, l, f->task_context, "._context");
        add_fact(w, l, f->task_name, ".get_name()");
    }
    if (wk_type_flags(type) & WK_TPF_BASE_EXC) {
        add_fact(w, l, f->exc_args, ".args");
        add_fact(w, l, f->exc_traceback, ".__traceback__");
        add_fact(w, l, f->exc_context, ".__context__");
        add_fact(w, l, f->exc_cause, ".__cause__");
        add_fact(w, l, f->exc_notes, ".__notes__");
        add_fact(w, l, f->exc_dict, ".__dict__");
    }
}

/* Until 3.13.0 something stands one word before where it does in later ones of 3.13. */
static void
move(const struct wk *w, wk_addr type, const char *name, struct wk_field *f)
{
    if (w->version == 0x030d && f->offset > WK_HEAD && WK_I64(type, WK_TP_BASICSIZE) == WK_HEAD + 31 * 8 &&
        wk_text_equals(name, "_pickle.Unpickler"))
        f->offset -= 8;
}

/* Names by place, of the type and of what it derives from. A getter that was understood may stand for what is hidden. */
static void
add_places(struct wk *w, struct list *l, wk_addr type, bool shown)
{
    for (unsigned k = 0; type != 0 && k < BASES_MAX; k++, type = WK_U64(type, WK_TP_BASE)) {
        const char *name = WK_READ(const char *, type, WK_TP_NAME);
        struct wk_field f;
        for (unsigned i = 0; wk_known_field(w, name, &i, &f);) {
            uint32_t hidden = f.flags & WK_FIELD_HIDDEN;
            move(w, type, name, &f);
            if ((!shown && hidden == 0) || f.offset + 8 > WK_I64(type, WK_TP_BASICSIZE))
                continue;
            if (!has_offset(l, f.offset))
                add(l, f.offset, f.name, f.flags);
            for (unsigned n = 0; hidden != 0 && n < l->n; n++)
                if (l->field[n].offset == f.offset && l->field[n].flags == WK_FIELD_IF_SHOWN)
                    l->field[n].flags = WK_FIELD_HIDDEN;
        }
    }
}

/* Items of a struct sequence that have no name of their own, as stat_result[7]. */
static void
add_unnamed_items(struct wk *w, struct list *l, wk_addr type)
{
    wk_addr dict = wk_type_flags(type) & WK_TPF_TUPLE ? wk_type_dict(w, type) : 0;
    wk_addr unnamed = dict != 0 ? wk_dict_get(w, dict, "n_unnamed_fields") : 0;
    wk_addr visible = unnamed != 0 ? wk_dict_get(w, dict, "n_sequence_fields") : 0;
    uint64_t n = 0;

    if (visible == 0 || !wk_int_u64(w, unnamed, &n) || n == 0 || !wk_int_u64(w, visible, &n))
        return;
    for (unsigned i = 0; i < n && i < ITEMS_NAMED; i++) {
        char name[8] = "[";
        unsigned k = 1;
        if (i >= 10)
            name[k++] = (char)('0' + i / 10);
        name[k++] = (char)('0' + i % 10);
        name[k] = ']';
        int64_t offset = w->facts.tuple_at + 8 * (int64_t)i;
        if (!has_offset(l, offset))
            add(l, offset, wk_name(w, name), WK_FIELD_IF_SHOWN);
    }
}

/* A time's zone stands at the end of a struct that times without one do not have. */
static void
add_zone(struct wk *w, struct list *l, wk_addr type)
{
    for (unsigned i = 0; type != 0 && i < BASES_MAX; i++, type = WK_U64(type, WK_TP_BASE)) {
        const char *name = WK_READ(const char *, type, WK_TP_NAME);
        if (wk_text_equals(name, "datetime.datetime"))
            add(l, w->facts.datetime_tz, wk_name(w, ".tzinfo"), WK_FIELD_HIDDEN | WK_FIELD_ZONE);
        else if (wk_text_equals(name, "datetime.time"))
            add(l, w->facts.time_tz, wk_name(w, ".tzinfo"), WK_FIELD_HIDDEN | WK_FIELD_ZONE);
    }
}

/* numpy/ndarraytypes.h: what describes structures, of numpy 1 and 2 (_PyArray_LegacyDescr) */
static void
add_dtype(struct wk *w, struct list *l, const struct wk_type *type)
{
    static const struct {
        char name[16];
        uint8_t first, second;
    } places[] = {{".fields", 48, 96}, {".names", 56, 104}, {".metadata", 72, 56}};
    const char *name = WK_READ(const char *, type->addr, WK_TP_NAME);

    if (WK_FREE_THREADED ||
        (!wk_text_equals(name, "numpy.dtype[void]") && !wk_text_equals(name, "numpy.dtypes.VoidDType")))
        return;
    bool second = type->basic >= 112;
    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++)
        add(l, second ? places[i].second : places[i].first, wk_name(w, places[i].name), WK_FIELD_HIDDEN);
}

/* A type whose instances are no gc objects: its members say where it has objects, which Python code can ask for as well. */
static void
prepare_hidden(struct wk *w, struct wk_type *type, struct list *l)
{
    wk_addr base = type->addr;

    for (unsigned i = 0; base != 0 && i < BASES_MAX; i++, base = WK_U64(base, WK_TP_BASE))
        add_members(w, l, type, base, false, WK_FIELD_HIDDEN);
    add_places(w, l, type->addr, false);
    add_zone(w, l, type->addr);
    add_dtype(w, l, type);
    int64_t dict = WK_I64(type->addr, WK_TP_DICTOFFSET);
    if (dict > 0 && !has_offset(l, dict))
        add(l, dict, w->types->name_dict, WK_FIELD_HIDDEN);
    if (l->n != 0)
        type->walk = WK_WALK_FIELDS;
    if (wk_text_equals(WK_READ(const char *, type->addr, WK_TP_NAME), "numpy.ndarray"))
        type->walk = WK_WALK_NDARRAY;
}

/* What tp_traverse of a type shows beyond fields: the items of something that no struct of ours describes. */
static uint32_t
rest_name(struct wk *w, const char *type)
{
    static const struct {
        char type[32], name[16];
    } rests[] = {
        {"_queue.SimpleQueue", "<item>"},
        {"_pickle.Pickler", "<memo>"},
        {"_pickle.Unpickler", "<memo>"},
        {"pyexpat.xmlparser", "<handler>"},
        {"sqlite3.Connection", "<callback>"},
        {"itertools._tee_dataobject", "<value>"},
        {"_elementtree._element_iterator", "<parent>"}, /* of the element that it stands at, and its parents */
        {"PyCapsule", "<capsule>"},
        {"collections.OrderedDict", "<ordered key>"}, /* its order: a list of keys */
    };

    for (unsigned i = 0; i < sizeof rests / sizeof rests[0]; i++)
        if (wk_text_equals(type, rests[i].type))
            return wk_name(w, rests[i].name);
    return 0;
}

/* Modules/_ctypes/ctypes.h: StgInfo, which 3.13+ keeps behind what every type has; before, it is in the type's dict, but for what it is of. */
static void
add_ctypes(struct wk *w, struct list *l, struct wk_type *type)
{
    static const struct {
        uint8_t offset;
        char name[20];
    } places[] = {
        {56, "<_type_>"},   {88, "<_argtypes_>"}, {96, "<converters>"},    {104, "<_restype_>"},
        {112, "<checker>"}, {120, "<module>"},    {128, "<pointer type>"},
    };
    uint64_t info = (WK_U64(wk_symbol(w, WK_SYM_TYPE_TYPE), WK_TP_BASICSIZE) + 15) & ~15ull;

    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++)
        if (info + places[i].offset + 8 <= type->basic)
            add(l, (int64_t)(info + places[i].offset), wk_name(w, places[i].name), WK_FIELD_IF_SHOWN);
    if (w->version < 0x030d)
        type->rest = wk_name(w, places[0].name);
}

/* A type that shows its references through tp_traverse alone. */
static void
prepare_traverse(struct wk *w, struct wk_type *type, struct list *l)
{
    const char *name = WK_READ(const char *, type->addr, WK_TP_NAME);
    wk_addr base = type->addr;

    for (unsigned i = 0; base != 0 && i < BASES_MAX; i++, base = WK_U64(base, WK_TP_BASE)) {
        add_members(w, l, type, base, false, 0);
        add_getters(w, l, base);
        if (wk_text_equals(WK_READ(const char *, base, WK_TP_NAME), "greenlet.greenlet") &&
            WK_I64(base, WK_TP_BASICSIZE) == GREENLET_SIZE)
            type->flags |= WK_TYPE_GREENLET;
    }
    add_known(w, l, type->addr);
    add_dict(w, type, l);
    add_places(w, l, type->addr, true);
    add_unnamed_items(w, l, type->addr);
    type->rest = rest_name(w, name);
    if (wk_text_equals(name, "collections.deque") || wk_text_equals(name, "xml.etree.ElementTree.Element"))
        type->open = HF_RUN_INDEX;
    else if (wk_text_equals(name, "collections.defaultdict")) /* a dict with a member */
        type->walk = WK_WALK_DICT;
    else if (wk_text_equals(name, "functools._lru_cache_wrapper")) {
        type->flags |= WK_TYPE_LRU;
        type->rest = wk_name(w, "<element type>");
    } else if (wk_hamt_node(name))
        type->walk = WK_WALK_HAMT;
}

/* A type made in C. */
static void
prepare_native(struct wk *w, struct wk_type *type, struct list *l)
{
    bool gc = (type->flags & WK_TYPE_GC) && type->traverse != 0, shows_class = false;

    l->n = wk_facts_fields(w, type->addr, l->field, FIELDS_MAX / 2);
    if (l->n != 0) {
        type->walk = WK_WALK_FIELDS;
    } else if (gc) {
        type->walk = (uint8_t)container(w, type);
        if (type->walk == WK_WALK_TRAVERSE && (wk_type_flags(type->addr) & WK_TPF_TYPE)) {
            type->walk = WK_WALK_TYPE;
            type->flags |= WK_TYPE_META;
            add_ctypes(w, l, type);
        } else if (type->walk == WK_WALK_TRAVERSE) {
            prepare_traverse(w, type, l);
            shows_class = true;
        } else if (type->walk == WK_WALK_DICT) {
            add_places(w, l, type->addr, false);
        }
    } else {
        prepare_hidden(w, type, l);
    }
    if (type->addr == wk_symbol(w, WK_SYM_TYPE_MODULE)) {
        type->rest = wk_name(w, "<module state>");
        add(l, w->facts.module_name, wk_name(w, "<name>"), WK_FIELD_HIDDEN);
    }
    /*
     * An instance of a type made at run time holds its type. An element of functools' caches has its references shown by the
     * cache, this one too.
     */
    if (!wk_text_equals(WK_READ(const char *, type->addr, WK_TP_NAME), "functools._lru_list_elem") &&
        (type->flags & WK_TYPE_HEAP) && !has_offset(l, WK_OB_TYPE) && type->walk != WK_WALK_TYPE) {
        add(l, WK_OB_TYPE, w->types->name_class, shows_class ? 0 : WK_FIELD_HIDDEN);
        if (type->walk == WK_WALK_NONE)
            type->walk = WK_WALK_FIELDS;
    }
}

static void
copy_fields(struct list *l, const struct wk_type *from)
{
    for (unsigned i = 0; i < from->n_fields; i++)
        if (!has_offset(l, from->fields[i].offset))
            add(l, from->fields[i].offset, from->fields[i].name, from->fields[i].flags);
}

/* subtype_traverse: slots of every class down to the C base, dict, class, then the base's own references. */
static void
prepare_class(struct wk *w, struct wk_type *type, struct list *l)
{
    wk_addr base = type->addr;

    type->flags |= WK_TYPE_CLASS;
    for (unsigned i = 0; i < BASES_MAX && base != 0 && WK_U64(base, WK_TP_TRAVERSE) == type->traverse; i++) {
        add_members(w, l, type, base, true, 0);
        base = WK_U64(base, WK_TP_BASE);
    }
    struct wk_type *native = base != 0 ? wk_type_find(w, base) : NULL;
    if (native == NULL) {
        type->walk = WK_WALK_TRAVERSE;
        add(l, WK_OB_TYPE, w->types->name_class, 0);
        return;
    }
    /* A base may have a tp_traverse though its own instances are no gc objects (ctypes): it is called all the same. */
    bool base_traverses = native->traverse != 0;
    if (base_traverses && !(native->flags & WK_TYPE_GC))
        type->walk = WK_WALK_TRAVERSE;
    else
        type->walk = native->walk == WK_WALK_NONE ? WK_WALK_FIELDS : native->walk;
    type->open = native->open;
    if (WK_I64(type->addr, WK_TP_DICTOFFSET) != WK_I64(base, WK_TP_DICTOFFSET))
        add_dict(w, type, l);
    bool shows_class = w->version < 0x0309 || !base_traverses || !(native->flags & WK_TYPE_HEAP);
    if (shows_class)
        add(l, WK_OB_TYPE, w->types->name_class, 0);
    copy_fields(l, native);
    if (type->walk == WK_WALK_TRAVERSE) {
        add_places(w, l, base, true);
        for (unsigned i = 0; base != 0 && i < BASES_MAX; i++, base = WK_U64(base, WK_TP_BASE))
            add_members(w, l, type, base, false, 0);
    }
    type->flags |= native->flags &
                   (WK_TYPE_MANAGED | WK_TYPE_INLINE | WK_TYPE_TAIL | WK_TYPE_LRU | WK_TYPE_META | WK_TYPE_GREENLET);
    type->rest = native->rest;
}

void
wk_refs_prepare(struct wk *w, struct wk_type *type)
{
    struct list *l = w->field_list;

    l->n = 0;
    type->walk = WK_WALK_NONE;
    if ((type->flags & WK_TYPE_GC) && type->traverse != 0 && type->traverse == w->types->class_traverse) {
        /* The base's entry is made on the way, with the same list. */
        wk_addr base = type->addr;
        for (unsigned i = 0; i < BASES_MAX && base != 0 && WK_U64(base, WK_TP_TRAVERSE) == type->traverse; i++)
            base = WK_U64(base, WK_TP_BASE);
        if (base != 0)
            wk_type_find(w, base);
        l->n = 0;
        prepare_class(w, type, l);
    } else {
        prepare_native(w, type, l);
    }
    if (l->n != 0) {
        type->fields = wk_alloc(w, l->n * sizeof *type->fields);
        for (unsigned i = 0; i < l->n; i++)
            type->fields[i] = l->field[i];
        type->n_fields = l->n;
        type->flags |= WK_TYPE_TAIL;
    }
    /* Which of the instances the collector sees only it can tell. */
    if (type->walk == WK_WALK_FIELDS && (type->flags & WK_TYPE_CHECK_GC) && type->is_gc != w->types->type_is_gc)
        type->walk = WK_WALK_TRAVERSE;
    if (type->walk == WK_WALK_TRAVERSE && (wk_type_flags(type->addr) & WK_TPF_DICT))
        type->flags |= WK_TYPE_DICT_INSIDE;
    if (type->walk == WK_WALK_TYPE || type->addr == wk_symbol(w, WK_SYM_TYPE_CODE) ||
        type->addr == wk_symbol(w, WK_SYM_TYPE_FUNCTION))
        type->flags |= WK_TYPE_HAS_PARTS;
    if (type->open == HF_RUN_UNNAMED)
        type->open = (uint8_t)run_kind((enum wk_walk)type->walk);
    type->layout = type->open != HF_RUN_UNNAMED ? wk_layout_fixed(w, (enum hf_run_kind)type->open) : 0;
}

void
wk_refs_prepare_init(struct wk *w)
{
    w->field_list = wk_alloc(w, sizeof(struct list));
    wk_known_init(w);
}
