// SPDX-License-Identifier: MIT
/*
 * What is asked of a type once, when its first instance is met. Nothing here runs Python code: attributes of a type are looked up
 * in the dicts along its MRO.
 */
#include "wk-atoms.h"
#include "wk-names.h"
#include "wk-objects.h"
#include "wk-types.h"

#define FIRST_SLOTS  4096u
#define MRO_MAX      4096u
#define BASIC_MAX    (1u << 28)
#define LEARN_ENOUGH 24u

static void
slots_init(struct wk *w, struct wk_types *t, uint64_t size)
{
    t->slot = wk_map(w, size * sizeof *t->slot);
    t->size = size;
    t->shift = 64 - (unsigned)__builtin_ctzll(size);
}

static struct wk_type_slot *
slot_for(struct wk_types *t, wk_addr type)
{
    uint64_t i = (type >> 4) * 0x9e3779b97f4a7c15ull >> t->shift;

    while (t->slot[i].addr != 0 && t->slot[i].addr != type)
        i = (i + 1) & (t->size - 1);
    return &t->slot[i];
}

static void
insert(struct wk *w, struct wk_type *type)
{
    struct wk_types *t = w->types;

    if (t->n * 2 >= t->size) {
        struct wk_types old = *t;
        slots_init(w, t, old.size * 4);
        for (uint64_t i = 0; i < old.size; i++)
            if (old.slot[i].addr != 0)
                *slot_for(t, old.slot[i].addr) = old.slot[i];
    }
    *slot_for(t, type->addr) = (struct wk_type_slot){type->addr, type};
    t->n++;
}

void
wk_types_init(struct wk *w)
{
    struct wk_types *t = wk_alloc(w, sizeof *t);

    w->types = t;
    slots_init(w, t, FIRST_SLOTS);
    t->type_is_gc = WK_U64(wk_symbol(w, WK_SYM_TYPE_TYPE), WK_TP_IS_GC);
    t->name_class = wk_name(w, ".__class__");
    t->name_dict = wk_name(w, ".__dict__");
    t->name_cache = wk_name(w, "<cache>");
    t->name_mro = wk_name(w, "<mro>");
    t->name_bases = wk_name(w, "<bases>");
    t->name_base = wk_name(w, "<base>");
    t->name_subclasses = wk_name(w, "<subclasses>");
    t->name_module = wk_name(w, "<module>");
    t->name_name = wk_name(w, ".__name__");
    t->name_qualname = wk_name(w, ".__qualname__");
    t->name_slots = wk_name(w, "<slots>");
    wk_text_init(w, &t->text, 1024);
    struct hf_run borrowed = {.kind = HF_RUN_ITEMS, .flags = HF_RUN_WEAK};
    t->layout_borrowed = hf_write_layout(&w->out, &borrowed, 1);
    t->sizeof_object = wk_sizeof_function(w, wk_symbol(w, WK_SYM_TYPE_OBJECT));
    t->sizeof_list = wk_sizeof_function(w, wk_symbol(w, WK_SYM_TYPE_LIST));
    t->sizeof_dict = wk_sizeof_function(w, wk_symbol(w, WK_SYM_TYPE_DICT));
    t->sizeof_str = wk_sizeof_function(w, wk_symbol(w, WK_SYM_TYPE_UNICODE));
    t->sizeof_int = wk_sizeof_function(w, wk_symbol(w, WK_SYM_TYPE_LONG));
    t->sizeof_set = wk_sizeof_function(w, wk_symbol(w, WK_SYM_TYPE_SET));
    t->sizeof_frozenset = wk_sizeof_function(w, wk_symbol(w, WK_SYM_TYPE_FROZENSET));
}

/*
 * Instances of classes are read natively, which needs to know CPython's subtype_traverse. It has no symbol, but every class
 * statement's type shares it, along with tp_clear and tp_dealloc, and the oldest types of a process are those of importlib.
 */
