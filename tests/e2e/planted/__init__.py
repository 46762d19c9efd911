# SPDX-License-Identifier: MIT
"""What a dump must show of objects planted for it: every edge under its name, every root, every local. plant() makes them in the process
that will be dumped and says where they are; missing() looks for them in the dump and returns a line for each that is not there.

An expectation is a list: what, kind, then by kind
    edge       holder, name, referent              name: a text, or several of which one will do
    path       holder, [name, …], referent         through objects that the version may have between or not: any of the paths
    root       name, object
    roots      name, objects, how many of them at least
    local      name, object                        in a frame of a thread
    exact      objects, all of whose counted references are in the dump
    weak       holder, referent                    which it does not keep
    type       object, name, size                  size as sys.getsizeof
    real       object, size                        what the allocator says of its blocks
"""
from .code import callables, suspended
from .greenlets import greenlets
from .hidden import hidden
from .library import arrays, c_types, elements, others
from .objects import containers, instances
from .plants import Plants
from .search import missing, spelled
from .sizes import real_sizes
from .state import interpreter, looked_up, threads

__all__ = ['missing', 'plant', 'spelled']


def plant():
    p = Plants()
    for part in (containers, instances, callables, suspended, threads, interpreter, real_sizes, others, elements, c_types, arrays, hidden, greenlets, looked_up):
        part(p)
    return p
