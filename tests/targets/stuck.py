# SPDX-License-Identifier: MIT
"""stuck.py LIBRARY: a thread of it hangs in the kernel (state D), in vfork, until SIGUSR2; the others do not. LIBRARY is stuck.c's."""
import ctypes
import os
import signal
import sys
import threading
import time

import harness

READING, WRITING = os.pipe()


def hang():
    ctypes.CDLL(sys.argv[1]).stuck(READING)


signal.signal(signal.SIGUSR2, lambda *_: os.write(WRITING, b'x'))
thread = threading.Thread(target=hang, daemon=True)
harness.answers(lambda: {'wrong': 0, 'hangs': thread.is_alive()})
thread.start()
harness.ready()
while True:
    time.sleep(10 ** 6)
