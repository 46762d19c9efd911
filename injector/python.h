// SPDX-License-Identifier: MIT
#pragma once
/* Is the target a CPython, of which version, and can it be dumped. */
#include "target.h"

/* Fills t->python. INJ_ERROR_NOT_PYTHON with the reason: no interpreter, PyPy, version or build not known. */
gboolean inj_python_detect(InjTarget *t, GError **error);
