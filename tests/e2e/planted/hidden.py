# SPDX-License-Identifier: MIT
"""What structs of C types hold and their tp_traverse does not show, or shows without telling what it is."""
import bz2
import csv
import ctypes
import decimal
import functools
import io
import itertools
import lzma
import os
import pickle
import re
import select
import struct
import threading
import types
import weakref
import zlib
from xml.etree import ElementTree

from .plants import VERSION, fresh


NOT_GC = ctypes.cast(ctypes.pythonapi.PyNumber_Check, ctypes.c_void_p).value  # says 0


def named(p, what, o, *names):
    p.keep.append(o)
    for name in names:
        p.list.append([what, 'named', id(o), name])


def modules(p):
    name = fresh('planted module')
    p.edge('name of a module', types.ModuleType(name), '<name>', name)
    prop = property(len)
    if VERSION >= (3, 13):
        prop.__set_name__(None, name)
        p.edge('name of a property', prop, '.__name__', name)


def packed(p):
    octets = fresh('what was packed').encode() * 50
    d = zlib.decompressobj()
    d.decompress(zlib.compress(octets) + b'tail of zlib')
    p.edge('tail behind what was packed', d, '.unused_data', d.unused_data)
    d = zlib.decompressobj(zdict=octets)
    d.decompress(zlib.compress(octets)[:20], 5)
    p.edge('zlib with a dictionary', d, '<dictionary>', octets)
    d = zlib.decompressobj()
    d.decompress(zlib.compress(octets), 5)
    p.edge('not unpacked yet', d, '.unconsumed_tail', d.unconsumed_tail)
    for module, kind in ((bz2, bz2.BZ2Decompressor), (lzma, lzma.LZMADecompressor)):
        d = kind()
        d.decompress(module.compress(octets) + b'tail')
        p.edge('tail of ' + module.__name__, d, '.unused_data', d.unused_data)
    if VERSION >= (3, 14):
        from compression import zstd
        dictionary = zstd.ZstdDict(octets, is_raw=True)
        p.edge('zstd with a dictionary', zstd.ZstdCompressor(zstd_dict=dictionary), '<dictionary>', dictionary)
        p.edge('zstd with a dictionary', zstd.ZstdDecompressor(zstd_dict=dictionary), '<dictionary>', dictionary)


def files(p):
    text = io.StringIO()
    text.write(fresh('written to a StringIO'))
    if VERSION < (3, 14):
        named(p, 'what a StringIO has not joined', text, '<written>' if VERSION >= (3, 12) else '<pieces>')
    named(p, 'StringIO with line ends', io.StringIO(newline=None), '<decoder>')
    named(p, 'StringIO with line ends', io.StringIO(newline='\r\n'), '<newline to read>', '<newline to write>')
    own = io.BytesIO()
    own.write(b'bytes that nobody else has' * 20)
    p.type('BytesIO of its own bytes', own)
    left, right = io.BytesIO(), io.BytesIO()
    pair = io.BufferedRWPair(left, right)
    named(p, 'pair of streams', pair, '<reader>', '<writer>')
    poll = select.poll()
    poll.register(0)
    named(p, 'poll', poll, '<files>')
    p.keep.append(os.stat('/'))
    named(p, 'items of a struct sequence', p.keep[-1], '[7]', '.st_size')
    path = fresh('/')
    if VERSION < (3, 14):
        p.edge('folder that is listed', os.scandir(path), '<path>', path)
    dialect = csv.reader([], lineterminator=fresh('eol')).dialect
    p.edge('dialect', dialect, '.lineterminator', dialect.lineterminator)


class Stream:
    """Its methods are attributes, so that they can be told apart."""

    def __init__(self, data):
        f = io.BytesIO(data)
        self.read, self.readinto, self.readline, self.peek = f.read, f.readinto, f.readline, lambda n: b''


class Linked(weakref.ref):
    __slots__ = ('extra',)


