// SPDX-License-Identifier: MIT
#pragma once
/*
 * What the interpreter itself holds, inside of roots/: one view of a frame for all versions, used for thread stacks, frame objects,
 * generators and their contents.
 */
#include "../wk-private.h"
#include "../wk-objects.h"

/* 3.13+: the interpreter's own table of offsets, at the start of _PyRuntime, agrees with the facts. */
bool wk_debug_offsets_agree(const struct wk_facts *facts, const uint64_t *words);

/* 3.12+: where an interpreter keeps dict, subclasses and weakrefs of a static type; 0: in the type itself. */
wk_addr wk_static_type_state(struct wk *w, wk_addr interpreter, wk_addr type);

/* Names that the cache of attributes of types holds. type-cache.c */
void wk_type_cache_roots(struct wk *w, wk_addr interpreter);

/* Names that every frame and generator needs, and lines found last: made once, by wk_contents_init(). */
struct wk_at_hand {
    uint32_t code, function, frame, f_locals, f_back, f_trace, globals, builtins, extra_locals, locals_cache;
    uint32_t name, qualname, finalizer, origin, awaits, exception, exception_type, traceback;
    struct wk_line {
        wk_addr code;
        int32_t lasti;
        uint32_t line;
    } lines[256];
};
void wk_at_hand_init(struct wk *w);

enum wk_frame_owner {
    WK_OWNER_THREAD,
    WK_OWNER_GENERATOR,
    WK_OWNER_FRAME, /* a frame object; always before 3.11 */
    WK_OWNER_C,     /* an entry of the C stack, no Python code */
};

/* A frame, wherever it lives. */
struct wk_frame_view {
    wk_addr code, function, globals, builtins, locals;
    wk_addr frame;       /* frame object, 0 none */
    wk_addr internal;    /* 3.11+: _PyInterpreterFrame */
    wk_addr slots;       /* local, cell and free variables, then the evaluation stack */
    uint32_t n_slots;    /* variables */
    uint32_t n_stack;    /* entries of the stack that are known to be valid */
    uint32_t n_operands; /* beyond them: of the instruction at hand, there or gone (wk_stack_reckon) */
    uint32_t max_stack;
    int32_t lasti; /* bytes into the code of the current instruction; < 0: not started */
    uint8_t owner; /* enum wk_frame_owner */
    bool code_counted, function_counted;
    bool running;     /* and its stack pointer is in a register */
    bool stack_known; /* false: n_stack is 0 for want of a stack pointer */
    bool awaiting;    /* of one that runs: what it waits for is the last entry known */
    bool cleared;     /* nothing but the code is valid */
};

/* A variable or an entry of the stack; 0: none, or no object (a tagged int). *counted: whether it is in the object's count. */
wk_addr wk_stack_ref(const struct wk *w, uint64_t word, bool *counted);

/* False when there is no frame (a finished generator) or it makes no sense. */
bool wk_frame_of_object(struct wk *w, wk_addr frame, struct wk_frame_view *v);
bool wk_frame_of_internal(struct wk *w, wk_addr internal, struct wk_frame_view *v); /* 3.11+ */
bool wk_frame_of_generator(struct wk *w, wk_addr generator, struct wk_frame_view *v);
/* The line where a frame stands, 0 unknown; respects the line that a trace function set. */
uint32_t wk_frame_line(struct wk *w, const struct wk_frame_view *v);
/* Name of slot i: <local x>, <cell x>, <free x>; beyond the variables <stack i>. 0: unknown. */
uint32_t wk_frame_slot_name(struct wk *w, const struct wk_frame_view *v, uint32_t i);
/* The variable that slot i is, a str, and what kind of one; 0: unknown. i < n_slots */
wk_addr wk_frame_variable(struct wk *w, const struct wk_frame_view *v, uint32_t i, enum wk_name_kind *kind);
/* Flags of a reference that is not counted: of what lives for ever it is as good as any. */
unsigned wk_borrowed(const struct wk *w, wk_addr object);
/* What a suspended generator waits for stands on top of its stack: true then. */
bool wk_frame_awaits(struct wk *w, const struct wk_frame_view *v);

/* stack.c: until 3.13, n_stack of a frame that runs, from its code. Marks what may be on top of that, and says
 * of how much. Counts how good it is at known ones. */
void wk_stack_reckon(struct wk *w, struct wk_frame_view *v);
/* A variable or an entry of the stack, as wk_stack_ref(); 0 also where it is not alive any more. */
wk_addr wk_stack_entry(struct wk *w, const struct wk_frame_view *v, uint32_t i, bool *counted);
uint32_t wk_stack_operands(struct wk *w, const struct wk_frame_view *v);
void wk_stack_unsure(struct wk *w, const struct wk_frame_view *v); /* what it called was a finalizer */
void wk_stack_check(struct wk *w, const struct wk_frame_view *v);

/* wk_ref() for what an interpreter frame holds itself, in the order in which it is traversed (3.11+). */
void wk_internal_frame_refs(struct wk *w, struct wk_frame_view *v);

/* greenlets.c: the outermost frame of one that is suspended. False: none is known */
bool wk_greenlet_outermost(struct wk *w, wk_addr greenlet, struct wk_frame_view *out);

enum wk_generator_state {
    WK_GEN_CREATED,
    WK_GEN_RUNNING,
    WK_GEN_SUSPENDED,
    WK_GEN_CLOSED,
};
enum wk_generator_state wk_generator_state(struct wk *w, wk_addr generator);
wk_addr wk_generator_code(struct wk *w, wk_addr generator); /* 0: none left */

/* Line of an instruction: lasti in bytes. 0: the instruction has none. contents/lines.c */
uint32_t wk_code_line(struct wk *w, wk_addr code, int32_t lasti);

/* An attribute of an instance, found without running anything: slots, instance dict, values beside the object. 0: none. attributes.c */
wk_addr wk_attribute(struct wk *w, wk_addr object, const char *name);
/* What the class itself has under a name, for values that instances leave at their default. */
wk_addr wk_class_attribute(struct wk *w, wk_addr type, const char *name);
