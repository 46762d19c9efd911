// SPDX-License-Identifier: MIT
/* References and state of generators, coroutines and asynchronous generators, which share one layout. */
#include "wk-roots.h"

enum wk_generator_state
wk_generator_state(struct wk *w, wk_addr generator)
{
    const struct wk_facts *f = &w->facts;
    struct wk_frame_view v;

    if (f->gen_frame_state != WK_NO_FACT) {
        uint8_t state = WK_U8(generator, f->gen_frame_state);

        return state == f->fstate_completed || state == f->fstate_cleared ? WK_GEN_CLOSED
               : state == f->fstate_executing                             ? WK_GEN_RUNNING
               : state == f->fstate_created                               ? WK_GEN_CREATED
                                                                          : WK_GEN_SUSPENDED;
    }
    if (!wk_frame_of_generator(w, generator, &v))
        return WK_GEN_CLOSED;
    if (f->frame_state != WK_NO_FACT) {
        if (WK_U8(v.frame, f->frame_state) == f->fstate_executing)
            return WK_GEN_RUNNING;
    } else if (WK_U8(generator, f->gen_running) != 0)
        return WK_GEN_RUNNING;
    return v.lasti < 0 ? WK_GEN_CREATED : WK_GEN_SUSPENDED;
}

wk_addr
wk_generator_code(struct wk *w, wk_addr generator)
{
    const struct wk_facts *f = &w->facts;
    wk_addr code;

    /* since 3.12 only the frame has it, and keeps it when all else is cleared */
    code =
        f->gen_code != WK_NO_FACT ? WK_U64(generator, f->gen_code) : WK_U64(generator, f->gen_iframe + f->iframe_code);
    return code != 0 && wk_type_address(code) == wk_symbol(w, WK_SYM_TYPE_CODE) ? code : 0;
}

void
wk_generator_refs(struct wk *w, const struct wk_type *type, wk_addr generator)
{
    const struct wk_facts *f = &w->facts;
    if (wk_unlikely((w->args->flags & WK_FLAG_CHECK_STACKS) != 0)) {
        struct wk_frame_view known;
        if (wk_generator_state(w, generator) == WK_GEN_SUSPENDED && wk_frame_of_generator(w, generator, &known))
            wk_stack_check(w, &known);
    }
    bool coroutine = type->family == HF_FAMILY_COROUTINE, asyncgen = type->family == HF_FAMILY_ASYNCGEN;

    struct wk_frame_view v;

    if (asyncgen)
        wk_ref(w, WK_U64(generator, f->agen_finalizer), w->at_hand->finalizer, 0);
    if (f->gen_iframe == WK_NO_FACT) {
        wk_ref(w, WK_U64(generator, f->gen_frame), w->at_hand->frame, 0);
        wk_ref(w, WK_U64(generator, f->gen_code), w->at_hand->code, 0);
    } else if (f->gen_code != WK_NO_FACT)
        wk_ref(w, WK_U64(generator, f->gen_code), w->at_hand->code, 0);
    wk_ref(w, WK_U64(generator, f->gen_name), w->at_hand->name, 0);
    wk_ref(w, WK_U64(generator, f->gen_qualname), w->at_hand->qualname, 0);
    if (f->gen_iframe != WK_NO_FACT) {
        if (wk_frame_of_generator(w, generator, &v))
            wk_internal_frame_refs(w, &v);
        else if (f->gen_code == WK_NO_FACT)
            wk_ref(w, wk_generator_code(w, generator), w->at_hand->code, f->version >= 0x030e ? 0 : HF_RUN_HIDDEN);
    }
    if (f->excitem_type != WK_NO_FACT)
        wk_ref(w, WK_U64(generator, f->gen_exc_state + f->excitem_type), w->at_hand->exception_type, 0);
    wk_ref(w, WK_U64(generator, f->gen_exc_state + f->excitem_value), w->at_hand->exception, 0);
    if (f->excitem_traceback != WK_NO_FACT)
        wk_ref(w, WK_U64(generator, f->gen_exc_state + f->excitem_traceback), w->at_hand->traceback, 0);
    if (coroutine)
        wk_ref(w, WK_U64(generator, f->coro_origin), w->at_hand->origin, HF_RUN_HIDDEN);
}
