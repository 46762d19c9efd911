# SPDX-License-Identifier: MIT
"""The tables of facts against the headers and live objects of every interpreter of this machine that has its internal headers."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "..", "..", "..")
sys.path.insert(0, os.path.join(HERE, "..", "..", "e2e"))

from support import interpreters
from support.tap import Skip, Suite, check

suite = Suite()


def facts(interpreter):
    run = subprocess.run([sys.executable, os.path.join(SOURCE, "walker", "facts", "generate.py"), "--check", interpreter.path],
                         capture_output=True, text=True, timeout=300)
    check(run.returncode == 0, lambda: run.stdout + run.stderr)
    if "no internal headers" in run.stderr:
        raise Skip(f"{interpreter.path} has no internal headers")


def none():
    raise Skip("there is no CPython to compare with")


by_version = {}
for found in interpreters.dumpable():
    by_version[found.version, found.debug] = found
for found in by_version.values():
    suite.case(f"facts of {found}", facts, found)
if not suite.cases:
    suite.case("facts", none)
suite.run()
