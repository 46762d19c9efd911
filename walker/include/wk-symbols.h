// SPDX-License-Identifier: MIT
#pragma once
/*
 * Symbols of CPython that the walker uses; the injector resolves them from the target's ELF files. X(id, name, required).
 * A required one that is missing means: not a Python that we can dump.
 */
#define WK_SYMBOLS(X)                                                                                                  \
    X(RUNTIME, _PyRuntime, 1)                                                                                          \
    X(GET_VERSION, Py_GetVersion, 1)                                                                                   \
    X(TYPE_TYPE, PyType_Type, 1)                                                                                       \
    X(TYPE_OBJECT, PyBaseObject_Type, 1)                                                                               \
    X(TYPE_LIST, PyList_Type, 1)                                                                                       \
    X(TYPE_TUPLE, PyTuple_Type, 1)                                                                                     \
    X(TYPE_DICT, PyDict_Type, 1)                                                                                       \
    X(TYPE_UNICODE, PyUnicode_Type, 1)                                                                                 \
    X(TYPE_LONG, PyLong_Type, 1)                                                                                       \
    X(TYPE_BYTES, PyBytes_Type, 1)                                                                                     \
    X(TYPE_LOOKUP, _PyType_Lookup, 1)

enum wk_symbol {
#define WK_SYMBOL_ENUM(id, name, required) WK_SYM_##id,
    WK_SYMBOLS(WK_SYMBOL_ENUM)
#undef WK_SYMBOL_ENUM
        WK_SYM_COUNT
};
