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
    NAMED_MAX = 1024, /* elements of an array that get names of their own: each is one in the dump */
    INDEX_WIDTH = 6,  /* characters of one below NAMED_MAX, and of what stands between two */
    PATH_MAX = 96,    /* bytes of a path in a structure: longer ones are not shown */
    FIELDS_MAX = 1 << 16,
    PLACES_MAX = 128, /* of objects in a structure: what there are more shows as held from C */
    DESCRS_MAX = 128, /* structures inside that are not read yet, and objects */
};

/* A place in an element, and how Python gets there: ['field'][0, 1]. */
struct place {
    uint64_t at;
    uint32_t length; /* of the path; PATH_MAX: longer than is shown */
    uint8_t path[PATH_MAX];
};

/* Where an element of an array has objects. */
struct wk_places {
    uint32_t n, n_descrs;
    struct place place[PLACES_MAX];
    struct {
        wk_addr descr;
        struct place place;
    } descrs[DESCRS_MAX];
};

static bool
is_dict(wk_addr object)
{
    return !wk_impossible(object) && wk_has_flag(object, WK_TPF_DICT);
}

/* As Python has it: [i, j]; [()] of an array without dimensions. */
static uint8_t *
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
    return text;
}

/* The next one; in the order of C the last index runs fastest, in that of Fortran the first. */
static void
next_index(uint64_t *index, const uint64_t *sizes, uint32_t dimensions, bool fortran)
{
    for (uint32_t d = 0; d < dimensions; d++) {
        uint32_t at = fortran ? d : dimensions - 1 - d;
        if (++index[at] < sizes[at])
            return;
        index[at] = 0;
    }
}

/* A path that is longer than there is room for is none. */
static void
append(struct place *p, const uint8_t *text, uint64_t n)
{
    for (uint64_t i = 0; i < n && p->length < PATH_MAX; i++)
        p->path[p->length++] = text[i];
}

static void
append_field(struct wk *w, struct place *p, wk_addr name)
{
    uint8_t buffer[2 * PATH_MAX];
    struct wk_text t = {.buf = buffer, .bytes = buffer, .cap = sizeof buffer};

    wk_text_cstr(&t, "['");
    if (w->redact && !wk_is_open(w, name))
        wk_text_data(w, &t, name, PATH_MAX);
    else if (wk_text_quoted(w, &t, name, PATH_MAX) != 0)
        t.len = sizeof buffer; /* not all of it */
    wk_text_cstr(&t, "']");
    append(p, buffer, t.len);
}

static bool
has_objects(wk_addr descr)
{
    int32_t number = WK_I32(descr, DESCR_NUMBER);

    return number == NUMBER_OF_OBJECTS || number == NUMBER_OF_STRUCTURES;
}

static void
add_descr(struct wk_places *p, wk_addr descr, const struct place *place)
{
    if (p->n_descrs == DESCRS_MAX)
        return;
    p->descrs[p->n_descrs].descr = descr;
    p->descrs[p->n_descrs++].place = *place;
}

/* What was put down last is taken first. */
static void
turn_round(struct wk_places *p, uint32_t first)
{
    for (uint32_t last = p->n_descrs; first + 1 < last; first++) {
        __typeof__(p->descrs[0]) one = p->descrs[first];
        p->descrs[first] = p->descrs[--last];
        p->descrs[last] = one;
    }
}

