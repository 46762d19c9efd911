# SPDX-License-Identifier: MIT
"""Contents, frames, generators and roots against what Python itself says: plants a zoo, walks this very process, compares.

    inside-contents.py HARNESS.so FOLDER      prints one line a difference, exit 1 if there is any
"""
import array
import asyncio
import collections
import contextvars
import datetime
import decimal
import enum
import fractions
import functools
import gc
import inspect
import io
import ipaddress
import logging
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time
import traceback
import types
import uuid
import weakref

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dumpfile
import inprocess

HERE = os.path.abspath(__file__)
failures = []
plain = {}      # id → (what, expected content)
keep = []


def fail(what, have, expected):
    failures.append("%s: have %r, expected %r" % (what, have, expected))


def expect(o, text, what=None):
    keep.append(o)
    plain[id(o)] = (what or type(o).__name__, text)
    return o


# ---- values

def values():
    for s in ("fresh text", "h\xe9llo", "\u20ac" * 3, "\U0001f600x", "a\ud800b", "nul\0in", ""):
        s = "".join([s, "!"])
        expect(s, s)
    expect("x" * 5000, "x" * 4096)
    expect("\u20ac" * 2000, "\u20ac" * 1365)  # 4095 bytes: never cut inside a character
    for b in (b"by" + bytes([1]), bytes(range(256)), bytearray(b"abc"), bytearray()):
        expect(b, bytes(b))
    for i in (10 ** 6, -10 ** 6, 2 ** 30, -2 ** 60, 2 ** 63, 2 ** 64 - 1, 1 - 2 ** 64, 1000003 ** 3):
        expect(i, str(i))
    for i in (2 ** 64, -2 ** 64, 10 ** 100, -7 ** 77, 2 ** 1000 + 1, 16 ** 31):
        expect(i, hex(i))
    for f in (0.5, -0.0, 1e300, 5e-324, 0.1 + 0.2, 1 / 3, 123456789012345680.0, 1e16, 1e22, 123456.0, 1e-5, 0.0001, float("inf"),
              -float("inf"), float("nan"), 2.0 ** 53, 9007199254740993.0, 1.7976931348623157e308, 2.2250738585072014e-308):
        f = f * 1.0
        expect(f, repr(f))
    for c in (1 + 2j, -0.5j, complex(-0.0, 3), complex(1, -0.0), complex(2, float("nan")), complex(float("inf"), 1)):
        expect(c, repr(c))
    expect(slice(1, None, 70000), "slice(1, None, 70000)")
    for r in (range(5, 9), range(0, 70000, 3), range(9, 1, -1)):
        expect(r, repr(r))
    zone = datetime.timezone(datetime.timedelta(hours=-3, minutes=-30))
    for d in (datetime.date(2024, 2, 29), datetime.datetime(1, 2, 3, 4, 5, 6), datetime.datetime(2024, 1, 2, 3, 4, 5, 60, zone),
              datetime.time(1, 2, 3), datetime.time(1, 2, 3, 400000, datetime.timezone.utc), datetime.timedelta(5, 61, 7),
              datetime.timedelta(-1, 3), datetime.timedelta(0, 3600 * 5), datetime.datetime.max):
        expect(d, str(d))
    for d in ("0", "-0.00", "1.5", "123456789012345678901234567890.12345", "1E+5", "1E-9", "-Infinity", "NaN", "sNaN12", "0E-8", "5e-7",
              "1234567890123456789", "12345678901234567890E300", "0.000001", "0.0000001"):
        d = decimal.Decimal(d)
        expect(d, str(d) if "NaN" not in str(d) else str(d).rstrip("0123456789"))
    expect(uuid.UUID("12345678-9abc-def0-1234-56789abcdef0"), "12345678-9abc-def0-1234-56789abcdef0")
    expect(uuid.UUID(int=5), str(uuid.UUID(int=5)))
    for p in ("/usr/lib/x", "a/b/c", "/"):
        expect(pathlib.PurePosixPath(p), p)
        asked = pathlib.PosixPath(p)
        str(asked)
        expect(asked, p)
    expect(ValueError("what went wrong"), "what went wrong")
    expect(OSError(2, "No such file"), "2, 'No such file'")
    expect(KeyError(5), "5")
    expect(Exception(), "")
    expect({"a": 1, "bb": 2, 3: 4, None: 5, 2.5: 6, (1,): 7}, "a,bb,3,None,2.5,<tuple>")
    expect({}, "")
    removed = {str(i): i for i in range(10)}
    del removed["3"]
    expect(removed, "0,1,2,4,5,6,7,8,9")


