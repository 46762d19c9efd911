// SPDX-License-Identifier: MIT
/* Against processes of our own: what is seen of them, what is left in them and on disk, who cleans up when the driver dies. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "error.h"
#include "guard.h"
#include "hold.h"
#include "poke.h"
#include "procfs.h"
#include "python.h"
#include "run.h"
#include "session.h"
#include "stage.h"
#include "target.h"

static guint64 word_to_read = 0x1122334455667788;

/* A child that sleeps. */
static pid_t
start_child(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    g_assert_cmpint(pid, >, 0);
    return pid;
}

static void
end_child(pid_t pid)
{
    kill(pid, SIGKILL);
    g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
}

static InjTarget *
open_target(pid_t pid)
{
    g_autoptr(GError) error = NULL;
    InjTarget *t = inj_target_open(pid, &error);

    g_assert_no_error(error);
    return t;
}

static void
test_look(void)
{
    pid_t pid = start_child();
    g_autoptr(InjTarget) t = open_target(pid);
    g_autoptr(GArray) threads = inj_target_threads(t), children = inj_target_children(t);
    guint64 word = 0, addr = 0;

    g_assert_cmpint(t->pid, ==, pid);
    g_assert_cmpuint(t->uid, ==, geteuid());
    g_assert_cmpuint(threads->len, ==, 1);
    g_assert_cmpint(g_array_index(threads, pid_t, 0), ==, pid);
    g_assert_cmpuint(children->len, ==, 0);
    g_assert_true(inj_target_read(t, (guint64)(gsize)&word_to_read, &word, sizeof word));
    g_assert_cmphex(word, ==, word_to_read);
    g_assert_false(inj_target_read(t, 8, &word, sizeof word));
    g_assert_true(inj_target_symbol(t, "getpid", &addr));
    g_assert_cmphex(addr, ==, (guint64)(gsize)getpid);
    g_assert_false(inj_target_symbol(t, "rawmemchr", &addr)); /* not one address but a choice */
    g_assert_false(inj_target_symbol(t, "no_such_symbol_anywhere", &addr));
    g_assert_true(inj_target_alive(t));
    end_child(pid);
    g_assert_false(inj_target_alive(t));
    g_assert_cmpint(inj_target_state(t), ==, 0);
    g_assert_false(inj_target_read(t, (guint64)(gsize)&word_to_read, &word, sizeof word));
}

static void
check_refused(pid_t pid, const char *says, int code)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(inj_target_open(pid, &error));
    g_assert_nonnull(strstr(error->message, says));
    g_assert_cmpint(inj_error_exit_code(error), ==, code);
    g_assert_null(strchr(error->message, '\n'));
}

static void
test_refusals(void)
{
    pid_t pid = start_child();
    siginfo_t info;
    g_autoptr(GError) error = NULL;

    check_refused(getpid(), "this program itself", 5);
    kill(pid, SIGSTOP);
    g_assert_cmpint(waitid(P_PID, (id_t)pid, &info, WSTOPPED), ==, 0);
    check_refused(pid, "is stopped", 1);
    kill(pid, SIGCONT);
    g_assert_cmpint(waitid(P_PID, (id_t)pid, &info, WCONTINUED), ==, 0);
    g_autoptr(InjTarget) t = open_target(pid);
    g_assert_false(inj_python_detect(t, &error));
    g_assert_error(error, INJ_ERROR, INJ_ERROR_NOT_PYTHON);
    g_assert_nonnull(strstr(error->message, "is not a Python"));
    kill(pid, SIGKILL);
    g_assert_cmpint(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), ==, 0);
    check_refused(pid, "is a zombie", 1);
    g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
    check_refused(pid, "no process", 1);
}

