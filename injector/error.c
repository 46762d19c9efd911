// SPDX-License-Identifier: MIT
#include "error.h"

G_DEFINE_QUARK(inj - error - quark, inj_error)

int
inj_error_exit_code(const GError *error)
{
    if (error == NULL || error->domain != INJ_ERROR)
        return 1;
    switch ((InjError)error->code) {
    case INJ_ERROR_USAGE:
        return 2;
    case INJ_ERROR_TIMEOUT:
        return 3;
    case INJ_ERROR_PERMISSION:
        return 4;
    case INJ_ERROR_NOT_PYTHON:
        return 5;
    case INJ_ERROR_INTERRUPTED:
        return 130;
    case INJ_ERROR_FAILED:
    case INJ_ERROR_INCONSISTENT:
    case INJ_ERROR_FORK_REFUSED:
        break;
    }
    return 1;
}
