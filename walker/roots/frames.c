// SPDX-License-Identifier: MIT
/*
 * One view of a frame for all versions, and the references of frame objects. Until 3.10 every frame is an object with its variables
 * inside; since 3.11 variables live in a structure of the interpreter's stack, of a generator, or of a frame object that outlived it.
 */
#include "wk-roots.h"

enum {
    MAX_SLOTS = 1 << 16, /* variables or stack entries of one frame */
};

void
wk_at_hand_init(struct wk *w)
{
    struct wk_at_hand *a = w->at_hand = wk_alloc(w, sizeof *a);

    a->code = wk_name(w, "<code>");
    a->function = wk_name(w, "<function>");
    a->frame = wk_name(w, "<frame>");
    a->f_locals = wk_name(w, "<f_locals>");
    a->f_back = wk_name(w, "<f_back>");
    a->f_trace = wk_name(w, "<f_trace>");
    a->globals = wk_name(w, "<globals>");
    a->builtins = wk_name(w, "<builtins>");
    a->extra_locals = wk_name(w, "<extra locals>");
    a->locals_cache = wk_name(w, "<locals cache>");
    a->name = wk_name(w, ".__name__");
    a->qualname = wk_name(w, ".__qualname__");
    a->finalizer = wk_name(w, "<finalizer>");
    a->origin = wk_name(w, "<origin>");
    a->awaits = wk_name(w, "<awaits>");
    a->exception = wk_name(w, "<exception>");
    a->exception_type = wk_name(w, "<exception type>");
    a->traceback = wk_name(w, "<traceback>");
}

static uint32_t
tuple_length(wk_addr tuple)
{
    uint64_t n = wk_has_flag(tuple, WK_TPF_TUPLE) ? wk_tuple_size(tuple) : 0;

    return n <= MAX_SLOTS ? (uint32_t)n : 0;
}

static bool
is_code(struct wk *w, wk_addr object)
{
    return object != 0 && wk_type_address(object) == wk_symbol(w, WK_SYM_TYPE_CODE);
}

/* How many variables a frame of this code has. */
static uint32_t
code_slots(const struct wk_facts *f, wk_addr code)
{
    int64_t n;

    if (f->code_nlocalsplus != WK_NO_FACT)
        n = WK_I32(code, f->code_nlocalsplus);
    else
        n = (int64_t)WK_I32(code, f->code_nlocals) + tuple_length(WK_U64(code, f->code_cellvars)) +
            tuple_length(WK_U64(code, f->code_freevars));
    return n >= 0 && n <= MAX_SLOTS ? (uint32_t)n : 0;
}

/* Variables and stack entries in use. A running frame keeps its stack pointer in a register: the field says −1 or NULL. */
static int32_t
stack_top(const struct wk *w, wk_addr internal, wk_addr slots)
{
    const struct wk_facts *f = &w->facts;

    if (f->iframe_stackpointer == WK_NO_FACT)
        return WK_I32(internal, f->iframe_stacktop);
    uint64_t pointer = WK_U64(internal, f->iframe_stackpointer);
    return pointer < slots || pointer - slots > 8ull * MAX_SLOTS * 2 ? -1 : (int32_t)((pointer - slots) / 8);
}

static uint32_t
code_stack_size(const struct wk_facts *f, wk_addr code)
{
    int32_t n = WK_I32(code, f->code_stacksize);

    return n >= 0 && n <= MAX_SLOTS ? (uint32_t)n : 0;
}

/*
 * 3.14+: bit 0 marks a reference that is not in the count (borrowed from a variable, or to an object that lives for ever), both low
 * bits an int; bit 1 alone is what the evaluation loop passes to itself.
 */
wk_addr
wk_stack_ref(const struct wk *w, uint64_t word, bool *counted)
{
    *counted = true;
    if (!w->facts.stack_tagged)
        return word;
    *counted = (word & 1) == 0;
    return (word & 2) != 0 ? 0 : word & ~1ull;
}

