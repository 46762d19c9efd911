// SPDX-License-Identifier: MIT
/* Which content an instance of a type has, decided once a type: by what the interpreter says of it, by its symbol, or by its name. */
#include "../wk-refs.h"
#include "wk-contents.h"

enum {
    MAX_BASES = 64, /* steps up the chain of bases */
};

static bool
text_is(const char *text, size_t n, const char *expected)
{
    size_t i = 0;

    while (i < n && expected[i] != '\0' && text[i] == expected[i])
        i++;
    return i == n && expected[i] == '\0';
}

/* str equals text, or begins with it and a dot */
static bool
module_is(const struct wk *w, wk_addr str, const char *text)
{
    struct wk_str s;
    uint64_t i = 0;

    if (!wk_is_str(str) || !wk_str_view(w, str, &s) || !s.ascii)
        return false;
    while (i < s.length && text[i] != '\0' && s.data[i] == (uint8_t)text[i])
        i++;
    return text[i] == '\0' && (i == s.length || s.data[i] == '.');
}

static bool
is_named(struct wk *w, wk_addr type, const char *module, const char *name)
{
    size_t module_length;
    const char *full = wk_type_static_name(type, &module_length);
    const char *last = full != NULL && module_length != 0 ? full + module_length + 1 : full;
    size_t n = 0;

    if (full == NULL)
        return false;
    while (n < 64 && last[n] != '\0')
        n++;
    if (!text_is(last, n, name))
        return false;
    if (module_length != 0)
        return text_is(full, module_length, module);
    if (!(wk_type_flags(type) & WK_TPF_HEAP))
        return false;
    wk_addr dict = wk_type_dict(w, type);
    return dict != 0 && module_is(w, wk_dict_get(w, dict, "__module__"), module);
}

/* Of the names of the type and its bases: a bit for each initial. Most types share none with those that are looked for. */
static uint64_t
initials(const struct wk *w, wk_addr type)
{
    wk_addr mro = WK_U64(type, WK_TP_MRO);
    uint64_t bits = 0;

    if (mro == 0)
        return ~0ull;
    for (uint64_t i = 0; i < wk_tuple_size(mro) && i < MAX_BASES; i++) {
        size_t module_length;
        const char *name;
        if (!wk_has_flag(wk_tuple_item(w, mro, i), WK_TPF_TYPE))
            continue;
        name = wk_type_static_name(wk_tuple_item(w, mro, i), &module_length);
        if (name != NULL)
            bits |= 1ull << (name[module_length != 0 ? module_length + 1 : 0] & 63);
    }
    return bits;
}

/* The base of this name, or 0. */
static wk_addr
base_named(struct wk *w, wk_addr type, const char *module, const char *name)
{
    wk_addr mro = WK_U64(type, WK_TP_MRO);

    if (mro == 0)
        return is_named(w, type, module, name) ? type : 0;
    for (uint64_t i = 0; i < wk_tuple_size(mro) && i < MAX_BASES; i++)
        if (wk_has_flag(wk_tuple_item(w, mro, i), WK_TPF_TYPE) && is_named(w, wk_tuple_item(w, mro, i), module, name))
            return wk_tuple_item(w, mro, i);
    return 0;
}

bool
wk_type_descends(struct wk *w, wk_addr type, const char *module, const char *name)
{
    return base_named(w, type, module, name) != 0;
}

/* ---- which content */

struct known {
    uint8_t symbol, content, family;
};

