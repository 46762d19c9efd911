# SPDX-License-Identifier: MIT
"""Print, as JSON, offsets of members of C structs that no installed header declares, found by looking for known objects inside live
ones. Run by generate.py in each interpreter."""
import asyncio
import contextvars
import ctypes
import gc
import json
import struct
import sys

found = {}


def words(o):
    n = type(o).__basicsize__ // 8
    return struct.unpack(f"<{n}Q", ctypes.string_at(id(o), n * 8))


def where(key, o, value):
    """Note where in o the only pointer to value stands."""
    at = [i * 8 for i, word in enumerate(words(o)) if word == id(value) and i >= 2]
    if len(at) != 1:
        sys.exit(f"probe: {key}: {type(value).__name__} found at {at}")
    found[key] = at[0]


def ints(o):
    n = type(o).__basicsize__ // 4
    return struct.unpack(f"<{n}I", ctypes.string_at(id(o), n * 4))


def future_members(loop):
    Future = type(loop.create_future())
    assert Future.__module__ == "_asyncio"
    context, other = contextvars.copy_context(), contextvars.copy_context()
    callback, second = (lambda f: None), (lambda f: None)
    f = Future(loop=loop)
    where("Future:loop", f, loop)
    where("Future:source_tb", f, f._source_traceback)
    f.add_done_callback(callback, context=context)
    where("Future:callback0", f, callback)
    where("Future:context0", f, context)
    f.add_done_callback(second, context=other)
    before = set(words(f))
    lists = [o for o in gc.get_referents(f) if type(o) is list and o is not f._source_traceback]
    assert len(lists) == 1, lists
    where("Future:callbacks", f, lists[0])
    result = object()
    pending, done, cancelled = Future(loop=loop), Future(loop=loop), Future(loop=loop)
    done.set_result(result)
    where("Future:result", done, result)
    failed, error = Future(loop=loop), ValueError("x")
    failed.set_exception(error)
    where("Future:exception", failed, error)
    failed.exception()
    if sys.version_info >= (3, 9):
        message = "a message of ours"
        cancelled.cancel(msg=message)
        where("Future:cancel_msg", cancelled, message)
    else:
        cancelled.cancel()
    states = zip(ints(pending), ints(cancelled), ints(done))
    at = [i * 4 for i, triple in enumerate(states) if triple == (0, 1, 2)]
    assert len(at) == 1, at
    found["Future:state"] = at[0]


async def task_members(loop):
    waited = loop.create_future()

    async def wait():
        await waited

    coro, name = wait(), "name of ours"
    task = loop.create_task(coro)
    task.set_name(name)
    await asyncio.sleep(0)
    where("Task:coro", task, coro)
    where("Task:name", task, name)
    where("Task:fut_waiter", task, waited)
    callbacks = {found["Future:context0"]}
    contexts = [o for o in gc.get_referents(task) if type(o) is contextvars.Context]
    at = {i * 8 for o in contexts for i, word in enumerate(words(task)) if word == id(o)} - callbacks
    assert len(at) == 1, at
    found["Task:context"] = at.pop()
    waited.set_result(None)
    await task


async def main():
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    future_members(loop)
    await task_members(loop)


asyncio.run(main())
print(json.dumps(found))
