// SPDX-License-Identifier: MIT
/* Names of types, and the contents of the interpreter's own types. */
#include "wk-contents.h"

enum {
    KEY_MAX = 64,    /* bytes of one key of a dict */
    VALUE_MAX = 200, /* bytes of one value among others */
    ARGS_MAX = 8,    /* of an exception */
};

void
wk_contents_init(struct wk *w)
{
    wk_at_hand_init(w);
    w->shown = wk_map(w, WK_SHOWN * sizeof *w->shown);
    if (w->redact)
        wk_open_names_init(w);
}

/* ---- names of types */

const char *
wk_type_static_name(wk_addr type, size_t *module_length)
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
    const char *name = wk_type_static_name(type, &module_length);

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

/*
 * Records made by the thousand have the same keys: their text is made once. Nothing changes during the walk, so the same addresses are the
 * same keys.
 */
static struct wk_shown *
shown_of(struct wk *w, const struct wk_dict *d, const wk_addr *keys)
{
    uint64_t hash = d->n;

    for (uint64_t i = 0; i < d->n; i++)
        hash = (hash ^ keys[i]) * 0x9e3779b97f4a7c15ull;
    return &w->shown[hash >> (64 - WK_SHOWN_BITS)];
}

static void
dict_content(struct wk *w, struct wk_text *t, wk_addr object)
{
    struct wk_dict d;
    struct wk_shown *known = NULL;
    wk_addr key, value, keys[WK_SHOWN_KEYS];
    uint64_t shown = 0, used = WK_U64(object, WK_DICT_USED);
    uint32_t end = 0; /* of the last key that fitted whole */

    if (!wk_dict_view(w, object, &d))
        return;
    if (used == d.n && d.n <= WK_SHOWN_KEYS && d.n != 0) {
        bool same = true;
        for (uint64_t i = 0; i < d.n; i++)
            keys[i] = WK_U64(d.entries, i * d.stride + d.key);
        known = shown_of(w, &d, keys);
        for (uint64_t i = 0; i < d.n; i++)
            same &= keys[i] == known->keys[i];
        if (same && known->n == d.n) {
            t->bytes = known->text;
            t->len = known->len;
            return;
        }
    }
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
    if (known != NULL && t->whole == 0 && t->len <= sizeof known->text && t->len <= w->content_limit) {
        known->n = (uint32_t)d.n;
        known->len = t->len;
        __builtin_memcpy(known->keys, keys, sizeof keys);
        __builtin_memcpy(known->text, t->buf, sizeof known->text);
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

/* As str() of it: a text without quotes. */
static void
text_or_value(struct wk *w, struct wk_text *t, wk_addr object)
{
    if (wk_is_str(object))
        wk_text_data(w, t, object, UINT32_MAX);
    else
        wk_text_value(w, t, object);
}

/* "[Errno 2] No such file or directory: 'name'", as str() of an OSError; members: where they stand. */
static bool
os_error_content(struct wk *w, struct wk_text *t, wk_addr object, uint64_t members)
{
    wk_addr number = WK_U64(object, members), text = WK_U64(object, members + 8);
    wk_addr file = WK_U64(object, members + 16), second = WK_U64(object, members + 24);

    if (number == 0 || text == 0)
        return false;
    wk_text_cstr(t, "[Errno ");
    text_or_value(w, t, number);
    wk_text_cstr(t, "] ");
    text_or_value(w, t, text);
    for (unsigned i = 0; i < 2 && file != 0; i++, file = second) {
        wk_text_cstr(t, i == 0 ? ": " : " -> ");
        wk_text_value(w, t, file);
        if (second == 0)
            break;
    }
    return true;
}

static void
plural(struct wk_text *t, const char *what, bool many)
{
    wk_text_cstr(t, what);
    wk_text_bytes(t, "s", many ? 1 : 0);
}

/* "text (2 sub-exceptions)" */
static bool
group_content(struct wk *w, struct wk_text *t, wk_addr object, uint64_t members)
{
    wk_addr text = WK_U64(object, members), of = WK_U64(object, members + 8);

    if (!wk_is_str(text) || of == 0 || !wk_has_flag(of, WK_TPF_TUPLE))
        return false;
    wk_text_data(w, t, text, UINT32_MAX);
    wk_text_cstr(t, " (");
    wk_text_uint(t, wk_tuple_size(of));
    plural(t, " sub-exception", wk_tuple_size(of) != 1);
    wk_text_bytes(t, ")", 1);
    return true;
}

/* "'utf-8' codec can't decode byte 0xff in position 7: invalid start byte"; not for eyes that may not see the byte. */
static bool
unicode_error_content(struct wk *w, struct wk_text *t, wk_addr object, uint64_t members, enum wk_exception_kind kind)
{
    wk_addr encoding = WK_U64(object, members - 8), of = WK_U64(object, members), reason = WK_U64(object, members + 24);
    uint64_t start = WK_U64(object, members + 8), end = WK_U64(object, members + 16), wrong;
    bool decode = kind == WK_EXCEPTION_DECODE, one = end == start + 1;
    struct wk_str s;

    if (w->redact || !wk_is_str(reason) || of == 0 || (kind != WK_EXCEPTION_TRANSLATE && !wk_is_str(encoding)))
        return false;
    if (decode ? !wk_has_flag(of, WK_TPF_BYTES) : !wk_is_str(of) || !wk_str_view(w, of, &s))
        return false;
    if (one && start >= (decode ? WK_U64(of, WK_OB_SIZE) : s.length))
        return false;
    if (kind != WK_EXCEPTION_TRANSLATE) {
        wk_text_value(w, t, encoding);
        wk_text_cstr(t, " codec ");
    }
    wk_text_cstr(t, decode ? "can't decode " : kind == WK_EXCEPTION_ENCODE ? "can't encode " : "can't translate ");
    plural(t, decode ? "byte" : "character", !one);
    if (one) {
        wrong = decode ? WK_U8(of, w->facts.bytes_data + start) : wk_str_character(&s, start);
        char kinds = decode || wrong < 0x100 ? 'x' : wrong < 0x10000 ? 'u' : 'U';
        wk_text_cstr(t, decode ? " 0" : " '\\");
        wk_text_bytes(t, &kinds, 1);
        for (int shift = kinds == 'x' ? 4 : kinds == 'u' ? 12 : 28; shift >= 0; shift -= 4)
            wk_text_bytes(t, &"0123456789abcdef"[wrong >> shift & 15], 1);
        wk_text_bytes(t, "'", decode ? 0 : 1);
    }
    wk_text_cstr(t, " in position ");
    wk_text_uint(t, start);
    if (!one) {
        wk_text_bytes(t, "-", 1);
        wk_text_int(t, (int64_t)end - 1);
    }
    wk_text_cstr(t, ": ");
    wk_text_data(w, t, reason, UINT32_MAX);
    return true;
}

static void
text_without_folders(struct wk *w, struct wk_text *t, wk_addr path)
{
    uint32_t start = t->len, name = start;

    wk_text_data(w, t, path, UINT32_MAX);
    for (uint32_t i = start; i < t->len; i++)
        if (t->buf[i] == '/')
            name = i + 1;
    for (uint32_t i = name; i < t->len; i++)
        t->buf[start + i - name] = t->buf[i];
    t->len -= name - start;
}

/* "invalid syntax (file.py, line 3)", as str() of a SyntaxError: the file's name without its folders. */
static bool
syntax_error_content(struct wk *w, struct wk_text *t, wk_addr object, uint64_t members)
{
    wk_addr text = WK_U64(object, members), file = WK_U64(object, members + 8), line = WK_U64(object, members + 16);
    bool has_line = line != 0 && wk_type_address(line) == wk_symbol(w, WK_SYM_TYPE_LONG), has_file = wk_is_str(file);

    text_or_value(w, t, text != 0 ? text : wk_symbol(w, WK_SYM_NONE));
    if (!has_line && !has_file)
        return true;
    wk_text_cstr(t, " (");
    if (has_file)
        text_without_folders(w, t, file);
    if (has_line) {
        wk_text_cstr(t, has_file ? ", line " : "line ");
        wk_text_long(w, t, line);
    }
    wk_text_bytes(t, ")", 1);
    return true;
}

/* False: its arguments are all that there is to tell. */
static bool
own_content(struct wk *w, struct wk_text *t, const struct wk_type *type, wk_addr object)
{
    uint64_t members = type->data[0];
    enum wk_exception_kind kind = (enum wk_exception_kind)type->data[1];

    switch (kind) {
    case WK_EXCEPTION_OS:
        return os_error_content(w, t, object, members);
    case WK_EXCEPTION_SYNTAX:
        return syntax_error_content(w, t, object, members);
    case WK_EXCEPTION_GROUP:
        return group_content(w, t, object, members);
    case WK_EXCEPTION_DECODE:
    case WK_EXCEPTION_ENCODE:
    case WK_EXCEPTION_TRANSLATE:
        return unicode_error_content(w, t, object, members, kind);
    case WK_EXCEPTION_OTHER:
    default:
        return false;
    }
}

/* As between the parentheses of repr(); a single text without its quotes, as str(). */
static void
exception_content(struct wk *w, struct wk_text *t, const struct wk_type *type, wk_addr object)
{
    wk_addr args = WK_U64(object, w->facts.exc_args);

    if (own_content(w, t, type, object))
        return;
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
    if (t->whole == 0)
        t->whole = t->len;
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
        if (wk_has_numbers(w, type) && wk_int_bytes(w, t, object))
            break;
        wk_text_long(w, t, object);
        if (t->len > w->content_limit && t->whole == 0)
            t->whole = t->len;
        break;
    case WK_CONTENT_BOOL:
    case WK_CONTENT_NONE:
        wk_text_value(w, t, object);
        break;
    case WK_CONTENT_FLOAT:
        if (wk_has_numbers(w, type)) {
            wk_text_bytes(t, (const void *)(uintptr_t)(object + f->float_value), 8);
            break;
        }
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
    case WK_CONTENT_GREENLET:
        wk_content_greenlet(w, t, object);
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
        exception_content(w, t, type, object);
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
