// SPDX-License-Identifier: MIT
/* Elements of numpy's arrays that are objects, or structures with objects in them: as numpy/ndarraytypes.h has it, of numpy 1 and 2. */
#include <heapfile/digits.h>
#include "contents/wk-contents.h"
#include "wk-objects.h"
#include "wk-refs.h"

enum {
    /* PyArrayObject_fields, PyArray_Descr */
    ARRAY_DATA = WK_HEAD,
    ARRAY_DIMENSIONS = WK_HEAD + 8, /* how many */
    ARRAY_SIZES = WK_HEAD + 16,
    ARRAY_DESCR = WK_HEAD + 40,
    ARRAY_FLAGS = WK_HEAD + 48, /* 1: in the order of C, 2: of Fortran, 4: the data is its own */
    DESCR_NUMBER = WK_HEAD + 12,
    DESCR_SIZE = WK_HEAD + 16, /* of numpy 1; int */
    DESCR_SUBARRAY = WK_HEAD + 24,
    DESCR_FIELDS = WK_HEAD + 32,
    DESCR2_SIZE = WK_HEAD + 24,
    DESCR2_SUBARRAY = WK_HEAD + 72,
    DESCR2_FIELDS = WK_HEAD + 80,
    NUMBER_OF_OBJECTS = 17,
    NUMBER_OF_STRUCTURES = 20,
    DIMENSIONS_MAX = 64,
    ELEMENTS_MAX = 1 << 28,
    NAMED_MAX = 1024, /* elements of an array of several dimensions that get names, [i, j]: each is one in the dump */
    INDEX_WIDTH = 6,  /* characters of one below NAMED_MAX, and of what stands between two */
    PLACES_MAX = 128, /* of objects in a structure: what there are more shows as held from C */
    DESCRS_MAX = 32,  /* structures inside that are not read yet */
};

/* Where an element of an array has objects. */
struct places {
    uint32_t n, n_descrs;
    uint64_t at[PLACES_MAX];
    struct {
        wk_addr descr;
        uint64_t at;
    } descrs[DESCRS_MAX];
};

/* A place stands under its title, too. */
static void
add_place(struct places *p, uint64_t at)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (p->at[i] == at)
            return;
    if (p->n < PLACES_MAX)
        p->at[p->n++] = at;
}

static bool
is_dict(wk_addr object)
{
    return object >= 1 << 16 && object >> 47 == 0 && (object & 7) == 0 && wk_has_flag(object, WK_TPF_DICT);
}

static uint64_t
elements_of(wk_addr shape, const struct wk *w)
{
    uint64_t n = 1, size = 0;

    if (!wk_has_flag(shape, WK_TPF_TUPLE))
        return 0;
    for (uint64_t i = 0; i < wk_tuple_size(shape) && i < DIMENSIONS_MAX; i++) {
        wk_addr item = wk_tuple_item(w, shape, i);
        if (!wk_has_flag(item, WK_TPF_LONG) || !wk_int_u64(w, item, &size) || size > PLACES_MAX)
            return 0;
        n *= size;
        if (n > PLACES_MAX)
            return 0;
    }
    return n;
}

static void
add_descr(struct places *p, wk_addr descr, uint64_t at)
{
    if (p->n_descrs == DESCRS_MAX)
        return;
    p->descrs[p->n_descrs].descr = descr;
    p->descrs[p->n_descrs++].at = at;
}

/* size: of one element. False: not laid out as any numpy has it. */
static bool
places_of(struct wk *w, wk_addr descr, struct places *p, uint64_t *size)
{
    bool second = !is_dict(WK_U64(descr, DESCR_FIELDS));
    struct wk_dict d;
    wk_addr key, value;

    if (WK_U64(wk_type_address(descr), WK_TP_BASICSIZE) < (second ? DESCR2_FIELDS : DESCR_FIELDS) + 8u)
        return false;
    *size = second ? WK_U64(descr, DESCR2_SIZE) : WK_U32(descr, DESCR_SIZE);
    p->n = p->n_descrs = 0;
    add_descr(p, descr, 0);
    while (p->n_descrs > 0) {
        wk_addr one = p->descrs[--p->n_descrs].descr;
        uint64_t base = p->descrs[p->n_descrs].at, step = 0;
        wk_addr fields = WK_U64(one, second ? DESCR2_FIELDS : DESCR_FIELDS);
        wk_addr sub = WK_U64(one, second ? DESCR2_SUBARRAY : DESCR_SUBARRAY);

        if (WK_I32(one, DESCR_NUMBER) == NUMBER_OF_OBJECTS) {
            add_place(p, base);
        } else if (WK_I32(one, DESCR_NUMBER) != NUMBER_OF_STRUCTURES) {
            continue;
        } else if (sub != 0) { /* { dtype, shape } */
            wk_addr of = WK_U64(sub, 0);
            step = second ? WK_U64(of, DESCR2_SIZE) : WK_U32(of, DESCR_SIZE);
            for (uint64_t i = 0, n = elements_of(WK_U64(sub, 8), w); i < n; i++)
                add_descr(p, of, base + i * step);
        } else if (is_dict(fields) && wk_dict_view(w, fields, &d)) {
            for (uint64_t i = 0; i < d.n && i < PLACES_MAX; i++) {
                uint64_t offset = 0;
                if (wk_dict_entry(&d, i, &key, &value) && wk_has_flag(value, WK_TPF_TUPLE) &&
                    wk_tuple_size(value) >= 2 && wk_has_flag(wk_tuple_item(w, value, 1), WK_TPF_LONG) &&
                    wk_int_u64(w, wk_tuple_item(w, value, 1), &offset) && offset < *size)
                    add_descr(p, wk_tuple_item(w, value, 0), base + offset);
            }
        }
    }
    for (uint32_t i = 0; i < p->n; i++)
        if (p->at[i] + 8 > *size)
            return false;
    return true;
}

