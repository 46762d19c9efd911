# SPDX-License-Identifier: MIT
"""How deep evaluation stacks are: of generators, which the interpreter knows, and of frames that run, where what must be on them was
planted.

    inside-stacks.py HARNESS.so FOLDER      prints one line a difference, exit 1 if there is any
"""
import asyncio
import ctypes
import os
import struct
import sys
import sysconfig
import threading
import traceback
import weakref

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dumpfile
import inprocess

CHECK_STACKS = 4
failures = []


def fail(what, have, expected):
    failures.append("%s: have %r, expected %r" % (what, have, expected))


# ---- generators: the yields stand where the stack is neither empty nor the same on all ways

def in_calls(f, d):
    f(1, (yield 1), *[2, (yield 2)], key=(yield 3), **{"a": (yield 4)})
    f((yield 5)).attribute.method(1, (yield 6), 3)[(yield 7)] = (yield 8) + 1, -(yield 9)
    print("", end=f"{(yield 10)!r:{(yield 11)}}{d}")
    x = [1, [2, (yield 12), {3: (yield 13), (yield 14): {4, (yield 15)}}], *d, (yield 16)]
    x = {**{1: 2}, "k": (yield 17)}
    return x[(yield 18):(yield 19)], 1 < 2 < (yield 20), (yield 21) and 1 or (yield 22), 1 if (yield 23) else 2


def in_loops(n):
    for i in (yield 1) or range(n):
        for j in [1, (yield i)]:
            if j == 1:
                continue
            while (yield j):
                pass
            else:
                yield "else"
            break
    for _ in range(2):
        try:
            if _:
                continue
            yield "in a loop"
        finally:
            yield "finally of a continue"
    return [i for i in [3, (yield 5)]]


def in_handlers(n):
    try:
        try:
            yield 1
            raise KeyError(5 if (yield 2) else 6)
        except ValueError:
            yield "never"
        except (KeyError, (yield 3) or TypeError) as e:
            yield 4, e
            try:
                raise
            except KeyError:
                yield 5
        finally:
            yield 6
            for _ in range(1):
                yield 7
    except OSError:
        yield "never"
    else:
        yield 8
    finally:
        try:
            yield 9
        finally:
            yield 10


def leaving(n):
    for i in range(n):
        try:
            with Manager() as m, Manager():
                yield m
                if i == 1:
                    raise LookupError
        except LookupError:
            yield "handled"
        with Manager(True):
            yield (yield "in with")
            raise ValueError
    try:
        return (yield "returned")
    finally:
        yield "finally of a return"


class Manager:
    def __init__(self, swallows=False):
        self.swallows = swallows

    def __enter__(self):
        return self

    def __exit__(self, *args):
        return self.swallows


def delegating():
    x = [1, (yield from in_loops(2)), (yield from leaving(2))]
    yield x


def unpacking():
    a, *b, c = (yield 1), 2, 3, (yield 4)
    (a, b), [c] = (1, (yield b)), [(yield c)]
    assert (yield 5) or True, (yield 6)
    del a

    def inner(x=(yield 7), *, y=(yield 8)):
        return a and b
    lambda: (yield)

    class Inside((yield 10) or object, metaclass=(yield 11) or type):
        pass
    import os.path as p
    from os import path
    global made
    made = p, path, (yield 12)
    made += (yield 13),
    return inner, c, b"" % (), not (yield 14), ~1


# many names and constants: arguments of more than one byte
exec("def wide(f):\n" + "".join("    name%d = %d if f(%d, 'constant %d') else (yield name%d if %d else f)\n" % (i, i, i, i, max(i - 1, 0), i)
                               for i in range(700)) + "    yield 2\n")


class Delay:
    def __await__(self):
        got = yield "delayed"
        return got


class Asynchronous:
    async def __aenter__(self):
        return await Delay()

    async def __aexit__(self, *args):
        await Delay()
        return True

    def __aiter__(self):
        self.left = 3
        return self

    async def __anext__(self):
        self.left -= 1
        if self.left == 0:
            raise StopAsyncIteration
        return await Delay()


async def coroutine():
    async with Asynchronous() as a, Asynchronous():
        print("", end=str([1, a, await Delay()])[:0])
        async for x in Asynchronous():
            await Delay()
            if x:
                continue
        else:
            await Delay()
        raise ValueError(await Delay())
    x = [x async for x in Asynchronous() if await Delay() or True]
    try:
        return x, {1: await Delay()}
    finally:
        await Delay()


async def asynchronous_generator():
    async for x in Asynchronous():
        yield x, (yield 1)
    try:
        yield 2
    finally:
        await Delay()


def nothing(*arguments, **keywords):
    return Anything()


class Anything:
    def __getattr__(self, name):
        return self

    def __call__(self, *arguments):
        return {7: 8, None: 1}


