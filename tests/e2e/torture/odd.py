# SPDX-License-Identifier: MIT
"""odd.py KIND [HELPER]: processes in states that people do not think of. Each function below is one; most go on for ever, step after step, and count
rounds and wrong results, which are the answer to SIGUSR1 (or, where no signal handler can run any more, to a line on stdin). HELPER is helper.c's library."""
import ctypes
import gc
import importlib
import mmap
import os
import queue
import random
import re
import select
import signal
import subprocess
import sys
import threading
import time
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'targets'))
import harness
import work

FOREVER = 10 ** 6
KIND = sys.argv[1]
HELPER = sys.argv[2] if len(sys.argv) > 2 else None
warnings.simplefilter('ignore', DeprecationWarning)  # of fork() beside threads
count = {'wrong': 0, 'rounds': 0}


def helper(keep_gil=False):
    try:
        library = (ctypes.PyDLL if keep_gil else ctypes.CDLL)(HELPER)
    except OSError as why:  # built here, for an older C library than this interpreter's own
        harness.say(skip=str(why))
        sys.exit()
    for name in ('malloc', 'vectors', 'calls', 'handled', 'handled_wrong', 'rseq'):
        getattr(library, 'tt_' + name).restype = ctypes.c_long
    return library


def libc():
    return ctypes.CDLL(None, use_errno=True)


def done(wrong):
    count['wrong'] += int(wrong)
    count['rounds'] += 1


def again(step):
    """The usual end: ready, then step after step."""
    harness.ready()
    while True:
        done(step())


def thread(function, *arguments):
    t = threading.Thread(target=function, args=arguments, daemon=True)
    t.start()
    return t


def sleep():
    """The kernel may give a signal to a thread that Python does not know; Python would then not see it before the main thread wakes up."""
    while True:
        time.sleep(0.05)


def at_work():
    while True:
        done(work.step())


# -- long calls in C that keep the GIL -------------------------------------------------------------------------------------------

def long_sum():
    again(lambda: sum(range(2 * 10 ** 7)) != (2 * 10 ** 7 - 1) * 10 ** 7)


def long_regex():
    again(lambda: re.match(r'(a+)+$', 'a' * 22 + 'b') is not None)


def long_sort():
    shuffled = random.Random(3).sample(range(600000), 600000)
    again(lambda: sorted(shuffled) != list(range(600000)))


def long_multiplication():
    number = 3 ** 300000
    expected = number * number % (10 ** 9 + 7)
    again(lambda: number * number % (10 ** 9 + 7) != expected)


def malloc_with_gil():
    library = helper(keep_gil=True)
    again(lambda: library.tt_malloc(100000))


def vectors_with_gil():
    library = helper(keep_gil=True)
    again(lambda: library.tt_vectors(100))


# -- threads ---------------------------------------------------------------------------------------------------------------------

def c_threads():
    """Four threads that Python does not know, and the main thread asleep."""
    counters = (ctypes.c_long * 8)()
    helper().tt_threads(4, counters)
    while not all(counters[0::2]):
        time.sleep(0.001)
    harness.answers(lambda: {'wrong': sum(counters[1::2]) + work.step(), 'rounds': sum(counters[0::2])})
    harness.ready()
    sleep()


def malloc_without_gil():
    library = helper()

    def storm():
        while True:
            done(library.tt_malloc(20000))
    for _ in range(3):
        thread(storm)
    harness.ready()
    sleep()


def contended():
    sys.setswitchinterval(1e-5)
    for _ in range(7):
        thread(at_work)
    again(work.step)


def hundred_threads():
    """Most asleep in different ways, a few at work."""
    lock = threading.Lock()
    lock.acquire()
    for number in range(96):
        thread((sleep, lock.acquire, queue.Queue().get, lambda: select.select([], [], []))[number % 4])
    for _ in range(3):
        thread(at_work)
    again(work.step)


def small_stack():
    """The smallest stack that Python gives, most of it in use: the thread sorts with a key function that computes."""
    size = 32768
    while True:
        try:
            threading.stack_size(size)
            break
        except ValueError:  # builds with larger frames want more
            size += 4096
    if sys.version_info >= (3, 14):  # so close to the end of its stack it puts off freeing objects for ever
        threading.stack_size(size + (128 << 10))

    def run():
        while True:
            done(sorted(range(3000), key=lambda n: -n)[:2] != [2999, 2998])
    for _ in range(2):
        thread(run)
    harness.ready()
    sleep()


