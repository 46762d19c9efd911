# SPDX-License-Identifier: MIT
"""--payload and --gc: what they do, what they say, and that they leave the program as it was."""
import collections
import os
import re

from entry_support import Folder, same_answers
from support import dumps, heapfile, interpreters, procstate
from support.programs import heapdump, succeeds
from support.tap import Suite, check, equal
from support.target import Target

suite = Suite()

LOOK = '''
import sys
TOP = 1
def __payload_entrypoint(output_path, event_loop):
    print('said', 'twice', sep='-')
    with open(output_path + '.other', 'w') as file:
        print('hidden', file=file)
    with open(output_path, 'w') as file:
        file.write('%d.%d %s %s' % (sys.version_info[0], sys.version_info[1], event_loop, __name__))
'''


def runs(interpreter):
    with Folder() as folder, Target(interpreter, 'entered.py', 'sleep') as target:
        before = target.ask()
        result = succeeds(folder.run(target, LOOK))
        equal(folder.output(), '%d.%d None __payload__' % interpreter.version[:2], 'output')
        check('said-twice' in result.err, f'what it printed is not on stderr:\n{result}')
        check('hidden' not in result.err, f'print(file=…) was caught:\n{result}')
        equal(result.text.strip().splitlines()[-1:], [folder.path('out')], 'last line of stdout')
        same_answers(before, target.ask())


def raises(interpreter):
    cases = (
        ('import sys\n\ndef inner(n):\n    return 1 // n\n\ndef __payload_entrypoint(output_path, event_loop):\n    inner(0)\n',
         (r'payload\.py", line 7, in __payload_entrypoint\n    inner\(0\)', r'line 4, in inner\n    return 1 // n', 'ZeroDivisionError')),
        ('def __payload_entrypoint(a, b):\n    try:\n        {}[1]\n    except KeyError as error:\n        raise OSError(7, "x") from error\n',
         ('KeyError: 1\n\nThe above exception was the direct cause', 'OSError: .Errno 7. x')),
        ('def f(:\n', (r'payload\.py", line 1', 'SyntaxError')),
        ('pass\n', ('does not define __payload_entrypoint',)),
        ('raise SystemExit(3)\n', ('SystemExit: 3',)),
        ('def f(): f()\nf()\n', ('RecursionError', 'the same line repeated')),
        ('raise ValueError("\\x1b[31m\\udc80\\u20ac")\n', (r'ValueError: \\x1b\[31m\\udc80\u20ac',)),
    )
    with Folder() as folder, Target(interpreter, 'entered.py', 'sleep') as target:
        before = target.ask()
        for text, words in cases:
            result = folder.run(target, text)
            equal(result.code, 1, f'exit code of {text!r}\n{result}\nexit code')
            for word in words:
                check(re.search(word, result.err), f'stderr does not say {word!r}:\n{result}')
            check('<string>' not in result.err, f'our own frames are shown:\n{result}')
            check(not os.path.exists(folder.path('out')), 'a payload that failed left an output')
            same_answers(before, target.ask())


def finds_loop(interpreter):
    text = 'def __payload_entrypoint(path, loop):\n    open(path, "w").write("%s %s" % (loop.is_running(), type(loop).__name__))\n'
    with Folder() as folder, Target(interpreter, 'sleeper.py', 'asyncio') as target:
        succeeds(folder.run(target, text))
        check(re.match('True .*Loop', folder.output()), folder.output())


def lists_tasks(interpreter):
    with Folder() as folder, Target(interpreter, 'tasks.py') as target:
        facts = target.ask()
        succeeds(heapdump('--payload', 'tasks', '-o', folder.path('out'), target.pid))
        text = folder.output()
        for word in (r"'named' at 0x[0-9a-f]+, pending\n  outer at .*tasks\.py:\d+\n    middle at .*\n      inner at .*\n",
                     r"'waits on named'.*\n  watch at .*\n    waits for \S*Task at 0x[0-9a-f]+, pending, name 'named'",
                     r'of 3 children 3 pending', r'agen at .*tasks\.py:\d+'):
            check(re.search(word, text), f'{word!r} is not in\n{text}')
        check(text.startswith('%d tasks, 1 loops\n' % facts['tasks']), text)
        same_answers(facts, target.ask())


