// SPDX-License-Identifier: MIT
/* Values of the standard library's small classes, in the text that str() gives. */
#include "wk-contents.h"

enum {
    VAR_NAME = WK_HEAD,          /* Include/internal/pycore_context.h, PyContextVar.var_name */
    PATTERN_TEXT = WK_HEAD + 32, /* Modules/_sre, PatternObject.pattern */
};

static void
padded(struct wk_text *t, uint64_t value, unsigned width)
{
    uint64_t least = 1;

    for (unsigned i = 1; i < width; i++)
        least *= 10;
    for (; least > 1 && value < least; least /= 10)
        wk_text_bytes(t, "0", 1);
    wk_text_uint(t, value);
}

static void
date_text(struct wk_text *t, wk_addr data)
{
    padded(t, (uint64_t)WK_U8(data, 0) << 8 | WK_U8(data, 1), 4);
    wk_text_bytes(t, "-", 1);
    padded(t, WK_U8(data, 2), 2);
    wk_text_bytes(t, "-", 1);
    padded(t, WK_U8(data, 3), 2);
}

static void
time_text(struct wk_text *t, wk_addr data)
{
    uint64_t microseconds = (uint64_t)WK_U8(data, 3) << 16 | (uint64_t)WK_U8(data, 4) << 8 | WK_U8(data, 5);

    for (unsigned i = 0; i < 3; i++) {
        if (i != 0)
            wk_text_bytes(t, ":", 1);
        padded(t, WK_U8(data, i), 2);
    }
    if (microseconds != 0) {
        wk_text_bytes(t, ".", 1);
        padded(t, microseconds, 6);
    }
}

/* Offset of a datetime.timezone, which is a number; other zones would have to be asked. */
static void
zone_text(struct wk *w, struct wk_text *t, wk_addr zone)
{
    wk_addr type = zone != 0 ? wk_type_address(zone) : 0, delta;
    int64_t seconds;

    if (type == 0 || !wk_type_descends(w, type, "datetime", "timezone"))
        return;
    delta = WK_U64(zone, w->facts.timezone_offset);
    seconds = (int64_t)WK_I32(delta, w->facts.delta_days) * 86400 + WK_I32(delta, w->facts.delta_seconds);
    wk_text_bytes(t, seconds < 0 ? "-" : "+", 1);
    seconds = seconds < 0 ? -seconds : seconds;
    padded(t, (uint64_t)seconds / 3600, 2);
    wk_text_bytes(t, ":", 1);
    padded(t, (uint64_t)seconds / 60 % 60, 2);
    if (seconds % 60 != 0) {
        wk_text_bytes(t, ":", 1);
        padded(t, (uint64_t)seconds % 60, 2);
    }
}

static void
timedelta_text(struct wk *w, struct wk_text *t, wk_addr object)
{
    int64_t days = WK_I32(object, w->facts.delta_days);
    uint64_t seconds = WK_U32(object, w->facts.delta_seconds), micro = WK_U32(object, w->facts.delta_microseconds);

    if (days != 0) {
        wk_text_int(t, days);
        wk_text_cstr(t, days == 1 || days == -1 ? " day, " : " days, ");
    }
    wk_text_uint(t, seconds / 3600);
    wk_text_bytes(t, ":", 1);
    padded(t, seconds / 60 % 60, 2);
    wk_text_bytes(t, ":", 1);
    padded(t, seconds % 60, 2);
    if (micro != 0) {
        wk_text_bytes(t, ".", 1);
        padded(t, micro, 6);
    }
}

static void
uuid_text(struct wk *w, struct wk_text *t, wk_addr object)
{
    wk_addr number = wk_attribute(w, object, "int");
    unsigned __int128 value = 0;
    struct wk_int v;

    if (number == 0 || !wk_has_flag(number, WK_TPF_LONG) || !wk_int_view(w, number, &v) || v.n > 9)
        return;
    for (uint64_t i = v.n; i-- > 0;)
        value = value << v.bits | WK_U32(v.digits, 4 * i);
    for (unsigned i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            wk_text_bytes(t, "-", 1);
        wk_text_bytes(t, &"0123456789abcdef"[(unsigned)(value >> (124 - 4 * i)) & 15], 1);
    }
}

