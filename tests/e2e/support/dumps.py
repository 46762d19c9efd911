# SPDX-License-Identifier: MIT
"""Dumps to read: made once a suite, of a small target."""
import atexit
import os
import shutil
import tempfile

from . import interpreters
from .programs import heapdump, succeeds
from .target import Target

_kept = {}


def dump(target, path, *options):
    """Dumps a target; the path is checked to be what the program says it wrote."""
    result = succeeds(heapdump(*options, '-o', path, target.pid))
    assert result.text.splitlines()[-1:] == [path], result
    return path


def small(suffix='.heap'):
    """The path of a dump of a program that sleeps with 50 tasks in asyncio."""
    if not _kept:
        folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, folder)
        with Target(interpreters.newest(), 'sleeper.py', 'asyncio') as target:
            for ending in ('.heap', '.heap.zst', '.heap.gz'):
                _kept[ending] = dump(target, os.path.join(folder, 'small' + ending))
    return _kept[suffix]
