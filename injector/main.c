// SPDX-License-Identifier: MIT
/* heapdump-gdb: dumps the object heap of a running Python. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "confine.h"
#include "dump.h"
#include "entry/entry.h"
#include "ghost.h"
#include "hint.h"
#include "memory.h"
#include "progress.h"
#include "python.h"
#include "run.h"

enum { LOCK_POLL_US = 100000, START_POLL_US = 20000 };

/*
 * One dump of a process at a time. The lock is a name in the kernel that goes when we go; it names the process, not its number alone. *lock is the fd
 * that holds it, -1: without sockets there is none, and a second GDB is refused by the kernel anyway.
 */
static gboolean
lock_target(const InjOptions *o, const InjTarget *t, int *lock, GError **error)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    gint64 end = g_get_monotonic_time() + (gint64)(o->timeout * G_USEC_PER_SEC);
    int n = g_snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "heapdump-gdb/%d/%" G_GUINT64_FORMAT, (int)t->pid,
                       t->start_time);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    gboolean said = FALSE;

    while (fd >= 0 && bind(fd, (struct sockaddr *)&name,
                           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (gsize)n)) != 0) {
        if (errno != EADDRINUSE)
            break;
        if (!said)
            inj_note(o, "process %d is being dumped by another heapdump-gdb: waiting for that to end", (int)t->pid);
        said = TRUE;
        g_autoptr(GError) local = NULL;
        if (!inj_wait_readable(-1, MIN(end, g_get_monotonic_time() + LOCK_POLL_US), &local) &&
            (local->code != INJ_ERROR_TIMEOUT || g_get_monotonic_time() >= end)) {
            if (local->code == INJ_ERROR_TIMEOUT)
                g_set_error(error, INJ_ERROR, INJ_ERROR_TIMEOUT,
                            "process %d is still being dumped by another heapdump-gdb after %g s", (int)t->pid,
                            o->timeout);
            else
                g_propagate_error(error, g_steal_pointer(&local));
            close(fd);
            return FALSE;
        }
    }
    *lock = fd;
    return TRUE;
}

static void
print_summary(const InjRun *run, const InjOutput *output, const InjStreamTotals *totals)
{
    g_autofree char *raw = inj_size_text(totals->bytes), *packed = inj_size_text(inj_output_bytes(output));
    g_autofree char *compressed =
        run->options->compress != INJ_COMPRESS_NONE ? g_strdup_printf(", %s when compressed", packed) : g_strdup("");

    if (totals->status != HF_END_COMPLETE)
        fprintf(stderr, "heapdump-gdb: the dump is incomplete: %s\n",
                *totals->reason ? totals->reason : "the walker gave up");
    g_autofree char *still = run->inline_us > 0
                                 ? g_strdup_printf("%.1f ms for the walk inside it", (double)run->inline_us / 1000)
                                 : g_strdup_printf("%.1f ms, %.1f ms of that for the fork",
                                                   (double)run->pause_us / 1000, (double)run->fork_us / 1000);
    g_autofree char *collected = run->options->gc
                                     ? g_strdup_printf(", and its threads waited %.1f ms for the collection",
                                                       (double)(run->gil_us - run->inline_us) / 1000)
                                     : g_strdup("");
    inj_note(run->options,
             "%" G_GUINT64_FORMAT " objects, %" G_GUINT64_FORMAT
             " references; the dump has %s%s; the target stood still for %s%s",
             totals->objects, totals->refs, raw, compressed, still, collected);
}

static gboolean
work(InjRun *run, InjOutput *output, GError **error)
{
    const InjOptions *o = run->options;
    InjStreamTotals totals = {0};

    if ((o->payload != NULL || o->gc || o->mode == INJ_MODE_INLINE) &&
        !(inj_confine_check(run->target, INJ_CONFINE_LIVE, error) && inj_memory_check(run->target, TRUE, error)))
        return FALSE;
    if (o->payload != NULL)
        return inj_entry_payload(run, output, error);
    if (o->mode != INJ_MODE_INLINE && !inj_confine_check(run->target, INJ_CONFINE_FORK, error))
        return FALSE;
    if (o->gc && !inj_entry_collect(run, error))
        return FALSE;
    if (!inj_dump(run, output, &totals, error))
        return FALSE;
    print_summary(run, output, &totals);
    inj_stream_totals_clear(&totals);
    return TRUE;
}

