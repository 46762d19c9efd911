// SPDX-License-Identifier: MIT
#include "stream.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <heapfile/reader.h>
#include <heapfile/writer.h>
#include "procfs.h"
#include "progress.h"

enum { ASK_MS = 50 };

typedef struct {
    const InjStream *s;
    struct hf_reader *reader;
    guint64 sent; /* bytes handed to the output */
    gboolean output_failed;
    GError *error; /* owned; of the source */
    InjProgress progress;
    guint64 objects;
    struct hf_end_row end;
    char *reason;
} Flow;

void
inj_stream_totals_clear(InjStreamTotals *t)
{
    g_clear_pointer(&t->reason, g_free);
}

static bool
sink(void *user, const void *bytes, size_t n)
{
    Flow *f = user;

    f->sent += n;
    if (!f->output_failed && !inj_output_write(f->s->output, bytes, n))
        f->output_failed = TRUE;
    return !f->output_failed;
}

/* Bytes of the FIFO; waits for them as long as the writer lives and the time allows. 0: the writer closed it or is gone. */
static long
source(void *user, void *bytes, size_t n)
{
    Flow *f = user;
    const InjStream *s = f->s;
    gint64 deadline = g_get_monotonic_time() + (gint64)(s->run->options->timeout * G_USEC_PER_SEC);
    gboolean over = FALSE;

    for (;;) {
        struct pollfd p[] = {{.fd = s->fifo, .events = POLLIN},
                             {.fd = s->writer, .events = POLLIN},
                             {.fd = inj_interrupt_fd(), .events = POLLIN}};
        gint64 left = deadline - g_get_monotonic_time();
        if (left <= 0) {
            g_set_error(&f->error, INJ_ERROR, INJ_ERROR_TIMEOUT,
                        "no data for %g s after %" G_GUINT64_FORMAT " objects: %s; a larger --timeout may help",
                        s->run->options->timeout, f->objects,
                        s->is_over != NULL ? "the walk was given up" : "the copy of the target was ended");
            return -1;
        }
        gint64 most = over ? 0 : s->is_over != NULL ? ASK_MS : G_MAXINT;
        int r = poll(p, G_N_ELEMENTS(p), (int)MIN((left + 999) / 1000, most));
        if (inj_interrupted()) {
            inj_interrupted_error(&f->error);
            return -1;
        }
        if (r < 0 && errno != EINTR)
            break;
        if (p[0].revents != 0 || p[1].revents != 0) {
            ssize_t got = TEMP_FAILURE_RETRY(read(s->fifo, bytes, n));
            if (got > 0)
                return got;
            if (got < 0 && errno != EAGAIN)
                break;
            /* Nothing there: the end when somebody had it open and closed it, or when nobody is left who could. */
            if ((p[0].revents & POLLHUP) || p[1].revents != 0)
                return 0;
        } else if (over)
            return 0;
        /* Once more after that: what it wrote last. */
        over = over || (r == 0 && s->is_over != NULL && s->is_over(s->run));
    }
    g_set_error(&f->error, INJ_ERROR, INJ_ERROR_FAILED, "cannot read the data pipe: %s", g_strerror(errno));
    return -1;
}

/* Which process it is, among all that had or will have its number: addresses in two dumps mean the same only if it is one. */
static void
write_identity(struct hf_writer *w, const InjTarget *t)
{
    g_autofree char *boot = inj_proc_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", NULL);

    hf_write_meta_uint(w, HF_META_PID, (guint64)t->pid);
    hf_write_meta_uint(w, HF_META_INNER, (guint64)t->inner_pid);
    hf_write_meta_uint(w, HF_META_START, t->start_time);
    if (boot != NULL && g_str_is_ascii(g_strchomp(boot)))
        hf_write_meta_text(w, HF_META_BOOT, boot, strlen(boot));
}

