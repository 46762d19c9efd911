// SPDX-License-Identifier: MIT
/*
 * The life of our thread in the target, as the driver sees it. Whatever fails here, and if the driver dies at any point: the stub and the
 * thread clean up behind themselves; what remains are zeroes to be written over the stub (the guard does it too) and the stage's files.
 */
#include "entry-private.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "../selinux.h"
#include "entry-script.h"
#include "entry-sleep.h"
#include "ep-stub-layout.h"

#define MAX_SLEEPERS 6
#define BUSY_AFTER_US                                                                                                  \
    (100 * G_TIME_SPAN_MILLISECOND) /* how long we look for a thread that sleeps before we enter a busy one */
/*
 * A thread that has moved on is tried again: GDB is warm then, and comes closer to what was seen. What is nearly always where it cannot be entered, in a C
 * library with the GIL kept, wants many tries, and GDB's start takes far longer than one.
 */
#define ROUNDS_FIRST 6
#define TRIES_LATER  60
#define POLL_US      (3 * G_TIME_SPAN_MILLISECOND)
#define FINISH_US    (3 * G_TIME_SPAN_SECOND)
#define RESULT_LIMIT 4096
#define CALL_OFF_US  (300 * G_TIME_SPAN_MILLISECOND)
#define OUR_THREAD   "heapdump-gdb\n"

/* TRUE: slept; FALSE: interrupted, with error. */
static gboolean
nap(GError **error)
{
    g_autoptr(GError) local = NULL;

    if (inj_wait_readable(-1, g_get_monotonic_time() + POLL_US, &local))
        return TRUE;
    if (g_error_matches(local, INJ_ERROR, INJ_ERROR_TIMEOUT))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static gboolean
resolve(InjTarget *t, guint needs, guint64 symbols[EP_SYM_COUNT], GError **error)
{
    static const struct {
        const char *name;
        guint needed;
    } names[] = {
#define NAME(id, name, needed) {#name, needed},
        EP_SYMBOLS(NAME)
#undef NAME
    };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        symbols[i] = 0;
        if (!inj_target_symbol(t, names[i].name, &symbols[i]) && (names[i].needed & needs)) {
            g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                        "process %d has no function %s that we can find; this build of Python cannot be entered",
                        t->pid, names[i].name);
            return FALSE;
        }
    }
    return TRUE;
}

InjEntry *
inj_entry_prepare(InjRun *run, InjEntryJob *job, guint needs, gboolean dry, GError **error)
{
    static const char *const files[] = {INJ_ENTRY_IMAGE,   INJ_ENTRY_OUTPUT, INJ_ENTRY_TRACEBACK,
                                        INJ_ENTRY_PRINTED, INJ_ENTRY_RESULT, INJ_ENTRY_RESULT_TEMP};
    InjEntry *entry = g_new0(InjEntry, 1);
    guint64 symbols[EP_SYM_COUNT];
    g_autofree char *image_path = NULL;
    g_autofree char *stage = NULL;
    guint64 base;

    entry->run = run;
    image_path = inj_stage_path(run->stage, INJ_ENTRY_IMAGE);
    stage = g_path_get_dirname(image_path);
    if (!dry && !inj_stage_create(run->stage, run->guard, error))
        goto fail;
    if (!dry) {
        /* The random name is settled only now. */
        g_free(image_path);
        g_free(stage);
        image_path = inj_stage_path(run->stage, INJ_ENTRY_IMAGE);
        stage = g_path_get_dirname(image_path);
    }
    if (!resolve(run->target, needs, symbols, error) || !inj_target_reload_maps(run->target, error))
        goto fail;
    job->symbols = symbols;
    job->stage = stage;
    base = inj_entry_place(run->target->maps, inj_entry_image_size(job), g_random_int());
    if (!base) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "process %d has no room in its address space",
                    run->target->pid);
        goto fail;
    }
    if (!inj_entry_image_make(job, base, &entry->image, error))
        goto fail;
    entry->stub = inj_entry_stub_make(&entry->image, image_path);
    if (!inj_cave_find(run->target, g_bytes_get_size(entry->stub), &entry->cave, error))
        goto fail;
    if (dry)
        return entry;
    for (guint i = 0; i < G_N_ELEMENTS(files); i++)
        inj_stage_remove(run->stage, files[i]); /* of an earlier entry of this run */
    if (!inj_stage_put(run->stage, INJ_ENTRY_IMAGE, g_bytes_get_data(entry->image.bytes, NULL),
                       g_bytes_get_size(entry->image.bytes), error))
        goto fail;
    return entry;