/* Types with a symbol; subclasses share. */
static const struct known by_symbol[] = {
    {WK_SYM_TYPE_NONE, WK_CONTENT_NONE, HF_FAMILY_NONE},
    {WK_SYM_TYPE_FLOAT, WK_CONTENT_FLOAT, HF_FAMILY_FLOAT},
    {WK_SYM_TYPE_COMPLEX, WK_CONTENT_COMPLEX, HF_FAMILY_OTHER},
    {WK_SYM_TYPE_BYTEARRAY, WK_CONTENT_BYTEARRAY, HF_FAMILY_BYTES},
    {WK_SYM_TYPE_SET, WK_CONTENT_NOTHING, HF_FAMILY_SET},
    {WK_SYM_TYPE_FROZENSET, WK_CONTENT_NOTHING, HF_FAMILY_SET},
    {WK_SYM_TYPE_MODULE, WK_CONTENT_MODULE, HF_FAMILY_MODULE},
    {WK_SYM_TYPE_FUNCTION, WK_CONTENT_FUNCTION, HF_FAMILY_FUNCTION},
    {WK_SYM_TYPE_METHOD, WK_CONTENT_METHOD, HF_FAMILY_METHOD},
    {WK_SYM_TYPE_CFUNCTION, WK_CONTENT_BUILTIN, HF_FAMILY_BUILTIN},
    {WK_SYM_TYPE_CODE, WK_CONTENT_CODE, HF_FAMILY_CODE},
    {WK_SYM_TYPE_FRAME, WK_CONTENT_FRAME, HF_FAMILY_FRAME},
    {WK_SYM_TYPE_GEN, WK_CONTENT_GENERATOR, HF_FAMILY_GENERATOR},
    {WK_SYM_TYPE_CORO, WK_CONTENT_GENERATOR, HF_FAMILY_COROUTINE},
    {WK_SYM_TYPE_ASYNC_GEN, WK_CONTENT_GENERATOR, HF_FAMILY_ASYNCGEN},
    {WK_SYM_TYPE_CELL, WK_CONTENT_CELL, HF_FAMILY_CELL},
    {WK_SYM_TYPE_WEAKREF, WK_CONTENT_WEAKREF, HF_FAMILY_WEAKREF},
    {WK_SYM_TYPE_WEAKPROXY, WK_CONTENT_WEAKREF, HF_FAMILY_WEAKREF},
    {WK_SYM_TYPE_WEAKCALLABLE, WK_CONTENT_WEAKREF, HF_FAMILY_WEAKREF},
    {WK_SYM_TYPE_SLICE, WK_CONTENT_SLICE, HF_FAMILY_OTHER},
    {WK_SYM_TYPE_RANGE, WK_CONTENT_RANGE, HF_FAMILY_OTHER},
    {WK_SYM_TYPE_CONTEXT_VAR, WK_CONTENT_VAR, HF_FAMILY_OTHER},
};

struct named {
    uint8_t content, family;
    char module[16], name[20];
};

/* Types without one, by the name of the type or of a base. Derived ones stand before their bases. */
static const struct named by_name[] = {
    {WK_CONTENT_TASK, HF_FAMILY_TASK, "_asyncio", "Task"},
    {WK_CONTENT_PY_TASK, HF_FAMILY_TASK, "asyncio.tasks", "Task"},
    {WK_CONTENT_FUTURE, HF_FAMILY_FUTURE, "_asyncio", "Future"},
    {WK_CONTENT_PY_FUTURE, HF_FAMILY_FUTURE, "asyncio.futures", "Future"},
    {WK_CONTENT_HANDLE, HF_FAMILY_OTHER, "asyncio.events", "Handle"},
    {WK_CONTENT_PARTIAL, HF_FAMILY_OTHER, "functools", "partial"},
    {WK_CONTENT_DATETIME, HF_FAMILY_OTHER, "datetime", "datetime"},
    {WK_CONTENT_DATE, HF_FAMILY_OTHER, "datetime", "date"},
    {WK_CONTENT_TIME, HF_FAMILY_OTHER, "datetime", "time"},
    {WK_CONTENT_TIMEDELTA, HF_FAMILY_OTHER, "datetime", "timedelta"},
    {WK_CONTENT_UUID, HF_FAMILY_OTHER, "uuid", "UUID"},
    {WK_CONTENT_DECIMAL, HF_FAMILY_OTHER, "decimal", "Decimal"},
    {WK_CONTENT_PATH, HF_FAMILY_OTHER, "pathlib", "PurePath"},
    {WK_CONTENT_THREAD, HF_FAMILY_OTHER, "threading", "Thread"},
    {WK_CONTENT_LOGGER, HF_FAMILY_OTHER, "logging", "Logger"},
    {WK_CONTENT_ENUM, HF_FAMILY_OTHER, "enum", "Enum"},
    {WK_CONTENT_FRACTION, HF_FAMILY_OTHER, "fractions", "Fraction"},
    {WK_CONTENT_PATTERN, HF_FAMILY_OTHER, "re", "Pattern"},
    {WK_CONTENT_ZONE, HF_FAMILY_OTHER, "datetime", "timezone"},
    {WK_CONTENT_ZONEINFO, HF_FAMILY_OTHER, "zoneinfo", "ZoneInfo"},
    {WK_CONTENT_IPV4, HF_FAMILY_OTHER, "ipaddress", "IPv4Address"},
    {WK_CONTENT_FILE, HF_FAMILY_OTHER, "_io", "FileIO"},
    {WK_CONTENT_FILE, HF_FAMILY_OTHER, "_io", "TextIOWrapper"},
    {WK_CONTENT_FILE, HF_FAMILY_OTHER, "_io", "BufferedReader"},
    {WK_CONTENT_FILE, HF_FAMILY_OTHER, "_io", "BufferedWriter"},
    {WK_CONTENT_FILE, HF_FAMILY_OTHER, "_io", "BufferedRandom"},
    {WK_CONTENT_BYTESIO, HF_FAMILY_OTHER, "_io", "BytesIO"},
    {WK_CONTENT_SOCKET, HF_FAMILY_OTHER, "_socket", "socket"},
    {WK_CONTENT_LOCK, HF_FAMILY_OTHER, "_thread", "lock"},
    {WK_CONTENT_RLOCK, HF_FAMILY_OTHER, "_thread", "RLock"},
    {WK_CONTENT_EVENT, HF_FAMILY_OTHER, "threading", "Event"},
    {WK_CONTENT_PROCESS, HF_FAMILY_OTHER, "subprocess", "Popen"},
    {WK_CONTENT_DEQUE, HF_FAMILY_OTHER, "collections", "deque"},
    {WK_CONTENT_ARRAY, HF_FAMILY_OTHER, "array", "array"},
    {WK_CONTENT_GREENLET, HF_FAMILY_OTHER, "greenlet", "greenlet"},
};

