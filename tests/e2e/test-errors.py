#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What cannot work is refused in one line that names the cause, with the documented exit code; the target is as it was, and nothing
stands under the name of the dump."""
import glob
import os
import shutil
import signal
import subprocess

from support import interpreters, procstate
from support.folder import Folder, empty
from support.programs import HEAPDUMP, fails, finish, heapdump, run, start, succeeds
from support.tap import Skip, Suite, equal
from support.target import Target, state_of, wait_for

FAILED, USAGE, TIMED_OUT, NOT_PERMITTED, NOT_PYTHON = 1, 2, 3, 4, 5
NOBODY = 65534
suite = Suite()


def refused(pid, code, *words, options=(), **how):
    """Dumps pid into a folder of its own, which must stay empty."""
    with Folder() as folder:
        fails(heapdump(*options, '-o', f'{folder}/x.heap.zst', pid, **how), code, *words)
        empty(folder)


def sleeping():
    return Target(interpreters.newest(), 'sleeper.py', 'sleep')


# -- the command line ------------------------------------------------------------------------------------------------------------

for line, words in {
    '': ('PID',),
    'abc': ('abc',),
    '-- -5': ('-5',),
    '99999999999999': ('99999999999999',),
    '1 2': ('2',),
    '--nonsense 1': ('nonsense',),
    '--timeout soon 1': ('timeout', 'soon'),
    '--timeout 0 1': ('timeout',),
    '--mode sideways 1': ('mode', 'sideways'),
    '--content many 1': ('content', 'many'),
    '-o': ('output|-o',),
}.items():
    @suite.case(f'wrong usage: heapdump-gdb {line}')
    def _(line=line, words=words):
        with Folder() as folder:
            fails(heapdump(*line.split(), cwd=folder), USAGE, *words)
            empty(folder)


# -- what is no target -----------------------------------------------------------------------------------------------------------

@suite.case('no such process')
def _():
    gone = subprocess.Popen(['true'])
    gone.wait()
    refused(gone.pid, FAILED, f'no process {gone.pid}')


@suite.case('not a Python')
def _():
    sleep = subprocess.Popen(['sleep', '1000'])
    try:
        refused(sleep.pid, NOT_PYTHON, 'python', str(sleep.pid))
        equal(sleep.poll(), None, 'end of the program that was asked for')
    finally:
        sleep.kill()
        sleep.wait()


OTHERS = [i for i in interpreters.find() if not i.dumpable]
for interpreter in OTHERS:
    @suite.case(f'a Python that is not known: {interpreter}')
    def _(interpreter=interpreter):
        code = 'import os, sys; os.write(1, b"ready"); sys.stdin.read(); print("well")'
        process = subprocess.Popen([interpreter.path, '-c', code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            equal(process.stdout.read(5), b'ready', 'first words')
            number = r'\.'.join(map(str, interpreter.version[:2])) if interpreter.version[0] > 2 else 'Python 2'
            refused(process.pid, NOT_PYTHON, number if interpreter.implementation == 'cpython' else 'pypy|not a Python')
            out, _ = process.communicate(timeout=60)
            equal(out.strip(), b'well', 'last words')
        finally:
            process.kill()
            process.wait()


@suite.case('a zombie')
def _():
    zombie = subprocess.Popen(['true'])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    equal(state_of(zombie.pid), 'Z', 'state')
    refused(zombie.pid, FAILED, 'zombie')
    equal(zombie.wait(), 0, 'exit status')


KERNEL_THREAD = 0x00200000


def kernel_thread():
    for stat in glob.glob('/proc/[0-9]*/stat'):
        try:
            fields = procstate.lines(stat)[0].rpartition(')')[2].split()
        except OSError:
            continue
        if int(fields[6]) & KERNEL_THREAD:
            return int(stat.split('/')[2])
    return None


if kernel_thread():
    suite.case('a thread of the kernel', lambda: refused(kernel_thread(), NOT_PYTHON, 'kernel'))
else:
    print('# no threads of the kernel can be seen from here, so none is tried')


@suite.case('a thread that is not the process')
def _():
    with Target(interpreters.newest(), 'sleeper.py', 'join') as target:
        other = next(t for t in os.listdir(f'/proc/{target.pid}/task') if int(t) != target.pid)
        refused(other, FAILED, f'thread of process {target.pid}')


@suite.case('a stopped process stays stopped, and goes on as if nothing had been')
def _():
    with sleeping() as target:
        os.kill(target.pid, signal.SIGSTOP)
        wait_for(lambda: state_of(target.pid) == 'T', 'the target stops')
        before = procstate.State(target.pid)
        refused(target.pid, FAILED, 'stopped', 'CONT')
        equal(state_of(target.pid), 'T', 'state')
        procstate.unchanged(before, procstate.State(target.pid))
        os.kill(target.pid, signal.SIGCONT)
        equal(target.ask()['wrong'], 0, 'wrong results')


@suite.case('a traced process')
def _():
    if not shutil.which('strace'):
        raise Skip('there is no strace')
    with sleeping() as target:
        strace = subprocess.Popen(['strace', '-o', '/dev/null', '-p', str(target.pid)], stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: procstate.tracer(target.pid) == strace.pid, 'strace attaches')
            refused(target.pid, FAILED, 'traced', str(strace.pid), 'strace')
            equal(procstate.tracer(target.pid), strace.pid, 'tracer')
            equal(target.ask()['wrong'], 0, 'wrong results')
        finally:
            strace.send_signal(signal.SIGINT)
            strace.wait()


@suite.case('a pipe with a name as the output: waits for its reader, until it is interrupted')
def _():
    with sleeping() as target, Folder() as folder:
        fifo = f'{folder}/pipe'
        os.mkfifo(fifo)
        for interrupt in (True, False):
            before = procstate.State(target.pid)
            command = [HEAPDUMP, '-o', fifo, str(target.pid)]
            process = start(command)
            wait_for(lambda: os.path.exists(f'/proc/{process.pid}/root') and procstate.children(process.pid), 'its guardian is there')
            if interrupt:
                process.send_signal(signal.SIGINT)
                fails(finish(process, command), 130)
            else:
                with open(fifo, 'rb') as file:
                    equal(file.read(8), b'\x89HPD\r\n\x1a\n', 'start of the dump')
                    file.read()
                succeeds(finish(process, command))
            procstate.unchanged(before, procstate.State(target.pid))


# -- what is not permitted or not there ------------------------------------------------------------------------------------------

def as_nobody():
    """How to start a program as another user; needs root."""
    if os.getuid() != 0:
        raise Skip('only root can become another user')
    if not shutil.which('setpriv'):
        raise Skip('there is no setpriv')
    return ['setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups']


@suite.case('a process of another user')
def _():
    with sleeping() as target, Folder() as folder, Folder() as elsewhere:
        program = shutil.copy(HEAPDUMP, f'{elsewhere}/heapdump-gdb')
        before = procstate.State(target.pid)
        fails(run(*as_nobody(), program, '-o', f'{folder}/x.heap', target.pid, cwd=folder), NOT_PERMITTED, 'not permitted', 'sudo')
        empty(folder)
        procstate.unchanged(before, procstate.State(target.pid))


@suite.case('a folder that cannot be written')
def _():
    prefix = as_nobody()
    with Target(interpreters.newest(), 'sleeper.py', 'sleep', user=NOBODY, group=NOBODY) as target, \
            Folder() as folder, Folder() as elsewhere:
        os.chmod(folder, 0o555)
        program = shutil.copy(HEAPDUMP, f'{elsewhere}/heapdump-gdb')
        before = procstate.State(target.pid)
        fails(run(*prefix, program, '-o', f'{folder}/x.heap', target.pid, cwd=elsewhere), FAILED, folder, 'denied')
        fails(run(*prefix, program, target.pid, cwd=folder), FAILED, 'heap-', 'denied')
        empty(folder)
        procstate.unchanged(before, procstate.State(target.pid))


@suite.case('a folder that is not there')
def _():
    with sleeping() as target, Folder() as folder:
        before = procstate.State(target.pid)
        fails(heapdump('-o', f'{folder}/none/x.heap', target.pid), FAILED, f'{folder}/none', 'no such')
        procstate.unchanged(before, procstate.State(target.pid))
        empty(folder)


@suite.case('a folder where the dump should be')
def _():
    with sleeping() as target, Folder() as folder:
        os.mkdir(f'{folder}/x.heap')
        fails(heapdump('-o', f'{folder}/x.heap', target.pid), FAILED, f'{folder}/x.heap', 'directory|folder')
        equal(os.listdir(folder), ['x.heap'], 'files')
        equal(target.ask()['wrong'], 0, 'wrong results')


@suite.case('no GDB')
def _():
    with sleeping() as target:
        before = procstate.State(target.pid)
        refused(target.pid, FAILED, '/nonexistent/gdb', options=('--gdb', '/nonexistent/gdb'))
        refused(target.pid, FAILED, 'gdb', 'install', env={'PATH': '/nonexistent'})
        procstate.unchanged(before, procstate.State(target.pid))


@suite.case('a GDB that is none')
def _():
    with sleeping() as target:
        before = procstate.State(target.pid)
        refused(target.pid, FAILED, 'gdb', options=('--gdb', '/bin/false'))
        refused(target.pid, FAILED, 'gdb', options=('--gdb', '/etc/hostname'))
        procstate.unchanged(before, procstate.State(target.pid))


@suite.case('a stage folder that the target does not have')
def _():
    with sleeping() as target:
        refused(target.pid, FAILED, '/nonexistent', options=('--stage-dir', '/nonexistent'))
        equal(target.ask()['wrong'], 0, 'wrong results')


@suite.case('a full disk')
def _():
    with Target(interpreters.newest(), 'bigheap.py', 50000) as target, Folder() as folder:
        if os.getuid() != 0:
            raise Skip('only root can make a small disk')
        mount = run('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder)
        if mount.code:
            raise Skip(f'no small disk can be mounted: {mount.err.strip()}')
        try:
            for name in ('x.heap', 'x.heap.zst', 'x.heap.gz'):
                fails(heapdump('-o', f'{folder}/{name}', target.pid), FAILED, name, 'no space')
                empty(folder)
        finally:
            run('umount', folder)
        wait_for(lambda: not procstate.children(target.pid), 'the copy of the target ends')
        equal(target.ask()['wrong'], 0, 'wrong results')


@suite.case('the reader of the dump goes away')
def _():
    with Target(interpreters.newest(), 'bigheap.py', 50000) as target, Folder() as folder:
        reading, writing = os.pipe()
        process = subprocess.Popen([HEAPDUMP, '-o', '-', str(target.pid)], stdout=writing, stderr=subprocess.PIPE, cwd=folder)
        os.close(writing)
        os.read(reading, 100)
        os.close(reading)
        _, err = process.communicate(timeout=120)
        equal(process.returncode, FAILED, f'exit code ({err.decode()})')
        empty(folder)
        wait_for(lambda: not procstate.children(target.pid), 'the copy of the target ends')
        equal(target.ask()['wrong'], 0, 'wrong results')


suite.run()
