# SPDX-License-Identifier: MIT
"""Contents, frames, generators and roots against what Python itself says: plants a zoo, walks this very process, compares.

    inside-contents.py HARNESS.so FOLDER      prints one line a difference, exit 1 if there is any
"""
import asyncio
import collections
import contextvars
import functools
import gc
import os
import sys
import threading
import traceback
import types
import weakref

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dumpfile
import inprocess
from expected import expect, fail, failures, keep, plain
from plant_named import Outer, Sub, named, named_things
from plant_suspended import HERE, asyncio_things, generator_text, generators, lines, pending_names, pending_texts, running_coroutine, running_generator
from plant_values import handles, values


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
