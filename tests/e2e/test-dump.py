#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The whole way, on every interpreter: a zoo with one object of every kind is dumped, the dump agrees with what Python itself says of its
heap (oracle.py), what heapanalyze exports agrees with the file, and the zoo is as it was."""
import collections
import json
import os

import oracle
import planted
from support import dumps, heapfile, interpreters, procstate
from support.folder import Folder
from support.programs import heapanalyze, succeeds
from support.tap import Suite, check, equal
from support.target import Target

suite = Suite()


def against_python(interpreter, *how):
    with Folder() as folder, Target(interpreter, 'zoo-app.py', f'{folder}/oracle', *how) as target:
        answer = target.ask()
        target.process.stdin.write(b'x')
        target.process.stdin.flush()
        equal(target.read(), {'consulted': True}, 'the oracle')
        before = procstate.State(target.pid)
        path = dumps.dump(target, f'{folder}/zoo.heap')
        procstate.unchanged(before, procstate.State(target.pid))
        equal(target.ask(), answer, 'answer')

        dump = heapfile.Dump(path)
        found = oracle.Comparison(f'{folder}/oracle', dump)
        lines = found.run()
        check(not lines, lambda: '\n'.join(lines))
        check(found.counts['objects'] > 20000, f"only {found.counts['objects']} objects were compared")
        print(f"# {found.counts['objects']} objects, {found.counts['refs']} references")
        for why, count in sorted(found.explained.items()):
            print(f'# {count} explained by {why}')
        with open(f'{folder}/oracle.plants') as file:
            lines = planted.missing(dump, json.load(file))
        check(not lines, lambda: '\n'.join(lines))
        locals_ = [name for t in dump.threads for f in t['frames'] for name, address in f['refs'] if address == target.facts['marker']]
        check('<local marker>' in locals_, f'a local of a running frame: {locals_}')
        exported(path, dump, folder)
        frozen = {a for a, o in dump.objects.items() if o.flags & heapfile.FROZEN}
        equal(len(frozen) > 10000, bool(how), 'there are frozen objects')
        if how:
            never_collected(path, target.facts['cycle'], frozen)


def exported(path, dump, folder):
    """heapanalyze shows the same as the file holds, object by object."""
    succeeds(heapanalyze('--garbage', 'export', '--format', 'ndjson', '-o', f'{folder}/x.ndjson', path))
    with open(f'{folder}/x.ndjson', encoding='utf-8') as file:
        lines = [json.loads(line) for line in file]
    equal(lines[0]['t'], 'meta', 'first line')
    end = lines[-1]
    objects = {int(line['addr'], 16): line for line in lines if line['t'] == 'object'}
    equal((end['t'], end['complete'], end['objects']), ('end', True, len(objects)), 'last line')
    equal(end['refs'], sum(len(line['refs']) for line in objects.values()), 'references')
    equal(set(objects), set(dump.objects), 'objects')
    for address, mine in objects.items():
        one = dump.objects[address]
        equal((mine['type'], int(mine['type_addr'], 16), mine['size'], mine['gc']),
              (one.type.name, one.type.addr, one.size, bool(one.flags & 1)), mine['addr'])
        rows = dump.named(one)
        equal(collections.Counter(int(ref['addr'], 16) for ref in mine['refs']), collections.Counter(row[0] for row in rows),
              f"references of {mine['addr']} {mine['type']}")
        if len(mine['refs']) == len(one.refs):  # no place is empty: names stand in the same order; those under keys are made by heapanalyze
            have = [ref['name'] for ref, row in zip(mine['refs'], rows) if row[2] != heapfile.ITEMS]
            names = ['{member}' if row[1] == '{}' else row[1] for row in rows if row[2] != heapfile.ITEMS]
            equal(have, names, f"names of {mine['addr']} {mine['type']}")
        if one.real is not None:
            equal(mine.get('real_size', mine['size']), one.real or one.size, f"real size of {mine['addr']} {mine['type']}")


def never_collected(path, cycle, frozen):
    """A frozen cycle waits for no collection, though nothing holds it."""
    check(cycle in frozen, 'the cycle is not frozen')
    check('frozen by gc.freeze()' in (shown := succeeds(heapanalyze('object', hex(cycle), path)).text), shown)
    facts = json.loads(succeeds(heapanalyze('info', '--json', path)).text)
    equal(facts['awaiting_collection'], 0, 'what a collection would free')


def subinterpreters(interpreter):
    """Those with a GIL of their own, too: their objects, their modules, and their counts."""
    with Folder() as folder, Target(interpreter, 'subinterpreters.py') as target:
        kept = target.facts['kept']
        path = dumps.dump(target, f'{folder}/x.heap')
        dump = heapfile.Dump(path)
        holders = [o for o in dump.objects.values() if o.type.name == '__main__.Kept']
        found = []
        for o in holders:
            for referent, name, *_ in dump.named(o):
                if name == '.what':
                    found.append(dump.objects[referent].content.decode())
                elif name == '.__dict__':  # until 3.10
                    found += [dump.objects[row[0]].content.decode() for row in dump.named(dump.objects[referent]) if row[1] != 'key']
        equal(sorted(found), sorted(kept), 'objects of subinterpreters')
        equal(sum(root[2] == 'sys.modules' for root in dump.roots), 1 + len(kept), 'sys.modules')
        facts = json.loads(succeeds(heapanalyze('info', '--json', path)).text)
        equal((facts['skipped'], facts['complete']), ([], True), 'skipped, complete')
        equal(target.ask()['numbers'], len(kept), 'answer')


@suite.case('a tp_traverse that overruns its stack')
def _():
    """It ends at a page that is not there, below which the walker's own data lie."""
    with Folder() as folder, Target(interpreters.newest(), 'overrun.py') as target:
        dump = heapfile.Dump(dumps.dump(target, f'{folder}/x.heap'))
        victim, = target.facts['victims']
        equal(dump.skipped, [(victim, 'reading it faulted')], 'skipped')
        check(dump.objects[victim].flags & heapfile.BROKEN, 'its row does not say that it is broken')
        equal((dump.end['status'], dump.counters['walk.faults']), (0, 1), 'END, faults')
        equal(target.ask(), {'alive': True}, 'answer')


def big(interpreter):
    with Folder() as folder, Target(interpreter, 'bigheap.py', 200000) as target:
        before = procstate.State(target.pid)
        path = dumps.dump(target, f'{folder}/big.heap.zst')
        procstate.unchanged(before, procstate.State(target.pid))
        equal(target.ask()['wrong'], 0, 'wrong results')
        facts = json.loads(succeeds(heapanalyze('info', '--json', path)).text)
        check(facts, 'no facts')
        types = succeeds(heapanalyze('types', '--json', path)).text
        check('__main__.Order' in types, types[:2000])


for interpreter in interpreters.dumpable():
    suite.case(f'zoo · {interpreter}', against_python, interpreter)
for interpreter in interpreters.dumpable():
    if interpreter is interpreters.dumpable()[0] or interpreter is interpreters.newest() or not interpreter.gil:
        suite.case(f'frozen zoo · {interpreter}', against_python, interpreter, 'frozen')
for interpreter in interpreters.dumpable():
    suite.case(f'200 000 objects · {interpreter}', big, interpreter)

for interpreter in interpreters.dumpable():
    if interpreter is interpreters.dumpable()[0] or interpreter.version >= (3, 12):
        suite.case(f'subinterpreters · {interpreter}', subinterpreters, interpreter)

suite.run()
