// SPDX-License-Identifier: MIT
/* asyncio's tasks, futures and handles, of the C module and of the one written in Python. */
#include "wk-contents.h"

static void
state_text(struct wk_text *t, uint32_t state)
{
    wk_text_cstr(t, state == 0 ? "pending" : state == 1 ? "cancelled" : state == 2 ? "finished" : "?");
}

/* "PENDING" and so on, in small letters as for the others. */
static void
python_state_text(struct wk *w, struct wk_text *t, wk_addr future)
{
    wk_addr state = wk_attribute(w, future, "_state");
    struct wk_str s;

    if (state == 0) /* never changed */
        state = wk_class_attribute(w, wk_type_address(future), "_state");

    if (!wk_is_str(state) || !wk_str_view(w, state, &s) || !s.ascii || s.length > 32)
        return;
    for (uint64_t i = 0; i < s.length; i++) {
        uint8_t c = s.data[i];
        c = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
        wk_text_bytes(t, &c, 1);
    }
}

/* Task-5: the name that a task has when it was given none. */
static bool
is_counted(struct wk *w, wk_addr name)
{
    static const char prefix[] = "Task-";
    struct wk_str s;

    if (!wk_str_view(w, name, &s) || !s.ascii || s.length < sizeof prefix)
        return false;
    for (uint64_t i = 0; i < s.length; i++)
        if (i < sizeof prefix - 1 ? s.data[i] != (uint8_t)prefix[i] : s.data[i] < '0' || s.data[i] > '9')
            return false;
    return true;
}

/* Until someone asks for it, a name may be the number alone. */
static void
name_text(struct wk *w, struct wk_text *t, wk_addr name)
{
    if (wk_is_str(name)) {
        if (is_counted(w, name))
            wk_text_str(w, t, name, UINT32_MAX);
        else
            wk_text_data(w, t, name, UINT32_MAX);
    } else if (wk_has_flag(name, WK_TPF_LONG)) {
        wk_text_cstr(t, "Task-");
        wk_text_long(w, t, name);
    } else {
        wk_text_cstr(t, "?");
    }
}

static bool
is_generator(struct wk *w, wk_addr object)
{
    return wk_is_instance(w, object, WK_SYM_TYPE_CORO) || wk_is_instance(w, object, WK_SYM_TYPE_GEN);
}

static void
coroutine_text(struct wk *w, struct wk_text *t, wk_addr coroutine)
{
    if (coroutine == 0 || !is_generator(w, coroutine))
        return;
    wk_text_bytes(t, " ", 1);
    wk_text_generator(w, t, coroutine, false);
}

void
wk_content_asyncio(struct wk *w, struct wk_text *t, const struct wk_type *type, wk_addr object)
{
    const struct wk_facts *f = &w->facts;
    wk_addr callback;

    switch (type->content) {
    case WK_CONTENT_TASK:
        name_text(w, t, WK_U64(object, f->task_name));
        wk_text_bytes(t, " ", 1);
        state_text(t, WK_U32(object, f->fut_state));
        coroutine_text(w, t, WK_U64(object, f->task_coro));
        break;
    case WK_CONTENT_FUTURE:
        state_text(t, WK_U32(object, f->fut_state));
        break;
    case WK_CONTENT_PY_TASK:
        name_text(w, t, wk_attribute(w, object, "_name"));
        wk_text_bytes(t, " ", 1);
        python_state_text(w, t, object);
        coroutine_text(w, t, wk_attribute(w, object, "_coro"));
        break;
    case WK_CONTENT_PY_FUTURE:
        python_state_text(w, t, object);
        break;
    case WK_CONTENT_HANDLE:
        callback = wk_attribute(w, object, "_callback");
        if (callback == 0 || callback == wk_symbol(w, WK_SYM_NONE))
            wk_text_cstr(t, "cancelled");
        else
            wk_text_callable(w, t, callback);
        break;
    default:
        break;
    }
}
