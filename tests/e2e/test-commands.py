#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The command lines of the documentation, letter by letter, in an empty folder, against a running asyncio program."""
import json
import os
import re
import shlex
import shutil
import subprocess
import textwrap

from support import interpreters
from support.folder import Folder
from support.programs import HEAPANALYZE, HEAPDUMP, SOURCE, run, succeeds
from support.tap import Skip, Suite, check, equal
from support.target import Target

suite = Suite()
PATH = ':'.join([os.path.dirname(HEAPDUMP), os.path.dirname(HEAPANALYZE), os.environ['PATH']])
ENVIRONMENT = {k: v for k, v in dict(os.environ, PATH=PATH).items() if k != 'HEAPDUMP'}


def shell(line, folder):
    """What a user types, run by the shell."""
    return succeeds(run('bash', '-o', 'pipefail', '-c', line, cwd=folder, env=ENVIRONMENT))


def need(program):
    if not shutil.which(program):
        raise Skip(f'there is no {program}')


def valid_picture(path):
    need('xmllint')
    succeeds(run('xmllint', '--noout', '--nonet', path))
    with open(path, encoding='utf-8') as file:
        text = file.read()
    check('<svg' in text and '<g ' in text, f'{path} is no picture')
    return text


def first_address(text):
    match = re.search(r'^- +\d+ ([0-9a-f]{16}) ', text, re.M)
    check(match, f'no object in {text[:500]!r}')
    return '0x' + match[1]


@suite.case('three commands in an empty folder')
def _():
    with Target(interpreters.newest(), 'asyncio-app.py') as target, Folder() as folder:
        result = shell(f'heapdump-gdb {target.pid}', folder)
        name = result.text.splitlines()[-1]
        check(re.fullmatch(rf'heap-{target.pid}-\d{{8}}T\d{{6}}\.heap\.zst', os.path.basename(name)), f'name of the dump: {name}')
        equal(os.listdir(folder), [os.path.basename(name)], 'files')

        result = shell('heapanalyze top --max-depth 30', folder)
        check(os.path.basename(name) in result.err, f'which dump was read is not told: {result.err}')
        address = first_address(result.text)

        shell(f'heapanalyze graph --filter {address} --highlight asyncio.Task -o graph.svg', folder)
        check(address[2:].lstrip('0') in valid_picture(f'{folder}/graph.svg'), 'the object is not in the picture')
        equal(target.ask()['wrong'], 0, 'wrong results')


@suite.case('two dumps, what survived, and a picture through dot')
def _():
    need('dot')
    with Target(interpreters.newest(), 'asyncio-app.py') as target, Folder() as folder:
        shell(f'heapdump-gdb --output-path before.heap.gz {target.pid}', folder)
        shell(f'heapdump-gdb --output-path after.heap.gz {target.pid}', folder)
        text = shell('heapanalyze --previous-heap-dump before.heap.gz top --show-parent --max-depth=30 after.heap.gz', folder).text
        check('=====' in text, 'objects are not separated')
        check('(root' in text, 'no root is shown')
        check(len(text) < 20 << 20, f'{len(text)} bytes are not readable')

        tasks = shell('heapanalyze top --filter Task --top-allocations 3 after.heap.gz', folder).text
        addresses = ['0x' + a for a in re.findall(r'^- +\d+ ([0-9a-f]{16}) _?asyncio\.Task', tasks, re.M)]
        equal(len(addresses), 3, 'tasks')
        line = f"--filter='{addresses[0]},!{addresses[1]},!{addresses[2]}'"
        shell(f"heapanalyze graph {line} --highlight='asyncio.Task' --max-depth=30 after.heap.gz | dot -o graph.svg -Tsvg", folder)
        picture = valid_picture(f'{folder}/graph.svg')
        check(addresses[0][2:].lstrip('0') in picture, 'the object is not in the picture')
        check(re.search(r'fill="(yellow|#ffff00|#[a-f0-9]{6})"', picture), 'no task is highlighted')


