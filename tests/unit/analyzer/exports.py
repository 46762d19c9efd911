#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Reads what heapanalyze exports with Python's own readers and holds it against ndjson, on heaps whose names, contents and addresses are as bad as
they come: exports.py WRITE-DUMP HEAPANALYZE [CASE]"""
import contextlib
import csv
import glob
import json
import os
import random
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import tempfile

WRITE_DUMP, HEAPANALYZE = (os.path.abspath(path) for path in sys.argv[1:3])
TEXTS = ['', 'plain', '=cmd()', '@SUM(A1)', '+1', '-5', '-5e3', '-', '- 1', ' =1+1', "'quoted", "'=1", 'say "hi"', '""', 'a,b;c', 'two\\nlines', 'cr\\x0d\\nlf', '\\t=1',
         'nul\\0inside', '\\0', '\\xff\\xfe', 'half \\xf0\\x9f\\x98', '\\xed\\xa0\\x80 lone', 'back\\\\slash', '\\x1b[31m', '\\xe2\\x80\\xae turned', '😀', '＝1', '−1', '|x',
         '&<>', '\\xc2\\x85', '\\xef\\xbf\\xbf', 'x' * 3000, '[0]', '\\xf3\\xa0\\x81\\x81']
NAMES = ['.attr', '-', '[i]', '{}', '~<referent>', '+<hidden>', '=1+1', '.a"b', ".it's", '.a,b', '.ü', '\'', '.x' * 300]
TYPES = ['builtins.dict', 'builtins.str', 'builtins.list', 'app.Session', 'app.f.<locals>.C', '=HYPERLINK("x")', 'a,b"c\'d', '_asyncio.Task', 'app.G[int, str]', '😀.é']
BASES = [0x7f0000000000, 0x560000000000, 0x1000, 0xffffffff81000000, 0x7ffffffffffff000]


def heap(rnd):
    """The text of a dump that is as bad as one can be and still be one."""
    n = rnd.randint(1, 60)
    addresses = sorted({rnd.choice(BASES) + 16 * rnd.randrange(200) for _ in range(n)})
    lines = ['meta python.version "3.12.1 (main)"', "meta cmdline 'python3 -c \"x\\ny\"'", 'counter walker.skipped 3',
             "type '=HYPERLINK(\"x\")' 0xffffffff81000000 other base=0x1000 basic=16"]
    anything = addresses + [0x9990]
    for address in addresses:
        type_name = rnd.choice(TYPES)
        words = ['object', hex(address), type_name, f'size={rnd.choice([16, 56, 2**32, 2**63 + 5, 2**64 - 1]) if rnd.random() < 0.2 else rnd.randrange(5000)}']
        if rnd.random() < 0.8:
            words.append(f'count={rnd.choice([1, 2, 3, 2**40])}')
        if rnd.random() < 0.6:
            words.append(f'content={rnd.choice(TEXTS)}')
        if rnd.random() < 0.2:
            words.append('whole=100000')
        if rnd.random() < 0.2:
            words.append(f'real={rnd.randrange(9000)}')
        words += [flag for flag in ('gc', 'immortal', 'broken', 'interned', 'frozen', 'size-unknown') if rnd.random() < 0.2]
        words.append(':')
        if rnd.random() < 0.3:
            for _ in range(rnd.randrange(5)):
                words += ['[k]', hex(rnd.choice(addresses)), '[v]', hex(rnd.choice(anything))]
        for _ in range(rnd.randrange(6)):
            words += [rnd.choice(NAMES), hex(rnd.choice(anything))]
        lines.append(' '.join(map(shlex.quote, words)))
    for _ in range(rnd.randrange(6)):
        lines.append(' '.join(map(shlex.quote, ['root', rnd.choice(['interpreter', 'thread', 'static-type', 'runtime']), hex(rnd.choice(addresses)),
                                                rnd.choice(["sys.modules['app']", '=root', 'a,"b"'])])) + rnd.choice(['', ' counted']))
    for number in range(rnd.randrange(3)):
        lines.append(f'thread {shlex.quote(rnd.choice(["MainThread", "=worker", ""]))} {rnd.choice(["main gil", "", "gil"])}')
        for depth in range(rnd.randrange(3)):
            words = ['frame', f'f{number}{depth}', rnd.choice(['f.py', '=f,"g".py']), str(depth), 'owned', ':']
            for _ in range(rnd.randrange(4)):
                words += [rnd.choice(['<local x>', '<stack 2>', '<local "y">']), hex(rnd.choice(addresses))]
            lines.append(' '.join(map(shlex.quote, words)))
    if rnd.random() < 0.3:
        lines.append('incomplete "out, of \\"time\\""')
    return '\n'.join(lines) + '\n'


def run(*arguments, status=0, **more):
    more.setdefault('stdout', subprocess.PIPE)
    done = subprocess.run([HEAPANALYZE, *arguments], stderr=subprocess.PIPE, check=False, timeout=120, **more)
    assert done.returncode == status, (arguments, done.returncode, done.stderr.decode('utf-8', 'replace'))
    return done


def unsafe(char):
    c = ord(char)
    return (c < 0x20 or 0x7f <= c < 0xa0 or c in (0xad, 0x61c, 0xfeff) or 0x200b <= c <= 0x200f or 0x2028 <= c <= 0x202e or 0x2060 <= c <= 0x206f
            or 0xd800 <= c < 0xe000 or 0xfff9 <= c <= 0xfffb or c & 0xfffe == 0xfffe or 0xe0000 <= c <= 0xe007f)


def printed(text):
    """How a table writes what ndjson says. Bytes that are no UTF-8 look like text of four signs in ndjson, so backslashes are not told apart."""
    if text is None:
        return None
    short = {'\n': '\\n', '\t': '\\t', '\r': '\\r'}
    return ''.join(short.get(c) or (c if not unsafe(c) else f'\\x{ord(c):02x}' if ord(c) < 256 else f'\\u{ord(c):04x}' if ord(c) < 0x10000 else f'\\U{ord(c):08x}')
                   for c in text)


def one_backslash(text):
    return None if text is None else text.replace('\\\\', '\\')


def no_apostrophe(field):
    """What was put in front for spreadsheets taken away; anything that they could take for a formula has it."""
    if field.startswith("'"):
        return field[1:]
    first = field.lstrip(' ')[:1]
    if first in tuple('=+-@|＝＋－＠−'):
        float(field)
    return field


class Dump:
    """A dump, and what ndjson tells of it."""

    def __init__(self, folder, text, *options):
        self.folder, self.options = folder, options
        self.path = os.path.join(folder, 'x.heap')
        subprocess.run([WRITE_DUMP, self.path], input=text.encode(), check=True)
        lines = [json.loads(line) for line in self.export('ndjson').stdout.splitlines()]
        self.meta, self.end = lines[0], lines[-1]
        self.objects = [line for line in lines if line['t'] == 'object']
        self.threads = [line for line in lines if line['t'] == 'thread']
        answer = json.loads(run(*options, 'top', '--sort', 'retained', '--top-allocations', '100000', '--json', self.path).stdout)
        self.retained = {o['addr']: o['retained'] for o in answer['objects']}

    def export(self, form, *more, **options):
        return run(*self.options, 'export', '--format', form, *more, self.path, **options)


FLAGS = ['immortal', 'interned', 'frozen', 'broken', 'size_unknown']


def same(told, number):
    """SQLite has no integers beyond 2^63 - 1; those become floating-point numbers."""
    return told == (float(number) if isinstance(told, float) and number >= 2**63 else number)


def check_tables(dump, rows):
    """rows(table) gives dicts: addresses as "0x…", numbers as int, text as str, None. What is in them is what ndjson says."""
    objects = rows('objects')
    assert len(objects) == len(dump.objects), (len(objects), len(dump.objects))
    roots = {}
    for row in rows('roots'):
        roots.setdefault(row['addr'], []).append(row)
    for row, o in zip(objects, dump.objects):
        assert row['addr'] == o['addr'] and row['type_addr'] == o['type_addr'], (row, o)
        assert one_backslash(row['type']) == printed(o['type']), (row, o)
        assert one_backslash(row['content']) == printed(o['content']), (row, o)
        for key, value in ('size', o['size']), ('refcount', o['refcount']), ('real_size', o.get('real_size', o['size'])), ('content_length', o.get('content_length')), (
                'retained', dump.retained[o['addr']]):
            assert same(row[key], value), (key, value, row, o)
        assert row['gc'] == o['gc'] and all(row[flag] == o.get(flag, False) for flag in FLAGS), (row, o)
        own = roots.pop(o['addr'], [])
        assert [one_backslash(f"{r['kind']}: {r['text']}") for r in own] == [one_backslash(printed(text)) for text in o['root']], (own, o)
        kinds = list(dict.fromkeys(r['kind'] for r in own))
        assert row['root'] == (', '.join(kinds) or None), (row, kinds)
    assert not roots, roots
    refs = [(o['addr'], ref) for o in dump.objects for ref in o['refs']]
    told = rows('refs')
    assert len(told) == len(refs) == dump.end['refs']
    for row, (referrer, ref) in zip(told, refs):
        assert (row['referrer'], row['referent'], bool(row['weak']), bool(row['hidden'])) == (
            referrer, ref['addr'], ref.get('weak', False), ref.get('hidden', False)), (row, ref)
        assert one_backslash(row['name']) == one_backslash(printed(ref['name'])), (row, ref)
        assert (row['kind'] is None) == (ref['name'] is None), (row, ref)
    check_types(dump, rows('types'))
    check_threads(dump, rows)
    meta = {row['key']: row['value'] for row in rows('meta')}
    assert meta['complete'] == str(int(dump.end['complete'])) and meta['source'] == dump.meta['source'], meta
    assert meta['counters.walker.skipped'] == '3' and meta['meta.cmdline'] == printed(dump.meta['cmdline']), meta


def check_types(dump, types):
    by_addr = {}
    for row in types:
        by_addr.setdefault((row['name'], row['addr']), row)
    sums = {}
    for o in dump.objects:
        key = (o['type'], o['type_addr'] if o['type_addr'] != '0x0' else None)
        count, size, real = sums.get(key, (0, 0, 0))
        sums[key] = count + 1, size + o['size'], real + o.get('real_size', o['size'])
    for key, row in by_addr.items():
        count, size, real = sums.pop(key, (0, 0, 0))
        assert row['count'] == count and same(row['size'], size % 2**64) and same(row['real_size'], real % 2**64), (row, count, size, real)
    assert not sums, sums


def check_threads(dump, rows):
    threads, frames, variables = rows('threads'), rows('frames'), rows('variables')
    assert len(threads) == len(dump.threads)
    for number, (row, thread) in enumerate(zip(threads, dump.threads)):
        assert row['id'] == number and row['name'] == printed(thread['name']) and row['ident'] == thread['ident'], (row, thread)
        assert (row['main'], row['gil']) == (thread['main'], thread['gil']), (row, thread)
        own = [row for row in frames if row['thread'] == number]
        assert [row['depth'] for row in own] == list(range(len(thread['frames']))), own
        for row, frame in zip(own, thread['frames']):
            assert (row['function'], row['file'], row['line']) == (frame['name'], printed(frame['file']), frame['line']), (row, frame)
            there = [(v['name'], v['addr']) for v in variables if (v['thread'], v['depth']) == (number, row['depth'])]
            assert there == [(ref['name'], ref['addr']) for ref in frame['refs']], (there, frame)


TEXT_COLUMNS = {'type', 'root', 'content', 'name', 'kind', 'text', 'function', 'file', 'key', 'value'}
ADDRESS_COLUMNS = {'addr', 'type_addr', 'dominator', 'referrer', 'referent', 'base', 'frame_addr', 'code_addr', 'function_addr'}


def read_csv(text):
    assert text.count('\r\n') == text.count('\n') == text.count('\r'), 'lines end in CRLF, and only they have either'
    assert all(c in '\r\n' or not unsafe(c) for c in text)
    lines = list(csv.reader(text.splitlines(keepends=True), strict=True))
    for line in lines[1:]:
        assert len(line) == len(lines[0]), line
    rows = [dict(zip(lines[0], line)) for line in lines[1:]]
    for row in rows:
        for key, value in row.items():
            if key in TEXT_COLUMNS:
                row[key] = no_apostrophe(value)
            elif key not in ADDRESS_COLUMNS:
                row[key] = int(value) if value else None
            row[key] = None if value == '' and key != 'content' else row[key]
    return rows


def csv_case(dump):
    def rows(table):
        alone = dump.export('csv', '--table', table).stdout
        with open(os.path.join(dump.folder, 'x.csv' if table == 'objects' else f'x-{table}.csv'), 'rb') as file:
            assert file.read() == alone, table
        result = read_csv(alone.decode())
        for row, o in zip(result, dump.objects if table == 'objects' else []):
            row['content'] = None if o['content'] is None and row['content'] == '' else row['content']
        for row in result:
            # CSV has one way to write "nothing" and "no text"
            for key in 'name', 'text':
                if key in row and row[key] is None and table in ('threads', 'roots'):
                    row[key] = ''
        return result

    dump.export('csv', '-o', os.path.join(dump.folder, 'x.csv'))
    check_tables(dump, rows)


def sqlite_case(dump):
    path = os.path.join(dump.folder, 'x.sqlite')
    dump.export('sqlite', '-o', path)
    with contextlib.closing(sqlite3.connect(f'file:{path}?mode=ro', uri=True)) as db:
        db.row_factory = sqlite3.Row

        def rows(table):
            order = {'objects': 'addr < 0, addr', 'refs': 'referrer < 0, referrer, position', 'roots': 'rowid', 'variables': 'rowid', 'frames': 'thread, depth'}
            result = [dict(row) for row in db.execute(f'select * from {table} order by {order.get(table, 1)}')]
            for row in result:
                for key in ADDRESS_COLUMNS & set(row):
                    row[key] = None if row[key] is None else hex(row[key] % 2**64)
            return result

        assert [tuple(row) for row in db.execute('pragma integrity_check')] == [('ok',)]
        assert os.stat(path).st_mode & 0o777 == 0o600
        assert db.execute('pragma user_version').fetchone()[0] == 1
        check_tables(dump, rows)
        check_views(dump, db)
    with open(path, 'rb') as file:
        assert file.read(16) == b'SQLite format 3\0'


def check_views(dump, db):
    """Addresses are asked for in hexadecimal, and told so."""
    largest = [row['address'] for row in db.execute('select address from largest_retained limit 3')]
    assert len(largest) == min(3, len(dump.objects)), largest
    assert {dump.retained[addr] for addr in largest} <= set(sorted(dump.retained.values())[-3:]), (largest, dump.retained)
    counts = dict(map(tuple, db.execute('select type, count from types_by_size')))
    names = [o['type'] for o in dump.objects]
    assert counts == {printed(name): names.count(name) for name in names}, counts
    for o in dump.objects[:5]:
        told = [tuple(row) for row in db.execute(f'select referrer, name from referrers where addr = {o["addr"]} order by 1, 2')]
        there = [(other['addr'], one_backslash(printed(ref['name']))) for other in dump.objects for ref in other['refs'] if ref['addr'] == o['addr']]
        assert sorted((a, one_backslash(n) or '') for a, n in told) == sorted((a, n or '') for a, n in there), (told, there)
        told = [tuple(row) for row in db.execute(f'select referent from referents where addr = {o["addr"]} order by position')]
        assert told == [(ref['addr'],) for ref in o['refs']], told
    plan = ' '.join(row['detail'] for row in db.execute('explain query plan select * from referrers where addr = 5'))
    assert 'USING INDEX refs_referent' in plan and 'SCAN' not in plan, plan
    assert db.execute('select count(*) from stacks').fetchone()[0] == sum(len(t['frames']) for t in dump.threads)


def no_stream():
    """A database needs a file of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Dump(folder, SMALL).path
        refuses('sqlite', 'standard output', '-o FILE', output='-', path=path, status=2)
        refuses('sqlite', '/dev/null', 'regular file', output='/dev/null', path=path, status=2)
        for name in ':memory:', 'file:x?mode=memory', '-rf', 'a b', "it's":
            run('export', '--format', 'sqlite', f'-o{name}', 'x.heap', cwd=folder)
            assert os.path.isfile(os.path.join(folder, name)), os.listdir(folder)


