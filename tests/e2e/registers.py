#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Dumps one process again and again whose threads do nothing but work with known answers: hashes, sums, vector code, full registers, system calls that signals end,
begin again or run out of time. Prints for each kind how many dumps led its thread into the stub, its rounds and its wrong answers, of which there must be none."""
import argparse
import os
import re
import sys
import time

from support import interpreters, procstate
from support.folder import Folder
from support.programs import heapanalyze, heapdump, succeeds
from support.tap import Suite, check, equal
from support.target import Target, wait_for

LIBRARY = os.path.join(os.path.abspath(os.environ.get('HEAPDUMP_BUILD', 'build')), 'tests', 'e2e', 'registers.so')
KEPT_FREE = 48 << 20  # what the target may grow by: its own work


def entered(result, threads):
    """The thread that made the copy, and whether it was in a system call then. GDB numbers threads as the kernel lists them."""
    lines = re.findall(r'^HD thread (\d+) (-?\d+)', result.err, re.M)
    check(lines, f'it does not say which thread was entered\n{result}')
    return threads[max(int(lines[-1][0]) - 1, 0)], int(lines[-1][1]) >= 0


def campaign(interpreter, rounds, watch=lambda done, answer: None, environment=None):
    """Returns kind → dumps, those of them in a system call, rounds, wrong answers."""
    hits = {}
    with Folder() as folder, Folder() as stage, Target(interpreter, 'answers.py', LIBRARY, environment={**(environment or {}), 'TMPDIR': stage}) as target:
        facts = procstate.State(target.pid)
        mappings = [m for m in procstate.mappings(target.pid) if m[3].startswith('/')]
        threads = [int(t) for t in os.listdir(f'/proc/{target.pid}/task')]
        for number in range(1, rounds + 1):
            result = succeeds(heapdump('-v', '--mode', 'fork', '-o', f'{folder}/x.heap', target.pid))
            thread, in_call = entered(result, threads)
            seen = hits.setdefault(thread, [0, 0])
            seen[0] += 1
            seen[1] += in_call
            if number % 100 == 0 or number == rounds:
                succeeds(heapanalyze('info', f'{folder}/x.heap'))
                answer = target.ask()
                watch(number, answer)
                check(not answer['wrong'], f"wrong answers: {answer['last']!r}, {answer['kinds']}")
        after = target.ask()
        wait_for(lambda: target.ask()['rounds'] > after['rounds'], 'every thread goes on')
        now = procstate.State(target.pid)
        for name in ('descriptors', 'SigCgt', 'SigIgn', 'Threads', 'children', 'limits'):
            equal(now.facts[name], facts.facts[name], name)
        equal([m for m in procstate.mappings(target.pid) if m[3].startswith('/')], mappings, 'mappings of files')
        check(now.resident - facts.resident < KEPT_FREE, f'it grew from {facts.resident} to {now.resident} bytes')
        answer = target.ask()
    rows = {kind: (*hits.pop(own['thread'], (0, 0)), own['rounds'], own['wrong']) for kind, own in answer['kinds'].items()}
    rows['others'] = (sum(h[0] for h in hits.values()), sum(h[1] for h in hits.values()), 0, 0)
    return rows


def short(rounds):
    """For CI. So many dumps that not to save one register would be seen."""
    suite = Suite()

    @suite.case(f'{rounds} dumps of one process that works with known answers')
    def _():
        rows = campaign(interpreters.newest(), rounds)
        equal({kind: row[3] for kind, row in rows.items() if row[3]}, {}, 'wrong answers')
        check(sum(row[0] for row in rows.values()) == rounds, f'dumps: {rows}')
        print('# ' + ', '.join(f'{kind} {row[0]}' for kind, row in rows.items()))
    sys.argv[1:] = []
    suite.run()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=2000, help='dumps (2000)')
    parser.add_argument('--versions', default='', help='parts of names of interpreters, comma-separated (the newest)')
    parser.add_argument('--tap', action='store_true', help='report as TAP')
    options = parser.parse_args()
    if options.tap:
        short(options.rounds)
    parts = [w for w in options.versions.split(',') if w]
    for python in [i for i in interpreters.loading() if any(w in str(i) for w in parts)] or [interpreters.newest()]:
        start = time.monotonic()
        print(f'{python}, {options.rounds} dumps of one process', flush=True)
        rows = campaign(python, options.rounds, lambda done, a: print(f"\r{done} dumps, {a['wrong']} wrong answers ", end='', file=sys.stderr, flush=True))
        print(f"\r{'thread entered':28}{'dumps':>8}{'in a call':>11}{'rounds':>12}{'wrong':>7}")
        for kind, row in rows.items():
            print(f'{kind:28}{row[0]:8}{row[1]:11}{row[2]:12}{row[3]:7}')
        print(f"{'together':28}" + ''.join(f'{sum(c):{w}}' for c, w in zip(zip(*rows.values()), (8, 11, 12, 7))) + f', in {time.monotonic() - start:.0f} s', flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
