#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Dumps targets in every state that we know, with every interpreter on this machine, and prints how it ended: state × Python → attempts, ok,
refused, harmed. Exit code 0 when nothing was harmed and everything went as it should."""
import argparse
import os
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import cell as cells
from states import STATES
from support import interpreters
from support.programs import HEAPDUMP

MUST_WORK = os.environ.get('HEAPDUMP_MUST_WORK') == '1'


def version(interpreter):
    short = '.'.join(map(str, interpreter.version[:2]))
    return short + (' sys' if interpreter.path.startswith('/usr/bin/') else '')


class Table:
    """Grows line by line, one a state, so that a long run can be watched."""

    def __init__(self, columns, width, way):
        self.columns, self.width, self.way = columns, width, way
        self.total = dict.fromkeys(('ok', 'refused', 'bad', 'harmed'), 0)
        self.notes = []
        self.wrong = 0

    def head(self, attempts):
        print(f'attempts a cell: {attempts}; way: {self.way}; each entry: ok/refused/harmed, ! what is not as it should be, - not tried')
        print(' ' * self.width + ''.join(f'{version(i):>10}' for i in self.columns), flush=True)

    def row(self, state, function):
        print(f'{state.name:{self.width}}', end='', flush=True)
        for interpreter in self.columns:
            try:
                result = function(state, interpreter)
            except Exception:  # unforeseen: this cell's, not the table's
                result = cells.Cell()
                result.bad = 1
                result.note('\n'.join(traceback.format_exc().splitlines()[-4:]))
            print(f'{self.entry(state, result):>10}', end='', flush=True)
            for note in result.notes:
                self.notes.append(f'{state.name} · {interpreter}: {note}')
        print(flush=True)

    def entry(self, state, result):
        if result.skipped:
            return '-'
        for name in self.total:
            self.total[name] += getattr(result, name)
        may = state.refused or (self.way != 'fork' and state.may_refuse)
        wrong = result.bad or result.harmed or (result.refused and not may) or (result.ok and state.refused)
        self.wrong += bool(wrong)
        return f"{result.ok}/{result.refused}/{result.harmed}{'!' if wrong else ''}"

    def end(self, seconds):
        print('\ntotal: ' + ', '.join(f'{number} {name}' for name, number in self.total.items()) + f' in {seconds:.0f} s')
        if self.notes:
            print('\nwhat was said:')
            for note in dict.fromkeys(self.notes):
                print('  ' + note.replace('\n', '\n    '))


def tap(columns, states, attempts, way):
    pairs = [(s, i) for s in states for i in columns]
    failures = 0
    print(f'1..{len(pairs)}', flush=True)
    for number, (state, interpreter) in enumerate(pairs, 1):
        result = cells.run(state, interpreter, attempts, way)
        right = result.refused if state.refused else result.ok
        good = bool(result.skipped) or right == attempts
        failures += not good
        # what an interpreter of this version or origin cannot have is not a skip
        print(f"{'ok' if good else 'not ok'} {number} - {state.name} · {interpreter}{' (does not apply)' if result.skipped else ''}")
        for note in [] if good else result.notes:
            print('\n'.join('# ' + line for line in note.splitlines()), flush=True)
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--attempts', type=int, default=20, help='a cell (20)')
    parser.add_argument('--versions', default='', help='parts of names of interpreters, comma-separated (all); "newest" is one')
    parser.add_argument('--states', default='', help='parts of names of states, comma-separated (all)')
    parser.add_argument('--way', choices=cells.WAYS, default='fork', help='of dumping: in a copy (fork), or in the target itself')
    parser.add_argument('--list', action='store_true', help='name the states and interpreters, try nothing')
    parser.add_argument('--tap', action='store_true', help='report as TAP')
    options = parser.parse_args()
    words = [w.strip() for w in options.versions.split(',') if w.strip()]
    columns = [i for i in interpreters.dumpable()
               if not words or any(w in str(i) for w in words) or ('newest' in words and i is interpreters.newest())]
    words = [w.strip() for w in options.states.split(',') if w.strip()]
    states = [s for s in STATES if not words or any(w in s.name for w in words)]
    if not os.path.exists(HEAPDUMP):
        sys.exit(f'{HEAPDUMP} is not there: build first, and name the build folder in HEAPDUMP_BUILD')
    if not columns or not states:
        sys.exit('there is nothing to try')
    if options.list:
        print('\n'.join([*map(str, columns), *(s.name for s in states)]))
        return 0
    if options.tap:
        return tap(columns, states, options.attempts, options.way)
    table, start = Table(columns, 2 + max(len(s.name) for s in states), options.way), time.monotonic()
    table.head(options.attempts)
    for state in states:
        table.row(state, lambda s, i: cells.run(s, i, options.attempts, options.way))
    table.end(time.monotonic() - start)
    return 1 if table.wrong else 0


if __name__ == '__main__':
    sys.exit(main())
