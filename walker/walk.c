// SPDX-License-Identifier: MIT
/*
 * The walk: what the collector knows is marked (lists.c, pages.c), then bitmap words with unwritten objects are swept in address order; writing an
 * object marks its referents and its neighbours in the gc lists. Sweeps read memory as it lies, which is several times faster
 * than following references; when a sweep finds little (a shuffled linked list), a worklist follows them until it runs dry.
 */
#include "wk-atoms.h"
#include "wk-fault.h"
#include "wk-gc.h"
#include "wk-names.h"
#include "wk-objects.h"
#include "wk-refs.h"
#include "wk-sys.h"
#include "wk-types.h"
#include "wk-visited.h"
#include "wk-walk.h"

#define SWEEP_WORTHWILE 64u /* objects a leaf that a sweep must find to be better than the worklist */
#define SKIP_NAMED_MAX  300u
#define STRIKES         50u /* times that a type's code may fault */
#define BATCH           32u
#define BATCH_MAX       (BATCH - 1 + 64) /* a word of bits more */
#define CAREFUL_OBJECTS 4096u
#define DIRTY_WORDS     (WK_LEAF_WORDS / 64)
#define THIN            (BATCH / 4) /* a worklist as short as that waits for memory */
#define THIN_ENOUGH     512u        /* objects that came from one, before others are looked for in their pages */
#define PAGES_TRIED     64u         /* before that is judged */

struct wk_walk_state {
    uint64_t sweeps, queued, around; /* around: found beside others */
    uint64_t careful;                /* no prefetch that reads objects until so many were met */
    wk_addr *next;                   /* their memory is called for */
    uint32_t n_next;
    bool neighbours;            /* are looked for */
    uint64_t thin, thin_enough; /* objects that were waited for */
    uint64_t page;              /* of the first in the batch from the worklist */
    uint64_t tried, found;      /* pages, and objects in them */
    uint32_t at, n;             /* of those at hand, at: the first that is not written */
    uint32_t known;             /* 0, or n: their types were looked up; NULL otherwise */
    wk_addr *object;
    struct wk_type *type[BATCH_MAX];
    wk_addr batch[2][BATCH_MAX]; /* next and object, in turns */
};

_Noreturn void
wk_broken(struct wk *w)
{
    if (w->fault->object_armed) {
        w->fault->signal = 0;
        wk_arch_jump(&w->fault->object);
    }
    wk_give_up(w, WK_ERR_INCONSISTENT, 0, w->current);
}

void
wk_skip(struct wk *w, wk_addr object, const char *why)
{
    w->skipped++;
    if (w->skipped_named < SKIP_NAMED_MAX) {
        w->skipped_named++;
        hf_write_skipped(&w->out, object & ~7ull, why);
    }
}

static __attribute__((noinline, cold)) void
write_broken(struct wk *w, struct wk_type *type, wk_addr object)
{
    struct hf_object_row row = {.addr = object, .flags = HF_OBJ_BROKEN | HF_OBJ_SIZE_UNKNOWN};

    if (type->id == 0)
        wk_type_write(w, type, "?", 1);
    row.type = type->id;
    hf_write_object(&w->out, &row);
}

/* One small block, of which readers know how large it is. */
static inline bool
is_plain(const struct wk_type *type, wk_addr object, uint64_t size)
{
    return size <= WK_REAL_PLAIN && (type->flags & WK_TYPE_REAL_PLAIN) &&
           (type->size_kind != WK_SIZE_STR || (WK_U32(object, WK_STR_STATE) & WK_STR_PLAIN) == WK_STR_PLAIN);
}

/*
 * What the target's own code did with the object at hand: after some faults, or once it did not come back, this code of this type is not
 * called any more, so that instances by the thousand neither take hours nor spoil the dump.
 */
static __attribute__((noinline, cold)) void
strike(struct wk *w, struct wk_type *type, uint8_t foreign, bool hung)
{
    if (foreign == WK_FOREIGN_NONE || (++type->strikes < STRIKES && !hung))
        return;
    if (foreign == WK_FOREIGN_TRAVERSE) {
        type->traverse = 0;
        type->flags |= WK_TYPE_STRUCK;
        wk_skip(w, type->addr, "its tp_traverse fails: it is not called any more, references of instances are missing");
    } else if (foreign == WK_FOREIGN_IS_GC) {
        type->traverse = 0;
        type->flags = (type->flags & ~(uint32_t)WK_TYPE_GC) | WK_TYPE_STRUCK;
        wk_skip(w, type->addr, "its tp_is_gc fails: it is not called any more, references of instances are missing");
    } else {
        wk_size_give_up(type);
        wk_skip(w, type->addr, "its __sizeof__ fails: it is not called any more");
    }
    type->strikes = 0;
}

