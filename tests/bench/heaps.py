# SPDX-License-Identifier: MIT
"""Heaps of a given number of objects for benchmarks of the walker: build(kind, n) returns what keeps them alive.

    mix       what a server holds: records of classes with and without slots, dicts, tuples, texts, numbers, tasks; as allocated
    aged      the same after a third of it was replaced in random order
    scrambled the same, and then as many records as there are replaced twice over: neighbours in memory have nothing to do with each other
    shuffled  a linked list through memory in random order: following references is all there is to do
    ints strs one wide list of either
    chain     one list in a list in a list, …
    wide      one list of small lists
"""
import asyncio
import collections
import gc
import random

KINDS = ('mix', 'aged', 'scrambled', 'shuffled', 'ints', 'strs', 'chain', 'wide')


class Record:
    def __init__(self, number, owner, chance):
        self.key = 'record-%07d' % number
        self.owner = owner
        self.amount = 1000 + number
        self.price = chance.random() * 100
        self.labels = ('label%d' % (number % 60), 'group%d' % (number % 900))
        self.parts = [Part(number, chance), Part(number + 1, chance)]
        self.extra = {'from': 'api', 'text': 'remark number %d, a little longer' % number, 'range': [number, number + 7]} if number % 3 else {
            number: None, 'note': 'n%d' % number}
        self.raw = b'\x00\x02raw%d' % number * (1 + number % 5)


class Part:
    __slots__ = ('code', 'price', 'count')

    def __init__(self, number, chance):
        self.code = 'part%d' % (number % 50)
        self.price = chance.random()
        self.count = number % 300


class Cell:
    __slots__ = ('next', 'value')


class Plain:
    pass


async def innermost(event, number):
    buffer = bytearray(24)
    await event
    return buffer, number


async def connection(event, number):
    state = {'number': number}
    return await innermost(event, number), state


def oddity(i):
    kind = i % 8
    if kind == 0:
        o = Plain()
        o.a = i + 999
        o.__dict__
        return o
    if kind == 1:
        return {i + 700, i + 701, 's%d' % i}
    if kind == 2:
        return (lambda q: (lambda: q))(i + 1000)
    if kind == 3:
        return collections.deque([i + 1000, i + 2000])
    if kind == 4:
        return collections.OrderedDict([(i, 1.5 * i)])
    if kind == 5:
        return bytearray(b'abc') * (i % 50)
    if kind == 6:
        return [].append
    return [[[[]]], frozenset((i, 'z'))]


def mix(n, aged=False, scrambled=False):
    chance = random.Random(1)
    records = n * 60 // 100 // 17
    owners = ['owner %d' % i if i % 5 else 'Besitzer Nr. %d, K\xf6ln' % i for i in range(max(10, records // 10))]
    heap = {'owners': owners, 'records': [], 'wide': [], 'nested': {}, 'texts': [], 'odd': []}
    head = None
    slices = 50
    for s in range(slices):
        for i in range(records * s // slices, records * (s + 1) // slices):
            heap['records'].append(Record(i, owners[chance.randrange(len(owners))], chance))
        for i in range(n * 25 // 1000 // slices):
            cell = Cell()
            cell.next, cell.value = head, 100000 + i + s
            head = cell
        for i in range(n // 10 // slices):
            heap['wide'].append(i * 0.5 + s if i & 1 else i + 1000 * s + 300)
        for i in range(n // 100 // slices):
            heap['nested'][s, i] = {'a': {'b': [i * 1.5, 'v%d' % i]}, 'c': (i + 5000, ('x%d' % i,))}
        for i in range(n * 6 // 100 // slices):
            text = 'text-%d-%d' % (s, i)
            heap['texts'].append(text if i % 4 else text + 'é€'[i % 2] * (i % 30) if i % 8 else text * (1 + i % 40))
        for i in range(n * 5 // 800 // slices):
            heap['odd'].append(oddity(i))
    heap['list'] = head
    if aged or scrambled:
        for round_ in range(3):
            for i in range(records // 4):
                at = chance.randrange(records)
                heap['records'][at] = Record(at + round_ * records, owners[at % len(owners)], chance)
        chance.shuffle(heap['records'])
        for i in range(len(heap['texts']) // 3):
            at = chance.randrange(len(heap['texts']))
            heap['texts'][at] = 're-%d-%s' % (i, heap['texts'][at][:20])
    if scrambled:
        for i in range(2 * records):
            at = chance.randrange(records)
            heap['records'][at] = None
            heap['records'][at] = Record(i + 4 * records, owners[i % len(owners)], chance)
    loop = asyncio.new_event_loop()

    async def start():
        tasks = [asyncio.ensure_future(connection(loop.create_future(), i)) for i in range(n * 6 // 100 // 12)]
        await asyncio.sleep(0)
        return tasks

    heap['loop'] = loop
    heap['tasks'] = loop.run_until_complete(start())
    return heap


def shuffled(n):
    cells = [[None] for _ in range(n)]
    order = list(range(n))
    random.Random(2).shuffle(order)
    for a, b in zip(order, order[1:]):
        cells[a][0] = cells[b]
    return cells[order[0]]


def chain(n):
    head = []
    for _ in range(n):
        head = [head]
    return head


def build(kind, n):
    gc.disable()
    try:
        if kind in ('mix', 'aged', 'scrambled'):
            return mix(n, kind == 'aged', kind == 'scrambled')
        if kind == 'shuffled':
            return shuffled(n)
        if kind == 'ints':
            return [i + 1000 for i in range(n)]
        if kind == 'strs':
            return ['string number %d' % i for i in range(n)]
        if kind == 'chain':
            return chain(n)
        if kind == 'wide':
            return [[] for _ in range(n)]
        raise ValueError(kind)
    finally:
        gc.enable()
