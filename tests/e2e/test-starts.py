#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""However a Python was started, and whatever became of its files since: by a name that no shell likes, through the loader, out of another program, from a
file that is deleted or replaced by now, on folders that are full. A dump works, and leaves the target as it was."""
import atexit
import glob
import os
import shutil
import subprocess
import tempfile

from support import interpreters, procstate
from support.folder import Folder, empty
from support.programs import TARGETS, fails, heapanalyze, heapdump, run, succeeds
from support.tap import Skip, Suite, check, equal
from support.target import Target, wait_for

NASTY = 'a b\nc\t"d" \'e\' \\f \\012 $HOME `g` %s (deleted)'
suite = Suite()


class Program:
    """What to start instead of an interpreter: words in front of python's own arguments."""

    def __init__(self, *words):
        self.words = list(map(str, words))
        self.path = self.words[0]


def start(program, kind='sleep', script='sleeper.py', **how):
    target = Target(program, script, kind, **how)
    target.command[:1] = getattr(program, 'words', [program.path])
    return target


def dumped(target, *options, path=None, pid=None):
    """Dumps it and checks that nothing of it has changed."""
    with Folder() as folder:
        path = path or f'{folder}/x.heap'
        pid = pid or target.pid
        if options and options[0] in ('--mode', '--payload'):
            succeeds(heapdump(*options, '-o', path, pid))  # the first thread of a process has its C library set up a handler
        before = procstate.State(pid)
        result = succeeds(heapdump(*options, '-o', path, pid))
        if '--payload' not in options:
            succeeds(heapanalyze('info', path))
        os.unlink(path)
        empty(folder)
        wait_for(lambda: procstate.children(pid) == before.facts['children'], 'our copy of the target has ended')
        procstate.unchanged(before, procstate.State(pid))
        equal(target.ask()['wrong'], 0, 'wrong results')
        return result


def some_library():
    """A libpython for programs that embed one: GDB's own will do."""
    found = glob.glob('/usr/lib/*-linux-gnu/libpython3.*.so.1.0')
    return found[-1] if found else next(libraries())[1]


def compiled(folder, *options):
    program = f'{folder}/embedder'
    succeeds(run('cc', '-o', program, f'{TARGETS}/embedder.c', *options, '-ldl'))
    return program


def linked(folder):
    library = some_library()
    return compiled(folder, '-DLINKED', library, f'-Wl,-rpath,{os.path.dirname(library)}')


def libraries():
    """(interpreter, its library) of those whose code is in one."""
    for interpreter in reversed(interpreters.dumpable()):
        for line in subprocess.run(['ldd', interpreter.path], capture_output=True, text=True).stdout.splitlines():
            if 'libpython' in line and '/' in line:
                yield interpreter, os.path.realpath(line.split('=>')[1].split()[0])


def with_library():
    """One of them, or what comes near to it."""
    for found in libraries():
        return found
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    return Program(linked(folder)), os.path.realpath(some_library())


# -- names -----------------------------------------------------------------------------------------------------------------------

@suite.case('nasty names: program, script, working folder, stage, dump')
def _():
    with Folder() as folder:
        place = f'{folder}/{NASTY}'
        os.mkdir(place)
        program = shutil.copy(os.path.realpath(interpreters.newest().path), f'{place}/{NASTY}')
        for file in glob.glob(f'{TARGETS}/*.py'):
            shutil.copy(file, place)
        script = f'{place}/{NASTY}.py'
        os.rename(f'{place}/sleeper.py', script)
        with start(Program(program), script=script, cwd=place, environment={'TMPDIR': place}) as target:
            before = sorted(os.listdir(place))
            result = dumped(target, path=f'{place}/x {NASTY}.heap')
            check(result.text == f'{place}/x {NASTY}.heap\n', f'the path of the dump is not printed as it is: {result.text!r}')
            dumped(target, '--stage-dir', place)
            dumped(target, '--mode', 'inline', '--stage-dir', place)
            equal(sorted(os.listdir(place)), before, 'files in the folder')


