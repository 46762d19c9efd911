// SPDX-License-Identifier: MIT
#pragma once
/* The ghost stub (stub/ghost.S) as bytes, with its data words filled in. Pure. */
#include <glib.h>

typedef struct {
    guint64 map_size;  /* bytes that the ghost maps for the walker; whole pages */
    guint64 code_size; /* of these the first, executable; whole pages */
    guint64 stamp;     /* not 0 */
    guint32 wait_ms;   /* how long the ghost waits for its orders */
    int signal;        /* by which the thread tells GDB; ignored by the target */
    const char *nonce; /* 8 characters, in the names of ghost and reaper */
    const char *file;  /* that may be executed, of at least code_size bytes; "": none is known */
} InjStubParams;

/* Offsets into the stub; same order as the table at the end of ghost.S. */
typedef struct {
    guint32 size, entry, stop;
    guint32 rip, rax, rip_eintr, rax_eintr, restart;
    guint32 stamp;
    guint32 map_size, code_size, unblock, signal, wait;
    guint32 ghost_name, reaper_name;
} InjStubTable;

const InjStubTable *inj_stub_table(void);
/* The bytes to write to the target: those of the table's size, then the name of the file. */
GBytes *inj_stub_build(const InjStubParams *p);

/* The orders of the ghost: two words this many bytes before the end of its mapping: entry, then its argument. The entry starts it: it is written last. */
#define INJ_STUB_ORDERS 64

/* While a thread is inside, the stamp stands this many bytes below the stack pointer that it came with. */
#define INJ_STUB_MARK 192

/* Names that ghost and reaper give themselves (as /proc/PID/comm shows them). Owned by the caller. */
char *inj_stub_ghost_name(const char *nonce);
char *inj_stub_reaper_name(const char *nonce);