/* Members that are read at offsets of the C struct: only where the class is the one written in C. */
static bool
is_c_layout(uint8_t content)
{
    switch (content) {
    case WK_CONTENT_TASK:
    case WK_CONTENT_FUTURE:
    case WK_CONTENT_PARTIAL:
    case WK_CONTENT_DATETIME:
    case WK_CONTENT_DATE:
    case WK_CONTENT_TIME:
    case WK_CONTENT_TIMEDELTA:
    case WK_CONTENT_DECIMAL:
    case WK_CONTENT_PATTERN:
    case WK_CONTENT_ZONE:
    case WK_CONTENT_FILE:
    case WK_CONTENT_BYTESIO:
    case WK_CONTENT_SOCKET:
    case WK_CONTENT_LOCK:
    case WK_CONTENT_RLOCK:
    case WK_CONTENT_DEQUE:
    case WK_CONTENT_ARRAY:
    case WK_CONTENT_GREENLET:
        return true;
    default:
        return false;
    }
}

static uint64_t
size_needed(const struct wk *w, uint8_t content)
{
    const struct wk_facts *f = &w->facts;

    switch (content) {
    case WK_CONTENT_TASK:
        return f->task_context + 8;
    case WK_CONTENT_FUTURE:
        return f->fut_state + 4;
    case WK_CONTENT_PARTIAL:
        return f->partial_kw + 8;
    case WK_CONTENT_DECIMAL:
        return f->decimal_data + 8;
    case WK_CONTENT_LOCK:
        return WK_HEAD + 1;
    case WK_CONTENT_RLOCK:
    case WK_CONTENT_BYTESIO:
    case WK_CONTENT_GREENLET:
        return WK_HEAD + 24;
    case WK_CONTENT_SOCKET:
    case WK_CONTENT_ARRAY:
        return WK_HEAD + 32;
    case WK_CONTENT_PATTERN:
        return WK_HEAD + 40;
    default:
        return f->date_data + 4;
    }
}

static bool
by_flags(struct wk_type *type, uint64_t flags)
{
    static const struct {
        uint8_t bit, content, family;
    } builtin[] = {
        {28, WK_CONTENT_STR, HF_FAMILY_STR},      {27, WK_CONTENT_BYTES, HF_FAMILY_BYTES},
        {24, WK_CONTENT_INT, HF_FAMILY_INT},      {29, WK_CONTENT_DICT, HF_FAMILY_DICT},
        {25, WK_CONTENT_NOTHING, HF_FAMILY_LIST}, {26, WK_CONTENT_NOTHING, HF_FAMILY_TUPLE},
        {31, WK_CONTENT_TYPE, HF_FAMILY_TYPE},    {30, WK_CONTENT_EXCEPTION, HF_FAMILY_EXCEPTION},
    };

    for (size_t i = 0; i < sizeof builtin / sizeof builtin[0]; i++)
        if (flags >> builtin[i].bit & 1) {
            type->content = builtin[i].content;
            type->family = builtin[i].family;
            return true;
        }
    return false;
}

