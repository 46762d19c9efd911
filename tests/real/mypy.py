#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What heapanalyze says of a large real program, asked of the program itself. A mypy daemon checks a tree (sympy: some 29 million objects, 3 GB) and is
dumped; of the objects that retain most the paths are printed, and every path is evaluated in the living process by a payload: it must give the object at
the address that was told, of the type and size that were told. Wants Debian's mypy and python3-sympy, and minutes of a processor."""
import argparse
import json
import os
import re
import subprocess
import sys
import time

os.environ.setdefault('HEAPDUMP_PATIENCE', '3600')
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'e2e'))
from support.folder import Folder
from support.programs import TARGETS, heapanalyze, heapdump, succeeds

# What is held from C alone has no name in Python; from its address on the path is Python's again.
FROM_C = re.compile(r'<[\w.]+ at (0x[0-9a-f]+)>')
PAYLOAD = '''
import builtins, collections, ctypes, gc, importlib, json, sys

def __payload_entrypoint(output_path, event_loop):
    answers = []
    for expression in EXPRESSIONS:
        try:
            value = eval(expression, globals())
            answers.append((id(value), type(value).__module__ + '.' + type(value).__qualname__, sys.getsizeof(value)))
        except Exception as error:
            answers.append((type(error).__name__ + ': ' + str(error),))
        value = None
    with open(output_path, 'w') as file:
        json.dump(answers, file)
'''


def ask(pid, folder, expressions):
    """The answers of the process, by a thread that a payload runs in."""
    payload, answers = f'{folder}/payload.py', f'{folder}/answers.json'
    with open(payload, 'w', encoding='utf-8') as file:
        file.write(f'EXPRESSIONS = {expressions!r}\n{PAYLOAD}')
    succeeds(heapdump('--payload', payload, '-o', answers, pid))
    with open(answers, encoding='utf-8') as file:
        return json.load(file)


def as_expression(path):
    """Python for a path, or None."""
    text = path['expression'] or FROM_C.sub(r'ctypes.cast(\1, ctypes.py_object).value', path['path'], count=1)
    return None if re.search(r'<(?![^\']*\')', text) else text


def examine(pid, folder, holders, ways):
    def listing(*arguments):
        return json.loads(succeeds(heapanalyze(*arguments, '--json', dump)).text)

    dump, begin = f'{folder}/x.heap.zst', time.monotonic()
    print(succeeds(heapdump('-o', dump, pid)).err.strip().splitlines()[-1], flush=True)
    print(f'dumped in {time.monotonic() - begin:.0f} s', flush=True)
    found, wrong = [], 0
    for thing in listing('top', '--sort', 'retained', '--top-allocations', holders)['objects']:
        found.append((thing, listing('paths', thing['addr'], '--all', ways)['paths']))
    asked = [(thing, as_expression(path)) for thing, paths in found for path in paths]
    answers = iter(ask(pid, folder, [expression for _, expression in asked if expression is not None]))
    print(f'dumped, searched and asked in {time.monotonic() - begin:.0f} s')
    for thing, paths in found:
        print(f"\n{thing['retained']:>12} bytes retained by {thing['type']} at {thing['addr']}, of {thing['size']} itself")
        for path in paths:
            expression = as_expression(path)
            answer = next(answers) if expression is not None else None
            right = answer == [int(thing['addr'], 16), thing['type'], thing['size']]
            wrong += not right
            print(f"    {'confirmed' if right else 'NOT ASKED' if answer is None else 'WRONG'}  {expression or path['path']}")
            if not right and answer is not None:
                print(f"               is {answer}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--holders', type=int, default=8, help='how many of the objects that retain most (default 8)')
    parser.add_argument('--ways', type=int, default=2, help='how many paths to each (default 2)')
    parser.add_argument('--pid', type=int, help='of a process that runs already, instead of a daemon of our own')
    parser.add_argument('tree', nargs='*', help="what to check instead of Debian's sympy")
    options = parser.parse_args()
    with Folder() as folder:
        if options.pid:
            return examine(options.pid, folder, options.holders, options.ways) != 0
        with subprocess.Popen([os.path.join(TARGETS, 'mypy-daemon'), *options.tree], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as daemon:
            line = daemon.stdout.readline()
            if not line:
                print("no daemon: `apt-get install mypy python3-sympy`", file=sys.stderr)
                return 1
            wrong = examine(json.loads(line)['pid'], folder, options.holders, options.ways)
            daemon.stdin.close()
        return wrong != 0


sys.exit(main())
