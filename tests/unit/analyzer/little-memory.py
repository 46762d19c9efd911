#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""With too little memory there is an answer or one line that says so, never a crash: little-memory.py MAKE-HEAP HEAPANALYZE"""
import gzip
import os
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
        assert result.stdout == '', (limit, result.stdout[:100])
        if 'under ulimit -v: raise that limit' in lines[0]:
            foreseen.add('analysis' if 'for retained sizes: that takes' in lines[0] else 'loading')
    assert refused and worked, (refused, worked)
    return foreseen


def main():
    print('1..2')
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        plain = os.path.join(folder, 'made-up.heap')
        subprocess.run([MAKE_HEAP, '1000000', plain], check=True, stderr=subprocess.DEVNULL)
        packed = plain + '.gz'
        with open(plain, 'rb') as source, gzip.open(packed, 'wb', 1) as to:
            to.write(source.read())
        for number, path in enumerate([plain, packed], 1):
            try:
                foreseen = [check(path, command) for command in COMMANDS]
                assert {'loading', 'analysis'} <= set().union(*foreseen), ('foreseen', foreseen)
            except AssertionError as error:
                print(f'not ok {number} {os.path.basename(path)}', *str(error).splitlines(), sep='\n#   ', flush=True)
                failed = True
            else:
                print('ok', number, os.path.basename(path), flush=True)
    return failed


sys.exit(main())
