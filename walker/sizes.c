// SPDX-License-Identifier: MIT
/*
 * Sizes as sys.getsizeof has them: __sizeof__ and what comes before the object. The built-in types are computed here; any other
 * __sizeof__ written in C is called, one written in Python never: then what the C parts take is given, and the type says so.
 */
#include "contents/wk-contents.h"
#include "wk-objects.h"
#include "wk-refs.h"
#include "wk-types.h"

#if WK_FREE_THREADED
#define GC_HEAD 0u
#else
#define GC_HEAD 16u
#endif
#define METH_NOARGS     4
#define METH_DEFINING   (0x0200 | 0x0080 | 0x0002)
#define MRO_MAX         64u
#define BYTES_IO_BUFFER WK_HEAD

/*
 * What a type has for __sizeof__, along its MRO; borrowed, 0: none. Not by _PyType_Lookup: its cache drops references to the names that it
 * replaces, so that counts in the dump would be ours; and since 3.10 it finds that cache through the current thread state, which
 * there is none of when all threads sleep. Names in types' dicts are interned: the same address is the same name.
 */
static wk_addr
lookup_sizeof(struct wk *w, wk_addr type, uint64_t from)
{
    wk_addr mro = WK_U64(type, WK_TP_MRO), key, value;
    struct wk_dict d;

    for (uint64_t i = from; mro != 0 && i < wk_tuple_size(mro) && i < MRO_MAX; i++) {
        wk_addr dict = wk_type_dict(w, wk_tuple_item(w, mro, i));
        if (dict == 0 || !wk_dict_view(w, dict, &d))
            continue;
        for (uint64_t k = 0; k < d.n; k++)
            if (WK_U64(d.entries, k * d.stride + d.key) == w->str_sizeof && wk_dict_entry(&d, k, &key, &value))
                return value;
    }
    return 0;
}

/*
 * The C function of a method descriptor, 0 if it is something else. *defining: 0 for a function without arguments, or the class that
 * the argument parser's convention wants to hear of (METH_METHOD | METH_FASTCALL | METH_KEYWORDS: ctypes on 3.13).
 */
static wk_addr
function_of(struct wk *w, wk_addr descr, wk_addr *defining)
{
    if (descr == 0 || WK_U64(descr, WK_OB_TYPE) != wk_symbol(w, WK_SYM_TYPE_METHOD_DESCR))
        return 0;
    wk_addr method = WK_U64(descr, w->facts.methdescr_method);
    if (method == 0)
        return 0;
    int32_t flags = WK_I32(method, w->facts.methoddef_flags);
    if (flags != METH_NOARGS && flags != METH_DEFINING)
        return 0;
    *defining = flags == METH_DEFINING ? WK_U64(descr, w->facts.descr_type) : 0;
    return WK_U64(method, w->facts.methoddef_meth);
}

wk_addr
wk_sizeof_function(struct wk *w, wk_addr type)
{
    wk_addr defining;

    return type != 0 && w->str_sizeof != 0 ? function_of(w, lookup_sizeof(w, type, 0), &defining) : 0;
}

/* BytesIO asks sys.getsizeof of its buffer, which needs a thread state: builds that debug abort where there is none. */
static bool
is_bytes_io(struct wk *w, const struct wk_type *type, wk_addr function)
{
    wk_addr base = type->addr, defining;

    for (unsigned i = 0; base != 0 && i < MRO_MAX; i++, base = WK_U64(base, WK_TP_BASE))
        if (wk_text_equals(WK_READ(const char *, base, WK_TP_NAME), "_io.BytesIO"))
            return function_of(w, lookup_sizeof(w, base, 0), &defining) == function;
    return false;
}

