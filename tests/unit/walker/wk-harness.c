// SPDX-License-Identifier: MIT
/*
 * Runs the walker over the Python process that loads this library (ctypes.PyDLL), in a forked child, as the injector's ghost does: for
 * tests and benchmarks of the walker without GDB. The child runs the blob itself, or for debuggers and sanitizers the same
 * sources as they are linked here.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "wk-abi.h"
#include "wk-blob.h"

void walker_entry(struct wk_args *args);

/* What a run is asked for; known to tests/e2e/harness.py. */
struct wk_harness_request {
    const char *data_path, *result_path;
    uint32_t content_limit, flags;
    uint64_t memory_limit;
    int32_t mode;     /* enum wk_mode */
    int32_t use_blob; /* 0: as linked */
    int32_t oracle;   /* fork a second child at the same moment, in which wk_harness_run returns 1 */
    int32_t status;   /* out: of the child, as waitpid has it; inline: 0 */
    int64_t faults;   /* out: pages that the child touched first: its private memory */
};

void wk_harness_ask(struct wk_harness_request *request);
int wk_harness_run(void); /* without arguments: not even a tuple is made for the call */
int wk_harness_result(struct wk_result *out);

static struct wk_result last_result;
static struct wk_harness_request *request; /* owned by the caller */

static void
fill(struct wk_args *args, const struct wk_harness_request *q)
{
    args->magic = WK_ABI_MAGIC;
    args->abi_version = WK_ABI_VERSION;
    args->size = sizeof *args;
    args->mode = (uint32_t)q->mode;
    args->flags = q->flags;
    args->content_limit = q->content_limit;
    args->memory_limit = q->memory_limit;
    args->watchdog_seconds = 60;
#define RESOLVE(id, name, required) args->symbols[WK_SYM_##id] = (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, #name);
    WK_SYMBOLS(RESOLVE)
#undef RESOLVE
    snprintf(args->data_path, sizeof args->data_path, "%s", q->data_path);
    snprintf(args->result_path, sizeof args->result_path, "%s", q->result_path);
    snprintf(args->result_temp_path, sizeof args->result_temp_path, "%s.part", q->result_path);
}

static bool
free_threaded(void)
{
    return dlsym(RTLD_DEFAULT, "_Py_DecRefShared") != NULL;
}

static size_t
blob_size(void)
{
    return free_threaded() ? wk_blob_free_threaded_size : wk_blob_size;
}

static void (*entry_of(const struct wk_harness_request *q))(struct wk_args *)
{
    size_t size = blob_size();

    if (!q->use_blob)
        return walker_entry;
    void *code = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED)
        return NULL;
    memcpy(code, free_threaded() ? wk_blob_free_threaded : wk_blob, size);
    mprotect(code, size, PROT_READ | PROT_EXEC);
    return (void (*)(struct wk_args *))(uintptr_t)code;
}

void
wk_harness_ask(struct wk_harness_request *what)
{
    request = what;
}

/* 0: walked, see request->status and wk_harness_result; 1: this is the oracle's child; −1: could not start. */
int
wk_harness_run(void)
{
    struct wk_args *args = mmap(NULL, sizeof *args, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                                0); /* results come back through it */
    pid_t walker = 0, oracle = 0;

    if (args == MAP_FAILED)
        return -1;
    fill(args, request);
    void (*entry)(struct wk_args *) = entry_of(request);
    if (entry == NULL)
        return -1;
    request->status = 0;
    fflush(NULL);
    if (request->mode == WK_MODE_INLINE) {
        if (request->oracle && (oracle = fork()) == 0)
            return 1;
        entry(args);
    } else {
        walker = fork();
        if (walker == 0) {
            entry(args);
            _exit(99);
        }
        if (request->oracle && (oracle = fork()) == 0)
            return 1;
    }
    if (walker > 0) {
        struct rusage usage;
        wait4(walker, &request->status, 0, &usage);
        request->faults = usage.ru_minflt;
    }
    if (oracle > 0)
        waitpid(oracle, NULL, 0);
    last_result = args->result;
    munmap(args, sizeof *args);
    if (request->use_blob)
        munmap((void *)(uintptr_t)entry, blob_size());
    return 0;
}

int
wk_harness_result(struct wk_result *out)
{
    *out = last_result;
    return 0;
}
