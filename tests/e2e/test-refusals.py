#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""States in which a target is refused, one line with cause and remedy, and found as it was: frozen by its control group, short of memory, a thread held by a
debugger, of another architecture, with a GDB that is too old. What the control groups of this machine allow is tried in real ones."""
import os
import secrets
import shutil
import signal
import struct
import subprocess

from support import interpreters, procstate
from support.folder import Folder, empty
from support.programs import HEAPDUMP, TARGETS, TESTS, fails, heapanalyze, heapdump, run, succeeds
from support.tap import Skip, Suite, check, equal
from support.target import Target, state_of, wait_for

FAILED, NOT_PERMITTED, NOT_PYTHON = 1, 4, 5
NOBODY = 65534
CGROUPS = '/sys/fs/cgroup'
suite = Suite()


def refused(target, code, *words, options=()):
    with Folder() as folder:
        before = procstate.State(target.pid)
        fails(heapdump(*options, '-o', f'{folder}/x.heap', target.pid), code, *words)
        empty(folder)
        procstate.unchanged(before, procstate.State(target.pid))


def works(target, *options):
    with Folder() as folder:
        succeeds(heapdump(*options, '-o', f'{folder}/x.heap', target.pid))
        succeeds(heapanalyze('info', f'{folder}/x.heap'))
    equal(target.ask()['wrong'], 0, 'wrong results')


def sleeping(*arguments, script='sleeper.py'):
    return Target(interpreters.newest(), script, *(arguments or ['sleep']))


# -- control groups --------------------------------------------------------------------------------------------------------------

def read(path):
    with open(path, encoding='ascii') as file:
        return file.read()


def write(path, text):
    with open(path, 'w', encoding='ascii') as file:
        file.write(str(text))


class Group:
    """A control group for one case, below the root of a hierarchy. Use with `with`; gives its folder."""

    def __init__(self, hierarchy, sign):
        self.path = f'{hierarchy}/heapdump-test-{secrets.token_hex(4)}'
        self.hierarchy, self.sign = hierarchy, sign

    def __enter__(self):
        try:
            os.mkdir(self.path)
        except OSError as why:
            raise Skip(f'no control group can be made in {self.hierarchy}: {why}') from why
        if not os.path.exists(f'{self.path}/{self.sign}'):
            os.rmdir(self.path)
            raise Skip(f'the control groups in {self.hierarchy} have no {self.sign}')
        return self.path

    def __exit__(self, *_):
        wait_for(lambda: not read(f'{self.path}/cgroup.procs').split(), 'the control group is empty')
        os.rmdir(self.path)


def hierarchies():
    """(kind, folder) of those that this machine has: version 2 alone, or beside version 1."""
    with open('/proc/mounts', encoding='utf-8') as mounts:
        for line in mounts:
            _, folder, kind, options = line.split()[:4]
            if kind == 'cgroup2':
                yield 'v2', folder
            elif kind == 'cgroup':
                for name in ('freezer', 'memory', 'pids'):
                    if name in options.split(','):
                        yield name, folder


FOUND = dict(hierarchies())
FREEZERS = [('v2', 'cgroup.freeze', '1', '0', lambda g: 'frozen 1' in read(f'{g}/cgroup.events')),
            ('freezer', 'freezer.state', 'FROZEN', 'THAWED', lambda g: read(f'{g}/freezer.state').strip() == 'FROZEN')]
print(f'# hierarchies of control groups here: {FOUND}')
for kind, file, freeze, thaw, is_frozen in FREEZERS:
    if kind not in FOUND:
        continue

    @suite.case(f'frozen by its control group ({kind}) stays frozen, and goes on as if nothing had been')
    def _(kind=kind, file=file, freeze=freeze, thaw=thaw, is_frozen=is_frozen):
        with Group(FOUND[kind], file) as group, sleeping() as target:
            write(f'{group}/cgroup.procs', target.pid)
            write(f'{group}/{file}', freeze)
            try:
                wait_for(lambda: is_frozen(group), 'it is frozen')
                refused(target, FAILED, 'frozen', 'thaw', 'unpause')
                check(is_frozen(group), 'it is not frozen any more')
            finally:
                write(f'{group}/{file}', thaw)
            equal(target.ask()['wrong'], 0, 'wrong results')
            works(target)


LIMITS = [('v2', 'memory.max', 'memory.current'), ('memory', 'memory.limit_in_bytes', 'memory.usage_in_bytes')]


def memory_hierarchy():
    for kind, limit, usage in LIMITS:
        if kind in FOUND and (kind == 'memory' or 'memory' in read(f'{FOUND[kind]}/cgroup.controllers').split()):
            if kind == 'v2':
                write(f'{FOUND[kind]}/cgroup.subtree_control', '+memory')
            return FOUND[kind], limit, usage
    raise Skip('no control group here has a limit on memory')


@suite.case('too little memory in its control group for a copy: with figures, before anything is done')
def _():
    hierarchy, limit, usage = memory_hierarchy()
    with Group(hierarchy, limit) as group, sleeping(300000, script='bigheap.py') as target:
        write(f'{group}/cgroup.procs', target.pid)
        resident = procstate.resident(target.pid)
        write(f'{group}/{limit}', resident)  # what it had before it came is charged elsewhere
        works(target)
        write(f'{group}/{limit}', max(int(read(f'{group}/{usage}')), 1 << 20) + (16 << 20))
        refused(target, FAILED, 'too little memory', os.path.basename(group), r'leaves 1\d(\.\d)? MB', r'\d+(\.\d)? MB may be needed', '--mode inline')
        works(target, '--mode', 'inline')
        write(f'{group}/{limit}', max(int(read(f'{group}/{usage}')), 1 << 20) + (4 << 20))
        for options in (['--mode', 'inline'], ['--payload', 'tasks'], ['--gc']):
            refused(target, FAILED, 'too little memory for work inside', r'leaves \d(\.\d)? MB', options=options)
        equal(target.ask()['wrong'], 0, 'wrong results')
        write(f'{group}/{limit}', -1 if 'limit_in' in limit else 'max')
        works(target)


@suite.case('no process more allowed in its control group')
def _():
    if 'pids' not in FOUND:
        raise Skip('no control group here has a limit on processes')
    with Group(FOUND['pids'], 'pids.max') as group, sleeping() as target:
        write(f'{group}/cgroup.procs', target.pid)
        works(target, '--mode', 'inline')  # leaves a stack with its C library for the next thread
        write(f'{group}/pids.max', 1)
        refused(target, FAILED, 'refuses a copy', 'pids.max')
        for options in (['--mode', 'inline'], ['--payload', 'tasks'], ['--gc']):
            refused(target, FAILED, 'cannot start a thread', options=[*options, '--quiet', '--timeout', '10000'])
        write(f'{group}/pids.max', 2)  # room for the copy, none for the thread that waits for it
        refused(target, FAILED, 'refuses a copy', 'pids.max')
        equal(target.ask()['wrong'], 0, 'wrong results')
        write(f'{group}/pids.max', 'max')
        works(target)


# -- in the kernel ---------------------------------------------------------------------------------------------------------------

@suite.case('a thread hangs in the kernel, where nobody can stop it')
def _():
    with Folder() as folder:
        succeeds(run('cc', '-shared', '-fPIC', '-o', f'{folder}/stuck.so', f'{TARGETS}/stuck.c'))
        with sleeping(f'{folder}/stuck.so', script='stuck.py') as target:
            def hanging():
                return [int(t) for t in os.listdir(f'/proc/{target.pid}/task') if state_of(f'{target.pid}/task/{t}') == 'D']
            wait_for(hanging, 'it hangs')
            refused(target, FAILED, f'thread {hanging()[0]}', 'hangs in the kernel', 'state D')
            check(target.ask()['hangs'], 'it does not hang any more')
            os.kill(target.pid, signal.SIGUSR2)
            wait_for(lambda: not target.ask()['hangs'], 'it goes on')
            works(target)


# -- debuggers -------------------------------------------------------------------------------------------------------------------

@suite.case('one thread is traced')
def _():
    with sleeping('join') as target:
        other = max(int(t) for t in os.listdir(f'/proc/{target.pid}/task'))
        strace = subprocess.Popen(['strace', '-o', '/dev/null', '-p', str(other)], stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: procstate.tracer(f'{target.pid}/task/{other}') == strace.pid, 'strace attaches')
            refused(target, FAILED, 'traced', str(strace.pid), 'strace')
        finally:
            strace.terminate()
            strace.wait()
        equal(target.ask()['wrong'], 0, 'wrong results')
        works(target)


@suite.case('a GDB that is too old, and one that says nothing')
def _():
    with Folder() as folder, sleeping() as target:
        for text, words in (('echo HD gdb 11', ('is GDB 11', '12', '--gdb PATH')), ('echo hello', ('does not behave like GDB', 'hello')),
                            ('kill -9 $$', ('ended by signal 9',))):
            with open(f'{folder}/gdb', 'w', encoding='ascii') as file:
                file.write(f'#!/bin/sh\n{text}\n')
            os.chmod(f'{folder}/gdb', 0o755)
            refused(target, FAILED, *words, options=('--gdb', f'{folder}/gdb'))
        equal(target.ask()['wrong'], 0, 'wrong results')


# -- programs --------------------------------------------------------------------------------------------------------------------

def elf32():
    """A program of 32 bits that says that it runs and then waits for ever, whole: no compiler here need know the architecture."""
    code = bytes.fromhex('b804000000 bb01000000 b900800408 ba01000000 cd80'  # write(1, its own first byte, 1)
                         'b81d000000 cd80 ebf7')  # pause, again
    start, size = 0x08048000, 52 + 32 + len(code)
    header = b'\x7fELF\x01\x01\x01' + bytes(9) + struct.pack('<HHIIIIIHHHHHH', 2, 3, 1, start + 84, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    return header + struct.pack('<8I', 1, 0, start, start, size, size, 5, 0x1000) + code


@suite.case('a program of 32 bits')
def _():
    with Folder() as folder:
        program = f'{folder}/python'
        with open(program, 'wb') as file:
            file.write(elf32())
        os.chmod(program, 0o755)
        try:
            process = subprocess.Popen([program], stdout=subprocess.PIPE)
        except OSError as why:
            raise Skip(f'this kernel runs no programs of 32 bits: {why}') from why
        try:
            equal(process.stdout.read(1), b'\x7f', 'first byte')
            fails(heapdump('-o', f'{folder}/x.heap', process.pid), NOT_PYTHON, 'architecture', '32 bits', '64-bit x86')
            equal(os.listdir(folder), ['python'], 'files')
            equal(process.poll(), None, 'end of the program')
        finally:
            process.kill()
            process.wait()


HEADLESS = """
import ctypes, os, threading, time
def other():
    while open('/proc/self/task/%d/stat' % os.getpid()).read().rpartition(')')[2].split()[0] != 'Z':
        time.sleep(0.001)
    os.write(1, b'r')
    time.sleep(10 ** 6)