/* Writes a row and marks its referents: each is looked at once. */
static inline void
write_row(struct wk *w, const struct hf_object_row *row)
{
    struct wk_visited *v = w->visited;
    const uint64_t *refs = row->refs;
    uint64_t prev = row->addr >> 3, n = row->n_refs;
    const uint32_t *dir = v->dir;
    struct wk_leaf *leaves = v->leaf;
    bool deposit = w->out.deposit;
    uint8_t *p = wk_likely(!v->queueing) ? hf_begin_object(&w->out, row) : NULL;

    if (wk_unlikely(p == NULL)) {
        wk_refs_mark(w, refs, n);
        hf_write_object(&w->out, row);
        return;
    }
    for (uint64_t i = 0; i < n; i++) {
        uint64_t ref = refs[i];
        uint32_t number;
        if (wk_likely((ref & (WK_POINTER_NEVER | 8)) == 0) && wk_likely((number = dir[ref >> WK_LEAF_SHIFT]) != 0))
            wk_mark_even(&leaves[number], ref);
        else
            wk_mark(w, ref);
        p = hf_put_delta(p, hf_zigzag((int64_t)((ref >> 3) - prev)), deposit);
        prev = ref >> 3;
    }
    hf_object_row_end(&w->out, p, row->addr, n);
}

/* A list or tuple and nothing else: its items are written straight from it. */
static inline bool
is_sequence(const struct wk_type *type)
{
    return (type->walk == WK_WALK_LIST || type->walk == WK_WALK_TUPLE) && !(type->flags & WK_TYPE_TAIL);
}

/* type: if it is known. */
static inline void
write_object(struct wk *w, wk_addr object, struct wk_type *type)
{
    struct hf_object_row row;
    uint64_t refcount, size;

    w->current = object;
    w->progress++;
    if (wk_unlikely(type == NULL)) {
        type = wk_type_find(w, WK_U64(object, WK_OB_TYPE));
        if (type == NULL) {
            wk_skip(w, object, "its type is no type");
            return;
        }
    }
    if (type->atom != WK_ATOM_NONE && wk_atom_write(w, type, object))
        return;
    bool counted = wk_refcount(w, object, &refcount);
    if (wk_unlikely(type->flags & WK_TYPE_BROKEN)) {
        wk_skip(w, object, "its type is broken");
        write_broken(w, type, object);
        return;
    }
    row.addr = object;
    row.type = type->id;
    row.flags = wk_likely(counted) ? HF_OBJ_REFCOUNT : HF_OBJ_IMMORTAL;
    row.refcount = refcount;
    if (wk_unlikely(type->flags & WK_TYPE_STRUCK))
        row.flags |= HF_OBJ_BROKEN;
    if (is_sequence(type)) {
        wk_collect_sequence(w, type, object, &row);
    } else if (type->walk != WK_WALK_NONE) {
        wk_collect(w, type, object, &row);
    } else {
        row.n_refs = 0;
        row.refs = NULL;
        row.layout = 0;
    }
    row.flags |= wk_gc_row(w, type, object);
    if (type->content != 0 && w->content_limit != 0) {
        wk_text_reset(&w->text);
        wk_content(w, type, object);
        if (w->text.len != 0 || w->text.whole != 0) {
            row.flags |= HF_OBJ_CONTENT;
            row.content = w->text.bytes;
            row.content_len = w->text.len;
            if (w->text.whole != 0) {
                row.flags |= HF_OBJ_CUT;
                row.whole_length = w->text.whole;
            }
        }
    }
    if (type->flags & WK_TYPE_VAR_SIZE) {
        if (type->size_kind == WK_SIZE_LIST && wk_likely(!(type->flags & WK_TYPE_CHECK_GC)))
            size = type->common + WK_U64(object, WK_LIST_ALLOCATED) * 8;
        else if (!wk_size(w, type, object, &size))
            row.flags |= HF_OBJ_SIZE_UNKNOWN;
        uint64_t usual = type->common;
        if (type->sized && (row.flags & HF_OBJ_CONTENT))
            usual += row.content_len;
        if (size != usual) {
            row.flags |= HF_OBJ_SIZE;
            row.size = size;
        }
        if (wk_likely(w->allocator != 0) && !is_plain(type, object, size)) {
            row.real_size = wk_real_size(w, type, object, size);
            if (row.real_size != wk_real_usual(w, size))
                row.flags |= HF_OBJ_REAL_SIZE;
        }
    } else if (wk_unlikely((type->flags & WK_TYPE_REAL) != 0)) {
        row.real_size = wk_real_size(w, type, object, type->common);
        row.flags |= HF_OBJ_REAL_SIZE;
    }
    if (type->family == HF_FAMILY_STR && (WK_U32(object, WK_STR_STATE) & WK_STR_INTERNED) != 0)
        row.flags |= HF_OBJ_INTERNED;
    write_row(w, &row);
    while (wk_unlikely(row.flags & HF_OBJ_MORE)) {
        w->refs.in_parts = true;
        wk_collect_rest(w, &row);
        hf_write_object(&w->out, &row);
    }
    w->refs.in_parts = false;
}

