// SPDX-License-Identifier: MIT
/* Where the dump's bytes go, what stands around the objects in it, and the result file. */
#include "wk-fault.h"
#include "wk-sys.h"
#include "wk-types.h"
#include "wk-visited.h"
#include "wk-walk.h"

#define PIPE_BYTES (1 << 20)

/*
 * Waits until the reader takes more. The descriptor never blocks: a reader that stands still must not make a target stand still with it
 * (inline), and the ghost must end.
 */
static long
wait_for_reader(const struct wk *w)
{
    struct wk_pollfd poll = {w->data_fd, WK_POLLOUT, 0};
    struct wk_timespec limit = {w->args->watchdog_seconds, 0};
    long n = wk_syscall6(WK_NR_ppoll, (long)&poll, 1, w->args->watchdog_seconds != 0 ? (long)&limit : 0, 0, 0, 0);

    return n == 0 ? -WK_ETIMEDOUT : n == -WK_EINTR || n > 0 ? 0 : n;
}

static bool
write_all(struct wk *w, const uint8_t *bytes, size_t n)
{
    w->fault->writing = true;
    while (n != 0) {
        long k = wk_sys_write(w->data_fd, bytes, n);
        if (k == -WK_EAGAIN)
            k = wait_for_reader(w);
        if (k == -WK_EINTR)
            continue;
        if (k < 0) {
            w->fault->writing = false;
            /* Nobody wants the dump any more, nor a result. */
            if (w->ghost && (k == -WK_EPIPE || k == -WK_ETIMEDOUT))
                wk_sys_exit(k == -WK_EPIPE ? WK_ERR_WRITE : WK_ERR_TIME);
            w->args->result.error = (int32_t)-k;
            return false;
        }
        bytes += k;
        n -= (size_t)k;
    }
    w->fault->writing = false;
    return true;
}

static bool
sink(void *user, const void *bytes, size_t n)
{
    return write_all(user, bytes, n);
}

bool
wk_output_open(struct wk *w)
{
    long fd = wk_sys_open(w->args->data_path, WK_O_WRONLY | WK_O_NONBLOCK | WK_O_CLOEXEC, 0);
    if (fd < 0) {
        w->args->result.error = (int32_t)-fd;
        return false;
    }
    if (fd < 3) {
        /* Not where a library would write its complaints. */
        long high = wk_syscall6(WK_NR_fcntl, fd, WK_F_DUPFD_CLOEXEC, 3, 0, 0, 0);
        wk_sys_close((int)fd);
        if (high < 0) {
            w->args->result.error = (int32_t)-high;
            return false;
        }
        fd = high;
    }
    w->data_fd = (int)fd;
    wk_syscall6(WK_NR_fcntl, fd, WK_F_SETPIPE_SZ, PIPE_BYTES, 0, 0, 0); /* fewer switches; refused is fine */
    hf_writer_init(&w->out, wk_map(w, HF_WRITER_MEMORY), sink, w);
    w->out.deposit = wk_arch_deposit();
    hf_write_header(&w->out, sizeof(void *));
    return true;
}

static size_t
length(const char *s)
{
    size_t n = 0;

    while (n < HF_NAME_MAX && s[n] != '\0')
        n++;
    return n;
}

static void
meta_text(struct wk *w, const char *key, const char *text)
{
    hf_write_meta_text(&w->out, key, text, length(text));
}

void
wk_output_meta(struct wk *w)
{
    hf_write_meta_uint(&w->out, HF_META_TIME, wk_sys_clock_ns(WK_CLOCK_REALTIME) / 1000);
    meta_text(w, HF_META_MODE, w->ghost ? "fork" : "inline");
    meta_text(w, HF_META_PYTHON, w->version_text);
    hf_write_meta_uint(&w->out, HF_META_PYHEX, w->version_hex);
    meta_text(w, HF_META_PYBUILD,
              w->facts.build == WK_BUILD_RELEASE         ? "release"
              : w->facts.build == WK_BUILD_DEBUG         ? "debug"
              : w->facts.build == WK_BUILD_FREE_THREADED ? "free-threaded"
                                                         : "free-threaded debug");
    hf_write_meta_uint(&w->out, HF_META_CONTENT, w->content_limit);
    hf_write_meta_bool(&w->out, HF_META_REDACTED, w->redact);
}

void
wk_root(struct wk *w, enum hf_root_kind kind, wk_addr object, uint32_t name, bool counted)
{
    if (object == 0 || wk_impossible(object))
        return;
    wk_mark_fast(w, object);
    hf_write_root(&w->out, kind, object, name, counted);
}

void
wk_thread(struct wk *w, const struct hf_thread_row *row)
{
    hf_write_thread(&w->out, row);
}

void
wk_frame(struct wk *w, const struct hf_frame_row *row)
{
    wk_mark(w, row->frame);
    wk_mark(w, row->code);
    wk_mark(w, row->function);
    for (size_t i = 0; i < row->n; i++)
        wk_mark(w, row->refs[i]);
    hf_write_frame(&w->out, row);
}