/* An array inside: { dtype, shape }. */
static void
add_subarray(struct wk *w, struct wk_places *p, wk_addr sub, bool second, const struct place *base)
{
    wk_addr of = WK_U64(sub, 0), shape = WK_U64(sub, 8);
    uint64_t step = second ? WK_U64(of, DESCR2_SIZE) : WK_U32(of, DESCR_SIZE), n = 1;
    uint64_t sizes[DIMENSIONS_MAX], index[DIMENSIONS_MAX] = {0};
    uint8_t text[DIMENSIONS_MAX * INDEX_WIDTH + HF_DIGITS_ROOM];
    uint64_t dimensions = wk_has_flag(shape, WK_TPF_TUPLE) ? wk_tuple_size(shape) : 0;

    if (dimensions > DIMENSIONS_MAX || !has_objects(of))
        return;
    for (uint64_t d = 0; d < dimensions; d++) {
        wk_addr size = wk_tuple_item(w, shape, d);
        if (!wk_int_u64(w, size, &sizes[d]) || sizes[d] > DESCRS_MAX || (n *= sizes[d]) > DESCRS_MAX)
            return;
    }
    uint32_t first = p->n_descrs;
    for (uint64_t i = 0; i < n; i++) {
        struct place place = *base;
        place.at += i * step;
        append(&place, text, (uint64_t)(write_index(text, index, (uint32_t)dimensions) - text));
        add_descr(p, of, &place);
        next_index(index, sizes, (uint32_t)dimensions, false);
    }
    turn_round(p, first);
}

static void
add_fields(struct wk *w, struct wk_places *p, const struct wk_dict *d, uint64_t size, const struct place *base)
{
    uint32_t first = p->n_descrs;
    wk_addr key, value;

    for (uint64_t i = 0; i < d->n && i < FIELDS_MAX; i++) {
        struct place place = *base;
        uint64_t offset;
        if (!wk_dict_entry(d, i, &key, &value) || !wk_has_flag(value, WK_TPF_TUPLE) || wk_tuple_size(value) < 2 ||
            (wk_tuple_size(value) > 2 && wk_tuple_item(w, value, 2) == key) || /* under its title, too */
            !wk_int_u64(w, wk_tuple_item(w, value, 1), &offset) || offset >= size ||
            !has_objects(wk_tuple_item(w, value, 0)))
            continue;
        place.at += offset;
        append_field(w, &place, key);
        add_descr(p, wk_tuple_item(w, value, 0), &place);
    }
    turn_round(p, first);
}

/* size: of one element. False: not laid out as any numpy has it. */
static bool
places_of(struct wk *w, wk_addr descr, struct wk_places *p, uint64_t *size)
{
    bool second = !is_dict(WK_U64(descr, DESCR_FIELDS));
    struct wk_dict d;

    if (WK_U64(wk_type_address(descr), WK_TP_BASICSIZE) < (second ? DESCR2_FIELDS : DESCR_FIELDS) + 8u)
        return false;
    *size = second ? WK_U64(descr, DESCR2_SIZE) : WK_U32(descr, DESCR_SIZE);
    p->n = p->n_descrs = 0;
    add_descr(p, descr, &(struct place){0});
    while (p->n_descrs > 0) {
        struct place place = p->descrs[--p->n_descrs].place;
        wk_addr one = p->descrs[p->n_descrs].descr;
        wk_addr fields = WK_U64(one, second ? DESCR2_FIELDS : DESCR_FIELDS);
        wk_addr sub = WK_U64(one, second ? DESCR2_SUBARRAY : DESCR_SUBARRAY);

        if (WK_I32(one, DESCR_NUMBER) == NUMBER_OF_OBJECTS) {
            if (p->n < PLACES_MAX)
                p->place[p->n++] = place;
        } else if (sub != 0) {
            add_subarray(w, p, sub, second, &place);
        } else if (is_dict(fields) && wk_dict_view(w, fields, &d)) {
            add_fields(w, p, &d, *size, &place);
        }
    }
    for (uint32_t i = 0; i < p->n; i++)
        if (*size < 8 || p->place[i].at > *size - 8)
            return false;
    return true;
}

/* Structures may be packed: words that are read stand anywhere. */
static wk_addr
word_at(wk_addr at)
{
    return (wk_addr)WK_U32(at, 0) | (wk_addr)WK_U32(at, 4) << 32;
}

/* An array's memory: n elements of so many bytes. */
struct elements {
    wk_addr data;
    uint64_t n, size;
    const struct wk_places *places;
    const uint64_t *sizes;
    uint32_t dimensions;
    bool fortran;
};

