// SPDX-License-Identifier: MIT
/*
 * What is done in the live target, one function an option: the payload, the collection, the walk without a fork.
 */
#include "entry-private.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "../selinux.h"
#include "entry-bytes.h"

#define COPY_SIZE  (256u << 10)
#define TEXT_LIMIT ((gsize)1 << 20)
/* Of the walk, measured: a GB of heap holds ten million objects, which take about a second. */
#define WALK_US_PER_MB 1100

static gint64
deadline_of(const InjRun *run)
{
    return g_get_monotonic_time() + (gint64)(run->options->timeout * G_USEC_PER_SEC);
}

static gboolean
check_status(const InjRun *run, const InjEntryResult *result, GError **error)
{
    pid_t pid = run->target->pid;

    switch ((enum ep_status)result->status) {
    case EP_OK:
        return TRUE;
    case EP_ERR_XSAVE:
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "this processor's vector registers cannot be saved; nothing was done");
        return FALSE;
    case EP_ERR_THREAD:
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "process %d cannot start a thread: %s", pid,
                    g_strerror((int)result->error));
        if (result->error == EACCES)
            inj_selinux_explain(pid, "fork", error);
        return FALSE;
    case EP_ERR_NOT_INITIALIZED:
        g_set_error(error, INJ_ERROR, INJ_ERROR_NOT_PYTHON, "no Python interpreter runs in process %d at the moment",
                    pid);
        return FALSE;
    case EP_ERR_CANCELLED:
        g_set_error(error, INJ_ERROR, INJ_ERROR_TIMEOUT,
                    "process %d did not let go of the GIL in time; nothing was done", pid);
        return FALSE;
    case EP_ERR_MEMORY:
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "process %d is out of memory", pid);
        return FALSE;
    case EP_ERR_PYTHON:
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "Python text of ours failed in process %d", pid);
        return FALSE;
    case EP_ERR_EXCEPTION:
    case EP_STATUS_COUNT:
        break;
    }
    g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "the payload failed in process %d", pid);
    return FALSE;
}

/* Text from the target, made harmless for a terminal; NULL: none. */
static char *
read_text(InjRun *run, const char *name)
{
    g_autoptr(GBytes) bytes = inj_stage_get(run->stage, name, TEXT_LIMIT, NULL);
    g_autofree char *valid = NULL;
    GString *text;

    if (!bytes)
        return NULL;
    valid = g_utf8_make_valid(g_bytes_get_data(bytes, NULL), (gssize)g_bytes_get_size(bytes));
    text = g_string_new(NULL);
    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        if (c == '\n' || c == '\t' || g_unichar_isprint(c))
            g_string_append_unichar(text, c);
        else
            g_string_append_printf(text, "\\x%02x", c);
    }
    return g_string_free(text, FALSE);
}

/* The payload's exception: the traceback goes to stderr, its last line into the error. */
static void
report_exception(InjRun *run, GError **error)
{
    g_autofree char *traceback = read_text(run, INJ_ENTRY_TRACEBACK);
    const char *last;

    if (!traceback || !*traceback) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "the payload failed in process %d", run->target->pid);
        return;
    }
    fputs(traceback, stderr);
    g_strchomp(traceback);
    last = strrchr(traceback, '\n');
    g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "the payload raised %s", last ? last + 1 : traceback);
}

static gboolean
copy(int fd, InjOutput *output, GError **error)
{
    g_autofree char *buffer = g_malloc(COPY_SIZE);
    gssize n;

    while ((n = TEMP_FAILURE_RETRY(read(fd, buffer, COPY_SIZE))) > 0)
        if (!inj_output_write(output, buffer, (gsize)n)) {
            inj_output_error(output, error);
            return FALSE;
        }
    if (n == 0)
        return TRUE;
    g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "the payload's output cannot be read: %s", g_strerror(errno));
    return FALSE;
}

static gboolean
deliver(InjRun *run, InjOutput *output, GError **error)
{
    g_autoptr(GError) local = NULL;
    int fd = inj_stage_open(run->stage, INJ_ENTRY_OUTPUT, &local);
    gboolean ok;

    if (local) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (fd < 0)
        inj_note(run->options, "the payload wrote nothing to its output path");
    ok = inj_output_open(output, run->guard, error) && (fd < 0 || copy(fd, output, error)) &&
         inj_output_commit(output, error);
    if (fd >= 0)
        close(fd);
    return ok;
}

static gboolean
run_job(InjRun *run, InjEntryJob *job, guint needs, InjEntryResult *result, GError **error)
{
    gint64 deadline = deadline_of(run);
    InjEntry *entry = inj_entry_prepare(run, job, needs, FALSE, error);
    gboolean ok;

    if (!entry)
        return FALSE;
    ok = inj_entry_start(entry, deadline, error) && inj_entry_wait(entry, deadline, result, error);
    inj_entry_finish(entry);
    return ok;
}

static GBytes *
own_text(const guint8 *bytes, gsize n)
{
    return g_bytes_new_static(bytes, n);
}

/* Owns what a job borrows. */
typedef struct {
    GBytes *collect, *runner, *payload;
    char *name;
} Texts;

