# SPDX-License-Identifier: MIT
"""Containers, instances, classes."""
import array
import asyncio
import collections
import io
import itertools
import types
import weakref

from .plants import fresh


def containers(p):
    key, value, pair = fresh('planted key'), ['dict value'], (1, 'pair')
    d = {key: value, 1007: ['under an int'], pair: ['under a tuple']}
    p.edge('str key of a dict', d, "<key 'planted key'>", key)
    p.edge('value of a dict', d, "['planted key']", value)
    p.edge('value under an int', d, '[1007]', d[1007])
    only = {key: value}
    p.edge('str key of a dict with such keys alone', only, "<key 'planted key'>", key)
    p.type('str key', key)
    item = ['item']
    p.edge('list', [0, 1, 2, item], '[3]', item)
    p.edge('tuple', (0, item), '[1]', item)
    member = (5, 'member')
    p.edge('set', {member}, '{member}', member)
    p.edge('frozenset', frozenset([member]), '{member}', member)
    many = collections.deque([i] for i in range(200))
    p.edge('deque', many, '[150]', many[150])
    for n in (3, 500):
        od = collections.OrderedDict((fresh('key %d' % i), ['value %d' % i]) for i in range(n))
        p.edge('OrderedDict of %d' % n, od, "['key 2']", od['key 2'])
        p.edge('order of an OrderedDict of %d' % n, od, '<ordered key>', list(od)[2])
        p.edge('key of an OrderedDict of %d' % n, od, "<key 'key 2'>", list(od)[2])
    dd = collections.defaultdict(lambda: None, {key: value})
    p.edge('defaultdict', dd, "['planted key']", value)
    p.edge('defaultdict factory', dd, '.default_factory', dd.default_factory)
    counter = collections.Counter({key: 70007})
    p.edge('Counter', counter, "['planted key']", counter[key])
    p.edge('mappingproxy', types.MappingProxyType(d), '<mapping>', d)
    chain = collections.ChainMap(d)
    p.attribute('ChainMap', chain, 'maps', chain.maps)
    half = list(range(100))
    del half[50:]
    for o in (d, only, many, dd, counter, half, {member}, frozenset([member]), bytearray(b'x' * 500), array.array('d', range(100)),
              io.BytesIO(b'x' * 500), memoryview(b'abc'), fresh('a text'), fresh('€ uro'), 2 ** 300, 1.5, 2j, range(7, 10 ** 6)):
        p.type('size', o)


# ---- instances and classes

class Plain:
    pass


class Slotted:
    __slots__ = ('slot_a', 'slot_b', '__weakref__')


class Derived(Slotted):
    __slots__ = ('slot_c', '__dict__')


class Meta(type):
    pass


class Base(metaclass=Meta):
    pass


class Classy(Base, dict):
    attribute_of_class = ['class attribute']


class Waiting(asyncio.Future):
    pass


class Counting(itertools.count):
    pass


class Enormous:
    def __init__(self):
        for i in range(60):
            setattr(self, 'field_%d' % i, ['field', i])


def instances(p):
    o = Plain()
    o.attr, o.other = ['attr'], ['other']
    p.attribute('inline value', o, 'attr', o.attr)
    p.edge('class', o, '.__class__', Plain)
    asked = Plain()
    asked.attr = ['attr of one whose dict was asked for']
    p.edge('managed dict', asked, '.__dict__', asked.__dict__)
    p.attribute('attribute beside a dict', asked, 'attr', asked.attr)
    odd = Plain()
    odd.__dict__[7] = ['under an int']
    p.path('dict with other keys', odd, ['.__dict__ ; [7]'], odd.__dict__[7])
    big = Enormous()
    p.attribute('many attributes', big, 'field_59', big.field_59)
    s = Derived()
    s.slot_a, s.slot_c, s.attr = ['a'], ['c'], ['in the dict']
    p.edge('slot', s, '.slot_a', s.slot_a)
    p.edge('slot of a subclass', s, '.slot_c', s.slot_c)
    p.attribute('dict beside slots', s, 'attr', s.attr)
    c = Classy(key=['value'])
    c.attr = ['attribute of a dict']
    p.attribute('attribute of a dict', c, 'attr', c.attr)
    loop = asyncio.new_event_loop()
    for holder in Waiting(loop=loop), Counting():
        holder.attr, holder.other = ['attribute of an instance of a type from C'], ['other']
        p.attribute('attribute of a ' + type(holder).__base__.__name__, holder, 'attr', holder.attr)
        p.attribute('second attribute of a ' + type(holder).__base__.__name__, holder, 'other', holder.other)
    loop.close()
    p.edge('item of a subclass of dict', c, "['key']", c['key'])
    p.edge('class', c, '.__class__', Classy)
    namespace = Classy.__dict__
    p.edge('metaclass', Classy, '.__class__', Meta)
    p.path('class attribute', Classy, [".__dict__ ; ['attribute_of_class']"], Classy.attribute_of_class)
    p.edge('mro', Classy, '<mro>', Classy.__mro__)
    p.edge('mro 1', Classy.__mro__, '<mro 1>', Base)
    p.edge('base', Classy, '<base>', Classy.__base__)
    p.edge('bases', Classy, '<bases>', Classy.__bases__)
    p.edge('base 1', Classy.__bases__, '<base 1>', dict)
    p.path('subclasses', Base, ['<subclasses> ; *'], weakref.ref(Classy))
    p.edge('member descriptor', Slotted.__dict__['slot_a'], '.__objclass__', Slotted)
    p.edge('static type', int, '<mro>', int.__mro__)
    p.edge('static type', int.__mro__, '<mro 1>', object)
    p.edge('static type', bool, '<base>', int)
    p.path('static type', int, [".__dict__ ; ['to_bytes']"], int.__dict__['to_bytes'])
    p.path('static type', int, ['<subclasses> ; *'], weakref.ref(bool))
    p.root('static type', '<static type>', int)
    p.keep.append(namespace)
    point = collections.namedtuple('Point', 'x y')([1], [2])
    p.edge('namedtuple', point, '[0]', point[0])
    space = types.SimpleNamespace(a=['a'])
    p.path('SimpleNamespace', space, [".__dict__ ; ['a']"], space.a)
