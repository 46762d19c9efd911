#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""While the copy lives: the target has nothing to notice of it, it holds nothing that the target lets go, gives way to everybody, ends with its reader, and
when memory runs short. It is kept alive by not reading the dump."""
import fcntl
import os
import signal
import socket
import subprocess

from support import interpreters, procstate
from support.folder import Folder, empty
from support.programs import HEAPDUMP, PATIENCE, fails, finish, heapanalyze, heapdump, start, succeeds
from support.tap import Suite, check, equal
from support.target import Target, wait_for

suite = Suite()


def ghost_of(pid):
    for child in procstate.children(pid):
        try:
            if procstate.lines(f'/proc/{child}/comm')[0].startswith('hdghost'):
                return child
        except (OSError, IndexError):
            pass
    return None


class Stalled:
    """A dump that nobody reads, its copy in the middle of the walk."""

    def __init__(self, target, *command):
        self.target, self.command = target, [*command, HEAPDUMP, '-o', '-', str(target.pid)]

    def __enter__(self):
        self.process = start(self.command)
        wait_for(lambda: self.walks() or self.process.poll() is not None, 'the copy walks')
        check(self.process.poll() is None, lambda: f'it ended: {self.process.communicate()}')
        return self

    def walks(self):
        """It has opened the pipe: what the target had open is closed since long."""
        self.ghost = ghost_of(self.target.pid)
        try:
            return self.ghost and any(link.endswith('/data') for link in procstate.descriptors(self.ghost).values())
        except OSError:
            return False

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        wait_for(lambda: not ghost_of(self.target.pid), 'the copy ends with its reader')

    def read(self):
        return finish(self.process, self.command)


def free(port):
    with socket.socket() as s:
        try:
            s.bind(('127.0.0.1', port))
            return True
        except OSError:
            return False


def locked(path):
    with open(path, 'r+', encoding='ascii') as file:
        held = []
        for name, lock in (('fcntl', fcntl.lockf), ('flock', fcntl.flock)):
            try:
                lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                held.append(name)
        return held


@suite.case('sockets and locks are the target\'s alone')
def _():
    with Folder() as folder, Target(interpreters.newest(), 'holder.py', f'{folder}/lock') as target:
        with Stalled(target) as stalled:
            equal(locked(f'{folder}/lock'), ['fcntl', 'flock'], 'locks that hold')
            equal([free(port) for port in target.facts['ports']], [False, False], 'free ports')
            os.kill(target.pid, signal.SIGUSR2)
            equal(target.read(), {'gone': True}, 'answer')
            check(ghost_of(target.pid) == stalled.ghost, 'the copy has ended too early')
            equal([free(port) for port in target.facts['ports']], [True, True], 'free ports after the target closed them')
            equal(locked(f'{folder}/lock'), [], 'locks that hold after the target let them go')
            result = stalled.read()
            equal(result.code, 0, f'{result}\nexit code')


@suite.case('the target notices nothing, the copy gives way')
def _():
    for interpreter in interpreters.dumpable():
        with Folder() as folder, Target(interpreter, 'holder.py', f'{folder}/lock', stderr=subprocess.PIPE) as target:
            before = procstate.State(target.pid)
            with Stalled(target) as stalled:
                equal(target.ask(), {'noticed': [], 'rows': 200000}, 'what it noticed')
                equal(procstate.lines(f'/proc/{stalled.ghost}/oom_score_adj'), ['1000'], 'oom_score_adj')
                check(os.getpriority(os.PRIO_PROCESS, stalled.ghost) >= 10, 'priority')
                kept = procstate.descriptors(stalled.ghost)
                check(all(link.endswith('/data') for link in kept.values()), f'what the copy has open: {kept}')
                equal(stalled.read().code, 0, 'exit code')
            wait_for(lambda: not procstate.children(target.pid), 'the copy is gone')
            procstate.unchanged(before, procstate.State(target.pid))
            equal(target.ask(), {'noticed': [], 'rows': 200000}, 'what it noticed')
            os.set_blocking(target.process.stderr.fileno(), False)
            equal(target.process.stderr.read(), None, 'what it wrote to stderr')
            target.process.stderr.close()


def reader_ends(number):
    with Folder() as folder, Folder() as stage, \
            Target(interpreters.newest(), 'holder.py', f'{folder}/lock', environment={'TMPDIR': stage}) as target:
        before = procstate.State(target.pid)
        with Stalled(target) as stalled:
            stalled.process.send_signal(number)
            stalled.process.communicate()
            wait_for(lambda: not procstate.children(target.pid), 'the copy ends with its reader')
            wait_for(lambda: not os.listdir(stage), 'the folder of the pipe is gone')
            wait_for(lambda: not list(procstate.differences(before, procstate.State(target.pid))), 'nothing of us is left')
        equal(target.ask()['noticed'], [], 'what it noticed')


suite.case('the copy ends when the driver is killed', reader_ends, signal.SIGKILL)
suite.case('the copy ends when the driver is interrupted', reader_ends, signal.SIGINT)


@suite.case('the copy ends when memory runs short')
def _():
    with Folder() as folder, Target(interpreters.newest(), 'holder.py', f'{folder}/lock') as target:
        meminfo = f'{folder}/meminfo'

        def available(kib):
            with open(meminfo, 'w', encoding='ascii') as file:
                file.write(f'MemTotal: 8000000 kB\nMemAvailable: {kib} kB\n')
        available(4000000)
        script = 'mount --make-rprivate / && mount --bind "$0" /proc/meminfo && exec "$@"'
        with Stalled(target, 'unshare', '-m', 'sh', '-c', script, meminfo) as stalled:
            available(3000)
            wait_for(lambda: not procstate.children(target.pid), 'the copy has ended')
            result = stalled.read()
        fails(result, 1, 'memory ran short', r"this machine's memory left 3\.\d MB", '--mode inline')
        equal(target.ask(), {'noticed': [], 'rows': 200000}, 'what it noticed')


@suite.case('a second dump of the same process waits, or says so')
def _():
    with Folder() as folder, Target(interpreters.newest(), 'holder.py', f'{folder}/lock') as target:
        with Stalled(target) as first:
            fails(heapdump('-q', '--timeout', '0.2', '-o', f'{folder}/x.heap', target.pid), 3, 'still being dumped by another')
            second = start([HEAPDUMP, '-o', f'{folder}/x.heap', str(target.pid)])
            line = second.stderr.readline()
            check(b'waiting for that to end' in line, f'the second says {line!r}')
            equal(first.read().code, 0, 'exit code of the first')
            _, err = second.communicate(timeout=PATIENCE)
            equal(second.returncode, 0, f'{err}\nexit code of the second')
        succeeds(heapanalyze('info', f'{folder}/x.heap'))
        equal(sorted(os.listdir(folder)), ['lock', 'x.heap'], 'files')


@suite.case('dumps of different processes at the same time')
def _():
    newest = interpreters.newest()
    with Folder() as folder, Target(newest, 'sleeper.py', 'epoll') as a, Target(newest, 'busy.py', 'work') as b, Target(newest, 'tasks.py') as c:
        runs = [start([HEAPDUMP, '-q', '-o', f'{folder}/{t.pid}.heap', str(t.pid)]) for t in (a, b, c)]
        for process in runs:
            _, err = process.communicate(timeout=PATIENCE)
            equal((process.returncode, err), (0, b''), 'exit code and words')
        for t in (a, b, c):
            succeeds(heapanalyze('info', f'{folder}/{t.pid}.heap'))
            os.unlink(f'{folder}/{t.pid}.heap')
        empty(folder)


suite.run()
