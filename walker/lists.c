// SPDX-License-Identifier: MIT
/* The collector's lists: their ends are marked, the walk follows the links. Builds with a GIL only; see pages.c. */
#include "wk-fault.h"
#include "wk-gc.h"
#include "wk-objects.h"
#include "wk-walk.h"

void
wk_gc_init(struct wk *w)
{
    w->gc = wk_alloc(w, sizeof *w->gc);
}

/* Notes who is in the list of what gc.freeze() took out of the collector's sight: no object can tell. */
static void
note_frozen(struct wk *w, wk_addr head)
{
    for (wk_addr node = WK_U64(head, 0) & ~3ull; node != head && node != 0; node = WK_U64(node, 0) & ~3ull) {
        wk_addr object = node + WK_GC_HEAD_SIZE;
        if (wk_impossible(object) || !wk_freeze(w, object)) /* seen before: the list goes round */
            break;
        w->gc->frozen = true;
    }
}

static void
note_all_frozen(struct wk *w, const wk_addr *permanent, unsigned n)
{
    if (w->ghost && wk_arch_save(&w->fault->object) != 0) {
        wk_resumed();
        w->fault->object_armed = false;
        wk_skip(w, w->interpreter, "frozen objects: reading their list faulted");
        return;
    }
    w->fault->object_armed = w->ghost;
    for (unsigned i = 0; i < n; i++)
        note_frozen(w, permanent[i]);
    w->fault->object_armed = false;
}

/* Class statements' types among the oldest objects, oldest generation first. */
static void
learn(struct wk *w)
{
    const struct wk_gc *gc = w->gc;

    for (unsigned h = gc->n_heads < 4 ? gc->n_heads : 4; h-- > 0;) {
        wk_addr node = WK_U64(gc->heads[h], 0) & ~3ull;
        for (unsigned i = 0; i < WK_LEARN_NODES && node != gc->heads[h] && node != 0;
             i++, node = WK_U64(node, 0) & ~3ull)
            if (wk_types_learn(w, node + WK_GC_HEAD_SIZE))
                return;
    }
}

bool
wk_gc_disowned(struct wk *w, const struct wk_type *type, wk_addr object)
{
    wk_addr head = object - WK_GC_HEAD_SIZE;

    if (!(type->flags & WK_TYPE_GC) || type->is_gc == 0 || type->is_gc == w->types->type_is_gc ||
        (wk_type_flags(type->addr) & WK_TPF_TYPE) || wk_is_gc(w, type, object))
        return false;
    if ((object & 4095) < WK_GC_HEAD_SIZE && !wk_may_read(w, head)) /* in the page before */
        return false;
    /* Whether there is a head at all, only what it points to can tell: that is read without a net where the walk is inline. */
    wk_addr next = WK_U64(head, 0) & ~3ull, prev = WK_U64(head, 8) & ~3ull;
    return wk_may_read(w, next) && wk_may_read(w, next + 8) && wk_may_read(w, prev) &&
           (WK_U64(next, 8) & ~3ull) == head && (WK_U64(prev, 0) & ~3ull) == head;
}

bool
wk_gc_seed(struct wk *w)
{
    struct wk_gc *gc = w->gc;
    wk_addr heads[8], permanent[WK_GC_HEADS_MAX];
    unsigned n, n_permanent = 0;

    /* the main one first, then the others: it stands last in their list */
    wk_addr interpreter = w->interpreter, next = wk_interpreter_next(w, 0);
    while (interpreter != 0 && gc->n_heads + 8 <= WK_GC_HEADS_MAX) {
        n = wk_gc_heads(w, interpreter, heads);
        if (n == 0 && interpreter == w->interpreter)
            return false;
        w->collecting += wk_gc_running(w, interpreter);
        for (unsigned i = 0; i < n; i++) {
            gc->heads[gc->n_heads++] = heads[i];
            wk_leave_out(w, heads[i] + WK_GC_HEAD_SIZE); /* links lead there as if it were an object */
        }
        if (n != 0)
            permanent[n_permanent++] = heads[n - 1];
        do {
            interpreter = next;
            next = interpreter != 0 ? wk_interpreter_next(w, interpreter) : 0;
        } while (interpreter == w->interpreter);
    }
    if (gc->n_heads == 0)
        return false;
    learn(w);
    note_all_frozen(w, permanent, n_permanent);
    for (unsigned i = 0; i < gc->n_heads; i++) {
        wk_gc_mark_link(w, WK_U64(gc->heads[i], 0));
        wk_gc_mark_link(w, WK_U64(gc->heads[i], 8));
    }
    return true;
}

void
wk_gc_again(struct wk *w)
{
    for (unsigned i = 0; i < w->gc->n_heads; i++) {
        wk_addr head = w->gc->heads[i], node;
        for (unsigned way = 0; way < 2; way++) {
            uint64_t steps = 0, link = WK_U64(head, 8 * way);
            for (node = link & ~3ull; node != head && node != 0 && steps < w->progress * 2 + 1000;
                 node = link & ~3ull, steps++) {
                wk_mark_fast(w, node + WK_GC_HEAD_SIZE);
                link = WK_U64(node, 8 * way);
                if (way == 1 && (link & 2)) /* inside a collection the word holds a count */
                    break;
            }
        }
    }
}
