// SPDX-License-Identifier: MIT
#pragma once
/*
 * Where the dump goes: a file that has its name only when it is whole, or stdout, or a device. Compressed on the way.
 */
#include <glib.h>
#include <heapfile/compress.h>
#include "guard.h"
#include "options.h"

typedef struct InjOutput InjOutput;

/* Opens the folder and sees that a file can be made there; makes nothing. Before inj_guard_new. */
InjOutput *inj_output_plan(const InjOptions *o, GError **error);
/* Makes the file under its temporary name. Call again for another try: what was written is forgotten. */
gboolean inj_output_open(InjOutput *out, InjGuard *g, GError **error);
/* A hf_sink_fn with the output as user. */
bool inj_output_write(void *out, const void *bytes, size_t n);
/* All is written: sync and give it its name. */
gboolean inj_output_commit(InjOutput *out, GError **error);
/* FALSE was returned by inj_output_write: says why. */
void inj_output_error(InjOutput *out, GError **error);
/* FALSE: bytes went out that can not be taken back (stdout, a device), so that there is no other try. */
gboolean inj_output_can_retry(const InjOutput *out);
guint64 inj_output_bytes(const InjOutput *out); /* after compression */
void inj_output_free(InjOutput *out);           /* removes what was not committed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InjOutput, inj_output_free)
