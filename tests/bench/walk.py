#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Walker against gc.collect() in the same process: walk.py wk-harness.so KIND N [ROUNDS]. Prints one line; processor times, best of the rounds."""
import gc
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '../unit/walker')]

import heaps  # noqa: E402
import inprocess  # noqa: E402


def rss():
    with open('/proc/self/statm') as f:
        return int(f.read().split()[1]) * 4096


def main():
    library, kind, n = sys.argv[1], sys.argv[2], int(float(sys.argv[3]))
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    keep = heaps.build(kind, n)
    gc.collect()
    harness = inprocess.Harness(library)
    collect, walk, results = [], [], []
    for _ in range(rounds):
        start = time.process_time()
        gc.collect()
        collect.append(time.process_time() - start)
        results.append(harness.run('/dev/null'))
        walk.append(results[-1]['cpu_us'] / 1e6)
    r = results[-1]
    objects = r['objects']
    print('%-9s %s %9d objects: gc.collect %.3f s, walker %.3f s, ratio %.2f, %.1f Mobj/s, %.0f ns/obj, %.1f B/obj, memory %.1f MB (%.1f %% of RSS), status %d, skipped %d' % (
        kind, sys.version.split()[0], objects, min(collect), min(walk), min(walk) / min(collect), objects / min(walk) / 1e6, min(walk) / objects * 1e9,
        r['bytes'] / objects, r['touched'] / 1e6, 100 * r['touched'] / rss(), r['status'], r['skipped']), flush=True)
    del keep
    os._exit(0 if r['status'] == 0 else 1)


main()