@suite.case('a libpython with a nasty name')
def _():
    interpreter, library = with_library()
    with Folder() as folder:
        place = f'{folder}/{NASTY}'.replace('$', '')
        os.mkdir(place)
        shutil.copy(library, place)
        with start(interpreter, environment={'LD_LIBRARY_PATH': place}) as target:
            check(any(place.replace('\n', '\\012') in name for *_, name in procstate.mappings(target.pid)), 'it runs another library')
            dumped(target)


@suite.case('a path as long as a path may be')
def _():
    with Folder() as folder:
        place = folder
        while len(place) < 3700:
            place += '/' + 'x' * min(200, 3700 - len(place))
        os.makedirs(place)
        os.chmod(place, 0o777)
        program = shutil.copy(os.path.realpath(interpreters.newest().path), f'{place}/python')
        with start(Program(program), cwd=place) as target:
            dumped(target)
            dumped(target, path=f'{place}/x.heap')
            fails(heapdump('--stage-dir', place, '-o', f'{folder}/x.heap', target.pid), 1, 'too long', '--stage-dir')
            equal(os.listdir(place), ['python'], 'files')


@suite.case('a program that is not called python')
def _():
    with Folder() as folder:
        program = shutil.copy(os.path.realpath(interpreters.newest().path), f'{folder}/worker')
        with start(Program(program)) as target:
            dumped(target)


# -- ways to start ---------------------------------------------------------------------------------------------------------------

def loader():
    return next(iter(glob.glob('/lib64/ld-linux-x86-64.so.2')), None) or next(iter(glob.glob('/lib/ld-musl-x86_64.so.1')))


for interpreter in interpreters.dumpable():
    if '/versions/' in interpreter.path or interpreter.path.startswith('/usr/bin/'):
        @suite.case(f'through the loader · {interpreter}')
        def _(interpreter=interpreter):
            with start(Program(loader(), os.path.realpath(interpreter.path))) as target:
                dumped(target)


@suite.case('in a program that is linked against libpython')
def _():
    with Folder() as folder, start(Program(linked(folder))) as target:
        dumped(target)
        dumped(target, '--payload', 'tasks')


@suite.case('in a program that loads libpython')
def _():
    with Folder() as folder, start(Program(compiled(folder), some_library())) as target:
        dumped(target)
        dumped(target, '--mode', 'inline')


@suite.case('by a script that becomes it')
def _():
    with Folder() as folder:
        with open(f'{folder}/python', 'w', encoding='ascii') as file:
            file.write(f'#!/bin/sh\nexec {interpreters.newest().path} "$@"\n')
        os.chmod(f'{folder}/python', 0o755)
        with start(Program(f'{folder}/python')) as target:
            dumped(target)


@suite.case('by a script that waits for it: the number of the script is explained')
def _():
    with Folder() as folder:
        with open(f'{folder}/python', 'w', encoding='ascii') as file:
            file.write(f'#!/bin/sh\n{interpreters.newest().path} "$@"\nexit 0\n')
        os.chmod(f'{folder}/python', 0o755)
        target = start(Program(f'{folder}/python'))
        target.ask = lambda: {'wrong': 0}
        with target:
            pid = target.facts['pid']
            fails(heapdump('-o', f'{folder}/x.heap', target.pid), 5, 'not a Python', f'{pid} .*python')
            dumped(target, pid=pid)
            os.kill(pid, 9)


@suite.case('from memory, with no file at all')
def _():
    code = 'import os, sys\nfd = os.memfd_create("program")\nos.write(fd, open(sys.argv[1], "rb").read())\nos.execv(f"/proc/self/fd/{fd}", sys.argv[1:])'
    interpreter = interpreters.newest()
    with start(Program(interpreter.path, '-c', code, os.path.realpath(interpreter.path))) as target:
        dumped(target)


# -- files that are gone ---------------------------------------------------------------------------------------------------------

for what in ('deleted', 'replaced by another version', 'replaced by garbage'):
    def gone(file):
        os.unlink(file)
        if 'version' in what:
            shutil.copy(os.path.realpath(interpreters.dumpable()[0].path), file)
        elif 'garbage' in what:
            with open(file, 'wb') as out:
                out.write(os.urandom(100000))

    @suite.case(f'the program was {what}')
    def _(gone=gone):
        with Folder() as folder:
            program = shutil.copy(os.path.realpath(interpreters.newest().path), f'{folder}/python')
            with start(Program(program)) as target:
                gone(program)
                dumped(target)
                dumped(target, '--mode', 'inline')

    @suite.case(f'libpython was {what}')
    def _(gone=gone):
        interpreter, library = with_library()
        with Folder() as folder:
            copy = shutil.copy(library, folder)
            with start(interpreter, environment={'LD_LIBRARY_PATH': folder}) as target:
                check(any(copy in name for *_, name in procstate.mappings(target.pid)), 'it runs another library')
                gone(copy)
                dumped(target)
                dumped(target, '--mode', 'inline')


