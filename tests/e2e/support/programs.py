# SPDX-License-Identifier: MIT
"""Our own programs, as built, and what a run of them gave."""
import atexit
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile

from .tap import check, equal

BUILD = os.path.abspath(os.environ.get('HEAPDUMP_BUILD', 'build'))
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def _anybody_may_enter(path):
    return os.stat(path).st_mode & 0o001 and (path == '/' or _anybody_may_enter(os.path.dirname(path)))


def _remove(folder, pid):
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)


def _for_all_users():
    """Folders of tests and of our two programs that any user may enter: copies where a checkout in root's home is none."""
    if os.getuid() != 0 or (_anybody_may_enter(SOURCE) and _anybody_may_enter(BUILD)):
        return os.path.join(SOURCE, 'tests'), BUILD
    folder = tempfile.mkdtemp()
    atexit.register(_remove, folder, os.getpid())
    os.chmod(folder, 0o755)
    shutil.copytree(os.path.join(SOURCE, 'tests'), f'{folder}/tests', ignore=shutil.ignore_patterns('__pycache__'))
    for program in 'injector/heapdump-gdb', 'analyzer/heapanalyze':
        os.makedirs(f'{folder}/build/{os.path.dirname(program)}')
        if os.path.exists(f'{BUILD}/{program}'):
            shutil.copy(f'{BUILD}/{program}', f'{folder}/build/{program}')
    return f'{folder}/tests', f'{folder}/build'


TESTS, PROGRAMS = _for_all_users()
TARGETS = os.path.join(TESTS, 'targets')
HEAPDUMP = os.path.join(PROGRAMS, 'injector', 'heapdump-gdb')
HEAPANALYZE = os.path.join(PROGRAMS, 'analyzer', 'heapanalyze')

# Far beyond what anything takes: a guard against hanging, not a measurement.
PATIENCE = int(os.environ.get("HEAPDUMP_PATIENCE", "300"))


class Run:
    def __init__(self, command, code, out, err):
        self.command = command
        self.code = code
        self.out = out
        self.err = err

    @property
    def text(self):
        return self.out.decode('utf-8', 'replace')

    def __str__(self):
        return f'$ {shlex.join(self.command)}\nexit {self.code}\nstdout: {self.text[-2000:]}\nstderr: {self.err[-2000:]}'


def start(command, **options):
    """Starts a program of ours with the signal dispositions of a shell and nothing on stdin."""
    options.setdefault('stdin', subprocess.DEVNULL)
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def finish(process, command, patience=PATIENCE):
    try:
        out, err = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=patience)
        run = Run(command, 'no end in sight', out, err.decode('utf-8', 'replace'))
        check(False, str(run))
    return Run(command, process.returncode, out, err.decode('utf-8', 'replace'))


def run(*command, **options):
    command = list(map(str, command))
    return finish(start(command, **options), command)


def heapdump(*arguments, **options):
    return run(HEAPDUMP, *arguments, **options)


def heapanalyze(*arguments, **options):
    return run(HEAPANALYZE, *arguments, **options)


def succeeds(result):
    check(result.code == 0, f'should have worked:\n{result}')
    return result


def fails(result, code, *words):
    """It must have failed with this exit code and one line on stderr that holds all the words (regular expressions)."""
    check(result.code == code, f'expected exit code {code}:\n{result}')
    lines = [line for line in result.err.splitlines() if line.strip()]
    equal(len(lines), 1, f'number of lines on stderr\n{result}\nnumber of lines')
    for word in words:
        check(re.search(word, result.err, re.I), f'the message does not say {word!r}:\n{result}')
    return result