bool
wk_frame_of_internal(struct wk *w, wk_addr internal, struct wk_frame_view *v)
{
    const struct wk_facts *f = &w->facts;
    int32_t top;

    *v = (struct wk_frame_view){.internal = internal, .owner = WK_OWNER_C, .cleared = true};
    if (internal == 0 || f->iframe_code == WK_NO_FACT)
        return false;
    v->code = wk_stack_ref(w, WK_U64(internal, f->iframe_code), &v->code_counted);
    /* 3.14 tells several kinds of them apart */
    bool on_c_stack = f->owner_cstack != WK_NO_FACT && WK_U8(internal, f->iframe_owner) >= f->owner_cstack;
    if (on_c_stack || !is_code(w, v->code))
        return on_c_stack;
    v->cleared = false;
    v->owner = WK_U8(internal, f->iframe_owner) == f->owner_generator   ? WK_OWNER_GENERATOR
               : WK_U8(internal, f->iframe_owner) == f->owner_frame_obj ? WK_OWNER_FRAME
                                                                        : WK_OWNER_THREAD;
    v->function = wk_stack_ref(w, WK_U64(internal, f->iframe_func), &v->function_counted);
    v->globals = WK_U64(internal, f->iframe_globals);
    v->builtins = WK_U64(internal, f->iframe_builtins);
    v->locals = WK_U64(internal, f->iframe_locals);
    v->frame = WK_U64(internal, f->iframe_frame_obj);
    v->slots = internal + f->iframe_localsplus;
    v->n_slots = code_slots(f, v->code);
    v->max_stack = code_stack_size(f, v->code);
    top = stack_top(w, internal, v->slots);
    v->stack_known = top >= (int32_t)v->n_slots && (uint32_t)top - v->n_slots <= v->max_stack;
    v->running = top < 0 && v->owner != WK_OWNER_FRAME;
    v->n_stack = v->stack_known ? (uint32_t)top - v->n_slots : 0;
    v->lasti = (int32_t)((int64_t)WK_U64(internal, f->iframe_instr) - (int64_t)(v->code + f->code_adaptive));
    return true;
}

bool
wk_frame_of_object(struct wk *w, wk_addr frame, struct wk_frame_view *v)
{
    const struct wk_facts *f = &w->facts;
    wk_addr base, top;

    if (f->frame_iframe != WK_NO_FACT) {
        bool ok = wk_frame_of_internal(w, WK_U64(frame, f->frame_iframe), v);
        v->frame = frame;
        return ok && v->owner != WK_OWNER_C;
    }
    *v = (struct wk_frame_view){.frame = frame, .owner = WK_OWNER_FRAME};
    v->code = WK_U64(frame, f->frame_code);
    if (!is_code(w, v->code))
        return false;
    v->globals = WK_U64(frame, f->frame_globals);
    v->builtins = WK_U64(frame, f->frame_builtins);
    v->locals = WK_U64(frame, f->frame_locals);
    v->slots = frame + f->frame_localsplus;
    v->n_slots = code_slots(f, v->code);
    v->lasti = WK_I32(frame, f->frame_lasti);
    v->max_stack = code_stack_size(f, v->code);
    base = WK_U64(frame, f->frame_valuestack);
    if (f->frame_stackdepth != WK_NO_FACT) {
        int32_t depth = WK_I32(frame, f->frame_stackdepth);

        v->stack_known = depth >= 0;
        v->running = depth < 0 && (WK_U8(frame, f->frame_state) == f->fstate_executing ||
                                   WK_U8(frame, f->frame_state) == f->fstate_unwinding);
        v->n_stack = depth > 0 ? (uint32_t)depth : 0;
        v->lasti = v->lasti >= 0 ? 2 * v->lasti : -1; /* 3.10 counts instructions */
    } else {
        top = WK_U64(frame, f->frame_stacktop);
        v->running = top == 0 && WK_U8(frame, f->frame_executing) != 0;
        v->stack_known = !v->running; /* one that has ended has none */
        v->n_stack = top > base ? (uint32_t)((top - base) / 8) : 0;
    }
    if (base != v->slots + 8ull * v->n_slots)
        v->max_stack = 0;
    if (v->n_stack > v->max_stack)
        v->n_stack = 0;
    return true;
}

bool
wk_frame_of_generator(struct wk *w, wk_addr generator, struct wk_frame_view *v)
{
    const struct wk_facts *f = &w->facts;

    if (f->gen_iframe != WK_NO_FACT) {
        bool cleared = WK_U8(generator, f->gen_frame_state) == f->fstate_cleared;
        bool ok = wk_frame_of_internal(w, generator + f->gen_iframe, v);
        v->cleared |= cleared;
        return ok && !cleared;
    }
    wk_addr frame = WK_U64(generator, f->gen_frame);
    *v = (struct wk_frame_view){.cleared = true};
    return frame != 0 && wk_frame_of_object(w, frame, v);
}