def suspended():
    kept, left = [], []
    made = [lambda: in_calls(nothing, [1]), lambda: in_loops(3), lambda: in_handlers(1), lambda: leaving(3), delegating, unpacking,
            lambda: wide(nothing), lambda: wide(lambda *a: None), coroutine]
    for make in made:
        for steps in range(1, 60):
            g = make()
            send = g.send
            try:
                send(None)
                for _ in range(steps - 1):
                    send(None)
            except StopIteration:
                break
            except Exception as e:
                left.append(e)
                break
            kept.append(g)
    for steps in range(1, 12):
        g = asynchronous_generator()
        step, taken = g.__anext__(), 0
        try:
            while taken < steps:
                try:
                    step.send(None)
                    taken += 1
                except StopIteration:
                    step, taken = g.__anext__(), taken + 1
        except StopAsyncIteration:
            break
        kept.append((g, step))
    return kept


# ---- frames that run

planted = []  # what, address of the object, name it must have; None: it must be there; UNSURE: and no frame may call it its own
UNSURE = ""
gone = []     # what, address of what may have been given back


def on_stack(what, o, name="<stack>"):
    planted.append((what, id(o), name))
    return o


def call(*arguments, **keywords):
    return arguments[-1]()


def chain(wait):
    """Each calls the next from where something stands on its stack."""
    class Operand:
        def __add__(self, other):
            return call([on_stack("in a list", ["list"]), 1, wait()])

        def __enter__(self):
            return self

        def __exit__(self, *args):
            return [on_stack("in __exit__", ["exit"]), on_stack("operand of an addition", Operand(), UNSURE) + 1]

        @property
        def attribute(self):
            with on_stack("manager", Operand(), None):  # its __exit__ stands there
                pass

        def __iter__(self):
            return self

        def __next__(self):
            for x in on_stack("what a loop goes over", iter([1])):
                try:
                    raise ValueError
                except ValueError:
                    return [on_stack("below an attribute", ["below"]), 1, 2, 3, x, self.attribute]
                finally:
                    pass

        def __contains__(self, what):
            return [on_stack("below next()", ["a"]), {1: 2, 3: next(self)}]

    def generator():
        x = (on_stack("in a generator", ["a"]), yield_of(1 in Operand()))
        yield x

    async def inner():
        return [on_stack("in a coroutine", ["c"]), next(generator())]

    async def outer():
        await on_stack("what a running coroutine awaits", inner(), "<awaits>")
    c = outer()
    try:
        return (on_stack("below a call of C", ["top"]), max([1], key=lambda x: c.send(None)))
    except StopIteration:
        pass


def yield_of(x):
    return x


def blocked(ready, never):
    def wait():
        return [on_stack("below the wait", ["innermost"]), ready(), never.acquire(True, on_stack("operand of a call of C", Timeout(1e6), UNSURE))]
    chain(wait)


class Timeout(float):
    pass


def freed(what, size):
    """A str that nothing else has: no object of the collector, which would say so in its count when it is gone."""
    o = "".join(["x"] * size)
    gone.append((what, id(o)))
    return o


class Seen:
    """Which of them are strs that something refers to, asked in a process that was forked for it at the moment of the walk."""

    def __init__(self, path):
        self.path, self.heads = path, ctypes.create_string_buffer(HEAD * len(gone))
        self.note(lambda code: None)  # what a first call makes is made

    def note(self, end=os._exit):
        to = ctypes.addressof(self.heads)
        for what, address in gone:
            ctypes.memmove(to, address, HEAD)
            to += HEAD
        with open(self.path, "wb") as file:
            file.write(self.heads.raw)
        end(0)

    def addresses(self):
        with open(self.path, "rb") as file:
            return {address for what, address in gone if self.is_str(file.read(HEAD))}

    @staticmethod
    def is_str(head):
        count, kind = struct.unpack("12xI8xQ" if HEAD == 32 else "QQ", head)
        return count == 1 and kind == id(str)


HEAD = 32 if sysconfig.get_config_var("Py_GIL_DISABLED") else 16


class Last:
    """Its finalizer is where the thread waits."""

    def __init__(self, end):
        self.end = end

    def __del__(self):
        self.end()


class Referred:
    """Here it is what a weak reference to it calls."""

    def __init__(self, end):
        references.append(weakref.ref(self, lambda _: end()))

    def __radd__(self, other):
        return 5


references = []


def fail_now():
    raise ValueError


def by_call(end, size):
    try:
        len(freed("an argument before", size), Last(end), freed("an argument behind", size))
    except TypeError:
        pass


def by_unwinding(end, size):
    try:
        return [Last(end), freed("an item", size), freed("another item", size), fail_now()]
    except ValueError:
        pass


def by_operator(end, size):
    return freed("a left operand", size) + Referred(end)