def collects(interpreter):
    with Folder() as folder, Target(interpreter, 'entered.py', 'cycles') as target:
        before = target.ask()
        equal(before['finalized'], 0, 'finalized before')
        succeeds(folder.run(target, 'def __payload_entrypoint(path, loop): pass\n', '--gc'))
        after = target.ask()
        equal(after['finalized'], 100, 'finalized by --gc')
        same_answers(before, after, 'finalized')


def default_name():
    with Folder() as folder, Target(interpreters.newest(), 'entered.py', 'sleep') as target:
        payload = folder.file('p.py', 'def __payload_entrypoint(path, loop):\n    open(path, "w").write("x" * 5000000)\n')
        result = succeeds(heapdump('--payload', payload, target.pid, cwd=folder.folder.name))
        name = os.path.basename(result.text.strip())
        check(re.fullmatch(r'payload-%d-\d{8}T\d{6}\.out' % target.pid, name), result)
        with open(folder.path(name), encoding='ascii') as file:
            equal(len(file.read()), 5000000, 'bytes of output')
        result = succeeds(heapdump('--payload', payload, '-o', '-', target.pid))
        equal(result.out, b'x' * 5000000, 'output on stdout')


def missing_file():
    with Folder() as folder, Target(interpreters.newest(), 'entered.py', 'sleep') as target:
        result = heapdump('--payload', folder.path('none.py'), target.pid)
        equal(result.code, 1, f'{result}\nexit code')
        check('none.py' in result.err, result)


def no_dummy_thread(interpreter):
    """logging asks for the current thread, and would leave an object of it behind."""
    text = ('import logging, threading\ndef __payload_entrypoint(path, loop):\n    threading.current_thread()\n'
            '    logging.getLogger("payload").debug("quiet")\n')
    with Folder() as folder, Target(interpreter, 'entered.py', 'sleep') as target:
        before = target.ask()
        succeeds(folder.run(target, text))
        same_answers(before, target.ask(), 'modules')


def leaves_nothing(interpreter):
    """The first run may leave what any thread of any program leaves to the next one: a stack and an arena of malloc. No later one does."""
    with Folder() as folder, Folder() as stages, \
            Target(interpreter, 'entered.py', 'sleep', environment={'TMPDIR': stages.folder.name}) as target:
        folder.done(target)
        before, sizes = procstate.State(target.pid), procstate.mappings(target.pid)
        for _ in range(30):
            folder.done(target)
        # Less than one more of pymalloc's arenas, which are 1 MiB since 3.10 and one of which may be due at any time.
        procstate.unchanged(before, procstate.State(target.pid), growth=3 << 19)
        sizes = sorted(sizes)
        equal(sorted(procstate.mappings(target.pid)), sizes, 'mappings')
        equal(os.listdir(stages.folder.name), [], 'what is left where the stages were')


def leaves_no_object(interpreter):
    """Nor what hides in caches of the interpreter's: names that C looked up by their text."""
    # open() for text leaves such a name itself, in any program
    payload = 'def __payload_entrypoint(path, loop):\n    file = open(path, "wb")\n    file.write(b"x")\n    file.close()\n'
    with Folder() as folder, Target(interpreter, 'entered.py', 'sleep') as target:
        counts = []
        for runs in (3, 10):
            for _ in range(runs):
                succeeds(folder.run(target, payload))
            dump = heapfile.Dump(dumps.dump(target, folder.path('x.heap')))
            counts.append(collections.Counter(o.type.name for o in dump.objects.values()))
        equal(dict(counts[1] - counts[0]), {}, 'objects more after ten runs')


for found in interpreters.dumpable():
    if found.gil:  # without one code and functions go with the next collection
        suite.case(f'no object stays: {found}', leaves_no_object, found)
    suite.case(f'a payload runs: {found}', runs, found)
    suite.case(f'a payload raises: {found}', raises, found)
    suite.case(f'a payload is given the running event loop: {found}', finds_loop, found)
    suite.case(f'the tasks are listed: {found}', lists_tasks, found)
    suite.case(f'a collection is forced: {found}', collects, found)
    suite.case(f'no thread object stays: {found}', no_dummy_thread, found)
    suite.case(f'31 runs leave the process as after the first: {found}', leaves_nothing, found)
suite.case('the output gets a name of its own, or goes to stdout', default_name)
suite.case('a payload that is not there', missing_file)
suite.run()