static gboolean
print_script(InjRun *run, GError **error)
{
    const InjOptions *o = run->options;
    g_autoptr(GBytes) blob = inj_dump_blob(run->target);
    g_autofree char *text = o->payload != NULL || o->mode == INJ_MODE_INLINE
                                ? inj_entry_script(run, error)
                                : inj_ghost_scripts(run, g_bytes_get_size(blob), error);

    if (text == NULL)
        return FALSE;
    fputs(text, stdout);
    return TRUE;
}

static InjTarget *
open_python(pid_t pid, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(InjTarget) target = inj_target_open(pid, &local);

    if (target != NULL && inj_python_detect(target, &local))
        return g_steal_pointer(&target);
    if ((local->code == INJ_ERROR_NOT_PYTHON || local->code == INJ_ERROR_PERMISSION) && !inj_hint_ended(pid, local))
        inj_hint_not_python(pid, local);
    g_propagate_error(error, g_steal_pointer(&local));
    return NULL;
}

static gboolean
run_program(const InjOptions *o, GError **error)
{
    g_autoptr(InjTarget) target = open_python(o->pid, error);
    g_autoptr(InjStage) stage = NULL;
    g_autoptr(InjOutput) output = NULL;
    InjRun run = {.options = o};
    int lock = -1;
    gboolean ok;

    if (target == NULL)
        return FALSE;
    inj_debug(o, "process %d: Python %u.%u, %s", (int)o->pid, target->python.major, target->python.minor, target->exe);
    stage = inj_stage_plan(target, o->stage_dir, error);
    if (stage == NULL)
        return FALSE;
    run.target = target;
    run.stage = stage;
    if (o->print_script)
        return print_script(&run, error);
    output = inj_output_plan(o, error);
    if (output == NULL || !lock_target(o, target, &lock, error))
        return FALSE;
    run.guard = inj_guard_new(target, error);
    ok = run.guard != NULL && work(&run, output, error);
    /* Before anything was done with it, that explains all. */
    if (!ok && run.pause_us == 0 && (*error)->code != INJ_ERROR_INTERRUPTED)
        inj_hint_ended(o->pid, *error);
    g_clear_pointer(&output, inj_output_free);
    if (run.guard != NULL) {
        g_autoptr(GError) local = NULL;
        if (!inj_guard_clean(run.guard, &local))
            fprintf(stderr, "heapdump-gdb: %s\n", local->message);
        inj_guard_free(run.guard);
    }
    if (lock >= 0)
        close(lock);
    return ok;
}

/* A process that has just been started may not have got to its interpreter. */
static gboolean
run_in_time(const InjOptions *o, GError **error)
{
    for (;;) {
        g_autoptr(GError) local = NULL;
        if (run_program(o, &local))
            return TRUE;
        if (local->code != INJ_ERROR_NOT_PYTHON || !inj_just_started(o->pid)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
        inj_debug(o, "%s: it has just been started, another try", local->message);
        inj_wait_readable(-1, g_get_monotonic_time() + START_POLL_US, NULL);
    }
}

static int
exit_code(const GError *error)
{
    int number = inj_interrupted();

    return error->code == INJ_ERROR_INTERRUPTED && number != 0 ? 128 + number : inj_error_exit_code(error);
}

int
main(int argc, char **argv)
{
    InjOptions o = {0};
    g_autoptr(GError) error = NULL;
    int code = 0;

    if (!inj_options_parse(&o, argc, argv, &error)) {
        fprintf(stderr, "heapdump-gdb: %s\n", error->message);
        return inj_error_exit_code(error);
    }
    if (o.help) {
        g_autofree char *help = inj_options_help();
        fputs(help, stdout);
    } else if (o.version)
        printf("heapdump-gdb %s\n", HEAPDUMP_VERSION);
    else if (!inj_interrupt_setup() || !run_in_time(&o, &error)) {
        fprintf(stderr, "heapdump-gdb: %s\n", error != NULL ? error->message : "cannot make a pipe");
        code = error != NULL ? exit_code(error) : 1;
    } else if (!o.print_script && strcmp(o.output, "-") != 0)
        printf("%s\n", o.output);
    if (fflush(stdout) != 0 && code == 0) {
        fprintf(stderr, "heapdump-gdb: cannot write to stdout: %s\n", g_strerror(errno));
        code = 1;
    }
    inj_options_clear(&o);
    return code;
}
