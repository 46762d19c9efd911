// SPDX-License-Identifier: MIT
/*
 * Text of the GDB script. The commands stand in functions, which GDB reads before it attaches: the target stands still for the attach, a
 * few memory words and the detach.
 */
#include "entry-script.h"
#include <linux/futex.h>
#include <sys/syscall.h>
#include "ep-abi.h"
#include "ep-stub-layout.h"

#define RUNNING_ROUNDS 8 /* a busy thread is caught in the interpreter's own code in most of its stops */
/* struct pthread of glibc on x86-64: its own address, and the thread's id. Threads made by raw clone() share somebody else's. */
#define TLS_SELF 0x10
#define TLS_TID  0x2d0

static void
add_enter(GString *text, const InjEntryScript *s)
{
    g_string_append_printf(text, "define hd_enter\n");
    g_string_append_printf(text, "set {long}%#" G_GINT64_MODIFIER "x = (long)$rip\n", s->params + EP_PARAM_RIP);
    g_string_append_printf(text, "set {long}%#" G_GINT64_MODIFIER "x = (long)$rip - 2\n",
                           s->params + EP_PARAM_RIP_AGAIN);
    g_string_append_printf(text, "set {long}%#" G_GINT64_MODIFIER "x = $rax\n", s->params + EP_PARAM_RAX);
    g_string_append_printf(text, "set $rip = %#" G_GINT64_MODIFIER "x\n", s->cave + EP_STUB_ENTRY);
    g_string_append(text, "end\n");
}

/* $hd_fit: the thread's TLS is its own. */
static void
add_check_tls(GString *text)
{
    g_string_append_printf(text,
                           "define hd_check_tls\n"
                           "set $hd_fit = 0\n"
                           "if $fs_base != 0\n"
                           "if *(long*)($fs_base + %#x) == $fs_base\n"
                           "set $hd_fit = *(int*)($fs_base + %#x) == $arg0\n"
                           "end\n"
                           "end\n"
                           "end\n",
                           TLS_SELF, TLS_TID);
}

/* Arguments of both: thread, its inner id, whether it is the main thread; then the system call, if any. */
static void
add_sleeping(GString *text)
{
    g_string_append_printf(text,
                           "define hd_try_sleeping\n"
                           "if $hd_entered == 0\n"
                           "attach $arg0\n"
                           "set $hd_fit = 1\n"
                           "if $arg2 == 0\n"
                           "hd_check_tls $arg1\n"
                           "end\n"
                           "if $orig_rax != $arg3\n"
                           "set $hd_fit = 0\n"
                           "end\n"
                           "if $orig_rax == %d && ($rsi & %d) != %d && (($rsi & %d) != %d || (int)$rdx == 2)\n"
                           "set $hd_fit = 0\n"
                           "end\n"
                           "if $hd_fit\n"
                           "hd_enter\n"
                           "set $hd_entered = $arg0\n"
                           "end\n"
                           "detach\n"
                           "end\n"
                           "end\n",
                           SYS_futex, FUTEX_CMD_MASK, FUTEX_WAIT_BITSET, FUTEX_CMD_MASK, FUTEX_WAIT);
}

static void
add_running(GString *text, const InjEntryScript *s)
{
    g_string_append_printf(text,
                           "define hd_try_running\n"
                           "if $hd_entered == 0\n"
                           "attach $arg0\n"
                           "set $hd_fit = 1\n"
                           "if $arg2 == 0\n"
                           "hd_check_tls $arg1\n"
                           "end\n"
                           "if $orig_rax >= 0 || (unsigned long)$rip < %#" G_GINT64_MODIFIER
                           "x || (unsigned long)$rip >= %#" G_GINT64_MODIFIER "x\n"
                           "set $hd_fit = 0\n"
                           "end\n"
                           "if $hd_fit\n"
                           /* Not inside a signal handler, which blocks its own signal. */
                           "shell grep -q \"^SigBlk:.0000000000000000\" /proc/%d/task/$arg0/status\n"
                           "if $_shell_exitcode == 0\n"
                           "hd_enter\n"
                           "set $hd_entered = $arg0\n"
                           "end\n"
                           "end\n"
                           "detach\n"
                           "end\n"
                           "end\n",
                           s->code_start, s->code_end, s->pid);
}

char *
inj_entry_script_make(const InjEntryScript *s)
{
    GString *text = g_string_new("handle all nostop noprint pass\nset $hd_entered = 0\n");
    gboolean any_running = FALSE;

    add_enter(text, s);
    add_check_tls(text);
    add_sleeping(text);
    add_running(text, s);
    for (guint i = 0; i < s->sleepers->len; i++) {
        const InjSleeper *t = &g_array_index(s->sleepers, InjSleeper, i);

        if (t->number >= 0)
            g_string_append_printf(text, "hd_try_sleeping %d %d %d %d\n", t->tid, t->inner_tid, t->tid == s->pid,
                                   t->number);
        else
            any_running = TRUE;
    }
    for (guint round = 0; any_running && round < RUNNING_ROUNDS; round++)
        for (guint i = 0; i < s->sleepers->len; i++) {
            const InjSleeper *t = &g_array_index(s->sleepers, InjSleeper, i);

            if (t->number < 0)
                g_string_append_printf(text, "hd_try_running %d %d %d\n", t->tid, t->inner_tid, t->tid == s->pid);
        }
    g_string_append(text, "printf \"HD entered %d\\n\", $hd_entered\n");
    return g_string_free(text, FALSE);
}
