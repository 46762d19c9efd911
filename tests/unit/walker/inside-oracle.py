# SPDX-License-Identifier: MIT
"""Runs in the interpreter under test: inside-oracle.py LIBRARY FOLDER HOW. Walks the zoo and asks Python about the same moment; what was
planted in it (e2e/planted) goes to FOLDER/plants.

HOW: ghost, asleep (forked by a thread that does not hold the GIL), library (as linked, not the blob), frozen (everything in the permanent generation), inline (in this process, several times:
nothing of it may stay)."""
import gc
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '../../e2e')]

import inprocess  # noqa: E402
import oracle  # noqa: E402
import planted  # noqa: E402
import zoo  # noqa: E402


def fail(*what):
    sys.__excepthook__(*what)
    sys.stderr.flush()
    os._exit(1)


def lines(path):
    with open(path) as file:
        return file.read().splitlines()


def mapped():
    return [line for line in lines('/proc/self/status') if line.startswith('VmSize')]


def signals():
    """All but SigQ, which counts for the user."""
    return [line for line in lines('/proc/self/status') if line.startswith(('SigP', 'SigB', 'SigI', 'SigC'))]


def inline(harness, data):
    """The interpreter is as it was: counts, memory, signals, descriptors. Python itself may map an arena meanwhile, but not every time."""
    types = int, str, dict, object, zoo.Sized, zoo.Instance
    unchanged = 0
    for _ in range(8):
        before = (mapped(), [sys.getrefcount(t) for t in types], len(os.listdir('/proc/self/fd')),
                  signals())
        result = harness.run(data, mode=inprocess.INLINE)
        after = (mapped(), [sys.getrefcount(t) for t in types], len(os.listdir('/proc/self/fd')),
                 signals())
        unchanged += before == after
        if unchanged == 2:
            return result
    sys.exit('changed by an inline walk: %r, %r' % (before, after))


def oracle_of(path, how):
    if how == 'frozen':
        gc.unfreeze()  # gc.get_objects() does not show what is frozen; the walker's snapshot is another process
    oracle.write_oracle(path)


def main():
    sys.excepthook = fail
    library, folder, how = sys.argv[1:]
    keep = zoo.build(), planted.plant()
    with open(os.path.join(folder, 'plants'), 'w') as file:
        json.dump(keep[1].list, file)
    gc.collect()
    gc.disable()
    harness = inprocess.Harness(library)
    if how == 'frozen':
        gc.freeze()
    data = os.path.join(folder, 'heap')
    if how == 'inline':
        result = inline(harness, data)
    else:
        result = harness.run(data, os.path.join(folder, 'result.json'), blob=how != 'library', asleep=how == 'asleep',
                             oracle=lambda: oracle_of(os.path.join(folder, 'oracle'), how))
    if result['status'] or result['skipped'] or result['exit']:
        sys.exit('the walk failed: %r' % result)
    sys.stdout.flush()
    os._exit(0 if keep else 1)


main()