static void
write_meta(Flow *f)
{
    const InjStream *s = f->s;
    const InjTarget *t = s->run->target;
    g_autofree void *memory = g_malloc(HF_WRITER_MEMORY);
    g_autofree char *exe = g_utf8_make_valid(t->exe, -1);
    struct hf_writer w;
    static const char tool[] = "heapdump-gdb " HEAPDUMP_VERSION;

    hf_writer_init(&w, memory, sink, f);
    hf_write_meta_text(&w, HF_META_TOOL, tool, strlen(tool));
    hf_write_meta_uint(&w, HF_META_TIME, (guint64)s->time_us);
    write_identity(&w, t);
    hf_write_meta_text(&w, HF_META_EXE, exe, strlen(exe));
    if (!s->run->options->redact) /* secrets stand in arguments too */
        hf_write_meta_text(&w, HF_META_CMDLINE, t->cmdline, strlen(t->cmdline));
    hf_write_meta_text(&w, HF_META_MODE, s->mode, strlen(s->mode));
    hf_write_meta_bool(&w, HF_META_COLLECTED, s->run->options->gc);
    hf_write_meta_uint(&w, HF_META_PAUSE, (guint64)s->run->pause_us);
    hf_write_meta_uint(&w, HF_META_FORK, (guint64)s->run->fork_us);
    hf_write_meta_uint(&w, HF_META_GIL, (guint64)s->run->gil_us);
    hf_write_meta_uint(&w, HF_META_RSS, t->rss);
    hf_writer_flush(&w);
}

static bool
take_end(void *user, const struct hf_end_row *row)
{
    Flow *f = user;

    f->end = *row;
    f->reason = g_strndup(row->reason, row->reason_len);
    return true;
}

/* The walker counted its own bytes only. */
static void
write_end(Flow *f)
{
    g_autofree void *memory = g_malloc(HF_WRITER_MEMORY);
    struct hf_writer w;

    hf_writer_init(&w, memory, sink, f);
    w.objects = f->end.objects;
    w.refs = f->end.refs;
    w.types = (uint32_t)f->end.types;
    w.names = (uint32_t)f->end.names;
    w.layouts = (uint32_t)f->end.layouts;
    w.bytes = f->sent;
    hf_writer_finish(&w, f->end.status, f->reason);
}

static enum hf_status
flow(Flow *f)
{
    static const struct hf_handlers handlers = {.end = take_end};
    struct hf_file_header header;
    enum hf_status status = hf_read_header(f->reader, &header);

    if (status != HF_OK)
        return status;
    sink(f, &header, sizeof header);
    write_meta(f);
    while (!f->output_failed) {
        struct hf_chunk_header chunk;
        const uint8_t *payload;
        status = hf_read_chunk(f->reader, &chunk, &payload);
        if (status != HF_OK)
            return status;
        if (chunk.kind == HF_CHUNK_END) {
            status = hf_decode_chunk(f->reader, &chunk, payload, &handlers, f);
            if (status != HF_OK)
                return status;
            write_end(f);
            continue; /* to the end of the stream */
        }
        if (chunk.kind == HF_CHUNK_OBJECTS)
            f->objects += chunk.rows;
        sink(f, &chunk, sizeof chunk);
        sink(f, payload, (size_t)chunk.length);
        inj_progress_update(&f->progress, f->objects, f->sent);
    }
    return HF_OK;
}

gboolean
inj_stream_run(const InjStream *s, InjStreamTotals *totals, GError **error)
{
    Flow f = {.s = s};
    gboolean ok = FALSE;

    inj_progress_init(&f.progress, s->run->options->quiet, s->run->target->rss);
    f.reader = hf_reader_new(source, &f);
    enum hf_status status = f.reader != NULL ? flow(&f) : HF_NOMEM;
    inj_progress_clear(&f.progress);
    if (f.error != NULL)
        g_propagate_error(error, g_steal_pointer(&f.error));
    else if (f.output_failed)
        inj_output_error(s->output, error);
    else if (status == HF_EOF)
        ok = TRUE;
    else
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "the walker's data ended early (%s)",
                    f.reader != NULL ? hf_reader_error(f.reader) : "no memory");
    *totals = (InjStreamTotals){.bytes = f.sent};
    if (ok) {
        *totals = (InjStreamTotals){.objects = f.end.objects,
                                    .refs = f.end.refs,
                                    .types = f.end.types,
                                    .bytes = f.sent,
                                    .status = f.end.status,
                                    .reason = g_steal_pointer(&f.reason)};
    }
    g_free(f.reason);
    hf_reader_free(f.reader);
    return ok;
}
