// SPDX-License-Identifier: MIT
/* What stands for something outside or shared: files, sockets, processes, locks. Descriptors and states are structure, names are data. */
#include "wk-contents.h"

/* Offsets behind PyObject, as Modules/_io, socketmodule.h, _threadmodule.c have them. */
enum {
    FILE_FD = WK_HEAD,
    FILE_BITS = WK_HEAD + 4, /* created, readable, writable, appending */
    BUFFERED_RAW = WK_HEAD,
    TEXT_BUFFER = WK_HEAD + 16,
    SOCKET_FD = WK_HEAD,
    SOCKET_FAMILY = WK_HEAD + 4,
    SOCKET_TYPE = WK_HEAD + 8,
    SOCKET_PROTO = WK_HEAD + 12,
    SOCKET_TIMEOUT = WK_HEAD + 24, /* ns; negative: none */
    LOCK_LOCKED = WK_HEAD + 16,    /* of the older kind */
    RLOCK_OWNER = WK_HEAD + 8,
    RLOCK_COUNT = WK_HEAD + 16,
    BYTESIO_SIZE = WK_HEAD + 16,
    ARRAY_DESCR = WK_HEAD + 24,
    FILE_DEPTH = 4,
    ARGS_MAX = 8,
};

static void
quoted_value(struct wk *w, struct wk_text *t, wk_addr value)
{
    if (value != 0)
        wk_text_value(w, t, value);
}

/* "rb fd 3 '/dev/null'" */
static void
file_text(struct wk *w, struct wk_text *t, wk_addr file)
{
    int32_t fd = WK_I32(file, FILE_FD);
    uint32_t bits = WK_U32(file, FILE_BITS);
    bool both = (bits & 6) == 6;

    wk_text_cstr(t, bits & 1 ? "xb" : bits & 8 ? "ab" : bits & 2 ? "rb" : "wb");
    if (both || (bits & 11) == 3 || (bits & 10) == 10)
        wk_text_bytes(t, "+", 1);
    if (fd < 0) {
        wk_text_cstr(t, " closed");
    } else {
        wk_text_cstr(t, " fd ");
        wk_text_int(t, fd);
    }
    wk_addr name = wk_attribute(w, file, "name");
    if (name != 0)
        wk_text_bytes(t, " ", 1);
    quoted_value(w, t, name);
}

/* Through text and buffers to what has a descriptor. */
static void
stream_text(struct wk *w, struct wk_text *t, wk_addr stream)
{
    for (unsigned i = 0; i < FILE_DEPTH && stream != 0; i++) {
        wk_addr type = wk_type_address(stream);
        if (wk_type_descends(w, type, "_io", "FileIO")) {
            file_text(w, t, stream);
            return;
        }
        if (wk_type_descends(w, type, "_io", "TextIOWrapper")) {
            stream = WK_U64(stream, TEXT_BUFFER);
        } else if (wk_type_descends(w, type, "_io", "BufferedReader") ||
                   wk_type_descends(w, type, "_io", "BufferedWriter") ||
                   wk_type_descends(w, type, "_io", "BufferedRandom")) {
            stream = WK_U64(stream, BUFFERED_RAW);
        } else {
            wk_text_bytes(t, "<", 1);
            wk_text_type(w, t, type);
            wk_text_bytes(t, ">", 1);
            return;
        }
    }
    if (stream == 0)
        wk_text_cstr(t, "closed");
}

static void
socket_text(struct wk *w, struct wk_text *t, wk_addr socket)
{
    int32_t fd = WK_I32(socket, SOCKET_FD), family = WK_I32(socket, SOCKET_FAMILY), type = WK_I32(socket, SOCKET_TYPE);
    int32_t proto = WK_I32(socket, SOCKET_PROTO);
    int64_t timeout = WK_I64(socket, SOCKET_TIMEOUT);

    (void)w;
    if (fd < 0) {
        wk_text_cstr(t, "closed");
    } else {
        wk_text_cstr(t, "fd ");
        wk_text_int(t, fd);
    }
    wk_text_cstr(t, family == 1 ? " unix" : family == 2 ? " inet" : family == 10 ? " inet6" : " family ");
    if (family != 1 && family != 2 && family != 10)
        wk_text_int(t, family);
    wk_text_cstr(t, type == 1 ? " stream" : type == 2 ? " datagram" : type == 3 ? " raw" : " type ");
    if (type < 1 || type > 3)
        wk_text_int(t, type);
    if (proto != 0) {
        wk_text_cstr(t, proto == 6 ? " tcp" : proto == 17 ? " udp" : " proto ");
        if (proto != 6 && proto != 17)
            wk_text_int(t, proto);
    }
    if (fd < 0 || timeout < 0)
        return;
    if (timeout == 0) {
        wk_text_cstr(t, " non-blocking");
        return;
    }
    wk_text_cstr(t, " timeout ");
    wk_text_uint(t, (uint64_t)timeout / 1000000);
    wk_text_cstr(t, " ms");
}