fail:
    inj_entry_finish(entry);
    return NULL;
}

static gboolean
write_stub(InjEntry *entry, GError **error)
{
    InjTarget *t = entry->run->target;
    gsize n;
    const void *bytes = g_bytes_get_data(entry->stub, &n);

    entry->cave.size = n;
    entry->written = TRUE;
    inj_guard_set_cave(entry->run->guard, &entry->cave);
    if (inj_target_write(t, entry->cave.addr, bytes, n))
        return TRUE;
    g_set_error(error, INJ_ERROR, INJ_ERROR_PERMISSION,
                "memory of process %d cannot be written; run as its user or as root", t->pid);
    return FALSE;
}

char *
inj_entry_current_script(InjEntry *entry, gboolean busy)
{
    InjTarget *t = entry->run->target;
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(InjSleeper));
    InjEntryScript s = {.pid = t->pid, .cave = entry->cave.addr, .region = entry->image.base, .sleepers = found};
    const InjMapping *code;
    guint64 addr;

    inj_sleep_find(t, INJ_SLEEP_KNOWN, MAX_SLEEPERS, found);
    if (busy)
        inj_sleep_find(t, INJ_SLEEP_RUNNING, MAX_SLEEPERS, found);
    if (!found->len)
        return NULL;
    s.rounds = entry->sessions == 0 ? ROUNDS_FIRST : MAX(ROUNDS_FIRST, TRIES_LATER / found->len);
    s.params = inj_entry_stub_params(entry->cave.addr);
    if (busy && inj_target_symbol(t, "PyGILState_Ensure", &addr) && (code = inj_maps_find(t->maps, addr))) {
        s.code_start = code->start;
        s.code_end = code->end;
    }
    return inj_entry_script_make(&s);
}

/* A thread is in the stub, or has been taken out of it by a signal handler that returns to it. */
static gboolean
is_inside(const InjEntry *entry)
{
    guint64 word;

    return entry->mark_at && inj_target_read(entry->run->target, entry->mark_at, &word, sizeof word) &&
           word == entry->image.base;
}

/* FALSE: no region of ours is there (any more). */
static gboolean
read_live(InjEntry *entry, struct ep_args *live)
{
    return inj_target_read(entry->run->target, entry->image.args, live, sizeof *live) && live->magic == EP_MAGIC &&
           live->base == entry->image.base;
}

/* Without GDB's word: something of the entry is to be seen, or soon will be. */
static gboolean
has_begun(InjEntry *entry)
{
    gint64 until = g_get_monotonic_time() + CALL_OFF_US;
    struct ep_args live;

    do {
        g_autoptr(GBytes) result = inj_stage_get(entry->run->stage, INJ_ENTRY_RESULT, RESULT_LIMIT, NULL);

        if (result || is_inside(entry) || read_live(entry, &live))
            return TRUE;
        g_usleep(POLL_US);
    } while (g_get_monotonic_time() < until);
    return FALSE;
}

typedef enum { ENTER_AGAIN, ENTER_DONE, ENTER_FAILED } EnterOutcome;

static EnterOutcome
enter_once(InjEntry *entry, const char *script, gint64 timeout_us, GError **error)
{
    InjRun *run = entry->run;
    InjSession session = {
        .gdb = run->options->gdb,
        .timeout_us = timeout_us,
        .target = run->target,
        .guard = run->guard,
        .verbose = run->options->verbose,
    };
    InjSessionResult result = {0};
    EnterOutcome outcome = ENTER_AGAIN;
    gint64 tid = 0, sp, moved;

    entry->sessions++;
    if (!inj_session_run(&session, script, &result, error)) {
        outcome = ENTER_FAILED;
    } else if (inj_session_value(result.output, "moved", 0, &moved)) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "process %d started another program meanwhile",
                    run->target->pid);
        outcome = ENTER_FAILED;
    } else if (inj_session_value(result.output, "entered", 0, &tid) && tid) {
        outcome = ENTER_DONE;
        inj_session_command_time(result.output, &run->pause_us);
    } else if (!strstr(result.output, "HD entered 0")) {
        inj_session_explain(run->target, result.output, error);
        outcome = ENTER_FAILED;
    }
    /* A GDB that did not end well may have died between its one register and its report. */
    if (outcome != ENTER_AGAIN) {
        entry->entered = TRUE;
        entry->watch = inj_cave_watch_new(run->target);
    }
    if (inj_session_value(result.output, "at", 1, &sp)) {
        entry->mark_at = (guint64)sp - EP_MARK;
        inj_guard_set_mark(run->guard, entry->mark_at, entry->image.base);
    }
    if (outcome == ENTER_FAILED && entry->mark_at && !inj_interrupted() && has_begun(entry)) {
        inj_debug(run->options, "GDB did not end well, but a thread went in");
        g_clear_error(error);
        outcome = ENTER_DONE;
    }
    if (outcome == ENTER_DONE)
        inj_guard_set_entered(run->guard);
    if (outcome == ENTER_DONE)
        inj_debug(run->options, "entered through thread %d", (int)tid);
    inj_session_result_clear(&result);
    return outcome;
}

