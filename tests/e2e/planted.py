# SPDX-License-Identifier: MIT
"""What a dump must show of objects planted for it: every edge under its name, every root, every local. plant() makes them in the process
that will be dumped and says where they are; missing() looks for them in the dump and returns a line for each that is not there.

An expectation is a list: what, kind, then by kind
    edge       holder, name, referent              name: a text, or several of which one will do
    path       holder, [name, …], referent         through objects that the version may have between or not: any of the paths
    root       name, object
    local      name, object                        in a frame of a thread
    type       object, name, size                  size as sys.getsizeof
    real       object, size                        what the allocator says of its blocks
"""
import array
import asyncio
import atexit
import builtins
import codecs
import collections
import contextvars
import ctypes
import datetime
import functools
import io
import itertools
import operator
import re
import sys
import threading
import types
import weakref

VERSION = sys.version_info[:2]


class Plants:
    def __init__(self):
        self.list, self.keep = [], []

    def type(self, what, o, name=None):
        kind = type(o)
        self.list.append([what, 'type', id(o), name or '%s.%s' % (kind.__module__, kind.__qualname__), sys.getsizeof(o)])
        self.keep.append(o)

    def edge(self, what, holder, name, referent):
        self.list.append([what, 'edge', id(holder), [name] if isinstance(name, str) else list(name), id(referent)])
        self.keep.append((holder, referent))

    def path(self, what, holder, paths, referent):
        self.list.append([what, 'path', id(holder), [path.split(' ; ') for path in paths], id(referent)])
        self.keep.append((holder, referent))

    def attribute(self, what, holder, name, referent):
        """Beside the object, or in its dict."""
        self.path(what, holder, ['.' + name, ".__dict__ ; ['%s']" % name], referent)

    def root(self, what, name, o):
        self.list.append([what, 'root', name, id(o)])
        self.keep.append(o)

    def local(self, what, name, o):
        self.list.append([what, 'local', name, id(o)])


def fresh(text):
    """A str that nothing else has."""
    return ''.join([text, ' '])[:-1]


# ---- containers

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


# ---- functions and code

def make_closure(captured, other):
    def inner(default=['default'], *, keyword=['keyword']):
        def nested():
            return 'nested', captured
        return captured, other, nested, 'a constant', 123456789

    inner.attr = ['of a function']
    return inner


def annotated(x: Plain) -> 'text':
    """A docstring."""


def code_of(code, name):
    return next(c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == name)


def callables(p):
    captured = ['captured']
    f = make_closure(captured, 5)
    code = f.__code__
    p.edge('closure', f, '<closure>', f.__closure__)
    names = dict(zip(code.co_freevars, f.__closure__))
    p.edge('cell of a closure', f.__closure__, '<cell captured>', names['captured'])
    p.edge('cell', names['captured'], '.cell_contents', captured)
    p.edge('defaults', f, '.__defaults__', f.__defaults__)
    p.edge('default', f.__defaults__, '<default 0>', f.__defaults__[0])
    p.edge('keyword defaults', f, '.__kwdefaults__', f.__kwdefaults__)
    p.edge('keyword default', f.__kwdefaults__, "['keyword']", f.__kwdefaults__['keyword'])
    p.edge('globals', f, '<globals>', f.__globals__)
    p.edge('code', f, '<code>', code)
    p.edge('dict of a function', f, '.__dict__', f.__dict__)
    p.edge('doc', annotated, '.__doc__', annotated.__doc__)
    p.edge('name', f, '.__name__', f.__name__)
    p.edge('consts', code, '.co_consts', code.co_consts)
    at = code.co_consts.index('a constant')
    p.edge('constant', code.co_consts, '<const %d>' % at, code.co_consts[at])
    nested = code_of(code, 'nested')
    p.edge('nested code', code.co_consts, '<const %d>' % code.co_consts.index(nested), nested)
    p.path('constant of nested code', nested, ['.co_consts ; <const %d>' % nested.co_consts.index('nested')], 'nested')
    p.edge('file name', code, '.co_filename', code.co_filename)
    p.edge('names', annotated.__code__, '.co_name', annotated.__code__.co_name)
    part = functools.partial(f, ['argument'], keyword=['k'])
    p.edge('partial', part, '.func', f)
    p.edge('partial', part, '.args', part.args)
    p.edge('partial', part, '.keywords', part.keywords)
    bound = Plain().__init__
    p.type('method wrapper', bound)
    p.edge('method wrapper', bound, '.__self__', bound.__self__)
    method = types.MethodType(f, p)
    p.edge('bound method', method, '.__self__', p)
    p.edge('bound method', method, '.__func__', f)
    append = [1].append
    p.edge('built-in method', append, '.__self__', append.__self__)
    prop = property(f, method, part, fresh('doc'))
    for name in ('fget', 'fset', 'fdel', '__doc__'):
        p.edge('property', prop, '.' + name, getattr(prop, name))
    p.edge('staticmethod', staticmethod(f), '.__func__', f)
    p.edge('classmethod', classmethod(f), '.__func__', f)
    s = super(Derived, Derived())
    p.edge('super', s, '.__self__', s.__self__)
    p.edge('super', s, '.__thisclass__', Derived)
    for size in (10, None):
        cached = functools.lru_cache(size)(Cached())
        arguments, result = ('first', 2), cached('first', 2)
        p.edge('lru_cache', cached, '<function>', cached.__wrapped__)
        p.attribute('lru_cache', cached, '__wrapped__', cached.__wrapped__)
        p.path('result in an lru_cache', cached, ['[<functools._HashedSeq>]', '[<builtins.tuple>]', '[<functools.*]', '<cache> ; [*]'], result)
    getter = operator.attrgetter(fresh('planted.attr'))
    p.type('attrgetter', getter)