def answer_on_stdin():
    for _ in iter(lambda: os.read(0, 1), b''):
        harness.say(**dict(count, wrong=count['wrong'] + work.step()))


def main_gone():
    """The first thread has ended, as pthread_exit does it; the others live on."""
    def first_state():
        with open('/proc/self/task/%d/stat' % os.getpid()) as stat:
            return stat.read().rpartition(')')[2].split()[0]

    def second():
        while first_state() != 'Z':
            time.sleep(0.001)
        harness.ready(by='stdin')
        answer_on_stdin()
    thread(at_work)
    thread(second)
    helper(keep_gil=False).tt_leave()


def coming_and_going():
    """Threads all the time."""
    def burst():
        threads = [thread(lambda: done(work.step())) for _ in range(8)]
        for t in threads:
            t.join()
        return 0
    burst()  # the C library's own signal handler is there from the first thread on
    again(burst)


def loader():
    """Loads and unloads libraries all the time."""
    names = ['libbz2.so.1.0', 'liblzma.so.5', 'libz.so.1', 'libexpat.so.1']
    close = libc().dlclose
    close.argtypes = [ctypes.c_void_p]

    def step():
        loaded = 0
        for name in names:
            try:
                handle = ctypes.CDLL(name)._handle
            except OSError:
                continue
            loaded += 1
            close(handle)
        return loaded == 0 or work.step()
    again(step)


# -- stacks and interpreters -----------------------------------------------------------------------------------------------------

def greenlets():
    import greenlet

    def plus_one(n):
        while True:
            n = greenlet.getcurrent().parent.switch(n + 1)

    def step():
        kept = [greenlet.greenlet(plus_one) for _ in range(50)]
        n = 0
        for _ in range(20):
            for g in kept:
                n = g.switch(n)
        return n != 1000
    again(step)


def gevents():
    import gevent

    def worker():
        while True:
            done(work.step())
            gevent.sleep(0)
    jobs = [gevent.spawn(worker) for _ in range(5)] + [gevent.spawn(gevent.sleep, FOREVER) for _ in range(50)]
    harness.ready()
    gevent.joinall(jobs)


def gevent_asleep():
    import gevent
    jobs = [gevent.spawn(gevent.sleep, FOREVER) for _ in range(50)]
    harness.ready()
    gevent.joinall(jobs)


def uv_loop():
    import asyncio
    import uvloop

    async def pump(reader, writer):
        while True:
            data = os.urandom(1000)
            writer.write(data)
            done(await reader.readexactly(1000) != data)

    async def echo(reader, writer):
        while True:
            writer.write(await reader.read(65536))

    async def main():
        server = await asyncio.start_server(echo, '127.0.0.1', 0)
        port = server.sockets[0].getsockname()[1]
        pumps = [asyncio.create_task(pump(*await asyncio.open_connection('127.0.0.1', port))) for _ in range(3)]
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: harness.say(**count))
        harness.ready()
        await asyncio.gather(*pumps)
    uvloop.install()
    asyncio.run(main())


def interpreters(forever):
    """Three more interpreters, each with a heap of its own."""
    try:
        import _interpreters as module
        create = lambda: module.create('legacy')
        run = module.run_string
    except ImportError:
        import _xxsubinterpreters as module
        create, run = module.create, module.run_string
    text = "import collections\nkept = [{'number': n, 'row': [n, str(n), (n,)]} for n in range(2000)]\n"
    ids = [create() for _ in range(3)]
    for i in ids:
        run(i, text)
    if not forever:
        harness.ready()
        sleep()
    again(lambda: [run(i, "assert sum(row['number'] for row in kept) == 1999000\nother = [list(range(n)) for n in range(100)]") for i in ids]
          and work.step())


def interpreters_asleep():
    interpreters(False)


def interpreters_busy():
    interpreters(True)


