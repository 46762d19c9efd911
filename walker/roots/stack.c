// SPDX-License-Identifier: MIT
/*
 * How deep the evaluation stack of a frame is that runs. Until 3.13 the interpreter keeps its stack pointer in a register while it
 * calls into C, and until 3.10 always; what stands on the stack then (the file that a loop reads, an argument that is made for the call
 * alone) would be missing. But the compiler knew the depth at each instruction, and so does who goes through the code once as it did:
 * every instruction has one effect, which the interpreter's own PyCompile_OpcodeStackEffectWithJump() tells, and that of 3.8's that depends on the way
 * is taken for the least.
 *
 * Where the instruction at hand stands is known, but not how far it has come: what it takes from the stack may be there or gone, even freed.
 * So operands are no references of the frame. They are marked, that nothing is missing; whoever still holds them is C. While an exception
 * unwinds a stack, finalizers may run above entries that are gone, too: of a frame that __del__ was called from all is in doubt, and
 * no entry is taken that is not alive.
 */
#include "wk-roots.h"
#include "../wk-sys.h"
#include "../wk-types.h"
#include "../wk-visited.h"

enum {
    MAX_UNITS = 1 << 16, /* instructions of a code object, caches among them */
    STEPS = 16,          /* times that an instruction may be looked at, on the average */
    RECENT = 64,
    UNSURE = 64,
    CACHES_MAX = 16,
    UNKNOWN = -1,
    INVALID_EFFECT = 0x7fffffff,
    EXCEPTION_TABLE_BITS = 6,
};

/* facts/opcodes.py */
enum how {
    HOW_KIND = 7,
    HOW_PLAIN = 1,
    HOW_TERMINAL = 2,
    HOW_JUMP = 3,
    HOW_BRANCH = 4,
    HOW_BACKWARD = 8,
    HOW_ABSOLUTE = 16,
    HOW_TAKES = 32,
    TAKES_MANY = 4, /* below: as many */
    TAKES_CALL = 5,
    TAKES_AWAITS = 6,
    TAKES_MOST = 4,
};

struct opcode {
    uint8_t base;   /* its general form */
    uint8_t caches; /* words behind it that are no instructions */
    uint8_t how;    /* 0: no instruction, or not known which */
};

#define FIRST_TABLE 8
static const struct opcode opcodes[][256] = {
    {
#include "../facts/opcodes-3.8.inc"
    },
    {
#include "../facts/opcodes-3.9.inc"
    },
    {
#include "../facts/opcodes-3.10.inc"
    },
    {
#include "../facts/opcodes-3.11.inc"
    },
    {
#include "../facts/opcodes-3.12.inc"
    },
    {
#include "../facts/opcodes-3.13.inc"
    },
};

/* What is known of one instruction of one code object. */
struct depth {
    wk_addr code;
    uint32_t unit;
    int32_t certain; /* entries that are there whatever it has done; UNKNOWN */
    int32_t operands;
    bool awaits;
};

struct wk_stacks {
    struct depth recent[RECENT];
    int16_t *depths; /* of each unit */
    uint32_t *work;
    wk_addr unsure[UNSURE]; /* stacks that are being unwound */
    uint32_t n_unsure;
    uint64_t steps, checked, lower, wrong;
};

struct code_at_hand {
    struct wk_stacks *s;
    const struct opcode *table;
    wk_addr units, monitoring;
    uint32_t n, n_work;
    bool words; /* 3.10+: jumps count instructions */
    bool bad;
};

static int32_t
effect_of(struct wk *w, const struct opcode *o, uint32_t arg, bool jump)
{
    int (*effect)(int, int, int) = (int (*)(int, int, int))(uintptr_t)wk_symbol(w, WK_SYM_STACK_EFFECT);
    const struct wk_facts *f = &w->facts;
    uint32_t op = o->base;

    if (op == f->op_extended_arg)
        return 0;
    if (f->op_precall != WK_NO_FACT) { /* 3.11 shares a call's effect between two */
        if (op == f->op_precall)
            return 0;
        if (op == f->op_call)
            return -1 - (int32_t)arg;
    }
    /* The way without an exception. POP_FINALLY takes one or six: its six are too many there, and never too few. */
    if (f->op_begin_finally != WK_NO_FACT) {
        if (op == f->op_begin_finally || op == f->op_with_cleanup_start || (op == f->op_setup_with && jump))
            return 1;
        if (op == f->op_setup_async_with && jump)
            return 0;
        if (op == f->op_end_finally)
            return -1;
        if (op == f->op_with_cleanup_finish)
            return -2;
    }
    /* before 3.13 an argument that is none must be 0 */
    return effect(op, (int)arg, jump);
}