void
wk_output_finish(struct wk *w, const char *reason)
{
    struct wk_result *r = &w->args->result;

    r->objects = w->out.objects;
    r->refs = w->out.refs;
    r->types = w->out.types;
    r->skipped = w->skipped;
    r->memory = w->memory.used;
    r->wall_us = (wk_sys_clock_ns(WK_CLOCK_MONOTONIC) - w->start_ns) / 1000;
    r->cpu_us = (wk_sys_clock_ns(WK_CLOCK_THREAD_CPUTIME) - w->start_cpu_ns) / 1000;
    hf_write_meta_uint(&w->out, HF_META_WALK, r->wall_us);
    hf_write_meta_uint(&w->out, HF_META_WALKCPU, r->cpu_us);
    hf_write_meta_uint(&w->out, HF_META_WALKMEM, r->memory);
    hf_write_counter(&w->out, "walk.skipped", w->skipped);
    if (w->allocator != WK_ALLOCATOR_UNKNOWN) /* blocks of malloc whose headers did not say how large they are */
        hf_write_counter(&w->out, "real.guessed", w->real_guessed);
    if (w->disowned != 0)
        hf_write_counter(&w->out, "gc.disowned", w->disowned);
    if (w->collecting != 0)
        hf_write_counter(&w->out, "gc.collecting", w->collecting);
    if (w->fault != NULL)
        hf_write_counter(&w->out, "walk.faults", w->fault->faults);
    if (!hf_writer_finish(&w->out, reason == NULL ? HF_END_COMPLETE : HF_END_INCOMPLETE, reason == NULL ? "" : reason))
        r->status = WK_ERR_WRITE;
    r->bytes = w->out.bytes;
}

static const char *
status_text(uint32_t status)
{
    switch ((enum wk_status)status) {
    case WK_OK:
        return "ok";
    case WK_ERR_ABI:
        return "the driver and the walker do not belong together";
    case WK_ERR_VERSION:
        return "this CPython is not known";
    case WK_ERR_SYMBOL:
        return "a needed symbol is missing";
    case WK_ERR_LAYOUT:
        return "the interpreter is not laid out as this version should be";
    case WK_ERR_OPEN:
        return "the data file cannot be opened";
    case WK_ERR_WRITE:
        return "the data file cannot be written";
    case WK_ERR_MEMORY:
        return "out of memory";
    case WK_ERR_FAULT:
        return "a fault outside any object";
    case WK_ERR_TIME:
        return "it took too long";
    case WK_ERR_INCONSISTENT:
        return "the snapshot was taken inside a change of the heap";
    case WK_RUNNING:
    case WK_STATUS_COUNT:
    default:
        return "the walk did not end";
    }
}

const char *
wk_status_text(uint32_t status)
{
    return status_text(status);
}

static void
json_uint(struct wk_text *t, const char *key, uint64_t value)
{
    wk_text_cstr(t, t->len == 1 ? "\"" : ",\"");
    wk_text_cstr(t, key);
    wk_text_cstr(t, "\":");
    wk_text_uint(t, value);
}

/* Values are our own words: nothing in them needs escaping. */
static void
json_text(struct wk_text *t, const char *key, const char *value)
{
    wk_text_cstr(t, t->len == 1 ? "\"" : ",\"");
    wk_text_cstr(t, key);
    wk_text_cstr(t, "\":\"");
    wk_text_cstr(t, value);
    wk_text_cstr(t, "\"");
}

bool
wk_output_result(const struct wk_args *args, const char *word)
{
    const struct wk_result *r = &args->result;
    uint8_t buffer[1024];
    struct wk_text t = {.buf = buffer, .cap = sizeof buffer};
    const char *end = "}\n";
    long fd, n;

    if (args->result_path[0] == '\0')
        return true;
    wk_text_cstr(&t, "{");
    json_uint(&t, "status", r->status);
    json_text(&t, "status_text", word != NULL ? word : status_text(r->status));
    json_uint(&t, "stage", r->stage);
    json_uint(&t, "errno", (uint64_t)(uint32_t)r->error);
    json_uint(&t, "address", r->address);
    json_uint(&t, "objects", r->objects);
    json_uint(&t, "refs", r->refs);
    json_uint(&t, "bytes", r->bytes);
    json_uint(&t, "types", r->types);
    json_uint(&t, "skipped", r->skipped);
    json_uint(&t, "wall_us", r->wall_us);
    json_uint(&t, "cpu_us", r->cpu_us);
    json_uint(&t, "memory", r->memory);
    wk_text_cstr(&t, end);

    fd =
        wk_sys_open(args->result_temp_path, WK_O_WRONLY | WK_O_CREAT | WK_O_TRUNC | WK_O_NOFOLLOW | WK_O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    n = wk_sys_write((int)fd, t.buf, t.len);
    wk_sys_close((int)fd);
    if (n != (long)t.len || wk_sys_rename(args->result_temp_path, args->result_path) < 0) {
        wk_sys_unlink(args->result_temp_path);
        return false;
    }
    return true;
}
