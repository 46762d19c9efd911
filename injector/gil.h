// SPDX-License-Identifier: MIT
#pragma once
/* Where each version of CPython notes which thread holds the GIL (offsets measured on release builds and a test holds them against the walker's tables). */
#include <glib.h>

typedef struct {
    guint minor;
    gboolean free_threaded;
    /* 3.8–3.11: the current thread state is at _PyRuntime + current. Later: the GIL of the main interpreter, see below. */
    guint current;
    guint main;   /* _PyRuntime + main: the main interpreter (0: the field above counts) */
    guint gil;    /* interpreter + gil: its GIL */
    guint holder; /* GIL + holder: thread state that holds or held it */
    guint locked; /* GIL + locked: int, 1 when it is held; never in a free-threaded build, unless it was switched on */
    guint thread_id; /* thread state + thread_id: pthread_self() */
} InjGilFacts;

/* NULL: version not known. */
const InjGilFacts *inj_gil_facts(guint minor, gboolean free_threaded);
