# SPDX-License-Identifier: MIT
"""confined.py RULES…: sleeps for ever under seccomp filters, one for each argument: "ACTION" is what becomes of every system call, and "ACTION=NAME,NAME…" of
those named, all others being allowed; "only=NAME,…" kills at everything else. Actions: allow kill thread trap errno log. A name may have a condition,
"clone&0x800000": if the first argument has one of these bits, "mprotect&4@2": if the third has; of several each must hold. "thread:" in front sets the filter on a second thread alone.
"strict" is no filter but the kernel's strict mode, in which a thread may read and write only: it then repeats every byte of stdin."""
import ctypes
import os
import re
import signal
import struct
import sys
import threading
import time

import harness

ACTIONS = {'allow': 0x7fff0000, 'kill': 0x80000000, 'thread': 0, 'trap': 0x30000, 'errno': 0x50001, 'log': 0x7ffc0000}
LOAD, EQUAL, HAS, RETURN, JUMP = 0x20, 0x15, 0x45, 0x06, 0x05
NUMBER, FIRST = 0, 16  # offsets in struct seccomp_data
libc = ctypes.CDLL(None, use_errno=True)


def numbers():
    with open('/usr/include/x86_64-linux-gnu/asm/unistd_64.h', encoding='ascii') as file:
        return {name: int(number) for name, number in re.findall(r'__NR_(\w+) (\d+)', file.read())}


def instruction(code, k, yes=0, no=0):
    return struct.pack('HBBI', code, yes, no, k)


def program(rule):
    action, _, names = rule.partition('=')
    only = action == 'only'
    found = ACTIONS['allow' if only else action]
    text = [instruction(LOAD, NUMBER)]
    known = numbers()
    if not names:
        return instruction(RETURN, found)
    for name in names.split(','):
        name, *conditions = name.split('&')
        if name not in known:
            continue
        rest = [instruction(RETURN, found)]
        for condition in reversed(conditions):
            bits, _, argument = condition.partition('@')
            rest = [instruction(LOAD, FIRST + 8 * int(argument or 0)), instruction(HAS, int(bits, 0), 0, len(rest)), *rest]
        text += [instruction(EQUAL, known[name], 0, len(rest)), *rest, instruction(LOAD, NUMBER)]
    return b''.join(text) + instruction(RETURN, ACTIONS['kill' if only else 'allow'])


def confine(rule):
    text = program(rule)
    buffer = ctypes.create_string_buffer(text, len(text))
    header = struct.pack('HxxxxxxP', len(text) // 8, ctypes.addressof(buffer))
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, header, 0, 0):
        raise OSError(ctypes.get_errno(), 'seccomp')


def be_strict():
    """SECCOMP_MODE_STRICT. No memory must be asked for from here on."""
    if libc.prctl(22, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), 'seccomp')
    while True:
        os.write(1, os.read(0, 1))


def second_thread(rule):
    done = threading.Event()

    def run():
        confine(rule)
        done.set()
        time.sleep(10 ** 6)
    threading.Thread(target=run, daemon=True).start()
    done.wait()


def main(rules):
    for rule in rules:
        if rule.startswith('thread:'):
            second_thread(rule[len('thread:'):])
    programs = [rule for rule in rules if not rule.startswith('thread:')]
    harness.answers(lambda: {'wrong': 0, 'confined': not programs})
    if rules == ['strict']:
        del programs[:]
        signal.signal(signal.SIGUSR1, lambda *_: (harness.say(wrong=0), be_strict()))
    harness.ready()
    for rule in list(programs):
        confine(rule)
    del programs[:]
    while True:
        time.sleep(10 ** 6)


if __name__ == '__main__':
    main(sys.argv[1:])
