# SPDX-License-Identifier: MIT
"""heartbeat.py small|libraries|threads|memory N: looks at the clock all the time; the answer is the longest time (ns) that it did not get to, since the last
answer. It has N extra libraries, threads or MiB of memory in small pages."""
import ctypes
import mmap
import os
import shutil
import tempfile
import threading
import time

import harness

import sys
KIND, COUNT = sys.argv[1], int(sys.argv[2])
MADV_NOHUGEPAGE = 15
longest = 0


def libraries():
    with open('/proc/self/maps', encoding='utf-8', errors='replace') as maps:
        some = next(line.split()[-1] for line in maps if '/libm.so' in line or '/libm-2' in line or '/libz.so' in line)
    with tempfile.TemporaryDirectory() as folder:
        kept = []
        for number in range(COUNT):
            path = os.path.join(folder, 'libextra%d.so' % number)
            shutil.copy(some, path)
            kept.append(ctypes.CDLL(path))
        return kept


def threads():
    ever = threading.Event()
    for _ in range(COUNT):
        threading.Thread(target=ever.wait, daemon=True).start()
    return ever


def memory():
    kept = mmap.mmap(-1, COUNT << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    address = ctypes.addressof(ctypes.c_char.from_buffer(kept))
    ctypes.CDLL(None).madvise(ctypes.c_void_p(address), ctypes.c_size_t(COUNT << 20), MADV_NOHUGEPAGE)
    for at in range(0, COUNT << 20, 4096):
        kept[at] = 1
    return kept


def answer():
    global longest
    found, longest = longest, 0
    return {'longest': found}


def beat(clock=time.perf_counter_ns):
    global longest
    last = clock()
    while True:
        now = clock()
        if now - last > longest:
            longest = now - last
        last = now


kept = globals()[KIND]() if KIND != 'small' else None
harness.answers(answer)
harness.ready()
beat()
