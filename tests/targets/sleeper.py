# SPDX-License-Identifier: MIT
"""sleeper.py KIND: sleeps for ever in one call: sleep, epoll, poll, select, lock, queue, condition, join, input, read, accept, wait (for
a child), sigwait, asyncio. Nothing else runs, so whatever changes in it, the dumper did."""
import asyncio
import queue
import select
import signal
import socket
import subprocess
import sys
import threading
import time

import harness
import work

FOREVER = 10 ** 6
KIND = sys.argv[1]
ENDS = socket.socketpair()
CHILD = None


def by_sleep():
    return lambda: time.sleep(FOREVER)


def by_epoll():
    epoll = select.epoll()
    epoll.register(ENDS[0], select.EPOLLIN)
    return epoll.poll


def by_poll():
    poll = select.poll()
    poll.register(ENDS[0], select.POLLIN)
    return poll.poll


def by_select():
    return lambda: select.select([ENDS[0]], [], [])


def by_lock():
    lock = threading.Lock()
    lock.acquire()
    return lock.acquire


def by_queue():
    return queue.Queue().get


def by_condition():
    condition = threading.Condition()
    condition.acquire()
    return lambda: condition.wait(FOREVER)


def by_join():
    thread = threading.Thread(target=time.sleep, args=(FOREVER,), daemon=True)
    thread.start()
    return thread.join


def by_input():
    return input


def by_read():
    return lambda: ENDS[0].recv(1)


def by_accept():
    server = socket.socket()
    server.bind(('127.0.0.1', 0))
    server.listen()
    return server.accept


def by_wait():
    return CHILD.wait


def by_sigwait():
    return lambda: signal.sigwaitinfo([signal.SIGUSR2])


def by_asyncio():
    async def forever():
        sleeps = [asyncio.create_task(asyncio.sleep(FOREVER)) for _ in range(50)]
        await asyncio.sleep(0)
        harness.ready(child=None)
        await asyncio.gather(*sleeps)
    return lambda: asyncio.run(forever())


def answer():
    return {'wrong': work.step(), 'kind': KIND, 'threads': threading.active_count(),
            'child': CHILD.poll() if CHILD else None}


harness.answers(answer)
if KIND == 'wait':
    # cat ends when this process does, since only this one has the pipe's other end
    CHILD = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
sleep = globals()['by_' + KIND]()
if KIND != 'asyncio':
    harness.ready(child=CHILD.pid if CHILD else None)
sleep()
sys.exit('woken up')