uint32_t
wk_frame_line(struct wk *w, const struct wk_frame_view *v)
{
    const struct wk_facts *f = &w->facts;

    if (v->frame != 0) {
        /* set while a trace function looks on; before 3.10 it means something only then */
        int32_t line = WK_I32(v->frame, f->frame_lineno);
        if (line > 0 && (f->version >= 0x030a || WK_U64(v->frame, f->frame_trace) != 0))
            return (uint32_t)line;
    }
    return wk_code_line(w, v->code, v->lasti);
}

wk_addr
wk_frame_variable(struct wk *w, const struct wk_frame_view *v, uint32_t i, enum wk_name_kind *out)
{
    const struct wk_facts *f = &w->facts;
    enum wk_name_kind kind = WK_NAME_LOCAL;
    wk_addr names, name = 0;

    if (f->code_localsplusnames != WK_NO_FACT) {
        wk_addr kinds = WK_U64(v->code, f->code_localspluskinds);
        uint8_t bits = kinds != 0 && WK_U64(kinds, WK_OB_SIZE) > i ? WK_U8(kinds, f->bytes_data + i) : 0;

        names = WK_U64(v->code, f->code_localsplusnames);
        name = i < tuple_length(names) ? wk_tuple_item(w, names, i) : 0;
        kind = (bits & f->kind_free) ? WK_NAME_FREE : (bits & f->kind_cell) ? WK_NAME_CELL : WK_NAME_LOCAL;
    } else {
        wk_addr cells = WK_U64(v->code, f->code_cellvars);
        uint32_t n_locals = (uint32_t)WK_I32(v->code, f->code_nlocals), n_cells = tuple_length(cells);

        names = WK_U64(v->code, f->code_varnames);
        if (i >= n_locals) {
            i -= n_locals;
            kind = i < n_cells ? WK_NAME_CELL : WK_NAME_FREE;
            names = i < n_cells ? cells : WK_U64(v->code, f->code_freevars);
            i -= i < n_cells ? 0 : n_cells;
        }
        name = i < tuple_length(names) ? wk_tuple_item(w, names, i) : 0;
    }
    *out = kind;
    return wk_is_str(name) ? name : 0;
}

uint32_t
wk_frame_slot_name(struct wk *w, const struct wk_frame_view *v, uint32_t i)
{
    enum wk_name_kind kind;
    wk_addr name;

    if (i >= v->n_slots)
        return wk_name_number(w, WK_NAME_STACK, i - v->n_slots);
    name = wk_frame_variable(w, v, i, &kind);
    return name != 0 ? wk_name_str(w, kind, name) : 0;
}

bool
wk_frame_awaits(struct wk *w, const struct wk_frame_view *v)
{
    const struct wk_facts *f = &w->facts;

    if (v->n_stack == 0 || v->running)
        return v->n_stack != 0 && v->awaiting;
    if (f->frame_iframe == WK_NO_FACT) {
        wk_addr bytes = WK_U64(v->code, f->code_code);
        uint64_t at = (uint64_t)v->lasti + 2;

        return v->lasti >= 0 && wk_has_flag(bytes, WK_TPF_BYTES) && at < WK_U64(bytes, WK_OB_SIZE) &&
               WK_U8(bytes, f->bytes_data + at) == f->op_yield_from;
    }
    if (v->owner != WK_OWNER_GENERATOR)
        return false;
    if (f->op_send != WK_NO_FACT && v->lasti > 0 &&
        WK_U8(v->internal - f->gen_iframe, f->gen_frame_state) == f->fstate_executing) {
        /* it waits for one that runs: 3.12 has its place behind the instruction's cache */
        uint8_t send = WK_U8(v->code + f->code_adaptive, v->lasti - (f->version < 0x030d ? 2 : 0));
        return send == f->op_send || send == f->op_send_gen;
    }
    if (f->fstate_yield_from != WK_NO_FACT)
        return WK_U8(v->internal - f->gen_iframe, f->gen_frame_state) == f->fstate_yield_from;
    if (v->lasti < 0)
        return false;
    /* the instruction to go on with is a RESUME that says "after a yield from or await" */
    uint8_t op = WK_U8(v->code + f->code_adaptive, v->lasti + 2), arg = WK_U8(v->code + f->code_adaptive, v->lasti + 3);
    return (op == f->op_resume || op == f->op_resume_quick || op == f->op_resume_instrumented) && (arg & 3) >= 2;
}

