// SPDX-License-Identifier: MIT
/* Functions, methods, code, frames and generators: "qualname at file:line", where they stand. */
#include "wk-contents.h"

enum {
    PLACE_REST = 24, /* bytes of what follows a path: line and state */
    PATH_LEAST = 16, /* less of a path tells nothing */
};

static wk_addr
code_qualname(const struct wk *w, wk_addr code)
{
    return WK_U64(code, w->facts.code_qualname != WK_NO_FACT ? w->facts.code_qualname : w->facts.code_name);
}

static bool
is_exactly(const struct wk *w, wk_addr object, enum wk_symbol type)
{
    return object != 0 && wk_symbol(w, type) != 0 && wk_type_address(object) == wk_symbol(w, type);
}

void
wk_text_place(struct wk *w, struct wk_text *t, wk_addr qualname, wk_addr code, uint32_t line)
{
    wk_text_str(w, t, qualname, UINT32_MAX);
    if (code == 0)
        return;
    wk_text_cstr(t, " at ");
    /* Where it is matters more than which folder that is in. */
    uint32_t used = t->len + PLACE_REST, room = w->content_limit > used ? w->content_limit - used : 0;
    wk_text_tail(w, t, WK_U64(code, w->facts.code_filename), room < PATH_LEAST ? UINT32_MAX : room);
    wk_text_bytes(t, ":", 1);
    wk_text_uint(t, line != 0 ? line : (uint32_t)WK_I32(code, w->facts.code_firstlineno));
}

static void
function_text(struct wk *w, struct wk_text *t, wk_addr function)
{
    wk_addr code = WK_U64(function, w->facts.function_code);

    if (!is_exactly(w, code, WK_SYM_TYPE_CODE))
        code = 0;
    wk_text_place(w, t, WK_U64(function, w->facts.function_qualname), code, 0);
}

/* As its __qualname__: with the name of the type that it belongs to. */
static void
builtin_text(struct wk *w, struct wk_text *t, wk_addr builtin)
{
    wk_addr method = WK_U64(builtin, w->facts.cfunction_ml), self = WK_U64(builtin, w->facts.cfunction_self);
    const char *name;

    if (self != 0 && !wk_is_instance(w, self, WK_SYM_TYPE_MODULE)) {
        wk_text_type(w, t, wk_has_flag(self, WK_TPF_TYPE) ? self : wk_type_address(self));
        wk_text_bytes(t, ".", 1);
    }
    name = method != 0 ? WK_READ(const char *, method, w->facts.methoddef_name) : NULL;
    if (name != NULL)
        wk_text_cstr(t, name);
}

static void
partial_text(struct wk *w, struct wk_text *t, wk_addr *object)
{
    wk_text_cstr(t, "partial ");
    *object = WK_U64(*object, w->facts.partial_fn);
}

void
wk_text_callable(struct wk *w, struct wk_text *t, wk_addr object)
{
    /* a partial of a method of a partial …: bounded by hand, nothing here calls itself */
    for (unsigned depth = 0; depth < 8 && object != 0; depth++) {
        if (is_exactly(w, object, WK_SYM_TYPE_FUNCTION)) {
            function_text(w, t, object);
            return;
        }
        if (is_exactly(w, object, WK_SYM_TYPE_METHOD)) {
            object = WK_U64(object, w->facts.method_func);
            continue;
        }
        if (wk_is_instance(w, object, WK_SYM_TYPE_CFUNCTION)) {
            builtin_text(w, t, object);
            return;
        }
        if (wk_has_flag(object, WK_TPF_TYPE)) {
            wk_text_type(w, t, object);
            return;
        }
        if (wk_type_descends(w, wk_type_address(object), "functools", "partial")) {
            partial_text(w, t, &object);
            continue;
        }
        wk_addr wrapped = wk_attribute(w, object, "__wrapped__"); /* functools.wraps, lru_cache */
        if (wrapped == 0) {
            wk_text_bytes(t, "<", 1);
            wk_text_type(w, t, wk_type_address(object));
            wk_text_bytes(t, ">", 1);
            return;
        }
        object = wrapped;
    }
}

void
wk_content_frame(struct wk *w, struct wk_text *t, wk_addr frame)
{
    struct wk_frame_view v;

    if (wk_frame_of_object(w, frame, &v))
        wk_text_place(w, t, code_qualname(w, v.code), v.code, wk_frame_line(w, &v));
}

static const char *
state_text(enum wk_generator_state state)
{
    switch (state) {
    case WK_GEN_CREATED:
        return " created";
    case WK_GEN_RUNNING:
        return " running";
    case WK_GEN_SUSPENDED:
        return " suspended";
    case WK_GEN_CLOSED:
    default:
        return " closed";
    }
}

void
wk_text_generator(struct wk *w, struct wk_text *t, wk_addr generator, bool state)
{
    struct wk_frame_view v;
    uint32_t line = 0;
    enum wk_generator_state at = wk_generator_state(w, generator);

    if (at != WK_GEN_CLOSED && wk_frame_of_generator(w, generator, &v))
        line = wk_frame_line(w, &v);
    wk_text_place(w, t, WK_U64(generator, w->facts.gen_qualname), wk_generator_code(w, generator), line);
    if (state)
        wk_text_cstr(t, state_text(at));
}

/* Where the function stands that it runs: what that waits in is mostly the same for all. */
void
wk_content_greenlet(struct wk *w, struct wk_text *t, wk_addr greenlet)
{
    struct wk_frame_view v;

    if (!wk_greenlet_outermost(w, greenlet, &v))
        return;
    wk_text_place(w, t, code_qualname(w, v.code), v.code, wk_frame_line(w, &v));
    wk_text_cstr(t, state_text(WK_GEN_SUSPENDED));
}

void
wk_content_code(struct wk *w, struct wk_text *t, wk_addr code)
{
    wk_text_place(w, t, code_qualname(w, code), code, 0);
}
