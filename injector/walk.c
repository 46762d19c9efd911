// SPDX-License-Identifier: MIT
#include "walk.h"
#include <string.h>

/* Inline, the target waits for a reader that stands still. */
enum { WATCHDOG_MIN_S = 30, WATCHDOG_INLINE_S = 3 };

static const struct {
    const char *name;
    gboolean required;
} symbols[WK_SYM_COUNT] = {
#define SYMBOL(id, text, need) [WK_SYM_##id] = {#text, need},
    WK_SYMBOLS(SYMBOL)
#undef SYMBOL
};

static gboolean
put_path(const InjStage *stage, const char *name, char out[WK_PATH_MAX], GError **error)
{
    g_autofree char *path = inj_stage_path(stage, name);

    if (g_strlcpy(out, path, WK_PATH_MAX) < WK_PATH_MAX)
        return TRUE;
    g_set_error(error, INJ_ERROR, INJ_ERROR_FAILED,
                "the path %s is too long: name a shorter folder with --stage-dir DIR", path);
    return FALSE;
}

gboolean
inj_walk_args(InjRun *run, guint32 mode, struct wk_args *args, GError **error)
{
    InjTarget *t = run->target;
    const InjOptions *o = run->options;

    *args = (struct wk_args){
        .magic = WK_ABI_MAGIC,
        .abi_version = WK_ABI_VERSION,
        .size = sizeof *args,
        .mode = mode,
        .flags = (o->redact ? WK_FLAG_REDACT : 0u) | (mode == WK_MODE_INLINE ? WK_FLAG_OWN_THREAD : 0u) |
                 (run->collecting ? WK_FLAG_COLLECTING : 0u),
        .py_version = t->python.major << 8 | t->python.minor,
        .content_limit = o->content,
        .watchdog_seconds = mode == WK_MODE_INLINE ? WATCHDOG_INLINE_S : (guint32)MAX(o->timeout, WATCHDOG_MIN_S),
        .result = {.status = WK_RUNNING},
    };
    for (guint i = 0; i < WK_SYM_COUNT; i++) {
        if (inj_target_symbol(t, symbols[i].name, &args->symbols[i]) || !symbols[i].required)
            continue;
        g_set_error(error, INJ_ERROR, INJ_ERROR_NOT_PYTHON,
                    "process %d (%s) is a Python whose symbol %s is missing: not a build that can be dumped",
                    (int)t->pid, t->comm, symbols[i].name);
        return FALSE;
    }
    return put_path(run->stage, INJ_WALK_DATA, args->data_path, error) &&
           put_path(run->stage, INJ_WALK_RESULT, args->result_path, error) &&
           put_path(run->stage, INJ_WALK_RESULT_TEMP, args->result_temp_path, error);
}