static inline void
call_for_part(wk_addr part)
{
    if (part != 0)
        wk_arch_prefetch(part);
}

/* What else an object is made of, some objects before it is its turn. */
static inline void
call_for_parts(const struct wk *w, const struct wk_type *type, wk_addr object)
{
    wk_addr keys;

    switch ((enum wk_walk)type->walk) {
    case WK_WALK_LIST:
        call_for_part(WK_U64(object, WK_LIST_ITEMS));
        break;
    case WK_WALK_DICT:
        keys = WK_U64(object, WK_DICT_KEYS);
        wk_arch_prefetch(keys);
        wk_arch_prefetch(keys + 64);
        call_for_part(WK_U64(object, WK_DICT_VALUES));
        break;
    case WK_WALK_SET:
        call_for_part(WK_U64(object, w->facts.set_table));
        break;
    case WK_WALK_FIELDS:
        if ((type->flags & WK_TYPE_MANAGED) && w->facts.managed_values != 0)
            call_for_part(WK_U64(object, (int64_t)w->facts.managed_values));
        else if ((type->flags & WK_TYPE_MANAGED) && w->facts.values_tagged)
            call_for_part(WK_U64(object, (int64_t)w->facts.managed_dict));
        break;
    case WK_WALK_NONE:
        if (type->family == HF_FAMILY_STR || type->family == HF_FAMILY_BYTES)
            call_for_part(object + 104); /* contents that go on */
        break;
    case WK_WALK_TUPLE:
    case WK_WALK_TRAVERSE:
    case WK_WALK_TYPE:
    case WK_WALK_FRAME:
    case WK_WALK_GENERATOR:
    case WK_WALK_HAMT:
    case WK_WALK_NDARRAY:
    default:
        break;
    }
}

static __attribute__((noinline, cold)) void
forget_types(struct wk_walk_state *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        s->type[i] = NULL;
    s->known = 0;
}

/*
 * Objects pass in batches: when one is met its memory is called for; a batch later its type is looked up and the memory that it points to is
 * called for; then it is written. All is part of the state: a fault takes one object out of it and no more.
 */
static inline void
look_ahead(struct wk *w)
{
    struct wk_walk_state *s = w->walk;

    if (wk_unlikely(w->progress < s->careful)) {
        forget_types(s);
        return;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        struct wk_type *type = wk_type_known(w, WK_U64(s->object[i], WK_OB_TYPE));
        s->type[i] = type;
        if (type != NULL && type->atom == WK_ATOM_NONE)
            call_for_parts(w, type, s->object[i]);
    }
    s->known = s->n;
}

/* Others in the pages of those at hand, as long as there are some. */
static __attribute__((noinline)) void
look_around(struct wk *w)
{
    struct wk_walk_state *s = w->walk;

    for (uint32_t i = 0; i < s->known; i++) {
        if (s->type[i] == NULL || (s->type[i]->flags & WK_TYPE_GC) == 0)
            continue;
        s->tried += wk_neighbours(w, s->object[i], s->type[i]->addr, &s->found);
    }
    if (s->tried < PAGES_TRIED)
        return;
    if (s->found < s->tried) {
        s->neighbours = false;
        s->thin = 0;
        s->thin_enough *= 4;
    }
    s->around += s->found;
    s->tried = s->found = 0;
}

