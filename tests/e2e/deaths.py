#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Kills, interrupts or stops the driver, GDB or both at random moments of a run, fills the output's disk, closes its pipe; and looks each time that the target
lives, is right and has nothing of ours, that no file of ours stays, and that the next dump works. Prints a table: what happened × mode → rounds / hits /
harmed, a hit being a round in which the victim still ran. Half of the moments are any moment of the run, half are aimed at the pause."""
import argparse
import os
import random
import resource
import signal
import subprocess
import sys
import time
import traceback
import uuid

from support import dumps, interpreters, procstate
from support.folder import Folder
from support.programs import HEAPDUMP, PATIENCE, heapanalyze, heapdump, succeeds
from support.tap import Mismatch, Suite, check, equal
from support.target import Target, state_of, wait_for

MODES = {'ghost': ('--mode', 'fork'), 'inline': ('--mode', 'inline'), 'gc': ('--gc',), 'tasks': ('--payload', 'tasks')}
TARGETS = {'asleep': ('sleeper.py', 'epoll'), 'at work': ('busy.py', 'work'), 'threads': ('busy.py', 'threads', '4')}
VICTIMS = ('driver', 'GDB', 'both')
SIGNALS = ('SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGSTOP')
OUTPUTS = ('full device', 'file size limit', 'reader gone')
KEPT_FREE = 48 << 20  # what a target may grow by over all rounds: its own work, and a stack and an arena of ours
PAUSE = 0.008  # s; aimed at what happens within this time after the attach


class Ours:
    """The processes of one run of ours, known by the folder for temporary files that they were given."""

    def __init__(self, arguments, folder, **options):
        self.mark = f'TMPDIR={folder}/{uuid.uuid4()}'
        name, value = self.mark.split('=')
        self.process = subprocess.Popen([HEAPDUMP, *map(str, arguments)], env={**os.environ, name: value}, stdin=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, **options)

    def others(self):
        """pid → name of all that it started and that still run."""
        found = {}
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{pid}/environ', 'rb') as file:
                    if self.mark.encode() in file.read().split(b'\0') and int(pid) != self.process.pid:
                        found[int(pid)] = procstate.lines(f'/proc/{pid}/comm')[0]
            except (OSError, IndexError):
                continue
        return found

    def gdb(self):
        return [pid for pid, name in self.others().items() if name == 'gdb']

    def victims(self, which):
        own = [self.process.pid] if self.process.poll() is None else []
        return {'driver': lambda: own, 'GDB': self.gdb, 'both': lambda: own + self.gdb()}[which]()

    def wait(self, seconds):
        """TRUE: it has ended."""
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def end(self):
        _, err = self.process.communicate(timeout=PATIENCE)
        wait_for(lambda: not self.others(), 'what we started has ended')
        return self.process.returncode, err.decode('utf-8', 'replace')


def send(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


class Scene:
    """A target, where its dumps go, and how it looks when nothing of ours is there."""

    def __init__(self, interpreter, kind, mode, chance):
        self.kind, self.mode, self.chance = kind, mode, chance
        self.folder, self.stage, self.temporary = Folder(), Folder(), Folder()
        self.target = Target(interpreter, *TARGETS[kind], environment={'TMPDIR': self.stage.name})

    def __enter__(self):
        self.paths = [f.__enter__() for f in (self.folder, self.stage, self.temporary)]
        self.target.__enter__()
        self.path = f'{self.paths[0]}/x.heap'
        self.arguments = (*MODES[self.mode], '-o', self.path, self.target.pid)
        try:
            self.settle()
        except BaseException:
            self.__exit__()
            raise
        return self

    def settle(self):
        """Twice: what the first thread of ours leaves to the next one, a stack and an arena of malloc, is there then."""
        for _ in range(2):
            start = time.monotonic()
            self.next_works()
            self.length = time.monotonic() - start
        self.before = procstate.State(self.target.pid)
        self.target.ask()

    def __exit__(self, *_):
        self.target.__exit__()
        for f in (self.folder, self.stage, self.temporary):
            f.__exit__(None, None, None)

    def next_works(self):
        succeeds(heapdump(*self.arguments))
        self.whole()
        os.unlink(self.path)

    def whole(self):
        if self.mode == 'tasks':
            check(os.path.getsize(self.path), 'the output is empty')
        else:
            succeeds(heapanalyze('info', self.path))

    def goes_on(self):
        """It must, whatever stands still of ours."""
        rounds = self.target.ask().get('rounds')
        if rounds is not None:
            wait_for(lambda: self.target.ask()['rounds'] > rounds, 'the target goes on')

    def unharmed(self):
        pid = self.target.pid
        wait_for(lambda: not [c for c in procstate.children(pid) if c not in self.before.facts['children']], 'our copy has ended')
        wait_for(lambda: state_of(pid) not in 'Tt' and not procstate.tracer(pid), 'the target goes on')
        check(self.target.alive(), 'the target is dead')
        end = time.monotonic() + PATIENCE
        while list(procstate.differences(self.before, procstate.State(pid))) and time.monotonic() < end:
            time.sleep(0.01)  # our thread or guardian has still something to do
        procstate.unchanged(self.before, procstate.State(pid), KEPT_FREE)
        equal(self.target.ask()['wrong'], 0, 'wrong results')
        self.goes_on()
        wait_for(lambda: not os.listdir(self.paths[1]), f"the target's folder is empty: {os.listdir(self.paths[1])}")
        equal(os.listdir(self.paths[2]), [], 'temporary files')

    def files(self, code, err):
        """What stands under the final name is whole, and nothing else stands anywhere."""
        wait_for(lambda: os.listdir(self.paths[0]) in ([], ['x.heap']), f'no unfinished file is left: {os.listdir(self.paths[0])}')
        if os.path.exists(self.path):
            self.whole()
            os.unlink(self.path)
        else:
            check(code != 0, f'exit 0, and no dump: {err}')

    # -- what happens; each returns whether it hit ---------------------------------------------------------------------------

    def wait_for_moment(self, ours):
        """FALSE: the run ended before it came."""
        if self.chance.random() < 0.5:
            return not ours.wait(self.chance.uniform(0, 1.1 * self.length))
        while not ours.wait(0.0002):
            if procstate.tracer(self.target.pid):
                return not ours.wait(self.chance.uniform(0, PAUSE))
        return False

    def signal(self, victim, number, stopped=0):
        """stopped: seconds that SIGSTOP lasts at least."""
        start = time.monotonic()
        ours = Ours(self.arguments, self.paths[2], stdout=subprocess.DEVNULL)
        pids = []
        if self.wait_for_moment(ours):
            pids = ours.victims(victim)
            send(pids, number)
        if pids and number == signal.SIGSTOP:
            wait_for(lambda: all(state_of(p) in 'TtZgone' for p in pids), 'the victims stand still')
            if self.mode != 'inline':  # there the target waits for its reader, for some seconds, see entry-inline.py
                self.goes_on()
            if stopped:
                time.sleep(stopped)
                self.goes_on()
            send(pids, signal.SIGCONT)
        code, err = ours.end()
        if code == 0:
            self.length = 0.8 * self.length + 0.2 * (time.monotonic() - start)
        elif code == 128 + number:
            check(f'by {signal.Signals(number).name} of process {os.getpid()} ' in err, f'it does not say who sent the signal: {err!r}')
        self.unharmed()
        self.files(code, err)
        return bool(pids)

    def output(self, what):
        arguments, options = list(self.arguments), {'stdout': subprocess.DEVNULL}
        if what == 'full device':
            arguments[arguments.index('-o') + 1] = '/dev/full'
        elif what == 'file size limit':
            limit = self.chance.choice((0, 1, 4096, 1 << 16))
            options['preexec_fn'] = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        else:
            arguments[arguments.index('-o') + 1] = '-'
            options['stdout'] = subprocess.PIPE
        ours = Ours(arguments, self.paths[2], **options)
        if what == 'reader gone':
            wanted = self.chance.choice((0, 1, 1000, 1 << 17))
            while wanted > 0:
                got = len(os.read(ours.process.stdout.fileno(), wanted))
                if not got:
                    break
                wanted -= got
            ours.process.stdout.close()
            ours.process.stdout = None
        code, err = ours.end()
        self.unharmed()
        if code != 0:
            equal(len([line for line in err.splitlines() if 'cannot write' in line or 'File too large' in line]), 1, f'lines that say so in {err!r}')
        self.files(code or 1, err)
        return code != 0


class Cell:
    def __init__(self):
        self.rounds = self.hits = self.harmed = 0
        self.notes = []


def run(cell, interpreter, kind, mode, rounds, seed, happen):
    """Adds to the cell. A target that was harmed is replaced by another one."""
    left = rounds
    while left > 0:
        try:
            with Scene(interpreter, kind, mode, random.Random(f'{seed} {left}')) as scene:
                while left > 0:
                    left -= 1
                    cell.rounds += 1
                    cell.hits += happen(scene)
                    if left % 10 == 0:
                        scene.next_works()
        except (Mismatch, OSError, subprocess.SubprocessError) as why:
            cell.harmed += 1
            cell.notes.append(f'{mode}, target {kind}, {interpreter}, seed {seed}, {left} rounds before the end: {why}')
            print(f'\n# {cell.notes[-1]}', file=sys.stderr, flush=True)
            if cell.harmed > 5:
                return
        except Exception:
            cell.harmed += 1
            cell.notes.append(traceback.format_exc())
            return


def happenings(signals, victims, outputs, stopped=0):
    """(name, what to do with a scene)"""
    for name in signals:
        for victim in victims:
            yield f'{name} to {victim}', lambda scene, n=name, v=victim: scene.signal(v, getattr(signal, n), stopped)
    for what in outputs:
        yield what, lambda scene, w=what: scene.output(w)


def words(text, known):
    given = [w.strip() for w in text.split(',') if w.strip()] if text is not None else list(known)
    for word in given:
        if word not in known:
            sys.exit(f'{word!r} is none of {", ".join(known)}')
    return given


def short(rounds):
    """For CI: every signal, victim and mode, few rounds each."""
    suite, seed = Suite(), os.environ.get('HEAPDUMP_SEED') or str(random.SystemRandom().randrange(10 ** 6))
    pairs = {'ghost': list(happenings(SIGNALS, VICTIMS, OUTPUTS)), 'inline': list(happenings(['SIGKILL', 'SIGTERM'], ['both'], OUTPUTS[2:])),
             'gc': list(happenings(['SIGKILL', 'SIGHUP'], ['GDB', 'both'], ())), 'tasks': list(happenings(['SIGKILL', 'SIGSTOP'], ['GDB', 'both'], OUTPUTS[:1]))}

    def case(mode, happen, kind):
        cell = Cell()
        run(cell, interpreters.newest(), kind, mode, rounds, seed, happen)
        check(not cell.harmed, '\n'.join(cell.notes))
    kinds = list(TARGETS)
    for mode, happens in pairs.items():
        for number, (name, happen) in enumerate(happens):
            kind = kinds[number % len(kinds)]
            suite.case(f'{name}, {mode}, target {kind}', case, mode, happen, kind)
    sys.argv[1:] = []
    suite.run()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=20, help='an entry of the table (20)')
    parser.add_argument('--signals', help=f'of {", ".join(SIGNALS)} (all)')
    parser.add_argument('--victims', help=f'of {", ".join(VICTIMS)} (all)')
    parser.add_argument('--outputs', help=f'of {", ".join(OUTPUTS)} (all); an empty word leaves them out')
    parser.add_argument('--modes', help=f'of {", ".join(MODES)} (all)')
    parser.add_argument('--targets', help=f'of {", ".join(TARGETS)} (all): they take turns')
    parser.add_argument('--versions', default='', help='parts of names of interpreters, comma-separated (the newest): they take turns')
    parser.add_argument('--seed', default=str(random.SystemRandom().randrange(10 ** 6)))
    parser.add_argument('--stopped', type=float, default=0, help='seconds that SIGSTOP lasts at least (0)')
    parser.add_argument('--tap', action='store_true', help='a short run, reported as TAP')
    options = parser.parse_args()
    if options.tap:
        short(options.rounds)
    modes, kinds = words(options.modes, MODES), words(options.targets, TARGETS)
    parts = [w for w in options.versions.split(',') if w]
    pythons = [i for i in interpreters.dumpable() if any(w in str(i) for w in parts)] or [interpreters.newest()]
    rows = list(happenings(words(options.signals, SIGNALS), words(options.victims, VICTIMS), words(options.outputs, OUTPUTS), options.stopped))
    start, harmed, notes = time.monotonic(), 0, []
    print(f'{", ".join(map(str, pythons))}; seed {options.seed}; each entry: rounds / hits / harmed')
    print(' ' * 20 + ''.join(f'{m:>16}' for m in modes), flush=True)
    for name, happen in rows:
        print(f'{name:20}', end='', flush=True)
        for mode in modes:
            cell, scenes = Cell(), [(p, k) for p in pythons for k in kinds]
            for number, (python, kind) in enumerate(scenes):
                share = options.rounds // len(scenes) + (number < options.rounds % len(scenes))
                run(cell, python, kind, mode, share, f'{options.seed} {name} {mode} {number}', happen)
            print(f'{f"{cell.rounds}/{cell.hits}/{cell.harmed}":>16}', end='', flush=True)
            harmed += cell.harmed
            notes += [f'{name}: {note}' for note in cell.notes]
        print(flush=True)
    print(f'\n{harmed} harmed, in {time.monotonic() - start:.0f} s')
    for note in notes:
        print('  ' + note.replace('\n', '\n    '))
    return 1 if harmed else 0


if __name__ == '__main__':
    sys.exit(main())
