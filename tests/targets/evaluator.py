# SPDX-License-Identifier: MIT
"""evaluator.py: holds objects in every way that people hold them, and evaluates expressions. Each line on stdin names a file of them; see
expressions.py."""
import asyncio
import collections
import contextvars
import ctypes
import functools
import gc
import itertools
import operator
import os
import sys
import threading
import types
import weakref

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'e2e'))
import harness
import zoo
from expressions import evaluate


class Thing:
    """What is looked for; some hold others."""
    shared = None

    def __init__(self, name):
        self.name = name

    def method(self):
        return self.name


class Slotted:
    __slots__ = ('slot', '__private')

    def __init__(self):
        self.slot = Thing('slot')
        self.__private = Thing('private')


class Shadowed:
    """The class has a property of the name under which the instance has something else."""

    def __init__(self):
        self.__dict__['hidden'] = Thing('shadowed')
        self.__dict__['cached'] = Thing('cached property')

    @property
    def hidden(self):
        return None

    @functools.cached_property
    def cached(self):
        return None


class Guarded:
    def __init__(self):
        self.inside = Thing('guarded')

    def __getattribute__(self, name):
        return 'not what it is' if name == 'inside' else object.__getattribute__(self, name)


class Odd(dict):
    def __getitem__(self, key):
        return 'odd'


class OddList(list):
    def __getitem__(self, key):
        return 'odd'


class Meta(type):
    @property
    def kept(cls):
        return 'the metaclass'


class WithMeta(metaclass=Meta):
    kept = Thing('class attribute')
    other = Thing('another class attribute')

    @staticmethod
    def static():
        return Thing.shared

    @classmethod
    def klass(cls):
        return cls


def closure():
    inner = Thing('in a cell')

    def function(argument=Thing('default'), *, keyword=Thing('keyword default')):
        return inner, argument, keyword
    return function


def generator():
    local, captured = Thing('of a generator'), Thing('captured by a generator')
    yield lambda: captured
    return local


async def agenerator():
    of_agen = Thing('of an asynchronous generator')
    await asyncio.sleep(10 ** 6)
    yield of_agen


async def innermost(future):
    deep = Thing('of the innermost coroutine')
    await future
    return deep


async def coroutine(future):
    local = Thing('of a coroutine')
    await innermost(future)
    return local


async def iterate():
    async for each in agenerator():
        return each


KEYS = ['plain', 'it\'s "quoted"\\', 'new\nline', 'ünïcödé', '\ud800 lone', '\x00\x7f', 'x' * 1000, '', 'class', b'bytes\x00\xff\'', 17, -1, 2 ** 70,
        1.5, float('inf'), -0.25, True, None, ('a', 1), (), ('one',), ((1, 2), 3), frozenset([1]), Thing, Ellipsis]


class Holder:
    def __init__(self):
        self.by_key = {key: Thing('under %.20r' % (key,)) for key in KEYS}
        self.list = [Thing('in a list'), (Thing('in a tuple'),)]
        self.deque = collections.deque([Thing('in a deque'), Thing('in a deque too')])
        self.set = {Thing('in a set'), Thing('in a set too')}
        self.frozen = frozenset([Thing('in a frozenset')])
        self.keys = {Thing('a key'): 1}
        self.odd = Odd(key=Thing('in an odd dict'))
        self.odd_list = OddList([Thing('in an odd list')])
        self.ordered = collections.OrderedDict((n, Thing('ordered')) for n in range(4))
        self.ordered.move_to_end(0)
        self.default = collections.defaultdict(list, tick=[Thing('subscriber').method])
        self.slotted = Slotted()
        self.shadowed = Shadowed()
        self.guarded = Guarded()
        self.closure = closure()
        self.partial = functools.partial(print, Thing('partial'), key=Thing('partial keyword'))
        self.generator = generator()
        next(self.generator)
        self.namespace = types.SimpleNamespace(attribute=Thing('in a namespace'))
        self.point = collections.namedtuple('Point', 'x y')(Thing('x'), Thing('y'))
        self.error = ValueError(Thing('argument of an error'))
        self.cell = (lambda: self.error).__closure__
        self.proxy = types.MappingProxyType({'key': Thing('behind a proxy')})
        self.chained = collections.ChainMap({'key': Thing('chained')})
        self.iterator = iter([Thing('iterated')])
        self.map = map(print, [Thing('mapped')])
        self.repeat = itertools.repeat(Thing('repeated'))
        self.cycle = itertools.cycle([Thing('in a cycle')])
        self.chain = itertools.chain([Thing('in a chain')])
        self.buffer = memoryview(ctypes.py_object(Thing('behind a view')))
        self.getter = operator.itemgetter(Thing('of a getter'))
        self.weakly_held = Thing('weakly held')
        self.weak_method = weakref.WeakMethod(self.weakly_held.method, Thing('called back').method)
        self.finalizer = weakref.finalize(self, Thing('finalizer').method)
        self.wrapper = Thing('wrapped').__str__
        self.variable = contextvars.ContextVar('variable', default=Thing('default of a variable'))
        setattr(self, 'not an identifier', Thing('under an odd attribute'))
        setattr(self, 'class', Thing('under a keyword'))
        vars(Thing)['shared']
        Thing.shared = Thing('on a class')
        try:
            self.fail()
        except KeyError as error:
            self.caught = error

    def fail(self):
        of_a_traceback = Thing('local of a frame in a traceback')
        raise KeyError(of_a_traceback.name)


def start_greenlets(holder):
    try:
        import greenlet
    except ImportError:
        return
    main = greenlet.getcurrent()

    class Own(greenlet.greenlet):
        pass

    def inner():
        inside, shared = Thing('of a function that a greenlet stopped in'), Thing('in a cell of a greenlet')
        return main.switch(lambda: shared), inside

    def outer():
        above = Thing('of a function that waits for another in a greenlet')
        return inner(), above
    holder.greenlets = [kind(outer) for kind in (greenlet.greenlet, Own)]
    for one in holder.greenlets:
        one.switch()


def start_tasks(holder):
    loop = asyncio.new_event_loop()
    holder.loop = loop

    async def start():
        future = loop.create_future()
        holder.future = future
        holder.tasks = [loop.create_task(coroutine(future)), loop.create_task(iterate())]
        first = Thing('callback')
        for callback in (first.method, Thing('second callback').method, Thing('third callback').method):
            future.add_done_callback(lambda _, call=callback: call())
        for _ in range(4):
            await asyncio.sleep(0)
    loop.run_until_complete(start())


def sleeper(started):
    in_a_thread = Thing(['local of a thread'])
    started.set()
    threading.Event().wait()
    return in_a_thread


HOLDER = Holder()
ZOO = zoo.build() if 'zoo' in sys.argv[1:] else None
start_greenlets(HOLDER)
start_tasks(HOLDER)
started = threading.Event()
threading.Thread(target=sleeper, args=(started,), name='sleeper', daemon=True).start()
started.wait()


def main():
    of_main, shared = Thing(['local of the main thread']), Thing('shared with a closure')
    harness.answers(lambda: {'name': shared.name})
    gc.collect()
    gc.freeze()
    gc.disable()
    harness.ready()
    for line in sys.stdin:
        evaluate(line.strip())
        harness.say(done=True)
    return of_main


main()
