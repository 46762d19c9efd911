#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How long a target stands still: as the driver reports it, the fork's share, and the longest gap that a heartbeat inside the target saw in the same dump.
Prints medians; asserts nothing. pause.py [DUMPS]"""
import json
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'e2e'))
from support import interpreters, procstate
from support.folder import Folder
from support.programs import heapanalyze, heapdump, succeeds
from support.target import Target

DUMPS = int(sys.argv[1]) if len(sys.argv) > 1 else 11
KINDS = (('small heap', 'small', 0), ('150 more libraries', 'libraries', 150), ('100 more threads', 'threads', 100),
         ('1 GB resident', 'memory', 1000))


def measure(kind, count, *options):
    rows = []
    with Folder() as folder, Target(interpreters.newest(), 'heartbeat.py', kind, count) as target:
        path = f'{folder}/x.heap'
        for _ in range(DUMPS):
            target.ask()
            succeeds(heapdump(*options, '-q', '-o', path, target.pid))
            gap = target.ask()['longest'] / 1000
            meta = json.loads(heapanalyze('info', '--json', path).text)['meta']
            rows.append((int(meta['pause.us']), int(meta['pause.fork.us']), gap))
        rss = procstate.resident(target.pid)
    return [statistics.median(column) / 1000 for column in zip(*rows)], rss


def main():
    print(f'{interpreters.newest()}, medians of {DUMPS} dumps, ms; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors')
    print(f"{'':24}{'pause':>8}{'fork':>8}{'besides':>9}{'heartbeat':>11}{'fork a GB':>11}")
    for name, kind, count in KINDS:
        (pause, fork, gap), rss = measure(kind, count)
        print(f'{name:24}{pause:8.2f}{fork:8.2f}{pause - fork:9.2f}{gap:11.2f}{fork / (rss / 1e9):11.1f}', flush=True)


main()
