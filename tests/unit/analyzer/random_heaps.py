# SPDX-License-Identifier: MIT
"""What the oracles of random heaps share: they are called with WRITE-DUMP HEAPANALYZE [ROUNDS], make a dump of each of ROUNDS random heaps and hold
what heapanalyze says of it against networkx."""
import json
import os
import random
import subprocess
import sys
import tempfile

try:
    import networkx
except ImportError:
    networkx = None

WRITE_DUMP, HEAPANALYZE = (os.path.abspath(path) for path in sys.argv[1:3])


def ask(path, *arguments):
    """What heapanalyze ARGUMENTS --json prints of a dump, as an object."""
    run = subprocess.run([HEAPANALYZE, *arguments, '--json', path], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(run.stdout)


def failure(make, check, rounds):
    """None, or the lines that tell which seed fails, how, and its heap."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'random.heap')
        for seed in range(rounds):
            rnd = random.Random(seed)
            heap = make(rnd)
            text = '\n'.join(heap.text()) + '\n'
            subprocess.run([WRITE_DUMP, path], input=text.encode(), check=True)
            try:
                check(heap, path, rnd)
            except AssertionError as error:
                return [f'seed {seed}: {error}', *text.splitlines()]
    return None


def run(name, make, check, rounds):
    """Reports one TAP point and ends the program. make(rnd) gives a heap whose text() is what WRITE-DUMP reads; check(heap, path, rnd) asserts."""
    print('1..1')
    must_work = os.environ.get('HEAPDUMP_MUST_WORK') == '1'
    if networkx is None:
        missing = 'networkx is missing: tools/setup --test installs it'
        print(f'not ok 1 - {name}\n# {missing}' if must_work else f'ok 1 - {name} # SKIP {missing}')
        sys.exit(must_work)
    wrong = failure(make, check, int(sys.argv[3]) if len(sys.argv) > 3 else rounds)
    print(f"{'not ok' if wrong else 'ok'} 1 - {name}", *wrong or (), sep='\n# ')
    sys.exit(bool(wrong))
