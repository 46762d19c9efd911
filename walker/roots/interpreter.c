// SPDX-License-Identifier: MIT
/*
 * Finds the interpreters and checks that the facts of this version hold for the live process, before anything else is read
 * through them. What can be checked: 3.13's own table of offsets, links that must agree both ways, types of well-known members.
 */
#include "wk-roots.h"

enum {
    MAX_INTERPRETERS = 4096,
    MAX_THREADS = 1 << 20,
};

/* _Py_DebugOffsets at the start of _PyRuntime, 3.13: where each number stands, and the fact that it must equal. */
struct debug_offset {
    uint16_t at; /* index of the 64-bit word */
    uint16_t fact;
};

#define DEBUG_OFFSET(word, name)                                                                                       \
    {                                                                                                                  \
        word, offsetof(struct wk_facts, name)                                                                          \
    }

static const struct debug_offset debug_offsets[] = {
    DEBUG_OFFSET(5, runtime_interp_head),
    DEBUG_OFFSET(7, interp_id),
    DEBUG_OFFSET(8, interp_next),
    DEBUG_OFFSET(9, interp_tstate_head),
    DEBUG_OFFSET(10, interp_gc),
    DEBUG_OFFSET(11, interp_modules),
    DEBUG_OFFSET(12, interp_sysdict),
    DEBUG_OFFSET(13, interp_builtins),
    DEBUG_OFFSET(14, interp_gil),
    DEBUG_OFFSET(17, interp_own_gil_locked),
    DEBUG_OFFSET(18, interp_own_gil_holder),
    DEBUG_OFFSET(20, tstate_prev),
    DEBUG_OFFSET(21, tstate_next),
    DEBUG_OFFSET(22, tstate_interp),
    DEBUG_OFFSET(23, tstate_current_frame),
    DEBUG_OFFSET(24, tstate_thread_id),
    DEBUG_OFFSET(25, tstate_native_id),
    DEBUG_OFFSET(26, tstate_datastack_chunk),
    DEBUG_OFFSET(29, iframe_previous),
    DEBUG_OFFSET(30, iframe_code),
    DEBUG_OFFSET(31, iframe_instr),
    DEBUG_OFFSET(32, iframe_localsplus),
    DEBUG_OFFSET(33, iframe_owner),
    DEBUG_OFFSET(35, code_filename),
    DEBUG_OFFSET(36, code_name),
    DEBUG_OFFSET(37, code_qualname),
    DEBUG_OFFSET(38, code_lines),
    DEBUG_OFFSET(39, code_firstlineno),
    DEBUG_OFFSET(41, code_localsplusnames),
    DEBUG_OFFSET(42, code_localspluskinds),
    DEBUG_OFFSET(43, code_adaptive),
    DEBUG_OFFSET(47, type_name),
    DEBUG_OFFSET(49, type_flags),
    DEBUG_OFFSET(51, tuple_items),
    DEBUG_OFFSET(54, list_items),
    DEBUG_OFFSET(57, dict_keys),
    DEBUG_OFFSET(58, dict_values),
    DEBUG_OFFSET(60, float_value),
    DEBUG_OFFSET(62, int_tag),
    DEBUG_OFFSET(63, int_digits),
    DEBUG_OFFSET(66, bytes_data),
    DEBUG_OFFSET(68, str_state),
    DEBUG_OFFSET(69, str_length),
    DEBUG_OFFSET(70, str_ascii_data),
    DEBUG_OFFSET(72, gc_collecting),
};

bool
wk_debug_offsets_agree(const struct wk_facts *facts, const uint64_t *words)
{
    if (words[0] != 0x7970677562656478ull /* "xdebugpy" */ || words[1] >> 24 != 0x03 ||
        (words[1] >> 16 & 0xff) != (facts->version & 0xff))
        return false;
    if (words[2] != 0) /* free-threaded */
        return false;
    for (size_t i = 0; i < sizeof debug_offsets / sizeof debug_offsets[0]; i++) {
        if (words[debug_offsets[i].at] != wk_fact_at(facts, debug_offsets[i].fact))
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
    w->interned = f->interp_interned != WK_NO_FACT ? WK_U64(main_interpreter, f->interp_interned) : 0;
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

    for (unsigned i = 0; i < 3; i++)
        heads[i] = gc + f->gc_generations + i * f->gc_generation_size;
    heads[3] = gc + f->gc_permanent;
    if (WK_U64(gc, f->gc_generation0) != heads[0])
        return 0;
    for (unsigned i = 0; i < 4; i++) {
        wk_addr next = WK_U64(heads[i], 0), previous = WK_U64(heads[i], 8);

        /* A circle through the head; the two low bits of prev are flags of a collection under way. That these are the heads was seen above: a
         * circle that is open was caught while something is put in or out. */
        if (!plausible(next) || !plausible(previous & ~3ull) || (WK_U64(next, 8) & ~3ull) != heads[i] ||
            WK_U64(previous & ~3ull, 0) != heads[i])
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
