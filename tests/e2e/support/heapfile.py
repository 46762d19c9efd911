# SPDX-License-Identifier: MIT
"""Reads a plain dump (format.h) whole into Python objects: for tests that compare it with something else. Slow and simple on purpose,
and written apart from the C reader, so that the two check each other."""
import struct

GC, SIZE, REFCOUNT, CONTENT, REFS, CONT, MORE, IMMORTAL, CUT, REAL_SIZE, BROKEN, SIZE_UNKNOWN, INTERNED, FROZEN = (1 << i for i in range(14))
UNNAMED, INDEX, ITEMS, MEMBER, NAMED = range(5)
WEAK, HIDDEN = 1, 2
TYPE_HEAP, TYPE_GC, TYPE_PY_SIZEOF, TYPE_UNNAMED, TYPE_OPAQUE, TYPE_NUMBERS, TYPE_SIZED = (1 << i for i in range(7))
INT, FLOAT = 3, 4


class Bytes:
    """A cursor over one chunk."""

    def __init__(self, data):
        self.data, self.at, self.prev = data, 0, 0

    def u8(self):
        self.at += 1
        return self.data[self.at - 1]

    def uv(self):
        value = shift = 0
        data, at = self.data, self.at
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                self.at = at
                return value
            shift += 7

    def sv(self):
        value = self.uv()
        return -(value >> 1) - 1 if value & 1 else value >> 1

    def text(self):
        n = self.uv()
        self.at += n
        assert self.at <= len(self.data), 'text beyond its chunk'
        return self.data[self.at - n:self.at]

    def addr(self):
        return self.uv() << 3


class Type:
    def __init__(self, addr, flags, family, base, basic, item, common, name):
        self.addr, self.flags, self.family, self.base = addr, flags, family, base
        self.basic, self.item, self.common, self.name = basic, item, common, name
        self.number = family if flags & TYPE_NUMBERS and family in (INT, FLOAT) else 0
        self.sized = flags & TYPE_SIZED and not self.number

    def shown(self, content):
        """What the bytes of an instance's content say."""
        if self.number == FLOAT:
            return b'%r' % struct.unpack('<d', content)
        if self.number == INT and 0 < len(content) <= 8:
            return b'%d' % int.from_bytes(content, 'little', signed=True)
        return content


class Object:
    __slots__ = ('addr', 'type', 'flags', 'size', 'refcount', 'content', 'whole', 'layout', 'refs', 'real')


