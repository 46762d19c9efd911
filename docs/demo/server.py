# SPDX-License-Identifier: MIT
"""A small shop that leaks, for the demonstration: python3 server.py. Speaks lines over TCP on a port of its own choosing and prints
"ready PORT". Its three leaks are ones that real servers have:

  - every login makes a Session in SESSIONS, and nothing ever takes one out;
  - every session gets a task that tells the browser of price changes, and goes on waiting for them when the browser is long gone;
  - every session subscribes a callback to BUS, and logout forgets to unsubscribe it.

RECENT and PRICES are as large as they look and no leak.
"""
import asyncio
import collections
import itertools

SESSIONS = {}
PRICES = {'sku-%d' % number: number * 1.5 for number in range(1, 400)}
RECENT = collections.deque(maxlen=500)


class EventBus:
    def __init__(self):
        self.subscribers = collections.defaultdict(list)
        self.changed = asyncio.Event()

    def subscribe(self, topic, callback):
        self.subscribers[topic].append(callback)

    def publish(self, topic, *facts):
        for callback in self.subscribers[topic]:
            callback(*facts)


class Session:
    numbers = itertools.count(1)

    def __init__(self, user):
        self.token = 'session-%06d' % next(self.numbers)
        self.user = user
        self.cart = []
        self.history = bytearray(4096)
        self.total = 0.0

    def add(self, sku):
        self.cart.append({'sku': sku, 'price': PRICES.get(sku, 0.0)})
        self.total += PRICES.get(sku, 0.0)

    def on_price(self, sku, price):
        self.total = sum(PRICES.get(line['sku'], 0.0) for line in self.cart)

    async def watch_prices(self, bus):
        while True:
            await bus.changed.wait()


class Shop:
    def __init__(self):
        self.bus = EventBus()

    def login(self, user):
        session = SESSIONS[user] = Session(user)
        self.bus.subscribe('price', session.on_price)
        asyncio.create_task(session.watch_prices(self.bus), name='watch-' + session.token)
        return session

    async def serve(self, reader, writer):
        session = None
        while True:
            line = (await reader.readline()).decode().split()
            if not line or line[0] == 'logout':
                break
            RECENT.append(' '.join(line))
            if line[0] == 'login':
                session = self.login(line[1])
            elif line[0] == 'add':
                session.add(line[1])
            writer.write(('%d sessions\n' % len(SESSIONS)).encode())
            await writer.drain()
        writer.close()


async def main():
    shop = Shop()
    server = await asyncio.start_server(shop.serve, '127.0.0.1', 0)
    print('ready', server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == '__main__':
    asyncio.run(main())
