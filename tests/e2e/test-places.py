#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Targets in containers of every kind: dumped from the host, from inside, and from a second container beside it; refused with the remedy where it is not
allowed; numbers of the wrong namespace are explained. The target is as it was, and no file stays in the container."""
import atexit
import json
import os
import shutil
import tempfile

from support import interpreters, procstate
from support.folder import Folder, empty
from support.places import KINDS, PODMAN, USER, Place, copied_root, fetched_root, fetched_roots, tools_root
from support.programs import fails, heapanalyze, heapdump, run, succeeds
from support.tap import Skip, Suite, check, equal
from support.target import wait_for

FAILED, NOT_PERMITTED, NOT_PYTHON = 1, 4, 5
DRIVER = '/build/injector/heapdump-gdb'
PYTHON = os.path.realpath('/usr/bin/python3')
suite = Suite()
_roots = {}


def root(tools):
    """The root folder, and the interpreter's path in it; made once."""
    if tools not in _roots:
        if os.getuid() != 0:
            raise Skip('only root can start these containers')
        folder = tempfile.mkdtemp(dir='/var/tmp')
        atexit.register(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        path = f'{folder}/root'
        os.mkdir(path)
        _roots[tools] = (path, (tools_root(path), PYTHON)[1] if tools else copied_root(path, interpreters.newest()))
    return _roots[tools]


def place(kind, tools=False, **how):
    return Place(kind, *root(tools), tools=tools, **how)


def as_before(target, before, stage):
    wait_for(lambda: procstate.children(target.pid) == before.facts['children'], 'our copy of the target has ended')
    procstate.unchanged(before, procstate.State(target.pid))
    equal(target.ask()['wrong'], 0, 'wrong results')
    equal(sorted(os.listdir(f'/proc/{target.pid}/root/tmp')), stage, 'files in /tmp of the container')


def whole(path):
    facts = json.loads(succeeds(heapanalyze('info', '--json', path)).text)
    check(facts['complete'] and facts['objects'] > 5000, f'not a whole dump: {facts}')


for kind in KINDS:
    @suite.case(f'from the host · {kind}')
    def _(kind=kind):
        with place(kind) as target, Folder() as folder:
            before = procstate.State(target.pid)
            succeeds(heapdump('-o', f'{folder}/x.heap', target.pid))
            whole(f'{folder}/x.heap')
            as_before(target, before, [])
            for options in (['--payload', 'tasks'], ['--mode', 'inline']):  # what is done in the target itself needs more
                succeeds(heapdump(*options, '-o', f'{folder}/y', target.pid))
                equal(target.ask()['wrong'], 0, 'wrong results')
                empty(f'/proc/{target.pid}/root/tmp', f'files left by {options}')


for name, folder, program in fetched_roots():
    @suite.case(f'from the host · another C library · {name}')
    def _(source=folder, program=program):
        with Folder() as folder:
            path = f'{folder}/root'
            os.mkdir(path)
            fetched_root(path, source)
            for kind in ('chroot-uid1000', 'userns', 'podman-hardened'):
                with Place(kind, path, program) as target:
                    before = procstate.State(target.pid)
                    succeeds(heapdump('-o', f'{folder}/x.heap', target.pid))
                    whole(f'{folder}/x.heap')
                    as_before(target, before, [])
                    succeeds(heapdump('--payload', 'tasks', '-o', f'{folder}/y', target.pid))
                    equal(target.ask()['wrong'], 0, 'wrong results')


def user_inside(kind):
    """Who works in such a container: the same as the target."""
    return USER if kind in ('chroot-uid1000', 'pidns-uid1000', 'podman-uid1000', 'podman-hardened') else None


for kind in KINDS:
    @suite.case(f'from inside · {kind}')
    def _(kind=kind):
        with place(kind, tools=True) as target:
            before = procstate.State(target.pid)
            result = succeeds(target.inside(DRIVER, '-o', '/tmp/x.heap', target.inner, user=user_inside(kind)))
            equal(result.text, '/tmp/x.heap\n', 'stdout')
            whole(f'/proc/{target.pid}/root/tmp/x.heap')
            as_before(target, before, ['x.heap'])
            os.unlink(f'/proc/{target.pid}/root/tmp/x.heap')
            wrong = 4000000 + target.pid
            fails(target.inside(DRIVER, wrong, user=user_inside(kind)), FAILED, f'no process {wrong}', 'in here' if target.inner < 10 else 'ended')


@suite.case('from a container beside it, in the same pid namespace, as kubectl debug starts it')
def _():
    with place('podman') as target:
        path, _ = root(True)
        with Folder() as folder:
            before = procstate.State(target.pid)
            command = [*PODMAN, f'--pid=container:{target.token}', '-v', '/usr:/usr:ro', '-v', f'{folder}:/out']
            binds = place('podman', tools=True).binds()[1]
            command += ['-v', f'{binds[0]}:{binds[1]}:ro', '--cap-add=SYS_PTRACE', '--rootfs', path, DRIVER, '-o', '/out/x.heap', target.inner]
            succeeds(run(*command))
            whole(f'{folder}/x.heap')
            as_before(target, before, [])


# -- not allowed -----------------------------------------------------------------------------------------------------------------

@suite.case('another user\'s target in a container without capabilities')
def _():
    with place('podman-uid1000', tools=True) as target:
        before = procstate.State(target.pid)
        fails(target.inside(DRIVER, '-o', '/tmp/x.heap', target.inner, user='0'), NOT_PERMITTED, 'not permitted', f'user {USER}', '--cap-add=SYS_PTRACE',
              'kubectl debug')
        as_before(target, before, [])
    with place('podman-uid1000', tools=True, options=['--cap-add=SYS_PTRACE']) as target:
        succeeds(target.inside(DRIVER, '-o', '/tmp/x.heap', target.inner, user='0'))
        os.unlink(f'/proc/{target.pid}/root/tmp/x.heap')
        equal(target.ask()['wrong'], 0, 'wrong results')


@suite.case('a container whose seccomp profile forbids ptrace')
def _():
    profile = {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['ptrace', 'process_vm_readv'], 'action': 'SCMP_ACT_ERRNO'}]}
    with Folder() as folder:
        with open(f'{folder}/profile.json', 'w', encoding='ascii') as file:
            json.dump(profile, file)
        with place('podman', tools=True, options=['--security-opt', f'seccomp={folder}/profile.json']) as target:
            before = procstate.State(target.pid)
            fails(target.inside(DRIVER, '-o', '/tmp/x.heap', target.inner), NOT_PERMITTED, 'ptrace', 'seccomp', '--cap-add=SYS_PTRACE')
            as_before(target, before, [])
            succeeds(heapdump('-o', f'{folder}/x.heap', target.pid))
            as_before(target, before, [])


