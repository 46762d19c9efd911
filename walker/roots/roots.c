// SPDX-License-Identifier: MIT
#include "../wk-private.h"

bool
wk_interpreters_find(struct wk *w)
{
    (void)w;
    return false;
}

wk_addr
wk_interpreter_next(struct wk *w, wk_addr interpreter)
{
    (void)w, (void)interpreter;
    return 0;
}

unsigned
wk_gc_heads(struct wk *w, wk_addr interpreter, wk_addr heads[8])
{
    (void)w, (void)interpreter, (void)heads;
    return 0;
}

void
wk_roots(struct wk *w)
{
    (void)w;
}

void
wk_threads(struct wk *w)
{
    (void)w;
}

void
wk_frame_refs(struct wk *w, const struct wk_type *type, wk_addr frame)
{
    wk_ref_traverse(w, type, frame);
}

void
wk_generator_refs(struct wk *w, const struct wk_type *type, wk_addr generator)
{
    wk_ref_traverse(w, type, generator);
}
