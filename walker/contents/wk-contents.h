// SPDX-License-Identifier: MIT
#pragma once
/* Inside of contents/: pieces of text that several kinds of content are made of. None of them runs code of the target. */
#include <heapfile/digits.h>
#include "../roots/wk-roots.h"

/* wk_type.content */
enum wk_content {
    WK_CONTENT_NOTHING = 0,
    WK_CONTENT_STR,
    WK_CONTENT_BYTES,
    WK_CONTENT_BYTEARRAY,
    WK_CONTENT_INT,
    WK_CONTENT_BOOL,
    WK_CONTENT_NONE,
    WK_CONTENT_FLOAT,
    WK_CONTENT_COMPLEX,
    WK_CONTENT_DICT,
    WK_CONTENT_TYPE,
    WK_CONTENT_MODULE,
    WK_CONTENT_FUNCTION,
    WK_CONTENT_METHOD,
    WK_CONTENT_BUILTIN,
    WK_CONTENT_CODE,
    WK_CONTENT_FRAME,
    WK_CONTENT_GENERATOR,
    WK_CONTENT_GREENLET,
    WK_CONTENT_CELL,
    WK_CONTENT_WEAKREF,
    WK_CONTENT_SLICE,
    WK_CONTENT_RANGE,
    WK_CONTENT_EXCEPTION,
    WK_CONTENT_PARTIAL,
    WK_CONTENT_TASK,   /* _asyncio.Task */
    WK_CONTENT_FUTURE, /* _asyncio.Future */
    WK_CONTENT_PY_TASK,
    WK_CONTENT_PY_FUTURE,
    WK_CONTENT_HANDLE, /* asyncio.Handle */
    WK_CONTENT_DATE,
    WK_CONTENT_DATETIME,
    WK_CONTENT_TIME,
    WK_CONTENT_TIMEDELTA,
    WK_CONTENT_UUID,
    WK_CONTENT_DECIMAL,
    WK_CONTENT_PATH,
    WK_CONTENT_THREAD, /* threading.Thread */
    WK_CONTENT_LOGGER, /* logging.Logger */
    WK_CONTENT_ENUM,
    WK_CONTENT_FRACTION,
    WK_CONTENT_PATTERN,
    WK_CONTENT_ZONE,
    WK_CONTENT_ZONEINFO,
    WK_CONTENT_IPV4,
    WK_CONTENT_VAR,
    WK_CONTENT_FILE, /* handles.c from here on */
    WK_CONTENT_SOCKET,
    WK_CONTENT_LOCK,
    WK_CONTENT_RLOCK,
    WK_CONTENT_EVENT,
    WK_CONTENT_PROCESS,
    WK_CONTENT_DEQUE,
    WK_CONTENT_ARRAY,
    WK_CONTENT_BYTESIO,
};

/* contents.c: the text of a dict with these keys and no others. */
#define WK_SHOWN_BITS 6
#define WK_SHOWN      (1u << WK_SHOWN_BITS)
#define WK_SHOWN_KEYS 8u
struct wk_shown {
    wk_addr keys[WK_SHOWN_KEYS];
    uint32_t n, len; /* n 0: none yet */
    uint8_t text[128];
};

/* open-names.c: for wk_is_open() */
void wk_open_names_init(struct wk *w);

/* redact.c */
uint64_t wk_siphash(const uint64_t key[2], const void *bytes, uint64_t n);
void wk_redact_bytes(struct wk *w, struct wk_text *t, const void *bytes, uint64_t n);
void wk_redact_tail(struct wk *w, struct wk_text *t, uint32_t start); /* replaces the text from start on */

/* numbers.c */
struct wk_int {
    uint64_t n; /* digits */
    wk_addr digits;
    uint32_t bits; /* of a digit */
    bool negative;
};
bool wk_int_view(const struct wk *w, wk_addr object, struct wk_int *out);
bool wk_int_u64(const struct wk *w, wk_addr object, uint64_t *out); /* absolute value; false: no int, or longer */
/* NUMBERS: readers make the text of ints and floats, where it cannot come out cut or hashed. */
static inline bool
wk_has_numbers(const struct wk *w, const struct wk_type *type)
{
    return (type->content == WK_CONTENT_INT || type->content == WK_CONTENT_FLOAT) && !w->redact &&
           w->content_limit >= HF_DOUBLE_MAX;
}

/* How many bytes of a number say all of it. */
static inline unsigned
wk_int_width(uint64_t absolute)
{
    return (unsigned)(64 - __builtin_clzll(absolute | 1)) / 8 + 1;
}

bool wk_int_bytes(struct wk *w, struct wk_text *t, wk_addr object); /* false: more than 8 */
void wk_text_long(struct wk *w, struct wk_text *t, wk_addr object);
void wk_text_double(struct wk_text *t, uint64_t bits); /* as repr() */
void wk_text_complex(struct wk_text *t, uint64_t real, uint64_t imaginary);

/* contents.c */
/* What the text of a built-in exception is made of, beside its arguments. */
enum wk_exception_kind {
    WK_EXCEPTION_OTHER, /* nothing */
    WK_EXCEPTION_OS,
    WK_EXCEPTION_GROUP,
    WK_EXCEPTION_DECODE,
    WK_EXCEPTION_ENCODE,
    WK_EXCEPTION_TRANSLATE,
    WK_EXCEPTION_SYNTAX,
};

const char *wk_type_static_name(wk_addr type, size_t *module_length); /* tp_name, and how much of it is the module's */
void wk_text_type(struct wk *w, struct wk_text *t, wk_addr type);     /* module.qualname, without "builtins." */
void wk_text_value(struct wk *w, struct wk_text *t, wk_addr object);  /* a plain value as in repr(), else <type> */
/* kinds.c: the type or one of its bases is a class of this name, in this module or a part of it. */
bool wk_type_descends(struct wk *w, wk_addr type, const char *module, const char *name);

/* code.c */
void wk_text_place(struct wk *w, struct wk_text *t, wk_addr qualname, wk_addr code,
                   uint32_t line); /* qualname at file:line */
void wk_text_callable(struct wk *w, struct wk_text *t, wk_addr object);
void wk_content_code(struct wk *w, struct wk_text *t, wk_addr code);
void wk_content_greenlet(struct wk *w, struct wk_text *t, wk_addr greenlet);
void wk_content_frame(struct wk *w, struct wk_text *t, wk_addr frame);
void wk_text_generator(struct wk *w, struct wk_text *t, wk_addr generator, bool state);

/* asyncio.c */
void wk_content_asyncio(struct wk *w, struct wk_text *t, const struct wk_type *type, wk_addr object);

/* handles.c: files, sockets, locks, … */
void wk_content_handle(struct wk *w, struct wk_text *t, const struct wk_type *type, wk_addr object);

/* values.c: datetime, UUID, Decimal, Path, … */
void wk_content_library(struct wk *w, struct wk_text *t, const struct wk_type *type, wk_addr object);
