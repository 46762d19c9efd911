# SPDX-License-Identifier: MIT
"""Objects that a dump must show with their name, and where it was given."""
import collections
import functools
import gc
import logging
import os
import threading
import time
import types
import weakref

from expected import expect, keep

HERE = __file__


class Sub(dict):
    pass


class Meta(type):
    pass


class Outer(metaclass=Meta):
    class Inner:
        __slots__ = ("slot",)

        def method(self):
            return self

    def __init__(self):
        self.attribute = "value of attribute"
        self.other = 5


def named(a, b=2):
    """doc"""
    return a


def decorated():
    @functools.wraps(named)
    def wrapper():
        return free
    free = 5
    return wrapper


def closure_of(x):
    def inner():
        return x
    return inner


def at(function):
    return "%s at %s:%d" % (function.__qualname__, HERE, function.__code__.co_firstlineno)


def code_name(code):
    return getattr(code, "co_qualname", code.co_name)


def named_things():
    expect(Sub(k=1), "k")
    expect(collections.OrderedDict(x=1, y=2), "x,y")
    expect(collections.defaultdict(list, {7: []}), "7")
    expect(Outer, "%s.Outer" % __name__)
    expect(Outer.Inner, "%s.Outer.Inner" % __name__)
    expect(dict, "dict")
    expect(collections.OrderedDict, "collections.OrderedDict")
    expect(collections.deque, "collections.deque")
    expect(os, "os")
    expect(types.ModuleType("made up"), "made up")
    expect(named, at(named))
    expect(Outer.Inner.method, at(Outer.Inner.method))
    expect(Outer.Inner().method, at(Outer.Inner.method))
    expect(named.__code__, "%s at %s:%d" % (code_name(named.__code__), HERE, named.__code__.co_firstlineno))
    expect(functools.partial(named, 1), "partial " + at(named))
    expect(functools.partial(functools.partial(print)), "partial print")
    expect(closure_of("in a cell").__closure__[0], "'in a cell'")
    expect(closure_of(Sub()).__closure__[0], "<%s.Sub>" % __name__)
    expect(types.CellType(), "empty")
    target = Sub()
    expect(weakref.ref(target), "%s.Sub" % __name__)
    expect(weakref.proxy(target), "%s.Sub" % __name__)
    keep.append(target)
    dead = weakref.ref(Outer())
    gc.collect()
    expect(dead, "dead")
    expect(len, "len")
    expect([].append, "list.append")
    expect(dict.fromkeys, "dict.fromkeys")
    expect(time.sleep, "sleep")
    thread = threading.Thread(name="a thread's name")
    expect(thread, "a thread's name")
    expect(logging.getLogger("some.logger"), "some.logger")
