# SPDX-License-Identifier: MIT
"""collecting.py LIBRARY CALL: collects garbage when a byte comes to its standard input, and stands in the middle of that, at the CALL-th look at one
object, from when it writes {} until another byte comes. 1: the collector counts references; 2: it has begun to set aside what nobody seems to hold. LIBRARY is collecting.c's."""
import collections
import ctypes
import gc
import os
import sys

import harness

TP_TRAVERSE = 184  # offset in PyTypeObject, on every version on 64 bits


class Kept:
    def __init__(self, number):
        self.number = number


class Lost:
    def __init__(self):
        self.me = self


def arm():
    slot = ctypes.c_void_p.from_address(id(collections.deque) + TP_TRAVERSE)
    library = ctypes.CDLL(sys.argv[1])
    library.wait_at(ctypes.c_void_p(slot.value), ctypes.c_void_p(id(waits)), int(sys.argv[2]))
    slot.value = ctypes.cast(library.waiting_traverse, ctypes.c_void_p).value


gc.disable()
kept = [[Kept(n)] for n in range(20000)]
waits = collections.deque([kept])
more = [[Kept(n)] for n in range(20000)]
gc.collect()
lost = [Lost() for n in range(100)]
del lost
harness.answers(dict)
harness.ready(waits=id(waits), kept=2 * 20000, lost=100)
while not os.read(0, 1):
    pass
arm()
found = gc.collect()
harness.say(wrong=sum(row[0].number != n for rows in (kept, more) for n, row in enumerate(rows)), found=found)