static void
test_cave(void)
{
    pid_t pid = start_child();
    g_autoptr(InjTarget) t = open_target(pid);
    g_autoptr(GError) error = NULL;
    g_autoptr(InjGuard) guard = inj_guard_new(t, &error);
    static const guint8 code[] = {0xcc, 0xcc, 0xcc};
    guint8 back[3] = {0};
    InjCave cave, other;

    g_assert_no_error(error);
    g_assert_true(inj_cave_find(t, 700, &cave, &error));
    g_assert_cmpuint(cave.addr % 64, ==, 0);
    g_assert_cmpuint(cave.size, >=, 700);
    const InjMapping *m = inj_maps_find(t->maps, cave.addr);
    g_assert_true(m != NULL && m->exec && cave.addr + cave.size <= m->end);
    inj_guard_set_cave(guard, &cave);
    g_assert_true(inj_target_write(t, cave.addr, code, sizeof code));
    g_assert_true(inj_target_read(t, cave.addr, back, sizeof back));
    g_assert_cmpmem(back, sizeof back, code, sizeof code);
    g_assert_true(inj_cave_find(t, 700, &other, NULL)); /* in use: another one */
    g_assert_cmphex(other.addr, !=, cave.addr);
    g_assert_true(inj_guard_clean(guard, &error));
    g_assert_true(inj_target_read(t, cave.addr, back, sizeof back));
    g_assert_cmpint(back[0] | back[1] | back[2], ==, 0);
    g_assert_false(inj_cave_find(t, 1 << 20, &other, &error));
    g_assert_error(error, INJ_ERROR, INJ_ERROR_FAILED);
    end_child(pid);
}

/* The other way to write, for kernels that forbid the first: read-only memory, any alignment, the process goes on as it was. */
static void
test_poke(void)
{
    pid_t pid = start_child();
    g_autoptr(InjTarget) t = open_target(pid);
    static const char TEXT[] = "twenty bytes of text";
    char back[32];
    InjCave cave;

    g_assert_true(inj_cave_find(t, 700, &cave, NULL));
    for (guint shift = 0; shift < 8; shift++) {
        g_assert_true(inj_poke(t, cave.addr + 100 + shift, TEXT, sizeof TEXT - 1 - shift));
        g_assert_true(inj_target_read(t, cave.addr + 99, back, sizeof back));
        g_assert_cmpmem(back + 1 + shift, sizeof TEXT - 1 - shift, TEXT, sizeof TEXT - 1 - shift);
        g_assert_cmpint(back[0], ==, 0);
        g_assert_cmpint(back[21], ==, 0);
    }
    g_assert_false(inj_poke(t, 4096, TEXT, 4));
    g_assert_cmpint(inj_target_tracer(t), ==, 0);
    g_assert_cmpint(inj_target_state(t), !=, 'T');
    g_assert_cmpint(inj_target_state(t), !=, 't');
    end_child(pid);
    g_assert_false(inj_poke(t, cave.addr, TEXT, 4));
}

/* A thread that sleeps inside a cave is seen, and the cave is not cleared under it. */
static void
test_cave_watch(void)
{
    pid_t pid = start_child();
    g_autoptr(InjTarget) t = open_target(pid);
    g_autofree char *syscall_text = NULL;
    const char *pc = NULL;

    /* Where it sleeps is the cave here. */
    while (pc == NULL || !g_str_has_prefix(pc + 1, "0x")) {
        g_free(syscall_text);
        syscall_text = inj_target_proc(t, "syscall", NULL);
        pc = strrchr(g_strchomp(syscall_text), ' ');
    }
    guint64 at = g_ascii_strtoull(pc + 1, NULL, 16);
    g_autoptr(InjCaveWatch) watch = inj_cave_watch_new(t);
    g_assert_false(inj_cave_watch_left(watch, t, &(InjCave){.addr = at, .size = 1}));
    g_assert_true(inj_cave_watch_left(watch, t, &(InjCave){.addr = at + 1, .size = 100}));
    end_child(pid);
    g_autoptr(InjCaveWatch) late = inj_cave_watch_new(t);
    g_assert_true(inj_cave_watch_left(late, t, &(InjCave){.addr = at, .size = 1}));
}

