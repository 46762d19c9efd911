#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What is written about the programs is true of them: every option and command of --help stands in the man pages, every option that the
man pages and the README use exists, files that are linked to are there, and shells complete what there is."""
import os
import re
import subprocess

from support.programs import HEAPANALYZE, HEAPDUMP, SOURCE, heapanalyze, heapdump, succeeds
from support.tap import Suite, check, equal

suite = Suite()
OPTION = re.compile(r'(?<![\w-])--[a-z][a-z-]+')


def text_of(path):
    with open(os.path.join(SOURCE, path), encoding='utf-8') as file:
        return file.read()


def man(name):
    return re.sub(r'\\f.', '', text_of(f'docs/man/{name}.1').replace('\\-', '-'))


def commands():
    return re.findall(r'^  ([a-z]+) ', re.search(r'^Commands:\n(.*?)\n\n', succeeds(heapanalyze('--help')).text, re.S | re.M)[1], re.M)


def helps():
    """program → all its help texts."""
    return {'heapdump-gdb': succeeds(heapdump('--help')).text,
            'heapanalyze': ''.join(succeeds(heapanalyze(*command, '--help')).text for command in [()] + [(c,) for c in commands()])}


@suite.case('man pages tell every option and no other')
def _():
    for program, text in helps().items():
        different = set(OPTION.findall(man(program))) ^ set(OPTION.findall(text))
        equal(different - {'--show-parent', '--sinks', '--output-path', '--cap-add'}, set(),
              f'options of {program} that only one of --help and the man page has')


@suite.case('the man page has every command')
def _():
    sections = re.findall(r'^\.SS ([a-z]+)', man('heapanalyze'), re.M)
    equal(sorted(sections), sorted(commands()), 'commands')


@suite.case('options in the README exist')
def _():
    known = set(OPTION.findall(''.join(helps().values())))
    used = set(OPTION.findall(text_of('README.md')))
    equal(used - known, set(), 'options that do not exist')


@suite.case('links in the documentation lead somewhere')
def _():
    for path in ('README.md', 'HACKING.md', 'docs/how-it-works.md', 'docs/exports.md'):
        for target in re.findall(r'\]\(([^)#]+)\)', text_of(path)):
            if '://' not in target:
                linked = os.path.join(SOURCE, os.path.dirname(path), target)
                check(os.path.exists(linked), f'{path}: {target} does not exist')


@suite.case('bash completes commands, options and values')
def _():
    script = f'''
PATH={os.path.dirname(HEAPDUMP)}:{os.path.dirname(HEAPANALYZE)}:$PATH
source {SOURCE}/docs/completions/heapdump-gdb.bash
compopt() {{ :; }}
try() {{ COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); "$completion" "$1"; echo "${{COMPREPLY[*]}}"; }}
completion=_heapdump_gdb
try heapdump-gdb --print
try heapdump-gdb --mode i
completion=_heapanalyze
try heapanalyze gra
try heapanalyze top --sort r
try heapanalyze top --sort = r
try heapanalyze --remove-heap-dump /etc/hostn
'''
    run = subprocess.run(['bash', '-c', script], capture_output=True, text=True, check=True, timeout=60)
    equal(run.stdout.splitlines(), ['--print-script', 'inline', 'graph', 'retained', 'retained', '/etc/hostname'], f'completions ({run.stderr})')


suite.run()
