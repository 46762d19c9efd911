// SPDX-License-Identifier: MIT
/*
 * What interpreters and the runtime hold themselves: ROOTS rows, each with the name under which Python knows it and whether its
 * reference is in the object's count.
 */
#include "wk-roots.h"

enum {
    MAX_CALLBACKS = 1 << 16,
    MAX_TYPES = 1 << 14,
    NEAR_RUNTIME = 4096, /* bytes by which a member of _PyRuntime may have moved */
};

/* A pointer to an object at a fixed place. Tables of numbers and texts only: no relocations in the blob. */
struct root_field {
    uint16_t fact; /* offset in struct wk_facts of the fact that says where it stands */
    char name[36];
};

#define ROOT(fact, text)                                                                                               \
    {                                                                                                                  \
        offsetof(struct wk_facts, fact), text                                                                          \
    }

static const struct root_field interpreter_fields[] = {
    ROOT(interp_modules, "sys.modules"),
    ROOT(interp_sysdict, "sys.__dict__"),
    ROOT(interp_builtins, "builtins.__dict__"),
    ROOT(interp_importlib, "importlib._bootstrap"),
    ROOT(interp_import_func, "<import function>"),
    ROOT(interp_lazy_import_func, "<lazy import function>"),
    ROOT(interp_lazy_filter, "<lazy imports filter>"),
    ROOT(interp_lazy_modules, "sys.lazy_modules"),
    ROOT(interp_lazy_pending, "<pending lazy submodules>"),
    ROOT(interp_modules_by_index, "<modules by index>"),
    ROOT(interp_sysdict_copy, "<copy of sys.__dict__>"),
    ROOT(interp_builtins_copy, "<copy of builtins.__dict__>"),
    ROOT(interp_codec_path, "<codec search functions>"),
    ROOT(interp_codec_cache, "<codec cache>"),
    ROOT(interp_codec_errors, "<codec error handlers>"),
    ROOT(interp_dict, "<interpreter dict>"),
    ROOT(interp_before_forkers, "<before fork>"),
    ROOT(interp_forkers_parent, "<after fork in parent>"),
    ROOT(interp_forkers_child, "<after fork in child>"),
    ROOT(interp_warnings_filters, "<warnings filters>"),
    ROOT(interp_warnings_once, "<warnings once registry>"),
    ROOT(interp_warnings_default, "<warnings default action>"),
    ROOT(interp_warnings_context, "<warnings context>"),
    ROOT(interp_audit_hooks, "<audit hooks>"),
    ROOT(interp_errnomap, "<errno map>"),
    ROOT(interp_trampoline, "<trampoline>"),
    ROOT(interp_cached_slots_name, "<cached slot name>"),
    ROOT(interp_cached_dict_descr, "<cached __dict__ descriptor>"),
    ROOT(interp_cached_weak_descr, "<cached __weakref__ descriptor>"),
};

/* borrowed: the builtins and the types hold them */
static const struct root_field borrowed_fields[] = {
    ROOT(interp_callable_isinstance, "<cached isinstance>"),
    ROOT(interp_callable_len, "<cached len>"),
    ROOT(interp_callable_append, "<cached list.append>"),
    ROOT(interp_callable_getattribute, "<cached object.__getattribute__>"),
    ROOT(interp_cached_objreduce, "<cached object.__reduce__>"),
};

static const struct root_field thread_fields[] = {
    ROOT(tstate_dict, "<thread dict>"),
    ROOT(tstate_async_exc, "<asynchronous exception>"),
    ROOT(tstate_profileobj, "<profile function>"),
    ROOT(tstate_traceobj, "<trace function>"),
    ROOT(tstate_curexc, "<exception being raised>"),
    ROOT(tstate_curexc_type, "<exception type being raised>"),
    ROOT(tstate_curexc_value, "<exception being raised>"),
    ROOT(tstate_curexc_traceback, "<traceback being raised>"),
    ROOT(tstate_context, "<context>"),
    ROOT(tstate_agen_firstiter, "<async gen firstiter hook>"),
    ROOT(tstate_agen_finalizer, "<async gen finalizer hook>"),
    ROOT(tstate_local_key, "<thread local key>"),
    ROOT(tstate_local_sentinel, "<thread local sentinel>"),
    ROOT(tstate_running_loop, "<running event loop>"),
    ROOT(tstate_running_task, "<running task>"),
    ROOT(tstate_lazy_imports, "<lazy imports being resolved>"),
};