static enum wk_size_kind
kind_of(struct wk *w, const struct wk_type *type, wk_addr function)
{
    const struct wk_types *t = w->types;

    if (function == 0)
        return WK_SIZE_UNKNOWN;
    if (function == t->sizeof_object)
        return type->item != 0 ? WK_SIZE_ITEMS : WK_SIZE_FIXED;
    if (function == t->sizeof_list)
        return WK_SIZE_LIST;
    if (function == t->sizeof_dict)
        return WK_SIZE_DICT;
    if (function == t->sizeof_set || function == t->sizeof_frozenset)
        return WK_SIZE_SET;
    /* A subclass of str may be of the legacy kind with two sizes; its function knows. */
    if (function == t->sizeof_str)
        return type->addr == wk_symbol(w, WK_SYM_TYPE_UNICODE) ? WK_SIZE_STR : WK_SIZE_CALL;
    if (function == t->sizeof_int)
        return type->addr == wk_symbol(w, WK_SYM_TYPE_LONG) ? WK_SIZE_INT : WK_SIZE_CALL;
    return is_bytes_io(w, type, function) ? WK_SIZE_BYTES_IO : WK_SIZE_CALL;
}

void
wk_size_prepare(struct wk *w, struct wk_type *type)
{
    uint64_t flags = WK_U64(type->addr, WK_TP_FLAGS);
    wk_addr function = 0;

    type->pre = type->flags & WK_TYPE_GC ? GC_HEAD : 0;
    /* Only 3.11 and 3.12 count the words for a managed dict (and weakref list). */
    if (w->version == 0x030b && (flags & WK_TPF_MANAGED_DICT))
        type->pre += 16;
    if (w->version >= 0x030c && (flags & (WK_TPF_MANAGED_DICT | WK_TPF_MANAGED_WEAK)))
        type->pre += 16;
    type->common = type->basic + type->pre;
    type->size_kind = WK_SIZE_UNKNOWN;

    if (w->str_sizeof == 0)
        return;
    if (WK_U64(type->addr, WK_TP_MRO) == 0) {
        /* Never made ready: a lookup would do it now, and make objects. Its instances have object's own __sizeof__. */
        type->size_fn = w->types->sizeof_object;
        type->size_kind = type->item != 0 ? WK_SIZE_ITEMS : WK_SIZE_FIXED;
        if (type->size_kind != WK_SIZE_FIXED)
            type->flags |= WK_TYPE_VAR_SIZE;
        return;
    }
    wk_addr found = lookup_sizeof(w, type->addr, 0);
    function = function_of(w, found, &type->size_class);
    if (function == 0) {
        /* Python's, or something unusual: the first C function further up the MRO knows what the C parts take. */
        wk_addr mro = WK_U64(type->addr, WK_TP_MRO);
        type->flags |= WK_TYPE_SIZE_PY;
        for (uint64_t i = 1; mro != 0 && i < wk_tuple_size(mro) && i < MRO_MAX && function == 0; i++)
            function = function_of(w, lookup_sizeof(w, type->addr, i), &type->size_class);
    }
    type->size_fn = function;
    type->size_kind = (uint8_t)kind_of(w, type, function);
    if (type->size_kind == WK_SIZE_FIXED && (type->flags & WK_TYPE_CHECK_GC) && w->version < 0x030b)
        type->size_kind = WK_SIZE_ITEMS; /* none; whether there is a header differs */
    if (type->size_kind != WK_SIZE_FIXED)
        type->flags |= WK_TYPE_VAR_SIZE;
}

/* Texts and bytes that are shown whole: their length tells their size. */
void
wk_size_by_content(struct wk *w, struct wk_type *type)
{
    if (type->content == WK_CONTENT_STR && type->size_kind == WK_SIZE_STR) {
        type->common = w->facts.str_ascii + 1u + type->pre;
        type->sized = true;
    } else if (type->content == WK_CONTENT_BYTES && type->size_kind == WK_SIZE_ITEMS && type->item == 1) {
        type->sized = true;
    }
}

void
wk_size_give_up(struct wk_type *type)
{
    type->size_kind = WK_SIZE_UNKNOWN;
    type->size_fn = 0;
}

