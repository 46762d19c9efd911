#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Computations with known results run on, right, across many dumps, one after another and at once. HEAPDUMP_ROUNDS says how often (default: enough to
notice, in CI's time)."""
import os
import subprocess

from support import dumps, interpreters, procstate
from support.folder import Folder
from support.programs import HEAPDUMP, heapdump, succeeds
from support.tap import Suite, check, equal
from support.target import Target, wait_for

ROUNDS = int(os.environ.get('HEAPDUMP_ROUNDS', '10'))
suite = Suite()


@suite.case('computations across many dumps')
def _():
    for kind in ('work', 'threads'):
        with Folder() as folder, Target(interpreters.newest(), 'busy.py', kind) as target:
            for _ in range(ROUNDS):
                before = target.ask()['rounds']
                os.unlink(dumps.dump(target, f'{folder}/x.heap'))
                wait_for(lambda: target.ask()['rounds'] > before, 'the target goes on')
            equal(target.ask()['wrong'], 0, 'wrong results')


@suite.case('several dumps at once')
def _():
    with Folder() as folder, Target(interpreters.newest(), 'asyncio-app.py') as target:
        many = [subprocess.Popen([HEAPDUMP, '-q', '-o', f'{folder}/{n}.heap', str(target.pid)], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True) for n in range(4)]
        worked = 0
        for number, process in enumerate(many):
            _, err = process.communicate(timeout=300)
            worked += process.returncode == 0
            check(process.returncode == 0 or len(err.splitlines()) == 1, f'dump {number}: exit {process.returncode}\n{err}')
        check(worked >= 1, 'not one worked')
        equal(len(os.listdir(folder)), worked, 'files')
        equal(target.ask()['wrong'], 0, 'wrong results')


ALWAYS = {'fork': (('sleeper.py', 'epoll'), ('--mode', 'fork')), 'inline': (('sleeper.py', 'lock'), ('--mode', 'inline')),
          'collection': (('sleeper.py', 'asyncio'), ('--gc',)), 'payload': (('sleeper.py', 'select'), ('--payload', 'tasks'))}


def anonymous(pid):
    """Memory of its own: what is read of files, by us too, is not."""
    return next(int(line.split()[1]) for line in procstate.lines(f'/proc/{pid}/status') if line.startswith('RssAnon:')) << 10


def sizes(mappings):
    return [end - start for start, end, _, _ in mappings]


def again_and_again(kind, options):
    """As many dumps as we like leave memory, descriptors, threads and mappings as they were after the first few."""
    with Folder() as folder, Folder() as stage, Target(interpreters.newest(), *kind, environment={'TMPDIR': stage}) as target:
        def dump():
            succeeds(heapdump('-q', *options, '-o', f'{folder}/x.heap', target.pid))
        for _ in range(3):
            dump()
        target.ask()
        before, mapped, own = procstate.State(target.pid), sorted(procstate.mappings(target.pid)), anonymous(target.pid)
        for _ in range(3 * ROUNDS):
            dump()
        procstate.unchanged(before, procstate.State(target.pid))
        # Code of ours that runs in it may make one of pymalloc's arenas due, or a block of malloc's that is a mapping; a copy takes nothing.
        grown = anonymous(target.pid) - own
        check(grown < (64 << 10 if options[-1] == 'fork' else 3 << 19), f'it grew by {grown} bytes')
        if options[-1] == 'fork':
            equal(sorted(procstate.mappings(target.pid)), mapped, 'mappings')
        else:
            check(abs(sum(sizes(procstate.mappings(target.pid))) - sum(sizes(mapped))) < 4 << 20, 'what is mapped')
        equal(target.ask()['wrong'], 0, 'wrong results')
        equal(os.listdir(folder), ['x.heap'], 'files')
        equal(os.listdir(stage), [], 'files in the target\'s folder')


for name, what in ALWAYS.items():
    suite.case(f'{3 * ROUNDS} dumps in a row: {name}', again_and_again, *what)

suite.run()
