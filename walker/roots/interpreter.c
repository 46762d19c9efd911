// SPDX-License-Identifier: MIT
/*
 * Finds the interpreters and checks that the facts of this version hold for the live process, before anything else is read
 * through them. What can be checked: the table of offsets that 3.13 and later have themselves, links that must agree both ways, types of well-known members.
 */
#include "wk-roots.h"

enum {
    MAX_INTERPRETERS = 4096,
    MAX_THREADS = 1 << 20,
};

/* _Py_DebugOffsets at the start of _PyRuntime, 3.13+: where in it a number stands, and the fact that it must equal. */
struct debug_offset {
    uint16_t at, fact; /* offsets in struct wk_facts */
};

#define DEBUG_OFFSET(at, fact)                                                                                         \
    {                                                                                                                  \
        offsetof(struct wk_facts, at), offsetof(struct wk_facts, fact)                                                 \
    }

static const struct debug_offset debug_offsets[] = {
    DEBUG_OFFSET(debug_runtime_head, runtime_interp_head),
    DEBUG_OFFSET(debug_interp_id, interp_id),
    DEBUG_OFFSET(debug_interp_next, interp_next),
    DEBUG_OFFSET(debug_interp_threads, interp_tstate_head),
    DEBUG_OFFSET(debug_interp_gc, interp_gc),
    DEBUG_OFFSET(debug_interp_modules, interp_modules),
    DEBUG_OFFSET(debug_interp_sysdict, interp_sysdict),
    DEBUG_OFFSET(debug_interp_builtins, interp_builtins),
    DEBUG_OFFSET(debug_interp_gil, interp_gil),
    DEBUG_OFFSET(debug_interp_gil_locked, interp_own_gil_locked),
    DEBUG_OFFSET(debug_interp_gil_holder, interp_own_gil_holder),
    DEBUG_OFFSET(debug_tstate_size, tstate_size),
    DEBUG_OFFSET(debug_tstate_prev, tstate_prev),
    DEBUG_OFFSET(debug_tstate_next, tstate_next),
    DEBUG_OFFSET(debug_tstate_interp, tstate_interp),
    DEBUG_OFFSET(debug_tstate_frame, tstate_current_frame),
    DEBUG_OFFSET(debug_tstate_thread_id, tstate_thread_id),
    DEBUG_OFFSET(debug_tstate_native_id, tstate_native_id),
    DEBUG_OFFSET(debug_tstate_chunk, tstate_datastack_chunk),
    DEBUG_OFFSET(debug_iframe_previous, iframe_previous),
    DEBUG_OFFSET(debug_iframe_executable, iframe_code),
    DEBUG_OFFSET(debug_iframe_instr, iframe_instr),
    DEBUG_OFFSET(debug_iframe_localsplus, iframe_localsplus),
    DEBUG_OFFSET(debug_iframe_owner, iframe_owner),
    DEBUG_OFFSET(debug_iframe_stackpointer, iframe_stackpointer),
    DEBUG_OFFSET(debug_code_filename, code_filename),
    DEBUG_OFFSET(debug_code_name, code_name),
    DEBUG_OFFSET(debug_code_qualname, code_qualname),
    DEBUG_OFFSET(debug_code_lines, code_lines),
    DEBUG_OFFSET(debug_code_firstlineno, code_firstlineno),
    DEBUG_OFFSET(debug_code_names, code_localsplusnames),
    DEBUG_OFFSET(debug_code_kinds, code_localspluskinds),
    DEBUG_OFFSET(debug_code_adaptive, code_adaptive),
    DEBUG_OFFSET(debug_object_size, object_size),
    DEBUG_OFFSET(debug_object_type, object_type),
    DEBUG_OFFSET(debug_type_size, type_size),
    DEBUG_OFFSET(debug_type_name, type_name),
    DEBUG_OFFSET(debug_type_flags, type_flags),
    DEBUG_OFFSET(debug_tuple_items, tuple_items),
    DEBUG_OFFSET(debug_list_items, list_items),
    DEBUG_OFFSET(debug_dict_keys, dict_keys),
    DEBUG_OFFSET(debug_dict_values, dict_values),
    DEBUG_OFFSET(debug_float_value, float_value),
    DEBUG_OFFSET(debug_int_tag, int_tag),
    DEBUG_OFFSET(debug_int_digits, int_digits),
    DEBUG_OFFSET(debug_bytes_data, bytes_data),
    DEBUG_OFFSET(debug_str_state, str_state),
    DEBUG_OFFSET(debug_str_length, str_length),
    DEBUG_OFFSET(debug_str_ascii, str_ascii_data),
    DEBUG_OFFSET(debug_gc_collecting, gc_collecting),
    DEBUG_OFFSET(debug_set_table, set_table),
    DEBUG_OFFSET(debug_set_mask, set_mask),
    DEBUG_OFFSET(debug_gen_name, gen_name),
    DEBUG_OFFSET(debug_gen_iframe, gen_iframe),
    DEBUG_OFFSET(debug_gen_frame_state, gen_frame_state),
};