static uint64_t
dict_size(const struct wk *w, wk_addr dict, uint64_t basic)
{
    wk_addr keys = WK_U64(dict, WK_DICT_KEYS), values = WK_U64(dict, WK_DICT_VALUES);
    bool own = WK_U64(keys, 0) == 1; /* dk_refcnt: shared keys are not counted */
    uint64_t size = basic;
    struct wk_dict d;

    if (!wk_keys_view(w, keys, &d))
        return size;
    uint64_t usable = (d.size << 1) / 3;
    if (!w->facts.keys_log2) {
        uint64_t width = d.size <= 0xff ? 1 : d.size <= 0xffff ? 2 : d.size <= 0xffffffff ? 4 : 8;
        if (values != 0)
            size += usable * 8;
        if (own)
            size += 40 + d.size * width + 24 * usable;
        return size;
    }
    if (values != 0)
        size += (WK_U64(keys, 24) + WK_U64(keys, 16)) * 8; /* entries and what is still usable */
    if (own)
        size += 32 + (1ull << d.log2_index_bytes) + d.stride * usable;
    return size;
}

static uint64_t
str_size(const struct wk *w, wk_addr str)
{
    const struct wk_facts *f = &w->facts;
    uint32_t state = WK_U32(str, WK_STR_STATE), width = state >> WK_STR_KIND_SHIFT & 7;
    uint64_t length = WK_U64(str, WK_STR_LENGTH), ascii = f->str_ascii, compact = f->str_compact;
    bool is_compact = (state >> WK_STR_COMPACT_SHIFT & 1) != 0, is_ascii = (state >> WK_STR_ASCII_SHIFT & 1) != 0;
    uint64_t size;

    if (w->version >= 0x030c) {
        if (is_compact && is_ascii)
            return ascii + length + 1;
        wk_addr data, utf8 = WK_U64(str, f->str_utf8);
        if (is_compact) {
            data = str + compact;
            size = compact + (length + 1) * width;
        } else {
            data = WK_U64(str, f->str_data);
            size = f->str_data + 8 + (data != 0 ? (length + 1) * width : 0);
        }
        if (utf8 != 0 && utf8 != data)
            size += WK_U64(str, f->str_utf8_length) + 1;
        return size;
    }
    /* Until 3.11 a str may hold a wchar_t copy too. */
    wk_addr wstr = WK_U64(str, 40), data;
    if (is_compact && is_ascii)
        return ascii + length + 1 + (wstr != 0 ? (length + 1) * 4 : 0);
    bool ready = (state >> 7 & 1) != 0;
    wk_addr utf8 = WK_U64(str, 56);
    if (is_compact) {
        data = str + compact;
        size = compact + (length + 1) * width;
    } else {
        data = WK_U64(str, 72);
        size = 80 + (data != 0 ? (length + 1) * width : 0);
    }
    if (wstr != 0 && !(ready && wstr == data))
        size += (WK_U64(str, 64) + 1) * 4;
    if (utf8 != 0 && utf8 != data)
        size += WK_U64(str, 48) + 1;
    return size;
}

static uint64_t
int_size(const struct wk *w, wk_addr object)
{
    uint64_t digits;

    if (w->facts.int_tagged) {
        digits = WK_U64(object, WK_INT_TAG) >> 3;
    } else {
        int64_t n = WK_I64(object, WK_OB_SIZE);
        digits = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
        if (w->version < 0x030b)
            return WK_INT_DIGITS + digits * 4;
    }
    return WK_INT_DIGITS + (digits != 0 ? digits : 1) * 4;
}

/* The value of a small int, and the reference to it is ours to give back. */
static bool
take_int(struct wk *w, wk_addr object, uint64_t *value)
{
    uint64_t digits, v = 0;
    bool negative;

    if (!wk_has_flag(object, WK_TPF_LONG))
        return false;
    if (w->facts.int_tagged) {
        digits = WK_U64(object, WK_INT_TAG) >> 3;
        negative = (WK_U64(object, WK_INT_TAG) & 3) == 2;
    } else {
        int64_t n = WK_I64(object, WK_OB_SIZE);
        negative = n < 0;
        digits = negative ? 0 - (uint64_t)n : (uint64_t)n;
    }
    if (digits > 3)
        return false;
    for (uint64_t i = 0; i < digits; i++)
        v |= (uint64_t)WK_U32(object, WK_INT_DIGITS + 4 * i) << 30 * i;
    *value = v;
    wk_addr give_back = wk_symbol(w, WK_SYM_DEC_REF);
    if (give_back != 0)
        ((void (*)(wk_addr))(uintptr_t)give_back)(object);
    return !negative;
}