@suite.case('inside a container, a target with a filter of its own is not trusted; from the host it is read')
def _():
    with place('podman', tools=True, script='confined.py', arguments=('allow',)) as target, Folder() as folder:
        wait_for(lambda: target.ask()['confined'], 'the filter is set')
        before = procstate.State(target.pid)
        fails(target.inside(DRIVER, '-o', '/tmp/x.heap', target.inner), NOT_PERMITTED, 'seccomp', 'may not be read', 'on the host')
        as_before(target, before, [])
        succeeds(heapdump('-o', f'{folder}/x.heap', target.pid))
        as_before(target, before, [])


@suite.case('a container whose seccomp profile forbids what a dump needs, and one that kills for it')
def _():
    for action, word in (('SCMP_ACT_ERRNO', 'does not let'), ('SCMP_ACT_KILL_PROCESS', 'kill')):
        profile = {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['rt_sigpending'], 'action': action}]}
        with Folder() as folder:
            with open(f'{folder}/profile.json', 'w', encoding='ascii') as file:
                json.dump(profile, file)
            with place('podman', tools=True, options=['--security-opt', f'seccomp={folder}/profile.json']) as target:
                before = procstate.State(target.pid)
                fails(target.inside(DRIVER, '-o', '/tmp/x.heap', target.inner), NOT_PERMITTED, 'seccomp', word, 'rt_sigpending')
                fails(heapdump('-o', f'{folder}/x.heap', target.pid), NOT_PERMITTED, 'seccomp', word, 'rt_sigpending')
                as_before(target, before, [])


# -- numbers ---------------------------------------------------------------------------------------------------------------------

@suite.case('the number that a target has inside is explained')
def _():
    with place('pidns') as target, Folder() as folder:
        before = procstate.State(target.pid)
        equal(target.inner, 1, 'number inside')
        result = heapdump('-o', f'{folder}/x.heap', 1)
        check(result.code in (FAILED, NOT_PYTHON, NOT_PERMITTED), str(result))
        fails(result, result.code, f'inside a container 1 is .*{target.pid} .python3')
        empty(folder)
        as_before(target, before, [])


@suite.case('a number that only a target inside a container has is explained')
def _():
    free = next(n for n in range(30000, 60000) if not os.path.exists(f'/proc/{n}'))
    with place('pidns', number=free) as target, Folder() as folder:
        equal(target.inner, free, 'number inside')
        fails(heapdump('-o', f'{folder}/x.heap', free), FAILED, f'no process {free} here', f'inside a container {free} is .*{target.pid} .python3')
        empty(folder)


suite.run()