bool
wk_debug_offsets_agree(const struct wk_facts *facts, const uint64_t *words)
{
    if (words[0] != 0x7970677562656478ull /* "xdebugpy" */ || words[1] >> 24 != 0x03 ||
        (words[1] >> 16 & 0xff) != (facts->version & 0xff))
        return false;
    if ((words[2] != 0) != ((facts->build & WK_BUILD_FREE_THREADED) != 0))
        return false;
    for (size_t i = 0; i < sizeof debug_offsets / sizeof debug_offsets[0]; i++) {
        uint32_t at = wk_fact_at(facts, debug_offsets[i].at);
        if (at != WK_NO_FACT && words[at / 8] != wk_fact_at(facts, debug_offsets[i].fact))
            return false;
    }
    return true;
}

/* An address that may be that of a structure: not null, aligned, in user space. */
static bool
plausible(wk_addr a)
{
    return a >= 4096 && (a & 7) == 0 && a < 1ull << 47;
}

static bool
is_dict(wk_addr object)
{
    return plausible(object) && plausible(wk_type_address(object)) && wk_has_flag(object, WK_TPF_DICT);
}

static bool
threads_agree(struct wk *w, wk_addr interpreter)
{
    const struct wk_facts *f = &w->facts;
    wk_addr previous = 0;
    unsigned n = 0;

    for (wk_addr t = WK_U64(interpreter, f->interp_tstate_head); t != 0; t = WK_U64(t, f->tstate_next)) {
        if (!plausible(t) || WK_U64(t, f->tstate_interp) != interpreter || WK_U64(t, f->tstate_prev) != previous ||
            ++n > MAX_THREADS)
            return false;
        previous = t;
    }
    return true;
}

/* sizes that types state themselves against those of the tables */
static bool
sizes_agree(struct wk *w)
{
    const struct wk_facts *f = &w->facts;
    wk_addr type = wk_symbol(w, WK_SYM_TYPE_TYPE), unicode = wk_symbol(w, WK_SYM_TYPE_UNICODE);

    /* sizeof(PyUnicodeObject) = sizeof(PyCompactUnicodeObject) + a pointer */
    return WK_U64(type, WK_TP_BASICSIZE) == f->heaptype_size &&
           WK_U64(unicode, WK_TP_BASICSIZE) == f->str_compact_data + 8 &&
           WK_U64(wk_symbol(w, WK_SYM_TYPE_LONG), WK_TP_BASICSIZE) == f->int_digits && wk_type_address(type) == type &&
           wk_type_address(unicode) == type;
}

/* Interpreters that are not isolated share one. */
static void
find_interned(struct wk *w)
{
    if (w->facts.interp_interned == WK_NO_FACT)
        return;
    w->interned = WK_U64(w->interpreter, w->facts.interp_interned);
    for (wk_addr i = wk_interpreter_next(w, 0); i != 0; i = wk_interpreter_next(w, i)) {
        wk_addr dict = WK_U64(i, w->facts.interp_interned);
        if (is_dict(dict) && dict != w->interned && w->n_more_interned < WK_MORE_INTERNED)
            w->more_interned[w->n_more_interned++] = dict;
    }
}

