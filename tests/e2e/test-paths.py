#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What heapanalyze says about who holds what, asked of the process itself: every expression that it prints is evaluated there and must
give the object at the address that it is said to lead to."""
import json
import os
import re

from support import interpreters
from support.folder import Folder
from support.programs import SOURCE, heapanalyze, heapdump, succeeds
from support.tap import Suite, check, equal
from support.target import Target

suite = Suite()


def paths(what, dump, most=4000):
    return json.loads(succeeds(heapanalyze('paths', what, '--json', '--all', most, dump)).text)['paths']


def confirm(target, folder, found):
    """Evaluates what can be evaluated; returns how many there were."""
    # the process goes on for as long as we ask: what it does itself may move
    told = [p for p in found if p['expression'] is not None]
    wrong = []
    for path, answer in zip(told, target.evaluate(folder, [p['expression'] for p in told])):
        if answer != int(path['objects'][-1]['addr'], 16):
            wrong.append(f"{path['expression']} is {answer if isinstance(answer, str) else hex(answer)}, not the "
                         f"{path['objects'][-1]['type']} at {path['objects'][-1]['addr']}")
    check(not wrong, lambda: f'{len(wrong)} of {len(told)} expressions are wrong:\n' + '\n'.join(wrong[:40]))
    return len(told)


def things(dump):
    """Addresses of all of them."""
    found = []
    for line in succeeds(heapanalyze('export', dump)).text.splitlines():
        record = json.loads(line)
        if record.get('type') == '__main__.Thing':
            found.append(record['addr'])
    return found



def every_way(interpreter):
    with Target(interpreter, 'evaluator.py') as target, Folder() as folder:
        dump = f'{folder}/x.heap'
        succeeds(heapdump('-o', dump, target.pid))
        found = paths('__main__.Thing', dump)
        count = confirm(target, folder, found)
        check(count > 44, f'{count} expressions')
        unwritten = [p['path'] for p in found if p['expression'] is None]
        check(len(unwritten) <= 8, f'without an expression: {unwritten}')
        equal(target.ask(), {'name': 'shared with a closure'}, 'answer')


def every_thing(interpreter):
    """One by one, with the next paths to each."""
    with Target(interpreter, 'evaluator.py') as target, Folder() as folder:
        dump = f'{folder}/x.heap'
        succeeds(heapdump('-o', dump, target.pid))
        found = [path for address in things(dump) for path in paths(address, dump, 5)]
        check(confirm(target, folder, found) > 70, f'{len(found)} paths')


def every_kind(interpreter):
    with Target(interpreter, 'evaluator.py', 'zoo') as target, Folder() as folder:
        dump = f'{folder}/x.heap'
        succeeds(heapdump('-o', dump, target.pid))
        count = 0
        for what in ('builtins.str,builtins.int,builtins.float,builtins.bytes', 'builtins.function', 'builtins.type', 'builtins.dict',
                     'builtins.tuple,builtins.list,builtins.set', 'builtins.code', 'builtins.cell'):
            count += confirm(target, folder, paths(what, dump))
        check(count > 1000, f'only {count} expressions')


def stacks(interpreter):
    """The variables that the program says it has, and what only they hold."""
    with Target(interpreter, 'evaluator.py') as target, Folder() as folder:
        dump = f'{folder}/x.heap'
        succeeds(heapdump('-o', dump, target.pid))
        threads = json.loads(succeeds(heapanalyze('threads', '--json', '--limit', 0, dump)).text)['threads']
        found = {(thread['name'], frame['function'].rpartition('.')[2]): {v['name']: v for v in frame['variables']}
                 for thread in threads for frame in thread['frames']}
        equal(sorted(thread['name'] for thread in threads), ['MainThread', 'sleeper'], 'threads')
        for where, name in ((('MainThread', 'main'), 'of_main'), (('sleeper', 'sleeper'), 'in_a_thread')):
            thing = found[where][name]
            equal((thing['type'], thing['only_here']), ('__main__.Thing', True), f'{name} of {where}')
            check(thing['retained'] > thing['size'], f'{name} retains nothing: {thing}')
        shared = found['MainThread', 'main']['shared']
        equal((shared['type'], shared['only_here']), ('__main__.Thing', False), 'a variable that a closure has too')
        started = found['sleeper', 'sleeper']['started']
        equal((started['type'], started['only_here']), ('threading.Event', False), 'what is shared')


def forest(interpreter):
    """What tests/targets/tasks.py says of its own tasks."""
    with Target(interpreter, 'tasks.py') as target, Folder() as folder:
        dump = f'{folder}/x.heap'
        succeeds(heapdump('-o', dump, target.pid))
        tasks = json.loads(succeeds(heapanalyze('tasks', '--json', dump)).text)['tasks']
        answer = target.ask()
        equal(len(tasks), answer['tasks'], 'tasks')
        above, children, chains = [], {}, {}
        for task in tasks:
            del above[task['depth']:]
            above.append(task['name'])
            children.setdefault(above[-2] if len(above) > 1 else None, []).append(task['name'])
            chains[task['name']] = [step['content'].split(' at ')[0] for step in task['chain'] if step['content']]
            equal(task['state'], 'pending', task['name'])
            check(task['retained'] > task['size'], f'retains nothing: {task}')
        # of two, one has a use of its own: nobody waits for the other
        alone = {'times out': 1, 'calls back': 1}
        equal(sorted(children[None]), sorted(['Task-1', 'gathers', 'iterates', 'waits on named', *answer['ways'],
                                              *(f'{name} 1' for name in alone)]), 'tasks that nobody waits for')
        for name in answer['ways']:
            equal(sorted(children.get(name, [])), [f'{name} {n}' for n in range(alone.get(name, 2))], f'what {name} waits for')
        equal({task['name']: task['awaited_by'] for task in tasks if task['awaited_by'] > 1}, {}, 'waited for more than once')
        equal(children['waits on named'], ['named'], 'what waits on named waits for')
        equal(len(children['gathers']), 3, 'what gathers waits for')
        equal(chains['named'], ['outer', 'middle', 'inner', 'sleep'], 'chain')
        check([name for name in chains['iterates'] if name in ('iterate', 'agen', 'sleep')] == ['iterate', 'agen', 'sleep'], chains)


def members(value, found):
    """Names of all members, however deep; meta and counters have the dump's own."""
    if isinstance(value, dict):
        for key, inner in value.items():
            found.add(key)
            if key not in ('meta', 'counters'):
                members(inner, found)
    elif isinstance(value, list):
        for inner in value:
            members(inner, found)
    return found