/* Writes the batch at hand; the n that were met meanwhile are the next one. */
static __attribute__((noinline)) void
turn(struct wk *w, uint32_t n)
{
    struct wk_walk_state *s = w->walk;

    s->n_next = n;
    while (s->at < s->n) {
        uint32_t i = s->at++;
        write_object(w, s->object[i], s->type[i]);
        w->current = 0;
    }
    wk_addr *written = s->object;
    s->object = s->next;
    s->next = written;
    s->n = s->n_next;
    s->at = s->known = s->n_next = 0;
    look_ahead(w);
    if (wk_unlikely(s->neighbours))
        look_around(w);
}

static inline void
call_for(wk_addr object)
{
    wk_arch_prefetch(object - 16);
    wk_arch_prefetch(object + 40);
}

/* Writes all that was met, n and those before. */
static void
drain(struct wk *w, uint32_t n)
{
    turn(w, n);
    turn(w, 0);
}

/* Takes out of open what lies on odd multiples of 8. */
static __attribute__((noinline)) uint32_t
met_odd(wk_addr *next, uint32_t n, wk_addr base, uint64_t *open, uint64_t odd)
{
    for (odd &= *open; odd != 0; odd &= odd - 1) {
        next[n] = base + (unsigned)__builtin_ctzll(odd) * 16 + 8;
        *open &= ~(odd & (0 - odd));
        call_for(next[n++]);
    }
    return n;
}

/* Writes every object that is marked, and those that they mark where the sweep has not been; returns how many. */
static uint64_t
sweep(struct wk *w)
{
    struct wk_visited *v = w->visited;
    uint64_t before = w->progress;
    wk_addr *next = w->walk->next;
    uint32_t n = 0;

    wk_leaves_sort(w);
    for (uint32_t i = 0; i < v->sorted_n; i++) {
        struct wk_leaf *leaf = &v->leaf[v->sorted[i]];
        for (unsigned group = 0; group < DIRTY_WORDS; group++) {
            uint64_t dirty;
            while ((dirty = leaf->dirty[group]) != 0) {
                uint64_t word = group * 64 + (unsigned)__builtin_ctzll(dirty), open;
                wk_addr base = leaf->base + (word << 10);
                leaf->dirty[group] = dirty & (dirty - 1);
                open = leaf->seen[word] & ~leaf->done[word];
                leaf->done[word] |= open;
                if (wk_unlikely(leaf->odd != NULL))
                    n = met_odd(next, n, base, &open, leaf->odd[word]);
                for (; open != 0; open &= open - 1) {
                    wk_addr object = base + (unsigned)__builtin_ctzll(open) * 16;
                    call_for(object);
                    next[n++] = object;
                }
                if (n >= BATCH) {
                    turn(w, n);
                    next = w->walk->next;
                    n = 0;
                }
            }
        }
    }
    drain(w, n);
    w->walk->sweeps++;
    return w->progress - before;
}

/* Moves marked objects into the worklist, as many as it takes. */
static void
fill_queue(struct wk *w)
{
    struct wk_visited *v = w->visited;

    wk_leaves_sort(w);
    for (uint32_t i = 0; i < v->sorted_n; i++) {
        struct wk_leaf *leaf = &v->leaf[v->sorted[i]];
        for (unsigned group = 0; group < DIRTY_WORDS; group++) {
            uint64_t dirty;
            while ((dirty = leaf->dirty[group]) != 0) {
                uint64_t word = group * 64 + (unsigned)__builtin_ctzll(dirty), open;
                while ((open = leaf->seen[word] & ~leaf->done[word]) != 0) {
                    uint64_t bit = open & (0 - open);
                    wk_addr object = leaf->base + (word << 10) + (unsigned)__builtin_ctzll(open) * 16;
                    if (v->queue_tail - v->queue_head == WK_QUEUE_MAX)
                        return;
                    if (leaf->odd != NULL && (leaf->odd[word] & bit) != 0)
                        object += 8;
                    leaf->done[word] |= bit;
                    v->queue[v->queue_tail++ & (WK_QUEUE_MAX - 1)] = object;
                }
                leaf->dirty[group] &= ~(dirty & (0 - dirty));
            }
        }
    }
}

