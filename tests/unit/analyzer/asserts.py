#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds what "assert" says against what other commands tell, on random heaps with random expressions, and against Python's own arithmetic:
asserts.py WRITE-DUMP HEAPANALYZE [ROUNDS]"""
import collections
import fnmatch
import fractions
import json
import operator
import os
import random
import shlex
import subprocess
import sys
import tempfile

WRITE_DUMP, HEAPANALYZE = (os.path.abspath(path) for path in sys.argv[1:3])
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 25
TYPES = ['app.Session', 'app.Sessions', 'app.f.<locals>.C', 'lib.G[int, str]', 'lib.weird(name)', "lib.it's", 'lib.say "x"', 'lib.back\\slash', 'lib.star*', 'builtins.str',
         'builtins.bytes', 'builtins.list', 'plain', 'é.ü']
OPERATORS = {'<=': operator.le, '<': operator.lt, '>=': operator.ge, '>': operator.gt, '==': operator.eq, '!=': operator.ne}
UNITS = {'': 1, 'k': 1000, 'K': 1000, 'M': 10**6, 'G': 10**9, 'T': 10**12}
BYTES = {'B': 1, 'kB': 1000, 'KB': 1000, 'mb': 10**6, 'GB': 10**9, 'TB': 10**12, 'KiB': 2**10, 'MiB': 2**20, 'gib': 2**30, 'TiB': 2**40, 'Ki': 2**10, 'Mi': 2**20,
         'Gi': 2**30, 'Ti': 2**40}


def write(path, text):
    subprocess.run([WRITE_DUMP, path], input=text.encode(), check=True)


def heap(rnd):
    n = rnd.randrange(1, 50)
    addresses = [0x1000 + 16 * i for i in range(n)]
    names = rnd.sample(TYPES, rnd.randint(1, len(TYPES)))
    for address in addresses:
        words = ['object', hex(address), rnd.choice(names), f'size={rnd.randrange(4000)}', f'count={rnd.randrange(1, 3)}', 'gc',
                 f'content={rnd.choice(["one", "two", "three"])}', ':']
        for _ in range(rnd.randrange(3)):
            words += ['.r', hex(rnd.choice(addresses))]
        yield ' '.join(map(shlex.quote, words))
    for _ in range(rnd.randrange(3)):
        yield f'root interpreter {hex(rnd.choice(addresses))} r'


def ask(*arguments, status=(0,)):
    done = subprocess.run([HEAPANALYZE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode in status, (arguments, done.returncode, done.stderr)
    return done


class Truth:
    """What the other commands say of a dump."""

    def __init__(self, path, before):
        rows = json.loads(ask('--previous-heap-dump', before, 'types', '--json', path).stdout)['types']
        self.types = {row['type']: row for row in rows}
        for row in self.types.values():
            row['before'], row['size_before'] = row['count'] - row['count_change'], row['shallow'] - row['shallow_change']
        self.duplicates, self.wasted = collections.Counter(), collections.Counter()
        for group in json.loads(ask('types', '--duplicates', '--json', path).stdout)['duplicates']:
            self.duplicates[group['one']['type']] += group['count'] - 1
            self.wasted[group['one']['type']] += group['wasted']
        info = json.loads(ask('info', '--json', path).stdout)
        self.garbage, self.garbage_size = info['garbage'], info['garbage_bytes']

    def value(self, function, names):
        def sum_of(key):
            return sum(self.types[name][key] for name in names if name in self.types)
        return {'count': lambda: sum_of('count'), 'size': lambda: sum_of('shallow'), 'retained': lambda: sum_of('retained'),
                'growth': lambda: sum_of('count_change'), 'growth_size': lambda: sum_of('shallow_change'),
                'duplicates': lambda: sum(self.duplicates[name] for name in names), 'duplicates_size': lambda: sum(self.wasted[name] for name in names),
                'objects': lambda: sum(row['count'] for row in self.types.values()), 'total_size': lambda: sum(row['shallow'] for row in self.types.values()),
                'garbage': lambda: self.garbage, 'garbage_size': lambda: self.garbage_size}[function]()


def quoted(rnd, name):
    quote = rnd.choice('\'"')
    return quote + ''.join('\\' + c if c in (quote, '\\') else c for c in name) + quote


def expression(rnd, truth):
    """The text of an expression, its value, and whether it holds."""
    functions = ['count', 'size', 'retained', 'growth', 'growth_size', 'duplicates', 'duplicates_size', 'objects', 'total_size', 'garbage', 'garbage_size']
    function = rnd.choice(functions)
    name, inside, names = rnd.choice(TYPES + ['no.such.Type', 'Session']), '', []
    if function not in functions[7:]:
        pattern = rnd.choice(['*', 'app.*', '*.S*s*', '*s', 'app.Session*', '*i*'])
        if rnd.random() < 0.3 and function != 'retained':
            inside, names = pattern, fnmatch.filter(truth.types, pattern)
        elif any(c in name for c in '()\'"*') or rnd.random() < 0.4:
            inside, names = quoted(rnd, name), [name]
        else:
            names = [name, 'builtins.' + name]
            inside = rnd.choice([name, name[9:] if name.startswith('builtins.') else name])
    value = truth.value(function, names)
    is_bytes = function == 'retained' or 'size' in function
    unit, factor = rnd.choice(list({**UNITS, **(BYTES if is_bytes else {})}.items()))
    near = rnd.choice([value, value + 1, value - 1, 0, rnd.randrange(-100, 5000)])
    if factor == 1:
        number, limit = str(near), near
    else:
        digits = rnd.randrange(5)
        scaled = fractions.Fraction(near, factor)
        number = f'{float(scaled):.{digits}f}' if rnd.random() < 0.5 else f'{rnd.randrange(2000)}'
        exact = abs(fractions.Fraction(number)) * factor
        limit = int(exact + fractions.Fraction(1, 2)) * (-1 if number.startswith('-') else 1)
    if len(number) > 4 and number.isdigit() and rnd.random() < 0.5:
        number = f'{number[:2]}_{number[2:]}'
    op = rnd.choice(list(OPERATORS))
    blank = rnd.choice(['', ' ', '  '])
    text = f'{blank}{function}{blank}({blank}{inside}{blank}){blank}{op}{blank}{number}{blank}{unit}{blank}'
    return text, value, limit, OPERATORS[op](value, limit)


def check(rnd, folder):
    path, before = os.path.join(folder, 'x.heap'), os.path.join(folder, 'before.heap')
    write(before, '\n'.join(heap(rnd)) + '\n')
    write(path, '\n'.join(heap(rnd)) + '\n')
    truth = Truth(path, before)
    wanted = [expression(rnd, truth) for _ in range(20)]
    texts = [text for text, _, _, _ in wanted]
    failing = sum(not holds for _, _, _, holds in wanted)
    done = ask('--previous-heap-dump', before, 'assert', '--json', *texts, path, status=(int(failing > 0),))
    told = json.loads(done.stdout)
    for answer, (text, value, limit, holds) in zip(told['assertions'], wanted):
        assert (answer['expression'], answer['value'], answer['limit'], answer['holds']) == (text, value, limit, holds), (answer, text, value, limit, holds)
    assert told['failed'] == failing and len(told['assertions']) == len(wanted)
    lines = ask('--previous-heap-dump', before, 'assert', *texts, path, status=(int(failing > 0),)).stdout.decode().splitlines()
    assert [line[:6].strip() for line in lines if not line.startswith(' ')] == ['ok' if holds else 'FAILED' for _, _, _, holds in wanted], lines
    # any cut or change of an expression is answered, too
    for text, _, _, _ in wanted[:5]:
        at = rnd.randrange(len(text))
        broken = rnd.choice([text[:at], text[:at] + rnd.choice('()<>=\'"\\*.,_-kB0ü\n') + text[at:]])
        done = ask('assert', f'{broken}(' if '(' not in broken else broken, path, status=(0, 1, 2))
        lines = done.stderr.decode().splitlines()
        assert all(line.startswith('heapanalyze: ') for line in lines) and (done.returncode != 2 or len(lines) >= 3), (broken, done)


def main():
    print('1..1')
    for seed in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(random.Random(seed), folder)
            except AssertionError as error:
                print('not ok 1 - random expressions on random heaps')
                print('#', f'seed {seed}: {error}'.replace('\n', '\n# '))
                return 1
    print('ok 1 - random expressions on random heaps')
    return 0


sys.exit(main())