static void
reach(struct code_at_hand *c, int64_t unit, int64_t depth)
{
    /* Taken for less than it is; or a generator takes its first value, which whoever resumes it puts there. */
    depth = depth < 0 ? 0 : depth;
    if (unit < 0 || unit >= c->n || depth > INT16_MAX) {
        c->bad = true;
        return;
    }
    if (c->s->depths[unit] != UNKNOWN && c->s->depths[unit] <= depth)
        return;
    c->s->depths[unit] = (int16_t)depth;
    if (c->n_work < MAX_UNITS)
        c->s->work[c->n_work++] = (uint32_t)unit;
    else
        c->bad = true;
}

/* 3.12, while a debugger or a measurement of coverage looks on: what stood there before. Of 3.13 that is not known. */
static uint8_t
opcode_at(const struct wk *w, const struct code_at_hand *c, uint32_t unit)
{
    const struct wk_facts *f = &w->facts;
    uint8_t op = WK_U8(c->units, 2ull * unit);

    if (op == f->op_instrumented_line && c->monitoring != 0) {
        wk_addr lines = WK_U64(c->monitoring, f->monitoring_lines);
        op = lines != 0 ? WK_U8(lines, (uint64_t)unit * f->monitoring_line_size + f->monitoring_line_opcode) : 0;
    }
    if (op == f->op_instrumented_instruction && c->monitoring != 0) {
        wk_addr before = WK_U64(c->monitoring, f->monitoring_instructions);
        op = before != 0 ? WK_U8(before, unit) : 0;
    }
    return op;
}

/* The instruction at a unit, prefixes read; returns the first unit behind it and its caches. */
static uint32_t
decode(const struct wk *w, const struct code_at_hand *c, uint32_t unit, const struct opcode **o, uint32_t *arg)
{
    *arg = 0;
    do {
        *o = &c->table[opcode_at(w, c, unit)];
        *arg = *arg << 8 | WK_U8(c->units, 2ull * unit + 1);
        unit++;
    } while ((*o)->base == w->facts.op_extended_arg && unit < c->n);
    return unit + (*o)->caches;
}

/* From one unit on, until the way ends or meets what is known. */
static void
go(struct wk *w, struct code_at_hand *c, uint32_t unit)
{
    int32_t depth = c->s->depths[unit];

    for (;;) {
        const struct opcode *o;
        uint32_t arg, next = decode(w, c, unit, &o, &arg), at;
        unsigned kind = o->how & HOW_KIND;
        int32_t effect;

        if (c->s->steps == 0 || kind == 0) {
            c->bad = true;
            return;
        }
        c->s->steps--;
        for (at = unit + 1; at < c->n && at < next - o->caches; at++) /* behind a prefix */
            if (c->s->depths[at] == UNKNOWN || c->s->depths[at] > depth)
                c->s->depths[at] = (int16_t)depth;
        if (kind == HOW_TERMINAL)
            return;
        if (kind == HOW_JUMP || kind == HOW_BRANCH) {
            int64_t by = c->words ? arg : arg / 2;

            effect = effect_of(w, o, arg, true);
            if (effect == INVALID_EFFECT) {
                c->bad = true;
                return;
            }
            reach(c, o->how & HOW_ABSOLUTE ? by : (int64_t)next + (o->how & HOW_BACKWARD ? -by : by), depth + effect);
            if (kind == HOW_JUMP)
                return;
        }
        effect = effect_of(w, o, arg, false);
        depth += effect == INVALID_EFFECT ? 0 : effect;
        depth = depth < 0 ? 0 : depth;
        if (effect == INVALID_EFFECT || depth > INT16_MAX || next >= c->n) {
            c->bad = true;
            return;
        }
        if (c->s->depths[next] != UNKNOWN && c->s->depths[next] <= depth)
            return;
        c->s->depths[next] = (int16_t)depth;
        unit = next;
    }
}

static uint32_t
varint(const uint8_t *bytes, uint64_t n, uint64_t *at)
{
    uint32_t value = 0;
    uint8_t byte;

    do {
        byte = *at < n ? bytes[(*at)++] : 0;
        value = value << EXCEPTION_TABLE_BITS | (byte & 63);
    } while ((byte & 64) != 0);
    return value;
}