def others(p):
    stream = Stream(pickle.dumps(['something pickled', 1]))
    unpickler = pickle.Unpickler(stream)
    unpickler.load()
    for name in 'read readinto readline peek'.split():
        p.edge('file that is unpickled', unpickler, '<%s>' % name, getattr(stream, name))
    named(p, 'buffer that is unpickled', unpickler, '<input>')
    context = decimal.Context(prec=7)
    p.edge('traps', context, '.traps', context.traps)
    p.edge('flags', context, '.flags', context.flags)
    p.edge('context to come back to', decimal.localcontext(context), '<global context>', decimal.getcontext())
    named(p, 'context to come', decimal.localcontext(context), '<local context>')
    text = fresh('searched')
    p.edge('scanner', re.compile('a').scanner(text), '<string>', text)
    item = ['compared']
    key = functools.cmp_to_key(min)(item)
    p.edge('key to compare by', key, '.obj', item)
    p.edge('key to compare by', key, '<compare>', min)
    if VERSION < (3, 13):
        named(p, 'local of threads', threading.local(), '<key>', '<callback of dummies>')
    root = ElementTree.fromstring('<a><b><c/></b><d/></a>')
    steps = root.iter()
    next(steps), next(steps)
    named(p, 'iteration of elements', steps, '<parent>')
    if VERSION >= (3, 13):
        named(p, 'parser of elements', ElementTree.XMLParser(), '<module>')
        named(p, 'pairwise', itertools.pairwise([1, 2]), '<result>')
    referent = Stream(b'')
    ref = Linked(referent)
    ref.extra = ['slot of a weak reference']
    p.edge('slot of a weak reference', ref, '.extra', ref.extra)
    p.keep.append(referent)


def versions(p):
    if VERSION >= (3, 12):
        space = {}
        exec('type Alias[T] = list[T]', space)
        p.edge('parameters of a type alias', space['Alias'], '.__type_params__', space['Alias'].__type_params__)
    if VERSION >= (3, 15):
        class Slotted(tuple):
            __slots__ = 'slot_a', 'slot_b'

        class More(Slotted):
            __slots__ = 'slot_c',

        for n in (0, 1, 5):
            t = More(range(n))
            t.slot_a, t.slot_c = ['a'], ['c', n]
            p.edge('slot of a tuple of %d' % n, t, '.slot_a', t.slot_a)
            p.edge('slot of a subclass of a tuple of %d' % n, t, '.slot_c', t.slot_c)
            p.type('tuple with slots', t)


def zone_file():
    """TZif, version 2: no transitions, a rule for all years."""
    head = b'TZif2' + bytes(15) + struct.pack('>6l', 0, 0, 0, 0, 1, 4)
    body = struct.pack('>lbb', 3600, 0, 0) + b'CET\0'
    return io.BytesIO(head + body + head + body + b'\nCET-1CEST,M3.5.0,M10.5.0/3\n')


def optional(p):
    """Modules that not every build has."""
    if VERSION >= (3, 9):
        import zoneinfo
        zone = zoneinfo.ZoneInfo.from_file(zone_file(), key='planted')
        named(p, 'rule of a time zone', zone, '<standard offset>', '<standard name>', '<summer offset>', '<summer name>')
    try:
        import sqlite3
    except ImportError:
        pass
    else:
        connection = sqlite3.connect(':memory:')
        cursor = connection.execute('select 1 as x')
        named(p, 'statement of a cursor', cursor, '<statement>')
        p.list.append(['exceptions of a connection are its module\'s', 'weak', id(connection), id(sqlite3.Warning)])
        row = sqlite3.Row(cursor, (['value of a row'],))
        named(p, 'row', row, '<values>', '<description>')
    try:
        import ssl
    except ImportError:
        pass
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        connected = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname='planted.example')
        p.edge('context of a connection', connected._sslobj, '.context', context)
        named(p, 'owner of a connection', connected._sslobj, '<owner>', '.server_hostname')
        p.keep.append(connected)


class Disowned:
    """What a suspended greenlet is: in the collector's lists, and none of its objects when its type is asked."""
    __slots__ = 'held',


def disowned(p):
    ctypes.c_size_t.from_address(id(Disowned) + object.__basicsize__ + 312).value = NOT_GC  # tp_is_gc
    first, between, last = Disowned(), ['between two of them'], Disowned()
    first.held = ['held by one that is no gc object']
    p.edge('attribute of a suspended greenlet', first, '.held', first.held)
    p.type('held by C, between two suspended greenlets', between)
    p.keep.pop()
    p.keep.append(last)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(between))
    several = [Disowned() for _ in range(5000)]
    for at_start in several:
        if id(at_start) % 4096 == 0:
            at_start.held = ['held by one whose head is in the page before']
            p.edge('attribute of a suspended greenlet at the start of a page', at_start, '.held', at_start.held)
            break


def hidden(p):
    for part in (disowned, modules, packed, files, others, versions, optional):
        part(p)