def before_first_instruction(end, size):
    """Until 3.11 a frame is known to a trace function before it has begun."""
    def traced(argument):
        pass
    sys.settrace(lambda *event: end())
    traced(on_stack("argument", [size], "<local>"))


def by_special_call(end, size):
    """What the interpreter makes of a call that is often made."""
    class Shown:
        @property
        def real(self):
            return end()
    for i in range(100):
        call_c(int)
    call_c(lambda: on_stack("operand of a special call", Shown(), UNSURE))


def call_c(make):
    return getattr(make(), "real")


def let_go():
    """Threads that wait while what stood on their stacks is given back, and has its memory taken by others, or not yet."""
    size = 100
    for function in [by_call, by_unwinding, by_operator, by_special_call] + [before_first_instruction] * (sys.version_info < (3, 12)):
        for again in 0, 20:
            ready, never = threading.Event(), threading.Lock()
            never.acquire()
            size += 48  # nobody else's

            def end(ready=ready, never=never, again=again, size=size):
                taken = ["%0*d" % (size, i) for i in range(again)]
                ready.set()
                never.acquire()
                return taken
            threading.Thread(target=function, args=(end, size), daemon=True).start()
            ready.wait()


def compare(dump, alive, traced=False):
    names = {}
    for t in dump.threads:
        for f in t["frames"]:
            for name, address in f["refs"]:
                names.setdefault(address, []).append(name)
    for o in dump.objects.values():
        for address, name, flags in o.refs:
            if o.type["name"] in ("builtins.frame", "builtins.generator", "builtins.coroutine"):
                names.setdefault(address, []).append(name)
    for what, address, wanted in planted:
        have = {name.split(" ")[0].rstrip(">") + ">" for name in names.get(address, []) if name}
        if address not in dump.objects:
            fail(what, None, "in the dump")
        elif wanted == UNSURE:
            if have & {"<stack>", "<awaits>"} and sys.version_info < (3, 14):
                fail(what, have, "no frame's own")
        elif wanted is not None and wanted not in have and not (traced and "<stack>" in have):
            fail(what, have, wanted)
    for what, address in gone:
        have = names.get(address, [])
        if any(name and name.startswith("<stack") for name in have) and sys.version_info < (3, 14):
            fail(what, have, "no frame's own")
        o = dump.objects.get(address)
        if (address in alive) != (o is not None and o.type["name"] == "builtins.str"):
            fail(what, o and (o.type["name"], o.content), "a str: %s" % (address in alive))


def trace(on):
    sys.settrace((lambda *event: None) if on else None)


def trace_instructions(on):
    sys._getframe().f_trace_opcodes = True  # from the next settrace() on
    sys.settrace((lambda *event: None) if on else None)


# they put other instructions into the code of all that runs; 3.13 does not say which stood there
looking_on = {"traced": trace, "traced by instruction": trace_instructions} if sys.version_info[:2] == (3, 12) else {}


def main():
    harness = inprocess.Harness(sys.argv[1])
    data = os.path.join(sys.argv[2], "stacks.heap")
    kept = suspended()
    ready, never = threading.Event(), threading.Lock()
    never.acquire()
    threading.Thread(target=blocked, args=(ready.set, never), daemon=True).start()
    ready.wait()
    let_go()
    seen = Seen(os.path.join(sys.argv[2], "alive"))
    result = harness.run(data, os.path.join(sys.argv[2], "stacks.json"), flags=CHECK_STACKS, oracle=seen.note)
    if result["status"] or result["skipped"] or result["exit"]:
        fail("result", result, "status 0")
    alive, looked_on = seen.addresses(), {}
    for what, look_on in looking_on.items():  # before there are the objects of a dump that was read
        look_on(True)
        harness.run(data + what, oracle=seen.note)
        look_on(False)
        looked_on[what] = data + what, seen.addresses()
    dump = dumpfile.Dump(data)
    if sys.version_info < (3, 14):
        c = dump.counters
        print("# %d generators, %d stacks of running frames unknown" % (c["stacks.checked"], c["frames.stack.unknown"]))
        if c["stacks.wrong"] or c["stacks.checked"] < 150 or c["stacks.lower"] > (20 if sys.version_info < (3, 9) else 0):
            fail("depths of generators", {n: c[n] for n in c if n.startswith("stacks.")}, "none wrong or lower")
        if c["frames.stack.unknown"]:
            fail("frames", c["frames.stack.unknown"], "all stacks known")
    compare(dump, alive)
    for what, (path, alive) in looked_on.items():
        dump = dumpfile.Dump(path)
        if dump.counters["frames.stack.unknown"]:
            fail(what, dump.counters["frames.stack.unknown"], "all stacks known")
        compare(dump, alive, traced=True)
    for line in failures[:60]:
        print(line)
    sys.stdout.flush()
    os._exit(1 if failures or not kept else 0)


try:
    main()
except BaseException:
    traceback.print_exc()
    os._exit(2)
