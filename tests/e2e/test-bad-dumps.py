#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Dumps that are none, cut or corrupt, and other mistakes with heapanalyze: one line that names the cause, the documented exit code,
and no half-written file."""
import gzip
import os
import subprocess

from support import dumps
from support.folder import Folder, empty
from support.programs import BUILD, HEAPANALYZE, fails, heapanalyze, run, succeeds
from support.tap import Suite, check, equal

FAILED, USAGE = 1, 2
COMMANDS = ('top', 'types', 'info', 'export --format ndjson -o /dev/null', 'export --format sqlite -o x.sqlite', 'assert objects()>0',
            'graph --filter dict -o graph.svg', 'object 0x10', 'diff DUMP', 'leaks', 'leaks --previous-heap-dump DUMP')
suite = Suite()


def bytes_of(suffix):
    with open(dumps.small(suffix), 'rb') as file:
        return file.read()


def write(path, data):
    with open(path, 'wb') as file:
        file.write(data)
    return path


def line(command):
    return [dumps.small() if word == 'DUMP' else word for word in command.split()]


def refused(data, *words, commands=COMMANDS):
    """Every command says why it cannot read the file, and writes nothing."""
    with Folder() as folder:
        path = write(f'{folder}/bad.heap', data)
        for command in commands:
            fails(heapanalyze(*line(command), path, cwd=folder), FAILED, 'bad.heap', *words)
        equal(os.listdir(folder), ['bad.heap'], 'files')


suite.case('an empty file', refused, b'', 'empty')
suite.case('a text', refused, b'This is not a dump.\n' * 1000, 'not a heap dump|no heap dump|unknown|neither')
suite.case('a short text', refused, b'x', 'not a heap dump|no heap dump|unknown|cut|neither')
suite.case('a program', lambda: refused(open('/bin/sh', 'rb').read(100000), 'not a heap dump|no heap dump|unknown|neither'))
suite.case('a gzipped text', refused, gzip.compress(b'not a dump' * 100), 'not a heap dump|no heap dump|unknown|neither')
suite.case('an empty gzip', refused, gzip.compress(b''), 'empty|not a heap dump|cut')

for suffix in ('.heap', '.heap.zst', '.heap.gz'):
    @suite.case(f'a cut {suffix}')
    def _(suffix=suffix):
        whole = bytes_of(suffix)
        for length in (20, 40, len(whole) // 2, len(whole) - 1):
            refused(whole[:length], 'cut|incomplete|end', commands=('top', 'info'))

    @suite.case(f'a corrupt {suffix}')
    def _(suffix=suffix):
        whole = bytes_of(suffix)
        for position in (len(whole) // 3, len(whole) // 2, len(whole) - 3):
            changed = bytearray(whole)
            changed[position] ^= 0x55
            refused(bytes(changed), '.', commands=('top', 'info'))


@suite.case('a file that is not there')
def _():
    for command in COMMANDS:
        fails(heapanalyze(*line(command), '/nonexistent/x.heap'), FAILED, '/nonexistent/x.heap', 'no such')


@suite.case('a folder instead of a dump')
def _():
    with Folder() as folder:
        fails(heapanalyze('top', folder), FAILED, folder, 'directory|folder')


@suite.case('no dump in the folder')
def _():
    with Folder() as folder:
        result = heapanalyze('top', cwd=folder, env={k: v for k, v in os.environ.items() if k != 'HEAPDUMP'})
        check(result.code in (FAILED, USAGE), str(result))
        fails(result, result.code, 'dump')


for usage, words in {
    '': ('command',),
    'nonsense': ('nonsense',),
    'top --nonsense': ('nonsense',),
    'top --max-depth': ('max-depth',),
    'top --max-depth many': ('max-depth', 'many'),
    'top --max-depth -1': ('max-depth',),
    'top --sort sideways': ('sideways',),
    'top a b c': ('argument|too many|b|c',),
    'object': ('ADDR',),
    'object nowhere DUMP': ('nowhere',),
    'diff DUMP': ('A B',),
    'export --format cuneiform': ('cuneiform',),
    'export --format sqlite DUMP': ('standard output', '-o FILE'),
    'export --format csv --table none': ('none',),
    'assert': ('EXPR',),
    '--intersect-heap-dump': ('intersect-heap-dump',),
}.items():
    @suite.case(f'wrong usage: heapanalyze {usage}')
    def _(usage=usage, words=words):
        arguments = line(usage)
        with Folder() as folder:
            fails(heapanalyze(*arguments, cwd=folder), USAGE, *words)
            empty(folder)


@suite.case('help of every command goes to stdout')
def _():
    text = succeeds(heapanalyze('--help')).text
    commands = [c for c in ('top', 'types', 'graph', 'object', 'info', 'export') if c in text]
    equal(len(commands), 6, 'commands in the help')
    for command in commands:
        result = succeeds(heapanalyze(command, '--help'))
        check('--' in result.text and not result.err, str(result))
    check('1.' in succeeds(heapanalyze('--version')).text, 'the version is not told')


@suite.case('an object that is not there')
def _():
    fails(heapanalyze('object', '0x10', dumps.small()), FAILED, '0x0*10')


@suite.case('a picture that cannot be written')
def _():
    with Folder() as folder:
        fails(heapanalyze('graph', '--filter', 'Task', '-o', f'{folder}/none/x.svg', dumps.small()), FAILED, 'none', 'no such')
        fails(heapanalyze('graph', '--filter', 'Task', '-o', f'{folder}/x.nonsense', dumps.small()), USAGE, 'nonsense')
        fails(heapanalyze('graph', '--filter', 'NoSuchType', '-o', f'{folder}/x.svg', dumps.small()), FAILED, 'NoSuchType')
        empty(folder)


@suite.case('a full disk')
def _():
    for command in ('top', 'info', 'types'):
        with open('/dev/full', 'wb') as full:
            process = subprocess.run([HEAPANALYZE, command, dumps.small()], stdout=full, stderr=subprocess.PIPE, check=False)
        equal(process.returncode, FAILED, 'exit code')
        check(b'No space left' in process.stderr.splitlines()[-1], process.stderr.decode())


@suite.case('a reader that goes away')
def _():
    for command in (['top', '--top-allocations', '100000'], ['export', '--format', 'ndjson']):
        process = subprocess.Popen([HEAPANALYZE, *command, dumps.small()], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.read(10)
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        check(process.wait() in (0, 1), f'exit code {process.returncode}')
        check(b'cannot' not in err and b'pipe' not in err.lower(), err.decode())


@suite.case('a machine with too little memory for a dump')
def _():
    """The kernel is made to tell less than there is: refused with the figures, and answered all the same from files with --index."""
    with Folder() as folder:
        dump, little, cache = f'{folder}/large.heap', f'{folder}/meminfo', f'{folder}/cache'
        succeeds(run(f'{BUILD}/tests/bench/make-heap', '2000000', dump))
        write(little, b'MemTotal: 200000 kB\nMemAvailable: 100000 kB\n')
        there = ['bwrap', '--dev-bind', '/', '/', '--ro-bind', little, '/proc/meminfo']
        command = [HEAPANALYZE, 'top', '--sort', 'retained', '--show-parents']
        fails(run(*there, *command, dump), FAILED, 'large.heap', 'memory for 2000000 objects', 'on this machine', '--index')
        expected = succeeds(run(*command, dump)).out
        inside = dict(os.environ, XDG_CACHE_HOME=cache)
        for _ in range(2):
            equal(succeeds(run(*there, *command, '--index', dump, env=inside)).out == expected, True, 'the same answer')
            check(all(name.endswith('.index') for name in os.listdir(f'{cache}/heapdump-gdb')), 'files are left')
        equal(len(os.listdir(f'{cache}/heapdump-gdb')), 1, 'indexes')


suite.run()
