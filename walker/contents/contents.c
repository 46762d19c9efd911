// SPDX-License-Identifier: MIT
/* Which content an instance of a type has, decided once a type, and the contents of the interpreter's own types. */
#include "wk-contents.h"

enum {
    MAX_BASES = 64,  /* steps up the chain of bases */
    KEY_MAX = 64,    /* bytes of one key of a dict */
    VALUE_MAX = 200, /* bytes of one value among others */
    ARGS_MAX = 8,    /* of an exception */
};

void
wk_contents_init(struct wk *w)
{
    wk_at_hand_init(w);
    if (w->redact)
        wk_open_names_init(w);
}

/* ---- names of types */

static const char *
static_name(wk_addr type, size_t *module_length)
{
    const char *name = WK_READ(const char *, type, WK_TP_NAME);
    size_t dot = 0, n = 0;

    for (; name != NULL && n < HF_NAME_MAX && name[n] != '\0'; n++)
        if (name[n] == '.')
            dot = n;
    *module_length = dot;
    return name;
}

void
wk_type_name(struct wk *w, wk_addr type, struct wk_text *out)
{
    size_t module_length;
    const char *name = static_name(type, &module_length);

    if (wk_type_flags(type) & WK_TPF_HEAP) {
        wk_addr dict = wk_type_dict(w, type), qualname = WK_U64(type, w->facts.heaptype_qualname);
        wk_addr module = dict != 0 ? wk_dict_get(w, dict, "__module__") : 0;

        if (wk_is_str(module)) {
            wk_text_str(w, out, module, HF_NAME_MAX / 2);
            wk_text_bytes(out, ".", 1);
        }
        if (wk_is_str(qualname)) {
            wk_text_str(w, out, qualname, HF_NAME_MAX / 2);
            return;
        }
    } else if (module_length == 0)
        wk_text_cstr(out, "builtins.");
    if (name != NULL)
        wk_text_cstr(out, name);
}

void
wk_text_type(struct wk *w, struct wk_text *t, wk_addr type)
{
    uint32_t start = t->len;
    static const char builtins[] = "builtins.";

    wk_type_name(w, type, t);
    if (t->len - start <= sizeof builtins - 1)
        return;
    for (uint32_t i = 0; i < sizeof builtins - 1; i++)
        if (t->buf[start + i] != (uint8_t)builtins[i])
            return;
    t->len -= sizeof builtins - 1;
    for (uint32_t i = start; i < t->len; i++)
        t->buf[i] = t->buf[i + sizeof builtins - 1];
}

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
    const char *full = static_name(type, &module_length);
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
    if (by_flags(type, flags))
        return;
    for (size_t i = 0; i < sizeof by_symbol / sizeof by_symbol[0]; i++)
        if (wk_is_subtype(w, type->addr, wk_symbol(w, (enum wk_symbol)by_symbol[i].symbol))) {
            type->content = by_symbol[i].content;
            type->family = by_symbol[i].family;
            return;
        }
    for (size_t i = 0; i < sizeof by_name / sizeof by_name[0]; i++) {
        const struct named *n = &by_name[i];
        wk_addr base = base_named(w, type->addr, n->module, n->name);

        if (base == 0)
            continue;
        /* a class statement's type has subtype_traverse and no members of C beside slots: told by its name, which has no module */
        if (is_c_layout(n->content)) {
            size_t module_length;
            (void)static_name(base, &module_length);
            if (module_length == 0 || WK_U64(base, WK_TP_BASICSIZE) < size_needed(w, n->content))
                continue;
        }
        type->content = n->content;
        type->family = n->family;
        return;
    }
}

/* ---- plain values */

void
wk_text_value(struct wk *w, struct wk_text *t, wk_addr object)
{
    wk_addr type = object != 0 ? wk_type_address(object) : 0;
    uint32_t start = t->len;

    if (object == 0)
        return;
    if (object == wk_symbol(w, WK_SYM_NONE)) {
        wk_text_cstr(t, "None");
    } else if (type == wk_symbol(w, WK_SYM_TYPE_BOOL)) {
        uint64_t value = 0;
        wk_int_u64(w, object, &value);
        wk_text_cstr(t, value != 0 ? "True" : "False");
    } else if (type == wk_symbol(w, WK_SYM_TYPE_LONG)) {
        wk_text_long(w, t, object);
        if (w->redact)
            wk_redact_tail(w, t, start);
    } else if (type == wk_symbol(w, WK_SYM_TYPE_FLOAT)) {
        wk_text_double(t, WK_U64(object, w->facts.float_value));
        if (w->redact)
            wk_redact_tail(w, t, start);
    } else if (type == wk_symbol(w, WK_SYM_TYPE_UNICODE)) {
        wk_text_bytes(t, "'", 1);
        if (wk_text_data(w, t, object, VALUE_MAX) != 0)
            wk_text_cstr(t, "…");
        wk_text_bytes(t, "'", 1);
    } else {
        wk_text_bytes(t, "<", 1);
        wk_text_type(w, t, type);
        wk_text_bytes(t, ">", 1);
    }
}

