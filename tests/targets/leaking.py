# SPDX-License-Identifier: MIT
"""leaking.py leaky|healthy: a program that serves requests, and leaks in every way that real ones do, or not at all. A line on stdin is a number of
requests to serve, or the name of a file with expressions to evaluate (see expressions.py). Beside its leaks the leaky one has all that the healthy one has."""
import asyncio
import atexit
import collections
import ctypes
import functools
import gc
import itertools
import logging
import queue
import sys
import threading
import weakref

import expressions
import harness

LEAKY = sys.argv[1] == 'leaky'
LOOP = asyncio.new_event_loop()
LOG = logging.getLogger('leaking')
LOG.propagate = False
LOCAL = threading.local()
numbers = itertools.count()


class Request:
    everyone = []

    def __init__(self, number):
        self.number = number
        self.body = 'body of request %d' % number

    def on_tick(self):
        return self.number


class Session:
    def __init__(self, user):
        self.user = user
        self.cart = ['item %d' % n for n in range(4)]


class User:
    def __init__(self):
        self.history = []


class Node:
    def __init__(self, following):
        self.following = following
        self.payload = bytearray(200)


class HeldByC:
    def __init__(self):
        self.payload = bytearray(100)


class Round:
    def __init__(self):
        self.itself = self
        self.payload = bytearray(300)


class App:
    def __init__(self):
        self.subscribers = collections.defaultdict(list)
        self.closures = []
        self.errors = []
        self.seen = set()
        self.jobs = queue.Queue()
        self.users = [User() for _ in range(20)]
        self.head = None
        self.buffer = bytearray()


SESSIONS = {}
BY_REQUEST = {}
APP = App()
LOG.addHandler(logging.NullHandler())
LOCAL.cache = {}


@functools.lru_cache(maxsize=None)
def remember_all(number):
    return ['remembered', number]


async def create():
    APP.changed = asyncio.Event()
    APP.ready = LOOP.create_future()
    APP.work = asyncio.Queue()


async def wait_for_change(request):
    await APP.changed.wait()
    return request


def fail(request):
    local = {'request': request, 'data': bytearray(500)}
    raise ValueError(len(local))


def held_by_c():
    one = HeldByC()
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(one))


async def leak(number):
    request = Request(number)
    SESSIONS['user-%d' % number] = Session('user-%d' % number)
    BY_REQUEST[request] = 'answered'
    Request.everyone.append(request)
    APP.subscribers['tick'].append(Request(number).on_tick)
    APP.closures.append(lambda: request)
    APP.seen.add('seen %d' % number)
    APP.jobs.put(['job', number])
    APP.work.put_nowait(['work', number])
    APP.users[number % len(APP.users)].history.append('did %d' % number)
    APP.head = Node(APP.head)
    APP.buffer += bytes(1000)
    APP.ready.add_done_callback(lambda _: request)
    LOCAL.cache[number] = ['local', number]
    remember_all(number)
    try:
        fail(Request(number))
    except ValueError as error:
        APP.errors.append(error)
    LOG.addHandler(logging.NullHandler())
    LOOP.call_later(10 ** 6, request.on_tick)
    LOOP.create_task(wait_for_change(request))
    atexit.register(Request(number).on_tick)
    weakref.finalize(APP, Request(number).on_tick)
    held_by_c()
    Round()


# What comes and goes, or is full.
RECENT = collections.deque(maxlen=100)
LRU = collections.OrderedDict()
RING = [None] * 200
PENDING = {}
BATCH = []
CONNECTED = []
WEAK = weakref.WeakValueDictionary()
TABLE = {n: 'constant %d' % n for n in range(5000)}
BOUNDED_QUEUE = queue.Queue(maxsize=50)
numbers_kept = itertools.count()


@functools.lru_cache(maxsize=128)
def remember_some(number):
    return ['bounded', number]


async def answer(number):
    await asyncio.sleep(0)
    return number


async def serve_well(number):
    request = Request(number)
    RECENT.append(request)
    LRU[number] = ['cached', number]
    if len(LRU) > 150:
        LRU.popitem(last=False)
    RING[number % len(RING)] = ['slot', number]
    PENDING[number] = request
    PENDING.pop(number - 7, None)
    BATCH.append(['batched', number])
    if len(BATCH) > 40:
        BATCH.clear()
    if len(CONNECTED) > number % 30:
        CONNECTED.pop()
    else:
        CONNECTED.append(Session('connected'))
    WEAK[number] = request
    remember_some(number)
    try:
        fail(request)
    except ValueError:
        pass
    if BOUNDED_QUEUE.full():
        BOUNDED_QUEUE.get()
    BOUNDED_QUEUE.put(['bounded', number])
    await asyncio.gather(answer(number), LOOP.create_task(answer(number)))


async def serve(count):
    for _ in range(count):
        number = next(numbers)
        await serve_well(number)
        if LEAKY:
            await leak(number)
    await asyncio.sleep(0)


LOOP.run_until_complete(create())
if LEAKY:
    gc.disable()
harness.answers(lambda: {'served': repr(numbers)})
harness.ready()
for line in sys.stdin:
    if line.strip().isdigit():
        LOOP.run_until_complete(serve(int(line)))
    else:
        expressions.evaluate(line.strip())
    harness.say(done=True)