threading.Thread(target=other).start()
ctypes.CDLL(None).syscall(60, 0)  # exit(), of this thread alone
"""


@suite.case('no script for a process whose main thread has ended, but a dump')
def _():
    with Folder() as folder, subprocess.Popen([interpreters.newest().path, '-c', HEADLESS], stdout=subprocess.PIPE) as process:
        try:
            equal(process.stdout.read(1), b'r', 'first word')
            fails(heapdump('--print-script', process.pid), FAILED, 'main thread has ended', 'no script')
            succeeds(heapdump('-o', f'{folder}/x.heap', process.pid))
            succeeds(heapanalyze('info', f'{folder}/x.heap'))
            check(state_of(process.pid) == 'Z' and process.poll() is None, 'the others go on')
        finally:
            process.kill()


BUILDS = {
    '3.16': (['-DVERSION=0x031000f0'], ['3.16', 'not known yet']),
    'a pre-release of 3.15': (['-DVERSION=0x030f00a3'], ['pre-release', 'final']),
    'free-threaded 3.14': (['-DVERSION=0x030e00f0', '-DFREE_THREADED'], ['free-threaded', '3.14', 'only 3.13']),
    'free-threaded 3.13, debug': (['-DVERSION=0x030d00f0', '-DFREE_THREADED', '-DDEBUG'], ['debug build', 'free-threaded', '3.13', 'release build']),
}
for name, (options, words) in BUILDS.items():
    @suite.case(f'a build that is not known: {name}')
    def _(options=options, words=words):
        with Folder() as programs, Folder() as folder:
            succeeds(run('cc', '-rdynamic', *options, '-o', f'{programs}/pretend', f'{TARGETS}/pretend.c'))
            with subprocess.Popen([f'{programs}/pretend'], stdout=subprocess.PIPE) as process:
                try:
                    equal(process.stdout.read(1), b'r', 'first word')
                    before = procstate.State(process.pid)
                    fails(heapdump('-o', f'{folder}/x.heap', process.pid), NOT_PYTHON, *words)
                    empty(folder)
                    procstate.unchanged(before, procstate.State(process.pid))
                finally:
                    process.kill()


@suite.case('a process that ends while it is looked at')
def _():
    for _ in range(20):
        process = subprocess.Popen([interpreters.newest().path, '-c', 'print(1, flush=True)'], stdout=subprocess.PIPE)
        process.stdout.read(1)
        with Folder() as folder:
            result = heapdump('-o', f'{folder}/x.heap', process.pid)
            check(result.code in (0, FAILED, NOT_PYTHON), f'exit code\n{result}')
            if result.code:
                fails(result, result.code, 'zombie|ended|not a Python|no process')
                empty(folder)
        process.wait()


def elsewhere(*mounts):
    """In front of a program: runs it where this is mounted."""
    if os.getuid() != 0:
        raise Skip('only root can mount')
    return ['unshare', '-m', '--propagation', 'private', 'sh', '-c', ' && '.join([*mounts, 'exec "$0" "$@"'])]


@suite.case('a process that /proc hides')
def _():
    hidden = elsewhere('mount -t proc -o hidepid=2 proc /proc')
    with sleeping() as target, Folder() as folder, Folder() as programs:
        program = shutil.copy(HEAPDUMP, f'{programs}/heapdump-gdb')
        nobody = ['setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups']
        fails(run(*hidden, *nobody, program, '-o', f'{folder}/x.heap', target.pid), NOT_PERMITTED, 'hidepid', 'sudo')
        succeeds(run(*hidden, program, '-q', '-o', f'{folder}/x.heap', target.pid))
        equal(target.ask()['wrong'], 0, 'wrong results')


@suite.case('no /proc')
def _():
    with sleeping() as target, Folder() as folder:
        fails(run(*elsewhere('mount -t tmpfs tmpfs /proc'), HEAPDUMP, '-o', f'{folder}/x.heap', target.pid), FAILED, 'mount -t proc')
        equal(target.ask()['wrong'], 0, 'wrong results')


@suite.case('a process of our own user that lets nobody look at it')
def _():
    if os.getuid() != 0:
        raise Skip('only root can become another user')
    nobody = ['setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups']
    odd = os.path.join(TESTS, 'e2e', 'torture', 'odd.py')
    with Target(interpreters.newest(), odd, 'not_dumpable', user=NOBODY, group=NOBODY) as target, Folder() as folder, Folder() as elsewhere:
        program = shutil.copy(HEAPDUMP, f'{elsewhere}/heapdump-gdb')
        before = procstate.State(target.pid)
        fails(run(*nobody, program, '-o', f'{folder}/x.heap', target.pid, cwd=folder), NOT_PERMITTED, 'not dumpable', 'sudo')
        empty(folder)
        procstate.unchanged(before, procstate.State(target.pid))
        works(target)


suite.run()