static void
test_stage(void)
{
    pid_t pid = start_child();
    g_autoptr(InjTarget) t = open_target(pid);
    g_autofree char *dir = g_dir_make_tmp("heapdump-test-XXXXXX", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(InjStage) stage = inj_stage_plan(t, dir, &error);
    g_autoptr(InjGuard) guard = inj_guard_new(t, NULL);
    struct stat st;

    g_assert_no_error(error);
    g_assert_true(inj_stage_create(stage, guard, &error));
    g_assert_true(inj_stage_create(stage, guard, &error));
    g_autofree char *fifo_path = inj_stage_path(stage, "data"), *folder = g_path_get_dirname(fifo_path);
    g_assert_cmpint(stat(folder, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 0700);
    for (guint again = 0; again < 2; again++) {
        int fifo = inj_stage_fifo(stage, "data", &error);
        g_assert_cmpint(fifo, >=, 0);
        g_assert_true(stat(fifo_path, &st) == 0 && S_ISFIFO(st.st_mode));
        close(fifo);
    }
    g_assert_null(inj_stage_get(stage, "text", 100, &error));
    g_assert_no_error(error);
    g_assert_true(inj_stage_put(stage, "text", "hello", 5, &error));
    g_autoptr(GBytes) all = inj_stage_get(stage, "text", 100, &error), some = inj_stage_get(stage, "text", 3, NULL);
    g_assert_cmpmem(g_bytes_get_data(all, NULL), g_bytes_get_size(all), "hello", 5);
    g_assert_cmpmem(g_bytes_get_data(some, NULL), g_bytes_get_size(some), "hel", 3);
    /* What the target puts there is not trusted. */
    g_autofree char *link = inj_stage_path(stage, "link");
    g_assert_cmpint(symlink("/etc/passwd", link), ==, 0);
    g_assert_null(inj_stage_get(stage, "link", 100, &error));
    g_assert_error(error, INJ_ERROR, INJ_ERROR_FAILED);
    g_clear_error(&error);
    g_assert_null(inj_stage_get(stage, "data", 100, &error));
    g_assert_error(error, INJ_ERROR, INJ_ERROR_FAILED);
    g_assert_true(inj_guard_clean(guard, NULL));
    g_assert_cmpint(stat(folder, &st), ==, -1);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
    end_child(pid);
}

static void
test_stage_refusals(void)
{
    pid_t pid = start_child();
    g_autoptr(InjTarget) t = open_target(pid);
    static const struct {
        const char *dir, *says;
        int code;
    } cases[] = {{"relative", "absolute path", 2},
                 {"/nonexistent", "/nonexistent: No such file", 1},
                 {"/etc/passwd", "Not a directory", 1},
                 {"/proc", "/proc", 1}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(InjStage) stage = inj_stage_plan(t, cases[i].dir, &error);
        g_autoptr(InjGuard) guard = inj_guard_new(t, NULL);
        g_assert_false(stage != NULL && inj_stage_create(stage, guard, &error));
        g_assert_nonnull(strstr(error->message, cases[i].says));
        g_assert_cmpint(inj_error_exit_code(error), ==, cases[i].code);
    }
    end_child(pid);
}

/* The driver is killed: the guardian clears the cave, and removes stage and output. */
static void
test_guardian(void)
{
    pid_t pid = start_child();
    g_autoptr(InjTarget) t = open_target(pid);
    g_autofree char *dir = g_dir_make_tmp("heapdump-test-XXXXXX", NULL);
    guint64 word = 0;
    InjCave cave;
    int ends[2];
    char byte;

    g_assert_true(inj_cave_find(t, 700, &cave, NULL));
    g_assert_cmpint(pipe(ends), ==, 0);
    pid_t driver = fork();
    if (driver == 0) {
        int dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
        InjStage *stage = inj_stage_plan(t, dir, NULL);
        InjGuard *guard = inj_guard_new(t, NULL);
        guint64 code = 0xcccccccc;
        inj_stage_create(stage, guard, NULL);
        inj_stage_put(stage, "text", "x", 1, NULL);
        inj_guard_set_output(guard, dir_fd, "part");
        close(openat(dir_fd, "part", O_WRONLY | O_CREAT, 0600));
        inj_guard_set_cave(guard, &cave);
        inj_target_write(t, cave.addr, &code, sizeof code);
        if (write(ends[1], "x", 1) == 1)
            raise(SIGKILL);
        _exit(1);
    }
    close(ends[1]);
    g_assert_cmpint(read(ends[0], &byte, 1), ==, 1);
    g_assert_cmpint(waitpid(driver, NULL, 0), ==, driver);
    /* The guardian holds the other copy of the pipe: it closes when the guardian has ended. */
    g_assert_cmpint(read(ends[0], &byte, 1), ==, 0);
    close(ends[0]);
    g_assert_true(inj_target_read(t, cave.addr, &word, sizeof word));
    g_assert_cmphex(word, ==, 0);
    g_assert_cmpint(g_rmdir(dir), ==, 0); /* empty */
    end_child(pid);
}

/* 'c' from the driver; 0: nothing came in time. */
static char
next_word(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char byte = 0;

    return poll(&p, 1, 30000) == 1 && read(fd, &byte, 1) == 1 ? byte : 0;
}

/* A child that hangs in the kernel, in vfork, until a byte comes through the pipe; then it ends with 7. */
static pid_t
start_stuck(const int ends[2])
{
    pid_t pid = fork();

    if (pid == 0) {
        char byte;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[1]); /* the end of the test is one for it too */
        pid_t inner = vfork();
        if (inner == 0)
            _exit(read(ends[0], &byte, 1) != 1);
        _exit(7);
    }
    return pid;
}

typedef struct {
    pid_t pid;
    gboolean begun, stood;
    int failed;
} Holding;

static void
hold_for_nothing(gpointer data)
{
    Holding *h = data;
    InjHold hold;

    h->begun = inj_hold_begin(h->pid, &hold);
    h->stood = h->begun && inj_hold_wait(&hold);
    h->failed = errno;
    inj_hold_release(&hold);
}

/* What does not stop cannot be let go by asking; it must not wait for us when it comes back from the kernel, nor be refused to others meanwhile. */
static void
test_hold_stuck(void)
{
    int ends[2], status;

    g_assert_cmpint(pipe(ends), ==, 0);
    pid_t pid = start_stuck(ends);
    g_autofree char *name = g_strdup_printf("/proc/%d/stat", (int)pid);
    for (InjStat st = {0}; st.state != 'D'; sched_yield()) {
        g_autofree char *text = inj_proc_read(AT_FDCWD, name, NULL);
        g_assert_true(text != NULL && inj_stat_parse(text, &st));
    }
    g_autofree char *status_name = g_strdup_printf("/proc/%d/status", (int)pid);
    Holding h = {.pid = pid};
    inj_hold_apart(hold_for_nothing, &h);
    g_assert_true(h.begun);
    g_assert_false(h.stood);
    g_assert_cmpint(h.failed, ==, ETIMEDOUT);
    g_autofree char *text = inj_proc_read(AT_FDCWD, status_name, NULL);
    guint64 tracer = 1;
    g_assert_true(text != NULL && inj_status_field(text, "TracerPid", 10, &tracer));
    g_assert_cmpuint(tracer, ==, 0);

    g_assert_cmpint(write(ends[1], "x", 1), ==, 1);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 7);
    close(ends[0]);
    close(ends[1]);
}

