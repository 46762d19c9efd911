// SPDX-License-Identifier: MIT
#pragma once
/*
 * Puts together what goes into the target: the image of the region (ep-abi.h) and the stub with its parameters. Pure functions of their
 * arguments; entry.c writes the results.
 */
#include <glib.h>
#include "ep-abi.h"
#include "../maps.h"
#include "wk-abi.h"

typedef struct {
    GBytes *collect;          /* borrowed; Python text, NULL: none */
    GBytes *runner;           /* borrowed; Python text that runs the payload, NULL: none */
    GBytes *payload;          /* borrowed; with runner */
    const char *payload_name; /* borrowed; with runner */
    GBytes *walker;           /* borrowed; the walker's blob, NULL: none */
    const struct wk_args *walker_args;
    const guint64 *symbols; /* EP_SYM_COUNT addresses */
    const char *stage;      /* borrowed; folder as the target sees it */
} InjEntryJob;

/* Names of the files in the stage. */
#define INJ_ENTRY_IMAGE       "entry.img"
#define INJ_ENTRY_OUTPUT      "output"
#define INJ_ENTRY_TRACEBACK   "traceback"
#define INJ_ENTRY_PRINTED     "printed"
#define INJ_ENTRY_RESULT      "entry.json"
#define INJ_ENTRY_RESULT_TEMP "entry.json.tmp"

typedef struct {
    GBytes *bytes;                 /* owned; what the image file holds */
    guint64 base, size, code_size; /* of the region */
    guint64 args;                  /* address of struct ep_args */
    guint64 walker_args;           /* address of struct wk_args, 0: none */
} InjEntryImage;

/* Bytes of address space that the job's region needs. */
gsize inj_entry_image_size(const InjEntryJob *job);
/* An address for a region of size bytes, far from everything: in the middle of the largest gap; jitter is any number. 0: no room. */
guint64 inj_entry_place(const GArray *maps, gsize size, guint32 jitter);
/* FALSE with INJ_ERROR_FAILED when a path is too long. */
gboolean inj_entry_image_make(const InjEntryJob *job, guint64 base, InjEntryImage *out, GError **error);
void inj_entry_image_clear(InjEntryImage *image);

/* The stub's bytes, with its parameters, for the image file at path. Owned by the caller. */
GBytes *inj_entry_stub_make(const InjEntryImage *image, const char *path);
/* Where in the stub GDB writes what it finds at the attach. */
guint64 inj_entry_stub_params(guint64 cave);
