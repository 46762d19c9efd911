// SPDX-License-Identifier: MIT
/*
 * A current thread state for the ghost. C code that we call may ask for one (the tp_traverse of struct sequences since 3.12, module
 * states of extensions), and there is none where the fork was made by a thread that did not hold the GIL: all of them asleep, say.
 * Any will do: nothing is run on it. Comes after threads were written, since it changes what they say.
 */
#include "wk-private.h"

wk_addr
wk_thread_current(const struct wk *w)
{
    wk_addr get = wk_symbol(w, WK_SYM_THREAD_UNCHECKED);

    if (get == 0)
        get = wk_symbol(w, WK_SYM_THREAD_UNCHECKED_OLD);
    return get != 0 ? ((wk_addr(*)(void))(uintptr_t)get)() : 1;
}

void
wk_attach_thread(struct wk *w)
{
    const struct wk_facts *f = &w->facts;
    wk_addr thread = WK_U64(w->interpreter, f->interp_tstate_head), swap = wk_symbol(w, WK_SYM_THREAD_SWAP);

    if (thread == 0)
        return;
    if (f->runtime_tstate_current != WK_NO_FACT) {
        uint64_t *place = (uint64_t *)(uintptr_t)(w->runtime + f->runtime_tstate_current);
        if (*place == 0)
            *place = thread;
        return;
    }
    if (swap == 0 || wk_thread_current(w) != 0)
        return;
    /* 3.13 takes the GIL for it: whoever has it exists no more. */
    wk_addr gil = f->interp_gil != WK_NO_FACT ? WK_U64(w->interpreter, f->interp_gil) : 0;
    if (gil != 0)
        *(int32_t *)(uintptr_t)(gil + f->gil_locked) = 0;
    /* Free-threaded: and waits while it is attached elsewhere or suspended, and for the locks that it gave up while it slept. */
    if (f->tstate_state != WK_NO_FACT) {
        *(int32_t *)(uintptr_t)(thread + f->tstate_state) = 0;
        *(uint64_t *)(uintptr_t)(thread + f->tstate_critical_section) = 0;
    }
    ((wk_addr(*)(wk_addr))(uintptr_t)swap)(thread);
}
