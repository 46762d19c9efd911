// SPDX-License-Identifier: MIT
/*
 * From the first instruction to the last: which CPython this is, set-up of the mode, the stages, and the end, whatever it is.
 * Ghost: the process is ours, nothing of it is ever seen by the target. Inline: everything is put back.
 */
#include "wk-fault.h"
#include "wk-gc.h"
#include "wk-names.h"
#include "wk-objects.h"
#include "wk-sys.h"
#include "wk-types.h"
#include "wk-visited.h"
#include "wk-walk.h"

#define CONTENT_SLACK   64u
#define SKIPPED_PERCENT 2u
#define SKIPPED_ENOUGH  200u
#define GHOST_NICE      10
#define SIGNALS         64
#define FALLBACK_FD_MAX 65536u
#define MEMORY_FLOOR    (256ull << 20) /* own bound: this, and a quarter of what the target has resident */

struct wk_pipe_signal {
    uint64_t mask;
    bool was_pending;
};

void
wk_give_up(struct wk *w, enum wk_status status, int error, wk_addr address)
{
    struct wk_result *r = &w->args->result;

    r->status = status;
    r->error = error;
    r->address = address;
    if (w->fault == NULL || !w->fault->top_armed) {
        /* Nothing was written yet. */
        r->stage = w->stage;
        wk_output_result(w->args, NULL);
        if (w->ghost)
            wk_sys_exit((int)status);
        wk_arch_jump(w->early);
    }
    w->fault->top_armed = false;
    wk_arch_jump(&w->fault->top);
}

/* In the ghost nothing of the target's may act: no handler, no descriptor, no core file. */
static void
ghost_process(void)
{
    struct wk_sigaction ignore = {.handler = WK_SIG_IGN}, normal = {.handler = WK_SIG_DFL};
    struct wk_rlimit limit = {0, 0};
    uint64_t none = 0;

    /* Standard output and error, too: a library may complain there of what it meets in a snapshot. */
    if (wk_syscall6(WK_NR_close_range, 0, ~0u, 0, 0, 0, 0) < 0) {
        wk_syscall6(WK_NR_getrlimit, WK_RLIMIT_NOFILE, (long)&limit, 0, 0, 0, 0);
        for (uint64_t fd = 0; fd < limit.current && fd < FALLBACK_FD_MAX; fd++)
            wk_sys_close((int)fd);
    }
    for (int number = 1; number <= SIGNALS; number++)
        wk_sys_sigaction(number, number == WK_SIGPIPE ? &ignore : &normal); /* KILL and STOP refuse: fine */
    wk_syscall6(WK_NR_rt_sigprocmask, WK_SIG_SETMASK, (long)&none, 0, sizeof none, 0, 0);
    limit = (struct wk_rlimit){0, 0};
    wk_syscall6(WK_NR_setrlimit, WK_RLIMIT_CORE, (long)&limit, 0, 0, 0, 0);
    if (wk_syscall6(WK_NR_getrlimit, WK_RLIMIT_AS, (long)&limit, 0, 0, 0, 0) == 0) {
        limit.current = limit.maximum;
        wk_syscall6(WK_NR_setrlimit, WK_RLIMIT_AS, (long)&limit, 0, 0, 0, 0);
    }
    wk_syscall6(WK_NR_setpriority, 0, 0, GHOST_NICE, 0, 0, 0);
    long fd = wk_sys_open("/proc/self/oom_score_adj", WK_O_WRONLY | WK_O_CLOEXEC, 0);
    if (fd >= 0) {
        wk_sys_write((int)fd, "1000", 4);
        wk_sys_close((int)fd);
    }
}

/* Bytes, 0 if /proc is not there. */
static uint64_t
resident(void)
{
    char text[128];
    long fd = wk_sys_open("/proc/self/statm", WK_O_CLOEXEC, 0), n;
    uint64_t pages = 0;

    if (fd < 0)
        return 0;
    n = wk_syscall6(WK_NR_read, fd, (long)text, sizeof text, 0, 0, 0);
    wk_sys_close((int)fd);
    long i = 0;
    while (i < n && text[i] != ' ')
        i++;
    for (i++; i < n && text[i] >= '0' && text[i] <= '9'; i++)
        pages = pages * 10 + (uint64_t)(text[i] - '0');
    return pages * 4096;
}

