# SPDX-License-Identifier: MIT
"""Objects of types from C: iterators, files, ctypes, …"""
import array
import ctypes
import datetime
import gc
import io
import itertools
import re
import weakref
from xml.etree import ElementTree

from .plants import VERSION, fresh
from .objects import Plain
from .code import trace
from .sizes import malloc_block, small_block


class Element(ElementTree.Element):
    pass


class Structure(ctypes.Structure):
    _fields_ = [('a', ctypes.c_int), ('o', ctypes.py_object)]


def others(p):
    o = Plain()
    for kind, ref in (('weakref', weakref.ref(o, trace)), ('proxy', weakref.proxy(o, trace))):
        p.edge(kind, ref, '<weakref>', o)
        p.edge('callback', ref, '.__callback__', trace)
        p.list.append([kind + ' holds nothing', 'weak', id(ref), id(o)])
    item = ['iterated']
    for what, name, holder, referent in (
            ('list iterator', '<iterated>', iter(item), item), ('tuple iterator', '<iterated>', iter((1, item)), None),
            ('dict iterator', '<iterated>', iter({1: 2}), None), ('set iterator', '<iterated>', iter({1}), None),
            ('reversed list', '<iterated>', reversed(item), item)):
        if referent is not None:
            p.edge(what, holder, name, referent)
    d = {1: item}
    p.edge('dict view', d.values(), '.mapping', d)
    p.edge('dict iterator', iter(d), '<iterated>', d)
    m = map(trace, item)
    p.edge('map', m, '<function>', trace)
    f = filter(trace, item)
    p.edge('filter', f, '<function>', trace)
    e = enumerate(item)
    p.type('enumerate', e)
    big = 10 ** 30
    p.edge('itertools.count', itertools.count(big), '<count>', big)
    cycle = itertools.cycle(item)
    p.type('itertools', cycle)
    chain = itertools.chain(item)
    p.type('itertools', chain)
    c = Structure()
    c.o = item
    p.type('ctypes', c)
    p.path('ctypes', c, ['._objects ; *'], item)
    pointer = ctypes.pointer(ctypes.c_int(5))
    p.path('ctypes', pointer, ['._objects ; *'], pointer.contents) if False else None
    p.edge('ctypes part', memory_of(c)[0], '._b_base_', memory_of(c)[1])
    buffer = bytearray(b'the owner')
    view = memoryview(buffer)
    p.path('memoryview', view, ['<buffer> ; .obj'], buffer)
    raw = io.FileIO('/dev/null')
    buffered = io.BufferedReader(raw)
    text = io.TextIOWrapper(buffered)
    p.edge('buffered file', buffered, '.raw', raw)
    p.edge('text file', text, '.buffer', buffered)
    p.edge('text file', text, '<raw>', raw)
    bytes_io = io.BytesIO(b'content of a BytesIO ' * 10)
    p.type('BytesIO', bytes_io)
    numbers = array.array('q', range(1000))
    p.type('array', numbers)
    stepping = iter(range(big, 2 * big))
    p.edge('iterator of a long range', stepping, '<start>', big) if VERSION >= (3, 12) else p.type('iterator', stepping)
    zone = datetime.timezone(datetime.timedelta(hours=1))
    p.edge('time zone', datetime.datetime(2024, 1, 1, tzinfo=zone), '.tzinfo', zone)
    p.edge('time zone', datetime.time(1, tzinfo=zone), '.tzinfo', zone)
    p.edge('offset of a time zone', zone, '<offset>', zone.utcoffset(None))
    pattern = re.compile(fresh('planted (regex)'))
    p.edge('regex', pattern, '.pattern', pattern.pattern)
    match = pattern.match(fresh('planted regex'))
    p.edge('match', match, '.re', pattern)
    p.edge('match', match, '.string', match.string)
    p.edge('content of a BytesIO', bytes_io, '<buffer>', bytes_io.getvalue())
    for what, o, name, referent in (('itertools', cycle, '<iterator>', None), ('itertools', chain, '<source>', None),
                                    ('enumerate', e, '<iterator>', None), ('filter', f, '<iterator>', None)):
        p.list.append([what, 'named', id(o), name])
    p.edge('slice', slice(item, None), '.start', item)
    r = range(10 ** 30)
    p.edge('range', r, '.stop', r.stop)


