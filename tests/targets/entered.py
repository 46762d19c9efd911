# SPDX-License-Identifier: MIT
"""entered.py KIND: programs that a payload is led into. sleep: does nothing · deadlines: waits with time limits in many ways and counts those that
ended early · signals CALL: waits for ever in one kind of call that must see every signal · hold: keeps the GIL inside a sleeping C call until a signal comes
· registers LIBRARY: sleeps inside a C function that knows what every register held · cycles: makes garbage that only a collection frees."""
import ctypes
import gc
import os
import select
import signal
import subprocess
import sys
import threading
import time

import harness

KIND = sys.argv[1]
counts = {}
FINALIZED = []
ANSWERS = []


def facts():
    """What a payload must leave alone."""
    ANSWERS.append(1)
    return {
        'names': sorted(sys.modules['__main__'].__dict__),
        'modules': sorted(sys.modules),
        'threads': sorted(thread.name for thread in threading.enumerate()),
        'last': [name for name in dir(sys) if name.startswith('last_')],
        'handlers': [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGUSR2, signal.SIGTERM)],
        'streams': [sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__],
        'collector': [gc.isenabled(), gc.get_threshold()],
        'counts': counts,
        'finalized': len(FINALIZED),
    }


def by_sleep():
    while True:
        time.sleep(1000)


def timed(name, limit, wait):
    start = time.monotonic()
    wait(limit)
    # a timer's own granularity: clocks of a kernel with 100 Hz differ by one tick
    early = time.monotonic() - start < limit - 0.011
    counts[name] = counts.get(name, 0) + 1
    counts['early'] = counts.get('early', 0) + early


def by_deadlines():
    reader, writer = os.pipe()
    epoll, poll = select.epoll(), select.poll()
    epoll.register(reader, select.EPOLLIN)
    poll.register(reader, select.POLLIN)
    lock, condition = threading.Lock(), threading.Condition()
    lock.acquire()

    def on_condition(limit):
        with condition:
            condition.wait(limit)

    while True:
        timed('sleep', 0.07, time.sleep)
        timed('select', 0.07, lambda limit: select.select([reader], [], [], limit))
        timed('poll', 0.07, lambda limit: poll.poll(limit * 1000))
        timed('epoll', 0.07, lambda limit: epoll.poll(limit))
        timed('lock', 0.07, lambda limit: lock.acquire(timeout=limit))
        timed('condition', 0.07, on_condition)
        timed('child', 0.07, lambda limit: signal.sigtimedwait([signal.SIGWINCH], limit))


def by_signals():
    """A wait that lasts for ever: a signal that does not interrupt it is never answered."""
    lock = threading.Lock()
    lock.acquire()
    reader, _ = os.pipe()
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    wait = {'sleep': lambda: time.sleep(10 ** 6), 'read': lambda: os.read(reader, 1), 'poll': poll.poll, 'lock': lock.acquire,
            'select': lambda: select.select([reader], [], []), 'pause': signal.pause}[sys.argv[2]]
    while True:
        wait()


def woken(*_):
    counts['woken'] = counts.get('woken', 0) + 1
    harness.say(woken=counts['woken'])


def by_hold():
    while not ANSWERS:  # every target is asked once when it is ready: that must not end the call
        select.select([], [], [], 0.01)
    ctypes.PyDLL(None).sleep(10 ** 6)
    by_sleep()


def by_registers():
    library = ctypes.CDLL(sys.argv[2])
    while True:
        wrong = library.keep_registers(20)
        counts['rounds'] = counts.get('rounds', 0) + 20
        counts['wrong'] = counts.get('wrong', 0) + wrong


class Finalized:
    def __del__(self):
        FINALIZED.append(1)


def make_cycles():
    gc.disable()
    for _ in range(100):
        one = Finalized()
        one.myself = one


by_cycles = by_sleep


harness.answers(facts)
signal.signal(signal.SIGUSR2, woken)
if KIND == 'cycles':
    make_cycles()
harness.ready()
globals()['by_' + KIND]()