@suite.case('pictures of every kind')
def _():
    with Target(interpreters.newest(), 'asyncio-app.py') as target, Folder() as folder:
        shell(f'heapdump-gdb -o x.heap.zst {target.pid}', folder)
        magic = {'svg': b'<?xml', 'pdf': b'%PDF', 'png': b'\x89PNG', 'dot': b'digraph'}
        for suffix, start in magic.items():
            shell(f'heapanalyze graph --filter Session --max-depth 3 -o x.{suffix}', folder)
            with open(f'{folder}/x.{suffix}', 'rb') as file:
                check(start in file.read(200), f'x.{suffix} is of another kind')
        valid_picture(f'{folder}/x.svg')


@suite.case('a public name finds the C type behind it')
def _():
    with Target(interpreters.newest(), 'asyncio-app.py') as target, Folder() as folder:
        shell(f'heapdump-gdb -o x.heap.zst {target.pid}', folder)
        plain = shell('heapanalyze graph --filter Session --max-depth 4', folder).text
        marked = shell('heapanalyze graph --filter Session --max-depth 4 --highlight asyncio.Task', folder).text
        check('Task' in plain, 'no task in the picture')
        check(plain != marked, 'asyncio.Task highlights nothing')


@suite.case('dumps on stdout and from stdin')
def _():
    with Target(interpreters.newest(), 'asyncio-app.py') as target, Folder() as folder:
        text = shell(f'heapdump-gdb -o - {target.pid} | heapanalyze info -', folder).text
        check(str(target.pid) in text, text)
        equal(os.listdir(folder), [], 'files')


@suite.case('the same facts as JSON')
def _():
    with Target(interpreters.newest(), 'asyncio-app.py') as target, Folder() as folder:
        shell(f'heapdump-gdb -o x.heap.zst {target.pid}', folder)
        for command in ('top', 'types', 'info'):
            json.loads(shell(f'heapanalyze {command} --json', folder).text)


@suite.case('the script is printed and nothing touched')
def _():
    with Target(interpreters.newest(), 'asyncio-app.py') as target, Folder() as folder:
        text = shell(f'heapdump-gdb --print-script {target.pid}', folder).text
        check('attach' in text and 'detach' in text, text)
        equal(os.listdir(folder), [], 'files')


@suite.case('a test that asserts of its own heap')
def _():
    """The one of the README, with a program that keeps its sessions, and one that does not."""
    with open(f'{SOURCE}/README.md', encoding='utf-8') as file:
        code = textwrap.dedent(re.search(r'^    import os, subprocess\n.*?^        subprocess\.run\(.*?assert.*?\n', file.read(), re.S | re.M)[0])
    check('def test_sessions_end(tmp_path)' in code, code)
    for keeps, expected in (True, 1), (False, 0):
        with Folder() as folder:
            with open(f'{folder}/app.py', 'w', encoding='utf-8') as file:
                file.write('SESSIONS = {}\nclass Session:\n    pass\ndef customer():\n    session = Session()\n'
                           + ('    SESSIONS[f"user-{len(SESSIONS)}"] = session\n' if keeps else ''))
            main = ('import app, pathlib, sys\ndef run_customers(n):\n    for _ in range(n):\n        app.customer()\n' + code +
                    'try:\n    test_sessions_end(pathlib.Path("."))\nexcept subprocess.CalledProcessError as error:\n    sys.exit(error.returncode)\n')
            result = run(interpreters.newest().path, '-c', main, cwd=folder, env=ENVIRONMENT)
            equal(result.code, expected, f'exit code of {result}')
            text = 'FAILED  growth(app.Session)==0: +100; before 10, now 110' if keeps else 'ok      growth(app.Session)==0: 0; before 0, now 0'
            check(text in result.text, str(result))
            check(not keeps or "100 new ones at sys.modules['app'].SESSIONS[*]" in result.text, str(result))


@suite.case('the demonstration')
def _():
    with Folder() as folder:
        command = [f'{SOURCE}/docs/demo/run', os.environ.get('HEAPDUMP_BUILD', 'build'), folder]
        process = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL)
        check(process.returncode == 0, f'{shlex.join(command)}\n{process.stdout}\n{process.stderr}')
        check('__main__.Session' in process.stdout, f'no session was found:\n{process.stdout}')
        valid_picture(f'{folder}/graph.svg')


suite.run()