/* A decimal's coefficient: words of 19 digits each, least significant first. */
static char
decimal_digit(const struct wk *w, wk_addr object, uint64_t i)
{
    uint64_t word = WK_U64(WK_U64(object, w->facts.decimal_data), 8 * (i / 19));

    for (i %= 19; i > 0; i--)
        word /= 10;
    return (char)('0' + word % 10);
}

/* to-scientific-string of the General Decimal Arithmetic Specification */
static void
decimal_text(struct wk *w, struct wk_text *t, wk_addr object)
{
    uint8_t flags = WK_U8(object, w->facts.decimal_flags);
    int64_t exponent = WK_I64(object, w->facts.decimal_exponent), digits = WK_I64(object, w->facts.decimal_digits);
    int64_t adjusted, point;

    if (flags & 1)
        wk_text_bytes(t, "-", 1);
    if (flags & 2)
        wk_text_cstr(t, "Infinity");
    if (flags & 4)
        wk_text_cstr(t, "NaN");
    if (flags & 8)
        wk_text_cstr(t, "sNaN");
    if ((flags & 14) || digits <= 0 || digits > 1 << 30 || digits > 19 * WK_I64(object, w->facts.decimal_words))
        return;
    adjusted = exponent + digits - 1;
    bool plain = exponent <= 0 && adjusted >= -6;
    point = plain ? digits + exponent : 1; /* digits before the point */
    if (point <= 0) {
        wk_text_cstr(t, "0.");
        for (int64_t i = point; i < 0; i++)
            wk_text_bytes(t, "0", 1);
    }
    for (int64_t i = 0; i < digits && !t->full; i++) {
        char digit = decimal_digit(w, object, (uint64_t)(digits - 1 - i));
        if (i == point && point > 0)
            wk_text_bytes(t, ".", 1);
        wk_text_bytes(t, &digit, 1);
    }
    if (!plain) {
        wk_text_cstr(t, adjusted < 0 ? "E" : "E+");
        wk_text_int(t, adjusted);
    }
}

/* Parts joined by slashes; the first already ends in one when the path is absolute. */
static void
parts_text(struct wk *w, struct wk_text *t, wk_addr parts, bool rooted)
{
    bool list = wk_has_flag(parts, WK_TPF_LIST);
    uint64_t n = list || wk_has_flag(parts, WK_TPF_TUPLE) ? WK_U64(parts, WK_OB_SIZE) : 0;
    wk_addr items = list ? WK_U64(parts, w->facts.list_items) : parts + w->facts.tuple_items;

    for (uint64_t i = 0; i < n && !t->full; i++) {
        if (i > (rooted ? 1u : 0u))
            wk_text_bytes(t, "/", 1);
        wk_text_str(w, t, WK_U64(items, 8 * i), UINT32_MAX);
    }
}

static void
path_text(struct wk *w, struct wk_text *t, wk_addr object)
{
    wk_addr text = wk_attribute(w, object, "_str"), parts = wk_attribute(w, object, "_parts"), root;
    struct wk_str s;

    if (wk_is_str(text)) { /* made when it was first asked for */
        wk_text_str(w, t, text, UINT32_MAX);
        return;
    }
    root = wk_attribute(w, object, "_root");
    if (parts != 0)
        parts_text(w, t, parts, wk_is_str(root) && wk_str_view(w, root, &s) && s.length != 0);
    else
        parts_text(w, t, wk_attribute(w, object, "_raw_paths"), false);
}

static void
attribute_text(struct wk *w, struct wk_text *t, wk_addr object, const char *name)
{
    wk_addr text = wk_attribute(w, object, name);

    if (wk_is_str(text))
        wk_text_data(w, t, text, UINT32_MAX);
}

/* As str() has it, and the value. */
static void
enum_text(struct wk *w, struct wk_text *t, wk_addr object)
{
    wk_addr name = wk_attribute(w, object, "_name_"), value = wk_attribute(w, object, "_value_");
    wk_addr qualname = WK_U64(wk_type_address(object), w->facts.heaptype_qualname);

    if (wk_is_str(qualname))
        wk_text_str(w, t, qualname, HF_NAME_MAX);
    wk_text_bytes(t, ".", 1);
    if (wk_is_str(name))
        wk_text_str(w, t, name, HF_NAME_MAX);
    if (value != 0) {
        wk_text_cstr(t, ": ");
        wk_text_value(w, t, value);
    }
}

