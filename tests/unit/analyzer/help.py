#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Walks all commands: each has a help on stdout that names its options, and refuses what it does not know on stderr with status 2."""
import re
import subprocess
import sys

PROGRAM = sys.argv[1]


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)


def help_of(*command):
    done = run(*command, '--help')
    assert done.returncode == 0 and not done.stderr, done
    assert done.stdout.startswith('Usage: heapanalyze'), done.stdout
    assert 'Examples:\n  heapanalyze ' in done.stdout, f'no examples: {done.stdout}'
    for line in done.stdout.splitlines():
        assert len(line) <= 160 and '\t' not in line, line
    assert run('-h', *command).stdout == done.stdout
    return done.stdout


def check_program():
    text = help_of()
    commands = re.search(r'^Commands:\n((?:  .*\n)+)', text, re.M)[1]
    return [line.split()[0] for line in commands.splitlines()]


def check_command(name):
    text = help_of(name)
    options = set(re.findall(r'--([a-z-]+)', text.split('Examples:')[0]))
    assert {'help', 'version', 'garbage', 'previous-heap-dump'} <= options, options
    used = set(re.findall(r'(?<= )--([a-z-]+)', text.split('Examples:')[1]))
    assert used <= options, f'examples use {used - options}'
    assert all(f'heapanalyze' in line for line in text.split('Examples:\n')[1].splitlines()), text
    for arguments in ((name, '--no-such-thing'), ('--no-such-thing', name)):
        done = run(*arguments)
        assert done.returncode == 2 and not done.stdout, done
        assert done.stderr.count('\n') == 1 and '--no-such-thing' in done.stderr, done.stderr
    version = run(name, '--version')
    assert re.fullmatch(r'heapanalyze \d+\.\d+\.\d+\n', version.stdout) and version.returncode == 0, version


def main():
    commands = check_program()
    assert {'top', 'types', 'object', 'info', 'export', 'graph'} <= set(commands), commands
    print(f'1..{len(commands)}')
    failed = 0
    for number, name in enumerate(commands, 1):
        try:
            check_command(name)
            print('ok', number, name)
        except AssertionError as error:
            failed = 1
            print('not ok', number, name)
            print('#', str(error).replace('\n', '\n# '))
    return failed


sys.exit(main())