def snapshot_case(dump):
    """As a reader that knows V8's format, and nothing of ours, takes it."""
    path = os.path.join(dump.folder, 'x.heapsnapshot')
    dump.export('heapsnapshot', '-o', path)
    with open(path, encoding='utf-8') as file:
        text = file.read()
    positions = [text.index(f'"{key}":') for key in ('snapshot', 'nodes', 'edges', 'trace_function_infos', 'trace_tree', 'samples', 'locations', 'strings')]
    assert positions == sorted(positions), 'DevTools reads the parts in this order'
    snapshot = json.loads(text)
    meta, strings = snapshot['snapshot']['meta'], snapshot['strings']
    step = len(meta['node_fields'])
    assert step == len(meta['node_types']) == 7 and len(meta['edge_fields']) == len(meta['edge_types']) == 3
    nodes = [snapshot['nodes'][i:i + step] for i in range(0, len(snapshot['nodes']), step)]
    edges = [snapshot['edges'][i:i + 3] for i in range(0, len(snapshot['edges']), 3)]
    assert (len(nodes), len(edges)) == (snapshot['snapshot']['node_count'], snapshot['snapshot']['edge_count'])
    assert all(isinstance(value, int) and value >= 0 for row in nodes + edges for value in row)
    assert len({node[2] for node in nodes}) == len(nodes) and all(node[2] % 2 == 1 for node in nodes), 'ids'
    assert all(isinstance(one, str) for one in strings)
    out, at = [], 0
    for node in nodes:
        mine = []
        for kind, name, to in edges[at:at + node[4]]:
            assert to % step == 0 and to // step < len(nodes), to
            kind = meta['edge_types'][0][kind]
            mine.append((kind, name if kind in ('element', 'hidden') else strings[name], to // step))
        out.append(mine)
        at += node[4]
    assert at == len(edges)
    node = [(meta['node_types'][0][n[0]], strings[n[1]], n[3]) for n in nodes]
    synthetic = sum(kind == 'synthetic' for kind, _, _ in node)
    assert all(kind == 'synthetic' for kind, _, _ in node[:synthetic]) and node[0][1] == '' and node[1][1] == '(GC roots)', node[:synthetic]
    check_snapshot(dump, node, out, synthetic)


def check_snapshot(dump, node, out, synthetic):
    """node: (kind, name, size); out: (kind, name, to) of each; the first ones stand for what is no object."""
    plain = {'builtins.str': 'string', 'builtins.int': 'number', 'builtins.float': 'number'}
    assert len(node) - synthetic == len(dump.objects)
    ordinal = {o['addr']: i for i, o in enumerate(dump.objects, synthetic)}
    roots = {}
    for i in range(2, synthetic):
        for kind, name, to in out[i]:
            assert to >= synthetic, (node[i], to)
            roots.setdefault(to, []).append(node[i][1][1:-1] + (f': {name}' if kind == 'internal' else ''))
    for o in dump.objects:
        i = ordinal[o['addr']]
        own = plain.get(o['type']) if o['content'] is not None else None
        assert node[i] == (own or plain.get(o['type'], 'object'), o['content'] if own else o['type'], o['size']), (node[i], o)
        expected = []
        for ref in o['refs']:
            if ref['addr'] in ordinal:
                item = re.fullmatch(r'\[([0-9]+)\]', ref['name'] or '')
                # a key may look like an index
                expected.append((ref['name'], int(item[1]) if item else None, ref.get('weak', False), ref.get('hidden', False), ordinal[ref['addr']]))
        assert len(out[i]) == len(expected), (out[i], expected)
        for (kind, name, to), (text, item, weak, hidden, target) in zip(out[i], expected):
            assert to == target, (out[i], expected)
            if weak:
                assert kind == 'weak' and name == ('(weak)' if text is None or item is not None else text), (kind, name, text)
            elif text is None:
                assert kind == 'hidden', (kind, name)
            elif kind == 'element':
                assert name == item and not hidden, (kind, name, text)
            else:
                assert kind == ('internal' if hidden else 'property') and name == text, (kind, name, text)
        told = [text for text in roots.get(i, []) if text not in ('garbage', 'unknown', 'held by what was not chosen')]
        # what is counted has no text here
        assert sorted(told) == sorted(text if text in told else text.split(': ')[0] for text in o['root']), (told, o)
    reached, stack = {0}, [0]
    while stack:
        for kind, _, to in out[stack.pop()]:
            if kind != 'weak' and to not in reached:
                reached.add(to)
                stack.append(to)
    assert len(reached) == len(node), [node[i] for i in range(len(node)) if i not in reached]


def documented():
    """docs/exports.md has the columns of every table and view, and no other."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../../docs/exports.md'), encoding='utf-8') as file:
        text = file.read()
    told = {}
    for title, body in zip(*[iter(re.split(r'^###? (.*)\n', text, flags=re.M)[1:])] * 2):
        told[title] = set(re.findall(r'`([a-z_]+)`', ' '.join(re.findall(r'^\| ((?:`[a-z_]+`(?:, )?)+) \|', body, re.M))))
    views = {name: columns for name, columns in re.findall(r'^\| `([a-z_]+)` \| (.*) \|$', text.split('| view |')[1], re.M)}
    with tempfile.TemporaryDirectory() as folder:
        dump = Dump(folder, SMALL)
        dump.export('sqlite', '-o', f'{folder}/x.sqlite')
        with contextlib.closing(sqlite3.connect(f'{folder}/x.sqlite')) as db:
            for name, kind in db.execute("select name, type from sqlite_master where type in ('table', 'view')").fetchall():
                columns = [row[1] for row in db.execute(f'pragma table_info({name})')]
                if kind == 'table':
                    assert set(columns) == told[name], (name, set(columns) ^ told[name])
                    assert columns == dump.export('csv', '--table', name).stdout.decode().split('\r\n')[0].split(','), name
                else:
                    assert set(columns) == set(re.findall(r'`([a-z_]+)`', views.pop(name))), (name, columns)
    assert not views, views


def random_heaps(check, rounds=25):
    for seed in range(rounds):
        rnd = random.Random(seed)
        text = heap(rnd)
        with tempfile.TemporaryDirectory() as folder:
            options = ['--garbage'] if rnd.random() < 0.5 else []
            if rnd.random() < 0.3:
                other = os.path.join(folder, 'other.heap')
                some = [line for line in text.splitlines() if not line.startswith('object') or rnd.random() < 0.5]
                subprocess.run([WRITE_DUMP, other], input='\n'.join(some).encode(), check=True)
                options += ['--remove-heap-dump', other]
            try:
                check(Dump(folder, text, *options))
            except Exception as error:
                raise AssertionError(f'seed {seed}: {type(error).__name__}: {error}\n{text}') from error


SMALL = '''object 0x1000 builtins.list size=80 count=1 gc : [i] 0x2000
object 0x2000 builtins.str size=50 count=1 content=two
root interpreter 0x1000 r counted
'''


def large(folder, objects=40000):
    """One whose export does not fit a pipe, nor any buffer."""
    path = os.path.join(folder, 'large.heap')
    text = ''.join(f'object 0x{0x10000 + 16 * i:x} builtins.str size=50 count=1 content=text{i}\n' for i in range(objects))
    subprocess.run([WRITE_DUMP, path], input=text.encode(), check=True)
    return path


def refuses(form, *words, output, path, status=1):
    done = run('export', '--format', form, '-o', output, path, status=status)
    lines = [line for line in done.stderr.decode().splitlines() if 'objects alone' not in line]
    assert len(lines) == 1 and all(word in lines[0] for word in words), lines


def mistakes(form):
    """What cannot be written says so in a line, and leaves nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Dump(folder, SMALL).path
        before = sorted(os.listdir(folder))
        refuses(form, 'none', 'No such file', output=f'{folder}/none/x', path=path)
        refuses(form, folder, 'directory', output=folder, path=path)
        refuses(form, 'cannot write', output='', path=path)
        if form != 'sqlite':
            refuses(form, '/dev/full', output='/dev/full', path=large(folder))
            os.unlink(f'{folder}/large.heap')
        assert sorted(os.listdir(folder)) == before, os.listdir(folder)


def full_disk(form):
    """A file that may not grow any more, which is all that a full disk is."""
    with tempfile.TemporaryDirectory() as folder:
        path = large(folder)
        with open(f'{folder}/out', 'w', encoding='utf-8') as file:
            file.write('as it was')
        command = f'trap "" XFSZ; ulimit -f 8; exec {HEAPANALYZE} export --format {form} -o {folder}/out {path}'
        done = subprocess.run(['bash', '-c', command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120)
        lines = done.stderr.decode().splitlines()
        assert done.returncode == 1 and len(lines) == 1 and 'cannot write' in lines[0], done
        assert sorted(os.listdir(folder)) == ['large.heap', 'out'], os.listdir(folder)
        with open(f'{folder}/out', encoding='utf-8') as file:
            assert file.read() == 'as it was'


def interrupted(form, number):
    """Somebody ends it while it writes: nothing that is not whole is left, and it ends by that signal."""
    with tempfile.TemporaryDirectory() as folder:
        path = large(folder, 200000)
        process = subprocess.Popen([HEAPANALYZE, 'export', '--format', form, '-o', f'{folder}/out', path], stderr=subprocess.PIPE)
        while not glob.glob(f'{folder}/out*') and process.poll() is None:
            pass
        process.send_signal(number)
        process.communicate(timeout=120)
        left = sorted(os.listdir(folder))
        assert process.returncode in (-number, 0), process.returncode
        # it may have been done already, but for its end
        assert not [name for name in left if re.search(r'\.\w{6}$', name)], left
        assert process.returncode or 'out' in left, left


def closed_pipe(form):
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([HEAPANALYZE, 'export', '--format', form, large(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.read(10)
        process.stdout.close()
        err = process.stderr.read().decode()
        assert process.wait(timeout=120) == 0 and 'cannot' not in err, (process.returncode, err)
        process.stderr.close()


CASES = {'csv of random heaps': lambda: random_heaps(csv_case), 'SQLite of random heaps': lambda: random_heaps(sqlite_case),
         'heapsnapshot of random heaps': lambda: random_heaps(snapshot_case, 60),
         'SQLite: no stream': no_stream, 'the columns that docs/exports.md tells': documented}
for each in ('ndjson', 'csv', 'sqlite', 'heapsnapshot', 'dot'):
    CASES[f'{each}: where nothing can be written'] = lambda form=each: mistakes(form)
    CASES[f'{each}: a full disk'] = lambda form=each: full_disk(form)
    CASES[f'{each}: interrupted'] = lambda form=each: [interrupted(form, number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    if each != 'sqlite':
        CASES[f'{each}: a reader that goes away'] = lambda form=each: closed_pipe(form)


def main():
    wanted = sys.argv[3] if len(sys.argv) > 3 else ''
    cases = {name: case for name, case in CASES.items() if wanted in name}
    print(f'1..{len(cases)}')
    failed = 0
    for number, (name, case) in enumerate(cases.items(), 1):
        try:
            case()
            print('ok', number, '-', name, flush=True)
        except Exception as error:  # what cannot be read is a failure, too
            failed = 1
            print('not ok', number, '-', name)
            print('#', f'{type(error).__name__}: {error}'[:20000].replace('\n', '\n# '), flush=True)
    return failed


sys.exit(main())
