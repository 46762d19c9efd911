# SPDX-License-Identifier: MIT
"""traceable.py: lets any process trace it, as Yama's remedy has it, and sleeps."""
import ctypes
import time

import harness

PR_SET_PTRACER, ANY = 0x59616d61, ctypes.c_ulong(-1)

if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PTRACER, ANY, 0, 0, 0) != 0:
    raise OSError(ctypes.get_errno(), 'prctl')
harness.answers(lambda: {'wrong': 0})
harness.ready()
while True:
    time.sleep(10 ** 6)
