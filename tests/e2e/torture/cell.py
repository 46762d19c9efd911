# SPDX-License-Identifier: MIT
"""One cell of the table: one state, one interpreter, some attempts. Every attempt ends in one of four ways, and the last two are defects: ok, the dump is
whole; refused, with one line that says why; bad, what came out is not what it should be; harmed, the target is not as it was."""
import json
import os

from support import procstate
from support.folder import Folder
from support.programs import heapanalyze, heapdump
from support.tap import Mismatch, Skip, check, equal
from support.target import Target, state_of, wait_for

HELPER = os.path.abspath(os.path.join(os.environ.get('HEAPDUMP_BUILD', 'build'), 'tests', 'e2e', 'torture', 'libtorture.so'))
KEPT_FREE = 64 << 20  # what a target may grow by while it goes on with its own work


# The ways of dumping: in a copy, and by a thread of ours in the target itself.
WAYS = {'fork': (), 'inline': ('--mode', 'inline'), 'gc': ('--gc',), 'tasks': ('--payload', 'tasks')}


class Cell:
    def __init__(self):
        self.ok = self.refused = self.bad = self.harmed = 0
        self.skipped = None
        self.notes = []

    def note(self, text):
        if len(self.notes) < 5:
            self.notes.append(text)


class Harm(Exception):
    pass


class OddTarget(Target):
    """A target of any state: asked through a signal, or through its stdin where signals are not answered."""

    def __init__(self, interpreter, state, environment):
        environment = {**environment, **state.environment}
        if state.preload:
            environment['LD_PRELOAD'] = state.preload
        arguments = state.arguments + ((HELPER,) if os.path.isabs(state.script) else ())
        super().__init__(interpreter, state.script, *arguments, environment=environment)
        self.facts = {}

    @property
    def view(self):
        """The number under which /proc shows the whole process: that of a thread when the first one has ended."""
        if state_of(self.pid) != 'Z' or not self.alive():
            return self.pid
        return next((int(t) for t in os.listdir(f'/proc/{self.pid}/task') if int(t) != self.pid and state_of(t) != 'Z'), self.pid)

    def read(self, *arguments):
        answer = super().read(*arguments)
        if 'skip' in answer:
            raise Skip(answer['skip'])
        return answer

    def ask(self):
        if self.facts.get('by') != 'stdin':
            return super().ask()
        os.write(self.process.stdin.fileno(), b'?')
        return self.read()


def facts_of(target, state, way):
    now = procstate.State(target.view)
    now.facts['children'] = procstate.children(target.pid)
    if state.still and way == 'fork':
        now.facts['mappings'] = sorted(f'{s:x}-{e:x} {p} {n}' for s, e, p, n in procstate.mappings(target.pid))
    if way != 'fork':  # libc's own handler (SIGSETXID) is there from the first thread on
        now.facts['SigCgt'] = f"{int(now.facts['SigCgt'], 16) & ~(1 << 32):x}"
    for name in state.changing:
        now.facts.pop(name, None)
    return now


def ours(pid):
    """Names of our copy and of our thread in it."""
    found = []
    for other in procstate.children(pid):
        found.append(f'/proc/{other}/comm')
    found += [f'/proc/{pid}/task/{t}/comm' for t in os.listdir(f'/proc/{pid}/task')]
    names = []
    for path in found:
        try:
            names += [n for n in procstate.lines(path) if n.startswith(('hdghost', 'hdreap', 'heapdump-gdb'))]
        except OSError:
            pass
    return names


def at_rest(target, state, seconds):
    """Of what the target itself changes for moments: name → what is there all the time."""
    now = procstate.State(target.view)
    now.rest(state.moments, seconds)
    return {name: now.facts[name] for name in state.moments}


def unharmed(target, state, before, way):
    """Raises Harm if anything of the target is not as it was."""
    try:
        check(target.alive(), 'the target has ended')
        equal(ours(target.pid), [], 'our processes and threads when the program has ended')
        after = facts_of(target, state, way)
        after.settle(before, state.moments)
        procstate.unchanged(before, after, KEPT_FREE)
        answer = target.ask()
        equal(answer['wrong'], 0, 'wrong results')
        rounds = answer.get('rounds', 0)
        if rounds:
            wait_for(lambda: target.ask()['rounds'] > rounds, 'the target goes on')
        check(target.alive(), 'the target has ended')
    except (Mismatch, OSError) as why:
        raise Harm(str(why)) from why


def whole(path, state, way):
    """Raises Mismatch if the dump is not a good one."""
    if way == 'tasks':
        check(os.path.getsize(path), 'the payload wrote nothing')
        return
    result = heapanalyze('info', '--json', path)
    equal(result.code, 0, f'exit code of info\n{result}')
    facts = json.loads(result.text)
    check(facts['complete'], f"the dump is not complete: {facts['incomplete_reason']}")
    check(facts['objects'] > 3000, f"only {facts['objects']} objects")
    equal(facts['meta']['mode'], 'inline' if way == 'inline' else 'fork', 'mode')
    if state.still:
        equal(facts['not_read_whole'], 0, f"objects of a sleeping target that could not be read ({facts['skipped'][:3]})")


def attempt(cell, target, state, resting, folder, way):
    path = f'{folder}/x.heap'
    before = facts_of(target, state, way)
    before.facts.update(resting)
    result = heapdump('-q', *WAYS[way], '-o', path, target.pid)
    unharmed(target, state, before, way)
    said = result.err.strip()
    if result.code == 0:
        whole(path, state, way)
        check(not state.refused, 'it was dumped, though it should have been refused')
        cell.ok += 1
    else:
        lines = [line for line in said.splitlines() if line]
        equal((len(lines), os.listdir(folder)), (1, []), f'lines said, and files left, by a refusal\n{result}\n')
        cell.refused += 1
        cell.note(f'exit {result.code}: {said}')
    if os.path.exists(path):
        os.unlink(path)
    check(not os.listdir(folder), f'files left: {os.listdir(folder)}')


def run(state, interpreter, attempts, way='fork'):
    cell = Cell()
    try:
        state.check(interpreter)
        with Folder() as folder, Folder() as stage, OddTarget(interpreter, state, {'TMPDIR': stage}) as target:
            if way != 'fork':  # the first thread of ours leaves what any thread of any program leaves to the next one: a stack, an arena of malloc
                heapdump('-q', *WAYS[way], '-o', f'{folder}/x.heap', target.pid)
                if os.path.exists(f'{folder}/x.heap'):
                    os.unlink(f'{folder}/x.heap')
            resting = at_rest(target, state, max(0.5, min(3, 0.15 * attempts)))  # many attempts are a campaign, with little time on a busy machine
            for _ in range(attempts):
                try:
                    attempt(cell, target, state, resting, folder, way)
                except Mismatch as why:
                    cell.bad += 1
                    cell.note(f'bad: {why}')
                check(not os.listdir(stage), f"files left in the target's folder: {os.listdir(stage)}")
    except Skip as why:
        cell.skipped = str(why)
    except Harm as why:
        cell.harmed += 1
        cell.note(f'harmed: {why}')
    except Mismatch as why:
        cell.bad += 1
        cell.note(f'bad: {why}')
    return cell