bool
wk_types_learn(struct wk *w, wk_addr object)
{
    struct wk_types *t = w->types;
    struct wk_learning *seen = t->learning;
    unsigned k = 0;

    if (WK_U64(object, WK_OB_TYPE) != wk_symbol(w, WK_SYM_TYPE_TYPE) || !(WK_U64(object, WK_TP_FLAGS) & WK_TPF_HEAP))
        return false;
    wk_addr traverse = WK_U64(object, WK_TP_TRAVERSE), clear = WK_U64(object, WK_TP_CLEAR),
            dealloc = WK_U64(object, WK_TP_DEALLOC);
    while (k < t->n_learning && (seen[k].traverse != traverse || seen[k].clear != clear || seen[k].dealloc != dealloc))
        k++;
    if (k == WK_LEARN_MAX || traverse == 0)
        return false;
    if (k == t->n_learning) {
        seen[k].traverse = traverse;
        seen[k].clear = clear;
        seen[k].dealloc = dealloc;
        t->n_learning++;
    }
    if (++seen[k].n != LEARN_ENOUGH)
        return false;
    t->class_traverse = traverse;
    return true;
}

bool
wk_is_subtype(struct wk *w, wk_addr type, wk_addr base)
{
    wk_addr mro;

    if (type == base)
        return true;
    if (base == 0 || type == 0 || (mro = WK_U64(type, WK_TP_MRO)) == 0)
        return false;
    uint64_t n = wk_tuple_size(mro);
    for (uint64_t i = 0; i < n && i < MRO_MAX; i++)
        if (wk_tuple_item(w, mro, i) == base)
            return true;
    return false;
}

bool
wk_is_instance(struct wk *w, wk_addr object, enum wk_symbol type)
{
    wk_addr base = wk_symbol(w, type);

    return object != 0 && base != 0 && wk_is_subtype(w, wk_type_address(object), base);
}

/* A type's type leads to `type` within few steps, and what it says of its instances can be true. */
bool
wk_type_plausible(struct wk *w, wk_addr type)
{
    wk_addr type_type = wk_symbol(w, WK_SYM_TYPE_TYPE), meta = type;

    for (unsigned step = 0;; step++) {
        if (step == 8 || meta < 0x10000 || meta >> 47 != 0 || (meta & 7) != 0)
            return false;
        meta = WK_U64(meta, WK_OB_TYPE);
        if (meta == type_type)
            break;
    }
    /* Py_TPFLAGS_READY is no condition: private static types live without PyType_Ready (functools._lru_list_elem). */
    return WK_U64(type, WK_TP_DEALLOC) != 0 && WK_I64(type, WK_TP_BASICSIZE) >= WK_HEAD &&
           WK_I64(type, WK_TP_BASICSIZE) < BASIC_MAX && WK_I64(type, WK_TP_ITEMSIZE) >= 0 &&
           WK_I64(type, WK_TP_ITEMSIZE) < BASIC_MAX && WK_U64(type, WK_TP_NAME) != 0;
}

/*
 * 3.12+ keeps what changes of its static types in the interpreter: a number in tp_subclasses says where. Types of the extension
 * modules that come with it (3.13) have numbers of their own, so the place must point back. 0: not kept there.
 */
static wk_addr
static_state(struct wk *w, wk_addr type)
{
    const struct wk_facts *f = &w->facts;
    uint64_t number = WK_U64(type, WK_TP_SUBCLASSES);

    if (w->version < 0x030c || !(WK_U64(type, WK_TP_FLAGS) & WK_TPF_STATIC_BUILTIN) || number == 0)
        return 0;
    for (unsigned ext = 0; ext < 2; ext++) {
        uint32_t first = ext ? f->interp_static_ext_types : f->interp_static_types;
        uint32_t max = ext ? f->interp_static_ext_types_max : f->interp_static_types_max;
        if (first == WK_NO_FACT || max == WK_NO_FACT || number > max)
            continue;
        wk_addr state = w->interpreter + first + (number - 1) * f->static_type_size;
        if (WK_U64(state, f->static_type_type) == type)
            return state;
    }
    return 0;
}

wk_addr
wk_type_dict(struct wk *w, wk_addr type)
{
    wk_addr dict = WK_U64(type, WK_TP_DICT), state;

    if (dict != 0 || (state = static_state(w, type)) == 0)
        return dict;
    return WK_U64(state, w->facts.static_type_dict);
}

wk_addr
wk_type_subclasses(struct wk *w, wk_addr type)
{
    wk_addr state = static_state(w, type);

    if (state != 0)
        return WK_U64(state, w->facts.static_type_subclasses);
    return w->version >= 0x030c && (WK_U64(type, WK_TP_FLAGS) & WK_TPF_STATIC_BUILTIN) ? 0
                                                                                       : WK_U64(type, WK_TP_SUBCLASSES);
}