static gboolean
never_fit(const InjEntry *entry, GError **error)
{
    g_clear_error(error);
    g_set_error(error, INJ_ERROR, INJ_ERROR_TIMEOUT,
                "no thread of process %d came to a place where it can be entered, though GDB looked %u times; a longer "
                "--timeout may help",
                entry->run->target->pid, entry->sessions);
    return FALSE;
}

gboolean
inj_entry_start(InjEntry *entry, gint64 deadline_us, GError **error)
{
    InjRun *run = entry->run;
    gint64 begin = g_get_monotonic_time(), longest = 0;
    gboolean busy = FALSE;

    if (!write_stub(entry, error))
        return FALSE;
    for (;;) {
        gint64 now = g_get_monotonic_time();
        g_autofree char *script = inj_entry_current_script(entry, busy);

        if (!inj_target_alive(run->target)) {
            g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "process %d ended", run->target->pid);
            return FALSE;
        }
        /* A GDB that cannot be through in time would only be killed. */
        if (now + longest >= deadline_us)
            return never_fit(entry, error);
        switch (script ? enter_once(entry, script, deadline_us - now, error) : ENTER_AGAIN) {
        case ENTER_DONE:
            return TRUE;
        case ENTER_FAILED:
            return entry->sessions > 1 && g_error_matches(*error, INJ_ERROR, INJ_ERROR_TIMEOUT) && !inj_interrupted()
                       ? never_fit(entry, error)
                       : FALSE;
        case ENTER_AGAIN:
            break;
        }
        longest = MAX(longest, g_get_monotonic_time() - now);
        /* Threads that sleep come first; when they do not stay asleep until GDB is there, anyone will do. */
        busy = script || now - begin > BUSY_AFTER_US;
        if (!nap(error))
            return FALSE;
    }
}

static gboolean
member(const char *json, const char *name, guint64 *value)
{
    g_autofree char *key = g_strdup_printf("\"%s\":", name);
    const char *at = strstr(json, key);

    if (!at || !g_ascii_isdigit(at[strlen(key)]))
        return FALSE;
    *value = g_ascii_strtoull(at + strlen(key), NULL, 10);
    return TRUE;
}

gboolean
inj_entry_result_parse(const char *json, InjEntryResult *result)
{
    InjEntryResult r;

    if (!member(json, "status", &r.status) || !member(json, "errno", &r.error) ||
        !member(json, "gil_wait_us", &r.gil_wait_us) || !member(json, "collect_us", &r.collect_us) ||
        !member(json, "run_us", &r.run_us))
        return FALSE;
    *result = r;
    return TRUE;
}

/* TRUE: the file is there; result is filled, or error says why it cannot be. */
static gboolean
fetch_result(InjEntry *entry, InjEntryResult *result, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(GBytes) bytes = inj_stage_get(entry->run->stage, INJ_ENTRY_RESULT, RESULT_LIMIT, &local);
    g_autofree char *text = NULL;

    if (local) {
        g_propagate_error(error, g_steal_pointer(&local));
        return TRUE;
    }
    if (!bytes)
        return FALSE;
    text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    if (!inj_entry_result_parse(text, result))
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "the target wrote a result that cannot be read");
    return TRUE;
}

/* The thread has not begun to work: tell it not to. TRUE: it is gone. */
static gboolean
call_off(InjEntry *entry)
{
    const guint32 yes = 1;
    gint64 until = g_get_monotonic_time() + CALL_OFF_US;
    struct ep_args live;

    while (read_live(entry, &live)) {
        if (!live.cancel && live.state <= EP_STATE_GIL)
            inj_target_write(entry->run->target, entry->image.args + G_STRUCT_OFFSET(struct ep_args, cancel), &yes,
                             sizeof yes);
        if (g_get_monotonic_time() > until)
            return FALSE;
        g_usleep(POLL_US);
    }
    return TRUE;
}