class Cached:
    def __call__(self, *arguments):
        return ['result', arguments]


# ---- frames, generators, threads

def consume(*arguments):
    return arguments


def generator():
    local = ['local of a generator']
    consume(['stack of a generator'], (yield local))


async def innermost(future):
    await future


async def outer(future):
    kept = ['kept while awaiting']
    await innermost(future)
    return kept


async def async_generator():
    local = ['local of an async generator']
    yield local
    yield local


def delegating(inner):
    yield from inner


def own_frame():
    variable = ['local of a frame that is over']
    return sys._getframe(), variable


def suspended(p):
    g = generator()
    local = next(g)
    for_frames = ['<frame> ; ', ''] if VERSION < (3, 11) else ['']
    p.path('local of a generator', g, [f + '<local local>' for f in for_frames], local)
    inner = generator()
    d = delegating(inner)
    next(d)
    p.path('yield from', d, [f + '<awaits>' for f in for_frames], inner)
    p.path('variable of a generator', d, [f + '<local inner>' for f in for_frames], inner)
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    task = loop.create_task(outer(future))
    loop.run_until_complete(asyncio.sleep(0))
    p.edge('task', task, '._fut_waiter', future)
    coroutine = task.get_coro() if VERSION >= (3, 8) else task._coro
    p.edge('task', task, '._coro', coroutine)
    waiting = coroutine.cr_await
    p.path('await', coroutine, [f + '<awaits>' for f in for_frames], waiting)
    p.type('what is awaited', waiting)
    p.path('await of a future', waiting, [f + '<awaits> ; ' + g for f in for_frames for g in ('<future>', '*')], future)
    agen = async_generator()
    try:
        agen.__anext__().send(None)
    except StopIteration as e:
        p.path('async generator', agen, [f + '<local local>' for f in for_frames], e.value)
    step = agen.__anext__()
    p.edge('step of an async generator', step, '<async generator>', agen)
    for what, o in (('generator', g), ('coroutine', coroutine), ('async generator', agen)):
        code = getattr(o, {'generator': 'gi_code', 'coroutine': 'cr_code'}.get(what, 'ag_code'))
        p.path('code of a ' + what, o, [f + '<code>' for f in for_frames], code)
        p.edge('name of a ' + what, o, '.__qualname__', o.__qualname__)
    p.keep.append((loop, step))
    frame, variable = own_frame()
    p.edge('local of a frame', frame, '<local variable>', variable)
    p.path('back', frame, ['<f_back>'], frame.f_back) if frame.f_back else None
    p.edge('code of a frame', frame, '<code>', frame.f_code)
    try:
        raise ValueError(['argument of an exception'])
    except ValueError as e:
        error = e
    p.edge('exception', error, '.args', error.args)
    p.edge('exception', error, '.__traceback__', error.__traceback__)
    p.edge('traceback', error.__traceback__, '.tb_frame', error.__traceback__.tb_frame)
    p.edge('back', frame_of_child(), '<f_back>', sys._getframe())