/* 3.11+: where handlers start, and how deep the stack is there. */
static void
handlers(struct wk *w, struct code_at_hand *c, wk_addr code)
{
    wk_addr table = WK_U64(code, w->facts.code_exceptiontable);
    uint64_t at = 0, n = wk_has_flag(table, WK_TPF_BYTES) ? WK_U64(table, WK_OB_SIZE) : 0;
    const uint8_t *bytes = (const uint8_t *)(uintptr_t)(table + w->facts.bytes_data);

    while (at < n && !c->bad) {
        uint32_t target, depth;

        (void)varint(bytes, n, &at);
        (void)varint(bytes, n, &at);
        target = varint(bytes, n, &at);
        depth = varint(bytes, n, &at);
        reach(c, target, (int64_t)(depth >> 1) + (depth & 1) + 1);
    }
}

/* Fills depths of all instructions; false: this code cannot be understood. */
static bool
depths_of(struct wk *w, wk_addr code, struct code_at_hand *c)
{
    const struct wk_facts *f = &w->facts;
    uint64_t n;

    if (f->code_adaptive != WK_NO_FACT) {
        c->units = code + f->code_adaptive;
        c->monitoring = f->code_monitoring != WK_NO_FACT ? WK_U64(code, f->code_monitoring) : 0;
        n = WK_U64(code, WK_OB_SIZE);
    } else {
        wk_addr bytes = WK_U64(code, f->code_code);
        if (!wk_has_flag(bytes, WK_TPF_BYTES))
            return false;
        c->units = bytes + f->bytes_data;
        n = WK_U64(bytes, WK_OB_SIZE) / 2;
    }
    if (n == 0 || n > MAX_UNITS)
        return false;
    c->n = (uint32_t)n;
    c->words = w->version >= 0x030a;
    c->s->steps = n * STEPS;
    for (uint32_t i = 0; i < c->n; i++)
        c->s->depths[i] = UNKNOWN;
    reach(c, 0, 0);
    if (f->code_exceptiontable != WK_NO_FACT)
        handlers(w, c, code);
    while (c->n_work > 0 && !c->bad)
        go(w, c, c->s->work[--c->n_work]);
    return !c->bad;
}

static void
find(struct wk *w, struct depth *d)
{
    struct code_at_hand c = {.s = w->stacks, .table = opcodes[(w->version & 0xff) - FIRST_TABLE]};
    const struct opcode *o;
    uint32_t arg, takes, unit = d->unit;
    int32_t depth, n;

    d->certain = UNKNOWN;
    if (!depths_of(w, d->code, &c) || unit >= c.n)
        return;
    /* Where what it called has returned or raised, a frame stands on the last word behind the instruction. */
    while (c.s->depths[unit] == UNKNOWN && unit > 0 && d->unit - unit < CACHES_MAX)
        unit--;
    if ((depth = c.s->depths[unit]) == UNKNOWN || decode(w, &c, unit, &o, &arg) <= d->unit)
        return;
    takes = o->how / HOW_TAKES;
    d->awaits = takes == TAKES_AWAITS; /* its receiver stays until the result takes its place */
    if (takes < TAKES_MANY) {
        n = (int32_t)takes;
    } else if (takes == TAKES_AWAITS) {
        n = 1;
    } else {
        int32_t effect = o->base == w->facts.op_precall ? -1 - (int32_t)arg : effect_of(w, o, arg, false);
        n = effect == INVALID_EFFECT ? depth : 1 - effect;
        n = takes == TAKES_MANY && n < TAKES_MOST ? TAKES_MOST : n;
    }
    n = n < 0 ? 0 : n > depth ? depth : n;
    d->certain = depth - n;
    d->operands = n;
}

static struct wk_stacks *
stacks(struct wk *w)
{
    struct wk_stacks *s = w->stacks;

    if (s == NULL) {
        s = w->stacks = wk_alloc(w, sizeof *s);
        s->depths = wk_map(w, MAX_UNITS * sizeof *s->depths);
        s->work = wk_map(w, MAX_UNITS * sizeof *s->work);
    }
    return s;
}

static const struct depth *
depth_at(struct wk *w, wk_addr code, uint32_t unit)
{
    struct wk_stacks *s = stacks(w);
    struct depth *d = &s->recent[(code >> 4 ^ unit) % RECENT];
    if (d->code != code || d->unit != unit) {
        *d = (struct depth){.code = code, .unit = unit};
        find(w, d);
    }
    return d;
}

