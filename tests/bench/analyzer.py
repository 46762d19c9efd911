#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures heapanalyze on made-up heaps: analyzer.py MAKE-HEAP HEAPANALYZE BENCH-DOMINATORS [--shape SHAPE]… [OBJECTS…].
With --shape only these corners are measured. Prints a table: wall and processor time,
largest resident memory on the way, for each command, kind of compression and shape of heap; then what retained sizes cost, over a plain search.
What is measured, with 4.6 references an object, and on a machine that does nothing else:

                                               1M       10M      100M
    top, zstd, two processors, wall        0.4 s       4 s      45 s
    resident at the end, bytes an object      80        75        75
    retained sizes over a plain search       2.5         3       3.5
    the same of heaps that are corners        20        20         -

100M objects want 10 GB of memory and as much disk."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

MAKE_HEAP, HEAPANALYZE, DOMINATORS = (os.path.abspath(path) for path in sys.argv[1:4])
ONLY = [after for option, after in zip(sys.argv[4:], sys.argv[5:]) if option == '--shape']
SIZES = [int(size) for size in sys.argv[4:] if size.isdigit()] or [1000000]
COMMANDS = {'top': ['top'], 'top --show-parents': ['top', '--show-parents'], 'top --sort retained': ['top', '--sort', 'retained'],
            'types': ['types'], 'types --duplicates': ['types', '--duplicates', '--limit', '20'], 'export ndjson': ['export', '-o', '/dev/null'],
            'export csv, references': ['export', '--format', 'csv', '--table', 'refs', '-o', '/dev/null'],
            'export heapsnapshot': ['export', '--format', 'heapsnapshot', '-o', '/dev/null'],
            'assert': ['assert', 'count(*)>0', 'retained(builtins.list)>0', 'duplicates(str)>=0']}


SHAPES = ['adversary', 'wide', 'chain', 'hub', 'types', 'names']
LARGEST = 'the largest object'
# where each object might be asked about for each other one
CORNERS = {'top': ['top'], 'info': ['info'], 'types': ['types'], 'top --sort retained': ['top', '--sort', 'retained'],
           'retained, all of it': ['retained', '--min-percent', '0', '--max-depth', '3'], 'top --show-parents': ['top', '--show-parents'],
           'object': ['object', LARGEST], 'paths': ['paths', LARGEST], 'paths of a type': ['paths', 'builtins.list']}


def measure(arguments):
    """Wall seconds, processor seconds and peak KiB of the best of three runs."""
    best = None
    for _ in range(3):
        start = time.monotonic()
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, arguments
        result = (time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
        best = min(best or result, result)
    return best


def largest_object(path):
    done = subprocess.run([HEAPANALYZE, 'top', '--json', '--top-allocations', '1', path], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(done.stdout)['objects'][0]['addr']


def row(size, kind, command, arguments):
    wall, cpu, peak = measure(arguments)
    print(f'{size:>11,} {kind:<10} {command:<22} {wall:8.2f} s {cpu:8.2f} s {peak / 1024:8.0f} MiB {peak * 1024 / size:6.0f} B/object',
          flush=True)


def ordinary(folder, path, size):
    subprocess.run([MAKE_HEAP, str(size), path], check=True, stderr=subprocess.DEVNULL)
    for name, arguments in COMMANDS.items():
        row(size, 'plain', name, [HEAPANALYZE, *arguments, path])
    if shutil.which('zstd'):
        subprocess.run(['zstd', '-q', '-1', '-f', path, '-o', path + '.zst'], check=True)
        row(size, 'zstd', 'top', [HEAPANALYZE, 'top', path + '.zst'])
    subprocess.run(['gzip', '-kf', '-1', path], check=True)
    row(size, 'gzip', 'top', [HEAPANALYZE, 'top', path + '.gz'])
    cache = dict(os.environ, XDG_CACHE_HOME=folder)
    subprocess.run([HEAPANALYZE, 'info', '--index', path], check=True, env=cache, stdout=subprocess.DEVNULL)
    for name in 'top', 'top --sort retained':
        row(size, 'index', name, ['env', 'XDG_CACHE_HOME=' + folder, HEAPANALYZE, *COMMANDS[name], '--index', path])
    shutil.rmtree(os.path.join(folder, 'heapdump-gdb'))
    print(flush=True)
    subprocess.run([DOMINATORS, path], check=True)


def main():
    print(f'{"objects":>11} {"file":<10} {"command":<22} {"wall":>10} {"processor":>10} {"peak":>12}')
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            path = os.path.join(folder, 'made-up.heap')
            if not ONLY:
                ordinary(folder, path, size)
            for shape in ONLY or SHAPES:
                print(f'\n{shape}', flush=True)
                subprocess.run([MAKE_HEAP, str(size), path, shape], check=True, stderr=subprocess.DEVNULL)
                largest = largest_object(path)
                for name, arguments in CORNERS.items():
                    arguments = [largest if argument == LARGEST else argument for argument in arguments]
                    row(size, 'plain', name, [HEAPANALYZE, *arguments, path])
                subprocess.run([DOMINATORS, path], check=True)
    return 0


sys.exit(main())
