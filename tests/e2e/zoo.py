# SPDX-License-Identifier: MIT
"""One of everything: objects of every kind that the walker reads in a way of its own. build() returns them in a dict."""
import array
import asyncio
import collections
import contextvars
import ctypes
import dataclasses
import datetime
import decimal
import enum
import functools
import io
import itertools
import mmap
import operator
import re
import socket
import sys
import threading
import types
import typing
import uuid
import weakref


class Slots:
    __slots__ = ('a', 'b', '__weakref__')


class SlotsAndDict(Slots):
    __slots__ = ('c', '__dict__')


class Dict(dict):
    pass


class List(list):
    pass


class ListSlots(list):
    __slots__ = ('x',)


class Str(str):
    pass


class Int(int):
    pass


class Tuple(tuple):
    pass


class Set(set):
    pass


class Bytes(bytes):
    pass


class Deque(collections.deque):
    pass


class Error(Exception):
    def __init__(self, *args):
        super().__init__(*args)
        self.extra = ['extra']


class Partial(functools.partial):
    pass


class Property(property):
    pass


class SizedDict(dict):
    def __sizeof__(self):
        return 12345


class Sized:
    def __sizeof__(self):
        raise RuntimeError('never called')


class Meta(type):
    def method(cls):
        return cls


class WithMeta(metaclass=Meta):
    x = 1


@dataclasses.dataclass
class Data:
    a: int
    b: str
    c: list


class Color(enum.Enum):
    RED = 1
    BLUE = 2


Point = collections.namedtuple('Point', 'x y')
T = typing.TypeVar('T')


class Generic(typing.Generic[T]):
    pass


class Instance:
    pass


class Many:
    def __init__(self):
        for i in range(40):
            setattr(self, 'field%d' % i, i * 1000)


def generator(n):
    local = ['local', n]
    received = yield local
    yield received


def delegating(n):
    yield from generator(n)


async def coroutine(future):
    held = {'held': future}
    await future
    return held


async def outer(future):
    return await coroutine(future)


async def async_generator():
    yield [1]


def closure(a, b):
    def inner(c=b, *, d=(a, b)):
        return a, b, inner
    return inner


def recursive_frame():
    secret = object()
    frame = sys._getframe()
    return frame, secret


def raised():
    try:
        try:
            {}['missing']
        except KeyError as e:
            raise Error('outer', 5) from e
    except Error as e:
        return e


class FixedSize(ctypes.Structure):
    _fields_ = [('a', ctypes.c_int), ('p', ctypes.c_void_p), ('o', ctypes.py_object)]


def texts():
    encoded = 'é€' * 9
    encoded.encode()
    return ['', 'a', 'ascii text of some length', 'h\xe9llo' * 5, '\u20ac' * 10, '\U0001f600' * 5, encoded, '\ud800 lone', Str('sub'),
            Str('\u20ac' * 4), sys.intern('some interned text'), 'nul\0inside', "quote ' and \\"]


def numbers():
    return [0, 1, -1, 2**30 - 1, 2**30, -2**30, 2**60, 2**63, 10**100, -10**40, Int(10**30), Int(0), 1.5, float('inf'), 1 + 2j, True,
            decimal.Decimal('1.25'), decimal.Decimal('1e100') / 3]


def containers():
    half = list(range(100))
    del half[50:]
    grown = []
    for i in range(100):
        grown.append(i)
    holes = dict.fromkeys(range(50))
    for i in range(45):
        del holes[i]
    mixed = {'a': 1, 2: 'b', None: [3], (1, 2): {}}
    deleted = set(range(100))
    for i in range(60):
        deleted.discard(i)
    was_mixed = {'a': 1, 5: 2}
    del was_mixed[5]
    loop = []
    loop.append(loop)
    return [[], [1, 2, 3], [None] * 3, half, grown, {}, {'a': 1}, holes, mixed, was_mixed, {str(i): i for i in range(500)},
            {i: i for i in range(1000)}, (), (1,), (1, [2]), set(), {1, 2}, set(range(1000)), deleted, frozenset(), frozenset(range(300)),
            Dict(a=1, b=[2]), List([1, [2]]), ListSlots([5]), Tuple((1, [2])), Set(range(9)), Bytes(b'xyz'),
            collections.deque(range(1000)), collections.deque([[1]], maxlen=3), Deque([[1], [2]]),
            collections.OrderedDict((i, [i]) for i in range(100)), collections.defaultdict(list, {1: [2]}), collections.Counter('abc'),
            collections.ChainMap({'a': 1}), types.MappingProxyType({'a': [1]}), SizedDict(a=1), Point([1], 2), loop]


