// SPDX-License-Identifier: MIT
#include "../wk-private.h"

void
wk_contents_init(struct wk *w)
{
    (void)w;
}

void
wk_content_prepare(struct wk *w, struct wk_type *type)
{
    (void)w, (void)type;
}

void
wk_content(struct wk *w, const struct wk_type *type, wk_addr object)
{
    (void)w, (void)type, (void)object;
}

void
wk_type_name(struct wk *w, wk_addr type, struct wk_text *out)
{
    (void)w;
    wk_text_cstr(out, WK_READ(const char *, type, WK_TP_NAME));
}
