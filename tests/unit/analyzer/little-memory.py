#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""With too little memory there is an answer or one line that says so, never a crash: little-memory.py MAKE-HEAP HEAPANALYZE"""
import gzip
import os
import re
import resource
import subprocess
import sys
import tempfile

MAKE_HEAP, HEAPANALYZE = (os.path.abspath(path) for path in sys.argv[1:3])
# narrow steps where loading just fits
LIMITS = [mib << 20 for mib in (60, 80, 100, 108, 116, 124, 140, 300)]
COMMANDS = [['top', '--sort', 'retained'], ['types', '--duplicates', '--limit', '3']]


def run(arguments, limit=None):
    def restrict():
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return subprocess.run([HEAPANALYZE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                          preexec_fn=restrict if limit else None)


def check(path, command):
    expected = run([*command, path])
    assert expected.returncode == 0, expected.stderr
    refused = worked = 0
    foreseen = set()
    for limit in LIMITS:
        result = run([*command, path], limit)
        if result.returncode == 0:
            assert result.stdout == expected.stdout, (limit, 'another answer')
            worked += 1
            continue
        refused += 1
        lines = result.stderr.splitlines()
        assert result.returncode == 1 and len(lines) == 1 and 'memory' in lines[0], (limit, result.returncode, result.stderr)
        assert lines[0].endswith('under ulimit -v: raise that limit'), (limit, lines[0])
        assert result.stdout == '', (limit, result.stdout[:100])
        if ' and there are ' in lines[0]:
            foreseen.add('analysis' if 'for retained sizes: that takes' in lines[0] else 'loading')
    assert refused and worked, (refused, worked)
    return foreseen


def least(arguments, low, high, step):
    """The least limit, to a step, with which that works."""
    while high - low > step:
        middle = (low + high) // 2
        if run(arguments, middle).returncode == 0:
            high = middle
        else:
            low = middle
    return high


def check_packed(plain, packed):
    """Decompressing, which a thread does, takes buffers and a stack more, and not the address space of an arena: that is there with some
    limits, lacks with others, and takes the room of the rest."""
    enough = least(['info', plain], 50 << 20, 300 << 20, 2 << 20)
    for more in range(24, 112, 8):
        result = run(['info', packed], enough + (more << 20))
        assert result.returncode == 0, (enough >> 20, more, result.stderr)


def check_duplicates(folder):
    """What comparing takes is told beforehand: what just does not fit is refused with figures, but for what malloc adds. The graph comes
    from an index, since loading it would take more than comparing does."""
    objects, path = 3000000, os.path.join(folder, 'larger.heap')
    subprocess.run([MAKE_HEAP, str(objects), path], check=True, stderr=subprocess.DEVNULL)
    os.environ['XDG_CACHE_HOME'] = folder
    command = ['--index', 'types', '--duplicates', '--limit', '3', path]
    assert run(command).returncode == 0
    enough = least(command, 200 << 20, 500 << 20, 1 << 19)
    said = run(command, enough - (4 << 20)).stderr.strip()
    figures = re.search(r'to compare the objects: that takes ([0-9.]+) MiB more, and there are', said)
    assert figures, (enough >> 20, said)
    takes = float(figures.group(1)) * (1 << 20)
    # a number and two bits of each object, twice, or a table besides of twice as many at most, as a power of two
    assert 4 * objects < takes < 20 * objects, takes


def check_small_pieces(folder):
    """A heap of types without number: tables of them and of paths grow in pieces that nobody asks for beforehand."""
    path = os.path.join(folder, 'types.heap')
    subprocess.run([MAKE_HEAP, '300000', path, 'types'], check=True, stderr=subprocess.DEVNULL)
    on_the_way = 0
    for command in (['leaks', '--previous-heap-dump', path], ['diff', path]):
        expected = run([*command, path])
        assert expected.returncode == 0, expected.stderr
        for mib in range(48, 200, 16):
            result = run([*command, path], mib << 20)
            if result.returncode == 0:
                assert result.stdout == expected.stdout, (mib, 'another answer')
                continue
            assert (result.returncode, result.stdout) == (1, ''), (mib, result.returncode, result.stdout[:100], result.stderr)
            lines = result.stderr.splitlines()
            assert len(lines) == 1 and lines[0].endswith('under ulimit -v: raise that limit'), (mib, lines)
            on_the_way += lines[0] == 'heapanalyze: not enough memory under ulimit -v: raise that limit'
    assert on_the_way, 'all of it was foreseen'


def main():
    print('1..5')
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        plain = os.path.join(folder, 'made-up.heap')
        subprocess.run([MAKE_HEAP, '1000000', plain], check=True, stderr=subprocess.DEVNULL)
        packed = plain + '.gz'
        with open(plain, 'rb') as source, gzip.open(packed, 'wb', 1) as to:
            to.write(source.read())

        def check_all(path):
            foreseen = [check(path, command) for command in COMMANDS]
            assert {'loading', 'analysis'} <= set().union(*foreseen), ('foreseen', foreseen)

        for number, (name, function, arguments) in enumerate([
                (os.path.basename(plain), check_all, [plain]), (os.path.basename(packed), check_all, [packed]),
                ('a compressed dump', check_packed, [plain, packed]), ('duplicates', check_duplicates, [folder]),
                ('small pieces', check_small_pieces, [folder])], 1):
            try:
                function(*arguments)
            except AssertionError as error:
                print(f'not ok {number} {name}', *str(error).splitlines(), sep='\n#   ', flush=True)
                failed = True
            else:
                print('ok', number, name, flush=True)
    return failed


sys.exit(main())