def frame_of_child():
    return sys._getframe()


class Blocked:
    """A thread that waits for ever, in a call below arguments that stand on the evaluation stack."""

    def __init__(self):
        self.ready, self.never = threading.Event(), threading.Lock()
        self.never.acquire()
        self.known = {}
        self.thread = threading.Thread(target=self.run, name='planted thread', daemon=True)
        self.thread.start()
        self.ready.wait()

    def run(self):
        on_thread = ['local of a thread']
        cell = ['cell of a thread']
        var.set(['context value'])
        local.x = ['thread local']
        sys.set_asyncgen_hooks(firstiter=first_iteration, finalizer=finalization)
        try:
            raise KeyError('current exception')
        except KeyError as e:
            # nothing is made between ready and the wait
            self.known.update(on_thread=on_thread, cell=cell, exception=e, local=local.__dict__, x=local.x)
            stacked = ['on the evaluation stack']
            self.known['stacked'] = stacked
            consume(stacked, self.wait(lambda: cell))

    def wait(self, inner):
        sys.settrace(trace)
        sys.setprofile(profile)
        self.known['lambda'] = inner
        self.ready.set()
        self.never.acquire()


var = contextvars.ContextVar('planted variable', default=['default of a variable'])
local = threading.local()


def first_iteration(agen):
    pass


def finalization(agen):
    pass


def trace(frame, event, argument):
    return None


def profile(frame, event, argument):
    return None


def threads(p):
    blocked = Blocked()
    known = blocked.known
    p.local('local of a thread', '<local on_thread>', known['on_thread'])
    p.local('variable of a frame', '<local inner>', known['lambda'])
    if VERSION >= (3, 11):  # before, a frame that runs keeps its stack pointer in a register
        p.local('evaluation stack', '<stack *>', known['stacked'])
    p.list.append(['cell of a frame', 'cell', '<cell cell>', id(known['cell'])])
    p.root('current exception', '<exception>', known['exception'])
    p.root('async generator hook', '<async gen firstiter hook>', first_iteration)
    p.root('async generator hook', '<async gen finalizer hook>', finalization)
    p.root('trace function', '<trace function>', trace)
    p.root('profile function', '<profile function>', profile)
    p.list.append(['thread', 'thread', 'planted thread', blocked.thread.ident, getattr(blocked.thread, 'native_id', 0) if VERSION >= (3, 11) else 0])
    p.path('threading.local', known['local'], ["['x']"], known['x'])
    p.path('dict of a threading.local', local, ['<dummies> ; *', '*'], known['local']) if VERSION < (3, 13) else None
    p.list.append(['dict of a threading.local', 'held', id(known['local']), ['[<*weakref*>]', '[<_thread._localdummy>]']])
    p.keep.append(blocked)
    context = contextvars.Context()
    value = ['value in a context']
    context.run(var.set, value)
    p.edge('default of a context variable', var, ('<default>', '.default'), contextvars_default())
    p.edge('name of a context variable', var, '.name', var.name)
    path = '<context vars> ; <root> ; <context var%s>'
    p.path('value of a context variable', context, [path % ' planted variable'], value)
    p.path('context variable', context, [path % ''], var)
    token = var.set(['another'])
    p.edge('token', token, '.var', var)


def contextvars_default():
    return contextvars.Context().run(var.get)


# ---- what the interpreter holds

def search_codec(name):
    return None


def codec_error(error):
    raise error


def at_exit(*arguments, **keywords):
    pass


def interpreter(p):
    codecs.register(search_codec)
    codecs.register_error('planted', codec_error)
    p.list.append(['codec search function', 'held', id(search_codec), ['[*]']])
    p.list.append(['codec error handler', 'held', id(codec_error), ["['planted']"]])
    arguments = ['argument of atexit']
    atexit.register(at_exit, arguments, keyword=['keyword of atexit'])
    p.list.append(['atexit function', 'held or root', id(at_exit), ['<atexit function>', '[0]', '<module state>']])
    p.list.append(['atexit argument', 'held', id(arguments), ['[0]']])
    hook = {}.get
    sys.addaudithook(hook)
    p.list.append(['audit hook', 'held', id(hook), ['[0]', '[1]']])
    p.root('builtins', 'builtins.__dict__', builtins.__dict__)
    p.root('sys.modules', 'sys.modules', sys.modules)
    p.edge('module', sys.modules, "['codecs']", codecs)
    hidden = types.ModuleType('hidden_module')
    hidden.x = ['attribute of a hidden module']
    p.path('hidden module', hidden, [".__dict__ ; ['x']"], hidden.x)
    interned = sys.intern(fresh('planted and interned'))
    p.type('interned str', interned)
    p.list.append(['interned str', 'interned', id(interned)])
    if VERSION >= (3, 12):
        sys.monitoring.use_tool_id(3, 'planted tool')
        sys.monitoring.register_callback(3, sys.monitoring.events.LINE, trace)
        p.root('monitoring callback', '<monitoring callback>', trace)


