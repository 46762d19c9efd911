// SPDX-License-Identifier: MIT
#include "python.h"
#include <string.h>
#include "error.h"
#include "gil.h"

enum { MINOR_MIN = 8, MINOR_MAX = 15 };

static gboolean
has(InjTarget *t, InjModule *m, const char *name)
{
    guint64 addr;

    return inj_module_symbol(t, m, name, &addr);
}

/* What an interpreter offers since when: the C API grows with every version and each of these names is in all builds since. */
static guint
minor_by_symbols(InjTarget *t, InjModule *m)
{
    static const struct {
        guint minor;
        const char *symbol;
    } since[] = {
        {10, "Py_NewRef"},
        {9, "PyObject_GC_IsTracked"},
        {8, "PyCode_NewWithPosOnlyArgs"},
        {7, "_PyRuntime"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(since); i++) {
        if (has(t, m, since[i].symbol))
            return since[i].minor;
    }
    return 0;
}

static gboolean
looks_like_pypy(const InjTarget *t)
{
    if (strstr(t->exe, "/pypy") != NULL)
        return TRUE;
    for (guint i = 0; i < t->modules->len; i++) {
        const InjModule *m = g_ptr_array_index(t->modules, i);
        if (strstr(m->path, "/libpypy") != NULL)
            return TRUE;
    }
    return FALSE;
}

static gboolean
refuse(const InjTarget *t, GError **error, const char *why)
{
    g_set_error(error, INJ_ERROR, INJ_ERROR_NOT_PYTHON, "process %d (%s) %s", (int)t->pid, t->comm, why);
    return FALSE;
}

gboolean
inj_python_detect(InjTarget *t, GError **error)
{
    InjModule *m = NULL;
    guint64 addr;
    guint32 hex;

    if (looks_like_pypy(t))
        return refuse(t, error, "is PyPy: only CPython 3.8 to 3.15 can be dumped");
    for (guint i = 0; i < t->modules->len && m == NULL; i++) {
        InjModule *k = g_ptr_array_index(t->modules, i);
        if (has(t, k, "Py_GetVersion") && has(t, k, "PyType_Type"))
            m = k;
    }
    if (m == NULL) {
        g_set_error(
            error, INJ_ERROR, INJ_ERROR_NOT_PYTHON,
            "process %d (%s, %s) is not a Python: neither the program nor a library in it has the symbols of CPython",
            (int)t->pid, t->comm, *t->exe ? t->exe : "unknown program");
        return FALSE;
    }
    t->python = (InjPython){.major = 3, .module = m};
    if (inj_module_symbol(t, m, "Py_Version", &addr) && inj_target_read(t, addr, &hex, sizeof hex)) {
        t->python.major = hex >> 24;
        t->python.minor = hex >> 16 & 255;
        t->python.hex = hex;
    } else {
        t->python.minor = minor_by_symbols(t, m);
        t->python.hex = 3u << 24 | t->python.minor << 16;
    }
    if (t->python.minor < MINOR_MIN) {
        gboolean old = has(t, m, "PyString_Type");
        g_autofree char *why =
            old || t->python.minor < 7
                ? g_strdup_printf("is Python %s: only CPython 3.8 to 3.15 can be dumped", !old ? "3.6 or older"
                                                                                          : has(t, m, "PyCapsule_New")
                                                                                              ? "2.7"
                                                                                              : "2")
                : g_strdup_printf("is Python 3.%u: only CPython 3.8 to 3.15 can be dumped", t->python.minor);
        return refuse(t, error, why);
    }
    if (t->python.major != 3 || t->python.minor > MINOR_MAX) {
        g_autofree char *why =
            g_strdup_printf("is Python %u.%u, which is not known yet: only CPython 3.8 to 3.15 can be dumped",
                            t->python.major, t->python.minor);
        return refuse(t, error, why);
    }
    /* PY_VERSION_HEX ends in 0xf0 for final releases; 3.10 and older do not tell, and nobody runs their betas. */
    if ((t->python.hex & 0xff) != 0 && (t->python.hex & 0xf0) != 0xf0)
        return refuse(t, error, "is a pre-release of Python, laid out as no release is: only final ones can be dumped");
    t->python.free_threaded = has(t, m, "_Py_DecRefShared");
    if (inj_gil_facts(t->python.minor, t->python.free_threaded) == NULL) {
        g_autofree char *why =
            g_strdup_printf("is a free-threaded build of Python 3.%u, which is not known yet: of these "
                            "only 3.13 can be dumped",
                            t->python.minor);
        return refuse(t, error, why);
    }
    /* What the walker knows of where things lie in a free-threaded interpreter was read from a release build. */
    if (t->python.free_threaded && has(t, m, "_Py_NegativeRefcount")) {
        g_autofree char *why =
            g_strdup_printf("is a debug build of free-threaded Python 3.%u, laid out as no other is: of these only the "
                            "release build can be dumped",
                            t->python.minor);
        return refuse(t, error, why);
    }
    if (!inj_module_symbol(t, m, "_PyRuntime", &t->python.runtime))
        return refuse(t, error, "is a Python whose state (_PyRuntime) is hidden by its build: it cannot be dumped");
    return TRUE;
}
