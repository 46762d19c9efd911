// SPDX-License-Identifier: MIT
#include "wk-atoms.h"

#define INT_BITS 30u /* of a digit; builds with 15 are rare */

/* Which fast way there is for instances of a type, by what is known of it: never by what it is called. */
void
wk_atom_prepare(struct wk *w, struct wk_type *type)
{
    const struct wk_facts *f = &w->facts;
    uint32_t unusual = WK_TYPE_GC | WK_TYPE_CHECK_GC | WK_TYPE_SIZE_PY | WK_TYPE_BROKEN | WK_TYPE_REAL | WK_TYPE_STRUCK;
    uint64_t max = w->content_limit;
    enum wk_atom atom = WK_ATOM_NONE;
    bool plain = (type->flags & WK_TYPE_REAL_PLAIN) != 0 || w->allocator == WK_ALLOCATOR_UNKNOWN;

    /* Free-threaded builds say in each object's head what the collector has to do with it. */
    if (WK_FREE_THREADED || w->redact || type->walk != WK_WALK_NONE || (type->flags & unusual) != 0 || type->pre != 0)
        return;
    type->atom_old = false;
    if (type->content == WK_CONTENT_STR && type->size_kind == WK_SIZE_STR && plain) {
        atom = WK_ATOM_STR;
        max = max < WK_REAL_PLAIN - f->str_ascii - 1u ? max : WK_REAL_PLAIN - f->str_ascii - 1u;
        type->atom_old = w->version < 0x030c;
    } else if (type->content == WK_CONTENT_BYTES && type->size_kind == WK_SIZE_ITEMS && type->item == 1 && plain) {
        atom = WK_ATOM_BYTES;
        max = max < WK_REAL_PLAIN - type->basic ? max : WK_REAL_PLAIN - type->basic;
    } else if (!wk_has_numbers(w, type)) {
        return;
    } else if (type->content == WK_CONTENT_INT && type->size_kind == WK_SIZE_INT && f->int_digit_bits == INT_BITS &&
               f->int_digits == WK_INT_DIGITS && plain) {
        atom = WK_ATOM_INT;
        type->atom_old = w->version < 0x030b;
    } else if (type->content == WK_CONTENT_FLOAT && type->size_kind == WK_SIZE_FIXED) {
        atom = WK_ATOM_FLOAT;
    }
    if (w->content_limit == 0) /* nothing at all is shown */
        atom = WK_ATOM_NONE;
    type->atom = (uint8_t)atom;
    type->atom_max = (uint32_t)max;
}