static bool
contains(const char *s, const char *part)
{
    for (; *s != '\0'; s++) {
        size_t k = 0;
        while (part[k] != '\0' && s[k] == part[k])
            k++;
        if (part[k] == '\0')
            return true;
    }
    return false;
}

/* "3.11.2+ (main, …": PY_VERSION_HEX, 0 if it is something else. */
static uint32_t
parse_version(const char *s)
{
    uint32_t part[3] = {0, 0, 0}, level = 0xf0;

    for (unsigned i = 0; i < 3; i++) {
        unsigned digits = 0;
        for (; *s >= '0' && *s <= '9' && digits < 3; digits++)
            part[i] = part[i] * 10 + (uint32_t)(*s++ - '0');
        if (digits == 0)
            return 0;
        if (i < 2 && *s++ != '.')
            return 0;
    }
    if (*s == 'a')
        level = 0xa0;
    else if (*s == 'b')
        level = 0xb0;
    else if (*s == 'r')
        level = 0xc0;
    return part[0] << 24 | part[1] << 16 | part[2] << 8 | level;
}

/*
 * Inline, a reader that goes away must not raise SIGPIPE in the target: it is kept from this thread and, if it was we who caused it,
 * taken away again.
 */
static void
keep_pipe_signal(struct wk_pipe_signal *s)
{
    uint64_t pending = 0, pipe = 1ull << (WK_SIGPIPE - 1);

    wk_syscall6(WK_NR_rt_sigpending, (long)&pending, sizeof pending, 0, 0, 0, 0);
    s->was_pending = (pending & pipe) != 0;
    wk_syscall6(WK_NR_rt_sigprocmask, WK_SIG_BLOCK, (long)&pipe, (long)&s->mask, sizeof s->mask, 0, 0);
}

static void
restore_pipe_signal(const struct wk_pipe_signal *s)
{
    uint64_t pipe = 1ull << (WK_SIGPIPE - 1);
    struct wk_timespec now = {0, 0};

    if (!s->was_pending)
        wk_syscall6(WK_NR_rt_sigtimedwait, (long)&pipe, 0, (long)&now, sizeof pipe, 0, 0);
    wk_syscall6(WK_NR_rt_sigprocmask, WK_SIG_SETMASK, (long)&s->mask, 0, sizeof s->mask, 0, 0);
}

/* NULL, or why this interpreter cannot be walked. */
static const char *
check_version(struct wk *w)
{
    uint32_t build = WK_BUILD_RELEASE;

    w->version_text = ((const char *(*)(void))(uintptr_t)wk_symbol(w, WK_SYM_GET_VERSION))();
    w->version_hex = parse_version(w->version_text);
    w->version = w->version_hex >> 16;
    if (contains(w->version_text, "PyPy"))
        return "PyPy is not CPython";
    if (contains(w->version_text, "free-threading") || contains(w->version_text, "free-threaded"))
        build |= WK_BUILD_FREE_THREADED;
    if (((build & WK_BUILD_FREE_THREADED) != 0) != WK_FREE_THREADED)
        return WK_FREE_THREADED ? "this walker is for free-threaded builds of CPython"
                                : "this walker is not for free-threaded builds of CPython";
    if (wk_symbol(w, WK_SYM_DEBUG_BUILD) != 0 || wk_symbol(w, WK_SYM_DEBUG_BUILD_OLD) != 0)
        build |= WK_BUILD_DEBUG;
    if (!wk_facts_find(w->version, w->version_hex, build, &w->facts))
        return "this version of CPython is not known";
    return NULL;
}

