# SPDX-License-Identifier: MIT
"""busy.py KIND [N]: never sleeps. loop: pure Python · work: what work.py knows the results of · storm: allocates and frees all the time ·
regex, bigint: long calls in C that keep the GIL · threads: N threads (8) that contend for the GIL, each doing work.py's work ·
collect: collects garbage all the time."""
import gc
import re
import sys
import threading

import harness
import work

KIND = sys.argv[1]
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 8
rounds = [0] * COUNT
wrong = [0] * COUNT


def loop(_):
    total = 0
    for number in range(20000):
        total += number & 7
    return total != 70000


def compute(_):
    return work.step()


def storm(index):
    rows = [{'number': n, 'text': 'row %d' % n, 'parts': [n, (n, str(n)), {n}]} for n in range(500)]
    if index % 7 == 0:
        gc.collect()
    return sum(row['parts'][1][1] == str(row['number']) for row in rows) != 500


def regex(_):
    return re.match(r'(a+)+$', 'a' * 19 + 'b') is not None


def bigint(_):
    return pow(3, 60001, 10 ** 1201 + 7) % 10 ** 6 != BIGINT


def collect(_):
    ring = [[] for _ in range(100)]
    for left, right in zip(ring, ring[1:] + ring[:1]):
        left.append(right)
    del ring, left, right
    return gc.collect() < 100


def repeat(step, index):
    while True:
        wrong[index] += step(rounds[index])
        rounds[index] += 1


BIGINT = pow(3, 60001, 10 ** 1201 + 7) % 10 ** 6 if KIND == 'bigint' else None
STEP = compute if KIND in ('work', 'threads') else globals()[KIND]
harness.answers(lambda: {'wrong': sum(wrong), 'rounds': sum(rounds)})
gc.disable() if KIND == 'collect' else None
if KIND == 'threads':
    sys.setswitchinterval(1e-4)
    for number in range(1, COUNT):
        threading.Thread(target=repeat, args=(STEP, number), daemon=True, name='worker-%d' % number).start()
harness.ready()
repeat(STEP, 0)
