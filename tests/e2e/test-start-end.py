#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A program that is dumped while its interpreter starts or ends: a dump, or one line that says why there is none, and the program does not notice: same
output, nothing on stderr, exit code 0. HEAPDUMP_ROUNDS says how often (default: enough to notice, in CI's time)."""
import os
import random
import subprocess
import time

from support import interpreters
from support.folder import Folder, empty
from support.programs import HEAPDUMP, PATIENCE, heapanalyze, succeeds
from support.tap import Suite, equal

ROUNDS = int(os.environ.get('HEAPDUMP_ROUNDS', '3'))
SEED = int(os.environ.get('HEAPDUMP_SEED') or random.SystemRandom().randrange(10 ** 6))
WAYS = {'fork': (), 'inline': ('--mode', 'inline', '--timeout', '10'), 'tasks': ('--payload', 'tasks', '--timeout', '10')}
suite = Suite()

# Most of its life is the start: modules with many parts, found in many folders.
STARTS = '''
import asyncio, concurrent.futures, decimal, email.mime.text, http.client, logging.config, multiprocessing, unittest, xml.dom.minidom, sqlite3
print(sum(range(1000)))
'''

# And of this one's the end: handlers of many kinds, a heap that is taken apart, and finalizers that take their time, asleep and at work, when the
# modules are being cleared.
ENDS = '''
import atexit, os, threading, time, weakref
class Node:
    def __init__(self, number):
        self.number, self.me = number, self
    def __del__(self):
        count[0] += 1
class Slow:
    def __del__(self, work=sum, numbers=range(2 * 10 ** 7), sleep=time.sleep, write=os.write):
        sleep(0.2)
        work(numbers)
        write(1, b'slow\\n')
count = [0]
kept = [Node(n) for n in range(10000)]
rows = [{'n': n, 'row': [n, (n,)]} for n in range(50000)]
slow = Slow()
def last():
    kept.clear()
    time.sleep(0.2)
    os.write(1, b'last %d\\n' % len(rows))
atexit.register(last)
weakref.finalize(rows[0].setdefault('self', Node(-1)), os.write, 1, b'finalized\\n')
threading.Thread(target=lambda: sum(range(10 ** 6)), name='other').start()
os.write(1, b'end\\n')
'''
SAYS = {STARTS: b'499500\n', ENDS: b'end\nfinalized\nlast 50000\nslow\n'}


def start(interpreter, text, stage):
    return subprocess.Popen([interpreter.path, '-c', text], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**os.environ, 'TMPDIR': stage, 'PYTHONDONTWRITEBYTECODE': '1'})


def finish(process, text, what):
    out, err = process.communicate(timeout=PATIENCE)
    equal((process.returncode, out, err), (0, SAYS[text], b''), f'exit code, output and errors of the program; {what}')


def length(interpreter, text, stage):
    begin = time.monotonic()
    finish(start(interpreter, text, stage), text, 'nobody dumped it')
    return time.monotonic() - begin


def follows(process, text):
    """Waits until that part of its life begins that is of interest."""
    if text is ENDS:
        line = os.read(process.stdout.fileno(), 4)
        equal(line, b'end\n', 'first line')
        return line
    return b''


def dumped(interpreter, text, way):
    chance, worked, said = random.Random(f'{SEED} {interpreter} {way}'), 0, {}
    with Folder() as folder, Folder() as stage:
        life = min(length(interpreter, text, stage) for _ in range(3))
        for attempt in range(ROUNDS):
            path = f'{folder}/x.heap'
            process = start(interpreter, text, stage)
            first = follows(process, text)
            try:
                process.wait(chance.uniform(0, life))
            except subprocess.TimeoutExpired:
                pass
            run = subprocess.run([HEAPDUMP, '-q', *WAYS[way], '-o', path, str(process.pid)], stdin=subprocess.DEVNULL, capture_output=True,
                                 text=True, check=False, timeout=PATIENCE)
            what = f'attempt {attempt}, seed {SEED}; the dump: exit {run.returncode}, {run.stderr!r}'
            out, err = process.communicate(timeout=PATIENCE)
            equal((process.returncode, first + out, err), (0, SAYS[text], b''), f'exit code, output and errors of the program; {what}')
            if run.returncode == 0:
                worked += 1
                if way != 'tasks':
                    succeeds(heapanalyze('info', path))
                os.unlink(path)
            else:
                equal(len(run.stderr.splitlines()), 1, f'lines said; {what}')
                reason = run.stderr.strip().replace(str(process.pid), 'PID')
                said[reason] = said.get(reason, 0) + 1
            empty(folder)
            empty(stage)
    print(f'# {worked} of {ROUNDS} dumped')
    for reason, times in said.items():
        print(f'# {times} × {reason}')


for interpreter in interpreters.dumpable():
    ways = list(WAYS) if interpreter is interpreters.newest() else ['fork']
    for way in ways:
        suite.case(f'while it starts, {way} · {interpreter}', dumped, interpreter, STARTS, way)
        suite.case(f'while it ends, {way} · {interpreter}', dumped, interpreter, ENDS, way)
suite.run()
