// SPDX-License-Identifier: MIT
#pragma once
/*
 * Reads ahead: a thread fetches blocks from a source while the caller works on those before. The source is the thread's alone until
 * ha_pipe_free(). ha_pipe_read() is a hf_source_fn, for one thread.
 */
#include <glib.h>
#include <heapfile/reader.h>

typedef struct HaPipe HaPipe;

HaPipe *ha_pipe_new(hf_source_fn source, void *user);
void ha_pipe_free(HaPipe *p); /* stops and joins the thread */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaPipe, ha_pipe_free)
long ha_pipe_read(void *pipe, void *bytes, size_t n); /* -1: the source failed; it has the message */