@suite.case('its working folder was deleted')
def _():
    with Folder() as folder:
        os.mkdir(f'{folder}/gone')
        with start(interpreters.newest(), cwd=f'{folder}/gone') as target:
            os.rmdir(f'{folder}/gone')
            dumped(target)


# -- file systems ----------------------------------------------------------------------------------------------------------------

def mounted(*mounts):
    """Starts the interpreter where file systems are mounted that nobody else sees. They may hide its script, which is mounted as well."""
    if os.getuid() != 0:
        raise Skip('only root can mount')
    steps = ['mount --bind "${3%/*}" /mnt', *mounts, 'script=/mnt/${3##*/}', 'shift 3', 'exec "$0" -X utf8 "$script" "$@"']
    return Program('unshare', '-m', '--propagation', 'private', 'sh', '-c', ' && '.join(steps), interpreters.newest().path)


@suite.case('a tiny /dev/shm and a full /tmp')
def _():
    full = 'mount -t tmpfs -o size=4k,nr_inodes=2 tmpfs {0} && (head -c 4096 /dev/zero >{0}/full; true)'
    with start(mounted(full.format('/tmp'), full.format('/dev/shm'))) as target:
        dumped(target)


@suite.case('a full folder of its own is passed over')
def _():
    with Folder() as folder:
        full = f'mount -t tmpfs -o size=4k,nr_inodes=3 tmpfs {folder} && (head -c 4096 /dev/zero >{folder}/full; true)'
        with start(mounted(full), environment={'TMPDIR': folder}) as target:
            dumped(target)
            dumped(target, '--payload', 'tasks')


@suite.case('nowhere to write')
def _():
    places = '/tmp /var/tmp /dev/shm /run'.split()
    with start(mounted(*[f'mount -t tmpfs -o ro tmpfs {place}' for place in places])) as target, Folder() as folder:
        fails(heapdump('-o', f'{folder}/x.heap', target.pid), 1, *places, 'read-only', '--stage-dir')
        empty(folder)
        equal(target.ask()['wrong'], 0, 'wrong results')
        dumped(target, '--stage-dir', '/opt' if os.access('/opt', os.W_OK) else '/root')


@suite.case('an overlay of folders')
def _():
    with Folder() as folder:
        for name in ('lower', 'upper', 'work', 'all'):
            os.mkdir(f'{folder}/{name}')
        interpreter, library = with_library()
        shutil.copy(library, f'{folder}/lower')
        shutil.copy(os.path.realpath(interpreter.path), f'{folder}/lower/python')
        mount = f'mount -t tmpfs tmpfs {folder}/work && mkdir {folder}/work/upper {folder}/work/work && ' \
                f'mount -t overlay -o lowerdir={folder}/lower,upperdir={folder}/work/upper,workdir={folder}/work/work overlay {folder}/all'
        program = mounted(mount)
        program.words[-1] = f'{folder}/all/python'
        with start(program, environment={'LD_LIBRARY_PATH': f'{folder}/all', 'TMPDIR': f'{folder}/all'}) as target:
            check(any(f'{folder}/all/lib' in name for *_, name in procstate.mappings(target.pid)), 'it runs another library')
            dumped(target)
            root = f'/proc/{target.pid}/root'
            equal(sorted(os.listdir(f'{root}{folder}/all')), sorted(os.listdir(f'{folder}/lower')), 'files in the overlay')
            shutil.copy(os.path.realpath(interpreter.path), f'{root}{folder}/all/{os.path.basename(library)}.new')
            os.rename(f'{root}{folder}/all/{os.path.basename(library)}.new', f'{root}{folder}/all/{os.path.basename(library)}')
            dumped(target)


suite.run()
