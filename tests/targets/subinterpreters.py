# SPDX-License-Identifier: MIT
"""subinterpreters.py: has one subinterpreter that shares the GIL and, since 3.12, one with a GIL of its own; each keeps an object of its own."""
import sys
import time

import harness

if sys.version_info >= (3, 13):
    import _interpreters as interpreters
    KINDS = ('legacy', 'isolated')
else:
    import _xxsubinterpreters as interpreters
    KINDS = (False, True) if sys.version_info >= (3, 12) else (False,)

# Made at run time, so that no constant of this program is the same.
SCRIPT = 'class Kept:\n    def __init__(self, what):\n        self.what = what\nkept = Kept("".join(["kept in ", %r]))\n'


def make(kind, name):
    if sys.version_info >= (3, 13):
        number = interpreters.create(kind)
    else:
        number = interpreters.create(isolated=kind) if sys.version_info >= (3, 9) else interpreters.create()
    getattr(interpreters, 'exec', interpreters.run_string)(number, SCRIPT % name)
    return number


numbers = [make(kind, name) for kind, name in zip(KINDS, ('legacy', 'isolated'))]
harness.answers(lambda: {'numbers': len(numbers)})
harness.ready(kept=['kept in legacy', 'kept in isolated'][:len(numbers)])
while True:
    time.sleep(10 ** 6)