def elements(p):
    for what, kind in (('element', ElementTree.Element), ('element of a subclass', Element)):
        root = kind('root', {'key': fresh('value of an attribute')})
        root.tag, root.text, root.tail = fresh('planted tag'), fresh('planted text'), ['planted tail']
        root.extend(ElementTree.Element('child') for _ in range(150))
        for name in ('tag', 'text', 'tail', 'attrib'):
            p.edge(what, root, '.' + name, getattr(root, name))
        for i in (0, 2, 100):
            p.edge('child of an ' + what, root, '[%d]' % i, root[i])
    parsed = ElementTree.fromstring('<a>one &amp; <b/>two &amp; three</a>')  # texts in parts: not joined yet
    p.edge('element', parsed, '[0]', parsed[0])
    for what, o in (('text', parsed), ('tail', parsed[0])):
        p.list.append([what + ' of an element', 'named', id(o), '.' + what])
    builder = ElementTree.TreeBuilder(element_factory=ElementTree.Element)
    p.edge('builder of elements', builder, '<element factory>', ElementTree.Element)


def c_types(p):
    p.edge('ctypes pointer', ctypes.POINTER(Structure), '<_type_>', Structure)
    p.edge('ctypes type', Structure, '.__name__', Structure.__name__)
    p.edge('ctypes type', Structure, '<mro>', Structure.__mro__)
    p.edge('ctypes type', Structure, '<bases>', Structure.__bases__)
    p.path('ctypes type', Structure, [".__dict__ ; ['_fields_']"], Structure._fields_)
    function = Callback(trace)
    p.edge('ctypes callback', function, '<thunk>', next(o for o in gc.get_referents(function) if type(o).__name__ == 'CThunkObject'))
    function = ctypes.CDLL(None).printf
    function.argtypes, function.errcheck = [ctypes.c_char_p], trace
    p.edge('ctypes function', function, '.argtypes', function.argtypes)
    p.edge('ctypes function', function, '.errcheck', trace)
    # what a type of functions takes
    p.list.append(['ctypes function type', 'held', id(Callback._argtypes_), ["['_argtypes_']"]])


