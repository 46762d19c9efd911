# SPDX-License-Identifier: MIT
"""Runs cases and reports them as TAP. A case is a function that raises to fail; Skip tells why something cannot be tried here,
and is itself a failure when HEAPDUMP_MUST_WORK=1."""
import os
import sys
import time
import traceback

MUST_WORK = os.environ.get('HEAPDUMP_MUST_WORK') == '1'


class Skip(Exception):
    """What the case needs is not on this machine; the message says what."""


class Mismatch(AssertionError):
    """What came out differs from what was expected."""


def check(condition, message):
    if not condition:
        raise Mismatch(message() if callable(message) else message)


def equal(actual, expected, what):
    check(actual == expected, lambda: f'{what}: expected {expected!r}, got {actual!r}')


class Suite:
    def __init__(self):
        self.cases = []

    def case(self, name, function=None, *arguments):
        """Adds a case; without a function, a decorator."""
        if function is None:
            return lambda f: self.cases.append((name, f, ())) or f
        self.cases.append((name, function, arguments))
        return function

    def run(self):
        """Runs every case whose name holds the command line's argument, if there is one; ends the program."""
        wanted = sys.argv[1] if len(sys.argv) > 1 else ''
        cases = [case for case in self.cases if wanted in case[0]]
        if not cases:
            print('1..1\nnot ok 1 - there is something to test')
            sys.exit(1)
        print(f'1..{len(cases)}', flush=True)
        failures = 0
        for number, (name, function, arguments) in enumerate(cases, 1):
            start = time.monotonic()
            details, skipped, good = '', '', True
            try:
                function(*arguments)
            except Skip as why:
                good, skipped = not MUST_WORK, str(why)
            except Mismatch as why:
                good, details = False, str(why)
            except Exception:  # an unforeseen error is a failure of this case, not of the suite
                good, details = False, traceback.format_exc()
            failures += not good
            suffix = f' # SKIP {skipped}' if skipped and good else ''
            print(f"{'ok' if good else 'not ok'} {number} - {name}{suffix}")
            print(f'# {time.monotonic() - start:.2f} s')
            if skipped and not good:
                details = f'skipped, and nothing may be skipped here: {skipped}'
            for line in details.splitlines():
                print(f'# {line}')
            sys.stdout.flush()
        sys.exit(1 if failures else 0)