unsigned
wk_borrowed(const struct wk *w, wk_addr object)
{
    return wk_is_immortal(w, object) ? 0 : HF_RUN_WEAK;
}

/* Variables and stack. seen: tp_traverse visits as many of them; the others are counted but not shown. */
static void
slot_refs(struct wk *w, const struct wk_frame_view *v, uint32_t seen, bool generator)
{
    uint32_t n = v->n_slots + v->n_stack, awaited = n - 1;
    bool awaits = generator && wk_frame_awaits(w, v), counted;

    /* 3.15 keeps a second word, empty here, with what an iteration goes over */
    while (awaits && awaited > v->n_slots && wk_stack_ref(w, WK_U64(v->slots, 8ull * awaited), &counted) == 0)
        awaited--;
    for (uint32_t i = 0; i < n; i++) {
        wk_addr object = wk_stack_entry(w, v, i, &counted);
        uint32_t name;

        if (object == 0)
            continue;
        name = awaits && i == awaited ? w->at_hand->awaits : wk_frame_slot_name(w, v, i);
        wk_ref(w, object, name, (i < seen ? 0 : HF_RUN_HIDDEN) | (counted ? 0 : wk_borrowed(w, object)));
    }
}

/* What the interpreter's frame holds, in the order in which it is traversed. */
void
wk_internal_frame_refs(struct wk *w, struct wk_frame_view *v)
{
    const struct wk_facts *f = &w->facts;
    int32_t top = stack_top(w, v->internal, v->slots);

    wk_stack_reckon(w, v);
    wk_ref(w, WK_U64(v->internal, f->iframe_frame_obj), w->at_hand->frame, 0);
    wk_ref(w, v->locals, w->at_hand->f_locals, 0);
    wk_ref(w, v->function, w->at_hand->function, v->function_counted ? 0 : wk_borrowed(w, v->function));
    wk_ref(w, v->code, w->at_hand->code, v->code_counted ? 0 : wk_borrowed(w, v->code));
    slot_refs(w, v, top > 0 ? (uint32_t)top : 0, v->owner == WK_OWNER_GENERATOR);
}

void
wk_frame_refs(struct wk *w, const struct wk_type *type, wk_addr frame)
{
    const struct wk_facts *f = &w->facts;
    struct wk_frame_view v;

    if (!wk_frame_of_object(w, frame, &v)) {
        wk_ref_traverse(w, type, frame);
        return;
    }
    wk_ref(w, WK_U64(frame, f->frame_back), w->at_hand->f_back, 0);
    if (f->frame_iframe != WK_NO_FACT) {
        wk_ref(w, WK_U64(frame, f->frame_trace), w->at_hand->f_trace, 0);
        if (f->frame_extra_locals != WK_NO_FACT)
            wk_ref(w, WK_U64(frame, f->frame_extra_locals), w->at_hand->extra_locals, 0);
        if (f->frame_locals_cache != WK_NO_FACT)
            wk_ref(w, WK_U64(frame, f->frame_locals_cache), w->at_hand->locals_cache, HF_RUN_HIDDEN);
        if (f->frame_overwritten != WK_NO_FACT)
            wk_ref(w, WK_U64(frame, f->frame_overwritten), wk_name(w, "<overwritten locals>"), 0);
        if (v.owner == WK_OWNER_FRAME)
            wk_internal_frame_refs(w, &v);
        return;
    }
    wk_ref(w, v.code, w->at_hand->code, 0);
    wk_ref(w, v.builtins, w->at_hand->builtins, 0);
    wk_ref(w, v.globals, w->at_hand->globals, 0);
    wk_ref(w, v.locals, w->at_hand->f_locals, 0);
    wk_ref(w, WK_U64(frame, f->frame_trace), w->at_hand->f_trace, 0);
    wk_stack_reckon(w, &v);
    slot_refs(w, &v, v.running ? v.n_slots : UINT32_MAX, WK_U64(frame, f->frame_gen) != 0);
}
