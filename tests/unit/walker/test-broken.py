#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Heaps with something broken in them: the walker skips it, says so, and brings everything else home. HEAPDUMP_HARNESS: libwk-harness.so."""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', '..', 'e2e'))

from support import heapfile, interpreters
from support.tap import Skip, Suite, check, equal

BROKEN = 1 << 10
FAULT, WRONG, NO_TYPE = 'reading it faulted', 'its fields contradict each other', 'its type is no type'
STRUCK = 'its %s fails: it is not called any more, references of instances are missing'
# What breaks, and how the object shows: skipped for this reason, with a row that says BROKEN or without one; or as it is.
KINDS = {
    'type_is_garbage': ((FAULT,), False),
    'type_is_a_list': ((NO_TYPE,), False),
    'slot_is_unmapped': (None, True),
    'slot_is_small': (None, True),
    'list_without_items': ((FAULT,), True),
    'list_too_long': ((WRONG,), True),
    'tuple_too_long': ((WRONG,), True),
    'dict_without_keys': ((FAULT,), True),
    'dict_with_wild_keys': ((FAULT, WRONG), True),
    'set_too_large': ((WRONG,), True),
    'unreadable_page': (None, True),
    'traverse_crashes': ((FAULT,), True),
    'traverse_overflows': ((FAULT,), True),
    # whichever limit comes first: a slow machine needs seconds to fill the memory
    'traverse_never_ends': (('its tp_traverse shows more than fits into memory', 'it took seconds'), True),
    'name_is_missing': ((NO_TYPE,), False),
    'name_is_wild': ((FAULT,), True),
    'basicsize_lies': ((NO_TYPE,), False),
    'basicsize_is_negative': ((NO_TYPE,), False),
    'itemsize_lies': ((NO_TYPE,), False),
    'dictoffset_lies': (None, True),
    'base_lies': ((FAULT,), True),
    'gc_links_loop': (None, True),
    'mro_lies': (None, True),
}

suite = Suite()


def inside(interpreter, what, folder, *more):
    run = subprocess.run([interpreter.path, '-W', 'ignore', os.path.join(HERE, 'inside-broken.py'), os.environ['HEAPDUMP_HARNESS'], folder, what,
                          *map(str, more)], capture_output=True, text=True, errors='replace', timeout=120)
    equal((run.returncode, run.stderr), (0, ''), 'inside-broken.py')
    return json.loads(run.stdout)


def lasting(dump):
    """How many objects there are but for names that only the cache of types holds: addresses decide which, so that no two processes have the same."""
    cached = {root[1] for root in dump.roots if root[2] == '<type cache>'}
    held = {root[1] for root in dump.roots if root[2] != '<type cache>'}.union(*(o.refs for o in dump.objects.values()))
    return len(dump.objects.keys() - (cached - held))


def broken(interpreter, what):
    why, row = KINDS[what]
    with tempfile.TemporaryDirectory() as folder:
        result = inside(interpreter, what, folder)
        before = lasting(heapfile.Dump(f'{folder}/before'))
        equal((result['status'], result['exit']), (0, 0), 'status, exit')
        dump = heapfile.Dump(f'{folder}/heap')
        equal((dump.end['status'], dump.duplicates), (0, []), 'END, objects that were written twice')
        check(lasting(dump) > before - 20, f'{lasting(dump)} objects, of about {before}')
        check(result['marker'] in dump.objects, 'the rest of the heap is not there')
        reasons = dict(dump.skipped).get(result['victim'])
        victim = dump.objects.get(result['victim'])
        if why:
            check(reasons in why, f'reason: {reasons!r}, not one of {why}')
            check(dump.counters['walk.skipped'] >= 1 and result['skipped'] >= 1, 'it is not counted')
        equal(victim is not None, row, 'it has a row')
        if why and row:
            check(victim.flags & BROKEN, 'its row does not say that it is broken')


def many(interpreter, what, n, skipped, code='tp_traverse'):
    """A type whose every instance breaks: it is given up once, its instances are in the dump without their references."""
    with tempfile.TemporaryDirectory() as folder:
        result = inside(interpreter, what, folder)
        equal((result['status'], result['exit'], result['skipped']), (0, 0, skipped), 'status, exit, skipped')
        dump = heapfile.Dump(f'{folder}/heap')
        equal(dump.end['status'], 0, 'END')
        check(result['marker'] in dump.objects, 'the rest of the heap is not there')
        kind = dump.objects[result['victim']].type
        equal([address for address, why in dump.skipped if why == STRUCK % code], [kind.addr], 'types that are given up')
        flags = [o.flags & BROKEN for o in dump.objects.values() if o.type is kind]
        equal((len(flags), min(flags)), (n, BROKEN), 'instances, all of them broken')


def deep(interpreter):
    with tempfile.TemporaryDirectory() as folder:
        result = inside(interpreter, 'deep', folder)
        equal((result['status'], result['skipped']), (0, 0), 'status, skipped')
        check(result['objects'] > 2000000, f"{result['objects']} objects")


def limited(interpreter):
    """More memory than it may have: the dump ends, marked incomplete, with what was written until then."""
    with tempfile.TemporaryDirectory() as folder:
        result = inside(interpreter, 'nothing', folder, 6000000)
        equal(result['status'], 8, 'status')
        with open(f'{folder}/result.json') as file:
            text = json.load(file)
        equal((text['status'], text['status_text'], text['errno']), (8, 'out of memory', 12), 'result file')
        dump = heapfile.Dump(f'{folder}/heap')
        equal((dump.end['status'], dump.end['reason']), (1, 'out of memory'), 'END')


def none():
    raise Skip('there is no CPython to walk')


found = interpreters.loading()
for name in KINDS:
    for interpreter_ in found[:1] + found[-1:]:
        suite.case(f'{name}, {interpreter_}', broken, interpreter_, name)
for interpreter_ in found[-1:]:
    suite.case(f'many_hang, {interpreter_}', many, interpreter_, 'many_hang', 10000, 2)
    suite.case(f'many_hang_early, {interpreter_}', many, interpreter_, 'many_hang_early', 10000, 2, 'tp_is_gc')
    suite.case(f'many_crash, {interpreter_}', many, interpreter_, 'many_crash', 40000, 51)
    suite.case(f'deep, {interpreter_}', deep, interpreter_)
    suite.case(f'memory limit, {interpreter_}', limited, interpreter_)
if not suite.cases:
    suite.case('broken heaps', none)
suite.run()
