// SPDX-License-Identifier: MIT
#pragma once
/*
 * What passes between the injector and the walker's blob: one block of arguments, mapped beside the blob, that the injector
 * fills in and the walker reads and writes its result into. The injector knows no Python object, the walker knows no GDB.
 *
 *   mapping:  [ blob, read + execute ][ struct wk_args, read + write ][ stack of the walker, read + write ]
 *
 * The blob's first byte is its entry: void walker_entry(struct wk_args *args), System V ABI, called on the stack above.
 * WK_MODE_GHOST: never returns, ends the process when all is written. WK_MODE_INLINE: called by a thread that holds the GIL, returns,
 * leaves nothing behind that it made.
 */
#include <stdint.h>
#include "wk-symbols.h"

#define WK_ABI_MAGIC   0x31724b6c61574448ull
#define WK_ABI_VERSION 1
#define WK_PATH_MAX    512

enum wk_mode {
    WK_MODE_GHOST = 1,
    WK_MODE_INLINE = 2,
};

enum wk_flag {
    WK_FLAG_REDACT = 1 << 0,
    WK_FLAG_OWN_THREAD =
        1 << 1, /* inline: the calling thread was made for the walk, and does not belong into the dump */
    WK_FLAG_CHECK_STACKS = 1 << 2, /* for tests: how deep roots/stack.c takes known stacks for is counted */
    WK_FLAG_COLLECTING = 1 << 3,   /* ghost: lists that a collection has open are taken as they are */
};

enum wk_status {
    WK_OK = 0,
    WK_RUNNING = 1, /* value before the end */
    WK_ERR_ABI,
    WK_ERR_VERSION,      /* this CPython is not known */
    WK_ERR_SYMBOL,       /* a needed symbol is missing */
    WK_ERR_LAYOUT,       /* a check of the facts table against the interpreter failed */
    WK_ERR_OPEN,         /* data or result file */
    WK_ERR_WRITE,        /* the reader went away */
    WK_ERR_MEMORY,       /* limit reached: the dump is incomplete */
    WK_ERR_FAULT,        /* a fault outside any object */
    WK_ERR_TIME,         /* watchdog */
    WK_ERR_INCONSISTENT, /* the snapshot was taken inside a change of the heap; another try will do */
    WK_STATUS_COUNT,
};

struct wk_result {
    uint32_t status; /* enum wk_status */
    uint32_t stage;  /* how far it got; for messages only */
    int32_t error;   /* errno of a failed system call */
    uint32_t reserved;
    uint64_t address; /* of the object or fault concerned */
    uint64_t objects, refs, bytes, types, skipped;
    uint64_t wall_us, cpu_us, memory;
};

struct wk_args {
    uint64_t magic;
    uint32_t abi_version;
    uint32_t size; /* sizeof this */
    uint32_t mode;
    uint32_t flags;
    uint64_t blob_base, mapping_size; /* of the whole mapping above */
    uint32_t py_version;              /* major << 8 | minor as the injector found it, 0 unknown */
    uint32_t content_limit;           /* bytes of UTF-8; 0 none */
    uint64_t memory_limit;            /* bytes of private memory that the walker may map; 0: its own bound */
    uint32_t watchdog_seconds;        /* ghost: ends itself when no byte could be written for so long; 0 none */
    uint32_t reserved;
    uint64_t symbols[WK_SYM_COUNT];     /* addresses in the target, 0: not there */
    char data_path[WK_PATH_MAX];        /* FIFO or file, as the target sees it */
    char result_path[WK_PATH_MAX];      /* small JSON, appears by rename */
    char result_temp_path[WK_PATH_MAX]; /* in the same folder */
    uint64_t state;                     /* the walker's own */
    struct wk_result result;
};

_Static_assert(sizeof(struct wk_result) == 88, "wk_result is part of the ABI");