class Colour(enum.Enum):
    RED = 1
    BLUE = "b"


class Shade(enum.IntEnum):
    DARK = 70001


def handles():
    """What stands for something outside, and in which state it is."""
    expect(Colour.RED, "Colour.RED: 1")
    expect(Colour.BLUE, "Colour.BLUE: 'b'")
    expect(Shade.DARK, "70001")
    expect(fractions.Fraction(-3, 4), "-3/4")
    expect(fractions.Fraction(12), "12")
    expect(ipaddress.IPv4Address("10.200.3.4"), "10.200.3.4")
    expect(re.compile("a+(b|€)"), "a+(b|€)")
    expect(re.compile(b"bytes?"), "bytes?")
    expect(datetime.timezone(datetime.timedelta(hours=5, minutes=45)), "+05:45")
    expect(contextvars.ContextVar("some variable"), "some variable")
    expect(collections.deque([1, 2, 3]), "3 items")
    expect(collections.deque([1], maxlen=7), "1 item, maxlen 7")
    expect(array.array("d", [1, 2]), "'d' 2 items")
    expect(io.BytesIO(b"x" * 99), "99 bytes")
    left, right = socket.socketpair()
    expect(left, "fd %d unix stream" % left.fileno())
    right.settimeout(2.5)
    expect(right, "fd %d unix stream timeout 2500 ms" % right.fileno())
    open_one = expect(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), "")
    open_one.setblocking(False)
    expect(open_one, "fd %d inet datagram non-blocking" % open_one.fileno())
    gone = socket.socket()
    gone.close()
    expect(gone, "closed inet stream")
    for mode, shown in (("r", "rb"), ("w", "wb"), ("r+", "rb+"), ("a", "ab")):
        raw = io.FileIO("/dev/null", mode)
        expect(raw, "%s fd %d '/dev/null'" % (shown, raw.fileno()))
    text = open("/dev/null")
    for stream in (text, text.buffer, text.buffer.raw):
        expect(stream, "rb fd %d '/dev/null'" % text.fileno())
    closed = io.FileIO("/dev/null")
    closed.close()
    expect(closed, "rb closed '/dev/null'")
    unlocked, locked = threading.Lock(), threading.Lock()
    locked.acquire()
    expect(unlocked, "unlocked")
    expect(locked, "locked")
    mine, free = threading.RLock(), threading.RLock()
    mine.acquire()
    expect(free, "unlocked")
    expect(mine, "locked by thread %d" % threading.get_ident())
    twice = threading.RLock()
    twice.acquire()
    twice.acquire()
    expect(twice, "locked by thread %d, 2 times" % threading.get_ident())
    event, happened = threading.Event(), threading.Event()
    happened.set()
    expect(event, "not set")
    expect(happened, "set")
    ended = subprocess.Popen(["true", "an argument"])
    ended.wait()
    expect(ended, "pid %d ended with 0 'true' 'an argument'" % ended.pid)


class Sub(dict):
    pass


class Meta(type):
    pass


class Outer(metaclass=Meta):
    class Inner:
        __slots__ = ("slot",)

        def method(self):
            return self

    def __init__(self):
        self.attribute = "value of attribute"
        self.other = 5


def named(a, b=2):
    """doc"""
    return a


def decorated():
    @functools.wraps(named)
    def wrapper():
        return free
    free = 5
    return wrapper


def closure_of(x):
    def inner():
        return x
    return inner


def at(function):
    return "%s at %s:%d" % (function.__qualname__, HERE, function.__code__.co_firstlineno)


def code_name(code):
    return getattr(code, "co_qualname", code.co_name)


