#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a user waits for: the dump of a program with a million objects, and `heapanalyze top` of it. Prints a table; asserts nothing."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'e2e'))
from support import interpreters, procstate
from support.folder import Folder
from support.programs import HEAPANALYZE, HEAPDUMP, heapanalyze
from support.target import Target

OBJECTS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
REPEATS = 3


def measured(command):
    """Wall seconds, CPU seconds and peak resident bytes of one run, which must succeed."""
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(null, number)
        os.execv(command[0], command)
    _, status, used = os.wait4(child, 0)
    if status:
        sys.exit(f'{command} failed')
    return time.monotonic() - start, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def best(command):
    return min(measured(command) for _ in range(REPEATS))


def main():
    interpreter = interpreters.newest()
    with Folder() as folder, Target(interpreter, 'bigheap.py', OBJECTS) as target:
        path = f'{folder}/big.heap.zst'
        rows = [('heapdump-gdb', *best([HEAPDUMP, '-o', path, str(target.pid)]))]
        size, rss = os.path.getsize(path), procstate.resident(target.pid)
        for command in (['top'], ['top', '--sort', 'retained'], ['types'], ['top', '--show-parents', '--top-allocations', '10']):
            rows.append(('heapanalyze ' + ' '.join(command), *best([HEAPANALYZE, *command, path])))
        facts = json.loads(heapanalyze('info', '--json', path).text)
    print(f'{interpreter}: target of {rss / 1e6:.0f} MB resident, dump of {size / 1e6:.1f} MB, best of {REPEATS}')
    for key in ('objects', 'references', 'pause.us', 'pause.fork.us', 'walk.us', 'walk.cpu.us', 'walk.memory'):
        print(f'  {key}: {find(facts, key)}')
    print(f"{'':48}{'wall s':>8}{'CPU s':>8}{'peak MB':>9}")
    for name, wall, cpu, peak in rows:
        print(f'{name:48}{wall:8.2f}{cpu:8.2f}{peak / 1e6:9.0f}')


def find(facts, key):
    """The value under a key, however deep it stands."""
    if isinstance(facts, dict):
        if key in facts:
            return facts[key]
        return next((found for value in facts.values() if (found := find(value, key)) is not None), None)
    return None


main()
