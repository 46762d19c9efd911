// SPDX-License-Identifier: MIT
/* Thread states with their names, and the frames of each with named variables: THREADS rows. */
#include "wk-roots.h"

enum {
    MAX_FRAMES = 1 << 22,  /* of one thread */
    MAX_ENTRIES = 1 << 14, /* variables and stack of one frame, and what it holds besides */
    TEXT_MAX = 512,        /* bytes of a qualname, a file, a thread's name */
};

struct frame_buffers {
    uint32_t *names;
    uint64_t *refs;
    uint32_t max;
    char qualname[TEXT_MAX], file[TEXT_MAX];
    uint64_t unknown_stacks, operands, frames, threads;
};

/* UTF-8 of a str into a buffer of its own. data: not a name of the program's source. */
static size_t
copy_text(struct wk *w, char *out, size_t max, wk_addr str, bool data)
{
    struct wk_text t = {.buf = (uint8_t *)out, .bytes = (uint8_t *)out, .cap = (uint32_t)max};

    if (!wk_is_str(str))
        return 0;
    if (data)
        wk_text_data(w, &t, str, (uint32_t)max);
    else
        wk_text_str(w, &t, str, (uint32_t)max);
    if (t.bytes != (uint8_t *)out) /* straight from the str */
        for (uint32_t i = 0; i < t.len; i++)
            out[i] = (char)t.bytes[i];
    return t.len;
}

/* Small enough for a thread's ident. */
static bool
int_equals(const struct wk *w, wk_addr object, uint64_t value)
{
    const struct wk_facts *f = &w->facts;
    uint64_t n, have = 0;

    if (!wk_has_flag(object, WK_TPF_LONG))
        return false;
    n = f->int_tagged ? WK_U64(object, f->int_tag) >> f->int_sign_bits : WK_U64(object, WK_OB_SIZE);
    if (n > 3)
        return false;
    for (uint64_t i = n; i-- > 0;)
        have = have << f->int_digit_bits | WK_U32(object, f->int_digits + 4 * i);
    return have == value;
}

/* threading._active[ident]._name, read in place. */
static wk_addr
thread_name(struct wk *w, wk_addr active, uint64_t ident)
{
    struct wk_dict d;
    wk_addr key, thread;

    if (!wk_has_flag(active, WK_TPF_DICT) || !wk_dict_view(w, active, &d))
        return 0;
    for (uint64_t i = 0; i < d.n; i++)
        if (wk_dict_entry(&d, i, &key, &thread) && int_equals(w, key, ident))
            return wk_attribute(w, thread, "_name");
    return 0;
}

static wk_addr
active_threads(struct wk *w, wk_addr interpreter)
{
    wk_addr module = wk_dict_get(w, WK_U64(interpreter, w->facts.interp_modules), "threading");

    if (module == 0 || !wk_is_instance(w, module, WK_SYM_TYPE_MODULE))
        return 0;
    return wk_dict_get(w, WK_U64(module, w->facts.module_dict), "_active");
}

static bool
holds_gil(struct wk *w, wk_addr interpreter, wk_addr thread)
{
    const struct wk_facts *f = &w->facts;
    wk_addr gil;

    if (f->runtime_tstate_current != WK_NO_FACT)
        return WK_U64(w->runtime, f->runtime_tstate_current) == thread;
    gil = WK_U64(interpreter, f->interp_gil);
    return gil != 0 && WK_U32(gil, f->gil_locked) == 1 && WK_U64(gil, f->gil_last_holder) == thread;
}

/* Current frame of a thread: a frame object until 3.10, then the interpreter's own. */
static wk_addr
innermost(struct wk *w, wk_addr thread)
{
    const struct wk_facts *f = &w->facts;
    wk_addr cframe;

    if (f->tstate_frame != WK_NO_FACT)
        return WK_U64(thread, f->tstate_frame);
    if (f->tstate_current_frame != WK_NO_FACT)
        return WK_U64(thread, f->tstate_current_frame);
    cframe = WK_U64(thread, f->tstate_cframe);
    return cframe != 0 ? WK_U64(cframe, f->cframe_current_frame) : 0;
}

static void
add(struct frame_buffers *b, size_t *n, wk_addr object, uint32_t name)
{
    if (object == 0 || *n == b->max)
        return;
    b->refs[*n] = object;
    b->names[(*n)++] = name;
}

