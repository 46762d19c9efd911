#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Computations with known results run on, right, across many dumps; and whoever dies, at whatever moment, the target lives, answers
right, and has nothing of ours left. HEAPDUMP_ROUNDS says how often (default: enough to notice, in CI's time)."""
import os
import random
import signal
import subprocess
import time
import uuid

from support import dumps, interpreters, procstate
from support.folder import Folder, empty
from support.programs import HEAPDUMP, heapanalyze, heapdump, succeeds
from support.tap import Suite, check, equal
from support.target import Target, state_of, wait_for

ROUNDS = int(os.environ.get('HEAPDUMP_ROUNDS', '15'))
SEED = int(os.environ.get('HEAPDUMP_SEED') or random.SystemRandom().randrange(10 ** 6))
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


class Ours:
    """The processes of one run of ours, known by a mark in their environment."""

    def __init__(self, *arguments, **options):
        self.mark = f'HEAPDUMP_TEST_MARK={uuid.uuid4()}'
        name, value = self.mark.split('=')
        self.process = subprocess.Popen([HEAPDUMP, *map(str, arguments)], env={**os.environ, name: value},
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)

    def others(self):
        """pid → name of all that it started and that still run."""
        found = {}
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{pid}/environ', 'rb') as file:
                    if self.mark.encode() in file.read().split(b'\0') and int(pid) != self.process.pid:
                        found[int(pid)] = procstate.lines(f'/proc/{pid}/comm')[0]
            except (OSError, IndexError):
                continue
        return found

    def gdb(self):
        return next((pid for pid, name in self.others().items() if name == 'gdb'), None)


def dies(victim, number, kind):
    chance = random.Random(f'{SEED} {victim} {number}')
    with Folder() as folder, Folder() as stage, Target(interpreters.newest(), *kind, environment={'TMPDIR': stage}) as target:
        target.ask()
        start = time.monotonic()
        dumps.dump(target, f'{folder}/x.heap')
        length = time.monotonic() - start
        os.unlink(f'{folder}/x.heap')
        wait_for(lambda: not procstate.children(target.pid), 'our copy of the target has ended')
        before = procstate.State(target.pid)
        for attempt in range(ROUNDS):
            ours = Ours('-o', f'{folder}/x.heap', target.pid)
            delay = chance.uniform(0, 1.2 * length)
            what = f'attempt {attempt} (seed {SEED}): {signal.Signals(number).name} to {victim} after {delay * 1000:.0f} ms'
            try:
                _, err = ours.process.communicate(timeout=delay)
            except subprocess.TimeoutExpired:
                pid = ours.process.pid if victim == 'the driver' else ours.gdb()
                if pid:
                    try:
                        os.kill(pid, number)
                    except ProcessLookupError:
                        pass
                _, err = ours.process.communicate(timeout=120)
            code = ours.process.returncode
            wait_for(lambda: not ours.others(), f'what we started has ended; {what}')
            wait_for(lambda: not procstate.children(target.pid), f'our copy of the target has ended; {what}')
            wait_for(lambda: state_of(target.pid) not in 'Tt', f'the target goes on; {what}')
            check(target.alive(), f'the target is dead; {what}')
            equal(target.ask()['wrong'], 0, f'wrong results; {what}')
            procstate.unchanged(before, procstate.State(target.pid), growth=32 << 20)
            # what stands under the final name is whole: a SIGKILL of the driver may leave a temporary file, nothing else does
            names = os.listdir(folder)
            if 'x.heap' in names:
                succeeds(heapanalyze('info', f'{folder}/x.heap'))
            else:
                check(code != 0, f'no dump; {what}; {err}')
            check(len(names) <= 1 and (not names or names == ['x.heap'] or code == -signal.SIGKILL), f'files {names}; {what}')
            for name in names:
                os.unlink(f'{folder}/{name}')
        heapdump('-o', f'{folder}/x.heap', target.pid)
        check(os.path.exists(f'{folder}/x.heap'), 'the next dump does not work')
        empty(stage, 'files left where the target keeps its own')


for name, kind in {'asleep': ('sleeper.py', 'epoll'), 'at work': ('busy.py', 'work')}.items():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        suite.case(f'{number.name} to the driver, target {name}', dies, 'the driver', number, kind)
    for number in (signal.SIGKILL, signal.SIGTERM):
        suite.case(f'{number.name} to GDB, target {name}', dies, 'GDB', number, kind)

suite.run()
