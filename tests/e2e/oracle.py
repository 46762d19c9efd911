# SPDX-License-Identifier: MIT
"""What Python itself says of its heap, to compare a dump with: gc.get_objects() closed over gc.get_referents(), types, sys.getsizeof.

    write_oracle(path)          inside a fork of the target, made at the moment of the dump
    compare(path, dump)         a list of lines, each a difference that nothing explains; empty when they agree
"""
import array
import collections
import gc
import os
import struct
import sys

HEADER = struct.Struct('<QQqIB')  # made here: struct.pack would fill a cache of its own meanwhile
TYPE_NAME = struct.Struct('<QI')


def write_oracle(path):
    """Changes as little as it can: what it makes itself is left out of what it writes."""
    first = gc.get_objects()
    seen = {}
    own = {id(first), id(seen), id(sys._getframe())}
    own.add(id(own))
    work = []
    own.add(id(work))
    for o in first:
        if id(o) not in own:
            seen[id(o)] = o
            work.append(o)
    referents = gc.get_referents
    while work:
        o = work.pop()
        for r in referents(o):
            if id(r) not in seen and id(r) not in own:
                seen[id(r)] = r
                work.append(r)
    o = r = None
    with open(path, 'wb') as file:
        write = file.write
        names = []
        for address, o in list(seen.items()):
            refs = [id(r) for r in referents(o)]
            try:
                size = sys.getsizeof(o)
            except Exception:
                size = -1
            kind = type(o)
            write(HEADER.pack(address, id(kind), size, len(refs), gc.is_tracked(o)))
            write(array.array('Q', refs).tobytes())
            if issubclass(kind, type):  # isinstance() would ask a proxy what it stands for
                module = type.__dict__['__module__'].__get__(o)
                names.append((address, '%s.%s' % (module, type.__dict__['__qualname__'].__get__(o))))
        write(HEADER.pack(0, 0, 0, len(names), 0))
        for address, name in names:
            text = name.encode('utf-8', 'surrogatepass')
            write(TYPE_NAME.pack(address, len(text)) + text)


def read_oracle(path):
    with open(path, 'rb') as file:
        data = file.read()
    objects, names, at = {}, {}, 0
    while True:
        address, kind, size, n, tracked = HEADER.unpack_from(data, at)
        at += HEADER.size
        if address == 0:
            break
        objects[address] = (kind, size, bool(tracked), struct.unpack_from('<%dQ' % n, data, at))
        at += 8 * n
    for _ in range(n):
        address, length = struct.unpack_from('<QI', data, at)
        at += 12
        names[address] = data[at:at + length].decode('utf-8', 'surrogatepass')
        at += length
    return objects, names


