// SPDX-License-Identifier: MIT
#pragma once
/*
 * Most objects of most heaps are short texts, ints and floats: no references, one small block, a size that follows from one number. Their
 * rows are put together straight from the object. Whatever is unusual about one of them is left to write_object(), which
 * writes the same row where both can.
 */
#include <heapfile/put.h>
#include "contents/wk-contents.h"
#include "wk-digits.h"
#include "wk-objects.h"
#include "wk-types.h"

enum wk_atom {
    WK_ATOM_NONE = 0,
    WK_ATOM_STR,
    WK_ATOM_INT,
    WK_ATOM_FLOAT,
    WK_ATOM_BYTES,
};

void wk_atom_prepare(struct wk *w, struct wk_type *type); /* last of all that is asked of a type */

/* False: nothing was written. w->current is set: reading may fault. */
static inline bool
wk_atom_write(struct wk *w, const struct wk_type *type, wk_addr object)
{
    const struct wk_facts *f = &w->facts;
    const struct hf_writer *out = &w->out;
    uint64_t refcount, n, size, value = 0;
    uint32_t flags = HF_OBJ_CONTENT;
    const uint8_t *content = NULL;
    bool negative = false;

    flags |= wk_likely(wk_refcount(w, object, &refcount)) ? HF_OBJ_REFCOUNT : HF_OBJ_IMMORTAL;
    if (type->atom == WK_ATOM_STR) {
        uint32_t state = WK_U32(object, WK_STR_STATE);
        n = WK_U64(object, WK_STR_LENGTH);
        if (n > type->atom_max || (state & WK_STR_PLAIN) != WK_STR_PLAIN ||
            (type->atom_old && WK_U64(object, WK_STR_WSTR) != 0))
            return false;
        size = f->str_ascii + n + 1;
        content = (const uint8_t *)(uintptr_t)object + f->str_ascii;
        flags |= (state & WK_STR_INTERNED) != 0 ? HF_OBJ_INTERNED : 0;
    } else if (type->atom == WK_ATOM_INT) {
        if (f->int_tagged) {
            uint64_t tag = WK_U64(object, WK_INT_TAG);
            n = tag >> 3;
            negative = (tag & 3) == 2;
        } else {
            int64_t signed_n = WK_I64(object, WK_OB_SIZE);
            negative = signed_n < 0;
            n = negative ? 0 - (uint64_t)signed_n : (uint64_t)signed_n;
        }
        if (n > 2)
            return false;
        /* The second digit lies in the same block of the allocator, whether it counts or not. */
        value = n == 0 ? 0 : WK_U32(object, WK_INT_DIGITS);
        if (n == 2)
            value |= (uint64_t)WK_U32(object, WK_INT_DIGITS + 4) << 30;
        size = WK_INT_DIGITS + 4 * (n == 0 && !type->atom_old ? 1 : n);
    } else if (type->atom == WK_ATOM_FLOAT) {
        n = 1;
        value = WK_U64(object, f->float_value);
        size = type->common;
    } else {
        n = WK_U64(object, WK_OB_SIZE);
        if (n > type->atom_max)
            return false;
        size = type->basic + n;
        content = (const uint8_t *)(uintptr_t)object + f->bytes_data;
    }
    uint8_t *p = hf_object_row_at(out);
    if (wk_unlikely(p == NULL))
        return false;
    if (wk_unlikely(content != NULL && n == 0))
        flags &= ~(uint32_t)HF_OBJ_CONTENT;
    flags |= size != type->common ? HF_OBJ_SIZE : 0;
    flags = hf_normal_flags(flags, refcount);
    p = hf_put_object_head(out, p, flags, object, type->id);
    if (flags & HF_OBJ_SIZE)
        p = hf_put_uv(p, size);
    if (flags & HF_OBJ_REFCOUNT)
        p = hf_put_uv(p, refcount);
    if (content != NULL) {
        if (wk_likely(n != 0))
            p = hf_put_bytes(hf_put_uv(p, n), content, n);
    } else {
        uint8_t *length = p++;
        if (type->atom == WK_ATOM_INT) {
            *p = '-';
            p = wk_put_uint(p + negative, value);
        } else {
            p = wk_put_double(p, value, true);
        }
        *length = (uint8_t)(p - length - 1);
    }
    hf_object_row_end(&w->out, p, object, 0);
    return true;
}
