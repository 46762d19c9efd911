#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs command lines and compares what they print: golden.py WRITE-DUMP HEAPANALYZE FILE… In a FILE,

    dump NAME           begins the description of a dump, which ends with a line "."; see write-dump.c
    $ COMMAND           is run by the shell in an empty folder with the dumps; stdout and then stderr follow, then "[STATUS]" if not 0

Everything else stands for itself. GOLDEN_UPDATE=1 writes down what comes out; look at the difference before you keep it."""
import os
import subprocess
import sys
import tempfile

WRITE_DUMP, HEAPANALYZE, *FILES = (os.path.abspath(path) for path in sys.argv[1:])
ENVIRONMENT = dict(os.environ, PATH=os.path.dirname(HEAPANALYZE) + ':' + os.environ['PATH'], LC_ALL='C.UTF-8', TZ='UTC')
ENVIRONMENT.pop('HEAPDUMP', None)


def run(command, folder):
    # a sanitizer's own words and statuses show as a difference
    done = subprocess.run(['bash', '-o', 'pipefail', '-c', command], cwd=folder, env=ENVIRONMENT, capture_output=True,
                          timeout=120, check=False)
    lines = done.stdout.decode('utf-8', 'backslashreplace') + done.stderr.decode('utf-8', 'backslashreplace')
    if lines and not lines.endswith('\n'):
        lines += '\n(no newline)\n'
    return lines + (f'[{done.returncode}]\n' if done.returncode else '')


def play(path, folder):
    """Yields, for each command, its line number, what it is, what was expected and what came out; other lines as they are."""
    with open(path, encoding='utf-8') as file:
        lines = file.read().splitlines(keepends=True)
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith('dump '):
            end = lines.index('.\n', at)
            name = os.path.join(folder, line[5:].strip())
            subprocess.run([WRITE_DUMP, name], input=''.join(lines[at:end]).encode(), check=True)
            yield None, line + ''.join(lines[at:end + 1]), None, None
            at = end + 1
        elif line.startswith('$ '):
            start = at
            while at < len(lines) and not lines[at].startswith(('$ ', 'dump ', '# ')):
                at += 1
            expected = ''.join(lines[start:at])
            blank = '\n' if expected.endswith('\n\n') or expected == '\n' else ''
            yield start, line, expected, run(line[2:], folder) + blank
        else:
            yield None, line, None, None


def main():
    failed = 0
    print(f'1..{len(FILES)}')
    for number, path in enumerate(FILES, 1):
        result, wrong = '', []
        with tempfile.TemporaryDirectory() as folder:
            for at, line, expected, actual in play(path, folder):
                result += line + (actual or '')
                if at is not None and expected != actual:
                    wrong.append((at, line, expected, actual))
        if os.environ.get('GOLDEN_UPDATE') == '1':
            with open(path, 'w', encoding='utf-8') as file:
                file.write(result)
            wrong = []
        for at, line, expected, actual in wrong:
            print(f'# {path}:{at}: {line}', end='')
            for mark, text in (('expected', expected), ('got', actual)):
                print(f'#  {mark}:', *text.splitlines(), sep='\n#    ')
        failed += bool(wrong)
        print('not ok' if wrong else 'ok', number, os.path.basename(path), flush=True)
    return failed != 0


sys.exit(main())
