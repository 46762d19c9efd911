// SPDX-License-Identifier: MIT
/*
 * Text of the GDB script, from its template in gdb-scripts/. The commands stand in functions, which GDB reads before it attaches: the target stands
 * still for the attach, a few memory words and the detach.
 */
#include "entry-script.h"
#include <linux/futex.h>
#include <sys/syscall.h>
#include "../script.h"
#include "ep-abi.h"
#include "ep-stub-layout.h"

extern const guint8 inj_script_enter[];
extern const gsize inj_script_enter_size;

/* struct pthread of glibc on x86-64: its own address, and the thread's id. */
#define TLS_SELF 0x10
#define TLS_TID  0x2d0

static char *
number(guint64 v)
{
    return g_strdup_printf("%#" G_GINT64_MODIFIER "x", v);
}

static char *
tries(const GArray *sleepers, guint rounds, pid_t pid)
{
    GString *text = g_string_new(NULL);

    for (guint round = 0; round < rounds; round++)
        for (guint i = 0; i < sleepers->len; i++) {
            const InjSleeper *t = &g_array_index(sleepers, InjSleeper, i);

            g_string_append_printf(text, "hd_try %d %d %d\n", t->tid, t->inner_tid, t->tid == pid);
        }
    g_string_truncate(text, text->len ? text->len - 1 : 0);
    return g_string_free(text, FALSE);
}

static char *
known_calls(void)
{
    GString *text = g_string_new("0");

    for (int call = 0; call < INJ_SLEEP_CALLS; call++)
        if (inj_sleep_is_known(call))
            g_string_append_printf(text, " || $orig_rax == %d", call);
    return g_string_free(text, FALSE);
}

char *
inj_entry_script_make(const InjEntryScript *s)
{
    g_autofree char *template = g_strndup((const char *)inj_script_enter, inj_script_enter_size);
    g_autofree char *rip_at = number(s->params + EP_PARAM_RIP), *again_at = number(s->params + EP_PARAM_RIP_AGAIN);
    g_autofree char *cave = number(s->cave), *entry = number(s->cave + EP_STUB_ENTRY);
    g_autofree char *stamp_at = number(s->params + EP_PARAM_REGION), *stamp = number(s->region);
    g_autofree char *witness = number(EP_WITNESS), *first = number(EP_RED_ZONE + EP_WITNESS);
    g_autofree char *second = number(EP_STACK_USED + EP_RED_ZONE + EP_WITNESS);
    g_autofree char *start = number(s->code_start), *end = number(s->code_end);
    g_autofree char *self = number(TLS_SELF), *tid = number(TLS_TID), *futex = number(SYS_futex);
    g_autofree char *mask = number((guint32)FUTEX_CMD_MASK), *bitset = number(FUTEX_WAIT_BITSET),
                    *wait = number(FUTEX_WAIT);
    g_autofree char *calls = known_calls(), *lines = tries(s->sleepers, s->rounds, s->pid);

    return inj_script_fill(template, "RIP_AT", rip_at, "RIP_AGAIN_AT", again_at, "CAVE", cave, "ENTRY", entry,
                           "STAMP_AT", stamp_at, "STAMP", stamp, "WITNESS", witness, "WITNESS_1", first, "WITNESS_2",
                           second, "CODE_START", start, "CODE_END", end, "TLS_SELF", self, "TLS_TID", tid,
                           "KNOWN_CALLS", calls, "FUTEX", futex, "FUTEX_MASK", mask, "FUTEX_BITSET", bitset,
                           "FUTEX_WAIT", wait, "TRIES", lines, NULL);
}
