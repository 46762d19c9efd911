# SPDX-License-Identifier: MIT
"""overrun.py: has one object of a type whose tp_traverse calls itself for ever, which Python never does here: nothing is collected."""
import ctypes
import gc
import mmap
import time

import harness

CALL_ITSELF = b'\xe8\xfb\xff\xff\xff'
TP_TRAVERSE = object.__basicsize__ + 168


class Overrun(dict):
    __slots__ = ('x',)


gc.disable()
code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code[:len(CALL_ITSELF)] = CALL_ITSELF
victim = Overrun()
ctypes.c_uint64.from_address(id(Overrun) + TP_TRAVERSE).value = ctypes.addressof(ctypes.c_char.from_buffer(code))
harness.answers(lambda: {'alive': True})
harness.ready(victims=[id(victim)])
while True:
    time.sleep(10 ** 6)
