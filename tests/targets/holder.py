# SPDX-License-Identifier: MIT
"""holder.py PATH: a heap of some size, a socket that listens as standard input and another one, a lock of both kinds on PATH, handlers at fork and at exit, a
SIGCHLD handler. Lets go of sockets and locks at SIGUSR2; the answer to SIGUSR1 tells what it noticed."""
import atexit
import ctypes
import fcntl
import os
import signal
import socket
import sys
import time

import harness

noticed = []
atexit.register(noticed.append, 'at exit')
os.register_at_fork(before=lambda: noticed.append('before fork'), after_in_parent=lambda: noticed.append('after fork'))
HANDLER = ctypes.CFUNCTYPE(None)
at_fork = [HANDLER(lambda: noticed.append('fork, in C')) for _ in range(3)]
register = getattr(ctypes.CDLL(None), '__register_atfork', None)
if register is not None:
    register(*at_fork, None)
signal.signal(signal.SIGCHLD, lambda *_: noticed.append('SIGCHLD'))
rows = [{'number': n, 'text': 'row %d' % n} for n in range(200000)]

server, other = socket.socket(), socket.socket()
for s in (server, other):
    s.bind(('127.0.0.1', 0))
    s.listen()
kept_input = os.dup(0)
os.dup2(server.fileno(), 0)
ports = [s.getsockname()[1] for s in (server, other)]
server.close()
file = open(sys.argv[1], 'w')
fcntl.lockf(file, fcntl.LOCK_EX)
again = os.open('/proc/self/fd/%d' % file.fileno(), os.O_RDWR)
fcntl.flock(again, fcntl.LOCK_EX)


def let_go(*_):
    os.dup2(kept_input, 0)
    other.close()
    fcntl.lockf(file, fcntl.LOCK_UN)
    os.close(again)
    harness.say(gone=True)


signal.signal(signal.SIGUSR2, let_go)
harness.answers(lambda: {'noticed': noticed, 'rows': len(rows)})
harness.ready(ports=ports)
while True:
    time.sleep(1000)
