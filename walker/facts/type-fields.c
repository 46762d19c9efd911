// SPDX-License-Identifier: MIT
/*
 * References at fixed offsets of the instances of C types: what their tp_traverse visits, in its order, then what it hides. Tests
 * compare with gc.get_referents() on every version.
 */
#include "../wk-private.h"

enum {
    V = 0,               /* visited by tp_traverse */
    H = WK_FIELD_HIDDEN, /* counted, not visited */
    W = WK_FIELD_WEAK,   /* neither */
};

/* Numbers and texts only: no relocations. */
struct type_field {
    uint8_t symbol; /* enum wk_symbol: the type */
    uint8_t flags;
    uint8_t first, last; /* minor versions of Python 3 */
    uint16_t fact;       /* offset in struct wk_facts of the fact that says where it stands */
    char name[20];
};

/* "\0": a name that leaves no room for its end is an error. */
#define FIELD(type, flags, first, last, fact, name)                                                                    \
    {                                                                                                                  \
        WK_SYM_TYPE_##type, flags, first, last, offsetof(struct wk_facts, fact), name "\0"                             \
    }

static const struct type_field fields[] = {
    FIELD(FUNCTION, V, 8, 15, function_code, "<code>"),
    FIELD(FUNCTION, V, 8, 15, function_globals, "<globals>"),
    FIELD(FUNCTION, V, 10, 15, function_builtins, "<builtins>"),
    FIELD(FUNCTION, V, 8, 15, function_module, ".__module__"),
    FIELD(FUNCTION, V, 8, 15, function_defaults, ".__defaults__"),
    FIELD(FUNCTION, V, 8, 15, function_kwdefaults, ".__kwdefaults__"),
    FIELD(FUNCTION, V, 8, 15, function_doc, ".__doc__"),
    FIELD(FUNCTION, V, 8, 15, function_name, ".__name__"),
    FIELD(FUNCTION, V, 8, 15, function_dict, ".__dict__"),
    FIELD(FUNCTION, V, 8, 15, function_closure, "<closure>"),
    FIELD(FUNCTION, V, 8, 15, function_annotations, ".__annotations__"),
    FIELD(FUNCTION, V, 14, 15, function_annotate, ".__annotate__"),
    FIELD(FUNCTION, V, 12, 15, function_typeparams, ".__type_params__"),
    FIELD(FUNCTION, V, 8, 15, function_qualname, ".__qualname__"),
    FIELD(METHOD, V, 8, 15, method_func, ".__func__"),
    FIELD(METHOD, V, 8, 15, method_self, ".__self__"),
    FIELD(INSTANCE_METHOD, V, 8, 15, instancemethod_func, ".__func__"),
    FIELD(CFUNCTION, V, 8, 15, cfunction_self, ".__self__"),
    FIELD(CFUNCTION, V, 8, 15, cfunction_module, ".__module__"),
    FIELD(CELL, V, 8, 15, cell_ref, ".cell_contents"),
    FIELD(PROPERTY, V, 8, 15, property_get, ".fget"),
    FIELD(PROPERTY, V, 8, 15, property_set, ".fset"),
    FIELD(PROPERTY, V, 8, 15, property_del, ".fdel"),
    FIELD(PROPERTY, V, 8, 15, property_doc, ".__doc__"),
    FIELD(PROPERTY, V, 10, 12, property_name, "<name>"),
    FIELD(PROPERTY, V, 13, 15, property_name, ".__name__"),
    FIELD(STATICMETHOD, V, 8, 15, classmethod_callable, ".__func__"),
    FIELD(STATICMETHOD, V, 10, 15, classmethod_dict, ".__dict__"),
    FIELD(STATICMETHOD, H, 8, 9, classmethod_dict, ".__dict__"),
    FIELD(CLASSMETHOD, V, 8, 15, classmethod_callable, ".__func__"),
    FIELD(CLASSMETHOD, V, 10, 15, classmethod_dict, ".__dict__"),
    FIELD(CLASSMETHOD, H, 8, 9, classmethod_dict, ".__dict__"),
    FIELD(SUPER, V, 8, 15, super_obj, ".__self__"),
    FIELD(SUPER, V, 8, 15, super_type, ".__thisclass__"),
    FIELD(SUPER, V, 8, 15, super_obj_type, ".__self_class__"),
    FIELD(SLICE, V, 8, 15, slice_start, ".start"),
    FIELD(SLICE, V, 8, 15, slice_stop, ".stop"),
    FIELD(SLICE, V, 8, 15, slice_step, ".step"),
    FIELD(RANGE, H, 8, 15, range_start, ".start"),
    FIELD(RANGE, H, 8, 15, range_stop, ".stop"),
    FIELD(RANGE, H, 8, 15, range_step, ".step"),
    FIELD(RANGE, H, 8, 15, range_length, "<length>"),
    FIELD(TRACEBACK, V, 8, 15, traceback_next, ".tb_next"),
    FIELD(TRACEBACK, V, 8, 15, traceback_frame, ".tb_frame"),
    FIELD(DICT_PROXY, V, 8, 15, dictproxy_mapping, "<mapping>"),
    FIELD(WEAKREF, V, 8, 15, weakref_callback, ".__callback__"),
    FIELD(WEAKREF, W, 8, 15, weakref_object, "<weakref>"),
    FIELD(WEAKPROXY, V, 8, 15, weakref_callback, ".__callback__"),
    FIELD(WEAKPROXY, W, 8, 15, weakref_object, "<weakref>"),
    FIELD(WEAKCALLABLE, V, 8, 15, weakref_callback, ".__callback__"),
    FIELD(WEAKCALLABLE, W, 8, 15, weakref_object, "<weakref>"),
    FIELD(METHOD_DESCR, V, 8, 15, descr_type, ".__objclass__"),
    FIELD(METHOD_DESCR, H, 8, 15, descr_name, ".__name__"),
    FIELD(METHOD_DESCR, H, 8, 15, descr_qualname, ".__qualname__"),
    FIELD(MEMBER_DESCR, V, 8, 15, descr_type, ".__objclass__"),
    FIELD(MEMBER_DESCR, H, 8, 15, descr_name, ".__name__"),
    FIELD(MEMBER_DESCR, H, 8, 15, descr_qualname, ".__qualname__"),
    FIELD(GETSET_DESCR, V, 8, 15, descr_type, ".__objclass__"),
    FIELD(GETSET_DESCR, H, 8, 15, descr_name, ".__name__"),
    FIELD(GETSET_DESCR, H, 8, 15, descr_qualname, ".__qualname__"),
    FIELD(WRAPPER_DESCR, V, 8, 15, descr_type, ".__objclass__"),
    FIELD(WRAPPER_DESCR, H, 8, 15, descr_name, ".__name__"),
    FIELD(WRAPPER_DESCR, H, 8, 15, descr_qualname, ".__qualname__"),
    FIELD(CLASSMETHOD_DESCR, V, 8, 15, descr_type, ".__objclass__"),
    FIELD(CLASSMETHOD_DESCR, H, 8, 15, descr_name, ".__name__"),
    FIELD(CLASSMETHOD_DESCR, H, 8, 15, descr_qualname, ".__qualname__"),
    FIELD(CORO_WRAPPER, V, 8, 15, coro_wrapper_coro, "<coroutine>"),
    FIELD(ASYNC_GEN_ASEND, V, 8, 15, asend_agen, "<async generator>"),
    FIELD(ASYNC_GEN_ASEND, V, 8, 15, asend_value, "<value sent>"),
    FIELD(CODE, WK_FREE_THREADED ? V : H, 8, 15, code_consts, ".co_consts"),
    FIELD(CODE, H, 8, 15, code_names, ".co_names"),
    FIELD(CODE, H, 8, 10, code_code, ".co_code"),
    FIELD(CODE, H, 8, 10, code_varnames, ".co_varnames"),
    FIELD(CODE, H, 8, 10, code_freevars, ".co_freevars"),
    FIELD(CODE, H, 8, 10, code_cellvars, ".co_cellvars"),
    FIELD(CODE, H, 11, 15, code_exceptiontable, ".co_exceptiontable"),
    FIELD(CODE, H, 11, 15, code_localsplusnames, "<variable names>"),
    FIELD(CODE, H, 11, 15, code_localspluskinds, "<variable kinds>"),
    FIELD(CODE, H, 8, 15, code_filename, ".co_filename"),
    FIELD(CODE, H, 8, 15, code_name, ".co_name"),
    FIELD(CODE, H, 11, 15, code_qualname, ".co_qualname"),
    FIELD(CODE, H, 8, 15, code_lines, "<line table>"),
    FIELD(CODE, H, 11, 11, code_cached_code, ".co_code"),
};

unsigned
wk_facts_fields(struct wk *w, wk_addr type, struct wk_field *out, unsigned max)
{
    uint8_t minor = w->facts.version & 0xff;
    unsigned n = 0;

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const struct type_field *field = &fields[i];
        uint32_t offset = wk_fact_at(&w->facts, field->fact);

        if (minor < field->first || minor > field->last || offset == WK_NO_FACT ||
            wk_symbol(w, (enum wk_symbol)field->symbol) != type)
            continue;
        if (n == max)
            return 0;
        out[n++] = (struct wk_field){.offset = (int32_t)offset, .flags = field->flags, .name = wk_name(w, field->name)};
    }
    return n;
}