static void
say_timeout(InjEntry *entry, GError **error)
{
    struct ep_args live;
    pid_t pid = entry->run->target->pid;

    if (!read_live(entry, &live))
        g_set_error(error, INJ_ERROR, INJ_ERROR_TIMEOUT, "process %d gave no result in time", pid);
    else if (live.state <= EP_STATE_GIL)
        g_set_error(
            error, INJ_ERROR, INJ_ERROR_TIMEOUT,
            "process %d did not let go of the GIL in time; our thread in it was told to end without doing anything",
            pid);
    else
        g_set_error(error, INJ_ERROR, INJ_ERROR_TIMEOUT,
                    "the payload still runs in process %d; it cannot be stopped from outside, ends by itself, and its "
                    "output is dropped",
                    pid);
}

/* The thread that went in has come out again, and neither a region nor a result of ours is there. */
static gboolean
came_to_nothing(InjEntry *entry)
{
    g_autoptr(GBytes) result = NULL;
    struct ep_args live;

    if (read_live(entry, &live) || is_inside(entry) ||
        !inj_cave_watch_left(entry->watch, entry->run->target, &entry->cave) || read_live(entry, &live))
        return FALSE;
    result = inj_stage_get(entry->run->stage, INJ_ENTRY_RESULT, RESULT_LIMIT, NULL);
    return result == NULL;
}

gboolean
inj_entry_is_over(InjEntry *entry)
{
    g_autoptr(GBytes) result = inj_stage_get(entry->run->stage, INJ_ENTRY_RESULT, RESULT_LIMIT, NULL);

    return result != NULL || came_to_nothing(entry);
}

gboolean
inj_entry_wait(InjEntry *entry, gint64 deadline_us, InjEntryResult *result, GError **error)
{
    for (;;) {
        g_autoptr(GError) local = NULL;

        if (fetch_result(entry, result, &local)) {
            if (!local)
                return TRUE;
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
        if (!inj_target_alive(entry->run->target)) {
            g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "process %d ended meanwhile", entry->run->target->pid);
            return FALSE;
        }
        if (came_to_nothing(entry)) {
            g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                        "process %d could not map our code: a limit on its address space, no file descriptor left, a "
                        "policy against executable memory, or a folder that it cannot read; try --stage-dir",
                        entry->run->target->pid);
            inj_selinux_explain(entry->run->target->pid, "execmem", error);
            return FALSE;
        }
        if (g_get_monotonic_time() >= deadline_us) {
            call_off(entry);
            say_timeout(entry, error);
            return FALSE;
        }
        if (!nap(error)) {
            call_off(entry);
            return FALSE;
        }
    }
}

static gboolean
our_thread_lives(InjTarget *t)
{
    g_autoptr(GArray) threads = inj_target_threads(t);

    for (guint i = 0; i < threads->len; i++) {
        g_autofree char *path = g_strdup_printf("task/%d/comm", g_array_index(threads, pid_t, i));
        char name[sizeof OUR_THREAD] = "";
        int fd = openat(t->proc_fd, path, O_RDONLY | O_CLOEXEC);
        gssize n = fd < 0 ? 0 : read(fd, name, sizeof name - 1);

        if (fd >= 0)
            close(fd);
        if (n == (gssize)strlen(OUR_THREAD) && memcmp(name, OUR_THREAD, (gsize)n) == 0)
            return TRUE;
    }
    return FALSE;
}

void
inj_entry_finish(InjEntry *entry)
{
    gint64 until = g_get_monotonic_time() + FINISH_US;
    InjRun *run = entry->run;
    struct ep_args live;

    if (entry->entered) {
        while (read_live(entry, &live) && (live.state != EP_STATE_RUNNING || live.inside) &&
               g_get_monotonic_time() < until)
            g_usleep(POLL_US);
        while (!read_live(entry, &live) && our_thread_lives(run->target) && g_get_monotonic_time() < until)
            g_usleep(POLL_US);
    }
    if (entry->written) {
        g_autoptr(GError) stays = NULL;

        if (!inj_guard_clean_target(run->guard, &stays))
            inj_note(run->options, "heapdump-gdb: %s", stays->message);
    }
    g_clear_pointer(&entry->watch, inj_cave_watch_free);
    g_clear_pointer(&entry->stub, g_bytes_unref);
    inj_entry_image_clear(&entry->image);
    g_free(entry);
}
