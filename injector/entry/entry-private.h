// SPDX-License-Identifier: MIT
#pragma once
/*
 * One thread of ours in the live target, from the first word written to the last trace gone. Used by entry.c only; its life is in
 * entry-live.c. Driver's main thread only.
 */
#include "entry.h"
#include "entry-image.h"

struct InjEntry {
    InjRun *run;         /* borrowed */
    InjEntryImage image; /* owned */
    GBytes *stub;        /* owned */
    InjCave cave;
    gboolean written;    /* the stub stands in the cave */
    guint64 mark_at;     /* where the stub marks that a thread is inside; 0: not known */
    InjCaveWatch *watch; /* owned; from when the stub was started */
    gboolean entered;    /* a thread of the target went into the stub */
    guint sessions;      /* of GDB that looked for one */
};

typedef struct {
    guint64 status; /* enum ep_status */
    guint64 error;  /* errno */
    guint64 gil_wait_us, collect_us, run_us;
} InjEntryResult;

/* Prepares everything outside the target: symbols (enum ep_need), region, stub, GDB's way in. dry: nothing is written anywhere. */
InjEntry *inj_entry_prepare(InjRun *run, InjEntryJob *job, guint needs, gboolean dry, GError **error);
/* Leads a thread of the target into the stub; tries until the deadline (monotonic µs). */
gboolean inj_entry_start(InjEntry *entry, gint64 deadline_us, GError **error);
/*
 * Waits for the result. When the deadline passes, what has not begun is called off. INJ_ERROR_TIMEOUT, INJ_ERROR_INTERRUPTED,
 * INJ_ERROR_FAILED with a reason; a result with a status other than EP_OK is a success here.
 */
gboolean inj_entry_wait(InjEntry *entry, gint64 deadline_us, InjEntryResult *result, GError **error);
/* Its result is there, or nothing of it is and none will be: inj_entry_wait returns at once. */
gboolean inj_entry_is_over(InjEntry *entry);
/* Waits (briefly) until thread, region and stub are gone, frees. Call in every case. */
void inj_entry_finish(InjEntry *entry);

/* The script for threads that sleep at the moment, or, with busy, also for those that run. Owned by the caller; NULL: there are none. */
char *inj_entry_current_script(InjEntry *entry, gboolean busy);

/* Pure: the small JSON file of the blob. */
gboolean inj_entry_result_parse(const char *json, InjEntryResult *result);
