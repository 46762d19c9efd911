# SPDX-License-Identifier: MIT
"""registers.py LIBRARY general|vector: keeps known values in registers and counts what comes out wrong. registers.py LIBRARY pause|nanosleep|
poll|read|restart: sleeps in one system call, in C, and reports on stdout how each came back (registers.c)."""
import ctypes
import sys

library = ctypes.PyDLL(sys.argv[1])  # keeps the GIL
kind = sys.argv[2]
library.registers_general.restype = library.registers_vector.restype = ctypes.c_long
sys.stdout.write('ready\n')
sys.stdout.flush()
if kind in ('general', 'vector'):
    # No thread of Python ever runs here: one of C waits for the end of stdin and sets the flag.
    handle = ctypes.c_ulong()
    ctypes.CDLL(None).pthread_create(ctypes.byref(handle), None, library.registers_wait, None)
    wrong = getattr(library, 'registers_' + kind)()
    rounds = ctypes.c_long.in_dll(library, 'registers_rounds').value
    print(wrong, rounds)
else:
    library.calls_run(kind.encode(), 1)