static void
fraction_text(struct wk *w, struct wk_text *t, wk_addr object)
{
    wk_addr over = wk_attribute(w, object, "_numerator"), under = wk_attribute(w, object, "_denominator");
    uint64_t one = 0;

    if (!wk_has_flag(over, WK_TPF_LONG) || !wk_has_flag(under, WK_TPF_LONG))
        return;
    wk_text_long(w, t, over);
    if (wk_int_u64(w, under, &one) && one == 1)
        return;
    wk_text_bytes(t, "/", 1);
    wk_text_long(w, t, under);
}

static void
ipv4_text(struct wk *w, struct wk_text *t, wk_addr object)
{
    wk_addr number = wk_attribute(w, object, "_ip");
    uint64_t value;

    if (number == 0 || !wk_int_u64(w, number, &value))
        return;
    for (unsigned i = 0; i < 4; i++) {
        if (i != 0)
            wk_text_bytes(t, ".", 1);
        wk_text_uint(t, value >> (24 - 8 * i) & 255);
    }
}

static void
pattern_text(struct wk *w, struct wk_text *t, wk_addr pattern)
{
    if (wk_is_str(pattern))
        wk_text_data(w, t, pattern, UINT32_MAX);
    else if (wk_has_flag(pattern, WK_TPF_BYTES) && w->redact)
        wk_redact_bytes(w, t, (const void *)(uintptr_t)(pattern + w->facts.bytes_data), WK_U64(pattern, WK_OB_SIZE));
    else if (wk_has_flag(pattern, WK_TPF_BYTES))
        wk_text_bytes(t, (const void *)(uintptr_t)(pattern + w->facts.bytes_data), WK_U64(pattern, WK_OB_SIZE));
}

void
wk_content_library(struct wk *w, struct wk_text *t, const struct wk_type *type, wk_addr object)
{
    const struct wk_facts *f = &w->facts;
    uint32_t start = t->len;

    switch (type->content) {
    case WK_CONTENT_DATE:
        date_text(t, object + f->date_data);
        break;
    case WK_CONTENT_DATETIME:
        date_text(t, object + f->datetime_data);
        wk_text_bytes(t, " ", 1);
        time_text(t, object + f->datetime_data + 4);
        if (WK_U8(object, f->time_hastz) != 0)
            zone_text(w, t, WK_U64(object, f->datetime_tz));
        break;
    case WK_CONTENT_TIME:
        time_text(t, object + f->time_data);
        if (WK_U8(object, f->time_hastz) != 0)
            zone_text(w, t, WK_U64(object, f->time_tz));
        break;
    case WK_CONTENT_TIMEDELTA:
        timedelta_text(w, t, object);
        break;
    case WK_CONTENT_UUID:
        uuid_text(w, t, object);
        break;
    case WK_CONTENT_DECIMAL:
        decimal_text(w, t, object);
        break;
    case WK_CONTENT_PATH:
        path_text(w, t, object);
        break;
    case WK_CONTENT_THREAD:
        attribute_text(w, t, object, "_name");
        return;
    case WK_CONTENT_LOGGER:
        attribute_text(w, t, object, "name");
        return;
    case WK_CONTENT_ZONEINFO:
        attribute_text(w, t, object, "key");
        return;
    case WK_CONTENT_ENUM: /* the value alone is data */
        enum_text(w, t, object);
        return;
    case WK_CONTENT_VAR:
        wk_text_str(w, t, WK_U64(object, VAR_NAME), UINT32_MAX);
        return;
    case WK_CONTENT_PATTERN:
        pattern_text(w, t, WK_U64(object, PATTERN_TEXT));
        return;
    case WK_CONTENT_FRACTION:
        fraction_text(w, t, object);
        break;
    case WK_CONTENT_IPV4:
        ipv4_text(w, t, object);
        break;
    case WK_CONTENT_ZONE:
        zone_text(w, t, object);
        return;
    default:
        break;
    }
    if (w->redact)
        wk_redact_tail(w, t, start);
}