/* Later 3.13 and 3.14: a mutex of one byte and nothing else. */
static void
lock_text(struct wk_text *t, const struct wk_type *type, wk_addr lock)
{
    uint8_t byte = type->basic <= LOCK_LOCKED ? WK_U8(lock, WK_HEAD) & 1 : WK_U8(lock, LOCK_LOCKED);

    wk_text_cstr(t, byte != 0 ? "locked" : "unlocked");
}

static void
rlock_text(struct wk *w, struct wk_text *t, wk_addr lock)
{
    bool mutex = w->version >= 0x030e; /* a byte, the owner, how often more than once */
    uint64_t owner = WK_U64(lock, RLOCK_OWNER), count = WK_U64(lock, RLOCK_COUNT);

    if (mutex)
        count = (WK_U8(lock, WK_HEAD) & 1) != 0 ? count + 1 : 0;
    if (count == 0) {
        wk_text_cstr(t, "unlocked");
        return;
    }
    wk_text_cstr(t, "locked by thread ");
    wk_text_uint(t, owner);
    if (count > 1) {
        wk_text_cstr(t, ", ");
        wk_text_uint(t, count);
        wk_text_cstr(t, " times");
    }
}

static void
process_text(struct wk *w, struct wk_text *t, wk_addr process)
{
    wk_addr pid = wk_attribute(w, process, "pid"), code = wk_attribute(w, process, "returncode"),
            args = wk_attribute(w, process, "args");
    uint64_t number;

    if (pid != 0 && wk_int_u64(w, pid, &number)) {
        wk_text_cstr(t, "pid ");
        wk_text_uint(t, number);
    }
    if (code == 0 || code == wk_symbol(w, WK_SYM_NONE)) {
        wk_text_cstr(t, " running");
    } else if (wk_has_flag(code, WK_TPF_LONG)) {
        wk_text_cstr(t, " ended with ");
        wk_text_long(w, t, code);
    }
    if (args == 0)
        return;
    bool list = wk_has_flag(args, WK_TPF_LIST);
    if (!list && !wk_has_flag(args, WK_TPF_TUPLE)) {
        wk_text_bytes(t, " ", 1);
        wk_text_value(w, t, args);
        return;
    }
    uint64_t n = WK_U64(args, WK_OB_SIZE);
    wk_addr items = list ? WK_U64(args, w->facts.list_items) : args + w->facts.tuple_items;
    for (uint64_t i = 0; i < n && i < ARGS_MAX && !t->full; i++) {
        wk_text_bytes(t, " ", 1);
        quoted_value(w, t, WK_U64(items, 8 * i));
    }
    if (n > ARGS_MAX)
        wk_text_cstr(t, " …");
}

static void
length_text(struct wk_text *t, uint64_t n)
{
    wk_text_uint(t, n);
    wk_text_cstr(t, n == 1 ? " item" : " items");
}

static void
deque_text(struct wk *w, struct wk_text *t, wk_addr deque)
{
    int64_t most = WK_I64(deque, w->facts.deque_maxlen);

    length_text(t, WK_U64(deque, WK_OB_SIZE));
    if (most >= 0) {
        wk_text_cstr(t, ", maxlen ");
        wk_text_int(t, most);
    }
}

void
wk_content_handle(struct wk *w, struct wk_text *t, const struct wk_type *type, wk_addr object)
{
    wk_addr value;
    uint64_t flag = 0;

    switch (type->content) {
    case WK_CONTENT_FILE:
        stream_text(w, t, object);
        break;
    case WK_CONTENT_SOCKET:
        socket_text(w, t, object);
        break;
    case WK_CONTENT_LOCK:
        lock_text(t, type, object);
        break;
    case WK_CONTENT_RLOCK:
        rlock_text(w, t, object);
        break;
    case WK_CONTENT_EVENT:
        value = wk_attribute(w, object, "_flag");
        if (value != 0)
            wk_text_cstr(t, wk_int_u64(w, value, &flag) && flag != 0 ? "set" : "not set");
        break;
    case WK_CONTENT_PROCESS:
        process_text(w, t, object);
        break;
    case WK_CONTENT_DEQUE:
        deque_text(w, t, object);
        break;
    case WK_CONTENT_ARRAY:
        wk_text_bytes(t, "'", 1);
        wk_text_bytes(t, WK_READ(const char *, object, ARRAY_DESCR), 1);
        wk_text_cstr(t, "' ");
        length_text(t, WK_U64(object, WK_OB_SIZE));
        break;
    case WK_CONTENT_BYTESIO:
        wk_text_uint(t, WK_U64(object, BYTESIO_SIZE));
        wk_text_cstr(t, " bytes");
        break;
    default:
        break;
    }
}