def named_things():
    expect(Sub(k=1), "k")
    expect(collections.OrderedDict(x=1, y=2), "x,y")
    expect(collections.defaultdict(list, {7: []}), "7")
    expect(Outer, "%s.Outer" % __name__)
    expect(Outer.Inner, "%s.Outer.Inner" % __name__)
    expect(dict, "dict")
    expect(collections.OrderedDict, "collections.OrderedDict")
    expect(collections.deque, "collections.deque")
    expect(os, "os")
    expect(types.ModuleType("made up"), "made up")
    expect(named, at(named))
    expect(Outer.Inner.method, at(Outer.Inner.method))
    expect(Outer.Inner().method, at(Outer.Inner.method))
    expect(named.__code__, "%s at %s:%d" % (code_name(named.__code__), HERE, named.__code__.co_firstlineno))
    expect(functools.partial(named, 1), "partial " + at(named))
    expect(functools.partial(functools.partial(print)), "partial print")
    expect(closure_of("in a cell").__closure__[0], "'in a cell'")
    expect(closure_of(Sub()).__closure__[0], "<%s.Sub>" % __name__)
    expect(types.CellType(), "empty")
    target = Sub()
    expect(weakref.ref(target), "%s.Sub" % __name__)
    expect(weakref.proxy(target), "%s.Sub" % __name__)
    keep.append(target)
    dead = weakref.ref(Outer())
    gc.collect()
    expect(dead, "dead")
    expect(len, "len")
    expect([].append, "list.append")
    expect(dict.fromkeys, "dict.fromkeys")
    expect(time.sleep, "sleep")
    thread = threading.Thread(name="a thread's name")
    expect(thread, "a thread's name")
    expect(logging.getLogger("some.logger"), "some.logger")


# ---- generators and coroutines

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


# ---- what is compared after the walk

def references_of(o):
    return [id(r) for r in gc.get_referents(o)]


in_order = {"generator", "coroutine", "async_generator", "function", "method", "builtin_function_or_method", "cell", "slice", "property",
            "staticmethod", "classmethod", "super", "traceback", "frame", "weakref"}


def compare_references(dump, referents):
    """Every object planted: the references shown are exactly those of tp_traverse, those of our own tables in its order."""
    for address, (what, expected) in referents.items():
        o = dump.objects.get(address)
        if o is None:
            fail("object of " + what, None, hex(address))
            continue
        shown = [r[0] for r in o.refs if not r[2] & (dumpfile.HIDDEN | dumpfile.WEAK)]
        if what not in in_order:
            shown.sort()
            expected.sort()
        if shown != expected:
            name = lambda a: dump.objects[a].type["name"] if a in dump.objects else hex(a)
            fail("references of %s %r" % (what, o.content), [(r[1], name(r[0]), r[2]) for r in o.refs], [name(a) for a in expected])


def reference(dump, o, name):
    row = dump.objects[id(o)]
    found = [r[0] for r in row.refs if r[1] == name]
    return found[0] if found else None


def check_names(dump, g, names):
    for name, o in names.items():
        if reference(dump, g, name) != id(o):
            fail("%s of %r" % (name, dump.objects[id(g)].content), [r[1] for r in dump.objects[id(g)].refs], hex(id(o)))


def forgiven(o):
    """CPython's own: classes of C without a base of their own do not count object; the frozen code of 3.11 does not count True and
    False; the free list of 3.12's _asyncio.FutureIter is visited, dead objects and all."""
    return id(object) == o.address or o.type["name"] == "builtins.bool" or (o.type["name"] == "_asyncio.FutureIter" and o.refcount == 0)


def check_counts(dump):
    """A reference stands in the dump once: no object has more of them than its count says."""
    seen = collections.defaultdict(list)
    for o in dump.objects.values():
        for address, name, flags in o.refs:
            if not flags & dumpfile.WEAK:
                seen[address].append((o, name))
    for kind, address, name, counted in dump.roots:
        if counted:
            seen[address].append((None, name))
    in_frames = collections.Counter()
    for thread in dump.threads:
        for frame in thread["frames"]:
            if frame["flags"] & 1:
                for name, address in frame["refs"]:
                    seen[address].append((None, frame["qualname"] + name))
                    in_frames[address] += sys.version_info >= (3, 14)  # variables may borrow from those of the caller
    for address, holders in seen.items():
        o = dump.objects.get(address)
        if o is None:
            fail("referenced object", None, [(h and h.type["name"], name) for h, name in holders[:5]])
        elif not o.flags & 1 << 7 and len(holders) - in_frames[address] > o.refcount and not forgiven(o):
            fail("references to %s %r %x" % (o.type["name"], (o.content or b"")[:60], address), len(holders),
                 "at most %d: %r" % (o.refcount, [(h and h.type["name"], h and (h.content or b"")[:40], name) for h, name in holders[:12]]))


# ---- threads

thread_ready, thread_end = threading.Event(), threading.Event()


def thread_body(argument):
    local_of_thread = ["only here"]
    cell_of_thread = {"in a cell": 1}

    def inner():
        free_local = [cell_of_thread]
        thread_ready.set()
        thread_end.wait()
        return free_local
    inner()
    return local_of_thread


