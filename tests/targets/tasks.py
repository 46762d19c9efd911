# SPDX-License-Identifier: MIT
"""tasks.py: an asyncio program with tasks that wait for each other in known ways."""
import asyncio

import harness

FOREVER = 10 ** 6


async def inner():
    await asyncio.sleep(FOREVER)


async def middle():
    await inner()


async def outer():
    await middle()


async def watch(task):
    await task


async def gathered():
    await asyncio.gather(inner(), inner(), inner())


async def agen():
    await asyncio.sleep(FOREVER)
    yield 1


async def iterate():
    async for _ in agen():
        pass


async def main():
    loop = asyncio.get_running_loop()
    named = loop.create_task(outer())
    named.set_name('named')
    loop.create_task(watch(named)).set_name('waits on named')
    loop.create_task(gathered()).set_name('gathers')
    loop.create_task(iterate()).set_name('iterates')
    for _ in range(5):
        await asyncio.sleep(0)
    harness.answers(lambda: {'tasks': len(asyncio.all_tasks(loop)), 'done': named.done()})
    harness.ready()
    await asyncio.sleep(FOREVER)


asyncio.run(main())