bool
wk_interpreters_find(struct wk *w)
{
    const struct wk_facts *f = &w->facts;
    wk_addr main_interpreter;
    bool seen = false;
    unsigned n = 0;

    if (f->version >= 0x030d && !wk_debug_offsets_agree(f, (const uint64_t *)(uintptr_t)w->runtime))
        return false;
    if (!sizes_agree(w))
        return false;
    main_interpreter = WK_U64(w->runtime, f->runtime_interp_main);
    if (!plausible(main_interpreter))
        return false;
    for (wk_addr i = WK_U64(w->runtime, f->runtime_interp_head); i != 0; i = WK_U64(i, f->interp_next)) {
        if (!plausible(i) || ++n > MAX_INTERPRETERS || !threads_agree(w, i))
            return false;
        seen |= i == main_interpreter;
    }
    if (!seen || WK_U64(main_interpreter, f->interp_id) != 0)
        return false;
    if (!is_dict(WK_U64(main_interpreter, f->interp_modules)) ||
        !is_dict(WK_U64(main_interpreter, f->interp_sysdict)) || !is_dict(WK_U64(main_interpreter, f->interp_builtins)))
        return false;
    w->interpreter = main_interpreter;
    find_interned(w);
    return true;
}

wk_addr
wk_interpreter_next(struct wk *w, wk_addr interpreter)
{
    wk_addr next =
        interpreter == 0 ? WK_U64(w->runtime, w->facts.runtime_interp_head) : WK_U64(interpreter, w->facts.interp_next);

    return plausible(next) ? next : 0;
}

unsigned
wk_gc_heads(struct wk *w, wk_addr interpreter, wk_addr heads[8])
{
    const struct wk_facts *f = &w->facts;
    wk_addr gc = f->interp_gc != WK_NO_FACT ? interpreter + f->interp_gc : w->runtime + f->runtime_gc;

    /* Where the first stands depends on the compiler: from 3.13.4 on, headers ask for an alignment of 4 only. */
    heads[0] = f->gc_generation0 != WK_NO_FACT ? WK_U64(gc, f->gc_generation0) : gc + f->gc_generations;
    bool as_it_is = w->ghost && (w->args->flags & WK_FLAG_COLLECTING) && wk_gc_running(w, interpreter);
    if ((heads[0] & 3) != 0 || heads[0] + 4 < gc + f->gc_generations || heads[0] > gc + f->gc_generations + 4)
        return 0;
    for (unsigned i = 1; i < 3; i++)
        heads[i] = heads[0] + i * f->gc_generation_size;
    heads[3] = gc + f->gc_permanent;
    for (unsigned i = 0; i < 4; i++) {
        wk_addr next = WK_U64(heads[i], 0), previous = WK_U64(heads[i], 8);

        /* A circle through the head; the two low bits of prev are flags of a collection under way. That these are the heads was seen above: a
         * circle that is open was caught while something is put in or out, or by a collection, which counts in prev. */
        bool sound = plausible(next & ~7ull) && plausible(previous & ~7ull);
        if (!sound || (!as_it_is && ((WK_U64(next & ~3ull, 8) & ~3ull) != heads[i] ||
                                     (WK_U64(previous & ~3ull, 0) & ~3ull) != heads[i])))
            wk_give_up(w, WK_ERR_INCONSISTENT, 0, heads[i]);
    }
    return 4;
}

bool
wk_gc_running(struct wk *w, wk_addr interpreter)
{
    const struct wk_facts *f = &w->facts;
    wk_addr gc = f->interp_gc != WK_NO_FACT ? interpreter + f->interp_gc : w->runtime + f->runtime_gc;

    return WK_U32(gc, f->gc_collecting) != 0;
}