static void
field_roots(struct wk *w, enum hf_root_kind kind, wk_addr base, const struct root_field *fields, size_t n, bool counted)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t offset = wk_fact_at(&w->facts, fields[i].fact);
        wk_addr object = offset != WK_NO_FACT ? WK_U64(base, offset) : 0;

        if (object != 0)
            wk_root(w, kind, object, wk_name(w, fields[i].name), counted);
    }
}

static void
one_root(struct wk *w, enum hf_root_kind kind, wk_addr object, uint32_t name)
{
    if (object != 0)
        wk_root(w, kind, object, name, true);
}

/* 3.14+: [(function, args, kwargs), …] */
static void
list_atexit(struct wk *w, wk_addr list)
{
    uint64_t n = wk_has_flag(list, WK_TPF_LIST) ? WK_U64(list, WK_OB_SIZE) : 0;
    wk_addr items = n != 0 ? WK_U64(list, WK_LIST_ITEMS) : 0;

    for (uint64_t i = 0; i < n && i < MAX_CALLBACKS; i++) {
        wk_addr callback = WK_U64(items, 8 * i);
        if (wk_has_flag(callback, WK_TPF_TUPLE) && wk_tuple_size(callback) != 0)
            wk_root(w, HF_ROOT_INTERPRETER, wk_tuple_item(w, callback, 0), wk_name(w, "<atexit function>"), false);
    }
}

static void
atexit_roots(struct wk *w, wk_addr interpreter)
{
    const struct wk_facts *f = &w->facts;

    if (f->interp_pyexitmodule != WK_NO_FACT) {
        /* the module's own state holds the callbacks and shows them to tp_traverse */
        wk_addr module = WK_U64(interpreter, f->interp_pyexitmodule);
        if (module != 0)
            wk_root(w, HF_ROOT_INTERPRETER, module, wk_name(w, "<atexit module>"), false);
        return;
    }
    wk_addr callbacks = WK_U64(interpreter, f->interp_atexit_callbacks);
    if (f->interp_atexit_count == WK_NO_FACT) { /* 3.14+: a list */
        one_root(w, HF_ROOT_INTERPRETER, callbacks, wk_name(w, "<atexit callbacks>"));
        list_atexit(w, callbacks);
        return;
    }
    int32_t n = WK_I32(interpreter, f->interp_atexit_count);
    uint32_t function = wk_name(w, "<atexit function>"), args = wk_name(w, "<atexit arguments>");

    for (int32_t i = 0; callbacks != 0 && i < n && i < MAX_CALLBACKS; i++) {
        wk_addr callback = WK_U64(callbacks, 8ull * (uint32_t)i);
        if (callback == 0) /* unregistered */
            continue;
        one_root(w, HF_ROOT_INTERPRETER, WK_U64(callback, 0), function);
        one_root(w, HF_ROOT_INTERPRETER, WK_U64(callback, 8), args);
        one_root(w, HF_ROOT_INTERPRETER, WK_U64(callback, 16), args);
    }
}

static void
monitoring_roots(struct wk *w, wk_addr interpreter)
{
    const struct wk_facts *f = &w->facts;

    if (f->interp_monitor_callables == WK_NO_FACT)
        return;
    uint32_t callable = wk_name(w, "<monitoring callback>"), tool = wk_name(w, "<monitoring tool>");
    for (uint32_t i = 0; i < f->monitor_tools * f->monitor_events; i++)
        one_root(w, HF_ROOT_INTERPRETER, WK_U64(interpreter, f->interp_monitor_callables + 8ull * i), callable);
    for (uint32_t i = 0; i < f->monitor_tools; i++)
        one_root(w, HF_ROOT_INTERPRETER, WK_U64(interpreter, f->interp_monitor_names + 8ull * i), tool);
}

static void
gc_roots(struct wk *w, wk_addr interpreter)
{
    const struct wk_facts *f = &w->facts;
    wk_addr gc = f->interp_gc != WK_NO_FACT ? interpreter + f->interp_gc : w->runtime + f->runtime_gc;

    if (f->interp_gc == WK_NO_FACT && interpreter != w->interpreter)
        return; /* shared */
    one_root(w, HF_ROOT_INTERPRETER, WK_U64(gc, f->gc_garbage), wk_name(w, "gc.garbage"));
    one_root(w, HF_ROOT_INTERPRETER, WK_U64(gc, f->gc_callbacks), wk_name(w, "gc.callbacks"));
}

