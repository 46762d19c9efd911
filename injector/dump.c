// SPDX-License-Identifier: MIT
#include "dump.h"
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "confine.h"
#include "entry/entry.h"
#include "ghost.h"
#include "memory.h"
#include "result.h"
#include "walk.h"
#include "wk-blob.h"

enum {
    TRIES = 8,
    TRIES_COLLECTING = 3, /* whoever collects garbage for so long may do so for minutes, or all the time */
    RESULT_MAX = 1 << 20,
    INLINE_MAX_US = 2 * G_USEC_PER_SEC,
    END_US = 10 * G_USEC_PER_SEC,
    GIVE_UP_US = 3 * G_USEC_PER_SEC
};

GBytes *
inj_dump_blob(const InjTarget *t)
{
    return t->python.free_threaded ? g_bytes_new_static(wk_blob_free_threaded, wk_blob_free_threaded_size)
                                   : g_bytes_new_static(wk_blob, wk_blob_size);
}

/* The result file; what is known without it when it is not there. */
static gboolean
check_result(InjRun *run, GError **error)
{
    g_autoptr(GBytes) bytes = inj_stage_get(run->stage, INJ_WALK_RESULT, RESULT_MAX, NULL);
    struct wk_result r;
    gsize n;

    if (bytes == NULL)
        return TRUE;
    const char *text = g_bytes_get_data(bytes, &n);
    if (!inj_result_parse(text, n, &r))
        return TRUE;
    inj_debug(run->options, "walker: status %u, %" G_GUINT64_FORMAT " objects in %.1f ms", r.status, r.objects,
              (double)r.wall_us / 1000);
    return inj_result_check(&r, error);
}

/* Data, then result: the result knows better why there is no data; and data that is whole counts. */
static gboolean
receive(InjRun *run, const InjStream *s, InjStreamTotals *totals, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (inj_stream_run(s, totals, &local))
        return TRUE;
    if (local->code == INJ_ERROR_FAILED && inj_output_can_retry(s->output) && s->writer >= 0)
        inj_wait_readable(s->writer, g_get_monotonic_time() + G_USEC_PER_SEC, NULL);
    if (local->code == INJ_ERROR_FAILED && !check_result(run, error))
        return FALSE;
    if (local->code == INJ_ERROR_FAILED && run->entry != NULL && !inj_target_alive(run->target)) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED, "process %d ended meanwhile", (int)run->target->pid);
        return FALSE;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static gboolean
by_ghost(InjRun *run, InjOutput *output, GBytes *blob, InjStreamTotals *totals, GError **error)
{
    struct wk_args args;
    InjGhost ghost;
    gboolean ok;
    int fifo;

    inj_stage_remove(run->stage, INJ_WALK_RESULT);
    if (!inj_walk_args(run, WK_MODE_GHOST, &args, error))
        return FALSE;
    fifo = inj_stage_fifo(run->stage, INJ_WALK_DATA, error);
    if (fifo < 0)
        return FALSE;
    if (!inj_ghost_fork(run, g_bytes_get_size(blob), &ghost, error)) {
        close(fifo);
        return FALSE;
    }
    ok = inj_ghost_start(run, &ghost, &args, blob, error);
    if (ok) {
        const InjStream s = {.run = run,
                             .output = output,
                             .fifo = fifo,
                             .writer = ghost.pidfd,
                             .time_us = ghost.time_us,
                             .mode = "fork"};
        ok = receive(run, &s, totals, error);
    }
    /* It ends by itself after the result; what does not is killed. */
    if (ok && ghost.pidfd >= 0)
        inj_wait_readable(ghost.pidfd, g_get_monotonic_time() + END_US, NULL);
    if (ok)
        ok = check_result(run, error);
    else
        inj_guard_memory_lasted(run->guard, error);
    close(fifo);
    g_autoptr(GError) stays = NULL;
    if (!inj_guard_clean_target(run->guard, &stays))
        inj_note(run->options, "heapdump-gdb: %s", stays->message);
    inj_ghost_clear(&ghost);
    return ok;
}