void
wk_stack_reckon(struct wk *w, struct wk_frame_view *v)
{
    uint32_t minor = w->version & 0xff;
    const struct depth *d;

    if (v->running && v->lasti < 0)
        v->stack_known = true; /* it has not begun */
    if (v->stack_known || !v->running || wk_symbol(w, WK_SYM_STACK_EFFECT) == 0 || minor < FIRST_TABLE ||
        minor - FIRST_TABLE >= sizeof opcodes / sizeof opcodes[0])
        return;
    d = depth_at(w, v->code, (uint32_t)v->lasti / 2);
    if (d->certain < 0 || (uint32_t)(d->certain + d->operands) > v->max_stack)
        return;
    v->stack_known = true;
    v->n_stack = (uint32_t)d->certain;
    v->n_operands = (uint32_t)d->operands;
    v->awaiting = d->awaits;
    for (uint32_t i = 0; i < w->stacks->n_unsure; i++)
        if (w->stacks->unsure[i] == v->slots) {
            v->n_operands += v->n_stack;
            v->n_stack = 0;
        }
}

void
wk_stack_unsure(struct wk *w, const struct wk_frame_view *v)
{
    struct wk_stacks *s = stacks(w);

    if (v->running && !v->stack_known && s->n_unsure < UNSURE)
        s->unsure[s->n_unsure++] = v->slots;
}

static bool
may_read_type(struct wk *w, wk_addr type)
{
    return wk_may_read(w, type) && wk_may_read(w, type + WK_TP_WEAKLIST);
}

/*
 * May be an object that was given back: nothing is read that may not be there. One of the collector's has a count of 0 then. Of another the
 * count is where the allocator keeps the address of the next free block, and no address is as small as a count.
 */
static bool
is_alive(struct wk *w, wk_addr object)
{
    wk_addr type, meta;
    uint64_t count;

    if (!wk_may_read(w, object) || !wk_may_read(w, object + WK_HEAD))
        return false;
    type = WK_U64(object, WK_OB_TYPE);
    if (!may_read_type(w, type))
        return false;
    meta = WK_U64(type, WK_OB_TYPE);
    if (meta != wk_symbol(w, WK_SYM_TYPE_TYPE) &&
        (!may_read_type(w, meta) || WK_U64(meta, WK_OB_TYPE) != wk_symbol(w, WK_SYM_TYPE_TYPE) ||
         !(wk_type_flags(meta) & WK_TPF_TYPE)))
        return false;
#if !WK_FREE_THREADED
    if ((WK_U64(object, WK_OB_REFCNT) & w->facts.refcnt_mask) > UINT32_MAX)
        return false;
#endif
    return wk_type_plausible(w, type) && (!wk_refcount(w, object, &count) || count != 0);
}

wk_addr
wk_stack_entry(struct wk *w, const struct wk_frame_view *v, uint32_t i, bool *counted)
{
    wk_addr object = wk_stack_ref(w, WK_U64(v->slots, 8ull * i), counted);

    if (object != 0 && v->running && i >= v->n_slots && !is_alive(w, object))
        return 0;
    return object;
}

uint32_t
wk_stack_operands(struct wk *w, const struct wk_frame_view *v)
{
    uint32_t n = 0;

    for (uint32_t i = v->n_slots + v->n_stack; i < v->n_slots + v->n_stack + v->n_operands; i++) {
        wk_addr object = WK_U64(v->slots, 8ull * i);
        if (object != 0 && is_alive(w, object)) {
            wk_mark(w, object);
            n++;
        }
    }
    return n;
}

/* A generator that is suspended: its stack is what its last instruction left, without the value that was yielded. */
void
wk_stack_check(struct wk *w, const struct wk_frame_view *v)
{
    uint32_t unit = (uint32_t)v->lasti / 2 + (w->version < 0x030b && wk_frame_awaits(w, v));
    struct wk_frame_view reckoned = *v;

    if (v->running || !v->stack_known || v->lasti < 0)
        return;
    reckoned.running = true;
    reckoned.stack_known = false;
    reckoned.lasti = (int32_t)unit * 2;
    wk_stack_reckon(w, &reckoned);
    if (w->stacks == NULL)
        return;
    uint32_t depth = reckoned.n_stack + reckoned.n_operands - 1;
    w->stacks->checked++;
    w->stacks->lower += reckoned.stack_known && depth < v->n_stack;
    w->stacks->wrong += !reckoned.stack_known || depth > v->n_stack;
}

void
wk_stack_counters(struct wk *w)
{
    if (w->stacks == NULL || !(w->args->flags & WK_FLAG_CHECK_STACKS))
        return;
    hf_write_counter(&w->out, "stacks.checked", w->stacks->checked);
    hf_write_counter(&w->out, "stacks.lower", w->stacks->lower);
    hf_write_counter(&w->out, "stacks.wrong", w->stacks->wrong);
}
