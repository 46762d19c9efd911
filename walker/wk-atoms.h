// SPDX-License-Identifier: MIT
#pragma once
/*
 * Most objects of most heaps are short texts, ints and floats: no references, one small block, a size that follows from one number. Their
 * rows are put together straight from the object. Whatever is unusual about one of them is left to write_object(), which
 * writes the same row where both can.
 */
#include <heapfile/put.h>
#include "arch/wk-arch.h"
#include "contents/wk-contents.h"
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

/* So many bytes are copied word by word. */
#define WK_SHORT 32u

/*
 * Words beyond the text's end are read, but none of another page, and none that a sanitizer would see: the object lies in the
 * target. What they hold is overwritten by what follows in the dump.
 */
static inline uint8_t *
wk_put_text(uint8_t *p, wk_addr text, uint64_t n)
{
    if (wk_unlikely(n > WK_SHORT || (text & 4095) > 4096 - WK_SHORT))
        return hf_put_bytes(p, (const void *)(uintptr_t)text, n);
    for (unsigned i = 0; i < WK_SHORT; i += 8)
        hf_store64(p + i, wk_arch_load(text + i));
    return p + n;
}

/* False: nothing was written. w->current is set: reading may fault. */
static inline bool
wk_atom_write(struct wk *w, const struct wk_type *type, wk_addr object)
{
    const struct wk_facts *f = &w->facts;
    const struct hf_writer *out = &w->out;
    uint8_t *p = hf_object_row_at(out);
    uint64_t refcount, n, value;
    uint32_t flags = HF_OBJ_CONTENT;

    if (wk_unlikely(p == NULL))
        return false;
    if (wk_unlikely(!wk_refcount(w, object, &refcount)))
        flags |= HF_OBJ_IMMORTAL;
    else if (refcount != 1)
        flags |= HF_OBJ_REFCOUNT;
    if (type->atom == WK_ATOM_INT) {
        bool negative;
        if (f->int_tagged) {
            uint64_t tag = WK_U64(object, WK_INT_TAG);
            n = tag >> 3;
            negative = (tag & 3) == 2;
        } else {
            int64_t signed_n = WK_I64(object, WK_OB_SIZE);
            negative = signed_n < 0;
            n = negative ? 0 - (uint64_t)signed_n : (uint64_t)signed_n;
        }
        if (wk_unlikely(n > 2))
            return false;
        /* The second digit lies in the same block of the allocator, whether it counts or not. */
        value = n == 0 ? 0 : WK_U32(object, WK_INT_DIGITS);
        if (n == 2)
            value |= (uint64_t)WK_U32(object, WK_INT_DIGITS + 4) << 30;
        uint64_t size = WK_INT_DIGITS + 4 * (n == 0 && !type->atom_old ? 1 : n);
        unsigned width = wk_int_width(value);
        value = negative ? 0 - value : value;
        if (size != type->common) {
            p = hf_put_object_head(out, p, flags | HF_OBJ_SIZE, object, type->id);
            *p++ = (uint8_t)size;
        } else {
            p = hf_put_object_head(out, p, flags, object, type->id);
        }
        if (flags & HF_OBJ_REFCOUNT)
            p = hf_put_uv(p, refcount);
        *p = (uint8_t)width;
        hf_store64(p + 1, value);
        p += 1 + width;
    } else if (type->atom == WK_ATOM_FLOAT) {
        value = WK_U64(object, f->float_value);
        p = hf_put_object_head(out, p, flags, object, type->id);
        if (flags & HF_OBJ_REFCOUNT)
            p = hf_put_uv(p, refcount);
        *p = sizeof value;
        hf_store64(p + 1, value);
        p += 1 + sizeof value;
    } else {
        wk_addr text;
        if (type->atom == WK_ATOM_STR) {
            uint32_t state = WK_U32(object, WK_STR_STATE);
            n = WK_U64(object, WK_STR_LENGTH);
            if ((state & WK_STR_PLAIN) != WK_STR_PLAIN || (type->atom_old && WK_U64(object, WK_STR_WSTR) != 0))
                return false;
            text = object + f->str_ascii;
            flags |= (state & WK_STR_INTERNED) != 0 ? HF_OBJ_INTERNED : 0;
        } else {
            n = WK_U64(object, WK_OB_SIZE);
            text = object + f->bytes_data;
        }
        if (wk_unlikely(n - 1 >= type->atom_max)) /* of none there is no content */
            return false;
        p = hf_put_object_head(out, p, flags, object, type->id);
        if (flags & HF_OBJ_REFCOUNT)
            p = hf_put_uv(p, refcount);
        p = wk_put_text(hf_put_uv(p, n), text, n);
    }
    hf_object_row_end(&w->out, p, object, 0);
    return true;
}
