# SPDX-License-Identifier: MIT
"""What is planted, and how it is said."""
import sys


VERSION = sys.version_info[:2]


class Plants:
    def __init__(self):
        self.list, self.keep = [], []

    def type(self, what, o, name=None):
        kind = type(o)
        self.list.append([what, 'type', id(o), name or '%s.%s' % (kind.__module__, kind.__qualname__), sys.getsizeof(o)])
        self.keep.append(o)

    def edge(self, what, holder, name, referent):
        self.list.append([what, 'edge', id(holder), [name] if isinstance(name, str) else list(name), id(referent)])
        self.keep.append((holder, referent))

    def path(self, what, holder, paths, referent):
        self.list.append([what, 'path', id(holder), [path.split(' ; ') for path in paths], id(referent)])
        self.keep.append((holder, referent))

    def attribute(self, what, holder, name, referent):
        """Beside the object, or in its dict."""
        self.path(what, holder, ['.' + name, ".__dict__ ; ['%s']" % name], referent)

    def root(self, what, name, o):
        self.list.append([what, 'root', name, id(o)])
        self.keep.append(o)

    def local(self, what, name, o):
        self.list.append([what, 'local', name, id(o)])


def fresh(text):
    """A str that nothing else has."""
    return ''.join([text, ' '])[:-1]
