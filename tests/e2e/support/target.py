# SPDX-License-Identifier: MIT
"""Starts programs from tests/targets. They print a JSON line when they are ready, and another whenever they get SIGUSR1: the
answer to "are you well?". Python runs the handler between two bytecodes and then goes on with the interrupted wait, so a target may
be asked in any state without leaving it."""
import json
import os
import select
import signal
import subprocess
import time

from .programs import PATIENCE, TARGETS
from .tap import check, equal


class Target:
    """Use with `with`: it is killed, it alone, at the end."""

    def __init__(self, interpreter, script, *arguments, environment=None, **options):
        path = script if os.path.isabs(script) else os.path.join(TARGETS, script)
        self.command = [interpreter.path, '-X', 'utf8', path, *map(str, arguments)]
        self.environment = dict(os.environ, PYTHONDONTWRITEBYTECODE='1', **(environment or {}))
        self.options = options
        self.buffer = b''

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env=self.environment, start_new_session=True, **self.options)
        self.pid = self.process.pid
        try:
            self.facts = self.read()
            check(self.facts.pop('ready', False), f'{self.command} did not say that it is ready: {self.facts}')
            self.ask()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def read(self, patience=PATIENCE):
        """The next line that the target prints, decoded."""
        end = time.monotonic() + patience
        while b'\n' not in self.buffer:
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            check(readable, lambda: f'{self.command} does not answer; state {state_of(self.pid)}')
            data = os.read(self.process.stdout.fileno(), 65536)
            check(data, lambda: f'{self.command} has ended: {self.process.wait()}')
            self.buffer += data
        line, self.buffer = self.buffer.split(b'\n', 1)
        return json.loads(line)

    def answers_within(self, seconds):
        return b'\n' in self.buffer or bool(select.select([self.process.stdout], [], [], seconds)[0])

    def ask(self):
        """What the target says of itself now. A signal that comes when Python has just looked for signals and is about to sleep wakes nobody: then
        another one does."""
        os.kill(self.pid, signal.SIGUSR1)
        again = not self.answers_within(10)
        if again and self.alive():
            os.kill(self.pid, signal.SIGUSR1)
        answer = self.read()
        while again and self.answers_within(1):
            answer = self.read()
        return answer

    def tell(self, line):
        """A line on its stdin, and what it says when that is done."""
        self.process.stdin.write((str(line) + '\n').encode())
        self.process.stdin.flush()
        return self.read()

    def evaluate(self, folder, expressions):
        """What targets/expressions.py answers: for each the id of its value, or an error as text."""
        path = os.path.join(folder, 'expressions')
        with open(path, 'w', encoding='ascii') as file:
            json.dump(expressions, file)
        equal(self.tell(path), {'done': True}, 'answer')
        with open(path + '.out', encoding='ascii') as file:
            return json.load(file)

    def alive(self):
        return self.process.poll() is None


def state_of(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as stat:
            return stat.read().rpartition(')')[2].split()[0]
    except OSError:
        return 'gone'


def wait_for(condition, what, patience=PATIENCE):
    """Waits until condition() holds, which it must before long. For what cannot be waited for in a better way."""
    end = time.monotonic() + patience
    while not condition():
        check(time.monotonic() < end, f'waited in vain until {what}')
        time.sleep(0.005)