/* Structures may be packed: words that are read stand anywhere. */
static wk_addr
word_at(wk_addr at)
{
    return (wk_addr)WK_U32(at, 0) | (wk_addr)WK_U32(at, 4) << 32;
}

static void
structures(struct wk *w, wk_addr descr, wk_addr data, uint64_t n)
{
    struct wk_refs *r = &w->refs;
    struct places p;
    uint64_t size, bits = 0;

    if (!places_of(w, descr, &p, &size) || p.n == 0)
        return;
    if (n * p.n > ELEMENTS_MAX)
        wk_broken(w);
    wk_refs_room(w, n * p.n);
    for (uint64_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < p.n; k++) {
            wk_addr element = word_at(data + i * size + p.at[k]);
            bits |= element;
            r->addr[r->n] = element;
            r->n += element != 0;
        }
    if ((bits & WK_POINTER_NEVER) != 0)
        wk_broken(w);
}

/* As Python has it: [i, j]; [()] of an array without dimensions. */
static void
write_index(uint8_t *text, const uint64_t *index, uint32_t dimensions)
{
    *text++ = '[';
    if (dimensions == 0) {
        *text++ = '(';
        *text++ = ')';
    }
    for (uint32_t d = 0; d < dimensions; d++) {
        if (d > 0) {
            *text++ = ',';
            *text++ = ' ';
        }
        text = hf_put_uint(text, index[d]);
    }
    *text++ = ']';
    *text = '\0';
}

/* n: how many there are, NAMED_MAX at most. In the order of C the last index runs fastest, in that of Fortran the first. */
static void
named_elements(struct wk *w, wk_addr data, wk_addr sizes, uint32_t dimensions, bool fortran, uint64_t n)
{
    uint64_t index[DIMENSIONS_MAX] = {0};
    uint8_t text[DIMENSIONS_MAX * INDEX_WIDTH + HF_DIGITS_ROOM];

    for (uint64_t i = 0; i < n; i++) {
        wk_addr element = WK_U64(data, 8 * i);
        if ((element & WK_POINTER_NEVER) != 0)
            wk_broken(w);
        if (element != 0) {
            write_index(text, index, dimensions);
            wk_ref(w, element, wk_name(w, (const char *)text), WK_FIELD_HIDDEN);
        }
        for (uint32_t d = 0; d < dimensions; d++) {
            uint32_t at = fortran ? d : dimensions - 1 - d;
            if (++index[at] < WK_U64(sizes, 8 * at))
                break;
            index[at] = 0;
        }
    }
}

/* UNNAMED, INDEX, or NAMED: then each has its tag. */
enum hf_run_kind
wk_ndarray_items(struct wk *w, wk_addr array)
{
    struct wk_refs *r = &w->refs;
    wk_addr descr = WK_U64(array, ARRAY_DESCR), data = WK_U64(array, ARRAY_DATA), sizes = WK_U64(array, ARRAY_SIZES);
    uint32_t dimensions = WK_U32(array, ARRAY_DIMENSIONS), flags = WK_U32(array, ARRAY_FLAGS);
    int32_t number = descr != 0 ? WK_I32(descr, DESCR_NUMBER) : 0;
    uint64_t n = 1, bits = 0;

    if (data == 0 || (number != NUMBER_OF_OBJECTS && number != NUMBER_OF_STRUCTURES) || (flags & 3) == 0 ||
        (flags & 4) == 0 || dimensions > DIMENSIONS_MAX)
        return HF_RUN_UNNAMED; /* a view's elements are its base's */
    for (uint32_t i = 0; i < dimensions; i++) {
        uint64_t size = WK_U64(sizes, 8 * i);
        if (size > ELEMENTS_MAX || n * size > ELEMENTS_MAX)
            wk_broken(w);
        n *= size;
    }
    if (number == NUMBER_OF_STRUCTURES) {
        structures(w, descr, data, n);
        return HF_RUN_UNNAMED;
    }
    if (dimensions != 1 && n <= NAMED_MAX) {
        named_elements(w, data, sizes, dimensions, (flags & 1) == 0, n);
        return HF_RUN_NAMED;
    }
    wk_refs_room(w, n);
    for (uint64_t i = 0; i < n; i++) {
        wk_addr element = WK_U64(data, 8 * i);
        bits |= element;
        r->addr[r->n] = element;
        r->n += element != 0;
    }
    if ((bits & WK_POINTER_NEVER) != 0)
        wk_broken(w);
    return dimensions == 1 && r->n == n ? HF_RUN_INDEX : HF_RUN_UNNAMED;
}
