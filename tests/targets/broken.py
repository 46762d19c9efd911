# SPDX-License-Identifier: MIT
"""broken.py: has objects that nobody can read: lists, each in a list, whose items stand on a page that is not there."""
import ctypes
import gc
import time

import harness

ITEMS = object.__basicsize__ + 8  # ob_item of a list
NOWHERE = 0x1000

gc.disable()
victims = [[number] for number in range(20)]
for victim in victims:
    ctypes.c_uint64.from_address(id(victim) + ITEMS).value = NOWHERE
harness.answers(lambda: {'alive': True})
harness.ready(victims=[id(victim) for victim in victims])
while True:
    time.sleep(10 ** 6)