int64_t
wk_member_offset(struct wk *w, wk_addr type, const char *name)
{
    wk_addr member = WK_U64(type, WK_TP_MEMBERS);

    (void)w;
    for (unsigned i = 0; member != 0 && i < 256; i++, member += 40) {
        const char *m = WK_READ(const char *, member, 0);
        size_t k = 0;
        if (m == NULL)
            break;
        while (m[k] != '\0' && m[k] == name[k])
            k++;
        int32_t kind = WK_I32(member, 8);
        if (m[k] == name[k] && (kind == 6 || kind == 16)) /* T_OBJECT, T_OBJECT_EX */
            return WK_I64(member, 16);
    }
    return -1;
}

struct wk_type *
wk_type_of(struct wk *w, wk_addr object)
{
    return wk_type_find(w, wk_type_address(object));
}

struct wk_type *
wk_type_entry(struct wk *w, wk_addr type)
{
    return wk_type_find(w, type);
}

static uint32_t
row_flags(const struct wk *w, const struct wk_type *type)
{
    uint32_t flags = 0;

    if (type->flags & WK_TYPE_HEAP)
        flags |= HF_TYPE_HEAP;
    if (type->flags & WK_TYPE_GC)
        flags |= HF_TYPE_GC;
    if (type->flags & WK_TYPE_SIZE_PY)
        flags |= HF_TYPE_PY_SIZEOF;
    if (type->walk == WK_WALK_TRAVERSE && type->n_fields == 0)
        flags |= HF_TYPE_UNNAMED;
    /* Room for pointers, and nothing that knows where they are. */
    if (!(type->flags & WK_TYPE_GC) && type->family == HF_FAMILY_OTHER && type->basic >= 32 && type->n_fields <= 1 &&
        type->addr != wk_symbol(w, WK_SYM_TYPE_COMPLEX) && type->walk != WK_WALK_TYPE)
        flags |= HF_TYPE_OPAQUE;
    if (wk_has_numbers(w, type))
        flags |= HF_TYPE_NUMBERS;
    if (type->sized)
        flags |= HF_TYPE_SIZED;
    return flags;
}

/*
 * Steps that may fault come in an order that leaves an entry which is safe to use: a type that breaks half-way has plain
 * instances without references, whose rows say BROKEN.
 */
struct wk_type *
wk_type_new(struct wk *w, wk_addr addr)
{
    if (!wk_type_plausible(w, addr))
        return NULL;
    struct wk_type *type = wk_alloc(w, sizeof *type);
    uint64_t flags = WK_U64(addr, WK_TP_FLAGS);
    struct wk_text *name = &w->types->text;

    type->addr = addr;
    type->basic = (uint32_t)WK_U64(addr, WK_TP_BASICSIZE);
    type->item = (uint32_t)WK_U64(addr, WK_TP_ITEMSIZE);
    type->common = type->basic;
    type->flags = WK_TYPE_BROKEN | (flags & WK_TPF_HAVE_GC ? WK_TYPE_GC : 0) | (flags & WK_TPF_HEAP ? WK_TYPE_HEAP : 0);
    type->traverse = WK_U64(addr, WK_TP_TRAVERSE);
    type->is_gc = WK_U64(addr, WK_TP_IS_GC);
    if (type->is_gc != 0)
        type->flags |= WK_TYPE_CHECK_GC;
    insert(w, type);

    wk_size_prepare(w, type);
    wk_refs_prepare(w, type);
    wk_real_prepare(w, type);
    wk_content_prepare(w, type);
    wk_size_by_content(w, type);
    wk_text_reset(name);
    wk_type_name(w, addr, name);
    type->flags &= ~(uint32_t)WK_TYPE_BROKEN;
    wk_type_write(w, type, (const char *)name->bytes, name->len);
    wk_mark(w, addr);
    wk_atom_prepare(w, type);
    return type;
}

void
wk_type_write(struct wk *w, struct wk_type *type, const char *name, size_t n)
{
    struct hf_type_row row = {
        .addr = type->addr,
        .base = WK_U64(type->addr, WK_TP_BASE),
        .basic_size = type->basic,
        .item_size = type->item,
        .common_size = type->common,
        .flags = row_flags(w, type),
        .family = type->family,
        .name = name,
        .name_len = n,
    };
    type->id = hf_write_type(&w->out, &row);
}
