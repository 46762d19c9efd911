#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The walker without GDB, in every interpreter of this machine, against Python's own word. HEAPDUMP_HARNESS: libwk-harness.so."""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', '..', 'e2e'))

import oracle
from support import heapfile, interpreters
from support.tap import Skip, Suite, check, equal

suite = Suite()


def inside(interpreter, how, folder):
    run = subprocess.run([interpreter.path, '-W', 'ignore', os.path.join(HERE, 'inside-oracle.py'), os.environ['HEAPDUMP_HARNESS'], folder, how],
                         capture_output=True, text=True, errors='replace', timeout=120)
    equal((run.returncode, run.stderr), (0, ''), 'inside-oracle.py')


def compare(interpreter, how):
    with tempfile.TemporaryDirectory() as folder:
        inside(interpreter, how, folder)
        with open(f'{folder}/result.json') as file:
            result = json.load(file)
        equal((result['status'], result['errno']), (0, 0), 'result file')
        check(not os.path.exists(f'{folder}/result.json.part'), 'the temporary result file is still there')
        dump = heapfile.Dump(f'{folder}/heap')
        equal((dump.end['status'], dump.end['objects']), (0, len(dump.objects)), 'END')
        found = oracle.Comparison(f'{folder}/oracle', dump)
        lines = found.run()
        check(not lines, lambda: '\n'.join(lines))
        check(found.counts['objects'] > 30000, f"only {found.counts['objects']} objects were compared")
        for why, count in sorted(found.explained.items()):
            print(f'# {count} explained by {why}')


def inline(interpreter):
    with tempfile.TemporaryDirectory() as folder:
        inside(interpreter, 'inline', folder)
        dump = heapfile.Dump(f'{folder}/heap')
        equal((dump.end['status'], dump.meta['mode']), (0, 'inline'), 'END, mode')
        check(len(dump.objects) > 50000, f'{len(dump.objects)} objects')


def none():
    raise Skip('there is no CPython to walk')


for found_ in interpreters.dumpable():
    suite.case(f'ghost, {found_}', compare, found_, 'ghost')
    suite.case(f'inline, {found_}', inline, found_)
for found_ in interpreters.dumpable()[-1:]:
    suite.case(f'as linked, {found_}', compare, found_, 'library')
    suite.case(f'frozen, {found_}', compare, found_, 'frozen')
if not suite.cases:
    suite.case('walk', none)
suite.run()
