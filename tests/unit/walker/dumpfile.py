# SPDX-License-Identifier: MIT
"""A plain reader of dumps for tests of the walker, written from format.h alone. Works on Python 3.8 and later."""
import struct

NAMED, INDEX, ITEMS, MEMBER = 4, 1, 2, 3
WEAK, HIDDEN = 1, 2
MASK = (1 << 64) - 1


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def u8(self):
        self.at += 1
        return self.data[self.at - 1]

    def uv(self):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def sv(self):
        value = self.uv()
        return (value >> 1) ^ -(value & 1)

    def bytes(self):
        n = self.uv()
        self.at += n
        assert self.at <= len(self.data)
        return self.data[self.at - n:self.at]

    def text(self):
        return self.bytes().decode("utf-8", "surrogatepass")


class Object:
    """refs: [(address, name or None, flags)] in order; name of a dict's pairs: None for the key, the key's address for the value."""
    size = whole = 0
    content = None
    refcount = 1

    def __init__(self, address, type, flags):
        self.address, self.type, self.flags, self.refs, self.size = address, type, flags, [], type["common"]


class Dump:
    def __init__(self, path):
        data = open(path, "rb").read()
        assert data[:8] == b"\x89HPD\r\n\x1a\n", data[:8]
        self.meta, self.names, self.types, self.layouts = {}, [None], [None], [[]]
        self.objects, self.roots, self.threads, self.counters, self.skipped = {}, [], [], {}, []
        self.end, self.roles = None, {}
        at = struct.unpack_from("<H", data, 14)[0]
        while at < len(data):
            kind, rows, length, _ = struct.unpack_from("<4sIQQ", data, at)
            at += 24
            read = getattr(self, "read_" + kind.decode().strip("!").lower())
            cursor = Cursor(data[at:at + length])
            self.previous = 0
            for _ in range(rows):
                read(cursor)
            assert cursor.at == length, (kind, cursor.at, length)
            at += length

    def address(self, c):
        self.previous = (self.previous + c.sv()) & MASK
        return self.previous << 3 & MASK

    def read_meta(self, c):
        key, kind = c.text(), c.u8()
        self.meta[key] = {1: c.uv, 2: c.sv, 3: c.text, 4: c.u8}[kind]()

    def read_name(self, c):
        self.names.append(c.text())

    def read_type(self, c):
        row = dict(address=c.uv() << 3, flags=c.uv(), family=c.uv(), base=c.uv() << 3, basic=c.uv(), item=c.uv(), common=c.uv())
        row["name"] = c.text()
        self.types.append(row)

    def read_layo(self, c):
        runs = []
        for _ in range(c.uv()):
            kind, count = c.u8(), c.uv()
            names = [c.uv() for _ in range(count)] if kind & 15 == NAMED else None
            runs.append((kind & 15, kind >> 4, count, names))
        self.layouts.append(runs)

    def read_role(self, c):
        address = c.uv() << 3
        self.roles[address] = c.uv()

    def read_objs(self, c):
        flags = c.uv()
        if flags & 1 << 5:
            o, base = self.open, 0
        else:
            o = Object(self.address(c), self.types[c.uv()], flags)
            base = self.previous
            assert o.address not in self.objects, hex(o.address)
            self.objects[o.address] = self.open = o
        if flags & 1 << 1:
            o.size = c.uv()
        if flags & 1 << 2:
            o.refcount = c.uv()
        if flags & 1 << 9:
            o.real_size = c.uv()
        if flags & 1 << 3:
            o.content = self.content(o, c.bytes(), flags)
        if flags & 1 << 8:
            o.whole = c.uv()
        if flags & 1 << 4:
            layout, addresses = self.layouts[c.uv()], []
            for _ in range(c.uv()):
                base = (base + c.sv()) & MASK
                addresses.append(base << 3 & MASK)
            o.refs += list(self.name_refs(layout or [(0, 0, 0, None)], addresses))

    def content(self, o, data, flags):
        number = o.type["flags"] & 1 << 5 and o.type["family"] in (3, 4)
        if o.type["flags"] & 1 << 6 and not number and not flags & 1 << 1:
            o.size += len(data)
        if number and o.type["family"] == 4:
            return repr(*struct.unpack("<d", data)).encode()
        if number and 0 < len(data) <= 8:
            return b"%d" % int.from_bytes(data, "little", signed=True)
        return data

    def name_refs(self, layout, addresses):
        rest, at = len(addresses) - sum(run[2] for run in layout), 0
        for kind, flags, count, names in layout:
            for i in range(count or rest):
                name = None
                if kind == NAMED:
                    name = self.names[names[i]]
                elif kind == INDEX:
                    name = "[%d]" % i
                elif kind == ITEMS and i & 1:
                    name = addresses[at - 1]
                elif kind == MEMBER:
                    name = "{}"
                yield addresses[at], name, flags
                at += 1

    def read_root(self, c):
        kind = c.uv()
        self.roots.append((kind, self.address(c), self.names[c.uv()], c.uv()))

    def read_thrd(self, c):
        if c.u8() == 1:
            self.threads.append(dict(ident=c.uv(), native=c.uv(), state=c.uv(), flags=c.uv(), name=c.text(), frames=[]))
            return
        frame = dict(frame=c.uv() << 3, code=c.uv() << 3, function=c.uv() << 3, line=c.uv(), flags=c.uv(), qualname=c.text(),
                     file=c.text(), refs=[])
        address = 0
        for _ in range(c.uv()):
            name = self.names[c.uv()]
            address = (address + c.sv()) & MASK
            frame["refs"].append((name, address << 3 & MASK))
        self.threads[-1]["frames"].append(frame)

    def read_stat(self, c):
        if c.u8() == 1:
            key = c.text()
            self.counters[key] = c.uv()
        else:
            self.skipped.append((c.uv() << 3, c.text()))

    def read_end(self, c):
        self.end = dict(zip("objects refs types names layouts bytes status".split(), [c.uv() for _ in range(7)]))
        self.end["reason"] = c.text()