def arrays(p):
    """Debian's interpreter has numpy, others do not."""
    try:
        import numpy
    except ImportError:
        return

    class Named(numpy.ndarray):
        pass

    numbers = numpy.arange(5000.0)
    view = numbers[10:20]
    p.edge('base of a view', view, '.base', numbers)
    p.edge('dtype', numbers, '.dtype', numbers.dtype)
    objects = numpy.array([['element %d' % i] for i in range(100)] + [None], dtype=object)
    table = numpy.empty((3, 4), dtype=object)
    table[1][2] = ['in a table']
    named = objects[:].copy().view(Named)
    named.attr = ['attribute of an array']
    p.edge('element of an array', objects, '[7]', objects[7])
    p.edge('element of a table', table, '[1, 2]', table[1][2])
    turned = numpy.empty((3, 4, 2), dtype=object, order='F')
    turned[2, 1, 0], turned[0, 3, 1] = fresh('in a table of Fortran'), fresh('another in a table of Fortran')
    p.edge('element of a table in the order of Fortran', turned, '[2, 1, 0]', turned[2, 1, 0])
    p.edge('another of them', turned, '[0, 3, 1]', turned[0, 3, 1])
    single = numpy.empty((), dtype=object)
    single[()] = ['without dimensions']
    p.edge('element of an array without dimensions', single, '[()]', single[()])
    large = numpy.empty((50, 40), dtype=object)
    large[49, 39] = ['in a large table']
    p.edge('element of a large table', large, '*', large[49, 39])
    counted = [large[49, 39]]
    for what, shape, at, name in (('line', 9, 7, '[7]'), ('table', (3, 3), (2, 1), '[2, 1]'), ('long line', 2000, 7, '*')):
        holes = numpy.empty(shape, dtype=object)
        holes[at] = [what]
        address = ctypes.c_void_p.from_address(holes.ctypes.data)
        address.value = None  # as C code leaves what was never set
        p.edge('element of a %s with holes' % what, holes, name, holes[at])
        counted.append(holes[at])
    p.edge('base of an array of a subclass', named, '.base', named.base)
    p.edge('element of the base', named.base, '[7]', objects[7])
    p.attribute('array of a subclass', named, 'attr', named.attr)
    kind = numpy.dtype([('n', 'i1'), (('a title', 'o'), object), ('inner', [('x', 'f4'), ('p', object, (2, 2))])])
    records = numpy.zeros((2, 3), dtype=kind)
    records['o'][1, 2], records['inner']['p'][0, 1][1, 0] = fresh('in a structured array'), fresh('nested in a structured array')
    record = records[1, 2]
    p.edge('field of a structured array', records, "[1, 2]['o']", records['o'][1, 2])
    p.edge('nested field of a structured array', records, "[0, 1]['inner']['p'][1, 0]", records['inner']['p'][0, 1][1, 0])
    packed = numpy.zeros(2, dtype=[('a', 'i1'), ('b', object), ("quote'", object)])
    packed['b'][1], packed["quote'"][0] = ['in a packed structure'], ['under a quote']
    p.edge('field of a packed structure', packed, "[1]['b']", packed['b'][1])
    p.edge('field with a quote in its name', packed, "[0]['quote\\'']", packed["quote'"][0])
    wide = numpy.zeros((), dtype=[('n%d' % i, 'i4') for i in range(150)] + [('o%d' % i, object) for i in range(50)])
    wide['o49'] = ['in a wide structure']
    p.edge('field of a wide structure', wide, "[()]['o49']", wide['o49'].item())
    many = numpy.zeros(1000, dtype=kind)
    many['o'][999] = ['in a long structured array']
    p.edge('field of a long structured array', many, '*', many['o'][999])
    counted += [wide['o49'].item(), packed['b'][1], packed["quote'"][0], many['o'][999]]
    p.keep.append(counted)
    p.list.append(['elements of arrays', 'exact', [id(o) for o in counted]])
    p.edge('fields of a dtype', kind, '.fields', next(o for o in gc.get_objects() if type(o) is dict and set(o) == {'n', 'o', 'a title', 'inner'}))
    p.edge('names of a dtype', kind, '.names', kind.names)
    p.edge('base of an element', record, '.base', records)
    p.edge('dtype of an element', record, '.dtype', record.dtype)
    every = records[::-1, ::2]
    p.edge('base of a view with steps', every, '.base', records)
    p.edge('base of a field', records['o'].T, '.base', records)
    for what, o in (('structured array', records), ('view with steps', every), ('transposed array', table.T), ('element', record)):
        p.type('size of a ' + what, o)
    for what, o in (('array', numbers), ('view', view), ('array of objects', objects), ('table', table)):
        p.type('size of an ' + what, o)
    data, sizes = numbers.ctypes.data, ctypes.c_void_p.from_address(id(numbers) + 32).value
    p.list.append(['real size of an array', 'real', id(numbers), small_block(id(numbers)) + malloc_block(data) + malloc_block(sizes)])


Callback = ctypes.CFUNCTYPE(ctypes.c_int, Structure)


class Outer(ctypes.Structure):
    _fields_ = [('inner', Structure)]


_outer = Outer()


def memory_of(_):
    inner = _outer.inner
    return inner, _outer
