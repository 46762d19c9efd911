#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds what heapanalyze exports of other tools' dumps against readers of its own, and gives it cut, damaged and hostile ones.
foreign.py HEAPANALYZE [ROUNDS]"""
import collections
import gzip
import json
import os
import random
import resource
import struct
import subprocess
import sys
import tempfile

from foreign_dumps import CONTAINERS, FORMATS, PYHEAP_MAGIC, READERS, WRITERS, Heap, app, pack, some, text16

HEAPANALYZE = os.path.abspath(sys.argv[1])
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 40
MEMORY = 1 << 30  # far more than any of these files needs, far less than hostile ones claim
with open(HEAPANALYZE, 'rb') as program:
    SANITIZED = b'__asan_init' in program.read()
ENVIRONMENT = dict(os.environ, LC_ALL='C.UTF-8')
if SANITIZED:  # which takes terabytes of addresses for itself
    ENVIRONMENT['ASAN_OPTIONS'] = ENVIRONMENT.get('ASAN_OPTIONS', '') + f':max_allocation_size_mb={MEMORY >> 20}'


def limit_memory():
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def ask(data, *arguments, name='x.dump', stdin=False):
    """(exit code, stdout, stderr) of a command with data as its dump."""
    with tempfile.TemporaryDirectory() as folder:
        with open(f'{folder}/{name}', 'wb') as file:
            file.write(data)
        run = subprocess.run([HEAPANALYZE, *arguments, '-' if stdin else name], cwd=folder, env=ENVIRONMENT, capture_output=True, timeout=120, check=False,
                             input=data if stdin else None, preexec_fn=limit_memory)
    out, err = run.stdout.decode(), run.stderr.decode()
    assert run.returncode in (0, 1), f'exit code {run.returncode}: {err[-2000:]}'
    return run.returncode, out, err


def export(data, **more):
    code, out, err = ask(data, 'export', '--format', 'ndjson', **more)
    assert code == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    return lines[0], [line for line in lines if line['t'] == 'object'], [line for line in lines if line['t'] == 'thread'], lines[-1], err


def fails(data, *words, command=('info',), **more):
    code, out, err = ask(data, *command, **more)
    assert code == 1 and out == '', f'exit code {code}, {out[:200]!r}'
    assert err.count('\n') == 1 and all(word in err for word in words), f'{words} not in {err!r}'


def zstd(data):
    return subprocess.run(['zstd', '-q', '-c'], input=data, capture_output=True, check=True).stdout


COMPRESSIONS = {'plain': bytes, 'gzip': gzip.compress, 'zstd': zstd}


def flat(thing):
    return [addr for item in thing[4] for addr in (item if isinstance(item, tuple) else (item,))] + thing[5]


def names_of(thing, types, contents):
    """What PyHeap's references are called; None where that is not looked at."""
    kind = types[thing[1]].removeprefix('builtins.')
    names = []
    if kind == 'dict':
        for key, _ in thing[4]:
            content = contents.get(key)
            names += [None, f"['{content}']" if content is not None and content.isalnum() and len(content) < 40 else None]
    elif kind in CONTAINERS:
        names = ['{member}' if kind == 'set' else f'[{i}]' for i in range(len(thing[4]))]
    rest = [''] * len(thing[5])
    for name, value in thing[6]:
        places = [i for i, addr in enumerate(thing[5]) if addr == value]
        if len(rest) > 16:
            places = places[:1]
        for i in places:
            if not rest[i]:
                rest[i] = f'.{name}'
                break
    return names + rest


def compare(heap, form, data, names=True, **more):
    types, objects = READERS[form](data)
    meta, exported, threads, end, err = export(data if 'packed' not in more else more.pop('packed'), **more)
    there = {thing[0] for thing in objects}
    by_addr = {int(thing['addr'], 16): thing for thing in exported}
    assert len(exported) == len(objects) == end['objects'] and set(by_addr) == there, 'objects'
    assert end['complete'] is True and 'incomplete' not in err, err
    contents = {thing.addr: thing.content for thing in heap.things if heap.types[thing.type] == 'builtins.str' and isinstance(thing.content, str)}
    for thing in objects:
        got = by_addr[thing[0]]
        assert (got['type'], int(got['type_addr'], 16), got['size']) == (types[thing[1]], thing[1], thing[2]), f'{got} is not {thing}'
        assert got['refcount'] is None and got['gc'] is (True if thing[3] else None), got
        expected = [addr for addr in flat(thing) if addr in there]
        assert [int(ref['addr'], 16) for ref in got['refs']] == expected, f'references of {got}'
        if form != 'pyheap' or not names:
            assert form == 'pyheap' or all(ref['name'] in (None, '.__dict__') for ref in got['refs']), got
            continue
        called = [name for name, addr in zip(names_of(thing, types, contents), flat(thing)) if addr in there]
        for name, ref in zip(called, got['refs']):
            assert name is None or (ref['name'] or '') == name, f'{name} is called {ref["name"]}'
    assert end['refs'] == sum(addr in there for thing in objects for addr in flat(thing)), 'references in all'
    dangling = sum(addr not in there and addr != 0 for thing in objects for addr in flat(thing))
    assert meta['counters'].get('analyzer.dangling_refs', 0) == dangling, meta
    if form == 'pyheap':
        assert [thread['name'] for thread in threads] == [name for name, _ in heap.threads], threads
    reached(by_addr)
    return by_addr


