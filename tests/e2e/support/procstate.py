# SPDX-License-Identifier: MIT
"""What can be seen of a process from outside, to be compared before and after a dump."""
import hashlib
import os
import re
import time

from .tap import check

STATUS = ('Name', 'Umask', 'TracerPid', 'Uid', 'Gid', 'FDSize', 'Threads', 'SigPnd', 'ShdPnd', 'SigBlk', 'SigIgn', 'SigCgt',
          'CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp')
MASK = re.compile('[0-9a-f]{16}')  # of signals


def lines(path):
    with open(path, encoding='utf-8', errors='surrogateescape') as file:
        return file.read().splitlines()


def mappings(pid):
    """(start, end, permissions, name) of each."""
    for line in lines(f'/proc/{pid}/maps'):
        match = re.match(r'([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)', line)
        yield int(match[1], 16), int(match[2], 16), match[3], match[4]


def code_digests(pid):
    """Of what is executable and mapped from a file: nobody writes there but a debugger."""
    digests = {}
    with open(f'/proc/{pid}/mem', 'rb', 0) as memory:
        for start, end, permissions, name in mappings(pid):
            if 'x' in permissions and name.startswith('/'):
                memory.seek(start)
                try:
                    digests[f'{start:x}-{end:x} {name}'] = hashlib.sha256(memory.read(end - start)).hexdigest()
                except OSError:
                    continue  # unmapped meanwhile, which the list of mappings shows
    return digests


def children(pid):
    """Processes, zombies too, whose parent it is (not every kernel has /proc/PID/task/*/children)."""
    found = []
    for other in os.listdir('/proc'):
        if other.isdigit():
            try:
                if lines(f'/proc/{other}/stat')[0].rpartition(')')[2].split()[1] == str(pid):
                    found.append(int(other))
            except (OSError, IndexError):
                pass
    return sorted(found)


def descriptors(pid):
    links = {}
    for number in os.listdir(f'/proc/{pid}/fd'):
        try:
            links[number] = os.readlink(f'/proc/{pid}/fd/{number}')
        except OSError:
            pass
    return links


def thread_masks(pid):
    """The blocked signals of every thread."""
    masks = {}
    for thread in os.listdir(f'/proc/{pid}/task'):
        try:
            status = lines(f'/proc/{pid}/task/{thread}/status')
        except OSError:
            continue
        masks[thread] = next(line.split()[1] for line in status if line.startswith('SigBlk:'))
    return masks


def tracer(pid):
    return next(int(line.split()[1]) for line in lines(f'/proc/{pid}/status') if line.startswith('TracerPid:'))


def resident(pid):
    """Its own memory: of files, pages become resident when we look at them."""
    return next(int(line.split()[1]) for line in lines(f'/proc/{pid}/status') if line.startswith('RssAnon:')) * 1024


def status(pid):
    return dict(line.split(':', 1) for line in lines(f'/proc/{pid}/status') if ':' in line)


FACTS = {
    **{key: lambda pid, key=key: status(pid).get(key, '').strip() for key in STATUS},
    'oom_score_adj': lambda pid: lines(f'/proc/{pid}/oom_score_adj'),
    'coredump_filter': lambda pid: lines(f'/proc/{pid}/coredump_filter'),
    'limits': lambda pid: lines(f'/proc/{pid}/limits'),
    'nice': lambda pid: os.getpriority(os.PRIO_PROCESS, pid),
    'affinity': lambda pid: sorted(os.sched_getaffinity(pid)),
    'folder': lambda pid: os.readlink(f'/proc/{pid}/cwd'),
    'children': children,
    'descriptors': descriptors,
    'threads': thread_masks,
    'mappings of files': lambda pid: sorted(f'{s:x}-{e:x} {p} {n}' for s, e, p, n in mappings(pid) if n.startswith('/')),
    'executable mappings': lambda pid: sorted(f'{s:x}-{e:x} {p} {n}' for s, e, p, n in mappings(pid) if 'x' in p),
    'code': code_digests,
}


class State:
    """Of a process that itself changes nothing: no thread starts or ends, nothing is opened or closed."""

    def __init__(self, pid):
        self.pid = pid
        self.resident = resident(pid)
        self.facts = {name: read(pid) for name, read in FACTS.items()}

    def rest(self, names, seconds):
        """Of facts that the process itself changes for moments: keeps what is there all the time."""
        end, rounds = time.monotonic() + seconds, 0
        while names and (time.monotonic() < end or rounds < 20):
            self.narrow(names)
            rounds += 1

    def settle(self, before, names):
        """The same of a process that was at rest before, but looks much oftener before it says that something is there all the time."""
        end, rounds = time.monotonic() + 30, 0
        while names and (time.monotonic() < end or rounds < 2000):
            self.narrow(names)
            names = [name for name in names if self.facts[name] != before.facts[name]]
            rounds += 1

    def narrow(self, names):
        for name in names:
            self.facts[name] = common(self.facts[name], FACTS[name](self.pid))


def common(one, other):
    """What is in both values of one fact: the set bits of masks, the members of lists, the items of dicts."""
    if isinstance(one, list):
        return [member for member in one if member in other]
    if isinstance(one, dict):
        return {key: common(one[key], other[key]) for key in one if key in other and (one[key] == other[key] or MASK.fullmatch(one[key]))}
    return f'{int(one, 16) & int(other, 16):016x}' if MASK.fullmatch(one) else one


def differences(before, after):
    for key, old in before.facts.items():
        new = after.facts[key]
        if old != new:
            if isinstance(old, dict):
                old, new = (dict(sorted(set(a.items()) - set(b.items()))) for a, b in ((old, new), (new, old)))
            elif isinstance(old, list):
                old, new = [x for x in old if x not in new], [x for x in new if x not in old]
            yield f'{key}: was {old!r}, is {new!r}'


def unchanged(before, after, growth=8 << 20):
    """Fails if anything differs, or if the process takes notably more memory (bytes) than before."""
    found = list(differences(before, after))
    check(not found, lambda: 'the target is not as it was before:\n' + '\n'.join(found))
    check(after.resident - before.resident < growth, f'the target grew from {before.resident} to {after.resident} bytes')