/* A driver that stops itself, with a thread of the target held or not, and says when it goes on. */
static pid_t
start_stopping_driver(InjTarget *t, gboolean holds, int out)
{
    pid_t driver = fork();

    if (driver != 0)
        return driver;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    InjGuard *guard = inj_guard_new(t, NULL);
    InjHold h = {0};
    if (guard == NULL || (holds && (!inj_hold_begin(t->pid, &h) || !inj_hold_wait(&h))))
        _exit(1);
    raise(SIGSTOP);
    inj_hold_release(&h);
    if (write(out, "c", 1) != 1)
        _exit(1);
    inj_guard_free(guard);
    _exit(0);
}

static pid_t
child_of(pid_t parent)
{
    g_autoptr(GArray) all = inj_proc_numbers(AT_FDCWD, "/proc");

    for (guint i = 0; i < all->len; i++) {
        pid_t pid = g_array_index(all, pid_t, i);
        g_autofree char *name = g_strdup_printf("/proc/%d/stat", (int)pid);
        g_autofree char *text = inj_proc_read(AT_FDCWD, name, NULL);
        InjStat st;
        if (text != NULL && inj_stat_parse(text, &st) && st.ppid == parent)
            return pid;
    }
    g_assert_not_reached();
}

/* How often the guardian has slept, which it does between two looks. */
static guint64
sleeps_of(pid_t pid)
{
    g_autofree char *name = g_strdup_printf("/proc/%d/status", (int)pid);
    g_autofree char *status = inj_proc_read(AT_FDCWD, name, NULL);
    guint64 n = 0;

    g_assert_true(status != NULL && inj_status_field(status, "voluntary_ctxt_switches", 10, &n));
    return n;
}

