// SPDX-License-Identifier: MIT
/* Text of int, float and complex. */
#include <heapfile/digits.h>
#include "wk-contents.h"

static void
double_text(struct wk_text *t, uint64_t bits, bool point_zero)
{
    uint8_t text[HF_DOUBLE_ROOM];

    wk_text_bytes(t, text, (size_t)(hf_put_double(text, bits, point_zero) - text));
}

void
wk_text_double(struct wk_text *t, uint64_t bits)
{
    double_text(t, bits, true);
}

/* As repr(): (1+2j), or 2j alone where the real part is +0. */
void
wk_text_complex(struct wk_text *t, uint64_t real, uint64_t imaginary)
{
    bool alone = real == 0;

    if (!alone) {
        wk_text_bytes(t, "(", 1);
        double_text(t, real, false);
        if (!(imaginary >> 63) || (imaginary << 1) > 0xffe0000000000000ull) /* nan has no sign */
            wk_text_bytes(t, "+", 1);
    }
    double_text(t, imaginary, false);
    wk_text_cstr(t, alone ? "j" : "j)");
}

bool
wk_int_view(const struct wk *w, wk_addr object, struct wk_int *out)
{
    const struct wk_facts *f = &w->facts;

    if (f->int_tagged) {
        uint64_t tag = WK_U64(object, f->int_tag);
        out->n = tag >> f->int_sign_bits;
        out->negative = (tag & 3) == 2;
    } else {
        int64_t n = WK_I64(object, WK_OB_SIZE);
        out->n = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
        out->negative = n < 0;
    }
    out->digits = object + f->int_digits;
    out->bits = f->int_digit_bits;
    return out->n < 1ull << 40;
}

bool
wk_int_u64(const struct wk *w, wk_addr object, uint64_t *out)
{
    struct wk_int v;
    unsigned __int128 value = 0;

    if (!wk_has_flag(object, WK_TPF_LONG) || !wk_int_view(w, object, &v) || v.n > 3)
        return false;
    for (uint64_t i = v.n; i-- > 0;)
        value = value << v.bits | WK_U32(v.digits, 4 * i);
    if (value >> 64 != 0)
        return false;
    *out = (uint64_t)value;
    return true;
}

bool
wk_int_bytes(struct wk *w, struct wk_text *t, wk_addr object)
{
    struct wk_int v;
    uint64_t value;

    if (!wk_int_view(w, object, &v))
        return true; /* nothing to show */
    if (!wk_int_u64(w, object, &value) || value >> 63 != 0)
        return false;
    unsigned n = wk_int_width(value);
    value = v.negative ? 0 - value : value;
    wk_text_bytes(t, &value, n);
    return true;
}

/* Decimal up to 64 bits, hexadecimal beyond. Digits of the type hold 30 or 15 bits; four bits at a time are cut across them. */
void
wk_text_long(struct wk *w, struct wk_text *t, wk_addr object)
{
    struct wk_int v;
    uint64_t value, bits;

    if (!wk_int_view(w, object, &v))
        return;
    if (v.negative)
        wk_text_bytes(t, "-", 1);
    if (v.n <= 2) { /* nearly all */
        value = v.n == 0 ? 0 : WK_U32(v.digits, 0);
        value |= v.n == 2 ? (uint64_t)WK_U32(v.digits, 4) << v.bits : 0;
        wk_text_uint(t, value);
        return;
    }
    if (wk_int_u64(w, object, &value)) {
        wk_text_uint(t, value);
        return;
    }
    wk_text_cstr(t, "0x");
    bits = (v.n - 1) * v.bits + 32 - (uint64_t)__builtin_clz(WK_U32(v.digits, 4 * (v.n - 1)) | 1);
    for (uint64_t nibble = (bits + 3) / 4; nibble-- > 0 && !t->full;) {
        uint64_t at = 4 * nibble, digit = at / v.bits;
        uint64_t pair = WK_U32(v.digits, 4 * digit);
        if (digit + 1 < v.n)
            pair |= (uint64_t)WK_U32(v.digits, 4 * (digit + 1)) << v.bits;
        wk_text_bytes(t, &"0123456789abcdef"[pair >> at % v.bits & 15], 1);
    }
    if (t->full)
        t->whole = (bits + 3) / 4 + 2 + v.negative;
}
