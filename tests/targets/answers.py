# SPDX-License-Identifier: MIT
"""answers.py LIBRARY: threads that work for ever, each on things of one kind whose answers are known (answers.c, registers.c), and count wrong ones. The answer to
SIGUSR1 says of each kind its thread, its rounds and its wrong answers. The library's calls keep the GIL, so that each is stopped with its registers full."""
import ctypes
import hashlib
import math
import sys
import threading
import time

import harness

library = ctypes.PyDLL(sys.argv[1])
for name in ('answers_sums', 'answers_kernels', 'answers_calls', 'registers_general_rounds', 'registers_vector_rounds'):
    getattr(library, name).restype = ctypes.c_long
    getattr(library, name).argtypes = [ctypes.c_long]

last = (ctypes.c_char * 200).in_dll(library, 'answers_last')
BLOCKS = [bytes([n]) * 2000 for n in range(64)]  # smaller than what hashlib lets go of the GIL for
LARGE = bytes(range(256)) * 256
FLOATS = [n * 0.1 for n in range(2000)]


def digests():
    return [hashlib.sha256(block).digest() for block in BLOCKS], hashlib.sha256(LARGE).digest()


def sums():
    return sum(FLOATS), math.fsum(FLOATS), sum(x * y for x, y in zip(FLOATS, reversed(FLOATS))), sum(map(math.sqrt, FLOATS))


def same(function):
    expected = function()
    return lambda number: function() != expected


KINDS = {
    'SHA-256': same(digests),
    'sums of floats, Python': same(sums),
    'sums of floats, C': lambda number: library.answers_sums(20),
    'vector code': lambda number: library.answers_kernels(200),
    'general registers, flags': lambda number: library.registers_general_rounds(50),
    'vector registers': lambda number: library.registers_vector_rounds(50),
    'system calls, signals': library.answers_calls,
    'system calls, signals 2': library.answers_calls,
}
found = {name: {'thread': 0, 'rounds': 0, 'wrong': 0} for name in KINDS}


def work(name, step):
    own = found[name]
    own['thread'] = threading.get_native_id()
    while True:
        own['wrong'] += int(step(own['rounds']))
        own['rounds'] += 1


sys.setswitchinterval(0.001)
for kind in KINDS.items():
    threading.Thread(target=work, args=kind, daemon=True).start()
while not all(own['rounds'] for own in found.values()):
    time.sleep(0.01)
harness.answers(lambda: {'kinds': found, 'last': last.value.decode(), 'wrong': sum(own['wrong'] for own in found.values()), 'rounds': min(own['rounds'] for own in found.values())})
harness.ready()
while True:
    time.sleep(0.05)
