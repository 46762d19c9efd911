#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The walker against gc.collect() on heaps of several shapes, in every interpreter of this machine: walker.py wk-harness.so [N,… [KIND…]]
HEAPDUMP_BENCH_SIZES=1e6,5e6,1e7 meson test --benchmark walker: heaps of several sizes, where no N is given; 1e7 takes some GB and minutes a heap.
Goals on a quiet machine, a million objects and more: mix, aged, scrambled, shuffled ≤ 0.40 of gc.collect and ≥ 12 Mobj/s; ints, strs ≤ 40 ns an object; memory ≤ 5 % of RSS."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '../e2e')]

import heaps  # noqa: E402
from support import interpreters  # noqa: E402


def main():
    library = sys.argv[1]
    sizes = sys.argv[2] if len(sys.argv) > 2 else os.environ.get('HEAPDUMP_BENCH_SIZES', '1e6')
    failed = False
    for interpreter in interpreters.dumpable():
        for n in sizes.split(','):
            for kind in sys.argv[3:] or heaps.KINDS:
                failed |= subprocess.run([interpreter.path, os.path.join(HERE, 'walk.py'), library, kind, n], check=False).returncode != 0
    sys.exit(failed)


main()