# ---- what the allocator gave for them: its own word, not a sum of ours

POOL = 16384 if VERSION >= (3, 10) else 4096


def small_block(address):
    """Of pymalloc: the header of the pool that it lies in knows its size (Objects/obmalloc.c, struct pool_header.szidx)."""
    return (ctypes.c_uint32.from_address((address & -POOL) + 36).value + 1) * 16


def large_block(address):
    """Of malloc, with the chunk's header."""
    usable = ctypes.CDLL(None).malloc_usable_size
    usable.argtypes, usable.restype = [ctypes.c_void_p], ctypes.c_size_t
    return usable(address) + 8


def pointer(o, offset):
    return ctypes.c_void_p.from_address(id(o) + offset).value


def real_sizes(p):
    if not getattr(sys, '_is_gil_enabled', lambda: True)():  # another allocator, which says nothing
        return
    debug = 32 if hasattr(sys, 'gettotalrefcount') else 0  # hooks of a debug build keep that much in front
    text, number, pair, wide = fresh('some text or other'), 10 ** 50, (p, p, fresh('x')), fresh('€' * 30)
    for what, o in (('str', text), ('int', number), ('tuple', pair), ('str of wide characters', wide), ('object', object()), ('float', p.list and 0.1 * len(p.list)),
                    ('bytes', bytes(bytearray(100))), ('slots', Slotted()), ('empty list', []), ('bound method', p.edge)):
        p.list.append(['real size of ' + what, 'real', id(o), small_block(id(o))])
        p.keep.append(o)
    items, keyed, members = [0, 1, 2, 3, 4, 5, 6], {i: i for i in range(9)}, set(range(8))
    for what, o, at in (('list', items, 24), ('dict', keyed, 32), ('set', members, 40)):
        if debug == 0 or what != 'set':  # whose table has 512 bytes, with the hooks too many for pymalloc
            p.list.append(['real size of ' + what, 'real', id(o), small_block(id(o)) + small_block(pointer(o, at))])
    many, table, raw = list(range(1000)), {i: i for i in range(1000)}, bytearray(3000)
    for what, o, at, before in (('long list', many, 24, 0), ('large dict', table, 32, 0), ('bytearray', raw, 32, 32 * (VERSION >= (3, 15)))):
        p.list.append(['real size of ' + what, 'real', id(o), small_block(id(o)) + large_block(pointer(o, at) - debug - before)])
    long_text, long_bytes = fresh('x' * 5000), bytes(bytearray(70000))
    for what, o in (('long str', long_text), ('long bytes', long_bytes)):
        p.list.append(['real size of ' + what, 'real', id(o), large_block(id(o) - debug)])
    instance = Plain()
    instance.attr = 5
    size = small_block(id(instance))
    if VERSION == (3, 11):
        size += small_block(pointer(instance, -32) - 8)
    elif VERSION == (3, 12):
        size += small_block(pointer(instance, -24) - 8)
    p.list.append(['real size of an instance', 'real', id(instance), size])
    p.keep.append((items, keyed, members, many, table, raw, long_text, long_bytes, instance))


# ---- the rest

class Structure(ctypes.Structure):
    _fields_ = [('a', ctypes.c_int), ('o', ctypes.py_object)]


def others(p):
    o = Plain()
    for kind, ref in (('weakref', weakref.ref(o, trace)), ('proxy', weakref.proxy(o, trace))):
        p.edge(kind, ref, '<weakref>', o)
        p.edge('callback', ref, '.__callback__', trace)
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


class Outer(ctypes.Structure):
    _fields_ = [('inner', Structure)]


_outer = Outer()


def memory_of(_):
    inner = _outer.inner
    return inner, _outer


def plant():
    p = Plants()
    for part in (containers, instances, callables, suspended, threads, interpreter, real_sizes, others):
        part(p)
    # ids of what was made on the way and went away again mean nothing
    return p


