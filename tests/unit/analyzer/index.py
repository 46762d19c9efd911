#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""--index: the same answers from the index as from the dump, and from any index that is damaged, cut, of another dump or forged:
index.py WRITE-DUMP MAKE-HEAP HEAPANALYZE"""
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../../docs'))
from xxh64 import xxh64  # noqa: E402  pylint: disable=wrong-import-position

WRITE_DUMP, MAKE_HEAP, HEAPANALYZE = (os.path.abspath(path) for path in sys.argv[1:4])
COMMANDS = [['top', '--sort', 'retained', '--show-parents'], ['types'], ['info'], ['export'], ['top', '--garbage']]
# objects in no order, holes, values of more than 32 bits, weak references, a frame, garbage
ODD = '''meta python.version "3.12.1"
object 0x3000 app.A size=64 count=2 gc : .next 0x1000 .gone 0x9990 .data 0x2008
object 0x1000 builtins.list size=80 gc : [i] 0x3000 [i] 0x9990 [i] 0x2008
object 0x2008 builtins.dict size=21474836480 real=21474836490 count=3 gc content=a : [k] 0x4000 [v] 0x1000 [k] 0x4000 [v] 0x9990
object 0x4000 builtins.str size=50 count=4294967297 content="it's" whole=900
object 0x5000 builtins.weakref size=72 count=1 gc : ~<referent> 0x3000 - 0x4000
object 0x6000 app.B size=32 gc : .self 0x6000
root interpreter 0x3000 "sys.modules['app']" counted
thread main main
frame f f.py 3 owned : "<local x>" 0x5000
counter walker.skipped 3
skipped 0x7777 "a fault"
incomplete "out of time"
'''
HEADER_PARTS = 24 + 8
PART_AT = 8 + 4 + 4 + 8 + 8 + 8 + 8 + (4 + 4 + 8 + 40 + 8) + 8 + 4 + 4 + 8 + 256


class Case:
    def __init__(self, folder, name):
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        self.dump = os.path.join(self.folder, name + '.heap')
        self.cache = os.path.join(self.folder, 'cache')

    def run(self, *arguments, status=(0,), dump=None, **more):
        done = subprocess.run([HEAPANALYZE, *arguments, dump or self.dump], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              env=dict(os.environ, XDG_CACHE_HOME=self.cache), timeout=120, **more)
        assert done.returncode in status, (arguments, done.returncode, done.stderr)
        return done

    def answers(self, *more):
        return [self.run(*command, *more).stdout for command in COMMANDS]

    def indexes(self):
        folder = os.path.join(self.cache, 'heapdump-gdb')
        return [os.path.join(folder, name) for name in os.listdir(folder)] if os.path.isdir(folder) else []

    def index(self):
        paths = self.indexes()
        assert len(paths) == 1 and paths[0].endswith('.index'), paths
        return paths[0]


def reads(path):
    with open(path, 'rb') as file:
        return file.read()


def writes(path, data):
    # as a new file: one that is mapped does not change
    with open(path + '~', 'wb') as file:
        file.write(data)
    os.rename(path + '~', path)


def same_answers(case):
    expected = case.answers()
    assert not case.indexes()
    assert case.answers('--index') == expected
    before = os.stat(case.index())
    assert before.st_mode & 0o777 == 0o600
    assert case.answers('--index') == expected
    assert os.stat(case.index()).st_ino == before.st_ino, 'written again'


def damaged(case):
    """Whatever happened to it: the answer is the same, and the index is whole again."""
    rnd = random.Random(1)
    expected = case.run('types').stdout
    case.run('types', '--index')
    good = reads(case.index())
    bad = [b'', good[:100], good[:-1], good[:len(good) // 2], good + b'x' * 4096, b'\0' * len(good)]
    for at in [rnd.randrange(len(good)) for _ in range(30)] + [rnd.randrange(PART_AT + 24 * HEADER_PARTS) for _ in range(20)]:
        bad.append(good[:at] + bytes([good[at] ^ 1 << rnd.randrange(8)]) + good[at + 1:])
    for data in bad:
        writes(case.index(), data)
        assert case.run('types', '--index').stdout == expected
    case.run('types', '--index')
    assert reads(case.index()) == good or len(reads(case.index())) == len(good)


def sealed(data):
    """With the checksums that belong to it."""
    data = bytearray(data)
    for part in range(HEADER_PARTS):
        offset, size, _ = struct.unpack_from('<QQQ', data, PART_AT + 24 * part)
        if offset + size <= len(data):
            struct.pack_into('<Q', data, PART_AT + 24 * part + 16, xxh64(bytes(data[offset:offset + size]), part))
    end = PART_AT + 24 * HEADER_PARTS
    struct.pack_into('<Q', data, end, xxh64(bytes(data[:end]), 0))
    return bytes(data)


def forged(case):
    """Right checksums over wrong contents: any answer, but no crash."""
    rnd = random.Random(2)
    case.run('types', '--index')
    good = reads(case.index())
    assert sealed(good) == good, 'this test does not know the format'
    parts = [struct.unpack_from('<QQQ', good, PART_AT + 24 * part) for part in range(HEADER_PARTS)]
    for part, (offset, size, _) in enumerate(parts):
        for what in range(4):
            data = bytearray(good)
            if what == 3:
                struct.pack_into('<Q', data, PART_AT + 24 * part + rnd.choice([0, 8]), rnd.choice([0, 8, 4096, size + 8, 1 << 40]))
            for _ in range(1 + 3 * what):
                if size > 0 and what < 3:
                    data[offset + rnd.randrange(size)] = rnd.choice([0, 1, 0x7f, 0x80, 0xff, rnd.randrange(256)])
            for command in ['export'], ['top', '--sort', 'retained', '--show-parents'], ['types', '--duplicates']:
                writes(case.index(), sealed(data))
                case.run(*command, '--index', status=(0, 1))


def elsewhere(case):
    case.run('types', '--index')
    good = reads(case.index())
    # another dump under the name, with the old index: known by its time and ends
    with open(case.dump, 'rb') as file:
        data = file.read()
    with open(case.dump, 'wb') as file:
        file.write(data)
    os.utime(case.dump, ns=(1, 1))
    case.run('types', '--index')
    assert len(case.indexes()) == 2
    for kind in 'folder', 'fifo', 'link':
        shutil.rmtree(case.cache)
        case.run('types', '--index')
        path = case.index()
        os.unlink(path)
        if kind == 'folder':
            os.mkdir(path)
        elif kind == 'fifo':
            os.mkfifo(path)
        else:
            os.symlink('/dev/zero', path)
        assert case.run('types', '--index').stdout == case.run('types').stdout, kind
    # no place for it: said, and answered all the same
    shutil.rmtree(case.cache)
    with open(case.cache, 'wb') as file:
        file.write(good)
    done = case.run('types', '--index', status=(1,))
    assert b'cannot make the folder' in done.stderr and done.stderr.count(b'\n') == 1, done.stderr
    done = case.run('types', '--index', dump='/dev/null', status=(1,))
    assert b'--index wants a dump in a file' in done.stderr, done.stderr


def only_some_stay(case):
    for time in range(10):
        os.utime(case.dump, ns=(time, time))
        case.run('types', '--index')
        os.utime(max(case.indexes(), key=os.path.getmtime), (1000 + time, 1000 + time))
    assert len(case.indexes()) <= 9, case.indexes()


def main():
    tests = [same_answers, damaged, forged, elsewhere, only_some_stay]
    print(f'1..{2 * len(tests)}')
    failed = number = 0
    with tempfile.TemporaryDirectory() as folder:
        for kind in 'odd', 'made-up':
            for test in tests:
                number += 1
                case = Case(folder, f'{kind}-{test.__name__}')
                if kind == 'odd':
                    subprocess.run([WRITE_DUMP, case.dump], input=ODD.encode(), check=True)
                else:
                    # which ends without giving its memory back, and may
                    subprocess.run([MAKE_HEAP, '4000', case.dump], check=True, stderr=subprocess.DEVNULL,
                                   env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
                try:
                    test(case)
                except AssertionError as error:
                    failed += 1
                    print('#', error, f'\nnot ok {number} - {kind}, {test.__name__}', flush=True)
                else:
                    print(f'ok {number} - {kind}, {test.__name__}', flush=True)
    return failed != 0


sys.exit(main())
