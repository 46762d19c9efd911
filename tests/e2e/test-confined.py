#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Targets under seccomp: dumped where their filter lets all happen that a dump needs, refused before anything is touched where it would kill or fail, by the
name of the system call. Proof that nothing is missing among what is checked: targets that die at any other call are dumped too."""
import os
import re
import sys

from support import interpreters, procstate
from support.folder import Folder, empty
from support.programs import HEAPDUMP, SOURCE, TARGETS, fails, heapanalyze, heapdump, run, succeeds
from support.tap import Skip, Suite, check, equal
from support.target import Target, wait_for

sys.path.insert(0, TARGETS)
from confined import confine

NOT_PERMITTED = 4
# What the target itself needs to sleep and to answer.
ITS_OWN = 'rt_sigreturn restart_syscall clock_nanosleep write brk mmap munmap mremap futex pselect6 select gettid getpid exit_group rt_sigaction'.split()
suite = Suite()


def confined(*rules, interpreter=None):
    return Target(interpreter or interpreters.newest(), 'confined.py', *rules)


def settled(target):
    wait_for(lambda: target.ask()['confined'], 'the filter is set')
    return procstate.State(target.pid)


def calls_checked(*who):
    """The names in confine.c's table that are made by one of these."""
    with open(f'{SOURCE}/injector/confine.c', encoding='utf-8') as file:
        rows = re.findall(r'^ +CALL\((\w+), ([A-Z| ]+),', file.read(), re.M)
    check(len(rows) > 30, f'the table in confine.c is not understood: {rows}')
    return sorted({name for name, by in rows if 'ALL' in by.split() or set(who) & set(by.replace('|', ' ').split())})


def works(target, *options):
    with Folder() as folder:
        before = settled(target)
        succeeds(heapdump(*options, '-o', f'{folder}/x.heap', target.pid))
        succeeds(heapanalyze('info', f'{folder}/x.heap'))
        wait_for(lambda: not procstate.children(target.pid), 'our copy of the target has ended')
        if options:  # its C library has set up its handler for a first thread
            before.facts.pop('SigCgt')
        after = procstate.State(target.pid)
        if options:
            after.facts.pop('SigCgt')
        procstate.unchanged(before, after)
        equal(target.ask()['wrong'], 0, 'wrong results')


def refused(target, *words, options=()):
    with Folder() as folder:
        before = settled(target)
        fails(heapdump(*options, '-o', f'{folder}/x.heap', target.pid), NOT_PERMITTED, 'seccomp', *words)
        empty(folder)
        procstate.unchanged(before, procstate.State(target.pid))
        equal(target.ask()['wrong'], 0, 'wrong results')


for rules in (['allow'], ['log'], ['errno=close_range,getrandom,setrlimit,process_vm_readv'], ['kill=execve,ptrace,mount', 'errno=socket', 'allow'],
              ['kill=clone&0x10000000'], ['thread:kill=execve'], ['errno=clone3', 'trap=execve']):
    @suite.case(f'works: {" ".join(rules)}')
    def _(rules=rules):
        with confined(*rules) as target:
            works(target)


for rules, words in ((['kill=clone'], ['kill it', 'clone']), (['kill=clone&0x800000'], ['kill it', 'clone']), (['thread=wait4'], ['kill it', 'wait4']),
                     (['trap=rt_sigpending'], ['kill it', 'rt_sigpending']), (['errno=tgkill'], ['does not let it', 'tgkill']),
                     (['kill=close_range'], ['kill its copy', 'close_range']), (['errno=nanosleep'], ['its copy', 'nanosleep']),
                     (['allow', 'kill=ppoll', 'errno=execve'], ['kill its copy', 'ppoll']), (['thread:kill=clone'], ['kill it', 'clone'])):
    @suite.case(f'refused: {" ".join(rules)}')
    def _(rules=rules, words=words):
        with confined(*rules) as target:
            refused(target, *words)


for rules, words in ((['kill=sigaltstack'], ['kill it', 'sigaltstack']), (['errno=access'], ['does not let it', 'access']), (['kill=clone3'], ['kill it', 'clone3'])):
    @suite.case(f'refused in the live target only: {" ".join(rules)}')
    def _(rules=rules, words=words):
        with confined(*rules) as target:
            refused(target, *words, options=('--mode', 'inline'))
            refused(target, *words, options=('--payload', 'tasks'))
            refused(target, *words, options=('--gc',))


for interpreter in interpreters.dumpable():
    @suite.case(f'nothing else is called, by fork · {interpreter}')
    def _(interpreter=interpreter):
        with confined('only=' + ','.join(ITS_OWN + calls_checked('STUB', 'GHOST')), interpreter=interpreter) as target:
            works(target)

    @suite.case(f'nothing else is called, in the live target · {interpreter}')
    def _(interpreter=interpreter):
        with confined('only=' + ','.join(ITS_OWN + calls_checked('LIVE')), interpreter=interpreter) as target:
            works(target, '--mode', 'inline')


@suite.case('refused: the strict mode')
def _():
    with confined('strict') as target, Folder() as folder:
        wait_for(lambda: procstate.status(target.pid)['Seccomp'].strip() == '1', 'it is strict')
        before = procstate.State(target.pid)
        for options in ((), ('--mode', 'fork'), ('--mode', 'inline'), ('--gc',), ('--payload', 'tasks')):
            fails(heapdump(*options, '-o', f'{folder}/x.heap', target.pid), NOT_PERMITTED, 'seccomp', 'strict', 'kills')
            empty(folder)
        procstate.unchanged(before, procstate.State(target.pid))
        for byte in (b'a', b'b'):
            os.write(target.process.stdin.fileno(), byte)
            equal(os.read(target.process.stdout.fileno(), 1), byte, 'what it repeats')


@suite.case('nothing may become executable that was writable, as systemd has it')
def _():
    with confined('errno=mprotect&4@2') as target:
        works(target)
        works(target, '--mode', 'inline')


@suite.case("nothing may be executed but what is a file's")
def _():
    with confined('errno=mmap&4@2&0x20@3,mprotect&4@2') as target:
        works(target)
        works(target, '--mode', 'inline')


@suite.case('nothing more may be executed')
def _():
    with confined('errno=mmap&4@2,mprotect&4@2') as target:
        refused(target, 'does not let its copy', 'mmap')


@suite.case('a filter that may not be read is not trusted')
def _():
    if os.getuid() != 0:
        raise Skip('only root can give rights away')
    with confined('allow') as target:
        with Folder() as folder:
            settled(target)
            fails(run('setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin', HEAPDUMP, '-o', f'{folder}/x.heap', target.pid), NOT_PERMITTED,
                  'may not be read', 'on the host as root')
            empty(folder)
            equal(target.ask()['wrong'], 0, 'wrong results')


@suite.case('we may make no socket, and so no lock')
def _():
    with Target(interpreters.newest(), 'sleeper.py', 'sleep') as target, Folder() as folder:
        succeeds(heapdump('-o', f'{folder}/x.heap', target.pid, preexec_fn=lambda: confine('errno=socket')))
        succeeds(heapanalyze('info', f'{folder}/x.heap'))
        equal(target.ask()['wrong'], 0, 'wrong results')


suite.run()
