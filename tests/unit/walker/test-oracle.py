#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The walker without GDB, in every interpreter of this machine, against Python's own word. HEAPDUMP_HARNESS: libwk-harness.so."""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', '..', 'e2e'))

import oracle
import planted
from support import heapfile, interpreters
from support.tap import Skip, Suite, check, equal

# Names that references of instances of a type must have somewhere in the zoo.
NAMES = {
    'builtins.function': '<code> <globals> .__defaults__ .__kwdefaults__ <closure> .__name__ .__qualname__ .__module__ .__dict__',
    'builtins.method': '.__self__ .__func__',
    'builtins.builtin_function_or_method': '.__self__',
    'builtins.cell': '.cell_contents',
    'builtins.module': '.__dict__',
    'builtins.code': '.co_consts .co_names .co_name .co_filename',
    'builtins.property': '.fget .__doc__',
    'builtins.staticmethod': '.__func__',
    'builtins.classmethod': '.__func__',
    'builtins.type': '.__dict__ <mro> <bases> <base> <subclasses> .__name__ .__qualname__',
    'builtins.slice': '.start .stop .step',
    'builtins.coroutine': '.__name__',
    'builtins.generator': '.__name__',
    'builtins.list': '[0] [1] [2]',
    'builtins.tuple': '[0] [1]',
    'builtins.set': '{}',
    'builtins.dict': 'key value',
    'functools.partial': '.func .args .keywords',
    'collections.deque': '[0] [999]',
    'collections.OrderedDict': 'key value',
    'collections.defaultdict': 'key value .default_factory',
    'collections.Counter': 'key value',
    '_asyncio.Task': '._loop ._coro ._fut_waiter',
    '_asyncio.Future': '._loop ._result',
    'sys.version_info': '.major .micro',
    'builtins.ValueError': '.args',
    'zoo.Error': '.args .__cause__ .__traceback__ .__dict__',
    'zoo.SlotsAndDict': '.a .c .__class__',
    'zoo.ListSlots': '[0] .x .__class__',
    'zoo.Dict': 'key value .__class__',
    'zoo.Data': '.__class__',
    'zoo.Instance': '.__class__ .__dict__',
    'threading.Event': '.__class__',
}
ATTRIBUTES = {'builtins.coroutine': '<awaits>', 'zoo.Data': '.a .b .c', 'threading.Event': '._cond ._flag', 'zoo.Instance': '.a .b'}  # 3.11+: without a frame or dict between

suite = Suite()


def names(dump):
    found = {}
    for o in dump.objects.values():
        if o.type.name in NAMES:
            found.setdefault(o.type.name, set()).update(row[1] for row in dump.named(o))
    for kind, wanted in NAMES.items():
        if dump.meta['python.hex'] >= 0x030b0000:
            wanted += ' ' + ATTRIBUTES.get(kind, '')
        if kind == 'zoo.Dict':  # 3.14 keeps attributes beside dicts, too
            wanted += ' .attribute' if dump.meta['python.hex'] >= 0x030e0000 else ' .__dict__'
        missing = set(wanted.split()) - found.get(kind, set())
        check(not missing, lambda: f'{kind} lacks {missing}, has {sorted(map(str, found.get(kind, ())))[:20]}')


def inside(interpreter, how, folder, environment={}):
    run = subprocess.run([interpreter.path, '-W', 'ignore', os.path.join(HERE, 'inside-oracle.py'), os.environ['HEAPDUMP_HARNESS'], folder, how],
                         capture_output=True, text=True, errors='replace', timeout=120, env={**os.environ, **environment})
    equal((run.returncode, run.stderr), (0, ''), 'inside-oracle.py')


def compare(interpreter, how, environment={}):
    with tempfile.TemporaryDirectory() as folder:
        inside(interpreter, how, folder, environment)
        with open(f'{folder}/result.json') as file:
            result = json.load(file)
        equal((result['status'], result['errno']), (0, 0), 'result file')
        check(not os.path.exists(f'{folder}/result.json.part'), 'the temporary result file is still there')
        dump = heapfile.Dump(f'{folder}/heap')
        equal((dump.end['status'], dump.end['objects']), (0, len(dump.objects)), 'END')
        found = oracle.Comparison(f'{folder}/oracle', dump)
        lines = found.run()
        check(not lines, lambda: '\n'.join(lines))
        check(found.counts['objects'] > 30000, f"only {found.counts['objects']} objects were compared")
        names(dump)
        disowned = sum(o.type.name == 'planted.hidden.Disowned' or (o.type.name == 'greenlet.greenlet' and (o.content or b'').endswith(b' suspended'))
                       for o in dump.objects.values())
        equal(dump.counters['gc.disowned'], disowned, 'objects that their type disowns')
        expect_plants(folder, dump)
        for why, count in sorted(found.explained.items()):
            print(f'# {count} explained by {why}')


def expect_plants(folder, dump):
    with open(f'{folder}/plants') as file:
        lines = planted.missing(dump, json.load(file))
    check(not lines, lambda: '\n'.join(lines))


def inline(interpreter):
    with tempfile.TemporaryDirectory() as folder:
        inside(interpreter, 'inline', folder)
        dump = heapfile.Dump(f'{folder}/heap')
        equal((dump.end['status'], dump.meta['mode']), (0, 'inline'), 'END, mode')
        check(len(dump.objects) > 50000, f'{len(dump.objects)} objects')
        expect_plants(folder, dump)


def none():
    raise Skip('there is no CPython to walk')


for found_ in interpreters.loading():
    suite.case(f'ghost, {found_}', compare, found_, 'ghost')
    suite.case(f'inline, {found_}', inline, found_)
for found_ in interpreters.loading()[:1] + interpreters.loading()[-2:]:  # the thread state has been kept in three places
    suite.case(f'asleep, {found_}', compare, found_, 'asleep')
for found_ in [i for i in interpreters.loading() if not i.gil]:  # hooks stand before each block of the pages gone through
    suite.case(f'allocator that debugs, {found_}', compare, found_, 'ghost', {'PYTHONMALLOC': 'debug'})
for found_ in interpreters.loading()[-1:]:
    suite.case(f'as linked, {found_}', compare, found_, 'library')
    suite.case(f'frozen, {found_}', compare, found_, 'frozen')
if not suite.cases:
    suite.case('walk', none)
suite.run()
