// SPDX-License-Identifier: MIT
#pragma once
/*
 * The GDB script that leads one thread of the live target into the stub. Pure text. It attaches to one candidate after the other, checks
 * that the thread still stands where it can be entered, sets one register and detaches: everything else the stub does by itself.
 */
#include <glib.h>
#include "entry-sleep.h"

typedef struct {
    pid_t pid;
    guint64 cave;           /* address of the stub */
    guint64 params;         /* address of its parameters */
    guint64 region;         /* the parameter that tells that they are ours */
    const GArray *sleepers; /* InjSleeper, to be tried in this order; borrowed */
    guint rounds;           /* how often each of them */
    /* A thread that runs is entered inside the interpreter's own code, [code_start, code_end); empty: not at all. */
    guint64 code_start, code_end;
} InjEntryScript;

/* Reports "HD entered TID", 0 for none, and before that "HD moved 1" when the stub is not there any more. Owned by the caller. */
char *inj_entry_script_make(const InjEntryScript *s);