static void
texts_clear(Texts *t)
{
    g_clear_pointer(&t->collect, g_bytes_unref);
    g_clear_pointer(&t->runner, g_bytes_unref);
    g_clear_pointer(&t->payload, g_bytes_unref);
    g_clear_pointer(&t->name, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Texts, texts_clear)

static InjEntryJob
collect_job(Texts *t)
{
    t->collect = own_text(ep_run_collect, ep_run_collect_size);
    return (InjEntryJob){.collect = t->collect};
}

static gboolean
payload_job(const InjOptions *options, Texts *t, InjEntryJob *job, GError **error)
{
    InjEntryJob none = {0};

    if (strcmp(options->payload, "tasks") == 0) {
        t->payload = own_text(ep_payload_tasks, ep_payload_tasks_size);
        t->name = g_strdup("<tasks>");
    } else {
        g_autoptr(GError) local = NULL;
        char *text;
        gsize n;

        if (!g_file_get_contents(options->payload, &text, &n, &local)) {
            g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "payload: %s", local->message);
            return FALSE;
        }
        t->payload = g_bytes_new_take(text, n);
        t->name = g_canonicalize_filename(options->payload, NULL);
    }
    t->runner = own_text(ep_run_payload, ep_run_payload_size);
    *job = options->gc ? collect_job(t) : none;
    job->runner = t->runner;
    job->payload = t->payload;
    job->payload_name = t->name;
    return TRUE;
}

gboolean
inj_entry_payload(InjRun *run, InjOutput *output, GError **error)
{
    g_auto(Texts) texts = {0};
    g_autofree char *printed = NULL;
    InjEntryResult result;
    InjEntryJob job;

    if (!payload_job(run->options, &texts, &job, error))
        return FALSE;
    if (!run_job(run, &job, EP_NEED_ALWAYS | EP_NEED_SCRIPT, &result, error))
        return FALSE;
    run->gil_us = (gint64)(result.collect_us + result.run_us);
    printed = read_text(run, INJ_ENTRY_PRINTED);
    if (printed)
        fputs(printed, stderr);
    if (result.status == EP_ERR_EXCEPTION) {
        report_exception(run, error);
        return FALSE;
    }
    if (!check_status(run, &result, error))
        return FALSE;
    inj_debug(run->options, "the payload waited %.1f ms for the GIL and ran for %.1f ms",
              (double)result.gil_wait_us / 1000, (double)result.run_us / 1000);
    return deliver(run, output, error);
}

gboolean
inj_entry_collect(InjRun *run, GError **error)
{
    g_auto(Texts) texts = {0};
    InjEntryJob job = collect_job(&texts);
    InjEntryResult result;

    if (!run_job(run, &job, EP_NEED_ALWAYS | EP_NEED_SCRIPT, &result, error) || !check_status(run, &result, error))
        return FALSE;
    run->gil_us = (gint64)result.collect_us;
    return TRUE;
}

gint64
inj_entry_estimate_us(const InjTarget *target)
{
    return (gint64)(target->rss >> 20) * WALK_US_PER_MB;
}

gboolean
inj_entry_inline_start(InjRun *run, const struct wk_args *args, GBytes *blob, GError **error)
{
    InjEntryJob job = {.walker = blob, .walker_args = args};

    g_assert(!run->entry);
    inj_note(run->options, "the target will stand still for about %.1f s, while its heap is walked in place",
             (double)inj_entry_estimate_us(run->target) / G_USEC_PER_SEC);
    run->entry = inj_entry_prepare(run, &job, EP_NEED_ALWAYS, FALSE, error);
    if (!run->entry)
        return FALSE;
    if (inj_entry_start(run->entry, deadline_of(run), error))
        return TRUE;
    inj_entry_finish(g_steal_pointer(&run->entry));
    return FALSE;
}

gboolean
inj_entry_inline_is_over(InjRun *run)
{
    return inj_entry_is_over(run->entry);
}

gboolean
inj_entry_inline_end(InjRun *run, gint64 timeout_us, GError **error)
{
    InjEntryResult result;
    gboolean ok;

    g_assert(run->entry);
    ok = inj_entry_wait(run->entry, g_get_monotonic_time() + timeout_us, &result, error) &&
         check_status(run, &result, error);
    inj_entry_finish(g_steal_pointer(&run->entry));
    if (ok)
        run->gil_us = (gint64)result.run_us;
    return ok;
}

char *
inj_entry_script(InjRun *run, GError **error)
{
    g_auto(Texts) texts = {0};
    InjEntryJob job = {0};
    InjEntry *entry;
    g_autofree char *script = NULL;

    if (run->options->payload && !payload_job(run->options, &texts, &job, error))
        return NULL;
    entry = inj_entry_prepare(run, &job, EP_NEED_ALWAYS | EP_NEED_SCRIPT, TRUE, error);
    if (!entry)
        return NULL;
    script = inj_entry_current_script(entry, FALSE);
    if (!script)
        script = inj_entry_current_script(entry, TRUE);
    if (!script)
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "no thread of process %d can be entered at this moment",
                    run->target->pid);
    inj_entry_finish(entry);
    return script ? inj_session_describe(run->options->gdb, script) : NULL;
}
