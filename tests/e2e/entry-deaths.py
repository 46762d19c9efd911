# SPDX-License-Identifier: MIT
"""GDB or the driver dies at any moment of a live entry: the target lives, is right, and has nothing of ours in it afterwards."""
import os
import random
import signal
import stat
import subprocess
import time

from entry_support import Folder, WRITE, same_answers
from support import interpreters, procstate
from support.programs import HEAPDUMP, PATIENCE
from support.tap import Suite, check, equal
from support.target import Target, state_of, wait_for

suite = Suite()
DEATHS = 60

# Stands in for GDB and becomes it; whoever started it kills it after so many seconds.
KILLED_GDB = '''#!/bin/sh
(sleep {after}; kill -KILL $$) >/dev/null 2>&1 &
exec gdb "$@"
'''


def settle(target, before):
    """What our thread, our guardian and the kernel have still to do is soon done, and then nothing of us is left."""
    end = time.monotonic() + PATIENCE
    while True:
        now = procstate.State(target.pid)
        if not list(procstate.differences(before, now)) or time.monotonic() > end:
            break
        time.sleep(0.01)
    procstate.unchanged(before, now)
    wait_for(lambda: state_of(target.pid) not in 'Tt', 'the target goes on')


def time_of_a_run(folder, target):
    start = time.monotonic()
    folder.done(target)
    return time.monotonic() - start


def gdb_dies():
    with Folder() as folder, Target(interpreters.newest(), 'entered.py', 'deadlines') as target:
        longest = max(time_of_a_run(folder, target) for _ in range(3))
        before, answer = settled_state(folder, target)
        outcomes = {}
        choose = random.Random(1)
        for _ in range(DEATHS):
            gdb = folder.file('gdb', KILLED_GDB.format(after='%.4f' % choose.uniform(0, longest)))
            os.chmod(gdb, stat.S_IRWXU)
            result = folder.run(target, WRITE, '--gdb', gdb, '--timeout', '20')
            outcomes[result.code] = outcomes.get(result.code, 0) + 1
            check(result.code in (0, 1), result)
            check_well(target, answer)
        print(f'# exit codes: {outcomes}')
        check(outcomes.get(1), f'no death hit: {outcomes}')
        settle(target, before)
        folder.done(target)


def settled_state(folder, target):
    folder.done(target)
    return procstate.State(target.pid), target.ask()


def check_well(target, answer):
    now = target.ask()
    same_answers(answer, now, 'counts')
    equal(now['counts']['early'], 0, f'waits that ended early, of {now["counts"]}')


def driver_dies(number):
    with Folder() as folder, Folder() as stages, \
            Target(interpreters.newest(), 'entered.py', 'deadlines', environment={'TMPDIR': stages.folder.name}) as target:
        longest = max(time_of_a_run(folder, target) for _ in range(3))
        before, answer = settled_state(folder, target)
        choose = random.Random(2)
        payload = folder.file('payload.py', WRITE)
        for _ in range(DEATHS // 3):
            process = subprocess.Popen([HEAPDUMP, '--payload', payload, '-o', folder.path('out'), str(target.pid)],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                process.communicate(timeout=choose.uniform(0, longest))
            except subprocess.TimeoutExpired:
                process.send_signal(number)
                process.communicate()
            check_well(target, answer)
            settle(target, before)
            wait_for(lambda: not os.listdir(stages.folder.name), 'no stage is left')
        folder.done(target)


suite.case(f'GDB is killed at {DEATHS} moments', gdb_dies)
suite.case('the driver is killed', driver_dies, signal.SIGKILL)
suite.case('the driver is interrupted', driver_dies, signal.SIGINT)
suite.case('the driver is told to end', driver_dies, signal.SIGTERM)
suite.run()
