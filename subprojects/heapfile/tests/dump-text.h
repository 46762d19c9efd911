// SPDX-License-Identifier: MIT
#pragma once
/*
 * A dump as text, a line a row: what tests compare. docs/read_heap.py prints the same lines from code of its own.
 * Bytes outside printable ASCII, and the backslash, are written \xNN.
 */
#include <heapfile/reader.h>
#include <glib.h>

void text_file(GString *out, const struct hf_file_header *row);
void text_meta(GString *out, const struct hf_meta_row *row);
void text_name(GString *out, uint32_t id, const char *text, size_t n);
void text_type(GString *out, uint32_t id, const struct hf_type_row *row);
void text_layout(GString *out, uint32_t id, const struct hf_run *runs, size_t n);
void text_role(GString *out, uint64_t addr, uint32_t layout);
void text_object(GString *out, const struct hf_object_row *row);
void text_root(GString *out, const struct hf_root_row *row);
void text_thread(GString *out, const struct hf_thread_row *row);
void text_frame(GString *out, const struct hf_frame_row *row);
void text_counter(GString *out, const char *key, size_t n, uint64_t value);
void text_skipped(GString *out, uint64_t addr, const char *why, size_t n);
void text_end(GString *out, const struct hf_end_row *row);

/* Handlers that append each row to the GString that is their user. */
extern const struct hf_handlers text_handlers;