def sections(text):
    """What docs/json.md tells of each command: the names in the tables' cells."""
    parts = re.split(r'^## (.*)\n', text, flags=re.M)
    told = {title: set(re.findall(r'`([a-z_]+)`', ' '.join(re.findall(r'^\|.*\|$', body, re.M))))
            for title, body in zip(parts[1::2], parts[2::2])}
    an_object, a_path = told.pop('An object, wherever one is told'), told.pop('A path, wherever one is told')
    return {title: names | an_object | (a_path if title in ('paths', 'object', 'top', 'diff', 'assert') else set()) for title, names in told.items()}


@suite.case('docs/json.md tells every member that is printed')
def _():
    with open(os.path.join(SOURCE, 'docs/json.md'), encoding='utf-8') as file:
        told = sections(file.read())
    with Target(interpreters.newest(), 'tasks.py') as target, Folder() as folder:
        dump = f'{folder}/x.heap'
        succeeds(heapdump('-o', dump, target.pid))
        address = json.loads(succeeds(heapanalyze('tasks', '--json', dump)).text)['tasks'][0]['addr']
        more = {'object': [[address]], 'paths': [[address], ['str']], 'info': [[]], 'threads': [[]], 'tasks': [[]],
                'top': [['--sort', 'retained', '--top-allocations', 5], ['--show-parents', '--top-allocations', 20]],
                'retained': [['--min-percent', '0.1']], 'leaks': [['--min-bytes', '0'], ['--previous-heap-dump', dump]], 'diff': [['--limit', '0', dump]],
                'assert': [['count(str)==0', 'duplicates(str)==0', 'objects()==0'], ['growth(asyncio.Task)<0', '--previous-heap-dump', dump]],
                'types': [['--garbage'], ['--by', 'module'], ['--previous-heap-dump', dump], ['--duplicates'], ['--containers']]}
        equal(sorted(more), sorted(told), 'commands')
        for command, lines in more.items():
            seen = set()
            for line in lines:
                result = heapanalyze(command, '--json', *line, dump)
                equal(result.code, int(command == 'assert'), f'exit code of {result}')
                members(json.loads(result.text), seen)
            equal(seen - told[command], set(), f'members that {command} prints and the page does not tell')


for each in interpreters.dumpable():
    suite.case(f'every way in which objects are held, {each}', every_way, each)
    suite.case(f'stacks, {each}', stacks, each)
    suite.case(f'the forest of tasks, {each}', forest, each)
suite.case('every object that the program knows', every_thing, interpreters.newest())
for each in {i.name: i for i in [interpreters.newest(), *interpreters.dumpable()[-1:]]}.values():
    suite.case(f'all kinds of objects, {each}', every_kind, each)

suite.run()