static const char *
check_symbols(const struct wk *w)
{
#define WK_SYMBOL_CHECK(id, name, required)                                                                            \
    if ((required) && w->args->symbols[WK_SYM_##id] == 0)                                                              \
        return #name " is missing";
    WK_SYMBOLS(WK_SYMBOL_CHECK)
#undef WK_SYMBOL_CHECK
    return NULL;
}

/* The str '__sizeof__' out of object's own dict: making one would change the table of interned strings. */
static wk_addr
find_sizeof(struct wk *w)
{
    wk_addr dict = wk_type_dict(w, wk_symbol(w, WK_SYM_TYPE_OBJECT)), key, value;
    struct wk_dict d;

    if (dict == 0 || !wk_dict_view(w, dict, &d))
        return 0;
    for (uint64_t i = 0; i < d.n; i++)
        if (wk_dict_entry(&d, i, &key, &value) && wk_str_equals(w, key, "__sizeof__"))
            return key;
    return 0;
}

/* Roots and threads may meet what is half-changed: the rest of that part is then missing, and the dump says so. */
static void
guarded(struct wk *w, enum wk_stage stage)
{
    w->stage = stage;
    w->current = 0;
    if (w->ghost) {
        if (wk_arch_save(&w->fault->object) != 0) {
            w->fault->object_armed = false;
            if (stage != WK_STAGE_ATTACH)
                wk_skip(w, w->current,
                        stage == WK_STAGE_ROOTS ? "roots: reading them faulted" : "threads: reading them faulted");
            return;
        }
        w->fault->object_armed = true;
    }
    if (stage == WK_STAGE_ROOTS)
        wk_roots(w);
    else if (stage == WK_STAGE_THREADS)
        wk_threads(w);
    else
        wk_attach_thread(w);
    w->fault->object_armed = false;
}

/* The lowest page of our stack: what runs over its end must not run into the arguments below. */
static void
guard_stack(const struct wk *w)
{
    uint64_t low = ((uint64_t)(uintptr_t)(w->args + 1) + 4095) & ~4095ull;

    if (low + 4096 < w->args->blob_base + w->args->mapping_size)
        wk_sys_mprotect((void *)(uintptr_t)low, 4096, WK_PROT_NONE);
}

static void
set_up(struct wk *w)
{
    w->stage = WK_STAGE_SETUP;
    wk_memory_init(w);
    wk_fault_init(w);
    if (w->ghost) {
        guard_stack(w);
        wk_fault_install(w);
        wk_replace_allocators(w);
    }
    w->stage = WK_STAGE_OPEN;
    if (!wk_output_open(w))
        wk_give_up(w, WK_ERR_OPEN, w->args->result.error, 0);
    wk_syscall6(WK_NR_getrandom, (long)&w->salt, sizeof w->salt, 0, 0, 0, 0);
}

static void
walk(struct wk *w)
{
    w->stage = WK_STAGE_LAYOUT;
    wk_visited_init(w);
    wk_names_init(w);
    wk_refs_init(w);
    wk_refs_prepare_init(w);
    wk_gc_init(w);
    wk_walk_init(w);
    wk_text_init(w, &w->text, w->content_limit + CONTENT_SLACK);
    if (!wk_interpreters_find(w))
        wk_give_up(w, WK_ERR_LAYOUT, 0, w->runtime);
    if (w->args->flags & WK_FLAG_OWN_THREAD)
        w->own_thread = wk_thread_current(w);
    w->str_sizeof = find_sizeof(w);
    wk_types_init(w);
    wk_contents_init(w);
    wk_output_meta(w);
    wk_real_init(w);
    if (!wk_gc_seed(w))
        wk_give_up(w, WK_ERR_LAYOUT, 0, w->interpreter);
    guarded(w, WK_STAGE_THREADS);
    guarded(w, WK_STAGE_ROOTS);
    if (w->ghost)
        guarded(w, WK_STAGE_ATTACH);
    w->stage = WK_STAGE_WALK;
    wk_walk(w);
    w->stage = WK_STAGE_FINISH;
    if (w->skipped > SKIPPED_ENOUGH && w->skipped * 100 > w->out.objects * SKIPPED_PERCENT)
        wk_give_up(w, WK_ERR_INCONSISTENT, 0, 0);
}

static void
walk_and_finish(struct wk *w)
{
    struct wk_result *r = &w->args->result;

    set_up(w);
    if (wk_arch_save(&w->fault->top) == 0) {
        w->fault->top_armed = true;
        walk(w);
        r->status = WK_OK;
    }
    w->fault->object_armed = w->fault->top_armed = false;
    r->stage = w->stage;
    wk_output_finish(w, r->status == WK_OK ? NULL : wk_status_text(r->status));
    if (r->status == WK_OK)
        r->stage = WK_STAGE_DONE;
    wk_sys_close(w->data_fd);
}

#if WK_FREE_THREADED

struct wk_stopped {
    struct wk *w;
    bool done;
};

/* Called for the first object that the interpreter would show: all other threads stand still until it returns. */
static int
stopped(wk_addr object, void *arg)
{
    struct wk_stopped *s = arg;
    struct wk *w = s->w;
    struct wk_jump early;

    (void)object;
    if (!s->done) {
        s->done = true;
        w->early = &early; /* nothing may jump over the interpreter's frames */
        if (wk_arch_save(&early) == 0)
            walk_and_finish(w);
    }
    return 0;
}

/* Without a GIL only the interpreter itself can make its threads stand still. */
static const char *
walk_now(struct wk *w)
{
    struct wk_stopped s = {w, false};
    wk_addr visit = wk_symbol(w, WK_SYM_GC_VISIT);

    if (w->ghost) {
        walk_and_finish(w);
        return NULL;
    }
    if (visit != 0)
        ((void (*)(int (*)(wk_addr, void *), void *))(uintptr_t)visit)(stopped, &s);
    if (s.done)
        return NULL;
    w->args->result.status = WK_ERR_SYMBOL;
    return "PyUnstable_GC_VisitObjects is missing";
}

#else

static const char *
walk_now(struct wk *w)
{
    walk_and_finish(w);
    return NULL;
}

#endif

/* Everything but the process's end: for tests, too. */
void
wk_run(struct wk_args *args)
{
    struct wk_result *r = &args->result;
    const char *word = NULL;
    struct wk_pipe_signal pipe_signal;
    struct wk_jump early;
    struct wk *volatile own = NULL;

    *r = (struct wk_result){.status = WK_RUNNING};
    if (args->magic != WK_ABI_MAGIC || args->abi_version != WK_ABI_VERSION || args->size != sizeof *args ||
        (args->mode != WK_MODE_GHOST && args->mode != WK_MODE_INLINE)) {
        r->status = WK_ERR_ABI;
        return;
    }
    if (args->mode == WK_MODE_GHOST)
        ghost_process();
    else
        keep_pipe_signal(&pipe_signal);
    long address = wk_sys_mmap(WK_STATE_SIZE, WK_PROT_READ | WK_PROT_WRITE, WK_MAP_PRIVATE | WK_MAP_ANONYMOUS);
    if (address < 0 && address > -4096) {
        r->status = WK_ERR_MEMORY;
        r->error = (int32_t)-address;
        wk_output_result(args, NULL);
        goto out;
    }
    struct wk *w = (struct wk *)address;
    own = w;
    w->args = args;
    w->early = &early;
    w->ghost = args->mode == WK_MODE_GHOST;
    w->redact = (args->flags & WK_FLAG_REDACT) != 0;
    w->content_limit = args->content_limit < HF_CONTENT_MAX ? args->content_limit : HF_CONTENT_MAX;
    w->runtime = wk_symbol(w, WK_SYM_RUNTIME);
    w->memory.limit = args->memory_limit != 0 ? args->memory_limit : MEMORY_FLOOR + resident() / 4;
    w->memory.regions[0] = (struct wk_region){(uint8_t *)address, WK_STATE_SIZE};
    w->memory.n_regions = 1;
    w->memory.used = WK_STATE_SIZE;
    w->start_ns = wk_sys_clock_ns(WK_CLOCK_MONOTONIC);
    w->start_cpu_ns = wk_sys_clock_ns(WK_CLOCK_THREAD_CPUTIME);

    if (wk_arch_save(&early) == 0) {
        word = check_symbols(w);
        if (word != NULL) {
            r->status = WK_ERR_SYMBOL;
        } else {
            w->stage = WK_STAGE_VERSION;
            word = check_version(w);
            if (word != NULL)
                r->status = WK_ERR_VERSION;
            else
                word = walk_now(w);
        }
        wk_output_result(args, word);
    }
    wk_unmap_all(own);
out:
    if (args->mode == WK_MODE_INLINE)
        restore_pipe_signal(&pipe_signal);
}

__attribute__((section(".text.walker_entry"), used)) void
walker_entry(struct wk_args *args)
{
    wk_run(args);
    if (args->mode == WK_MODE_GHOST)
        wk_sys_exit((int)args->result.status);
}
