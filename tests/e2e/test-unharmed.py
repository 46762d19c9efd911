#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Computations with known results run on, right, across many dumps, one after another and at once. HEAPDUMP_ROUNDS says how often (default: enough to
notice, in CI's time)."""
import os
import subprocess

from support import dumps, interpreters
from support.folder import Folder
from support.programs import HEAPDUMP
from support.tap import Suite, check, equal
from support.target import Target, wait_for

ROUNDS = int(os.environ.get('HEAPDUMP_ROUNDS', '15'))
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


suite.run()