def reached(by_addr):
    """Roots reach all, and none of the kind unknown is reached from another root."""
    refs = {addr: [int(ref['addr'], 16) for ref in thing['refs']] for addr, thing in by_addr.items()}
    roots = [addr for addr, thing in by_addr.items() if thing['root']]

    def reach(starts):
        seen, todo = set(starts), list(starts)
        while todo:
            for to in refs[todo.pop()]:
                if to not in seen:
                    seen.add(to)
                    todo.append(to)
        return seen

    assert reach(roots) == set(by_addr), 'roots do not reach all'
    for addr in roots:
        if all(text.startswith('unknown') for text in by_addr[addr]['root']):
            assert addr not in reach([other for other in roots if other != addr]), f'{addr:#x} is held by others'


def small():
    heap = Heap()
    heap.types = {0x1000: 'builtins.str', 0x1400: 'app.Ä', 0x1800: 'builtins.list'}
    heap.add(0x2000, 0x1000, 52, 'abc')
    heap.add(0x2040, 0x1400, 48, refs=[0x2000, 0x3000], attributes=[('_a', 0x2000)], tracked=True)
    heap.add(0x2080, 0x1800, 72, items=[0x2040, 0x2000])
    return heap


def same_as_our_own_readers():
    for seed in range(ROUNDS):
        heap = some(random.Random(seed))
        for number, form in enumerate(FORMATS):
            data = WRITERS[form](heap)
            how = list(COMPRESSIONS)[(seed + number) % 3]
            try:
                compare(heap, form, data, packed=COMPRESSIONS[how](data), stdin=seed % 2 == 1)
            except AssertionError as error:
                raise AssertionError(f'seed {seed}, {form}, {how}: {error}') from error


def each_compression_gives_the_same():
    heap = app()
    for form in FORMATS:
        data = WRITERS[form](heap)
        compare(heap, form, data, names=False)
        for arguments in (('info',), ('top', '--show-parents'), ('types', '--json'), ('retained', '--json'), ('paths', 'Session', '--json')):
            answers = {ask(pack_with(data), *arguments, stdin=stdin)[:2] for pack_with in COMPRESSIONS.values() for stdin in (False, True)}
            assert len(answers) == 1 and next(iter(answers))[0] == 0, f'{form} {arguments}'


def without_str():
    heap = app()
    compare(heap, 'pyheap', WRITERS['pyheap'](heap, flags=0), names=False)


def a_long_list():
    heap = Heap()
    heap.types = {0x1000: 'builtins.list', 0x1400: 'app.X'}
    heap.add(0x2000, 0x1000, 56)
    heap.things[0].items = [0x3000 + 8 * (i % 500) for i in range(70000)]
    for i in range(500):
        heap.add(0x3000 + 8 * i, 0x1400, 16)
    for form in ('msgpack', 'pyheap'):
        compare(heap, form, WRITERS[form](heap))


def many_cuts():
    """tests/fuzz/foreign-fuzz.c makes each of them."""
    heap = small()
    for form in FORMATS:
        data, most, first = WRITERS[form](heap), 0, 0
        for length in [*range(30), *range(30, len(data) - 1, 7), len(data) - 1]:
            code, out, err = ask(data[:length], 'info', '--json')
            try:
                if code == 1:
                    assert err.count('\n') == 1 and most == 0, err
                    assert 'cut' in err if first else 'cut' in err or 'no heap dump' in err or 'empty' in err, err
                    first |= 'cut' in err
                    continue
                info = json.loads(out)
                assert 'incomplete' in err and 'cut' in err, err
                assert info['complete'] is False and f'byte {length},' in info['incomplete_reason'], info
                assert info['objects'] >= most, f'{info["objects"]} objects, {most} before'
                most = info['objects']
            except AssertionError as error:
                raise AssertionError(f'{form}, {length} of {len(data)} bytes: {error}') from error
        assert most == 3 and first, f'{form}: {most} objects'
        assert json.loads(ask(data, 'info', '--json')[1])['complete'] is True