/* Somebody stops the driver: the guardian lets it go on if the target would stand still with it, and only then. */
static void
test_guardian_continues(void)
{
    pid_t pid = start_child();
    g_autoptr(InjTarget) t = open_target(pid);

    for (gboolean holds = FALSE; holds <= TRUE; holds++) {
        int ends[2], status;
        g_assert_cmpint(pipe(ends), ==, 0);
        pid_t driver = start_stopping_driver(t, holds, ends[1]);
        close(ends[1]);
        g_assert_cmpint(waitpid(driver, &status, WUNTRACED | WCONTINUED), ==, driver);
        g_assert_true(WIFSTOPPED(status) || WIFCONTINUED(status));
        if (!holds) {
            pid_t guardian = child_of(driver);
            for (guint64 end = sleeps_of(guardian) + 4; sleeps_of(guardian) < end;)
                g_usleep(1000);
            struct pollfd p = {.fd = ends[0], .events = POLLIN};
            g_assert_cmpint(poll(&p, 1, 0), ==, 0);
            kill(driver, SIGCONT);
        }
        g_assert_cmpint(next_word(ends[0]), ==, 'c');
        g_assert_cmpint(inj_target_tracer(t), ==, 0);
        do
            g_assert_cmpint(waitpid(driver, &status, 0), ==, driver);
        while (!WIFEXITED(status) && !WIFSIGNALED(status));
        g_assert_cmpint(status, ==, 0);
        g_assert_true(inj_target_alive(t));
        close(ends[0]);
    }
    end_child(pid);
}

static char *
fake_gdb(const char *dir, const char *body)
{
    char *path = g_build_filename(dir, "gdb", NULL);
    g_autofree char *text = g_strconcat("#!/bin/sh\n", body, "\n", NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(g_chmod(path, 0700), ==, 0);
    return path;
}

static void
test_session(void)
{
    static const struct {
        const char *body; /* NULL: no file */
        int code;         /* 0: works */
        const char *says;
    } cases[] = {
        {NULL, 1, "cannot find GDB"},
        {"exit 3", 1, "does not behave like GDB"},
        {"echo hello", 1, "does not behave like GDB: hello"},
        {"echo HD gdb 11", 1, "is GDB 11: version 12 or newer"},
        {"echo HD gdb 13; echo 'ptrace: Operation not permitted.'", 4, "not even a process of its own"},
        {"echo HD gdb 13", 1, "failed on a process of its own"},
        {"echo HD gdb 13; exec sleep 1000", 3, "GDB did not end within"},
        {"echo HD gdb 13; echo HD warm 1; echo HD x 7; cat /proc/self/fd/11; test ! -t 0", 0, "HD x 7\npayload"},
    };

    g_assert_true(inj_interrupt_setup());
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *dir = g_dir_make_tmp("heapdump-test-XXXXXX", NULL);
        g_autofree char *gdb =
            cases[i].body != NULL ? fake_gdb(dir, cases[i].body) : g_build_filename(dir, "gdb", NULL);
        g_autoptr(GBytes) file = g_bytes_new_static("payload", 7);
        g_autoptr(GError) error = NULL;
        const InjSession s = {
            .gdb = gdb, .timeout_us = 5 * G_USEC_PER_SEC / (cases[i].code == 3 ? 10 : 1), .files = {file}};
        InjSessionResult r;
        gboolean ok = inj_session_run(&s, "", &r, &error);
        g_assert_cmpint(ok, ==, cases[i].code == 0);
        if (!ok)
            g_assert_cmpint(inj_error_exit_code(error), ==, cases[i].code);
        if (strstr(ok ? r.output : error->message, cases[i].says) == NULL)
            g_error("case %" G_GSIZE_FORMAT ": \"%s\" does not say \"%s\"", i, ok ? r.output : error->message,
                    cases[i].says);
        g_assert_cmpint(r.killed, ==, cases[i].code == 3);
        inj_session_result_clear(&r);
        g_remove(gdb);
        g_assert_cmpint(g_rmdir(dir), ==, 0);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/live/look", test_look);
    g_test_add_func("/live/refusals", test_refusals);
    g_test_add_func("/live/cave", test_cave);
    g_test_add_func("/live/poke", test_poke);
    g_test_add_func("/live/hold-stuck", test_hold_stuck);
    g_test_add_func("/live/cave-watch", test_cave_watch);
    g_test_add_func("/live/stage", test_stage);
    g_test_add_func("/live/stage-refusals", test_stage_refusals);
    g_test_add_func("/live/guardian", test_guardian);
    g_test_add_func("/live/guardian-continues", test_guardian_continues);
    g_test_add_func("/live/session", test_session);
    return g_test_run();
}
