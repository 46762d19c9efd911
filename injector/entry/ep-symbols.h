// SPDX-License-Identifier: MIT
#pragma once
/*
 * Functions of the target that the entry payload calls; the driver resolves them from the target's ELF files.
 * X(id, name, needed): needed is what the run cannot do without: a mask of enum ep_need.
 */
enum ep_need {
    EP_NEED_ALWAYS = 1, /* a thread of our own and the GIL */
    EP_NEED_SCRIPT = 2, /* Python text */
};

#define EP_SYMBOLS(X)                                                                                                  \
    X(PTHREAD_CREATE, pthread_create, EP_NEED_ALWAYS)                                                                  \
    X(ATTR_INIT, pthread_attr_init, EP_NEED_ALWAYS)                                                                    \
    X(ATTR_STACK_SIZE, pthread_attr_setstacksize, EP_NEED_ALWAYS)                                                      \
    X(ATTR_DETACH, pthread_attr_setdetachstate, EP_NEED_ALWAYS)                                                        \
    X(ERRNO_LOCATION, __errno_location, EP_NEED_ALWAYS)                                                                \
    X(MUNMAP, munmap, EP_NEED_ALWAYS)                                                                                  \
    X(IS_INITIALIZED, Py_IsInitialized, EP_NEED_ALWAYS)                                                                \
    X(GILSTATE_ENSURE, PyGILState_Ensure, EP_NEED_ALWAYS)                                                              \
    X(GILSTATE_RELEASE, PyGILState_Release, EP_NEED_ALWAYS)                                                            \
    X(DICT_NEW, PyDict_New, EP_NEED_SCRIPT)                                                                            \
    X(DICT_SET, PyDict_SetItemString, EP_NEED_SCRIPT)                                                                  \
    X(DICT_GET, PyDict_GetItemString, EP_NEED_SCRIPT)                                                                  \
    X(DICT_CLEAR, PyDict_Clear, EP_NEED_SCRIPT)                                                                        \
    X(BYTES_FROM, PyBytes_FromStringAndSize, EP_NEED_SCRIPT)                                                           \
    X(PATH_FROM, PyUnicode_DecodeFSDefault, EP_NEED_SCRIPT)                                                            \
    X(GET_BUILTINS, PyEval_GetBuiltins, EP_NEED_SCRIPT)                                                                \
    X(RUN_STRING, PyRun_StringFlags, EP_NEED_SCRIPT)                                                                   \
    X(DECREF, Py_DecRef, EP_NEED_SCRIPT)                                                                               \
    X(ERR_CLEAR, PyErr_Clear, EP_NEED_SCRIPT)

enum ep_symbol {
#define EP_SYMBOL_ENUM(id, name, needed) EP_SYM_##id,
    EP_SYMBOLS(EP_SYMBOL_ENUM)
#undef EP_SYMBOL_ENUM
        EP_SYM_COUNT
};
