// SPDX-License-Identifier: MIT
/*
 * Runs Python text of ours in a dictionary of its own: neither __main__ nor sys.last_* nor any module of the application is touched, and
 * the dictionary is emptied afterwards so that no cycle of ours waits for the collector.
 */
#include "ep-blob.h"

#define PY_FILE_INPUT 257 /* Py_file_input */

struct api {
    void *(*dict_new)(void);
    int (*dict_set)(void *dict, const char *key, void *value);
    void *(*dict_get)(void *dict, const char *key);
    void (*dict_clear)(void *dict);
    void *(*bytes_from)(const char *text, int64_t size);
    void *(*path_from)(const char *path);
    void *(*get_builtins)(void);
    void *(*run)(const char *text, int start, void *globals, void *locals, void *flags);
    void (*decref)(void *object);
    void (*err_clear)(void);
};

static void
bind(struct api *api, const uint64_t *symbols)
{
    api->dict_new = (void *)symbols[EP_SYM_DICT_NEW];
    api->dict_set = (void *)symbols[EP_SYM_DICT_SET];
    api->dict_get = (void *)symbols[EP_SYM_DICT_GET];
    api->dict_clear = (void *)symbols[EP_SYM_DICT_CLEAR];
    api->bytes_from = (void *)symbols[EP_SYM_BYTES_FROM];
    api->path_from = (void *)symbols[EP_SYM_PATH_FROM];
    api->get_builtins = (void *)symbols[EP_SYM_GET_BUILTINS];
    api->run = (void *)symbols[EP_SYM_RUN_STRING];
    api->decref = (void *)symbols[EP_SYM_DECREF];
    api->err_clear = (void *)symbols[EP_SYM_ERR_CLEAR];
}

/* Consumes value. */
static int
set(const struct api *api, void *globals, const char *key, void *value)
{
    int failed = !value || api->dict_set(globals, key, value);

    if (value)
        api->decref(value);
    return failed;
}

static int
set_payload(const struct api *api, void *globals, const struct ep_args *args)
{
    const char *text = (const char *)args->base + args->payload.offset;

    return set(api, globals, "payload", api->bytes_from(text, (int64_t)args->payload.size)) ||
           set(api, globals, "payload_name", api->path_from(args->payload_name)) ||
           set(api, globals, "output_path", api->path_from(args->output_path)) ||
           set(api, globals, "traceback_path", api->path_from(args->traceback_path)) ||
           set(api, globals, "printed_path", api->path_from(args->printed_path));
}

enum ep_status
ep_run_script(struct ep_args *args, const char *text, int with_payload)
{
    enum ep_status status = EP_ERR_MEMORY;
    struct api api;
    void *globals, *result;

    bind(&api, args->symbols);
    globals = api.dict_new();
    if (!globals)
        goto clear;
    if (api.dict_set(globals, "__builtins__", api.get_builtins()))
        goto drop;
    if (with_payload && set_payload(&api, globals, args))
        goto drop;
    result = api.run(text, PY_FILE_INPUT, globals, globals, 0);
    if (!result)
        status = EP_ERR_PYTHON;
    else if (api.dict_get(globals, "failed"))
        status = EP_ERR_EXCEPTION;
    else
        status = EP_OK;
    if (result)
        api.decref(result);
drop:
    api.err_clear(); /* before the dictionary goes: the traceback holds it */
    api.dict_clear(globals);
    api.decref(globals);
clear:
    api.err_clear();
    return status;
}
