# SPDX-License-Identifier: MIT
"""bigheap.py N: a mixed heap of about N objects, aged as a server's is: orders with customers, lines, dicts, tuples, texts and numbers,
some of them deleted again; a linked list, nested dicts, a wide list, suspended coroutines. Then sleeps."""
import gc
import random
import sys
import time

import harness
import work

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
# Objects that one round of the mix leaves behind, measured on 3.11.
OBJECTS_PER_ROUND = 20


class Order:
    def __init__(self, number, customer, price):
        self.number = number
        self.customer = customer
        self.price = price
        self.tags = ('tag-%d' % (number % 50), 'batch-%d' % (number // 100))
        self.lines = [Line('sku-%d' % (number * 7 % 900), number * 0.5), Line('sku-%d' % (number % 900), number * 1.25)]
        self.notes = {'source': 'web', 'note': 'note for order %d' % number, number: None}


class Line:
    __slots__ = ('sku', 'price')

    def __init__(self, sku, price):
        self.sku = sku
        self.price = price


class Node:
    __slots__ = ('next', 'value')


async def connection(number):
    state = {'number': number, 'buffer': bytearray(16)}
    await forever()
    return state


class forever:
    def __await__(self):
        yield self


def build():
    chance = random.Random(1)
    heap = {'orders': [], 'wide': [], 'nested': {}, 'connections': [], 'customers': []}
    head = None
    for number in range(COUNT // OBJECTS_PER_ROUND):
        heap['orders'].append(Order(number, 'customer %d' % (number % 1000), chance.random()))
        node = Node()
        node.next, node.value = head, number + 1000
        head = node
        heap['wide'].append(number * 0.5)
        if number % 4 == 0:
            heap['nested'][number, str(number)] = {'a': {'b': [number * 1.5, 'v%d' % number]}}
        if number % 50 == 0:
            task = connection(number)
            task.send(None)
            heap['connections'].append(task)
    heap['list'] = head
    for number in range(0, len(heap['orders']), 10):
        heap['orders'][number] = Order(-number - 1, 'customer', 0.0)
    return heap


gc.disable()
HEAP = build()
gc.enable()
gc.collect()
harness.answers(lambda: {'wrong': work.step(), 'orders': len(HEAP['orders'])})
harness.ready(tracked=len(gc.get_objects()))
while True:
    time.sleep(1000)