/* Whether the n objects from the worklist are few and far from those before: memory is waited for, each time. */
static inline void
judge(struct wk_walk_state *s, uint32_t n)
{
    uint64_t before = s->page;

    if (n == 0)
        return;
    s->page = s->next[0] >> 12;
    if (n > THIN)
        s->thin = 0;
    else if (s->page - before + 1 > 2) /* not beside each other either */
        s->thin += n;
    else
        s->thin -= s->thin != 0;
}

static void
follow(struct wk *w)
{
    struct wk_visited *v = w->visited;

    drain(w, w->walk->n_next); /* what a fault left */
    v->queueing = true;
    do {
        uint32_t n = 0;
        while (v->queue_head != v->queue_tail && n < BATCH) {
            wk_addr object = v->queue[v->queue_head++ & (WK_QUEUE_MAX - 1)];
            call_for(object);
            w->walk->next[n++] = object;
        }
        w->walk->queued += n;
        judge(w->walk, n);
        if (wk_unlikely(w->walk->thin > w->walk->thin_enough))
            w->walk->neighbours = w->ghost;
        turn(w, n);
    } while (v->queue_head != v->queue_tail || w->walk->n != 0);
    v->queueing = false;
}

/* The object at hand faulted: what is known of it goes into the dump. Faults here are those of the dump itself. */
static void
give_up_object(struct wk *w)
{
    wk_resumed();

    struct wk_fault *f = w->fault;
    wk_addr object = w->current;
    const char *why = f->signal == 0 ? "its fields contradict each other" : "reading it faulted";

    uint8_t foreign = w->foreign;

    if (f->signal == WK_SIGALRM)
        why = "it took seconds";
    else if (f->signal == 0 && foreign == WK_FOREIGN_TRAVERSE)
        why = "its tp_traverse shows more than fits into memory";
    w->current = 0;
    w->foreign = WK_FOREIGN_NONE;
    w->visited->queueing = false;
    w->walk->careful = w->progress + CAREFUL_OBJECTS;
    if (w->walk->known == 0) /* looking ahead did not come to its end */
        forget_types(w->walk);
    if (object == 0) /* a look ahead at an object whose turn will come */
        return;
    wk_skip(w, object, why);
    if (w->refs.in_parts) { /* its row is there, and waits for more */
        w->refs.in_parts = false;
        hf_write_object(&w->out, &(struct hf_object_row){.addr = object, .flags = HF_OBJ_CONT | HF_OBJ_BROKEN});
        return;
    }
    f->object_armed = true; /* the type may be what cannot be read */
    if (wk_arch_save(&f->object) == 0) {
        wk_addr address = WK_U64(object, WK_OB_TYPE);
        if (wk_type_plausible(w, address)) {
            struct wk_type *type = wk_type_find(w, address);
            if (type != NULL) {
                write_broken(w, type, object);
                strike(w, type, foreign, f->signal == WK_SIGALRM);
            }
        }
    }
}

/* After a fault the loops start over: the bitmaps hold all that they know. */
static void
run(struct wk *w)
{
    struct wk_fault *f = w->fault;

    while (w->ghost && wk_arch_save(&f->object) != 0)
        give_up_object(w);
    f->object_armed = w->ghost;
    for (;;) {
        follow(w); /* what a fault left in the worklist */
        uint64_t found = sweep(w);
        if (found == 0)
            break;
        if (found < (uint64_t)SWEEP_WORTHWILE * w->visited->leaves)
            fill_queue(w);
    }
    f->object_armed = false;
}

void
wk_walk_init(struct wk *w)
{
    w->walk = wk_alloc(w, sizeof *w->walk);
    w->walk->next = w->walk->batch[0];
    w->walk->object = w->walk->batch[1];
    w->walk->thin_enough = THIN_ENOUGH;
}

uint64_t
wk_sweeps(const struct wk *w)
{
    return w->walk->sweeps;
}

uint64_t
wk_found_around(const struct wk *w)
{
    return w->walk->around + w->walk->found;
}

void
wk_walk(struct wk *w)
{
    run(w);
    if (w->skipped != 0 && w->ghost) {
        if (wk_arch_save(&w->fault->object) == 0) {
            w->fault->object_armed = true;
            wk_gc_again(w);
        }
        w->fault->object_armed = false;
        run(w);
    }
    hf_write_counter(&w->out, "walk.sweeps", w->walk->sweeps);
    hf_write_counter(&w->out, "walk.queued", w->walk->queued);
    hf_write_counter(&w->out, "walk.around", wk_found_around(w));
    wk_stack_counters(w);
}
