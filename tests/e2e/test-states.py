#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A dump works in whatever state the target is, and leaves it as it was: nothing that can be seen of the process has changed, its code
least of all, it goes on with what it did, and its results are right."""
import collections
import os

from support import dumps, heapfile, interpreters, procstate
from support.folder import Folder, empty
from support.programs import TARGETS, heapanalyze, run, succeeds
from support.tap import Suite, check, equal
from support.target import Target, wait_for

SLEEPERS = 'sleep epoll poll select lock queue condition join input read accept wait sigwait asyncio'.split()
BUSY = 'loop work storm regex bigint threads collect'.split()
suite = Suite()


def dumped(target, folder):
    path = dumps.dump(target, f'{folder}/x.heap.zst')
    wait_for(lambda: procstate.children(target.pid) == target.children, 'our copy of the target has ended')
    succeeds(heapanalyze('info', path))
    os.unlink(path)
    empty(folder)


def case(interpreter, script, kind):
    with Folder() as folder, Folder() as stage:
        with Target(interpreter, script, kind, environment={'TMPDIR': stage}) as target:
            target.children = procstate.children(target.pid)
            first = target.ask()
            # Once before measuring: what Python itself loads or allocates for the first answers is there then.
            before = procstate.State(target.pid)
            dumped(target, folder)
            dumped(target, folder)
            after = procstate.State(target.pid)
            second = target.ask()
            procstate.unchanged(before, after)
            equal(second['wrong'], 0, 'wrong results')
            if script == 'busy.py':
                check(target.ask()['rounds'] >= second['rounds'] >= first['rounds'], 'the target does not go on')
            else:
                equal(second, first, 'answer')
            check(target.alive(), 'the target has ended')
            empty(stage, 'files left where the target keeps its own')


def go_on(target):
    target.process.stdin.write(b'x')
    target.process.stdin.flush()


def collecting(interpreter, call):
    """It stands in the middle of a collection: the first tries give up, the next takes the collector's lists as they are."""
    with Folder() as folder:
        succeeds(run('cc', '-shared', '-fPIC', '-o', f'{folder}/collecting.so', f'{TARGETS}/collecting.c'))
        with Target(interpreter, 'collecting.py', f'{folder}/collecting.so', call) as target:
            go_on(target)
            equal(target.read(), {}, 'it stands in the middle of a collection')
            before = procstate.State(target.pid)
            path = dumps.dump(target, f'{folder}/x.heap')
            procstate.unchanged(before, procstate.State(target.pid))
            dump = heapfile.Dump(path)
            names = collections.Counter(o.type.name for o in dump.objects.values() if o.flags & heapfile.GC)
            equal((dump.end['status'], dump.counters['gc.collecting']), (0, 1), 'END, gc.collecting')
            equal(names['__main__.Kept'], target.facts['kept'], 'objects that are held')
            check(dump.objects[target.facts['waits']].flags & heapfile.GC, 'the object that waits is none of the collector\'s')
            check(names['__main__.Lost'] == target.facts['lost'] or call > 1, f"{names['__main__.Lost']} objects that nobody holds")
            check('a collection was at work' in (text := succeeds(heapanalyze('info', path)).text), text)
            go_on(target)
            answer = target.read()
            equal(answer['wrong'], 0, 'wrong objects')
            check(answer['found'] >= target.facts['lost'], f"{answer['found']} objects were collected")


everywhere = [('sleeper.py', 'epoll'), ('sleeper.py', 'lock'), ('busy.py', 'storm'), ('busy.py', 'threads')]
for interpreter in interpreters.dumpable():
    kinds = [('sleeper.py', k) for k in SLEEPERS] + [('busy.py', k) for k in BUSY]
    for script, kind in kinds if interpreter is interpreters.newest() else everywhere:
        suite.case(f'{kind} · {interpreter}', case, interpreter, script, kind)
    for call in (1, 2) if interpreter.gil else ():
        suite.case(f'in the middle of a collection, look {call} · {interpreter}', collecting, interpreter, call)

suite.run()
