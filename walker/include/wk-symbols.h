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
    X(TYPE_SET, PySet_Type, 0)                                                                                         \
    X(TYPE_FROZENSET, PyFrozenSet_Type, 0)                                                                             \
    X(TYPE_BYTEARRAY, PyByteArray_Type, 0)                                                                             \
    X(TYPE_FLOAT, PyFloat_Type, 0)                                                                                     \
    X(TYPE_COMPLEX, PyComplex_Type, 0)                                                                                 \
    X(TYPE_BOOL, PyBool_Type, 0)                                                                                       \
    X(TYPE_NONE, _PyNone_Type, 0)                                                                                      \
    X(TYPE_MODULE, PyModule_Type, 0)                                                                                   \
    X(TYPE_FUNCTION, PyFunction_Type, 0)                                                                               \
    X(TYPE_METHOD, PyMethod_Type, 0)                                                                                   \
    X(TYPE_INSTANCE_METHOD, PyInstanceMethod_Type, 0)                                                                  \
    X(TYPE_CFUNCTION, PyCFunction_Type, 0)                                                                             \
    X(TYPE_CODE, PyCode_Type, 0)                                                                                       \
    X(TYPE_FRAME, PyFrame_Type, 0)                                                                                     \
    X(TYPE_GEN, PyGen_Type, 0)                                                                                         \
    X(TYPE_CORO, PyCoro_Type, 0)                                                                                       \
    X(TYPE_CORO_WRAPPER, _PyCoroWrapper_Type, 0)                                                                       \
    X(TYPE_ASYNC_GEN, PyAsyncGen_Type, 0)                                                                              \
    X(TYPE_ASYNC_GEN_ASEND, _PyAsyncGenASend_Type, 0)                                                                  \
    X(TYPE_CELL, PyCell_Type, 0)                                                                                       \
    X(TYPE_PROPERTY, PyProperty_Type, 0)                                                                               \
    X(TYPE_STATICMETHOD, PyStaticMethod_Type, 0)                                                                       \
    X(TYPE_CLASSMETHOD, PyClassMethod_Type, 0)                                                                         \
    X(TYPE_SUPER, PySuper_Type, 0)                                                                                     \
    X(TYPE_SLICE, PySlice_Type, 0)                                                                                     \
    X(TYPE_RANGE, PyRange_Type, 0)                                                                                     \
    X(TYPE_MEMORYVIEW, PyMemoryView_Type, 0)                                                                           \
    X(TYPE_DICT_PROXY, PyDictProxy_Type, 0)                                                                            \
    X(TYPE_ODICT, PyODict_Type, 0)                                                                                     \
    X(TYPE_TRACEBACK, PyTraceBack_Type, 0)                                                                             \
    X(TYPE_CAPSULE, PyCapsule_Type, 0)                                                                                 \
    X(TYPE_CONTEXT, PyContext_Type, 0)                                                                                 \
    X(TYPE_CONTEXT_VAR, PyContextVar_Type, 0)                                                                          \
    X(TYPE_CONTEXT_TOKEN, PyContextToken_Type, 0)                                                                      \
    X(TYPE_METHOD_DESCR, PyMethodDescr_Type, 0)                                                                        \
    X(TYPE_MEMBER_DESCR, PyMemberDescr_Type, 0)                                                                        \
    X(TYPE_GETSET_DESCR, PyGetSetDescr_Type, 0)                                                                        \
    X(TYPE_WRAPPER_DESCR, PyWrapperDescr_Type, 0)                                                                      \
    X(TYPE_CLASSMETHOD_DESCR, PyClassMethodDescr_Type, 0)                                                              \
    X(TYPE_WEAKREF, _PyWeakref_RefType, 0)                                                                             \
    X(TYPE_WEAKPROXY, _PyWeakref_ProxyType, 0)                                                                         \
    X(TYPE_WEAKCALLABLE, _PyWeakref_CallableProxyType, 0)                                                              \
    X(TYPE_NAMESPACE, _PyNamespace_Type, 0)                                                                            \
    X(TYPE_BASE_EXCEPTION, PyExc_BaseException, 0)                                                                     \
    X(NONE, _Py_NoneStruct, 0)                                                                                         \
    X(FRAME_LINE, PyFrame_GetLineNumber, 0)                                                                            \
    X(CODE_ADDR2LINE, PyCode_Addr2Line, 0)                                                                             \
    X(STACK_EFFECT, PyCompile_OpcodeStackEffectWithJump, 0)                                                            \
    X(TYPE_GET_DICT, PyType_GetDict, 0)                                                                                \
    X(MEM_SET_ALLOCATOR, PyMem_SetAllocator, 0)                                                                        \
    X(ARENA_SET_ALLOCATOR, PyObject_SetArenaAllocator, 0)                                                              \
    X(ERR_CLEAR, PyErr_Clear, 0)                                                                                       \
    X(THREAD_SWAP, PyThreadState_Swap, 0)                                                                              \
    X(THREAD_UNCHECKED, PyThreadState_GetUnchecked, 0)                                                                 \
    X(THREAD_UNCHECKED_OLD, _PyThreadState_UncheckedGet, 0)                                                            \
    X(DEC_REF, Py_DecRef, 0)                                                                                           \
    X(GC_VISIT, PyUnstable_GC_VisitObjects, 0)                                                                         \
    X(DEBUG_BUILD, _Py_NegativeRefcount, 0)                                                                            \
    X(DEBUG_BUILD_OLD, _Py_RefTotal, 0)

enum wk_symbol {
#define WK_SYMBOL_ENUM(id, name, required) WK_SYM_##id,
    WK_SYMBOLS(WK_SYMBOL_ENUM)
#undef WK_SYMBOL_ENUM
        WK_SYM_COUNT
};