static void
str_content(struct wk *w, struct wk_text *t, wk_addr object)
{
    struct wk_str s;

    if (!wk_str_view(w, object, &s))
        return;
    if (w->redact && !wk_is_open(w, object)) {
        wk_text_data(w, t, object, UINT32_MAX);
    } else if (s.ascii) {
        t->bytes = s.data;
        t->len = s.length < w->content_limit ? (uint32_t)s.length : w->content_limit;
        t->whole = s.length > t->len ? s.length : 0;
    } else if (wk_text_str(w, t, object, w->content_limit) != 0)
        t->whole = s.length;
}

static void
bytes_content(struct wk *w, struct wk_text *t, wk_addr start, uint64_t n)
{
    if (w->redact) {
        wk_redact_bytes(w, t, (const void *)(uintptr_t)start, start == 0 ? 0 : n);
        return;
    }
    t->bytes = (const uint8_t *)(uintptr_t)start;
    t->len = start == 0 ? 0 : n < w->content_limit ? (uint32_t)n : w->content_limit;
    t->whole = n > t->len ? n : 0;
}

static void
dict_content(struct wk *w, struct wk_text *t, wk_addr object)
{
    struct wk_dict d;
    wk_addr key, value;
    uint64_t shown = 0, used = WK_U64(object, WK_DICT_USED);
    uint32_t end = 0; /* of the last key that fitted whole */

    if (!wk_dict_view(w, object, &d))
        return;
    for (uint64_t i = 0; i < d.n && !t->full; i++) {
        if (!wk_dict_entry(&d, i, &key, &value))
            continue;
        if (shown != 0)
            wk_text_bytes(t, ",", 1);
        if (wk_is_str(key)) {
            if (wk_text_data(w, t, key, KEY_MAX) != 0)
                wk_text_cstr(t, "…");
        } else
            wk_text_value(w, t, key);
        if (t->full || t->len > w->content_limit)
            break;
        end = t->len;
        shown++;
    }
    if (shown < used) {
        t->len = end != 0 ? end : t->len;
        t->whole = used;
    }
}

static void
module_content(struct wk *w, struct wk_text *t, wk_addr object)
{
    wk_addr name = WK_U64(object, w->facts.module_name), dict = WK_U64(object, w->facts.module_dict);

    if (!wk_is_str(name))
        name = dict != 0 ? wk_dict_get(w, dict, "__name__") : 0;
    wk_text_str(w, t, name, UINT32_MAX);
}

static void
weakref_content(struct wk *w, struct wk_text *t, wk_addr object)
{
    wk_addr target = WK_U64(object, w->facts.weakref_object);

    if (target == 0 || target == wk_symbol(w, WK_SYM_NONE))
        wk_text_cstr(t, "dead");
    else
        wk_text_type(w, t, wk_has_flag(target, WK_TPF_TYPE) ? target : wk_type_address(target));
}

static void
values_text(struct wk *w, struct wk_text *t, const wk_addr *values, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (i != 0)
            wk_text_cstr(t, ", ");
        wk_text_value(w, t, values[i]);
    }
    wk_text_bytes(t, ")", 1);
}

static void
slice_content(struct wk *w, struct wk_text *t, wk_addr object)
{
    const struct wk_facts *f = &w->facts;
    wk_addr values[3] = {WK_U64(object, f->slice_start), WK_U64(object, f->slice_stop), WK_U64(object, f->slice_step)};

    wk_text_cstr(t, "slice(");
    values_text(w, t, values, 3);
}

static void
range_content(struct wk *w, struct wk_text *t, wk_addr object)
{
    const struct wk_facts *f = &w->facts;
    wk_addr values[3] = {WK_U64(object, f->range_start), WK_U64(object, f->range_stop), WK_U64(object, f->range_step)};
    struct wk_int step;
    uint64_t one = 0;
    bool plain = wk_int_u64(w, values[2], &one) && one == 1 && wk_int_view(w, values[2], &step) && !step.negative;

    wk_text_cstr(t, "range(");
    values_text(w, t, values, plain ? 2 : 3);
}

/* As between the parentheses of repr(); a single text without its quotes, as str(). */
static void
exception_content(struct wk *w, struct wk_text *t, wk_addr object)
{
    wk_addr args = WK_U64(object, w->facts.exc_args);

    if (args == 0 || !wk_has_flag(args, WK_TPF_TUPLE))
        return;
    uint64_t n = wk_tuple_size(args);
    if (n == 1 && wk_is_str(wk_tuple_item(w, args, 0))) {
        wk_text_data(w, t, wk_tuple_item(w, args, 0), UINT32_MAX);
        return;
    }
    for (uint64_t i = 0; i < n && i < ARGS_MAX; i++) {
        if (i != 0)
            wk_text_cstr(t, ", ");
        wk_text_value(w, t, wk_tuple_item(w, args, i));
    }
    if (n > ARGS_MAX)
        wk_text_cstr(t, ", …");
}