def cuts_of_compressed_files():
    heap = app()
    for form in FORMATS:
        for how, compress in COMPRESSIONS.items():
            data, seen = compress(WRITERS[form](heap)), set()
            for length in range(4, len(data) - 1, 97):
                code, out, err = ask(data[:length], 'info', '--json')
                seen.add(code)
                assert ('cut' in err or 'no heap dump' in err) and err.count('\n') == 1, f'{form} {how} {length}: {err}'
                assert code == 1 or json.loads(out)['complete'] is False, f'{form} {how} {length}'
            assert how == 'zstd' or seen == {0, 1}, f'{form} {how}: {seen}'


def damaged_ones():
    types, objects = b'\1' + struct.pack('>QH', 0x1000, 3) + b'a.b', struct.pack('>BBQQI', 2, 0, 0x2000, 0x1000, 16)
    end = struct.pack('>BQH', 4, 0x2000, 0)
    fails(types + objects + end + b'\0x', 'damaged', 'dump-heap', 'behind the end')
    fails(types + objects + end + b'\5', 'damaged', 'unknown kind 5')
    fails(types + objects + b'\0', 'damaged', 'without its references')
    fails(types + objects + end + end, 'damaged', 'references without an object')
    fails(types + objects + struct.pack('>BQH', 4, 0x2008, 0), 'damaged', 'another object')
    fails(types + objects + struct.pack('>BQHQ', 4, 0x2000, 1, 0x7f0000001008), 'damaged', 'a reference to')  # in the other byte order
    fails(types + objects + struct.pack('>BQH', 4, 0x2000, 1) + struct.pack('<Q', 0x2001), 'damaged', 'a reference to')
    fails(types + objects + end + types, 'damaged', 'came before')
    fails(types + objects + end + struct.pack('>BBQQI', 2, 0, 0x2040, 0x1008, 16), 'damaged', 'did not come before')
    fails(types + objects + end + struct.pack('>BBQQI', 2, 0, 0x2041, 0x1000, 16), 'damaged', '0x2041')
    fails(types + objects + end + struct.pack('>BBQQIH', 3, 0, 0x2040, 0x1000, 16, 129), 'damaged', '129 bytes')
    good = [{'t': 'type', 'objtype_addr': 0x1000, 'typename': 'a.b'}, {'t': 'object', 'root': True, 'objtype_addr': 0x1000, 'addr': 0x2000, 'size': 16}]
    for more, word in (([{'t': 'dance'}], 'unknown kind'), ([{'t': 'object', 'addr': 0x2000}], 'all its members'), ([{'addr': 1}], 'without its kind'),
                       ([7], 'no record'), ([{'t': 'done'}, 1], 'behind the end'), ([{'t': 'referents', 'addr': 0x2000, 'child_addrs': ['x']}], 'no address'),
                       ([{'t': 'referents', 'addr': 0x2040, 'child_addrs': []}], 'another object'), ([{'t': 'type', 'objtype_addr': 0x1000, 'typename': 'a.b'}], 'came before')):
        fails(b''.join(map(pack, good + more)), 'damaged', 'dump-heap', word)
    data = WRITERS['pyheap'](small())
    fails(data[:-1] + b'\0', 'damaged', 'PyHeap', 'end mark')
    fails(data + b'\0', 'damaged', 'PyHeap', 'behind the end')
    fails(data[:8] + b'\0\0\0\2' + data[12:], 'PyHeap', 'not known', 'version 2')
    # what a later version may add is passed over
    good.append({'t': 'referents', 'addr': 0x2000, 'more': {'a': [1, 'x', b'y', {'b': []}]}, 'child_addrs': [0x2000]})
    objects = export(b''.join(map(pack, good + [{'t': 'done'}])))[1]
    assert [ref['addr'] for ref in objects[0]['refs']] == ['0x2000'], objects


