# SPDX-License-Identifier: MIT
"""Our own programs, as built, and what a run of them gave."""
import os
import re
import shlex
import signal
import subprocess

from .tap import check, equal

BUILD = os.environ.get('HEAPDUMP_BUILD', 'build')
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
TARGETS = os.path.join(SOURCE, 'tests', 'targets')
HEAPDUMP = os.path.abspath(os.path.join(BUILD, 'injector', 'heapdump-gdb'))
HEAPANALYZE = os.path.abspath(os.path.join(BUILD, 'analyzer', 'heapanalyze'))

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