static void
unnamed(struct wk *w, const struct elements *e)
{
    struct wk_refs *r = &w->refs;
    const struct wk_places *p = e->places;
    uint64_t bits = 0;

    wk_refs_room(w, e->n * p->n);
    for (uint64_t i = 0; i < e->n; i++)
        for (uint32_t k = 0; k < p->n; k++) {
            wk_addr element = word_at(e->data + i * e->size + p->place[k].at);
            bits |= element;
            r->addr[r->n] = element;
            r->n += element != 0;
        }
    if ((bits & WK_POINTER_NEVER) != 0)
        wk_broken(w);
}

/* Of NAMED_MAX at most. */
static enum hf_run_kind
named(struct wk *w, const struct elements *e)
{
    const struct wk_places *p = e->places;
    uint64_t index[DIMENSIONS_MAX] = {0};
    uint8_t text[DIMENSIONS_MAX * INDEX_WIDTH + HF_DIGITS_ROOM + PATH_MAX];

    for (uint64_t i = 0; i < e->n; i++) {
        uint8_t *end = write_index(text, index, e->dimensions);
        for (uint32_t k = 0; k < p->n; k++) {
            const struct place *place = &p->place[k];
            wk_addr element = word_at(e->data + i * e->size + place->at);
            if ((element & WK_POINTER_NEVER) != 0)
                wk_broken(w);
            for (uint32_t c = 0; c < place->length; c++)
                end[c] = place->path[c];
            end[place->length] = '\0';
            wk_ref(w, element, place->length == PATH_MAX ? 0 : wk_name(w, (const char *)text), WK_FIELD_HIDDEN);
        }
        next_index(index, e->sizes, e->dimensions, e->fortran);
    }
    return HF_RUN_NAMED;
}

/* UNNAMED, INDEX, or NAMED: then each has its tag. */
enum hf_run_kind
wk_ndarray_items(struct wk *w, wk_addr array)
{
    wk_addr descr = WK_U64(array, ARRAY_DESCR);
    uint32_t flags = WK_U32(array, ARRAY_FLAGS);
    int32_t number = descr != 0 ? WK_I32(descr, DESCR_NUMBER) : 0;
    struct elements e = {
        .data = WK_U64(array, ARRAY_DATA),
        .n = 1,
        .size = 8,
        .sizes = WK_READ(const uint64_t *, array, ARRAY_SIZES),
        .dimensions = WK_U32(array, ARRAY_DIMENSIONS),
        .fortran = (flags & 1) == 0,
    };

    if (e.data == 0 || (number != NUMBER_OF_OBJECTS && number != NUMBER_OF_STRUCTURES) || (flags & 3) == 0 ||
        (flags & 4) == 0 || e.dimensions > DIMENSIONS_MAX)
        return HF_RUN_UNNAMED; /* a view's elements are its base's */
    for (uint32_t i = 0; i < e.dimensions; i++) {
        if (e.sizes[i] > ELEMENTS_MAX || e.n * e.sizes[i] > ELEMENTS_MAX)
            wk_broken(w);
        e.n *= e.sizes[i];
    }
    if (w->places == NULL)
        w->places = wk_map(w, sizeof *w->places);
    e.places = w->places;
    bool plain = number == NUMBER_OF_OBJECTS;
    if (plain) {
        w->places->n = 1;
        w->places->place[0] = (struct place){0};
    } else if (!places_of(w, descr, w->places, &e.size)) {
        return HF_RUN_UNNAMED;
    }
    if (e.n * w->places->n > ELEMENTS_MAX)
        wk_broken(w);
    bool few = e.n * w->places->n <= NAMED_MAX, line = plain && e.dimensions == 1;
    if (few && !line)
        return named(w, &e);
    unnamed(w, &e);
    if (!line || w->refs.n == e.n)
        return line ? HF_RUN_INDEX : HF_RUN_UNNAMED;
    if (!few)
        return HF_RUN_UNNAMED; /* some are missing: their places count no more */
    w->refs.n = 0;
    return named(w, &e);
}
