# SPDX-License-Identifier: MIT
"""The Pythons of this machine: pyenv's, wherever it keeps them, those in /usr/bin, and those that tests/targets/pythons
fetched to $HEAPDUMP_TARGETS: only where that is set, since every one of them takes its time."""
import glob
import os
import re
import subprocess

from .tap import Skip

OLDEST, NEWEST = (3, 8), (3, 15)
FREE_THREADED = [(3, 13)]

PROBE = """
import sys
kind = getattr(getattr(sys, 'implementation', None), 'name', 'pypy' if hasattr(sys, 'pypy_version_info') else 'cpython')
gil = getattr(sys, '_is_gil_enabled', lambda: True)()
debug = hasattr(sys, 'gettotalrefcount')
try:
    libc = __import__('os').confstr('CS_GNU_LIBC_VERSION').split()[1]
except (ValueError, AttributeError, IndexError):
    libc = '0'
print('%s %d.%d.%d %d %d %s' % ((kind,) + tuple(sys.version_info[:3]) + (gil, debug, libc)))
"""


class Interpreter:
    def __init__(self, path, implementation, version, gil, debug, libc):
        self.path = path
        self.implementation = implementation
        self.version = version
        self.debug = debug
        self.libc = libc
        self.gil = gil
        self.dumpable = implementation == 'cpython' and OLDEST <= version[:2] <= NEWEST and (gil or version[:2] in FREE_THREADED)
        where = 'pyenv' if '/versions/' in path else 'system' if path.startswith('/usr/bin/') else 'fetched'
        kind = where + ', debug' * debug + ', free-threaded' * (not gil)
        self.name = f"{implementation} {'.'.join(map(str, version))} ({kind})"

    def __str__(self):
        return self.name


def numbers(text):
    return tuple(map(int, text.split('.')))


def probe(path):
    try:
        run = subprocess.run([path, '-c', PROBE], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        implementation, version, gil, debug, libc = run.stdout.split()
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return Interpreter(path, implementation, numbers(version), gil == '1', debug == '1', numbers(libc))


def candidates():
    root = os.environ.get('PYENV_ROOT') or os.path.expanduser('~/.pyenv')
    for folder in sorted(glob.glob(f'{root}/versions/*/bin')):
        for name in ('python3', 'python', 'pypy3', 'pypy'):
            if os.path.exists(f'{folder}/{name}'):
                yield f'{folder}/{name}'
                break
    for path in sorted(glob.glob('/usr/bin/python[23]*') + glob.glob('/usr/bin/pypy*')):
        if re.search(r'/(python[23]\.\d+[dt]*|pypy3?)$', path):
            yield path
    for path in sorted(glob.glob(os.environ.get('HEAPDUMP_TARGETS', '/nonexistent') + '/3.*/usr/bin/3.*')):
        if path.endswith('/usr/bin/' + path.split('/')[-4]):
            yield path


_found = []


def find():
    """Every interpreter, oldest first, each executable once."""
    if not _found:
        executables = set()
        for path in candidates():
            real = os.path.realpath(path)
            if real not in executables:
                executables.add(real)
                interpreter = probe(path)
                if interpreter:
                    _found.append(interpreter)
        _found.sort(key=lambda i: (i.version, i.path))
    return _found


def dumpable():
    return [i for i in find() if i.dumpable]


def loading():
    """Those of them that a library built here can be loaded into: their C library is not older."""
    here = numbers(os.confstr('CS_GNU_LIBC_VERSION').split()[1])
    return [i for i in dumpable() if i.libc >= here]


def newest():
    """One interpreter for tests that do not depend on the version: the system's own if it will do."""
    found = dumpable()
    if not found:
        raise Skip('there is no CPython %d.%d to %d.%d here' % (OLDEST + NEWEST))
    return next((i for i in found if i.path.startswith('/usr/bin/')), found[-1])
