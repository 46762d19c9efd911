#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Security modules of the kernel that forbid tracing, for real: Yama's four scopes, an AppArmor profile. Needs a kernel that has both and may be spoilt, root, and
apparmor_parser; `make security-modules` emulates a machine for it."""
import os
import subprocess
import sys

from support import heapfile, interpreters, procstate
from support.folder import Folder
from support.programs import fails, heapdump, succeeds
from support.tap import Suite, equal
from support.target import Target

SCOPE = '/proc/sys/kernel/yama/ptrace_scope'
LSM = '/sys/kernel/security/lsm'
SOMEBODY = 1000
PERMISSION = 4
# May do all but trace.
PROFILE = """
profile heapdump-confined flags=(attach_disconnected) {
  file,
  capability,
  network,
  unix,
  signal,
  mount,
}
"""
EXEC = '/proc/self/attr/apparmor/exec'

suite = Suite()
interpreter = interpreters.newest()


def scope(number):
    with open(SCOPE, 'w', encoding='ascii') as file:
        file.write(str(number))


def target(script, *arguments, user=0, **more):
    return Target(interpreter, script, *arguments, user=user, group=user, extra_groups=[], **more)


def dump(folder, pid, user, **options):
    return heapdump('-o', f'{folder}/x.heap', pid, user=user, group=user, extra_groups=[], cwd=folder, **options)


def allowed(number, user, script='sleeper.py', arguments=('sleep',)):
    scope(number)
    with Folder() as folder, target(script, *arguments, user=SOMEBODY) as process:
        before, state = process.ask(), procstate.State(process.pid)
        succeeds(dump(folder, process.pid, user))
        equal(heapfile.Dump(f'{folder}/x.heap').end['status'], 0, 'END')
        procstate.unchanged(state, procstate.State(process.pid))
        equal(process.ask(), before, 'answer')


def refused(number, user, *words, **options):
    if number is not None:
        scope(number)
    with Folder() as folder, target('sleeper.py', 'sleep', user=SOMEBODY) as process:
        before, state = process.ask(), number != 3 and procstate.State(process.pid)  # Yama 3 keeps us out of its memory, too
        fails(dump(folder, process.pid, user, **options), PERMISSION, *words)
        equal(os.listdir(folder), [], 'files')
        if state:
            procstate.unchanged(state, procstate.State(process.pid))
        equal(process.ask(), before, 'answer')


def confine():
    with open(EXEC, 'w', encoding='ascii') as file:
        file.write('exec heapdump-confined')


def apparmor():
    loaded = subprocess.run(['apparmor_parser', '--replace', '--skip-cache'], input=PROFILE, text=True, capture_output=True, check=False)
    equal(loaded.returncode, 0, loaded.stderr)
    refused(None, 0, 'AppArmor', 'heapdump-confined', preexec_fn=confine)


def main():
    if os.getuid() != 0 or not os.path.exists(SCOPE):
        sys.exit('security-modules: it needs root and a kernel with Yama; make security-modules emulates a machine that has them')
    suite.case('Yama 0: its own user', allowed, 0, SOMEBODY)
    suite.case('Yama 1: its own user may not', refused, 1, SOMEBODY, 'ptrace_scope is 1', 'sudo', 'PR_SET_PTRACER')
    suite.case('Yama 1: who has allowed it', allowed, 1, SOMEBODY, 'traceable.py', ())
    suite.case('Yama 1: root', allowed, 1, 0)
    suite.case('Yama 2: its own user may not', refused, 2, SOMEBODY, 'ptrace_scope is 2', 'sudo')
    suite.case('Yama 2: root', allowed, 2, 0)
    suite.case('AppArmor: a profile that lets nothing be traced', apparmor)
    # until the next boot: the last one
    suite.case('Yama 3: root may not', refused, 3, 0, 'ptrace_scope is 3', 'next boot')
    suite.run()


if __name__ == '__main__':
    main()