def interpreters_with_own_gil():
    """3.12 and later: interpreters that run at the same time, each under a GIL of its own."""
    try:
        import _interpreters as module
        create = lambda: module.create('isolated')
    except ImportError:
        import _xxsubinterpreters as module
        create = lambda: module.create(isolated=True)

    def other(i):
        while True:
            done(bool(module.run_string(i, "rows = [{'n': n, 'text': 'row %d' % n} for n in range(3000)]\n"
                                           "assert sum(row['n'] for row in rows) == 4498500\n")))
    for _ in range(2):
        thread(other, create())
    again(work.step)


# -- collector, imports ----------------------------------------------------------------------------------------------------------

def collector():
    """Collects a graph of some size all the time."""
    kept = [{'n': n, 'row': [n, (n,)]} for n in range(100000)]

    def step():
        ring = [[] for _ in range(100)]
        for left, right in zip(ring, ring[1:] + ring[:1]):
            left.append(right)
        del ring, left, right
        return gc.collect() < 100 or len(kept) != 100000
    gc.disable()
    again(step)


def finalizers():
    """Finalizers, weak references with callbacks, and resurrection, all the time."""
    import weakref
    seen = []

    class Thing:
        def __del__(self):
            seen.append(self.number)

    def step():
        calls, refs = [], []
        del seen[:]
        for number in range(300):
            thing = Thing()
            thing.number, thing.me = number, thing
            refs.append(weakref.ref(thing, calls.append))
        del thing
        gc.collect()
        seen_now = len(seen)
        gc.collect()
        return seen_now != 300 or len(calls) + sum(r() is not None for r in refs) < 300
    again(step)


def imports():
    names = 'colorsys fractions statistics textwrap string json.decoder csv html argparse'.split()

    def step():
        for name in names:
            for known in [m for m in sys.modules if m == name or m.startswith(name + '.')]:
                del sys.modules[known]
            importlib.import_module(name)
        return sys.modules['fractions'].Fraction(1, 3) + sys.modules['fractions'].Fraction(2, 3) != 1
    step()  # libraries stay
    again(step)


def compiles():
    text = '\n'.join('def f%d(a, b=%d):\n    return [x * b for x in a if x != %d]' % (n, n, n) for n in range(200))

    def step():
        space = {}
        exec(compile(text, '<text>', 'exec'), space)
        return space['f7']([1, 2, 7]) != [7, 14]
    again(step)


# -- signals and timers ----------------------------------------------------------------------------------------------------------

def timers():
    """SIGALRM, SIGVTALRM and SIGPROF once a millisecond, with handlers in Python, while it computes and sleeps."""
    fired = dict.fromkeys((signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF), 0)

    def handler(number, _):
        fired[number] += 1
    for number, which in zip(fired, (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)):
        signal.signal(number, handler)
        signal.setitimer(which, 0.001, 0.001)

    def step():
        before = sum(fired.values())
        start = time.monotonic()
        time.sleep(0.01)
        return work.step() + (time.monotonic() - start < 0.01) + (sum(fired.values()) == before)
    again(step)


def in_handler():
    """Inside a handler in Python nearly all of the time."""
    def handler(*_):
        done(work.step())
        signal.setitimer(signal.ITIMER_REAL, 0.001)
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    harness.ready()
    sleep()


def in_c_handler():
    """Inside a handler in C, on a stack of its own, nearly all of the time."""
    library = helper(keep_gil=True)
    library.tt_handle(signal.SIGALRM)
    harness.answers(lambda: {'wrong': library.tt_handled_wrong() + count['wrong'] + work.step(), 'rounds': library.tt_handled()})
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    again(work.step)