/* Where an exception of a type from C has members that stand side by side under these names, or its base; 0: it is another. */
static uint64_t
members_at(struct wk *w, wk_addr type, const char names[4][12])
{
    for (unsigned i = 0; type != 0 && i < MAX_BASES; i++, type = WK_U64(type, WK_TP_BASE)) {
        int64_t at = wk_member_offset(w, type, names[0]);
        unsigned k = 1;
        while (at > 0 && k < 4 && wk_member_offset(w, type, names[k]) == at + 8 * k)
            k++;
        if (k == 4)
            return (uint64_t)at;
    }
    return 0;
}

/* data[1]: which kind it is; data[0]: of a group its text and what it is of, of others the first of their members. */
static void
exception_members(struct wk *w, struct wk_type *type)
{
    static const char os_error[4][12] = {"errno", "strerror", "filename", "filename2"};
    static const char syntax_error[4][12] = {"msg", "filename", "lineno", "offset"};

    if ((type->data[0] = members_at(w, type->addr, os_error)) != 0)
        type->data[1] = WK_EXCEPTION_OS;
    else if ((type->data[0] = members_at(w, type->addr, syntax_error)) != 0)
        type->data[1] = WK_EXCEPTION_SYNTAX;
    for (wk_addr base = type->addr; type->data[0] == 0 && base != 0; base = WK_U64(base, WK_TP_BASE)) {
        const char *name = WK_READ(const char *, base, WK_TP_NAME);
        enum wk_exception_kind kind = wk_text_equals(name, "BaseExceptionGroup")      ? WK_EXCEPTION_GROUP
                                      : wk_text_equals(name, "UnicodeDecodeError")    ? WK_EXCEPTION_DECODE
                                      : wk_text_equals(name, "UnicodeEncodeError")    ? WK_EXCEPTION_ENCODE
                                      : wk_text_equals(name, "UnicodeTranslateError") ? WK_EXCEPTION_TRANSLATE
                                                                                      : WK_EXCEPTION_OTHER;
        if (kind == WK_EXCEPTION_OTHER)
            continue;
        int64_t first = wk_member_offset(w, base, kind == WK_EXCEPTION_GROUP ? "message" : "object");
        int64_t last = wk_member_offset(w, base, kind == WK_EXCEPTION_GROUP ? "exceptions" : "reason");
        if (first > 0 && last == first + (kind == WK_EXCEPTION_GROUP ? 8 : 24)) {
            type->data[0] = (uint64_t)first;
            type->data[1] = kind;
        }
        return;
    }
}

void
wk_content_prepare(struct wk *w, struct wk_type *type)
{
    uint64_t flags = wk_type_flags(type->addr);

    type->content = WK_CONTENT_NOTHING;
    type->family = HF_FAMILY_OTHER;
    if (type->addr == wk_symbol(w, WK_SYM_TYPE_BOOL)) {
        type->content = WK_CONTENT_BOOL;
        type->family = HF_FAMILY_BOOL;
        return;
    }
    if (by_flags(type, flags)) {
        if (type->content == WK_CONTENT_EXCEPTION)
            exception_members(w, type);
        return;
    }
    for (size_t i = 0; i < sizeof by_symbol / sizeof by_symbol[0]; i++)
        if (wk_is_subtype(w, type->addr, wk_symbol(w, (enum wk_symbol)by_symbol[i].symbol))) {
            type->content = by_symbol[i].content;
            type->family = by_symbol[i].family;
            return;
        }
    uint64_t bits = initials(w, type->addr);
    for (size_t i = 0; i < sizeof by_name / sizeof by_name[0]; i++) {
        const struct named *n = &by_name[i];
        wk_addr base = (bits >> (n->name[0] & 63) & 1) == 0 ? 0 : base_named(w, type->addr, n->module, n->name);

        if (base == 0)
            continue;
        /* a class statement's type has subtype_traverse and no members of C beside slots: told by its name, which has no module */
        if (is_c_layout(n->content)) {
            size_t module_length;
            (void)wk_type_static_name(base, &module_length);
            if (module_length == 0 || WK_U64(base, WK_TP_BASICSIZE) < size_needed(w, n->content))
                continue;
        }
        type->content = n->content;
        type->family = n->family;
        return;
    }
}