def instances():
    out = []
    for i in range(60):
        o = Instance()
        o.a, o.b = [i], 'b%d' % i
        if i % 3 == 0:
            o.__dict__
        if i % 5 == 0:
            setattr(o, 'name%d' % i, [1])
        if i % 7 == 0:
            del o.a
        if i % 11 == 0:
            o.__dict__[5] = 6
        if i % 13 == 0:
            o.__dict__ = {'replaced': [i]}
        out.append(o)
    s = SlotsAndDict()
    s.a, s.c, s.d = [1], [2], [3]
    unset = Slots()
    unset.b = [1]
    for o in (List([1]), Dict(a=1), Str('x'), Int(3), Tuple((1,)), Set([1])):
        o.attribute = ['of a subclass']
        out.append(o)
    slotted = ListSlots([1])
    slotted.x = ['slot']
    return out + [s, unset, slotted, Many(), Many(), Data(1, 'x', []), Color.RED, WithMeta(), Sized(), Generic(), Instance]


def callables():
    o = Instance()
    return [closure, closure([1], 2), closure([1], 2).__closure__, o.__init__, Instance.__init__, [].append, len, str.join, dict.fromkeys,
            functools.partial(print, 1, [2], sep='x'), Partial(print, [1]), functools.lru_cache(lambda x: x), property(len, None, None, 'doc'),
            Property(len), staticmethod(closure), classmethod(closure), super(List, List()), operator.itemgetter('a', 1),
            operator.attrgetter('a.b'), operator.methodcaller('m', [1]), types.MethodType(len, [1]), compile('x = (1, "a", None)', 'f', 'exec'),
            Meta.method, WithMeta.method, int.real, Slots.a, type.__dict__['__dict__'], functools.cmp_to_key(len), functools.singledispatch(len)]


def suspended(loop):
    started = generator([1])
    next(started)
    inner = delegating([2])
    next(inner)
    finished = generator(3)
    list(finished)
    future = loop.create_future()
    tasks = [loop.create_task(outer(future), ) for _ in range(3)]
    named = loop.create_task(coroutine(future))
    if hasattr(named, 'set_name'):
        named.set_name('a named task')
    done = loop.create_future()
    done.set_result(['result'])
    failed = loop.create_future()
    failed.set_exception(ValueError('x'))
    failed.exception()
    loop.run_until_complete(asyncio.sleep(0))
    agen = async_generator()
    coro = agen.__anext__()
    not_started = coroutine(future)
    return [started, inner, finished, generator(9), future, tasks, named, done, failed, agen, coro, not_started, loop.call_later(1e6, print, [1]),
            (x for x in [1, 2])]


def others():
    o = Instance()
    var = contextvars.ContextVar('var', default=[1])
    token = var.set(['value'])
    local = threading.local()
    local.x = ['thread local']
    lock = threading.RLock()
    left, right = socket.socketpair()
    c = FixedSize()
    c.o = ['py_object']
    out = [weakref.ref(o), weakref.ref(o, print), weakref.proxy(o), weakref.WeakValueDictionary({1: o}), weakref.WeakKeyDictionary({o: 1}),
           weakref.WeakSet([o]), weakref.finalize(o, print, [1]), o, var, token, contextvars.copy_context(), local, lock, threading.Lock(),
           threading.Condition(), threading.Event(), left, right, b'', b'abc' * 100, bytearray(b'zz' * 50), memoryview(bytearray(b'abc')),
           memoryview(b'abcd')[1:3], array.array('d', [1, 2, 3]), mmap.mmap(-1, 4096), range(5), range(10**20), slice(1, [2], None),
           slice(None), itertools.count([1] and 1), iter([[1]]), iter({1: 2}), iter({1}), iter((1,)), iter('x'), map(str, [1]), zip([1], [2]), enumerate([1]),
           filter(None, [1]), itertools.chain([1], [[2]]), itertools.tee([1, 2])[0], itertools.cycle([1]), itertools.product([1], [2]),
           {}.keys(), {1: [2]}.items(), reversed([1]), datetime.datetime.now(), datetime.timezone.utc, datetime.date.today(),
           datetime.timedelta(1), datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=1))), uuid.uuid4(), re.compile('a+(b)'),
           re.match('(a)', 'a'), io.StringIO('abc'), io.BytesIO(b'z' * 99), open('/dev/null'), open('/dev/null', 'rb', 0), types.SimpleNamespace(a=[1]),
           raised(), Error('x'), KeyError('k', [1]), OSError(2, 'no', 'file'), UnicodeDecodeError('utf-8', b'x', 0, 1, 'r'), StopIteration([1]),
           ImportError('x', name='n', path='p'), raised().__traceback__, ctypes.c_int(4), (ctypes.c_double * 30)(), ctypes.pointer(ctypes.c_int(2)),
           ctypes.create_string_buffer(500), c, ctypes.CFUNCTYPE(None)(lambda: None), ctypes.py_object([1]), recursive_frame(), NotImplemented, ...,
           typing.List[int], typing.Optional[Generic[int]], sys, types.ModuleType('empty'), sys.flags, sys.version_info, sys.stdout]
    module = types.ModuleType('gone_from_sys_modules')
    module.x = ['module attribute']
    return out + [module]


def build():
    loop = asyncio.new_event_loop()
    return {'texts': texts(), 'numbers': numbers(), 'containers': containers(), 'instances': instances(), 'callables': callables(),
            'suspended': suspended(loop), 'others': others(), 'loop': loop}