# ---- in the dump

def spelled(dump, o):
    """(referent, name) of each reference, as heapanalyze spells it."""
    rows, out, key = dump.named(o), [], None
    for referent, name, kind, _ in rows:
        if kind == 2:
            if name == 'key':
                key = plain(dump, referent)
                name = '<key %s>' % key
            else:
                name = '[%s]' % key
        elif kind == 3:
            name = '{member}'
        out.append((referent, name))
    return out


def plain(dump, address):
    o = dump.objects.get(address)
    if o is None:
        return '?'
    content = (o.content or b'').decode('utf-8', 'surrogatepass')
    return repr(content) if o.type.family == 1 else content if o.type.family in (3, 4, 5, 6) else '<%s>' % o.type.name


def fits(name, wanted):
    """A star stands for any text, for no name too where it stands alone."""
    if wanted == '*' or name == wanted:
        return True
    return name is not None and re.fullmatch(re.escape(wanted).replace('\\*', '.*'), name) is not None


def reached(dump, holder, path):
    at = {holder}
    for step in path:
        if step == '':
            continue
        at = {r for a in at if a in dump.objects for r, name in spelled(dump, dump.objects[a]) if fits(name, step)}
    return at


def missing(dump, plants):
    lines = []
    held = {}
    wanted = {row[2] for row in plants if row[1].startswith('held')}
    for o in dump.objects.values():
        if not wanted.isdisjoint(o.refs):
            for referent, name in spelled(dump, o):
                if referent in wanted:
                    held.setdefault(referent, []).append(name)
    frames = [row for t in dump.threads for f in t['frames'] for row in f['refs']]
    for row in plants:
        what, kind = row[:2]
        if kind == 'type':
            o = dump.objects.get(row[2])
            have = o and [o.type.name, o.size]
            if have != row[3:5]:
                lines.append('%s: %s, the dump has %s' % (what, row[3:5], have))
        elif kind in ('edge', 'path'):
            paths = [[name] for name in row[3]] if kind == 'edge' else [[s for s in path] for path in row[3]]
            if not any(row[4] in reached(dump, row[2], path) for path in paths):
                o = dump.objects.get(row[2])
                direct = [name for r, name in spelled(dump, o) if r == row[4]] if o else 'no holder'
                lines.append('%s: no %s of %s; it has %s there, else %s' % (
                    what, ' or '.join(';'.join(path) for path in paths), o and o.type.name, direct,
                    o and sorted({str(name) for _, name in spelled(dump, o)})[:12]))
        elif kind == 'root':
            have = [r[2] for r in dump.roots if r[1] == row[3]]
            if row[2] not in have:
                lines.append('%s: no root %s, it has %s' % (what, row[2], have))
        elif kind == 'local':
            have = [name for name, address in frames if address == row[3]]
            if not any(fits(name, row[2]) for name in have):
                lines.append('%s: no %s in a frame, it has %s' % (what, row[2], have))
        elif kind == 'cell':
            cells = [address for name, address in frames if name == row[2]]
            if not any(row[3] in dump.objects[c].refs for c in cells):
                lines.append('%s: no %s in a frame' % (what, row[2]))
        elif kind == 'thread':
            if not any((t['name'], t['ident']) == (row[2], row[3]) and t['native'] == row[4] for t in dump.threads):
                lines.append('%s: %s, the dump has %s' % (what, row[2:], [(t['name'], t['ident'], t['native']) for t in dump.threads]))
        elif kind in ('held', 'held or root'):
            have = held.get(row[2], []) + [r[2] for r in dump.roots if r[1] == row[2] and kind != 'held']
            if not any(fits(name, w) for name in have for w in row[3]):
                lines.append('%s: not held by %s but %s' % (what, row[3], have))
        elif kind == 'real':
            o = dump.objects.get(row[2])
            if o is None or o.real != row[3]:
                lines.append('%s: %s, the dump has %s (size %s)' % (what, row[3], o and o.real, o and o.size))
        elif kind == 'named':
            have = {name for _, name in spelled(dump, dump.objects[row[2]])}
            if row[3] not in have:
                lines.append('%s: no %s but %s' % (what, row[3], have))
        elif kind == 'interned':
            if not dump.objects[row[2]].flags & 1 << 12:
                lines.append('%s: not marked' % what)
    return lines
