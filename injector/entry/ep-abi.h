// SPDX-License-Identifier: MIT
#pragma once
/*
 * What passes between the driver and the two pieces of code that it brings into the live target: the stub, which stands in
 * unused bytes of an executable page and which one sleeping thread of the target runs once, and the blob, which a thread of
 * our own runs in a region that the stub maps.
 *
 *   region:  [ code: blob (+ walker) | read, execute ][ struct ep_args, texts | read, write ][ XSAVE area ][ stack of the stub ]
 *            '------------------- filled from the image file -------------------------------'
 *
 * The driver chooses the region's address in a gap of the target's address space, so that it can follow `state` and ask for
 * `cancel` through /proc/PID/mem; the blob's last act is to unmap the region. Nothing in it has to be cleaned up from outside,
 * whoever dies.
 */
#include <stdint.h>
#include "ep-symbols.h"

#define EP_MAGIC        0x3159525445504448ull
#define EP_INSIDE       0x3145444953494e49ull
#define EP_PATH_MAX     512
#define EP_XSAVE_MAX    0x6000u   /* AVX-512 takes 0xa80, AMX 0x2b00 */
#define EP_STACK        0x10000u  /* what pthread_create needs, many times over */
#define EP_THREAD_STACK 0x800000u /* of our thread, which runs Python code, whatever ulimit -s was */

/* Fixed places in the stub, which the driver and GDB write before it runs; the rest of the stub is opaque. */
#define EP_STUB_RESTART 0 /* where the kernel enters when it wants the interrupted system call repeated: ip - 2 */
#define EP_STUB_ENTRY   2 /* where GDB sets $rip to */

enum ep_state {
    EP_STATE_IMAGE = 0, /* as in the file */
    EP_STATE_CREATED,   /* pthread_create succeeded */
    EP_STATE_GIL,       /* our thread waits for the GIL */
    EP_STATE_RUNNING,   /* it has it, and works */
    EP_STATE_WRITING,   /* GIL given back */
};

enum ep_status {
    EP_OK = 0,
    EP_ERR_XSAVE,           /* vector state larger than the area, or no XSAVE */
    EP_ERR_THREAD,          /* pthread_create failed; error says why */
    EP_ERR_NOT_INITIALIZED, /* no interpreter runs in the target (any more) */
    EP_ERR_CANCELLED,       /* the driver gave up, or is gone, before we had the GIL */
    EP_ERR_MEMORY,          /* the interpreter could not make the namespace */
    EP_ERR_PYTHON,          /* our own Python text failed */
    EP_ERR_EXCEPTION,       /* the payload raised: see the traceback file */
    EP_STATUS_COUNT,
};

/* A piece of the image, from the region's base. */
struct ep_span {
    uint64_t offset, size;
};

struct ep_args {
    uint64_t magic;
    uint64_t base, region_size; /* what is unmapped at the end */
    uint64_t xsave_offset;      /* 64-byte aligned, EP_XSAVE_MAX bytes */
    uint64_t symbols[EP_SYM_COUNT];
    int64_t
        attach_rax; /* GDB writes it to the stub, the stub copies it: the result of the interrupted call at the attach */

    /* Work, in this order; a size or address of 0 leaves it out. */
    struct ep_span collect; /* Python text that collects garbage */
    struct ep_span runner;  /* Python text that runs the payload */
    struct ep_span payload; /* the payload's own text, for the runner */
    uint64_t walker, walker_args;

    char image_path[EP_PATH_MAX];   /* of our own image: when it is gone, nobody waits for us any more */
    char payload_name[EP_PATH_MAX]; /* shown in tracebacks */
    char output_path[EP_PATH_MAX];
    char traceback_path[EP_PATH_MAX];
    char printed_path[EP_PATH_MAX];
    char result_path[EP_PATH_MAX]; /* appears by rename when all is done, last of all files */
    char result_temp_path[EP_PATH_MAX];

    /* Live. */
    uint32_t cancel;        /* set by the driver: do nothing once you have the GIL */
    uint32_t state;         /* enum ep_state */
    uint32_t status;        /* enum ep_status */
    int32_t error;          /* errno of what failed */
    uint64_t inside;        /* EP_INSIDE until the stub has stopped using the region */
    uint64_t thread;        /* pthread_t */
    uint64_t attributes[8]; /* pthread_attr_t: 56 bytes with glibc and musl */
    uint64_t gil_wait_us, collect_us, run_us;
};

_Static_assert(sizeof(struct ep_args) < 0x1000, "ep_args fits a page");