static bool
call(struct wk *w, const struct wk_type *type, wk_addr object, uint64_t *size)
{
    wk_addr clear = wk_symbol(w, WK_SYM_ERR_CLEAR), result;

#if WK_FREE_THREADED
    /* The function may lock the object: against a thread that exists no more, or stands still. */
    if (WK_U8(object, WK_OB_MUTEX) != 0) {
        if (!w->ghost)
            return false;
        *(uint8_t *)(uintptr_t)(object + WK_OB_MUTEX) = 0;
    }
#endif
    w->foreign = WK_FOREIGN_SIZEOF;
    if (type->size_class == 0)
        result = ((wk_addr(*)(wk_addr, wk_addr))(uintptr_t)type->size_fn)(object, 0);
    else
        result = ((wk_addr(*)(wk_addr, wk_addr, const wk_addr *, int64_t, wk_addr))(uintptr_t)type->size_fn)(
            object, type->size_class, NULL, 0, 0);
    w->foreign = WK_FOREIGN_NONE;

    if (result != 0)
        return take_int(w, result, size);
    if (clear != 0)
        ((void (*)(void))(uintptr_t)clear)();
    return false;
}

/* Modules/_io/bytesio.c: bytes that nobody else holds. */
static uint64_t
own_buffer(const struct wk *w, wk_addr bytes)
{
    uint64_t count;

    if (bytes == 0 || !wk_refcount(w, bytes, &count) || count > 1)
        return 0;
    return WK_U64(wk_symbol(w, WK_SYM_TYPE_BYTES), WK_TP_BASICSIZE) + WK_U64(bytes, WK_OB_SIZE);
}

bool
wk_size(struct wk *w, const struct wk_type *type, wk_addr object, uint64_t *size)
{
    uint64_t pre = type->pre;
    int64_t n;
    bool exact = true;

    switch ((enum wk_size_kind)type->size_kind) {
    case WK_SIZE_FIXED:
        *size = type->common;
        return true;
    case WK_SIZE_ITEMS:
        n = WK_I64(object, WK_OB_SIZE);
        *size = type->basic + type->item * (n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
        break;
    case WK_SIZE_LIST:
        *size = type->basic + WK_U64(object, WK_LIST_ALLOCATED) * 8;
        break;
    case WK_SIZE_DICT:
        *size = dict_size(w, object, type->basic);
        break;
    case WK_SIZE_SET:
        *size = type->basic;
        if (WK_U64(object, w->facts.set_table) != object + w->facts.set_smalltable)
            *size += (WK_U64(object, w->facts.set_mask) + 1) * 16;
        break;
    case WK_SIZE_STR:
        *size = str_size(w, object);
        break;
    case WK_SIZE_INT:
        *size = int_size(w, object);
        break;
    case WK_SIZE_BYTES_IO:
        *size = type->basic + own_buffer(w, WK_U64(object, BYTES_IO_BUFFER));
        break;
    case WK_SIZE_CALL:
        exact = call(w, type, object, size);
        if (!exact)
            *size = type->basic;
        break;
    case WK_SIZE_UNKNOWN:
    default:
        *size = type->basic;
        exact = (type->flags & WK_TYPE_SIZE_PY) != 0 && w->str_sizeof != 0;
        break;
    }
    /* Until 3.10 the object is asked whether it is a gc object, 3.11 and 3.12 ask its type; later ones do so unless that is type itself. */
    if (wk_unlikely((type->flags & WK_TYPE_CHECK_GC) != 0) &&
        (w->version < 0x030b || (w->version > 0x030c && type->addr == wk_symbol(w, WK_SYM_TYPE_TYPE))) &&
        !wk_is_gc(w, type, object))
        pre -= GC_HEAD;
    *size += pre;
    return exact;
}
