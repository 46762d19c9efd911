// SPDX-License-Identifier: MIT
#pragma once
/*
 * A heap of made-up objects laid out as CPython 3.11's, and a walker over it without entry, interpreter and fork: for tests that want
 * every byte in hand, and sanitizers. Memory is freed by fake_free().
 */
#include <glib.h>
#include "wk-fault.h"
#include "wk-gc.h"
#include "wk-names.h"
#include "wk-objects.h"
#include "wk-types.h"
#include "wk-visited.h"
#include "wk-walk.h"

struct fake {
    struct wk_args args;
    struct wk *w;
    int fd;            /* owned: the dump, a memory file */
    GPtrArray *memory; /* owned: blocks of objects */
    wk_addr type, object, list, tuple, dict, str, int_, bytes, set;
};

typedef int (*fake_traverse)(wk_addr object, int (*visit)(wk_addr, void *), void *arg);

struct fake *fake_new(void);
void fake_free(struct fake *f);
wk_addr fake_alloc(struct fake *f, gsize size); /* zeroed, 16-aligned, room for a gc head before it */
wk_addr fake_type(struct fake *f, const char *name, guint basic, guint item, guint64 flags, fake_traverse traverse);
wk_addr fake_object(struct fake *f, wk_addr type, gsize size);
wk_addr fake_str(struct fake *f, const char *ascii);
wk_addr fake_list(struct fake *f, const wk_addr *items, gsize n);
wk_addr fake_dict(struct fake *f, const wk_addr *keys_and_values, gsize n);
void fake_poke(wk_addr object, gint offset, guint64 value);

/* Walks what wk_mark() was called for; returns the dump as text, a line an object in the order of the file (owned by the caller). */
char *fake_walk(struct fake *f);
