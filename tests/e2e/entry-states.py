# SPDX-License-Identifier: MIT
"""The live target is entered whatever it does: asleep in any call, busy, with many threads, with its signals and time limits; or, if it
cannot be, left alone with a word."""
import ctypes
import os
import random
import re
import signal
import time

from entry_support import Folder, WRITE, same_answers
from support import interpreters, procstate
from support.programs import BUILD, HEAPDUMP, PATIENCE, finish, start, succeeds
from support.tap import Suite, check, equal
from support.target import Target, wait_for

suite = Suite()
SLEEPS = ('sleep', 'epoll', 'poll', 'select', 'lock', 'queue', 'condition', 'join', 'input', 'read', 'accept', 'wait', 'asyncio')
# read, poll, select, pause, futex, restart_syscall, clock_nanosleep, epoll_wait, pselect6
WAITS = ('0', '7', '23', '34', '202', '219', '230', '232', '270')
RUNS = int(os.environ.get("ENTRY_RUNS", "12"))


def asleep(interpreter, kind):
    with Folder() as folder, Target(interpreter, 'sleeper.py', kind) as target:
        before = target.ask()
        for _ in range(2):
            folder.done(target)
        same_answers(before, target.ask())


def busy(interpreter, kind):
    with Folder() as folder, Target(interpreter, 'busy.py', kind) as target:
        for _ in range(5):
            folder.done(target)
        answer = target.ask()
        equal(answer['wrong'], 0, 'wrong results of the target')
        check(answer['rounds'] > 0, answer)


def keeps_deadlines(interpreter):
    with Folder() as folder, Target(interpreter, 'entered.py', 'deadlines') as target:
        for _ in range(RUNS):
            folder.done(target)
        counts = target.ask()['counts']
        equal(counts['early'], 0, f'waits that ended early, of {counts}')


def waits(pid):
    """Whether it is inside a system call that waits: Python looks for signals before one, so one that comes between the two wakes nobody."""
    return procstate.lines(f'/proc/{pid}/syscall')[0].split()[0] in WAITS


def loses_no_signal(interpreter, call):
    """Signals come at any moment of the entry; each must interrupt the wait that it meets."""
    with Folder() as folder, Target(interpreter, 'entered.py', 'signals', call) as target:
        payload, woken = folder.file('payload.py', WRITE), 0
        for _ in range(RUNS):
            process = start([HEAPDUMP, '--payload', payload, '-o', folder.path('out'), target.pid])
            while process.poll() is None:
                if not waits(target.pid):
                    continue
                time.sleep(random.uniform(0, 0.002))  # any moment may be the wrong one
                os.kill(target.pid, signal.SIGUSR2)
                woken += 1
                equal(target.read()['woken'], woken, f'answers to {woken} signals')
            succeeds(finish(process, process.args))
        check(woken > RUNS, f'only {woken} signals')


def keeps_registers(interpreter):
    library = os.path.join(BUILD, 'tests', 'e2e', 'libkeep-registers.so')
    with Folder() as folder, Target(interpreter, 'entered.py', 'registers', library) as target:
        for _ in range(RUNS):
            folder.done(target)
        counts = target.ask()['counts']
        check(counts['rounds'] > 0, counts)
        equal(counts['wrong'], 0, f'rounds with a wrong register, of {counts["rounds"]}')


def gil_is_held(interpreter):
    with Folder() as folder, Target(interpreter, 'entered.py', 'hold') as target:
        wait_for(lambda: procstate.lines(f'/proc/{target.pid}/syscall')[0].split()[0] in ('35', '230'), 'the target sleeps with its GIL')
        result = folder.run(target, WRITE, '--timeout', '4')
        equal(result.code, 3, f'{result}\nexit code')
        check('GIL' in result.err, result)
        target.ask()  # the signal ends the call that keeps the GIL
        check(not os.path.exists(folder.path('out')), 'a payload that was called off ran all the same')
        wait_for_our_thread(target)
        folder.done(target)


def wait_for_our_thread(target):
    end = time.monotonic() + PATIENCE
    while 'heapdump-gdb' in thread_names(target.pid):
        check(time.monotonic() < end, 'our thread stays')
        time.sleep(0.01)


def thread_names(pid):
    names = []
    for thread in os.listdir(f'/proc/{pid}/task'):
        try:
            with open(f'/proc/{pid}/task/{thread}/comm', encoding='utf-8') as file:
                names.append(file.read().strip())
        except OSError:
            pass
    return names


def takes_too_long(interpreter):
    with Folder() as folder, Target(interpreter, 'entered.py', 'sleep') as target:
        flag = folder.file('go-on', '')
        text = (f'import os, time\ndef __payload_entrypoint(path, loop):\n    while os.path.exists({flag!r}):\n        time.sleep(0.05)\n'
                '    open(path, "w").write("late")\n')
        before = target.ask()
        result = folder.run(target, text, '--timeout', '4')
        equal(result.code, 3, f'{result}\nexit code')
        check(re.search('still runs', result.err), result)
        check('heapdump-gdb' in thread_names(target.pid), 'the payload was not left to itself')
        same_answers(before, target.ask())
        os.unlink(flag)
        wait_for_our_thread(target)
        folder.done(target)
        same_answers(before, target.ask())


def small_address_space():
    """A target that may not map anything more says so and goes on."""
    def limit():
        libc.prlimit(0, 9, ctypes.byref((ctypes.c_ulong * 2)(1 << 40, 1 << 40)), None)

    libc = ctypes.CDLL(None)
    with Folder() as folder, Target(interpreters.newest(), 'entered.py', 'sleep', preexec_fn=limit) as target:
        before = target.ask()
        with open(f'/proc/{target.pid}/statm', encoding='ascii') as file:
            used = int(file.read().split()[0]) * 4096
        for room in (4096, 1 << 20):
            libc.prlimit(target.pid, 9, ctypes.byref((ctypes.c_ulong * 2)(used + room, 1 << 40)), None)
            result = folder.run(target, WRITE)
            equal(result.code, 1, f'{result}\nexit code')
            check(re.search('could not map|cannot start a thread', result.err), result)
            same_answers(before, target.ask())
        libc.prlimit(target.pid, 9, ctypes.byref((ctypes.c_ulong * 2)(1 << 40, 1 << 40)), None)
        folder.done(target)


newest = interpreters.newest()
for each in SLEEPS:
    suite.case(f'asleep in {each}: {newest}', asleep, newest, each)
for each in ('loop', 'work', 'storm', 'threads', 'collect'):
    suite.case(f'busy with {each}: {newest}', busy, newest, each)
for found in interpreters.dumpable():
    if found is not newest:
        suite.case(f'asleep in sleep, asyncio, lock: {found}', lambda i=found: [asleep(i, kind) for kind in ('sleep', 'asyncio', 'lock')])
        suite.case(f'busy with work: {found}', busy, found, 'work')
    suite.case(f'time limits are kept: {found}', keeps_deadlines, found)
    suite.case(f'no signal is lost in sleep: {found}', loses_no_signal, found, 'sleep')
for each in ('read', 'poll', 'lock', 'select', 'pause'):
    suite.case(f'no signal is lost in {each}: {newest}', loses_no_signal, newest, each)
suite.case(f'every register is as before: {newest}', keeps_registers, newest)
suite.case('the GIL is held for too long', gil_is_held, newest)
suite.case('the payload takes too long', takes_too_long, newest)
suite.case('no room in the address space', small_address_space)
suite.run()
