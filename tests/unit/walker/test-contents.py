# SPDX-License-Identifier: MIT
"""inside-contents.py, inside-stacks.py and inside-redact.py in every interpreter of this machine. HEAPDUMP_HARNESS: libwk-harness.so."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "e2e"))

from support import interpreters
from support.tap import Skip, Suite, check

suite = Suite()


def inside(script, interpreter):
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([interpreter.path, "-W", "ignore", os.path.join(HERE, script),
                              os.environ["HEAPDUMP_HARNESS"], folder], capture_output=True, text=True, errors="replace", timeout=600)
        check(run.returncode == 0, lambda: f"exit {run.returncode}\n{run.stdout[-8000:]}\n{run.stderr[-4000:]}")


def none():
    raise Skip("there is no CPython to look into")


for found in interpreters.loading():
    suite.case(f"contents, roots and frames of {found}", inside, "inside-contents.py", found)
    suite.case(f"evaluation stacks of {found}", inside, "inside-stacks.py", found)
    suite.case(f"redacted contents of {found}", inside, "inside-redact.py", found)
if not suite.cases:
    suite.case("contents, roots and frames", none)
suite.run()