static void
frame_row(struct wk *w, struct frame_buffers *b, struct wk_frame_view *v)
{
    const struct wk_facts *f = &w->facts;
    wk_addr qualname = WK_U64(v->code, f->code_qualname != WK_NO_FACT ? f->code_qualname : f->code_name);
    bool owned = v->owner == WK_OWNER_THREAD;
    size_t n = 0;

    wk_stack_reckon(w, v);
    if (owned) { /* what the frame holds beside its variables */
        add(b, &n, v->frame, w->at_hand->frame);
        add(b, &n, v->function, w->at_hand->function);
        add(b, &n, v->code, w->at_hand->code);
        add(b, &n, v->locals, w->at_hand->f_locals);
    }
    for (uint32_t i = 0; i < v->n_slots + v->n_stack; i++) {
        bool counted;
        wk_addr object = wk_stack_entry(w, v, i, &counted);
        if (object != 0 && (counted || i < v->n_slots || wk_is_immortal(w, object)))
            add(b, &n, object, wk_frame_slot_name(w, v, i));
    }
    b->operands += wk_stack_operands(w, v);
    b->unknown_stacks += !v->stack_known;
    b->frames++;
    wk_frame(w, &(struct hf_frame_row){
                    .frame = v->frame,
                    .code = v->code,
                    .function = v->function,
                    .line = wk_frame_line(w, v),
                    .flags = owned ? HF_FRAME_OWNED : 0,
                    .qualname = b->qualname,
                    .qualname_len = copy_text(w, b->qualname, TEXT_MAX, qualname, false),
                    .file = b->file,
                    .file_len = copy_text(w, b->file, TEXT_MAX, WK_U64(v->code, f->code_filename), false),
                    .names = b->names,
                    .refs = b->refs,
                    .n = n,
                });
}

static void
thread_row(struct wk *w, struct frame_buffers *b, wk_addr interpreter, wk_addr thread, wk_addr active)
{
    const struct wk_facts *f = &w->facts;
    uint64_t ident = WK_U64(thread, f->tstate_thread_id);
    bool is_main = interpreter == w->interpreter && ident == WK_U64(w->runtime, f->runtime_main_thread);
    struct wk_frame_view v;
    bool finalizer = false;
    unsigned n = 0;

    b->threads++;
    wk_thread(w,
              &(struct hf_thread_row){
                  .ident = ident,
                  .native_id = f->tstate_native_id != WK_NO_FACT ? WK_U64(thread, f->tstate_native_id) : 0,
                  .state_addr = thread,
                  .flags = (is_main ? HF_THREAD_MAIN : 0u) | (holds_gil(w, interpreter, thread) ? HF_THREAD_GIL : 0u),
                  .name = b->qualname,
                  .name_len = copy_text(w, b->qualname, TEXT_MAX, thread_name(w, active, ident), true),
              });
    for (wk_addr a = innermost(w, thread); a != 0 && n < MAX_FRAMES; n++) {
        if (f->tstate_frame != WK_NO_FACT) {
            if (!wk_frame_of_object(w, a, &v))
                break;
            a = WK_U64(a, f->frame_back);
        } else {
            if (!wk_frame_of_internal(w, a, &v))
                break;
            a = WK_U64(a, f->iframe_previous);
            if (v.owner == WK_OWNER_C)
                continue;
        }
        if (finalizer)
            wk_stack_unsure(w, &v);
        finalizer = wk_str_equals(w, WK_U64(v.code, f->code_name), "__del__");
        frame_row(w, b, &v);
    }
    if (n == MAX_FRAMES)
        wk_skip(w, thread, "too many frames");
}

void
wk_threads(struct wk *w)
{
    struct frame_buffers *b = wk_alloc(w, sizeof *b);

    if (b == NULL)
        return;
    b->max = MAX_ENTRIES;
    b->names = wk_map(w, b->max * sizeof *b->names);
    b->refs = wk_map(w, b->max * sizeof *b->refs);
    if (b->names == NULL || b->refs == NULL)
        return;
    for (wk_addr i = wk_interpreter_next(w, 0); i != 0; i = wk_interpreter_next(w, i)) {
        wk_addr active = active_threads(w, i);
        for (wk_addr t = WK_U64(i, w->facts.interp_tstate_head); t != 0; t = WK_U64(t, w->facts.tstate_next))
            if (t != w->own_thread)
                thread_row(w, b, i, t, active);
    }
    hf_write_counter(&w->out, "threads", b->threads);
    hf_write_counter(&w->out, "frames", b->frames);
    /* their temporary values are in the dump only if something else refers to them */
    hf_write_counter(&w->out, "frames.stack.unknown", b->unknown_stacks);
    hf_write_counter(&w->out, "frames.operands", b->operands);
}
