#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures heapanalyze on made-up heaps: analyzer.py MAKE-HEAP HEAPANALYZE [OBJECTS…]. Prints a table: wall and processor time, largest
resident memory, for each command and kind of compression."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

MAKE_HEAP, HEAPANALYZE = (os.path.abspath(path) for path in sys.argv[1:3])
SIZES = [int(size) for size in sys.argv[3:]] or [1000000]
COMMANDS = {'top': ['top'], 'top --show-parents': ['top', '--show-parents'], 'top --sort retained': ['top', '--sort', 'retained'],
            'types': ['types'], 'export ndjson': ['export', '-o', '/dev/null']}


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


def row(size, kind, command, arguments):
    wall, cpu, peak = measure(arguments)
    print(f'{size:>11,} {kind:<10} {command:<22} {wall:8.2f} s {cpu:8.2f} s {peak / 1024:8.0f} MiB {peak * 1024 / size:6.0f} B/object',
          flush=True)


def main():
    print(f'{"objects":>11} {"file":<10} {"command":<22} {"wall":>10} {"processor":>10} {"peak":>12}')
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            path = os.path.join(folder, 'made-up.heap')
            subprocess.run([MAKE_HEAP, str(size), path], check=True, stderr=subprocess.DEVNULL)
            for name, arguments in COMMANDS.items():
                row(size, 'plain', name, [HEAPANALYZE, *arguments, path])
            if shutil.which('zstd'):
                subprocess.run(['zstd', '-q', '-1', '-f', path, '-o', path + '.zst'], check=True)
                row(size, 'zstd', 'top', [HEAPANALYZE, 'top', path + '.zst'])
            subprocess.run(['gzip', '-kf', '-1', path], check=True)
            row(size, 'gzip', 'top', [HEAPANALYZE, 'top', path + '.gz'])
            subprocess.run([MAKE_HEAP, str(size), path, 'adversary'], check=True, stderr=subprocess.DEVNULL)
            row(size, 'adversary', 'top --sort retained', [HEAPANALYZE, 'top', '--sort', 'retained', path])
    return 0


sys.exit(main())
