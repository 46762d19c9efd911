// SPDX-License-Identifier: MIT
#include <heapfile/digits.h>
#include <heapfile/put.h>
#include "wk-objects.h"

#define CSTR_MAX 512

void
wk_text_init(struct wk *w, struct wk_text *t, uint32_t cap)
{
    *t = (struct wk_text){.buf = wk_alloc(w, cap), .cap = cap};
    t->bytes = t->buf;
}

void
wk_text_reset(struct wk_text *t)
{
    t->bytes = t->buf;
    t->len = 0;
    t->whole = 0;
    t->full = false;
}

void
wk_text_bytes(struct wk_text *t, const void *bytes, size_t n)
{
    const uint8_t *from = bytes;

    if (n > t->cap - t->len) {
        n = t->cap - t->len;
        while (n > 0 && (from[n] & 0xc0) == 0x80)
            n--;
        t->full = true;
    }
    hf_put_bytes(t->buf + t->len, from, n);
    t->len += (uint32_t)n;
}

void
wk_text_cstr(struct wk_text *t, const char *s)
{
    size_t n = 0;

    while (n < CSTR_MAX && s[n] != '\0')
        n++;
    wk_text_bytes(t, s, n);
}

void
wk_text_uint(struct wk_text *t, uint64_t v)
{
    if (wk_likely(t->cap - t->len >= HF_DIGITS_ROOM)) {
        t->len = (uint32_t)(hf_put_uint(t->buf + t->len, v) - t->buf);
    } else {
        uint8_t digits[HF_DIGITS_ROOM];
        wk_text_bytes(t, digits, (size_t)(hf_put_uint(digits, v) - digits));
    }
}

void
wk_text_int(struct wk_text *t, int64_t v)
{
    if (v < 0)
        wk_text_bytes(t, "-", 1);
    wk_text_uint(t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void
wk_text_hex(struct wk_text *t, uint64_t v)
{
    uint8_t digits[18];
    unsigned n = sizeof digits;

    do
        digits[--n] = (uint8_t)("0123456789abcdef"[v & 15]);
    while ((v >>= 4) != 0);
    digits[--n] = 'x';
    digits[--n] = '0';
    wk_text_bytes(t, digits + n, sizeof digits - n);
}

/* Lone surrogates become three bytes each, as the format says. */
static unsigned
encode(uint8_t out[4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 63));
        out[2] = (uint8_t)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | (c >> 18 & 7));
    out[1] = (uint8_t)(0x80 | (c >> 12 & 63));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 63));
    out[3] = (uint8_t)(0x80 | (c & 63));
    return 4;
}

uint32_t
wk_str_character(const struct wk_str *s, uint64_t i)
{
    switch (s->width) {
    case 1:
        return s->data[i];
    case 2:
        return ((const uint16_t *)(const void *)s->data)[i];
    default:
        return ((const uint32_t *)(const void *)s->data)[i];
    }
}

uint64_t
wk_text_str(struct wk *w, struct wk_text *t, wk_addr str, uint32_t limit)
{
    struct wk_str s;
    uint8_t utf8[4];
    uint64_t i = 0;

    if (!wk_is_str(str) || !wk_str_view(w, str, &s))
        return 0;
    uint32_t room = t->cap - t->len < limit ? t->cap - t->len : limit;
    if (s.ascii) {
        i = s.length < room ? s.length : room;
        wk_text_bytes(t, s.data, i);
    } else {
        for (; i < s.length; i++) {
            unsigned n = encode(utf8, wk_str_character(&s, i));
            if (n > room)
                break;
            wk_text_bytes(t, utf8, n);
            room -= n;
        }
    }
    return s.length - i;
}

void
wk_text_tail(struct wk *w, struct wk_text *t, wk_addr str, uint32_t room)
{
    struct wk_str s;
    uint8_t utf8[4];
    uint64_t i, slash;

    if (!wk_is_str(str) || !wk_str_view(w, str, &s))
        return;
    if (s.length <= room / 4 || (s.ascii && s.length <= room)) {
        wk_text_str(w, t, str, UINT32_MAX);
        return;
    }
    for (i = s.length; i > 0; i--) {
        unsigned n = encode(utf8, wk_str_character(&s, i - 1));
        if (n + 3 > room)
            break;
        room -= n;
    }
    for (slash = i; slash < s.length && wk_str_character(&s, slash) != '/';)
        slash++;
    i = slash < s.length && i != 0 ? slash : i;
    if (i != 0)
        wk_text_cstr(t, "…");
    for (; i < s.length; i++)
        wk_text_bytes(t, utf8, encode(utf8, wk_str_character(&s, i)));
}

/* As between the quotes of repr(): what reads back as the same text, whatever the characters are. */
uint64_t
wk_text_quoted(struct wk *w, struct wk_text *t, wk_addr str, uint32_t limit)
{
    struct wk_str s;
    uint8_t out[4];
    uint64_t i = 0;

    if (!wk_is_str(str) || !wk_str_view(w, str, &s))
        return 0;
    uint32_t end = t->cap - t->len < limit ? t->cap : t->len + limit;
    for (; i < s.length; i++) {
        uint32_t c = wk_str_character(&s, i);
        if (t->len + 6 > end)
            break;
        if (c == '\\' || c == '\'') {
            out[0] = '\\';
            out[1] = (uint8_t)c;
            wk_text_bytes(t, out, 2);
        } else if (c == '\n') {
            wk_text_bytes(t, "\\n", 2);
        } else if (c < 0x20 || c == 0x7f) {
            wk_text_bytes(t, "\\x", 2);
            out[0] = (uint8_t)("0123456789abcdef"[c >> 4]);
            out[1] = (uint8_t)("0123456789abcdef"[c & 15]);
            wk_text_bytes(t, out, 2);
        } else {
            wk_text_bytes(t, out, encode(out, c));
        }
    }
    return s.length - i;
}
