# SPDX-License-Identifier: MIT
"""zoo-app.py ORACLE [frozen]: one object of every kind (e2e/zoo.py) and what is planted (e2e/planted, told in ORACLE.plants), frozen together with a cycle that nothing holds. A child forked at that moment writes to the file ORACLE what Python
itself says of its heap; then the zoo sleeps in a call that changes nothing, so that a dump of it can be compared."""
import ctypes
import gc
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'e2e'))
import harness
import oracle
import planted
import zoo


# A bare fork(): what modules want done after a fork would change what is compared.
FORK = ctypes.PyDLL(None).fork


def consult(path):
    child = FORK()
    if child == 0:
        status = 1
        try:
            gc.unfreeze()
            oracle.write_oracle(path)
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


def main():
    animals, plants, cycle = zoo.build(), planted.plant(), 0
    with open(sys.argv[1] + '.plants', 'w') as file:
        json.dump(plants.list, file)
    marker = ['a local of the main thread']
    harness.answers(lambda: {'animals': len(animals)})
    gc.collect()
    if 'frozen' in sys.argv[2:]:
        ring = []
        ring.append(ring)
        cycle = id(ring)
        del ring
        gc.freeze()
    gc.disable()
    harness.ready(marker=id(marker), cycle=cycle)
    # The test asks once and then writes a byte: all code that answers has run before the oracle looks.
    os.read(0, 1)
    if consult(sys.argv[1]) != 0:
        sys.exit('the oracle failed')
    harness.say(consulted=True)
    os.read(0, 1)
    return marker


main()
