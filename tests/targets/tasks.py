# SPDX-License-Identifier: MIT
"""tasks.py: an asyncio program with tasks that wait for each other in known ways."""
import asyncio
import sys

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


def two(name):
    """Tasks for what another one waits for."""
    tasks = [asyncio.ensure_future(inner()) for _ in range(2)]
    for n, task in enumerate(tasks):
        task.set_name('%s %d' % (name, n))
    return tasks


async def shields():
    await asyncio.shield(asyncio.gather(*two('shields')))


async def waits():
    await asyncio.wait(two('waits'), return_when=asyncio.FIRST_COMPLETED)


async def completes():
    for each in asyncio.as_completed(two('completes')):
        await each


async def iterates_over_completed():
    async for each in asyncio.as_completed(two('iterates over completed')):
        await each


async def times_out():
    await asyncio.wait_for(two('times out')[0], FOREVER)


async def groups(in_the_body):
    async with asyncio.TaskGroup() as group:
        for n in range(2):
            group.create_task(inner(), name='%s %d' % (asyncio.current_task().get_name(), n))
        if in_the_body:
            await asyncio.sleep(FOREVER)


async def calls_back(task):
    done = asyncio.get_running_loop().create_future()
    task.add_done_callback(lambda _: done.set_result(None))
    task.add_done_callback(print)
    await done


async def tells():
    """Who waits is written down, and no callback tells it: in one object, and in a set of two."""
    tasks = two('tells')
    for task in tasks:
        asyncio.future_add_to_awaited_by(task, asyncio.current_task())
    asyncio.future_add_to_awaited_by(tasks[1], asyncio.get_running_loop().create_future())
    await asyncio.sleep(FOREVER)


def of_other_ways():
    """name → coroutine"""
    ways = {'shields': shields(), 'waits': waits(), 'completes': completes(), 'times out': times_out(), 'calls back': calls_back(two('calls back')[0])}
    if sys.version_info >= (3, 11):
        ways.update({'groups': groups(False), 'groups in the body': groups(True)})
    if sys.version_info >= (3, 13):
        ways['iterates over completed'] = iterates_over_completed()
    if sys.version_info >= (3, 14):
        ways['tells'] = tells()
    return ways


async def main():
    loop = asyncio.get_running_loop()
    ways = []
    for name, coroutine in of_other_ways().items():
        loop.create_task(coroutine).set_name(name)
        ways.append(name)
    del coroutine
    named = loop.create_task(outer())
    named.set_name('named')
    loop.create_task(watch(named)).set_name('waits on named')
    loop.create_task(gathered()).set_name('gathers')
    loop.create_task(iterate()).set_name('iterates')
    for _ in range(8):
        await asyncio.sleep(0)
    harness.answers(lambda: {'tasks': len(asyncio.all_tasks(loop)), 'done': named.done(), 'ways': ways})
    harness.ready()
    await asyncio.sleep(FOREVER)


asyncio.run(main())