/* Objects that the interpreter keeps to have them at hand. */
static void
cache_roots(struct wk *w, wk_addr interpreter)
{
    const struct wk_facts *f = &w->facts;
    uint32_t name = wk_name(w, "<small int>");

    if (f->interp_small_ints != WK_NO_FACT)
        for (uint32_t i = 0; i < f->small_ints_count; i++)
            one_root(w, HF_ROOT_RUNTIME, WK_U64(interpreter, f->interp_small_ints + 8ull * i), name);
    if (f->interp_latin1 != WK_NO_FACT) {
        name = wk_name(w, "<character>");
        for (uint32_t i = 0; i < 256; i++)
            one_root(w, HF_ROOT_RUNTIME, WK_U64(interpreter, f->interp_latin1 + 8ull * i), name);
    }
    if (f->interp_ids_array != WK_NO_FACT) {
        wk_addr array = WK_U64(interpreter, f->interp_ids_array);
        uint64_t n = WK_U64(interpreter, f->interp_ids_size);

        name = wk_name(w, "<identifier>");
        for (uint64_t i = 0; array != 0 && i < n && i < 1 << 16; i++)
            one_root(w, HF_ROOT_RUNTIME, WK_U64(array, 8 * i), name);
    }
    if (f->interp_common_consts != WK_NO_FACT) {
        name = wk_name(w, "<common constant>");
        for (uint32_t i = 0; i < f->common_consts_count; i++)
            wk_root(w, HF_ROOT_INTERPRETER, WK_U64(interpreter, f->interp_common_consts + 8ull * i), name, false);
    }
    if (f->interp_cached_typing != WK_NO_FACT) {
        name = wk_name(w, "<cached typing class>");
        for (uint32_t i = 0; i < f->interp_cached_typing_count; i++)
            one_root(w, HF_ROOT_INTERPRETER, WK_U64(interpreter, f->interp_cached_typing + 8ull * i), name);
    }
}

/* An empty bytes or tuple; the strings before it differ in number between micro versions. */
static void
empty_root(struct wk *w, wk_addr expected, wk_addr type, uint32_t name)
{
    for (uint64_t away = 0; away < NEAR_RUNTIME; away += 8)
        for (unsigned way = 0; way < 2; way++) {
            wk_addr object = way == 0 ? expected + away : expected - away;
            if (WK_U64(object, WK_OB_TYPE) == type && WK_U64(object, WK_OB_SIZE) == 0) {
                wk_root(w, HF_ROOT_RUNTIME, object, name, false);
                return;
            }
        }
}

/* Singletons that are part of _PyRuntime (3.11+). */
static void
runtime_roots(struct wk *w)
{
    const struct wk_facts *f = &w->facts;

    if (f->runtime_small_ints == WK_NO_FACT)
        return;
    uint32_t name = wk_name(w, "<small int>"), singleton = wk_name(w, "<singleton>");
    uint64_t stride = (f->int_digits + 4 + 7) & ~7ull; /* one digit */
    if (WK_U64(w->runtime + f->runtime_small_ints, WK_OB_TYPE) == wk_symbol(w, WK_SYM_TYPE_LONG))
        for (uint32_t i = 0; i < f->small_ints_count; i++)
            wk_root(w, HF_ROOT_RUNTIME, w->runtime + f->runtime_small_ints + i * stride, name, false);
    empty_root(w, w->runtime + f->runtime_bytes_empty, wk_symbol(w, WK_SYM_TYPE_BYTES), singleton);
    empty_root(w, w->runtime + f->runtime_tuple_empty, wk_symbol(w, WK_SYM_TYPE_TUPLE), singleton);
}

wk_addr
wk_static_type_state(struct wk *w, wk_addr interpreter, wk_addr type)
{
    const struct wk_facts *f = &w->facts;
    uint64_t index;
    wk_addr state;

    if (f->interp_static_types == WK_NO_FACT || !(wk_type_flags(type) & WK_TPF_STATIC_BUILTIN))
        return 0;
    index = WK_U64(type, f->type_subclasses); /* counted from 1: 0 is a type that is not ready */
    if (index == 0)
        return 0;
    index--;
    if (index < f->interp_static_types_max)
        state = interpreter + f->interp_static_types + index * f->static_type_size;
    else if (f->interp_static_ext_types != WK_NO_FACT &&
             index - f->interp_static_types_max < f->interp_static_ext_types_max)
        state = interpreter + f->interp_static_ext_types + (index - f->interp_static_types_max) * f->static_type_size;
    else
        return 0;
    return WK_U64(state, f->static_type_type) == type ? state : 0;
}

