// SPDX-License-Identifier: MIT
/*
 * What a suspended greenlet holds through its stack: variables of functions that run in no thread, known to nobody but the library. Until 3.10
 * the frame object that it stopped at leads to all others; since then the interpreter's own frames do, and what they hold is the greenlet's.
 */
#include "wk-roots.h"

enum {
    STATE_AT = 32, /* in greenlet.greenlet, since 2.0: a C++ object */
    /* there, where depends on the versions of Python and library: the greenlet itself, and the frame object */
    STATE_WORDS = 30,
    MAX_FRAMES = 1 << 12,
    NAMED_FRAMES = 16, /* deeper ones have names that do not tell which */
    NAME_MAX = 600,
    VARIABLE_MAX = 100, /* characters */
};

/* Frame object that it stopped at; 0: none, because it runs, has not begun, or has ended. */
static wk_addr
stopped_at(struct wk *w, wk_addr greenlet)
{
    wk_addr state = WK_U64(greenlet, STATE_AT), frame = 0;
    bool its_own = false;

    if ((state & 7) != 0 || !wk_may_read(w, state) || !wk_may_read(w, state + STATE_WORDS * 8))
        return 0;
    for (unsigned i = 0; i < STATE_WORDS; i++) {
        wk_addr a = WK_U64(state, 8ull * i);
        its_own |= a == greenlet;
        if (frame == 0 && (a & 7) == 0 && a != greenlet && wk_may_read(w, a + WK_OB_TYPE) &&
            wk_type_address(a) == wk_symbol(w, WK_SYM_TYPE_FRAME))
            frame = a;
    }
    return its_own ? frame : 0;
}

struct stack {
    wk_addr at; /* next: a frame object until 3.10, then the interpreter's own */
    unsigned n;
};

/* Innermost first. Entries on the C stack, which may hold another greenlet by now, the library has taken out of the chain. */
static bool
next_frame(struct wk *w, struct stack *s, struct wk_frame_view *v)
{
    const struct wk_facts *f = &w->facts;

    while (s->at != 0 && s->n < MAX_FRAMES) {
        wk_addr at = s->at;
        if (f->frame_iframe == WK_NO_FACT) {
            s->at = WK_U64(at, f->frame_back);
            s->n++;
            return wk_frame_of_object(w, at, v);
        }
        if (!wk_may_read(w, at) || !wk_may_read(w, at + f->iframe_localsplus) || !wk_frame_of_internal(w, at, v))
            return false;
        s->at = WK_U64(at, f->iframe_previous);
        s->n++;
        if (v->owner != WK_OWNER_C)
            return true;
    }
    return false;
}

static struct stack
stack_of(struct wk *w, wk_addr frame)
{
    return (struct stack){.at = frame != 0 && w->facts.frame_iframe != WK_NO_FACT ? WK_U64(frame, w->facts.frame_iframe)
                                                                                  : frame};
}

/*
 * ".gr_frame.f_back" and what of it: ".f_code", ".f_locals['x']" as Python finds it, or "<cell x>", "<stack 1>" where it does not. 0: too deep
 * or too long for that.
 */
static uint32_t
name_in_frame(struct wk *w, unsigned depth, const char *before, wk_addr variable, const char *after)
{
    char bytes[NAME_MAX + 1];
    struct wk_text t = {.buf = (uint8_t *)bytes, .bytes = (uint8_t *)bytes, .cap = NAME_MAX};
    struct wk_str s;

    if (depth >= NAMED_FRAMES || (variable != 0 && (!wk_str_view(w, variable, &s) || s.length > VARIABLE_MAX)))
        return 0;
    wk_text_cstr(&t, ".gr_frame");
    for (unsigned i = 0; i < depth; i++)
        wk_text_cstr(&t, ".f_back");
    wk_text_cstr(&t, before);
    if (variable != 0)
        wk_text_str(w, &t, variable, UINT32_MAX);
    wk_text_cstr(&t, after);
    bytes[t.len] = '\0';
    return wk_name(w, bytes);
}

static uint32_t
slot_name(struct wk *w, const struct wk_frame_view *v, uint32_t i, unsigned depth)
{
    enum wk_name_kind kind = WK_NAME_LOCAL;
    wk_addr variable = i < v->n_slots ? wk_frame_variable(w, v, i, &kind) : 0;
    uint32_t name = 0;

    if (variable != 0)
        name = kind == WK_NAME_LOCAL ? name_in_frame(w, depth, ".f_locals['", variable, "']")
                                     : name_in_frame(w, depth, "<cell ", variable, ">");
    return name != 0 ? name : wk_frame_slot_name(w, v, i);
}

static void
frame_refs(struct wk *w, struct wk_frame_view *v, unsigned depth)
{
    wk_stack_reckon(w, v);
    wk_ref(w, v->frame, name_in_frame(w, depth, "", 0, ""), HF_RUN_HIDDEN);
    wk_ref(w, v->locals, name_in_frame(w, depth, ".f_locals", 0, ""), HF_RUN_HIDDEN);
    wk_ref(w, v->function, name_in_frame(w, depth, "<function>", 0, ""),
           v->function_counted ? HF_RUN_HIDDEN : wk_borrowed(w, v->function));
    wk_ref(w, v->code, name_in_frame(w, depth, ".f_code", 0, ""),
           v->code_counted ? HF_RUN_HIDDEN : wk_borrowed(w, v->code));
    for (uint32_t i = 0; i < v->n_slots + v->n_stack; i++) {
        bool counted;
        wk_addr object = wk_stack_entry(w, v, i, &counted);
        if (object != 0)
            wk_ref(w, object, slot_name(w, v, i, depth), counted ? HF_RUN_HIDDEN : wk_borrowed(w, object));
    }
    wk_stack_operands(w, v);
}

void
wk_greenlet_refs(struct wk *w, wk_addr greenlet)
{
    wk_addr frame = stopped_at(w, greenlet);
    struct stack s = stack_of(w, frame);
    struct wk_frame_view v;
    unsigned depth = 0;

    if (w->facts.frame_iframe == WK_NO_FACT) {
        wk_ref(w, frame, name_in_frame(w, 0, "", 0, ""), HF_RUN_HIDDEN);
        return;
    }
    for (; next_frame(w, &s, &v); depth++)
        if (v.owner == WK_OWNER_THREAD) /* what a generator's holds is the generator's */
            frame_refs(w, &v, depth);
}

bool
wk_greenlet_outermost(struct wk *w, wk_addr greenlet, struct wk_frame_view *out)
{
    struct stack s = stack_of(w, stopped_at(w, greenlet));
    struct wk_frame_view v;
    bool any = false;

    for (; next_frame(w, &s, &v); any = true)
        *out = v;
    return any;
}