static void
redacted_int(struct wk *w, struct wk_text *t, wk_addr object)
{
    struct wk_int v;

    if (!wk_int_view(w, object, &v))
        return;
    if (v.negative)
        wk_text_bytes(t, "-", 1);
    wk_redact_bytes(w, t, (const void *)(uintptr_t)v.digits, 4 * v.n);
}

/* The buffer has room to spare; no content is longer than asked for, nor ends inside a character. */
static void
cut(const struct wk *w, struct wk_text *t)
{
    uint32_t n = w->content_limit;

    if (t->len <= n || t->bytes != t->buf)
        return;
    while (n > 0 && (t->buf[n] & 0xc0) == 0x80)
        n--;
    t->len = n;
}

void
wk_content(struct wk *w, const struct wk_type *type, wk_addr object)
{
    const struct wk_facts *f = &w->facts;
    struct wk_text *t = &w->text;
    wk_addr value;

    switch ((enum wk_content)type->content) {
    case WK_CONTENT_NOTHING:
        break;
    case WK_CONTENT_STR:
        str_content(w, t, object);
        break;
    case WK_CONTENT_BYTES:
        bytes_content(w, t, object + f->bytes_data, WK_U64(object, WK_OB_SIZE));
        break;
    case WK_CONTENT_BYTEARRAY:
        bytes_content(w, t, WK_U64(object, f->bytearray_start), WK_U64(object, WK_OB_SIZE));
        break;
    case WK_CONTENT_INT:
        if (w->redact) {
            redacted_int(w, t, object);
            break;
        }
        wk_text_long(w, t, object);
        if (t->len > w->content_limit && t->whole == 0)
            t->whole = t->len;
        break;
    case WK_CONTENT_BOOL:
    case WK_CONTENT_NONE:
        wk_text_value(w, t, object);
        break;
    case WK_CONTENT_FLOAT:
        wk_text_double(t, WK_U64(object, f->float_value));
        if (w->redact)
            wk_redact_tail(w, t, 0);
        break;
    case WK_CONTENT_COMPLEX:
        wk_text_complex(t, WK_U64(object, f->complex_value), WK_U64(object, f->complex_value + 8));
        if (w->redact)
            wk_redact_tail(w, t, 0);
        break;
    case WK_CONTENT_DICT:
        dict_content(w, t, object);
        break;
    case WK_CONTENT_TYPE:
        wk_text_type(w, t, object);
        break;
    case WK_CONTENT_MODULE:
        module_content(w, t, object);
        break;
    case WK_CONTENT_FUNCTION:
    case WK_CONTENT_METHOD:
    case WK_CONTENT_BUILTIN:
    case WK_CONTENT_PARTIAL:
        wk_text_callable(w, t, object);
        break;
    case WK_CONTENT_CODE:
        wk_content_code(w, t, object);
        break;
    case WK_CONTENT_FRAME:
        wk_content_frame(w, t, object);
        break;
    case WK_CONTENT_GENERATOR:
        wk_text_generator(w, t, object, true);
        break;
    case WK_CONTENT_CELL:
        value = WK_U64(object, f->cell_ref);
        if (value != 0)
            wk_text_value(w, t, value);
        else
            wk_text_cstr(t, "empty");
        break;
    case WK_CONTENT_WEAKREF:
        weakref_content(w, t, object);
        break;
    case WK_CONTENT_SLICE:
        slice_content(w, t, object);
        break;
    case WK_CONTENT_RANGE:
        range_content(w, t, object);
        break;
    case WK_CONTENT_EXCEPTION:
        exception_content(w, t, object);
        break;
    case WK_CONTENT_TASK:
    case WK_CONTENT_FUTURE:
    case WK_CONTENT_PY_TASK:
    case WK_CONTENT_PY_FUTURE:
    case WK_CONTENT_HANDLE:
        wk_content_asyncio(w, t, type, object);
        break;
    case WK_CONTENT_DATE:
    case WK_CONTENT_DATETIME:
    case WK_CONTENT_TIME:
    case WK_CONTENT_TIMEDELTA:
    case WK_CONTENT_UUID:
    case WK_CONTENT_DECIMAL:
    case WK_CONTENT_PATH:
    case WK_CONTENT_THREAD:
    case WK_CONTENT_LOGGER:
    case WK_CONTENT_ENUM:
    case WK_CONTENT_FRACTION:
    case WK_CONTENT_PATTERN:
    case WK_CONTENT_ZONE:
    case WK_CONTENT_ZONEINFO:
    case WK_CONTENT_IPV4:
    case WK_CONTENT_VAR:
        wk_content_library(w, t, type, object);
        break;
    case WK_CONTENT_FILE:
    case WK_CONTENT_SOCKET:
    case WK_CONTENT_LOCK:
    case WK_CONTENT_RLOCK:
    case WK_CONTENT_EVENT:
    case WK_CONTENT_PROCESS:
    case WK_CONTENT_DEQUE:
    case WK_CONTENT_ARRAY:
    case WK_CONTENT_BYTESIO:
        wk_content_handle(w, t, type, object);
        break;
    }
    cut(w, t);
}