def hostile_lengths():
    start = b'\1' + struct.pack('>QH', 0x1000, 3) + b'a.b' + struct.pack('>BBQQI', 2, 0, 0x2000, 0x1000, 16)
    head = struct.pack('>QI', PYHEAP_MAGIC, 1) + text16('') + struct.pack('>Q', 0)
    most = b'\xff\xff\xff\xff'
    record = pack({'t': 'type', 'objtype_addr': 0x1000, 'typename': 'a.b'}) + pack({'t': 'object', 'root': True, 'objtype_addr': 0x1000, 'addr': 0x2000, 'size': 16})
    for data in (start + struct.pack('>BQH', 4, 0x2000, 0xffff) + b'\0' * 100,
                 record + b'\x83' + pack('t') + pack('referents') + pack('addr') + pack(0x2000) + pack('child_addrs') + b'\xdd' + most + b'\0' * 100,
                 record + b'\x82' + pack('t') + pack('done') + pack('new') + b'\xdf' + most + b'\xdd' + most * 2 + b'\0' * 100,
                 record + b'\x82' + pack('t') + pack('done') + pack('new') + b'\xc6' + most + b'\0' * 100,
                 record + b'\x82' + pack('t') + pack('done') + pack('new') + b'\x91' * 100000,
                 *(head + b'\0' * 4 * zeros + most + b'\0' * 100 for zeros in range(5))):
        code, out, err = ask(data, 'info')
        assert code == 0 or err.count('\n') == 1, err
        assert 'memory' not in err and ('cut' in err or 'damaged' in err), err
    # many types, names and layouts that all differ take what the file has, and no more
    heap = Heap()
    heap.types = {0x100000 + 64 * i: f'app.T{i}' for i in range(20000)}
    for i in range(20000):
        heap.add(0x10000000 + 4096 * i, 0x100000 + 64 * i, 16, refs=[0x10000000] * 3, attributes=[(f'n{i}', 0x10000000), ('_m', 0x10000000)])
    for form in FORMATS:
        assert ask(WRITERS[form](heap), 'info')[0] == 0, form


def what_is_no_dump():
    rnd = random.Random(0)
    jpeg = b'\xff\xd8\xff\xe0\0\x10JFIF\0\1\1' + rnd.randbytes(5000)
    start = b'\1' + struct.pack('>QH', 0x1000, 3)
    for data in (b'a text\n' * 1000, b'x', jpeg, b'\1' * 1000, b'\0' * 1000, start + b'abc' + b'\2' * 100, start + b'a.b' + b'\7' * 100,
                 start + b'a\xffb' + b'\2' * 100, start + b'a.b' + struct.pack('>BBQQI', 2, 0, 0x2000, 0x1008, 16), pack({'t': 'song'}), pack({'x': 'type'}),
                 *(rnd.randbytes(3000) for _ in range(20))):
        fails(data, 'no heap dump')
    fails(b'', 'empty')
    fails(gzip.compress(b''), 'empty')


def between_dumps():
    before, after = app(), app(later=True)
    with tempfile.TemporaryDirectory() as folder:
        for form in FORMATS:
            for name, heap in (('before', before), ('after', after)):
                with open(f'{folder}/{name}.{form}', 'wb') as file:
                    file.write(WRITERS[form](heap))

        def run(*arguments):
            done = subprocess.run([HEAPANALYZE, *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)
            return done.returncode, done.stdout, done.stderr

        for old, new in (('struct', 'struct'), ('msgpack', 'msgpack'), ('pyheap', 'pyheap'), ('struct', 'msgpack'), ('msgpack', 'struct')):
            for option, expected in (('--remove-heap-dump', len(after.things) - len(before.things)), ('--intersect-heap-dump', len(before.things)),
                                     ('--previous-heap-dump', len(before.things))):
                code, out, err = run(option, f'before.{old}', 'top', '--json', f'after.{new}')
                assert code == 0 and json.loads(out)['matching'] == expected, f'{option} {old} {new}: {err} {out[:300]}'
        for option in ('--remove-heap-dump', '--intersect-heap-dump', '--previous-heap-dump'):
            for command in ('top', 'types'):
                code, out, err = run(option, 'before.struct', command, 'after.pyheap')
                assert code == 1 and out == '' and err.count('\n') == 1 and 'dumps of one tool' in err, err


def main():
    cases = (same_as_our_own_readers, each_compression_gives_the_same, without_str, a_long_list, many_cuts, cuts_of_compressed_files, damaged_ones,
             hostile_lengths, what_is_no_dump, between_dumps)
    failed = collections.Counter()
    print(f'1..{len(cases)}')
    for number, case in enumerate(cases, 1):
        try:
            case()
        except AssertionError as error:
            failed['bad'] += 1
            print(f'not ok {number} - {case.__name__}', *str(error)[:3000].splitlines(), sep='\n# ')
        else:
            print(f'ok {number} - {case.__name__}')
        sys.stdout.flush()
    sys.exit(bool(failed))


main()
