#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the fork of the ghost must not disturb, instruction by instruction: registers, flags, vector state, interrupted system calls, what the
target sees of its children, its signals. HEAPDUMP_ROUNDS says how often (default: enough to notice, in CI's time)."""
import os
import select
import signal
import subprocess
import threading

from support import interpreters, procstate
from support.folder import Folder
from support.programs import HEAPDUMP, TARGETS
from support.tap import Suite, check, equal
from support.target import wait_for

ROUNDS = int(os.environ.get('HEAPDUMP_ROUNDS', '15'))
LIBRARY = os.environ['HEAPDUMP_TEST_LIBRARY']
SCRIPT = os.path.join(TARGETS, 'registers.py')
suite = Suite()


class Native:
    """A target that does nothing but what registers.c does."""

    def __init__(self, kind, interpreter=None):
        self.process = subprocess.Popen([(interpreter or interpreters.newest()).path, SCRIPT, LIBRARY, kind], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.pid = self.process.pid

    def __enter__(self):
        equal(os.read(self.process.stdout.fileno(), 6), b'ready\n', 'first words')
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def read(self, patience=60):
        """One byte of what it reports; empty when there is none in time."""
        readable, _, _ = select.select([self.process.stdout], [], [], patience)
        return os.read(self.process.stdout.fileno(), 1) if readable else b''


def dump(pid, path):
    run = subprocess.run([HEAPDUMP, '-q', '-o', path, str(pid)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    check(run.returncode == 0, f'exit {run.returncode}: {run.stderr}')


def registers(kind):
    with Native(kind) as target, Folder() as folder:
        for _ in range(ROUNDS):
            dump(target.pid, f'{folder}/x.heap')
        out, _ = target.process.communicate(timeout=60)
        wrong, rounds = map(int, out.split())
        equal(wrong, 0, f'wrong values in {rounds} rounds')
        check(rounds > ROUNDS, 'it did not go on')


for kind in ('general', 'vector'):
    suite.case(f'{kind} registers', registers, kind)

# system call → its number, and how it is called when the kernel restarts it from where it was
CALLS = {'pause': '34', 'nanosleep': '230 219', 'poll': '7 219', 'read': '0', 'restart': '0'}


def asleep(pid, numbers):
    try:
        return procstate.lines(f'/proc/{pid}/syscall')[0].split()[0] in numbers.split()
    except (OSError, IndexError):
        return False


def calls(kind):
    """Signals come at any moment of a dump: each must end the call, or not, as it would without one, and none may be lost."""
    with Native(kind) as target, Folder() as folder:
        equal(target.read(), b'r', 'report')
        wait_for(lambda: asleep(target.pid, CALLS[kind]), 'it sleeps')
        ended = threading.Event()
        failures = []

        def dumps():
            try:
                for _ in range(2 * ROUNDS):
                    dump(target.pid, f'{folder}/x.heap')
            except AssertionError as why:
                failures.append(str(why))
            finally:
                ended.set()

        dumper = threading.Thread(target=dumps)
        dumper.start()
        sent = 0
        try:
            while not ended.is_set():
                if not asleep(target.pid, CALLS[kind]):
                    continue
                os.kill(target.pid, signal.SIGUSR2)
                sent += 1
                equal(target.read(), b'h' if kind == 'restart' else b'e', f'report of signal {sent} (nothing: it was lost)')
        finally:
            dumper.join()
        equal(failures, [], 'failed dumps')
        equal(target.read(0), b'', 'reports that nobody caused')
        check(sent > ROUNDS, f'only {sent} signals were sent')


for kind in CALLS:
    suite.case(f'signals while it sleeps in {kind}', calls, kind)

WAITER = """
import os, signal, sys
noticed, ended = [], []
signal.signal(signal.SIGCHLD, lambda *_: noticed.append('SIGCHLD'))
signal.signal(signal.SIGUSR1, lambda *_: ended.append(True))
sys.stdout.write('ready\\n')
sys.stdout.flush()
while not ended:
    for flags in (os.WNOHANG, os.WNOHANG | os.WUNTRACED | os.WCONTINUED):
        try:
            noticed.append(os.waitpid(-1, flags))
        except ChildProcessError:
            pass
    try:
        noticed.append(os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WSTOPPED | os.WCONTINUED))
    except ChildProcessError:
        pass
print(noticed)
"""


@suite.case('the copy is no child that anybody could wait for')
def _():
    for interpreter in interpreters.dumpable():
        process = subprocess.Popen([interpreter.path, '-c', WAITER], stdout=subprocess.PIPE)
        try:
            with Folder() as folder:
                equal(os.read(process.stdout.fileno(), 6), b'ready\n', 'first words')
                for _ in range(5):
                    dump(process.pid, f'{folder}/x.heap')
                    equal(procstate.children(process.pid), [], 'children left')
                    equal(len(os.listdir(f'/proc/{process.pid}/task')), 1, 'threads')
            process.send_signal(signal.SIGUSR1)
            out, _ = process.communicate(timeout=60)
            equal(out, b'[]\n', f'what {interpreter} noticed')
        finally:
            process.kill()
            process.wait()


suite.run()
