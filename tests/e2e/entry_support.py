# SPDX-License-Identifier: MIT
"""What the tests of the live entry share: payloads, and runs of them."""
import os
import tempfile

from support import procstate
from support.programs import heapdump, succeeds
from support.tap import check, equal

WRITE = 'def __payload_entrypoint(output_path, event_loop):\n    with open(output_path, "w") as file:\n        file.write("done")\n'


class Folder:
    """A folder of its own for payloads and outputs."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix='entry-test-')
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def file(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)
        return self.path(name)

    def run(self, target, text, *options, name='payload.py', **settings):
        """Runs heapdump-gdb with this payload. The output goes to out."""
        return heapdump('--payload', self.file(name, text), '-o', self.path('out'), *options, target.pid, **settings)

    def output(self):
        with open(self.path('out'), encoding='utf-8') as file:
            return file.read()

    def done(self, target, *options, **settings):
        """A payload runs, and brings its output."""
        succeeds(self.run(target, WRITE, *options, **settings))
        equal(self.output(), 'done', 'output of the payload')
        os.unlink(self.path('out'))


def same_answers(before, after, *but):
    for key in before:
        if key not in but:
            check(before[key] == after[key], f'{key}: was {before[key]!r}, is {after[key]!r}')


def mapping_sizes(pid):
    """Of everything that is mapped, by kind; addresses may differ."""
    return sorted((permissions, name, end - start) for start, end, permissions, name in procstate.mappings(pid))