static gboolean
by_inline(InjRun *run, InjOutput *output, GBytes *blob, InjStreamTotals *totals, GError **error)
{
    struct wk_args args;
    gboolean ok, ended;
    int fifo, pidfd;
    gint64 collect_us = run->gil_us;

    inj_stage_remove(run->stage, INJ_WALK_RESULT);
    if (!inj_walk_args(run, WK_MODE_INLINE, &args, error))
        return FALSE;
    fifo = inj_stage_fifo(run->stage, INJ_WALK_DATA, error);
    if (fifo < 0)
        return FALSE;
    pidfd = (int)syscall(SYS_pidfd_open, run->target->pid, 0);
    ok = inj_entry_inline_start(run, &args, blob, error);
    if (ok) {
        g_autoptr(GError) local = NULL;
        const InjStream s = {.run = run,
                             .output = output,
                             .fifo = fifo,
                             .writer = pidfd,
                             .is_over = inj_entry_inline_is_over,
                             .time_us = g_get_real_time(),
                             .mode = "inline"};
        ok = receive(run, &s, totals, error);
        close(fifo); /* a walker that still writes ends now */
        fifo = -1;
        ended = inj_entry_inline_end(run, ok ? (gint64)(run->options->timeout * G_USEC_PER_SEC) : GIVE_UP_US, &local);
        run->inline_us = MAX(run->gil_us, 1);
        run->gil_us += collect_us;
        /* Why there is no data at all, the thread knows better than its reader. */
        if (!ended && (ok || (totals->bytes == 0 && !inj_interrupted()))) {
            g_clear_error(error);
            g_propagate_error(error, g_steal_pointer(&local));
            ok = FALSE;
        }
    }
    if (ok)
        ok = check_result(run, error);
    if (fifo >= 0)
        close(fifo);
    if (pidfd >= 0)
        close(pidfd);
    return ok;
}

/* Fork refused: inline is the way if that does not take long. */
static gboolean
inline_instead(InjRun *run, GError **local, GError **error)
{
    gint64 us = inj_entry_estimate_us(run->target);

    if (run->options->mode != INJ_MODE_AUTO || us > INLINE_MAX_US) {
        g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                    "%s; --mode inline needs no copy and would stop it for about %.1f s", (*local)->message,
                    (double)us / G_USEC_PER_SEC);
        g_clear_error(local);
        return FALSE;
    }
    inj_note(run->options, "%s: dumping it inline, it will stand still for about %.2f s", (*local)->message,
             (double)us / G_USEC_PER_SEC);
    g_clear_error(local);
    return TRUE;
}

/* FALSE: interrupted. */
static gboolean
pause_between(guint tries, GError **error)
{
    gint64 us = g_random_int_range(1000, (gint32)(5000 << MIN(tries, 8u)));
    g_autoptr(GError) local = NULL;

    inj_wait_readable(-1, g_get_monotonic_time() + us, &local);
    if (local->code == INJ_ERROR_TIMEOUT)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

gboolean
inj_dump(InjRun *run, InjOutput *output, InjStreamTotals *totals, GError **error)
{
    g_autoptr(GBytes) blob = inj_dump_blob(run->target);
    gboolean in_place = run->options->mode == INJ_MODE_INLINE;

    if (!inj_stage_create(run->stage, run->guard, error))
        return FALSE;
    for (guint i = 1;; i++) {
        g_autoptr(GError) local = NULL;
        if (!inj_output_open(output, run->guard, error))
            return FALSE;
        if (in_place ? by_inline(run, output, blob, totals, &local) : by_ghost(run, output, blob, totals, &local))
            return inj_output_commit(output, error);
        if (g_error_matches(local, INJ_ERROR, INJ_ERROR_FORK_REFUSED)) {
            if (!inline_instead(run, &local, error) || !inj_confine_check(run->target, INJ_CONFINE_LIVE, error) ||
                !inj_memory_check(run->target, TRUE, error))
                return FALSE;
            in_place = TRUE;
            continue;
        }
        if (!g_error_matches(local, INJ_ERROR, INJ_ERROR_INCONSISTENT)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
        run->collecting = i >= TRIES_COLLECTING;
        /* What it was in the middle of may take a while: a collection. */
        if (!pause_between(i, error))
            return FALSE;
        if (i == TRIES || !inj_output_can_retry(output)) {
            g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                        "%s, %u times in a row: try again when it is less busy, or with --mode inline", local->message,
                        i);
            return FALSE;
        }
        inj_debug(run->options, "%s: another try", local->message);
    }
}
