#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""SELinux, for real, with a policy of a few domains (tests/targets/selinux.cil), each of which lacks one permission: what is dumped all the same, and what is
refused with the domains named. Needs a kernel that has no policy yet, root, and secilc; `make security-modules` emulates a machine for it."""
import os
import subprocess
import sys

from support import heapfile, interpreters, procstate
from support.folder import Folder, empty
from support.programs import TARGETS, fails, heapdump, succeeds
from support.tap import Suite, equal
from support.target import Target

FILES = '/sys/fs/selinux'
EXEC = '/proc/self/attr/exec'
CURRENT = '/proc/self/attr/current'
FAILED, PERMISSION = 1, 4
SOMEBODY = 1000
INLINE, TASKS = ('--mode', 'inline'), ('--payload', 'tasks')
LONG = ('--quiet', '--timeout', '10000')  # what fails must not wait for that

suite = Suite()
interpreter = interpreters.newest()


def write(path, text):
    file = os.open(path, os.O_WRONLY)
    try:
        os.write(file, text)
    finally:
        os.close(file)


def context(domain):
    return f'us:ro:{domain}'.encode('ascii')


def becoming(domain):
    return {'preexec_fn': lambda: write(EXEC, context(domain))} if domain else {}


def load_policy():
    with Folder() as folder:
        compiled = subprocess.run(['secilc', '-o', f'{folder}/policy', '-f', '/dev/null', f'{TARGETS}/selinux.cil'], capture_output=True, text=True, check=False)
        equal(compiled.returncode, 0, compiled.stderr)
        with open(f'{folder}/policy', 'rb') as file:
            write(f'{FILES}/load', file.read())
    write(f'{FILES}/enforce', b'1')
    with open(CURRENT, 'rb') as file:
        equal(file.read().strip(b'\0\n'), context('free_t'), 'our own domain')


def target(domain, user=0):
    return Target(interpreter, 'sleeper.py', 'sleep', user=user, group=user, extra_groups=[], **becoming(domain))


def dump(folder, process, options, by, user=0):
    return heapdump(*options, '-o', f'{folder}/x.heap', process.pid, user=user, group=user, extra_groups=[], cwd=folder, **becoming(by))


def state_of(process):
    """Nothing is forbidden for the moment: what may not be traced may not be looked at."""
    write(f'{FILES}/enforce', b'0')
    try:
        return procstate.State(process.pid)
    finally:
        write(f'{FILES}/enforce', b'1')


def works(domain, *options, by=None, user=0):
    with Folder() as folder, target(domain, user) as process:
        before, state = process.ask(), state_of(process)
        succeeds(dump(folder, process, options, by, user))
        if TASKS[0] not in options:
            equal(heapfile.Dump(f'{folder}/x.heap').end['status'], 0, 'END')
        if not options:  # a first thread leaves its stack with the C library
            procstate.unchanged(state, state_of(process))
        equal(process.ask(), before, 'answer')


def refused(domain, code, *words, options=(), by=None, user=0):
    with Folder() as folder, target(domain, user) as process:
        before, state = process.ask(), state_of(process)
        fails(dump(folder, process, options, by, user), code, *words)
        empty(folder)
        if not options:
            procstate.unchanged(state, state_of(process))
        equal(process.ask(), before, 'answer')


def case(name, function, *arguments, **more):
    suite.case(name, lambda: function(*arguments, **more))


def main():
    if os.getuid() != 0 or not os.path.exists(f'{FILES}/load'):
        sys.exit('selinux: it needs root and a kernel with SELinux; make security-modules emulates a machine that has it')
    load_policy()
    case('may be traced', works, 'free_t')
    case('may be traced: its own user', works, 'free_t', user=SOMEBODY)
    case('may be traced: payload', works, 'free_t', *TASKS)
    denied = ('us:ro:free_t', 'ptrace', 'us:ro:untraced_t', 'ausearch', 'audit2allow', 'label=disable')
    for options in (), INLINE, TASKS:
        case(f'may not be traced {" ".join(options)}', refused, 'untraced_t', PERMISSION, *denied, options=options)
    case('may not be traced: its own user', refused, 'untraced_t', PERMISSION, *denied, user=SOMEBODY)
    case('we may trace nothing', refused, 'free_t', PERMISSION, 'us:ro:tracing_no_t', 'ptrace', 'us:ro:free_t', by='tracing_no_t')
    case('we may trace it, but no process of our own', refused, 'free_t', PERMISSION, 'GDB may trace nothing', 'us:ro:others_only_t', by='others_only_t')
    for options in (), INLINE, TASKS:
        case(f'may make no memory executable {" ".join(options)}', works, 'stiff_t', *options)
    case('may start neither process nor thread', refused, 'lonely_t', FAILED, 'refuses a copy', 'us:ro:lonely_t', 'fork')
    for options in INLINE, TASKS:
        case(f'may start neither process nor thread {" ".join(options)}', refused, 'lonely_t', FAILED, 'cannot start a thread', 'us:ro:lonely_t', 'fork',
                   options=(*options, *LONG))
    case('may write to no pipe', refused, 'silent_t', FAILED, 'may not open the data pipe', '--stage-dir', 'Permission denied')
    case('may write to no pipe --mode inline', refused, 'silent_t', FAILED, 'may not open the data pipe', options=(*INLINE, *LONG))
    case('may write to no pipe --payload tasks', works, 'silent_t', *TASKS)
    case('may write to no pipe: a domain that may all, for comparison', works, 'free_t')
    suite.run()


if __name__ == '__main__':
    main()
