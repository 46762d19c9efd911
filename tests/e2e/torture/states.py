# SPDX-License-Identifier: MIT
"""The states of a target that the torture suite knows, as a table. What is asked of each: that a dump works, or that it is refused with a word that
says why, and that the target is unharmed either way."""
import os

from support.tap import Skip

HERE = os.path.dirname(os.path.abspath(__file__))
DEBIAN = '/usr/lib/python3/dist-packages'
LIBRARIES = '/usr/lib/x86_64-linux-gnu'


class State:
    """refused: it must be, not dumped. may_refuse: the live target (every way but fork) may be left alone, with a word. changing: what the
    target itself changes all the time (names of procstate's facts). moments: what it changes for moments, so that what is there all the time
    must be as before. still: nothing in it moves, so that every mapping must be as before."""

    def __init__(self, name, script, *arguments, refused=None, changing=(), moments=(), still=False, environment=None, preload=None, needs=None,
                 since=(3, 8), partly=False, may_refuse=None):
        self.name, self.script, self.arguments = name, script, arguments
        self.refused, self.changing, self.moments, self.still = refused, set(changing), tuple(moments), still
        self.environment, self.preload, self.needs, self.since = environment or {}, preload, needs, since
        self.partly, self.may_refuse = partly, may_refuse

    def check(self, interpreter):
        """Raises Skip when this state cannot be tried with that interpreter."""
        if interpreter.version[:2] < self.since:
            raise Skip('since Python %d.%d' % self.since)
        if not interpreter.gil and self.environment.get('PYTHONMALLOC') == 'malloc':
            raise Skip('a free-threaded interpreter has but one allocator')
        if self.preload and not os.path.exists(self.preload):
            raise Skip(f'there is no {self.preload}')
        if self.needs and not (interpreter.path.startswith('/usr/bin/') and os.path.isdir(f'{DEBIAN}/{self.needs}')):
            raise Skip(f'this interpreter has no {self.needs}')


def asleep(kind, name=None):
    return State(name or kind, 'sleeper.py', kind, still=True)


def busy(kind, name=None, **more):
    return State(name or kind, 'busy.py', kind, **more)


def odd(kind, name, **more):
    return State(name, os.path.join(HERE, 'odd.py'), kind, **more)


MEMORY = ('executable mappings', 'mappings of files', 'code')
THREADS = ('threads', 'Threads')
SIGNALS = ('SigPnd', 'ShdPnd', 'SigBlk', 'threads')

STATES = [
    asleep('sleep', 'asleep for hours in one call'),
    asleep('epoll'),
    asleep('poll'),
    asleep('select'),
    asleep('lock', 'waits for a lock'),
    asleep('queue', 'waits for a queue'),
    asleep('condition', 'waits for a condition, with a timeout'),
    asleep('join', 'waits for a thread'),
    asleep('input', 'input()'),
    asleep('read', 'reads a socket'),
    asleep('accept'),
    asleep('wait', 'waits for a child process'),
    asleep('sigwait'),
    asleep('asyncio', 'asyncio, 50 tasks'),
    busy('loop', 'pure Python loop'),
    busy('work', 'computes'),
    busy('storm', 'allocation storm'),
    odd('long_sum', 'long call in C: sum(range())'),
    odd('long_regex', 'long call in C: catastrophic regex'),
    odd('long_sort', 'long call in C: sort'),
    odd('long_multiplication', 'long call in C: big integers'),
    odd('vectors_with_gil', 'vector registers in use, GIL kept'),
    odd('malloc_with_gil', 'inside malloc, GIL kept', may_refuse=True),
    odd('malloc_without_gil', 'inside malloc, three threads without GIL'),
    odd('c_threads', 'C threads that Python does not know', moments=('descriptors',)),
    odd('contended', '8 threads contend for the GIL'),
    odd('hundred_threads', '100 threads'),
    odd('coming_and_going', 'threads come and go', changing=THREADS, moments=('SigBlk',)),  # pthread_create() blocks all
    odd('small_stack', 'threads on stacks of 32 KiB'),
    odd('main_gone', 'the main thread has ended'),
    odd('greenlets', 'greenlet', needs='greenlet'),
    odd('gevents', 'gevent, busy', needs='gevent'),
    odd('gevent_asleep', 'gevent, asleep', needs='gevent'),
    odd('uv_loop', 'uvloop', needs='uvloop'),
    odd('interpreters_asleep', 'four interpreters, asleep'),
    odd('interpreters_busy', 'four interpreters, busy', moments=('descriptors',)),  # 3.14+ reads /proc for each new one
    odd('interpreters_with_own_gil', 'three interpreters, each with its GIL', since=(3, 12)),
    odd('collector', 'inside the collector'),
    odd('finalizers', 'finalizers and weak references'),
    odd('imports', 'during import', moments=('descriptors',) + MEMORY),
    odd('loader', 'loads and unloads libraries', moments=('descriptors',) + MEMORY),
    odd('compiles', 'compiles'),
    odd('timers', 'three timers of 1 ms, Python handlers', moments=SIGNALS),
    odd('in_handler', 'inside a signal handler', moments=SIGNALS),
    odd('in_c_handler', 'inside a signal handler in C, on its own stack', moments=SIGNALS),
    odd('parent', 'forks, reaps all children', moments=SIGNALS + ('children', 'descriptors')),  # os.fork() reads /proc/self/stat
    odd('ignores_children', 'forks, SIGCHLD ignored', moments=SIGNALS + ('children', 'descriptors')),
    odd('waits', 'waits for any child', still=True),
    odd('blocked_signals', 'all signals blocked'),
    odd('huge_pages', 'huge pages'),
    odd('dont_fork', 'memory that a fork leaves out', partly=True),
    odd('locked_memory', 'locked memory (mlockall)'),
    odd('hardened', 'no memory may become executable'),
    odd('restartable_sequences', 'restartable sequences', changing=THREADS),
    odd('not_dumpable', 'not dumpable', still=True),
    odd('few_files', 'no file descriptor left', may_refuse=True),
    odd('file_locks', 'holds file locks'),
    busy('storm', 'MALLOC_PERTURB_', environment={'MALLOC_PERTURB_': '165', 'PYTHONMALLOC': 'malloc'}),
    busy('storm', "Python's own memory debugger", environment={'PYTHONMALLOC': 'debug'}),
    busy('storm', 'malloc in huge pages', environment={'GLIBC_TUNABLES': 'glibc.malloc.hugetlb=1', 'PYTHONMALLOC': 'malloc'}),
    odd('malloc_with_gil', 'jemalloc', may_refuse=True, preload=f'{LIBRARIES}/libjemalloc.so.2', environment={'PYTHONMALLOC': 'malloc'}),
    odd('malloc_with_gil', 'tcmalloc', may_refuse=True, preload=f'{LIBRARIES}/libtcmalloc_minimal.so.4', environment={'PYTHONMALLOC': 'malloc'}),
]