class Comparison:
    """Lines of differences; every kind of them is cut after a few."""

    def __init__(self, oracle, dump):
        self.objects, self.type_names = read_oracle(oracle)
        self.dump = dump
        self.lines = []
        self.told = collections.Counter()
        self.counts = collections.Counter()
        self.explained = collections.Counter()

    def tell(self, kind, text):
        self.told[kind] += 1
        if self.told[kind] <= 12:
            self.lines.append(f'{kind}: {text}')

    def describe(self, address):
        o = self.dump.objects.get(address)
        if o is None:
            known = self.objects.get(address)
            return f'0x{address:x}' + (f' ({self.type_names.get(known[0])})' if known else '')
        content = (o.content or b'')[:40].decode('utf-8', 'replace')
        return f'0x{address:x} {o.type.name} {content!r}'

    def run(self):
        self.edges()
        for address in self.objects.keys() - self.dump.objects.keys():
            self.tell('missing in the dump', self.describe(address) + ' from ' +
                      ', '.join(self.describe(a) for a, o in self.objects.items() if address in o[3])[:300]
                      if self.told['missing in the dump'] < 12 else '')
        for address, known in self.objects.items():
            o = self.dump.objects.get(address)
            if o is not None:
                self.counts['objects'] += 1
                self.one(address, known, o)
        self.extra()
        self.ledger()
        for address in self.dump.duplicates:
            self.tell('written twice', self.describe(address))
        for kind, n in self.told.items():
            if n > 12:
                self.lines.append(f'{kind}: {n} in all')
        return self.lines

    def edges(self):
        """Every reference of the dump, sorted by what Python shows: visible, or hidden for a reason that has a name."""
        self.visible, self.hidden = {}, collections.defaultdict(list)
        for address, o in self.dump.objects.items():
            shown = collections.Counter()
            rows = self.dump.named(o)
            keys = [r[0] for r in rows if r[1] == 'key' and r[2] == 2]
            str_keys = bool(keys) and o.type.name != 'functools._lru_cache_wrapper' and all(self.is_str(k) for k in keys)
            for referent, name, kind, flags in rows:
                if flags:
                    self.hidden[referent].append((address, name or 'hidden', flags))
                elif kind == 2 and name == 'key' and str_keys:
                    self.hidden[referent].append((address, 'str key of a dict', 2))
                else:
                    shown[referent] += 1
            self.visible[address] = shown

    def is_static_type(self, o):
        """Extensions set tp_base of their static types with and without counting."""
        return any(t is not None and t.addr == o.addr and not t.flags & 1 for t in self.dump.types)

    def is_str(self, address):
        o = self.dump.objects.get(address)
        return o is not None and o.type.name == 'builtins.str'

    def one(self, address, known, o):
        kind, size, tracked, refs = known
        if o.type.addr != kind:
            self.tell('type', f'{self.describe(address)}, Python: {self.type_names.get(kind)}')
        if o.size != size:
            if o.type.flags & 4:
                self.explained['size: __sizeof__ is written in Python'] += 1
            elif o.type.name == '_io.BytesIO' and o.refs and size == o.type.common:
                self.explained['size: the oracle holds the bytes of a BytesIO, so that they are not its own'] += 1  # planted/hidden.py
            elif size == -1:
                self.explained['size: sys.getsizeof raised'] += 1
            else:
                self.tell('size of ' + o.type.name, f'{self.describe(address)}: {o.size}, Python: {size}')
        elif o.flags & (1 << 11) and not o.type.flags & 4:
            self.tell('size called unknown', self.describe(address))
        if bool(o.flags & 1) != tracked:
            self.tell('tracked by gc', f'{self.describe(address)}: {o.flags & 1}, Python: {tracked}')
        shown, wanted = self.visible[address], collections.Counter(refs)
        if shown == wanted:
            self.counts['refs'] += len(refs)
            return
        less, more = wanted - shown, shown - wanted
        why = self.explain(o, less, more)
        if why:
            self.explained['refs: ' + why] += 1
            return
        rows = {r[0]: r[1] for r in self.dump.named(o)}
        self.tell('refs of ' + o.type.name, self.describe(address) + ''.join(
            f'; lacks {self.describe(a)} x{n}' for a, n in list(less.items())[:3]) + ''.join(
            f'; has {rows.get(a)} {self.describe(a)} x{n}' for a, n in list(more.items())[:3]))

    def explain(self, o, less, more):
        name = o.type.name
        if name == 'builtins.dict' and not less and all(self.is_str(a) for a in more):
            # A dict that once had another key shows all its keys to Python; and the other way round in 3.8 to 3.10.
            return 'str keys of a dict'
        if name == 'builtins.dict' and not more and all(self.is_str(a) for a in less):
            return 'str keys of a dict'
        return None

    def extra(self):
        """What only the dump has must be reached by something that Python does not show."""
        dump = self.dump
        roots = {r[1]: f'root {r[2]}' for r in dump.roots}
        for t in dump.threads:
            for f in t['frames']:
                for a in [f['frame'], f['code'], f['function']] + [r[1] for r in f['refs']]:
                    roots.setdefault(a, 'frame of a thread')
        extra = dump.objects.keys() - self.objects.keys()
        reached = set()
        for a in extra:
            if a in self.hidden:
                self.explained['extra: ' + self.hidden[a][0][1].split(' ')[0].rstrip('>') + ' of ' +
                               dump.objects[self.hidden[a][0][0]].type.name] += 1
                reached.add(a)
            elif a in roots:
                self.explained['extra: ' + roots[a]] += 1
                reached.add(a)
            elif any(t is not None and t.addr == a for t in dump.types):
                self.explained['extra: type'] += 1
                reached.add(a)
        work = list(reached)
        while work:
            for r in self.visible[work.pop()]:
                if r in extra and r not in reached:
                    self.explained['extra: through another extra object'] += 1
                    reached.add(r)
                    work.append(r)
        operands = dump.counters.get('frames.operands', 0)  # held by C alone, which their counts must say
        for a in extra - reached:
            if operands > 0 and dump.objects[a].refcount > sum(a in o.refs for o in dump.objects.values()):
                self.explained['extra: operand of an instruction at hand'] += 1
                operands -= 1
            else:
                self.tell('only in the dump', self.describe(a))

    def ledger(self):
        """No object may have more references in the dump than its count says; those that have fewer are held from C."""
        dump = self.dump
        held, by_frames = collections.Counter(), collections.Counter()
        for o in dump.objects.values():
            if o.flags & (1 << 7) and o.type.name in ('builtins.tuple', 'builtins.code'):
                continue  # what lies in the executable (3.11+: frozen modules) refers without counting
            for referent, _, _, flags in dump.named(o):
                if not flags & 1:
                    held[referent] += 1
        for _, address, _, counted in dump.roots:
            held[address] += counted
        for t in dump.threads:
            for f in t['frames']:
                if f['flags'] & 1:
                    for _, address in f['refs']:
                        held[address] += 1
                        by_frames[address] += 1
        variables_borrow = dump.meta['python.hex'] >= 0x030e0000  # from those of the caller
        for address, n in held.items():
            o = dump.objects.get(address)
            if o is None:
                self.tell('dangling', f'0x{address:x}')
            elif variables_borrow and n > o.refcount >= n - by_frames[address]:
                self.explained['ledger: borrowed by a variable of a frame'] += 1
            elif not o.flags & (1 << 7) and n > o.refcount and not self.is_static_type(o):
                self.tell('more references than counted: ' + o.type.name, f'{self.describe(address)}: {n} > {o.refcount}' + ''.join(
                    f'; {self.describe(a)} {row[1]}' for a, p in dump.objects.items() for row in dump.named(p)
                    if row[0] == address)[:400] if self.told['more references than counted: ' + o.type.name] < 3 else '')
        self.surplus = collections.Counter()
        for address, o in dump.objects.items():
            if not o.flags & (1 << 7) and o.refcount > held[address]:
                self.surplus[o.type.name] += 1


def compare(oracle, dump):
    return Comparison(oracle, dump).run()
