// SPDX-License-Identifier: MIT
#pragma once
/*
 * The walker as bytes, for the injector: position-independent code that runs wherever it is put, entry at byte 0 (wk-abi.h).
 * Read-only, any thread.
 */
#include <stddef.h>
#include <stdint.h>

extern const uint8_t wk_blob[];
extern const size_t wk_blob_size;

/* The same for free-threaded builds (those that have the symbol _Py_DecRefShared). */
extern const uint8_t wk_blob_free_threaded[];
extern const size_t wk_blob_free_threaded_size;