class Dump:
    def __init__(self, path):
        self.meta, self.names, self.types, self.layouts = {}, [None], [None], [[]]
        self.objects, self.roots, self.threads, self.counters, self.skipped = {}, [], [], {}, []
        self.end, self.roles = None, {}
        self.duplicates = []
        with open(path, 'rb') as file:
            self.read(file.read())

    def read(self, data):
        assert data[:8] == b'\x89HPD\r\n\x1a\n', 'not a dump'
        at = struct.unpack_from('<H', data, 14)[0]
        while at < len(data):
            kind, rows, length, _ = struct.unpack_from('<4sIQQ', data, at)
            chunk = Bytes(data[at + 24:at + 24 + length])
            at += 24 + length
            read = getattr(self, 'read_' + kind.decode().strip('!').lower(), None)
            if read is None:
                continue
            for _ in range(rows if kind != b'END!' else 1):
                read(chunk)
            assert chunk.at == length, (kind, chunk.at, length)

    def read_meta(self, c):
        key, kind = c.text().decode(), c.u8()
        self.meta[key] = [None, c.uv, c.sv, lambda: c.text().decode('utf-8', 'replace'), lambda: bool(c.u8())][kind]()

    def read_name(self, c):
        self.names.append(c.text().decode('utf-8', 'surrogatepass'))

    def read_type(self, c):
        addr, flags, family, base = c.addr(), c.uv(), c.uv(), c.addr()
        self.types.append(Type(addr, flags, family, base, c.uv(), c.uv(), c.uv(), c.text().decode('utf-8', 'surrogatepass')))

    def read_layo(self, c):
        runs = []
        for _ in range(c.uv()):
            kind, count = c.u8(), c.uv()
            names = [self.names[c.uv()] for _ in range(count)] if kind & 15 == NAMED else None
            runs.append((kind & 15, kind >> 4, count, names))
        self.layouts.append(runs)

    def read_role(self, c):
        addr = c.addr()
        self.roles[addr] = c.uv()

    def read_objs(self, c):
        flags = c.uv()
        if flags & CONT:
            o = self.last
            o.flags |= flags & BROKEN
            prev = 0
        else:
            o = Object()
            c.prev += c.sv() << 3
            o.addr = prev = c.prev
            o.type = self.types[c.uv()]
            o.flags, o.refs, o.layout, o.content, o.whole = flags, [], 0, None, None
            o.size = c.uv() if flags & SIZE else o.type.common
            o.refcount = c.uv() if flags & REFCOUNT else 1
            real = c.uv() if flags & REAL_SIZE else None
            if flags & CONTENT:
                content = c.text()
                o.content = o.type.shown(content)
                o.size += len(content) if o.type.sized and not flags & SIZE else 0
            o.real = self.usual(o.size) if real is None else real
            if flags & CUT:
                o.whole = c.uv()
            if o.addr in self.objects:
                self.duplicates.append(o.addr)
            self.objects[o.addr] = self.last = o
        if flags & REFS:
            o.layout = c.uv()
            for _ in range(c.uv()):
                prev += c.sv() << 3
                o.refs.append(prev)

    def usual(self, size):
        """What an object takes of the allocator whose row does not say it; None: not known."""
        step = self.meta.get('real.step')
        return step and max(self.meta['real.least'], -(-(size + self.meta['real.add']) // step) * step)

    def read_root(self, c):
        kind = c.uv()
        c.prev += c.sv() << 3
        self.roots.append((kind, c.prev, self.names[c.uv()], bool(c.uv())))

    def read_thrd(self, c):
        if c.u8() == 1:
            self.threads.append({'ident': c.uv(), 'native': c.uv(), 'state': c.uv(), 'flags': c.uv(), 'name': c.text().decode(),
                                 'frames': []})
            return
        frame = {'frame': c.addr(), 'code': c.addr(), 'function': c.addr(), 'line': c.uv(), 'flags': c.uv(),
                 'qualname': c.text().decode(), 'file': c.text().decode(), 'refs': []}
        prev = 0
        for _ in range(c.uv()):
            name = self.names[c.uv()]
            prev += c.sv() << 3
            frame['refs'].append((name, prev))
        self.threads[-1]['frames'].append(frame)

    def read_stat(self, c):
        if c.u8() == 1:
            key = c.text().decode()
            self.counters[key] = c.uv()
        else:
            addr = c.addr()
            self.skipped.append((addr, c.text().decode()))

    def read_end(self, c):
        keys = 'objects refs types names layouts bytes status'.split()
        self.end = {key: c.uv() for key in keys}
        self.end['reason'] = c.text().decode()

    def named(self, o):
        """(referent, name or None, run kind, run flags) of each reference of an object."""
        runs = self.layouts[self.roles.get(o.addr, o.layout)] or [(UNNAMED, 0, 0, None)]
        fixed = sum(count for _, _, count, _ in runs)
        at, out = 0, []
        for kind, flags, count, names in runs:
            n = count or len(o.refs) - fixed
            for i in range(n):
                name = names[i] if kind == NAMED else f'[{i}]' if kind == INDEX else '{}' if kind == MEMBER else None
                if kind == ITEMS:
                    name = 'key' if i % 2 == 0 else 'value'
                out.append((o.refs[at], name, kind, flags))
                at += 1
        assert at == len(o.refs), (o.type.name, runs, len(o.refs))
        return [row for row in out if row[0] != 0]
