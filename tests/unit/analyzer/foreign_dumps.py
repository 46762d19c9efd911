#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Dumps as dump-heap (both formats) and PyHeap write them, of made-up heaps, and readers of them that share nothing with heapanalyze's.

foreign_dumps.py app|app-later struct|msgpack|pyheap writes that one to standard output."""
import random
import struct
import sys

FORMATS = ('struct', 'msgpack', 'pyheap')
PYHEAP_MAGIC = 123000321
CONTAINERS = ('dict', 'list', 'set', 'tuple')
KNOWN = CONTAINERS + ('str', 'bytes', 'bytearray', 'int', 'bool', 'float', 'object', 'type', 'NoneType')


class Thing:
    """An object. items: pairs of a dict, or what a list, set or tuple has; refs: what it refers to beside; attributes: (name, value) as getattr tells, which need not be references."""

    def __init__(self, addr, type_addr, size, content=None, items=(), refs=(), attributes=(), tracked=False, running=False):
        self.addr, self.type, self.size, self.content = addr, type_addr, size, content
        self.items, self.refs, self.attributes = list(items), list(refs), list(attributes)
        self.tracked, self.running = tracked, running

    def all_refs(self):
        return [addr for item in self.items for addr in (item if isinstance(item, tuple) else (item,))] + self.refs


class Heap:
    """types: address → "module.name"; threads: (name, [(file, line, function, [(local, address)])])."""

    def __init__(self):
        self.types, self.things, self.threads, self.time = {}, [], [], '2026-11-23T04:27:58.954883+00:00'

    def add(self, *arguments, **more):
        self.things.append(Thing(*arguments, **more))
        return self.things[-1].addr

    def kind(self, thing):
        """dict, list, set, tuple when it is exactly that; else None."""
        name = self.types[thing.type]
        return name[9:] if name.startswith('builtins.') and name[9:] in CONTAINERS else None


def payload_of(heap, thing):
    """What dump-heap says of an object: of a dict its keys."""
    if heap.kind(thing) == 'dict':
        contents = {t.addr: t.content for t in heap.things}
        return ','.join(str(contents.get(key, '?')) for key, _ in thing.items)[:128] or None
    if isinstance(thing.content, bytes) or heap.types[thing.type].split('.')[-1] in ('int', 'float', 'bool', 'NoneType', 'code'):
        return None
    return thing.content


# ---- writers

def write_struct(heap, done=True):
    out, told = bytearray(), set()
    for thing in heap.things:
        if thing.type not in told:
            told.add(thing.type)
            name = heap.types[thing.type].encode()
            out += struct.pack('>BQH', 1, thing.type, len(name)) + name
        payload = payload_of(heap, thing)
        out += struct.pack('>BBQQI', 2 if payload is None else 3, thing.tracked, thing.addr, thing.type, thing.size)
        if payload is not None:
            payload = payload.encode()[:128]
            out += struct.pack('>H', len(payload)) + payload
        refs = thing.all_refs()
        out += struct.pack('>BQH', 4, thing.addr, len(refs)) + struct.pack(f'<{len(refs)}Q', *refs)
    return bytes(out) + (b'\0' if done else b'')


def pack(value):
    """msgpack, each number as short as it goes."""
    if value is True or value is False:
        return b'\xc3' if value else b'\xc2'
    if isinstance(value, int):
        for limit, head, form in ((128, b'', '>B'), (1 << 8, b'\xcc', '>B'), (1 << 16, b'\xcd', '>H'), (1 << 32, b'\xce', '>I')):
            if value < limit:
                return head + struct.pack(form, value)
        return b'\xcf' + struct.pack('>Q', value)
    if isinstance(value, (str, bytes)):
        data = value.encode() if isinstance(value, str) else value
        if isinstance(value, str) and len(data) < 32:
            return bytes([0xa0 | len(data)]) + data
        heads = (0xd9, 0xda, 0xdb) if isinstance(value, str) else (0xc4, 0xc5, 0xc6)
        width = 0 if len(data) < 1 << 8 else 1 if len(data) < 1 << 16 else 2
        return bytes([heads[width]]) + struct.pack(('>B', '>H', '>I')[width], len(data)) + data
    if isinstance(value, dict):
        return bytes([0x80 | len(value)]) + b''.join(pack(k) + pack(v) for k, v in value.items())
    head = bytes([0x90 | len(value)]) if len(value) < 16 else b'\xdc' + struct.pack('>H', len(value)) if len(value) < 1 << 16 else b'\xdd' + struct.pack('>I', len(value))
    return head + b''.join(map(pack, value))


def write_msgpack(heap, done=True):
    out, told = [], set()
    for thing in heap.things:
        name = heap.types[thing.type]
        if thing.type not in told:
            told.add(thing.type)
            out.append({'t': 'type', 'objtype_addr': thing.type, 'typename': name})
        record = {'t': 'object', 'root': thing.tracked, 'thread_root': thing.running, 'objtype_addr': thing.type, 'addr': thing.addr, 'size': thing.size}
        payload = payload_of(heap, thing)
        if payload:
            record['payload'] = payload[:4096 if name.endswith('Task') else 128].encode()
        out.append(record)
        if thing.all_refs():
            out.append({'t': 'referents', 'addr': thing.addr, 'child_addrs': thing.all_refs()})
    return b''.join(map(pack, out + [{'t': 'done'}] * done))


def text16(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack('>H', len(data)) + data


def table(rows):
    return struct.pack('>I', len(rows)) + b''.join(rows)


def str_of(heap, thing):
    """str() of it, as far as tests want to know it."""
    name, content = heap.types[thing.type].split('.')[-1], thing.content
    function, _, place = (content or '').partition(' at ') if isinstance(content, (str, type(None))) else ('', '', '')
    at = f'{thing.addr:#x}'
    file, _, line = place.rpartition(':')
    task, _, rest = (content or '').partition(' ') if name == 'Task' else ('', '', '')
    return {
        'bytes': lambda: repr(content),
        'bytearray': lambda: f'bytearray({content!r})',
        'type': lambda: f"<class '{heap.types[thing.addr].removeprefix('builtins.') if thing.addr in heap.types else content}'>",
        'module': lambda: f"<module '{content}' from '/srv/{content}.py'>",
        'function': lambda: f'<function {function} at {at}>',
        'coroutine': lambda: f'<coroutine object {function} at {at}>',
        'code': lambda: f'<code object {function} at {at}, file "{file}", line {line}>',
        'NoneType': lambda: 'None',
        'Task': lambda: f"<Task pending name='{task}' coro=<main() running at /srv/app.py:4> wait_for=<Future pending cb=[Task.task_wakeup()]>>",
    }.get(name, lambda: f'<{name} object at {at}>' if content is None else content)()[:1000]


def write_pyheap(heap, flags=1, done=True):
    addr_of = {name: addr for addr, name in heap.types.items()}
    out = struct.pack('>QI', PYHEAP_MAGIC, 1) + text16(heap.time) + struct.pack('>Q', flags)
    # those that a heap does not have stand somewhere else
    known = {name: addr_of.get(f'builtins.{name}', 0x7e0000001000 + 64 * i) for i, name in enumerate(KNOWN)}
    out += table([text16(name) + struct.pack('>Q', addr) for name, addr in known.items()])
    out += table([text16(name) + bytes([1, 0]) + table([text16(file) + struct.pack('>I', line) + text16(function) +
                                                        table([text16(local) + struct.pack('>Q', addr) for local, addr in variables])
                                                        for file, line, function, variables in frames])
                  for name, frames in heap.threads])
    frequent = sorted({name for thing in heap.things for name, _ in thing.attributes if name.startswith('_')})
    out += table([text16(name) for name in frequent])

    def attribute(name, value):
        return (struct.pack('>h', -frequent.index(name) - 1) if name in frequent else text16(name)) + struct.pack('>Q', value)

    common = {known['str'], known['int']}
    out += table([struct.pack('>Q', addr) + table([attribute('lower', 0x7d0000000000)]) for addr in sorted(common)])
    rows = []
    for thing in heap.things:
        row, kind = struct.pack('>QQI', thing.addr, thing.type, thing.size), heap.kind(thing)
        if kind == 'dict':
            row += table([struct.pack('>QQ', *pair) for pair in thing.items])
        elif kind:
            row += table([struct.pack('>Q', addr) for addr in thing.items])
        row += table([struct.pack('>Q', addr) for addr in thing.refs])
        if thing.type not in common:
            row += table([attribute(*pair) for pair in thing.attributes])
        if flags & 1 and not kind:
            row += text16(str_of(heap, thing))
        rows.append(row)
    out += table(rows)
    out += table([struct.pack('>Q', addr) + text16(name.split('.')[-1]) for addr, name in heap.types.items()])
    return out + (struct.pack('>Q', PYHEAP_MAGIC) if done else b'')


WRITERS = {'struct': write_struct, 'msgpack': write_msgpack, 'pyheap': write_pyheap}


# ---- readers: type names by address, and objects as (address, type, size, tracked, items, refs, attributes)

class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        if self.at > len(self.data):
            raise EOFError
        return self.data[self.at - n:self.at]

    def number(self, n, order='big'):
        return int.from_bytes(self.take(n), order)

    def signed16(self):
        value = self.number(2)
        return value - (value >> 15 << 16)

    def text(self):
        return self.take(self.number(2)).decode('utf-8', 'replace')

    def rows(self, read):
        return [read() for _ in range(self.number(4))]


def read_struct(data):
    b, types, objects = Bytes(data), {}, []
    while (tag := b.number(1)) != 0:
        if tag == 1:
            addr = b.number(8)
            types[addr] = b.text()
        elif tag in (2, 3):
            tracked, addr, type_addr, size = b.number(1), b.number(8), b.number(8), b.number(4)
            if tag == 3:
                b.text()
            objects.append((addr, type_addr, size, bool(tracked), [], [], []))
        else:
            assert tag == 4 and b.number(8) == objects[-1][0]
            objects[-1][5].extend(b.number(8, 'little') for _ in range(b.number(2)))
    assert b.at == len(data)
    return types, objects


def unpack(b):
    head = b.number(1)
    if head < 0x80:
        return head
    if head < 0x90:
        return {unpack(b): unpack(b) for _ in range(head & 15)}
    if head < 0xa0:
        return [unpack(b) for _ in range(head & 15)]
    if head < 0xc0:
        return b.take(head & 31).decode()
    if head in (0xc2, 0xc3):
        return head == 0xc3
    if head in (0xc4, 0xc5, 0xc6):
        return b.take(b.number(1 << head - 0xc4))
    if 0xcc <= head <= 0xcf:
        return b.number(1 << head - 0xcc)
    if head in (0xd9, 0xda, 0xdb):
        return b.take(b.number(1 << head - 0xd9)).decode()
    assert head in (0xdc, 0xdd)
    return [unpack(b) for _ in range(b.number(2 << head - 0xdc))]


def read_msgpack(data):
    b, types, objects = Bytes(data), {}, []
    while (record := unpack(b))['t'] != 'done':
        if record['t'] == 'type':
            types[record['objtype_addr']] = record['typename']
        elif record['t'] == 'object':
            objects.append((record['addr'], record['objtype_addr'], record['size'], record['root'], [], [], []))
        else:
            assert record['addr'] == objects[-1][0]
            objects[-1][5].extend(record['child_addrs'])
    assert b.at == len(data)
    return types, objects


def read_pyheap(data):
    b = Bytes(data)
    assert b.number(8) == PYHEAP_MAGIC and b.number(4) == 1
    b.text()
    has_str = b.number(8) & 1
    known = dict(b.rows(lambda: (b.text(), b.number(8))))
    b.rows(lambda: (b.text(), b.take(2), b.rows(lambda: (b.text(), b.number(4), b.text(), b.rows(lambda: (b.text(), b.number(8)))))))
    frequent = b.rows(lambda: b.take(b.signed16()).decode())

    def attribute():
        n = b.signed16()
        return (b.take(n).decode() if n >= 0 else frequent[-n - 1]), b.number(8)

    common = {b.number(8): b.rows(attribute) for _ in range(b.number(4))}
    objects, classes = [], {}
    for _ in range(b.number(4)):
        addr, type_addr, size = b.number(8), b.number(8), b.number(4)
        items = []
        container = type_addr in (known[name] for name in CONTAINERS)
        if type_addr == known['dict']:
            items = b.rows(lambda: (b.number(8), b.number(8)))
        elif container:
            items = b.rows(lambda: b.number(8))
        refs = b.rows(lambda: b.number(8))
        attributes = [] if type_addr in common else b.rows(attribute)
        if has_str and not container:
            text = b.text()
            if text.startswith("<class '") and text.endswith("'>"):
                classes[addr] = text[8:-2]
        objects.append((addr, type_addr, size, None, items, refs, attributes))
    types = dict(b.rows(lambda: (b.number(8), b.text())))
    assert b.number(8) == PYHEAP_MAGIC and b.at == len(data)
    for addr in types:
        if addr in known.values():
            types[addr] = f'builtins.{types[addr]}'
        elif addr in classes:
            types[addr] = classes[addr] if '.' in classes[addr] else f'builtins.{classes[addr]}'
    return types, objects


READERS = {'struct': read_struct, 'msgpack': read_msgpack, 'pyheap': read_pyheap}


# ---- heaps

def app(later=False):
    """A small program: a module with a registry of sessions, a running function, a task, a cycle that nothing is seen to hold."""
    heap, base = Heap(), 0x7f0000000000
    names = ('type', 'object', 'str', 'int', 'NoneType', 'dict', 'list', 'tuple', 'set', 'bytes', 'module', 'function', 'code', 'frame')
    addr = {f'builtins.{name}': base + 0x400 * i for i, name in enumerate(names)}
    addr.update({'app.Session': base + 0x8000, '_asyncio.Task': base + 0x8400})
    heap.types = {where: name for name, where in addr.items()}
    at = iter(range(base + 0x10000, base + 0x20000, 0x40))

    def add(type_name, size, content=None, **more):
        return heap.add(next(at), addr[type_name], size, content, **more)

    def text(content):
        return add('builtins.str', len(content.encode()) + 49, content)

    text_of = {content: text(content) for content in ('__name__', 'sys', 'builtins', 'modules', 'app', 'registry', 'alice', 'bob', 'user', 'waiting')}
    none, one = add('builtins.NoneType', 16), add('builtins.int', 28, '1')
    sessions = [add('app.Session', 48, refs=[text_of[user], 0x7f00dead0000], attributes=[('user', text_of[user]), ('limit', one), ('__class__', addr['app.Session'])],
                    tracked=True) for user in ('alice', 'bob')]
    if later:
        carol = heap.add(base + 0x30000, addr['builtins.str'], 54, 'carol')
        sessions += [heap.add(base + 0x30040, addr['app.Session'], 48, refs=[carol, none], attributes=[('user', carol), ('_next', none)], tracked=True)]
    registry = add('builtins.dict', 232, items=[(text_of['alice'], sessions[0]), (text_of['bob'], sessions[1]), (one, none)], tracked=True)
    late = add('builtins.list', 56 + 8 * len(sessions[2:]), items=sessions[2:], tracked=True)
    app_dict = add('builtins.dict', 232, items=[(text_of['__name__'], text_of['app']), (text_of['registry'], registry), (text_of['waiting'], late)], tracked=True)
    app_module = add('builtins.module', 72, 'app', refs=[app_dict], tracked=True)
    modules = next(at)
    sys_dict = add('builtins.dict', 232, items=[(text_of['__name__'], text_of['sys']), (text_of['modules'], modules)])
    sys_module = add('builtins.module', 72, 'sys', refs=[sys_dict], tracked=True)
    builtins_dict = add('builtins.dict', 232, items=[(text_of['__name__'], text_of['builtins']), (text_of['user'], addr['builtins.type'])], tracked=True)
    builtins_module = add('builtins.module', 72, 'builtins', refs=[builtins_dict], tracked=True)
    heap.add(modules, addr['builtins.dict'], 232, items=[(text_of['sys'], sys_module), (text_of['builtins'], builtins_module), (text_of['app'], app_module)], tracked=True)
    code = add('builtins.code', 200, 'main at /srv/app.py:3')
    local = add('builtins.tuple', 64, items=[sessions[0], one], tracked=True)
    add('builtins.frame', 256, 'main at /srv/app.py:4', refs=[code, local], running=True, tracked=True)
    function = add('builtins.function', 160, 'main at /srv/app.py:3', refs=[code, app_dict], tracked=True)
    heap.things[[t.addr for t in heap.things].index(app_dict)].items.append((text_of['user'], function))
    add('_asyncio.Task', 192, 'Task-1 pending main at /srv/app.py:4', refs=[none], tracked=True)
    # two that hold each other, and one that they hold
    a, b = next(at), next(at)
    heap.add(a, addr['builtins.list'], 64, items=[b], tracked=True)
    heap.add(b, addr['builtins.set'], 216, items=[a, add('builtins.bytes', 40, b"\0a'\xff")], tracked=True)
    for name, where in addr.items():
        if name == 'builtins.code':  # a class that is not in the dump
            continue
        space = add('builtins.dict', 232, items=[(text_of['__name__'], text_of['app'])])
        heap.add(where, addr['builtins.type'], 936, name.split('.')[-1], refs=[space, addr['builtins.type']], tracked=True)
    add('builtins.str', 5000, 'long ' * 200)
    add('builtins.str', 128 + 49, 'x' * 128)
    heap.threads = [('MainThread', [('/srv/app.py', 4, 'main', [('local', local), ('gone', 0x7f00dead0000)]), ('/srv/app.py', 9, '<module>', [])]), ('idle', [])]
    return heap


def some(rnd):
    """A random heap, without modules or classes."""
    heap, n = Heap(), rnd.randint(1, 40)
    names = ['builtins.dict', 'builtins.list', 'builtins.set', 'builtins.tuple', 'builtins.str', 'builtins.bytes', 'app.Thing', 'app.Ünicode']
    heap.types = {0x560000000000 + 0x400 * i: name for i, name in enumerate(names)}
    addrs = rnd.sample([0x7f0000000000 + 8 * i for i in range(100)] + [0x7fff00000000 + 4096 * i for i in range(50)], n)

    def refs(most):
        return [rnd.choice(addrs + [0, 0x10]) for _ in range(rnd.randint(0, most))]

    for addr in addrs:
        type_addr = rnd.choice(list(heap.types))
        thing = Thing(addr, type_addr, rnd.choice([0, 16, 56, 0xffffffff]), tracked=rnd.random() < 0.5, running=rnd.random() < 0.05,
                      refs=refs(rnd.choice([0, 3, 20, 40])))
        name = heap.types[type_addr].split('.')[-1]
        if heap.kind(thing) == 'dict':
            thing.items = list(zip(*[iter(refs(12))] * 2))
        elif heap.kind(thing):
            thing.items = refs(rnd.choice([3, 9, 5000] if rnd.random() < 0.05 else [3, 9]))
        elif name == 'str':
            thing.content = rnd.choice(['', 'a', 'ä€😀', "it's \\ \n", 'y' * 127, 'y' * 128, 'ä' * 64, 'z' * 999, 'z' * 1000, 'z' * 3000])
        elif name == 'bytes':
            thing.content = rnd.choice([b'', b'abc', b'"\'\\\n\r\t\0\xff'])
        elif rnd.random() < 0.7:
            values = thing.refs + refs(3)
            thing.attributes = [(rnd.choice(['a', 'b', '_c', '__d__', 'ä']), rnd.choice(values)) for _ in range(rnd.randint(0, 6)) if values]
        heap.things.append(thing)
    if rnd.random() < 0.5:
        heap.threads = [('t', [('f.py', 1, 'f', [('x', rnd.choice(addrs + [0x10])) for _ in range(rnd.randint(0, 3))])])]
    return heap


if __name__ == '__main__':
    sys.stdout.buffer.write(WRITERS[sys.argv[2]](app(later=sys.argv[1] == 'app-later')))
