// SPDX-License-Identifier: MIT
/*
 * No Python, but with the symbols of one: -DVERSION=0x030d00f0 as Py_Version says it, and of builds -DFREE_THREADED, -DDEBUG. For those that are refused by
 * their symbols and that no machine has.
 */
#include <unistd.h>

const unsigned long Py_Version = VERSION;
long PyType_Type[64], _PyRuntime[64];

const char *Py_GetVersion(void);
const char *
Py_GetVersion(void)
{
    return "?";
}

#ifdef FREE_THREADED
void _Py_DecRefShared(void);
void
_Py_DecRefShared(void)
{
}
#endif

#ifdef DEBUG
void _Py_NegativeRefcount(void);
void
_Py_NegativeRefcount(void)
{
}
#endif

int
main(void)
{
    if (write(1, "r", 1) != 1)
        return 1;
    for (;;)
        pause();
}