def check_thread(dump, thread, frames):
    rows = [t for t in dump.threads if t["ident"] == thread.ident]
    if len(rows) != 1:
        fail("thread", [t["ident"] for t in dump.threads], thread.ident)
        return
    row = rows[0]
    if row["name"] != thread.name:
        fail("thread's name", row["name"], thread.name)
    if sys.version_info >= (3, 11) and row["native"] != thread.native_id:
        fail("native id", row["native"], thread.native_id)
    have = [(f["qualname"].rpartition(".")[2], f["file"], f["line"]) for f in row["frames"]]
    if have != frames["stack"]:
        fail("stack", have, frames["stack"])
    by_name = {f["qualname"].rpartition(".")[2]: f for f in row["frames"]}
    for function, variables in frames["locals"].items():
        refs = dict((name, address) for name, address in by_name[function]["refs"])
        for name, address in variables.items():
            if refs.get(name) != address:
                fail("local %s of %s" % (name, function), refs, hex(address))


def stack_of(frame):
    out = []
    while frame is not None:
        out.append((frame.f_code.co_name, frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return out


# ---- lines

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


def check_contents(dump):
    for address, (what, text) in plain.items():
        o = dump.objects.get(address)
        if o is None:
            if text != "" and not isinstance(text, bytes):
                fail("object %s %r" % (what, text), None, "in the dump")
            continue
        have = o.content or b""
        expected = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        if have != expected:
            fail("content of " + what, have, expected)


def check_roots(dump):
    interpreter = {}
    for kind, address, name, _ in dump.roots:
        interpreter.setdefault((kind, name), []).append(address)
    if len(interpreter[1, "sys.modules"]) != 1 + subinterpreters:
        fail("interpreters", len(interpreter[1, "sys.modules"]), 1 + subinterpreters)
    for name, o in (("sys.modules", sys.modules), ("sys.__dict__", sys.__dict__), ("builtins.__dict__", __builtins__.__dict__),
                    ("gc.garbage", gc.garbage), ("gc.callbacks", gc.callbacks)):
        if id(o) not in interpreter.get((1, name), []):
            fail("root " + name, interpreter.get((1, name)), id(o))
    static = {address for kind, address, _, _ in dump.roots if kind == 3}
    for t in (int, dict, object, type, BaseException, types.FunctionType, KeyError, weakref.ref):
        if id(t) not in static:
            fail("static type", None, t)
    for address, o in dump.objects.items():
        if o.type["name"] == "builtins.type" and address in static and b"inside" in (o.content or b""):
            fail("static type", o.content, "no class of ours")
    if sys.version_info >= (3, 10):
        found = [address for _, address, name, _ in dump.roots if name == "<atexit function>"]
        if id(named) not in found:
            fail("atexit function", found, id(named))


def check_limit(data):
    """No content is longer than asked for, nor cut inside a character."""
    for limit in limits:
        for o in dumpfile.Dump(data + ".%d" % limit).objects.values():
            if o.content is not None:
                if len(o.content) > limit or limit == 0:
                    fail("content of %s under a limit of %d" % (o.type["name"], limit), o.content, "shorter")
                if o.type["name"] not in ("builtins.bytes", "builtins.bytearray"):
                    o.content.decode("utf-8", "surrogatepass")


subinterpreters = 0
limits = (10, 0)


def start_subinterpreter():
    """Another interpreter beside ours, which must be walked, too."""
    global subinterpreters
    try:
        import _xxsubinterpreters as module
    except ImportError:
        try:
            import _interpreters as module
        except ImportError:
            return
    keep.append(module.create())
    subinterpreters = 1


def main():
    start_subinterpreter()
    harness = inprocess.Harness(sys.argv[1])
    data = os.path.join(sys.argv[2], "contents.heap")
    import atexit
    atexit.register(named, "at exit")
    loop = asyncio.new_event_loop()
    values()
    handles()
    named_things()
    generators()
    lines()
    asyncio_things(loop)
    thread = threading.Thread(target=thread_body, args=("argument of the thread",), name="thread \u20ac", daemon=True)
    thread.start()
    thread_ready.wait()
    gc.collect()
    variable = contextvars.ContextVar("variable", default=5)
    variable.set(["in the context"])

    referents = {}
    frame = sys._current_frames()[thread.ident]
    while frame.f_code.co_name != "inner":
        frame = frame.f_back
    # the thread waits in a lock: its frames do not change
    inner = frame
    body = inner.f_back
    frames = {
        "stack": stack_of(sys._current_frames()[thread.ident]),
        "locals": {
            "inner": {"<local free_local>": id(inner.f_locals["free_local"])},
            "thread_body": {"<local local_of_thread>": id(body.f_locals["local_of_thread"]),
                            "<local argument>": id(body.f_locals["argument"])},
        },
    }
    del frame, inner, body

    def walk():
        if keep[-1] is not extra:
            referents[id(keep[-1])] = ("generator", references_of(keep[-1]))
        return harness.run(data, os.path.join(sys.argv[2], "contents.json"), content=4096)
    extra = keep[-1]
    first = walk()  # before anyone asks for frames of generators: these then exist only on the interpreter's stack
    os.rename(data, data + ".first")
    for limit in limits:  # compared later: dumps that were read are millions of objects, too
        harness.run(data + ".%d" % limit, content=limit)
    extra = [property(named, named, None, "doc"), staticmethod(named), classmethod(named), super(Sub, Sub()), types.MappingProxyType({}),
             str.join, Outer.Inner.slot, type.__dict__["__dict__"], object.__init__, dict.__dict__["fromkeys"], Outer.Inner().method,
             [].append, sys.exc_info, Outer, Outer.Inner, {1, 2}, Outer()]
    try:
        raise ValueError("for a traceback")
    except ValueError as error:
        extra.append(error.__traceback__)
        extra.append(error)
    keep.append(extra)
    for g in keep:
        if isinstance(g, (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, types.FunctionType, types.MethodType,
                          types.BuiltinFunctionType, types.CellType, types.CodeType, slice, range, property, weakref.ref,
                          functools.partial)):
            referents[id(g)] = (type(g).__name__, references_of(g))
    for o in extra:
        referents[id(o)] = (type(o).__name__, references_of(o))
    for g, prefix in pending_texts:
        expect(g, generator_text(g, prefix), g.__qualname__)
    for g, _ in pending_texts:
        referents[id(g)] = (type(g).__name__, references_of(g))
    try:
        running_coroutine(walk).send(None)
    except StopIteration as stop:
        result, local_of_running = stop.value
    runner = keep[-1]
    before, dump = dumpfile.Dump(data + ".first"), dumpfile.Dump(data)
    check_names(dump, runner if sys.version_info >= (3, 11) else runner.gi_frame, {"<local local_of_running>": local_of_running})
    plain[id(runner)] = ("running generator", "running_generator at %s:%d running" % (HERE, running_generator.__code__.co_firstlineno + 2))
    for t, rest in pending_names:
        expect(t, t.get_name() + rest)
    for r in (first, result):
        if r["status"] != 0 or r["skipped"] != 0 or r["exit"] != 0:
            fail("result", (r, dump.skipped), "status 0, nothing skipped")
    check_contents(dump)
    for g, prefix in pending_texts:
        text = plain[id(g)][1].encode()
        if before.objects[id(g)].content != text:
            fail("content before frames were asked for", before.objects[id(g)].content, text)
    compare_references(dump, referents)
    g = pending_texts[1][0]
    for d in (before, dump):
        holder = d.objects[id(g)] if sys.version_info >= (3, 11) else d.objects[id(g.gi_frame)]
        check_names(d, g if sys.version_info >= (3, 11) else g.gi_frame, {"<local kept>": g.gi_frame.f_locals["kept"], "<code>": g.gi_code})
    c = [g for g, p in pending_texts if p == "cr" and g.__name__ == "outer_coroutine"][0]
    for d in (before, dump):
        check_names(d, c if sys.version_info >= (3, 11) else c.cr_frame, {"<awaits>": c.cr_await})
    check_thread(dump, thread, frames)
    check_counts(before)
    check_counts(dump)
    check_roots(dump)
    if [t for t in dump.threads if t["flags"] & 1][0]["ident"] != threading.main_thread().ident:
        fail("main thread", dump.threads, threading.main_thread().ident)
    holders = [threading.main_thread().ident] if getattr(sys, "_is_gil_enabled", lambda: True)() else []
    if [t["ident"] for t in dump.threads if t["flags"] & 2] != holders:
        fail("holder of the GIL", [(t["ident"], t["flags"]) for t in dump.threads], threading.main_thread().ident)
    check_limit(data)
    thread_end.set()
    thread.join()
    for line in failures[:60]:
        print(line)
    print("%d objects, %d differences" % (len(dump.objects), len(failures)))
    for g, _ in pending_texts:
        if hasattr(g, "close"):
            try:
                g.close()
            except RuntimeError:
                pass
    sys.stdout.flush()
    os._exit(1 if failures else 0)


try:
    main()
except BaseException:
    traceback.print_exc()
    os._exit(2)  # threads and interpreters of the test do not end by themselves
