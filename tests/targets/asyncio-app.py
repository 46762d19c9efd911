# SPDX-License-Identifier: MIT
"""An asyncio program at work: sessions with tasks that wait for one another, callbacks, a bounded cache. Does its work in small steps for
ever; the answer tells whether all steps came out right."""
import asyncio
import collections

import harness
import work

SESSIONS = {}
CACHE = collections.OrderedDict()
CALLBACKS = []
steps = 0
wrong = 0


class Session:
    def __init__(self, number):
        self.number = number
        self.name = 'session "%d" <b>\\N' % number
        self.cart = [{'sku': 'sku-%d' % (number + i), 'price': i * 1.5} for i in range(3)]
        self.done = asyncio.get_running_loop().create_future()

    def on_tick(self):
        return self.number

    async def wait(self):
        await self.inner()

    async def inner(self):
        local = {'session': self}
        await self.done
        return local


async def worker():
    global steps, wrong
    while True:
        wrong += work.step()
        CACHE[steps % 100] = str(steps)
        steps += 1
        await asyncio.sleep(0.001)


async def main():
    for number in range(60):
        session = SESSIONS[number] = Session(number)
        CALLBACKS.append(session.on_tick)
        session.task = asyncio.create_task(session.wait(), name='wait-%d' % number)
    asyncio.get_running_loop().call_later(10 ** 5, CALLBACKS.clear)
    task = asyncio.create_task(worker(), name='worker')
    await asyncio.sleep(0)
    harness.ready(tasks=len(asyncio.all_tasks()))
    await task


harness.answers(lambda: {'wrong': wrong + work.step(), 'steps': steps, 'sessions': len(SESSIONS)})
asyncio.run(main())
