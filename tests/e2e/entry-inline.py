# SPDX-License-Identifier: MIT
"""--mode inline: the walk in the live target, whoever reads it, and however."""
import os
import random
import signal
import subprocess
import time

from entry_support import Folder, same_answers
from support import dumps, heapfile, interpreters, procstate
from support.programs import HEAPDUMP, heapanalyze, heapdump, succeeds
from support.tap import Suite, check, equal
from support.target import Target, wait_for

suite = Suite()
DEATHS = 20
WALKS = 40


def header(path):
    lines = succeeds(heapanalyze('info', path)).text.splitlines()
    return dict(line.split(None, 1) for line in lines if len(line.split(None, 1)) == 2)


def whole(interpreter, kind, *options):
    with Folder() as folder, Target(interpreter, *kind) as target:
        before = target.ask()
        succeeds(heapdump('--mode', 'inline', *options, '-o', folder.path('warm.heap'), target.pid))
        state = procstate.State(target.pid)
        result = succeeds(heapdump('--mode', 'inline', *options, '-o', folder.path('x.heap'), target.pid))
        check('will stand still for about' in result.err, f'the pause is not said beforehand:\n{result}')
        check(' ms for the walk inside it' in result.err, f'the pause is not said afterwards:\n{result}')
        found = header(folder.path('x.heap'))
        equal((found['mode'], found['complete']), ('inline', 'yes'), 'mode, complete')
        same_answers(before, target.ask(), 'rounds')
        if kind[0] != 'busy.py':
            procstate.unchanged(state, procstate.State(target.pid))


def threads_at_work():
    """Their evaluation stacks hold what was there once: it must be told from what is, for here a fault is the target's."""
    with Folder() as folder, Target(interpreters.newest(), 'busy.py', 'threads', '4') as target:
        for _ in range(WALKS):
            dumps.dump(target, folder.path('x.heap'), '--mode', 'inline')
        equal(target.ask()['wrong'], 0, 'wrong results')


def as_the_fork(interpreter):
    """The same heap, walked both ways, is the same: nothing of the thread that walks is in it."""
    with Folder() as folder, Target(interpreter, 'sleeper.py', 'asyncio') as target:
        dumps.dump(target, folder.path('warm.heap'), '--mode', 'inline')
        found = []
        for mode in ('fork', 'inline'):
            found.append(heapfile.Dump(dumps.dump(target, folder.path(f'{mode}.heap'), '--mode', mode)))
        fork, inline = found
        equal(inline.objects.keys() ^ fork.objects.keys(), set(), 'objects of one dump alone')
        for address, o in fork.objects.items():
            equal(inline.objects[address].refcount, o.refcount, f'references of a {o.type.name}')
        equal([t['ident'] for t in inline.threads], [t['ident'] for t in fork.threads], 'threads')
        equal(len(inline.roots), len(fork.roots), 'roots')


def reader_stands_still():
    """Nobody takes the dump: the target waits some seconds, no longer."""
    with Folder() as folder, Target(interpreters.newest(), 'bigheap.py', 200000) as target:
        before = target.ask()
        process = subprocess.Popen([HEAPDUMP, '--mode', 'inline', '-o', '-', str(target.pid)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for(lambda: 'heapdump-gdb' in names(target.pid), 'our thread runs in the target')
        same_answers(before, target.ask())
        wait_for(lambda: 'heapdump-gdb' not in names(target.pid), 'our thread has ended')
        out, err = process.communicate()
        equal(process.returncode, 1, f'{err}\nexit code')
        check(len(out) > 0, 'nothing was written')
        dumps.dump(target, folder.path('x.heap'), '--mode', 'inline')


def names(pid):
    found = []
    for thread in os.listdir(f'/proc/{pid}/task'):
        try:
            found += procstate.lines(f'/proc/{pid}/task/{thread}/comm')
        except OSError:
            pass
    return found


def driver_dies(number):
    chance = random.Random(number)
    with Folder() as folder, Target(interpreters.newest(), 'bigheap.py', 100000) as target:
        before = target.ask()
        start = time.monotonic()
        dumps.dump(target, folder.path('x.heap'), '--mode', 'inline')
        length = time.monotonic() - start
        state = procstate.State(target.pid)
        for _ in range(DEATHS):
            process = subprocess.Popen([HEAPDUMP, '--mode', 'inline', '-o', folder.path('x.heap'), str(target.pid)],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(chance.uniform(0, length))
            except subprocess.TimeoutExpired:
                process.send_signal(number)
                process.wait()
            same_answers(before, target.ask())
            wait_for(lambda: not list(procstate.differences(state, procstate.State(target.pid))), 'nothing of us is left')
        dumps.dump(target, folder.path('x.heap'), '--mode', 'inline')


for found_interpreter in interpreters.dumpable():
    suite.case(f'asleep: {found_interpreter}', whole, found_interpreter, ('sleeper.py', 'epoll'))
    suite.case(f'at work, after a collection: {found_interpreter}', whole, found_interpreter, ('busy.py', 'work'), '--gc')
    suite.case(f'the same objects as the fork: {found_interpreter}', as_the_fork, found_interpreter)
suite.case(f'four threads at work, {WALKS} times', threads_at_work)
suite.case('the reader stands still', reader_stands_still)
suite.case('the driver is killed', driver_dies, signal.SIGKILL)
suite.case('the driver is interrupted', driver_dies, signal.SIGINT)
suite.run()
