# SPDX-License-Identifier: MIT
"""Generators, coroutines and tasks in every state, at many lines."""
import asyncio
import functools
import inspect
import types

from expected import expect, keep
from plant_named import at, named

HERE = __file__


def generator(n):
    kept = ["local of the generator"]
    for i in range(n):
        yield kept
    del kept


def delegating():
    inner = generator(3)
    yield from inner


@types.coroutine
def trap():
    yield "trapped"


async def coroutine(argument):
    await trap()
    return argument


async def outer_coroutine():
    kept = coroutine("argument")
    await kept


async def async_generator():
    yield 1
    await trap()
    yield 2


def failing_generator():
    try:
        raise ValueError("handled inside")
    except ValueError:
        yield 1


def generator_text(g, prefix):
    frame, code = getattr(g, prefix + "_frame"), getattr(g, prefix + "_code")
    running = getattr(g, prefix + "_running")
    if frame is None:
        state = "closed"
    elif running and prefix != "ag":  # an asynchronous generator says so while something awaits on it
        state = "running"
    else:
        state = {"gi": inspect.getgeneratorstate, "cr": inspect.getcoroutinestate}[prefix](g).split("_")[1].lower() if prefix in (
            "gi", "cr") else ("created" if g in created else "suspended")
    line = frame.f_lineno if frame is not None else code.co_firstlineno
    return "%s at %s:%d %s" % (g.__qualname__, HERE, line, state)


created = []
pending_texts = []  # made last: asking for a generator's frame changes it


def generators():
    def plant(g, prefix):
        keep.append(g)
        pending_texts.append((g, prefix))
        return g
    g = plant(generator(3), "gi")
    g = plant(generator(3), "gi")
    next(g)
    g = plant(generator(1), "gi")
    list(g)
    g = plant(delegating(), "gi")
    next(g)
    g = plant(failing_generator(), "gi")
    next(g)
    g = plant((x for x in [1, 2]), "gi")
    next(g)
    c = plant(coroutine("never started"), "cr")
    c = plant(outer_coroutine(), "cr")
    c.send(None)
    c = plant(coroutine("done"), "cr")
    try:
        c.send(None)
        c.send(None)
    except StopIteration:
        pass
    a = plant(async_generator(), "ag")
    created.append(a)
    a = plant(async_generator(), "ag")
    try:
        a.asend(None).send(None)
    except StopIteration:
        pass
    waiting = a.asend(None)
    waiting.send(None)
    keep.append(waiting)
    a = plant(async_generator(), "ag")
    try:
        a.aclose().send(None)
    except StopIteration:
        pass


def running_generator(walk):
    local_of_running = ["only here", walk]
    yield walk(), local_of_running


async def running_coroutine(walk):
    for result in running_generator_of(walk):
        return result


def running_generator_of(walk):
    runner = running_generator(walk)
    keep.append(runner)
    yield next(runner)


# ---- asyncio

async def worker(event):
    await event.wait()


def asyncio_things(loop):
    async def start():
        event = asyncio.Event()
        tasks = [loop.create_task(worker(event)) for _ in range(2)]
        tasks[0].set_name("named task")
        python_task = asyncio.tasks._PyTask(worker(event), loop=loop, name="python task")
        python_future = asyncio.futures._PyFuture(loop=loop)
        python_future.set_result(5)
        futures = [loop.create_future() for _ in range(3)]
        futures[1].set_result("result")
        futures[2].cancel()
        done = loop.create_task(asyncio.sleep(0))
        cancelled = loop.create_task(worker(event))
        await done
        cancelled.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        where = "worker at %s:%d" % (HERE, worker.__code__.co_firstlineno + 1)
        keep.append(event)
        expect(tasks[0], "named task pending " + where)
        pending_names.append((tasks[1], " pending " + where))
        expect(python_task, "python task pending " + where)
        expect(python_future, "finished")
        for future, state in zip(futures, ("pending", "finished", "cancelled")):
            expect(future, state)
        pending_names.append((cancelled, " cancelled worker at %s:%d" % (HERE, worker.__code__.co_firstlineno)))
        expect(loop.call_later(1000, named, 1), at(named))
        expect(loop.call_later(1000, functools.partial(named, 1)), "partial " + at(named))
        handle = loop.call_soon(named, 1)
        handle.cancel()
        expect(handle, "cancelled")
    loop.run_until_complete(start())


pending_names = []


def many_lines(n):
    a = (n +
         1)

    b = [
        x for x in
        range(a)
    ]
    for c in b: yield c

    if n:

        yield (
            a,
            b)
    try:
        yield a
    finally:
        yield b
    with Manager() as m:
        yield m
    lambda: (yield)


class Manager:
    def __enter__(self):
        return self

    def __exit__(self, *args):
        return False


# a line more than 127 away from the one before, both ways
exec(compile("def far(n):\n    yield n\n" + "\n" * 300 + "    yield (n,\n" + "\n" * 200 + "    n + 1)\n    yield 2\n" + "\n" * 70000 + "    yield 3\n",
             HERE, "exec"))


def lines():
    for function, argument in ((many_lines, 3), (far, 1)):
        for steps in range(40):
            g = function(argument)
            taken = sum(1 for _ in zip(range(steps), g))
            keep.append(g)
            pending_texts.append((g, "gi"))
            if taken < steps:
                break
