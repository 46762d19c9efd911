#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Targets whose threads run with a shadow stack (CET), under which a return that no call belongs to is death: dumped in every way, with faults in the walker,
they answer right afterwards and have it still. Needs a processor and a kernel (Linux 6.6) that have them; `make shadow-stack` emulates both."""
import os
import sys

import registers
from support import dumps, heapfile, interpreters, procstate
from support.folder import Folder
from support.programs import heapdump, succeeds
from support.tap import Suite, check, equal
from support.target import Target

LIBRARY = os.path.join(os.path.abspath(os.environ.get('HEAPDUMP_BUILD', 'build')), 'tests', 'e2e', 'shadow-stack.so')
WITH = {'LD_PRELOAD': LIBRARY}
SLEEPS = ['sleep', 'epoll', 'lock', 'condition', 'read', 'asyncio']
FAULT = 'reading it faulted'

suite = Suite()
interpreter = interpreters.newest()


def protected(target):
    """Every thread of it runs with a shadow stack: or nothing is shown here."""
    for thread in os.listdir(f'/proc/{target.pid}/task'):
        with open(f'/proc/{target.pid}/task/{thread}/status', encoding='utf-8', errors='replace') as status:
            features = [line.split()[1:] for line in status if line.startswith('x86_Thread_features:')]
        equal(features, [['shstk']], f'features of thread {thread}')


def unharmed(target, before):
    equal({**target.ask(), 'rounds': 0}, {**before, 'rounds': 0}, 'answer')
    protected(target)


def asleep(kind, *options):
    with Folder() as folder, Target(interpreter, 'sleeper.py', kind, environment=WITH) as target:
        protected(target)
        if options:  # the first thread that a process starts makes its C library take a signal
            dumps.dump(target, f'{folder}/first.heap', *options)
        before, state = target.ask(), procstate.State(target.pid)
        for number in range(2):
            dump = heapfile.Dump(dumps.dump(target, f'{folder}/{number}.heap', *options))
            equal((dump.end['status'], dump.skipped), (0, []), 'END, skipped')
        procstate.unchanged(state, procstate.State(target.pid))
        unharmed(target, before)


def faults(script, *arguments):
    """The walker leaves many calls at once and goes on; with a stack that lies it could return from none of them."""
    with Folder() as folder, Target(interpreter, script, *arguments, environment=WITH) as target:
        protected(target)
        before = target.ask()
        dump = heapfile.Dump(dumps.dump(target, f'{folder}/x.heap'))
        equal(dump.end['status'], 0, 'END')
        equal(sorted(dump.skipped), sorted((victim, FAULT) for victim in target.facts['victims']), 'skipped')
        unharmed(target, before)


def entered(*options):
    with Folder() as folder, Target(interpreter, 'sleeper.py', 'asyncio', environment=WITH) as target:
        protected(target)
        before = target.ask()
        for number in range(2):
            succeeds(heapdump(*options, '-o', f'{folder}/{number}', target.pid))
        unharmed(target, before)


def busy():
    rows = registers.campaign(interpreter, 10, environment=WITH)
    equal({kind: row[3] for kind, row in rows.items() if row[3]}, {}, 'wrong answers')
    check(all(row[2] for kind, row in rows.items() if kind != 'others'), f'a thread has done nothing: {rows}')


def main():
    with open('/proc/cpuinfo', encoding='utf-8') as info:
        if 'user_shstk' not in info.read().split():
            sys.exit('shadow-stack: this machine offers no program a shadow stack (user_shstk in /proc/cpuinfo); make shadow-stack emulates one that does')
    for kind in SLEEPS:
        suite.case(f'asleep in {kind}', asleep, kind)
    suite.case('asleep in poll, inline', asleep, 'poll', '--mode', 'inline')
    suite.case('a tp_traverse that overruns its stack', faults, 'overrun.py')
    suite.case('objects that cannot be read', faults, 'broken.py')
    suite.case('--gc', entered, '--gc', '--payload', 'tasks')
    suite.case('--payload tasks', entered, '--payload', 'tasks')
    suite.case('threads that work with known answers', busy)
    suite.run()


if __name__ == '__main__':
    main()
