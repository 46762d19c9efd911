#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The leaks of a program that has every kind of them are named, each with its path, which the program itself evaluates to what grows, and with its
line of code; nothing is named of what is bounded, nor of a program that does not leak."""
import json
import os
import re

from support import interpreters
from support.folder import Folder
from support.programs import TARGETS, heapanalyze, heapdump, succeeds
from support.tap import Suite, check, equal
from support.target import Target

suite = Suite()
PROGRAM = 'leaking.py'
MAIN = "sys.modules['__main__']."
# what is planted: expression → kind, and whether it is the holder itself or what is nearest to it that Python can write
PLANTED = {
    'SESSIONS': ('container', True), 'BY_REQUEST': ('instance-keys', True), 'Request.everyone': ('container', True),
    "APP.subscribers['tick']": ('callbacks', True), 'APP.closures': ('callbacks', True), 'APP.seen': ('container', True),
    'APP.jobs.queue': ('queue', True), 'APP.work._queue': ('queue', True), 'APP.head': ('chain', True), 'APP.buffer': ('buffer', True),
    'APP.ready': ('future-callbacks', False), 'APP.errors': ('exceptions', True), 'APP.changed._waiters': ('tasks', True),
    'LOCAL': ('thread-local', False), 'remember_all': ('unbounded-cache', False), 'LOG.handlers': ('logging-handlers', True),
    'LOOP._scheduled': ('timers', True),
}
WITHOUT_PATH = {'atexit', 'c-references', 'garbage'}
BOUNDED = ('RECENT', 'LRU', 'RING', 'PENDING', 'BATCH', 'CONNECTED', 'WEAK', 'TABLE', 'BOUNDED_QUEUE', 'remember_some', 'handlerList', '_all_tasks')


def leaks(*arguments):
    return json.loads(succeeds(heapanalyze('leaks', '--json', '--limit', 0, *arguments)).text)


def lines():
    """Function → its line in the program."""
    with open(os.path.join(TARGETS, PROGRAM), encoding='utf-8') as file:
        return {match[1]: number for number, line in enumerate(file, 1) for match in re.finditer(r'^ *(?:async )?def (\w+)', line)}


def three_dumps(target, folder):
    target.tell(1000)
    names = [f'{folder}/{name}.heap' for name in 'abc']
    for number, name in enumerate(names):
        if number:
            target.tell(300)
        succeeds(heapdump('-o', name, target.pid))
    return names


def nothing_bounded(found, what):
    for suspect in found:
        named = f"{suspect['path']} {suspect['template']} {suspect['expression']}"
        wrong = [name for name in BOUNDED if re.search(rf'\b{name}\b', named)]
        check(not wrong, lambda: f'{what}: {wrong} named, which is bounded: {suspect}')


def expressions_hold(target, folder, found):
    told = [s for s in found if s['expression'] is not None]
    answers = target.evaluate(folder, [s['expression'] for s in told])
    wrong = [f"{s['expression']} is {answer if isinstance(answer, str) else hex(answer)}, not {s['expression_addr']}"
             for s, answer in zip(told, answers) if answer != int(s['expression_addr'], 16)]
    check(not wrong, '\n'.join(wrong))


def planted(found, trend, confidence):
    by_expression = {s['expression']: s for s in found if s['expression'] is not None}
    line = lines()
    for name, (kind, exact) in PLANTED.items():
        suspect = by_expression.get(MAIN + name)
        check(suspect, lambda: f'{name} is not named among {sorted(by_expression)}')
        equal((suspect['kind'], suspect['trend']), (kind, trend), name)
        equal(suspect['expression_addr'] == suspect['holder'], exact, f'{name} is the holder itself')
        check(suspect['confidence'] in confidence, lambda: f'{name}: {suspect}')
        if kind != 'buffer':
            check(suspect['count_change'] == 600, lambda: f'{name}: {suspect}')
        wanted = 'remember_all' if kind == 'unbounded-cache' else 'leak'
        check(any(re.match(rf'{wanted} at .*{PROGRAM}:{line[wanted]}$', where) or re.match(rf'{wanted} at .*{PROGRAM}:{line[wanted] - 1}$', where)
                  for where in suspect['code']), lambda: f'{name}: no line of {wanted}(): {suspect}')
    inside = {name: by_expression[MAIN + name]['inside'] for name in PLANTED}
    for name, function in {'SESSIONS': 'Session.__init__', "APP.subscribers['tick']": 'Request.on_tick', 'LOOP._scheduled': 'Request.on_tick',
                           'APP.changed._waiters': 'wait_for_change', 'APP.errors': 'fail'}.items():
        check(any(where.startswith(function + ' at ') for where in inside[name]), lambda: f'{name}: no {function}: {inside[name]}')
    users = [s for s in found if s['template'] == MAIN + 'APP.users[*].history']
    equal([(s['holders'], s['count_change'], s['kind']) for s in users], [(20, 600, 'container')], 'the list of each user')
    kinds = {s['kind'] for s in found}
    equal(WITHOUT_PATH - kinds, set(), 'leaks without a path that are not named')
    check('finalizers' in kinds, kinds)


def leaky(interpreter):
    with Target(interpreter, PROGRAM, 'leaky') as target, Folder() as folder:
        a, b, c = three_dumps(target, folder)
        answer = leaks('--remove-heap-dump', a, '--intersect-heap-dump', c, b)
        found = answer['suspects']
        planted(found, 'steady', ('high',))
        nothing_bounded(found, 'three dumps')
        survivors = {s['expression']: s['survivors'] for s in found}
        equal(survivors[MAIN + 'SESSIONS'], 300, 'sessions that came and stayed')
        # the head of the chain has moved on since
        expressions_hold(target, folder, [s for s in found if s['kind'] != 'chain'])
        check(len(found) <= len(PLANTED) + len(WITHOUT_PATH) + 3, lambda: f'more suspects than leaks: {[s["template"] for s in found]}')

        found = leaks('--previous-heap-dump', a, c)['suspects']
        planted(found, 'grew', ('high', 'medium'))
        nothing_bounded(found, 'two dumps')
        expressions_hold(target, folder, found)

        found = leaks(c)['suspects']
        nothing_bounded(found, 'one dump')
        named = {s['expression'] for s in found}
        missing = {MAIN + name for name in ('SESSIONS', 'BY_REQUEST', 'APP.errors', 'remember_all', 'LOG.handlers', 'LOOP._scheduled')} - named
        equal(missing, set(), 'large at a single look')
        check(all(s['confidence'] in ('medium', 'low') and s['trend'] == 'none' for s in found), found)


def healthy(interpreter):
    with Target(interpreter, PROGRAM, 'healthy') as target, Folder() as folder:
        a, b, c = three_dumps(target, folder)
        for arguments in (('--remove-heap-dump', a, '--intersect-heap-dump', c, b), ('--previous-heap-dump', a, c), (c,)):
            answer = leaks(*arguments)
            equal([s['template'] for s in answer['suspects']], [], f'suspects with {arguments[:-1]}')
            check(answer['looked_at']['objects'] > 1000, answer)
        result = succeeds(heapanalyze('leaks', c))
        check(result.text.startswith('Nothing that looks like a leak.\nLooked at: '), result.text)


for each in interpreters.dumpable():
    suite.case(f'what leaks is named, {each}', leaky, each)
for each in {i.version[:2]: i for i in interpreters.dumpable()}.values():
    suite.case(f'nothing is named of a program that does not leak, {each}', healthy, each)

suite.run()
