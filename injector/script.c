// SPDX-License-Identifier: MIT
#include "script.h"
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include "stub.h"

extern const guint8 inj_script_ghost_fork[], inj_script_ghost_run[];
extern const gsize inj_script_ghost_fork_size, inj_script_ghost_run_size;

char *
inj_script_fill(const char *template, ...)
{
    g_autoptr(GHashTable) values = g_hash_table_new(g_str_hash, g_str_equal);
    GString *out = g_string_new(NULL);
    va_list ap;

    va_start(ap, template);
    for (const char *name; (name = va_arg(ap, const char *)) != NULL;)
        g_hash_table_insert(values, (char *)name, va_arg(ap, char *));
    va_end(ap);
    for (const char *p = template, *at;; p = at) {
        at = strchrnul(p, '@');
        g_string_append_len(out, p, at - p);
        if (*at == '\0')
            break;
        const char *end = strchr(at + 1, '@');
        g_assert(end != NULL);
        g_autofree char *name = g_strndup(at + 1, (gsize)(end - at - 1));
        const char *value = g_hash_table_lookup(values, name);
        g_assert(value != NULL);
        g_string_append(out, value);
        at = end + 1;
    }
    return g_string_free(out, FALSE);
}

static char *
hex(guint64 v)
{
    return g_strdup_printf("0x%" G_GINT64_MODIFIER "x", v);
}

/* Lines that set $hd_state to the thread state that holds the GIL, 0 when none does. */
static char *
holder_text(const InjForkScript *s)
{
    if (s->gil->main == 0)
        return g_strdup_printf("    set $hd_state = *(long *)0x%" G_GINT64_MODIFIER "x", s->runtime + s->gil->current);
    return g_strdup_printf("    set $hd_gil = *(long *)(*(long *)0x%" G_GINT64_MODIFIER "x + %u)\n"
                           "    set $hd_state = 0\n"
                           "    if *(int *)($hd_gil + %u)\n"
                           "      set $hd_state = *(long *)($hd_gil + %u)\n"
                           "    end",
                           s->runtime + s->gil->main, s->gil->gil, s->gil->locked, s->gil->holder);
}

/*
 * A thread inside a restartable sequence must not come back into its middle: the kernel, which would send it to the abort handler, no longer
 * sees that it was inside. So we do. Layout: struct rseq and struct rseq_cs of linux/rseq.h.
 */
static char *
rseq_text(const InjForkScript *s)
{
    if (!s->has_rseq)
        return g_strdup("      # no restartable sequences here");
    return g_strdup_printf("      if $fs_base\n"
                           "        set $hd_cs = *(long *)($fs_base + %" G_GINT64_FORMAT ")\n"
                           "        if $hd_cs\n"
                           "          if $hd_rip - *(long *)($hd_cs + 8) >= 0 && $hd_rip - *(long *)($hd_cs + 8) < "
                           "*(long *)($hd_cs + 16)\n"
                           "            set $hd_rip = *(long *)($hd_cs + 24)\n"
                           "            set $hd_rip_eintr = $hd_rip\n"
                           "          end\n"
                           "        end\n"
                           "      end",
                           (gint64)(s->rseq_offset + 8));
}

char *
inj_script_fork(const InjForkScript *s)
{
    const InjStubTable *t = inj_stub_table();
    g_autofree char *pid = g_strdup_printf("%d", (int)s->pid);
    g_autofree char *signal = g_strdup_printf("SIG%s", sigabbrev_np(s->signal));
    g_autofree char *stamp_at = hex(s->stub + t->stamp), *stamp = hex(s->stamp);
    g_autofree char *rip_at = hex(s->stub + t->rip), *rax_at = hex(s->stub + t->rax);
    g_autofree char *rip_eintr_at = hex(s->stub + t->rip_eintr), *rax_eintr_at = hex(s->stub + t->rax_eintr);
    g_autofree char *restart_at = hex(s->stub + t->restart);
    g_autofree char *entry = hex(s->stub + t->entry), *stop = hex(s->stub + t->stop);
    g_autofree char *thread_id = g_strdup_printf("%u", s->gil->thread_id);
    g_autofree char *holder = holder_text(s), *rseq = rseq_text(s);

    g_autofree char *text = g_strndup((const char *)inj_script_ghost_fork, inj_script_ghost_fork_size);
    return inj_script_fill(text, "PID", pid, "SIGNAL", signal, "STAMP_AT", stamp_at, "STAMP", stamp, "RIP_AT", rip_at,
                           "RAX_AT", rax_at, "RIP_EINTR_AT", rip_eintr_at, "RAX_EINTR_AT", rax_eintr_at, "RESTART_AT",
                           restart_at, "ENTRY", entry, "STOP", stop, "THREAD_ID", thread_id, "HOLDER", holder, "RSEQ",
                           rseq, NULL);
}

char *
inj_script_run(const InjRunScript *s)
{
    g_autofree char *pid = s->pid != 0 ? g_strdup_printf("%d", (int)s->pid) : g_strdup("PID_OF_THE_GHOST");
    g_autofree char *cave = hex(s->cave), *cave_end = hex(s->cave_end);
    g_autofree char *args_at = hex(s->args_at), *base_at = hex(s->base_at), *orders_at = hex(s->orders_at);

    g_autofree char *text = g_strndup((const char *)inj_script_ghost_run, inj_script_ghost_run_size);
    return inj_script_fill(text, "PID", pid, "CAVE", cave, "CAVE_END", cave_end, "BLOB", s->blob, "ARGS", s->args,
                           "ARGS_AT", args_at, "BASE_AT", base_at, "ORDERS_AT", orders_at, NULL);
}