def parent():
    """Starts processes all the time, with a SIGCHLD handler that waits for any child: it must never see one of ours."""
    mine, seen, strange = set(), set(), []

    def reap(*_):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            seen.add(pid)
            if status != 7 << 8:
                strange.append(pid)

    signal.signal(signal.SIGCHLD, reap)

    def step():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        pid = os.fork()
        if pid == 0:
            os._exit(7)
        mine.add(pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        wrong = work.step()
        while pid not in seen:
            time.sleep(0.001)
        return wrong + len(strange) + len(seen - mine)
    again(step)


def ignores_children():
    """SIGCHLD ignored: the kernel reaps, and wait() comes back when the last child is gone; a child of ours would make it wait."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    def step():
        if os.fork() == 0:
            os._exit(7)
        try:
            os.wait()
            return 1
        except ChildProcessError:
            return work.step()
    again(step)


def waits():
    """Blocks in wait() for a child that does not end; ECHILD or a child of ours would end it."""
    signal.signal(signal.SIGCHLD, lambda *_: done(1))
    child = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    harness.ready()
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WSTOPPED | os.WCONTINUED)
    sys.exit('it saw a child that is not %d' % child.pid)


def blocked_signals():
    """All signals blocked in the thread that works; another one answers."""
    thread(lambda: (signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()), at_work()))
    harness.ready()
    sleep()


# -- memory ----------------------------------------------------------------------------------------------------------------------

MADV_HUGEPAGE, MADV_DONTFORK, MADV_WIPEONFORK = 14, 10, 18


def huge_pages():
    kept = mmap.mmap(-1, 64 << 20)
    address = ctypes.addressof(ctypes.c_char.from_buffer(kept))
    count['wrong'] += libc().madvise(ctypes.c_void_p(address), ctypes.c_size_t(64 << 20), MADV_HUGEPAGE) != 0
    for at in range(0, 64 << 20, 4096):
        kept[at] = at >> 12 & 255
    rows = [{'n': n} for n in range(100000)]
    again(lambda: any(kept[at] != at >> 12 & 255 for at in range(0, 64 << 20, 1 << 20)) or len(rows) != 100000)


def dont_fork():
    """The items of two large lists: no copy of the process has the one's (RDMA does that), and the other's are empty in a copy."""
    kept = [[[n] for n in range(200000)] for _ in range(2)]
    for rows, advice in zip(kept, (MADV_DONTFORK, MADV_WIPEONFORK)):
        items = ctypes.c_size_t.from_address(id(rows) + list.__basicsize__ - 16).value  # ob_item, before allocated
        first = (items + 4095) & ~4095
        size = (items + 8 * len(rows) - first) & ~4095
        count['wrong'] += libc().madvise(ctypes.c_void_p(first), ctypes.c_size_t(size), advice) != 0
    again(lambda: kept[0][100000] != [100000] or kept[1][100000] != [100000] or work.step())


def locked_memory():
    """Nothing of it may be swapped out: mlockall, present and future."""
    count['wrong'] += libc().mlockall(3) != 0
    again(work.step)


def hardened():
    """Nothing that was writable becomes executable (PR_SET_MDWE)."""
    if libc().prctl(65, ctypes.c_ulong(1), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
        harness.say(skip='this kernel has no PR_SET_MDWE')
        sys.exit()
    again(work.step)


def restartable_sequences():
    library = helper()
    if library.tt_rseq(1, 1) < 0:
        harness.say(skip='this C library has no restartable sequences')
        sys.exit()

    def run():
        while True:
            done(library.tt_rseq(4, 20000))
    thread(run)
    harness.ready()
    sleep()


def not_dumpable():
    """As after setuid: PR_SET_DUMPABLE 0."""
    count['wrong'] += libc().prctl(4, 0, 0, 0, 0) != 0
    harness.ready()
    sleep()


def few_files():
    """No file descriptor is left."""
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    kept = []
    try:
        while True:
            kept.append(os.open('/dev/null', os.O_RDONLY))
    except OSError:
        pass
    again(work.step)


def file_locks():
    """Holds locks of both kinds; a second process checks that they hold."""
    import fcntl
    import tempfile
    file = tempfile.TemporaryFile()
    file.write(b'x' * 100)
    file.flush()
    fcntl.lockf(file, fcntl.LOCK_EX, 50)
    other = os.open('/proc/self/fd/%d' % file.fileno(), os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX)
    script = ('import fcntl, os, sys\nfd = os.open(sys.argv[1], os.O_RDWR)\nheld = 0\n'
              'for lock in (fcntl.lockf, fcntl.flock):\n try:\n  lock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)\n except OSError:\n  held += 1\n'
              'sys.exit(held != 2)')
    path = '/proc/%d/fd/%d' % (os.getpid(), file.fileno())

    def answer():
        done(subprocess.run([sys.executable, '-c', script, path]).returncode)
        return count
    harness.answers(answer)
    harness.ready()
    sleep()


harness.answers(lambda: dict(count, wrong=count['wrong'] + work.step()))
globals()[KIND]()