static wk_addr
subclasses_of(struct wk *w, wk_addr interpreter, wk_addr type)
{
    const struct wk_facts *f = &w->facts;
    wk_addr state, subclasses;

    if (f->interp_static_types != WK_NO_FACT && (wk_type_flags(type) & WK_TPF_STATIC_BUILTIN)) {
        state = wk_static_type_state(w, interpreter, type);
        subclasses = state != 0 ? WK_U64(state, f->static_type_subclasses) : 0;
    } else
        subclasses = WK_U64(type, f->type_subclasses);
    return wk_has_flag(subclasses, WK_TPF_DICT) ? subclasses : 0;
}

/*
 * Static types are never freed and hold much; no list of them exists before 3.12, but every type is in its base's subclasses. Each is
 * visited under its tp_base alone, so once.
 */
static void
static_type_roots(struct wk *w, wk_addr interpreter)
{
    wk_addr *stack = wk_alloc(w, MAX_TYPES * sizeof *stack), key, reference;
    uint32_t name = wk_name(w, "<static type>"), n = 0, total = 0;
    struct wk_dict d;

    if (stack == NULL)
        return;
    stack[n++] = wk_symbol(w, WK_SYM_TYPE_OBJECT);
    while (n > 0 && total++ < MAX_TYPES) {
        wk_addr type = stack[--n], subclasses = subclasses_of(w, interpreter, type);

        wk_root(w, HF_ROOT_STATIC_TYPE, type, name, false);
        if (subclasses == 0 || !wk_dict_view(w, subclasses, &d))
            continue;
        for (uint64_t i = 0; i < d.n; i++) {
            if (!wk_dict_entry(&d, i, &key, &reference) ||
                !wk_is_subtype(w, wk_type_address(reference), wk_symbol(w, WK_SYM_TYPE_WEAKREF)))
                continue;
            wk_addr child = WK_U64(reference, w->facts.weakref_object);
            if (wk_has_flag(child, WK_TPF_TYPE) && !(wk_type_flags(child) & WK_TPF_HEAP) &&
                WK_U64(child, WK_TP_BASE) == type && n < MAX_TYPES)
                stack[n++] = child;
        }
    }
}

static void
thread_roots(struct wk *w, wk_addr thread)
{
    const struct wk_facts *f = &w->facts;
    wk_addr exception = thread + f->tstate_exc_state;

    field_roots(w, HF_ROOT_THREAD, thread, thread_fields, sizeof thread_fields / sizeof thread_fields[0], true);
    if (f->excitem_type != WK_NO_FACT) {
        one_root(w, HF_ROOT_THREAD, WK_U64(exception, f->excitem_type), wk_name(w, "<exception type>"));
        one_root(w, HF_ROOT_THREAD, WK_U64(exception, f->excitem_traceback), wk_name(w, "<traceback>"));
    }
    one_root(w, HF_ROOT_THREAD, WK_U64(exception, f->excitem_value), wk_name(w, "<exception>"));
    if (f->tstate_on_delete_data != WK_NO_FACT) {
        wk_addr data = WK_U64(thread, f->tstate_on_delete_data); /* a weakref to the lock that join() waits for */
        if (data != 0 && (data & 7) == 0 && wk_type_address(data) == wk_symbol(w, WK_SYM_TYPE_WEAKREF))
            wk_root(w, HF_ROOT_THREAD, data, wk_name(w, "<lock of join>"), true);
    }
}

void
wk_roots(struct wk *w)
{
    const struct wk_facts *f = &w->facts;

    for (wk_addr i = wk_interpreter_next(w, 0); i != 0; i = wk_interpreter_next(w, i)) {
        field_roots(w, HF_ROOT_INTERPRETER, i, interpreter_fields,
                    sizeof interpreter_fields / sizeof interpreter_fields[0], true);
        field_roots(w, HF_ROOT_INTERPRETER, i, borrowed_fields, sizeof borrowed_fields / sizeof borrowed_fields[0],
                    false);
        atexit_roots(w, i);
        monitoring_roots(w, i);
        gc_roots(w, i);
        cache_roots(w, i);
        wk_type_cache_roots(w, i);
        static_type_roots(w, i);
        for (wk_addr t = WK_U64(i, f->interp_tstate_head); t != 0; t = WK_U64(t, f->tstate_next))
            if (t != w->own_thread)
                thread_roots(w, t);
    }
    /* which dicts they are tells the core that their references are borrowed */
    one_root(w, HF_ROOT_INTERPRETER, w->interned, wk_name(w, "<interned strings>"));
    for (uint32_t i = 0; i < w->n_more_interned; i++)
        one_root(w, HF_ROOT_INTERPRETER, w->more_interned[i], wk_name(w, "<interned strings>"));
    runtime_roots(w);
}
